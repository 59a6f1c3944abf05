"""Edits on drawn towns: what each does, and what no sequence of them may break."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from towns import CELL, lattice

from planning import edits
from planning.plan import Grid, Plan
from planning.settings import Settings
from planning.start import pieces

SIDE = 6


def board(columns: int = 3, households: int = 10) -> Plan:
    """A square of 6 x 6 units in vertical strips of two columns, one grid each."""
    units = lattice(SIDE, SIDE, households)
    strip = np.minimum(((units.x - units.x.min()) / CELL).round().astype(int) // 2, columns - 1)
    grids = {i: Grid(f"{units.code}{i + 1:03d}", f"村第{i + 1}网格") for i in range(columns)}
    codes = frozenset(grid.code for grid in grids.values())
    return Plan(units, strip.astype(np.int64), grids, "村", columns, codes)


def at(plan: Plan, column: int, row: int) -> int:
    """The unit in a column from the west and a row from the south."""
    x = ((plan.units.x - plan.units.x.min()) / CELL).round()
    y = ((plan.units.y - plan.units.y.min()) / CELL).round()
    return int(np.flatnonzero((x == column) & (y == row))[0])


def test_transfer_moves_just_the_chosen_units_and_counts_their_households() -> None:
    plan = board()
    chosen = np.array([at(plan, 1, 0), at(plan, 1, 1)])
    edited = edits.transfer(plan, chosen, 1)
    assert (edited.plan.label[chosen] == 1).all()
    rest = np.setdiff1d(np.arange(len(plan.units)), chosen)
    assert (edited.plan.label[rest] == plan.label[rest]).all()
    assert (edited.units, edited.households, edited.left) == (2, 20, 0)


def test_a_locked_grid_neither_loses_nor_gains() -> None:
    plan = edits.lock(board(), [1])
    out = edits.transfer(plan, plan.members(1), 0)
    assert (out.plan.label == plan.label).all()
    assert out.left == 12
    into = edits.transfer(plan, plan.members(0)[:3], 1)
    assert (into.plan.label == plan.label).all()
    assert into.left == 3


def test_merge_keeps_the_larger_grid_and_forgets_the_other() -> None:
    plan = edits.transfer(board(), np.array([at(board(), 1, 0)]), 1).plan
    merged = edits.merge(plan, [0, 1]).plan
    assert sorted(merged.grids) == [1, 2]
    assert merged.grids[1].code.endswith("002")


def test_a_code_once_given_is_not_given_again() -> None:
    first = board()
    plan = edits.merge(first, [0, 1]).plan
    again = edits.new_grid(plan, plan.members(plan.keys[0])[:4]).plan
    fresh = again.grids[max(again.grids)].code
    assert fresh not in {grid.code for grid in first.grids.values()}
    assert fresh.endswith("004")


def test_split_gives_balanced_parts_in_one_piece_and_keeps_a_key() -> None:
    plan = board()
    halves = edits.split(plan, 1, 2, Settings()).plan
    assert len(halves.grids) == 4
    assert 1 in halves.grids
    held = halves.measures.households
    assert sorted(held.tolist()) == [60, 60, 120, 120]
    assert (halves.measures.parts == 1).all()


def test_balance_evens_out_without_touching_the_others() -> None:
    plan = edits.transfer(board(), board().members(0)[:8], 1).plan
    third = plan.members(2)
    even = edits.balance(plan, [0, 1], Settings()).plan
    held = dict(zip(even.keys.tolist(), even.measures.households.tolist(), strict=True))
    assert abs(held[0] - held[1]) <= 20
    assert (even.label[third] == 2).all()
    assert (even.measures.parts == 1).all()


def test_set_number_counts_locked_grids_and_leaves_them() -> None:
    plan = edits.lock(board(), [2])
    five = edits.set_number(plan, 5, Settings()).plan
    assert len(five.grids) == 5
    assert (five.label[plan.members(2)] == 2).all()


def test_draw_takes_what_is_inside_and_gives_away_what_is_not() -> None:
    plan = board()
    west, south, _, north = shapely.total_bounds(plan.units.geometry)
    outline = shapely.box(west, south, west + 3 * CELL, north)
    drawn = edits.draw(plan, 0, outline).plan
    assert set(drawn.members(0)) == set(edits.inside(plan, outline))
    narrow = edits.draw(drawn, 0, shapely.box(west, south, west + CELL, north)).plan
    assert len(narrow.members(0)) == SIDE
    assert set(narrow.grids) == {0, 1, 2}


def test_tidy_moves_small_strays_and_leaves_large_ones_to_people() -> None:
    plan = board()
    stray = np.array([at(plan, 4, 3)])
    small = edits.transfer(plan, stray, 0).plan
    done = edits.tidy(small)
    assert done.edited.units == 1
    assert done.edited.plan.label[stray[0]] == 2
    assert not len(done.doubtful)
    block = np.array([at(plan, c, r) for c in (4, 5) for r in range(4)])
    large = edits.transfer(plan, block, 0).plan
    kept = edits.tidy(large)
    assert kept.edited.units == 0
    assert len(kept.doubtful) == 1


def test_change_of_kind_gives_a_code_of_that_kind() -> None:
    plan = edits.change_kind(board(), 0, "dedicated")
    assert plan.grids[0].code.endswith("901")
    assert plan.grids[0].kind == "dedicated"


def test_change_of_kind_renames_a_number_and_keeps_a_name() -> None:
    plan = edits.change_kind(board(), 0, "dedicated")
    assert plan.grids[0].name == f"{plan.village_name}第一专属网格"
    back = edits.change_kind(plan, 0, "comprehensive")
    assert re.fullmatch(f"{plan.village_name}第[一二三四五六七八九十]+网格", back.grids[0].name)
    named = edits.change_kind(edits.rename(board(), 0, "县医院"), 0, "dedicated")
    assert named.grids[0].name == "县医院"


def test_a_grid_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        edits.transfer(board(), np.array([0]), 99)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["transfer", "merge", "split", "new", "lock", "balance", "tidy", "number", "draw"]
        ),
        st.integers(0, 35),
        st.integers(0, 35),
        st.integers(1, 4),
    ),
    max_size=8,
)


def apply(plan: Plan, step: tuple[str, int, int, int]) -> Plan:
    """One random step; its numbers choose units and grids of the plan as it is."""
    what, a, b, n = step
    keys = plan.keys.tolist()
    one, two = keys[a % len(keys)], keys[b % len(keys)]
    units = np.unique(np.array([a, b]) % len(plan.units))
    rules = Settings()
    match what:
        case "transfer":
            return edits.transfer(plan, units, two).plan
        case "merge":
            return edits.merge(plan, [one, two]).plan
        case "split":
            return edits.split(plan, one, n, rules).plan
        case "new":
            return edits.new_grid(plan, units).plan
        case "lock":
            return edits.lock(plan, [one], locked=n > 1)
        case "balance":
            return edits.balance(plan, [one, two], rules).plan
        case "tidy":
            return edits.tidy(plan).edited.plan
        case "number":
            return edits.set_number(plan, n + 1, rules).plan
    x, y = plan.units.x[units[0]], plan.units.y[units[0]]
    return edits.draw(plan, one, shapely.box(x - 70, y - 70, x + 70, y + 70)).plan


@given(STEPS)
@settings(max_examples=60)
def test_no_sequence_of_edits_loses_ground_or_people_or_touches_a_locked_grid(
    steps: list[tuple[str, int, int, int]],
) -> None:
    plan = board()
    area = float(plan.units.area.sum())
    for step in steps:
        before = plan
        plan = apply(plan, step)
        assert plan.measures.households.sum() == 360
        assert abs(shapely.area(plan.outlines()).sum() - area) < 1e-6 * area
        assert shapely.coverage_is_valid(plan.outlines())
        codes = [grid.code for grid in plan.grids.values()]
        assert len(set(codes)) == len(codes)
        if step[0] != "lock":
            for key in before.locked():
                assert set(plan.members(key)) == set(before.members(key))
        if step[0] in ("split", "number") and (before.measures.parts == 1).all():
            untouched = plan.label == before.label
            assert untouched.any() or len(before.grids) == 1
            assert pieces(edits.graph_of(plan.units), plan.compact).max() + 1 >= len(plan.grids)
