"""Getis-Ord Gi*: which neighbourhoods hold more (or fewer) events than chance would put there.

The neighbourhood of a cell is the cell itself and the up to eight cells around it that lie in the
area. A cell is compared with the mean of the whole area; tests are two-sided and corrected over all
cells by Benjamini and Hochberg.

The usual z of Gi* takes a normal tail for granted. Counts are not normal far out, where a
correction looks: pure noise of 50 to 5,000 events has false hot spots in a large share of maps
(docs/hotspots.md has the table). So the automatic rule (``method="auto"``) is:

* every neighbourhood expects 2,000 events or more, or the values are not whole counts: ``normal``;
* otherwise ``exact``: p is the *larger* of the exact binomial (Poisson) p of the neighbourhood's
  count and the p of the usual z. The first keeps noise out. The second, whose variance is the
  map's own, keeps a county of towns and fields from being called one large hot spot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.special import ndtr

from incidents.cells import BoolArray, Cells, FloatArray, IntArray
from incidents.chance import (
    binomial_p,
    freeman_tukey,
    queen_sums,
    scatter_on_areas,
    scatter_on_cells,
)
from incidents.correction import benjamini_hochberg

Method = Literal["auto", "normal", "poisson", "exact", "monte_carlo"]
NORMAL_FROM = 2000.0  # expected events in the smallest neighbourhood; benchmarks/noise.py
ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Significance:
    """What a test says of each cell or area; all arrays have the shape of the counts.

    Attributes
    ----------
    count : events (or weights) in the neighbourhood, the place itself included.
    expected : what chance would put there, given the total.
    z : Gi* as a standard deviate; positive where there is more than expected.
    p : two-sided, of this place alone.
    q : corrected for all places looked at.
    significant : q <= alpha.
    method : ``normal``, ``poisson``, ``exact`` or ``monte_carlo``; what was used.

    Places outside the area hold nan in z, p, q and False in significant.
    """

    count: FloatArray
    expected: FloatArray
    z: FloatArray
    p: FloatArray
    q: FloatArray
    significant: BoolArray
    method: str

    @property
    def hot(self) -> BoolArray:
        """Significantly more than expected."""
        return self.significant & (self.count > self.expected)

    @property
    def cold(self) -> BoolArray:
        """Significantly fewer than expected."""
        return self.significant & (self.count < self.expected)


def gi_star(
    counts: ArrayLike,
    inside: Cells | ArrayLike | None = None,
    *,
    exposure: ArrayLike | None = None,
    method: Method = "auto",
    alpha: float = ALPHA,
    runs: int = 999,
    seed: int = 0,
) -> Significance:
    """Gi* of cells, (ny, nx), with queen neighbourhoods that end at the area's border.

    Parameters
    ----------
    counts : (ny, nx) events per cell; whole numbers, unless method is ``normal``.
    inside : the :class:`~incidents.cells.Cells`, or (ny, nx) booleans, or None for all. With cells,
        a cell half outside the area is expected to hold half: without that, noise has cold spots
        along the border.
    exposure : (ny, nx) what the events would follow by chance: households, length of road. None
        means the ground. Scale does not matter.
    method : ``auto`` by the rule at the head of this module; ``normal`` is Getis and Ord's z;
        ``poisson`` the exact binomial alone; ``exact`` both; ``monte_carlo`` scatters the events
        ``runs`` times and compares with the largest deviation found anywhere (q is then the
        chance that noise shows one cell as extreme, stricter than a false discovery rate).
    seed : of the Monte-Carlo runs.

    Formula: Ord & Getis (1995), eq. 3: z = (S_i - m_i x) / (s sqrt((n m_i - m_i^2) / (n - 1))),
    s^2 = mean of squares - x^2. With an exposure, the same with m_i x replaced by the expected
    count E_i = N e_i and the variance by E_i (1 - e_i) sum (x - E)^2 / N n / (n - 1), which is
    the same number where the exposure is even.

    Wrong when the events are repeats of one thing (the same caller, one building's address given
    for all): then neighbourhoods are not independent draws. It compares with the area's mean, so
    without households as ``exposure`` a busy place is hot because people are there. Where a whole
    neighbourhood has no exposure any event is beyond chance: add a little to every cell.

    Raises ValueError for other shapes, negative or missing counts, or an exposure of nothing.
    """
    values = np.asarray(counts, dtype=np.float64)
    ground: ArrayLike | None = None
    if isinstance(inside, Cells):
        ground, inside = inside.share, inside.inside
    mask = np.ones(values.shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    if values.ndim != 2 or mask.shape != values.shape:
        raise ValueError(f"counts {values.shape} and area {mask.shape} must be the same table")
    values = np.where(mask, values, 0.0)
    share = _shares(ground if exposure is None else exposure, mask)
    result = _judge(
        values[mask],
        queen_sums(values)[mask],
        share[mask],
        queen_sums(share)[mask],
        method,
        alpha,
        lambda: scatter_on_cells(mask, share, int(values.sum()), runs, seed),
    )
    return _spread(result, mask)


def gi_star_areas(
    values: ArrayLike,
    weights: csr_array,
    *,
    exposure: ArrayLike | None = None,
    star: bool = True,
    method: Method = "auto",
    alpha: float = ALPHA,
    runs: int = 999,
    seed: int = 0,
) -> Significance:
    """Gi* of n areas of any shape with the (n, n) sparse weights of their neighbourhoods.

    ``weights`` come without the diagonal (:func:`incidents.neighbours.queen`); with ``star`` each
    area is put into its own neighbourhood with weight 1. Weights other than 0 and 1, and ``star``
    off (Gi: sum, mean and variance leave the area out), are judged by the normal form alone, and
    without an exposure. Other parameters, the rule and the caveats are those of :func:`gi_star`.
    Areas of unequal size or people need ``exposure`` (residents, households). Raises ValueError
    for other shapes, and for a method or exposure the weights do not allow.
    """
    each = np.asarray(values, dtype=np.float64)
    n = len(each)
    if each.ndim != 1 or weights.shape != (n, n):
        raise ValueError(f"{n} values need {n} x {n} weights, not {weights.shape}")
    matrix = csr_array(weights, dtype=np.float64, copy=True).tolil()
    matrix.setdiag(1.0 if star else 0.0)
    matrix = csr_array(matrix)
    if not star or not np.isin(matrix.data, (0.0, 1.0)).all():
        if method not in ("auto", "normal") or exposure is not None:
            raise ValueError("Gi without the area itself, or weighted, has the normal form only")
        return _weighted_gi(each, matrix, star, alpha)
    share = _shares(exposure, np.ones(n, dtype=bool))
    return _judge(
        each,
        matrix @ each,
        share,
        matrix @ share,
        method,
        alpha,
        lambda: scatter_on_areas(matrix, share, int(each.sum()), runs, seed),
    )


def _weighted_gi(values: FloatArray, matrix: csr_array, star: bool, alpha: float) -> Significance:
    """Gi* with any weights, or Gi, by the normal form (Ord & Getis 1995, eqs. 3 and 5)."""
    n = len(values)
    weight = np.asarray(matrix.sum(axis=1)).ravel()
    weight2 = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    sums: FloatArray = np.asarray(matrix @ values, dtype=np.float64)
    of = n if star else n - 1
    own = 0.0 if star else values
    mean = (values.sum() - own) / of
    variance = ((values**2).sum() - np.square(own)) / of - mean**2
    spread = np.sqrt(np.maximum(variance * (of * weight2 - weight**2) / (of - 1), 0.0))
    z = np.zeros(n)
    np.divide(sums - weight * mean, spread, out=z, where=spread > 1e-12 * np.abs(mean))
    p: FloatArray = np.asarray(2.0 * ndtr(-np.abs(z)), dtype=np.float64)
    q = benjamini_hochberg(p)
    return Significance(sums, weight * mean, z, p, q, q <= alpha, "normal")


def _shares(exposure: ArrayLike | None, mask: BoolArray) -> FloatArray:
    """Each place's share of the total by chance; sums to 1 over the area."""
    if exposure is None:
        return np.asarray(mask / max(mask.sum(), 1))
    each = np.where(mask, np.asarray(exposure, dtype=np.float64), 0.0)
    if not (np.isfinite(each).all() and (each >= 0).all() and each.sum() > 0):
        raise ValueError("exposure must be finite, not negative, and more than nothing in all")
    return np.asarray(each / each.sum())


