"""The planner's desk: requests kept by the store, and the messages that bring a browser along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from counties import demonstration, inputs
from pyproj import CRS, Transformer

from geo.ground import Ground, load_ground
from planning.county import propose_county
from planning.faults import NO_GRID, Unplaced
from planning.planfile import PlanFile
from planning.record import ground_key
from planning.requests import RequestError
from planning.settings import Settings
from planning.tables import to_planfile
from store.address import configured
from store.projects import Store
from ui.desk import Desk
from ui.desk_message import answer_text, message, words_for
from ui.gestures import to_request
from ui.kept import keep_view
from ui.views import PlanView

SETTINGS = Settings()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, PlanFile]:
    """Four villages of the demonstration county, proposed."""
    ground = load_ground(inputs(demonstration(tmp_path_factory)))
    return ground, to_planfile(propose_county(ground, SETTINGS))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path / "plans.gridwright") as opened:
        yield opened


def open_desk(store: Store, ground: Ground, tables: PlanFile, village: str = "") -> Desk:
    """The desk of a village (the first one) as a page opens it, nothing shared."""
    kept = keep_view(store, PlanView("p", tables, {}), "c", lambda: ground)
    return kept.desk(kept.scenario(None), village or str(ground.villages["code"].iloc[0]))


@pytest.fixture
def desk(county: tuple[Ground, PlanFile], store: Store) -> Desk:
    return open_desk(store, *county)


def request(desk: Desk, **values: object) -> dict[str, object]:
    return {"base": desk.token, "id": "1", **values}


def first_units(desk: Desk, count: int = 3) -> list[int]:
    return [int(u) for u in desk.plan.members(int(desk.plan.keys[0]))[:count]]


def give(desk: Desk) -> list[int]:
    units = first_units(desk)
    answer = desk.ask(request(desk, do="transfer", units=units, to=int(desk.plan.keys[1])))
    assert answer.kind == "ok"
    return units


def test_the_plan_on_the_board_is_the_plan_of_the_file(
    desk: Desk, county: tuple[Ground, PlanFile]
) -> None:
    grids = county[1].grids
    wanted = grids[grids["village_code"] == desk.village].set_index("code")
    assert {grid.code for grid in desk.plan.grids.values()} == set(wanted.index)
    for row, key in enumerate(desk.plan.keys):
        grid = desk.plan.grids[int(key)]
        assert desk.plan.measures.households[row] == wanted.loc[grid.code, "households"]
        assert grid.name == wanted.loc[grid.code, "name"]
        assert grid.kind == wanted.loc[grid.code, "kind"]
    assert desk.history.steps == ()
    outlines = sorted(outline.area for outline in desk.plan.outlines())
    assert outlines == pytest.approx(sorted(wanted.geometry.area), abs=0.01)


def test_a_step_is_in_the_store_when_the_answer_comes(
    desk: Desk, county: tuple[Ground, PlanFile], store: Store
) -> None:
    units = give(desk)
    again = open_desk(store, *county, desk.village)
    assert again.token == desk.token
    assert (again.plan.label == desk.plan.label).all()
    assert (again.plan.label[units] == desk.plan.keys[1]).all()
    assert len(store.projects()) == 1


def test_undo_redo_and_any_step(desk: Desk, store: Store) -> None:
    start = desk.plan
    give(desk)
    once = desk.plan
    give(desk)
    assert desk.ask(request(desk, do="undo")).key == "redraw.told_undo"
    assert (desk.plan.label == once.label).all()
    assert desk.ask(request(desk, do="redo")).key == "redraw.told_redo"
    assert desk.ask(request(desk, do="redo")).kind == "warn"
    assert desk.ask(request(desk, do="goto", at=0)).kind == "ok"
    assert (desk.plan.label == start.label).all()
    assert desk.ask(request(desk, do="undo")).kind == "warn"
    assert desk.ask(request(desk, do="goto", at=2)).kind == "ok"
    assert (store.open_plan(desk.scenario, desk.village).plan.label == desk.plan.label).all()
    for nonsense in (9, -1, None, "1", True):
        assert desk.ask(request(desk, do="goto", at=nonsense)).kind == "warn"


def test_a_second_tab_is_told_and_loses_nothing(
    desk: Desk, county: tuple[Ground, PlanFile], store: Store
) -> None:
    other = open_desk(store, *county, desk.village)
    stale = request(other, do="tidy")
    give(desk)
    theirs = [int(other.plan.members(int(other.plan.keys[1]))[0])]
    told = other.ask({**stale, "do": "transfer", "units": theirs, "to": int(desk.plan.keys[2])})
    assert told.key == "redraw.told_conflict"
    assert (other.plan.label == desk.plan.label).all()
    assert other.ask(request(other, do="undo")).key == "redraw.told_undo"


def test_a_request_that_names_nothing_is_told_so(desk: Desk) -> None:
    before = desk.token
    for bad in (
        {"do": "explode"},
        {"do": "transfer", "units": [10**9], "to": 0},
        {"do": "cut", "grid": int(desk.plan.keys[0]), "points": [[999, 0], [0, 0]]},
        {"do": "rename", "grid": int(desk.plan.keys[0]), "name": ""},
    ):
        answer = desk.ask(request(desk, **bad))
        assert answer.kind == "error"
        assert answer_text(answer, "zh")
        assert answer_text(answer, "en")
    assert desk.token == before


def test_a_lock_is_told(desk: Desk) -> None:
    desk.ask(request(desk, do="lock"))
    units, to = first_units(desk), int(desk.plan.keys[1])
    answer = desk.ask(request(desk, do="transfer", units=units, to=to))
    assert (answer.key, answer.values["left"]) == ("redraw.told_locked", 3)


def read(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data))


def test_only_what_changed_travels(desk: Desk) -> None:
    first, sent = message(desk, {}, "zh", None, None)
    whole = read(first)
    assert len(whole["ground"]["units"]) == len(desk.plan.units)
    assert whole["state"]["labels"] == desk.plan.label.tolist()
    assert whole["words"]["notice"].startswith("内部使用")
    to = int(desk.plan.keys[1])
    units = give(desk)
    second, sent = message(desk, {}, "zh", sent, None)
    after = read(second)
    assert "ground" not in after
    assert "words" not in after
    assert after["state"]["changed"] == [[to, units]]
    assert after["state"]["base"] == whole["state"]["version"]
    assert len(second) < len(first) / 5
    third, _ = message(desk, {}, "en", sent, None)
    assert read(third)["words"]["tab_wrong"] == "Wrong"
    assert read(third)["state"]["changed"] == []


def test_the_numbers_beside_the_map_are_the_plans(desk: Desk) -> None:
    give(desk)
    state = read(message(desk, {}, "en", None, None)[0])["state"]
    by_key = {row["key"]: row for row in state["grids"]}
    assert set(by_key) == set(desk.plan.keys.tolist())
    assert sum(row["households"] for row in by_key.values()) == desk.plan.units.households.sum()
    for key, row in by_key.items():
        assert desk.plan.label[row["unit"]] == key
    assert [step["text"].split(" ")[0] for step in state["steps"]] == ["As", "transfer"]
    assert state["position"] == 1
    assert {row["key"] for row in state["wrong"]} <= set(by_key)


def across(desk: Desk, key: int) -> list[list[float]]:
    """A line from west to east through a grid's middle, in degrees."""
    outline = desk.plan.outlines()[list(desk.plan.keys).index(key)]
    west, _, east, _ = outline.bounds
    y = outline.representative_point().y
    to_degrees = Transformer.from_crs(desk.ground.crs, 4326, always_xy=True)
    return [list(to_degrees.transform(x, y)) for x in (west - 5, east + 5)]


