"""Books of map sheets for ``gridwright report``: drawn side by side, gone on with after a kill.

A book is one PDF and the piece of work: each is drawn by itself, on as many processes as there are,
and kept when it is finished until the whole report is written (:mod:`planning.pieces`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from geo.messages import register
from geo.problems import InputError, Problem
from planning.pieces import Digest, Pieces, program
from planning.running import Job, Lost, each
from planning.sheets.book import Atlas, Kind, pictures, write_book

register(
    {
        "report-book-lost": (
            "绘制 {book} 的进程中途退出(多为内存不足);其余图册已画好并保留,请再次运行。",
            "the process that drew {book} ended (out of memory?); the other books are drawn and "
            "kept. Run again.",
        ),
    }
)

MOST_PAGES = 400
"""A larger book is split: who opens it waits, and a run that is killed loses it."""

SPLIT_PAGES = 200
_PACKAGES = ("geo", "planning", "planning/sheets", "planning/beats")


@dataclass(frozen=True)
class Book:
    """One PDF: its name, what it shows, and its subjects in order."""

    name: str
    kind: Kind
    subjects: tuple[str, ...]

    @property
    def piece(self) -> str:
        """What it is kept under: a book of the same name may show other subjects."""
        found = Digest()
        found.add(self.subjects)
        return f"{self.name}-{found.text()[:16]}"


def books_of(atlas: Atlas, codes: set[str] | None) -> list[Book]:
    """Grids by township, then villages, townships, the overview, beats and leaders.

    ``codes`` only these grids and their villages; None for everything.
    """
    grids = atlas.grids
    town = grids["township_name"].fillna("").astype(str)
    code = grids["code"].astype(str).to_numpy()
    wanted = np.ones(len(grids), dtype=bool) if codes is None else np.isin(code, list(codes))
    found: list[Book] = []
    for number, name in enumerate(dict.fromkeys(town), 1):
        plain = re.sub(r"\W+", "", name)[:40]
        own = code[(town == name).to_numpy() & wanted]
        found.append(Book(f"grids-{number:02d}{'-' + plain if plain else ''}.pdf", "grid",
                          tuple(own.tolist())))  # fmt: skip
    villages = None if codes is None else set(grids["village_code"][wanted].astype(str))
    found += _split("villages", "village", atlas.subjects("village", villages))
    if codes is None:
        found += _split("townships", "township", atlas.subjects("township"))
        found.append(Book("overview.pdf", "overview", tuple(atlas.subjects("overview"))))
        found += _split("beats", "beat", atlas.subjects("beat"))
        found += _split("leaders", "leader", atlas.subjects("leader"))
    return [book for book in found if book.subjects]


def _split(name: str, kind: Kind, subjects: list[str]) -> Iterator[Book]:
    if len(subjects) <= MOST_PAGES:
        yield Book(f"{name}.pdf", kind, tuple(subjects))
        return
    for number, start in enumerate(range(0, len(subjects), SPLIT_PAGES), 1):
        part = tuple(subjects[start : start + SPLIT_PAGES])
        yield Book(f"{name}-{number:02d}.pdf", kind, part)


def digest_of(atlas: Atlas) -> str:
    """A digest of what sheets are drawn from, and of the program."""
    found = Digest(f"sheets {program(*_PACKAGES)} {atlas.plan.grids.crs}")
    found.add([atlas.language, atlas.imprint, sorted(atlas.leaders.items())])
    plan = atlas.plan
    frames = [plan.grids, plan.villages, plan.exceptions, plan.micro_grids]
    frames += [atlas.context[role] for role in sorted(atlas.context)]
    if atlas.beats is not None:
        frames += [atlas.beats.beats, atlas.beats.exceptions, atlas.beats.grid_beats]
    for frame in frames:
        found.add([None if frame is None else len(frame)])
        if frame is not None:
            found.add_frame(frame)
    return found.text()


@contextmanager
def kept_books(
    target: Path, atlas: Atlas, name: str, *, resume: bool
) -> Iterator[Pieces | None]:
    """Where the finished books of a report into ``target`` are kept until it is written."""
    kept = Pieces(target / name, digest_of(atlas)) if resume else None
    yield kept
    if kept is not None:
        if kept.taken:
            print(f"{kept.taken} books were taken up from a run that was stopped", file=sys.stderr)
        if kept.failed is not None:
            print(f"warning: finished books could not be kept for another run ({kept.failed})",
                  file=sys.stderr)  # fmt: skip


def draw_books(
    atlas: Atlas, books: list[Book], folder: Path, kept: Pieces | None, workers: int
) -> list[str]:
    """Draw every book into ``folder``; what was written, a line each, in the books' order.

    Raises :class:`InputError` naming the books that killed their process, after all others.
    """
    total = sum(len(book.subjects) for book in books)
    done, lost = 0, []
    with tqdm(total=total, unit="sheet", disable=not sys.stderr.isatty()) as bar:
        for number, body in _kept_and_drawn(atlas, books, kept, workers):
            book = books[number]
            if isinstance(body, Lost):
                lost.append(book.name)
                continue
            (folder / book.name).write_bytes(body)
            done += len(book.subjects)
            bar.update(len(book.subjects))
            if bar.disable:
                print(f"{done} of {total} sheets", file=sys.stderr)
    if lost:
        raise InputError(
            Problem("report-book-lost", params={"book": name}) for name in sorted(lost)
        )
    return [f"{folder.name}/{book.name}: {len(book.subjects)}" for book in books]


def draw_pictures(atlas: Atlas, codes: list[str], folder: Path, workers: int) -> None:
    """A PNG of each grid's sheet into ``folder``, named by its code.

    Raises :class:`InputError` naming the pictures that killed their process, after all others.
    """
    _ = atlas.font, atlas.grids  # made once, before processes share them
    names = [f"{re.sub(r'[^0-9A-Za-z_-]', '_', code)}.png" for code in codes]

    def draw(number: int) -> bytes:
        return next(picture for _, picture in pictures(atlas, "grid", [codes[number]]))

    lost = []
    with tqdm(total=len(codes), unit="picture", disable=not sys.stderr.isatty()) as bar:
        for number, picture in each(Job(int, draw), list(range(len(codes))), workers=workers):
            bar.update(1)
            if isinstance(picture, Lost):
                lost.append(names[number])
            else:
                (folder / names[number]).write_bytes(picture)
    if bar.disable and codes:
        print(f"{len(codes) - len(lost)} of {len(codes)} pictures", file=sys.stderr)
    if lost:
        raise InputError(
            Problem("report-book-lost", params={"book": name}) for name in sorted(lost)
        )


def _kept_and_drawn(
    atlas: Atlas, books: list[Book], kept: Pieces | None, workers: int
) -> Iterable[tuple[int, bytes | Lost]]:
    """Numbers and PDFs of the books: first those of an earlier run, then as they are drawn."""
    todo = []
    for number, book in enumerate(books):
        held = None if kept is None else kept.read(book.piece)
        if kept is None or held is None:
            todo.append(number)
        else:
            kept.taken += 1
            yield number, held
    if not todo:
        return
    _ = atlas.font, atlas.grids  # made once, before processes share them

    def draw(number: int) -> bytes:
        book = books[number]
        with tempfile.TemporaryDirectory(prefix="gridwright-book-") as work:
            path = Path(work) / book.name
            write_book(atlas, book.kind, path, codes=book.subjects)
            return path.read_bytes()

    largest = sorted(todo, key=lambda number: -len(books[number].subjects))
    for number, body in each(Job(int, draw), largest, workers=workers):
        if kept is not None and not isinstance(body, Lost):
            kept.write(books[number].piece, body)
        yield number, body
