"""One village on the planner's board: its plan, its history, and what is asked of it; no Streamlit.

Every step is kept by the store before it is shown, so that a reload, another tab or a restart finds
it again. A desk is shared by everybody who has the same village open.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.ground import Ground
from geo.units import Units, build_units
from planning.county import CountyPlan, VillagePlan
from planning.history import History, Step
from planning.measure import measure
from planning.plan import Grid, Plan
from planning.planfile import PlanFile
from planning.propose import Proposal
from planning.record import ground_key
from planning.requests import RequestError, carry_out
from planning.settings import Settings
from store.plans import Conflict
from store.projects import Store
from ui.format import name_text
from ui.gestures import homes_for, to_request

STORE_VARIABLE = "GRIDWRIGHT_STORE"


@dataclass(frozen=True)
class Answer:
    """What came of a request: ``key`` of a text, its values, whether the plan changed."""

    id: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    kind: str = "ok"
    edit: bool = False


def store_path(environment: Mapping[str, str]) -> Path:
    """Where the store is: :data:`STORE_VARIABLE`, else the user's own data folder."""
    named = environment.get(STORE_VARIABLE, "")
    if named:
        return Path(named).expanduser().resolve()
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "gridwright" / "plans.gridwright"


@cache
def _store_at(path: Path) -> Store:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Store(path)


def the_store() -> Store:
    """This server's store, opened once."""
    return _store_at(store_path(os.environ))


class Desk:
    """A village's plan in one scenario, in step with the store."""

    def __init__(
        self, store: Store, project: int, scenario: int, village: str, ground: Ground,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.store = store
        self.project = project
        self.scenario = scenario
        self.village = village
        self.ground = ground
        self.settings = settings
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
                return Answer(own, "redraw.told_conflict", kind="error")
            try:
                return self._act(message, own, actor)
            except RequestError as error:
                return Answer(own, f"redraw.told_bad_{error.code}", kind="error")
            except Conflict:
                self.load()
                return Answer(own, "redraw.told_conflict", kind="error")

    def _act(self, message: Mapping[str, Any], own: str, actor: str) -> Answer:
        do = str(message.get("do"))
        if do in ("undo", "redo", "goto"):
            return self._move(do, message, own, actor)
        request = to_request(message, self.ground.crs)
        homes = homes_for(request, self.ground, self.village)
        done = carry_out(request, self.plan, self.settings, homes)
        values: dict[str, object] = {
            "step": done.step, "units": done.units, "households": done.households,
            "left": done.left, "doubtful": len(done.doubtful), "cut": done.cut,
        }  # fmt: skip
        if not done.changed(self.plan):
            key = "redraw.told_locked" if done.left else "redraw.told_nothing"
            return Answer(own, key, values, kind="warn")
        params = {"grid": "", **done.said, "request": dict(request)}
        step = Step(done.step, self.plan, done.plan, params=params, actor=actor)
        self.version = self.store.save_step(self.scenario, self.village, self.version, step)
        self.history = self.history.do(replace(step, seq=self.version))
        key = "redraw.told_tidy" if done.step == "tidy" else "redraw.told_done"
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


# --- opening ------------------------------------------------------------------------------------


def plan_of_tables(units: Units, tables: PlanFile, village: str) -> Plan:
    """The plan that a plan file's polygons mean for a village's units.

    A unit belongs to the grid that a point inside it lies in, else to the nearest. Raises
    ValueError for a village without grids.
    """
    grids = tables.grids[tables.grids["village_code"].map(name_text) == village]
    grids = grids.sort_values("code", kind="stable").reset_index(drop=True)
    if not len(grids):
        raise ValueError(f"village {village} has no grid")
    middle = shapely.point_on_surface(units.geometry)
    tree = shapely.STRtree(grids.geometry.to_numpy())
    unit, row = tree.query_nearest(middle, all_matches=False)
    label = np.zeros(len(units), dtype=np.int64)
    label[unit] = row
    known = {}
    for key in np.unique(label).tolist():
        grid = grids.iloc[key]
        kind = "dedicated" if grid.get("kind") == "dedicated" else "comprehensive"
        known[key] = Grid(name_text(grid["code"]), name_text(grid["name"]), kind)
    name = name_text(grids["village_name"].iloc[0])
    codes = frozenset(name_text(code) for code in grids["code"])
    return Plan(units, label, known, name, len(grids), codes)


def _digest(plan: Plan) -> str:
    """What tells this plan from every other one, by content."""
    digest = hashlib.sha256(ground_key(plan.units).encode())
    digest.update(np.ascontiguousarray(plan.label, dtype="<i8").tobytes())
    for key in plan.keys:
        grid = plan.grids[int(key)]
        digest.update(f"{key}|{grid.code}|{grid.name}|{grid.kind}\n".encode())
    return digest.hexdigest()[:20]


def _alone(ground: Ground, row: int) -> Ground:
    """The ground with one village only: what the store is given."""
    rows = ground.rows_of(row)
    households = ground.households.iloc[np.sort(rows)].assign(village=0).reset_index(drop=True)
    return replace(
        ground,
        villages=ground.villages.iloc[[row]].reset_index(drop=True),
        households=households,
        areas=None if ground.areas is None else ground.areas[np.sort(rows)],
        unplaced=ground.unplaced.iloc[:0],
    )


def _as_proposal(plan: Plan) -> Proposal:
    k = len(plan.keys)
    usual = [plan.grids[int(key)].kind == "comprehensive" for key in plan.keys]
    place = [int(plan.units.dedicated[plan.members(int(key))].max()) for key in plan.keys]
    dedicated = np.where(usual, -1, place).astype(np.int64)
    return Proposal(
        label=plan.compact,
        dedicated=dedicated,
        ideal=np.full(k, plan.units.households.sum() / k),
        given=int((dedicated < 0).sum()),
        joined=np.zeros(k, dtype=np.int64),
        alone=np.zeros(k, dtype=bool),
        settlement=np.full(len(plan.units), -1, dtype=np.int64),
    )


def _keep(store: Store, name: str, ground: Ground, row: int, plan: Plan, settings: Settings) -> int:
    """A new project of the store that starts from ``plan``; returns its number."""
    proposal = _as_proposal(plan)
    own = VillagePlan(
        units=plan.units,
        proposal=proposal,
        measures=measure(plan.units, plan.compact, proposal.k),
        outlines=plan.outlines(),
        bounds=[""] * proposal.k,
        exceptions=[],
    )
    county = CountyPlan(_alone(ground, row), settings, (own,))
    made = store.create_project(county, name)
    opened = store.open_plan(made.scenario, plan.units.code)
    wanted = replace(plan, units=opened.plan.units)
    step = Step("import", opened.plan, wanted)
    if not step.empty:
        store.save_step(made.scenario, plan.units.code, opened.version, step)
    return int(made.project)


def open_desk(
    store: Store, ground: Ground, tables: PlanFile, village: str, settings: Settings
) -> Desk:
    """A village's desk: found in the store by its content, or put there.

    Raises KeyError for a village that the ground does not have.
    """
    rows = np.flatnonzero((ground.villages["code"].map(name_text) == village).to_numpy())
    if not len(rows):
        raise KeyError(village)
    plan = plan_of_tables(build_units(ground.village(int(rows[0]))), tables, village)
    name = f"{plan.village_name} {village} {_digest(plan)}"
    found = [held.id for held in store.projects() if held.name == name]
    project = found[0] if found else _keep(store, name, ground, int(rows[0]), plan, settings)
    scenarios = [held for held in store.scenarios(project) if not held.archived]
    return Desk(store, project, scenarios[0].id, village, ground, settings)
