"""Files on their way in: looked into, corrected, accepted or taken away; no Streamlit here.

Truth lives in :class:`Intake`, which belongs to one visitor. An upload's bytes are held in memory
only; they lie on the disk, in a private folder, while a confined process reads them, and never
longer, whatever happens to the reading. Nothing becomes part of a project before it is accepted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from geopandas import GeoDataFrame

from geo.columns import ROLES as ALL_ROLES
from geo.columns import Role
from geo.crs import metric_crs
from geo.datum import Datum, DatumEvidence
from geo.ground import Inputs, assemble
from geo.harmonise import degrees, state_systems
from geo.inspect import Choice, dimension_of, evidence, look, restated
from geo.outlines import can_stand_for_villages
from geo.problems import InputError, Language, Problem
from geo.read import Layer, list_layers
from geo.reasons import why
from geo.roles import likely_role
from ui.event_files import LAYERS
from ui.format import name_text
from ui.jobs import CancelledError, Job, Jobs, Step
from ui.projects import CONTEXT_ROLES, PROJECTS, Project, context_of_ground, in_system, owner
from ui.remembered import keep, recall
from ui.shelf import Shelf, new_id
from ui.sources import (
    MORE_ROLES,
    NOT_DATA,
    PLAN_NAME,
    READABLE,
    REQUIRED,
    ROLES,
    USED_ROLES,
    safe_name,
)

_HOLD_SEVERAL = (
    ".gpkg", ".gdb", ".zip", ".xlsx", ".xls", ".kml", ".kmz", ".ovkml", ".json", ".geojson",
)  # fmt: skip
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet", ".geoparquet")
AT_ONCE = 2  # readings; a third would only wait for a processor

LOOKS = Jobs(at_once=AT_ONCE)
"""Readings have a queue of their own: nobody waits for another visitor's proposal."""


@dataclass
class Entry:
    """One layer of one file: what was decided about it and what was read.

    ``file`` is the name its owner knows, ``stored`` the name on the disk, ``inner`` the layer's
    name where a file holds several. Without a ``layer`` the ``problems`` say why.
    """

    number: int
    file: str
    stored: str
    inner: str = ""
    choice: Choice | None = None
    used: bool = False
    decided: bool = False  # whether it is used was said by somebody, now or the last time
    remembered: bool = False
    layer: Layer | None = None
    problems: tuple[Problem, ...] = ()
    columns: tuple[str, ...] = ()
    taken_for: frozenset[str] = frozenset()  # every role it was ever read as
    _phrases: tuple[Layer, Language, dict[str, str]] | None = field(default=None, repr=False)

    def take_for(self, choice: Choice) -> None:
        """Read it as this from now on; what it was taken for before is remembered."""
        self.choice = choice
        self.taken_for |= {choice.role}

    def phrases(self, language: Language) -> dict[str, str]:
        """The file's columns -> why each was taken for what, worked out once a reading."""
        if self.layer is None:
            return {}
        held = self._phrases
        if held is None or held[0] is not self.layer or held[1] != language:
            told = {c.source: why(self.layer, c, language) for c in self.layer.columns}
            held = self._phrases = self.layer, language, told
        return held[2]

    @property
    def label(self) -> str:
        """The name to show, plain text."""
        return name_text(f"{self.file} · {self.inner}" if self.inner else self.file)

    @property
    def role(self) -> Role | None:
        """What the layer is taken for."""
        return self.choice.role if self.choice is not None else None

    @property
    def is_table(self) -> bool:
        """Does the file have columns of coordinates instead of shapes?"""
        return Path(self.stored).suffix.lower() in _TABLES


