"""Near repeats: are events close in place also close in time more often than chance has it?

Knox (1964). Every pair of events falls into a band of distance and a band of days; the table is
compared with tables of the same places and shuffled days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.special import gammainc

from incidents.cells import FloatArray, IntArray

Distance = Literal["euclidean", "manhattan"]
DISTANCE_BANDS = (0.0, 1.0, 101.0, 201.0, 301.0, 401.0)  # same place, up to 100 m, ... 400 m
DAY_BANDS = (0.0, 8.0, 15.0, 22.0, 29.0)  # up to 7, 14, 21, 28 days
MOST_PAIRS = 20_000_000
_SECONDS = 86_400.0


@dataclass(frozen=True, eq=False)
class NearRepeat:
    """Pairs by band; arrays (distance bands, day bands), the last band of each open to the top.

    Attributes
    ----------
    distances, days : lower limits of the bands. Band i holds values from limit i up to, and
        without, limit i + 1; so 0, 1, 101 means "under 1", "1 to under 101", "101 and more".
    observed : pairs counted.
    expected : mean of the shuffled tables; ``observed / expected`` is the near-repeat ratio.
    p : share of shuffled tables with at least as many pairs, the observed one counted.
    """

    distances: FloatArray
    days: FloatArray
    observed: IntArray
    expected: FloatArray
    p: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Observed / expected; nan where nothing is expected."""
        out = np.full(self.expected.shape, np.nan)
        np.divide(self.observed, self.expected, out=out, where=self.expected > 0)
        return out


def near_repeat(
    x: ArrayLike,
    y: ArrayLike,
    day: ArrayLike,
    *,
    distances: tuple[float, ...] = DISTANCE_BANDS,
    days: tuple[float, ...] = DAY_BANDS,
    metric: Distance = "euclidean",
    runs: int = 999,
    seed: int = 0,
) -> NearRepeat:
    """Knox table of events at x, y (metres) on ``day`` (a number, or datetime64).

    ``distances`` and ``days`` are the lower limits of the bands, ascending from 0. Days of whole
    dates belong together with limits like 0, 8, 15: "up to 7 days" is 0 to under 8. (The Near
    Repeat Calculator's label "a to b" stands for a - 1 to under b; its numbers come out with
    limits moved so.)

    Wrong when sites open or close during the period (a shift of the whole population in place and
    time looks like near repeats), for dates that are guesses, and for snapped places, where the
    first bands are the snapping. Raises ValueError for other lengths, missing values, limits that
    do not ascend from 0, or more than 20 million near pairs.
    """
    xy = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    time = _seconds(day)
    if len(time) != len(xy) or not (np.isfinite(xy).all() and np.isfinite(time).all()):
        raise ValueError("every event needs a place and a day")
    space, bands = _limits(distances), _limits(days) * _SECONDS
    a, b, row = _near_pairs(xy, space, metric)
    ordered = np.sort(time)
    column_totals = _pairs_by_day(ordered, bands)

    def table(when: FloatArray) -> IntArray:
        column = np.searchsorted(bands, np.abs(when[a] - when[b]), side="right") - 1
        near = np.bincount(row * len(bands) + column, minlength=(len(space) - 1) * len(bands))
        near = near.reshape(len(space) - 1, len(bands))
        return np.vstack([near, column_totals - near.sum(axis=0)])

    observed = table(time)
    rng = np.random.default_rng(seed)
    total, reached = np.zeros(observed.shape), np.ones(observed.shape)
    for _ in range(runs):
        shuffled = table(rng.permutation(time))
        total += shuffled
        reached += shuffled >= observed
    expected = total / runs if runs else knox_expected(observed)
    return NearRepeat(space, bands / _SECONDS, observed, expected, reached / (runs + 1))


def _seconds(day: ArrayLike) -> FloatArray:
    """Whole seconds, so that sums and differences of times are exact."""
    raw = np.asarray(day)
    if np.issubdtype(raw.dtype, np.datetime64):
        seconds = raw.astype("datetime64[s]")
        return np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64).astype(np.float64))
    return np.asarray(np.round(raw.astype(np.float64) * _SECONDS))


def _limits(bands: tuple[float, ...]) -> FloatArray:
    limits = np.asarray(bands, dtype=np.float64)
    if len(limits) < 2 or limits[0] != 0 or not (np.diff(limits) > 0).all():
        raise ValueError("bands are lower limits that ascend from 0, at least two")
    return limits


def _near_pairs(
    xy: FloatArray, limits: FloatArray, metric: Distance
) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs nearer than the last limit, and the band of each."""
    power = {"euclidean": 2.0, "manhattan": 1.0}[metric]
    tree = cKDTree(xy)
    many = int(tree.count_neighbors(tree, limits[-1], p=power) - len(xy)) // 2
    if many > MOST_PAIRS:
        raise ValueError(f"{many} near pairs are too many: choose nearer bands or a shorter period")
    pairs = tree.query_pairs(limits[-1], p=power, output_type="ndarray")
    apart = np.abs(xy[pairs[:, 0]] - xy[pairs[:, 1]])
    distance = apart.sum(axis=1) if metric == "manhattan" else np.hypot(apart[:, 0], apart[:, 1])
    band = np.searchsorted(limits, distance, side="right") - 1
    near = band < len(limits) - 1
    return pairs[near, 0], pairs[near, 1], band[near]


def _pairs_by_day(ordered: FloatArray, limits: FloatArray) -> IntArray:
    """(day bands,) pairs of all events in each band of days, whatever their distance."""
    n = len(ordered)
    at_least = [n * (n - 1) // 2]
    for limit in limits[1:]:
        first = np.searchsorted(ordered, ordered + limit, side="left")
        at_least.append(int((n - first).sum()))
    edges = np.array([*at_least, 0], dtype=np.int64)
    return edges[:-1] - edges[1:]


def knox_expected(observed: ArrayLike) -> FloatArray:
    """Row total x column total / all pairs: the mean of shuffling, without shuffling."""
    table = np.asarray(observed, dtype=np.float64)
    total = table.sum()
    return np.asarray(table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / total)


def knox_poisson_p(observed: float, expected: float) -> float:
    """Chance of so many close pairs or more were they independent (Knox 1964); a rough p."""
    return float(gammainc(observed, expected)) if observed > 0 else 1.0
