"""Cells: aligned, stable, every event in one or counted as missing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from incidents.cells import count, cover, locate, rectangle


def test_the_same_place_is_the_same_cell_whatever_the_area() -> None:
    small = cover(shapely.box(350, 410, 900, 777), 200)
    large = cover(shapely.box(-5_000, -3_000, 4_000, 9_000), 200)
    x, y = np.array([455.0, 620.0]), np.array([500.0, 700.0])

    def corner(cells: object, flat: np.ndarray) -> np.ndarray:
        nx = cells.shape[1]  # type: ignore[attr-defined]
        return np.column_stack(
            [cells.x0 + flat % nx * 200, cells.y0 + flat // nx * 200]  # type: ignore[attr-defined]
        )

    np.testing.assert_array_equal(
        corner(small, locate(small, x, y)), corner(large, locate(large, x, y))
    )
    assert set(small.names()) <= set(large.names())


def test_share_is_the_ground_inside() -> None:
    area = shapely.Polygon([(100, 100), (900, 100), (500, 700)])
    cells = cover(area, 200)
    assert cells.share.sum() * 200**2 == pytest.approx(area.area)
    assert cells.bounds == (0, 0, 1000, 800)
    assert len(cells.polygons()) == cells.inside.sum() == len(cells.centres())
    assert shapely.union_all(cells.polygons()).covers(area)


def test_parts_far_apart_have_the_shares_they_have_alone() -> None:
    """Two blobs whose cells overlap in one column, and one far away."""
    blobs = [
        shapely.Point(1010, 990).buffer(700), shapely.Point(2400, 1300).buffer(610),
        shapely.Point(9000, 8000).buffer(333),
    ]  # fmt: skip
    found = cover(shapely.MultiPolygon(blobs), 200.0)
    boxes = [
        shapely.box(x, y, x + 200, y + 200)
        for y in found.y0 + 200.0 * np.arange(found.shape[0])
        for x in found.x0 + 200.0 * np.arange(found.shape[1])
    ]
    area = shapely.MultiPolygon(blobs)
    shares = shapely.area(shapely.intersection(np.array(boxes), area)) / 200.0**2
    np.testing.assert_allclose(found.share.ravel(), shares, atol=1e-12)


def test_borders_belong_to_the_cell_north_east_of_them() -> None:
    cells = rectangle(2, 2, 100)
    assert locate(cells, [0, 99.999, 100, 199, 200], [0, 0, 100, 199, 0]).tolist() == [
        0, 0, 3, 3, -1,
    ]  # fmt: skip


def test_events_outside_or_without_a_place_are_missing_not_moved() -> None:
    cells = cover(shapely.Polygon([(0, 0), (400, 0), (0, 400)]), 200)
    table = count(cells, [10, 390, np.nan, 1e9], [10, 390, 5, 5])
    assert table.tolist() == [[1, 0], [0, 0]]


def test_weights_are_summed() -> None:
    cells = rectangle(1, 2, 100)
    assert count(cells, [10, 20, 150], [1, 1, 1], [0.5, 2, 3]).tolist() == [[2.5, 3.0]]
    with pytest.raises(ValueError, match="2 weights for 1 events"):
        count(cells, [1], [1], [1, 2])


@given(
    st.lists(st.tuples(st.floats(-2e3, 2e3), st.floats(-2e3, 2e3)), max_size=40),
    st.sampled_from([50.0, 200.0, 333.3]),
)
def test_every_event_is_in_the_cell_that_covers_it(
    places: list[tuple[float, float]], size: float
) -> None:
    cells = cover(shapely.box(-1_000, -1_000, 1_000, 1_000), size)
    xy = np.array(places, dtype=float).reshape(-1, 2)
    flat = locate(cells, xy[:, 0], xy[:, 1])
    nx = cells.shape[1]
    west = cells.x0 + flat % nx * size
    south = cells.y0 + flat // nx * size
    held = flat >= 0
    assert (np.abs(xy[held, 0] - west[held] - size / 2) <= size / 2 + 1e-6).all()
    assert (np.abs(xy[held, 1] - south[held] - size / 2) <= size / 2 + 1e-6).all()
    inner = (np.abs(xy) < 1_000).all(axis=1)
    assert held[inner].all()


@pytest.mark.parametrize(
    ("area", "size", "message"),
    [
        (shapely.box(0, 0, 1e7, 1e7), 200, "look for a place far outside"),
        (shapely.box(0, 0, 1, 1), 0, "positive number of metres"),
        (shapely.Polygon(), 200, "empty"),
        (shapely.LineString([(0, 0), (1, 1)]), 200, "no ground"),
    ],
)
def test_what_cannot_be_covered_is_refused(
    area: shapely.Geometry, size: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cover(area, size)
