"""Police beats for the pages: read once, three divisions side by side, tables and maps; pure.

No Streamlit. Everything that judges a division is :mod:`planning.beats`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from openpyxl import Workbook

from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from planning.beats import adjust as following
from planning.beats.beatfile import BeatFile, to_beatfile, whole_share
from planning.beats.describe import beat_table, summary
from planning.beats.ground import BeatGround, assemble_beats
from planning.beats.judge import BEAT_RULES, Frame, exceptions_of
from planning.beats.officers import Posts, assign
from planning.beats.plan import BeatPlan
from planning.beats.propose import BeatProgress, propose_beats
from planning.beats.settings import KINDS, BeatSettings
from planning.beats.work import WorkSpec
from planning.county import Cancelled
from planning.opened import plan_digest
from planning.plan import Plan
from planning.workbook import cell_of, put
from ui.event_files import LAYERS, more_sources
from ui.format import decimal, name_text, share, signed_share, whole
from ui.jobs import CancelledError, Job, Step
from ui.map import layers
from ui.map.colours import deviation_class
from ui.map.encode import bounds_lonlat, dumps, encode_area, encode_lines, encode_point, to_lonlat
from ui.map.scene import Focus, Scene
from ui.map.scene import Layer as MapLayer
from ui.projects import Project
from ui.shelf import Shelf, new_id
from ui.sources import safe_name
from ui.views import PlanView, board_words, context_words
from ui.words import Language, word

FILES = ("beats", "stations", "officers", "incidents", "barriers")
_NAMES = {"beats": "existing"}
_READ_AS = {"barriers": "water"}  # lines and areas alike
GROUP = "beats"
BEAT_ROWS = (
    "beats.code", "beats.station", "beats.work", "beats.deviation", "grid.persons", "beats.room",
    "beats.grids", "beats.officers", "grid.exceptions",
)  # fmt: skip
CROSSING_ROWS = ("beats.previous", "grid.code", "grid.households", "grid.area")


@dataclass(frozen=True)
class Division:
    """One division of the grids into beats and the rules it is judged by."""

    plan: BeatPlan
    rules: Frame
    fewest: int = 0
    notes: tuple[Problem, ...] = ()


@dataclass(eq=False)
class BeatStudy:
    """The beats of one plan: the ground, the divisions by kind, and what was asked for.

    ``followed`` says what became of each beat where the grids were redrawn under them.
    """

    key: str
    view: PlanView
    ground: BeatGround
    divisions: dict[str, Division]
    settings: BeatSettings
    spec: WorkSpec
    layers: Mapping[str, Layer]
    followed: pd.DataFrame | None = None
    scenes: dict[tuple[str, Language], Scene] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The plan whose grids these beats unite."""
        return plan_digest(self.view.plan)

    def posts(self, kind: str) -> Posts | None:
        """Officers' posts to the beats of a division; None without a table of them."""
        one = self.divisions[kind]
        return assign(self.ground, one.plan, one.rules)

    def file(self, kind: str, plan: Plan | None = None) -> BeatFile:
        """The tables of beats.gpkg; ``plan`` where hands changed the division."""
        one = self.divisions[kind]
        plan = one.plan if plan is None else plan
        posts = assign(self.ground, plan, one.rules)
        return to_beatfile(
            self.ground, plan, one.rules, posts=posts, source=self.view.plan
        )


STUDIES: Shelf[BeatStudy] = Shelf(room=8)


# --- reading and proposing ----------------------------------------------------------------------


def found_files(project: Project) -> dict[str, str]:
    """Role -> name of the file of the open project that holds it."""
    held = LAYERS.get(project.id) if project.id in LAYERS else {}
    names = {role: own[0].file.name for role, own in held.items() if role in FILES and own}
    for role, sources in more_sources(project).items():
        if role in FILES and sources:
            names.setdefault(role, Path(sources[0]).name)
    return names


