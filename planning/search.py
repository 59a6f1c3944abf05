"""Local search over border nodes: annealed single moves that never break a grid.

The price of a plan is a sum over grids of four dimensionless terms, each about 1 for a decent grid
(:class:`Price` holds their weights):

* balance: ((H / ideal - 1) / band)**4, flat inside the band and steep outside;
* shape: perimeter**2 / (4 pi area), the inverse of Polsby and Popper's ratio (1991);
* walk: the households' mean squared distance to their centre, against that of a disc that holds
  an even share of the ground, area / (2 pi);
* lines: half the border off roads, rivers and railways, against the square root of an even share
  of the ground.

Caps cost so much that a plan that keeps them always wins. Every term is kept as running sums, so
that a tried move costs its node's degree. It is a heuristic: it proves nothing about the optimum
(``docs/method.md`` has the measured gap), and a grid of many scattered empty nodes can hold it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planning.graph import Graph

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Price:
    """Weights of the four terms, the band, and the caps (``inf`` or 0 where there is none)."""

    balance: float = 1.0
    shape: float = 1.0
    walk: float = 1.0
    lines: float = 1.0
    band: float = 0.06
    max_households: float = np.inf
    max_persons: float = np.inf
    min_households: float = 0.0

    def row(self, ideal: float, ground: float) -> FloatArray:
        """The kernel's parameter row for grids of ``ideal`` households on ``ground`` m2 each."""
        return np.array(
            [
                self.balance,
                self.shape / (4 * np.pi),
                self.walk * 2 * np.pi / (ground * max(ideal, 1e-9)),
                self.lines / np.sqrt(ground),
                self.band,
                max(ideal, 1e-9),
                self.max_households,
                self.max_persons,
                self.min_households,
            ]
        )


@njit(cache=True, inline="always")
def _excess(value: float, cap: float) -> float:
    over = value / cap - 1.0
    if over <= 1e-12:
        return 0.0
    return 60.0 * min(over * 20.0, 1.0) + 600.0 * over


@njit(cache=True)
def _cost(
    row: FloatArray,
    h: float,
    p: float,
    sx: float,
    sy: float,
    ss: float,
    area: float,
    length: float,
    off: float,
) -> float:
    q = (h / row[5] - 1.0) / row[4]
    q = q * q
    balance = q * q if q < 4.0 else 16.0 + 8.0 * (q - 4.0)
    inertia = ss - (sx * sx + sy * sy) / h if h > 0.0 else 0.0
    price = row[0] * balance + row[1] * length * length / area
    price += row[2] * inertia + row[3] * 0.5 * off
    price += _excess(h, row[6]) + _excess(p, row[7])
    if h < row[8]:
        price += _excess(2.0 - h / row[8], 1.0)
    return float(price)