def test_cut_units_are_kept_and_come_back_whole(
    desk: Desk, county: tuple[Ground, PlanFile], store: Store
) -> None:
    start, key = desk.plan, int(desk.plan.keys[0])
    _, sent = message(desk, {}, "zh", None, None)
    asked = {"do": "cut", "grid": key, "points": across(desk, key), "through": True}
    answer = desk.ask(request(desk, **asked))
    assert answer.key == "redraw.told_cut"
    assert len(desk.plan.units) == len(start.units) + int(str(answer.values["cut"]))
    assert desk.plan.units.households.sum() == start.units.households.sum()
    data, sent = message(desk, {}, "zh", sent, answer)
    told = read(data)
    assert len(told["ground"]["units"]) == len(told["state"]["labels"]) == len(desk.plan.units)
    assert told["ground"]["place"] == f"{desk.project}/{desk.village}"
    again = open_desk(store, *county, desk.village)
    assert (again.plan.label == desk.plan.label).all()
    assert len(again.plan.units) == len(desk.plan.units)
    assert again.ask(request(again, do="cut", **{k: asked[k] for k in ("grid", "points")}
                             | {"points": across(again, key), "through": True})).kind == "ok"
    assert again.ask(request(again, do="undo")).kind == "ok"
    desk.load()
    desk.ask(request(desk, do="undo"))
    assert ground_key(desk.plan.units) == ground_key(start.units)
    assert (desk.plan.label == start.label).all()
    assert "ground" in read(message(desk, {}, "zh", sent, None)[0])
    assert store.verify() == []


