"""Projects and plans this server holds, and the work that makes them; no Streamlit here.

A page keeps only ids, which cannot be guessed. What a project was read from stays where it is: a
folder's files are never written to, an upload's files are deleted as soon as they are read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.datum import to_wgs84
from geo.ground import Ground, Inputs, load_ground
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.read.source import record
from geo.units import build_units
from planning.planfile import LatePlan, PlanFile, read_plan
from planning.settings import Settings
from ui.acting import BEHALF, SERVER, STATED, acting_as
from ui.engine import workers_elsewhere
from ui.errors import JobGoneError
from ui.jobs import CancelledError, Job, Jobs, Step
from ui.late import LateLayers
from ui.pickups import Kind, Pickup, layers_of, pick_folder
from ui.shelf import Shelf, new_id
from ui.sources import ROLES, candidates, first_guess, safe_name
from ui.views import PlanView, units_frame

if TYPE_CHECKING:
    from planning.county import CountyPlan, Progress
    from planning.today import Today

PROJECT_VARIABLE = "GRIDWRIGHT_PROJECT"
LATE_FROM = 40_000_000
"""Bytes of a plan.gpkg from which its households and its context are read when they are needed."""

CONTEXT_ROLES = ("roads", "water", "railways", "compounds")


@dataclass
class Project:
    """One county: where its files are, and what has been read of them."""

    id: str
    name: str
    kind: Kind
    sources: Mapping[str, str]
    trusted: bool = True
    ground: Ground | None = None
    context: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    plan_id: str | None = None
    plan_file: Path | None = None  # the plan.gpkg that ``plan_id`` was opened from
    owner: int | None = None  # the account that brought it; None where everybody may open it
    loading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def can_propose(self) -> bool:
        """Are villages and households at hand?"""
        if self.ground is not None:
            return len(self.ground.households) > 0
        return bool(self.sources.get("villages") and self.sources.get("households"))


JOBS = Jobs(at_once=1)
PROJECTS: Shelf[Project] = Shelf(room=8)
PLANS: Shelf[PlanView] = Shelf(room=12)
_DEFAULT = threading.Lock()


def owner() -> int | None:
    """The account for which this thread works, None without sign-in and for the server's own."""
    who = STATED.get() or BEHALF.get()
    return who.id if who is not None and who.id else None


def inputs_of(project: Project) -> Inputs:
    """The files that a project's ground is read from; :class:`JobGoneError` without them."""
    named = {role: project.sources.get(role) or None for role in ROLES}
    villages, households = named["villages"], named["households"]
    if not villages or not households:
        raise JobGoneError(project.id)
    return Inputs(
        villages=villages,
        households=households,
        roads=named["roads"],
        water=named["water"],
        railways=named["railways"],
        compounds=named["compounds"],
        groups=named["groups"],
        dedicated=named["dedicated"],
        trusted=project.trusted,
    )


def ground_of(project: Project, job: Job) -> Ground:
    """The project's ground, read once."""
    with project.loading:
        if project.ground is None:
            job.report(Step("reading"))
            project.ground = load_ground(inputs_of(project))
            project.notes = project.ground.notes
            if isinstance(project.context, LateLayers) or not project.context:
                project.context = context_of_ground(project.ground)
        return project.ground


def ground_now(project: Project) -> Ground:
    """The project's ground, for those who wait for it without a job."""
    return ground_of(project, Job("open"))


def in_system(layer: Layer, crs: Any) -> gpd.GeoDataFrame:
    """A layer's lines or areas in another coordinate system, a hinted GCJ-02 shift undone."""
    shapes = gpd.GeoSeries(shapely.force_2d(layer.frame.geometry.to_numpy()), crs=layer.crs)
    if layer.datum_hint == "gcj02":
        degrees = shapely.transform(shapes.to_crs(4326).to_numpy(), _undo_gcj02)
        shapes = gpd.GeoSeries(degrees, crs=4326)
    table = pd.DataFrame(layer.frame.drop(columns="geometry")).reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=shapes.to_crs(crs))


def _undo_gcj02(xy: np.ndarray) -> np.ndarray:
    return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02"))


