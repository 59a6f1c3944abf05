"""A server that reads its project while it starts."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from synthetic import plan, roads

import ui.metrics
import ui.start
from cli import serve
from planning.planfile import write_plan
from ui.map.encode import dumps
from ui.metrics import METRICS
from ui.projects import PLANS, PROJECT_VARIABLE, PROJECTS
from ui.study import study_key

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_first_visitor_finds_the_project_read_and_its_map_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(plan(), tmp_path / "plan.gpkg")
    roads().to_file(tmp_path / "roads.gpkg")
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(tmp_path / "none.gridwright"))
    ui.start.prepare()
    project = PROJECTS.get(f"default:{tmp_path}")
    view = PLANS.get(project.plan_id or "")
    drawn = view.scene("zh").layers[0].features
    assert "_county" in vars(view)  # made before anybody asked
    assert dumps(sorted(drawn)) == dumps(sorted(view.grids["code"]))


def test_what_is_needed_later_is_made_when_nobody_asks_for_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    asking = 3  # a visitor asks for something in each of the first three seconds

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        if now < 1000 + asking:
            METRICS.asked()

    clock = SimpleNamespace(monotonic=lambda: now, sleep=sleep)
    monkeypatch.setattr(ui.start, "time", clock)
    monkeypatch.setattr(ui.metrics, "time", clock)
    monkeypatch.setattr(METRICS, "_asked", 0.0)
    ui.start.wait_for_quiet()
    assert now == pytest.approx(1003 + ui.start.QUIET, abs=0.3)
    begun = now
    ui.start.wait_for_quiet()  # nobody comes: somebody may still be on the way
    assert now == pytest.approx(begun + ui.start.ALONE, abs=0.3)
    begun, asking = now, 10_000
    ui.start.wait_for_quiet()  # one who never stops asking is not waited for
    assert now == pytest.approx(begun + ui.start.PATIENCE, abs=0.3)
    begun = now
    ui.start.wait_for_quiet(lambda: now >= begun + 0.5)  # a visitor needed it, and it is there
    assert now == pytest.approx(begun + 0.5, abs=0.2)


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_server_without_a_project_starts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path / folder) if folder else "")
    with caplog.at_level(logging.WARNING, logger="gridwright.ui"):
        ui.start.prepare()
    told = [record.getMessage() for record in caplog.records]
    assert told == (["the project was not made ready: FileNotFoundError"] if folder else [])


def test_where_leaders_share_a_server_their_events_are_read_before_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(plan(), tmp_path / "plan.gpkg")
    roads().to_file(tmp_path / "roads.gpkg")
    (tmp_path / "incidents.csv").write_text(
        "时间,大类,经度,纬度\n2024-03-01 10:00,环境保护,119.5,32.45\n", encoding="utf-8"
    )
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(tmp_path / "none.gridwright"))
    monkeypatch.setenv("GRIDWRIGHT_HOME", str(tmp_path / "home"))
    read: list[str] = []
    monkeypatch.setattr("ui.study.start_study", lambda key, work: read.append(key))
    ui.start.prepare()
    assert not read
    monkeypatch.setenv("GRIDWRIGHT_AHEAD", "1")
    ui.start.prepare()
    project = PROJECTS.get(f"default:{tmp_path}")
    assert read == [study_key(project, PLANS.get(project.plan_id or ""))]


def test_serve_starts_by_the_module_that_reads_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    seen: list[list[str]] = []
    monkeypatch.delenv("GRIDWRIGHT_SIGN_IN", raising=False)
    monkeypatch.setattr(serve.os, "execv", lambda _, command: seen.append(command))
    monkeypatch.setattr(serve.os, "chdir", lambda _: None)
    serve.run_serve(
        argparse.Namespace(
            project=None, port=8501, address="127.0.0.1", headless=True, sign_in="none"
        )
    )
    assert seen[0][1:4] == ["-m", "ui.start", "run"]


def test_the_library_offers_a_visitor_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a developer's machine Streamlit shows a card that installs files into the program."""
    from streamlit import config
    from streamlit.web import skills

    told = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text("utf-8"))
    given = {f"{part}.{name}": value for part, held in told.items() for name, value in held.items()}
    given["server.headless"] = False  # as `make run` starts it
    monkeypatch.setattr(config, "get_option", given.get)
    assert skills.nudge_suppression_reason(str(REPOSITORY)) == "welcome_hidden"
