"""What is drawn of events: people spread over areas, no place of a few events, names with room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import county_events as county
import numpy as np
import pytest
from shapely.geometry import LineString, box

from incidents.homes import homes_of_plan, spread
from incidents.quality import Finding
from incidents.selection import Selection
from incidents.sharedfile import shared_layers
from ui.event_choices import ENOUGH_TO_MAP, _first_period
from ui.event_numbers import tenfold
from ui.heat import _road_names
from ui.labels import fitting
from ui.places import _Names, shown_hot, spoken, ten_places
from ui.send import MOST_ROADS, main_roads
from ui.shelf import Answers
from ui.study import Study
from ui.survey import analysed, meaning, report


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


def test_people_of_an_area_live_all_over_it() -> None:
    large, small = box(1_000, 1_000, 2_000, 2_000), box(40, 40, 60, 60)
    homes = spread(np.array([large, small]), np.array([120.0, 7.0]), np.array([300.0, np.nan]))
    assert homes.households.sum() == pytest.approx(127)
    inside = (homes.xy > 1_000).all(axis=1)
    assert inside.sum() == 100
    assert homes.persons[inside].sum() == pytest.approx(300)
    assert np.isnan(homes.persons[~inside]).all()  # unknown stays unknown
    assert homes.households[~inside].tolist() == [7.0]
    cells, many = np.unique(homes.xy[inside] // 200, axis=0, return_counts=True)
    assert len(cells) == 25
    assert (many == 4).all()


def test_a_plan_of_ready_made_areas_has_its_people_all_over_its_grids() -> None:
    grids = county.gpd.GeoDataFrame(
        {"code": ["g1", "g2"]}, geometry=[box(0, 0, 1_000, 1_000), box(1_000, 0, 2_000, 1_000)],
        crs=county.CRS,
    )  # fmt: skip
    points = county.gpd.points_from_xy([100, 900, 1_500], [100, 900, 500], crs=county.CRS)
    table = {"households": [100, 140, 120], "persons": [250, -1, 300],
             "grid_code": ["g1", "g1", "g2"]}  # fmt: skip
    homes = homes_of_plan(county.gpd.GeoDataFrame(table, geometry=points), grids)
    assert homes is not None
    assert len(homes.xy) == 200
    east = homes.xy[:, 0] > 1_000
    assert homes.households[~east].sum() == pytest.approx(240)
    assert homes.persons[east].sum() == pytest.approx(300)
    assert np.isnan(homes.persons[~east]).all()  # of one area they are unknown
    # dwellings, a tower among them, stay where they are
    few = {**table, "households": [30, 12, 9]}
    assert len(homes_of_plan(county.gpd.GeoDataFrame(few, geometry=points), grids).xy) == 3
    assert homes_of_plan(county.gpd.GeoDataFrame(few, geometry=points).iloc[:0], grids) is None


def test_what_lies_around_a_few_events_is_nobodys_hot_spot(study: Study) -> None:
    found = analysed(study, study.open, Selection(), trend=True)
    assert shown_hot(study.open, found).any()
    tested = found.significance
    few = replace(found, significance=replace(tested, count=np.minimum(tested.count, 4.0)))
    assert not shown_hot(study.open, few).any()
    assert ten_places(study, study.open, few, "en") == []
    assert study.shared is not None
    alone = replace(study.shared, prepared=study.open)  # no sensitive event: cells as they are
    assert len(shared_layers(alone, found)["cells"])
    assert not len(shared_layers(alone, few)["cells"])
    assert not len(shared_layers(alone, few)["density"])


def test_a_place_where_nobody_lives_says_so(study: Study) -> None:
    found = analysed(study, study.open, Selection(), trend=True)
    assert "households would explain" in ten_places(study, study.open, found, "en")[0].why
    empty = np.zeros_like(study.open.households)
    alone = changed(study, open=replace(study.open, households=empty))
    told = ten_places(alone, study.open, found, "zh")[0].why
    assert told.startswith("这里没有住户")
    assert "倍" not in told


def test_grids_have_english_names_on_english_pages() -> None:
    assert spoken("幸福村第三网格", "1", "en") == "幸福村 Grid 3"
    assert spoken("幸福村第三网格", "1", "zh") == "幸福村第三网格"
    assert spoken("", "320101", "en") == "320101"


def test_of_two_names_that_meet_the_larger_area_keeps_its_own() -> None:
    xy = np.array([[0.0, 0.0], [10.0, 2.0], [500.0, 0.0]])
    texts = ["Herne and Broomfield", "Greenhill", "Reculver"]
    assert fitting(xy, texts, np.array([3.0, 2.0, 1.0]), 10.0).tolist() == [True, False, True]
    assert fitting(xy, texts, np.array([1.0, 2.0, 3.0]), 10.0).tolist() == [False, True, True]
    assert fitting(xy, texts, np.array([3.0, 2.0, 1.0]), 0.1).all()
    assert not fitting(xy[:1], [""], np.ones(1), 1.0).any()


def test_the_first_period_holds_enough_to_map(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _first_period(study) == "2025"  # its months hold some 170 each
    monkeypatch.setattr("ui.event_choices.ENOUGH_TO_MAP", 100)
    assert _first_period(study) == "2025-12"
    monkeypatch.setattr("ui.event_choices.ENOUGH_TO_MAP", 10_000)
    assert _first_period(study) == ""
    assert ENOUGH_TO_MAP == 300


def test_without_households_the_map_says_what_it_is_compared_with(study: Study) -> None:
    assert "fewer than 8 households" in meaning(study, "en")
    alone = replace(study, open=replace(study.open, households=None))
    assert "even spread" in meaning(alone, "en")
    assert "8" not in meaning(alone, "zh").replace("*", "")


def test_sensitive_kinds_are_missing_in_the_first_number_and_it_says_so(study: Study) -> None:
    assert "without sensitive kinds" in report(study, "2024", "", "en").numbers[0][2]


def test_counts_tenfold_apart_are_not_compared() -> None:
    now, past = np.array([3_846.0, 20.0, 110.0, np.nan]), np.array([20.0, 2.0, 100.0, 5.0])
    assert tenfold(now, past).tolist() == [True, False, False, False]
    assert tenfold(past, now).tolist() == [True, False, False, False]


def changed(study: Study, **values: Any) -> Study:
    """Another study of the same events, which remembers none of the first one's answers."""
    return replace(study, kept={}, drawn=Answers(10), **values)


