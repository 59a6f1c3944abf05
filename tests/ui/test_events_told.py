"""What leaders and analysts are told of events: no exact count that a subtraction could use, rates
of the county's own events, results that follow what is said of piles, classes that keep meaning."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import county_events as county
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point, box

from geo.read.assemble import PERSONS_PER_HOUSEHOLD
from incidents.analysis import analyse
from incidents.areas import OUTSIDE, areas_of
from incidents.homes import homes_of_plan
from incidents.hotspotfile import layers_of
from incidents.quality import Finding
from incidents.selection import Selection
from incidents.sharedfile import shared_layers
from incidents.sharing import share
from ui.event_choices import period_of
from ui.findings import (
    PEACE,
    changes_table,
    county_loop,
    peace_recipe,
    peace_rows,
    peace_start,
    shown_table,
)
from ui.places import ten_places
from ui.send import report_html
from ui.shelf import Answers
from ui.sought import clusters_of, near_of, near_usable, scan_of
from ui.study import Study, pile_told
from ui.survey import analysed, report

AT = {"x": county.HOT[0], "y": county.HOT[1]}  # where a pile lies


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


def changed(study: Study, **values: Any) -> Study:
    """Another study of the same events, which remembers none of the first one's answers."""
    fresh: dict[str, Any] = {
        "kept": {}, "found": {}, "courses": {}, "drawn": Answers(10), "sought": Answers(3),
    }  # fmt: skip
    return replace(study, **{**fresh, **values})


def test_nothing_that_leaders_get_holds_a_count_of_all_events(study: Study) -> None:
    """A month's file less the one before would be of one or two events."""
    rows = np.arange(137, dtype=np.int64)
    doubts = tuple(
        Finding(code, 137, {"share": 137 / 4_000, "total": 4_000, **AT}, rows, True)
        for code in ("quality-pile", "quality-months")
    )
    prepared, plain = (
        replace(one, quality=replace(one.quality, findings=doubts))
        for one in (study.prepared, study.open)
    )
    events = replace(study.events, repeats=389)
    prepared = replace(prepared, events=replace(prepared.events, repeats=389))
    doubtful = changed(study, events=events, prepared=prepared, open=plain)
    for language in ("zh", "en"):
        made = report(doubtful, "2024", "", language)
        told = [*made.notes, *made.warnings, *(f"{k} {v}" for k, v in made.lines)]
        told += [" ".join(number) for number in made.numbers]
        assert any("3 %" in note for note in made.notes)  # the pile
        assert any("3%" in note for note in made.notes)  # the months
        page = re.sub(r"<script>.*?</script>", "", report_html(made), flags=re.DOTALL)
        for text in (*told, page):
            assert not re.search(r"(?<![\d.])(137|389|3,?993|4,?000)(?![\d%])", text.replace(
                "about 4,000", "")), text[:300]  # fmt: skip
    assert study.shared is not None
    shared = replace(study.shared, prepared=prepared)
    found = analysed(doubtful, prepared, Selection(), trend=False)
    lines = shared_layers(shared, found)["provenance"].set_index("key")["value"]
    assert lines["count.repeats_dropped"] == "about 400"
    assert lines["share.left_off_piles"] == "0.03"
    assert not {"137", "389"} & set(lines)


def test_a_pile_in_doubt_is_on_no_map_for_others(study: Study) -> None:
    """The hot place is a pile: nobody's file shows it before somebody said that it is real."""
    x, y = study.events.x, study.events.y
    rows = np.flatnonzero((abs(x - county.HOT[0]) < 100) & (abs(y - county.HOT[1]) < 100))
    place = Point(county.HOT)

    def drawn(findings: tuple[Finding, ...]) -> bool:
        held = replace(study.prepared, quality=replace(study.prepared.quality, findings=findings))
        assert study.shared is not None
        found = analyse(held, Selection(period_of("2024")))  # as the command line does it
        layers = shared_layers(replace(study.shared, prepared=held), found)
        told = layers["provenance"].set_index("key")["value"]
        assert told["filter.without_piles"] == "1"
        hot = layers["cells"][layers["cells"]["direction"] == "hot"]
        return bool(hot.contains(place).any())

    assert drawn(())
    pile = Finding("quality-pile", len(rows), {"share": 0.1, "total": 4_000, **AT}, rows)
    assert not drawn((pile,))


