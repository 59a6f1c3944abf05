"""Rates of small areas: how far a rate may be believed, and what remains of it when it may not.

A rate of 300 people moves by more than half of itself from chance alone. Show the smoothed rate
beside the raw one, never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.special import ndtri
from scipy.stats import chi2, poisson

from incidents.cells import BoolArray, FloatArray


def _pair(events: ArrayLike, base: ArrayLike) -> tuple[FloatArray, FloatArray]:
    e = np.asarray(events, dtype=np.float64)
    b = np.asarray(base, dtype=np.float64)
    if e.shape != b.shape or e.ndim != 1:
        raise ValueError(f"events {e.shape} and base {b.shape} must be two lists of one length")
    if not (np.isfinite(e).all() and np.isfinite(b).all() and (e >= 0).all() and (b >= 0).all()):
        raise ValueError("events and base must be finite numbers from 0 up")
    return e, b


def raw_rate(events: ArrayLike, base: ArrayLike) -> FloatArray:
    """(n,) events / base; nan where the base is 0 (no people, no rate)."""
    e, b = _pair(events, base)
    rate: FloatArray = np.divide(e, b, out=np.full(len(e), np.nan), where=b > 0)
    return rate


def empirical_bayes(events: ArrayLike, base: ArrayLike) -> FloatArray:
    """(n,) rates drawn to the rate of all, the more the smaller the area; nan where base is 0.

    Global empirical Bayes (Marshall 1991): m = sum e / sum b, a = max(0, sum b (r - m)^2 / sum b -
    m / mean b), rate = m + (r - m) a / (a + m / b). With a = 0 (no more spread than chance gives)
    every area gets the rate of all. Wrong where the areas are of two kinds (town and village)
    whose rates differ: use :func:`local_empirical_bayes`. Checked with esda's sids2 values.
    """
    e, b = _pair(events, base)
    rate = raw_rate(e, b)
    known = b > 0
    out = np.full(len(e), np.nan)
    if not known.any() or e[known].sum() == 0:
        out[known] = 0.0
        return out
    b, r = b[known], rate[known]
    mean = e[known].sum() / b.sum()
    spread = max(float((b * (r - mean) ** 2).sum() / b.sum() - mean / b.mean()), 0.0)
    out[known] = mean + (r - mean) * spread / (spread + mean / b)
    return out


def local_empirical_bayes(events: ArrayLike, base: ArrayLike, weights: csr_array) -> FloatArray:
    """(n,) rates drawn to the rate of the area and its neighbours; nan where base is 0.

    Marshall (1991), local form: m, a and the mean base of each area's neighbourhood, itself
    included. ``weights`` (n, n), 0 and 1, without the diagonal. Where a neighbourhood has no more
    spread than chance gives, its areas get its common rate.
    """
    e, b = _pair(events, base)
    rate = np.nan_to_num(raw_rate(e, b))
    around = csr_array(weights, dtype=np.float64, copy=True)
    around.setdiag(1.0)
    known = (b > 0).astype(np.float64)
    members = np.maximum(around @ known, 1.0)
    people = around @ b
    safe = np.where(people > 0, people, 1.0)
    mean = (around @ e) / safe
    # sum b (r - m)^2 over the neighbourhood, opened so that m may differ from area to area
    squares = (around @ (b * rate**2) - 2.0 * mean * (around @ e) + mean**2 * people) / safe
    spread = np.maximum(squares - mean * members / safe, 0.0)
    below = spread + mean / np.where(b > 0, b, 1.0)
    pull = np.divide(spread, below, out=np.zeros_like(spread), where=below > 0)
    return np.where(b > 0, mean + (rate - mean) * pull, np.nan)


@dataclass(frozen=True, eq=False)
class Funnel:
    """Limits of what chance allows around the common rate; arrays (n,).

    Attributes
    ----------
    expected : events at the common rate.
    lower, upper : counts that chance stays between in 95 % (or ``level``) of areas, inclusive.
    high, low : the area's count lies above or below.
    """

    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    high: BoolArray
    low: BoolArray


def funnel(events: ArrayLike, base: ArrayLike, level: float = 0.95) -> Funnel:
    """Exact Poisson funnel limits (Spiegelhalter 2005, without his interpolation).

    Divide the limits by ``base`` for rates. Exact means at most 2.5 % of areas lie beyond each
    limit by chance; with many areas some always do, and :func:`incidents.correction.
    benjamini_hochberg` says which remain. Too narrow where events come in clumps.
    """
    e, b = _pair(events, base)
    expected = b * (e.sum() / b.sum()) if b.sum() > 0 else np.zeros(len(e))
    tail = (1.0 - level) / 2.0
    lower, upper = poisson.ppf(tail, expected), poisson.isf(tail, expected)
    lower, upper = np.where(expected > 0, lower, 0.0), np.where(expected > 0, upper, 0.0)
    return Funnel(expected, lower, upper, e > upper, e < lower)


def poisson_interval(events: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Exact limits for the mean behind a count (Garwood 1936): 0 events give (0, 3.69)."""
    x = np.asarray(events, dtype=np.float64)
    tail = (1.0 - level) / 2.0
    lower = np.where(x > 0, chi2.ppf(tail, 2.0 * np.maximum(x, 1.0)) / 2.0, 0.0)
    return np.asarray(lower), np.asarray(chi2.isf(tail, 2.0 * x + 2.0) / 2.0)


def wilson_interval(
    part: ArrayLike, whole: ArrayLike, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Limits for a share (Wilson 1927), such as a closure rate; (nan, nan) where whole is 0."""
    k = np.asarray(part, dtype=np.float64)
    n = np.asarray(whole, dtype=np.float64)
    if ((k < 0) | (k > n)).any():
        raise ValueError("a part cannot be below 0 or above its whole")
    z = float(ndtri(0.5 + level / 2.0))
    safe = np.where(n > 0, n, np.nan)
    share = k / safe
    middle = (share + z**2 / (2 * safe)) / (1 + z**2 / safe)
    half = z / (1 + z**2 / safe) * np.sqrt(share * (1 - share) / safe + z**2 / (4 * safe**2))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
