"""Pieces of a village that do not touch: who gets grids, and what is tied to whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planning.graph import FloatArray, Graph, IntArray
from planning.start import pieces


def apportion(
    households: FloatArray, nodes: FloatArray, number: int, *, fixed: bool = False
) -> IntArray:
    """Share ``number`` grids among pieces by households (largest remainder), at least 0 each.

    No piece gets more grids than it has nodes; a piece that gets none is tied to another. At least
    one piece gets one. What a piece cannot hold of its share is dropped, since one tower of 900
    households asks no more grids of its neighbours, unless the number is ``fixed`` by a planner.
    """
    total = households.sum()
    quota = number * households / total if total > 0 else np.zeros(len(households))
    shares = np.floor(quota).astype(np.int64)
    order = np.argsort(-(quota - shares), kind="stable")
    shares[order[: max(0, number - int(shares.sum()))]] += 1
    shares[(quota < 0.5)] = 0
    largest = int(np.lexsort((nodes, households))[-1])
    shares[largest] += max(0, number - int(shares.sum()))
    shares = np.minimum(shares, nodes.astype(np.int64))
    while fixed and shares.sum() < min(number, nodes.sum()):
        room = np.where(shares < nodes, households / (shares + 1), -1.0)
        shares[int(room.argmax())] += 1
    return shares


def _link(graph: Graph, a: IntArray, b: IntArray) -> Graph:
    """The graph with borders of length 0 between nodes that do not touch."""
    source = np.concatenate([graph.source, a, b])
    target = np.concatenate([graph.indices, b, a])
    order = np.lexsort((target, source))
    indptr = np.zeros(len(graph) + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=len(graph)), out=indptr[1:])
    zeros = np.zeros(2 * len(a))
    return replace(
        graph,
        indptr=indptr,
        indices=target[order],
        length=np.concatenate([graph.length, zeros])[order],
        off_line=np.concatenate([graph.off_line, zeros])[order],
    )


def tie(graph: Graph) -> Graph:
    """Tie every uninhabited piece to the nearest node of an inhabited one (a reef, a sandbank)."""
    piece = pieces(graph, np.zeros(len(graph), dtype=np.int64))
    held = np.bincount(piece, weights=graph.households)
    if len(held) == 1:
        return graph
    if not (held > 0).any():
        held[np.bincount(piece, weights=graph.area).argmax()] = 1
    return _tie_to_nearest(graph, piece, held > 0)


def _tie_to_nearest(graph: Graph, piece: IntArray, keeps: NDArray[np.bool_]) -> Graph:
    """Tie each piece that does not keep itself to the nearest node of one that does."""
    place = np.column_stack([graph.x, graph.y])
    hosts = np.flatnonzero(keeps[piece])
    tree = cKDTree(place[hosts])
    a, b = [], []
    for small in np.flatnonzero(~keeps):
        members = np.flatnonzero(piece == small)
        distance, near = tree.query(place[members])
        best = int(np.argmin(distance))
        a.append(members[best])
        b.append(hosts[near[best]])
    return _link(graph, np.array(a, dtype=np.int64), np.array(b, dtype=np.int64))


def tie_small(
    graph: Graph, piece: IntArray, shares: IntArray
) -> tuple[Graph, IntArray, IntArray]:
    """Tie the pieces that get no grid of their own to the nearest that does."""
    if (shares > 0).all():
        return graph, piece, shares
    tied = _tie_to_nearest(graph, piece, shares > 0)
    new = pieces(tied, np.zeros(len(graph), dtype=np.int64))
    merged = np.zeros(int(new.max()) + 1, dtype=np.int64)
    first = np.unique(piece, return_index=True)[1]
    np.add.at(merged, new[first], shares)
    return tied, new, merged