def test_a_rate_of_the_county_bears_a_few_areas_without_people(study: Study) -> None:
    levels = dict(study.areas.levels)
    village, whole = levels["village"], levels["county"]
    persons = village.persons.copy()
    persons[0] = np.nan
    levels["village"] = replace(village, persons=persons)
    levels["county"] = replace(whole, persons=np.array([np.nan]))
    lacking = changed(study, areas=replace(study.areas, levels=levels))
    _, _, _, (_, value, note), _ = report(lacking, "2024", "", "en").numbers
    assert (value, note) == ("—", "areas without their people: 1")  # one of four is not a few
    many = replace(levels["village"], codes=np.arange(40).astype(str), names=np.arange(40).astype(
        str), persons=np.append(persons, np.full(36, 100.0)))  # fmt: skip
    lacking.areas.levels["grid"] = many  # type: ignore[index]
    _, _, _, (_, value, note), _ = report(changed(lacking), "2024", "", "en").numbers
    assert value != "—"
    assert note == "areas without their people: 1"


def test_where_no_people_are_known_the_leader_reads_of_households(study: Study) -> None:
    levels = {n: replace(v, persons=np.full(len(v), np.nan))
              for n, v in study.areas.levels.items()}  # fmt: skip
    told = report(changed(study, areas=replace(study.areas, levels=levels)), "2024", "", "zh")
    label, value, note = told.numbers[3]
    count = float(told.numbers[0][1].replace(",", ""))
    assert (label, note) == ("每千户每年", "")
    assert float(value.replace(",", "")) == round(count / 3_000 * 1_000)
    assert told.rate_head == "rate_homes"


def test_names_of_roads_do_not_lie_on_each_other(study: Study) -> None:
    frame = county.villages()
    x = county.WEST + np.array([500.0, 520.0, 3_500.0])
    roads = county.gpd.GeoDataFrame(
        {"name": ["Long", "Short", "Far"]}, crs=county.CRS,
        geometry=[LineString([(e, county.SOUTH), (e, county.SOUTH + long)])
                  for e, long in zip(x, (3_000, 2_900, 500), strict=True)],
    )  # fmt: skip
    found = [set(layer.features) for layer in _road_names(roads, frame, "en")]
    assert found[0] == {"Long", "Far"}
    assert set().union(*found) == {"Long", "Short", "Far"}
    assert sum(map(len, found)) == 3


def test_where_no_main_road_is_told_the_longest_named_ones_are_drawn() -> None:
    names = [f"R{i}" for i in range(MOST_ROADS + 1)] + ["", "R0"]
    lines = [LineString([(0, 0), (0, 100 + i)]) for i in range(MOST_ROADS + 3)]
    roads = county.gpd.GeoDataFrame({"name": names}, geometry=lines, crs=county.CRS)
    drawn = main_roads(roads)
    assert drawn is not None
    assert set(drawn["name"]) == set(names) - {"", "R1"}  # R0 has two pieces
    assert set(main_roads(roads.assign(road_class="main"))["name"]) == set(names)
    assert set(main_roads(roads.assign(road_class="Ave"))["name"]) == set(drawn["name"])
    assert main_roads(roads[["geometry"]]) is None


def test_a_cell_on_the_border_has_its_areas_name(study: Study) -> None:
    outside = np.array([[county.WEST - 40.0, county.SOUTH + 900.0]])
    told = _Names(study).of(outside, (county.WEST - 40.0, county.SOUTH + 900.0), "en")
    assert told.endswith("0") or "0;" in told
    assert "{{7*7}}" in told  # the village's, hostile as it is


def test_notes_to_leaders_tell_no_months_count(study: Study) -> None:
    uneven = Finding("quality-uneven", 3_846, {"month": "2024-05", "usual": 14.0},
                     np.arange(5, dtype=np.int64), True)  # fmt: skip
    quality = replace(study.open.quality, findings=(uneven,))
    uneven_study = changed(study, open=replace(study.open, quality=quality))
    told = report(uneven_study, "2024", "", "en").notes
    assert any("2024-05 holds far more events" in note for note in told)
    assert not any("3846" in note or "3,846" in note for note in told)


def test_an_untold_source_is_no_secret(study: Study) -> None:
    assert not any("source" in note for note in report(study, "2024", "", "en").notes)
    source = np.where(np.arange(len(study.events)) % 4 == 0, 0, study.events.source)
    untold = changed(study, events=replace(study.events, source=source.astype(np.int8)))
    assert "25 % of the events do not tell their source" in " ".join(
        report(untold, "2024", "", "en").notes
    )


def test_files_are_where_they_were(tmp_path: Path) -> None:
    """Events in a folder beside the villages are found again without being named."""
    from ui.event_files import more_sources
    from ui.projects import Project

    county.villages().to_file(tmp_path / "villages.gpkg")
    county.write_events(tmp_path)
    opened = Project("x", "x", "folder", {"villages": str(tmp_path / "villages.gpkg")})
    assert more_sources(opened) == {"incidents": (str(tmp_path / "incidents.csv"),)}
