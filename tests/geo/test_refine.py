"""Refined units: finer ground under the same plan."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import dissolve
from geo.refine import refine_by_lines, refine_by_polygons
from geo.units import Units, build_units

TOWN = "12.34|1\n.2..3|2\n-----+-\n4.5.6|3\n.1..2|."


def town() -> tuple[Units, object]:
    ground = towns.village(TOWN, times=3, persons=2)
    return build_units(ground), ground


def line(*points: tuple[float, float]) -> np.ndarray:
    """A line in cells from the south-west corner."""
    xy = np.array(points) * towns.CELL + towns.ORIGIN
    return np.array([shapely.LineString(xy)], dtype=object)


def sound(units: Units, area: shapely.Geometry) -> None:
    assert towns.tiles(units.geometry, area) == []
    assert units.area.sum() == pytest.approx(area.area, rel=1e-9)


def test_a_line_across_cuts_what_it_crosses_and_nothing_else() -> None:
    units, ground = town()
    refined = refine_by_lines(units, line((-1, 0.7), (9, 0.9)), ground)
    sound(refined.units, ground.area)
    crossed = shapely.crosses(line((-1, 0.7), (9, 0.9))[0], units.geometry)
    pieces = np.bincount(refined.parent, minlength=len(units))
    assert (pieces[crossed] == 2).all()
    assert (pieces[~crossed] == 1).all()
    assert refined.units.households.sum() == units.households.sum()


def test_a_line_that_ends_inside_cuts_nothing() -> None:
    units, ground = town()
    point = (np.array([units.x[0], units.y[0]]) - towns.ORIGIN) / towns.CELL
    inner = line(tuple(point + 0.1), tuple(point + 0.2))
    refined = refine_by_lines(units, inner, ground)
    assert refined.units is units
    assert refined.parent.tolist() == list(range(len(units)))


def test_standing_borders_cut_nothing_even_a_hair_off() -> None:
    units, ground = town()
    label = (units.x > np.median(units.x)).astype(np.int64)
    outlines = dissolve(units.geometry, label)
    moved = shapely.transform(outlines, lambda xy: xy + 0.03)
    for shapes in (outlines, moved):
        assert len(refine_by_polygons(units, shapes, ground).units) == len(units)


def test_households_stand_where_their_building_stands() -> None:
    units, ground = town()
    x, y = ground.xy[0]
    cut = np.array([shapely.LineString([(x + 3, y - 500), (x + 3, y + 500)])], dtype=object)
    refined = refine_by_lines(units, cut, ground)
    home = refined.units.unit_of_row[0]
    assert shapely.intersects_xy(refined.units.geometry[home], x, y)
    beside = [i for i in np.flatnonzero(refined.parent == refined.parent[home]) if i != home]
    assert beside
    assert refined.units.households[beside].sum() == 0


def test_without_the_ground_the_point_decides() -> None:
    units, _ = town()
    refined = refine_by_lines(units, line((-1, 0.7), (9, 0.9)))
    assert len(refined.units) > len(units)
    assert refined.units.households.sum() == units.households.sum()
    assert refined.units.persons.sum() == units.persons.sum()
    held = np.flatnonzero(refined.units.households)
    points = shapely.points(np.column_stack([refined.units.x, refined.units.y])[held])
    assert shapely.intersects(refined.units.geometry[held], points).all()


def test_only_the_chosen_units_are_cut() -> None:
    units, ground = town()
    crossed = np.flatnonzero(shapely.crosses(line((-1, 0.7), (9, 0.9))[0], units.geometry))
    refined = refine_by_lines(units, line((-1, 0.7), (9, 0.9)), ground, only=crossed[:1])
    assert np.flatnonzero(np.bincount(refined.parent) > 1).tolist() == [crossed[0]]


def test_roads_stay_on_the_borders_they_lie_on() -> None:
    units, ground = town()
    refined = refine_by_lines(units, line((-1, 0.7), (9, 0.9)), ground).units
    for drawn in (units, refined):
        on = drawn.edges.on_line.sum()
        assert on == pytest.approx(units.edges.on_line.sum(), abs=1e-6)
        assert on > 0


def test_what_was_not_cut_keeps_every_number() -> None:
    units, ground = town()
    refined = refine_by_lines(units, line((-1, 0.7), (9, 0.9)), ground)
    alone = np.bincount(refined.parent)[refined.parent] == 1
    for name in ("households", "persons", "x", "y", "spread", "block", "whole", "part"):
        ours = getattr(refined.units, name)[alone]
        assert (ours == getattr(units, name)[refined.parent[alone]]).all(), name


coordinate = st.floats(-1, 8, allow_nan=False).map(lambda v: round(v, 2))
corner = st.tuples(coordinate, coordinate)


@settings(max_examples=40)
@given(
    st.lists(st.lists(corner, min_size=2, max_size=4, unique=True), min_size=1, max_size=3),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_any_lines_leave_a_coverage_and_the_plan(drawn, k, random) -> None:
    units, ground = town()
    lines = np.concatenate([line(*points) for points in drawn])
    refined = refine_by_lines(units, lines, ground)
    fine, parent = refined.units, refined.parent
    sound(fine, ground.area)
    assert sorted(set(parent.tolist())) == list(range(len(units)))
    assert np.bincount(parent, weights=fine.households) == pytest.approx(units.households)
    assert np.bincount(parent, weights=fine.persons) == pytest.approx(units.persons)
    assert np.bincount(parent, weights=fine.area) == pytest.approx(units.area)
    assert (parent[fine.unit_of_row] == units.unit_of_row).all()
    # neighbours before are neighbours after, over the same length of border
    before = dict(zip(zip(units.edges.a, units.edges.b, strict=True), units.edges.length,
                      strict=True))  # fmt: skip
    after: dict[tuple[int, int], float] = {}
    for a, b, length in zip(fine.edges.a, fine.edges.b, fine.edges.length, strict=True):
        pair = tuple(sorted((parent[a], parent[b])))
        if pair[0] != pair[1]:
            after[pair] = after.get(pair, 0.0) + length
    assert after == pytest.approx(before)
    label = np.array([random.randrange(k) for _ in range(len(units))])
    label = np.unique(label, return_inverse=True)[1]
    for old, new in zip(
        dissolve(units.geometry, label), dissolve(fine.geometry, label[parent]), strict=True
    ):
        assert shapely.area(shapely.symmetric_difference(old, new)) < 1e-3
