"""The search for beats: annealed moves of one or two grids that never break a beat.

Two at a time, because in a narrow band one grid more is too much, but one for another may do.

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
from planning.search import _stays_whole, next_state

GraphArrays = tuple[
    IntArray, IntArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray,
    FloatArray,
]  # fmt: skip
ENEMY = 10.0  # beats' worth of work: two grids in one beat that must not be
FIRST_SLOPE = 0.05  # of the band's slope, at the start
ROUND = 4  # tried moves a node between two searches for centres


@dataclass(frozen=True)
class Price:
    """Weights of the terms, the band and the caps (``inf`` where there is none)."""

    band: float
    cap_urban: float = np.inf
    cap_rural: float = np.inf
    slope: float = 30.0
    step: float = 0.5
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


@njit(cache=True)
def _shift(
    indptr: IntArray, indices: IntArray, length: FloatArray, work: FloatArray, mass: FloatArray,
    x: FloatArray, y: FloatArray, cx: FloatArray, cy: FloatArray, label: IntArray,
    home: IntArray, enemy_ptr: IntArray, enemy: IntArray, row: FloatArray, a: int, t: int,
) -> float:
    """What node a's going to beat t adds to moved work, travel, border and enemies."""
    g = label[a]
    rise = 0.0
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
    return float(rise)


@njit(cache=True)
def _price(
    indptr: IntArray, indices: IntArray, length: FloatArray, work: FloatArray, label: IntArray,
    k: int, home: IntArray, enemy_ptr: IntArray, enemy: IntArray, row: FloatArray,
    sums: FloatArray, travel: float,
) -> float:
    """The whole price of a division whose beats' sums and travel are known."""
    price = row[7] * travel
    for g in range(k):
        price += _own(row, sums[g, 0], sums[g, 1], sums[g, 2])
    for a in range(len(label)):
        if label[a] != home[a] and home[a] >= 0:
            price += row[6] * work[a]
        for e in range(enemy_ptr[a], enemy_ptr[a + 1]):
            if label[enemy[e]] == label[a]:
                price += 0.5 * ENEMY
        for e in range(indptr[a], indptr[a + 1]):
            if label[indices[e]] != label[a]:
                price += 0.5 * row[8] * length[e]
    return float(price)


@njit(cache=True, inline="always")
def _below(state: np.uint64, n: int) -> int:
    return int(((state * np.uint64(2685821657736338717)) >> np.uint64(32)) % np.uint64(n))


