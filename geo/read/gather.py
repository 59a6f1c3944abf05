"""The columns of a table that comes in pieces, held small: a text once however often it stands
there, coordinates as numbers. Nothing else of a piece outlives it.

How the rows are cut into pieces changes nothing in the columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geo.read.text import text_column
from geo.read.values import coordinates_of, looks_like_wkt

TOLD = 20
"""Cells that are looked at before a column of coordinates is read as numbers."""

Bools = NDArray[np.bool_]


class Gathered:
    """Columns of text, piece after piece. ``coordinates`` are those to be held as numbers, unless
    their first cells are well-known text.
    """

    def __init__(self, wanted: Iterable[str], coordinates: Iterable[str] = ()) -> None:
        numeric = set(coordinates)
        self._columns: dict[str, _Texts | _Numbers] = {
            name: _Numbers() if name in numeric else _Texts() for name in wanted
        }
        self.rows = 0

    def add(self, columns: dict[str, pa.Array], rows: int) -> None:
        """Take a piece of ``rows`` rows: a text array a column, null where a cell is empty."""
        for name, piece in columns.items():
            held = self._columns[name]
            if isinstance(held, _Numbers) and held.are_not(piece):
                held = self._columns[name] = held.as_texts()
            held.add(piece)
        self.rows += rows

    def taken(self, rows: int) -> tuple[dict[str, pd.Series[Any]], dict[str, Bools]]:
        """The first ``rows`` rows: the columns, and of those that are numbers which cells could
        not be read."""
        columns, unreadable = {}, {}
        for name, held in self._columns.items():
            if isinstance(held, _Numbers) and not held.settled:
                held = held.as_texts()
            columns[name] = held.taken(rows)
            if isinstance(held, _Numbers):
                unreadable[name] = held.bad(rows)
        self._columns.clear()
        return columns, unreadable


class _Texts:
    """A column of text: pieces with a dictionary each, or as they are where hardly any repeats."""

    def __init__(self) -> None:
        self._pieces: list[pa.Array] = []
        self._often: bool | None = None

    def add(self, piece: pa.Array) -> None:
        if self._often is None or self._often:
            told = piece.dictionary_encode()
            if self._often is None and len(piece) >= 1000:
                self._often = len(told.dictionary) < len(piece) / 2
            piece = told if self._often is not False else piece
        self._pieces.append(piece)

    def taken(self, rows: int) -> pd.Series[Any]:
        whole = [p.dictionary_decode() if self._often is False and _told(p) else p
                 for p in self._pieces]  # fmt: skip
        self._pieces = []
        kind = whole[0].type if whole else pa.string()
        return text_column(pa.chunked_array(whole, kind).slice(0, rows))


class _Numbers:
    """A column of coordinates, read piece by piece once its first cells are seen to be such."""

    def __init__(self) -> None:
        self._first: list[pa.Array] = []
        self._seen = 0
        self._numbers: list[NDArray[np.float64]] = []
        self._bad: list[Bools] = []
        self.settled = False

    def are_not(self, piece: pa.Array) -> bool:
        """Whether the column turns out to be well-known text with this piece."""
        if self.settled:
            return False
        cells = [c for p in (*self._first, piece) for c in p.drop_null()[:TOLD].to_pylist()]
        return len(cells) >= TOLD and looks_like_wkt(pd.Series(cells[:TOLD], dtype="str"))

    def add(self, piece: pa.Array) -> None:
        self._seen += len(piece) - piece.null_count
        self._first.append(piece)
        if self._seen >= TOLD:
            self.settled = True
            for held in self._first:
                numbers, bad = coordinates_of(held)
                self._numbers.append(numbers)
                self._bad.append(bad)
            self._first = []

    def as_texts(self) -> _Texts:
        texts = _Texts()
        for piece in self._first:
            texts.add(piece)
        return texts

    def taken(self, rows: int) -> pd.Series[Any]:
        return pd.Series(np.concatenate(self._numbers)[:rows])

    def bad(self, rows: int) -> Bools:
        return np.concatenate(self._bad)[:rows]


def _told(piece: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(piece.type))
