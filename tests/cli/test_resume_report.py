"""A report that is killed: finished books are not drawn again, and the sheets are the same."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import towns
from pypdfium2 import PdfDocument

from cli import books
from cli.books import Book, books_of, digest_of, draw_books, draw_pictures
from cli.main import main
from geo.problems import InputError
from planning.county import propose_county
from planning.pieces import Pieces
from planning.planfile import read_plan, write_plan
from planning.running import Lost
from planning.settings import Settings
from planning.sheets.book import Atlas
from planning.sheets.fonts import find_font
from planning.sheets.page import Imprint
from planning.tables import to_planfile

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"

# in a process of its own: the third book is never finished
SLOW = """
import sys, time
from cli import books
quick, done = books.write_book, [0]
def slow(*arguments, **more):
    done[0] += 1
    if done[0] > 2:
        time.sleep(600)
    return quick(*arguments, **more)
books.write_book = slow
from cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three villages."""
    try:
        find_font()
    except InputError:
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    x, y = towns.ORIGIN
    county = towns.county(
        [
            towns.village(PICTURE, times=10, persons=3, code=f"32011600120{i}", at=(x + i * 2e3, y))
            for i in range(3)
        ]
    )  # fmt: skip
    path = tmp_path_factory.mktemp("plan") / "plan.gpkg"
    write_plan(to_planfile(propose_county(county, Settings(target=60))), path)
    return path


def command(plan: Path, output: Path, *more: str) -> list[str]:
    return ["report", str(plan), "-o", str(output), "--date", "2026-01-01", "--workers", "1", *more]


def sheets(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "sheets").iterdir())
    }


def test_after_a_kill_finished_books_are_taken_up_and_the_sheets_are_the_same(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert main(command(plan, whole)) == 0
    assert not list(whole.glob(".*"))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *command(plan, torn)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 120
    while len(list(torn.glob(".*.unfinished/*.piece"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (torn / "sheets").exists()
    drawn: list[str] = []
    quick = books.write_book

    def counted(atlas: Atlas, kind: str, path: Path, **more: object) -> int:
        drawn.append(path.name)
        return quick(atlas, kind, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(books, "write_book", counted)
    capfd.readouterr()
    assert main(command(plan, torn)) == 0
    assert len(drawn) == len(sheets(whole)) - 2
    assert "2 books were taken up" in capfd.readouterr().err
    assert sheets(torn) == sheets(whole)
    assert not list(torn.glob(".*.unfinished"))


def test_any_number_of_processes_draws_the_same_sheets(plan: Path, tmp_path: Path) -> None:
    for name, workers in (("one", "1"), ("three", "3")):
        assert main(command(plan, tmp_path / name, "--workers", workers)) == 0
    assert sheets(tmp_path / "one") == sheets(tmp_path / "three")


def test_any_number_of_processes_draws_the_same_pictures(plan: Path, tmp_path: Path) -> None:
    atlas = Atlas(read_plan(plan), {}, None, "zh", Imprint("县"), {})
    codes = atlas.subjects("grid")[:4]
    for name, workers in (("one", 1), ("three", 3)):
        (tmp_path / name).mkdir()
        draw_pictures(atlas, codes, tmp_path / name, workers)
    found = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}
             for name in ("one", "three")]  # fmt: skip
    assert sorted(found[0]) == sorted(f"{code}.png" for code in codes)
    assert found[0] == found[1]


def test_another_date_another_plan_and_another_language_have_other_digests(plan: Path) -> None:
    held = read_plan(plan)
    atlas = Atlas(held, {}, None, "zh", Imprint("", "", "2026-01-01", ""))
    first = digest_of(atlas)
    assert digest_of(replace(atlas, plan=read_plan(plan))) == first
    grids = held.grids.assign(name="x")
    others = [
        replace(atlas, language="en"),
        replace(atlas, imprint=Imprint("", "", "2026-01-02", "")),
        replace(atlas, plan=replace(held, grids=grids)),
        replace(atlas, context={"roads": held.villages}),
        replace(atlas, leaders={"A": ["1"]}),
    ]
    assert len({first, *map(digest_of, others)}) == 6


def test_a_large_book_is_split_and_nothing_is_left_out(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "MOST_PAGES", 2)
    monkeypatch.setattr(books, "SPLIT_PAGES", 2)
    atlas = Atlas(read_plan(plan))
    found = [book for book in books_of(atlas, None) if book.kind == "village"]
    assert [book.name for book in found] == ["villages-01.pdf", "villages-02.pdf"]
    assert [code for book in found for code in book.subjects] == atlas.subjects("village")


def test_a_book_that_kills_its_process_is_named_and_the_others_are_kept(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = Atlas(read_plan(plan))
    three = [Book(f"{name}.pdf", "overview", ("",)) for name in "abc"]
    found = [(0, b"x"), (1, Lost()), (2, b"y")]
    monkeypatch.setattr(books, "each", lambda *_, **__: iter(found))
    kept = Pieces(tmp_path / "sheets", "0" * 64)
    with pytest.raises(InputError) as caught:
        draw_books(atlas, three, tmp_path, kept, 2)
    assert [problem.params["book"] for problem in caught.value.problems] == ["b.pdf"]
    assert [kept.read(book.piece) for book in three] == [b"x", None, b"y"]


def test_a_kept_book_of_fewer_grids_is_not_taken_for_the_whole_one(
    plan: Path, tmp_path: Path
) -> None:
    atlas = Atlas(read_plan(plan), {}, None, "zh", Imprint("县"), {})
    first = atlas.subjects("grid")[0]
    kept = Pieces(tmp_path / "sheets", digest_of(atlas))
    pages = {}
    for name, codes in (("one", {first}), ("all", None)):
        (tmp_path / name).mkdir()
        books = [book for book in books_of(atlas, codes) if book.kind == "grid"]
        draw_books(atlas, books, tmp_path / name, kept, 1)
        pages[name] = PdfDocument(tmp_path / name / books[0].name)
    assert len(pages["one"]) == 1
    assert len(pages["all"]) == len(atlas.subjects("grid"))
    assert kept.taken == 0
    for document in pages.values():
        document.close()
