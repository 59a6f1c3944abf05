"""Who has a village open, and that a taken one takes no step of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from planning import edits
from planning.county import CountyPlan
from planning.history import Step
from store.presence import SESSION
from store.projects import Conflict, Store, TakenError

CODE, OTHER = "320116001201", "320116001202"


@contextmanager
def session(name: str) -> Iterator[None]:
    token = SESSION.set(name)
    try:
        yield
    finally:
        SESSION.reset(token)


def save(store: Store, scenario: int, code: str = CODE) -> int:
    page = store.open_plan(scenario, code)
    to = next(k for k in page.plan.keys.tolist() if k != page.plan.label[0])
    after = edits.transfer(page.plan, np.array([0]), to).plan
    return store.save_step(scenario, code, page.version, Step("transfer", page.plan, after))


@pytest.fixture
def scenario(store: Store, county: CountyPlan) -> int:
    return store.create_project(county, "c").scenario


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The time of day, to be set."""
    time = ["09:00:00"]
    monkeypatch.setattr("planning.history.now", lambda: f"2026-01-05T{time[0]}Z")
    return time


def test_who_has_a_village_open(store: Store, scenario: int, clock: list[str]) -> None:
    assert store.here(scenario, CODE, "s1", "甲") == []
    clock[0] = "09:00:20"
    (first,) = store.here(scenario, CODE, "s2", "乙")
    assert (first.who, first.since, first.taken) == ("甲", "2026-01-05T09:00:00Z", False)
    assert [one.who for one in store.here(scenario, CODE, "s1", "甲")] == ["乙"]
    assert [one.who for one in store.present(scenario)] == ["甲", "乙"]
    store.here(scenario, OTHER, "s2", "乙")  # one village at a time
    assert [(one.village, one.who) for one in store.present(scenario)] == [
        (CODE, "甲"), (OTHER, "乙"),
    ]  # fmt: skip
    assert store.present(scenario, CODE)[0].since == "2026-01-05T09:00:00Z"
    store.gone("s1")
    assert [one.who for one in store.present(scenario)] == ["乙"]
    assert store.present(scenario, CODE) == []


@pytest.mark.parametrize("later", ["09:01:01", "03:00:00"], ids=["silent", "clock set back"])
def test_who_is_not_heard_of_is_not_there(
    store: Store, scenario: int, clock: list[str], later: str
) -> None:
    store.take(scenario, CODE, "s1", "甲")
    clock[0] = "09:00:59" if later > "09" else "08:59:30"
    assert [one.taken for one in store.present(scenario)] == [True]
    clock[0] = later
    assert store.present(scenario) == []
    assert save(store, scenario) == 1
    store.take(scenario, CODE, "s2", "乙")


def test_a_taken_village_takes_steps_of_its_holder_only(store: Store, scenario: int) -> None:
    assert save(store, scenario) == 1
    store.here(scenario, CODE, "s2", "乙")  # to be there does not bar anybody
    store.take(scenario, CODE, "s1", "甲")
    for name in ("", "s2"):
        with session(name):
            for refused in (
                lambda: save(store, scenario),
                lambda: store.undo(scenario, CODE, 1),
                lambda: store.redo(scenario, CODE, 1),
                lambda: store.goto(scenario, CODE, 1, 0),
                lambda: store.take(scenario, CODE, "s2", "乙"),
            ):
                with pytest.raises(TakenError) as met:
                    refused()
                assert met.value.who == "甲"
            assert save(store, scenario, OTHER) >= 1  # only this village
    assert store.version(scenario, CODE) == 1
    with session("s1"):
        assert save(store, scenario) == 2
    store.release("s1")
    with session("s2"):
        assert save(store, scenario) == 3
    assert store.verify() == []


def test_of_two_who_take_at_once_one_has_it(store: Store, scenario: int) -> None:
    with Store(store.place) as other:
        store.take(scenario, CODE, "s1", "甲")
        store.take(scenario, CODE, "s1", "甲")  # again is no harm
        with pytest.raises(TakenError):
            other.take(scenario, CODE, "s2", "乙")
        store.gone("s1")
        other.take(scenario, CODE, "s2", "乙")


def test_presence_leaves_nothing_behind(store: Store, scenario: int) -> None:
    before = len(store.trail())
    store.take(scenario, CODE, "s1", "甲")
    assert len(store.trail()) == before
    store.delete_project(store.projects()[0].id)
    assert store.present(scenario) == []
    assert store.verify() == []


def test_who_was_overtaken_is_told_what_changed(store: Store, scenario: int) -> None:
    opened = store.open_plan(scenario, CODE)
    save(store, scenario)
    store.undo(scenario, CODE, 1, actor="乙")
    with pytest.raises(Conflict):
        store.undo(scenario, CODE, opened.version)
    told = store.changes_since(scenario, CODE, opened.version)
    assert [(entry.name, entry.actor) for entry in told] == [("transfer", ""), ("undo", "乙")]
    assert store.changes_since(scenario, CODE, 2) == []