def test_a_class_of_density_means_the_same_every_month(study: Study) -> None:
    """In the analysts' file, in the leaders' file and on the page; a year's limits are twelve
    times a month's."""
    assert study.shared is not None

    def limits(layer: pd.DataFrame) -> dict[int, tuple[float, float]]:
        return {int(row["class"]): (row["from"], row["to"]) for _, row in layer.iterrows()}

    courses = study.courses[None]
    for own, breaks in ((True, courses.everywhere), (False, courses.breaks)):
        seen: dict[int, tuple[float, float]] = {}
        for key, times in (("2024-03", 12), ("2024-04", 12), ("2024", 1)):
            found = analysed(study, study.prepared, Selection(period_of(key)), trend=False)
            made = layers_of(study.prepared, found) if own else shared_layers(study.shared, found)
            for number, (low, high) in limits(made["density"]).items():
                at = (low * times, high * times)
                assert seen.setdefault(number, at) == pytest.approx(at, nan_ok=True)
                assert low * times == pytest.approx(0 if number == 0 else breaks[number - 1])
        assert len(seen) > 2


def test_what_is_sought_beside_a_map_follows_a_confirmed_pile(study: Study) -> None:
    pile = Finding("quality-pile", 400, {"share": 0.1, "total": 4_000, **AT},
                   np.arange(400, dtype=np.int64), True)  # fmt: skip
    made = changed(
        study, prepared=replace(
            study.prepared, quality=replace(study.prepared.quality, findings=(pile,))
        ), piles_real=frozenset(),
    )  # fmt: skip
    chosen = Selection(period_of("2024"), without_piles=True)

    def sought() -> tuple[int, float, float]:
        found = analysed(made, made.prepared, chosen, trend=False)
        together = clusters_of(made, found)
        assert clusters_of(made, found) is together
        circles = scan_of(made, found)
        return (int(together.events.sum()), circles[0].events if circles else 0.0,
                float(near_of(made, found).observed.sum()))  # fmt: skip

    before = sought()
    pile_told(made, 0, real=True)
    after = sought()
    assert after[0] != before[0]
    assert after[2] > before[2]
    assert len(near_usable(made, analysed(made, made.prepared, chosen, trend=False))) > 0
    pile_told(made, 0, real=False)
    assert sought() == before


def test_every_rate_of_the_county_is_of_its_own_events(study: Study) -> None:
    """A tenth of the events lie elsewhere: told apart, in no rate and in no change."""
    assert study.shared is not None
    inside = study.prepared.at["county"] == 0
    outside = np.flatnonzero(inside)[::10]
    at = {name: where.copy() for name, where in study.prepared.at.items()}
    for where in at.values():
        where[outside] = OUTSIDE
    prepared = replace(study.prepared, at=at)
    far = changed(study, prepared=prepared, shared=share(prepared))
    rows = far.shared.rows("county", "2024").set_index("code")
    own, other = rows["count"].iloc[0], rows.loc["elsewhere", "count"]
    numbers = report(far, "2024", "", "en").numbers
    assert numbers[0][1] == f"{own:,.0f}"
    assert f"{other:,.0f} more without a place or outside" in numbers[0][2]
    persons = far.areas.levels["county"].persons[0]
    assert numbers[3][1] == f"{own / persons * 10_000:,.0f}"
    found = analysed(far, prepared, Selection(period_of("2025")), trend=False)
    county_row = found.tables["county"].iloc[0]
    table = changes_table(far, {"": found}, {"": "all"}).iloc[0]
    assert table["count"] == county_row["count"]
    assert table["elsewhere"] == found.tables["county"]["count"].iloc[1:].sum() > 100
    loop = county_loop(far, found, 1.0)
    assert loop.events == county_row["count"]
    assert loop.elsewhere == table["elsewhere"]
    assert loop.rate == pytest.approx(county_row["count"] / persons * 10_000)
    assert loop.closure.dispatched == county_row["dispatched"] < found.closure.dispatched


