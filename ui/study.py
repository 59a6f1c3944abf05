"""Events of one county made ready for the pages, once, and shared by all who look; no Streamlit.

A :class:`Study` holds the events as analysts see them (``prepared``), the same without what must
not be seen by others (``open``), and the protected tables that leaders read (``shared``, which
come a minute later).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import numpy as np

from geo.problems import InputError
from geo.read import Layer, read_layer
from incidents.areas import Areas, Homes
from incidents.categories import SIX, CategoryTable, default_table
from incidents.events import Events, load_events
from incidents.period import Period
from incidents.quality import Named
from ui.errors import BusyError, JobGoneError
from ui.event_files import (
    FILES,
    LAYERS,
    more_sources,
    read_uploads,
)
from ui.event_memory import (
    county_key,
    keep_piles,
    keep_table,
    keep_told,
    kept_piles,
    kept_table,
    kept_told,
    pile_key,
)
from ui.jobs import Job, Jobs, Step
from ui.shelf import Answers, Shelf
from ui.sources import MORE_ROLES
from ui.study_ground import files_said, ground_for, named_places

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Prepared
    from incidents.limits import Limits
    from incidents.sharing import Shared
    from ui.projects import Project
    from ui.views import PlanView

CELL_M = 200.0
T = TypeVar("T")
ROOM_DRAWN = 2_000  # reports and maps a study remembers, 70 kB each: every choice of a leader
ROOM_SOUGHT = 12  # clusters, scans and near repeats, up to a megabyte each

log = logging.getLogger("gridwright.ui")

SURVEYS = Jobs(at_once=1)
"""Readings of events have a queue of their own: no leader waits for somebody's proposal."""

@dataclass(frozen=True, eq=False)
class Courses:
    """What a category's cells became over all months: (ny, nx) word and number of hot months.

    ``breaks`` are the fixed limits of yearly density for hot cells, ``everywhere`` for all cells;
    ``unit`` how many months each of the ``months`` periods has: 1, 3 or 12.
    """

    course: np.ndarray
    hot: np.ndarray
    months: int
    breaks: np.ndarray
    everywhere: np.ndarray
    unit: int = 1


@dataclass(eq=False)
class Study:
    """Everything about the events of one county.

    ``shared`` is None until the tables for others are proved. ``piles_real`` are piles somebody
    confirmed, as numbers of findings. ``memory`` is the file that keeps what was decided, None for
    nothing to be kept. ``said`` names the files with their hashes. ``found``, ``drawn``,
    ``sought``, ``courses`` and ``kept`` remember answers; of those only ``kept`` outlives what is
    said of a pile, and holds nothing that a pile changes.

    ``whole`` is the county's study of which this is a part (:mod:`ui.study_part`): what leaders
    see of a part, they see of the county's maps and tables.
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
    said: Mapping[str, object] = field(default_factory=dict)
    courses: dict[str | None, Courses] = field(default_factory=dict)
    found: dict[object, Hotspots] = field(default_factory=dict)
    drawn: Answers = field(default_factory=lambda: Answers(ROOM_DRAWN))
    sought: Answers = field(default_factory=lambda: Answers(ROOM_SOUGHT))
    kept: dict[str, Any] = field(default_factory=dict)
    shared_failed: BaseException | None = None
    memory: Path | None = None
    whole: Study | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def county(self) -> Study:
        """The study of the whole county: this one, or the one it is a part of."""
        return self if self.whole is None else self.whole

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What depends on the events as they are and nothing else, made once."""
        if key not in self.kept:
            self.kept[key] = make()
        found: T = self.kept[key]
        return found

    def kept_apart(self, prepared: Prepared) -> Prepared:
        """The events with only those piles in doubt that nobody confirmed as real."""
        findings = enumerate(prepared.quality.findings)  # both forms have them in one order
        doubts = tuple(finding for number, finding in findings if number not in self.piles_real)
        return replace(prepared, quality=replace(prepared.quality, findings=doubts))


STUDIES: Shelf[Study] = Shelf(room=4)
_RUNNING: dict[str, str] = {}
_STARTING = threading.Lock()


