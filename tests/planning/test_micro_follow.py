"""Micro-grids follow their grids with the least change, and each lies in exactly one grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.segments import border_segments
from geo.units import Units, build_units
from planning import edits
from planning.check import check_plan
from planning.codes import grid_codes, grid_names
from planning.county import propose_county
from planning.micro import micro_grids
from planning.micro_follow import Followed, FormerMicro, follow, table_of
from planning.micro_plan import as_micro, part_of
from planning.plan import Plan, start_plan
from planning.propose import propose
from planning.settings import Settings
from planning.tables import to_planfile
from planning.today import of_plan

VILLAGE = "320116001201"
TOWN = """
12.|.23|4.1
3.1|4..|.22
---+---+---
.31|222|1..
2..|1.3|.12
"""
RULES = Settings(target=200, micro=60)


def town() -> tuple[Plan, FormerMicro]:
    """A village's plan and the micro-grids it was proposed with."""
    units = build_units(towns.village(TOWN, times=10, persons=3, code=VILLAGE))
    proposal = propose(units, RULES)
    codes = grid_codes(VILLAGE, proposal.k)
    plan = start_plan(units, proposal, codes, grid_names("村", proposal.k, []), "村")
    micro = micro_grids(units, proposal, RULES)
    grid = [codes[g] for g in micro.grid]
    code = [f"{g}{n:02d}" for g, n in zip(grid, micro.number, strict=True)]
    former = FormerMicro(
        np.array(code, dtype=object), np.array(grid, dtype=object), micro.outlines
    )
    return plan, former


def nested(plan: Plan, found: Followed) -> None:
    """Every unit has one micro-grid, every micro-grid one grid, and codes are given once."""
    usual = np.array([plan.grids[key].kind == "comprehensive" for key in plan.label.tolist()])
    assert ((found.label >= 0) == usual).all()
    grid_of = np.array([plan.grids[key].code for key in plan.label.tolist()], dtype=object)
    for number, grid in enumerate(found.grid):
        assert set(grid_of[found.label == number]) == {grid}
        assert found.code[number].startswith(grid)
    assert len(set(found.code)) == len(found.code)
    table = table_of(plan, found, None)
    assert table["households"].sum() == plan.units.households[usual].sum()
    assert shapely.area(table.geometry.to_numpy()).sum() == pytest.approx(
        plan.units.area[usual].sum()
    )


def test_nothing_changes_where_no_grid_was_redrawn() -> None:
    plan, former = town()
    found = follow(plan, former, 60)
    nested(plan, found)
    assert found.changes == ()
    assert sorted(found.code) == sorted(former.code)
    shapes = dict(zip(found.code, found.outlines(plan.units), strict=True))
    for code, shape in zip(former.code, former.shape, strict=True):
        assert shapely.equals(shapely.normalize(shape), shapely.normalize(shapes[code]))


def test_a_unit_that_changes_grid_joins_a_micro_grid_there() -> None:
    plan, former = town()
    edges = plan.units.edges
    across = np.flatnonzero(plan.label[edges.a] != plan.label[edges.b])
    small = plan.units.households[edges.a[across]] < 30
    edge = int(across[small][0])
    unit, to = int(edges.a[edge]), int(plan.label[edges.b[edge]])
    home, new = plan.grids[int(plan.label[unit])].code, plan.grids[to].code
    after = edits.transfer(plan, np.array([unit]), to).plan
    found = follow(after, former, 60)
    nested(after, found)
    assert found.grid[found.label[unit]] == new
    assert {change.grid for change in found.changes} <= {home, new}
    assert any(change.grid == new and change.changed for change in found.changes)
    # every other micro-grid is what it was
    told = {code for one in found.changes for code in (*one.changed, *one.new, *one.gone)}
    before = follow(plan, former, 60)
    for number, code in enumerate(before.code):
        if code not in told:
            there = found.code.index(code)
            assert ((before.label == number) == (found.label == there)).all()


def test_merged_grids_keep_their_micro_grids() -> None:
    plan, former = town()
    keys = plan.keys[:2].tolist()
    after = edits.merge(plan, keys).plan
    found = follow(after, former, 60)
    nested(after, found)
    host = next(key for key in keys if key in after.grids)
    gone = next(key for key in keys if key not in after.grids)
    change = next(one for one in found.changes if one.grid == plan.grids[host].code)
    came = [grid for grid in former.grid if grid == plan.grids[gone].code]
    assert len(change.new) == len(came)
    assert change.changed == ()
    assert change.gone == ()
    assert len(found.code) == len(former)


