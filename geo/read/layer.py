"""What the readers hand over: :class:`Layer`, and :class:`Raw` on the way there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from geo.columns import ColumnFound, Role
from geo.personal import Dropped
from geo.problems import Problem

if TYPE_CHECKING:
    import geopandas

Shapes = NDArray[np.object_]
#: canonical columns that hold numbers of something
COUNTS = frozenset(("households", "persons", "officers"))
#: why a row has no place, as it stands in tables of unplaced rows
NO_PLACE = (
    "no-coordinates", "coordinates-unreadable", "null-island", "outside-world", "shape-damaged",
    "shape-unfit",
)  # fmt: skip
#: given a file's column names: those whose values may be loaded
Keep = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class FileRecord:
    """Which file was read: its name without folders, size in bytes, SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Layer:
    """One layer, read, cleaned, and reduced to the columns its role needs.

    ``frame`` is a GeoDataFrame, or a DataFrame without a geometry column for a table without
    places; rows keep the file's order and are numbered from 0. ``crs`` is None where the file
    does not say and the numbers do not tell. ``datum_hint`` is "gcj02" where the format suggests
    shifted coordinates; nothing is shifted here. ``problems`` holds warnings and notes; errors
    are raised. ``no_place``: for each row why it has no shape, a code of :data:`NO_PLACE` or ""
    where it has one; None where every row has one, or none can. ``numbers``: then also the
    number of each row as the file's owner counts.
    """

    role: Role
    name: str
    frame: pd.DataFrame | geopandas.GeoDataFrame
    crs: CRS | None
    columns: list[ColumnFound]
    dropped: list[Dropped]
    problems: list[Problem]
    file: FileRecord
    datum_hint: Literal["gcj02"] | None = None
    encoding: str = ""
    no_place: NDArray[np.object_] | None = None
    numbers: NDArray[np.int64] | None = None


@dataclass
class Raw:
    """A layer as it stands in the file: text or numbers by column, shapes as shapely objects.

    ``names`` are all columns of the file; ``columns`` only those that were loaded. ``numbers``
    are the row numbers a person would look for: the sheet's or the text file's line, or the
    feature's place counted from 1. ``unreadable``: cells of columns that were read as numbers
    already and are none.
    """

    name: str
    names: list[str]
    columns: Mapping[str, pd.Series[Any]]
    shapes: Shapes | None = None
    crs: CRS | None = None
    first_number: int = 1
    numbers: NDArray[np.int64] | None = None
    encoding: str = ""
    datum_hint: Literal["gcj02"] | None = None
    rows: int = 0
    unreadable: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def displaced(self, rows: NDArray[np.bool_] | NDArray[np.intp], why: str) -> None:
        """Note why rows have no place, where nothing is noted yet; ``why`` is of NO_PLACE."""
        told = self.extra.get("no_place")
        if told is None:
            told = self.extra["no_place"] = np.full(self.rows, "", dtype=object)
        chosen = np.zeros(self.rows, dtype=bool)
        chosen[rows] = True
        told[chosen & (told == "")] = why

    def all_numbers(self) -> NDArray[np.int64]:
        """The numbers of all rows as the file's owner counts."""
        if self.numbers is not None:
            return self.numbers
        return np.arange(self.first_number, self.first_number + self.rows, dtype=np.int64)

    def number(self, row: int) -> int:
        """The number of a row as the file's owner counts."""
        return int(self.numbers[row]) if self.numbers is not None else row + self.first_number
