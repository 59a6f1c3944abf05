"""Several people on one village, and a store that cannot be written: nothing lost, all told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import towns

from geo.problems import InputError, Problem
from planning.county import CountyPlan, propose_county
from planning.record import same_plan
from planning.settings import Settings
from planning.tables import to_planfile
from store.presence import Here
from store.projects import Conflict, Store, TakenError
from ui.degrees import to_degrees
from ui.desk import CONFLICT, Answer, Desk
from ui.desk_message import answer_text, message
from ui.here import lines
from ui.kept import Kept, keep_view
from ui.shelf import Answers
from ui.views import PlanView
from ui.words import LANGUAGES

FIRST, SECOND = "320116001201", "320116001202"


@pytest.fixture(scope="module")
def county() -> CountyPlan:
    x, y = towns.ORIGIN
    one = towns.village("1.2.3   1\n.4.5.   7\n8.9.1.  2", times=20, persons=3, code=FIRST)
    two = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code=SECOND, at=(x + 3000, y))
    ground = towns.county([one, two], road_names=["人民路", "通扬河"])
    return propose_county(ground, Settings(target=60))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "plans.gridwright") as opened:
        yield opened


def opened(store: Store, county: CountyPlan) -> Kept:
    return keep_view(
        store, PlanView("p", to_planfile(county), {}), "县", lambda: county.ground
    )


@pytest.fixture
def desk(store: Store, county: CountyPlan) -> Desk:
    kept = opened(store, county)
    return kept.desk(kept.scenario(None), FIRST)


def request(desk: Desk, **values: object) -> dict[str, object]:
    return {"base": desk.token, "id": "1", **values}


def keys(desk: Desk) -> list[int]:
    return [int(key) for key in desk.plan.keys]


def told(answer: Answer) -> str:
    assert answer_text(answer, "en") != answer_text(answer, "zh")
    return answer_text(answer, "en")


@contextmanager
def out_of_order(store: Store, code: str = "store-unreachable") -> Iterator[None]:
    """Nothing of the store answers."""
    error = InputError([Problem(code, "plans.gridwright", params={"reason": "gone"})])

    def fail(*_: object, **__: object) -> Any:
        raise error

    names = [n for n in dir(Store) if not n.startswith("_") and callable(getattr(Store, n))]
    names.remove("close")
    for name in names:
        setattr(store, name, fail)
    try:
        yield
    finally:
        for name in names:
            delattr(store, name)


# --- somebody was faster ------------------------------------------------------------------------


def test_a_step_in_other_grids_is_made_on_the_plan_as_it_is(desk: Desk) -> None:
    a, b, c, d = keys(desk)[:4]
    late = request(desk, do="merge", grids=[c, d])
    assert desk.ask(request(desk, do="merge", grids=[a, b]), "甲").kind == "ok"
    answer = desk.ask(late, "乙")
    assert (answer.key, answer.kind) == ("redraw.told_rebased", "ok")
    assert "甲: merge (1 steps)" in told(answer)
    assert len(desk.plan.keys) == len(set(desk.plan.label.tolist()))
    assert [(e.actor, e.name) for e in desk.store.log(desk.scenario, FIRST)] == [
        ("甲", "merge"), ("乙", "merge"),
    ]  # fmt: skip


def test_a_step_in_the_same_grid_is_for_a_person_and_may_be_asked_again(desk: Desk) -> None:
    _, b, c = keys(desk)[:3]
    late = request(desk, do="merge", grids=[b, c])
    desk.ask(request(desk, do="rename", grid=b, name="新名"), "甲")
    desk.ask(request(desk, do="lock", grids=[b], locked=True), "")
    desk.ask(request(desk, do="lock", grids=[b], locked=False), "")
    before = desk.token
    answer = desk.ask(late, "乙")
    assert (answer.key, answer.again, desk.token) == (CONFLICT, True, before)
    assert "甲: rename" in told(answer)
    assert "somebody: lock" in told(answer)
    assert "(2 steps)" in told(answer)
    state = json.loads(message(desk, {}, "en", None, answer)[0])["state"]
    assert (state["answer"]["stale"], state["answer"]["again"]) == (True, True)
    again = desk.ask({**late, "base": desk.token}, "乙")
    assert again.kind == "ok"


def test_an_undo_of_an_older_state_is_never_made(desk: Desk) -> None:
    a, b, c, d = keys(desk)[:4]
    desk.ask(request(desk, do="merge", grids=[a, b]), "乙")
    late = request(desk, do="undo")
    desk.ask(request(desk, do="merge", grids=[c, d]), "甲")
    answer = desk.ask(late, "乙")
    assert (answer.key, answer.again) == (CONFLICT, False)
    assert len(desk.store.log(desk.scenario, FIRST)) == 2


def test_another_server_was_faster(store: Store, county: CountyPlan, desk: Desk) -> None:
    a, b, c, d = keys(desk)[:4]
    with Store(store.place) as elsewhere:
        kept = opened(elsewhere, county)
        other = kept.desk(desk.scenario, FIRST)
        assert other.ask(request(other, do="merge", grids=[a, b]), "甲").kind == "ok"
        mine = desk.ask(request(desk, do="merge", grids=[c, d]), "乙")
        assert mine.key == "redraw.told_rebased"
        clash = other.ask(request(other, do="merge", grids=[c, keys(other)[0]]), "甲")
        assert clash.key == CONFLICT
        assert "乙: merge" in told(clash)
    assert store.verify() == []


def test_somebody_faster_every_time_is_told_and_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(*_: object) -> int:
        raise Conflict("甲", "merge", "2026-01-05T09:00:00Z", desk.version)

    before = desk.plan
    monkeypatch.setattr(desk.store, "save_step", always)
    answer = desk.ask(request(desk, do="merge", grids=keys(desk)[:2]), "乙")
    assert (answer.key, answer.kind) == (CONFLICT, "error")
    assert same_plan(desk.plan, before)
    assert not desk.pending
    assert not desk.aside


def test_a_taken_village_says_whose_it_is(desk: Desk) -> None:
    desk.store.take(desk.scenario, FIRST, "other-session", "甲")
    answer = desk.ask(request(desk, do="merge", grids=keys(desk)[:2]), "乙")
    assert (answer.key, answer.kind) == ("redraw.told_taken", "warn")
    assert "甲" in told(answer)
    assert desk.store.log(desk.scenario, FIRST) == []


def test_who_has_it_open_is_told_in_both_languages() -> None:
    here = Here(FIRST, "s", "甲", "2026-01-05T09:00:00Z", False)
    taken = Here(FIRST, "t", "", "2026-01-05T09:10:00Z", True)
    away = Here(SECOND, "u", "丙", "2026-01-05T09:20:00Z", False)
    for language in LANGUAGES:
        first, second, third = lines([here, taken], [away], {SECOND: "二村"}, language)
        assert "甲" in first
        assert first != second
        assert "二村" in third
        assert "丙" in third
    assert lines([], [], {}, "zh") == []


# --- the store is in trouble --------------------------------------------------------------------


@pytest.mark.parametrize("code", ["store-unreachable", "store-not-writable", "store-moved"])
def test_work_goes_on_in_memory_and_is_saved_when_the_store_is_back(
    desk: Desk, code: str
) -> None:
    a, b, c, d = keys(desk)[:4]
    with out_of_order(desk.store, code):
        first = desk.ask(request(desk, do="merge", grids=[a, b]), "甲")
        assert (first.key, first.kind) == ("redraw.told_pending", "warn")
        stale = request(desk, do="merge", grids=[c, keys(desk)[0]])
        assert desk.ask(request(desk, do="merge", grids=[c, d]), "甲").edit
        assert desk.ask(stale, "乙").key == CONFLICT  # two at one server still see each other
        for language in LANGUAGES:
            state = json.loads(message(desk, {}, language, None, None)[0])["state"]
            assert "2" in state["unsaved"]["text"]
            assert len(state["unsaved"]["file"]["steps"]) == 2
            assert len(state["scenarios"]) == 1
        assert desk.ask(request(desk, do="retry", quiet=True)).kind == "quiet"
        assert desk.ask(request(desk, do="goto", at=0)).key == "redraw.told_waits"
    plan, base = desk.plan, desk.token
    assert desk.ask(request(desk, do="retry")).key == "redraw.told_saved"
    assert desk.plan is plan
    saved = desk.store.open_plan(desk.scenario, FIRST)
    assert np.array_equal(saved.plan.label, plan.label)
    assert [step.seq for step in desk.history.past] == [1, 2]
    assert desk.ask({"base": base, "id": "2", "do": "undo"}).key == "redraw.told_undo"
    assert json.loads(message(desk, {}, "zh", None, None)[0])["state"]["unsaved"] is None
    assert desk.store.verify() == []


def test_the_next_edit_saves_what_was_waiting(desk: Desk) -> None:
    a, b, c, d = keys(desk)[:4]
    with out_of_order(desk.store):
        desk.ask(request(desk, do="merge", grids=[a, b]))
    assert desk.ask(request(desk, do="merge", grids=[c, d])).kind == "ok"
    assert len(desk.store.log(desk.scenario, FIRST)) == 2
    assert desk.unsaved == []


def test_an_unsaved_step_can_be_undone(desk: Desk) -> None:
    start = desk.plan
    with out_of_order(desk.store):
        desk.ask(request(desk, do="merge", grids=keys(desk)[:2]))
        assert desk.ask(request(desk, do="undo")).key == "redraw.told_undo"
    assert desk.plan is start
    assert desk.unsaved == []
    assert desk.store.log(desk.scenario, FIRST) == []


def test_the_file_brings_the_steps_back(store: Store, desk: Desk) -> None:
    """The server is stopped before the store is back; the file is all there is."""
    a, b, c, _ = keys(desk)[:4]
    unit = int(desk.plan.members(c)[0])
    with out_of_order(store):
        desk.ask(request(desk, do="merge", grids=[a, b]), "甲")
        desk.ask(request(desk, do="transfer", units=[unit], to=keys(desk)[0]), "甲")
        state = json.loads(message(desk, {}, "zh", None, None)[0])["state"]
    text = json.dumps(state["unsaved"]["file"])
    assert "household" not in text
    fresh = Desk(store, desk.project, desk.scenario, FIRST, desk.ground, desk.settings)
    answer = fresh.ask(request(fresh, do="bring_back", file=json.loads(text)), "乙")
    assert (answer.key, answer.values["count"]) == ("redraw.told_brought", 2)
    assert np.array_equal(fresh.plan.label, desk.plan.label)
    assert [e.actor for e in store.log(desk.scenario, FIRST)] == ["乙", "乙"]
    second = fresh.ask(request(fresh, do="bring_back", file=json.loads(text)), "乙")
    assert second.key == "redraw.told_brought_part"  # the grid that was merged is gone
    assert store.verify() == []


@pytest.mark.parametrize(
    "file", [None, [], {}, {"gridwright": "unsaved-1", "village": FIRST},
             {"gridwright": "unsaved-1", "village": FIRST, "steps": [3]},
             {"gridwright": "unsaved-1", "village": FIRST, "steps": [{"request": 1}]}]
)  # fmt: skip
def test_what_is_no_such_file_is_told(desk: Desk, file: object) -> None:
    answer = desk.ask(request(desk, do="bring_back", file=file))
    assert (answer.key, answer.kind) == ("redraw.told_no_unsaved", "error")
    assert told(answer)


def test_a_file_of_another_village_is_told(desk: Desk) -> None:
    file = {"gridwright": "unsaved-1", "village": SECOND, "steps": [{"request": {}}]}
    assert SECOND in told(desk.ask(request(desk, do="bring_back", file=file)))


def test_overtaken_while_the_store_was_away(
    store: Store, county: CountyPlan, desk: Desk
) -> None:
    """What touches other grids is saved on the new plan, the rest is put aside and not lost."""
    a, b, c, d = keys(desk)[:4]
    with out_of_order(store):
        desk.ask(request(desk, do="merge", grids=[a, b]), "甲")
        desk.ask(request(desk, do="rename", grid=c, name="丙"), "甲")
    with Store(store.place) as elsewhere:
        other = opened(elsewhere, county).desk(desk.scenario, FIRST)
        assert other.ask(request(other, do="rename", grid=c, name="乙"), "乙").kind == "ok"
    answer = desk.ask(request(desk, do="retry"))
    assert (answer.key, len(desk.aside)) == ("redraw.told_aside", 1)
    assert [(e.actor, e.name) for e in store.log(desk.scenario, FIRST)] == [
        ("乙", "rename"), ("甲", "merge"),
    ]  # fmt: skip
    file = json.loads(message(desk, {}, "zh", None, None)[0])["state"]["unsaved"]["file"]
    assert [step["request"]["name"] for step in file["steps"]] == ["丙"]
    assert desk.ask(request(desk, do="bring_back", file=file), "甲").key == "redraw.told_brought"
    assert desk.plan.grids[c].name == "丙"
    assert desk.unsaved == []
    assert d in desk.plan.grids


AWAY = InputError([Problem("store-unreachable", "s", params={"reason": "gone"})])
UNFIT = InputError([Problem("store-unfit", "s", params={"reason": "no such value"})])
TAKEN = TakenError("乙", "2026-01-05T09:00:00Z")
FASTER = Conflict("乙", "rename", "2026-01-05T09:00:00Z", 7)


@pytest.mark.parametrize(("method", "at", "error", "key", "pending", "aside"), [
    ("open_plan", 1, AWAY, "redraw.told_still", 2, 0),
    ("open_plan", 2, AWAY, "redraw.told_still", 2, 0),
    ("open_plan", 2, UNFIT, "redraw.told_problem", 2, 0),
    ("save_step", 2, AWAY, "redraw.told_still", 2, 0),
    ("save_step", 3, AWAY, "redraw.told_still", 1, 0),
    ("save_step", 2, TAKEN, "redraw.told_taken", 0, 2),
    ("save_step", 3, TAKEN, "redraw.told_taken", 0, 1),
    ("save_step", 2, FASTER, "redraw.told_aside", 0, 2),
    ("save_step", 3, FASTER, "redraw.told_aside", 0, 1),
    ("save_step", 2, UNFIT, "redraw.told_problem", 0, 2),
    ("_homes", 1, UNFIT, "redraw.told_problem", 0, 2),
    ("_homes", 2, UNFIT, "redraw.told_problem", 0, 1),
])  # fmt: skip
def test_nothing_is_lost_while_it_is_rescued(
    store: Store, county: CountyPlan, desk: Desk, monkeypatch: pytest.MonkeyPatch,
    method: str, at: int, error: Exception, key: str, pending: int, aside: int,
) -> None:  # fmt: skip
    """Somebody was faster while the store was away, and then something else fails, too."""
    a, b, c, _, e = keys(desk)[:5]
    with out_of_order(store):
        desk.ask(request(desk, do="merge", grids=[a, b]), "甲")
        desk.ask(request(desk, do="rename", grid=c, name="丙"), "甲")
    with Store(store.place) as elsewhere:
        other = opened(elsewhere, county).desk(desk.scenario, FIRST)
        assert other.ask(request(other, do="rename", grid=e, name="乙"), "乙").kind == "ok"

    owner = desk if method == "_homes" else store
    real, calls = getattr(owner, method), [0]

    def failing(*given: Any) -> Any:
        calls[0] += 1
        if calls[0] >= at:
            raise error
        return real(*given)

    monkeypatch.setattr(owner, method, failing)
    assert desk.ask(request(desk, do="retry"), "甲").key == key
    assert (len(desk.pending), len(desk.aside)) == (pending, aside)
    monkeypatch.undo()
    kept = [entry.name for entry in store.log(desk.scenario, FIRST) if entry.actor == "甲"]
    file = json.loads(message(desk, {}, "zh", None, None)[0])["state"]["unsaved"]["file"]
    assert [*kept, *(step["name"] for step in file["steps"])] == ["merge", "rename"]

    way = {"do": "bring_back", "file": file} if aside else {"do": "retry"}
    assert desk.ask(request(desk, **way), "甲").key in ("redraw.told_brought", "redraw.told_saved")
    assert desk.unsaved == []
    assert [(entry.actor, entry.name) for entry in store.log(desk.scenario, FIRST)] == [
        ("乙", "rename"), ("甲", "merge"), ("甲", "rename"),
    ]  # fmt: skip
    assert (desk.plan.grids[c].name, desk.plan.grids[e].name) == ("丙", "乙")
    assert same_plan(desk.plan, store.open_plan(desk.scenario, FIRST).plan)
    assert store.verify() == []


def test_a_file_takes_what_it_holds_from_what_is_aside_and_nothing_else(
    store: Store, county: CountyPlan, desk: Desk
) -> None:
    c, d = keys(desk)[2:4]
    with out_of_order(store):
        desk.ask(request(desk, do="rename", grid=c, name="丙"), "甲")
        desk.ask(request(desk, do="rename", grid=d, name="丁"), "甲")
    with Store(store.place) as elsewhere:
        other = opened(elsewhere, county).desk(desk.scenario, FIRST)
        assert other.ask(request(other, do="rename", grid=c, name="乙"), "乙").kind == "ok"
    desk.ask(request(desk, do="retry"))
    assert len(desk.aside) == 2
    file = json.loads(message(desk, {}, "zh", None, None)[0])["state"]["unsaved"]["file"]
    first, second = file["steps"]
    wrong = {**first, "request": {"do": "rename", "grid": 10**6, "name": "无"}}
    another = {**first, "request": {"do": "lock", "grids": [d], "locked": False}}
    for steps, key, left in (
        ([another], "redraw.told_brought", ["丙", "丁"]),
        ([first, wrong, second], "redraw.told_brought_part", ["丁"]),
        ([second], "redraw.told_brought", []),
    ):
        answer = desk.ask(request(desk, do="bring_back", file={**file, "steps": steps}), "甲")
        assert answer.key == key
        names = [step["request"]["name"] for step in desk.unsaved_file()["steps"]]
        assert names == left


def test_a_step_that_was_saved_unheard_is_not_saved_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = desk.store.save_step

    def lost(*given: Any) -> int:
        save(*given)
        raise InputError([Problem("store-unreachable", "s", params={"reason": "broke"})])

    monkeypatch.setattr(desk.store, "save_step", lost)
    desk.ask(request(desk, do="merge", grids=keys(desk)[:2]))
    assert len(desk.pending) == 1
    monkeypatch.undo()
    assert desk.ask(request(desk, do="retry")).key == "redraw.told_saved"
    assert (len(desk.store.log(desk.scenario, FIRST)), desk.version) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX")
def test_a_file_taken_away_and_put_back(desk: Desk, tmp_path: Path) -> None:
    """Nothing stands in for the store here: its file is gone, then back."""
    away = tmp_path / "away"
    away.mkdir()
    names = [p for p in tmp_path.iterdir() if p.name.startswith("plans.gridwright")]
    for path in names:
        path.rename(away / path.name)
    answer = desk.ask(request(desk, do="merge", grids=keys(desk)[:2]))
    assert answer.key == "redraw.told_pending"
    assert message(desk, {}, "zh", None, answer)[0]
    for path in names:
        (away / path.name).rename(path)
    assert desk.ask(request(desk, do="retry")).key == "redraw.told_saved"
    assert len(desk.store.log(desk.scenario, FIRST)) == 1


def test_a_village_with_unsaved_work_stays_open(store: Store, county: CountyPlan) -> None:
    kept = opened(store, county)
    kept._desks._room = 1  # so that the second village would take the first one's place
    scenario = kept.scenario(None)
    desk = kept.desk(scenario, FIRST)
    with out_of_order(store):
        desk.ask(request(desk, do="merge", grids=keys(desk)[:2]))
    kept.desk(scenario, SECOND)
    assert kept.desk(scenario, FIRST) is desk


def test_units_that_were_cut_are_filed(store: Store, county: CountyPlan) -> None:
    """The plan's page and the downloads of a village whose units were cut a moment ago."""
    kept = opened(store, county)
    scenario = kept.scenario(None)
    desk = kept.desk(scenario, FIRST)
    key = keys(desk)[0]
    west, south, east, north = desk.plan.outlines()[0].bounds
    middle = (south + north) / 2
    line = to_degrees(shapely.points([(west - 5, middle), (east + 5, middle)]), desk.ground.crs)
    points = shapely.get_coordinates(line).tolist()
    answer = desk.ask(request(desk, do="cut", grid=key, points=points, through=True))
    assert answer.key == "redraw.told_cut"
    grids = kept.view(scenario).grids
    assert grids["households"].sum() == desk.plan.units.households.sum() + (
        grids.loc[grids["village_code"] == SECOND, "households"].sum()
    )


# --- answers that are shared --------------------------------------------------------------------


def test_one_works_and_the_others_share() -> None:
    answers, made = Answers(room=2), []

    def make() -> list[int]:
        made.append(1)
        return made

    assert answers.get("a", make) is answers.get("a", make)
    assert made == [1]
    for name in ("b", "c"):
        answers.get(name, make)
    answers.get("a", make)  # two others took its place
    assert made == [1, 1, 1, 1]


def test_what_went_wrong_is_tried_again() -> None:
    answers = Answers(room=2)
    with pytest.raises(ZeroDivisionError):
        answers.get("a", lambda: 1 // 0)
    assert answers.get("a", lambda: 7) == 7
