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
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import bdtr, bdtrc, ndtr

from incidents.cells import BoolArray, FloatArray, IntArray
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


def queen_sums(values: NDArray[Any]) -> NDArray[Any]:
    """(ny, nx) sum over each cell and its eight neighbours; beyond the border there is nothing.

    Keeps the type of the numbers.
    """
    down = values.copy()
    down[1:] += values[:-1]
    down[:-1] += values[1:]
    out = down.copy()
    out[:, 1:] += down[:, :-1]
    out[:, :-1] += down[:, 1:]
    return out


def gi_star(
    counts: ArrayLike,
    inside: ArrayLike | None = None,
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
    inside : (ny, nx) cells of the area (``Cells.inside``); None for all.
    exposure : (ny, nx) what the events would follow by chance: households, length of road, ground
        (``Cells.share``). None means every cell alike. Scale does not matter.
    method : ``auto`` by the rule at the head of this module; ``normal`` is Getis and Ord's z;
        ``poisson`` the exact binomial alone; ``exact`` both; ``monte_carlo`` scatters the events
        ``runs`` times and compares with the largest deviation found anywhere (q is then the
        chance that noise shows one cell as extreme, stricter than a false discovery rate).
    seed : of the Monte-Carlo runs.

    Formula: Ord & Getis (1995), eq. 3: z = (S_i - m_i x) / (s sqrt((n m_i - m_i^2) / (n - 1))),
    s^2 = mean of squares - x^2.

    Wrong when the events are repeats of one thing (the same caller, one building's address given
    for all): then neighbourhoods are not independent draws. It compares with the area's mean, so
    without ``exposure`` a busy place is hot because people are there.

    Raises ValueError for other shapes, negative or missing counts, or an exposure of nothing.
    """
    values = np.asarray(counts, dtype=np.float64)
    mask = np.ones(values.shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    if values.ndim != 2 or mask.shape != values.shape:
        raise ValueError(f"counts {values.shape} and area {mask.shape} must be the same table")
    values = np.where(mask, values, 0.0)
    share = _shares(exposure, mask)
    members: FloatArray = queen_sums(mask.astype(np.float64))[mask]
    part: FloatArray = members / mask.sum() if exposure is None else queen_sums(share)[mask]
    result = _judge(
        values[mask],
        queen_sums(values)[mask],
        members,
        members,
        part,
        exposure is not None,
        exposure is None,
        method,
        alpha,
        lambda: _scatter_on_cells(
            mask, share if exposure is not None else None, values, runs, seed
        ),
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
    area is put into its own neighbourhood with weight 1, without it is left out (Gi, mean and
    variance then leave it out too, and only ``normal`` is offered). Everything but ``normal``
    needs weights of 0 and 1 and whole counts. Other parameters, the rule and the caveats are those
    of :func:`gi_star`. Areas of unequal size or people need ``exposure`` (residents, households).
    """
    each = np.asarray(values, dtype=np.float64)
    n = len(each)
    if each.ndim != 1 or weights.shape != (n, n):
        raise ValueError(f"{n} values need {n} x {n} weights, not {weights.shape}")
    matrix = csr_array(weights, dtype=np.float64, copy=True)
    matrix.setdiag(1.0 if star else 0.0)
    if not star:
        return _gi_without_self(each, matrix, alpha)
    mask = np.ones(n, dtype=bool)
    share = _shares(exposure, mask)
    binary = bool(np.isin(matrix.data, (0.0, 1.0)).all())
    if not binary and method not in ("auto", "normal"):
        raise ValueError(f"method {method!r} needs weights of 0 and 1")
    return _judge(
        each,
        matrix @ each,
        np.asarray(matrix.sum(axis=1)).ravel(),
        np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel(),
        matrix @ share,
        exposure is not None,
        False,
        method if binary else "normal",
        alpha,
        lambda: _scatter_on_areas(matrix, share, each, runs, seed),
    )


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
    weight: FloatArray,
    weight2: FloatArray,
    part: FloatArray,
    exposed: bool,
    alike: bool,
    method: Method,
    alpha: float,
    scatter: Callable[[], FloatArray],
) -> Significance:
    """All places inside, (n,): pick the method, test, correct.

    ``alike`` says that places with equal sums and weights have equal tests.
    """
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("counts must be numbers from 0 up; 0 stands for none")
    total = float(values.sum())
    whole = bool((values == np.floor(values)).all())
    chosen = _choose(method, whole, exposed, total * part)
    expected = total * part if chosen != "normal" else weight * values.mean()
    # One test per distinct (count, neighbourhood): a map has a few hundred, not one per cell.
    first, of = _distinct(sums, weight) if whole and alike else _each(len(values))
    z = _normal_z(values, sums[first], weight[first], weight2[first])
    if exposed:
        z = _binomial_z(sums[first], total, part[first])
    p: FloatArray = np.asarray(2.0 * ndtr(-np.abs(z)), dtype=np.float64)
    if chosen != "normal":
        exact = _binomial_p(sums[first], total, part[first])
        p = np.maximum(p, exact) if chosen == "exact" and not exposed else exact
    if chosen == "monte_carlo":
        deviate = _freeman_tukey(sums[first], total * part[first])
        highest = scatter()
        beyond = len(highest) - np.searchsorted(np.sort(highest), np.abs(deviate) - 1e-9)
        q: FloatArray = np.asarray((beyond + 1.0) / (len(highest) + 1.0), dtype=np.float64)
    else:
        q = benjamini_hochberg(p, np.bincount(of))
    return Significance(sums, expected, z[of], p[of], q[of], (q <= alpha)[of], chosen)


