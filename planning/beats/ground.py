"""All that a division into beats depends on: grids as units, work, residents, today's beats.

Truth lives here for what was read. The grids' outlines become one exact coverage
(:class:`geo.units.Units`, one unit a grid); the rules about who may be whose neighbour stand in
:mod:`planning.beats.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.columns import Role
from geo.coverage import components
from geo.harmonise import metric, state_systems
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.read.layer import FileRecord
from geo.repair import polygonal
from geo.segments import border_segments, outer_length, rook_edges, tally
from geo.units import Units
from planning.beats.events import events_of
from planning.beats.stations import station_of, stations_of
from planning.beats.today import TodaysBeats, todays_beats
from planning.beats.work import Work, WorkSpec, work_of
from planning.graph import FloatArray, IntArray
from planning.planfile import PlanFile

register(
    {
        "beats-no-grids": (
            "方案中没有网格;请先划分网格。",
            "the plan holds no grid; propose grids first.",
        ),
        "beats-grid-codes": (
            "网格编码“{code}”为空或重复({count} 个网格有此问题);请先给每个网格一个编码。",
            "grid code {code!r} is blank or used twice ({count} grids have such codes); give each "
            "grid a code of its own first.",
        ),
        "beats-grids-cross": (
            "网格图形互相重叠,无法判断相邻关系;请先运行 gridwright check 并修正。",
            "the grids overlap so that neighbours cannot be told; run gridwright check and mend "
            "the plan first.",
        ),
        "beats-grids-gaps": (
            "网格之间有重叠或缝隙,清理后面积变化 {area:.0f} 平方米;警格按清理后的网格计算。",
            "the grids overlap or leave gaps; cleaning changed {area:.0f} m2, and beats are made "
            "of the cleaned grids.",
        ),
    }
)

GAP_M = 1.0  # narrower gaps between grids are digitising; wider ones part them
ON_BARRIER_M = 12.0


@dataclass(frozen=True)
class BeatInputs:
    """Files beside the plan; ``FILE`` or ``FILE:layer``. ``columns`` maps "beats.code" to a name.

    ``existing`` today's beats; ``stations`` police stations, points or areas; ``barriers`` lines
    or areas that no beat may cross. ``trusted`` False reads in a confined child process.
    """

    existing: str | Path | None = None
    stations: str | Path | None = None
    officers: str | Path | None = None
    incidents: str | Path | None = None
    barriers: str | Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    trusted: bool = True


_READ_AS: dict[str, Role] = {
    "existing": "beats",
    "stations": "stations",
    "officers": "officers",
    "incidents": "incidents",
    "barriers": "water",  # lines and areas alike
}


@dataclass(frozen=True)
class BeatGround:
    """The ground of a division into beats; arrays (n,) in the order of the plan's grids.

    ``units`` one unit a grid (its ``persons`` -1 where unknown). ``grids``: code, name, kind,
    village_code, village_name, township_name. ``urban`` whether a grid's village is town;
    ``classed`` False where the plan does not say. ``work``; ``today`` today's beats, if any;
    ``stations`` names, ``station`` (n,) its number or -1; ``station_xy`` (s, 2) places of stations
    given as points (NaN otherwise). ``blocked`` (e,) edges of ``units`` that run along a barrier.
    ``officers`` the officers table as read. ``files`` what was read; ``notes`` what was doubtful.
    """

    crs: CRS
    units: Units
    grids: pd.DataFrame
    urban: NDArray[np.bool_]
    classed: bool
    work: Work
    today: TodaysBeats | None
    stations: tuple[str, ...]
    station: IntArray
    station_xy: FloatArray
    blocked: NDArray[np.bool_]
    officers: pd.DataFrame | None
    files: Mapping[str, FileRecord]
    notes: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.units)

    @property
    def home(self) -> IntArray:
        """Row of today's beat of each grid, -1 where none, shape (n,)."""
        if self.today is None:
            return np.full(len(self), -1, dtype=np.int64)
        return self.today.home

    @property
    def counted(self) -> bool:
        """Whether the residents of every grid are known."""
        return bool((self.units.persons >= 0).all())

    def rows(self, codes: list[str]) -> IntArray:
        """Rows of grids by their codes, -1 for an unknown one."""
        found = pd.Index(self.grids["code"]).get_indexer(pd.Index(codes))
        return np.asarray(found, dtype=np.int64)


