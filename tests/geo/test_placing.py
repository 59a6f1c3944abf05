"""Households into villages: on borders, near them, far off, and without coordinates."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import placing
from geo.placing import NO_PLACE, OUTSIDE, place_areas, place_rows, points_in

WEST, EAST = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)
VILLAGES = np.array([WEST, EAST])


@pytest.mark.parametrize(
    ("x", "y", "village", "reason"),
    [
        (50, 50, 0, ""),
        (150, 50, 1, ""),
        (100, 50, 0, ""),  # on the shared border: the lower number
        (0, 0, 0, ""),
        (210, 50, 1, ""),  # within the tolerance
        (-19, 50, 0, ""),
        (-21, 50, -1, OUTSIDE),
        (1e6, 1e6, -1, OUTSIDE),
        (np.nan, 50, -1, NO_PLACE),
        (50, np.inf, -1, NO_PLACE),
    ],
)
def test_where_a_point_goes(x: float, y: float, village: int, reason: str) -> None:
    found, why = place_rows(np.array([[x, y]]), VILLAGES, 20.0)
    assert found.tolist() == [village]
    assert why.tolist() == [reason]


def test_no_tolerance_at_all() -> None:
    found, why = place_rows(np.array([[100.0, 100.0], [200.001, 50.0]]), VILLAGES, 0.0)
    assert found.tolist() == [0, -1]
    assert why.tolist() == ["", OUTSIDE]


def test_no_rows() -> None:
    found, why = place_rows(np.empty((0, 2)), VILLAGES, 20.0)
    assert len(found) == len(why) == 0


coordinate = st.one_of(
    st.floats(-60, 260), st.sampled_from([0.0, 100.0, 200.0, np.nan]), st.integers(-60, 260)
)


@given(st.lists(st.tuples(coordinate, coordinate), max_size=30), st.randoms())
def test_nothing_is_dropped_and_order_does_not_matter(
    places: list[tuple[float, float]], shuffled: object
) -> None:
    xy = np.array(places, dtype=float).reshape(-1, 2)
    found, why = place_rows(xy, VILLAGES, 20.0)
    assert ((found >= 0) == (why == "")).all()
    for (x, y), village, reason in zip(xy, found, why, strict=True):
        if not np.isfinite([x, y]).all():
            assert reason == NO_PLACE
            continue
        away = [float(v.distance(shapely.Point(x, y))) for v in VILLAGES]
        if min(away) > 20.0:
            assert reason == OUTSIDE
        else:
            assert away[village] == min(away)
            assert village == away.index(min(away)) or min(away) > 0
    order = np.arange(len(xy))
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    again, _ = place_rows(xy[order], VILLAGES, 20.0)
    assert (again == found[order]).all()


def test_areas_go_where_most_of_them_lies() -> None:
    areas = np.array(
        [
            shapely.box(10, 10, 20, 20),
            shapely.box(90, 0, 130, 10),  # 10 m west, 30 m east
            shapely.box(70, 0, 110, 10),
            shapely.box(90, 0, 110, 10),  # half and half: the lower number
            shapely.box(-50, 0, 10, 10),
            shapely.box(300, 0, 400, 10),
            shapely.box(200, 0, 250, 10),  # only touches
            shapely.box(215, 0, 250, 10),  # within the tolerance
        ]
    )
    village, reason = place_areas(areas, VILLAGES, 20.0)
    assert village.tolist() == [0, 1, 0, 0, 0, -1, 1, 1]
    assert reason.tolist() == ["", "", "", "", "", OUTSIDE, "", ""]


def test_no_areas() -> None:
    village, reason = place_areas(np.empty(0, dtype=object), VILLAGES, 20.0)
    assert len(village) == len(reason) == 0


corner = st.integers(0, 40)


@given(
    st.lists(st.tuples(corner, corner, st.integers(1, 30), st.integers(1, 9)), max_size=12),
    st.lists(st.tuples(st.integers(-5, 75), st.integers(-5, 55)), max_size=40),
    st.sampled_from([1, 7, 1_000_000]),
)
def test_points_lie_in_what_a_tree_finds(
    boxes: list[tuple[int, int, int, int]], places: list[tuple[int, int]], at_once: int
) -> None:
    """On borders and corners, far from all, many to a shape; however many are asked at once."""
    shapes = np.array(
        [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes] + [None, shapely.Polygon()],
        dtype=object,
    )
    xy = np.array([*places, (1e9, 20), (20, -1e9)], dtype=float)
    which, row = shapely.STRtree(shapely.points(xy)).query(shapes, predicate="intersects")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "_AT_ONCE", at_once)
        found = points_in(xy, shapes)
    assert sorted(zip(*found, strict=True)) == sorted(zip(which, row, strict=True))
    assert (np.diff(found[0]) >= 0).all()
    assert not shapely.is_prepared(shapes).any()