def _choose(method: Method, whole: bool, exposed: bool, expected: FloatArray) -> str:
    if method != "auto":
        if method != "normal" and not whole:
            raise ValueError(f"method {method!r} needs whole counts")
        if method == "normal" and exposed:
            raise ValueError("the normal form knows no exposure: use 'auto'")
        return method
    if not whole:
        if exposed:
            raise ValueError("an exposure needs whole counts")
        return "normal"
    plenty = len(expected) > 0 and float(expected.min()) >= NORMAL_FROM
    return "normal" if plenty and not exposed else "exact"


def _distinct(sums: FloatArray, weight: FloatArray) -> tuple[IntArray, IntArray]:
    """Where each distinct pair of whole numbers stands, and which of them each place has."""
    code = sums.astype(np.int64) * (int(weight.max(initial=0)) + 1) + weight.astype(np.int64)
    if code.max(initial=0) > 50_000_000:
        _, first, of = np.unique(code, return_index=True, return_inverse=True)
        return first, of
    place = np.full(int(code.max(initial=0)) + 1, -1, dtype=np.int64)
    place[code] = np.arange(len(code))
    present = np.flatnonzero(place >= 0)
    first = place[present]
    place[present] = np.arange(len(present))
    return first, place[code]


def _each(n: int) -> tuple[IntArray, IntArray]:
    every = np.arange(n)
    return every, every


def _normal_z(
    values: FloatArray, sums: FloatArray, weight: FloatArray, weight2: FloatArray
) -> FloatArray:
    n = len(values)
    if n < 2:
        return np.zeros(len(sums))
    mean = values.mean()
    variance = max(float(np.mean(values**2) - mean**2), 0.0)
    spread = np.sqrt(variance * np.maximum(n * weight2 - weight**2, 0.0) / (n - 1))
    flat = spread <= 1e-12 * max(abs(mean), 1e-300) * np.maximum(weight, 1.0)
    return np.where(flat, 0.0, (sums - weight * mean) / np.where(flat, 1.0, spread))