def load_beat_ground(
    plan: PlanFile, inputs: BeatInputs | None = None, spec: WorkSpec | None = None
) -> BeatGround:
    """Read what lies beside a plan and join it to the grids.

    Raises :class:`InputError` with every problem of every file at once where one cannot be used.
    """
    inputs = inputs or BeatInputs()
    layers: dict[str, Layer] = {}
    problems: list[Problem] = []
    for name, role in _READ_AS.items():
        source = getattr(inputs, name)
        if source is None:
            continue
        chosen = {
            key.partition(".")[2]: column
            for key, column in inputs.columns.items()
            if key.partition(".")[0] == ("beats" if name == "existing" else name)
        }
        try:
            layer = read_layer(source, role, columns=chosen, trusted=inputs.trusted)
            if any(problem.code == "read_made_points" for problem in layer.problems):
                # outlines of stations' areas, which the reader of places would make points of
                layer = read_layer(source, "beats", columns=chosen, trusted=inputs.trusted)
            layers[name] = layer
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return assemble_beats(plan, layers, spec or WorkSpec())


def assemble_beats(plan: PlanFile, layers: Mapping[str, Layer], spec: WorkSpec) -> BeatGround:
    """The ground from a plan and layers read already: existing, stations, officers, incidents,
    barriers. Raises as :func:`load_beat_ground` does."""
    frame = plan.grids.reset_index(drop=True)
    if not len(frame):
        raise InputError([Problem("beats-no-grids")])
    codes = frame["code"].fillna("").astype(str)
    wrong = codes.duplicated(keep=False) | (codes == "")
    if wrong.any():
        params = {"code": codes[wrong].iloc[0], "count": int(wrong.sum())}
        raise InputError([Problem("beats-grid-codes", params=params)])
    layers, notes = _systems(layers, frame)
    notes = [problem for layer in layers.values() for problem in layer.problems] + notes
    units = grid_units(frame, notes)
    grids = _grid_table(frame)
    own = gpd.GeoDataFrame({"code": grids["code"]}, geometry=list(units.geometry), crs=frame.crs)
    points = grid_points(plan, grids)
    today = None
    if "existing" in layers:
        today = todays_beats(layers["existing"], own, points)
        notes += today.notes
    stations, share, place = stations_of(layers.get("stations"), own, points, today, notes)
    station = station_of(units, share, stations, grids, notes)
    events = events_of(layers.get("incidents"), own, notes)
    travel = _travel(units, place) if np.isfinite(place).all() and len(place) else None
    work = work_of(
        spec,
        households=units.households,
        persons=units.persons,
        area_m2=units.area,
        travel=travel,
        incidents=events,
        file=layers["incidents"].file.name if "incidents" in layers else "",
    )
    urban, classed = _urban(plan, grids)
    return BeatGround(
        crs=frame.crs,
        units=units,
        grids=grids,
        urban=urban,
        classed=classed,
        work=work,
        today=today,
        stations=stations,
        station=station,
        station_xy=place,
        blocked=_blocked(units, layers.get("barriers"), frame.crs),
        officers=layers["officers"].frame if "officers" in layers else None,
        files={name: layer.file for name, layer in layers.items()},
        notes=(*notes, *work.notes),
    )


def _systems(
    layers: Mapping[str, Layer], grids: gpd.GeoDataFrame
) -> tuple[dict[str, Layer], list[Problem]]:
    """Layers with their coordinate systems; the plan is what unknown ones are compared with."""
    plan = Layer("villages", "grids", grids, CRS(grids.crs), [], [], [], FileRecord("", 0, ""))
    stated, found = state_systems({"villages": plan, **layers})
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise InputError(errors)
    return {name: stated[name] for name in layers}, found