def test_ground_that_knew_no_micro_grid_gets_one() -> None:
    plan, former = town()
    none = FormerMicro(former.code[:0], former.grid[:0], former.shape[:0])
    found = follow(plan, none, 60)
    nested(plan, found)
    assert all(change.new and not change.gone for change in found.changes)
    assert {change.grid for change in found.changes} == {g.code for g in plan.grids.values()}


def test_undone_is_undone() -> None:
    """What follows depends on where the grids are, not on the way they came there."""
    plan, former = town()
    moved = edits.merge(plan, plan.keys[:2].tolist()).plan
    follow(moved, former, 60)
    assert follow(plan, former, 60).changes == ()


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40)), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_however_grids_are_redrawn_every_micro_grid_lies_in_one(
    moves: list[tuple[int, int]],
) -> None:
    plan, former = town()
    for unit, grid in moves:
        to = int(plan.keys[grid % len(plan.keys)])
        plan = edits.transfer(plan, np.array([unit % len(plan.units)]), to).plan
    nested(plan, follow(plan, former, 60))


def test_a_grids_micro_grids_are_a_plan_to_be_edited() -> None:
    plan, former = town()
    found = follow(plan, former, 60)
    grid = found.grid[0]
    own = found.plan(plan, grid)
    assert own.units.code == grid
    assert sorted(g.code for g in own.grids.values()) == sorted(
        code for code in found.code if code.startswith(grid)
    )
    wider, key = as_micro(own).fresh()
    assert wider.grids[key].code == f"{grid}{len(own.grids) + 1:02d}"
    split = edits.split(own, int(own.keys[0]), 2, RULES).plan
    assert len(split.grids) == len(own.grids) + 1
    with pytest.raises(KeyError):
        found.plan(plan, "no such grid")


def same_ground(part: Units, whole: Units, members: np.ndarray) -> None:
    assert part.households.tolist() == whole.households[members].tolist()
    plain = border_segments(part.geometry)
    assert (plain.left == part.segments.left).all()
    assert (plain.x1 == part.segments.x1).all()
    # neighbours inside are neighbours in the whole, with the same border on the same lines
    place = {int(unit): i for i, unit in enumerate(members.tolist())}
    meant = {
        (min(place[a], place[b]), max(place[a], place[b])): (length, lined)
        for a, b, length, lined in zip(
            whole.edges.a.tolist(), whole.edges.b.tolist(), whole.edges.length, whole.edges.on_line,
            strict=True,
        )
        if a in place and b in place
    }  # fmt: skip
    got = dict(
        zip(
            zip(part.edges.a.tolist(), part.edges.b.tolist(), strict=True),
            zip(part.edges.length, part.edges.on_line, strict=True),
            strict=True,
        )
    )
    assert got.keys() == meant.keys()
    for pair, (length, lined) in meant.items():
        assert got[pair] == (pytest.approx(length), pytest.approx(lined))


def test_a_part_of_a_ground_keeps_its_neighbours_and_lines() -> None:
    plan, _ = town()
    for key in plan.keys.tolist():
        members = plan.members(key)
        same_ground(part_of(plan.units, members, "G"), plan.units, members)


def test_next_month_keeps_the_micro_grids_it_can() -> None:
    ground = towns.county([towns.village(TOWN, times=10, persons=3, code=VILLAGE)])
    first = to_planfile(propose_county(ground, RULES))
    assert first.micro_grids is not None
    # three households more in one building: nothing moves, and no number changes
    homes = ground.households.copy()
    row = homes.columns.get_loc("households")
    homes.iloc[0, row] += 3
    again = replace(ground, households=homes)
    second = to_planfile(
        propose_county(again, RULES, today=of_plan(first, ground.crs))
    )
    assert second.micro_grids is not None
    assert list(second.micro_grids["code"]) == list(first.micro_grids["code"])
    same = shapely.equals(
        shapely.normalize(second.micro_grids.geometry.to_numpy()),
        shapely.normalize(first.micro_grids.geometry.to_numpy()),
    )
    assert same.all()
    grown = second.micro_grids["households"] - first.micro_grids["households"]
    assert sorted(grown) == [0] * (len(grown) - 1) + [3]
    assert not [found for found in check_plan(second) if found.rule == "micro"]
