"""Compiled loops of :mod:`geo.faces`: where edges meet borders, and which way round a face.

All coordinates are metres from a corner near by, exact differences of what will be written. Arrays
are as :mod:`geo.faces` describes them; nothing here is used elsewhere.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.segments import FloatArray, IntArray

NEAR_M = 1e-6  # nearer than this is too near to tell on which side something lies
_FLAT = 1e-9  # sines smaller than this are no angle


@njit(cache=True, inline="always")
def _side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Twice the area of the triangle: > 0 where p lies left of the way from a to b."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@njit(cache=True, nogil=True)
def _within(x: float, y: float, ends: FloatArray, first: int, last: int) -> int:
    """1 where rings hold the place, 0 where not, -1 where it is too near to one to tell."""
    odd = 0
    for r in range(first, last):
        ax, ay, bx, by = ends[r, 0], ends[r, 1], ends[r, 2], ends[r, 3]
        low, high = min(ay, by), max(ay, by)
        if y < low - NEAR_M or y > high + NEAR_M or x > max(ax, bx) + NEAR_M:
            continue
        side = _side(ax, ay, bx, by, x, y)
        if x >= min(ax, bx) - NEAR_M and abs(side) < NEAR_M * np.hypot(bx - ax, by - ay):
            return -1
        if (ay > y) != (by > y) and (side > 0.0) == (by > ay):
            odd ^= 1
    return odd


@njit(cache=True, nogil=True)
def _meet(
    ends: FloatArray,
    border_of: IntArray,
    start: IntArray,
    stop: IntArray,
    edge_of: IntArray,
    vertex: FloatArray,
    edge: IntArray,
    along_edge: FloatArray,
    row: IntArray,
    along_row: FloatArray,
    inside: NDArray[np.int8],
) -> int:
    """Fill the columns of :func:`meetings`; their number, which may be more than there is room
    for, or -1 where something is too near to tell."""
    found = 0
    for block in range(len(border_of) - 1):
        first, last = border_of[block], border_of[block + 1]
        for e in range(edge_of[block], edge_of[block + 1]):
            s, t = start[e], stop[e]
            for end in (s, t):
                if inside[end] == 2:
                    inside[end] = _within(vertex[end, 0], vertex[end, 1], ends, first, last)
                if inside[end] < 0:
                    return -1
            x1, y1, x2, y2 = vertex[s, 0], vertex[s, 1], vertex[t, 0], vertex[t, 1]
            west, east, south, north = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
            length = np.hypot(x2 - x1, y2 - y1)
            odd = 0
            for r in range(first, last):
                ax, ay, bx, by = ends[r, 0], ends[r, 1], ends[r, 2], ends[r, 3]
                if max(ax, bx) < west or min(ax, bx) > east:
                    continue
                if max(ay, by) < south or min(ay, by) > north:
                    continue
                of_a = _side(x1, y1, x2, y2, ax, ay)
                of_b = _side(x1, y1, x2, y2, bx, by)
                if (of_a >= 0.0) == (of_b >= 0.0):
                    continue
                of_s = _side(ax, ay, bx, by, x1, y1)
                of_t = _side(ax, ay, bx, by, x2, y2)
                if (of_s >= 0.0) == (of_t >= 0.0):
                    continue
                if abs(of_a - of_b) < _FLAT * length * np.hypot(bx - ax, by - ay):
                    return -1
                if found < len(edge):
                    edge[found], row[found] = e, r
                    along_edge[found] = of_s / (of_s - of_t)
                    along_row[found] = of_a / (of_a - of_b)
                found += 1
                odd ^= 1
            if inside[s] ^ odd != inside[t]:
                return -1
    return found


def meetings(
    ends: FloatArray,
    border_of: IntArray,
    start: IntArray,
    stop: IntArray,
    edge_of: IntArray,
    vertex: FloatArray,
) -> tuple[IntArray, FloatArray, IntArray, FloatArray, NDArray[np.int8]]:
    """Where edges cross the border of their own block.

    Edge and share of its length, row of the border and share of its length, of each meeting; and
    for each vertex whether it lies inside its block. All empty where something is too near to tell.
    """
    room = 4 * len(start) + 64
    while True:
        edge, row = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        along_edge, along_row = np.empty(room), np.empty(room)
        inside = np.full(len(vertex), 2, dtype=np.int8)
        found = _meet(
            ends, border_of, start, stop, edge_of, vertex,
            edge, along_edge, row, along_row, inside,
        )  # fmt: skip
        if found < 0:
            return edge[:0], along_edge[:0], row[:0], along_row[:0], inside[:0]
        if found <= room:
            return edge[:found], along_edge[:found], row[:found], along_row[:found], inside
        room = found


@njit(cache=True, nogil=True)
def stretches(
    start: IntArray,
    stop: IntArray,
    inside: NDArray[np.int8],
    edge: IntArray,
    node: IntArray,
    first_vertex: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """The parts of each edge inside its block: the edge, first and last node of each.

    ``edge``, ``node`` of each meeting, in the order met along the edges.
    """
    room = len(start) + len(edge)
    where, a, b = np.empty((3, room), dtype=np.int64)
    n = at = 0
    for e in range(len(start)):
        here = first_vertex + start[e]
        within = inside[start[e]] == 1
        while at < len(edge) and edge[at] == e:
            if within and here != node[at]:
                where[n], a[n], b[n] = e, here, node[at]
                n += 1
            here = node[at]
            within = not within
            at += 1
        if within:
            where[n], a[n], b[n] = e, here, first_vertex + stop[e]
            n += 1
    return where[:n], a[:n], b[:n]


@njit(cache=True, nogil=True)
def with_nodes(
    start: IntArray,
    stop: IntArray,
    line: IntArray,
    along: NDArray[np.bool_],
    bounds: IntArray,
    added: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Border rows with the nodes ``added`` to their lines: the row, first and last node of each.

    ``bounds`` where the added nodes of each line begin, in the line's own direction.
    """
    room = len(start) + 2 * len(added)
    row, a, b = np.empty((3, room), dtype=np.int64)
    n = 0
    for r in range(len(start)):
        first, last = bounds[line[r]], bounds[line[r] + 1]
        here = start[r]
        for i in range(last - first):
            node = added[first + i] if along[r] else added[last - 1 - i]
            row[n], a[n], b[n] = r, here, node
            here = node
            n += 1
        row[n], a[n], b[n] = r, here, stop[r]
        n += 1
    return row[:n], a[:n], b[:n]


