"""A large plan put into the store by a process of its own, watched like any job; no Streamlit.

What that process does, and how it goes on after a kill: :mod:`store.taking`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geo.problems import InputError, Problem
from planning.keep import NotKept
from planning.opened import plan_digest
from ui.access import person
from ui.errors import TakingDiedError
from ui.jobs import CancelledError, Job, Jobs, Step
from ui.projects import Project, inputs_of
from ui.views import PlanView

TAKINGS = Jobs(at_once=1)
"""Apart from proposals: a planner who waits for a city must not keep the others waiting."""

_ROOT = Path(__file__).resolve().parent.parent
_EVERY = 0.2  # seconds between two looks whether it was cancelled
_STARTING = threading.Lock()


def by_itself(project: Project, view: PlanView) -> bool:
    """Is this plan taken in by a process of its own? It is large, and that can read its files."""
    return (
        view.large and view.key == project.plan_id and project.plan_file is not None
        and bool(project.sources.get("villages") and project.sources.get("households"))
    )  # fmt: skip


def begin_taking(project: Project, view: PlanView, name: str) -> str:
    """The job that takes a plan in, begun unless it is under way; its id."""
    with _STARTING:
        if view.taking is None or TAKINGS.look(view.taking).over:
            view.taking = TAKINGS.start("taking", lambda job: _take_in(job, project, view, name))
        return view.taking


def under_way(view: PlanView) -> str | None:
    """The job that takes a plan in now, or None."""
    if view.taking is None or TAKINGS.look(view.taking).over:
        return None
    return view.taking


def _take_in(job: Job, project: Project, view: PlanView, name: str) -> None:
    who = person()
    job.report(Step("plan"))
    inputs = asdict(inputs_of(project))
    request = {
        "inputs": {key: str(v) if isinstance(v, Path) else v for key, v in inputs.items()},
        "plan": str(project.plan_file),
        "mark": plan_digest(view.plan),
        "name": name,
        "actor": who.name,
        "roles": who.roles,
        "workers": max(1, min(8, os.cpu_count() or 1)),
    }
    ended = False
    with _process(request, job) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if "problems" in told:
                raise InputError(
                    Problem(code, file, where, params)
                    for code, file, where, params in told["problems"]
                )
            if "not_kept" in told:
                view.not_kept = tuple(NotKept(*row) for row in told["not_kept"])
                ended = True
            elif "stage" in told:
                job.report(Step(told["stage"]))
            else:
                job.report(Step("taking", told["done"], told["total"], told["label"]))
    if not ended:
        raise CancelledError if job.cancelled() else TakingDiedError
    view.sought = False  # now it is there to be found


@contextmanager
def _process(request: dict[str, Any], job: Job) -> Iterator[subprocess.Popen[str]]:
    """The process at work; ended when the job is cancelled, and with what is done here."""
    path = os.pathsep.join([str(_ROOT), *(p for p in sys.path if p.endswith("-packages"))])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "store.taking_child"], cwd=_ROOT, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    threading.Thread(target=_end_when_cancelled, args=(process, job), daemon=True).start()
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        yield process
    finally:
        process.kill()  # its workers end with it
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _end_when_cancelled(process: subprocess.Popen[str], job: Job) -> None:
    """End it also while it reads a city's files, when it says nothing for half a minute."""
    while process.poll() is None:
        if job.cancelled():
            process.kill()
        time.sleep(_EVERY)
