"""A plan in the store: its scenarios, its villages' desks, its tables as they are now.

What is redrawn is in the store at once. The plan's page, the downloads and the register read the
tables that :meth:`Kept.view` gives: those of the plan file, with the edited villages filed again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.ground import Ground
from geo.linework import Linework
from geo.problems import InputError
from geo.surroundings import KINDS, lines_of
from planning.check import settings_of
from planning.faults import Unplaced, unplaced_near
from planning.keep import NotKept
from planning.opened import county_of_plan, plan_digest
from planning.planfile import LatePlan
from store.projects import ScenarioInfo, Store
from ui.acting import SERVER, acting_as
from ui.desk import Answer, Desk
from ui.desk_trouble import Scenarios
from ui.format import name_text
from ui.late import LateLayers
from ui.shelf import Shelf, new_id
from ui.views import PlanView, units_frame

if TYPE_CHECKING:
    from ui.micro_desk import MicroBook, Stamp

log = logging.getLogger("gridwright.ui")


class Kept:
    """A project of the store, shared by everybody who has it open.

    ``first`` is the plan as it was opened, every layer of it (None for a project opened from the
    store alone: then no household is shown, because the store holds none). ``not_kept`` what the
    grids of a foreign plan file lost when they were laid on units; ``homes`` reads the ground
    with its households, for cutting units.
    """

    slot = "scenario"
    """Where a visitor's session remembers which scenario is open."""
    branches = True
    """Has it scenarios of its own?"""

    def __init__(
        self,
        store: Store,
        project: int,
        first: PlanView | None,
        not_kept: tuple[NotKept, ...] = (),
        homes: Callable[[], Ground] | None = None,
    ) -> None:
        self.store = store
        self.project = project
        self.first = first
        self.key = first.key if first else new_id()
        self.not_kept = not_kept
        self.homes = homes
        self.settings = store.settings(project)
        self.ground = store.ground(project)
        self._unplaced = {} if first is None else _unplaced(first.plan.unplaced, self.ground)
        self._desks: Shelf[Desk] = Shelf(room=60)
        self._scenarios = Scenarios(store, project)
        self._views: dict[int, tuple[dict[str, int], Stamp, PlanView]] = {}
        self._lock = threading.RLock()

    def scenarios(self, *, archived: bool = False) -> list[ScenarioInfo]:
        """The scenarios that may be opened, in the order they were made."""
        found = self._scenarios.now()
        return [one for one in found if archived or not one.archived]

    def scenario(self, wanted: int | None) -> int:
        """The scenario asked for where it is there, else the adopted one, else the first."""
        held = {one.id: one for one in self._scenarios.now()}
        if wanted in held:
            return int(wanted)
        adopted = [one.id for one in held.values() if one.adopted]
        usual = [one.id for one in held.values() if not one.archived]
        return (adopted or usual or list(held))[0]

    def desk(self, scenario: int, village: str) -> Desk:
        """A village's desk in a scenario. Raises KeyError for a village that is not here."""
        with self._lock:
            key = f"{scenario}/{village}"
            if key not in self._desks:
                if village not in {str(code) for code in self.ground.villages["code"]}:
                    raise KeyError(village)
                self._desks.put(key, self.make_desk(scenario, village), keep=_has_unsaved)
            return self._desks.get(key)

    def make_desk(self, scenario: int, village: str) -> Desk:
        """A new desk of a village that is here."""
        return Desk(
            self.store, self.project, scenario, village, self.ground, self.settings,
            self._homes_of(village), self._unplaced.get(village),
        )  # fmt: skip

    def _homes_of(self, village: str) -> Callable[[], Ground] | None:
        """What reads a ground that has the village's households in it."""
        plan = None if self.first is None else self.first.plan
        if not isinstance(plan, LatePlan):
            return self.homes
        # a city's whole ground takes half a minute and a gigabyte; its plan knows who lives where
        return cache(lambda: _lived_in(self.ground, village, plan.households_of([village])))

    def branch_with(
        self, desk: Desk, stale: object, request: Mapping[str, Any], name: str, actor: str = ""
    ) -> tuple[int, Answer]:
        """A scenario that starts where a page stood when somebody was faster, with its step.

        Returns the scenario and what came of the step there. ``stale`` is the token that the
        page's request was made on; ValueError for one that this plan never had.
        """
        version = desk.version_of(stale)
        if version is None:
            raise ValueError("the plan never had this state")
        number = self.store.branch(desk.scenario, name, actor=actor, at={desk.village: version})
        own = self.desk(number, desk.village)
        return number, own.ask({**request, "base": own.token}, actor)

    def view_key(self, scenario: int | None) -> str:
        """Names a scenario's plan once something was redrawn; None for the proposal."""
        return f"{self.key}/{self._proposal if scenario is None else scenario}"

    @cached_property
    def _proposal(self) -> int:
        """The scenario that every other was branched from."""
        return min(one.id for one in self.store.scenarios(self.project, deleted=True))

    def view(self, scenario: int) -> PlanView:
        """The plan as the scenario has it now; only villages that changed are filed again."""
        with self._lock:
            versions = self.store.versions(scenario)
            with acting_as(SERVER):
                stamps = self.micro.stamps(scenario)
            before, marks, held = self._views.get(scenario, ({}, {}, self.first))
            changed = [code for code, version in versions.items() if version != before.get(code, 0)]
            finer = [code for code, mark in stamps.items() if mark != marks.get(code)]
            if held is not None and not changed and not finer:
                return held
            if held is None:
                filed = self.store.planfile_of(scenario)
            else:
                filed = held.plan
                if changed:
                    filed = self.store.refiled(
                        scenario, filed, changed, self._lines, self.ground
                    )
            with acting_as(SERVER):  # what follows from others' steps, whoever looks first
                filed = self.micro.filed(scenario, filed, list(dict.fromkeys([*changed, *finer])))
            view = PlanView(
                self.view_key(scenario),
                filed,
                self.first.context if self.first else {},
                self._units_of(scenario),
            )
            if held is not None:
                view.overview = held.overview.after(view.plan, {*changed, *finer})
            view.kept = self
            self._views[scenario] = (versions, stamps, view)
            return view

    @cached_property
    def _lines(self) -> Linework | None:
        """Where roads, waters and railways run, for the four bounds; None without the files."""
        if self.first is None:
            return None
        context = {role: self.first.context[role] for role in KINDS if role in self.first.context}
        return lines_of({role: own.to_crs(self.ground.crs) for role, own in context.items()})

    @cached_property
    def micro(self) -> MicroBook:
        """The micro-grids that were redrawn."""
        from ui.micro_desk import MicroBook  # it keeps micro-grids as this keeps grids

        return MicroBook(self)

    def _units_of(self, scenario: int) -> Callable[[str], gpd.GeoDataFrame | None]:
        def units(code: str) -> gpd.GeoDataFrame | None:
            try:
                desk = self.desk(scenario, code)
            except KeyError:
                return None
            return units_frame(desk.plan.units.geometry, self.ground.crs)

        return units