def study_key(project: Project | None, view: PlanView | None) -> str:
    """The name under which everybody with this project and plan finds the same study.

    Redrawing makes no other study: whoever looks would wait half a minute for each county's first
    edit. Who wants the events by the grids of today reads them again (the analysts' page).
    Nor does who looks, but for whoever sees a part: a county has one publication.
    """
    plan = "" if view is None else view.key
    if view is not None and view.kept is not None:
        redrawn, mark, part = view.kept.view_key(None), *plan.partition("~")[1:]
        if plan == redrawn + mark + part:
            plan = view.kept.key + mark + part
    if view is not None and view.scopes is None and view.whole is not view:
        plan = plan.partition("~")[0]
    return f"{project.id if project else ''}/{plan}"


def start_study(key: str, work: Callable[[Job], Study], *, joins: bool = True) -> str:
    """Start the reading unless one runs already; returns the id of the job that runs.

    Whoever wants more than the county's events as they are (files of their own, another table) does
    not join: raises :class:`ui.errors.BusyError` while one runs.
    """
    with _STARTING:
        for over in [held for held, job in _RUNNING.items() if not _goes_on(job)]:
            del _RUNNING[over]
        if key in _RUNNING:
            if not joins:
                raise BusyError
            return _RUNNING[key]

        def put(job: Job) -> str:
            made = work(job)
            shelve(made)
            from ui import ahead  # which needs this module

            if ahead.is_wanted():
                ahead.start_ahead(made)
            return key

        _RUNNING[key] = SURVEYS.start("survey", put)
        return _RUNNING[key]


def shelve(study: Study) -> None:
    """Let visitors find a study. Parts take nobody's room, and go with their county's study."""
    STUDIES.put(study.key, study, keep=lambda held: held.whole is not None)
    held = STUDIES.all()
    for part in held:
        if part.whole is not None and not any(part.whole is other for other in held):
            STUDIES.drop(part.key)


def _goes_on(job_id: str) -> bool:
    """Does this job still run? Of those that are long over nothing is kept."""
    try:
        return not SURVEYS.look(job_id).over
    except JobGoneError:
        return False


# --- making a study -----------------------------------------------------------------------------


def make_study(
    job: Job,
    key: str,
    project: Project,
    view: PlanView | None,
    files: Sequence[tuple[str, bytes]] = (),
    table: CategoryTable | None = None,
    memory: Path | None = None,
) -> Study:
    """Read the events, place them, protect the shared tables. Raises InputError.

    ``memory`` is the file of :mod:`ui.event_memory`, for what was decided about the county before.
    For a part of a plan the county's events are read, unless they are there.
    """
    if view is not None and view.scopes is not None:
        from ui.study_part import part_study  # which needs this module

        county = _county_of(job, key, project, view, files, table, memory)
        return part_study(job, key, view, county, memory)
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
    crs, areas, homes, villages = ground_for(
        project, view, layers["beats"], layers.get("villages", ())
    )
    known = {} if villages is None else {"villages": villages}
    if table is None and memory is not None:
        table = kept_table(memory, county_key(areas))
    table = table or default_table(SIX)
    events = load_events(layers["incidents"], crs=crs, table=table, known=known)
    context = dict(view.context if view else project.context)
    roads = context.get("roads")
    named = named_places(layers["stations"], crs, areas)
    made = _made(job, key, events, areas, homes, named, table, roads, view, context, memory)
    others = {role: layers[role][0] for role in ("beats", "stations") if layers[role]}
    if villages is not None:
        others["villages"] = villages
    made.said = files_said(project, view, others)
    return made


def _county_of(
    job: Job,
    key: str,
    project: Project,
    view: PlanView,
    files: Sequence[tuple[str, bytes]],
    table: CategoryTable | None,
    memory: Path | None,
) -> Study:
    """The county's study for a part of its plan: the one there is, read anew where somebody who
    has a part wants the grids of today, or where it is not there (any longer)."""
    name = study_key(project, view.whole)
    if name in STUDIES and not files:
        held = STUDIES.get(name)
        # somebody who looks for the first time makes no other study, as study_key says
        if (held.view and held.view.whole) is view.whole or key not in STUDIES:
            return held
    made = make_study(job, name, project, view.whole, files, table, memory)
    shelve(made)
    return made


def with_table(job: Job, study: Study, table: CategoryTable) -> Study:
    """The same events under another table of classes: what is shown to others is made anew."""
    events = study.events.classified(table)
    made = _made(
        job, study.key, events, study.areas, study.homes, study.named, table, study.roads,
        study.view, study.context, study.memory, study.piles_real,
    )  # fmt: skip
    made.said = study.said
    if study.memory is not None:
        keep_table(study.memory, county_key(study.areas), table)
    return made


