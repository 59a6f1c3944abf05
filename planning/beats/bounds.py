"""What no division can do better: least work to move, fewest beats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo.segments import tally
from planning.graph import FloatArray, IntArray


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
    work: FloatArray, home: IntArray, low: FloatArray, high: FloatArray, free: float
) -> float:
    """As :func:`least_moved`, knowing that only whole grids move: for each beat over the band the
    lightest set of its grids that brings it down (subset sums on a lattice of 1/2,000 of the
    excess, rounded so that the bound stays one)."""
    held = tally(home[home >= 0], work[home >= 0], len(low))
    over = 0.0
    for beat in np.flatnonzero(held > high + 1e-9):
        over += _lightest(work[home == beat], float(held[beat] - high[beat]))
    return max(over, least_moved(work, home, low, high, free))


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
