"""People with accounts while the store is away or cannot be written: pages, the board, the web."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import towns
from sqlalchemy import Connection, event
from streamlit.testing.v1 import AppTest

from geo.problems import InputError
from planning import history
from planning.county import CountyPlan, propose_county
from planning.settings import Settings
from planning.tables import to_planfile
from store.policy import DeniedError, Grant, Person
from store.projects import Store
from ui import access, storage
from ui.acting import BEHALF, SERVER, acting_as
from ui.errors import SignedOutError
from ui.kept import Kept, keep_view
from ui.last_seen import LastSeen
from ui.pages import board
from ui.session import callback
from ui.storage import the_store
from ui.views import PlanView

PASSWORD = "long-enough-1"
FIRST = "320116001201"


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    one = towns.village("1.2.3   1\n.4.5.   7\n8.9.1.  2", times=20, persons=3, code=FIRST)
    ground = towns.county([one], road_names=["人民路"])
    return propose_county(ground, Settings(target=60, micro=20))  # more to draw, and to fail


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A server's store, with a planner of the township signed in before the page."""
    monkeypatch.setenv(access.VARIABLE, "local")
    monkeypatch.setattr(access, "get_script_run_ctx", lambda **_: object())
    with Store(tmp_path / "plans.gridwright") as opened:
        monkeypatch.setattr(storage, "open_store", lambda: opened)
        opened.add_account("li", PASSWORD, (Grant("planner", "镇"),), must_change=False)
        token = opened.sign_in("li", PASSWORD)
        monkeypatch.setattr(access, "token", lambda: token)
        # so late that the store would note that somebody is still there
        later = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        monkeypatch.setattr(history, "now", lambda: later)
        yield opened
    BEHALF.set(None)


@contextmanager
def moved_away(store: Store) -> Iterator[None]:
    """Its file is gone, then back."""
    assert store.path is not None
    files = [p for p in store.path.parent.iterdir() if p.name.startswith(store.path.name)]
    away = store.path.parent / "away"
    away.mkdir(exist_ok=True)
    for path in files:
        path.rename(away / path.name)
    try:
        yield
    finally:
        for path in files:
            (away / path.name).rename(path)


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    """It answers, and refuses to be written, as on a full disk."""

    def refuse(connection: Connection) -> None:
        connection.exec_driver_sql("pragma query_only = on")

    event.listen(store._engine, "begin", refuse)
    try:
        yield
    finally:
        event.remove(store._engine, "begin", refuse)
        store._engine.dispose()


Trouble = Callable[[Store], AbstractContextManager[None]]
both = pytest.mark.parametrize("trouble", [moved_away, read_only])


# --- the board ----------------------------------------------------------------------------------


def the_page() -> None:
    from ui.frame import page

    page("board")()


