"""Two starts for the local search: least border (METIS) and least walking (a power diagram).

Neither is good at both: METIS (Karypis and Kumar 1998) balances along short borders but stretches
grids over empty country; a centroidal power diagram (balanced k-means, after Cohen-Addad, Klein
and Young 2018) keeps households near their centre but ignores the lines. The search decides which
start served a village better.
"""

from __future__ import annotations

import numpy as np
import pymetis
from numba import njit
from numpy.typing import NDArray

from planning.graph import Graph

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LINE_SHARE = 0.2  # what a metre of border along a line costs, against a metre through ground
ROUNDS = 60  # balancing rounds; the imbalance left is the search's business


def metis_start(graph: Graph, k: int, seed: int) -> IntArray:
    """Contiguous k-way partition of a connected graph, shape (n,), every label used.

    Edge weight is border length, a metre along a line counting :data:`LINE_SHARE`; node weight is
    households, and a little for empty ground. Graphs that METIS cannot halve
    (:func:`_beyond_metis`) get a power diagram around their heaviest nodes.
    """
    if k <= 1:
        return np.zeros(len(graph), dtype=np.int64)
    mass = (np.round(graph.households) * 16 + 1).astype(np.int64)
    if _beyond_metis(mass, k):
        heaviest = np.argsort(-graph.households, kind="stable")[:k]
        return power_start(graph, k, np.column_stack([graph.x, graph.y])[heaviest])
    cost = graph.off_line + LINE_SHARE * (graph.length - graph.off_line)
    weight = np.maximum(1, np.round(cost * 10)).astype(np.int64)
    adjacency = pymetis.CSRAdjacency(graph.indptr.astype(np.int32), graph.indices.astype(np.int32))
    options = pymetis.Options(contig=True, seed=seed & 0x7FFFFFFF, ncuts=4)
    _, label = pymetis.part_graph(
        k,
        adjacency=adjacency,
        vweights=mass,
        eweights=weight,
        options=options,
    )
    return repair(graph, np.asarray(label, dtype=np.int64), k)


def _beyond_metis(mass: IntArray, k: int) -> bool:
    """Would METIS fail, and say so on standard output?

    It coarsens graphs of fewer than 3 k nodes below k. It also halves the nodes and the number of
    grids together while there are more than three of them: a node as heavy as more than two grids
    (one high-rise alone in its grid) fills a half by itself, and the other part of that half is an
    empty graph.
    """
    return len(mass) < 3 * k or (k > 3 and bool(mass.max() * k > 2 * mass.sum()))


def power_start(
    graph: Graph, k: int, centres: FloatArray, rounds: int = ROUNDS
) -> IntArray:
    """Balanced centroidal power diagram from (k, 2) starting centres, made contiguous.

    A node goes to the centre with the least squared distance minus weight; weights rise where a
    grid is short of households, centres move to their households' mean.
    """
    if k <= 1:
        return np.zeros(len(graph), dtype=np.int64)
    place = np.column_stack([graph.x, graph.y])
    mass = graph.households if graph.households.any() else graph.area
    mass = mass + mass.sum() * 1e-6 / len(graph)
    best = _diagram(place, mass, np.ascontiguousarray(centres, dtype=np.float64), rounds)
    return repair(graph, best, k)


@njit(cache=True, nogil=True)
def _diagram(place: FloatArray, mass: FloatArray, centres: FloatArray, rounds: int) -> IntArray:
    """The most even labels of all rounds. Compiled: micro-grids ask it ten times a grid, on graphs
    so small that calling NumPy cost four times as much as the arithmetic."""
    n, k = len(place), len(centres)
    total = mass.sum()
    ideal = total / k
    power = np.zeros(k)
    label, best = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    best_worst = np.inf
    held, reach, sum_x, sum_y = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    for turn in range(rounds):
        held[:] = 0.0
        reach[:] = 0.0
        sum_x[:] = 0.0
        sum_y[:] = 0.0
        for a in range(n):
            x, y = place[a, 0], place[a, 1]
            least, near, gap = np.inf, 0, 0.0
            for g in range(k):
                dx, dy = x - centres[g, 0], y - centres[g, 1]
                square = dx * dx + dy * dy
                if square - power[g] < least:
                    least, near, gap = square - power[g], g, square
            label[a] = near
            held[near] += mass[a]
            reach[near] += mass[a] * gap
            sum_x[near] += mass[a] * x
            sum_y[near] += mass[a] * y
        worst = 0.0
        for g in range(k):
            worst = max(worst, abs(held[g] / ideal - 1.0))
        if worst < best_worst:
            best_worst = worst
            best[:] = label
        spread = reach.sum() / total
        for g in range(k):
            scale = spread + (reach[g] / held[g] if held[g] > 0 else 0.0)
            short = min(max(1.0 - held[g] / ideal, -1.0), 1.0)
            power[g] += (1.0 - 0.7 * turn / rounds) * scale * short
            if held[g] > 0 and turn < rounds * 3 // 4:
                centres[g, 0] = sum_x[g] / held[g]
                centres[g, 1] = sum_y[g] / held[g]
    return best


