"""The shifted datums against the literal formula, their inverses, and their detection."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    detect_datum,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

A, EE = 6378245.0, 0.00669342162296594323


def naive_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """The published formula, written out with one sine for each term."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    north += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    east += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    magic = 1 - EE * math.sin(math.radians(lat)) ** 2
    north = north * 180 / (A * (1 - EE) / (magic * math.sqrt(magic)) * pi)
    east = east * 180 / (A / math.sqrt(magic) * math.cos(math.radians(lat)) * pi)
    return lon + east, lat + north


def metres(lon: object, lat: object, other_lon: object, other_lat: object) -> float:
    dx = (np.asarray(lon) - np.asarray(other_lon)) * 111_320 * np.cos(np.radians(np.asarray(lat)))
    dy = (np.asarray(lat) - np.asarray(other_lat)) * 111_320
    return float(np.hypot(dx, dy).max())


longitudes, latitudes = st.floats(73.5, 135), st.floats(18, 53.5)


@given(longitudes, latitudes)
def test_forward_is_the_published_formula(lon: float, lat: float) -> None:
    x, y = wgs84_to_gcj02(lon, lat)
    assert metres(x, y, *naive_gcj02(lon, lat)) < 1e-6


@given(longitudes, latitudes)
def test_round_trips_within_a_millimetre(lon: float, lat: float) -> None:
    assert metres(*gcj02_to_wgs84(*wgs84_to_gcj02(lon, lat)), lon, lat) < 1e-3
    assert metres(*wgs84_to_gcj02(*gcj02_to_wgs84(lon, lat)), lon, lat) < 1e-3
    assert metres(*bd09_to_gcj02(*gcj02_to_bd09(lon, lat)), lon, lat) < 1e-3
    assert metres(*bd09_to_wgs84(*wgs84_to_bd09(lon, lat)), lon, lat) < 1e-3


def test_known_point() -> None:
    """Tiananmen, as published with the formula's first implementations."""
    x, y = wgs84_to_gcj02(116.404, 39.915)
    assert (float(x), float(y)) == pytest.approx((116.41024449917, 39.91640428150), abs=1e-9)


def test_shift_has_the_size_it_is_known_for() -> None:
    """421 to 612 m between 116.5 and 122 E, 29 and 35 N."""
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(116.5, 122, 2000), rng.uniform(29, 35, 2000)
    x, y = wgs84_to_gcj02(lon, lat)
    shift = np.hypot((x - lon) * 111_320 * np.cos(np.radians(lat)), (y - lat) * 111_320)
    assert 410 < shift.min() < shift.max() < 625


def test_outside_the_country_nothing_moves() -> None:
    lon, lat = np.array([-71.1, 2.3, 139.7]), np.array([42.4, 48.9, 35.7])
    for function in (wgs84_to_gcj02, gcj02_to_wgs84):
        x, y = function(lon, lat)
        assert np.array_equal(x, lon)
        assert np.array_equal(y, lat)


def test_shapes_and_missing_values_are_kept() -> None:
    lon = np.array([[120.0, np.nan], [np.inf, 121.0]])
    x, y = gcj02_to_wgs84(lon, 32.0)
    assert x.shape == y.shape == (2, 2)
    assert np.isfinite(x[0, 0])
    assert np.isnan(x[0, 1])
    assert np.array_equal(to_wgs84(lon, lon, "wgs84")[0], lon, equal_nan=True)
    with pytest.raises(KeyError):
        to_wgs84(120, 32, "other")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("datum", "shift"),
    [("wgs84", lambda x, y: (x, y)), ("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)],
)
def test_detects_the_datum_of_households(datum: str, shift: object) -> None:
    rng = np.random.default_rng(1)
    cell = 0.02  # villages of 2 km in a checkerboard, households inside the white fields
    column, row = rng.integers(0, 40, 5000), rng.integers(0, 20, 5000) * 2
    lon = 119 + (column + rng.uniform(0.1, 0.9, 5000)) * cell
    lat = 32 + (row + column % 2 + rng.uniform(0.1, 0.9, 5000)) * cell

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        field = np.floor((x - 119) / cell) + np.floor((y - 32) / cell)
        return field % 2 == 0

    evidence = detect_datum(*shift(lon, lat), inside)  # type: ignore[operator]
    assert evidence.datum == datum
    assert evidence.shares[evidence.datum] == 1.0
    assert not evidence.doubtful
    assert evidence.sampled == 5000


def test_detection_says_when_it_doubts() -> None:
    lon, lat = np.full(100, 119.0), np.full(100, 32.0)
    everywhere = detect_datum(lon, lat, lambda x, y: np.ones(x.size, dtype=bool))
    assert everywhere.datum == "wgs84"
    assert everywhere.doubtful
    nowhere = detect_datum(lon, lat, lambda x, y: np.zeros(x.size, dtype=bool))
    assert nowhere.doubtful
    assert detect_datum([np.nan], [1.0], lambda x, y: x > 0).sampled == 0
