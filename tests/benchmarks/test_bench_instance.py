"""The synthetic village is what its docstring says, and its measures agree with polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.instance import Instance, from_cells, village
from benchmarks.measure import pieces, polsby_popper, quality, reach

SMALL = 900


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "roads"])
def small(request: pytest.FixtureRequest) -> Instance:
    return village(SMALL, roads=request.param)


def squares(picture: str, k: int) -> tuple[Instance, np.ndarray]:
    """Unit squares of 100 m; a letter is the grid, and each square holds ten households."""
    rows = picture.split()
    cells = [
        shapely.box(100 * x, -100 * y, 100 * x + 100, 100 - 100 * y)
        for y, row in enumerate(rows)
        for x in range(len(row))
    ]
    letters = np.array([ord(letter) for row in rows for letter in row])
    return from_cells("squares", k, np.array(cells), np.full(len(cells), 10)), letters


def test_households_add_up_and_are_skewed(small: Instance) -> None:
    assert small.households.sum() == SMALL
    inhabited = small.households[small.households > 0]
    assert inhabited.max() <= 60
    assert 0.75 <= np.mean(inhabited == 1) <= 0.85


def test_cells_tile_the_village_exactly(small: Instance) -> None:
    assert shapely.coverage_is_valid(small.cells)
    whole = shapely.union_all(small.cells)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert small.area.sum() == pytest.approx(whole.area)
    assert small.outer.sum() == pytest.approx(whole.length)


def test_every_building_stands_in_its_own_cell(small: Instance) -> None:
    assert set(shapely.get_type_id(small.cells)) == {shapely.GeometryType.POLYGON}
    assert shapely.intersects_xy(small.cells, *small.points.T).all()


def test_border_arrays_agree_with_the_polygons(small: Instance) -> None:
    n = len(small.households)
    a, b = small.edges.T
    perimeter = small.outer + np.bincount(a, small.border, n) + np.bincount(b, small.border, n)
    assert perimeter == pytest.approx(shapely.length(small.cells))
    shared = shapely.length(shapely.intersection(small.cells[a[:50]], small.cells[b[:50]]))
    assert small.border[:50] == pytest.approx(shared, abs=1e-6)


def test_the_village_is_in_one_piece_and_only_the_variant_has_roads(small: Instance) -> None:
    assert pieces(small, np.zeros(len(small.households), dtype=np.int64), 1).tolist() == [1]
    assert bool(small.on_road.any()) is ("roads" in small.name)


def test_the_same_seed_gives_the_same_village() -> None:
    first, again, other = village(SMALL), village(SMALL), village(SMALL, seed=2)
    for name in ("points", "households", "edges", "border", "area", "outer"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.households, other.households)


def test_a_village_of_one_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 600"):
        village(599)


def test_measures_of_a_plan_drawn_by_hand() -> None:
    instance, labels = squares("aabb aabb", 2)
    found = quality(instance, labels)
    assert (found.grids, found.smallest, found.largest, found.broken) == (2, 40, 40, 0)
    assert (found.worst, found.within_5, found.within_10) == (0, 1, 1)
    assert found.pp_mean == pytest.approx(np.pi / 4)
    assert found.reach_m == pytest.approx(np.hypot(50, 50))
    assert found.inner_km == pytest.approx(0.2)


def test_corners_do_not_join_and_a_missing_grid_counts_as_empty() -> None:
    instance, labels = squares("ab ba", 3)
    found = quality(instance, labels)
    assert (found.grids, found.broken) == (2, 2)
    assert found.worst == 1.0  # the third grid holds nobody
    assert found.within_10 == 0.0


def test_labels_of_another_village_are_refused() -> None:
    instance, labels = squares("ab ba", 2)
    with pytest.raises(ValueError, match="3 labels for 4 units"):
        quality(instance, labels[:3])


@given(seed=st.integers(0, 10**6), grids=st.integers(2, 5))
def test_measures_agree_with_dissolved_polygons(seed: int, grids: int) -> None:
    """Any labelling, broken ones too: the fast sums against shapely's own union."""
    instance, _ = squares("aaaaa aaaaa aaaaa aaaaa", grids)
    rng = np.random.default_rng(seed)
    _, labels = np.unique(rng.integers(0, grids, len(instance.cells)), return_inverse=True)
    g = int(labels.max()) + 1
    dissolved = [shapely.union_all(instance.cells[labels == i]) for i in range(g)]
    ratio = [4 * np.pi * shape.area / shape.length**2 for shape in dissolved]
    assert polsby_popper(instance, labels, g) == pytest.approx(ratio)
    # parts that touch at a corner stay parts of a multipolygon, as in the rook graph
    assert pieces(instance, labels, g).tolist() == [
        shapely.get_num_geometries(shape) for shape in dissolved
    ]
    away = [
        10 * np.sum((instance.points[labels == i] - instance.points[labels == i].mean(0)) ** 2)
        for i in range(g)
    ]
    assert reach(instance, labels, g) == pytest.approx(
        np.sqrt(sum(away) / instance.households.sum())
    )
