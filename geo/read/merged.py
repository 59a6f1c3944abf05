"""Cells merged downwards in a sheet: a township's name that stands once over all its villages.

Only the first cell of a merged range holds a value in the file; the readers give it to the rows
below. A count is not given to them: one number over three rows is their total, not three times it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20
_OVERLAP = 400  # more bytes than one element of a range can have
_RANGES = 200_000
_ELEMENT = re.compile(
    rb"<(?:[A-Za-z0-9]+:)?mergeCell\s[^<>]{0,200}?ref\s*=\s*[\"']\$?([A-Z]{1,3})\$?([0-9]{1,7}):"
    rb"\$?[A-Z]{1,3}\$?([0-9]{1,7})[\"']"
)

Range = tuple[int, int, int]  # column from 0, first row and last row from 1


class Merged:
    """The merged ranges of a sheet, walked down with its rows, which must come in order."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._starts: dict[int, list[tuple[int, int]]] = {}
        for column, first, last in ranges:
            if last > first:
                self._starts.setdefault(first, []).append((column, last))
        self._open: dict[int, tuple[int, object]] = {}

    def carried(self, number: int, row: Sequence[object]) -> dict[int, object]:
        """Values that ranges begun above give to blank cells of this row, by column."""
        if not self._starts:
            return {}
        for column, last in self._starts.get(number, ()):
            self._open[column] = (last, row[column] if column < len(row) else None)
        self._open = {c: held for c, held in self._open.items() if held[0] >= number}
        return {
            column: value
            for column, (_, value) in self._open.items()
            if value not in (None, "") and (column >= len(row) or row[column] in (None, ""))
        }


def xlsx_ranges(archive: zipfile.ZipFile, part: str) -> list[Range]:
    """Ranges of an .xlsx sheet, found in its XML without parsing it: cells stand before them.

    ``part`` is the sheet's name in the zip. A range that stands in a comment counts too, which
    costs nothing but a value where a blank was.
    """
    found: list[Range] = []
    tail = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            text = tail + block
            end = 0
            for match in _ELEMENT.finditer(text):
                found.append((_column(match[1]), int(match[2]), int(match[3])))
                end = match.end()
            if len(found) > _RANGES:
                return found[:_RANGES]
            tail = text[max(end, len(text) - _OVERLAP) :]
    return found


def _column(letters: bytes) -> int:
    """A column's place, from 0: A, B ... Z, AA ..."""
    place = 0
    for letter in letters:
        place = 26 * place + letter - 64
    return place - 1


def xls_ranges(path: Path, sheet: str, silence: Any) -> list[Range] | None:
    """Ranges of an .xls sheet; None where the workbook's formats cannot be read.

    Its cells can be read without the formats, which carry the ranges and are often damaged.
    """
    try:
        import xlrd

        with xlrd.open_workbook(
            str(path), on_demand=True, formatting_info=True, logfile=silence
        ) as book:
            cells = book.sheet_by_name(sheet).merged_cells
    except Exception:  # xlrd raises whatever the damaged part makes it raise
        return None
    return [(left, top + 1, bottom) for top, bottom, left, _ in cells[:_RANGES]]
