"""The search for beats: annealed moves of one grid at a time that never break a beat.

The price of a division, in beats' worth of work (the mean beat is 1):

* band: how far each beat's work lies outside the band, at ``slope`` a unit, and ``step`` at all;
* caps: residents over the cap of the beat's class, in the same way;
* even: squared distance of each beat's work from the mean;
* apart: two grids in one beat that must not be;
* moved: work that is not in its beat of today;
* travel: work times distance to the beat's centre, the grid that makes this least (p-median;
  Hakimi 1964), against the mean distance in a disc of an even share of the ground;
* border: length between beats, against the same disc's.

Centres stand still between rounds of moves and are found anew after each (Cooper's alternation,
1963). It is a heuristic: it proves nothing, ``docs/beats.md`` has the measured gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planning.graph import FloatArray, Graph, IntArray
from planning.search import _stays_whole

ENEMY = 10.0  # beats' worth of work: two grids in one beat that must not be
ROUND = 4  # tried moves a node between two searches for centres


@dataclass(frozen=True)
class Price:
    """Weights of the terms, the band and the caps (``inf`` where there is none)."""

    band: float
    cap_urban: float = np.inf
    cap_rural: float = np.inf
    slope: float = 30.0
    step: float = 0.05
    even: float = 0.0
    moved: float = 0.0
    travel: float = 0.0
    border: float = 0.0

    def row(self, k: int, area: float) -> FloatArray:
        """The kernel's parameters for k beats on ``area`` m2."""
        radius = np.sqrt(area / k / np.pi)
        return np.array(
            [
                self.band, self.slope, self.step, self.cap_urban, self.cap_rural, self.even,
                self.moved, self.travel / (2 / 3 * radius), self.border / (np.pi * radius),
            ]
        )  # fmt: skip


@njit(cache=True, inline="always")
def _own(row: FloatArray, work: float, persons: float, urban: float) -> float:
    """What one beat costs by itself."""
    off = abs(work - 1.0)
    price = row[5] * off * off
    out = off - row[0]
    if out > 1e-9:
        price += row[1] * out + row[2]
    cap = row[3] if 2.0 * urban >= persons else row[4]
    over = persons / cap - 1.0
    if over > 1e-9:
        price += 2.0 * (row[1] * over + row[2])
    return float(price)


@njit(cache=True)
def _centres(
    label: IntArray, k: int, mass: FloatArray, x: FloatArray, y: FloatArray, cx: FloatArray,
    cy: FloatArray,
) -> float:
    """Best centre of each beat among its nodes, in place; the summed travel."""
    n = len(label)
    start = np.zeros(k + 1, dtype=np.int64)
    for a in range(n):
        start[label[a] + 1] += 1
    for g in range(k):
        start[g + 1] += start[g]
    fill = start[:-1].copy()
    member = np.empty(n, dtype=np.int64)
    for a in range(n):
        member[fill[label[a]]] = a
        fill[label[a]] += 1
    total = 0.0
    for g in range(k):
        least = np.inf
        for i in range(start[g], start[g + 1]):
            c = member[i]
            away = 0.0
            for j in range(start[g], start[g + 1]):
                a = member[j]
                away += mass[a] * np.sqrt((x[a] - x[c]) ** 2 + (y[a] - y[c]) ** 2)
                if away >= least:
                    break
            if away < least:
                least = away
                cx[g], cy[g] = x[c], y[c]
        if least < np.inf:
            total += least
    return total


