"""Areas and events without households: no grid can be proposed, but events can be mapped."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.demo import write_county
from ui.event_files import has_events
from ui.intake import Intake, accept, look_into, obstacles, take_uploads
from ui.jobs import Job
from ui.projects import PROJECTS
from ui.study import make_study


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, villages=4)
    return folder


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


def test_villages_without_events_still_wait_for_households(county: Path, tmp_path: Path) -> None:
    intake = brought(county, tmp_path / "m", "villages.gpkg")
    assert obstacles(intake).missing == ("households",)
    events = brought(county, tmp_path / "m", "incidents.csv")
    assert obstacles(events).missing == ("villages",)