@dataclass
class Intake:
    """The files one visitor brought. ``memory`` is where choices are remembered."""

    id: str
    memory: Path
    uploads: dict[str, bytes] = field(default_factory=dict)  # name on the disk -> content
    names: dict[str, str] = field(default_factory=dict)  # name on the disk -> the owner's
    folder: Path | None = None
    entries: list[Entry] = field(default_factory=list)
    forgotten: bool = False
    _evidence: dict[tuple[int, int, str], tuple[DatumEvidence | None, Layer, Layer]] = field(
        default_factory=dict
    )

    @property
    def trusted(self) -> bool:
        """Files of the server's own folders are; uploads are not."""
        return self.folder is not None

    @contextmanager
    def on_disk(self, only: str = "") -> Iterator[Path]:
        """A folder with the files, for one reading; an upload's is deleted afterwards.

        ``only`` writes one file and those that share its stem (the parts of a Shapefile).
        """
        if self.folder is not None:
            yield self.folder
            return
        stem = only.rpartition(".")[0].lower()
        directory = Path(tempfile.mkdtemp(prefix="gridwright-upload-"))
        try:
            for name, content in list(self.uploads.items()):
                if not only or name.rpartition(".")[0].lower() == stem:
                    (directory / name).write_bytes(content)
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def forget(self) -> None:
        """Let go of the files' content; a look into them that still runs keeps nothing."""
        self.forgotten = True
        self.uploads.clear()
        self.entries.clear()
        self._evidence.clear()

    def of_role(self, role: str) -> Entry | None:
        """The layer used for a role, once it was read."""
        for entry in self.entries:
            if entry.used and entry.role == role and entry.layer is not None:
                return entry
        return None

    def evidence(self, entry: Entry) -> DatumEvidence | None:
        """What a layer of points says about its datum, asked once; None without villages."""
        villages = self.of_role("villages")
        if entry.layer is None or villages is None or villages.choice is None:
            return None
        if villages.layer is None or villages is entry:
            return None
        key = (id(entry.layer), id(villages.layer), villages.choice.datum)
        if key not in self._evidence:
            outlines = restated(villages.layer, villages.choice.datum)
            # the layers are held with it: another one cannot have their numbers meanwhile
            told = evidence(entry.layer, outlines)
            self._evidence[key] = (told, entry.layer, villages.layer)
        return self._evidence[key][0]


INTAKES: Shelf[Intake] = Shelf(room=8)


def take_uploads(files: Iterable[tuple[str, bytes]], memory: Path) -> Intake:
    """Files from the browser (name, content); nothing is read yet."""
    intake = Intake(new_id(), memory)
    add_uploads(intake, files)
    INTAKES.put(intake.id, intake)
    return intake


def add_uploads(intake: Intake, files: Iterable[tuple[str, bytes]]) -> None:
    """More files (name, content) beside those that were brought; :func:`look_into` reads them."""
    for name, content in files:
        stored = safe_name(name)
        stem, dot, suffix = stored.rpartition(".")
        number = 1
        while stored in intake.uploads:
            number += 1
            stored = f"{stem}-{number}{dot}{suffix}"
        intake.uploads[stored] = content
        intake.names[stored] = name.replace("\\", "/").rpartition("/")[2]


def take_folder(folder: Path, memory: Path) -> Intake:
    """The files of a folder of the server; they are read where they lie and never written to."""
    intake = Intake(new_id(), memory, folder=folder)
    intake.names = {path.name: path.name for path in sorted(folder.iterdir())}
    INTAKES.put(intake.id, intake)
    return intake


def look_into(job: Job, intake: Intake) -> str:
    """List every file's layers and read each for what it seems to be; returns the intake's id.

    What was looked into before stays as it was decided.
    """
    wanted = [name for name in sorted(intake.names) if _is_data(name)]
    wanted += _without_shapes(intake.names)
    before = [entry for entry in intake.entries if entry.stored in wanted]
    seen = {entry.stored for entry in before}
    first = 1 + max((entry.number for entry in intake.entries), default=-1)
    names = [name for name in wanted if name not in seen]
    with intake.on_disk() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            found: list[tuple[str, str]] = []
            listings = pool.map(lambda name: _layers(intake, folder / name), names)
            for done, (name, inner) in enumerate(zip(names, listings, strict=True)):
                found += [(name, layer) for layer in inner]
                job.report(Step("looking", done, 2 * len(names), intake.names[name]))
            entries = [
                Entry(number, intake.names[name], name, layer)
                for number, (name, layer) in enumerate(found, first)
            ]

            def read(entry: Entry) -> Entry:
                _first_look(intake, entry, folder)
                return entry

            for done, entry in enumerate(pool.map(read, entries)):
                job.report(Step("looking", len(entries) + done, 2 * len(entries), entry.label))
        except CancelledError:
            pool.shutdown(cancel_futures=True)
            raise
    if intake.forgotten:
        raise CancelledError
    entries = before + entries
    _use_first_of_each(entries)
    intake.entries = sorted(entries, key=_place_in_list)
    return intake.id


def _is_data(name: str) -> bool:
    suffix = Path(name).suffix.lower()
    return suffix in READABLE and name.lower() not in NOT_DATA and name != PLAN_NAME


def _without_shapes(names: Iterable[str]) -> list[str]:
    """One part of each Shapefile that came without its .shp: reading it says what is missing."""
    whole = {Path(name).stem.lower() for name in names if Path(name).suffix.lower() == ".shp"}
    parts = {
        Path(name).stem.lower(): name
        for suffix in (".shx", ".dbf")  # the table goes first: it is the last to be put here
        for name in sorted(names)
        if Path(name).suffix.lower() == suffix
    }
    return [name for stem, name in sorted(parts.items()) if stem not in whole]


