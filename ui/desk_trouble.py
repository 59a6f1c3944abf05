"""When the store cannot be reached or written: what is kept in memory, and the file it goes into.

The file holds requests, as the board sent them, and no shape, no household and no place of one:
requests are carried out again on the plan as it is when they are brought back. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geo.problems import InputError
from planning.history import Step
from planning.record import ground_key
from store.projects import ScenarioInfo, Store
from store.trouble import is_trouble
from ui.format import name_text

FORMAT = "unsaved-1"
MOST = 1_000  # steps of one file


def unsaved_file(village: str, steps: Sequence[Step]) -> dict[str, Any]:
    """Steps that are only in memory, as plain values for a file."""
    return {
        "gridwright": FORMAT,
        "village": village,
        "steps": [
            {
                "name": step.name, "time": step.time, "actor": step.actor,
                "ground": ground_key(step.before.units), "request": step.params["request"],
            }
            for step in steps
        ],
    }  # fmt: skip


def read_unsaved(value: object, village: str) -> list[tuple[str, Mapping[str, Any]]]:
    """(key of the ground, request) of each step of such a file; ValueError where it is none.

    KeyError where it is of another village. What the requests mean is judged when they are
    carried out; nothing in them is trusted.
    """
    if not isinstance(value, Mapping) or value.get("gridwright") != FORMAT:
        raise ValueError("no file of unsaved steps")
    if name_text(value.get("village")) != village:
        raise KeyError(name_text(value.get("village")))
    steps = value.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST:
        raise ValueError("no steps")
    found = []
    for step in steps:
        request = step.get("request") if isinstance(step, Mapping) else None
        if not isinstance(request, Mapping):
            raise ValueError("a step is none")
        found.append((name_text(step.get("ground")), request))
    return found


def as_brought(step: Step) -> tuple[str, Any]:
    """(key of the ground, request) of a step, as a file that holds it says it."""
    request = json.loads(json.dumps(step.params["request"]))  # a file knows lists alone
    return ground_key(step.before.units), request


class Scenarios:
    """A project's scenarios: as the store has them, else as it had them when it last answered."""

    def __init__(self, store: Store, project: int) -> None:
        self._ask: Callable[[], list[ScenarioInfo]] = lambda: store.scenarios(project)
        self._last: list[ScenarioInfo] = []

    def now(self) -> list[ScenarioInfo]:
        """The list. :class:`InputError` where the store never answered."""
        try:
            self._last = self._ask()
        except InputError as error:
            if not self._last or not is_trouble(error):
                raise
        return self._last