@njit(cache=True, inline="always")
def _turn(ux: float, uy: float, wx: float, wy: float) -> float:
    """How far clockwise from direction u to direction w, as a number in (0, 4]: no angle needed.

    -1 where they are too near to one direction to tell.
    """
    sine = uy * wx - ux * wy
    cosine = ux * wx + uy * wy
    size = abs(sine) + abs(cosine)
    if cosine > 0.0 and abs(sine) < _FLAT * size:
        return -1.0
    if sine >= 0.0:
        return 1.0 - cosine / size
    return 3.0 + cosine / size


@njit(cache=True, nogil=True)
def followers(
    start: IntArray, stop: IntArray, first: IntArray, last: IntArray, node: FloatArray
) -> IntArray:
    """The stretch after each, the sharpest left of those in ``first`` to ``last``; -1 where two
    leave in one direction or the only way is back."""
    follower = np.empty(len(start), dtype=np.int64)
    for h in range(len(start)):
        here = stop[h]
        best, least = -1, 5.0
        ux, uy = node[start[h], 0] - node[here, 0], node[start[h], 1] - node[here, 1]
        for other in range(first[h], last[h]):
            if stop[other] == start[h]:
                continue
            turn = 1.0
            if last[h] - first[h] > 1:
                wx = node[stop[other], 0] - node[here, 0]
                wy = node[stop[other], 1] - node[here, 1]
                turn = _turn(ux, uy, wx, wy)
                if turn < 0.0 or abs(turn - least) < _FLAT:
                    best = -1
                    break
            if turn < least:
                best, least = other, turn
        follower[h] = best
    return follower


