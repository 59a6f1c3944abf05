"""The search again and again in a few neighbouring beats at a time, the rest standing still.

What one long annealing leaves has faults in a few places: a beat just outside the band whose only
remedy is an exchange of five grids among three beats, or a grid that could go home if two others
moved as well. Annealing two to twenty neighbouring beats by themselves finds these in milliseconds
(large neighbourhood search; Shaw 1998). What it finds is taken only where the price of the whole
falls, so that no round makes a division worse.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planning.beats.anneal import Area, Price, _anneal, _below, _own, arrays_of
from planning.graph import FloatArray, IntArray
from planning.search import next_state

MOST_BEATS = 20  # in one region: what is too much in one beat may be wanted five beats away


@njit(cache=True)
def _members(label: IntArray, k: int, start: IntArray, member: IntArray) -> None:
    """Nodes sorted by beat, in place: those of beat g are member[start[g]:start[g + 1]]."""
    start[:] = 0
    for a in range(len(label)):
        start[label[a] + 1] += 1
    for g in range(k):
        start[g + 1] += start[g]
    fill = start[:-1].copy()
    for a in range(len(label)):
        member[fill[label[a]]] = a
        fill[label[a]] += 1


@njit(cache=True)
def _grow(
    indptr: IntArray, indices: IntArray, label: IntArray, start: IntArray, member: IntArray,
    first: int, wanted: int, state: np.uint64, local: IntArray,
) -> tuple[IntArray, int, np.uint64]:
    """Beats of a region around ``first`` and their number; ``local`` (k,) their place in it.

    Each next beat is a neighbour, likelier the longer it runs along the region.
    """
    chosen = np.empty(wanted, dtype=np.int64)
    chosen[0] = first
    local[first] = 0
    size = 1
    while size < wanted:
        met, pick = 0, -1
        for i in range(size):
            for j in range(start[chosen[i]], start[chosen[i] + 1]):
                a = member[j]
                for e in range(indptr[a], indptr[a + 1]):
                    t = label[indices[e]]
                    if local[t] < 0:
                        met += 1
                        state = next_state(state)
                        if _below(state, met) == 0:
                            pick = t
        if pick < 0:
            break
        chosen[size] = pick
        local[pick] = size
        size += 1
    return chosen, size, state


@njit(cache=True, nogil=True)
def _renew(
    indptr: IntArray, indices: IntArray, length: FloatArray, work: FloatArray,
    persons: FloatArray, urban: FloatArray, mass: FloatArray, x: FloatArray, y: FloatArray,
    label: IntArray, k: int, home: IntArray, enemy_ptr: IntArray, enemy: IntArray,
    row: FloatArray, rounds: int, moves: int, grid: float, cold: float,
    seed: int,
) -> None:
    """Improve ``label`` in place: ``rounds`` regions, ``moves`` tried moves a node in each.

    Every other region is around a beat that breaks band or cap, while there are such. ``grid`` the
    work of a usual node, by which the heat is measured; ``cold`` the heat to end with.
    """
    n = len(label)
    start = np.empty(k + 1, dtype=np.int64)
    member = np.empty(n, dtype=np.int64)
    local = np.full(k, -1, dtype=np.int64)
    place = np.full(n, -1, dtype=np.int64)
    wrong = np.empty(k, dtype=np.int64)
    state = next_state(np.uint64(seed) * np.uint64(2862933555777941757) + np.uint64(3037000493))
    most = min(MOST_BEATS, k)
    for turn in range(rounds):
        _members(label, k, start, member)
        many = 0
        for g in range(k):
            w, p, u = 0.0, 0.0, 0.0
            for j in range(start[g], start[g + 1]):
                w += work[member[j]]
                p += persons[member[j]]
                u += urban[member[j]]
            if _own(row, w, p, u) - row[5] * (w - 1.0) ** 2 > 1e-12:
                wrong[many] = g
                many += 1
        state = next_state(state)
        first = int(np.int64(_below(state, k)))
        if many > 0 and turn % 2 == 0:
            first = wrong[_below(state, many)]
        state = next_state(state)
        wanted = 2 + int(np.int64(_below(state, most - 1)))
        chosen, size, state = _grow(
            indptr, indices, label, start, member, first, wanted, state, local
        )
        m = 0
        for i in range(size):
            m += start[chosen[i] + 1] - start[chosen[i]]
        node = np.empty(m, dtype=np.int64)
        m = 0
        for i in range(size):
            for j in range(start[chosen[i]], start[chosen[i] + 1]):
                node[m] = member[j]
                place[member[j]] = m
                m += 1
        inner, foes = 0, 0
        for i in range(m):
            inner += indptr[node[i] + 1] - indptr[node[i]]
            foes += enemy_ptr[node[i] + 1] - enemy_ptr[node[i]]
        to = np.empty(inner, dtype=np.int64)
        wide = np.empty(inner)
        ptr = np.zeros(m + 1, dtype=np.int64)
        foe = np.empty(foes, dtype=np.int64)
        foe_ptr = np.zeros(m + 1, dtype=np.int64)
        own, was = np.empty(m, dtype=np.int64), np.full(m, -1, dtype=np.int64)
        inner, foes = 0, 0
        for i in range(m):
            a = node[i]
            own[i] = local[label[a]]
            if home[a] >= 0:
                was[i] = local[home[a]]  # a home elsewhere is out of reach, whatever happens here
            for e in range(indptr[a], indptr[a + 1]):
                if place[indices[e]] >= 0:
                    to[inner] = place[indices[e]]
                    wide[inner] = length[e]
                    inner += 1
            for e in range(enemy_ptr[a], enemy_ptr[a + 1]):
                if place[enemy[e]] >= 0:
                    foe[foes] = place[enemy[e]]
                    foes += 1
            ptr[i + 1], foe_ptr[i + 1] = inner, foes
        if size > 1:
            state = next_state(state)
            # from barely warm to hot enough to give whole beats away, half of them through an
            # open band
            hot = grid * 2.0 ** (int(np.int64(_below(state, 4))) - 2)
            state = next_state(state)
            opened = 1.0 if _below(state, 2) == 0 else 0.05
            state = next_state(state)
            _anneal(
                ptr, to[:inner], wide[:inner], work[node], persons[node], urban[node], mass[node],
                x[node], y[node], own, size, was, foe_ptr, foe[:foes], row, opened,
                moves * m, hot, cold, int(np.int64(_below(state, 1 << 30))),
            )
            for i in range(m):
                label[node[i]] = chosen[own[i]]
        for i in range(size):
            local[chosen[i]] = -1
        for i in range(m):
            place[node[i]] = -1


def renew(
    area: Area,
    label: IntArray,
    k: int,
    price: Price,
    *,
    rounds: int,
    moves: int,
    grid: float,
    cold: float,
    seed: int,
) -> IntArray:
    """Labels that cost no more than ``label`` (0..k-1, every beat in one piece), shape (n,).

    ``rounds`` regions are searched with ``moves`` tried moves a node each; ``grid`` is the work of
    a usual node, ``cold`` the heat every search ends with, in the price's unit. No beat is ever
    emptied or broken. The same arguments give the same labels.
    """
    result = label.astype(np.int64).copy()
    if k > 1:
        before, after = arrays_of(area, k)
        _renew(
            *before, result, k, *after, price.row(k, float(area.graph.area.sum())),
            rounds, moves, grid, cold, seed + 1,
        )  # fmt: skip
    return result
