"""Comparing plans, on squares whose differences can be counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.problems import InputError
from planning.compare import Comparison, compare_plans, layers_of
from planning.planfile import PlanFile

CRS = "EPSG:4549"
SIDE = 6  # squares of 100 m; one household point in the middle of each


def plan(
    label: list[int], *, codes: str = "A", points: bool = True, crs: str = CRS, each: int = 2
) -> PlanFile:
    """A plan of 6 x 6 squares, numbered from the south-west, by the grid of each."""
    own = np.array(label)
    squares = np.array(
        [
            shapely.box(500000 + 100 * c, 3500000 + 100 * r, 500100 + 100 * c, 3500100 + 100 * r)
            for r in range(SIDE)
            for c in range(SIDE)
        ]
    )
    keys = np.unique(own)
    grids = gpd.GeoDataFrame(
        {
            "code": [f"{codes}{k:03d}" for k in keys],
            "name": [f"第{k}网格" for k in keys],
            "kind": "comprehensive",
            "village_code": "V",
            "households": [int((own == k).sum()) * each for k in keys],
            "edge_on_line": 0.5,
        },
        geometry=[shapely.union_all(squares[own == k]) for k in keys],
        crs=CRS,
    )
    homes = gpd.GeoDataFrame(
        {
            "household_id": [f"h{i}" for i in range(len(own))],
            "households": each,
            "grid_code": [f"{codes}{k:03d}" for k in own],
        },
        geometry=shapely.centroid(squares),
        crs=CRS,
    )
    if not points:
        homes = homes.iloc[:0]
    nothing = pd.DataFrame()
    return PlanFile(grids.to_crs(crs), homes.to_crs(crs), grids, nothing, nothing, nothing)


HALVES = [0 if c < 3 else 1 for _ in range(SIDE) for c in range(SIDE)]
MOVED = [*HALVES[:3], 0, *HALVES[4:]]  # one square goes from the eastern half to the western


def test_a_plan_equals_itself_whatever_its_codes_and_order() -> None:
    found = compare_plans(plan(HALVES), plan([1 - k for k in HALVES], codes="B"))
    assert (found.households, found.households_changed, found.grids_changed) == (72, 0, 0)
    assert found.information == 0
    assert len(found.moved) == 0
    assert set(found.grids["change"]) == {"same"}
    assert dict(zip(found.grids["code_a"], found.grids["code_b"], strict=True)) == {
        "A000": "B001", "A001": "B000",
    }  # fmt: skip


@pytest.mark.parametrize("points", [True, False])
def test_one_square_moved(points: bool) -> None:
    found = compare_plans(plan(HALVES, points=points), plan(MOVED, points=points))
    assert found.grids_changed == 2
    (piece,) = found.moved.itertuples()
    assert (piece.code_a, piece.code_b) == ("A001", "A000")
    assert piece.area_m2 == pytest.approx(10_000)
    assert shapely.area(piece.geometry) == pytest.approx(10_000)
    assert found.households_changed == (2 if points else 0)
    assert piece.households == (2 if points else 0)


@pytest.mark.parametrize("points_of", ["a", "b"])
def test_points_of_either_file_serve(points_of: str) -> None:
    a, b = plan(HALVES, points=points_of == "a"), plan(MOVED, points=points_of == "b")
    assert compare_plans(a, b).households_changed == 2


def test_variation_of_information_of_a_merge_is_the_entropy_of_what_was_merged() -> None:
    found = compare_plans(plan(HALVES), plan([0] * 36))
    assert found.information == pytest.approx(math.log(2))
    assert sorted(found.grids["change"]) == ["changed", "gone"]
    assert found.households_changed == 36


def test_variation_of_information_of_independent_halves() -> None:
    rows = [0 if r < 3 else 1 for r in range(SIDE) for _ in range(SIDE)]
    assert compare_plans(plan(HALVES), plan(rows)).information == pytest.approx(2 * math.log(2))


def test_a_split_gives_a_new_grid() -> None:
    parts = [k if k == 0 or i < 18 else 2 for i, k in enumerate(HALVES)]
    found = compare_plans(plan(HALVES), plan(parts))
    assert sorted(found.grids["change"]) == ["changed", "new", "same"]
    assert found.households_changed == 18
    assert (found.a.grids, found.b.grids) == (2, 3)


def test_figures_are_counted_from_the_shapes() -> None:
    found = compare_plans(plan(HALVES), plan(MOVED))
    assert found.a.worst == 0
    assert found.b.worst == pytest.approx(2 / 36)
    assert found.a.within_10 == found.b.within_10 == 1
    assert found.a.polsby_popper == pytest.approx(4 * math.pi * 18 / 18**2)
    assert found.a.edge_on_line == pytest.approx(0.5)
    assert (found.a.households, found.a.exceptions) == (72, 0)


def test_plans_in_different_systems_and_with_different_counts_are_compared() -> None:
    found = compare_plans(plan(HALVES), plan(HALVES, crs="EPSG:32650", each=3))
    assert found.households_changed == 0
    assert found.grids_changed == 2  # their households are others now
    assert len(found.moved) == 0


def test_grids_without_a_line_of_their_own_say_so() -> None:
    a = plan(HALVES)
    a = replace(a, grids=a.grids.drop(columns="edge_on_line"))
    found = compare_plans(a, plan([0] * 36))
    assert found.a.edge_on_line is None
    table = found.summary().set_index("measure")
    assert math.isnan(table.loc["edge_on_line", "a"])


def test_plans_of_different_places_are_no_comparison() -> None:
    far = plan(HALVES)
    far.grids["geometry"] = far.grids.translate(50_000)
    with pytest.raises(InputError, match="share no ground"):
        compare_plans(plan(HALVES), far)


LABELS = st.lists(st.integers(0, 4), min_size=36, max_size=36)


def best_kept(a: list[int], b: list[int]) -> int:
    """The most squares any matching of grids keeps, by trying every one."""
    table = pd.crosstab(pd.Series(a), pd.Series(b)).to_numpy()
    best = {0: 0}
    for row in table:
        following: dict[int, int] = dict(best)
        for taken, kept in best.items():
            for j, n in enumerate(row):
                if not taken >> j & 1:
                    key = taken | 1 << j
                    following[key] = max(following.get(key, 0), kept + int(n))
        best = following
    return max(best.values())


@given(LABELS, LABELS)
def test_no_other_matching_keeps_more_households(a: list[int], b: list[int]) -> None:
    found = compare_plans(plan(a), plan(b))
    assert found.households_changed == 2 * (36 - best_kept(a, b))
    assert sound(found)
    back = compare_plans(plan(b), plan(a))
    assert back.households_changed == found.households_changed
    assert back.information == pytest.approx(found.information, abs=1e-9)


def sound(found: Comparison) -> bool:
    """The moved pieces are the ground that moved, each household in one of them."""
    pieces = found.moved
    whole = shapely.area(shapely.union_all(pieces.geometry.to_numpy()))
    return (
        bool(np.isclose(pieces["area_m2"].sum(), whole, atol=1))
        and int(pieces["households"].sum()) == found.households_changed
        and bool(np.isclose(pieces["area_m2"].sum(), 5000 * found.households_changed, atol=1))
        and 0 <= found.information <= math.log(36)
        and set(layers_of(found)) == {"moved", "grids", "summary"}
    )


LABELS = st.lists(st.integers(1, 4), min_size=SIDE * SIDE, max_size=SIDE * SIDE)


@settings(max_examples=12)
@given(LABELS, st.sets(st.integers(0, SIDE * SIDE - 1), max_size=4))
def test_what_stayed_as_it_was_is_not_looked_at_and_changes_no_figure(
    label: list[int], moved: set[int]
) -> None:
    """Grids told as unchanged by their outlines give what their intersections would give."""
    after = [1 if i in moved else key for i, key in enumerate(label)]
    a, b = plan(label), plan(after)
    turned = replace(b, grids=b.grids.set_geometry(b.grids.geometry.reverse()))
    quick, slow = compare_plans(a, b), compare_plans(a, turned)
    pd.testing.assert_frame_equal(quick.summary(), slow.summary())
    pd.testing.assert_frame_equal(quick.grids, slow.grids)
    assert quick.moved["area_m2"].sum() == pytest.approx(slow.moved["area_m2"].sum())
    assert quick.households_changed == slow.households_changed
