"""What chance alone would do: exact tails, and events scattered at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import betainc

from incidents.cells import BoolArray, FloatArray, IntArray


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


def binomial_p(sums: FloatArray, total: float, part: FloatArray) -> FloatArray:
    """Two-sided exact p of a count, given the total: twice the smaller tail, at most 1.

    Given the total, a neighbourhood's Poisson count is binomial; that is the exact form.
    """
    chance = np.clip(part, 0.0, 1.0)
    rest = total - sums
    # P(X >= k) = I_p(k, N - k + 1) and P(X <= k) = I_{1-p}(N - k, k + 1)
    upper = np.where(sums > 0, betainc(np.maximum(sums, 1.0), rest + 1.0, chance), 1.0)
    lower = np.where(rest > 0, betainc(np.maximum(rest, 1.0), sums + 1.0, 1.0 - chance), 1.0)
    return np.asarray(np.minimum(2.0 * np.minimum(upper, lower), 1.0))


def freeman_tukey(sums: FloatArray, expected: FloatArray) -> FloatArray:
    """Deviate that is near normal for small counts too (Freeman & Tukey 1950)."""
    return np.asarray(np.sqrt(sums) + np.sqrt(sums + 1.0) - np.sqrt(4.0 * expected + 1.0))


def scatter_on_cells(
    mask: BoolArray, share: FloatArray, total: int, runs: int, seed: int
) -> FloatArray:
    """(runs,) largest deviation anywhere when ``total`` events fall by chance.

    ``mask`` and ``share`` (ny, nx): the area, and each cell's share of the events by chance.
    """
    rng = np.random.default_rng(seed)
    cells = np.flatnonzero(mask)
    chances = share.ravel()[cells]
    furthest = _Furthest(mask.size, cells, np.round(total * queen_sums(share).ravel()[cells], 9))
    small: np.dtype[Any] = np.dtype(np.int32)  # the fewer bytes, the faster the sums
    if 9 * total < 2**15 or 100.0 * total * float(chances.max()) < 2**15:
        small = np.dtype(np.int16)  # 2**15 events in one neighbourhood are out of reach
    draw = _Draw(chances)
    highest = np.empty(runs)
    for run in range(runs):
        flat: NDArray[Any] = np.bincount(cells[draw(rng, total)], minlength=mask.size)
        sums = queen_sums(flat.astype(small).reshape(mask.shape)).ravel()
        highest[run] = furthest.of(sums)
    return highest


class _Draw:
    """Places drawn with chances that sum to 1."""

    def __init__(self, chances: FloatArray) -> None:
        self.chances, self.top = chances, float(chances.max())
        self.accept = 1.0 / (len(chances) * self.top)  # kept when all places are drawn alike
        self.below = np.cumsum(chances)
        self.below[-1] = 1.0

    def __call__(self, rng: np.random.Generator, total: int) -> NDArray[Any]:
        n = len(self.chances)
        if self.accept > 1.0 - 1e-12:
            return rng.integers(0, n, total, dtype=np.int32)
        if self.accept < 0.25:
            # Asked for in order, a search finds its neighbours in the cache.
            return np.minimum(np.searchsorted(self.below, np.sort(rng.random(total))), n - 1)
        drawn = np.empty(0, dtype=np.int32)
        while len(drawn) < total:
            tries = int((total - len(drawn)) / self.accept * 1.05) + 50
            tried = rng.integers(0, n, tries, dtype=np.int32)
            kept = rng.random(tries, dtype=np.float32) * self.top < self.chances[tried]
            drawn = np.concatenate([drawn, tried[kept]])
        return drawn[:total]


class _Furthest:
    """The largest deviation of any cell, many times over.

    Of cells with one expectation only the most and the fewest can deviate most. Where nearly all
    have one, because they have eight neighbours, no deviate of theirs is worked out but two.
    """

    def __init__(self, size: int, cells: IntArray, expected: FloatArray) -> None:
        levels, level = np.unique(expected, return_inverse=True)
        main = int(np.bincount(level).argmax())
        self.main = np.zeros(size, dtype=np.int32)
        self.main[cells[level == main]] = 1
        self.nowhere = (1 - self.main) * (2**31 - 1)
        self.rest = cells[level != main]
        self.base_main = float(np.sqrt(4.0 * levels[main] + 1.0))
        self.base_rest = np.sqrt(4.0 * expected[level != main] + 1.0)
        self.roots = _roots(1024)

    def of(self, sums: NDArray[Any]) -> float:
        """``sums`` are whole numbers, one per cell of the whole table."""
        most = int(sums.max())
        if most >= len(self.roots):
            self.roots = _roots(2 * most)
        ends = self.roots[[int((sums * self.main).max()), int((sums | self.nowhere).min())]]
        furthest = float(np.abs(ends - self.base_main).max())
        if len(self.rest):
            others = np.abs(self.roots[sums[self.rest]] - self.base_rest)
            furthest = max(furthest, float(others.max()))
        return furthest


def _roots(n: int) -> FloatArray:
    """The part of :func:`freeman_tukey` that comes from the count, for 0 to n - 1."""
    known = np.arange(n, dtype=np.float64)
    return np.sqrt(known) + np.sqrt(known + 1.0)


def scatter_on_areas(
    matrix: csr_array, share: FloatArray, total: int, runs: int, seed: int
) -> FloatArray:
    """(runs,) largest deviation in any area's neighbourhood when the events fall by chance."""
    rng = np.random.default_rng(seed)
    expected = (total * (matrix @ share))[:, None]
    highest = np.empty(runs)
    step = 100  # so that 100 runs of 10,000 areas take 8 MB, not all at once
    for start in range(0, runs, step):
        many = min(step, runs - start)
        drawn = rng.multinomial(total, share, size=many).T.astype(np.float64)
        deviate = np.abs(freeman_tukey(matrix @ drawn, expected))
        highest[start : start + many] = deviate.max(axis=0)
    return highest