def centres_of(graph: Graph, label: IntArray, k: int) -> FloatArray:
    """Mean place of each grid's households (of its ground, where nobody lives), shape (k, 2)."""
    held = np.bincount(label, weights=graph.households, minlength=k)
    mass = np.where(held[label] > 0, graph.households, graph.area)
    total = np.bincount(label, weights=mass, minlength=k)
    return np.column_stack(
        [
            np.bincount(label, weights=mass * axis, minlength=k) / total
            for axis in (graph.x, graph.y)
        ]
    )


@njit(cache=True, nogil=True)
def _flood(indptr: IntArray, indices: IntArray, label: IntArray) -> IntArray:
    """Number the pieces by breadth first, in the order of their lowest nodes."""
    n = len(label)
    piece = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    number = 0
    for first in range(n):
        if piece[first] >= 0:
            continue
        piece[first] = number
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            here = queue[head]
            head += 1
            for e in range(indptr[here], indptr[here + 1]):
                other = indices[e]
                if piece[other] < 0 and label[other] == label[here]:
                    piece[other] = number
                    queue[tail] = other
                    tail += 1
        number += 1
    return piece


def pieces(graph: Graph, label: IntArray) -> IntArray:
    """Number of the connected piece (same label, joined by borders) of each node, shape (n,)."""
    # asked thousands of times on small graphs, where a sparse matrix costs more than the search
    return np.asarray(_flood(graph.indptr, graph.indices, label.astype(np.int64)))


def repair(graph: Graph, label: IntArray, k: int) -> IntArray:
    """Labels in which each of k grids is one piece: strays go to a neighbour, empties are seeded.

    The graph must be connected and k at most its number of nodes.
    """
    label = _gather(graph, label)
    for empty in np.flatnonzero(np.bincount(label, minlength=k) == 0):
        label = _seed_grid(graph, label, int(empty))
    return label


def _gather(graph: Graph, label: IntArray) -> IntArray:
    """Keep each label's heaviest piece; give the others to the neighbour with most border."""
    weight = graph.households + 1e-9 * graph.area
    return np.asarray(
        _gathered(graph.indptr, graph.indices, graph.length, weight, label.astype(np.int64))
    )


@njit(cache=True, nogil=True)
def _gathered(
    indptr: IntArray, indices: IntArray, length: FloatArray, weight: FloatArray, label: IntArray
) -> IntArray:
    """As :func:`_gather`. Compiled: micro-grids ask it ten times a grid, on graphs so small that
    calling NumPy cost ten times as much as the arithmetic."""
    n, grids = len(label), label.max() + 1
    while True:
        piece = _flood(indptr, indices, label)
        count = piece.max() + 1
        held = np.zeros(count)
        owner = np.zeros(count, dtype=np.int64)
        for a in range(n):
            held[piece[a]] += weight[a]
            owner[piece[a]] = label[a]
        main = np.full(grids, -1, dtype=np.int64)  # the first of the heaviest
        for p in range(count):
            if main[owner[p]] < 0 or held[p] > held[main[owner[p]]]:
                main[owner[p]] = p
        # pieces are few, and a stray's borders are summed in one row of this table
        shared = np.full((count, grids), -1.0)
        strays = 0
        for p in range(count):
            strays += main[owner[p]] != p
        if strays == 0:
            return label
        for a in range(n):
            p = piece[a]
            if main[owner[p]] == p:
                continue
            for e in range(indptr[a], indptr[a + 1]):
                other = piece[indices[e]]
                if main[owner[other]] == other:
                    g = owner[other]
                    shared[p, g] = max(shared[p, g], 0.0) + length[e]
        for p in range(count):
            if main[owner[p]] != p:
                near = shared[p].argmax()
                if shared[p, near] >= 0.0:  # else amid strays, and its turn comes
                    owner[p] = near
        for a in range(n):
            label[a] = owner[piece[a]]


def _seed_grid(graph: Graph, label: IntArray, empty: int) -> IntArray:
    """Give an empty grid one node of the largest grid that can lose it without breaking."""
    label = label.copy()
    sizes = np.bincount(label)
    for host in np.argsort(-np.bincount(label, weights=graph.households), kind="stable"):
        if sizes[host] < 2:
            continue
        members = np.flatnonzero(label == host)
        for node in members[np.argsort(-graph.households[members], kind="stable")]:
            label[node] = empty
            rest = pieces(graph, label)[members[members != node]]
            if (rest == rest[0]).all():
                return label
            label[node] = host
    raise ValueError("more grids than nodes")