def _layers(intake: Intake, path: Path) -> list[str]:
    """Names of a file's layers; one without a name where there is one, or none can be listed."""
    if path.suffix.lower() not in _HOLD_SEVERAL:
        return [""]
    try:
        found = list_layers(path, trusted=intake.trusted)
    except InputError as error:
        several = [p.params["names"] for p in error.problems if p.code == "read_zip_several"]
        found = str(several[0]).split(", ") if several else []
    return found if len(found) > 1 else [""]


def _source(entry: Entry, folder: Path) -> str:
    path = str(folder / entry.stored)
    return f"{path}:{entry.inner}" if entry.inner else path


def _first_look(intake: Intake, entry: Entry, folder: Path) -> None:
    """Find out what a layer is; what was decided about such columns before goes first."""
    hint = entry.inner or Path(entry.file).stem
    try:
        layer = look(
            _source(entry, folder), trusted=intake.trusted, name=entry.file, hint=hint
        )
    except InputError as error:
        entry.problems, entry.columns = error.problems, error.columns
        guess = likely_role(hint)
        if guess:
            entry.take_for(Choice(guess))
    else:
        entry.take_for(Choice(layer.role))
        _read_well(entry, layer)
    before = recall(intake.memory, entry.columns)
    if before is None:
        return
    entry.remembered = True
    entry.used, entry.decided = bool(before.used), before.used is not None
    if before.choice != entry.choice:
        _read_as(intake, entry, before.choice, folder)


def _read_well(entry: Entry, layer: Layer) -> None:
    entry.layer, entry.problems = layer, tuple(layer.problems)
    entry.columns = tuple(column.source for column in layer.columns)


def _read_as(intake: Intake, entry: Entry, choice: Choice, folder: Path) -> None:
    """Read a layer as chosen; what is wrong with it stays with it."""
    try:
        layer = look(_source(entry, folder), choice, trusted=intake.trusted, name=entry.file)
    except InputError as error:
        entry.layer, entry.problems = None, error.problems
        entry.columns = error.columns or entry.columns
    else:
        _read_well(entry, layer)
    entry.take_for(choice)


def look_again(job: Job, intake: Intake, entry: Entry, choice: Choice) -> str:
    """Read one layer anew after a choice was changed; returns the intake's id."""
    job.report(Step("looking", 0, 1, entry.label))
    before = entry.choice
    same = before is not None and before == replace(choice, datum=before.datum)
    if entry.layer is not None and same:
        entry.take_for(choice)  # only the datum: nothing is read differently
        return intake.id
    with intake.on_disk(entry.stored) as folder:
        _read_as(intake, entry, choice, folder)
    return intake.id


def _use_first_of_each(entries: Iterable[Entry]) -> None:
    """Use the first layer of each role a proposal knows, unless somebody decided; of several that
    could be it, one with shapes, and the villages whose names and codes the file itself tells."""
    taken = {entry.role for entry in entries if entry.used}
    for entry in sorted(entries, key=_misfit):
        if entry.decided or entry.role not in USED_ROLES or entry.role in taken:
            continue
        if entry.role == "villages" and not _has_places(entry) and entry.layer is not None:
            continue  # a list of names; nothing can be drawn or divided by it
        entry.used = True
        if entry.role != "incidents":  # of events there may be several sources
            taken.add(entry.role)


def _misfit(entry: Entry) -> tuple[bool, int, int]:
    """What speaks against a layer of its role: no shapes; areas without counts, villages without
    names and codes; of households, fewer rows: dwellings before blocks."""
    told = {c.canonical for c in entry.layer.columns} if entry.layer is not None else set()
    lacking, rows = 0, 0
    if entry.role == "villages":
        lacking = len({"name", "code"} - told)
    elif entry.role == "households" and entry.layer is not None:
        rows = len(entry.layer.frame)
        if "households" not in told and dimension_of(entry.layer) == 2:  # a point is a household
            lacking = 1 if "persons" in told else 2
    return not _has_places(entry), lacking, -rows


def _has_places(entry: Entry) -> bool:
    return entry.layer is not None and "geometry" in entry.layer.frame


def _place_in_list(entry: Entry) -> tuple[bool, int, int]:
    """What cannot be read comes first, then the roles in their usual order."""
    order = [*ALL_ROLES].index(entry.role) if entry.role is not None else -1
    return entry.layer is not None, order, entry.number


@dataclass(frozen=True)
class Obstacles:
    """What keeps the files from being accepted: roles missing, roles twice, layers unreadable.

    Grids need households, and villages or adjoining areas that can stand for one; events need
    something to be counted in; villages alone are a map.
    """

    missing: tuple[str, ...]
    twice: tuple[str, ...]
    unreadable: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.twice or self.unreadable)


