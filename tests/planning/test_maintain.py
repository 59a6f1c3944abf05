"""Maintained plans: who breaks a rule is mended, nobody else is touched, few are moved."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import towns
from hypothesis import given, settings
from hypothesis import strategies as st
from towns import lattice

from geo.units import Units
from planning import edits
from planning.graph import graph_of
from planning.limits import breakers, limits_of, lower_bound, nodes_of
from planning.maintain import Maintained, maintain
from planning.plan import Grid, Plan
from planning.settings import Settings

CAPS = Settings(target=100, max_households=130, max_persons=None)


def plan_of(units: Units, label: np.ndarray) -> Plan:
    grids = {int(k): Grid(f"T{k + 1:03d}", f"{k}") for k in np.unique(label)}
    codes = frozenset(grid.code for grid in grids.values())
    return Plan(units, label.astype(np.int64), grids, "村", len(grids), codes)


def strips(households: np.ndarray | int, columns: int = 8, rows: int = 6, wide: int = 2) -> Plan:
    units = lattice(columns, rows, households)
    return plan_of(units, np.arange(columns * rows) % columns // wide)


def sound(before: Plan, result: Maintained, rules: Settings, band: float | None = None) -> None:
    """Whatever the counts: coverage of people, pieces, truthful numbers, nobody newly broken."""
    after = result.plan
    assert after.units is before.units
    away = after.label != before.label
    assert result.moved == before.units.households[away].sum()
    if not result.left:
        assert result.moved >= result.bound
    near = towns.neighbours(graph_of(before.units))
    for key in after.grids:
        members = set(np.flatnonzero(after.label == key).tolist())
        parts = towns.piece_count(near, members)
        old = set(np.flatnonzero(before.label == key).tolist())
        assert parts <= max(1, towns.piece_count(near, old))
    limits = limits_of(before, rules, band)
    nodes = nodes_of(before, rules)
    broken = set(breakers(before, nodes, limits))
    assert set(result.mended) | set(result.left) == broken
    assert set(breakers(after, nodes, limits)) == set(result.left)
    if not broken:
        assert after is before
    codes = [grid.code for grid in after.grids.values()]
    assert len(set(codes)) == len(codes)
    assert {after.grids[key].code for key in result.new}.isdisjoint(before.used)
    for key in set(before.grids) & set(after.grids):
        assert after.grids[key] == before.grids[key]


def test_nothing_broken_nothing_changed() -> None:
    plan = strips(10)
    assert maintain(plan, CAPS).plan is plan


def test_three_households_more_in_one_building_move_nobody() -> None:
    plan = strips(10)
    held = plan.units.households.copy()
    held[5] += 3
    grown = replace(plan, units=replace(plan.units, households=held))
    result = maintain(grown, CAPS)
    assert (result.moved, result.bound, result.ratio) == (0, 0, 1.0)
    assert (result.plan.label == plan.label).all()


def test_the_neighbours_relieve_a_grid_over_its_cap_by_the_fewest() -> None:
    held = np.full(48, 10)
    held[2:4] = 20  # the second grid: 140, ten over
    plan = strips(held)
    result = maintain(plan, CAPS)
    sound(plan, result, CAPS)
    assert (result.moved, result.bound) == (10, 10)
    assert result.plan.measures.households.max() <= 130
    assert (result.plan.label[plan.label == 3] == 3).all()


def test_the_cap_on_persons_is_mended_too() -> None:
    plan = strips(10)
    persons = plan.units.households.copy()
    persons[plan.label == 1] = 21
    plan = replace(plan, units=replace(plan.units, persons=persons))
    rules = Settings(target=100, max_persons=245)
    result = maintain(plan, rules)  # 252 of 245: one building of 21 goes
    sound(plan, result, rules)
    assert (result.moved, result.bound) == (10, 10)


def test_one_that_no_neighbour_can_relieve_is_split() -> None:
    plan = strips(np.where(np.arange(48) % 8 // 2 == 1, 15, 10))  # 180 between 120 and 120
    rules = replace(CAPS, max_households=125)
    result = maintain(plan, rules)
    sound(plan, result, rules)
    assert len(result.new) == 1
    assert result.left == ()
    untouched = plan.label != 1
    assert (result.plan.label[untouched] == plan.label[untouched]).all()
    assert result.plan.grids[result.new[0]].code == "T005"


def test_one_under_the_minimum_takes_from_its_neighbours_or_is_merged() -> None:
    rules = Settings(target=100, min_households=60, max_persons=None)
    held = np.full(48, 10)
    held[(np.arange(48) % 8 // 2) == 0] = 4  # 48: lacks 12
    lacking = strips(held)
    result = maintain(lacking, rules)
    sound(lacking, result, rules)
    assert result.gone == ()
    assert result.bound == 12
    assert result.moved == 20  # two buildings of ten: no way to move twelve
    held[(np.arange(48) % 8 // 2) == 0] = 1  # 12: lacks 48, so it ceases
    tiny = strips(held)
    merged = maintain(tiny, rules)
    sound(tiny, merged, rules)
    assert merged.gone == (0,)
    assert (merged.moved, merged.bound) == (12, 12)


def test_locked_and_dedicated_grids_stay_as_they_are() -> None:
    held = np.full(48, 10)
    held[2:4] = 20
    plan = edits.lock(strips(held), [0, 1])
    assert maintain(plan, CAPS).plan is plan
    other = edits.lock(strips(held), [0])
    result = maintain(other, CAPS)
    assert (result.plan.label[other.label == 0] == 0).all()
    assert result.moved == 10
    special = edits.change_kind(strips(held), 1, "dedicated")
    assert maintain(special, CAPS).moved == 0


def test_a_tower_over_the_cap_is_left_alone() -> None:
    held = np.full(48, 10)
    held[2] = 300
    plan = strips(held)
    assert maintain(plan, CAPS).plan is plan


def test_a_compound_moves_whole_or_not_at_all() -> None:
    held = np.full(48, 10)
    held[2:4] = 20
    plan = strips(held)
    whole = np.where(plan.label == 1, 7, -1)
    whole[[2, 3, 10, 11]] = -1
    plan = replace(plan, units=replace(plan.units, whole=whole))
    result = maintain(plan, CAPS)
    sound(plan, result, CAPS)
    assert len(set(result.plan.label[whole == 7].tolist())) == 1


def test_a_band_mends_what_no_rule_forbids() -> None:
    held = np.full(48, 10)
    held[2:4] = 40  # the second: 180 of an even 135
    plan = strips(held)
    free = Settings(target=100, max_persons=None)
    assert maintain(plan, free).plan is plan
    result = maintain(plan, free, band=0.25)
    sound(plan, result, free, 0.25)
    even = plan.units.households.sum() / 4
    assert result.plan.measures.households.max() <= 1.25 * even
    assert result.moved < 40


def naive_bound(plan: Plan, cap: int) -> int:
    """The fewest that leave, tried subset by subset."""
    total = 0
    for key in plan.grids:
        held = plan.units.households[plan.label == key]
        need = held.sum() - cap
        if need > 0:
            total += min(
                sum(chosen)
                for n in range(1, len(held) + 1)
                for chosen in itertools.combinations(held.tolist(), n)
                if sum(chosen) >= need
            )
    return total


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=16, max_size=16), st.integers(12, 45))
def test_the_bound_is_the_least_sum_of_buildings(held, cap) -> None:
    plan = strips(np.array(held), columns=4, rows=4)
    rules = Settings(target=cap, max_households=cap, max_persons=None)
    limits, nodes = limits_of(plan, rules), nodes_of(plan, rules)
    broken = breakers(plan, nodes, limits)
    assert lower_bound(plan, nodes, limits, broken) == naive_bound(plan, cap)


def least_of_all(plan: Plan, rules: Settings) -> int | None:
    """The fewest households moved by any plan of the same grids that keeps the rules."""
    near, n, k = towns.neighbours(graph_of(plan.units)), len(plan.units), len(plan.grids)
    held = plan.units.households
    every = np.array(list(itertools.product(range(k), repeat=n)), dtype=np.int8)
    counts = np.stack([(held * (every == grid)).sum(axis=1) for grid in range(k)], axis=1)
    every = every[(counts <= (rules.max_households or np.inf)).all(axis=1)]
    moved = (held * (every != plan.label)).sum(axis=1)
    for row in np.argsort(moved, kind="stable"):
        if all(towns.in_one_piece(near, members) for members in towns.grids_of(every[row], k)):
            return int(moved[row])
    return None


@settings(max_examples=10)
@given(st.lists(st.integers(1, 9), min_size=9, max_size=9), st.integers(0, 6))
def test_small_towns_against_all_plans(held, slack) -> None:
    plan = strips(np.array(held), columns=3, rows=3, wide=1)
    cap = max(int(np.ceil(sum(held) / 3)) + slack, max(held))
    rules = Settings(target=cap, max_households=cap, max_persons=None)
    result = maintain(plan, rules)
    sound(plan, result, rules)
    best = least_of_all(plan, rules)
    if best is not None:
        assert result.bound <= best
        assert not result.left
        if not result.new:
            assert best <= result.moved <= 2 * best


@settings(max_examples=8)
@given(
    st.lists(st.integers(0, 30), min_size=48, max_size=48),
    st.sampled_from([None, 40, 80]),
    st.sampled_from([110, 140, 200]),
    st.sampled_from([None, 0.3]),
)
def test_any_counts_leave_a_sound_plan(held, least, most, band) -> None:
    plan = strips(np.array(held))
    rules = Settings(
        target=100, min_households=least, max_households=most, max_persons=None
    )
    result = maintain(plan, rules, band)
    sound(plan, result, rules, band)
    again = maintain(plan, rules, band)
    assert (again.plan.label == result.plan.label).all()


def test_ratio_speaks_of_households() -> None:
    held = np.full(48, 10)
    held[2:4] = 20
    result = maintain(strips(held), CAPS)
    assert result.ratio == pytest.approx(result.moved / result.bound)
