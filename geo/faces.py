"""Faces: blocks cut along Voronoi edges into polygons that share every vertex.

Everything that can meet is known here beforehand: blocks are noded with each other, Voronoi edges
meet in Voronoi vertices, so new nodes arise only where an edge crosses its own block's border. They
are put into that border for the blocks on both sides, and the faces are walked with their ground on
the left. GEOS, which knows none of this, clips, nodes and polygonises the same lines in several
times as long (``docs/performance.md``), and says neither which block nor whose building a face is.

What is too near to tell is refused, not guessed: where a Voronoi vertex lies on a border or an edge
runs along one, :func:`faces` returns None, and the caller lets GEOS do it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import walking
from geo.segments import FloatArray, IntArray, ring_segments
from geo.voronoi import Parting

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Faces:
    """A coverage: (f,) polygons, the ``block`` of each and whose it is, -1 in undivided blocks."""

    geometry: NDArray[np.object_]
    block: IntArray
    owner: IntArray


@dataclass(frozen=True)
class _Border:
    """The blocks' borders: directed segments with the block on the left, ordered by block.

    ``ends`` (m, 4) x1, y1, x2, y2 from the corner; ``start``, ``stop`` (m,) rows of ``place``
    (n, 2), the nodes as they are written; ``line`` (m,) the segment whatever its direction;
    ``along`` whether it runs from its lower to its upper node.
    """

    block: IntArray
    ends: FloatArray
    start: IntArray
    stop: IntArray
    place: FloatArray
    line: IntArray
    along: BoolArray


def faces(blocks: NDArray[np.object_], edges: Parting) -> Faces | None:
    """Blocks cut along ``edges``; None where something lies too near to something else to tell.

    ``blocks`` (b,) polygons, an exact coverage in metres. Faces are ordered by block and keep every
    vertex of it; a border gains a vertex, on both sides, where an edge ends on it.
    """
    corner = np.round(shapely.bounds(blocks)[:, :2].min(axis=0))
    border = _border(blocks, corner)
    vertex = edges.vertex - corner
    edge, along_edge, row, along_row, inside = walking.meetings(
        border.ends, _bounds_of(border.block, len(blocks)), edges.start, edges.stop,
        _bounds_of(edges.block, len(blocks)), vertex,
    )  # fmt: skip
    if not len(inside):
        return None
    new, node_of = _new_nodes(border, row, along_row)
    place = np.concatenate([border.place, new, edges.vertex])
    order = np.lexsort((along_edge, edge))
    where, a, b = walking.stretches(
        edges.start, edges.stop, inside, edge[order], node_of[order], len(place) - len(vertex)
    )
    block, start, stop, owner = _halves(border, row, along_row, node_of, edges, where, a, b)
    follower = _followers(block, start, stop, place - corner)
    if follower is None:
        return None
    return _polygons(block, start, owner, follower, place, corner)


def _bounds_of(number: IntArray, n: int) -> IntArray:
    """Where the rows of each of n numbers begin in an ordered column, shape (n + 1,)."""
    return np.searchsorted(number, np.arange(n + 1)).astype(np.int64)


def _border(blocks: NDArray[np.object_], corner: FloatArray) -> _Border:
    block, ends = ring_segments(blocks)
    places = np.concatenate([ends[:, 0] + 1j * ends[:, 1], ends[:, 2] + 1j * ends[:, 3]])
    known, identity = np.unique(places, return_inverse=True)
    start, stop = identity[: len(block)], identity[len(block) :]
    key = np.minimum(start, stop) * len(known) + np.maximum(start, stop)
    line = np.unique(key, return_inverse=True)[1]
    return _Border(
        block, ends - np.tile(corner, 2), start, stop,
        np.column_stack([known.real, known.imag]), line, start < stop,
    )  # fmt: skip


def _new_nodes(
    border: _Border, row: IntArray, along_row: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Places (c, 2) of the nodes that meetings add to the border, and the node of each meeting.

    A meeting within :data:`~geo.walking.NEAR_M` of a node, or of another on the same segment, is
    the same node.
    """
    up = border.along[row]
    low = np.where(up, border.start[row], border.stop[row])
    high = np.where(up, border.stop[row], border.start[row])
    share = np.where(up, along_row, 1.0 - along_row)
    way = border.place[high] - border.place[low]
    length = np.hypot(way[:, 0], way[:, 1])
    node_of = np.full(len(row), -1, dtype=np.int64)
    near_low, near_high = share * length < walking.NEAR_M, (1 - share) * length < walking.NEAR_M
    node_of[near_high] = high[near_high]
    node_of[near_low] = low[near_low]
    free = np.flatnonzero(node_of < 0)
    free = free[np.lexsort((share[free], border.line[row[free]]))]
    line, gap = border.line[row[free]], np.diff(share[free]) * length[free[1:]]
    apart = np.r_[True, (line[1:] != line[:-1]) | (gap >= walking.NEAR_M)][: len(free)]
    node_of[free] = len(border.place) + np.cumsum(apart) - 1
    lead = free[apart]
    return border.place[low[lead]] + share[lead, None] * way[lead], node_of