@njit(cache=True, nogil=True)
def _anneal(
    indptr: IntArray, indices: IntArray, length: FloatArray, work: FloatArray,
    persons: FloatArray, urban: FloatArray, mass: FloatArray, x: FloatArray, y: FloatArray,
    label: IntArray, k: int, home: IntArray, enemy_ptr: IntArray, enemy: IntArray,
    row: FloatArray, first: float, moves: int, hot: float, cold: float, seed: int,
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
    cx, cy = np.zeros(k), np.zeros(k)
    seen = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    best = label.copy()
    least = np.inf
    state = next_state(np.uint64(seed) * np.uint64(2862933555777941757) + np.uint64(3037000493))
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(moves, 1))
    stamp = 0
    now = row.copy()
    for turn in range(moves + 1):
        if turn % (ROUND * n) == 0 or turn == moves:
            travel = _centres(label, k, mass, x, y, cx, cy)
            price = _price(
                indptr, indices, length, work, label, k, home, enemy_ptr, enemy, row, sums, travel
            )
            if price < least - 1e-12:
                least = price
                best[:] = label
            if turn == moves:
                break
            # the band closes slowly: through a wide one, work still finds its way across beats
            closed = min(1.0, first + 1.25 * turn / moves)
            now[1], now[2] = row[1] * closed, row[2] * closed * closed
            for g in range(k):
                cost[g] = _own(now, sums[g, 0], sums[g, 1], sums[g, 2])
        heat *= cooling
        state = next_state(state)
        a = _below(state, n)
        degree = indptr[a + 1] - indptr[a]
        if degree == 0:
            continue
        state = next_state(state)
        d = indices[indptr[a] + _below(state, degree)]
        t = label[d]
        g = label[a]
        if t == g or count[g] == 1:
            continue
        # every other move is a chain: a pushes b, a grid of t near by, into a third beat or back
        state = next_state(state)
        b, u = -1, -1
        if _below(state, 2) == 0 and count[t] > 1:
            b = d
            for _ in range(3):
                state = next_state(state)
                c = indices[indptr[b] + _below(state, indptr[b + 1] - indptr[b])]
                if label[c] == t:
                    b = c
            state = next_state(state)
            c = indices[indptr[b] + _below(state, indptr[b + 1] - indptr[b])]
            u = label[c]
            if u == t or c == a:
                continue
        rise = _shift(
            indptr, indices, length, work, mass, x, y, cx, cy, label, home, enemy_ptr, enemy,
            now, a, t,
        )
        wa, pa, ua = work[a], persons[a], urban[a]
        if b < 0:
            new_g = _own(now, sums[g, 0] - wa, sums[g, 1] - pa, sums[g, 2] - ua)
            new_t = _own(now, sums[t, 0] + wa, sums[t, 1] + pa, sums[t, 2] + ua)
            new_u = 0.0
            rise += new_g + new_t - cost[g] - cost[t]
        else:
            label[a] = t  # for the border between the two
            rise += _shift(
                indptr, indices, length, work, mass, x, y, cx, cy, label, home, enemy_ptr, enemy,
                now, b, u,
            )
            label[a] = g
            wb, pb, ub = work[b], persons[b], urban[b]
            new_t = _own(
                now, sums[t, 0] + wa - wb, sums[t, 1] + pa - pb, sums[t, 2] + ua - ub
            )
            if u == g:
                new_g = _own(
                    now, sums[g, 0] - wa + wb, sums[g, 1] - pa + pb, sums[g, 2] - ua + ub
                )
                new_u = new_g
                rise += new_g + new_t - cost[g] - cost[t]
            else:
                new_g = _own(now, sums[g, 0] - wa, sums[g, 1] - pa, sums[g, 2] - ua)
                new_u = _own(now, sums[u, 0] + wb, sums[u, 1] + pb, sums[u, 2] + ub)
                rise += new_g + new_t + new_u - cost[g] - cost[t] - cost[u]
        if rise > 0.0:
            state = next_state(state)
            draw = (state * np.uint64(2685821657736338717)) >> np.uint64(11)
            if float(draw) * (1.0 / 9007199254740992.0) >= np.exp(-rise / heat):
                continue
        stamp += 1
        if not _stays_whole(indptr, indices, label, a, seen, stamp, queue):
            continue
        label[a] = t
        if b >= 0:
            stamp += 1
            whole = _stays_whole(indptr, indices, label, b, seen, stamp, queue)
            if whole and u == g:
                # what b joins must not have been a alone
                whole = False
                for e in range(indptr[b], indptr[b + 1]):
                    if label[indices[e]] == g:
                        whole = True
            if not whole:
                label[a] = g
                continue
            label[b] = u
            sums[t, 0] -= work[b]
            sums[t, 1] -= persons[b]
            sums[t, 2] -= urban[b]
            sums[u, 0] += work[b]
            sums[u, 1] += persons[b]
            sums[u, 2] += urban[b]
            count[t] -= 1
            count[u] += 1
            cost[u] = new_u
        sums[g, 0] -= wa
        sums[g, 1] -= pa
        sums[g, 2] -= ua
        sums[t, 0] += wa
        sums[t, 1] += pa
        sums[t, 2] += ua
        cost[g], cost[t] = new_g, new_t
        count[g] -= 1
        count[t] += 1
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


def arrays_of(area: Area, k: int) -> tuple[GraphArrays, tuple[IntArray, IntArray, IntArray]]:
    """The kernel's arrays before and after the labels and their number."""
    graph, n = area.graph, len(area)
    pair = np.concatenate([area.enemies, area.enemies[:, ::-1]])
    order = np.argsort(pair[:, 0], kind="stable")
    pointer: IntArray = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(pair[:, 0], minlength=n), out=pointer[1:])
    work = graph.households
    # nobody's ground weighs a little, so that it lies in the nearest beat
    mass = work + 1e-3 * k * graph.area / graph.area.sum()
    before = (
        graph.indptr, graph.indices, graph.length, work, graph.persons, area.urban, mass,
        graph.x, graph.y,
    )  # fmt: skip
    return before, (
        area.home.astype(np.int64), pointer, np.ascontiguousarray(pair[order, 1]),
    )  # fmt: skip


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
    first: float = FIRST_SLOPE,
) -> tuple[IntArray, float]:
    """Better labels than ``label`` (0..k-1, every beat in one piece), and their price.

    ``moves`` tried moves while the heat falls from ``hot`` to ``cold``, in the price's unit, and
    the band's slope rises from the share ``first`` of itself. No
    beat is ever emptied or broken. The same arguments give the same labels.
    """
    result = label.astype(np.int64).copy()
    before, after = arrays_of(area, k)
    reached = _anneal(
        *before, result, k, *after, price.row(k, float(area.graph.area.sum())),
        first, moves, hot, cold, seed + 1,
    )  # fmt: skip
    return result, float(reached)


def mean_travel(
    work: FloatArray, x: FloatArray, y: FloatArray, label: IntArray, k: int
) -> tuple[float, NDArray[np.float64]]:
    """Work times metres to each beat's best centre (a grid of it), summed, and centres (k, 2)."""
    cx, cy = np.zeros(k), np.zeros(k)
    total = _centres(label.astype(np.int64), k, work.astype(float), x, y, cx, cy)
    return float(total), np.column_stack([cx, cy])
