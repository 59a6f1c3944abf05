"""Which metric system a place gets, and what bare numbers are taken for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from geo.crs import WGS84, crs_by_overlap, guess_crs, metric_crs, to_lonlat


@pytest.mark.parametrize(
    ("place", "lon", "lat", "epsg"),
    [
        ("Luhe", 118.82, 32.34, 4549),
        ("Nanjing, west of 118.5", 118.4, 32.0, 4548),
        ("Longnan", 104.9, 33.4, 4544),
        ("Kashgar", 75.99, 39.47, 4534),
        ("Fuyuan, the far east", 134.9, 48.4, 4554),
        ("Sanya", 109.5, 18.25, 4545),
        ("Xiamen", 118.10, 24.46, 4548),
        ("Xiang'an", 118.25, 24.62, 4548),
        ("Pingtan", 119.78, 25.50, 4549),
        ("Huangqi, opposite Matsu", 119.88, 26.33, 4549),
        ("Fuding", 120.2, 27.3, 4549),
        ("Taipei", 121.56, 25.04, 3826),
        ("Tainan", 120.2, 23.0, 3826),
        ("Lanyu", 121.55, 22.05, 3826),
        ("Nangan", 119.95, 26.16, 3825),
        ("Dongyin", 120.49, 26.37, 3825),
        ("Jincheng, Kinmen", 118.32, 24.44, 3825),
        ("Magong", 119.57, 23.57, 3825),
        ("Cambridge", -71.1, 42.37, 32619),
        ("Canterbury", 1.08, 51.28, 32631),
        ("Goa", 74.0, 15.4, 32643),
        ("Sydney", 151.2, -33.9, 32756),
        ("the date line", 180.0, 0.0, 32660),
    ],
)
def test_metric_crs(place: str, lon: float, lat: float, epsg: int) -> None:
    assert metric_crs(lon, lat).to_epsg() == epsg, place


@given(st.floats(-180, 180), st.floats(-80, 84))
def test_metric_crs_is_metric_and_near(lon: float, lat: float) -> None:
    crs = metric_crs(lon, lat)
    assert {axis.unit_name for axis in crs.axis_info} == {"metre"}
    step = 1e-4
    ahead = Transformer.from_crs(WGS84, crs, always_xy=True)
    x, y = ahead.transform([lon, lon], [lat, lat + step if lat < 83 else lat - step])
    measured = np.hypot(x[1] - x[0], y[1] - y[0])
    assert measured == pytest.approx(step * 111_320, rel=0.01)


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 30), (120, np.inf), (200, 30), (120, 89)])
def test_metric_crs_refuses_nowhere(lon: float, lat: float) -> None:
    with pytest.raises(ValueError, match="longitude"):
        metric_crs(lon, lat)


@pytest.mark.parametrize(
    ("x", "y", "epsg", "kind", "swapped"),
    [
        (120.1, 32.2, 4326, "degrees", False),
        (32.2, 120.1, 4326, "degrees", True),
        (32.2, 89.0, 4326, "degrees", True),
        (-71.1, 42.4, 4326, "degrees", False),
        (1.08, 51.3, 4326, "degrees", False),
        (40_512_345.0, 3_561_234.0, 4528, "zone_prefixed", False),
        (3_561_234.0, 40_512_345.0, 4528, "zone_prefixed", True),
        (20_512_345.0, 3_561_234.0, 4498, "zone_prefixed", False),
        (512_345.0, 3_561_234.0, None, "plane", False),
        (3_561_234.0, 512_345.0, None, "plane", True),
        (1e12, 5.0, None, "unknown", False),
    ],
)
def test_guess_crs(x: float, y: float, epsg: int | None, kind: str, swapped: bool) -> None:
    guess = guess_crs([x] * 3 + [0.0, np.nan], [y] * 3 + [0.0, 1.0])
    assert (guess.crs.to_epsg() if guess.crs else None) == epsg
    assert (guess.kind, guess.swapped) == (kind, swapped)


def test_guess_crs_of_nothing() -> None:
    assert guess_crs([], []).kind == "unknown"


@pytest.mark.parametrize("epsg", [4549, 4548, 4508, 32650, 32651, 3826])
def test_plane_coordinates_find_their_zone(epsg: int) -> None:
    lon, lat = (120.4, 23.2) if epsg == 3826 else (119.2, 32.3)
    ahead = Transformer.from_crs(WGS84, CRS.from_epsg(epsg), always_xy=True)
    rng = np.random.default_rng(2)
    points = lon + rng.uniform(-0.2, 0.2, 50), lat + rng.uniform(-0.2, 0.2, 50)
    x, y = ahead.transform(*points)
    found = crs_by_overlap(x, y, (lon - 0.25, lat - 0.25, lon + 0.25, lat + 0.25))
    assert found is not None
    back = to_lonlat(np.asarray(x), np.asarray(y), found[0])
    assert np.hypot(back[0] - points[0], back[1] - points[1]).max() < 0.02  # degrees: same place
    assert found[1] == 1.0


def test_no_zone_fits() -> None:
    assert crs_by_overlap([500_000.0], [100.0], (119, 32, 120, 33)) is None
