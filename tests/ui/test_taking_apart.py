"""A large plan is put into the store by a process of its own, and its job tells how that goes."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from test_projects import folder

from planning.planfile import write_plan
from planning.settings import Settings
from store import taking_child
from store.projects import Store
from ui import projects, taking
from ui.errors import TakingDiedError, sentences
from ui.jobs import Job, Snapshot
from ui.kept import find_kept
from ui.overview import FROM_VARIABLE
from ui.pickups import pick_folder
from ui.projects import PLANS, PROJECTS, Project
from ui.views import PlanView
from ui.words import Language, word

__all__ = ["folder"]


@pytest.fixture
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, PlanView]:
    """Two villages with a plan that counts as large here, as the server opens them."""
    pickup = pick_folder(folder)
    project = PROJECTS.get(projects.open_pickup(Job("open"), pickup, pickup.chosen, trusted=True))
    made = PLANS.get(projects.propose(Job("propose"), project, Settings(target=60)))
    write_plan(made.plan, folder / "plan.gpkg")
    monkeypatch.setenv(FROM_VARIABLE, "2")
    monkeypatch.setenv("GRIDWRIGHT_STORE", str(folder / "kept" / "plans.gridwright"))
    (folder / "kept").mkdir()
    pickup = pick_folder(folder)
    project = PROJECTS.get(projects.open_pickup(Job("open"), pickup, pickup.chosen, trusted=True))
    assert project.plan_id is not None
    return project, PLANS.get(project.plan_id)


def over(job: str) -> Snapshot:
    """A job when it is over."""
    while not (now := taking.TAKINGS.look(job)).over:
        time.sleep(0.01)
    return now


def in_this_process(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    """Let the child's work be done here; what it said comes into ``lines``."""

    @contextmanager
    def process(request: dict[str, Any], job: Job) -> Iterator[SimpleNamespace]:
        out = io.StringIO()
        with monkeypatch.context() as here:
            here.setattr(sys, "stdout", out)
            here.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
            here.setattr(taking_child, "_NICE", 0)
            taking_child.main()
        lines.extend(out.getvalue().splitlines())
        yield SimpleNamespace(stdout=lines)

    monkeypatch.setattr(taking, "_process", process)


def test_the_plan_is_found_in_the_store_afterwards(
    opened: tuple[Project, PlanView], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page waits in between; the process told of every village, and what it lost."""
    project, view = opened
    assert taking.by_itself(project, view)
    with Store(projects.os.environ["GRIDWRIGHT_STORE"]) as store:
        assert find_kept(store, view) is None
        lines: list[str] = []
        in_this_process(monkeypatch, lines)
        now = over(taking.begin_taking(project, view, "A"))
        assert now.state == "done", now.error
        assert [json.loads(line).get("done") for line in lines] == [None, None, 0, 1, 2, None]
        assert (now.step.stage, now.step.done, now.step.total) == ("taking", 2, 2)
        kept = find_kept(store, view)
        assert kept is not None
        assert kept.not_kept == ()
        assert sorted(kept.ground.villages["name"]) == ["柳塘村", "石桥村"]
        assert project.ground is None  # the server itself has read nothing of it
        assert taking.under_way(view) is None


def test_what_the_process_cannot_use_is_a_sentence(
    opened: tuple[Project, PlanView], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that was written anew since is another one; a silent end is told as what it is."""
    project, view = opened
    in_this_process(monkeypatch, [])
    assert project.plan_file is not None
    written = view.plan.grids.assign(name="别的网格")
    write_plan(view.plan.with_tables(grids=written) if hasattr(view.plan, "with_tables")
               else type(view.plan)(**{**vars(view.plan), "grids": written}), project.plan_file)
    now = over(taking.begin_taking(project, view, "A"))
    assert now.error is not None
    assert "open the project again" in sentences(now.error, "en")[0]

    @contextmanager
    def dies(request: dict[str, Any], job: Job) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(stdout=['{"done": 1, "total": 2, "label": "柳塘村"}'])

    monkeypatch.setattr(taking, "_process", dies)
    now = over(taking.begin_taking(project, view, "A"))
    assert isinstance(now.error, TakingDiedError)


def test_what_cannot_be_read_again_is_not_for_a_process(
    opened: tuple[Project, PlanView], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proposal that was just made, and a county, are put into the store as they were."""
    project, view = opened
    assert not taking.by_itself(project, PlanView("another", view.plan, {}))
    monkeypatch.setenv(FROM_VARIABLE, "2000")
    assert not taking.by_itself(project, view)


PAGE = """
import streamlit as st
from ui.pages.board_taking import show_taking
from ui.projects import PLANS, PROJECTS
st.session_state["language"] = {language!r}
st.session_state["pages"] = {{"plan": st.Page(lambda: None, title="plan", default=True)}}
st.navigation(list(st.session_state["pages"].values()))
project = PROJECTS.get({project!r})
show_taking(project, PLANS.get(project.plan_id))
"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_button_begins_it_and_a_job_is_watched(
    opened: tuple[Project, PlanView], monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """Whoever comes while it is under way watches the same job instead of beginning another."""
    project, view = opened
    go_on, asked = threading.Event(), []

    @contextmanager
    def waits(request: dict[str, Any], job: Job) -> Iterator[SimpleNamespace]:
        asked.append(request["name"])
        go_on.wait(20)
        yield SimpleNamespace(stdout=['{"not_kept": []}'])

    monkeypatch.setattr(taking, "_process", waits)
    script = PAGE.format(language=language, project=project.id)
    first, second = (AppTest.from_string(script, default_timeout=60).run() for _ in range(2))
    first.button(key="taking_begin").click().run()
    second.run()
    for page in (first, second):
        assert not page.exception
        assert word("taking.meanwhile", language) in [told.value for told in page.caption]
        assert not [button for button in page.button if button.key == "taking_begin"]
    go_on.set()
    assert view.taking is not None
    assert over(view.taking).state == "done"
    assert len(asked) == 1