def read_layers(
    job: Job, project: Project, uploads: Mapping[str, tuple[str, bytes]]
) -> dict[str, Layer]:
    """The layers beside the plan: what was uploaded, else what the project has.

    Raises :class:`InputError` with the problems of all of them at once.
    """
    found: dict[str, Layer] = {}
    problems: list[Problem] = []
    held = LAYERS.get(project.id) if project.id in LAYERS else {}
    sources = more_sources(project)
    folder = Path(tempfile.mkdtemp(prefix="gridwright-upload-"))
    try:
        for number, role in enumerate(FILES):
            job.report(Step("reading", number, len(FILES)))
            try:
                if role in uploads:
                    name, content = uploads[role]
                    path = folder / safe_name(name)
                    path.write_bytes(content)
                    found[_NAMES.get(role, role)] = _read(str(path), role, False, name)
                elif held.get(role):
                    found[_NAMES.get(role, role)] = held[role][0]
                elif sources.get(role):
                    found[_NAMES.get(role, role)] = _read(
                        sources[role][0], role, project.trusted, None
                    )
            except InputError as error:
                problems += error.problems
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if problems:
        raise InputError(problems)
    return found


def _read(source: str, role: str, trusted: bool, name: str | None) -> Layer:
    known: Any = _READ_AS.get(role, role)
    layer = read_layer(source, known, trusted=trusted, name=name)
    if any(problem.code == "read_made_points" for problem in layer.problems):
        # outlines of stations' areas, of which the reader of places made points
        layer = read_layer(source, "beats", trusted=trusted, name=name)
    return layer


def make_beats(
    job: Job,
    project: Project,
    view: PlanView,
    uploads: Mapping[str, tuple[str, bytes]],
    settings: BeatSettings,
    spec: WorkSpec,
) -> str:
    """Read, propose every kind, put the study on its shelf; returns its key."""
    layers_found = read_layers(job, project, uploads)
    ground = assemble_beats(view.counting, layers_found, spec)
    kinds = KINDS if ground.today is not None else KINDS[1:]
    divisions: dict[str, Division] = {}
    for number, kind in enumerate(kinds):

        def report(at: BeatProgress, number: int = number) -> None:
            job.report(Step("beats", number * at.total + at.done, len(kinds) * at.total))

        divisions[kind] = _propose(job, ground, replace(settings, kind=kind), report)
    study = BeatStudy(new_id(), view, ground, divisions, settings, spec, layers_found)
    STUDIES.put(study.key, study)
    return study.key


def _propose(job: Job, ground: BeatGround, settings: BeatSettings, report: Any) -> Division:
    try:
        made = propose_beats(ground, settings, progress=report, cancelled=job.cancelled)
    except Cancelled as stopped:
        raise CancelledError from stopped
    return Division(made.plan, made.rules, made.fewest, made.notes)


CARRIED, ADJUSTED = "carried", "adjusted"


def follow(study: BeatStudy, kind: str, plan: Plan, view: PlanView) -> BeatStudy:
    """The beats of ``plan`` on the grids of another plan, and adjusted to them with least change.

    Raises :class:`InputError` where old and new grids share no ground.
    """
    one = study.divisions[kind]
    beside = {name: layer for name, layer in study.layers.items() if name != "existing"}
    redrawn = assemble_beats(view.counting, beside, study.spec)
    carried = following.follow(study.ground, plan, one.rules, redrawn, view.plan)
    adjusted = following.adjust(carried, study.settings)
    divisions = {
        CARRIED: Division(carried.plan, carried.rules),
        ADJUSTED: Division(adjusted.plan, adjusted.rules, adjusted.fewest, adjusted.notes),
    }
    made = BeatStudy(
        new_id(), view, carried.ground, divisions, study.settings, study.spec, study.layers,
        carried.changes,
    )  # fmt: skip
    STUDIES.put(made.key, made)
    return made