@njit(cache=True, nogil=True)
def rings(
    start: IntArray, owner: IntArray, follower: IntArray, nodes: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Rings that pass each node once: stretches in their order, where each ring begins, its owner.

    A way that comes back to a node it has passed closes a ring of its own there: a hole that
    touches its shell, or two faces that touch in a point. No bounds where a ring has two owners.
    """
    n = len(start)
    around = np.empty(n, dtype=np.int64)
    bounds = np.empty(n + 1, dtype=np.int64)
    whose = np.empty(n, dtype=np.int64)
    path = np.empty(n, dtype=np.int64)
    passed = np.full(nodes, -1, dtype=np.int64)
    done = np.zeros(n, dtype=np.bool_)
    count = filled = 0
    bounds[0] = 0
    for lead in range(n):
        here, depth = lead, 0
        while not done[here]:
            done[here] = True
            path[depth] = here
            passed[start[here]] = depth
            depth += 1
            here = follower[here]
            back = passed[start[here]]
            if back < 0:
                continue
            own = -1
            for i in range(back, depth):
                h = path[i]
                passed[start[h]] = -1
                around[filled] = h
                filled += 1
                if owner[h] >= 0:
                    if own >= 0 and own != owner[h]:
                        return around[:0], bounds[:0], whose[:0]
                    own = owner[h]
            depth = back
            whose[count] = own
            count += 1
            bounds[count] = filled
        if depth > 0:  # not every stretch is followed by one of its own
            return around[:0], bounds[:0], whose[:0]
    return around[:filled], bounds[: count + 1], whose[:count]


@njit(cache=True, nogil=True)
def areas(place: IntArray, bounds: IntArray, node: FloatArray) -> FloatArray:
    """Signed area of each ring, m2: a hole's is negative."""
    area = np.zeros(len(bounds) - 1)
    for ring in range(len(area)):
        x0, y0 = node[place[bounds[ring]], 0], node[place[bounds[ring]], 1]
        total = 0.0
        for i in range(bounds[ring], bounds[ring + 1] - 1):
            a, b = place[i], place[i + 1]
            total += _side(x0, y0, node[a, 0], node[a, 1], node[b, 0], node[b, 1])
        area[ring] = total / 2.0
    return area


@njit(cache=True, nogil=True)
def shells(
    block: IntArray, area: FloatArray, place: IntArray, bounds: IntArray, node: FloatArray
) -> IntArray:
    """The shell of each ring: a shell's own number, a hole's smallest shell around it, else -1.

    What lies in a hole is no larger than it, so that a larger shell of the same block that holds
    the middle of one of its sides is around it. Rings are ordered by block.
    """
    shell = np.full(len(area), -1, dtype=np.int64)
    first = 0
    for ring in range(len(area)):
        if block[ring] != block[first]:
            first = ring
        if area[ring] > 0.0:
            shell[ring] = ring
            continue
        a, b = place[bounds[ring]], place[bounds[ring] + 1]
        x, y = (node[a, 0] + node[b, 0]) / 2.0, (node[a, 1] + node[b, 1]) / 2.0
        least = np.inf
        other = first
        while other < len(area) and block[other] == block[ring]:
            if area[other] > -area[ring] * (1.0 + 1e-12) and area[other] < least:
                odd = False
                for i in range(bounds[other], bounds[other + 1]):
                    c = place[i]
                    d = place[i + 1] if i + 1 < bounds[other + 1] else place[bounds[other]]
                    if (node[c, 1] > y) != (node[d, 1] > y):
                        side = _side(node[c, 0], node[c, 1], node[d, 0], node[d, 1], x, y)
                        odd ^= (side > 0.0) == (node[d, 1] > node[c, 1])
                if odd:
                    shell[ring], least = other, area[other]
            other += 1
    return shell
