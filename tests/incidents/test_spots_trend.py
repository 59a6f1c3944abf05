"""Mann-Kendall against published values and a plain oracle; the plain words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, theilslopes

from incidents.cells import rectangle
from incidents.trend import LEAST_PERIODS, Course, courses, develop, mann_kendall, recent_periods

PUBLISHED = Path(__file__).parent / "published"


def test_bogra_rainfall() -> None:
    """pyMannKendall's reference values, to the last digit they print."""
    rain = pd.read_csv(PUBLISHED / "bogra_rainfall.csv")["mm"].dropna().to_numpy()
    result = mann_kendall(rain)
    assert result.s == -1959.0
    assert result.variance == pytest.approx(4889800.333333333, rel=1e-15)
    assert result.z == pytest.approx(-0.8854562842589916, rel=1e-14)
    assert result.p == pytest.approx(0.37591058740506833, rel=1e-13)
    assert result.tau == pytest.approx(-0.03153167653875869, rel=1e-14)
    assert result.slope == pytest.approx(-0.0064516129032258064, rel=1e-14)


@given(st.lists(st.lists(st.integers(0, 4), min_size=9, max_size=9), min_size=1, max_size=5))
def test_many_series_at_once_are_each_alone(series: list[list[int]]) -> None:
    values = np.array(series, dtype=float).T
    result = mann_kendall(values)
    for column in range(values.shape[1]):
        one = values[:, column]
        sign = [np.sign(one[j] - one[i]) for i in range(9) for j in range(i + 1, 9)]
        assert result.s[column] == sum(sign)
        _, ties = np.unique(one, return_counts=True)
        assert result.variance[column] == pytest.approx(
            (9 * 8 * 23 - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
        )
        assert result.slope[column] == pytest.approx(theilslopes(one).slope)
        if len(ties) == 9:
            assert result.tau[column] == pytest.approx(kendalltau(range(9), one).statistic)
        if len(ties) == 1:
            assert result.p[column] == 1.0
            assert np.isnan(result.q[column])


def test_a_gap_is_not_a_zero() -> None:
    with pytest.raises(ValueError, match="every period"):
        mann_kendall([1, np.nan, 3, 4])
    with pytest.raises(ValueError, match="three periods"):
        mann_kendall([1, 2])


def test_words() -> None:
    periods = 20
    hot = np.zeros((periods, 7), dtype=bool)
    counts = np.tile(np.tile([3.0, 4.0], periods // 2)[:, None], (1, 7))
    hot[:10, 1] = True  # former
    hot[-3:, 2] = True  # new
    hot[5:, 3] = True  # growing
    counts[:, 3] = np.arange(periods)
    hot[:, 4] = True  # persistent
    hot[:-1, 5] = True  # fading
    counts[:, 5] = np.arange(periods)[::-1]
    hot[7, 6] = True  # once in twenty is none
    assert [Course(word).name for word in courses(hot, mann_kendall(counts))] == [
        "NONE", "FORMER", "NEW", "GROWING", "PERSISTENT", "FADING", "NONE",
    ]  # fmt: skip
    assert [recent_periods(n) for n in (3, 5, 6, 12, 24)] == [1, 1, 2, 3, 5]


def test_develop_names_what_was_planted() -> None:
    rng = np.random.default_rng(0)
    cells = rectangle(30, 30)
    counts = rng.poisson(0.3, (12, 30, 30)).astype(float)
    counts[:6, 5, 5] += 30
    counts[:, 15, 15] += 30
    counts[-2:, 25, 25] += 30
    result = develop(cells, counts)
    assert Course(result.course[5, 5]) is Course.FORMER
    assert Course(result.course[15, 15]) is Course.PERSISTENT
    assert Course(result.course[25, 25]) is Course.NEW
    assert result.hot_periods[15, 15] == 12
    assert (result.course == Course.NONE).sum() > 800


@pytest.mark.parametrize("events", [40, 600])
def test_a_year_of_noise_has_no_word(events: int) -> None:
    rng = np.random.default_rng(events)
    cells = rectangle(30, 30)
    worded = 0
    for _ in range(20):
        months = rng.multinomial(events, np.full(900, 1 / 900), size=12).reshape(12, 30, 30)
        worded += bool((develop(cells, months).course != Course.NONE).any())
    assert worded <= 1


def test_noise_has_no_trend() -> None:
    rng = np.random.default_rng(5)
    false = [(mann_kendall(rng.poisson(2, (12, 400))).q <= 0.05).any() for _ in range(100)]
    assert np.mean(false) <= 0.05


def test_slopes_of_significant_trends_alone_give_the_same_words() -> None:
    rng = np.random.default_rng(3)
    series = rng.poisson(np.linspace(1, 12, 24)[:, None] * np.array([1.0, 0.0, 0.2]) + 3.0, (24, 3))
    series = np.hstack([series, series[::-1]])
    hot = np.ones(series.shape, dtype=bool)
    whole, part = mann_kendall(series), mann_kendall(series, slopes_to=0.05)
    assert (courses(hot, part) == courses(hot, whole)).all()
    assert {Course.GROWING, Course.FADING} <= set(courses(hot, part).tolist())
    assert np.isnan(part.slope[whole.p > 0.05]).all()


def test_no_trend_is_told_under_eight_periods() -> None:
    """A normal p of Mann-Kendall is not to be trusted there; hot throughout is still a word."""
    for periods, word in ((LEAST_PERIODS - 1, "PERSISTENT"), (LEAST_PERIODS, "GROWING")):
        rising = np.arange(periods, dtype=float)[:, None] * np.array([1.0, 2.0]) + 3.0
        trend = mann_kendall(rising)
        assert (trend.q <= 0.05).all()
        found = courses(np.ones((periods, 2), dtype=bool), trend)
        assert {Course(each).name for each in found} == {word}
