"""What pages may do for whom: the store behind the policy, downloads, plans, threads."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest
from synthetic import plan

from planning.planfile import PlanFile
from store.policy import EVERYBODY, IN_VILLAGE, POLICY, ROLES, STORE, DeniedError, Grant, Person
from store.projects import Store
from ui import access, frame, session, storage
from ui.acting import BEHALF, SERVER, acting_as
from ui.errors import SignedOutError, sentences
from ui.jobs import Job, Jobs
from ui.pages import survey_wait
from ui.scoped import plan_for, view_for
from ui.storage import GuardedStore
from ui.views import PlanView

PASSWORD = "long-enough-1"


class Recorder:
    """Stands for a store: notes what was called, knows one village of a township."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def place_of(self, scenario: int, village: str) -> tuple[str, str]:
        return village, {"e": "东镇", "w": "西镇"}.get(village, "")

    def __getattr__(self, name: str) -> Callable[..., str]:
        def call(*given: object, **named: object) -> str:
            self.called.append(name)
            return name

        return call


def guarded(edit: str = "do.edit") -> tuple[GuardedStore, Recorder]:
    recorder = Recorder()
    return GuardedStore(recorder, edit), recorder  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", STORE)
def test_every_method_asks_for_every_role(method: str, role: str) -> None:
    store, recorder = guarded()
    allowed = role in POLICY[STORE[method]]
    with acting_as(Person(7, "li", (Grant(role),))):
        if allowed:
            assert getattr(store, method)(1, "e") == method
        else:
            with pytest.raises(DeniedError):
                getattr(store, method)(1, "e")
    assert recorder.called == ([method] if allowed else [])


@pytest.mark.parametrize("method", sorted(IN_VILLAGE))
def test_a_townships_planner_edits_its_villages_alone(method: str) -> None:
    store, recorder = guarded()
    with acting_as(Person(7, "li", (Grant("planner", "东镇"), Grant("viewer", "西镇")))):
        getattr(store, method)(1, "e")
        for other in ("w", "guessed"):
            with pytest.raises(DeniedError):
                getattr(store, method)(1, other)
    assert recorder.called == [method]


def test_beats_are_the_polices_and_grids_are_not() -> None:
    police = Person(7, "wang", (Grant("police"),))
    with acting_as(police):
        beats, recorder = guarded("do.beats")
        beats.save_step(1, "e")
        with pytest.raises(DeniedError):
            guarded()[0].save_step(1, "e")
    with acting_as(Person(8, "li", (Grant("planner"),))), pytest.raises(DeniedError):
        beats.save_step(1, "e")
    assert recorder.called == ["save_step"]


@pytest.mark.parametrize("name", ["sign_in", "who", "writing", "note", "_engine", "close", "no"])
def test_what_the_table_does_not_name_no_page_can_call(name: str) -> None:
    store, recorder = guarded()
    with acting_as(EVERYBODY), pytest.raises(DeniedError):
        getattr(store, name)
    assert recorder.called == []


# --- with accounts ------------------------------------------------------------------------------


@pytest.fixture
def signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Store]]:
    """Makes an account with a role and sits it before the page; returns the store."""
    monkeypatch.setenv(access.VARIABLE, "local")
    monkeypatch.setattr(access, "get_script_run_ctx", lambda **_: object())
    with Store(tmp_path / "plans.gridwright") as store:
        monkeypatch.setattr(storage, "open_store", lambda: store)
        monkeypatch.setattr(storage, "is_kept", lambda: True)
        store.add_account("chief", PASSWORD, (Grant("administrator"),), must_change=False)

        def sit(role: str) -> Store:
            store.add_account(f"a.{role}", PASSWORD, (Grant(role),), must_change=False)
            token = store.sign_in(f"a.{role}", PASSWORD)
            monkeypatch.setattr(access, "token", lambda: token)
            return store

        yield sit
        BEHALF.set(None)


