"""Two edits of one village: alone where they touch different grids, for a person where not."""

from __future__ import annotations

import numpy as np
import pytest
from towns import CELL, lattice

from planning.plan import Grid, Plan
from planning.rebase import rebased, touched
from planning.requests import Request, RequestError, carry_out
from planning.settings import Settings

SETTINGS = Settings(target=120, max_persons=None)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A square of 6 x 6 units in strips of one column, a grid each."""
    units = lattice(6, 6, 10)
    strip = ((units.x - units.x.min()) / CELL).round().astype(np.int64)
    grids = {i: Grid(f"{units.code}{i + 1:03d}", f"第{i + 1}网格") for i in range(6)}
    return Plan(units, strip, grids, "村", 6, frozenset(grid.code for grid in grids.values()))


def done(request: Request, on: Plan) -> Plan:
    return carry_out(request, on, SETTINGS).plan


def keys(plan: Plan) -> list[int]:
    return [int(key) for key in plan.keys]


def test_edits_of_different_grids_may_be_made_in_either_order(plan: Plan) -> None:
    a, b, c, d = keys(plan)[:4]
    mine: Request = {"do": "merge", "grids": [a, b]}
    theirs = done({"do": "merge", "grids": [c, d]}, plan)
    found = rebased(mine, plan, theirs, SETTINGS)
    assert found is not None
    other_way = done({"do": "merge", "grids": [c, d]}, done(mine, plan))
    assert np.array_equal(found.plan.label, other_way.label)
    assert dict(found.plan.grids) == dict(other_way.grids)


@pytest.mark.parametrize("what", ["merge", "lock", "rename"])
def test_what_touches_a_grid_that_was_changed_is_for_a_person(plan: Plan, what: str) -> None:
    a, b, c = keys(plan)[:3]
    theirs = {
        "merge": {"do": "merge", "grids": [b, c]},
        "lock": {"do": "lock", "grids": [b], "locked": True},
        "rename": {"do": "rename", "grid": b, "name": "乙"},
    }[what]
    now = done(theirs, plan)
    assert b in (touched(plan, now) or ())
    assert rebased({"do": "merge", "grids": [a, b]}, plan, now, SETTINGS) is None


def test_two_new_grids_have_one_number_by_chance(plan: Plan) -> None:
    a, _, c = keys(plan)[:3]
    split = done({"do": "split", "grid": c, "k": 2}, plan)
    new = set(split.grids) - set(plan.grids)
    found = rebased({"do": "split", "grid": a, "k": 2}, plan, split, SETTINGS)
    assert found is not None
    assert len(set(found.plan.grids) - set(split.grids)) == 1
    assert new <= set(found.plan.grids)
    assert found.plan.units.households.sum() == plan.units.households.sum()


def test_what_was_no_request_is_none_now(plan: Plan) -> None:
    now = done({"do": "lock", "grids": keys(plan)[:1], "locked": True}, plan)
    with pytest.raises(RequestError):
        rebased({"do": "merge", "grids": [999]}, plan, now, SETTINGS)


def test_any_two_that_are_let_pass_give_what_the_other_order_gives(plan: Plan) -> None:
    """A few hundred pairs of random transfers, merges and splits."""
    rng = np.random.default_rng(5)
    passed = 0

    def some() -> Request:
        kind = rng.integers(3)
        if kind == 0:
            unit = int(rng.integers(len(plan.units)))
            to = int(rng.choice([k for k in keys(plan) if k != plan.label[unit]]))
            return {"do": "transfer", "units": [unit], "to": to}
        if kind == 1:
            pair = rng.choice(keys(plan), 2, replace=False)
            return {"do": "merge", "grids": [int(key) for key in pair]}
        return {"do": "lock", "grids": [int(rng.choice(keys(plan)))], "locked": True}

    for _ in range(300):
        mine, theirs = some(), some()
        found = rebased(mine, plan, done(theirs, plan), SETTINGS)
        if found is None:
            continue
        passed += 1
        other_way = done(theirs, done(mine, plan))
        assert np.array_equal(found.plan.label, other_way.label)
        assert dict(found.plan.grids) == dict(other_way.grids)
    assert passed > 30