def _lived_in(ground: Ground, village: str, held: gpd.GeoDataFrame) -> Ground:
    """The ground of one village alone, with its households as the plan's file has them."""
    own = ground.villages[ground.villages["code"].map(name_text) == village]
    there = held.to_crs(ground.crs).geometry
    table = pd.DataFrame(
        {
            "household_id": held["household_id"].to_numpy(),
            "households": held["households"].to_numpy(dtype=np.int64),
            "persons": pd.to_numeric(held["persons"]).fillna(-1).to_numpy(dtype=np.int64),
            "x": there.x.to_numpy(float), "y": there.y.to_numpy(float), "village": 0, "set_id": -1,
        }
    )  # fmt: skip
    none = np.empty(0, dtype=object)
    return replace(
        ground, villages=own.reset_index(drop=True), households=table,
        lines=Linework(none, none, none),
        wholes=ground.wholes.iloc[:0].assign(set_id=np.empty(0, dtype=np.int64)),
    )  # fmt: skip


def _has_unsaved(desk: Desk) -> bool:
    """Has it steps that no store has? Then it must not leave the shelf."""
    return bool(desk.unsaved)


def _unplaced(lost: gpd.GeoDataFrame, ground: Ground) -> dict[str, Unplaced]:
    """Households in no village, by the code of the village that is nearest to them."""
    if not len(lost):
        return {}
    there = lost.to_crs(ground.crs).geometry
    xy = np.column_stack([there.x.to_numpy(float), there.y.to_numpy(float)])
    households = lost["households"].to_numpy(dtype=np.int64)
    near = unplaced_near(xy, households, ground.villages.geometry.to_numpy())
    codes = ground.villages["code"].map(name_text)
    return {str(codes.iloc[row]): found for row, found in near.items()}


_KEEPING = threading.Lock()


def find_kept(store: Store, view: PlanView) -> Kept | None:
    """The project that the store holds of a plan, or None. Looks once a view."""
    if view.kept is not None or view.sought:  # never wait for a plan that is being put there
        return view.kept
    with _KEEPING:
        if view.kept is None and not view.sought:
            number = store.marked(plan_digest(view.plan))
            view.sought = True
            if number is not None:
                if isinstance(view.context, LateLayers):
                    view.context.begin()  # the board draws them, and four bounds name them
                view.kept = Kept(store, number, view, view.not_kept)
        return view.kept


def keep_view(
    store: Store,
    view: PlanView,
    name: str,
    ground: Callable[[], Ground],
    progress: Callable[[int, int], None] | None = None,
) -> Kept:
    """The plan in the store, put there if it is not: the start of every redrawing.

    ``ground`` is read only where it is needed. Raises :class:`geo.problems.InputError` where the
    plan and the ground do not belong together.
    """
    found = find_kept(store, view)
    if found is not None:
        found.homes = found.homes or ground
        return found
    with _KEEPING:
        if view.kept is None:
            view.kept = _put(store, view, name, ground, progress)
        return view.kept


def _put(
    store: Store,
    view: PlanView,
    name: str,
    ground: Callable[[], Ground],
    progress: Callable[[int, int], None] | None,
) -> Kept:
    county = view.county
    lost: tuple[NotKept, ...] = ()
    if county is None:
        opened = county_of_plan(ground(), view.plan, settings_of(view.plan), progress)
        county, lost = opened.county, opened.not_kept
    told, mark = view.plan.provenance, plan_digest(view.plan)
    made = store.create_project(county, name, provenance=told, mark=mark)
    view.county = None  # the store has it now; one copy is enough
    return Kept(store, made.project, view, lost, ground)


def keep_in_background(
    store: Store, view: PlanView, name: str, ground: Callable[[], Ground]
) -> None:
    """Put a plan that was opened into the store meanwhile, so that no planner waits for it.

    Once a view. What goes wrong is logged, and said when the board is opened.
    """
    if view.kept is not None or view.preparing:
        return
    view.preparing = True

    def work() -> None:
        try:
            with acting_as(SERVER):
                keep_view(store, view, name, ground)
        except (InputError, OSError, ValueError) as error:
            log.warning("the plan is not ready to be redrawn: %s", type(error).__name__)

    threading.Thread(target=work, name="keep", daemon=True).start()


def open_kept(store: Store, project: int) -> tuple[Kept, PlanView]:
    """A project opened from the store alone, and the plan to show of it."""
    kept = Kept(store, project, None)
    return kept, kept.view(kept.scenario(None))
