"""A plan larger than a county on the map: townships and villages first, parts as one gets near."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from synthetic import plan, roads

import ui.projects
from geo.problems import InputError
from planning.planfile import LatePlan, read_plan, write_plan
from ui.jobs import Job
from ui.late import Late, LateLayers
from ui.map.encode import dumps
from ui.map.scene import Focus
from ui.overview import FROM_VARIABLE, Overview, answer_text, zoom_at
from ui.pickups import pick_folder
from ui.picture import DOTS, Pyramid, mercator, png
from ui.tables import GridIndex, matching
from ui.views import PlanView, complete

ONE, TWO = "320116001001", "320116001202"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> PlanView:
    monkeypatch.setenv(FROM_VARIABLE, "5")
    return PlanView("k", plan(), {"roads": roads()})


def everything(overview: Overview, *names: str) -> dict[str, object]:
    """An answer once all is made."""
    overview._homes.get()
    overview._lines.get()
    found, late = overview.answer(names)
    assert late == []
    return json.loads(answer_text(found, late, "k", 1))["parts"]  # type: ignore[no-any-return]


def test_a_county_is_sent_whole_and_a_city_in_parts(large: PlanView) -> None:
    scene = large.scene("zh")
    assert scene.parts is not None
    held = {layer.id: layer for layer in scene.layers}
    assert held["grids"].features == {}
    assert set(held["areas"].features) == {ONE, TWO}
    assert list(held["towns"].features) == ["龙池街道"]
    assert held["towns"].max_zoom == held["areas"].min_zoom
    village = large.scene("zh", village=ONE)
    assert village.parts is None
    assert len(village.layers[0].features) == 4


def test_small_plans_know_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FROM_VARIABLE, raising=False)
    assert PlanView("k", plan(), {}).scene("zh").parts is None


def test_a_village_on_the_overview_tells_the_sum_of_its_grids(large: PlanView) -> None:
    held = {layer.id: layer for layer in large.scene("zh").layers}
    area = json.loads(held["areas"].features[ONE])
    # 310 + 150 + 300 + 480 households in four grids; one of them breaks a rule
    assert area["r"][:3] == ["4", "1,240", "2,790"]
    assert area["r"][5] == "1"
    assert area["v"] == ONE
    # the grid that is farthest off its ideal (480 of 310) speaks for the village
    assert area["c"] == [3, 6]


def test_parts_hold_the_same_grids_as_the_village_alone(large: PlanView) -> None:
    parts = everything(large.overview, f"g:{TWO}", f"g:{ONE}")
    alone = large.scene("zh", village=TWO).layers[0].features
    grids = parts[f"g:{TWO}"]["grids"]  # type: ignore[index]
    assert [dumps(grid) for grid in grids] == list(alone.values())
    assert len(parts[f"g:{ONE}"]["outlines"]) == 1  # type: ignore[index]


def test_points_of_a_part_are_the_households_of_its_village(large: PlanView) -> None:
    parts = everything(large.overview, f"n:{ONE}", f"n:{TWO}")
    points = parts[f"n:{ONE}"]["households"]  # type: ignore[index]
    assert sum(point["n"] for point in points) == 40
    assert parts[f"n:{TWO}"]["households"] == []  # type: ignore[index]
    assert "h0" not in dumps(points)


def test_every_line_comes_with_exactly_one_village(large: PlanView) -> None:
    parts = everything(large.overview, f"c:{ONE}", f"c:{TWO}")
    runs = [
        run
        for part in parts.values()
        for layer, features in part.items()  # type: ignore[attr-defined]
        if layer.startswith("roads")
        for feature in features
        for run in feature["g"]
    ]
    assert len(runs) == len(roads())


def test_what_is_not_made_yet_is_late_and_nothing_waits(large: PlanView) -> None:
    gate = threading.Event()
    overview = large.overview
    read = overview._homes._make

    def slow() -> object:
        gate.wait()
        return read()

    overview._homes = Late(slow)  # type: ignore[arg-type]
    found, late = overview.answer([f"g:{ONE}", f"n:{ONE}", "p:7/106/51"])
    assert set(found) == {f"g:{ONE}"}
    assert late == [f"n:{ONE}", "p:7/106/51"]
    gate.set()
    assert set(everything(overview, f"n:{ONE}")) == {f"n:{ONE}"}


def test_lines_are_shared_out_as_soon_as_somebody_comes_nearer(large: PlanView) -> None:
    overview = large.overview
    for name in ("p:7/106/51", "p:7/105/51", "p:x/1/1", "p:6/53/25", f"p:{'9' * 5000}/1/1"):
        overview.answer([name])
        assert overview._lines._thread is None
    overview.answer(["p:8/212/103"])
    assert overview._lines._thread is not None
    assert overview._lines.get().keys() == {"roads"}


@pytest.mark.parametrize(
    "name", ["g:nobody", "n:nobody", "c:", "p:1/2", "p:x/y/z", "p:99/0/0", "z:1", "", "p:-1/0/0"]
)
def test_names_that_mean_nothing_are_answered_with_nothing(large: PlanView, name: str) -> None:
    parts = everything(large.overview, name)
    assert not any(any(part.values()) for part in parts.values() if isinstance(part, dict))
    assert not any(part for part in parts.values() if isinstance(part, str))


def test_a_grid_that_the_browser_does_not_hold_is_found_by_its_bounds(large: PlanView) -> None:
    from ui.map.scene import Focus

    focus = large.scene("zh", focus=Focus(3, "grids", (f"{TWO}001",))).focus
    assert focus.number == 3
    assert focus.bounds is not None
    west, south, east, north = large.overview.bounds or (0, 0, 0, 0)
    assert west <= focus.bounds[0] < focus.bounds[2] <= east + 1e-6
    assert south <= focus.bounds[1] < focus.bounds[3] <= north + 1e-6


def test_a_village_without_a_township_is_still_on_the_overview(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FROM_VARIABLE, "1")
    own = plan()
    own.villages.loc[0, "township_name"] = None
    scene = PlanView("k", own, {}).scene("en")
    held = {layer.id: layer for layer in scene.layers}
    assert set(held["areas"].features) == {ONE, TWO}
    assert set(held["towns"].features) == {"", "龙池街道"}
    assert set(held["town-names"].features) == {"龙池街道"}


def test_zooms_follow_the_size_on_the_screen() -> None:
    assert zoom_at(1000, 256, 0) == pytest.approx(np.log2(40_075.016686), abs=0.13)
    assert zoom_at(1000, 60, 32) < zoom_at(500, 60, 32)
    assert 5 <= zoom_at(1e9, 1, 0) <= zoom_at(0.0, 1e9, 0) <= 18


# --- the picture


def pixels(address: str) -> np.ndarray:
    """The class numbers of a square."""
    body = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    start = body.index(b"IDAT") + 4
    length = int.from_bytes(body[start - 8 : start - 4], "big")
    raw = zlib.decompress(body[start : start + length])
    return np.frombuffer(raw, dtype=np.uint8).reshape(DOTS, DOTS + 1)[:, 1:]


def test_a_household_is_drawn_in_the_square_and_dot_where_it_lies() -> None:
    longitude, latitude = np.array([118.84]), np.array([32.36])
    pyramid = Pyramid(longitude, latitude, np.array([1.0]))
    for zoom in (7, 10, 13):
        x, y = mercator(longitude, latitude)[0] * 2**zoom
        found = pixels(pyramid.square(zoom, int(x), int(y)))
        assert np.argwhere(found).tolist() == [[int(y % 1 * DOTS), int(x % 1 * DOTS)]]
        assert pyramid.square(zoom, int(x) + 1, int(y)) == ""


def test_no_household_is_drawn_twice_or_left_out() -> None:
    rng = np.random.default_rng(1)
    longitude, latitude = rng.uniform(118, 120, 5000), rng.uniform(31, 33, 5000)
    pyramid = Pyramid(longitude, latitude, np.ones(5000))
    at = mercator(longitude, latitude) * 2**9
    squares = {(int(x), int(y)) for x, y in at}
    dots = {(int(x * DOTS), int(y * DOTS)) for x, y in at}
    drawn = sum(int((pixels(pyramid.square(9, x, y)) > 0).sum()) for x, y in squares)
    assert drawn == len(dots)


def test_a_dot_is_darker_where_more_households_are_at_every_zoom() -> None:
    crowd = np.full(400, 118.84), np.full(400, 32.36)
    few = Pyramid(crowd[0][:1], crowd[1][:1], np.array([1.0]))
    many = Pyramid(*crowd, np.full(400, 50.0))
    x, y = mercator(np.array([118.84]), np.array([32.36]))[0] * 2**13
    assert pixels(many.square(13, int(x), int(y))).max() == 5
    assert pixels(few.square(13, int(x), int(y))).max() < 5


def test_the_picture_is_a_png_that_others_read(tmp_path: Path) -> None:
    from matplotlib.image import imread

    classes = np.zeros((DOTS, DOTS), dtype=np.uint8)
    classes[3, 200] = 5
    (tmp_path / "a.png").write_bytes(png(classes))
    read = imread(tmp_path / "a.png")
    assert read.shape == (DOTS, DOTS, 4)
    assert np.argwhere(read[..., 3] > 0).tolist() == [[3, 200]]


# --- after an edit


def test_after_an_edit_it_is_what_would_be_made_anew(large: PlanView) -> None:
    """Only the village that was edited is made again; what is sent is the same either way."""
    before = large.overview
    large.scene("zh")
    everything(before, f"g:{ONE}", f"g:{TWO}", f"n:{ONE}")
    grids = large.plan.grids.copy()
    mine = grids["village_code"] == TWO
    grids.loc[mine, "households"] = grids.loc[mine, "households"] + 50
    grids.loc[mine, "deviation"] = 0.4
    edited = complete(replace(large.plan, grids=grids))
    after, anew = before.after(edited, {TWO}), Overview(edited, large.context)
    told = {"place": "", "legend": {}, "words": {}, "selected": (), "focus": Focus()}
    a, b = (overview.scene("zh", **told) for overview in (after, anew))  # type: ignore[arg-type]
    assert a.layers == b.layers
    assert a.bounds == b.bounds
    assert a.layers != before.scene("zh", **told).layers  # type: ignore[arg-type]
    names = [f"{kind}:{code}" for kind in "gcn" for code in (ONE, TWO)]
    assert everything(after, *names) == everything(anew, *names)
    assert after._grid_parts[ONE] is before._grid_parts[ONE]
    assert after._homes is before._homes
    assert after.key != before.key


# --- what is read later


def test_households_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    write_plan(plan(), tmp_path / "plan.gpkg")
    late = read_plan(tmp_path / "plan.gpkg", late=True)
    whole = read_plan(tmp_path / "plan.gpkg")
    assert isinstance(late, LatePlan)
    assert "households" not in vars(late)
    shorter = complete(late)
    assert "households" not in vars(shorter)
    pd.testing.assert_frame_equal(shorter.households, whole.households)
    assert shorter.value("seed") == whole.value("seed")


def test_households_of_a_plan_that_was_replaced_are_refused(tmp_path: Path) -> None:
    write_plan(plan(), tmp_path / "plan.gpkg")
    late = read_plan(tmp_path / "plan.gpkg", late=True)
    write_plan(plan("另一村"), tmp_path / "plan.gpkg")
    with pytest.raises(InputError) as caught:
        _ = late.households
    assert [problem.code for problem in caught.value.problems] == ["plan-replaced"]


def test_a_large_plan_is_opened_without_households_and_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui.projects, "LATE_FROM", 0)
    write_plan(plan(), tmp_path / "plan.gpkg")
    roads().to_file(tmp_path / "roads.gpkg")
    pickup = pick_folder(tmp_path)
    opened = ui.projects.open_pickup(Job("open"), pickup, pickup.chosen, trusted=True)
    view = ui.projects.PLANS.get(ui.projects.PROJECTS.get(opened).plan_id or "")
    assert "households" not in vars(view.plan)
    assert isinstance(view.context, LateLayers)
    assert not view.context.ready
    assert len(view.plan.households) == 11
    assert list(view.context) == ["roads"]


def test_what_went_wrong_beside_the_page_is_raised_to_who_asks() -> None:
    def broken() -> int:
        raise OSError("gone")

    late = Late(broken)
    late.start()
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            late.get()


def test_layers_are_read_once_however_many_ask() -> None:
    calls: list[int] = []

    def read() -> dict[str, gpd.GeoDataFrame]:
        calls.append(1)
        return {"roads": roads()}

    held = LateLayers(read)
    threads = [threading.Thread(target=lambda: len(held)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert "roads" in held


# --- the table


@pytest.mark.parametrize("query", ["", "石桥", "001", "石桥 003", "nothing", "320116 石", "  "])
def test_the_index_finds_what_a_plain_search_finds(query: str) -> None:
    grids = complete(plan()).grids
    index = GridIndex(grids)
    plain = matching(grids, query, ("code", "name", "village_name"))
    rows = index.rows(query, np.ones(len(grids), dtype=bool))
    assert grids["code"].iloc[rows].tolist() == plain["code"].tolist()
    assert index.table(rows, "en")["code"].tolist() == plain["code"].tolist()


def test_the_index_stays_among_the_rows_it_is_given() -> None:
    grids = complete(plan()).grids
    own = (grids["village_code"] == TWO).to_numpy()
    assert set(grids["village_code"].iloc[GridIndex(grids).rows("0", own)]) == {TWO}


def test_villages_far_from_the_lines_still_get_them() -> None:
    from ui.overview import _containing

    tree = shapely.STRtree([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    points = shapely.points([0.5, 1.0, 9.0], [0.5, 0.5, 9.0])
    rows, areas = _containing(tree, points)
    found = dict(zip(rows.tolist(), areas.tolist(), strict=True))
    assert found[0] == 0
    assert found[1] in (0, 1)
    assert found[2] == 1
    assert len(rows) == 3