def context_of_ground(ground: Ground) -> dict[str, gpd.GeoDataFrame]:
    """Roads, water, railways and compounds as they were read, in the ground's system."""
    return {
        role: in_system(ground.layers[role], ground.crs)
        for role in CONTEXT_ROLES
        if role in ground.layers and len(ground.layers[role].frame)
    }


def read_context(
    sources: Mapping[str, str], crs: Any, *, trusted: bool
) -> tuple[dict[str, gpd.GeoDataFrame], list[Problem]]:
    """The same from files, for a plan whose ground need not be read to be looked at.

    A layer that cannot be read is left out and named among the problems: the plan is still there.
    """
    context: dict[str, gpd.GeoDataFrame] = {}
    problems: list[Problem] = []
    for role in CONTEXT_ROLES:
        if not sources.get(role):
            continue
        try:
            layer = read_layer(sources[role], role, trusted=trusted)  # type: ignore[arg-type]
        except InputError as error:
            problems += error.problems
            continue
        if layer.crs is not None and len(layer.frame):
            context[role] = in_system(layer, crs)
    return context, problems


def villages_of(ground: Ground) -> gpd.GeoDataFrame:
    """Villages with their households and persons (NaN where nobody counted)."""
    held = ground.households
    n = len(ground.villages)
    if held.empty:
        return ground.villages.assign(households=np.nan, persons=np.nan)
    persons = held["persons"].where(held["persons"] >= 0)
    villages = ground.villages.copy()
    villages["households"] = np.bincount(held["village"], weights=held["households"], minlength=n)
    villages["persons"] = persons.groupby(held["village"]).sum(min_count=1).reindex(range(n))
    return villages


def suggested_numbers(villages: pd.DataFrame, settings: Settings) -> dict[str, int]:
    """Village code -> number of grids by the formula."""
    persons = pd.to_numeric(villages["persons"], errors="coerce").fillna(-1)
    households = pd.to_numeric(villages["households"], errors="coerce").fillna(0)
    return {
        str(code): settings.grids_of(int(h), int(p))
        for code, h, p in zip(villages["code"], households, persons, strict=True)
    }


def _units_of(project: Project) -> Any:
    def units(code: str) -> gpd.GeoDataFrame | None:
        ground = project.ground
        if ground is None:
            return None
        rows = np.flatnonzero((ground.villages["code"].astype(str) == code).to_numpy())
        if not len(rows):
            return None
        return units_frame(build_units(ground.village(int(rows[0]))).geometry, ground.crs)

    return units


def keep_plan(project: Project, plan: PlanFile, county: CountyPlan | None = None) -> str:
    """Put a plan on the shelf and return its id; ``county`` is the proposal it was made of."""
    context = project.context
    if not isinstance(context, LateLayers):
        context = {role: frame.to_crs(plan.grids.crs) for role, frame in context.items()}
    view = PlanView(new_id(), plan, context, _units_of(project))
    view.county, view.owner = county, project.owner
    PLANS.put(view.key, view)
    return view.key


def _context_later(project: Project, crs: Any) -> LateLayers:
    """The context of a large plan: nobody waits for it before there is room to draw it."""

    def read() -> dict[str, gpd.GeoDataFrame]:
        found, problems = read_context(project.sources, crs, trusted=project.trusted)
        project.notes = tuple(problems)
        return found

    return LateLayers(read)


def open_pickup(job: Job, pickup: Pickup, chosen: Mapping[str, str], *, trusted: bool) -> str:
    """Read what was picked; returns the project's id. An existing plan is taken as it is.

    Without a plan the ground is read, so that the villages can be shown with their numbers.
    An upload is always read completely, because its files are deleted afterwards.
    """
    project = Project(new_id(), pickup.name, pickup.kind, dict(chosen), trusted, owner=owner())
    try:
        if pickup.plan is not None:
            job.report(Step("plan"))
            large = pickup.plan.stat().st_size > LATE_FROM
            file = None if large else record(pickup.plan)
            plan = read_plan(pickup.plan, late=large)
            if isinstance(plan, LatePlan):
                project.context = _context_later(project, plan.grids.crs)
            else:
                found, problems = read_context(chosen, plan.grids.crs, trusted=trusted)
                project.context, project.notes = found, tuple(problems)
            project.plan_id, project.plan_file = keep_plan(project, plan), pickup.plan
            PLANS.get(project.plan_id).file = file
        if project.can_propose and (pickup.plan is None or pickup.directory is not None):
            ground_of(project, job)
    finally:
        pickup.forget()
    if pickup.directory is not None:
        project.sources = {}
    PROJECTS.put(project.id, project)
    return project.id


