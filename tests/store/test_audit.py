"""The audit trail: it only grows, a change shows where it was made, nothing personal is in it."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine

from geo.problems import InputError
from planning import edits
from planning.county import CountyPlan
from planning.history import Step
from store.audit import acting
from store.projects import Conflict, Store
from store.trailfile import write_trail

CODE = "320116001201"
Alter = Callable[..., None]


@pytest.fixture
def alter(request: pytest.FixtureRequest, store: Store) -> Alter:
    """Statements by somebody with the database in his hands, past the program."""

    def run(*statements: str) -> None:
        if store.path is None:
            request.getfixturevalue("server").execute(str(store.place), *statements)
            return
        engine = create_engine(f"sqlite:///{store.path}")
        with closing(engine.raw_connection()) as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()
        engine.dispose()

    return run


def without_triggers(store: Store) -> list[str]:
    on = " on audit" if store.path is None else ""
    return [f"drop trigger audit_unchanged{on}", f"drop trigger audit_kept{on}"]


def filled(store: Store, count: int = 6) -> None:
    for number in range(count):
        store.note("甲", "planner", "sign-in.done", "account/7", {"number": number})


def reasons(store: Store, head: str = "") -> list[str]:
    return [problem.text("en") for problem in store.verify(head)]


def test_what_is_done_is_noted_with_what_was_done(store: Store, county: CountyPlan) -> None:
    with acting("甲", "planner"):
        made = store.create_project(county, "示范县")
        opened = store.open_plan(made.scenario, CODE)
        to = next(k for k in opened.plan.keys.tolist() if k != opened.plan.label[0])
        step = Step("transfer", opened.plan, edits.transfer(opened.plan, np.array([0]), to).plan)
        store.save_step(made.scenario, CODE, 0, step)
        store.undo(made.scenario, CODE, 1, actor="乙")
        store.undo(made.scenario, CODE, 2)  # nothing to undo: nothing is noted
        with pytest.raises(Conflict):
            store.save_step(made.scenario, CODE, 0, step)
        branch = store.branch(made.scenario, "b")
        store.adopt(branch)
    trail = store.trail()
    assert [note.action for note in trail] == [
        "store.create", "project.create", "plan.edit", "plan.edit", "scenario.branch",
        "scenario.adopt",
    ]  # fmt: skip
    assert [note.actor for note in trail[1:]] == ["甲", "甲", "乙", "甲", "甲"]
    assert {note.role for note in trail[1:]} == {"planner"}
    assert trail[2].object == f"scenario/{made.scenario}/village/{CODE}"
    assert (trail[2].detail["what"], trail[2].detail["version"]) == ("transfer", 1)
    assert store.trail(action="scenario.") == trail[4:]
    assert store.trail(limit=2) == trail[-2:]
    assert store.trail(since=trail[0].at) == trail
    assert store.trail(since="2999") == []
    assert store.verify() == []


def test_a_change_that_fails_leaves_no_entry(store: Store) -> None:
    with pytest.raises(InputError):
        store.rename_project(99, "x")
    assert len(store.trail()) == 1


def test_the_database_refuses_to_change_or_to_delete(store: Store, alter: Alter) -> None:
    filled(store)
    for statement in (
        "update audit set actor = 'x' where seq = 3",
        "delete from audit where seq = 3",
        "delete from audit",
        *(["truncate audit"] if store.path is None else []),
    ):
        with pytest.raises((psycopg.Error, sqlite3.Error), match="takes nothing back"):
            alter(statement)
    assert len(store.trail()) == 7
    assert store.verify() == []


BROKEN = {
    "an actor": ("update audit set actor = '乙' where seq = 3", 3, "was changed"),
    "a time": ("update audit set at = '2026-01-01T00:00:00Z' where seq = 4", 4, "was changed"),
    "a detail": ("update audit set detail = '{}' where seq = 2", 2, "was changed"),
    "one is out": ("delete from audit where seq = 3", 4, "3 is missing"),
    "the first is out": ("delete from audit where seq = 1", 1, "before it are missing"),
    "all are out": ("delete from audit", 1, "is empty"),
    "a hash": ("update audit set hash = previous where seq = 5", 5, "was changed"),
    "a link": ("update audit set previous = hash where seq = 5", 5, "does not follow"),
}


@pytest.mark.parametrize(("statement", "seq", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_the_first_broken_link_is_named(
    store: Store, alter: Alter, statement: str, seq: int, reason: str
) -> None:
    filled(store)
    alter(*without_triggers(store), statement)
    (told,) = reasons(store)
    assert f"broken at entry {seq}" in told
    assert reason in told


def test_an_end_that_was_written_down_is_missed(store: Store, alter: Alter) -> None:
    filled(store)
    head = store.trail_head()
    store.note("a", "", "x", "y")
    assert reasons(store, head) == []
    alter(*without_triggers(store), "delete from audit where seq >= 6")
    assert reasons(store) == []  # the chain alone cannot know
    assert "does not hold the entry 7" in reasons(store, head)[0]
    filled(store)  # written anew to the same length
    assert "does not hold the entry 7" in reasons(store, head)[0]


def test_old_entries_go_by_rule_and_the_rest_is_anchored(
    store: Store, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([f"2026-01-{day:02}T08:00:00Z" for day in range(1, 11)])
    with monkeypatch.context() as clock:
        clock.setattr("planning.history.now", lambda: next(moments))
        filled(store, 10)
    # the first entry is of today: a clock that was wrong holds what lies behind it
    assert store.expire_trail(30) == 0
    head = store.trail_head()
    with monkeypatch.context() as clock:
        clock.setattr("planning.history.now", lambda: "2999-01-11T09:00:00Z")
        assert store.expire_trail(5, actor="os:root") == 11
        assert store.verify() == []
        assert store.expire_trail(5) == 0
    (anchor,) = store.trail()
    assert (anchor.seq, anchor.action, anchor.object) == (12, "audit.expired", "11")
    assert (anchor.actor, anchor.detail["count"]) == ("os:root", 11)
    assert anchor.detail["hash"] == anchor.previous == head.partition(":")[2]
    filled(store, 2)
    assert reasons(store, head) == []
    alter(*without_triggers(store), "delete from audit where seq = 12")
    assert "before it are missing" in reasons(store)[0]
    with pytest.raises(ValueError, match="a day"):
        store.expire_trail(0)


def test_an_anchor_does_not_let_younger_entries_go(
    store: Store, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as clock:
        clock.setattr("planning.history.now", lambda: "2999-01-11T09:00:00Z")
        store.expire_trail(5)
    filled(store, 3)
    with pytest.raises((psycopg.Error, sqlite3.Error), match="takes nothing back"):
        alter("delete from audit where seq = 3")
    assert store.verify() == []


PERSONAL = ("13800138000", "11010519491231002X", "苏A12345")


def test_nothing_personal_is_kept(store: Store, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    store.note(
        PERSONAL[0], "viewer", f"looked {PERSONAL[1]}", PERSONAL[2],
        {"phone": "9", "list": list(PERSONAL), "deep": {"text": f"电话{PERSONAL[0]}"},
         "number": int(PERSONAL[0]), "village": CODE, "sha256": digest, "rows": 12},
    )  # fmt: skip
    (note,) = store.trail(limit=1)
    assert not any(value in repr(note) for value in PERSONAL)
    assert note.detail["phone"] == "■"
    assert (note.detail["village"], note.detail["sha256"]) == (CODE, digest)
    assert note.detail["rows"] == 12


def test_texts_that_a_database_cannot_hold_are_made_fit(store: Store) -> None:
    store.note("a\x00b\ud800", "", "x", "y" * 1000, {"\x00": "\ud800"})
    (note,) = store.trail(limit=1)
    assert (note.actor, len(note.object)) == ("ab?", 300)
    assert store.verify() == []


def test_the_exported_trail_can_be_computed_again_by_anybody(store: Store, tmp_path: Path) -> None:
    filled(store)
    store.note("=1+1", "", "x", "y")
    path = tmp_path / "trail.jsonl"
    write_trail(store.trail(), path)
    before = ""
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        detail = json.dumps(
            entry["detail"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        names = ("seq", "at", "actor", "role", "action", "object")
        told = [*(entry[name] for name in names), detail, before]
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        assert hashlib.sha256(text.encode("utf-8")).hexdigest() == entry["hash"]
        before = entry["hash"]
    write_trail(store.trail(), tmp_path / "trail.csv")
    with (tmp_path / "trail.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seq"] for row in rows] == [str(n) for n in range(1, 9)]
    assert rows[-1]["actor"] == "'=1+1"
    with pytest.raises(InputError, match="csv or"):
        write_trail([], tmp_path / "trail.xlsx")
