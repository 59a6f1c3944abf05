"""What leaders see of events, and what they must not; the tables and maps of analysts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import county_events as county
import numpy as np
import pandas as pd
import pytest

from incidents.analysis import Parameters
from incidents.categories import default_table
from incidents.loop import closure
from incidents.period import Period
from incidents.quality import Finding
from incidents.selection import Selection
from ui import finding_maps, findings
from ui.event_choices import (
    category_choices,
    compared_with,
    first_period,
    months_of,
    period_choices,
    period_of,
    years_in,
)
from ui.event_map import class_labels, without_slivers
from ui.event_numbers import area_rows, rate_shown
from ui.heat import leader_scene, place_focus
from ui.map.scene import Focus, message
from ui.pages.incident_files import _not_shared
from ui.pages.incidents import edited_table
from ui.places import band, joined, may_be_shown
from ui.study import Study, years_of
from ui.survey import Report, analysed, report

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def year(study: Study) -> Report:
    return report(study, "2024", "", "en", "County")


def test_periods_are_whole_months_years_or_everything(study: Study) -> None:
    assert months_of(study)[0] == "2024-01"
    assert len(months_of(study)) == 24
    keys = list(period_choices(study, "en"))
    assert keys[:4] == ["", "2025", "2024", "2025-12"]
    assert period_choices(study, "zh")["2024-03"] == "2024 年 3 月"
    assert period_of("2024-02").text() == "2024-02-01/2024-02-29"
    assert period_of("2024").text() == "2024-01-01/2024-12-31"
    assert period_of("").open
    assert years_in(study, "2024-05") == pytest.approx(1 / 12)
    assert years_of(study.events) == pytest.approx(2.0)
    assert first_period(study) in ("2025-12", "2025")


def test_only_classes_that_occur_are_offered(study: Study) -> None:
    assert list(category_choices(study, "en")) == ["", "public_order", "environment"]


def test_the_numbers_are_those_of_the_protected_tables(study: Study, year: Report) -> None:
    events = study.open.events
    here = (events.source != 2) & (events.time.astype("M8[Y]") == np.datetime64("2024"))
    assert year.numbers[0][1] == f"{int(here.sum()):,}"
    assert year.numbers[1][1] == "—"  # nothing before 2024 to compare with
    later = report(study, "2025", "", "en")
    assert later.numbers[1][1] == later.numbers[2][1] != "—"
    assert year.numbers[4][1].endswith("%")


def test_closure_is_of_the_period_chosen_and_told_only_where_both_parts_are(study: Study) -> None:
    events, shared = study.open.events, study.shared
    assert shared is not None
    seen = set()
    for period in ("", "2024", *months_of(study)[:6]):
        rows = period_of(period).holds(events.time) & (events.source != 2)
        whole = closure(events.take(rows & (study.open.at["county"] == 0)))
        told = report(study, period, "", "en").numbers[4][1]
        assert told in ("—", whole.shown.replace("%", " %"))
        if told == "—":
            assert shared.loop("county", period)["dispatched"].isna().iloc[0]
        seen.add(told)
    assert len(seen) > 2
    assert report(study, "2024", "environment", "en").numbers[4][2] == "all classes"


def test_townships_tell_their_closure_for_all_classes_only(study: Study) -> None:
    table = area_rows(study, "township", "2024", "")
    assert table["closure"].str.endswith(" %").all()
    assert (area_rows(study, "township", "2024", "environment")["closure"] == "—").all()
    assert (area_rows(study, "village", "2024", "")["closure"] == "—").all()


def test_a_period_is_compared_with_what_is_like_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compared_with(study, "2025", 1) == compared_with(study, "2025", 12) == ["2024"]
    assert compared_with(study, "2024", 12) == []  # there is no 2023
    assert compared_with(study, "2025-03", 1) == ["2025-02"]
    assert compared_with(study, "2025-03", 12) == ["2024-03"]
    assert compared_with(study, "", 1) == compared_with(study, "2024-01", 1) == []
    months = [m for m in months_of(study) if "2024-03" < m < "2025-07"]
    monkeypatch.setattr("ui.event_choices.months_of", lambda _: months)
    assert compared_with(study, "2025", 1) == [f"2024-{m:02d}" for m in range(7, 13)]
    assert compared_with(study, "2025", 12) == []  # the first months of 2024 are not told
    assert compared_with(study, "2024", 1) == []  # began half-way


def test_a_year_that_is_not_over_is_compared_with_the_same_months(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = [m for m in months_of(study) if m < "2025-07"]
    monkeypatch.setattr("ui.event_choices.months_of", lambda _: months)
    assert compared_with(study, "2025", 12) == months[:6]
    table = area_rows(study, "county", "2025", "").iloc[0]
    parts = [float(area_rows(study, "county", m, "")["count"].iloc[0]) for m in months[:6]]
    assert table["on_year"] == pytest.approx(table["count"] / sum(parts) - 1)
    numbers = report(study, "2025", "", "zh", "another").numbers
    assert numbers[2][1].endswith(" %")
    assert "6 个月" in numbers[0][2]


def test_before_the_tables_are_proved_no_number_is_shown(study: Study) -> None:
    waiting = replace(study, shared=None)
    told = report(waiting, "2024", "", "en")
    assert told.numbers[0][1] == "—"
    assert set(told.townships["shown"]) == {"—"}
    assert len(told.places)  # the map does not wait


def test_a_place_of_three_households_is_on_no_leaders_map(study: Study, year: Report) -> None:
    found = analysed(study, study.open, Selection(period_of("2024"), without_piles=True),
                     trend=False)  # fmt: skip
    row, column = (int((county.FEW[i] - (county.SOUTH if i else county.WEST)) // 200)
                   for i in (1, 0))  # fmt: skip
    assert found.significance.hot[row, column]
    assert not may_be_shown(study.open)[row, column]
    here = year.cells.geometry.buffer(-1).intersects(
        county.gpd.GeoSeries.from_xy([county.FEW[0]], [county.FEW[1]], crs=county.CRS)[0]
    )
    assert not here.any()
    hot = year.cells.contains(
        county.gpd.GeoSeries.from_xy([county.HOT[0]], [county.HOT[1]], crs=county.CRS)[0]
    )
    assert hot.sum() == 1


def test_a_report_holds_whole_cells_and_no_count_of_a_cell(year: Report) -> None:
    assert set(year.cells.columns) == {"cell", "density_class", "course", "geometry"}
    corners = year.cells.get_coordinates().to_numpy()
    assert (corners % 200 == 0).all()
    for place in year.places:
        assert (county.np.asarray(place.shape.bounds) % 200 == 0).all()


def test_colours_mean_the_same_every_month(study: Study) -> None:
    labels = {report(study, month, "", "en").labels for month in months_of(study)[-4:]}
    assert len(labels) == 1
    assert class_labels(np.array([10.0, 50.0])) == ("≤ 10", "10 – 50", "> 50")


def test_places_are_named_in_words_and_ratios_only_as_bands(year: Report) -> None:
    first = year.places[0]
    assert first.number == 1
    assert "times" in first.why
    assert "over 10 times" not in band(2.0, "en")
    assert band(2.0, "en") == band(2.9, "en") == "2 to 3 times"
    assert band(1.2, "en") == "up to 2 times"
    assert band(99, "en") == "over 10 times"
    assert joined("then", ["a", "", "b"], "en") == "a; b"


def test_small_counts_stay_small_in_the_table_of_areas(study: Study) -> None:
    for month in months_of(study)[:6]:
        table = area_rows(study, "village", month, "")
        hidden = table["count"].isna()
        assert set(table.loc[hidden, "shown"]) <= {"<3", "—"}
        assert table.loc[hidden, "rate"].isna().all()
        assert (table.loc[~hidden, "count"] >= 3).all()


def test_sensitive_events_are_not_among_those_shown(study: Study, year: Report) -> None:
    assert study.events.sensitive.sum() == 7
    assert not study.open.events.sensitive.any()
    assert len(study.open.cell) == len(study.events) - 7
    assert any("beat" in note for note in year.notes)


def test_provenance_names_filters_and_hash_but_no_count_of_the_selection(year: Report) -> None:
    keys = dict(year.lines)
    assert len(keys["incidents.0.sha256"]) == 64
    assert keys["filter.period"] == "2024-01-01/2024-12-31"
    assert keys["count.read"] == "about 4,000"  # exact, it would tell of the 7 sensitive ones
    assert keys["count.in_county"].isdigit()  # as published
    assert not {"count.source_unknown", "density.breaks"} & set(keys)
    assert not {"count.selected", "count.mapped", "left_out.other-source"} & set(keys)
    assert "内部使用,未经地图审核不得公开" in year.notice
    assert "no administrative boundaries" in year.notice


def test_the_leaders_map_holds_what_the_report_does(study: Study, year: Report) -> None:
    scene = leader_scene(study, year, Focus())
    sent = json.loads(message(scene, {}))
    styles = {layer["style"] for layer in sent["layers"]}
    assert not styles & {"event", "household"}
    cells = next(layer for layer in sent["layers"] if layer["id"] == "cells")
    assert {f["i"] for f in cells["upsert"]} == set(year.cells["cell"])
    ground = next(layer for layer in scene.layers if layer.id == "ground")
    other = leader_scene(study, report(study, "2025", "", "en"), Focus())
    assert next(layer for layer in other.layers if layer.id == "ground").version == ground.version
    assert place_focus(study, year, 1, 4).bounds is not None
    assert place_focus(study, year, 99, 4).bounds is None


def test_a_period_without_events_has_an_empty_map(study: Study) -> None:
    made = report(study, "1999", "", "en")
    assert len(made.cells) == 0
    assert made.numbers[0][1] == "—"
    assert "nobody reported" in made.numbers[0][2]
    assert dict(made.lines)["filter.period"] == "1999-01-01/1999-12-31"


def test_confirming_a_pile_puts_it_back(study: Study) -> None:
    finding = Finding("quality-pile", 10, {}, np.arange(10, dtype=np.int64), True)
    quality = replace(study.prepared.quality, findings=(finding,))
    doubtful = replace(study, prepared=replace(study.prepared, quality=quality))
    assert len(doubtful.kept_apart(doubtful.prepared).quality.piled) == 10
    doubtful.piles_real = frozenset({0})
    assert len(doubtful.kept_apart(doubtful.prepared).quality.piled) == 0


def test_slivers_between_grids_are_closed_and_holes_of_ground_stay() -> None:
    shapely = county.gpd.GeoSeries([county.box(0, 0, 500, 500)])[0]
    gap = shapely.difference(county.box(100, 100, 100.5, 300))
    hole = shapely.difference(county.box(100, 100, 300, 300))
    closed = without_slivers(np.array([gap, hole], dtype=object))
    assert len(closed[0].geoms[0].interiors if hasattr(closed[0], "geoms")
               else closed[0].interiors) == 0  # fmt: skip
    assert closed[1].area == pytest.approx(hole.area, rel=0.01)


# --- analysts


@pytest.fixture(scope="module")
def found(study: Study):
    return analysed(study, study.prepared, Selection(), trend=True)


@pytest.mark.parametrize("view", ["gi", "density", "course"])
def test_every_map_of_cells_can_be_sent(study: Study, found, view: str) -> None:
    scene = finding_maps.spot_scene(study, found, view, "zh", 2.0)
    sent = json.loads(message(scene, {}))
    cells = next(layer for layer in sent["layers"] if layer["id"] == "cells")
    assert cells["upsert"]
    assert max(f["c"][0] for f in cells["upsert"]) < len(scene.legend["labels"])


def test_density_is_drawn_where_it_is_significantly_high_unless_asked_for(
    study: Study, found
) -> None:
    def ground(everywhere: bool) -> int:
        scene = finding_maps.spot_scene(study, found, "density", "en", 2.0, everywhere=everywhere)
        layer = next(layer for layer in scene.layers if layer.id == "cells")
        return sum(len(feature) for feature in layer.features.values())

    assert 0 < ground(False) < ground(True)
    quiet = np.zeros_like(found.significance.significant)
    none = replace(found, significance=replace(found.significance, significant=quiet))
    scene = finding_maps.spot_scene(study, none, "density", "en", 2.0)
    assert not next(layer for layer in scene.layers if layer.id == "cells").features
    assert "not significant" in json.dumps(scene.legend)


def test_density_goes_by_the_kernel_and_bandwidth_that_were_chosen(study: Study, found) -> None:
    wide = analysed(study, study.prepared, Selection(), trend=True,
                    how=Parameters(bandwidth=800.0, kernel="gaussian"))  # fmt: skip
    assert wide.surface.max() < found.surface.max() / 2
    assert wide.accuracy[0] != found.accuracy[0]
    assert wide.significance.hot.sum() == found.significance.hot.sum()  # tests go by counts
    again = analysed(study, study.prepared, Selection(), trend=True)
    assert again.parameters.bandwidth == 300.0


def test_a_selection_that_leaders_may_not_have_says_why(study: Study, found) -> None:
    def told(**chosen: object) -> str:
        return _not_shared(study, replace(found, selection=Selection(**chosen)))  # type: ignore[arg-type]

    assert told() == told(period=period_of("2024")) == told(period=period_of("2024-05")) == ""
    half = Period(period_of("2024-01").since, period_of("2024-06").until)
    assert "整月" in told(period=half) or "whole month" in told(period=half)
    assert told(source="all")


def test_sure_cells_have_the_outer_classes(found) -> None:
    classes, tested = finding_maps.gi_class(found), found.significance
    assert set(classes[tested.hot]) <= {4, 5}
    assert (classes[np.nan_to_num(tested.q, nan=1.0) > 0.1] == -1).all()
    assert (classes[tested.cold] <= 1).all()


def test_points_are_of_one_village_only(study: Study, found) -> None:
    layer = finding_maps.point_layer(study, found, "32010", "en")
    at = study.prepared.at["village"][found.rows]
    assert len(layer.features) == int((at == 0).sum())


@pytest.mark.parametrize("measure", finding_maps.MEASURES)
def test_areas_are_coloured_by_rates_never_by_counts(study: Study, found, measure: str) -> None:
    breaks = finding_maps.measure_breaks(study, found, "village", measure, 2.0)
    scene = finding_maps.area_scene(study, found, "village", measure, "en", 2.0, breaks)
    layer = scene.layers[0]
    assert layer.style == "choropleth"
    assert len(layer.features) == 4
    assert "count" not in finding_maps.MEASURES


def test_a_rate_of_few_events_is_not_enough(found) -> None:
    tables = {"village": found.tables["village"].assign(enough=False)}
    few = replace(found, tables=tables)
    assert finding_maps.measure_values(few, "village", "rate_smoothed", 2.0).isna().all()


def test_every_event_stands_in_one_row_of_the_loop(study: Study, found) -> None:
    for by in ("department", "category", "class", "village", "township"):
        table = findings.loop_rows(study.prepared, found, by, "en")
        assert table["events"].sum() == len(found.rows)
        assert table["closed"].sum() == found.closure.closed


def test_the_peace_index_follows_its_recipe(study: Study, found) -> None:
    rows, index = findings.peace_rows(study.prepared, found, "village", findings.PEACE, 2.0, "en")
    some = [("disputes", 1.0, 0.0, 100.0)]
    quarrels, _ = findings.peace_rows(study.prepared, found, "village", some, 2.0, "en")
    assert quarrels["index"].notna().all()
    assert len(rows) == 4
    assert len(index.recipe) == 4
    alone = [("closure", 1.0, 1.0, 0.0)]
    rows, index = findings.peace_rows(study.prepared, found, "village", alone, 2.0, "en")
    table = findings.loop_rows(study.prepared, found, "village", "en")
    assert rows["index"].max() == pytest.approx(table["closure_rate"].max() * 100)


def test_kinds_without_a_class_stand_first_and_edits_are_taken(study: Study) -> None:
    table = findings.kind_table(study)
    assert int(table["count"].sum()) == len(study.events)
    names = {"": "none", "public_order": "Public order", "environment": "Environment"}
    shown = table.assign(**{"class": [names[key] for key in table["class"]]})
    columns = ["words", "count", "class", "sensitive"]
    edited = shown.copy()
    edited.loc[0, "class"] = "Environment"
    changed = edited_table(default_table(), table[columns], edited[columns], names)
    assert changed.rows[table.loc[0, "words"].casefold()] == (
        "environment", bool(table.loc[0, "sensitive"]),
    )  # fmt: skip
    same = edited_table(default_table(), table[columns], shown[columns], names)
    assert same == default_table()


def test_another_list_of_classes_makes_the_study_anew(study: Study) -> None:
    from incidents.categories import SEVEN
    from ui.jobs import Job
    from ui.study import with_table

    study.piles_real = frozenset({3})
    made = with_table(Job("survey"), study, default_table(SEVEN))
    study.piles_real = frozenset()
    assert made.events.classes.key == "seven"
    assert made.piles_real == {3}
    # a family matter is sensitive here: no leader is offered its class
    assert list(category_choices(made, "en")) == ["", "environment"]
    assert made.shared is None or made.shared.prepared is made.prepared


def test_near_repeats_and_accuracy_are_told_in_tables(study: Study, found) -> None:
    from incidents.near_repeat import near_repeat

    events = study.events
    table = findings.near_repeat_table(
        near_repeat(events.x[:300], events.y[:300], events.time[:300], runs=9)
    )
    assert table.shape == (6, 5)
    told = findings.accuracy_table(found, "en")
    assert list(told["surface"].unique()) == ["Density", "Simple counting"]
    assert pd.api.types.is_numeric_dtype(told["pai"])


@pytest.mark.real
def test_tainans_accidents_make_a_report() -> None:
    from ui.jobs import Job
    from ui.projects import Project
    from ui.study import make_study

    folder = REAL / "tw_tainan" / "clean"
    if not folder.is_dir():
        pytest.skip("../shared/real/tw_tainan is not there")
    opened = Project("t", "Tainan", "folder", {"villages": str(folder / "villages.gpkg")})
    made = make_study(Job("survey"), "t", opened, None)
    assert len(made.events) == 5226
    told = report(made, "2023-01", "", "zh")
    assert len(told.places) == 10
    assert (told.cells.get_coordinates().to_numpy() % 200 == 0).all()
    assert len(told.outlines) > 30


def test_events_of_an_upload_and_of_the_demonstration_are_found(tmp_path: Path) -> None:
    from data.demo import write_county
    from ui.event_files import has_events, keep_files
    from ui.intake import accept, look_into, take_uploads
    from ui.jobs import Job
    from ui.projects import PROJECTS, Project
    from ui.study import make_study

    write_county(tmp_path, villages=4)
    kept = Project("gone", "", "demo", {})
    assert not has_events(kept)
    keep_files("gone", tmp_path)
    assert has_events(kept)
    wanted = ("villages.gpkg", "households.csv", "incidents.csv")
    intake = take_uploads([(n, (tmp_path / n).read_bytes()) for n in wanted], tmp_path / "memory")
    look_into(Job("look"), intake)
    opened = PROJECTS.get(accept(Job("accept"), intake))
    assert has_events(opened)
    made = make_study(Job("survey"), "upload", opened, None)
    assert len(made.events) > 1_000
    assert made.homes is not None
    assert set(made.areas.levels) == {"village", "township", "county"}


def test_a_small_rate_is_not_none() -> None:
    assert [rate_shown(r) for r in (0.21, 9.94, 21.4, 1234.0)] == ["0.2", "9.9", "21", "1,234"]
    assert rate_shown(float("nan")) == "—"