def _judge(
    values: FloatArray,
    sums: FloatArray,
    share: FloatArray,
    part: FloatArray,
    method: Method,
    alpha: float,
    scatter: Callable[[], FloatArray],
) -> Significance:
    """All places inside, (n,): pick the method, test, correct.

    ``share`` of the events each place, ``part`` each neighbourhood has by chance.
    """
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("counts must be numbers from 0 up; 0 stands for none")
    total = float(values.sum())
    chosen = _choose(method, bool((values == np.floor(values)).all()), total * part)
    # One test per distinct (count, neighbourhood): a map has a few hundred, not one per cell.
    first, of = _distinct(sums, part)
    count, chance = sums[first], part[first]
    z = _dispersed_z(values, share, count, chance)
    p: FloatArray = np.asarray(2.0 * ndtr(-np.abs(z)), dtype=np.float64)
    if chosen != "normal":
        exact = binomial_p(count, total, chance)
        p = np.maximum(p, exact) if chosen == "exact" else exact
    if chosen == "monte_carlo":
        highest = np.sort(scatter())
        deviate = np.abs(freeman_tukey(count, total * chance))
        beyond = len(highest) - np.searchsorted(highest, deviate - 1e-9)
        q: FloatArray = np.asarray((beyond + 1.0) / (len(highest) + 1.0), dtype=np.float64)
    else:
        q = benjamini_hochberg(p, np.bincount(of))
    return Significance(sums, total * part, z[of], p[of], q[of], (q <= alpha)[of], chosen)