class Browser:
    """What the board's page sends to a browser, and what the browser asks of it."""

    def __init__(self, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: dict[str, Any] = {}
        self.waiting: list[dict[str, Any]] = []
        self.at = AppTest.from_function(the_page, default_timeout=60)
        opened = SimpleNamespace(context={}, can_propose=False, kind="demo", name="")
        monkeypatch.setattr(board, "project", lambda: opened)
        monkeypatch.setattr(board, "plan_view", lambda: kept.first)
        monkeypatch.setattr(board, "asked", lambda: self.waiting.pop())
        monkeypatch.setattr(board, "show_hand", self._draw)

    def _draw(self, data: bytes, *, on_asked: Callable[[], None], on_resync: object) -> None:
        self.state = json.loads(data)["state"]
        if self.waiting:
            on_asked()

    def look(self) -> dict[str, Any]:
        self.at.run()
        assert [one.value for one in self.at.exception] == []
        assert [one.value for one in self.at.error] == []
        return self.state

    def ask(self, **request: object) -> dict[str, Any]:
        """A click, and the page that follows."""
        self.waiting.append({"base": self.state["version"], "id": "1", **request})
        self.at.run()
        assert "failed" not in self.at.session_state
        return self.look()


@both
def test_an_edit_is_kept_offered_and_saved_when_the_store_is_back(
    store: Store, county: CountyPlan, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = PlanView("p", to_planfile(county), {})
    with acting_as(SERVER):
        kept = keep_view(the_store(), view, "县", lambda: county.ground)
    own = Browser(kept, monkeypatch)
    grids = sorted(row["key"] for row in own.look()["grids"])
    scenario = kept.scenario(None)
    with trouble(store):
        for _ in range(2):  # the page itself is drawn as ever, and again
            assert len(own.look()["grids"]) == len(grids)
        state = own.ask(do="merge", grids=grids[:2])
        assert len(state["grids"]) == len(grids) - 1
        assert state["unsaved"]["waiting"]
        assert [step["name"] for step in state["unsaved"]["file"]["steps"]] == ["merge"]
    assert store.version(scenario, FIRST) == 0
    assert own.ask(do="retry")["unsaved"] is None
    assert [(e.actor, e.name) for e in store.log(scenario, FIRST)] == [("li", "merge")]
    assert store.verify() == []


@both
def test_what_is_asked_on_a_page_is_carried_out_in_memory(store: Store, trouble: Trouble) -> None:
    access.person()
    done: list[str] = []
    with trouble(store):
        callback(lambda: done.append(access.person().name))()
        access.require("see.board")
    assert done == ["li"]


# --- taking a village ---------------------------------------------------------------------------


@pytest.mark.parametrize(("grants", "offered"), [
    ((Grant("planner", "镇"),), True),
    ((Grant("planner", FIRST[:9]),), True),
    ((Grant("planner", "西镇"), Grant("viewer", "镇")), False),
])  # fmt: skip
def test_only_who_may_edit_a_village_takes_it_from_others(
    store: Store, county: CountyPlan, grants: tuple[Grant, ...], offered: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    view = PlanView("p", to_planfile(county), {})
    with acting_as(SERVER):
        kept = keep_view(the_store(), view, "县", lambda: county.ground)
    scenario = kept.scenario(None)
    store.revoke("li", "planner", "镇")
    for grant in grants:
        store.grant("li", grant.role, grant.scope)
    if offered:
        kept.store.take(scenario, FIRST, "theirs", "li")
    else:
        with pytest.raises(DeniedError):
            kept.store.take(scenario, FIRST, "theirs", "li")
    assert [one.taken for one in store.present(scenario)] == [True] * offered
    store.gone("theirs")
    own = Browser(kept, monkeypatch)
    if offered:
        own.look()
        assert "here_take" in [button.key for button in own.at.button]
    else:  # nor do they get its board: there dwellings are seen
        assert ["does not allow" in one.value for one in own.at.run().error] == [True]
        assert own.state == {}


# --- who it was ---------------------------------------------------------------------------------


def test_a_write_takes_the_stores_word_alone(store: Store) -> None:
    access.person()
    with moved_away(store):
        assert access.person(anew=True).name == "li"
        with pytest.raises(InputError):
            access.person(sure=True)
        with pytest.raises(InputError):
            the_store().branch(1, "x")
        offered = access.taken("take.plan", lambda: b"made")
        with pytest.raises(InputError):
            offered()


def test_nobody_is_known_who_was_not_just_now(store: Store) -> None:
    with moved_away(store), pytest.raises(InputError):
        access.person()
    with read_only(store):
        assert access.person(sure=True).name == "li"  # which still tells who it is


def test_whoever_signed_out_or_was_shut_out_is_not_remembered(store: Store) -> None:
    access.person()
    with moved_away(store):
        with pytest.raises(InputError):
            access.sign_out()
        with pytest.raises(InputError):
            access.person()
    access.person()
    with acting_as(Person(9, "chief", (Grant("administrator"),))):
        the_store().disable("li")
    with moved_away(store), pytest.raises(InputError):
        access.person()
    with pytest.raises(SignedOutError):
        access.person()


def test_a_role_that_was_taken_is_not_remembered(store: Store) -> None:
    access.person()
    store.revoke("li", "planner", "镇")
    with pytest.raises(DeniedError):
        access.require("see.board")
    with moved_away(store), pytest.raises(DeniedError):
        access.require("see.board")


def test_it_lasts_ten_minutes_and_holds_only_so_many() -> None:
    at = [0.0]
    last = LastSeen(room=3, clock=lambda: at[0])
    people = [Person(number, str(number)) for number in range(5)]
    for who in people:
        last.note(f"token-{who.id}", who)
    assert [last.find(f"token-{who.id}") for who in people] == [None, None, *people[2:]]
    last.note("token-4", None)
    assert last.find("token-4") is None
    assert last.find("token") is None
    at[0] = 600.0
    assert last.find("token-3") is people[3]
    at[0] = 601.0
    assert last.find("token-3") is None
    last.note("token-3", people[3])
    assert "token" not in repr(vars(last))
    last.clear()
    assert last.find("token-3") is None