def pile_told(study: Study, number: int, *, real: bool) -> None:
    """Somebody said that a pile is a real place, or took it back; every map follows.

    What is so already changes nothing: a page calls this, too, for a box that has just left it.
    """
    with study.lock:
        if (number in study.piles_real) == real:
            return
        study.piles_real ^= frozenset({number})
        study.courses.clear()
        study.found.clear()
        study.drawn.clear()
        study.sought.clear()
        if study.memory is None:
            return
        county, keys = county_key(study.areas), pile_keys(study)
        here = frozenset(keys.values())  # of piles that this file does not hold nothing was said
        kept = kept_piles(study.memory, county) - here
        kept |= {key for pile, key in keys.items() if pile in study.piles_real}
        keep_piles(study.memory, county, kept)


def pile_keys(study: Study) -> dict[int, str]:
    """Number of each pile among the findings -> a digest of its place."""
    return {
        number: pile_key(study.events, finding)
        for number, finding in enumerate(study.prepared.quality.findings)
        if finding.code.startswith("quality-pile")
    }


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
    memory: Path | None = None,
    piles: frozenset[int] | None = None,
) -> Study:
    from incidents.analysis import prepare
    from incidents.sharing import without_sensitive

    job.report(Step("counting"))
    prepared = prepare(events, areas, cell=CELL_M, known=named, homes=homes)
    study = Study(
        key, events, areas, homes, named, table, roads, view, context, prepared,
        without_sensitive(prepared), memory=memory,
    )  # fmt: skip
    if piles is None and memory is not None:
        before = kept_piles(memory, county_key(areas))
        piles = frozenset(n for n, pile in pile_keys(study).items() if pile in before)
    study.piles_real = piles or frozenset()
    kinds = [None, *(k for i, k in enumerate(events.classes.keys) if (events.group == i).any())]
    for kind in kinds:
        course_of(study, kind)
    threading.Thread(target=_protect, args=(study,), name="protect", daemon=True).start()
    return study


def _protect(study: Study) -> None:
    """The tables for others: proving them takes a minute, and no map waits for it."""
    from incidents.sharing import share

    try:
        study.shared = _as_told(study, share(study.prepared))
    except Exception as error:  # whatever it is: leaders would wait for the tables for ever
        log.warning("the shared tables cannot be made: %s", type(error).__name__)
        study.shared_failed = error


def _as_told(study: Study, made: Shared) -> Shared:
    """The tables with years as leaders were told them before, by the grids of then."""
    from incidents.told import as_told

    if study.memory is None:
        return made
    county = county_key(study.areas)
    made, notes = as_told(made, kept_told(study.memory, county))
    keep_told(study.memory, county, notes)
    return made


def course_of(study: Study, kind: str | None) -> Courses | None:
    """What became of the cells of a class over all months, and its fixed limits of density.

    None where nobody reported such an event.
    """
    from incidents.analysis import analyse
    from incidents.limits import limits_of
    from incidents.selection import Selection

    with study.lock:  # a pile that is confirmed meanwhile must not find an answer of before
        if kind in study.courses:
            return study.courses[kind]
        chosen = Selection(category=kind, without_piles=True)
        try:
            found = analyse(study.kept_apart(study.open), chosen)
        except InputError:
            return None
        grown = found.development
        times = found.months
        empty = np.zeros(found.cells.shape, dtype=np.int64)
        limits = limits_of(study.open, found, years_of(study.open.events))
        made = study.courses[kind] = Courses(
            empty if grown is None else grown.course,
            empty if grown is None else grown.hot_periods,
            0 if grown is None else len(times),
            limits.hot,
            limits.everywhere,
            int(np.diff(times[:2]).astype(np.int64).sum()) or 1,
        )
        return made


def limits_for(study: Study, kind: str | None) -> Limits | None:
    """The fixed limits of density of a class as the pages draw it, None where nobody reported
    such an event."""
    from incidents.limits import Limits

    held = course_of(study, kind)
    return None if held is None else Limits(held.everywhere, held.breaks)


def years_of(events: Events) -> float:
    """Years that the events tell of, but for the days of its first and last month that they do
    not tell of."""
    from incidents import limits

    return limits.years_of(events, Period())


def county_only(prepared: Prepared) -> Prepared:
    """The events with one level of areas: a leader's map needs no table of any other."""
    levels = {"county": prepared.areas.levels["county"]}
    return replace(
        prepared, areas=replace(prepared.areas, levels=levels),
        at={"county": prepared.at["county"]},
    )  # fmt: skip
