"""What travels to the map: short, shared borders still shared, only differences, only text."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from synthetic import HOSTILE, plan, roads

from ui.map import layers
from ui.map.colours import DEVIATION, NO_VALUE, class_labels, deviation_class
from ui.map.encode import (
    SCALE,
    bounds_lonlat,
    dumps,
    encode_area,
    encode_lines,
    encode_point,
    simplified_coverage,
    to_lonlat,
)
from ui.map.scene import Focus, Layer, Scene, message
from ui.views import PlanView, complete, ground_scene


def decode(run: list[int]) -> np.ndarray:
    return np.cumsum(np.array(run).reshape(-1, 2), axis=0) / SCALE


# --- encoding


@given(
    st.lists(st.tuples(st.floats(73, 135), st.floats(18, 53)), min_size=3, max_size=30, unique=True)
)
def test_a_line_comes_back_within_half_a_millionth(points: list[tuple[float, float]]) -> None:
    (run,) = encode_lines(shapely.LineString(points))
    back = decode(run)
    assert np.abs(back[0] - points[0]).max() <= 0.51 / SCALE
    assert np.abs(back[-1] - points[-1]).max() <= 0.51 / SCALE
    assert len(back) <= len(points)


def test_areas_keep_holes_and_parts() -> None:
    ring = shapely.box(118, 32, 119, 33).difference(shapely.box(118.4, 32.4, 118.6, 32.6))
    encoded = encode_area(shapely.MultiPolygon([ring, shapely.box(120, 32, 121, 33)]))
    assert [len(polygon) for polygon in encoded] == [2, 1]
    assert encode_area(shapely.Polygon()) == []


def test_a_point_lies_inside_what_it_stands_for() -> None:
    x, y = encode_point(shapely.box(118, 32, 119, 33))
    assert 118 * SCALE < x < 119 * SCALE
    assert 32 * SCALE < y < 33 * SCALE


def test_thinned_neighbours_still_share_their_border() -> None:
    angle = np.linspace(0, 20, 2001)
    wave = np.column_stack([angle * 100, 30 * np.sin(angle * 9)])
    low = shapely.Polygon([*wave, (2000, -900), (0, -900)])
    high = shapely.Polygon([*wave, (2000, 900), (0, 900)])
    before = np.array([low, high], dtype=object)
    after = simplified_coverage(before, 400)
    assert shapely.get_num_coordinates(after).sum() <= 400
    assert shapely.coverage_is_valid(after)
    assert shapely.area(after).sum() == pytest.approx(shapely.area(before).sum(), rel=1e-6)


def test_what_is_small_enough_is_not_thinned() -> None:
    shapes = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    assert simplified_coverage(shapes, 100)[0].equals(shapes[0])


def test_nothing_has_no_bounds() -> None:
    assert bounds_lonlat(np.array([None], dtype=object)) is None
    with pytest.raises(ValueError, match="JSON"):
        dumps(float("nan"))


# --- classes


@pytest.mark.parametrize(
    ("deviation", "number"),
    [(-0.8, 0), (-0.5, 1), (-0.3, 1), (-0.25, 2), (-0.11, 2), (-0.1, 3), (0, 3), (0.1, 3),
     (0.11, 4), (0.25, 4), (0.3, 5), (0.5, 5), (0.51, 6), (9.0, 6), (np.nan, NO_VALUE)],
)  # fmt: skip
def test_classes(deviation: float, number: int) -> None:
    assert deviation_class([deviation])[0] == number


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("ramp", [DEVIATION.light, DEVIATION.dark])
def test_the_ramp_keeps_its_order_without_colour(ramp: tuple[str, ...]) -> None:
    assert len(ramp) == len(class_labels()) == 7
    light = [luminance(colour) for colour in ramp]
    toward = np.sign(light[3] - light[0])
    assert all(np.sign(np.diff(light[:4])) == toward)
    assert all(np.sign(np.diff(light[3:])) == -toward)


@pytest.mark.parametrize("ramp", [DEVIATION.light, DEVIATION.dark])
def test_both_ends_differ_in_blue_against_red_and_green(ramp: tuple[str, ...]) -> None:
    """What red-green blindness leaves is blue against yellow: the ends must differ there."""
    few, many = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (ramp[1], ramp[5]))
    assert few[2] > few[0]
    assert many[2] < many[0]


def test_labels_say_the_breaks() -> None:
    assert class_labels()[0] == "< −50 %"
    assert class_labels()[3] == "± 10 %"
    assert class_labels()[6] == "> +50 %"


# --- features


def feature(features: dict[str, str], key: str) -> dict[str, object]:
    return json.loads(features[key])  # type: ignore[no-any-return]


def test_a_grid_carries_what_its_tooltip_says() -> None:
    features = layers.grid_features(plan().grids)
    first = feature(features, "320116001001001")
    assert first["t"] == "柳塘村第1网格"
    assert dict(zip(layers.GRID_ROWS, first["r"], strict=True)) == {
        "grid.code": "320116001001001",
        "grid.households": "310",
        "grid.persons": "—",
        "grid.deviation": "+3 %",
        "grid.deviation_ideal": "0 %",
        "grid.compactness": "0.79",
        "grid.area": "0.250 km²",
        "grid.exceptions": "",
    }  # fmt: skip
    assert first["c"] == [3, 3]
    assert feature(features, "320116001001002")["c"] == [1, 0]


def test_a_dedicated_grid_is_not_judged() -> None:
    grids = plan().grids
    grids.loc[0, "kind"] = "dedicated"
    assert feature(layers.grid_features(grids), "320116001001001")["c"] == [NO_VALUE, NO_VALUE]


def test_a_hostile_name_travels_as_the_text_it_is() -> None:
    first = feature(layers.grid_features(plan(HOSTILE).grids), "320116001001001")
    assert first["t"] == f"{HOSTILE}第1网格"


def test_households_at_one_place_are_one_point_with_their_sum() -> None:
    points = [json.loads(text) for text in layers.household_points(plan().households).values()]
    assert len(points) == 10
    assert max(point["n"] for point in points) == 31
    assert sum(point["n"] for point in points) == 40


def test_no_household_number_travels() -> None:
    assert "h10" not in "".join(layers.household_points(plan().households).values())


def test_a_tip_that_degrees_cannot_tell_from_a_line_breaks_no_outline() -> None:
    """Thinning leaves tips of no width; rounded to degrees they cross themselves."""
    foot, top = (478558.214469, 3595401.086173), (478583.671261, 3595690.92862)
    side = tuple(a + (b - a) * 0.306 for a, b in zip(foot, top, strict=True))
    right = [foot, top, side, (478700, 3595600), (478700, 3595401)]
    left = [foot, (478400, 3595500), (478400, 3595900), (478700, 3595900), (478700, 3595600),
            side, top]  # fmt: skip
    grids = gpd.GeoDataFrame(
        {"code": ["1", "2"], "village_code": "A"},
        geometry=[shapely.Polygon(right), shapely.Polygon(left)], crs=4549,
    )  # fmt: skip
    assert not shapely.is_valid(to_lonlat(grids)).any()
    assert set(layers.village_outlines(grids)) == {"A"}


def test_village_outlines_follow_the_grids() -> None:
    outlines = layers.village_outlines(plan().grids)
    assert set(outlines) == {"320116001001", "320116001202"}
    runs = feature(outlines, "320116001001")["g"]
    assert len(runs) == 1  # type: ignore[arg-type]


def test_marks_stand_where_rules_are_broken() -> None:
    assert set(layers.exception_marks(plan().grids)) == {"320116001001004"}


@pytest.mark.parametrize(
    ("road_class", "main"),
    [("primary", True), ("primary_link", True), ("国道", True), ("residential", False), ("", False),
     (None, False), ("乡村小路", False)],
)  # fmt: skip
def test_main_roads(road_class: object, main: bool) -> None:
    assert layers.is_main_road(road_class) is main


def test_a_village_shows_the_roads_around_it_and_the_county_the_main_ones() -> None:
    labels = {"roads": "R", "water": "W", "railways": "T", "compounds": "C"}
    county = layers.context_layers({"roads": roads()}, labels)
    assert {layer.id: layer.min_zoom for layer in county} == {"roads": 0, "roads-minor": 12.5}
    far = layers.context_layers({"roads": roads()}, labels, window=(0, 0, 1, 1))
    assert far == []


def test_rivers_are_main_and_ditches_and_ponds_are_not() -> None:
    river = [shapely.LineString([(0, i * 1500), (0, (i + 1) * 1500)]) for i in range(4)]
    rest = [
        shapely.LineString([(500, 0), (500, 900)]),
        shapely.Point(0, 0).buffer(30),
        shapely.Point(3000, 3000).buffer(400),
    ]
    water = gpd.GeoDataFrame(
        {"name": ["滁河"] * 4 + ["小沟", "塘", "水库"]}, geometry=river + rest, crs="EPSG:4549"
    )
    assert list(layers.is_main_water(water)) == [True] * 4 + [False, False, True]
    shown = layers.context_layers({"water": water}, {"water": "W"})
    assert {item.id: item.min_zoom for item in shown} == {
        "water-area-minor": 12.5,
        "water-minor": 12.5,
        "water-area": 0,
        "water": 0,
    }
    assert {item.style for item in shown} == {"water", "waterMinor", "waterArea"}


# --- differences


def layer(**texts: str) -> Layer:
    return Layer("grids", "area", {k: dumps({"i": k, "g": v}) for k, v in texts.items()}, "grid")


def sent(scene: Scene, before: Scene | None) -> dict[str, object]:
    held = {} if before is None else {item.id: item for item in before.layers}
    return json.loads(message(scene, held))["layers"][0]  # type: ignore[no-any-return]


def test_the_first_message_holds_everything() -> None:
    scene = Scene("p", (layer(a="1", b="2"),))
    first = sent(scene, None)
    assert first["base"] == ""
    assert [item["i"] for item in first["upsert"]] == ["a", "b"]  # type: ignore[attr-defined]


def test_the_next_message_holds_only_what_changed() -> None:
    before, after = Scene("p", (layer(a="1", b="2", c="3"),)), Scene("p", (layer(b="9", c="3"),))
    change = sent(after, before)
    assert change["base"] == before.layers[0].version
    assert change["version"] == after.layers[0].version
    assert change["upsert"] == [{"i": "b", "g": "9"}]
    assert change["remove"] == ["a"]


def test_nothing_changed_sends_nothing() -> None:
    scene = Scene("p", (layer(a="1"),))
    again = sent(scene, scene)
    assert again["upsert"] == again["remove"] == []


def test_a_layer_that_is_new_comes_whole() -> None:
    before = Scene("p", (layer(a="1"),))
    after = Scene("p", (*before.layers, replace(layer(z="1"), id="other")))
    found = json.loads(message(after, {"grids": before.layers[0]}))["layers"]
    assert [len(item["upsert"]) for item in found] == [0, 1]


# --- scenes


def test_the_county_and_a_village() -> None:
    view = PlanView("k", plan(), {"roads": roads()})
    county = view.scene("zh")
    village = view.scene("zh", village="320116001202", selected=("320116001202001",))
    assert {item.id for item in county.layers} >= {"grids", "villages", "roads", "marks", "names"}
    assert "households" not in {item.id for item in county.layers}
    assert len(village.layers[0].features) == 4
    assert county.place != village.place
    west, south, east, north = county.bounds or (0, 0, 0, 0)
    assert 119 < west < east < 121
    assert 32 < south < north < 33


def test_a_language_changes_words_and_no_feature() -> None:
    view = PlanView("k", plan(), {})
    chinese, english = view.scene("zh"), view.scene("en")
    held = {item.id: item for item in chinese.layers}
    found = json.loads(message(english, held))["layers"]
    assert all(item["upsert"] == [] for item in found)
    assert english.words["layers"] == "Layers"
    assert "内部使用,未经地图审核不得公开" in english.words["notice"]
    assert "内部使用,未经地图审核不得公开" in chinese.words["notice"]
    assert "不是行政区域界线" in chinese.words["notice"]


def test_units_are_drawn_where_the_ground_is_known() -> None:
    grids = plan().grids
    view = PlanView("k", plan(), {}, lambda code: grids[grids["village_code"] == code])
    shown = {item.id: item for item in view.scene("en", village="320116001001").layers}
    assert shown["units"].shown is False


def test_a_county_of_819_grids_is_a_message_under_1_5_mb() -> None:
    """Outlines as detailed as real ones: about 90 vertices a grid."""
    angle = np.linspace(0, 1, 26)
    cells = []
    for row in range(21):
        for column in range(39):
            x, y = 500_000 + column * 900.0, 3_560_000 + row * 900.0
            side = np.column_stack([angle * 900, 60 * np.sin(angle * 2 * np.pi)])
            south = side + np.array([x, y])
            north = side[::-1] + np.array([x, y + 900])
            west = side[::-1][:, ::-1] + np.array([x, y])
            east = side[:, ::-1] + np.array([x + 900, y])
            cells.append(shapely.Polygon(np.concatenate([south, east, north, west])))
    one = plan()
    grids = gpd.GeoDataFrame(
        {
            "code": [f"3201160{i // 8:05d}{i % 8:03d}" for i in range(819)],
            "village_code": [f"3201160{i // 8:05d}" for i in range(819)],
            "name": "柳塘村第十二网格", "village_name": "柳塘村", "township_name": "龙池街道",
            "households": 300, "persons": 900, "deviation": 0.1, "deviation_ideal": 0.05,
        },
        geometry=cells, crs=one.grids.crs,
    )  # fmt: skip
    empty = one.villages.iloc[:0]
    view = PlanView("k", replace(one, grids=grids, villages=empty, households=one.households), {})
    assert len(message(view.scene("zh"), {})) < 1_500_000


def test_a_foreign_plan_is_completed() -> None:
    one = plan()
    bare = one.grids[["geometry"]].copy()
    bare["code"] = ["A", "A", "", None, "B", "C", "D", "E"]
    whole = complete(replace(one, grids=bare, villages=one.villages.iloc[:0]))
    assert whole.grids["code"].is_unique
    assert len(whole.grids) == 8
    assert len(whole.villages) == 1
    assert len(PlanView("k", whole, {}).scene("zh").layers[0].features) == 8


def test_a_county_without_a_plan_shows_its_villages() -> None:
    scene = ground_scene("k", plan().villages, {}, "en")
    assert set(scene.layers[0].features) == {"320116001001", "320116001202"}
    assert scene.legend == {}


def test_focus_travels() -> None:
    scene = Scene("p", (), focus=Focus(3, "grids", ("a",)))
    found = json.loads(message(scene, {}))
    assert found["focus"] == {"number": 3, "layer": "grids", "ids": ["a"], "bounds": None}


def test_lonlat_of_a_frame_without_a_system_is_itself() -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(118, 32)])
    assert to_lonlat(frame)[0].equals(shapely.Point(118, 32))