@njit(cache=True, nogil=True)
def _anneal(
    indptr: IntArray, indices: IntArray, length: FloatArray, work: FloatArray,
    persons: FloatArray, urban: FloatArray, mass: FloatArray, x: FloatArray, y: FloatArray,
    label: IntArray, k: int, home: IntArray, enemy_ptr: IntArray, enemy: IntArray,
    row: FloatArray, moves: int, hot: float, cold: float, seed: int,
) -> float:
    """Anneal ``label`` in place; returns the price of the best labels met, which it leaves."""
    n = len(label)
    sums = np.zeros((k, 3))
    count = np.zeros(k, dtype=np.int64)
    for a in range(n):
        g = label[a]
        count[g] += 1
        sums[g, 0] += work[a]
        sums[g, 1] += persons[a]
        sums[g, 2] += urban[a]
    cost = np.zeros(k)
    for g in range(k):
        cost[g] = _own(row, sums[g, 0], sums[g, 1], sums[g, 2])
    cx, cy = np.zeros(k), np.zeros(k)
    seen = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    best = label.copy()
    least = np.inf
    state = np.uint64(seed) * np.uint64(2862933555777941757) + np.uint64(3037000493)
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(moves, 1))
    stamp = 0
    length_round = ROUND * n
    for turn in range(moves + 1):
        if turn % length_round == 0 or turn == moves:
            travel = _centres(label, k, mass, x, y, cx, cy)
            price = row[7] * travel
            for g in range(k):
                price += cost[g]
            for a in range(n):
                if label[a] != home[a] and home[a] >= 0:
                    price += row[6] * work[a]
                for e in range(enemy_ptr[a], enemy_ptr[a + 1]):
                    if label[enemy[e]] == label[a]:
                        price += 0.5 * ENEMY
                for e in range(indptr[a], indptr[a + 1]):
                    if label[indices[e]] != label[a]:
                        price += 0.5 * row[8] * length[e]
            if price < least - 1e-12:
                least = price
                best[:] = label
            if turn == moves:
                break
        heat *= cooling
        state ^= state >> np.uint64(12)
        state ^= state << np.uint64(25)
        state ^= state >> np.uint64(27)
        draw = state * np.uint64(2685821657736338717)
        a = int((draw >> np.uint64(32)) % np.uint64(n))
        degree = indptr[a + 1] - indptr[a]
        if degree == 0:
            continue
        pick = int((draw & np.uint64(0xFFFFFFFF)) % np.uint64(degree))
        t = label[indices[indptr[a] + pick]]
        g = label[a]
        if t == g or count[g] == 1:
            continue
        new_g = _own(row, sums[g, 0] - work[a], sums[g, 1] - persons[a], sums[g, 2] - urban[a])
        new_t = _own(row, sums[t, 0] + work[a], sums[t, 1] + persons[a], sums[t, 2] + urban[a])
        rise = new_g + new_t - cost[g] - cost[t]
        if home[a] == t:
            rise -= row[6] * work[a]
        elif home[a] == g:
            rise += row[6] * work[a]
        rise += row[7] * mass[a] * (
            np.sqrt((x[a] - cx[t]) ** 2 + (y[a] - cy[t]) ** 2)
            - np.sqrt((x[a] - cx[g]) ** 2 + (y[a] - cy[g]) ** 2)
        )
        for e in range(enemy_ptr[a], enemy_ptr[a + 1]):
            if label[enemy[e]] == t:
                rise += ENEMY
            elif label[enemy[e]] == g:
                rise -= ENEMY
        if row[8] > 0.0:
            for e in range(indptr[a], indptr[a + 1]):
                if label[indices[e]] == g:
                    rise += row[8] * length[e]
                elif label[indices[e]] == t:
                    rise -= row[8] * length[e]
        if rise > 0.0:
            state ^= state >> np.uint64(12)
            state ^= state << np.uint64(25)
            state ^= state >> np.uint64(27)
            draw = state * np.uint64(2685821657736338717)
            chance = float(draw >> np.uint64(11)) * (1.0 / 9007199254740992.0)
            if chance >= np.exp(-rise / heat):
                continue
        stamp += 1
        if not _stays_whole(indptr, indices, label, a, seen, stamp, queue):
            continue
        sums[g, 0] -= work[a]
        sums[g, 1] -= persons[a]
        sums[g, 2] -= urban[a]
        sums[t, 0] += work[a]
        sums[t, 1] += persons[a]
        sums[t, 2] += urban[a]
        cost[g], cost[t] = new_g, new_t
        count[g] -= 1
        count[t] += 1
        label[a] = t
    label[:] = best
    return least


@dataclass(frozen=True)
class Area:
    """One area to divide: a connected graph whose mean beat has 1 of work.

    ``urban`` (n,) residents in urban villages; ``home`` (n,) today's label or -1; ``enemies``
    (m, 2) nodes never to share a beat.
    """

    graph: Graph
    urban: FloatArray
    home: IntArray
    enemies: IntArray

    def __len__(self) -> int:
        return len(self.graph)


def search(
    area: Area,
    label: IntArray,
    k: int,
    price: Price,
    *,
    moves: int,
    hot: float,
    cold: float,
    seed: int,
) -> tuple[IntArray, float]:
    """Better labels than ``label`` (0..k-1, every beat in one piece), and their price.

    ``moves`` tried moves while the heat falls from ``hot`` to ``cold``, in the price's unit. No
    beat is ever emptied or broken. The same arguments give the same labels.
    """
    graph, n = area.graph, len(area)
    result = label.astype(np.int64).copy()
    pair = np.concatenate([area.enemies, area.enemies[:, ::-1]])
    order = np.argsort(pair[:, 0], kind="stable")
    pointer: IntArray = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(pair[:, 0], minlength=n), out=pointer[1:])
    work = graph.households
    # nobody's ground weighs a little, so that it lies in the nearest beat
    mass = work + 1e-3 * k * graph.area / graph.area.sum()
    reached = _anneal(
        graph.indptr, graph.indices, graph.length, work, graph.persons, area.urban, mass,
        graph.x, graph.y, result, k, area.home.astype(np.int64), pointer,
        np.ascontiguousarray(pair[order, 1]), price.row(k, float(graph.area.sum())),
        moves, hot, cold, seed + 1,
    )  # fmt: skip
    return result, float(reached)


def mean_travel(
    work: FloatArray, x: FloatArray, y: FloatArray, label: IntArray, k: int
) -> tuple[float, NDArray[np.float64]]:
    """Work times metres to each beat's best centre (a grid of it), summed, and centres (k, 2)."""
    cx, cy = np.zeros(k), np.zeros(k)
    total = _centres(label.astype(np.int64), k, work.astype(float), x, y, cx, cy)
    return float(total), np.column_stack([cx, cy])