def propose(
    job: Job,
    project: Project,
    settings: Settings,
    today: Callable[[Ground], Today] | None = None,
) -> str:
    """Propose grids; returns the new plan's id. The earlier plan stays on its shelf.

    With ``today``'s grids only those that break a rule are changed, as little as possible.
    Raises :class:`ui.jobs.CancelledError` when the job was asked to stop.
    """
    # Here: the engine takes a second to import, and who only looks need not wait for it.
    from planning.county import Cancelled, propose_county
    from planning.tables import to_planfile

    ground = ground_of(project, job)

    def progress(at: Progress) -> None:
        job.report(Step("proposing", at.done, at.total, at.village))

    job.report(Step("proposing", 0, len(ground.villages)))
    workers = max(1, min(8, os.cpu_count() or 1))
    try:
        with workers_elsewhere(os.environ) as elsewhere:
            plan = propose_county(
                ground, settings, workers=workers, progress=progress, cancelled=job.cancelled,
                today=None if today is None else today(ground), elsewhere=elsewhere,
            )  # fmt: skip
    except Cancelled as stopped:
        raise CancelledError from stopped
    job.report(Step("drawing"))
    return keep_plan(project, to_planfile(plan), plan)


def grids_of_plan(plan: PlanFile) -> Callable[[Ground], Today]:
    """The grids of a plan that is open, as today's."""
    from planning.today import of_plan

    return lambda ground: of_plan(plan, ground.crs, "plan")


def grids_of_upload(name: str, content: bytes) -> Callable[[Ground], Today]:
    """The grids of a file somebody brought; it is deleted when it has been read."""
    from planning.today import read_today

    def read(ground: Ground) -> Today:
        with tempfile.TemporaryDirectory(prefix="gridwright-upload-") as folder:
            path = Path(folder) / safe_name(name)
            path.write_bytes(content)
            return read_today(path, ground.crs, trusted=False)

    return read


def open_demonstration(job: Job) -> str:
    """Make the demonstration county in a directory of its own, read it and propose its grids."""
    from data.demo import write_county  # here: most sessions never ask for it
    from ui.event_files import keep_files

    directory = Path(tempfile.mkdtemp(prefix="gridwright-demo-"))
    try:
        job.report(Step("making"))
        write_county(directory)
        found = candidates(directory.iterdir(), layers_of)
        project = Project(new_id(), "", "demo", first_guess(found), owner=owner())
        keep_files(project.id, directory)
        ground_of(project, job)
        project.sources = {}
        project.plan_id = propose(job, project, Settings())
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    PROJECTS.put(project.id, project)
    return project.id


def default_project(environment: Mapping[str, str]) -> str | None:
    """The project the server was started with, read on first use and shared by all; or None."""
    named = environment.get(PROJECT_VARIABLE, "")
    if not named:
        return None
    with _DEFAULT:
        key = f"default:{named}"
        if key not in PROJECTS:
            folder = Path(named).expanduser().resolve()
            pickup = pick_folder(folder)
            with acting_as(SERVER):  # everybody's, whoever comes first
                project_id = open_pickup(Job("open"), pickup, pickup.chosen, trusted=True)
            project = PROJECTS.get(project_id)
            PROJECTS.put(key, project, pinned=True)
            PROJECTS.put(project.id, project, pinned=True)
            if project.plan_id is not None:
                PLANS.put(project.plan_id, PLANS.get(project.plan_id), pinned=True)
        return PROJECTS.get(key).id
