"""Border segments of an exact coverage: who lies left, who lies right, what runs along.

Truth lives here for everything measured along borders. In an exact coverage two neighbours share
every vertex, so each stretch of border is one segment that occurs once in the ring of the area on
its left and once, reversed, in the ring of the area on its right. Adjacency, shared lengths,
perimeters of any dissolve, the share of a border on roads and the four bounds are sums over these
rows; no polygon is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def tally(index: IntArray, values: NDArray[Any], n: int) -> FloatArray:
    """Sum ``values`` by ``index`` into n bins, as floats whatever the input's type; shape (n,)."""
    return np.bincount(index, weights=values, minlength=n).astype(float, copy=False)


@dataclass(frozen=True)
class Segments:
    """Rows of border, all arrays of one length m, coordinates in metres.

    ``left`` is the area on the left of the way from (x1, y1) to (x2, y2); ``right`` the one on the
    other side, or -1 on the outer border. ``line`` is the index of the road, river or railway that
    the segment runs along, or -1.
    """

    left: IntArray
    right: IntArray
    x1: FloatArray
    y1: FloatArray
    x2: FloatArray
    y2: FloatArray
    line: IntArray

    @property
    def length(self) -> FloatArray:
        """Length of each segment in metres, shape (m,)."""
        return np.asarray(np.hypot(self.x2 - self.x1, self.y2 - self.y1))

    @property
    def midpoint(self) -> FloatArray:
        """Middle of each segment, shape (m, 2)."""
        return np.column_stack([(self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2])


def ring_segments(polygons: NDArray[np.object_]) -> tuple[IntArray, FloatArray]:
    """Every directed ring segment: its polygon (m,) and x1, y1, x2, y2 (m, 4).

    Rings are turned so that the polygon lies on the left. Zero-length segments are left out.
    """
    oriented = shapely.orient_polygons(polygons)
    rings, owner = shapely.get_rings(oriented, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    pairs = np.hstack([coordinates[:-1][same], coordinates[1:][same]])
    owners = owner[ring[:-1][same]]
    kept = (pairs[:, 0] != pairs[:, 2]) | (pairs[:, 1] != pairs[:, 3])
    return owners[kept].astype(np.int64), pairs[kept]


def border_segments(polygons: NDArray[np.object_]) -> Segments:
    """Pair the rings of an exact coverage into :class:`Segments`, with ``line`` still -1.

    Raises ValueError where a segment belongs to more than two rings, or twice to one side: then
    the polygons overlap and are no coverage. A gap cannot be told from the outer border here;
    compare areas for that (:func:`geo.units.coverage_defects`).
    """
    owner, ends = ring_segments(polygons)
    nodes = np.concatenate([ends[:, 0] + 1j * ends[:, 1], ends[:, 2] + 1j * ends[:, 3]])
    _, identity = np.unique(nodes, return_inverse=True)
    start, stop = identity[: len(owner)], identity[len(owner) :]
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    key = low.astype(np.int64) * (identity.max(initial=0) + 1) + high
    order = np.lexsort((stop < start, key))
    ordered = key[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(key) else order
    count = np.diff(np.r_[first, len(ordered)])
    forward = start < stop
    twin = order[np.minimum(first + 1, len(order) - 1)]
    head = order[first]
    if (count > 2).any() or (forward[head[count == 2]] == forward[twin[count == 2]]).any():
        raise ValueError("polygons overlap: a border segment belongs to two areas on one side")
    right = np.where(count == 2, owner[twin], -1)
    x1, y1, x2, y2 = ends[head].T
    return Segments(owner[head], right, x1, y1, x2, y2, np.full(len(head), -1, dtype=np.int64))


@dataclass(frozen=True)
class Edges:
    """Rook neighbours: pairs a < b that share a border of positive length.

    ``length`` is the shared border in metres, ``on_line`` the part of it that runs along a road,
    river or railway; all arrays of one length.
    """

    a: IntArray
    b: IntArray
    length: FloatArray
    on_line: FloatArray


def rook_edges(segments: Segments) -> Edges:
    """Sum inner segments to one row a pair of neighbours, ordered by (a, b)."""
    inner = (segments.right >= 0) & (segments.left != segments.right)
    a = np.minimum(segments.left, segments.right)[inner]
    b = np.maximum(segments.left, segments.right)[inner]
    length = segments.length[inner]
    width = int(b.max(initial=0)) + 1
    pair, inverse = np.unique(a * width + b, return_inverse=True)
    total = tally(inverse, length, len(pair))
    lined = tally(inverse, length * (segments.line[inner] >= 0), len(pair))
    return Edges(pair // width, pair % width, total, lined)


def outer_length(segments: Segments, n: int) -> FloatArray:
    """Border of each of n areas that it shares with no other, in metres, shape (n,)."""
    outer = segments.right < 0
    return tally(segments.left[outer], segments.length[outer], n)
