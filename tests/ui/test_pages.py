"""Every page runs, in both languages, with nothing open, with data, and with a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from synthetic import HOSTILE, plan

from planning.planfile import write_plan
from ui import projects
from ui.words import word

APP = Path(__file__).resolve().parents[2] / "app.py"
PAGES = ("plan", "project", "download")


@pytest.fixture
def with_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_plan(plan(HOSTILE), tmp_path / "plan.gpkg")
    monkeypatch.setenv(projects.PROJECT_VARIABLE, str(tmp_path))
    return tmp_path


SCRIPT = """
import streamlit as st
from ui.frame import show_frame
from ui.pages import {page}
from ui.session import guarded
st.session_state["language"] = {language!r}
st.session_state["pages"] = {{
    name: st.Page(lambda: None, title=name, url_path=name, default=name == "plan")
    for name in ("plan", "project", "download")
}}
st.navigation(list(st.session_state["pages"].values()))
show_frame()
{page}.show()
"""


def run(page: str, language: str) -> AppTest:
    return AppTest.from_string(
        SCRIPT.format(page=page, language=language), default_timeout=60
    ).run()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_nothing_open_says_what_to_do(
    page: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(projects.PROJECT_VARIABLE, raising=False)
    at = run(page, language)
    assert not at.exception
    assert not at.error
    expected = {"plan": "plan.empty", "project": "project.lead", "download": "download.empty"}
    shown = [element.value for element in [*at.markdown, *at.caption]]
    assert word(expected[page], language) in shown  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_plan_runs(page: str, language: str, with_plan: Path) -> None:
    at = run(page, language)
    assert not at.exception
    assert not at.error


def test_the_table_lists_the_grids_and_the_search_narrows_it(with_plan: Path) -> None:
    at = run("plan", "en")
    assert len(at.dataframe[0].value) == 8
    at.text_input(key="search").set_value("石桥").run()
    assert len(at.dataframe[0].value) == 4
    at.text_input(key="search").set_value("no such place").run()
    assert word("plan.nothing_found", "en") in [c.value for c in at.caption]


def test_a_village_can_be_chosen(with_plan: Path) -> None:
    at = run("plan", "zh")
    at.selectbox(key="place_zh").select_index(2).run()
    assert len(at.dataframe[0].value) == 4
    assert not at.error


def test_a_preset_fills_the_form_and_a_change_makes_it_ones_own(with_plan: Path) -> None:
    at = run("plan", "zh")
    at.selectbox(key="set_preset_zh").set_value("zhejiang").run()
    assert at.number_input(key="set_target").value == 400
    assert at.number_input(key="set_max_households").value == 500
    at.number_input(key="set_target").set_value(350).run()
    assert at.selectbox(key="set_preset_zh").value == "own"
    at.number_input(key="set_max_households").set_value(200).run()
    assert [w.value for w in at.warning] == [word("settings.max_below_target", "zh")]
    assert at.button(key="propose").disabled


def test_a_box_that_is_drawn_anew_starts_from_the_draft(with_plan: Path) -> None:
    """Else a browser that lost the page half way sends the least number as a wish."""
    at = run("plan", "zh")
    assert at.number_input(key="set_target").proto.default == 300
    assert at.number_input(key="set_max_persons").proto.default == 1500
    assert list(at.slider(key="set_walk").proto.default) == [1.0]
    at.selectbox(key="set_preset_zh").set_value("zhejiang").run()
    assert at.number_input(key="set_target").proto.default == 400


def test_numbers_filled_in_are_known_before_the_table_is_drawn_again(with_plan: Path) -> None:
    """Else the table and the draft would each put the other right, for ever."""
    at = run("plan", "en")
    wanted = {str(plan(HOSTILE).villages["code"].iloc[0]): 7}
    at.session_state["side"] = "villages"
    at.session_state["wanted"] = wanted
    at.run()
    assert not at.exception
    assert at.session_state["villages_base"] == wanted
    assert at.session_state["draft"].grids_per_village == wanted
    assert word("settings.fixed", "en", count=1) in [c.value for c in at.caption]


def test_a_change_of_language_keeps_what_was_chosen(with_plan: Path) -> None:
    at = run("plan", "zh")
    at.selectbox(key="set_preset_zh").set_value("zhejiang").run()
    at.selectbox(key="place_zh").select_index(2).run()
    # The page in English with what the session held: a switch changes the labels, not the keys.
    english = AppTest.from_string(SCRIPT.format(page="plan", language="en"), default_timeout=60)
    for key in ("draft", "village", "project", "plan"):
        english.session_state[key] = at.session_state[key]
    english.run()
    assert not english.exception
    assert not english.error
    assert english.selectbox(key="set_preset_en").value == "zhejiang"
    assert len(english.dataframe[0].value) == 4


def test_a_broken_plan_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.gpkg").write_bytes(b"SQLite format 3\x00 and then nothing")
    monkeypatch.setenv(projects.PROJECT_VARIABLE, str(tmp_path))
    at = run("plan", "en")
    assert not at.exception
    assert len(at.error) == 1
    assert "Traceback" not in at.error[0].value


def test_an_id_that_the_server_does_not_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(projects.PROJECT_VARIABLE, raising=False)
    at = run("plan", "en")
    at.session_state["project"] = "gone"
    at.run()
    assert not at.exception
    assert at.error[0].value


def test_the_application_itself_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(projects.PROJECT_VARIABLE, raising=False)
    at = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not at.exception
    assert not at.error
