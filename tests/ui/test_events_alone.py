"""Sets that lack villages or households: what can be opened of them, and as what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from counties import demonstration

from ui.event_files import has_events
from ui.intake import (
    Intake,
    accept,
    lacking,
    look_again,
    look_into,
    obstacles,
    read_also_as,
    take_uploads,
)
from ui.jobs import Job
from ui.projects import PROJECTS, villages_of
from ui.study import make_study


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demonstration(tmp_path_factory)


def brought(county: Path, memory: Path, *names: str) -> Intake:
    intake = take_uploads([(n, (county / n).read_bytes()) for n in names], memory)
    look_into(Job("look"), intake)
    return intake


def test_villages_and_events_are_enough_for_events(county: Path, tmp_path: Path) -> None:
    intake = brought(county, tmp_path / "m", "villages.gpkg", "roads.gpkg", "incidents.csv")
    assert not obstacles(intake)
    opened = PROJECTS.get(accept(Job("accept"), intake))
    assert opened.ground is None
    assert not opened.can_propose
    assert has_events(opened)
    assert len(opened.context["roads"]) > 10
    made = make_study(Job("survey"), "alone", opened, None)
    assert made.homes is None
    assert set(made.areas.levels) == {"village", "township", "county"}
    assert (made.prepared.at["county"] == 0).mean() > 0.9
    assert opened.context["roads"].crs == made.areas.crs


def test_beats_and_events_are_enough_too(county: Path, tmp_path: Path) -> None:
    intake = brought(county, tmp_path / "m", "beats.gpkg", "incidents.csv")
    assert not obstacles(intake)
    opened = PROJECTS.get(accept(Job("accept"), intake))
    made = make_study(Job("survey"), "beats-alone", opened, None)
    assert set(made.areas.levels) == {"beat", "county"}


def test_villages_alone_open_as_a_map_and_propose_nothing(county: Path, tmp_path: Path) -> None:
    intake = brought(county, tmp_path / "m", "villages.gpkg", "roads.gpkg")
    assert not obstacles(intake)
    assert lacking(intake) == "households"
    opened = PROJECTS.get(accept(Job("accept"), intake))
    assert opened.ground is not None
    assert not opened.can_propose
    assert not has_events(opened)
    assert villages_of(opened.ground)["households"].isna().all()
    assert len(opened.context["roads"]) > 10


def test_nothing_but_events_or_points_waits_for_villages(county: Path, tmp_path: Path) -> None:
    events = brought(county, tmp_path / "m", "incidents.csv")
    assert obstacles(events).missing == ("villages",)
    homes = brought(county, tmp_path / "m", "households.csv")
    assert obstacles(homes).missing == ("villages",)
    assert lacking(brought(county, tmp_path / "m", "villages.gpkg", "households.csv")) == ""


def test_areas_with_counts_need_no_villages_and_can_be_read_as_villages_too(
    real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    path = real_data("walnut_hills/clean/walnut_hills.gpkg")
    intake = take_uploads([(path.name, path.read_bytes())], tmp_path / "m")
    look_into(Job("look"), intake)
    assert not obstacles(intake)
    assert lacking(intake) == "villages"
    read_also_as(Job("look"), intake, intake.entries[0], "villages")
    assert lacking(intake) == ""
    second = max(intake.entries, key=lambda entry: entry.number)
    assert second.choice is not None
    look_again(Job("look"), intake, second, replace(second.choice, columns={"code": "TRACT"}))
    opened = PROJECTS.get(accept(Job("accept"), intake))
    assert opened.ground is not None
    assert opened.can_propose
    assert len(opened.ground.villages) == 23
    assert opened.ground.households["households"].sum() == 16_766


@pytest.mark.parametrize(
    ("name", "villages", "households"),
    [("walnut_hills/clean/walnut_hills.gpkg", 1, 16_766),
     ("redist_peers_A/clean/peers.gpkg", 1, 66_811),
     ("india_goa/clean/india_goa.gpkg", 402, 0)],
)  # fmt: skip
def test_real_sets_without_villages_or_without_households_are_opened(
    real_data: Callable[[str], Path], tmp_path: Path, name: str, villages: int, households: int
) -> None:
    path = real_data(name)
    intake = take_uploads([(path.name, path.read_bytes())], tmp_path / "m")
    look_into(Job("look"), intake)
    assert not obstacles(intake)
    opened = PROJECTS.get(accept(Job("accept"), intake))
    assert opened.ground is not None
    assert opened.can_propose == (households > 0)
    assert len(opened.ground.villages) == villages
    assert opened.ground.households["households"].sum() == households
