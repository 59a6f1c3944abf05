"""Cutting units by a drawn line or outline: exact ground, whole buildings, nobody lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cells import buildings_of
from geo.enclosures import VillageGround
from geo.units import build_units
from planning import edits
from planning.history import History, Step
from planning.plan import Grid, Plan
from planning.record import apply, ground_key, record_of, reverse, same_plan
from planning.requests import RequestError, carry_out
from planning.settings import Settings
from planning.strokes import cut_by_line, draw_exactly, refined_plan

TOWN = "12.34|1\n.2..3|2\n-----+-\n4.5.6|3\n.1..2|.\n3....|5"
WIDE, HIGH = 7, 6
RULES = Settings(target=120, max_persons=None)


def town(columns: int = 2) -> tuple[Plan, VillageGround]:
    """A small town in vertical strips, one grid each."""
    ground = towns.village(TOWN, times=3, persons=2)
    units = build_units(ground)
    middle = np.median(units.x)
    strip = (units.x > middle).astype(np.int64) if columns == 2 else np.zeros(len(units), np.int64)
    grids = {i: Grid(f"{units.code}{i + 1:03d}", f"第{i + 1}网格") for i in range(columns)}
    codes = frozenset(grid.code for grid in grids.values())
    return Plan(units, strip, grids, "村", columns, codes), ground


def place(column: float, row: float) -> tuple[float, float]:
    x, y = np.array([column, row]) * towns.CELL + towns.ORIGIN
    return float(x), float(y)


def line(*cells: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([place(*cell) for cell in cells])


def sound(plan: Plan, ground: VillageGround) -> None:
    """The units tile the village, nobody is lost and no building is cut."""
    assert towns.tiles(plan.units.geometry, ground.area) == []
    assert plan.units.households.sum() == ground.households.sum()
    assert plan.units.persons.sum() == ground.persons.sum()
    buildings, of_row = buildings_of(ground.xy)
    home = plan.units.geometry[plan.units.unit_of_row]
    assert (shapely.distance(home, shapely.points(ground.xy)) < 0.51).all()
    pairs = np.unique(np.column_stack([of_row, plan.units.unit_of_row]), axis=0)
    assert len(pairs) == len(buildings)
    held = np.bincount(
        plan.units.unit_of_row, weights=ground.households, minlength=len(plan.units)
    )
    assert held.tolist() == plan.units.households.tolist()


def test_a_line_cuts_the_grid_exactly_where_it_was_drawn() -> None:
    plan, ground = town(columns=1)
    drawn = line((-0.5, 3.3), (WIDE + 0.5, 3.4))
    done = cut_by_line(plan, 0, drawn, ground)
    sound(done.plan, ground)
    assert len(done.plan.units) > len(plan.units)
    assert len(done.plan.grids) == 2
    shared = shapely.intersection(*done.plan.outlines())
    inside = shapely.intersection(drawn, ground.area)
    assert shapely.hausdorff_distance(inside, shapely.line_merge(shared)) < 0.5
    assert done.households == done.plan.units.households[done.plan.label == 1].sum()


def test_a_house_under_the_line_stays_whole_on_the_side_it_stands_on() -> None:
    plan, ground = town(columns=1)
    unit = int(np.argmax(plan.units.households))
    x, y = plan.units.x[unit], plan.units.y[unit]
    for aside, kept in ((1.0, True), (-1.0, False)):
        drawn = shapely.LineString([(x + aside, y - 500), (x + aside, y + 500)])
        done = cut_by_line(plan, 0, drawn, ground)
        sound(done.plan, ground)
        at = np.flatnonzero(shapely.contains_xy(done.plan.units.geometry, x, y))
        assert done.plan.units.households[at].tolist() == [plan.units.households[unit]]
        west = done.plan.units.x < x + aside
        assert bool(west[at[0]]) == kept


def test_without_the_houses_a_units_households_stay_together() -> None:
    plan, _ = town(columns=1)
    done = cut_by_line(plan, 0, line((-1, 3.3), (8, 3.4)))
    assert done.plan.units.households.sum() == plan.units.households.sum()
    after, before = (np.sort(p.units.households) for p in (done.plan, plan))
    assert after[after > 0].tolist() == before[before > 0].tolist()


def test_units_whose_households_are_elsewhere_stay_whole() -> None:
    plan, ground = town(columns=1)
    other = replace(ground, households=ground.households + 1)
    lines = np.array([line((-1, 3.3), (8, 3.4))], dtype=object)
    found = refined_plan(plan, lines, np.arange(len(plan.units)), other)
    empty = plan.units.households == 0
    crossed = shapely.intersects(lines[0], plan.units.geometry)
    assert found.kept == int((crossed & ~empty).sum()) > 0
    assert found.plan.units.households.sum() == plan.units.households.sum()


def test_the_ground_of_a_store_has_no_rows_and_cuts_alike() -> None:
    plan, ground = town(columns=1)
    bare = replace(plan, units=replace(plan.units, unit_of_row=np.empty(0, dtype=np.int64)))
    drawn = line((2.3, -1), (2.6, 7))
    one, two = cut_by_line(plan, 0, drawn, ground).plan, cut_by_line(bare, 0, drawn, ground).plan
    assert ground_key(one.units) == ground_key(two.units)
    assert one.label.tolist() == two.label.tolist()


def test_an_outline_becomes_the_grid_to_the_metre() -> None:
    plan, ground = town()
    wanted = shapely.Polygon([place(*c) for c in ((1.2, 1.3), (5.7, 1.1), (5.5, 4.6), (1.4, 4.4))])
    done = draw_exactly(plan, 0, wanted, ground)
    sound(done.plan, ground)
    outline = done.plan.outlines()[0]
    inside = shapely.intersection(wanted, ground.area)
    assert shapely.area(shapely.symmetric_difference(outline, inside)) < 0.5 * inside.length


def test_locked_grids_are_neither_cut_nor_moved() -> None:
    plan, ground = town()
    locked = edits.lock(plan, [1])
    assert cut_by_line(locked, 1, line((-1, 3.3), (8, 3.4)), ground).plan is locked
    box = shapely.Polygon([place(*c) for c in ((0.2, 0.3), (6.7, 0.3), (6.7, 5.6), (0.2, 5.6))])
    done = draw_exactly(locked, 0, box, ground)
    assert done.left > 0
    before = shapely.union_all(plan.units.geometry[plan.label == 1])
    after = done.plan.units.geometry[done.plan.label == 1]
    assert len(after) == int((plan.label == 1).sum())
    assert shapely.area(shapely.symmetric_difference(before, shapely.union_all(after))) < 1e-6


def test_a_line_beside_the_grid_cuts_nothing() -> None:
    plan, ground = town()
    assert cut_by_line(plan, 0, line((-3, -1), (-3, 7)), ground).plan is plan


def test_the_request_says_through_and_only_then_cuts() -> None:
    plan, ground = town(columns=1)
    points = [list(place(-0.5, 3.3)), list(place(7.5, 3.4))]
    asked = {"do": "cut", "grid": 0, "points": points}
    along = carry_out(asked, plan, RULES, ground)
    assert along.plan.units is plan.units
    through = carry_out({**asked, "through": True}, plan, RULES, ground)
    assert through.changed(plan)
    assert through.cut == len(through.plan.units) - len(plan.units) > 0
    flat = [*points, points[0]]
    for bad in ({"grid": 9}, {"points": points[:1]}, {"do": "draw", "points": flat}):
        with pytest.raises(RequestError):
            carry_out({**asked, "through": True, **bad}, plan, RULES, ground)


def test_a_recorded_cut_tells_who_moved_where_and_goes_back_exactly() -> None:
    plan, ground = town(columns=1)
    done = cut_by_line(plan, 0, line((2.3, -1), (2.6, 7)), ground)
    step = Step("cut", plan, done.plan)
    assert (step.units, step.households) == (done.units, done.households)
    record = record_of(step)
    codes = [done.plan.grids[key].code for key in (0, 1)]
    assert record["flows"] == [[*codes, done.units, done.households]]
    grounds = {ground_key(p.units): p.units for p in (plan, done.plan)}
    assert same_plan(apply(record, plan, grounds), done.plan)
    assert same_plan(apply(reverse(record), done.plan, grounds), plan)
    history = History(plan).do(step)
    assert history.undo().present is plan
    assert history.undo().redo().present is done.plan


cell = st.tuples(st.floats(-1, WIDE + 1), st.floats(-1, HIGH + 1))
stroke = st.tuples(
    st.sampled_from(["cut", "draw"]), st.integers(0, 3), st.lists(cell, min_size=2, max_size=6),
    st.booleans(),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(stroke, min_size=1, max_size=3))
def test_no_strokes_break_the_ground(
    strokes: list[tuple[str, int, list[tuple[float, float]], bool]],
) -> None:
    plan, ground = town()
    start = plan
    records, refused = [], set()
    grounds = {ground_key(plan.units): plan.units}
    for do, number, cells, lock in strokes:
        key = int(plan.keys[number % len(plan.keys)])
        before = edits.lock(plan, [key], locked=lock)
        records.append(record_of(Step("lock", plan, before)))
        asked = {"do": do, "grid": key, "points": [place(*c) for c in cells], "through": True}
        try:
            done = carry_out(asked, before, RULES, ground)
        except RequestError as error:
            refused.add(error.code)
            plan = before
            continue
        plan = done.plan
        sound(plan, ground)
        for held in before.locked():
            assert len(before.members(held)) == len(plan.members(held))
        grounds[ground_key(plan.units)] = plan.units
        records.append(record_of(Step(do, before, plan)))
    assert refused <= {"shape"}
    back = plan
    for record in reversed(records):
        back = apply(reverse(record), back, grounds)
    assert same_plan(back, start)
