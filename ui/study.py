"""Events of one county made ready for the pages, once, and shared by all who look; no Streamlit.

A :class:`Study` holds the events as analysts see them (``prepared``), the same without what must
not be seen by others (``open``), and the protected tables that leaders read (``shared``, which
come a minute later).
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from geo.crs import metric_crs
from geo.harmonise import degrees, metric, state_systems
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.roles import likely_role
from incidents.areas import Areas, Homes, areas_of
from incidents.categories import SIX, CategoryTable, default_table
from incidents.events import Events, load_events
from incidents.quality import Named
from ui.jobs import Job, Jobs, Step
from ui.pickups import layers_of
from ui.shelf import Shelf, new_id
from ui.sources import MORE_ROLES, candidates, safe_name

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Prepared
    from incidents.sharing import Shared
    from ui.projects import Project
    from ui.views import PlanView

CELL_M = 200.0

log = logging.getLogger("gridwright.ui")

SURVEYS = Jobs(at_once=1)
"""Readings of events have a queue of their own: no leader waits for somebody's proposal."""

LAYERS: Shelf[Mapping[str, tuple[Layer, ...]]] = Shelf(room=8)
"""Layers of events, beats and stations that came with an upload, by the project's id."""


FILES: Shelf[tuple[tuple[str, str, bytes], ...]] = Shelf(room=4)
"""Files (role, name, content) of projects whose folder is gone, by the project's id."""


@dataclass(frozen=True, eq=False)
class Courses:
    """What a category's cells became over all months: (ny, nx) word and number of hot months.

    ``breaks`` are the fixed limits of yearly density for hot cells, ``everywhere`` for all cells.
    """

    course: np.ndarray
    hot: np.ndarray
    months: int
    breaks: np.ndarray
    everywhere: np.ndarray


@dataclass(eq=False)
class Study:
    """Everything about the events of one county.

    ``shared`` is None until the tables for others are proved. ``piles_real`` are piles somebody
    confirmed, as numbers of findings. ``found``, ``courses`` and ``kept`` remember answers.
    """

    key: str
    events: Events
    areas: Areas
    homes: Homes | None
    named: tuple[Named, ...]
    table: CategoryTable
    roads: gpd.GeoDataFrame | None
    view: PlanView | None
    context: Mapping[str, gpd.GeoDataFrame]
    prepared: Prepared
    open: Prepared
    shared: Shared | None = None
    piles_real: frozenset[int] = frozenset()
    courses: dict[str | None, Courses] = field(default_factory=dict)
    found: dict[object, Hotspots] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    shared_failed: BaseException | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def kept_apart(self, prepared: Prepared) -> Prepared:
        """The events with only those piles in doubt that nobody confirmed as real."""
        findings = enumerate(prepared.quality.findings)  # both forms have them in one order
        doubts = tuple(finding for number, finding in findings if number not in self.piles_real)
        return replace(prepared, quality=replace(prepared.quality, findings=doubts))


STUDIES: Shelf[Study] = Shelf(room=4)
_RUNNING: dict[str, str] = {}
_STARTING = threading.Lock()


def study_key(project: Project | None, view: PlanView | None) -> str:
    """The name under which everybody with this project and plan finds the same study."""
    return f"{project.id if project else ''}/{view.key if view else ''}"


def start_study(key: str, work: Callable[[Job], Study]) -> str:
    """Start the reading unless it runs already; returns the job's id."""
    with _STARTING:
        running = _RUNNING.get(key)
        if running is not None and not SURVEYS.look(running).over:
            return running

        def put(job: Job) -> str:
            STUDIES.put(key, work(job))
            return key

        _RUNNING[key] = SURVEYS.start("survey", put)
        return _RUNNING[key]


# --- what there is to read ----------------------------------------------------------------------


def more_sources(project: Project) -> dict[str, tuple[str, ...]]:
    """Role -> files of events, beats and stations beside the project's own files."""
    folders = {_file(source).parent for source in project.sources.values() if source}
    found: dict[str, tuple[str, ...]] = {}
    for folder in sorted(folders):
        if not folder.is_dir():
            continue
        for candidate in candidates(folder.iterdir(), layers_of):
            role = likely_role(candidate.label)
            if role in MORE_ROLES:
                found[role] = (*found.get(role, ()), candidate.source)
    return found


def _file(source: str) -> Path:
    """The file of a source; ``FILE:layer`` names a layer of it."""
    path = Path(source)
    return path if path.exists() else Path(source.rpartition(":")[0] or source)


