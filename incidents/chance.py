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

    Among cells of one expectation only the most and the fewest can deviate most, so the deviate is
    worked out for a handful of numbers a run.
    """
    rng = np.random.default_rng(seed)
    cells = np.flatnonzero(mask)
    chances = share.ravel()[cells]
    extremes = _Extremes(mask.size, cells, np.round(total * queen_sums(share).ravel()[cells], 9))
    small: np.dtype[Any] = np.dtype(np.int32)  # the fewer bytes, the faster the sums
    if 9 * total < 2**15 or 100.0 * total * float(chances.max()) < 2**15:
        small = np.dtype(np.int16)  # 2**15 events in one neighbourhood are out of reach
    highest = np.empty(runs)
    for run in range(runs):
        drawn = cells[_draw(rng, chances, total)]
        flat: NDArray[Any] = np.bincount(drawn, minlength=mask.size).astype(small)
        most, fewest = extremes.of(queen_sums(flat.reshape(mask.shape)).ravel())
        up = freeman_tukey(most, extremes.levels).max()
        down = freeman_tukey(fewest, extremes.levels).min()
        highest[run] = max(float(up), -float(down))
    return highest


def _draw(rng: np.random.Generator, chances: FloatArray, total: int) -> NDArray[Any]:
    """(total,) places drawn with the chances given, which sum to 1."""
    n, top = len(chances), float(chances.max())
    accept = 1.0 / (n * top)  # share of draws kept when all places are drawn alike
    if accept > 1.0 - 1e-12:
        return rng.integers(0, n, total, dtype=np.int32)
    if accept < 0.25:
        return np.repeat(np.arange(n), rng.multinomial(total, chances))
    drawn = np.empty(0, dtype=np.int32)
    while len(drawn) < total:
        tries = int((total - len(drawn)) / accept * 1.05) + 50
        tried = rng.integers(0, n, tries, dtype=np.int32)
        kept = tried[rng.random(tries, dtype=np.float32) * top < chances[tried]]
        drawn = np.concatenate([drawn, kept])
    return drawn[:total]


class _Extremes:
    """The most and the fewest among the cells of each expectation, many times over."""

    def __init__(self, size: int, cells: IntArray, expected: FloatArray) -> None:
        self.levels, level = np.unique(expected, return_inverse=True)
        members = np.bincount(level)
        main = int(members.argmax())  # nearly all cells have eight neighbours: no gathering there
        self.main = np.zeros(size, dtype=np.int32)
        self.main[cells[level == main]] = 1
        self.nowhere = (1 - self.main) * (2**31 - 1)
        self.levels = np.concatenate([self.levels[[main]], np.delete(self.levels, main)])
        order = np.argsort(level, kind="stable")
        self.rest = cells[order[level[order] != main]]
        starts = np.cumsum(np.delete(members, main))
        self.starts = np.concatenate([[0], starts[:-1]]) if len(starts) else starts

    def of(self, sums: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """(levels,) most and fewest; ``sums`` whole numbers, one per cell of the whole table."""
        most, fewest = [(sums * self.main).max()], [(sums | self.nowhere).min()]
        rest = sums[self.rest]
        most.extend(np.maximum.reduceat(rest, self.starts) if len(rest) else [])
        fewest.extend(np.minimum.reduceat(rest, self.starts) if len(rest) else [])
        return np.array(most, dtype=np.float64), np.array(fewest, dtype=np.float64)


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
