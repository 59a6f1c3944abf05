"""One village on the planner's board: its plan, its history, and what is asked of it; no Streamlit.

Every step is kept by the store before it is shown, so that a reload, another tab or a restart finds
it again. A desk is shared by everybody who has the same village open. While the store cannot be
written, steps are made all the same and kept in memory (``pending``): saved as soon as it can be,
and offered as a file until then (:mod:`ui.desk_trouble`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from geo.enclosures import VillageGround
from geo.ground import Ground
from geo.problems import InputError
from planning.faults import Unplaced
from planning.history import History, Step
from planning.plan import Plan
from planning.rebase import rebased, same_ground
from planning.record import ground_key, same_plan
from planning.requests import Done, RequestError, carry_out
from planning.settings import Settings
from store.plans import Conflict, Opened
from store.projects import Store, TakenError
from store.trouble import is_trouble
from ui.desk_trouble import Scenarios, as_brought, read_unsaved, unsaved_file
from ui.format import name_text
from ui.gestures import homes_for, to_request
from ui.words import Language

CONFLICT = "redraw.told_conflict"
"""What is told of a request that was made on a plan which is no longer the present one."""

MOST_PLANS = 60
"""Earlier states of a plan that a desk remembers, to tell what was changed since."""

MOVES = ("undo", "redo", "goto")


@dataclass(frozen=True)
class Answer:
    """What came of a request: ``key`` of a text, its values, whether the plan changed.

    ``again``: it was refused because somebody was faster, and may be asked again on the plan as
    it is now.
    """

    id: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    kind: str = "ok"
    edit: bool = False
    again: bool = False


class Desk:
    """A village's plan in one scenario, in step with the store."""

    cuts = True
    """May lines and outlines cut units here?"""
    without: frozenset[str] = frozenset()
    """Requests that mean nothing here."""

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
        self.scenarios = Scenarios(store, project)
        self.lock = threading.RLock()
        self.history: History
        self.version: int
        self.pending: list[Step] = []
        self.aside: list[Step] = []
        self.trouble: InputError | None = None
        self._turn = 0  # tells states apart that the store knows nothing of
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self.load()
        self.scenarios.now()  # so that they are known when the store cannot be asked

    def load(self) -> None:
        """Take the plan as the store has it."""
        with self.lock:
            self._show(self.store.open_plan(self.scenario, self.village))

    def _show(self, opened: Opened) -> None:
        self.history, self.version = opened.history, opened.version
        self._remember()

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self.history.present

    @property
    def unsaved(self) -> list[Step]:
        """Steps that are in no store: not yet, or because somebody changed the plan meanwhile."""
        return [*self.aside, *self.pending]

    def own_words(self, language: Language) -> Mapping[str, str]:
        """Words of the board that mean something else on this desk; none."""
        return {}

    def listed(self, plan: Plan, language: Language) -> tuple[list[Any], list[Any]] | None:
        """Rows of the grids and of what is wrong, where they are not a village's own; None."""
        return None

    @property
    def token(self) -> str:
        """Names this state of this plan: what a request says it was made on."""
        turn = f"+{self._turn}" if self.pending else ""
        return f"{self.project}.{self.scenario}:{self.version}{turn}"

    def _remember(self) -> None:
        self._plans[self.token] = self.plan
        while len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)

    def ask(self, message: Mapping[str, Any], actor: str = "") -> Answer:
        """Carry out what the browser asks; the store has it when this returns, or it is pending.

        A request made on another state than the present one is carried out where it and what was
        done meanwhile touch different grids; else it changes nothing and says so.
        """
        own = name_text(message.get("id"))[:60]
        with self.lock:
            before = self.plan
            try:
                try:
                    return self._asked(message, own, actor)
                except Conflict:  # another server was faster, between looking and saving
                    return self._late(message, before, own, actor)
            except Conflict:  # and once more: it is told, and can be asked again
                self.load()
                return Answer(own, CONFLICT, {"others": []}, "error")
            except RequestError as error:
                return Answer(own, f"redraw.told_bad_{error.code}", kind="error")
            except TakenError as error:
                values: dict[str, object] = {"who": error.who, "since": error.since}
                return Answer(own, "redraw.told_taken", values, kind="warn")
            except InputError as error:
                return Answer(own, "redraw.told_problem", {"problems": error.problems}, "error")

    def _asked(self, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        tried = bool(self.pending) and self.save_pending()
        do = message.get("do")
        if do == "retry":
            return self._tell_retried(own, tried, message.get("quiet") is True)
        if do == "bring_back":
            return self._bring_back(message.get("file"), own, actor)
        if do == "forget_unsaved":
            self.aside = []
            return Answer(own, "redraw.told_forgotten")
        base = self._plans.get(str(message.get("base")))
        if message.get("base") != self.token and (base is None or base is not self.plan):
            return self._late(message, base, own, actor)
        return self._act(message, own, actor)

    def version_of(self, token: object) -> int | None:
        """The version that a token of this desk's plan names; None for any other text."""
        head, _, number = name_text(token).rpartition(":")
        own = f"{self.project}.{self.scenario}"
        if head != own or not number.isdecimal() or int(number) > self.version:
            return None
        return int(number)

    # --- somebody was faster ----------------------------------------------------------------------

    def _late(
        self, message: Mapping[str, Any], base: Plan | None, own: str, actor: str
    ) -> Answer:
        """A request on a plan that was changed meanwhile: carried out, or told who did what."""
        if not self.pending:
            self.load()
        values: dict[str, object] = {"others": self._others(message.get("base"))}
        again = False
        if base is not None and message.get("do") not in MOVES:
            request = self._request(message)
            done = rebased(request, base, self.plan, self.settings, self._homes(request))
            if done is not None and done.changed(self.plan):
                values |= self._values(done)
                self._keep(self._step(done, request, actor))
                return Answer(own, "redraw.told_rebased", values, edit=done.units > 0)
            again = same_ground(base, self.plan)
        return Answer(own, CONFLICT, values, kind="error", again=again)

    def _others(self, base: object) -> list[tuple[str, str]]:
        """(who, what) of everything done since a state; empty where that cannot be told."""
        if self.pending:  # the store is not asked while it is in trouble
            return [(step.actor, step.name) for step in self.pending]
        version = self.version_of(name_text(base).partition("+")[0])
        if version is None:
            return []
        since = self.store.changes_since(self.scenario, self.village, version)
        return [(entry.actor, entry.name) for entry in since]

    # --- one request ------------------------------------------------------------------------------

    def _request(self, message: Mapping[str, Any]) -> dict[str, object]:
        request = to_request(message, self.ground.crs)
        if not self.cuts and request.get("through") is True:
            request["through"] = False
        return request

    def _homes(self, request: Mapping[str, object]) -> VillageGround | None:
        if request.get("through") is not True or self.homes is None:
            return None
        return homes_for(request, self.homes(), self.village)

    def _step(self, done: Done, request: Mapping[str, object], actor: str) -> Step:
        params = {"grid": "", **done.said, "request": dict(request)}
        return Step(done.step, self.history.present, done.plan, params=params, actor=actor)

    @staticmethod
    def _values(done: Done) -> dict[str, object]:
        return {
            "step": done.step, "units": done.units, "households": done.households,
            "left": done.left, "doubtful": len(done.doubtful), "cut": done.cut,
        }  # fmt: skip

    def _act(self, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        do = str(message.get("do"))
        if do in MOVES:
            return self._move(do, message, own, actor)
        request = self._request(message)
        done = carry_out(request, self.plan, self.settings, self._homes(request))
        values = self._values(done)
        if not done.changed(self.plan):
            key = "redraw.told_locked" if done.left else "redraw.told_nothing"
            return Answer(own, key, values, kind="warn")
        self._keep(self._step(done, request, actor))
        key = "redraw.told_done" if done.units else "redraw.told_step"
        if done.step == "tidy":
            key = "redraw.told_tidy"
        if done.cut:
            key = "redraw.told_cut"
        if done.left:
            key = "redraw.told_part"
        if self.pending:
            key = "redraw.told_pending"
        return Answer(own, key, values, "warn" if self.pending else "ok", done.units > 0)

    def _move(self, do: str, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        steps, here = self.history.steps, len(self.history.past)
        at = message.get("at")
        to = {"undo": here - 1, "redo": here + 1}.get(do, at)
        if not isinstance(to, int) or isinstance(to, bool) or not 0 <= to <= len(steps):
            return Answer(own, "redraw.told_nothing", kind="warn")
        if to == here:
            return Answer(own, "redraw.told_nothing", kind="warn")
        if self.pending:
            return self._take_back(do, own)
        where = (self.scenario, self.village, self.version)
        if do == "undo":
            self.version = self.store.undo(*where, actor)
        elif do == "redo":
            self.version = self.store.redo(*where, actor)
        else:
            self.version = self.store.goto(*where, steps[to - 1].seq if to else 0, actor)
        self.history = self.history.goto(to)
        self._remember()
        name = steps[min(here, to)].name if do != "goto" else ""
        return Answer(own, f"redraw.told_{do}", {"step": name, "at": to})

    # --- the store is in trouble ------------------------------------------------------------------

    def _keep(self, step: Step) -> None:
        """Save a step; where the store is in trouble, keep it in memory."""
        if not self.pending:
            try:
                self.version = self.store.save_step(
                    self.scenario, self.village, self.version, step
                )
            except InputError as error:
                if not is_trouble(error):
                    raise
                self.trouble = error
            else:
                self.trouble = None
                self.history = self.history.do(replace(step, seq=self.version))
                self._remember()
                return
        self.pending.append(step)
        self._turn += 1
        self.history = self.history.do(step)
        self._remember()

    def _take_back(self, do: str, own: str) -> Answer:
        """Undo a step that is in memory alone; what lies before waits for the store."""
        if do != "undo":
            return Answer(own, "redraw.told_waits", kind="warn")
        gone = self.pending.pop()
        self._turn += 1
        self.history = replace(self.history, past=self.history.past[:-1], future=())
        self._remember()
        return Answer(own, "redraw.told_undo", {"step": gone.name})

    def save_pending(self) -> bool:
        """Save what is in memory alone; False while the store is still in trouble.

        Where somebody changed the plan meanwhile, by another server, the steps are made again on
        that plan if they touch other grids, else put aside: the file still has them. Whatever
        fails, each step is in the store, pending or aside.
        """
        with self.lock:
            try:
                while self.pending:
                    self._save_first()
            except InputError as error:
                if not is_trouble(error):
                    raise
                self.trouble = error
                return False
            self.trouble = None
            self._remember()
            return True

    def _save_first(self) -> None:
        """Save the first pending step, or, where somebody was faster, make all of them again."""
        step = self.pending[0]
        try:
            version = self.store.save_step(self.scenario, self.village, self.version, step)
        except Conflict as overtaken:
            if not self._landed(step, overtaken.version):
                self._overtaken()
                return
            version = overtaken.version
        self._saved(version)

    def _saved(self, version: int) -> None:
        """The first pending step is in the store now; the plans stay the same objects."""
        self.version = version
        step = self.pending.pop(0)
        past = [replace(one, seq=version) if one is step else one for one in self.history.past]
        self.history = replace(self.history, past=tuple(past))

    def _landed(self, step: Step, version: int) -> bool:
        """Was the step saved after all, by a connection that broke before it could say so?"""
        if version != self.version + 1:
            return False
        there = self.store.open_plan(self.scenario, self.village)
        return there.version == version and same_plan(there.plan, step.after)

    def _overtaken(self) -> None:
        """Make what is pending again on the plan as somebody else left it.

        Nothing is touched where that plan cannot be had. From the first step that cannot be made,
        or not kept, all are put aside: each rests on those before it.
        """
        opened = self.store.open_plan(self.scenario, self.village)
        steps, self.pending, self.trouble = self.pending, [], None
        self._show(opened)
        try:
            while steps and self._again(steps[0]):
                del steps[0]
        except Conflict:  # somebody was faster once more; what is aside is told of
            self.load()
        finally:
            self.aside += steps

    def _again(self, step: Step) -> bool:
        """Make a step again on the plan as it is, and keep it; False where it does not fit."""
        request = step.params["request"]
        assert isinstance(request, Mapping)  # every step of a desk has one
        homes = self._homes(request)
        done = rebased(request, step.before, self.plan, self.settings, homes)
        if done is None:
            return False
        self._keep(self._step(done, request, step.actor))
        return True

    def _tell_retried(self, own: str, saved: bool, quiet: bool) -> Answer:
        if self.aside:
            return Answer(own, "redraw.told_aside", {"count": len(self.aside)}, kind="error")
        if saved or not self.pending:
            return Answer(own, "redraw.told_saved", kind="ok")
        return Answer(own, "redraw.told_still", kind="quiet" if quiet else "warn")

    def unsaved_file(self) -> dict[str, Any]:
        """What is in no store, to be taken away and brought back."""
        return unsaved_file(self.village, self.unsaved)

    def _bring_back(self, value: object, own: str, actor: str) -> Answer:
        """Carry out the steps of such a file on the plan as it is; the first that fails ends it."""
        try:
            steps = read_unsaved(value, self.village)
        except KeyError as other:
            return Answer(own, "redraw.told_other_village", {"code": other.args[0]}, "error")
        except ValueError:
            return Answer(own, "redraw.told_no_unsaved", kind="error")
        done = 0
        for ground, request in steps:
            if ground != ground_key(self.plan.units) or request.get("do") in self.without:
                break
            try:
                made = carry_out(request, self.plan, self.settings, self._homes(request))
            except RequestError:
                break
            if made.changed(self.plan):
                self._keep(self._step(made, request, actor))
            self._no_longer_aside(ground, request)
            done += 1
        values: dict[str, object] = {"count": done, "all": len(steps)}
        if done < len(steps):
            return Answer(own, "redraw.told_brought_part", values, "warn", done > 0)
        return Answer(own, "redraw.told_brought", values, edit=True)

    def _no_longer_aside(self, ground: str, request: Mapping[str, Any]) -> None:
        """A step was brought back; it alone leaves what is aside, and no other file's."""
        for number, step in enumerate(self.aside):
            if as_brought(step) == (ground, request):
                del self.aside[number]
                return