def test_nobody_is_somebody_where_there_are_accounts(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "token", lambda: "")
    with pytest.raises(SignedOutError):
        access.person()
    for language, told in (("zh", "重新登录"), ("en", "Sign in again")):
        assert told in sentences(SignedOutError(), language)[0]  # type: ignore[arg-type]


def test_a_role_taken_between_two_clicks_counts_at_the_second(
    signed_in: Callable[[str], Store],
) -> None:
    store = signed_in("planner")
    access.require("do.edit")
    store.revoke("a.planner", "planner")
    with pytest.raises(DeniedError):
        access.require("do.edit")
    store.disable("a.planner")
    with pytest.raises(SignedOutError):
        access.require("see.leader")


def test_within_one_run_showing_asks_once_and_a_write_asks_anew(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = signed_in("planner")
    asked: list[str] = []
    look = store.who
    monkeypatch.setattr(store, "who", lambda held: (asked.append(held), look(held))[1])
    shown = GuardedStore(store, "do.edit")
    with access.one_run():
        assert access.may("see.board")
        assert access.may("do.edit")
        shown.projects()
        assert len(asked) == 1
        store.revoke("a.planner", "planner")
        with pytest.raises(DeniedError):
            shown.save_step(1, "village", None)
        assert len(asked) == 2
        assert not access.may("do.edit"), "what the write found counts from then on"
    with access.one_run():
        assert not access.may("see.board")
    assert len(asked) == 3


def test_a_download_is_refused_when_the_role_went_after_it_was_offered(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = signed_in("planner")
    made: list[str] = []
    offered = access.taken("take.plan", lambda: made.append("x") or b"content", "plan.gpkg")
    monkeypatch.setattr(access, "get_script_run_ctx", lambda **_: None)  # as Streamlit makes them
    assert offered() == b"content"
    note = store.trail(limit=1)[0]
    assert (note.action, note.object, note.actor) == ("export", "plan.gpkg", "a.planner")
    assert note.detail == {"bytes": 7}
    store.revoke("a.planner", "planner")
    with pytest.raises(DeniedError):
        offered()
    store.disable("a.planner")
    with pytest.raises(SignedOutError):
        offered()
    assert made == ["x"]
    assert store.trail(limit=1)[0].action == "account.disable"


def test_no_page_hands_out_what_nobody_asks_about_when_it_is_taken() -> None:
    """Read from the source: the content of every download comes from :func:`ui.access.taken`."""
    found = []
    for path in sorted(Path(frame.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or "download_button" not in ast.unparse(node.func):
                continue
            found.append(path.stem)
            (data,) = [ast.unparse(word.value) for word in node.keywords if word.arg == "data"]
            assert len(node.args) <= 1, f"{path.name}:{node.lineno}"  # the content has its name
            action = re.match(r"taken\('([a-z.]+)',", data)
            assert action, f"{path.name}:{node.lineno}"
            assert action[1] in POLICY
    assert {"download", "leader", "levels", "people", "scenarios", "beats"} <= set(found)


def test_what_may_not_be_taken_is_not_offered(signed_in: Callable[[str], Store]) -> None:
    signed_in("viewer")
    access.taken("take.leader", bytes)
    with pytest.raises(DeniedError):
        access.taken("take.plan", bytes)


def test_work_in_the_background_is_its_starters_and_the_next_ones_is_not(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in("planner")
    assert access.person().name == "a.planner"
    monkeypatch.setattr(access, "get_script_run_ctx", lambda **_: None)
    seen: list[str] = []
    done = threading.Event()

    def work(job: Job) -> None:
        seen.append(access.person().name)
        done.set()

    Jobs().start("test", work)
    assert done.wait(10)
    assert seen == ["a.planner"]
    alone: list[type[BaseException]] = []

    def nobodys() -> None:
        try:
            access.person()
        except SignedOutError as error:
            alone.append(type(error))

    thread = threading.Thread(target=nobodys)
    thread.start()
    thread.join()
    assert alone == [SignedOutError]


# --- pages ---------------------------------------------------------------------------------------

ICONS = (
    "plan", "levels", "project", "board", "scenarios", "beats", "leader", "incidents", "download",
    "people",
)  # fmt: skip


def open_page(name: str) -> None:
    from ui.frame import page

    page(name)()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_offered_its_pages_and_opens_no_other_by_its_address(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    signed_in(role)
    allowed = {name for name in ICONS if role in POLICY[f"see.{name}"]}
    names, first = frame.offered(ICONS)
    assert set(names) == allowed
    assert first == ("plan" if role == "planner" else "leader")
    opened: list[str] = []

    class Page:
        def __init__(self, name: str) -> None:
            self.name = name

        def show(self) -> None:
            opened.append(self.name)

    monkeypatch.setattr(frame, "import_module", lambda name: Page(name.rpartition(".")[2]))
    for name in ICONS:
        shown = AppTest.from_function(open_page, kwargs={"name": name}).run()
        refused = ["Your role does not allow this" in error.value for error in shown.error]
        assert refused == ([] if name in allowed else [True])
    assert opened == [name for name in ICONS if name in allowed]


# --- plans --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_towns() -> PlanFile:
    whole = plan()
    villages = whole.villages.copy()
    villages["township_name"] = ["东镇" if i == 0 else "西镇" for i in range(len(villages))]
    return replace(whole, villages=villages)


def test_somebody_of_a_township_gets_a_plan_without_the_rest(two_towns: PlanFile) -> None:
    who = Person(7, "li", (Grant("planner", "东镇"),))
    part = plan_for(two_towns, who, who)
    own = set(part.villages["code"])
    assert 0 < len(own) < len(two_towns.villages)
    assert set(part.villages["township_name"]) == {"东镇"}
    assert set(part.grids["village_code"]) == own
    assert len(part.grids) < len(two_towns.grids)
    assert set(part.households["grid_code"]) <= set(part.grids["code"])
    inside = two_towns.households["grid_code"].isin(set(part.grids["code"]))
    assert len(part.households) == inside.sum() > 0
    assert set(part.exceptions["grid_code"]) <= set(part.grids["code"]) | own
    assert len(part.unplaced) == 0


@pytest.mark.parametrize("elsewhere", [Grant("viewer"), Grant("viewer", "东镇")])
def test_points_are_seen_where_the_role_for_them_holds(
    two_towns: PlanFile, elsewhere: Grant
) -> None:
    """Somebody who plans in one township and looks at others, as the documents' example has it."""
    whole = PlanView("k", two_towns, {}, lambda code: two_towns.grids)
    towns = two_towns.villages.set_index("code")["township_name"]
    (east,), west = towns.index[towns == "东镇"], towns.index[towns == "西镇"]
    seen = view_for(whole, Person(7, "li", (Grant("planner", "西镇"), elsewhere)))
    assert set(seen.plan.villages["code"]) == set(towns.index)
    theirs = set(two_towns.grids.loc[two_towns.grids["village_code"] == east, "code"])
    assert two_towns.households["grid_code"].isin(theirs).any()
    assert not seen.plan.households["grid_code"].isin(theirs).any()
    assert len(seen.counting.households) == len(two_towns.households)
    assert seen.headline() == whole.headline()
    assert seen.units_of is not None
    assert seen.units_of(west[0]) is not None
    assert seen.units_of(east) is None
    both = view_for(whole, Person(8, "b", (Grant("planner", "东镇"), Grant("planner", "西镇"))))
    assert both is not seen
    assert both.plan.households["grid_code"].isin(theirs).any()


@pytest.mark.parametrize(("alone", "sees"), [(True, {"东镇"}), (False, {"东镇", "西镇"})])
def test_single_events_are_seen_where_the_role_for_them_holds(
    two_towns: PlanFile, monkeypatch: pytest.MonkeyPatch, alone: bool, sees: set[str]
) -> None:
    """The analysts' page reads the events of the analyst's townships, the leaders' of all seen."""
    view = PlanView("k", two_towns, {})
    read: list[set[str]] = []

    def find(_: object, part: PlanView) -> str:
        read.append(set(part.plan.villages["township_name"]))
        return "study"

    monkeypatch.setattr(session, "_held", lambda name: "k")
    monkeypatch.setattr(session, "_remember", lambda *_: None)
    monkeypatch.setattr(session, "is_kept", lambda: False)
    monkeypatch.setattr(session, "PLANS", {"k": view})
    monkeypatch.setattr(survey_wait, "project", lambda: SimpleNamespace(id="p"))
    monkeypatch.setattr(survey_wait, "study_key", find)
    monkeypatch.setattr(survey_wait, "STUDIES", {"study": "held"})
    monkeypatch.setattr(survey_wait, "redrawn", lambda *_: False)
    for elsewhere in (Grant("viewer", "西镇"), Grant("viewer")):
        with acting_as(Person(7, "li", (Grant("analyst", "东镇"), elsewhere))):
            assert survey_wait.study_now(upload=alone) == "held"
    assert read == [sees, sees]


@pytest.mark.parametrize(("name", "role"), [("download", "planner"), ("beats", "police")])
def test_pages_work_on_what_their_role_holds_for(
    signed_in: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, name: str, role: str
) -> None:
    """A leader of the county who is a planner, or police, in one township."""
    signed_in("viewer").grant("a.viewer", role, "东镇")
    own, asked = import_module(f"ui.pages.{name}"), []
    monkeypatch.setattr(own, "project", lambda: SimpleNamespace())
    monkeypatch.setattr(own, "note_in_address", lambda: None, raising=False)
    monkeypatch.setattr(own, "plan_now", lambda who: asked.append(who.grants))
    AppTest.from_function(open_page, kwargs={"name": name}).run()
    assert asked == [(Grant(role, "东镇"),)]


def test_a_leader_gets_no_point_and_the_same_numbers(two_towns: PlanFile) -> None:
    whole = PlanView("k", two_towns, {}, lambda code: None)
    leader = view_for(whole, Person(7, "li", (Grant("viewer"),)))
    assert len(leader.plan.households) == 0
    assert leader.units_of is None
    assert leader.headline() == whole.headline()
    assert len(leader.counting.households) == len(two_towns.households)  # few households hide
    village = next(iter(whole.choices))
    shown = {layer.id for layer in leader.scene("zh", village=village).layers}
    assert "households" not in shown
    assert "units" not in shown


def test_the_same_grants_share_one_view_and_others_do_not(two_towns: PlanFile) -> None:
    whole = PlanView("k", two_towns, {})
    planner, leader = Person(1, "a", (Grant("planner"),)), Person(2, "b", (Grant("viewer"),))
    assert view_for(whole, planner) is whole
    assert view_for(whole, leader) is view_for(whole, Person(3, "c", (Grant("police"),)))
    east = view_for(whole, Person(4, "d", (Grant("viewer", "东镇"),)))
    assert east is not view_for(whole, Person(5, "e", (Grant("viewer", "西镇"),)))
    keys = {whole.key, view_for(whole, leader).key, east.key}
    assert len(keys) == 3  # what a browser was sent of one is never taken for another


@contextmanager
def sitting(who: Person) -> Iterator[None]:
    with acting_as(who):
        yield


def test_an_address_that_was_passed_on_opens_nobody_elses_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, other = Person(1, "a", (Grant("planner"),)), Person(2, "b", (Grant("planner"),))
    with sitting(owner):
        session._allowed(1)
        session._allowed(None)
    with sitting(other), pytest.raises(DeniedError):
        session._allowed(1)
    for everybody in (EVERYBODY, SERVER):
        with sitting(everybody):
            session._allowed(1)
