"""A stronger bound on moved work than the one that is shown: work has to cross beats' borders.

A mixed-integer programme over beats, not grids, so that it takes seconds for a hundred beats.
HiGHS proves it; it is too slow to be worked out after every edit.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from geo.segments import tally
from planning.beats.bounds import least_moved_whole
from planning.graph import FloatArray, Graph, IntArray


class _Rows:
    """Rows of a programme, one at a time."""

    def __init__(self) -> None:
        self.at: tuple[list[int], list[int], list[float]] = ([], [], [])
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        for column, factor in terms:
            self.at[0].append(len(self.low))
            self.at[1].append(column)
            self.at[2].append(factor)
        self.low.append(low)
        self.high.append(high)


def least_moved_across(
    graph: Graph, home: IntArray, k: int, band: float, seconds: float = 60.0
) -> float:
    """Work that must leave its beat, in mean beats; every grid has a home, every beat stays.

    Let f(s, t) be the work of beat s that is in t afterwards. What is minimised is their sum; these
    hold for every division into connected beats inside the band, whichever way it is drawn:

    1. What a beat holds, plus what comes, less what goes, is inside its band.
    2. A beat over its band loses, and one under it gains, at least what whole grids allow
       (:func:`least_moved_whole` for the beat by itself).
    3. f(s, t) > 0 for beats that do not touch ("far") takes a strip of grids through the beats
       between: if t keeps a grid of today's, the way inside t from there to the grid of s leaves
       today's t through a grid that touches it, and whose beat therefore touches t. So t gains at
       least the lightest grid around it from near beats, or loses all that it has.

    The third is no doubled cost: a strip of light grids may carry heavy ones far. Raises
    RuntimeError where HiGHS finds no bound in time.
    """
    work = graph.households
    held = tally(home, work, k)
    low, high = np.full(k, 1 - band), np.full(k, 1 + band)
    source = graph.source
    border = home[source] != home[graph.indices]
    arcs = np.unique(
        np.column_stack([home[source[border]], home[graph.indices[border]]]), axis=0
    )
    pairs = np.column_stack([source, graph.indices])[source < graph.indices]
    m = len(arcs)
    come, go, far = (m + i * k + np.arange(k) for i in range(3))
    rows = _Rows()
    rows.add([(i, 1.0) for i in come] + [(i, -1.0) for i in go], 0.0, 0.0)
    for t in range(k):
        gains = [(int(i), 1.0) for i in np.flatnonzero(arcs[:, 1] == t)]
        losses = [(int(i), 1.0) for i in np.flatnonzero(arcs[:, 0] == t)]
        every = [*losses, (int(go[t]), 1.0)]
        rows.add(
            [*gains, (int(come[t]), 1.0)] + [(i, -1.0) for i, _ in every],
            low[t] - held[t], high[t] - held[t],
        )
        alone = _alone(work, home, t, low[t], high[t], pairs)
        if held[t] > high[t]:
            rows.add(every, alone, np.inf)
        elif held[t] < low[t]:
            rows.add([*gains, (int(come[t]), 1.0)], alone, np.inf)
        touching = graph.indices[border & (home[source] == t)]
        first = min(float(work[touching].min(initial=np.inf)), held[t])
        rows.add([(int(come[t]), 1.0), (int(far[t]), -high[t])], -np.inf, 0.0)
        share = first / held[t] if held[t] > 0 else 1.0
        rows.add(
            [*gains, *((i, share) for i, _ in every), (int(far[t]), -first)], 0.0, np.inf
        )
    size = m + 3 * k
    most = np.concatenate([held[arcs[:, 0]], np.full(k, 1 + band), held, np.ones(k)])
    whole = np.zeros(size)
    whole[far] = 1
    cost = np.zeros(size)
    cost[:m] = 1.0
    cost[come] = 1.0
    matrix = coo_array((rows.at[2], (rows.at[0], rows.at[1])), shape=(len(rows.low), size))
    found = milp(
        cost,
        constraints=LinearConstraint(matrix.tocsr(), rows.low, rows.high),
        integrality=whole,
        bounds=Bounds(np.zeros(size), most),
        options={"time_limit": seconds},
    )
    if found.mip_dual_bound is None:
        raise RuntimeError(found.message)
    return float(found.mip_dual_bound)


def _alone(
    work: FloatArray, home: IntArray, beat: int, low: float, high: float, pairs: IntArray
) -> float:
    """What one beat must lose or gain by itself."""
    own = np.where(home == beat, 0, 1)
    return least_moved_whole(
        work, own, np.array([low, 0.0]), np.array([high, np.inf]), 0.0, pairs
    )
