"""Voronoi edges between buildings, of all blocks of a village in one diagram.

A block's cells depend on its own buildings alone. One diagram a block would call Qhull thirty
times a village for some fifteen points each, and the calls would cost more than the geometry; so
the blocks are scaled to one size and laid out on a chessboard, so far apart that no building
reaches into the square of another block, and one call does them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from geo.segments import FloatArray, IntArray

_PITCH = 4.0  # squares of size 1 stand so far apart: another block's nearest building is >= 3 away
_SMALLEST_M = 1e-3  # blocks are scaled to 1; a single place has no size


@dataclass(frozen=True)
class Parting:
    """Voronoi edges between two owners within one block, ordered by block.

    ``block`` (e,) the block of each; ``start``, ``stop`` (e,) its ends, rows of ``vertex`` (v, 2),
    metres; ``left``, ``right`` (e,) the owner on either side of the way from start to stop. Edges
    are not clipped: they reach past the block's border, and no vertex belongs to two blocks.
    """

    block: IntArray
    start: IntArray
    stop: IntArray
    vertex: FloatArray
    left: IntArray
    right: IntArray

    def __len__(self) -> int:
        return len(self.block)


def parting(
    blocks: NDArray[np.object_], block_of: IntArray, sites: FloatArray, owner: IntArray
) -> Parting:
    """The edges that part the owners of each block's sites.

    ``block_of`` (s,) the block of each of the (s, 2) ``sites``, metres, all different; ``owner``
    (s,) what each belongs to: between two sites of one owner there is no edge.
    """
    rows = _of_parted_blocks(block_of, owner)
    if not len(rows):
        none = np.empty(0, dtype=np.int64)
        return Parting(none, none, none, np.empty((0, 2)), none, none)
    hosts, square = np.unique(block_of[rows], return_inverse=True)
    low, size = _frames(blocks[hosts], square, sites[rows])
    side = int(np.ceil(np.sqrt(len(hosts))))
    corner = _PITCH * np.column_stack([np.arange(len(hosts)) % side, np.arange(len(hosts)) // side])
    board = (sites[rows] - low[square]) / size[square, None] + corner[square]
    span = _PITCH * side
    guards = np.array([[-1.0, -1.0], [2.0, -1.0], [2.0, 2.0], [-1.0, 2.0]]) * span
    diagram = Voronoi(np.vstack([board, guards]))  # guards close every cell: no edge is endless
    a, b = diagram.ridge_points.T.astype(np.int64)
    ends = np.asarray(diagram.ridge_vertices, dtype=np.int64)
    inner = np.flatnonzero((a < len(rows)) & (b < len(rows)))
    same = square[a[inner]] == square[b[inner]]
    inner = inner[same & (owner[rows[a[inner]]] != owner[rows[b[inner]]])]
    inner = inner[np.argsort(square[a[inner]], kind="stable")]
    a, b, ends, home = a[inner], b[inner], ends[inner], square[a[inner]]
    # a vertex between squares serves two blocks: each gets its own
    width = len(diagram.vertices)
    known, row = np.unique(home[:, None] * width + ends, return_inverse=True)
    start, stop = np.ascontiguousarray(row.reshape(-1, 2).T)
    place = known // width
    vertex = (diagram.vertices[known % width] - corner[place]) * size[place, None] + low[place]
    way = vertex[stop] - vertex[start]
    away = sites[rows[a]] - vertex[start]
    first = way[:, 0] * away[:, 1] - way[:, 1] * away[:, 0] > 0
    of_a, of_b = owner[rows[a]], owner[rows[b]]
    return Parting(
        hosts[home], start, stop, vertex,
        np.where(first, of_a, of_b), np.where(first, of_b, of_a),
    )  # fmt: skip


def _of_parted_blocks(block_of: IntArray, owner: IntArray) -> IntArray:
    """The sites of blocks in which at least two owners have one, ordered by block."""
    order = np.lexsort((np.arange(len(owner)), block_of))
    if not len(order):
        return order
    block, own = block_of[order], owner[order]
    first = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    several = np.minimum.reduceat(own, first) < np.maximum.reduceat(own, first)
    return order[np.repeat(several, np.diff(np.r_[first, len(order)]))]


def _frames(
    blocks: NDArray[np.object_], square: IntArray, sites: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Lower corner (b, 2) and size (b,) of the square that holds each block and its sites."""
    bounds = shapely.bounds(blocks)
    low, high = bounds[:, :2].copy(), bounds[:, 2:].copy()
    np.minimum.at(low, square, sites)  # a building may stand a little outside its block
    np.maximum.at(high, square, sites)
    return low, np.maximum((high - low).max(axis=1), _SMALLEST_M)