def test_a_share_closed_is_cut_and_never_rounded(study: Study) -> None:
    found = analysed(study, study.prepared, Selection(), trend=False)
    table = found.tables["village"].assign(closed=99_999, dispatched=100_000)
    shown = shown_table(replace(found, tables={"village": table}), "village", "en", 1.0)
    assert set(shown["closure_rate"]) == {99.99}


def test_the_peace_index_keeps_its_recipe_in_another_language() -> None:
    state: dict[str, Any] = {}
    start = peace_start(state, "peace_zh")
    assert peace_recipe(start) == [*PEACE]
    state["peace_zh"] = {}  # the editor is on the page
    edited = start.assign(weight=[1.0, np.nan, 2.0, 3.0, 4.0])
    state["peace"] = peace_recipe(edited)
    assert [row[1] for row in state["peace"]] == [1.0, 0.0, 2.0, 3.0, 4.0]
    assert peace_start(state, "peace_zh").equals(start)  # it applies its edits to this
    del state["peace_zh"]  # a box that leaves the page
    assert peace_recipe(peace_start(state, "peace_en")) == state["peace"]


def test_people_are_named_where_households_are_estimated_from_them(study: Study) -> None:
    chosen = Selection(period_of("2024"), without_piles=True)
    found = analysed(study, study.open, chosen, trend=False)
    assert "its households" in ten_places(study, study.open, found, "en")[0].why
    estimated = changed(study, open=replace(study.open, estimated=True),
                        prepared=replace(study.prepared, estimated=True))  # fmt: skip
    made = report(estimated, "2024", "", "en")
    assert "what its residents would explain" in made.places[0].why
    assert "人口应有" in report(estimated, "2024", "", "zh").places[0].why
    assert "about 8 households, estimated from residents" in made.meaning
    assert dict(made.lines)["parameter.exposure"] == "residents"
    assert "estimated" in dict(made.lines)["sharing.least_households"]


def test_a_plan_tells_that_its_households_were_estimated() -> None:
    persons = np.array([131, 786, 0, 52])
    grids = county.gpd.GeoDataFrame(
        {"code": ["g1"]}, geometry=[box(0, 0, 1_000, 1_000)], crs=county.CRS
    )
    points = county.gpd.points_from_xy([100, 200, 300, 900], [100, 400, 500, 900], crs=county.CRS)

    def homes(many: np.ndarray, held: np.ndarray) -> bool:
        table = {"households": many, "persons": held, "grid_code": "g1"}
        made = homes_of_plan(county.gpd.GeoDataFrame(table, geometry=points), grids)
        assert made is not None
        return made.estimated

    worked_out = np.rint(persons / PERSONS_PER_HOUSEHOLD)
    assert homes(worked_out, persons)
    assert not homes(worked_out + np.array([0, 1, 0, 0]), persons)
    assert not homes(worked_out, np.array([131, 786, -1, 52]))  # of one nobody counted people
    assert not homes(np.array([1, 1, 0, 1]), np.array([3, 2, 0, 3]))  # dwellings, by chance


def test_an_area_without_a_name_has_an_index_of_its_own(study: Study) -> None:
    """The row of what lies in no area has no name either."""
    levels = dict(study.areas.levels)
    blank = np.array(["", "T1"])
    levels["township"] = replace(levels["township"], names=blank, codes=blank)
    prepared = replace(study.prepared, areas=replace(study.areas, levels=levels))
    at = {**prepared.at, "township": prepared.at["township"].copy()}
    at["township"][:50] = OUTSIDE
    prepared = replace(prepared, at=at)
    found = analyse(prepared, trend=False)
    rows, _ = peace_rows(prepared, found, "township", PEACE[:2], 2.0, "en")
    assert len(rows) == 2
    assert rows["index"].notna().all()


def test_villages_that_name_no_township_have_none() -> None:
    frame = county.villages()
    assert "township" in areas_of(frame.crs, villages=frame).levels
    assert "township" not in areas_of(frame.crs, villages=frame.assign(township_name="")).levels
