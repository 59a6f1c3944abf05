"""Start the server with its project being read meanwhile: ``python -m ui.start run app.py ...``.

The arguments are Streamlit's own; for ``app.py`` the server around it is started
(:mod:`ui.web.server`). Streamlit imports the application when its first visitor comes;
that visitor would wait for the imports, the plan and the first map of a city, four seconds that the
server has nothing to do in.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from geo.problems import InputError
from ui.logs import set_up
from ui.metrics import METRICS

if TYPE_CHECKING:
    from ui.projects import Project
    from ui.views import PlanView

log = logging.getLogger("gridwright.ui")

QUIET, ALONE, PATIENCE = 3.0, 5.0, 20.0
"""Seconds without a question before what the map needs later is made: after visitors, without any;
and the longest wait for them."""

TURN = 0.001
"""Seconds that a thread keeps Python's one processor while others want it; else five times that."""

SERVED = Path(__file__).resolve().parent / "web" / "server.py"


def prepare() -> None:
    """Import the application, read the project of the environment, and draw its first map.

    What goes wrong is logged by its kind alone: the first visitor meets it again, as a sentence.
    """
    try:
        import ui.pages.plan  # noqa: F401 (the first page, and all it needs)
        from ui.projects import PLANS, PROJECTS, default_project
        from ui.words import LANGUAGES

        named = default_project(os.environ)
        plan = PROJECTS.get(named).plan_id if named else None
        if named and plan is None:
            _ready_for_many(PROJECTS.get(named), None)
        if plan is None:
            return
        view = _as_it_stands(PLANS.get(plan))
        for language in LANGUAGES:
            view.scene(language)
            view.index.table(view.index.rows("", view.of_village(None)), language)
        view.headline(None)
        if view.large:
            view.overview.make_ready(wait_for_quiet)
        _ready_for_many(PROJECTS.get(named), view)
    except Exception as error:
        log.warning("the project was not made ready: %s", type(error).__name__)


def _as_it_stands(view: PlanView) -> PlanView:
    """The plan with all that was redrawn, where the store has it: what a visitor is shown."""
    from ui.storage import is_kept, the_store

    if not is_kept():
        return view
    from ui.acting import SERVER, acting_as
    from ui.kept import find_kept

    try:
        with acting_as(SERVER):
            kept = find_kept(the_store(), view)
            return view if kept is None else kept.view(kept.scenario(None))
    except InputError as error:  # a store that is away keeps nobody from the plan as it was opened
        log.warning("the store was not asked: %s", type(error).__name__)
        return view


def wait_for_quiet(done: Callable[[], bool] = lambda: False) -> None:
    """Return when visitors have all they asked for, when nobody has come for a while, or when what
    is to be made after it is ``done`` already.

    Python has one processor for all threads: who opens the map meanwhile goes first.
    """
    begun = time.monotonic()
    while (now := time.monotonic()) - begun < PATIENCE and not done():
        quiet = METRICS.quiet
        somebody_came = now - quiet >= begun
        if quiet >= QUIET and (somebody_came or now - begun >= ALONE):
            return
        time.sleep(0.1)


def _ready_for_many(project: Project, view: PlanView | None) -> None:
    """Where many share a server, what the first of them would wait for is there before they come:
    the compiled search, and the county's events."""
    from planning.warm import warm
    from ui import ahead
    from ui.event_files import has_events

    if not ahead.is_wanted():
        return
    warm()  # loading the compiled search takes a second, which is the first planner's else
    if not has_events(project):
        return
    from ui.acting import SERVER, acting_as
    from ui.event_memory import events_file
    from ui.study import make_study, start_study, study_key

    key, memory = study_key(project, view), events_file(os.environ)
    with acting_as(SERVER):
        start_study(key, lambda job: make_study(job, key, project, view, memory=memory))


def main() -> None:
    """Start both."""
    set_up(os.environ)
    # The thread below computes for seconds; who asks for a file meanwhile waits a turn for each.
    sys.setswitchinterval(TURN)
    # before the thread: two threads that import the same package at once may meet half of it
    from streamlit.web.cli import main as streamlit

    sys.argv = [str(SERVED) if Path(word).name == "app.py" else word for word in sys.argv]
    threading.Thread(target=prepare, name="prepare", daemon=True).start()
    sys.exit(streamlit(prog_name="streamlit"))


if __name__ == "__main__":
    main()
