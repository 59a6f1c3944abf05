"""The store against memory: what it gives back is what was put in, whatever was done between."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import postgres_server
import pytest
import shapely
from boards import STEPS, RandomStep, step_on
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.problems import InputError
from geo.refine import refine_by_lines
from geo.units import Units
from planning import edits
from planning.county import CountyPlan
from planning.history import History, Step
from planning.plan import Plan
from planning.record import ground_key, replay, same_plan
from store.projects import Conflict, Opened, Store

CODES = ("320116001201", "320116001202")


def equal_units(a: Units, b: Units) -> list[str]:
    """Names of the fields that differ; the rows of households are not kept."""
    differing = []
    for field in fields(Units):
        if field.name == "unit_of_row":
            continue
        one, two = getattr(a, field.name), getattr(b, field.name)
        parts = [f.name for f in fields(one)] if field.name in ("edges", "segments") else None
        pairs = [(getattr(one, p), getattr(two, p)) for p in parts] if parts else [(one, two)]
        for left, right in pairs:
            same = (
                shapely.equals_identical(left, right).all()
                if field.name == "geometry"
                else np.array_equal(left, right)
            )
            if not same:
                differing.append(field.name)
    return differing


def equal_histories(a: History, b: History) -> bool:
    return (
        same_plan(a.start, b.start)
        and len(a.past) == len(b.past)
        and len(a.future) == len(b.future)
        and all(
            same_plan(one.after, two.after)
            and (one.name, one.note, one.actor, one.time, one.seq, dict(one.params))
            == (two.name, two.note, two.actor, two.time, two.seq, dict(two.params))
            for one, two in zip(a.steps, b.steps, strict=True)
        )
    )


def saved(store: Store, scenario: int, opened: Opened, step: Step) -> Opened:
    """A step saved, and the history as a page would carry it on."""
    version = store.save_step(scenario, step.village_code, opened.version, step)
    history = opened.history.do(replace(step, seq=version))
    return Opened(history.present, history, version)


def test_what_is_opened_equals_what_was_proposed(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, " 示范县 ", actor="a")
    with Store(store.place) as other:  # nothing shared in memory
        for village, code in zip(county.villages, CODES, strict=True):
            opened = other.open_plan(made.scenario, code)
            assert equal_units(village.units, opened.plan.units) == []
            assert (opened.plan.label == village.proposal.label).all()
            assert opened.version == 0
            assert not opened.history.steps
        assert other.settings(made.project) == county.settings
        assert [p.name for p in other.projects()] == ["示范县"]
        assert [v.code for v in other.villages(made.project)] == list(CODES)


def test_refined_units_come_back_as_they_were(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, "c")
    opened = store.open_plan(made.scenario, CODES[0])
    units = opened.plan.units
    west, south, east, north = shapely.total_bounds(units.geometry)
    line = shapely.LineString([(west - 9, south + 7), (east + 9, north - 11)])
    finer = refine_by_lines(units, np.array([line]))
    assert len(finer.units) > len(units)
    after = replace(opened.plan, units=finer.units, label=opened.plan.label[finer.parent])
    opened = saved(store, made.scenario, opened, Step("cut", opened.plan, after))
    moved = edits.transfer(after, np.array([0]), int(after.keys[-1])).plan
    opened = saved(store, made.scenario, opened, Step("transfer", after, moved))
    with Store(store.place) as other:
        again = other.open_plan(made.scenario, CODES[0])
        assert equal_units(finer.units, again.plan.units) == []
        assert equal_histories(opened.history, again.history)
        version = other.undo(made.scenario, CODES[0], again.version)
        other.undo(made.scenario, CODES[0], version)
        back = other.open_plan(made.scenario, CODES[0]).plan
        assert ground_key(back.units) == ground_key(units)


ACTIONS = st.lists(
    st.one_of(
        STEPS.filter(len).map(lambda steps: steps[0]),
        st.sampled_from(["undo", "redo"]),
        st.tuples(st.just("goto"), st.integers(0, 30)),
    ),
    max_size=12,
)


@given(ACTIONS)
@settings(max_examples=40)
def test_the_store_mirrors_the_history_in_memory(county: CountyPlan, actions: list) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as folder:
        mirrored(Path(folder) / "s.db", county, actions)


@given(ACTIONS)
@settings(max_examples=8)
def test_a_store_on_a_server_mirrors_it_too(
    server: postgres_server.Server, county: CountyPlan, actions: list  # type: ignore[type-arg]
) -> None:
    mirrored(server.new_place(), county, actions)


def mirrored(place: str | Path, county: CountyPlan, actions: list) -> None:  # type: ignore[type-arg]
    """After every action a store opened anew has the history that was carried on in memory."""
    with Store(place) as store:
        scenario = store.create_project(county, "c").scenario
        opened = store.open_plan(scenario, CODES[0])
        for action in actions:
            opened = carried_out(store, scenario, opened, action)
            with Store(store.place) as other:
                again = other.open_plan(scenario, CODES[0])
            assert again.version == opened.version == len(store.log(scenario, CODES[0]))
            assert equal_histories(opened.history, again.history)
        start = opened.history.start
        assert same_plan(replay(store.record(scenario, CODES[0]), start), opened.plan)


def carried_out(
    store: Store, scenario: int, opened: Opened, action: RandomStep | str | tuple[str, int]
) -> Opened:
    """One action, in the store and in memory alike."""
    history, version = opened.history, opened.version
    if action == "undo":
        version, history = store.undo(scenario, CODES[0], version), history.undo()
    elif action == "redo":
        version, history = store.redo(scenario, CODES[0], version), history.redo()
    elif action[0] == "goto":
        position = int(action[1]) % (len(history.steps) + 1)
        seq = history.steps[position - 1].seq if position else 0
        version = store.goto(scenario, CODES[0], version, seq)
        history = history.goto(position)
    else:
        return saved(store, scenario, opened, step_on(opened.plan, action))  # type: ignore[arg-type]
    return Opened(history.present, history, version)


def transferred(plan: Plan, unit: int, actor: str = "") -> Step:
    """A unit given to another grid than its own."""
    keys = [key for key in plan.keys.tolist() if key != plan.label[unit]]
    after = edits.transfer(plan, np.array([unit]), keys[0]).plan
    return Step("transfer", plan, after, actor=actor)


def test_a_step_that_was_passed_by_can_still_be_gone_to(store: Store, county: CountyPlan) -> None:
    scenario = store.create_project(county, "c").scenario
    opened = store.open_plan(scenario, CODES[0])
    left = saved(store, scenario, opened, transferred(opened.plan, 0))
    store.undo(scenario, CODES[0], left.version)
    opened = store.open_plan(scenario, CODES[0])
    right = saved(store, scenario, opened, transferred(opened.plan, 1))
    version = store.goto(scenario, CODES[0], right.version, 1)
    assert same_plan(store.open_plan(scenario, CODES[0]).plan, left.plan)
    log = store.log(scenario, CODES[0])
    assert [e.name for e in log] == ["transfer", "undo", "transfer", "goto"]
    assert [e.in_force for e in log if e.record] == [True, False]
    with pytest.raises(KeyError):
        store.goto(scenario, CODES[0], version, 2)  # an undo is no step


def test_the_second_writer_is_told_who_was_faster_and_can_branch(
    store: Store, county: CountyPlan
) -> None:
    made = store.create_project(county, "c")
    with Store(store.place) as other:
        mine = store.open_plan(made.scenario, CODES[0])
        theirs = other.open_plan(made.scenario, CODES[0])
        theirs = saved(other, made.scenario, theirs, transferred(theirs.plan, 0, "乙"))
    step = transferred(mine.plan, 1, "甲")
    with pytest.raises(Conflict) as met:
        store.save_step(made.scenario, CODES[0], mine.version, step)
    assert (met.value.who, met.value.what, met.value.version) == ("乙", "transfer", 1)
    assert met.value.when == theirs.history.past[-1].time
    branch = store.branch(made.scenario, "甲", at={CODES[0]: mine.version})
    assert store.save_step(branch, CODES[0], mine.version, step) == 1
    assert same_plan(store.open_plan(branch, CODES[0]).plan, step.after)
    assert same_plan(store.open_plan(made.scenario, CODES[0]).plan, theirs.plan)


def test_a_step_from_another_plan_is_refused(store: Store, county: CountyPlan) -> None:
    scenario = store.create_project(county, "c").scenario
    opened = store.open_plan(scenario, CODES[0])
    ahead = transferred(opened.plan, 0).after
    with pytest.raises(ValueError, match="not the stored"):
        store.save_step(scenario, CODES[0], 0, transferred(ahead, 1))
    assert store.version(scenario, CODES[0]) == 0


def test_a_branch_at_any_version_is_the_plan_of_that_version(
    store: Store, county: CountyPlan
) -> None:
    scenario = store.create_project(county, "c").scenario
    opened = store.open_plan(scenario, CODES[0])
    states = [opened]
    moves = [("transfer", 0, 1, 1), "undo", "redo", ("rename", 1, 1, 1), "undo", ("goto", 0),
             ("new", 3, 4, 1), "undo", "redo"]  # fmt: skip
    for action in moves:
        opened = carried_out(store, scenario, opened, action)
        states.append(opened)
    for state in states:
        branch = store.branch(scenario, "b", at={CODES[0]: state.version})
        assert equal_histories(store.open_plan(branch, CODES[0]).history, state.history)
    with pytest.raises(ValueError, match="never had"):
        store.branch(scenario, "b", at={CODES[0]: 99})


def test_scenarios_live_apart(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, "c", actor="甲")
    opened = store.open_plan(made.scenario, CODES[1])
    saved(store, made.scenario, opened, transferred(opened.plan, 0))
    branch = store.branch(made.scenario, " 备选 ", actor="乙")
    again = store.open_plan(branch, CODES[1])
    assert again.version == 1
    saved(store, branch, again, transferred(again.plan, 1))
    assert [store.version(s, CODES[1]) for s in (made.scenario, branch)] == [1, 2]
    store.rename(branch, "北片")
    store.archive(branch)
    store.adopt(branch)
    first, second = store.scenarios(made.project)
    assert (second.name, second.parent, second.created_by) == ("北片", first.id, "乙")
    assert (second.archived, second.adopted, first.adopted) == (True, True, False)
    assert (second.changes, second.edited) == (2, 1)


def test_a_deleted_scenario_takes_no_step_and_comes_back_whole(
    store: Store, county: CountyPlan
) -> None:
    made = store.create_project(county, "c")
    branch = store.branch(made.scenario, "b")
    opened = saved(store, branch, o := store.open_plan(branch, CODES[0]), transferred(o.plan, 0))
    store.delete(branch)
    assert [s.id for s in store.scenarios(made.project)] == [made.scenario]
    assert [s.deleted for s in store.scenarios(made.project, deleted=True)] == [False, True]
    for refused in (
        lambda: saved(store, branch, opened, transferred(opened.plan, 1)),
        lambda: store.undo(branch, CODES[0], opened.version),
        lambda: store.adopt(branch),
    ):
        with pytest.raises(InputError, match="deleted"):
            refused()
    store.restore(branch)
    assert equal_histories(store.open_plan(branch, CODES[0]).history, opened.history)


def test_what_is_not_there_is_an_input_error(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, "c")
    for asked in (
        lambda: store.open_plan(99, CODES[0]),
        lambda: store.open_plan(made.scenario, "nowhere"),
        lambda: store.scenarios(99),
        lambda: store.villages(99),
        lambda: store.branch(99, "b"),
        lambda: store.rename(99, "b"),
        lambda: store.delete_project(99),
        lambda: store.record(99),
    ):
        with pytest.raises(InputError, match="no such scenario"):
            asked()


def test_a_deleted_project_leaves_nothing(store: Store, county: CountyPlan) -> None:
    gone, kept = (store.create_project(county, name) for name in "ab")
    store.rename_project(kept.project, "c")
    store.delete_project(gone.project)
    assert [p.name for p in store.projects()] == ["c"]
    assert store.open_plan(kept.scenario, CODES[0]).version == 0


def test_the_record_of_all_villages_is_by_time(store: Store, county: CountyPlan) -> None:
    made = store.create_project(county, "c")
    for number, (code, unit) in enumerate(itertools.product(CODES, (0, 1))):
        opened = store.open_plan(made.scenario, code)
        time = f"2026-01-01T00:00:0{9 - number}Z"
        saved(store, made.scenario, opened, replace(transferred(opened.plan, unit), time=time))
    assert [r["village"] for r in store.record(made.scenario)] == [
        CODES[1], CODES[1], CODES[0], CODES[0],
    ]  # fmt: skip