def _halves(
    border: _Border,
    row: IntArray,
    along_row: FloatArray,
    node_of: IntArray,
    edges: Parting,
    where: IntArray,
    a: IntArray,
    b: IntArray,
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Directed stretches between nodes, each the border of the one face on its left, ordered.

    Block, start and stop node of each, and the owner of the face where an edge tells it, else -1.
    ``where`` the edge of each stretch from node ``a`` to ``b`` inside its block.
    """
    added = node_of >= len(border.place)
    line, share = border.line[row], np.where(border.along[row], along_row, 1.0 - along_row)
    pair, first = np.unique(node_of[added], return_index=True)
    at = np.flatnonzero(added)[first]
    order = np.lexsort((share[at], line[at]))
    ring_row, ring_start, ring_stop = walking.with_nodes(
        border.start, border.stop, border.line, border.along,
        _bounds_of(line[at][order], int(border.line.max()) + 1), pair[order],
    )  # fmt: skip
    block = np.concatenate([border.block[ring_row], edges.block[where], edges.block[where]])
    start = np.concatenate([ring_start, a, b])
    stop = np.concatenate([ring_stop, b, a])
    unknown = np.full(len(ring_row), -1, dtype=np.int64)
    owner = np.concatenate([unknown, edges.left[where], edges.right[where]])
    order = np.lexsort((stop, start, block))
    return block[order], start[order], stop[order], owner[order]


def _followers(
    block: IntArray, start: IntArray, stop: IntArray, node: FloatArray
) -> IntArray | None:
    """The stretch that follows each around the face on its left; None where that is not plain."""
    width = len(node)
    key = block * width + start
    first = np.searchsorted(key, block * width + stop, side="left")
    last = np.searchsorted(key, block * width + stop, side="right")
    if (first == last).any():
        return None
    follower = walking.followers(start, stop, first, last, node)
    return None if (follower < 0).any() else follower


def _polygons(
    block: IntArray,
    start: IntArray,
    owner: IntArray,
    follower: IntArray,
    place: FloatArray,
    corner: FloatArray,
) -> Faces | None:
    """The faces that the stretches go around, holes given to the shell around them."""
    around, bounds, whose = walking.rings(start, owner, follower, len(place))
    if not len(bounds) or np.diff(bounds).min() < 3:
        return None
    node = place - corner
    lead = around[bounds[:-1]]
    area = walking.areas(start[around], bounds, node)
    if (area == 0.0).any():
        return None
    shell = walking.shells(block[lead], area, start[around], bounds, node)
    if (shell < 0).any():
        return None
    belongs = whose.copy()
    np.maximum.at(belongs, shell, whose)
    if ((whose >= 0) & (whose != belongs[shell])).any():
        return None
    ring = np.repeat(np.arange(len(area)), np.diff(bounds))
    lines = shapely.linearrings(place[start[around]], indices=ring)
    order = np.lexsort((-area, shell))  # a shell before its holes
    outer, number = np.unique(shell[order], return_inverse=True)
    geometry = shapely.polygons(lines[order], indices=number)
    return Faces(np.asarray(geometry), block[lead][outer], belongs[outer])
