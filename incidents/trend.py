"""Trends of cells over periods, and the plain word for each.

A cell is *hot in a period* when Gi* calls it significantly high in that period. ``recent`` is the
last fifth of the periods, at least one. The words, first rule that fits:

========== =====================================================================================
none       hot in fewer than a tenth of the periods (with up to ten periods: in none)
former     hot earlier, in no recent period
new        hot in a recent period, never earlier
growing    hot earlier and recently, counts rise significantly (Mann-Kendall, corrected, slope > 0)
fading     hot earlier and recently, counts fall significantly
persistent hot earlier and recently, no significant trend (with under eight periods none is told)
========== =====================================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from incidents.cells import BoolArray, Cells, FloatArray, IntArray
from incidents.chance import queen_sums
from incidents.correction import benjamini_hochberg
from incidents.gistar import ALPHA, Method, gi_star
from incidents.steps import Steps, blocks, joined, one_after_another

LEAST_PERIODS = 8  # below, a normal p of Mann-Kendall is not to be trusted: no trend is told
_BLOCK = 4_000_000  # slopes held at once while medians are taken: 32 MB
_COLUMNS = 20_000  # series that are one piece of work


class Course(IntEnum):
    """What became of a cell; the words stand at the head of the module."""

    NONE = 0
    NEW = 1
    GROWING = 2
    PERSISTENT = 3
    FADING = 4
    FORMER = 5


@dataclass(frozen=True, eq=False)
class Trend:
    """Mann-Kendall of many series at once; arrays have the shape of one period.

    Attributes
    ----------
    s : pairs of periods that rise minus pairs that fall.
    variance : of ``s`` without a trend, corrected for ties.
    z, p : with continuity correction, two-sided; p is 1 where all values are equal.
    q : p corrected over all series that are not constant; nan for those that are.
    tau : s / number of pairs (tau-a).
    slope : median of all pairwise slopes per period (Sen 1968).
    """

    s: FloatArray
    variance: FloatArray
    z: FloatArray
    p: FloatArray
    q: FloatArray
    tau: FloatArray
    slope: FloatArray


def mann_kendall(
    series: ArrayLike, *, slopes_to: float = 1.0, steps: Steps = one_after_another
) -> Trend:
    """Trend of each column of (periods, ...), evenly spaced, oldest first, without gaps.

    Slopes are worked out where p is at most ``slopes_to``, nan elsewhere: they take nine tenths of
    the time, and the words need those of significant trends only. ``steps`` does the columns block
    by block (stage "trends").

    Formula: Mann (1945), Kendall (1975): Var = (n(n-1)(2n+5) - sum t(t-1)(2t+5)) / 18 over groups
    of t equal values; z = (s - sign s) / sqrt Var. Checked with pyMannKendall.

    Wrong for series with a season (a monthly series with summer peaks: give it years, or the same
    month of each year) or with autocorrelation (p too small). With fewer than eight periods the
    normal p is rough. Raises ValueError for fewer than three periods or a missing value.
    """
    values = np.asarray(series)
    if values.ndim < 1 or len(values) < 3:
        raise ValueError("a trend needs at least three periods")
    if not np.isfinite(values).all():
        raise ValueError("a trend needs a number in every period; 0 stands for no event")
    n, shape = len(values), values.shape[1:]
    flat = values.reshape(n, -1)
    # most cells of a city are fields without an event in any period: nothing to work out
    moving = np.flatnonzero((flat != flat[0]).any(axis=0))
    parts = blocks(len(moving), _COLUMNS)

    def piece(number: int) -> FloatArray:
        own = flat[:, moving[parts[number]]].astype(np.float64)
        s = _rises(own)
        variance = (n * (n - 1) * (2 * n + 5) - _ties(own)) / 18.0
        slope = np.full_like(s, np.nan)
        told = _deviate(s, variance)[1] <= slopes_to
        slope[told] = _sen(own[:, told])
        return np.stack([s, variance, slope])

    s, variance = np.zeros(flat.shape[1]), np.zeros(flat.shape[1])
    slope = np.full(flat.shape[1], 0.0 if slopes_to >= 1.0 else np.nan)
    if len(moving):
        found = joined(steps("trends", len(parts), piece))
        s[moving], variance[moving], slope[moving] = found
    z, p = _deviate(s, variance)
    q = benjamini_hochberg(np.where(variance > 0, p, np.nan))
    tau = s / (n * (n - 1) / 2.0)
    return Trend(*(each.reshape(shape) for each in (s, variance, z, p, q, tau, slope)))


def _rises(flat: FloatArray) -> FloatArray:
    """(columns,) pairs of periods that rise minus pairs that fall."""
    s = np.zeros(flat.shape[1])
    for lag in range(1, len(flat)):
        s += np.sign(flat[lag:] - flat[:-lag]).sum(axis=0)
    return s


def _deviate(s: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """z with continuity correction, and its two-sided p; 0 and 1 where nothing varies."""
    spread = np.sqrt(variance)
    z = np.divide(s - np.sign(s), spread, out=np.zeros_like(s), where=spread > 0)
    return z, np.asarray(2.0 * ndtr(-np.abs(z)))


def _ties(flat: FloatArray) -> FloatArray:
    """(columns,) sum over groups of equal values of t(t-1)(2t+5)."""
    ordered = np.sort(flat, axis=0)
    run = np.ones(flat.shape[1])
    total = np.zeros(flat.shape[1])
    for row in range(1, len(flat) + 1):
        same = ordered[row] == ordered[row - 1] if row < len(flat) else np.zeros(len(run), bool)
        total += np.where(same, 0.0, run * (run - 1.0) * (2.0 * run + 5.0))
        run = np.where(same, run + 1.0, 1.0)
    return total


def _sen(flat: FloatArray) -> FloatArray:
    """(columns,) median pairwise slope; constant columns are not looked at."""
    n = len(flat)
    early, late = np.triu_indices(n, 1)
    apart = (late - early).astype(np.float64)[:, None]
    slope = np.zeros(flat.shape[1])
    moving = np.flatnonzero((flat != flat[0]).any(axis=0))
    step = max(1, _BLOCK // len(early))
    for start in range(0, len(moving), step):
        part = moving[start : start + step]
        slope[part] = np.median((flat[late][:, part] - flat[early][:, part]) / apart, axis=0)
    return slope


def recent_periods(periods: int) -> int:
    """How many of the last periods count as recent: a fifth, at least one."""
    return max(1, math.ceil(periods / 5 - 1e-9))


def courses(hot: ArrayLike, trend: Trend, alpha: float = ALPHA) -> NDArray[np.int8]:
    """The plain word (:class:`Course`) of each place, by the rules at the head of the module.

    ``hot`` is (periods, ...) booleans, oldest first; ``trend`` of the counts of the same periods.
    """
    each = np.asarray(hot, dtype=bool)
    recent = recent_periods(len(each))
    now, before = each[-recent:].any(axis=0), each[:-recent].any(axis=0)
    enough = each.sum(axis=0) >= max(1, math.ceil(len(each) / 10 - 1e-9))
    moves = np.nan_to_num(trend.q, nan=1.0) <= alpha
    out = np.full(each.shape[1:], Course.NONE, dtype=np.int8)
    out[enough & before & ~now] = Course.FORMER
    out[enough & now & ~before] = Course.NEW
    both = enough & now & before
    out[both] = Course.PERSISTENT
    if len(each) >= LEAST_PERIODS:
        out[both & moves & (trend.slope > 0)] = Course.GROWING
        out[both & moves & (trend.slope < 0)] = Course.FADING
    return out


@dataclass(frozen=True, eq=False)
class Development:
    """Hot spots through time: ``hot`` (periods, ny, nx) in which period each cell was one; one
    trend, one word and the number of hot periods of each cell."""

    hot: BoolArray
    trend: Trend
    course: NDArray[np.int8]
    hot_periods: IntArray


def develop(
    cells: Cells,
    counts: ArrayLike,
    *,
    exposure: ArrayLike | None = None,
    method: Method = "auto",
    alpha: float = ALPHA,
    steps: Steps = one_after_another,
) -> Development:
    """Judge (periods, ny, nx) counts: Gi* in each, Mann-Kendall of the neighbourhoods, the words.

    ``exposure`` and ``method`` are those of :func:`incidents.gistar.gi_star`, the same in every
    period. ``steps`` does one period after another (stage "months") and the trends.

    The trend is that of the cell with its eight neighbours, the same ground Gi* looks at: a single
    200 m cell has too few events a month to show one. Outside the area the course is NONE.
    """
    values = np.asarray(counts)
    if values.ndim != 3 or values.shape[1:] != cells.shape:
        raise ValueError(f"counts {values.shape} must be periods of these cells {cells.shape}")
    inside = cells.inside

    def judged(period: int) -> BoolArray:
        return gi_star(
            values[period], cells, exposure=exposure, method=method, alpha=alpha
        ).hot

    hot: BoolArray = np.stack(steps("months", len(values), judged))
    sums = np.stack([queen_sums(period * inside) * inside for period in values])
    trend = mann_kendall(sums, slopes_to=alpha, steps=steps)
    return Development(hot, trend, courses(hot, trend, alpha), hot.sum(axis=0))
