"""Near repeats: the Near Repeat Calculator's table, Knox on Burkitt, an oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.near_repeat import Distance, knox_expected, knox_poisson_p, near_repeat

PUBLISHED = Path(__file__).parent / "published"


def test_burkitt() -> None:
    """pointpats: 13 pairs up to 20 apart and up to 5 days; 10.1438 expected; P(more) = 0.1462."""
    cases = pd.read_csv(PUBLISHED / "burkitt.csv")
    result = near_repeat(
        cases["x"], cases["y"], cases["day"], distances=(0, 20.001), days=(0, 6), runs=199
    )
    assert result.observed[0, 0] == 13
    expected = knox_expected(result.observed)
    assert expected[0, 0] == pytest.approx(10.1438, abs=5e-5)
    assert knox_poisson_p(14, expected[0, 0]) == pytest.approx(0.1462, abs=5e-5)
    np.testing.assert_allclose(result.expected, expected, rtol=0.05)
    assert 0.1 < result.p[0, 0] < 0.35


def test_chicago_arson() -> None:
    """The Near Repeat Calculator 1.3, Manhattan, three bands of 200 m and of one day.

    Its labels read "0 to 1", "2 to 2" days and "1 to 200" metres; what it counts is under one day,
    under two, and under 200 m.
    """
    fires = pd.read_csv(PUBLISHED / "chicago_arson.csv", parse_dates=["date"])
    result = near_repeat(
        fires["x"], fires["y"], fires["date"].to_numpy(),
        distances=(0, 0.01, 200, 400, 600), days=(0, 1, 2, 3), metric="manhattan", runs=199,
    )  # fmt: skip
    assert result.observed.tolist() == [
        [0, 2, 0, 8],
        [9, 1, 1, 45],
        [4, 0, 0, 140],
        [6, 0, 0, 234],
        [393, 710, 770, 133658],
    ]
    # its ratios rest on 99 shuffles
    assert result.ratio[3, 0] == pytest.approx(7.714, rel=0.2)
    assert result.ratio[4, 0] == pytest.approx(0.957, abs=0.002)
    assert result.ratio[2, 3] == pytest.approx(0.986, abs=0.004)
    assert result.p[1, 0] <= 0.01
    assert result.p[4, 0] == 1.0


def plain_table(
    x: np.ndarray,
    y: np.ndarray,
    day: np.ndarray,
    space: list[float],
    time: list[float],
    metric: str,
) -> np.ndarray:
    table = np.zeros((len(space), len(time)), dtype=int)
    for i in range(len(x)):
        for j in range(i):
            dx, dy = abs(x[i] - x[j]), abs(y[i] - y[j])
            distance = dx + dy if metric == "manhattan" else np.hypot(dx, dy)
            row = max(k for k, limit in enumerate(space) if distance >= limit)
            column = max(k for k, limit in enumerate(time) if abs(day[i] - day[j]) >= limit)
            table[row, column] += 1
    return table


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20)),
        min_size=2,
        max_size=25,
    ),
    st.sampled_from(["euclidean", "manhattan"]),
)
def test_every_pair_is_in_its_band(events: list[tuple[int, int, int]], metric: Distance) -> None:
    x, y, day = np.array(events, dtype=float).T
    space, time = [0.0, 1.0, 5.0, 11.0], [0.0, 2.0, 7.0]
    result = near_repeat(x, y, day, distances=tuple(space), days=tuple(time), metric=metric, runs=3)
    np.testing.assert_array_equal(result.observed, plain_table(x, y, day, space, time, metric))
    pairs = len(x) * (len(x) - 1) // 2
    assert result.expected.sum() == pytest.approx(pairs)
    assert (result.p > 0).all()
    assert (result.p <= 1).all()


def test_bands_are_what_their_limits_say() -> None:
    """One pair, 100 m and 3 days apart: the calculator files it under 4 to 6 days."""
    result = near_repeat(
        [0, 0], [0, 100], np.array(["2019-01-01", "2019-01-04"], dtype="datetime64[D]"),
        distances=(0, 1, 101, 201), days=(0, 4, 7), runs=1,
    )  # fmt: skip
    assert result.observed.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_planted_repeats_are_found_and_shuffled_days_are_not() -> None:
    rng = np.random.default_rng(0)
    (x, y), day = rng.uniform(0, 3_000, (2, 300)), rng.integers(0, 365, 300)
    x = np.concatenate([x, x[:40] + 20])
    y = np.concatenate([y, y[:40]])
    day = np.concatenate([day, day[:40] + 3])
    result = near_repeat(x, y, day, runs=199)
    assert result.p[1, 0] == 1 / 200
    assert result.ratio[1, 0] > 4
    shuffled = near_repeat(x, y, rng.permutation(day), runs=199)
    assert shuffled.p[1, 0] > 0.01


def test_missing_values_and_bands_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="a place and a day"):
        near_repeat([0, np.nan], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="a place and a day"):
        near_repeat([0, 1], [0, 1], np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match="ascend from 0"):
        near_repeat([0, 1], [0, 1], [0, 1], distances=(1, 2))
