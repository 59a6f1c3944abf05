"""What leaders of a township see of events: the county's maps and numbers, cut to their own."""

from __future__ import annotations

import html
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import county_events as county
import numpy as np
import pypdfium2
import pytest
from synthetic import plan

from geo.problems import InputError
from incidents.selection import Selection
from incidents.sharedfile import shared_layers
from ui.event_choices import category_choices, months_of, period_of
from ui.event_numbers import area_rows
from ui.heat import leader_scene
from ui.jobs import Job
from ui.map.scene import Focus
from ui.pages.survey_wait import redrawn
from ui.printed import report_pdf
from ui.projects import Project
from ui.send import report_html
from ui.study import STUDIES, Study, _county_of, shelve, study_key
from ui.study_part import of_part, own_cells, part_study
from ui.survey import Report, analysed, report
from ui.views import PlanView

TOWN = 2  # villages of the first township


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


def view_of(villages) -> PlanView:
    made = PlanView("plan~part", replace(plan(), villages=villages), {})
    made.scopes = frozenset({"T0"})
    return made


@pytest.fixture(scope="module")
def part(study: Study) -> Study:
    view = view_of(county.villages().iloc[:TOWN])
    return proved(part_study(Job("survey"), "plan~part", view, study, None))


def proved(made: Study) -> Study:
    until = time.monotonic() + 30
    while made.shared is None and made.shared_failed is None and time.monotonic() < until:
        time.sleep(0.02)
    assert made.shared is not None
    return made


def test_its_events_are_those_that_the_county_counts_there(study: Study, part: Study) -> None:
    """One beside the border too: the county takes events within 20 m, and so do its townships."""
    assert len(part.events) == int((study.prepared.at["township"] == 0).sum())
    assert (part.prepared.at["village"] >= 0).all()
    assert set(part.areas.levels["village"].codes) == {"32010", "32011"}


def test_leaders_of_a_part_read_the_countys_rows(study: Study, part: Study) -> None:
    for period in ("2024", "2024-05", ""):
        for kind in ("", "environment"):
            mine = area_rows(part, "county", period, kind).iloc[0]
            theirs = area_rows(study, "township", period, kind).iloc[0]
            assert mine["shown"] == theirs["shown"]
            assert mine["on_year"] == theirs["on_year"] or np.isnan(mine["on_year"])
    assert report(part, "2024-05", "", "en").numbers[4][1:] == ("—", "of a township by year")
    assert report(part, "2024", "", "en").numbers[4][2] == ""
    year = area_rows(part, "village", "2024", "")["shown"].tolist()
    assert year == area_rows(study, "village", "2024", "")["shown"].tolist()[:TOWN]
    assert set(area_rows(part, "village", "2024-05", "")["shown"]) == {"—"}


def test_its_map_is_the_countys_cut_to_it(study: Study, part: Study) -> None:
    whole, own = report(study, "2024", "", "en"), report(part, "2024", "", "en")
    cells = set(own.cells["cell"])
    assert cells
    assert cells <= set(whole.cells["cell"])
    same = whole.cells.set_index("cell").loc[list(own.cells["cell"]), "density_class"]
    assert own.cells["density_class"].tolist() == same.tolist()
    assert own.labels == whole.labels
    assert own.warnings == whole.warnings
    words = {place.why for place in whole.places}
    assert own.places
    assert {place.why for place in own.places} <= words
    mask = own_cells(part)
    assert mask is not None
    assert 0 < mask.sum() < mask.size
    assert own_cells(study) is None


def test_a_part_is_called_by_its_townships(study: Study, part: Study) -> None:
    assert of_part(study, "County", "en") == "County"
    assert of_part(part, "County", "en").startswith("County · T0")
    no_towns = {k: v for k, v in part.areas.levels.items() if k != "township"}
    nameless = replace(part, areas=replace(part.areas, levels=no_towns))
    assert of_part(nameless, "County", "en") == "County · 2 villages"
    assert of_part(nameless, "", "zh") == "2 个村（社区）"


def test_choices_of_a_part_are_the_countys(study: Study, part: Study) -> None:
    """Months and classes that came with the first event of a township would tell of it."""
    assert months_of(part) == months_of(study)
    assert category_choices(part, "en") == category_choices(study, "en")


def test_what_leaders_hold_together_is_one_set_of_numbers(study: Study, part: Study) -> None:
    """Page, file to send and map, of both languages and of a part: not one count that the
    county's protected tables do not show."""
    assert study.shared is not None
    shown = {"", "—", "<3"}
    for level in ("county", "township", "village"):
        for period in ("", "2024", "2025", "2024-03"):
            for kind in ("", "environment", "public_order"):
                try:
                    shown |= set(study.shared.rows(level, period, kind)["shown"])
                except KeyError:
                    continue
    for seen in (study, part):
        for language in ("zh", "en"):
            for period in ("", "2024", "2024-03"):
                for kind in ("", "environment"):
                    made = report(seen, period, kind, language)
                    assert made.numbers[0][1].replace(",", "") in shown
                    assert set(made.townships["shown"]) <= shown
                    counts = {f"{int(n)}" for n in made.months["count"].dropna()}
                    assert min(map(int, counts), default=3) >= 3
                    lines = dict(made.lines)
                    assert lines["count.in_county"] in shown
                    assert lines["count.not_on_map"] in shown
    scene = leader_scene(part, report(part, "2024", "", "en"), Focus())
    ground = next(layer for layer in scene.layers if layer.id == "ground")
    assert len(ground.features) == TOWN


