"""Intervals spread over the week: each event weighs one, where and when it may have been."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.aoristic import by_week_hour


def times(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[s]")


def test_an_interval_is_spread_in_proportion() -> None:
    # Monday 2024-01-01, 22:30 to Tuesday 01:30: half an hour, three whole ones... of three hours
    table = by_week_hour(times("2024-01-01T22:30"), times("2024-01-02T01:30")).events
    assert table[0, 22] == pytest.approx(1 / 6)
    assert table[0, 23] == pytest.approx(1 / 3)
    assert table[1, 0] == pytest.approx(1 / 3)
    assert table[1, 1] == pytest.approx(1 / 6)
    assert table.sum() == pytest.approx(1)


def test_a_known_moment_is_its_hour() -> None:
    result = by_week_hour(times("2024-01-07T23:59:59", "2024-01-03T00:00"))
    assert result.events[6, 23] == 1
    assert result.events[2, 0] == 1
    assert result.spread == 0


def test_what_cannot_be_used_is_counted() -> None:
    result = by_week_hour(
        times("NaT", "2024-01-01T10:00", "2024-01-01T10:00"),
        times("2024-01-01", "2024-01-01T09:00", "NaT"),
    )
    assert (result.used, result.without_time, result.reversed_) == (1, 1, 1)
    assert result.events[0, 10] == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 3 * 10**6)), min_size=1, max_size=8
    )
)
def test_every_event_weighs_one_and_agrees_with_minutes(spans: list[tuple[int, int]]) -> None:
    start = np.datetime64("2024-01-01", "s") + np.array([a for a, _ in spans])
    end = start + np.array([length for _, length in spans])
    table = by_week_hour(start, end).events
    assert table.sum() == pytest.approx(len(spans))
    plain = np.zeros(168)
    for first, length in spans:
        if length == 0:
            plain[first // 3600 % 168] += 1
            continue
        for hour in range(first // 3600, (first + length) // 3600 + 1):
            overlap = min(first + length, (hour + 1) * 3600) - max(first, hour * 3600)
            plain[hour % 168] += overlap / length
    np.testing.assert_allclose(table.ravel(), plain, atol=1e-9)


def test_two_lists_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="1 starts and 2 ends"):
        by_week_hour(times("2024-01-01"), times("2024-01-01", "2024-01-02"))
