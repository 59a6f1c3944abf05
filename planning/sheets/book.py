"""Books of map sheets, written as PDF: a page and a bookmark a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from planning.county import Cancelled
from planning.export import atomically
from planning.sheets.atlas import KINDS, ROLES, Atlas, Kind
from planning.sheets.pdf import pdf_bytes
from planning.sheets.picture import png_bytes
from planning.sheets.subjects import draw

__all__ = ["KINDS", "ROLES", "Atlas", "Kind", "draw", "pictures", "write_book"]


def write_book(
    atlas: Atlas,
    kind: Kind,
    path: Path,
    *,
    codes: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> int:
    """One PDF with a page and a bookmark a subject; whole or not at all. Returns the pages.

    Nothing is written where there is no subject. Raises :class:`planning.county.Cancelled` soon
    after ``cancelled()`` turns true, :class:`geo.problems.InputError` where no font is found.
    """
    subjects = atlas.subjects(kind, codes)
    if not subjects:
        return 0
    pages = []
    for number, code in enumerate(subjects):
        if cancelled is not None and cancelled():
            raise Cancelled
        pages.append(draw(atlas, kind, code))
        if progress is not None:
            progress(number + 1, len(subjects))
    titles = [atlas.title(kind, code) for code in subjects]
    name = titles[0] if len(titles) == 1 else atlas.imprint.place or titles[0]
    data = pdf_bytes(pages, atlas.font, name, titles)

    def write(target: Path) -> None:
        target.write_bytes(data)

    atomically(path, write)
    return len(pages)


def pictures(
    atlas: Atlas, kind: Kind, codes: Iterable[str], width: int = 1080
) -> Iterator[tuple[str, bytes]]:
    """Sheets as PNG, ``width`` pixels wide: code and bytes."""
    for code in atlas.subjects(kind, codes):
        page = draw(atlas, kind, code)
        yield code, png_bytes(pdf_bytes([page], atlas.font, code), width)