def obstacles(intake: Intake) -> Obstacles:
    """Whether the layers that are used make up a county, a map of events, or a map of villages."""
    used = _used(intake)
    roles = [str(entry.role) for entry in used]
    needed: tuple[str, ...] = REQUIRED
    if "incidents" in roles:
        needed = () if "beats" in roles else ("villages",)
    elif "villages" in roles:
        needed = ()
    elif any(stands_for_villages(entry) for entry in used):
        needed = ("households",)
    return Obstacles(
        tuple(role for role in needed if role not in roles),
        tuple(role for role in ROLES if roles.count(role) > 1),
        tuple(entry.label for entry in used if entry.layer is None),
    )


def lacking(intake: Intake) -> str:
    """What the county will be without, if it is accepted as it is: "villages", where an outline
    stands for them, "households", where there is only a map, or nothing."""
    roles = {str(entry.role) for entry in _used(intake)}
    if "incidents" in roles or len(roles & set(REQUIRED)) != 1:
        return ""
    return "households" if "villages" in roles else "villages"


def stands_for_villages(entry: Entry) -> bool:
    """Is this a layer of households whose areas can stand for a village?"""
    return (
        entry.role == "households" and entry.layer is not None
        and can_stand_for_villages(entry.layer)
    )  # fmt: skip


def _used(intake: Intake) -> list[Entry]:
    return [entry for entry in intake.entries if entry.used and entry.role in USED_ROLES]


def read_also_as(job: Job, intake: Intake, entry: Entry, role: Role) -> str:
    """Take a layer for a second thing as well: areas with counts may also say where villages end.

    Returns the intake's id; the new entry is the last by number.
    """
    job.report(Step("looking", 0, 1, entry.label))
    number = 1 + max(e.number for e in intake.entries)
    second = Entry(number, entry.file, entry.stored, entry.inner, used=True, decided=True)
    with intake.on_disk(entry.stored) as folder:
        _read_as(intake, second, Choice(role), folder)
    intake.entries = sorted([*intake.entries, second], key=_place_in_list)
    return intake.id


def accept(job: Job, intake: Intake) -> str:
    """Make a project of the layers that are used; returns its id, and lets the files go.

    Raises :class:`geo.problems.InputError` with everything that keeps the layers from fitting
    together; the intake then stays as it is.
    """
    job.report(Step("reading"))
    used = _used(intake)
    layers: dict[str, Layer] = {}
    more: dict[str, tuple[Layer, ...]] = {}
    datum: Datum | Literal["auto"] = "auto"
    for entry in used:
        if entry.layer is None or entry.choice is None:
            raise InputError(entry.problems)
        role = str(entry.role)
        if role in MORE_ROLES:
            more[role] = (*more.get(role, ()), restated(entry.layer, entry.choice.datum))
        elif role == "households":  # the ground finds or takes their datum, and says so
            layers["households"], datum = entry.layer, entry.choice.datum
        else:
            layers[role] = restated(entry.layer, entry.choice.datum)
    project = Project(new_id(), "", "upload", {}, trusted=False, owner=owner())
    if intake.folder is not None:
        project.kind, project.name = "folder", intake.folder.name.lstrip(".")
    if set(REQUIRED) <= layers.keys() or "incidents" not in more:
        ground = assemble(layers, Inputs("villages", "households", datum=datum))
        project.ground, project.notes = ground, ground.notes
        project.context = context_of_ground(ground)
    else:  # areas and events only: there is no ground to plan on
        project.context, problems = _context_alone(layers, more)
        project.notes = tuple(problems)
        more |= {role: (layer,) for role, layer in layers.items() if role == "villages"}
    for entry in intake.entries:
        if entry.choice is not None and (entry.layer is not None or not entry.used):
            used = entry.used if entry.decided else None
            keep(intake.memory, entry.columns, entry.choice, used=used)
    PROJECTS.put(project.id, project)
    if more:
        LAYERS.put(project.id, more)
    intake.forget()
    return project.id


def _context_alone(
    layers: Mapping[str, Layer], more: Mapping[str, tuple[Layer, ...]]
) -> tuple[dict[str, GeoDataFrame], list[Problem]]:
    """Roads, water and the like in the system of the areas that events will be counted in."""
    areas = layers.get("villages") or more["beats"][0]
    stated, problems = state_systems({**layers, "areas": areas})
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        raise InputError(wrong)
    west, south, east, north = degrees(stated["areas"]).total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    found = {
        role: in_system(stated[role], crs)
        for role in CONTEXT_ROLES
        if role in stated and len(stated[role].frame)
    }
    notes = [problem for layer in layers.values() for problem in layer.problems]
    return found, notes + problems


def counts_dropped(layer: Layer) -> Mapping[str, int]:
    """What was left out as personal: kind ("column", "identity_number", …) -> how many."""
    counts: dict[str, int] = {}
    for item in layer.dropped:
        counts[item.kind] = counts.get(item.kind, 0) + (1 if item.kind == "column" else item.count)
    return counts