def _choose(method: Method, whole: bool, expected: FloatArray) -> str:
    if method == "auto":
        plenty = float(expected.min(initial=np.inf)) >= NORMAL_FROM
        return "normal" if plenty or not whole else "exact"
    if method != "normal" and not whole:
        raise ValueError(f"method {method!r} needs whole counts")
    return method


def _distinct(sums: FloatArray, part: FloatArray) -> tuple[IntArray, IntArray]:
    """Where each distinct (count, neighbourhood) stands, and which of them each place has.

    Most cells have all eight neighbours and one expectation; only the others are sorted.
    """
    level = np.zeros(len(part), dtype=np.int64)
    rest = np.flatnonzero(part < part.max(initial=0.0) * (1.0 - 1e-9))
    if len(rest):
        level[rest] = 1 + np.unique(part[rest], return_inverse=True)[1]
    if not len(sums) or sums.max() * (level.max() + 1) > 1e7 or (sums != np.floor(sums)).any():
        every = np.arange(len(sums))
        return every, every
    code = sums.astype(np.int64) * (int(level.max()) + 1) + level
    place = np.full(int(code.max()) + 1, -1, dtype=np.int64)
    place[code] = np.arange(len(code))
    present = np.flatnonzero(place >= 0)
    first = place[present]
    place[present] = np.arange(len(present))
    return first, place[code]


def _dispersed_z(
    values: FloatArray, share: FloatArray, sums: FloatArray, part: FloatArray
) -> FloatArray:
    """Gi* as a standard deviate; the map's own spread is its variance."""
    n, total = len(values), float(values.sum())
    if n < 2 or total == 0:
        return np.zeros(len(sums))
    dispersion = float(((values - total * share) ** 2).sum()) / total * n / (n - 1)
    variance = dispersion * total * part * np.maximum(1.0 - part, 0.0)
    spread = np.sqrt(np.where(variance > 1e-18 * total**2, variance, 0.0))
    out = np.zeros(len(sums))
    np.divide(sums - total * part, spread, out=out, where=spread > 0)
    return out


def _spread(result: Significance, mask: BoolArray) -> Significance:
    """Results of the cells inside, put back into the table of all cells."""

    def table(values: FloatArray, outside: float) -> FloatArray:
        out = np.full(mask.shape, outside)
        out[mask] = values
        return out

    called = np.zeros(mask.shape, dtype=bool)
    called[mask] = result.significant
    return Significance(
        table(result.count, 0.0),
        table(result.expected, 0.0),
        table(result.z, np.nan),
        table(result.p, np.nan),
        table(result.q, np.nan),
        called,
        result.method,
    )