def _gi_without_self(values: FloatArray, matrix: csr_array, alpha: float) -> Significance:
    """Gi: the place itself is no part of its sum, of the mean or of the variance."""
    n = len(values)
    mean = (values.sum() - values) / (n - 1)
    variance = ((values**2).sum() - values**2) / (n - 1) - mean**2
    weight = np.asarray(matrix.sum(axis=1)).ravel()
    weight2 = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    sums = matrix @ values
    spread = np.sqrt(np.maximum(variance * ((n - 1) * weight2 - weight**2) / (n - 2), 0.0))
    z: FloatArray = np.divide(sums - weight * mean, spread, out=np.zeros(n), where=spread > 0)
    p: FloatArray = np.asarray(2.0 * ndtr(-np.abs(z)), dtype=np.float64)
    q = benjamini_hochberg(p)
    return Significance(sums, weight * mean, z, p, q, q <= alpha, "normal")


def _binomial_z(sums: FloatArray, total: float, part: FloatArray) -> FloatArray:
    spread = np.sqrt(total * part * (1.0 - part))
    return np.where(spread > 0, (sums - total * part) / np.where(spread > 0, spread, 1.0), 0.0)


def _binomial_p(sums: FloatArray, total: float, part: FloatArray) -> FloatArray:
    """Two-sided exact p of a count, given the total: twice the smaller tail, at most 1.

    Given the total, a neighbourhood's Poisson count is binomial; that is the exact form.
    """
    chance = np.clip(part, 0.0, 1.0)
    upper = np.where(sums > 0, bdtrc(np.maximum(sums - 1.0, 0.0), total, chance), 1.0)
    lower = bdtr(sums, total, chance)
    return np.asarray(np.minimum(2.0 * np.minimum(upper, lower), 1.0))


def _freeman_tukey(sums: FloatArray, expected: FloatArray) -> FloatArray:
    """Deviate that is near normal for small counts too (Freeman & Tukey 1950)."""
    return np.asarray(np.sqrt(sums) + np.sqrt(sums + 1.0) - np.sqrt(4.0 * expected + 1.0))


def _scatter_on_cells(
    mask: BoolArray, share: FloatArray | None, values: FloatArray, runs: int, seed: int
) -> FloatArray:
    """(runs,) largest deviation anywhere when the events fall by chance."""
    rng = np.random.default_rng(seed)
    total, cells = int(values.sum()), np.flatnonzero(mask)
    weights = mask / mask.sum() if share is None else share
    expected = (total * queen_sums(np.asarray(weights, dtype=np.float64))).ravel()[cells]
    levels, level = np.unique(np.round(expected, 9), return_inverse=True)
    order = cells[np.argsort(level, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(level))[:-1]])
    if len(levels) > 64:  # every neighbourhood its own expectation: no grouping
        order, levels, starts = cells, expected, np.arange(len(cells))
    highest = np.empty(runs)
    exact = np.float32 if total < 2**24 else np.float64  # whole numbers stay whole
    chances = None if share is None else share.ravel()[cells]
    for run in range(runs):
        if chances is None:
            drawn = cells[rng.integers(0, len(cells), total)]
            flat = np.bincount(drawn, minlength=mask.size).astype(exact)
        else:
            flat = np.zeros(mask.size, dtype=exact)
            flat[cells] = rng.multinomial(total, chances)
        sums = queen_sums(flat.reshape(mask.shape)).ravel()[order]
        most = np.maximum.reduceat(sums, starts).astype(np.float64)
        fewest = np.minimum.reduceat(sums, starts).astype(np.float64)
        highest[run] = max(
            float(_freeman_tukey(most, levels).max()), float(-_freeman_tukey(fewest, levels).min())
        )
    return highest


def _scatter_on_areas(
    matrix: csr_array, share: FloatArray, values: FloatArray, runs: int, seed: int
) -> FloatArray:
    """(runs,) largest deviation in any area's neighbourhood when the events fall by chance."""
    rng = np.random.default_rng(seed)
    total = int(values.sum())
    expected = (total * (matrix @ share))[:, None]
    highest = np.empty(runs)
    step = 100  # so that 100 runs of 10,000 areas take 8 MB, not all at once
    for start in range(0, runs, step):
        many = min(step, runs - start)
        drawn = rng.multinomial(total, share, size=many).T.astype(np.float64)
        deviate = np.abs(_freeman_tukey(matrix @ drawn, expected))
        highest[start : start + many] = deviate.max(axis=0)
    return highest


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