def test_places_are_inside_their_units(desk: Desk) -> None:
    ground = read(message(desk, {}, "en", None, None)[0])["ground"]
    places = np.array(ground["places"]).reshape(-1, 2) / 1e6
    x, y = Transformer.from_crs(4326, desk.ground.crs, always_xy=True).transform(*places.T)
    near = shapely.dwithin(desk.plan.units.geometry, shapely.points(x, y), 0.2)
    assert near.all()


def test_households_without_a_place_are_listed_and_can_be_gone_to(desk: Desk) -> None:
    x, y = desk.plan.units.x.mean(), desk.plan.units.y.min() - 300
    desk.unplaced = Unplaced(np.array([[x, y], [x + 10, y]]), np.array([2, 3]))
    wrong = read(message(desk, {}, "en", None, None)[0])["state"]["wrong"]
    (row,) = [one for one in wrong if one["key"] == NO_GRID]
    assert row["text"].endswith("5 households")
    west, south, east, north = row["box"]
    assert west < east
    assert all(west <= a <= east and south <= b <= north for a, b in row["places"])


def test_every_word_of_the_board_is_in_both_languages() -> None:
    chinese, english = words_for("zh"), words_for("en")
    assert set(chinese) == set(english)
    assert not any(key.startswith("told_") for key in chinese)


def test_drawn_places_become_metres_and_nothing_else_passes() -> None:
    crs = CRS.from_epsg(4549)
    made = to_request(
        {"do": "cut", "grid": 1, "points": [[120, 32], [120.001, 32]], "base": "x", "evil": 1}, crs
    )
    assert set(made) == {"do", "grid", "points"}
    (x1, y1), (x2, y2) = made["points"]  # type: ignore[misc]
    assert x1 == pytest.approx(500_000, abs=1)
    assert x2 - x1 == pytest.approx(94.5, abs=1)
    assert y2 == pytest.approx(y1, abs=0.01)
    for bad in ("x", [], [[1]], [[200, 0], [0, 0]], [["a", "b"]], [[float("nan"), 0], [0, 0]]):
        with pytest.raises(RequestError):
            to_request({"do": "cut", "points": bad}, crs)


def test_where_the_store_is(tmp_path: Path) -> None:
    assert configured({"GRIDWRIGHT_STORE": str(tmp_path / "a.db")}) == tmp_path / "a.db"
    assert configured({"XDG_DATA_HOME": str(tmp_path)}).is_relative_to(tmp_path)
