"""The table of actions and roles: written down a second time here, and every cell compared."""

from __future__ import annotations

import inspect
import re

import pytest

from store.policy import IN_COUNTY, IN_VILLAGE, POLICY, ROLES, STORE, DeniedError, Grant, Person
from store.projects import Store

EXPECTED = """
                  viewer analyst planner police administrator
see.leader           x      x       x      x        x
see.plan             x      x       x      x        x
see.levels           x      x       x      x        x
see.households       -      -       x      -        -
see.project          -      x       x      -        x
see.board            -      -       x      -        -
see.scenarios        -      -       x      -        -
see.beats            -      -       x      x        -
see.incidents        -      x       -      -        -
see.download         -      -       x      -        -
see.people           -      -       -      -        x
do.import            -      x       x      -        x
do.propose           -      -       x      -        -
do.keep              -      -       x      x        -
do.edit              -      -       x      -        -
do.branch            -      -       x      -        -
do.adopt             -      -       x      -        -
do.beats             -      -       -      x        -
do.saved             -      -       x      -        x
do.people            -      -       -      -        x
do.store             -      -       -      -        x
take.leader          x      x       x      x        x
take.levels          x      x       x      x        x
take.plan            -      -       x      -        -
take.record          -      -       x      -        -
take.beats           -      -       x      x        -
take.incidents       -      x       -      -        -
take.trail           -      -       -      -        x
"""
NOT_FOR_PAGES = {
    "close", "reading", "writing", "note", "place_of",
    "sign_in", "sign_in_subject", "sign_in_failed", "sign_out", "who", "change_password",
}  # fmt: skip
HERE, ELSEWHERE = ("320116001201", "东镇"), ("320116002201", "西镇")


def cells() -> list[tuple[str, str, bool]]:
    head, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    return [(row[0], role, sign == "x") for row in rows for role, sign in zip(head, row[1:],
            strict=True)]  # fmt: skip


def test_the_table_names_every_action_and_role() -> None:
    assert {action for action, _, _ in cells()} == set(POLICY)
    assert {role for _, role, _ in cells()} == set(ROLES)


@pytest.mark.parametrize(("action", "role", "allowed"), cells())
def test_every_cell(action: str, role: str, allowed: bool) -> None:
    everywhere, in_town = Person(1, "a", (Grant(role),)), Person(1, "a", (Grant(role, "东镇"),))
    assert everywhere.may(action) is allowed
    assert everywhere.may(action, ELSEWHERE) is allowed
    by_town = allowed and action not in IN_COUNTY
    assert in_town.may(action) is by_town
    assert in_town.may(action, HERE) is by_town
    assert in_town.may(action, ELSEWHERE) is False
    if not allowed:
        with pytest.raises(DeniedError):
            everywhere.require(action)


def test_what_the_table_does_not_name_nobody_may() -> None:
    boss = Person(1, "a", tuple(Grant(role) for role in ROLES))
    assert not boss.may("see.everything")
    assert not Person(1, "a").may("see.leader")
    assert not Person(1, "a", (Grant("king"),)).may("see.leader")


def test_every_method_of_the_store_is_an_action_or_not_for_pages() -> None:
    methods = {
        name for name, _ in inspect.getmembers(Store, inspect.isfunction) if name[0] != "_"
    }
    assert methods == set(STORE) | NOT_FOR_PAGES
    assert not set(STORE) & NOT_FOR_PAGES
    assert set(STORE.values()) <= set(POLICY)


def test_methods_in_a_village_take_a_scenario_and_a_village_first() -> None:
    for name in IN_VILLAGE:
        told = list(inspect.signature(getattr(Store, name)).parameters)[1:3]
        assert told == ["scenario", "village"]


@pytest.mark.parametrize(("scope", "covers"), [
    ("", True), ("东镇", True), ("320116001", True), ("320116", True),
    ("西镇", False), ("320116002", False), ("东", False), ("3201", False), ("１２３４５６", False),
])  # fmt: skip
def test_what_a_scope_covers(scope: str, covers: bool) -> None:
    assert Grant("planner", scope).covers(*HERE) is covers


def test_somebody_with_roles_in_two_places_acts_only_where_the_role_holds() -> None:
    who = Person(1, "a", (Grant("planner", "东镇"), Grant("viewer", "西镇")))
    assert who.may("do.edit", HERE)
    assert not who.may("do.edit", ELSEWHERE)
    assert who.sees(*ELSEWHERE)
    assert who.townships == {"东镇", "西镇"}
    assert Person(1, "a", (Grant("planner", "东镇"), Grant("viewer"))).townships is None


def test_what_is_cut_by_no_township_takes_a_role_in_the_county() -> None:
    who = Person(1, "a", (Grant("planner", "东镇"), Grant("analyst")))
    assert who.may("see.households")
    assert not who.may_everywhere("see.households")
    assert who.may_everywhere("see.incidents")
    assert not Person(1, "a", (Grant("administrator"),)).may_everywhere("see.households")
    assert not who.may_everywhere("see.everything")


@pytest.mark.parametrize(("method", "action"), [
    ("take", "do.edit"), ("save_step", "do.edit"), ("here", "see.plan"), ("release", "see.plan"),
    ("branch", "do.branch"), ("rename", "do.adopt"), ("adopt", "do.adopt"),
    ("delete", "do.adopt"), ("create_project", "do.keep"), ("disable", "do.people"),
])  # fmt: skip
def test_what_a_call_of_the_store_is(method: str, action: str) -> None:
    """Keeping others from a village is editing it; a scenario's name is the whole county's."""
    assert STORE[method] == action
    assert (method in IN_VILLAGE) == (action == "do.edit")


def test_the_documents_table_is_the_same() -> None:
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "docs" / "people.md").read_text("utf-8")
    shown = {
        row[0].strip(): [bool(cell.strip()) for cell in row[1:6]]
        for row in (line.strip("|").split("|") for line in text.splitlines() if line[:1] == "|")
        if len(row) == 6 and not re.fullmatch(r"[\s-]*", row[0])
    }
    for told, action in (
        ("points of dwellings on maps and in files", "see.households"),
        ("single events: the page of analysis, its files", "see.incidents"),
        ("bring in files, open the demonstration", "do.import"),
        ("redraw grids, take a village for it, branch", "do.edit"),
        ("plan, register, sheets, data to take away", "take.plan"),
        ("beats: look and take away", "take.beats"),
        ("beats: propose and redraw", "do.beats"),
        ("accounts, roles, the trail", "do.people"),
    ):
        order = ("viewer", "analyst", "planner", "police", "administrator")
        assert shown[told] == [role in POLICY[action] for role in order], told
