"""Beats for the pages: three kinds, maps, tables, the board's machinery, redrawn grids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest

from data.demo import write_county
from geo.ground import Inputs, load_ground
from geo.problems import InputError
from planning.beats.beatfile import read_beatfile
from planning.beats.describe import beat_table
from planning.beats.judge import exceptions_of
from planning.beats.settings import BeatSettings
from planning.beats.work import WorkSpec
from planning.county import CountyPlan, propose_county
from planning.settings import Settings
from planning.tables import to_planfile
from store.policy import DeniedError, Grant, Person
from store.projects import Store
from ui.acting import acting_as
from ui.beat_desk import BeatDesk, KeptBeats, grid_places, judged, keep_beats
from ui.beats import (
    ADJUSTED,
    CARRIED,
    STUDIES,
    BeatStudy,
    beats_of,
    compared,
    crossings,
    follow,
    groups_of,
    make_beats,
    pairs_of,
    place_of,
    scene,
    signature,
    today_scene,
    whole_before,
    write_tables,
)
from ui.desk_message import message
from ui.jobs import Job
from ui.kept import keep_view
from ui.map.scene import Focus
from ui.pages.beats import file_of
from ui.projects import Project
from ui.storage import GuardedStore
from ui.views import PlanView


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, villages=6)
    return folder


@pytest.fixture(scope="module")
def county(folder: Path) -> CountyPlan:
    inputs = Inputs(
        villages=str(folder / "villages.gpkg"), households=str(folder / "households.csv"),
        roads=str(folder / "roads.gpkg"),
    )  # fmt: skip
    return propose_county(load_ground(inputs), Settings())


@pytest.fixture(scope="module")
def study(folder: Path, county: CountyPlan) -> BeatStudy:
    project = Project("p", "c", "folder", {"villages": str(folder / "villages.gpkg")})
    view = PlanView("v", to_planfile(county), {})
    key = make_beats(Job("beats"), project, view, {}, BeatSettings(band=0.15), WorkSpec())
    return STUDIES.get(key)


@pytest.fixture
def kept(study: BeatStudy, tmp_path: Path) -> Iterator[KeptBeats]:
    with Store(tmp_path / "plans.gridwright") as store:
        yield keep_beats(store, study, "least-change", "警格")


def desk_of(kept: KeptBeats) -> BeatDesk:
    desk = kept.desk(kept.scenario(None), kept.place)
    assert isinstance(desk, BeatDesk)
    return desk


def push(desk: BeatDesk) -> tuple[int, int, int]:
    """One grid goes to a neighbouring beat."""
    plan = desk.plan
    sizes = np.bincount(plan.compact)
    a, b = plan.units.edges.a, plan.units.edges.b
    edge = next(
        i for i in range(len(a))
        if plan.label[a[i]] != plan.label[b[i]] and sizes[plan.compact[a[i]]] > 1
    )  # fmt: skip
    unit, to = int(a[edge]), int(plan.label[b[edge]])
    answer = desk.ask({"base": desk.token, "id": "1", "do": "transfer", "units": [unit], "to": to})
    assert answer.kind == "ok"
    return unit, int(plan.label[unit]), to


def test_three_kinds_stand_side_by_side(study: BeatStudy) -> None:
    assert list(study.divisions) == ["least-change", "balanced", "compact"]
    for language in ("zh", "en"):
        table = compared(study, language)
        assert list(table.columns) == ["measure", *study.divisions]
        assert (table != "").all(axis=None)
    for kind in study.divisions:
        beats = beats_of(study, kind)
        assert beats["grids"].sum() == len(study.ground)
        assert beats["parts"].max() >= 1


def test_a_map_shows_every_beat_and_what_moved(study: BeatStudy) -> None:
    for kind, one in study.divisions.items():
        shown = scene(study, kind, "zh")
        by_id = {layer.id: layer for layer in shown.layers}
        assert len(by_id["beats"].features) == len(one.plan.keys)
        moved = (study.ground.home >= 0) & (one.plan.label != study.ground.home)
        assert len(by_id["moved"].features) == moved.sum()
        assert shown.bounds is not None
        assert shown.group
    assert len({scene(study, kind, "zh").place for kind in study.divisions}) == 3


def test_crossing_pieces_are_listed_with_their_place(study: BeatStudy) -> None:
    pieces = crossings(study)
    assert len(pieces) > 0
    assert (np.diff(pieces["households"]) <= 0).all()
    assert 0 <= whole_before(study) < 1
    shown = today_scene(study, "en", place_of(pieces.iloc[:1], 3))
    assert shown.focus.number == 3
    assert len(next(la for la in shown.layers if la.id == "crossing").features) == len(pieces)


def test_what_is_on_the_board_is_the_division(study: BeatStudy, kept: KeptBeats) -> None:
    desk, proposed = desk_of(kept), study.divisions["least-change"].plan
    own = judged(study, desk.plan)
    assert (own.label == proposed.label).all() or set(own.grids) != set(proposed.grids)
    one, two = (
        beat_table(study.ground, plan, study.divisions["least-change"].rules).drop(
            columns="geometry"
        )
        for plan in (own, proposed)
    )
    pd.testing.assert_frame_equal(
        one.sort_values("code").reset_index(drop=True),
        two.sort_values("code").reset_index(drop=True),
    )


def test_a_push_shows_both_beats_at_once_and_is_undone(kept: KeptBeats) -> None:
    desk = desk_of(kept)
    data, sent = message(desk, {}, "zh", None, None)
    before = {row["key"]: row for row in json.loads(data)["state"]["grids"]}
    unit, giver, taker = push(desk)
    data, _ = message(desk, {}, "zh", sent, None)
    state = json.loads(data)["state"]
    after = {row["key"]: row for row in state["grids"]}
    work = int(desk.plan.units.households[unit])
    assert abs(before[giver]["households"] - after[giver]["households"] - work) <= 1
    assert abs(after[taker]["households"] - before[taker]["households"] - work) <= 1
    assert after[taker]["extra"] != before[taker]["extra"]
    assert "ground" not in json.loads(data)
    assert desk.ask({"base": desk.token, "id": "2", "do": "undo"}).kind == "ok"
    data, _ = message(desk, {}, "zh", None, None)
    again = {row["key"]: row for row in json.loads(data)["state"]["grids"]}
    assert again == before


def test_what_is_wrong_is_what_the_rules_say(study: BeatStudy, kept: KeptBeats) -> None:
    desk = desk_of(kept)
    push(desk)
    _, wrong = desk.listed(desk.plan, "en")
    found = exceptions_of(study.ground, judged(study, desk.plan), desk.rules())
    assert len(wrong) == len(found)
    assert all(row["text"] and row["units"] for row in wrong)


def test_every_automatic_edit_leaves_whole_grids_in_beats(kept: KeptBeats) -> None:
    desk = desk_of(kept)
    keys = [int(key) for key in desk.plan.keys]
    big = max(keys, key=lambda key: len(desk.plan.members(key)))
    for request in (
        {"do": "split", "grid": big, "k": 2},
        {"do": "lock", "grids": keys[:1], "locked": True},
        {"do": "propose"},
        {"do": "new", "units": [int(desk.plan.members(big)[0])]},
    ):
        answer = desk.ask({"base": desk.token, "id": "1", **request})
        assert answer.kind in ("ok", "warn"), (request, answer)
        assert len(desk.plan.label) == len(desk.study.ground)
        codes = [beat.code for beat in desk.plan.grids.values()]
        assert len(set(codes)) == len(codes)


def test_the_same_division_is_found_again_with_what_was_done(
    study: BeatStudy, kept: KeptBeats
) -> None:
    push(desk_of(kept))
    again = keep_beats(kept.store, study, "least-change", "x")
    assert again.project == kept.project
    assert (desk_of(again).plan.label == desk_of(kept).plan.label).all()
    assert signature(study, "balanced") != signature(study, "compact")


def test_police_of_townships_redraw_beats_of_their_grids_alone(
    study: BeatStudy, tmp_path: Path
) -> None:
    towns = sorted({town for _, town in grid_places(study)})
    assert all(towns)
    own = tuple(Grant("police", town) for town in towns)
    with Store(tmp_path / "plans.gridwright") as store:
        asked = cast("Store", GuardedStore(store, "do.beats", grid_places(study)))
        with acting_as(Person(7, "wang", own)):
            desk = desk_of(keep_beats(asked, study, "least-change", "警格"))
            push(desk)
        assert store.version(desk.scenario, desk.village) == 1
        for others in (
            (Grant("police", "别镇"), *(Grant("viewer", town) for town in towns)),
            (*own[1:], Grant("viewer", towns[0])),
            tuple(Grant("planner", town) for town in towns),
        ):
            with acting_as(Person(8, "li", others)), pytest.raises(DeniedError):
                push(desk)
        # without their grids' places nobody of a township is let in
        with acting_as(Person(7, "wang", own)), pytest.raises(DeniedError):
            GuardedStore(store, "do.beats").undo(desk.scenario, desk.village, 1)
        assert store.version(desk.scenario, desk.village) == 1


def test_hand_over(study: BeatStudy, kept: KeptBeats, tmp_path: Path) -> None:
    push(desk_of(kept))
    plan = kept.beats(kept.scenario(None))
    path = tmp_path / "beats.gpkg"
    path.write_bytes(file_of(study, "least-change", plan, "gpkg"))
    read = read_beatfile(path)
    assert set(read.grid_beats["grid_code"]) == set(study.ground.grids["code"])
    assert read.beats["workload"].sum() == pytest.approx(study.ground.work.total.sum())
    book = tmp_path / "beats.xlsx"
    book.write_bytes(file_of(study, "least-change", plan, "xlsx"))
    assert len(pd.read_excel(book, sheet_name="beats")) == len(plan.keys)


def test_a_table_never_holds_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_tables({"a": pd.DataFrame({"name": ["=1+1", "@x", "平"]})}, path)
    assert pd.read_excel(path)["name"].tolist() == ["=1+1", "@x", "平"]
    from openpyxl import load_workbook

    assert load_workbook(path)["a"]["A2"].data_type == "s"


def test_beats_follow_redrawn_grids(
    study: BeatStudy, county: CountyPlan, tmp_path: Path
) -> None:
    first = PlanView("w", to_planfile(county), {})
    with Store(tmp_path / "p.gridwright") as store:
        kept = keep_view(store, first, "c", lambda: county.ground)
        scenario = kept.scenario(None)
        village = str(kept.ground.villages["code"].iloc[0])
        desk = kept.desk(scenario, village)
        keys = [int(key) for key in desk.plan.keys[:2]]
        answer = desk.ask({"base": desk.token, "id": "1", "do": "merge", "grids": keys})
        assert answer.kind == "ok"
        redrawn = kept.view(scenario)
    made = follow(study, "least-change", study.divisions["least-change"].plan, redrawn)
    assert list(made.divisions) == [CARRIED, ADJUSTED]
    assert len(made.ground) == len(study.ground) - 1
    assert made.followed is not None
    assert set(made.followed["change"]) <= {"same", "changed", "gone"}
    carried = beats_of(made, CARRIED)
    assert carried["workload"].sum() == pytest.approx(made.ground.work.total.sum())
    assert replace(scene(made, CARRIED, "zh"), focus=Focus()).place != scene(
        study, "balanced", "zh"
    ).place


def test_groups_of_codes_are_read_as_people_write_them() -> None:
    assert groups_of("a,b\nc、d，e\n\nalone\n f  g ") == (("a", "b"), ("c", "d", "e"), ("f", "g"))
    assert pairs_of("a,b\nc d") == (("a", "b"), ("c", "d"))
    with pytest.raises(InputError):
        pairs_of("a,b,c")


def test_rules_of_the_form_are_kept_and_unknown_codes_told(
    folder: Path, county: CountyPlan
) -> None:
    project = Project("p", "c", "folder", {"villages": str(folder / "villages.gpkg")})
    view = PlanView("v", to_planfile(county), {})
    codes = [str(code) for code in view.grids["code"]]
    settings = BeatSettings(band=0.2, apart=((codes[0], codes[1]),))
    made = STUDIES.get(make_beats(Job("beats"), project, view, {}, settings, WorkSpec()))
    rows = made.ground.rows(codes[:2])
    for one in made.divisions.values():
        assert one.plan.label[rows[0]] != one.plan.label[rows[1]]
    wrong = BeatSettings(together=(("no such", codes[0]),))
    with pytest.raises(InputError, match="no such"):
        make_beats(Job("beats"), project, view, {}, wrong, WorkSpec())