def groups_of(text: str) -> tuple[tuple[str, ...], ...]:
    """Groups of grid codes, one a line, set apart by commas or blanks; lone codes are left out."""
    lines = [re.split(r"[\s,，、;；]+", line.strip()) for line in text.splitlines()]
    found = [tuple(code for code in line if code) for line in lines]
    return tuple(group for group in found if len(group) > 1)


def pairs_of(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of grid codes, one a line; raises :class:`InputError` for a line that is no pair."""
    groups = groups_of(text)
    wrong = [group for group in groups if len(group) != 2]
    if wrong:
        what = ", ".join(wrong[0])
        raise InputError([Problem("beats-setting", params={"what": f"A,B: {what[:80]}"})])
    return tuple((a, b) for a, b in groups)


# --- numbers ------------------------------------------------------------------------------------


def kind_name(kind: str, language: Language) -> str:
    """A division's name."""
    return word(f"beats.kind_{kind.replace('-', '_')}", language)


def compared(study: BeatStudy, language: Language) -> pd.DataFrame:
    """The divisions as columns, measures as rows."""
    figures = {
        kind: summary(study.ground, one.plan, one.rules) for kind, one in study.divisions.items()
    }
    today = study.ground.today is not None
    rows: list[tuple[str, list[str]]] = []

    def row(name: str, form: Any, value: str) -> None:
        rows.append(
            (word(f"beats.{name}", language), [form(getattr(f, value)) for f in figures.values()])
        )

    row("count", whole, "beats")
    row("inside", share, "inside")
    row("worst", lambda v: share(v, 1), "worst")
    if today:
        row("moved_work", lambda v: share(v, 1), "moved_work")
        row("bound", lambda v: share(v, 1), "bound_whole")
        row("moved_persons", lambda v: share(v, 1), "moved_persons")
        row("moved_grids", lambda v: share(v, 1), "moved_grids")
        row("untouched", whole, "untouched")
    row("travel", lambda v: f"{whole(v)} m", "travel_m")
    row("compactness", decimal, "polsby_popper")
    row("over_cap", whole, "over_cap")
    row("broken", whole, "broken")
    table = pd.DataFrame({"measure": [name for name, _ in rows]})
    for at, kind in enumerate(figures):
        table[kind] = [values[at] for _, values in rows]
    return table


def beats_of(study: BeatStudy, kind: str, plan: Plan | None = None) -> gpd.GeoDataFrame:
    """One row a beat of a division."""
    one = study.divisions[kind]
    plan = one.plan if plan is None else plan
    posts = assign(study.ground, plan, one.rules)
    return beat_table(
        study.ground, plan, one.rules, None if posts is None else posts.per_beat(plan)
    )


def crossings(study: BeatStudy) -> gpd.GeoDataFrame:
    """Pieces of today's beats that lie in a grid of another beat, the most households first."""
    if study.ground.today is None:
        return gpd.GeoDataFrame({"previous_beat": [], "grid_code": []}, geometry=[])
    pieces = study.ground.today.mismatch
    order = np.lexsort((-pieces["area_m2"], -pieces["households"]))
    return pieces.iloc[order].reset_index(drop=True)


def whole_before(study: BeatStudy) -> float:
    """Share of today's beats that are made of whole grids already."""
    return whole_share(study.ground)


def broken_rules(study: BeatStudy, kind: str, language: Language) -> pd.DataFrame:
    """Beat, rule, reason of everything a division breaks."""
    one, at = study.divisions[kind], 0 if language == "zh" else 1
    found = exceptions_of(study.ground, one.plan, one.rules)
    return pd.DataFrame(
        [
            (one.plan.grids[e.beat].code, BEAT_RULES[e.rule][at], e.reason)
            for e in found
        ],
        columns=["code", "rule", "reason"],
    )


def write_tables(sheets: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Tables as the sheets of one workbook; a text that begins like a formula stays a text."""
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, table in sheets.items():
        sheet = book.create_sheet(name[:31])
        for column, head in enumerate(table.columns, 1):
            put(cell_of(sheet, 1, column), str(head))
            for row, value in enumerate(table[head].tolist(), 2):
                put(cell_of(sheet, row, column), value, "General")
        sheet.freeze_panes = "A2"
    book.save(path)


def signature(study: BeatStudy, kind: str) -> str:
    """Names a division by content: equal grids, work and beats, equal signature."""
    one, digest = study.divisions[kind], hashlib.sha256(study.digest.encode())
    digest.update(np.ascontiguousarray(one.plan.label, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(study.ground.work.total, dtype="<f8").tobytes())
    return f"beats:{digest.hexdigest()}"


# --- maps ---------------------------------------------------------------------------------------


def _texts(row: Any) -> list[str]:
    exceptions = layers.exception_count(row.exceptions)
    return [
        name_text(row.code), name_text(row.station), whole(row.workload),
        signed_share(row.workload_deviation), whole(row.persons), whole(row.room_persons),
        whole(row.grids), whole(row.officers) if row.officers else "",
        str(exceptions) if exceptions else "",
    ]  # fmt: skip


def _areas(beats: gpd.GeoDataFrame) -> dict[str, str]:
    classes = deviation_class(beats["workload_deviation"].to_numpy())
    return {
        name_text(row.code): dumps(
            {
                "i": name_text(row.code), "t": name_text(row.name), "c": [int(number)],
                "r": _texts(row), "g": encode_area(shape),
            }
        )
        for row, number, shape in zip(
            beats.rename(columns={"name": "called"}).assign(name=beats["name"]).itertuples(
                index=False
            ),
            classes, to_lonlat(beats), strict=True,
        )
    }  # fmt: skip


def _outlines(frame: gpd.GeoDataFrame, codes: Sequence[object]) -> dict[str, str]:
    return {
        name_text(code): dumps({"i": name_text(code), "g": encode_lines(shape)})
        for code, shape in zip(codes, to_lonlat(frame), strict=True)
    }


def _moved(study: BeatStudy, plan: Plan) -> gpd.GeoDataFrame:
    """Grids that are in another beat than today."""
    rows = np.flatnonzero((study.ground.home >= 0) & (plan.label != study.ground.home))
    return gpd.GeoDataFrame(
        {"code": study.ground.grids["code"].to_numpy()[rows]},
        geometry=list(study.ground.units.geometry[rows]),
        crs=study.ground.crs,
    )


def _marks(frame: gpd.GeoDataFrame, codes: Sequence[object], rows: Sequence[Sequence[str]]) -> Any:
    return {
        str(i): dumps(
            {"i": str(i), "t": name_text(code), "r": list(texts), "g": encode_area(shape)}
        )
        for i, (code, texts, shape) in enumerate(
            zip(codes, rows, to_lonlat(frame), strict=True)
        )
    }


def scene(
    study: BeatStudy, kind: str, language: Language, focus: Focus = Focus()  # noqa: B008 -- frozen
) -> Scene:
    """A division on the map: beats by their work, the grids that moved, the stations."""
    if (kind, language) not in study.scenes:
        study.scenes[kind, language] = _scene(study, kind, language)
    return replace(study.scenes[kind, language], focus=focus)


def _scene(study: BeatStudy, kind: str, language: Language) -> Scene:
    one, ground = study.divisions[kind], study.ground
    beats = beats_of(study, kind)
    moved = _moved(study, one.plan)
    rows = tuple(word(key, language) for key in BEAT_ROWS)
    grids = gpd.GeoDataFrame(geometry=list(ground.units.geometry), crs=ground.crs)
    stack = [
        MapLayer("beats", "area", _areas(beats), "choropleth", rows=rows),
        MapLayer("moved", "area",
                 _marks(moved, moved["code"], [[code] for code in moved["code"]]), "movedGrid",
                 word("beats.moved", language), (word("grid.code", language),)),
        MapLayer("grids_of_beats", "line", layers.unit_outlines(grids), "unit",
                 word("beats.grid_lines", language)),
        *layers.context_layers(study.view.context, context_words(language)),
        MapLayer("beat_lines", "line", _outlines(beats, beats["code"]), "beatLine"),
        *_stations(ground, language),
        MapLayer("names", "point", layers.name_labels(beats, beats["name"]), "label",
                 word("beats.names", language), min_zoom=11),
    ]  # fmt: skip
    return _with_frame(study, kind, tuple(stack), beats, language)


def today_scene(study: BeatStudy, language: Language, focus: Focus) -> Scene:
    """Today's beats and where they cross the grids."""
    assert study.ground.today is not None
    today, pieces = study.ground.today.beats, crossings(study)
    rows = tuple(word(key, language) for key in CROSSING_ROWS)
    texts = [
        [name_text(p.previous_beat), name_text(p.grid_code), whole(p.households),
         f"{whole(p.area_m2)} m²"]
        for p in pieces.itertuples()
    ]  # fmt: skip
    grids = gpd.GeoDataFrame(geometry=list(study.ground.units.geometry), crs=study.ground.crs)
    stack = (
        MapLayer("crossing", "area", _marks(pieces, pieces["previous_beat"], texts), "moved",
                 word("beats.crossing", language), rows),
        MapLayer("grids_of_beats", "line", layers.unit_outlines(grids), "unit",
                 word("beats.grid_lines", language)),
        MapLayer("beat_lines", "line", _outlines(today, today["code"]), "beatLine"),
        *_stations(study.ground, language),
        MapLayer("names", "point", layers.name_labels(today, today["name"]), "label",
                 word("beats.names", language), min_zoom=11),
    )  # fmt: skip
    return replace(_with_frame(study, "today", stack, today, language, legend=False), focus=focus)


def _stations(ground: BeatGround, language: Language) -> list[MapLayer]:
    known = np.isfinite(ground.station_xy).all(axis=1) if len(ground.station_xy) else np.zeros(0)
    rows = np.flatnonzero(known)
    if not len(rows):
        return []
    points = gpd.GeoDataFrame(
        geometry=list(shapely.points(ground.station_xy[rows])), crs=ground.crs
    )
    aligned = len(ground.stations) == len(ground.station_xy)  # else only the places are known
    features = {
        str(i): dumps(
            {
                "i": str(i), "t": ground.stations[row] if aligned else "", "r": [],
                "g": encode_point(place),
            }
        )
        for i, (row, place) in enumerate(zip(rows.tolist(), to_lonlat(points), strict=True))
    }  # fmt: skip
    return [MapLayer("stations", "point", features, "station", word("beats.stations", language))]


def _with_frame(
    study: BeatStudy,
    kind: str,
    stack: tuple[MapLayer, ...],
    frame: gpd.GeoDataFrame,
    language: Language,
    *,
    legend: bool = True,
) -> Scene:
    west_south = bounds_lonlat(np.asarray(to_lonlat(frame.envelope.to_frame("geometry"))))
    bounds = tuple(west_south[:4]) if west_south else None
    title = word("beats.legend", language)
    return Scene(
        place=f"{study.key}/{kind}",
        layers=stack,
        bounds=bounds,  # type: ignore[arg-type]
        legend=layers.legend(title, [title], "") if legend else {},
        words=board_words(language),
        group=GROUP,
    )


def place_of(frame: gpd.GeoDataFrame, number: int) -> Focus:
    """Where the shapes of a frame lie."""
    found = bounds_lonlat(np.asarray(to_lonlat(frame.envelope.to_frame("geometry"))))
    return Focus(number, bounds=tuple(found[:4])) if found else Focus()  # type: ignore[arg-type]