@njit(cache=True, inline="always")
def next_state(state: np.uint64) -> np.uint64:
    """xorshift64*: an explicit generator, so that a seed is the whole story."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@njit(cache=True, inline="always")
def _refused(rise: float, heat: float, draw: np.uint64) -> bool:
    """Metropolis' rule: a rise is taken with the chance exp(-rise / heat)."""
    chance = float(draw >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    if rise > 40.0 * heat and chance > 0.0:  # exp(-40) is less than any chance drawn but 0
        return True
    return bool(chance >= np.exp(-rise / heat))


@njit(cache=True)
def _stays_whole(
    indptr: IntArray,
    indices: IntArray,
    label: IntArray,
    node: int,
    seen: IntArray,
    stamp: int,
    queue: IntArray,
) -> bool:
    """Whether the grid of ``node`` is in one piece without it (breadth first)."""
    grid = label[node]
    wanted = 0
    first = -1
    for e in range(indptr[node], indptr[node + 1]):
        if label[indices[e]] == grid:
            wanted += 1
            first = indices[e]
    if wanted == 0:
        return False
    if wanted == 1:
        return True
    # 2 * stamp marks a neighbour still to be met, 2 * stamp + 1 a node that was met
    for e in range(indptr[node], indptr[node + 1]):
        if label[indices[e]] == grid:
            seen[indices[e]] = 2 * stamp
    seen[node] = 2 * stamp + 1
    seen[first] = 2 * stamp + 1
    queue[0] = first
    head, tail, met = 0, 1, 1
    while head < tail:
        here = queue[head]
        head += 1
        for e in range(indptr[here], indptr[here + 1]):
            other = indices[e]
            if label[other] != grid or seen[other] == 2 * stamp + 1:
                continue
            if seen[other] == 2 * stamp:
                met += 1
                if met == wanted:
                    return True
            seen[other] = 2 * stamp + 1
            queue[tail] = other
            tail += 1
    return False


@njit(cache=True, nogil=True)
def _anneal(
    indptr: IntArray,
    indices: IntArray,
    length: FloatArray,
    off_line: FloatArray,
    node: FloatArray,
    label: IntArray,
    k: int,
    row: FloatArray,
    locked: NDArray[np.bool_],
    home: IntArray,
    away: FloatArray,
    moves: int,
    hot: float,
    cold: float,
    seed: int,
) -> float:
    """Anneal ``label`` in place; returns the price reached. ``node``: a graph's moments."""
    n = len(label)
    sums = np.zeros((k, 8))
    count = np.zeros(k, dtype=np.int64)
    own_length = np.zeros(n)
    own_off = np.zeros(n)
    foreign = np.zeros(n, dtype=np.int64)
    for a in range(n):
        g = label[a]
        count[g] += 1
        for c in range(8):
            sums[g, c] += node[a, c]
        for e in range(indptr[a], indptr[a + 1]):
            own_length[a] += length[e]
            own_off[a] += off_line[e]
            if label[indices[e]] != g:
                sums[g, 6] += length[e]
                sums[g, 7] += off_line[e]
                foreign[a] += 1
    cost = np.zeros(k)
    for g in range(k):
        s = sums[g]
        cost[g] = _cost(row, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
    border = np.empty(n, dtype=np.int64)
    place = np.full(n, -1, dtype=np.int64)
    size = 0
    for a in range(n):
        if foreign[a] > 0:
            border[size] = a
            place[a] = size
            size += 1
    seen = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    state = np.uint64(seed) * np.uint64(2862933555777941757) + np.uint64(3037000493)
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(moves, 1))
    stamp = 0
    # what a move costs holds until one of its two grids changes, and most moves are refused
    known = np.empty(len(indices))
    known_g = np.full(len(indices), -1, dtype=np.int64)
    known_t = np.full(len(indices), -1, dtype=np.int64)
    version = np.zeros(k, dtype=np.int64)
    changes = 0
    for _ in range(moves):
        if size == 0:
            break
        heat *= cooling
        state = next_state(state)
        draw = state * np.uint64(2685821657736338717)
        a = border[int((draw >> np.uint64(32)) % np.uint64(size))]
        g = label[a]
        if locked[g] or count[g] == 1:
            continue
        skip = int((draw & np.uint64(0xFFFFFFFF)) % np.uint64(foreign[a]))
        way = indptr[a]
        while True:
            t = label[indices[way]]
            if t != g:
                if skip == 0:
                    break
                skip -= 1
            way += 1
        if locked[t]:
            continue
        drawn = known_g[way] == version[g] and known_t[way] == version[t] and known[way] > 0.0
        if drawn:
            state = next_state(state)
            if _refused(known[way], heat, state * np.uint64(2685821657736338717)):
                continue
        to_g = to_t = off_g = off_t = 0.0
        for e in range(indptr[a], indptr[a + 1]):
            other = label[indices[e]]
            if other == g:
                to_g += length[e]
                off_g += off_line[e]
            elif other == t:
                to_t += length[e]
                off_t += off_line[e]
        u, v, w = sums[g], sums[t], node[a]
        around = w[6] + own_length[a]
        new_g = _cost(
            row, u[0] - w[0], u[1] - w[1], u[2] - w[2], u[3] - w[3], u[4] - w[4], u[5] - w[5],
            u[6] - around + 2.0 * to_g, u[7] - own_off[a] + 2.0 * off_g,
        )
        new_t = _cost(
            row, v[0] + w[0], v[1] + w[1], v[2] + w[2], v[3] + w[3], v[4] + w[4], v[5] + w[5],
            v[6] + around - 2.0 * to_t, v[7] + own_off[a] - 2.0 * off_t,
        )
        rise = new_g + new_t - cost[g] - cost[t]
        if t == home[a]:
            rise -= away[a]
        elif g == home[a]:
            rise += away[a]
        known[way], known_g[way], known_t[way] = rise, version[g], version[t]
        if rise > 0.0 and not drawn:
            state = next_state(state)
            if _refused(rise, heat, state * np.uint64(2685821657736338717)):
                continue
        stamp += 1
        if not _stays_whole(indptr, indices, label, a, seen, stamp, queue):
            continue
        for c in range(6):
            u[c] -= w[c]
            v[c] += w[c]
        u[6] += 2.0 * to_g - around
        u[7] += 2.0 * off_g - own_off[a]
        v[6] += around - 2.0 * to_t
        v[7] += own_off[a] - 2.0 * off_t
        cost[g], cost[t] = new_g, new_t
        count[g] -= 1
        count[t] += 1
        label[a] = t
        changes += 1
        version[g] = version[t] = changes
        foreign[a] = 0
        for e in range(indptr[a], indptr[a + 1]):
            other = indices[e]
            if label[other] == g:
                foreign[other] += 1
                foreign[a] += 1
            elif label[other] == t:
                foreign[other] -= 1
            else:
                foreign[a] += 1
            if foreign[other] > 0 and place[other] < 0:
                border[size] = other
                place[other] = size
                size += 1
            elif foreign[other] == 0 and place[other] >= 0:
                size -= 1
                last = border[size]
                border[place[other]] = last
                place[last] = place[other]
                place[other] = -1
        if foreign[a] == 0:
            size -= 1
            last = border[size]
            border[place[a]] = last
            place[last] = place[a]
            place[a] = -1
    total = float(cost.sum())
    for a in range(n):
        if label[a] != home[a]:
            total += away[a]
    return total


def refine(
    graph: Graph,
    label: IntArray,
    k: int,
    price: Price,
    *,
    moves: int,
    hot: float,
    cold: float,
    seed: int,
    locked: NDArray[np.bool_] | None = None,
    home: IntArray | None = None,
    away: FloatArray | None = None,
) -> tuple[IntArray, float]:
    """Better labels than ``label`` (0..k-1, every grid in one piece), and their price.

    ``moves`` tried moves while the heat falls from ``hot`` to ``cold`` (both > 0, in units of the
    price). ``locked`` (k,) grids neither lose nor gain. With ``home`` (n,) labels, each node in
    another grid than its home costs ``away`` (n,) more: what stays where it was is cheaper. No
    grid is ever emptied or broken. The same arguments give the same labels.
    """
    result = label.astype(np.int64).copy()
    free = np.zeros(k, dtype=np.bool_) if locked is None else locked
    row = price.row(graph.households.sum() / k, graph.area.sum() / k)
    reached = _anneal(
        graph.indptr, graph.indices, graph.length, graph.off_line, graph.moments, result, k,
        row, free,
        result.copy() if home is None else home.astype(np.int64),
        np.zeros(len(result)) if home is None or away is None else away.astype(np.float64),
        moves, hot, cold, seed + 1,
    )
    return result, float(reached)
