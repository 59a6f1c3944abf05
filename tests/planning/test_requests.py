"""Requests as a browser sends them: what each does, and what none may do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from towns import CELL, lattice

from planning import edits
from planning.faults import FAULTS, NO_GRID, Unplaced, faults, unplaced_near
from planning.plan import Grid, Plan
from planning.requests import STEPS, RequestError, carry_out
from planning.settings import Settings

SIDE = 6
RULES = Settings(target=120, max_persons=None)


def board(columns: int = 3, households: int = 10) -> Plan:
    """A square of 6 x 6 units in vertical strips of two columns, one grid each."""
    units = lattice(SIDE, SIDE, households)
    strip = np.minimum(((units.x - units.x.min()) / CELL).round().astype(int) // 2, columns - 1)
    grids = {i: Grid(f"{units.code}{i + 1:03d}", f"第{i + 1}网格") for i in range(columns)}
    codes = frozenset(grid.code for grid in grids.values())
    return Plan(units, strip.astype(np.int64), grids, "村", columns, codes)


def place(plan: Plan, column: float, row: float) -> list[float]:
    """Metres of a place counted in cells from the south-west corner of the square."""
    west, south, *_ = shapely.total_bounds(plan.units.geometry)
    return [float(west + column * CELL), float(south + row * CELL)]


def at(plan: Plan, column: int, row: int) -> int:
    point = shapely.Point(place(plan, column + 0.5, row + 0.5))
    return int(np.flatnonzero(shapely.contains(plan.units.geometry, point))[0])


@pytest.mark.parametrize("how", ["transfer", "brush", "drag"])
def test_units_go_to_the_grid_they_are_given_to(how: str) -> None:
    plan = board()
    units = [at(plan, 1, 0), at(plan, 1, 1)]
    done = carry_out({"do": how, "units": units, "to": 1}, plan, RULES)
    assert done.plan.label[units].tolist() == [1, 1]
    assert (done.step, done.units, done.households, done.left) == (how, 2, 20, 0)
    assert done.said == {"grid": "002"}


def test_a_locked_grid_keeps_its_units_and_says_how_many() -> None:
    plan = carry_out({"do": "lock", "grids": [0]}, board(), RULES).plan
    done = carry_out({"do": "transfer", "units": [at(plan, 1, 0)], "to": 1}, plan, RULES)
    assert not done.changed(plan)
    assert done.left == 1


def test_lock_without_grids_means_all_of_them() -> None:
    done = carry_out({"do": "lock"}, board(), RULES)
    assert done.plan.locked() == {0, 1, 2}
    assert carry_out({"do": "lock", "locked": False}, done.plan, RULES).plan.locked() == set()


def test_merge_and_split_and_number() -> None:
    merged = carry_out({"do": "merge", "grids": [0, 1]}, board(), RULES).plan
    assert len(merged.grids) == 2
    again = carry_out({"do": "split", "grid": int(merged.keys[0]), "k": 2}, merged, RULES).plan
    assert len(again.grids) == 3
    assert len(carry_out({"do": "number", "k": 4}, board(), RULES).plan.grids) == 4
    assert len(carry_out({"do": "propose"}, board(), RULES).plan.grids) == 3  # 360 / 120


def test_a_line_down_a_grid_makes_two_of_it() -> None:
    plan = board(columns=1)
    line = [place(plan, 2, 4), place(plan, 2, 2)]  # short of both edges: it goes on straight
    done = carry_out({"do": "cut", "grid": 0, "points": line}, plan, RULES)
    assert np.bincount(done.plan.compact).tolist() == [24, 12]  # the larger side keeps its key
    assert done.plan.label[at(plan, 0, 0)] == 1
    assert (done.units, done.households) == (12, 120)


def test_a_bent_line_parts_along_its_bend() -> None:
    plan = board(columns=1)
    line = [place(plan, 0, 3), place(plan, 3, 3), place(plan, 3, 0)]
    done = carry_out({"do": "cut", "grid": 0, "points": line}, plan, RULES)
    assert done.units == 9
    assert done.plan.label[at(plan, 2, 2)] == 1
    assert done.plan.label[at(plan, 3, 3)] == 0


def test_a_line_beside_a_grid_and_a_locked_grid_change_nothing() -> None:
    plan = board()
    aside = [place(plan, -1, 0), place(plan, -1, 6)]
    assert not carry_out({"do": "cut", "grid": 0, "points": aside}, plan, RULES).changed(plan)
    locked = edits.lock(plan, [0])
    through = [place(plan, 1, 0), place(plan, 1, 6)]
    done = carry_out({"do": "cut", "grid": 0, "points": through}, locked, RULES)
    assert not done.changed(locked)
    assert done.left == 6


def test_a_drawn_outline_becomes_the_grid() -> None:
    plan = board()
    corners = [place(plan, 0, 0), place(plan, 3, 0), place(plan, 3, 6), place(plan, 0, 6)]
    done = carry_out({"do": "draw", "grid": 0, "points": corners}, plan, RULES)
    assert len(done.plan.members(0)) == 18


def test_new_rename_kind_and_reason() -> None:
    plan = board()
    done = carry_out({"do": "new", "units": [at(plan, 0, 0)], "kind": "dedicated"}, plan, RULES)
    key = int(done.plan.label[at(plan, 0, 0)])
    assert done.plan.grids[key].kind == "dedicated"
    name = {"do": "rename", "grid": key, "name": " 学校  甲\x00园 "}
    named = carry_out(name, done.plan, RULES).plan
    assert named.grids[key].name == "学校 甲园"
    usual = carry_out({"do": "kind", "grid": key, "kind": "comprehensive"}, named, RULES).plan
    assert usual.grids[key].code.endswith("004")
    told = carry_out({"do": "explain", "grid": key, "reason": "x" * 999}, usual, RULES).plan
    assert len(told.grids[key].reason) == 400


def test_tidying_says_how_many_units_moved() -> None:
    plan = board()
    stray = carry_out({"do": "transfer", "units": [at(plan, 5, 5)], "to": 0}, plan, RULES).plan
    assert [f.rule for f in faults(stray, RULES)] == ["stray"]
    done = carry_out({"do": "tidy"}, stray, RULES)
    assert (done.units, done.doubtful) == (1, ())
    assert faults(done.plan, RULES) == []


def test_each_fault_says_where_it_is() -> None:
    plan = board()
    caps = Settings(target=100, max_persons=None, min_households=100, max_households=130)
    moved = [at(plan, 2, row) for row in range(3)]
    after = carry_out({"do": "transfer", "units": moved, "to": 0}, plan, caps).plan
    found = {f.rule: f for f in faults(after, caps)}
    assert (found["max_households"].key, found["max_households"].value) == (0, 150)
    assert (found["min_households"].key, found["min_households"].value) == (1, 90)
    assert set(found) <= set(FAULTS)
    assert set(moved) <= set(found["max_households"].units)


def test_every_kind_of_fault_is_found_where_it_is() -> None:
    plan = board()
    units = replace(
        plan.units,
        whole=np.where(np.isin(np.arange(36), [at(plan, 1, 3), at(plan, 2, 3)]), 0, -1),
        segments=replace(plan.units.segments, line=np.where(plan.units.segments.right == 7, 0, -1)),
    )
    plan = replace(plan, units=units)
    strays = [at(plan, 5, 0), at(plan, 5, 5)]
    plan = carry_out({"do": "transfer", "units": strays, "to": 0}, plan, RULES).plan
    caps = Settings(target=100, max_persons=None, min_households=110, max_households=130)
    lost = Unplaced(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5, 6]))
    found = faults(plan, caps, ["甲小区"], lost)
    assert {f.rule for f in found} == set(FAULTS) - {"max_persons"}
    assert [f.units for f in found if f.rule == "stray"] == sorted((u,) for u in strays)
    (cut,) = [f for f in found if f.rule == "split_set"]
    assert (cut.name, cut.value, cut.limit) == ("甲小区", 10, 20)
    assert set(cut.units) < {at(plan, 1, 3), at(plan, 2, 3)}
    (nowhere,) = [f for f in found if f.rule == "unplaced"]
    assert (nowhere.key, nowhere.value) == (NO_GRID, 11)
    assert nowhere.places == ((1.0, 2.0), (3.0, 4.0))
    persons = replace(plan, units=replace(units, persons=np.full(36, 100)))
    over = [f for f in faults(persons, Settings(max_persons=1300)) if f.rule == "max_persons"]
    assert [(f.value, f.limit) for f in over] == [(1400, 1300)]


def test_households_without_a_village_are_told_at_the_nearest() -> None:
    villages = np.array([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    xy = np.array([[13.0, 5.0], [40.0, 5.0], [np.nan, np.nan], [-5.0, 0.0]])
    near = unplaced_near(xy, np.array([1, 2, 4, 8]), villages)
    assert {row: found.households.tolist() for row, found in near.items()} == {0: [1, 8], 1: [2]}
    assert unplaced_near(xy[2:3], np.array([4]), villages) == {}


BAD = [
    {"do": "explode"},
    {},
    {"do": "transfer", "units": [], "to": 0},
    {"do": "transfer", "units": [0], "to": 9},
    {"do": "transfer", "units": [36], "to": 0},
    {"do": "transfer", "units": [-1], "to": 0},
    {"do": "transfer", "units": ["0"], "to": 0},
    {"do": "transfer", "units": [0.5], "to": 0},
    {"do": "merge", "grids": "0 1"},
    {"do": "split", "grid": 0, "k": 0},
    {"do": "split", "grid": True, "k": 2},
    {"do": "cut", "grid": 0, "points": [[0, 0]]},
    {"do": "cut", "grid": 0, "points": [[0, 0], [float("nan"), 1]]},
    {"do": "draw", "grid": 0, "points": [[0, 0], [0, 0], [0, 0]]},
    {"do": "draw", "grid": 0, "points": [[0, 0], [1, "x"], [2, 2]]},
    {"do": "rename", "grid": 0, "name": " "},
    {"do": "new", "units": [0], "kind": "secret"},
]


@pytest.mark.parametrize("request_", BAD, ids=str)
def test_what_names_nothing_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        carry_out(request_, board(), RULES)


keys = st.integers(0, 4)
units_ = st.lists(st.integers(0, SIDE * SIDE - 1), min_size=1, max_size=8)
coordinate = st.tuples(st.floats(-2, 8), st.floats(-2, 8))
anything = st.one_of(
    st.fixed_dictionaries({"do": st.sampled_from(["transfer", "brush"]), "units": units_,
                           "to": keys}),
    st.fixed_dictionaries({"do": st.just("new"), "units": units_}),
    st.fixed_dictionaries({"do": st.sampled_from(["merge", "balance", "lock"]),
                           "grids": st.lists(keys, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"do": st.sampled_from(["cut", "draw"]), "grid": keys,
                           "cells": st.lists(coordinate, min_size=3, max_size=6)}),
    st.fixed_dictionaries({"do": st.sampled_from(["tidy", "propose"])}),
    st.fixed_dictionaries({"do": st.just("split"), "grid": keys, "k": st.integers(1, 4)}),
)  # fmt: skip


@given(st.lists(anything, min_size=1, max_size=6))
def test_no_sequence_of_requests_breaks_a_plan(requests: list[dict[str, object]]) -> None:
    plan = board()
    for one in requests:
        if "cells" in one:
            cells = one["cells"]
            assert isinstance(cells, list)
            one = {**one, "points": [place(plan, *cell) for cell in cells]}
        before = plan
        try:
            done = carry_out(one, plan, RULES)
        except RequestError:
            continue
        plan = done.plan
        assert done.step in STEPS
        assert int(plan.measures.households.sum()) == 360
        for key in before.locked():
            assert np.array_equal(before.members(key), plan.members(key))
        assert carry_out(one, before, RULES).plan.label.tolist() == plan.label.tolist()
        faults(plan, RULES)
