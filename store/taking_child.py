"""The process that takes a city into the store, beside the web server: ``python -m``.

A server has threads and must not fork, and its threads share one interpreter; a process of its own
uses all cores, and gives the gigabytes of a city's ground back when it ends. It is told what to do
by one JSON object on standard input and answers with one on each line of standard output:
``{"stage"}``, ``{"done", "total", "label"}``, at the end ``{"not_kept"}``, or ``{"problems"}``. It
ends with whoever reads that: what it has taken in by then stays (:mod:`store.taking`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo.ground import Inputs, load_ground
from geo.problems import InputError, Problem
from planning.check import settings_of
from planning.opened import plan_digest
from planning.planfile import read_plan
from store import audit
from store.address import configured
from store.taking import take_in

_NICE = 5  # planners' pages go first


def _say(**told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def work(request: Mapping[str, Any]) -> None:
    """Do what was asked. Raises :class:`InputError` for what cannot be used."""
    _say(stage="plan")
    plan = read_plan(request["plan"], late=True)
    if plan_digest(plan) != request["mark"]:
        raise InputError([Problem("plan-replaced", Path(request["plan"]).name)])
    _say(stage="reading")
    ground = load_ground(Inputs(**request["inputs"]))

    def progress(done: int, total: int, village: str) -> None:
        _say(done=done, total=total, label=village)

    _say(done=0, total=len(ground.villages), label="")
    with audit.acting(request["actor"], request["roles"]):
        taken = take_in(
            configured(os.environ), ground, plan, settings_of(plan), request["name"],
            actor=request["actor"], workers=request["workers"], progress=progress,
        )  # fmt: skip
    _say(not_kept=[[one.code, one.area_m2, one.households] for one in taken.not_kept])


def main() -> None:
    """Do what standard input says."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        work(json.load(sys.stdin))
    except InputError as error:
        _say(
            problems=[
                [one.code, one.file, one.where, dict(one.params)] for one in error.problems
            ]
        )  # fmt: skip


if __name__ == "__main__":
    main()