def keep_files(project_id: str, folder: Path) -> None:
    """Hold the events, beats and stations of a folder that is about to be deleted."""
    held = []
    for path in sorted(folder.iterdir()):
        role = likely_role(path.name)
        if role in MORE_ROLES:
            held.append((str(role), path.name, path.read_bytes()))
    FILES.put(project_id, tuple(held))


def has_events(project: Project) -> bool:
    """Did the project come with events?"""
    if project.id in FILES and any(role == "incidents" for role, _, _ in FILES.get(project.id)):
        return True
    held = LAYERS.get(project.id) if project.id in LAYERS else {}
    return bool(held.get("incidents") or more_sources(project).get("incidents"))


def read_uploads(
    job: Job,
    files: Sequence[tuple[str, bytes]],
    role: str = "incidents",
    *,
    trusted: bool = False,
) -> tuple[Layer, ...]:
    """Layers of files (name, content), as from a browser; on the disk only while they are read."""
    folder = Path(tempfile.mkdtemp(prefix="gridwright-upload-"))
    try:
        found = []
        for number, (name, content) in enumerate(files):
            job.report(Step("reading", number, len(files)))
            path = folder / safe_name(name)
            path.write_bytes(content)
            found.append(read_layer(str(path), role, trusted=trusted, name=name))  # type: ignore[arg-type]
        return tuple(found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- making a study -----------------------------------------------------------------------------


def make_study(
    job: Job,
    key: str,
    project: Project,
    view: PlanView | None,
    files: Sequence[tuple[str, bytes]] = (),
    table: CategoryTable | None = None,
) -> Study:
    """Read the events, place them, protect the shared tables. Raises InputError."""
    job.report(Step("reading"))
    layers: dict[str, list[Layer]] = {role: [] for role in MORE_ROLES}
    if project.id in LAYERS:
        for role, held in LAYERS.get(project.id).items():
            layers.setdefault(role, []).extend(held)
    for role, name, content in FILES.get(project.id) if project.id in FILES else ():
        layers[role] += read_uploads(job, [(name, content)], role, trusted=True)
    for role, sources in more_sources(project).items():
        for source in sources if not (files and role == "incidents") else ():
            layers[role].append(read_layer(source, role, trusted=project.trusted))  # type: ignore[arg-type]
    if files:
        layers["incidents"] = list(read_uploads(job, files))
    crs, areas, homes, villages = _ground(
        project, view, layers["beats"], layers.get("villages", ())
    )
    known = {} if villages is None else {"villages": villages}
    table = table or default_table(SIX)
    events = load_events(layers["incidents"], crs=crs, table=table, known=known)
    context = dict(view.context if view else project.context)
    roads = context.get("roads")
    named = _named(layers["stations"], crs, areas)
    return _made(job, key, events, areas, homes, named, table, roads, view, context)


def with_table(job: Job, study: Study, table: CategoryTable) -> Study:
    """The same events under another table of classes: what is shown to others is made anew."""
    events = study.events.classified(table)
    made = _made(
        job, study.key, events, study.areas, study.homes, study.named, table, study.roads,
        study.view, study.context,
    )  # fmt: skip
    made.piles_real = study.piles_real
    return made


def _made(
    job: Job,
    key: str,
    events: Events,
    areas: Areas,
    homes: Homes | None,
    named: tuple[Named, ...],
    table: CategoryTable,
    roads: gpd.GeoDataFrame | None,
    view: PlanView | None,
    context: Mapping[str, gpd.GeoDataFrame],
) -> Study:
    from incidents.analysis import prepare
    from incidents.sharing import without_sensitive

    job.report(Step("counting"))
    prepared = prepare(events, areas, cell=CELL_M, known=named, homes=homes)
    study = Study(
        key, events, areas, homes, named, table, roads, view, context, prepared,
        without_sensitive(prepared),
    )  # fmt: skip
    kinds = [None, *(k for i, k in enumerate(events.classes.keys) if (events.group == i).any())]
    for kind in kinds:
        course_of(study, kind)
    threading.Thread(target=_protect, args=(study,), name="protect", daemon=True).start()
    return study


def _protect(study: Study) -> None:
    """The tables for others: proving them takes a minute, and no map waits for it."""
    from incidents.sharing import share

    try:
        study.shared = share(study.prepared)
    except (InputError, ValueError, MemoryError) as error:
        log.warning("the shared tables cannot be made: %s", type(error).__name__)
        study.shared_failed = error


def course_of(study: Study, kind: str | None) -> Courses | None:
    """What became of the cells of a class over all months, and its fixed limits of density.

    None where nobody reported such an event.
    """
    from incidents.analysis import analyse
    from incidents.density import fixed_breaks
    from incidents.selection import Selection

    if kind not in study.courses:
        chosen = Selection(category=kind, without_piles=True)
        try:
            found = analyse(study.kept_apart(study.open), chosen)
        except InputError:
            return None
        grown, hot = found.development, found.significance.hot
        times = found.months
        empty = np.zeros(found.cells.shape, dtype=np.int64)
        yearly = found.surface / years_of(study.open.events)
        study.courses[kind] = Courses(
            empty if grown is None else grown.course,
            empty if grown is None else grown.hot_periods,
            0 if grown is None else len(times),
            fixed_breaks(yearly[hot] if hot.any() else yearly, 5),
            fixed_breaks(yearly, 5),
        )
    return study.courses[kind]


def years_of(events: Events) -> float:
    """Years that the events tell of, whole months counted; a month at least."""
    months = events.months
    told = months[months >= 0]
    return float(told.max() - told.min() + 1) / 12 if len(told) else 1 / 12


def county_only(prepared: Prepared) -> Prepared:
    """The events with one level of areas: a leader's map needs no table of any other."""
    levels = {"county": prepared.areas.levels["county"]}
    return replace(
        prepared, areas=replace(prepared.areas, levels=levels),
        at={"county": prepared.at["county"]},
    )  # fmt: skip


# --- areas --------------------------------------------------------------------------------------


def _ground(
    project: Project, view: PlanView | None, beats: Sequence[Layer], alone: Sequence[Layer]
) -> tuple[CRS, Areas, Homes | None, Layer | None]:
    """Metric system, areas and homes: of the plan, else of the villages, else of the beats.

    ``alone`` are villages that came without households, so that no ground was made of them.
    """
    files: dict[str, Layer] = {"beats": beats[0]} if beats else {}
    if alone:
        files["villages"] = alone[0]
    elif view is None and project.ground is None and project.sources.get("villages"):
        source = project.sources["villages"]
        files["villages"] = read_layer(source, "villages", trusted=project.trusted)
    stated, problems = state_systems(files)
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        raise InputError(wrong)
    grids = villages = None
    homes = None
    if view is not None:
        crs = CRS(view.grids.crs)
        grids, villages = view.grids, view.plan.villages
        homes = _homes(view.plan.households)
    elif project.ground is not None:
        from ui.projects import villages_of

        crs, villages = CRS(project.ground.crs), villages_of(project.ground)
        homes = _homes(project.ground.households)
    elif stated:
        first = stated.get("villages") or stated["beats"]
        west, south, east, north = degrees(first).total_bounds
        crs = metric_crs((west + east) / 2, (south + north) / 2)
    else:
        raise InputError([Problem("areas-none")])
    frames = {role: _frame(layer, crs) for role, layer in stated.items()}
    villages = villages if villages is not None else frames.get("villages")
    areas = areas_of(
        crs, grids=grids, villages=villages, beats=frames.get("beats"), homes=homes
    )
    return crs, areas, homes, stated.get("villages")


def _homes(held: pd.DataFrame) -> Homes | None:
    """Homes of a plan (with shapes) or of a ground (with the columns x and y, metres)."""
    if not len(held):
        return None
    points = held
    if isinstance(held, gpd.GeoDataFrame):
        points = held.geometry.representative_point()
    persons = held["persons"].astype(float).to_numpy()
    return Homes(
        np.column_stack([points.x, points.y]).astype(float),
        held["households"].to_numpy(dtype=float),
        np.where(persons < 0, np.nan, persons),
    )  # fmt: skip


def _frame(layer: Layer, crs: CRS) -> gpd.GeoDataFrame:
    if "geometry" not in layer.frame:
        raise InputError([Problem("layer-no-shapes", layer.file.name)])
    there = layer.frame.geometry.notna().to_numpy()
    table = layer.frame[there].drop(columns="geometry").reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=metric(layer, crs)[there], crs=crs)


def _named(stations: Sequence[Layer], crs: CRS, areas: Areas) -> tuple[Named, ...]:
    """Stations and village centres, for telling what events are piled up at."""
    found = []
    for layer in stations:
        stated, _ = state_systems({"stations": layer})
        frame = _frame(stated["stations"], crs)
        xy = np.column_stack([frame.geometry.centroid.x, frame.geometry.centroid.y])
        names = frame.get("name", frame.index)
        found.append(Named("station", xy, [str(name) for name in names]))
    if "village" in areas.levels:
        middle = gpd.GeoSeries(areas.shapes("village")).centroid
        names = list(areas.levels["village"].names)
        found.append(Named("centre", np.column_stack([middle.x, middle.y]), names))
    return tuple(found)


def fresh_key() -> str:
    """A key for events that one visitor brought; nobody can guess it."""
    return new_id()
