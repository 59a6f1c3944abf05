"""Smoothed rates, funnels and intervals against published values and exact tails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import poisson

from incidents.smooth import (
    empirical_bayes,
    funnel,
    local_empirical_bayes,
    poisson_interval,
    raw_rate,
    wilson_interval,
)

PUBLISHED = Path(__file__).parent / "published"


def test_sids2() -> None:
    table = pd.read_csv(PUBLISHED / "sids2.csv")
    smooth = empirical_bayes(table["deaths"], table["births"])
    np.testing.assert_allclose(
        smooth[:5], [0.0016973, 0.0017054, 0.0017731, 0.0020129, 0.0035349], atol=5e-8
    )


def test_st_louis() -> None:
    table = pd.read_csv(PUBLISHED / "stl.csv")
    near = [[int(k) for k in row.split()] for row in table["neighbours"]]
    rows = np.repeat(np.arange(len(near)), [len(each) for each in near])
    columns = np.concatenate(near)
    weights = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(near), len(near)))
    smooth = local_empirical_bayes(table["homicides"], table["population"], weights)
    np.testing.assert_allclose(
        smooth[:10],
        [4.01485749e-05, 3.62437513e-05, 4.93034844e-05, 5.09387329e-05, 3.72735210e-05,
         3.69333797e-05, 5.40245456e-05, 2.99806055e-05, 3.73034109e-05, 3.47270722e-05],
        rtol=2e-9,
    )  # fmt: skip


def test_smoothing_draws_small_areas_to_the_rate_of_all() -> None:
    events, base = np.array([0, 300, 90, 4, 9]), np.array([100, 10_000, 6_000, 90, 0])
    smooth, raw = empirical_bayes(events, base), raw_rate(events, base)
    assert np.isnan(raw[4])
    assert np.isnan(smooth[4])
    mean = events[:4].sum() / base.sum()
    moved = np.abs(smooth[:4] - raw[:4]) / np.abs(mean - raw[:4])
    assert moved.argsort().tolist() == base[:4].argsort()[::-1].tolist()
    even = empirical_bayes([10, 10, 10], [100, 100, 100])
    np.testing.assert_allclose(even, 0.1)
    np.testing.assert_allclose(empirical_bayes([0, 0], [5, 6]), 0)


def test_funnel_is_exact() -> None:
    base = np.array([1_000.0, 3_000.0, 10_000.0])
    events = np.array([25, 30, 105])
    limits = funnel(events, base)
    rate = events.sum() / base.sum()
    np.testing.assert_allclose(limits.expected, base * rate)
    for low, high, expected in zip(limits.lower, limits.upper, limits.expected, strict=True):
        assert poisson.cdf(low - 1, expected) <= 0.025 < poisson.cdf(low, expected)
        assert poisson.sf(high, expected) <= 0.025 < poisson.sf(high - 1, expected)
    assert limits.high.tolist() == [True, False, False]


def test_intervals() -> None:
    low, high = poisson_interval([0, 10])
    np.testing.assert_allclose(low, [0, 4.7954], atol=5e-5)
    np.testing.assert_allclose(high, [3.6889, 18.3904], atol=5e-5)  # Garwood's table
    low, high = wilson_interval([45_987, 0, 3, 0], [47_269, 0, 3, 10])
    assert low[0] < 0.9728 < high[0]
    assert np.isnan(low[1])
    assert high[2] == 1.0
    assert (low[3], high[3]) == (0.0, pytest.approx(0.2775, abs=5e-5))
    with pytest.raises(ValueError, match="a part"):
        wilson_interval([4], [3])


def test_lists_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        empirical_bayes([1, 2], [1])