def said(made: Report) -> str:
    """Every word of a report; what is drawn of it may say no number that it does not."""
    parts = [made.place, made.period, made.category, made.meaning, made.notice]
    parts += [*made.warnings, *made.notes, *made.labels]
    parts += [word for three in made.numbers for word in three]
    parts += [word for place in made.places for word in (str(place.number), place.where, place.why)]
    parts += [word for line in made.lines for word in line]
    parts += [*map(str, made.outlines["name"]), *map(str, made.townships["shown"])]
    return " ".join(parts)


def figures(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))


def test_file_and_sheet_say_no_number_that_the_report_does_not(study: Study, part: Study) -> None:
    """What is embedded for the map, too: features have a text and a colour, and that is all."""
    for seen in (study, part):
        made = report(seen, "2024", "", "en", "County")
        page = report_html(made)
        body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page)
        assert figures(html.unescape(body)) <= figures(said(made))
        features = re.findall(r'"properties": (\{.*?\}), "type"', page)
        assert len(features) >= len(made.cells) + len(made.outlines)
        told = [json.loads(feature) for feature in features]
        assert {key for feature in told for key in feature} <= {"text", "colour"}
        drawn = {html.unescape(str(feature["text"])) for feature in told}
        assert figures(" ".join(drawn)) <= figures(said(made) + county.HOSTILE)
        assert set(made.outlines["code"]) <= {str(c) for level in seen.areas.levels.values()
                                              for c in level.codes}  # fmt: skip
        document = pypdfium2.PdfDocument(report_pdf(made))
        paper = " ".join(sheet.get_textpage().get_text_range() for sheet in document)
        spaceless = re.sub(r"\s", "", said(made))
        assert {n for n in figures(paper) if n not in spaceless} <= {"1", "2", "500"}  # the scale


def test_shared_files_of_a_county_and_of_its_part_hold_one_set_of_numbers(
    study: Study, part: Study
) -> None:
    assert study.shared is not None
    assert part.shared is not None
    chosen = analysed(study, study.open, Selection(period_of("2024")), trend=False)
    whole, own = (shared_layers(seen.shared, chosen) for seen in (study, part))
    key = ["level", "code", "period", "kind", "state"]
    for name in ("tables", "sensitive"):
        both = own[name].merge(whole[name], on=key, suffixes=("", "_whole"))
        assert len(both) == len(own[name])
        assert (both["shown"] == both["shown_whole"]).all()
    assert set(own["cells"]["cell"]) <= set(whole["cells"]["cell"])
    town = own["by_county"].iloc[0]
    assert town["shown"] == whole["by_township"].iloc[0]["shown"]
    assert set(own["provenance"]["key"]) == set(whole["provenance"]["key"])


def test_a_class_without_events_has_an_empty_map_and_says_so(study: Study) -> None:
    for kind in ("special_tasks", "environment"):
        made = report(study, "2023-03", kind, "en")
        assert len(made.cells) == 0
        assert made.places == ()
        assert "nobody reported" in made.numbers[0][2]
    assert "没有这类上报事件" in report(study, "2024", "special_tasks", "zh").numbers[0][2]


def test_parts_take_no_room_and_go_with_their_county(study: Study, part: Study) -> None:
    held = replace(study, key="county")
    mine = replace(part, key="county~part", whole=held)
    shelve(held)
    shelve(mine)
    assert "county~part" in STUDIES
    anew = replace(study, key="county")
    shelve(anew)
    assert "county~part" not in STUDIES
    STUDIES.drop("county")
    assert "county" not in STUDIES


def test_a_part_is_counted_anew_where_the_plan_was_redrawn(study: Study, part: Study) -> None:
    view = view_of(county.villages().iloc[:TOWN])
    held = replace(part, whole=replace(study, view=view.whole))
    assert not redrawn(held, view)
    assert redrawn(held, view_of(county.villages().iloc[:TOWN]))
    assert not redrawn(replace(study, view=view), view)


def test_a_township_that_the_county_lacks_says_so(study: Study, tmp_path: Path) -> None:
    nowhere = county.villages().iloc[:1].assign(code="99999")
    with pytest.raises(InputError, match="no areas"):
        part_study(Job("survey"), "x", view_of(nowhere), study, tmp_path / "events.json")


def test_a_part_is_of_the_countys_study_that_is_there(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks makes no other study; who wants the grids of today has the county's read anew."""
    opened, job = Project("p", "p", "folder", {}), Job("survey")
    view = view_of(county.villages().iloc[:TOWN])
    name = study_key(opened, view.whole)
    read: list[bool] = []

    def reading(job: Job, key: str, project: Project, seen: PlanView, *_: object) -> Study:
        read.append(seen.scopes is None or seen.whole is seen)
        return replace(study, key=key, view=seen)

    monkeypatch.setattr("ui.study.make_study", reading)
    held = replace(study, key=name, view=view.whole)
    shelve(held)
    assert _county_of(job, "part", opened, view, (), None, None) is held
    later = view_of(county.villages().iloc[:TOWN])
    assert _county_of(job, "part", opened, later, (), None, None) is held
    shelve(replace(study, key="part", whole=held))
    anew = _county_of(job, "part", opened, later, (), None, None)
    assert anew.view is later.whole
    assert read == [True]
    assert STUDIES.get(name) is anew
    assert "part" not in STUDIES  # it goes with the study it was a part of
    STUDIES.drop(name)
    assert _county_of(job, "part", opened, later, (), None, None) is not anew
    STUDIES.drop(name)
