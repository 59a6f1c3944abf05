"""What no division can do better: least work to move, fewest beats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo.segments import tally
from planning.graph import FloatArray, IntArray

DEPTH = 3  # grids of a gain that are tried one by one


def least_moved(
    work: FloatArray, home: IntArray, low: FloatArray, high: FloatArray, free: float
) -> float:
    """Work that must leave its beat before every beat of today is inside its band.

    ``work``, ``home`` (n,) work of each grid and row of its beat (-1 none); ``low``, ``high``
    (b,) the band of each beat; ``free`` the work of grids without a beat, which may fill a gap
    without moving. Beats over the band must lose their excess, beats under it must gain their
    shortfall; each grid that moves serves at most one of each, so the larger sum is a bound. It
    knows nothing of whole grids and contiguity, so that it may not be reachable.
    """
    held = tally(home[home >= 0], work[home >= 0], len(low))
    over = float(np.maximum(held - high, 0.0).sum())
    under = float(np.maximum(low - held, 0.0).sum()) - free
    return max(over, under, 0.0)


def least_moved_whole(
    work: FloatArray,
    home: IntArray,
    low: FloatArray,
    high: FloatArray,
    free: float,
    pairs: IntArray | None = None,
) -> float:
    """As :func:`least_moved`, knowing that only whole grids move.

    A beat over the band loses at least the lightest set of its grids that brings it down (subset
    sums on a lattice of 1/2,000 of the excess, rounded so that the bound stays one).

    With ``pairs`` (e, 2), the borders that may be inside a beat, a beat under the band gains at
    least the lightest set that fills it up and that can be joined to it. Proof: let the beat keep
    a grid of today's. It is in one piece, so what it gains can be put in an order in which every
    grid touches one kept or one gained before. The first grids of that order that make up the
    shortfall, or :data:`DEPTH` of them if they do not, are among the sets that are tried, so the
    gain weighs no less than the lightest of these, and no less than the shortfall. A beat that
    keeps nothing gains its whole band's lower end. Every grid is gained by one beat, so the gains
    add up; what was in no beat (``free``) is not moved.
    """
    held = tally(home[home >= 0], work[home >= 0], len(low))
    over = 0.0
    for beat in np.flatnonzero(held > high + 1e-9):
        over += _lightest(work[home == beat], float(held[beat] - high[beat]))
    under = 0.0
    if pairs is not None:
        near = _neighbours(pairs, len(work))
        for beat in np.flatnonzero(held < low - 1e-9):
            short = float(low[beat] - held[beat])
            own = np.flatnonzero(home == beat)
            gain = lightest_joined(near, work, own, short) if len(own) else short
            under += min(gain, float(low[beat]))
    return max(over, under - free, least_moved(work, home, low, high, free))


def _neighbours(pairs: IntArray, n: int) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in pairs.tolist():
        near[a].append(b)
        near[b].append(a)
    return near


def lightest_joined(
    near: list[list[int]], work: FloatArray, own: IntArray, short: float
) -> float:
    """Least work, from below, of grids outside ``own`` that are joined to it and hold ``short``.

    Sets of up to :data:`DEPTH` grids are tried, each once; larger ones count as ``short``. ``inf``
    where nothing touches ``own``.
    """
    mine = set(own.tolist())
    weight: list[float] = work.tolist()
    best = math.inf

    def extend(front: list[int], barred: set[int], held: float, depth: int) -> None:
        nonlocal best
        if held >= short - 1e-12 or depth == DEPTH:
            best = min(best, max(held, short))
            return
        for i, grid in enumerate(front):
            if best <= short:
                return
            if held + weight[grid] >= best:
                continue
            seen = barred.union(front)  # what was left out before stays out: each set comes once
            more = [b for b in near[grid] if b not in seen]
            extend(front[i + 1 :] + more, seen, held + weight[grid], depth + 1)

    ring = {b for a in mine for b in near[a]} - mine
    extend(sorted(ring, key=lambda b: (weight[b], b)), mine, 0.0, 0)
    return best


def _lightest(work: FloatArray, excess: float) -> float:
    """Least sum of some of ``work`` that is at least ``excess``, from below."""
    step = excess / 2000
    size = np.floor(work / step).astype(np.int64)  # rounded down: never claims too much
    top = int(size.sum())
    # n grids rounded down lose less than n steps together
    wanted = max(0, math.ceil(excess / step) - len(work))
    limit = min(top, wanted + int(size.max(initial=0)) + 1)
    reach: NDArray[np.bool_] = np.zeros(limit + 1, dtype=bool)
    reach[0] = True
    for s in size[size > 0]:
        if s <= limit:
            reach[s:] |= reach[:-s].copy()
    hits = np.flatnonzero(reach[wanted:])
    return float(max(excess, (wanted + hits[0]) * step)) if len(hits) else excess


def fewest_beats(
    persons: IntArray,
    urban: NDArray[np.bool_],
    cap_urban: float | None,
    cap_rural: float | None,
) -> int:
    """Beats that the caps need at least, however drawn; 1 where residents are unknown.

    A beat that is mostly rural in residents holds at most the rural cap, any other at most the
    urban one. Beats of the wider cap may hold residents of the other kind too, but no more than
    of their own: what of the others fits into none of them needs beats of the narrower cap.
    """
    if (persons < 0).any():
        return 1
    town = float(persons[urban].sum())
    country = float(persons[~urban].sum())
    wide = math.inf if cap_urban is None else float(cap_urban)
    narrow = math.inf if cap_rural is None else float(cap_rural)
    if narrow > wide:
        wide, narrow, town, country = narrow, wide, country, town
    taken = min(country, town)
    beats = (town + taken) / wide + (country - taken) / narrow
    return max(1, math.ceil(beats - 1e-9))
