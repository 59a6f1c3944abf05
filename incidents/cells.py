"""Cells: the aligned squares events are counted in, the same squares every month.

A cell's corner is a multiple of its size in the metric coordinate system, wherever the area
begins. So the same place is the same cell in every period and every extract, and two maps of
neighbouring areas share their cells. Arrays are (ny, nx), row 0 in the south, column 0 in the west.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from incidents.outline import multipolygon
from incidents.steps import Steps, one_after_another

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CELL_M = 200.0
MOST_CELLS = 4_000_000  # a stray event at (0, 0) must not ask for a grid around the globe


@dataclass(frozen=True, eq=False)
class Cells:
    """Square cells over an area.

    Attributes
    ----------
    size : side of a cell, metres.
    x0, y0 : south-west corner of cell (0, 0), metres, multiples of ``size``.
    share : (ny, nx) share of each cell's ground that lies in the area, 0 to 1. What is counted,
        tested and drawn are the cells with a share above 0 (``inside``).
    """

    size: float
    x0: float
    y0: float
    share: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return self.share.shape[0], self.share.shape[1]

    @property
    def inside(self) -> BoolArray:
        """(ny, nx) whether any of the cell's ground lies in the area."""
        return self.share > 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(min x, min y, max x, max y) of all cells, metres."""
        ny, nx = self.shape
        return self.x0, self.y0, self.x0 + nx * self.size, self.y0 + ny * self.size

    @property
    def cell_km2(self) -> float:
        """Ground of a whole cell, km²."""
        return self.size**2 / 1e6

    def centres(self) -> FloatArray:
        """(cells inside, 2) x and y of the middles, metres, in the order of ``array[inside]``."""
        rows, columns = np.nonzero(self.inside)
        x = self.x0 + (columns + 0.5) * self.size
        return np.column_stack([x, self.y0 + (rows + 0.5) * self.size])

    def polygons(self, where: BoolArray | None = None) -> NDArray[np.object_]:
        """Squares in the order of ``array[inside]``, not clipped to the area; with ``where``
        (ny, nx) only those of these cells, in the order of ``array[where]``."""
        rows, columns = np.nonzero(self.inside if where is None else where)
        west, south = self.x0 + columns * self.size, self.y0 + rows * self.size
        return np.asarray(shapely.box(west, south, west + self.size, south + self.size))

    def outline(self, where: BoolArray) -> BaseGeometry:
        """The ground of some cells (ny, nx) as one MultiPolygon; a corner where it turns."""
        return multipolygon(where, self.x0, self.y0, self.size)

    def names(self) -> NDArray[np.str_]:
        """(cells inside,) a name that never changes: ``E<km>N<km>``-like corner in whole sizes.

        Built from the corner's coordinates in units of the size, so it is the same in every run
        with the same size and coordinate system.
        """
        rows, columns = np.nonzero(self.inside)
        east = round(self.x0 / self.size) + columns
        north = round(self.y0 / self.size) + rows
        return np.array([f"{e}-{n}" for e, n in zip(east, north, strict=True)], dtype=np.str_)


def cover(
    area: BaseGeometry, size: float = CELL_M, *, steps: Steps = one_after_another
) -> Cells:
    """The cells over an area (Polygon or MultiPolygon in a metric coordinate system).

    ``steps`` does the area's parts, one a piece (stage "cells").

    Raises
    ------
    ValueError
        When the size is not a positive number, the area is empty or has no finite bounds, or more
        than four million cells were needed: then a coordinate is far out, the size is in the
        wrong unit, or the area is in degrees.
    """
    if not (math.isfinite(size) and size > 0):
        raise ValueError(f"a cell's size must be a positive number of metres, not {size}")
    if area.is_empty:
        raise ValueError("the area is empty: there is nothing to cover with cells")
    if not area.area > 0:
        raise ValueError("the area has no ground: give polygons, not points or lines")
    west, south, east, north = area.bounds
    first = math.floor(west / size), math.floor(south / size)
    nx, ny = math.ceil(east / size) - first[0], math.ceil(north / size) - first[1]
    if nx * ny > MOST_CELLS:
        raise ValueError(
            f"{nx} x {ny} cells of {size:g} m are needed, more than {MOST_CELLS}: "
            "choose larger cells, or look for a place far outside"
        )
    x0, y0 = first[0] * size, first[1] * size
    return Cells(size, x0, y0, _share(area, size, x0, y0, ny, nx, steps))


def _share(
    area: BaseGeometry, size: float, x0: float, y0: float, ny: int, nx: int, steps: Steps
) -> FloatArray:
    """(ny, nx) share of each cell in the area; only cells the border crosses are intersected."""
    # part by part: a city's counties are one area, and each cell meets a few of its parts only
    parts = [part for part in shapely.get_parts(area) if not part.is_empty]

    def window(part: BaseGeometry) -> tuple[IntArray, IntArray]:
        """Rows and columns of the cells that the part may meet."""
        west, south, east, north = part.bounds
        left = max(math.floor((west - x0) / size) - 1, 0)
        low = max(math.floor((south - y0) / size) - 1, 0)
        columns = np.arange(left, min(math.ceil((east - x0) / size) + 1, nx))
        return np.arange(low, min(math.ceil((north - y0) / size) + 1, ny)), columns

    def piece(number: int) -> FloatArray:
        part = parts[number]
        rows, columns = window(part)
        corner_x = np.tile(x0 + columns * size, len(rows))
        corner_y = np.repeat(y0 + rows * size, len(columns))
        boxes = shapely.box(corner_x, corner_y, corner_x + size, corner_y + size)
        shapely.prepare(part)
        whole = shapely.covers(part, boxes)
        own = whole.astype(np.float64)
        crossed = np.flatnonzero(~whole & shapely.intersects(part, boxes))
        own[crossed] = shapely.area(shapely.intersection(boxes[crossed], part)) / size**2
        return np.asarray(own.reshape(len(rows), len(columns)))

    share = np.zeros((ny, nx))
    for part, own in zip(parts, steps("cells", len(parts), piece), strict=True):
        share[np.ix_(*window(part))] += own
    return np.asarray(np.clip(share, 0.0, 1.0))


def rectangle(ny: int, nx: int, size: float = CELL_M, x0: float = 0.0, y0: float = 0.0) -> Cells:
    """A whole rectangle of cells; the corner is moved down to a multiple of the size."""
    corner = math.floor(x0 / size) * size, math.floor(y0 / size) * size
    return Cells(size, *corner, np.ones((ny, nx)))


def locate(cells: Cells, x: ArrayLike, y: ArrayLike) -> IntArray:
    """(n,) the flat number ``row * nx + column`` of each place's cell, -1 where it has none.

    A place on a cell's west or south side belongs to that cell. A place without coordinates, or
    in a cell wholly outside the area, has none.
    """
    ny, nx = cells.shape
    east = np.asarray(x, dtype=np.float64)
    north = np.asarray(y, dtype=np.float64)
    known = np.isfinite(east) & np.isfinite(north)
    column = np.floor(np.where(known, east, -np.inf) / cells.size) - round(cells.x0 / cells.size)
    row = np.floor(np.where(known, north, -np.inf) / cells.size) - round(cells.y0 / cells.size)
    held = known & (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    flat = np.full(east.shape, -1, dtype=np.int64)
    flat[held] = row[held].astype(np.int64) * nx + column[held].astype(np.int64)
    outside = held.copy()
    outside[held] = ~cells.inside.ravel()[flat[held]]
    flat[outside] = -1
    return flat


def count(cells: Cells, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> FloatArray:
    """(ny, nx) events in each cell, or the sum of their weights; 0 outside the area.

    Events without a cell (:func:`locate` gives -1) are not counted: ``len(x) - count.sum()`` are
    missing, and a map must say so. Raises ValueError when lengths differ.
    """
    flat = locate(cells, x, y)
    held = flat >= 0
    each = None
    if weights is not None:
        each = np.asarray(weights, dtype=np.float64)
        if each.shape != flat.shape:
            raise ValueError(f"{each.size} weights for {flat.size} events")
        each = each[held]
    ny, nx = cells.shape
    return np.bincount(flat[held], each, ny * nx).astype(np.float64).reshape(ny, nx)