def grid_units(frame: gpd.GeoDataFrame, notes: list[Problem] | None = None) -> Units:
    """The grids of a plan as units: their outlines noded into one coverage.

    Grids of neighbouring villages share a border but not its vertices; noding adds them and moves
    nothing by more than a hair. Gaps up to :data:`GAP_M` are closed. Raises :class:`InputError`
    where the grids are no coverage even then.
    """
    given = np.array([polygonal(g) for g in frame.geometry], dtype=object)
    shapes = np.asarray(shapely.coverage_clean(given, gap_width=GAP_M), dtype=object)
    changed = float(np.abs(shapely.area(shapes) - shapely.area(given)).sum())
    if notes is not None and changed > 1.0:
        notes.append(Problem("beats-grids-gaps", params={"area": changed}, severity="warning"))
    n = len(shapes)
    try:
        segments = border_segments(shapes)
    except ValueError as error:
        raise InputError([Problem("beats-grids-cross")]) from error
    if (shapely.area(shapes) <= 0).any():
        raise InputError([Problem("beats-grids-cross")])
    edges = rook_edges(segments)
    households = pd.to_numeric(frame["households"], errors="coerce").fillna(0)
    persons = (
        pd.to_numeric(frame["persons"], errors="coerce")
        if "persons" in frame
        else pd.Series(np.nan, frame.index)
    )
    known = bool((persons.notna() | (households == 0)).all() and persons.notna().any())
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
    centre = shapely.get_coordinates(shapely.centroid(shapes))
    inside = shapely.intersects_xy(shapes, centre[:, 0], centre[:, 1])
    place = np.where(inside[:, None], centre, middle)
    none = np.full(n, -1, dtype=np.int64)
    residents: IntArray = persons.fillna(0).to_numpy().astype(np.int64) if known else none.copy()
    first, last = str(frame["code"].min()), str(frame["code"].max())
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return Units(
        code=f"{first[: min(shared, 6)]}J",
        geometry=shapes,
        households=households.to_numpy(dtype=np.int64),
        persons=residents,
        x=place[:, 0],
        y=place[:, 1],
        spread=np.zeros(n),
        area=shapely.area(shapes),
        outer=outer_length(segments, n),
        block=np.zeros(n, dtype=np.int64),
        whole=none.copy(),
        dedicated=none.copy(),
        part=components(n, edges.a, edges.b),
        edges=edges,
        segments=segments,
        unit_of_row=np.empty(0, dtype=np.int64),
    )


def _grid_table(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    table = {}
    for name in ("code", "name", "kind", "village_code", "village_name", "township_name"):
        values = frame[name].fillna("").astype(str) if name in frame else ""
        table[name] = pd.Series(values, index=frame.index, dtype=object)
    return pd.DataFrame(table)


def grid_points(plan: PlanFile, grids: pd.DataFrame) -> gpd.GeoDataFrame:
    """Household points of a plan: households, grid (row of ``grids``, -1 unknown), geometry."""
    held = plan.households
    if not len(held):
        return gpd.GeoDataFrame({"households": [], "grid": []}, geometry=[], crs=plan.grids.crs)
    row = pd.Index(grids["code"]).get_indexer(held["grid_code"].fillna("").astype(str))
    counts = pd.to_numeric(held["households"], errors="coerce").fillna(1).to_numpy()
    return gpd.GeoDataFrame(
        {"households": counts, "grid": row}, geometry=held.geometry.to_numpy(), crs=plan.grids.crs
    )


def _urban(plan: PlanFile, grids: pd.DataFrame) -> tuple[NDArray[np.bool_], bool]:
    """Whether each grid's village is town; unknown ones count as town, as the wider cap."""
    if not len(plan.villages) or "class" not in plan.villages:
        return np.ones(len(grids), dtype=bool), False
    known = plan.villages.drop_duplicates("code").set_index(
        plan.villages.drop_duplicates("code")["code"].astype(str)
    )["class"]
    found = grids["village_code"].map(known)
    return (found != "rural").to_numpy(dtype=bool), bool(found.notna().all())


def _travel(units: Units, place: FloatArray) -> FloatArray:
    """Household-kilometres from each grid to the nearest station, as the crow flies, (n,)."""
    away = np.hypot(units.x[:, None] - place[:, 0], units.y[:, None] - place[:, 1])
    return np.asarray(units.households * away.min(axis=1) / 1000.0)


def _blocked(units: Units, layer: Layer | None, crs: CRS) -> NDArray[np.bool_]:
    """Edges most of whose border lies along a barrier, shape (e,)."""
    edges = units.edges
    none = np.zeros(len(edges.a), dtype=bool)
    if layer is None or "geometry" not in layer.frame or not len(layer.frame):
        return none
    segments = units.segments
    inner = np.flatnonzero((segments.right >= 0) & (segments.left != segments.right))
    middle = shapely.points(segments.midpoint[inner])
    near, _ = shapely.STRtree(metric(layer, CRS(crs))).query(
        middle, predicate="dwithin", distance=ON_BARRIER_M
    )
    along = np.zeros(len(inner), dtype=bool)
    along[near] = True
    n = len(units)
    a = np.minimum(segments.left, segments.right)[inner]
    b = np.maximum(segments.left, segments.right)[inner]
    row = pd.Index(edges.a * n + edges.b).get_indexer(pd.Index(a * n + b))
    on_barrier = tally(row, segments.length[inner] * along, len(edges.a))
    return np.asarray(on_barrier > 0.5 * edges.length)


def with_work(ground: BeatGround, work: Work) -> BeatGround:
    """The same ground with another measure of work."""
    return replace(ground, work=work)


