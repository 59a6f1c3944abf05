"""Files on their way in, without a browser: parts that are missing, files that come later, what is
decided by whom, and the page that follows."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pytest
from counties import demonstration
from streamlit.testing.v1 import AppTest

from geo.inspect import Choice
from store.policy import EVERYBODY, Grant, Person
from ui.intake import (
    Intake,
    accept,
    add_uploads,
    look_again,
    look_into,
    obstacles,
    take_folder,
    take_uploads,
)
from ui.jobs import Job
from ui.pages import files as review
from ui.pages import project as page


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = demonstration(tmp_path_factory)
    villages = gpd.read_file(folder / "villages.gpkg").drop(columns="城乡分类代码")
    villages.to_file(folder / "cun.shp", encoding="GBK")
    return folder


def files(county: Path, *names: str) -> list[tuple[str, bytes]]:
    return [(name, (county / name).read_bytes()) for name in names]


def looked(intake: Intake) -> Intake:
    look_into(Job("look"), intake)
    return intake


def test_a_shapefile_without_its_shapes_says_so_until_they_come(
    county: Path, tmp_path: Path
) -> None:
    intake = looked(take_uploads(files(county, "cun.dbf", "cun.shx", "cun.prj"), tmp_path / "m"))
    (entry,) = intake.entries
    assert entry.layer is None
    assert [problem.code for problem in entry.problems] == ["read_part_missing"]
    assert ".shp" in entry.problems[0].text("zh")
    add_uploads(intake, files(county, "cun.shp", "households.csv"))
    looked(intake)
    assert {entry.stored: entry.role for entry in intake.entries if entry.used} == {
        "cun.shp": "villages", "households.csv": "households",
    }  # fmt: skip
    assert len({entry.number for entry in intake.entries} | {entry.number}) == 3
    assert not obstacles(intake)


def test_files_that_come_later_change_nothing_that_was_decided(
    county: Path, tmp_path: Path
) -> None:
    intake = looked(take_uploads(files(county, "villages.gpkg", "roads.gpkg"), tmp_path / "m"))
    first = {entry.stored: entry for entry in intake.entries}
    first["roads.gpkg"].used, first["roads.gpkg"].decided = False, True
    add_uploads(intake, files(county, "households.csv", "water.gpkg"))
    looked(intake)
    now = {entry.stored: entry for entry in intake.entries}
    assert all(now[name] is entry for name, entry in first.items())
    assert {name for name, entry in now.items() if entry.used} == {
        "villages.gpkg", "households.csv", "water.gpkg",
    }  # fmt: skip


def test_what_the_program_left_aside_is_not_left_aside_the_next_time(
    county: Path, tmp_path: Path
) -> None:
    """Of two layers of one role the second is; that was nobody's wish."""
    given = files(county, "villages.gpkg", "households.csv", "roads.gpkg")
    twice = [*given, ("roads2.gpkg", given[2][1])]
    intake = looked(take_uploads(twice, tmp_path / "m"))
    by_name = {entry.stored: entry for entry in intake.entries}
    assert (by_name["roads.gpkg"].used, by_name["roads2.gpkg"].used) == (True, False)
    accept(Job("accept"), intake)
    again = looked(take_uploads(given, tmp_path / "m"))
    assert all(entry.used for entry in again.entries)
    wished = next(entry for entry in again.entries if entry.role == "roads")
    wished.used, wished.decided = False, True
    accept(Job("accept"), again)
    last = looked(take_uploads(given, tmp_path / "m"))
    assert [entry.stored for entry in last.entries if not entry.used] == ["roads.gpkg"]


def test_of_several_layers_the_one_that_can_be_drawn_and_names_its_rows_is_used(
    county: Path, tmp_path: Path
) -> None:
    villages = gpd.read_file(county / "villages.gpkg")
    villages[["村名", "geometry"]].to_file(tmp_path / "a.gpkg")
    villages[["村代码", "村名"]].to_csv(tmp_path / "b.csv", index=False)
    villages[["村代码", "村名", "geometry"]].to_file(tmp_path / "c.gpkg")
    (tmp_path / "d.csv").write_text(
        "村名,户数\n" + "".join(f"{name},9\n" for name in villages["村名"]), "utf-8"
    )
    villages.assign(户数=9)[["户数", "geometry"]].to_file(tmp_path / "blocks.gpkg")
    given = files(tmp_path, "a.gpkg", "b.csv", "blocks.gpkg", "c.gpkg", "d.csv")
    intake = looked(take_uploads([*given, *files(county, "households.csv")], tmp_path / "m"))
    assert {entry.role for entry in intake.entries} == {"villages", "households"}
    assert {e.stored for e in intake.entries if e.used} == {"c.gpkg", "households.csv"}
    alone = looked(take_uploads(given[1:2], tmp_path / "m"))
    assert obstacles(alone).missing == ("villages", "households")


