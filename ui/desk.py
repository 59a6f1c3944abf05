"""One village on the planner's board: its plan, its history, and what is asked of it; no Streamlit.

Every step is kept by the store before it is shown, so that a reload, another tab or a restart finds
it again. A desk is shared by everybody who has the same village open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from geo.ground import Ground
from planning.faults import Unplaced
from planning.history import History, Step
from planning.plan import Plan
from planning.requests import RequestError, carry_out
from planning.settings import Settings
from store.plans import Conflict
from store.projects import Store
from ui.format import name_text
from ui.gestures import homes_for, to_request
from ui.words import Language

CONFLICT = "redraw.told_conflict"
"""What is told of a request that was made on a plan which is no longer the present one."""


@dataclass(frozen=True)
class Answer:
    """What came of a request: ``key`` of a text, its values, whether the plan changed."""

    id: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    kind: str = "ok"
    edit: bool = False


class Desk:
    """A village's plan in one scenario, in step with the store."""

    def __init__(
        self, store: Store, project: int, scenario: int, village: str, ground: Ground,
        settings: Settings, homes: Callable[[], Ground] | None = None,
        unplaced: Unplaced | None = None,
    ) -> None:  # fmt: skip
        """``ground`` as the store knows it; ``homes`` reads the one with the households.

        Only what cuts units asks where people live. ``unplaced`` are households that lie in no
        village, and nearest to this one.
        """
        self.unplaced = unplaced
        self.store = store
        self.project = project
        self.scenario = scenario
        self.village = village
        self.ground = ground
        self.settings = settings
        self.homes = homes
        self.set_names = [str(name) for name in ground.sets["name"]]
        self.lock = threading.RLock()
        self.history: History
        self.version: int
        self.load()

    def load(self) -> None:
        """Take the plan as the store has it."""
        with self.lock:
            opened = self.store.open_plan(self.scenario, self.village)
            self.history, self.version = opened.history, opened.version

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self.history.present

    def own_words(self, language: Language) -> Mapping[str, str]:
        """Words of the board that mean something else on this desk; none."""
        return {}

    def listed(self, plan: Plan, language: Language) -> tuple[list[Any], list[Any]] | None:
        """Rows of the grids and of what is wrong, where they are not a village's own; None."""
        return None

    @property
    def token(self) -> str:
        """Names this state of this plan: what a request says it was made on."""
        return f"{self.project}.{self.scenario}:{self.version}"

    def ask(self, message: Mapping[str, Any], actor: str = "") -> Answer:
        """Carry out what the browser asks; the store has it when this returns.

        A request made on another state than the present one changes nothing and says so.
        """
        own = name_text(message.get("id"))[:60]
        with self.lock:
            if message.get("base") != self.token:
                self.load()
                return Answer(own, CONFLICT, kind="error")
            try:
                return self._act(message, own, actor)
            except RequestError as error:
                return Answer(own, f"redraw.told_bad_{error.code}", kind="error")
            except Conflict:
                self.load()
                return Answer(own, CONFLICT, kind="error")

    def version_of(self, token: object) -> int | None:
        """The version that a token of this desk's plan names; None for any other text."""
        head, _, number = name_text(token).rpartition(":")
        own = f"{self.project}.{self.scenario}"
        if head != own or not number.isdecimal() or int(number) > self.version:
            return None
        return int(number)

    def _act(self, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        do = str(message.get("do"))
        if do in ("undo", "redo", "goto"):
            return self._move(do, message, own, actor)
        request = to_request(message, self.ground.crs)
        cuts = request.get("through") is True and self.homes is not None
        homes = homes_for(request, self.homes(), self.village) if cuts and self.homes else None
        done = carry_out(request, self.plan, self.settings, homes)
        values: dict[str, object] = {
            "step": done.step, "units": done.units, "households": done.households,
            "left": done.left, "doubtful": len(done.doubtful), "cut": done.cut,
        }  # fmt: skip
        if not done.changed(self.plan):
            key = "redraw.told_locked" if done.left else "redraw.told_nothing"
            return Answer(own, key, values, kind="warn")
        params = {"grid": "", **done.said, "request": dict(request)}
        step = Step(done.step, self.history.present, done.plan, params=params, actor=actor)
        self.version = self.store.save_step(self.scenario, self.village, self.version, step)
        self.history = self.history.do(replace(step, seq=self.version))
        key = "redraw.told_done" if done.units else "redraw.told_step"
        if done.step == "tidy":
            key = "redraw.told_tidy"
        if done.cut:
            key = "redraw.told_cut"
        if done.left:
            key = "redraw.told_part"
        return Answer(own, key, values, edit=done.units > 0)

    def _move(self, do: str, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        steps, here = self.history.steps, len(self.history.past)
        at = message.get("at")
        to = {"undo": here - 1, "redo": here + 1}.get(do, at)
        if not isinstance(to, int) or isinstance(to, bool) or not 0 <= to <= len(steps):
            return Answer(own, "redraw.told_nothing", kind="warn")
        if to == here:
            return Answer(own, "redraw.told_nothing", kind="warn")
        where = (self.scenario, self.village, self.version)
        if do == "undo":
            self.version = self.store.undo(*where, actor)
        elif do == "redo":
            self.version = self.store.redo(*where, actor)
        else:
            self.version = self.store.goto(*where, steps[to - 1].seq if to else 0, actor)
        self.history = self.history.goto(to)
        name = steps[min(here, to)].name if do != "goto" else ""
        return Answer(own, f"redraw.told_{do}", {"step": name, "at": to})
