"""A scenario filed: what was proposed comes back as it was, and what was decided is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from geo.problems import InputError
from planning import edits
from planning.check import check_plan
from planning.county import CountyPlan, propose_county
from planning.history import Step
from planning.plan import Plan
from planning.planfile import read_plan, write_plan
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
    with Store(store.path) as other:
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
    assert all(finding.declared for finding in check_plan(read))


def test_a_reason_given_is_the_exception_s_reason(store: Store, county: CountyPlan) -> None:
    made = store.create_project(
        replace(county, settings=replace(county.settings, max_persons=100)), "c"
    )
    plan = store.open_plan(made.scenario, CODES[0]).plan
    merged = edits.merge(plan, plan.keys.tolist()).plan
    edit(store, made, CODES[0], "merge", merged)
    first = store.planfile_of(made.scenario).exceptions
    assert first["reason"].str.contains("by hand").any()
    opened = store.open_plan(made.scenario, CODES[0]).plan
    edit(store, made, CODES[0], "explain", edits.explain(opened, int(opened.keys[0]), "因为河"))
    second = store.planfile_of(made.scenario)
    code = opened.grids[int(opened.keys[0])].code
    own = second.exceptions[second.exceptions["grid_code"] == code]
    assert len(own)
    assert set(own["reason"]) == {"因为河"}
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
