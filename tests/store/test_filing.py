"""A scenario filed: what was proposed comes back as it was, and what was decided is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import towns
from pandas.testing import assert_frame_equal

from geo.problems import InputError
from planning import edits
from planning.check import check_plan
from planning.county import CountyPlan, propose_county
from planning.history import Step
from planning.opened import county_of_plan, plan_digest
from planning.plan import Plan
from planning.planfile import PlanFile, read_plan, write_plan
from planning.settings import Settings
from planning.tables import to_planfile
from store.projects import Created, Store

CODES = ("320116001201", "320116001202")


def edit(store: Store, made: Created, code: str, name: str, after: Plan) -> None:
    opened = store.open_plan(made.scenario, code)
    step = Step(name, opened.plan, after, actor="甲")
    store.save_step(made.scenario, code, opened.version, step)


@pytest.mark.parametrize("micro", [None, 30])
def test_an_unedited_scenario_is_the_proposal(
    store: Store, county: CountyPlan, micro: int | None
) -> None:
    own = propose_county(county.ground, replace(county.settings, micro=micro))
    made, proposed = store.create_project(own, "c"), to_planfile(own)
    with Store(store.place) as other:
        filed = other.planfile_of(made.scenario, proposed.households)
    grids = filed.grids.drop(columns=["locked", "reason"])
    # what each grid's even share is, a village's islands decide in a proposal only
    ideal = ["ideal", "deviation_ideal"]
    assert_frame_equal(grids.drop(columns=ideal), proposed.grids.drop(columns=ideal))
    for layer in ("households", "villages", "exceptions", "micro_grids"):
        a, b = getattr(filed, layer), getattr(proposed, layer)
        if a is None or b is None:
            assert a is b
        else:
            assert_frame_equal(a, b, check_dtype=False)
    told = dict(proposed.provenance.to_numpy())
    again = dict(filed.provenance.to_numpy())
    assert told.items() - again.items() <= {
        (key, value) for key, value in told.items() if key.startswith(("result.", "whole."))
    }
    assert again["scenario.steps"] == "0"


def test_what_planners_decided_is_filed(
    store: Store, county: CountyPlan, tmp_path: Path
) -> None:
    made = store.create_project(county, "c")
    proposed = to_planfile(county)
    plan = store.open_plan(made.scenario, CODES[0]).plan
    keys = plan.keys.tolist()
    edit(store, made, CODES[0], "merge", edits.merge(plan, keys[:2]).plan)
    plan = store.open_plan(made.scenario, CODES[0]).plan
    host = next(key for key in keys[:2] if key in plan.grids)
    edit(store, made, CODES[0], "new", edits.new_grid(plan, plan.members(host)[:1]).plan)
    plan = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "lock", edits.lock(plan, [host]))
    plan = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "rename", edits.rename(plan, host, "=东片"))
    plan = store.open_plan(made.scenario, CODES[0]).plan
    filed = store.planfile_of(made.scenario, proposed.households)
    write_plan(filed, tmp_path / "plan.gpkg")
    read = read_plan(tmp_path / "plan.gpkg")
    own = read.grids[read.grids["village_code"] == CODES[0]].set_index("code")
    assert set(own.index) == {grid.code for grid in plan.grids.values()}
    renamed = own.loc[plan.grids[host].code]
    assert (renamed["name"], renamed["locked"]) == ("=东片", 1)
    held = read.households.groupby("grid_code")["households"].sum()
    lived = read.grids.set_index("code")["households"]
    assert held.to_dict() == lived[lived > 0].to_dict()
    assert read.grids["households"].sum() == proposed.grids["households"].sum()
    retired = read.provenance.loc[read.provenance["key"] == "code.retired", "value"]
    gone = plan.used - set(own.index)
    assert gone
    assert set(retired) == gone
    wrong = [finding for finding in check_plan(read) if not finding.declared]
    assert {(f.rule, f.grid_code in own.index) for f in wrong} == {("parts", True)}  # by hand


def broken(plan: PlanFile) -> set[str]:
    """Rules that a plan breaks without declaring it, its household points aside."""
    return {f.rule for f in check_plan(plan) if not f.declared}


def test_a_reason_given_is_the_exception_s_reason(store: Store, county: CountyPlan) -> None:
    made = store.create_project(
        replace(county, settings=replace(county.settings, max_persons=100)), "c"
    )
    plan = store.open_plan(made.scenario, CODES[0]).plan
    merged = edits.merge(plan, plan.keys.tolist()).plan
    edit(store, made, CODES[0], "merge", merged)
    first = store.planfile_of(made.scenario).exceptions
    assert first["reason"].str.contains("by hand").any()
    assert broken(store.planfile_of(made.scenario)) == {"max_persons"}
    opened = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "explain", edits.explain(opened, int(opened.keys[0]), "因为河"))
    second = store.planfile_of(made.scenario)
    code = opened.grids[int(opened.keys[0])].code
    own = second.exceptions[second.exceptions["grid_code"] == code]
    assert len(own)
    assert set(own["reason"]) == {"因为河"}
    assert broken(second) == set()
    assert second.grids.set_index("code").loc[code, "reason"] == "因为河"


def test_households_of_another_plan_are_refused(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, "c")
    others = to_planfile(county).households
    others = others.assign(households=others["households"] + 1)
    with pytest.raises(InputError, match="proposed from"):
        store.planfile_of(made.scenario, others)


def test_without_households_the_layer_is_empty(store: Store, county: CountyPlan) -> None:
    filed = store.planfile_of(store.create_project(county, "c").scenario)
    assert isinstance(filed.households, pd.DataFrame)
    assert len(filed.households) == 0
    assert np.array_equal(filed.grids["households"], to_planfile(county).grids["households"])


def edited(store: Store, county: CountyPlan) -> Created:
    """A project whose first village lost a grid to a merge."""
    made = store.create_project(county, "c")
    plan = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "merge", edits.merge(plan, plan.keys.tolist()[:2]).plan)
    return made


@pytest.mark.parametrize("micro", [None, 30])
def test_filing_one_village_again_equals_filing_all(
    store: Store, county: CountyPlan, micro: int | None
) -> None:
    own = propose_county(county.ground, replace(county.settings, micro=micro))
    made, proposed = edited(store, own), to_planfile(own)
    whole = store.planfile_of(made.scenario, proposed.households)
    again = store.refiled(made.scenario, proposed, [CODES[0]])
    for layer in ("grids", "households", "villages", "exceptions", "micro_grids"):
        a, b = getattr(again, layer), getattr(whole, layer)
        if a is None or b is None:
            assert a is b
            continue
        other = ["ideal", "deviation_ideal"]  # of the village that nobody touched: the proposal's
        own_rows = a.drop(columns=[c for c in other if c in a])
        order = ["code"] if "code" in a else list(own_rows.columns[:2])
        assert_frame_equal(
            own_rows.sort_values(order).reset_index(drop=True),
            b[own_rows.columns].sort_values(order).reset_index(drop=True),
            check_dtype=False,
        )
    assert not check_plan(again)


def test_filing_again_leaves_the_other_villages_alone(store: Store, county: CountyPlan) -> None:
    made, proposed = edited(store, county), to_planfile(county)
    again = store.refiled(made.scenario, proposed, [CODES[0]])
    other = proposed.grids["village_code"] == CODES[1]
    kept = again.grids[again.grids["village_code"] == CODES[1]]
    assert_frame_equal(
        kept[proposed.grids.columns].reset_index(drop=True),
        proposed.grids[other].reset_index(drop=True),
    )
    assert_frame_equal(again.unplaced, proposed.unplaced)
    told = dict(again.provenance.to_numpy())
    assert told["scenario.steps"] == "1"
    assert int(told["count.grids"]) == len(again.grids) == len(proposed.grids) - 1
    lost = set(proposed.grids["code"]) - set(again.grids["code"])
    assert {told["code.retired"]} == lost


def test_filing_again_twice_is_filing_once(store: Store, county: CountyPlan) -> None:
    made, proposed = edited(store, county), to_planfile(county)
    once = store.refiled(made.scenario, proposed, [CODES[0]])
    twice = store.refiled(made.scenario, once, [CODES[0]])
    for layer in ("grids", "households", "villages", "exceptions"):
        assert_frame_equal(getattr(once, layer), getattr(twice, layer))
    assert once.provenance.value_counts().to_dict() == twice.provenance.value_counts().to_dict()


def test_a_project_is_found_by_the_plan_it_came_from(store: Store, county: CountyPlan) -> None:
    proposed = to_planfile(county)
    mark = plan_digest(proposed)
    assert store.marked(mark) is None
    made = store.create_project(county, "c", provenance=proposed.provenance, mark=mark)
    assert store.marked(mark) == made.project
    other = replace(proposed, grids=proposed.grids.assign(name="x"))
    assert plan_digest(other) != mark


def test_a_plan_file_opened_again_is_the_plan(store: Store, county: CountyPlan) -> None:
    made = edited(store, county)
    plan = store.open_plan(made.scenario, CODES[0]).plan
    key = int(plan.keys[0])
    edit(store, made, CODES[0], "lock", edits.lock(plan, [key]))
    plan = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "reason", edits.explain(plan, key, "河在中间"))
    filed = store.refiled(made.scenario, to_planfile(county), [CODES[0]])
    opened = county_of_plan(county.ground, filed, county.settings)
    assert not opened.not_kept
    second = store.create_project(opened.county, "again", provenance=filed.provenance)
    ours, theirs = (
        store.open_plan(scenario, CODES[0]).plan for scenario in (made.scenario, second.scenario)
    )
    by_code = {grid.code: grid for grid in ours.grids.values()}
    assert by_code == {grid.code: grid for grid in theirs.grids.values()}
    codes = [[p.grids[int(k)].code for k in p.label] for p in (ours, theirs)]
    assert codes[0] == codes[1]
    assert ours.used <= theirs.used  # the merged grid's code is given to no other


def test_villages_whose_codes_begin_alike_keep_their_own(store: Store) -> None:
    """Grid 11001 of village 11 was taken for one of village 1, and nothing could be filed."""
    x, y = towns.ORIGIN
    ground = towns.county(
        [
            towns.village("12|34\n--+--\n56|78", times=10, code=code, at=(x + i * 3000, y))
            for i, code in enumerate(("11", "1"))
        ]
    )
    settings = Settings(target=60)
    proposed = to_planfile(propose_county(ground, settings))
    made = store.create_project(county_of_plan(ground, proposed, settings).county, "c")
    for code in ("11", "1"):
        plan = store.open_plan(made.scenario, code).plan
        assert all(len(own) == len(code) + 3 for own in plan.used)
        edit(store, made, code, "merge", edits.merge(plan, plan.keys.tolist()[:2]).plan)
    again = store.refiled(made.scenario, proposed, ["11", "1"])
    lost = set(proposed.grids["code"]) - set(again.grids["code"])
    rows = again.provenance
    assert sorted(rows.loc[rows["key"] == "code.retired", "value"]) == sorted(lost)
    assert not check_plan(again)