FOLDER = ("villages.gpkg", "households.csv", "incidents.csv", "roads.gpkg")


@pytest.fixture
def folder(county: Path, tmp_path: Path) -> Intake:
    """The county's folder on the server, looked into."""
    (tmp_path / "here").mkdir()
    for name in FOLDER:
        shutil.copy(county / name, tmp_path / "here" / name)
    return looked(take_folder(tmp_path / "here", tmp_path / "m"))


@pytest.mark.parametrize(("grants", "hidden"), [
    ((Grant("planner"),), {"incidents"}),
    ((Grant("analyst"),), {"households"}),
    ((Grant("planner"), Grant("analyst")), set()),
    ((Grant("administrator"),), {"households", "incidents"}),
    ((Grant("planner", "东镇"), Grant("analyst", "东镇")), {"households", "incidents"}),
    (EVERYBODY.grants, set()),
])  # fmt: skip
def test_a_folders_households_and_events_are_for_who_may_see_all_of_them(
    folder: Intake, county: Path, tmp_path: Path, grants: tuple[Grant, ...], hidden: set[str]
) -> None:
    who = Person(7, "li", grants)
    assert {entry.role for entry in folder.entries if review.hides(folder, entry, who)} == hidden
    # whoever brings a file has it
    own = looked(take_uploads(files(county, *FOLDER), tmp_path / "n"))
    assert not any(review.hides(own, entry, who) for entry in own.entries)


def test_households_are_not_shown_by_saying_that_they_are_something_else(folder: Intake) -> None:
    (entry,) = [one for one in folder.entries if one.role == "households"]
    analyst = Person(7, "li", (Grant("analyst"),))
    for role in ("incidents", "stations", "households"):
        look_again(Job("look"), folder, entry, Choice(role))
        assert review.hides(folder, entry, analyst)
    assert not review.hides(folder, entry, Person(8, "chief", (Grant("planner"), *analyst.grants)))


def reviewed() -> None:
    from ui.pages import files

    files.show_review(files.OPEN, lambda: None, busy=False)  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ["analyst", "planner"])
def test_the_review_draws_and_lists_only_what_is_for_them(
    folder: Intake, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    drawn: list[list[str]] = []
    monkeypatch.setattr(review, "OPEN", folder, raising=False)
    monkeypatch.setattr(review, "person", lambda: Person(7, "li", (Grant(role),)))
    monkeypatch.setattr(
        review, "show_map", lambda scene, **_: drawn.append([layer.id for layer in scene.layers])
    )
    (entry,) = [one for one in folder.entries if one.role == "households"]
    at = AppTest.from_function(reviewed, default_timeout=60)
    at.session_state["file_chosen"] = entry.number
    at.session_state["language"] = "en"
    at.run()
    assert [one.value for one in at.exception] == []
    told = [one.value for one in (*at.info, *at.caption) if "does not show" in one.value]
    tables = [one for one in at.get("html") if "gw-table" in str(one.proto)]
    if role == "planner":
        assert [("points" in layers) for layers in drawn] == [True]
        assert (told, len(tables)) == ([], 1)
    else:
        assert (drawn, len(told), tables) == ([], 2, [])


def test_a_second_click_does_not_bring_the_page_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    now = [100.0]
    state: dict[str, object] = {"go_to": "plan"}
    monkeypatch.setattr(page, "st", SimpleNamespace(session_state=state, switch_page=gone.append))
    monkeypatch.setattr(page, "page_of", lambda name: name)
    monkeypatch.setattr(page, "time", SimpleNamespace(monotonic=lambda: now[0]))
    page._go_on()
    page._go_on()  # the click that came too late
    assert gone == ["plan", "plan"]
    now[0] += 10.0
    page._go_on()  # somebody comes back on purpose
    assert gone == ["plan", "plan"]
