"""The ground of a county: every layer read, in one metric system, households in their villages.

Truth lives here for what was read. :func:`load_ground` turns files into a :class:`Ground`;
:meth:`Ground.village` hands one village's share to :func:`geo.units.build_units`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from geo.columns import Role
from geo.crs import WGS84, metric_crs
from geo.datum import Datum, detect_datum, to_wgs84, wgs84_to_gcj02
from geo.enclosures import VillageGround
from geo.linework import Linework, as_lines, empty_linework
from geo.messages import register
from geo.placing import place_areas, place_rows
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.repair import as_coverage, polygonal
from geo.segments import FloatArray, IntArray
from geo.units import ALONG_M

LineKind = Literal["road", "water", "railway"]

register(
    {
        "villages-empty": (
            "没有村(社区)边界;请检查文件和图层。",
            "holds no village boundary; check the file and its layer.",
        ),
        "layer-no-crs": (
            "没有坐标系说明;请附上 .prj 文件,或先在 GIS 中设定坐标系。",
            "does not say its coordinate system; add the .prj file, or set it in a GIS first.",
        ),
        "village-code-twice": (
            "村代码 {code} 出现在 {first} 和 {second} 两个村;请改正其中一个。",
            "village code {code} stands for both {first} and {second}; correct one of them.",
        ),
        "village-parts-joined": (
            "{village} 有 {count} 行,已合并为一个多部分的村(飞地)。",
            "{village} has {count} rows; they were joined to one village of several parts.",
        ),
        "village-code-made": (
            "没有村代码,已按文件顺序编为 V001、V002……;备案前请补充 12 位代码。",
            "has no village codes; V001, V002, ... were given in the file's order. Add the "
            "12-digit codes before filing.",
        ),
        "households-none-inside": (
            "没有一户落在任何村界内;请检查两个文件是否为同一地区、同一坐标系。",
            "no household lies in any village; check that both files show the same place in the "
            "coordinate systems they name.",
        ),
        "households-far": (
            "只有 {share:.1%} 的户落在村界内,其余列入“未落格”。",
            "only {share:.1%} of the households lie in a village; the others are listed as "
            "unplaced.",
        ),
        "datum-shifted": (
            "坐标按 {datum} 处理:按此 {share:.1%} 落在村界内,按 WGS 84 只有 {plain:.1%}。",
            "coordinates are taken as {datum}: so {share:.1%} lie in a village, as WGS 84 only "
            "{plain:.1%}.",
        ),
        "datum-doubtful": (
            "坐标系判断存疑:WGS 84 {wgs84:.1%}、GCJ-02 {gcj02:.1%}、BD-09 {bd09:.1%} 落在村界内;"
            "请核对。",
            "the datum is doubtful: {wgs84:.1%} lie in a village as WGS 84, {gcj02:.1%} as GCJ-02, "
            "{bd09:.1%} as BD-09; please confirm it.",
        ),
    }
)


@dataclass(frozen=True)
class Inputs:
    """Files to plan from; ``FILE`` or ``FILE:layer``. Columns override what is recognised.

    ``columns`` maps ``"villages.code"`` to a column's name. ``datum`` is the households' datum,
    or "auto". ``trusted`` False reads in a confined child process (uploads).
    """

    villages: str | Path
    households: str | Path
    roads: str | Path | None = None
    water: str | Path | None = None
    railways: str | Path | None = None
    compounds: str | Path | None = None
    groups: str | Path | None = None
    dedicated: str | Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    datum: Datum | Literal["auto"] = "auto"
    repair_overlaps: bool = False
    trusted: bool = True


@dataclass(frozen=True)
class Ground:
    """One county, metric coordinates.

    ``villages``: code, name, township_name, class_code, geometry; one row a village, index 0..v-1.
    ``households``: one row a point or ready-made area: household_id, households, persons (-1
    unknown), x, y, village (row of villages), set_id; ordered as read. ``areas`` (h,) polygons
    where the households are ready-made areas. ``sets``: kind, name of each must-stay-together
    number. ``unplaced``: household_id, households, persons, reason, x, y. ``layers`` what was
    read, for provenance; ``notes`` everything found, repaired or doubted on the way.
    """

    crs: CRS
    villages: gpd.GeoDataFrame
    households: pd.DataFrame
    lines: Linework
    sets: pd.DataFrame
    wholes: gpd.GeoDataFrame
    dedicated: gpd.GeoDataFrame
    unplaced: pd.DataFrame
    layers: Mapping[str, Layer]
    notes: tuple[Problem, ...]
    datum: Datum = "wgs84"
    areas: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Index what :meth:`village` looks up."""
        # by place, so that the order of the file's rows decides nothing, not even a rounding
        keys = ("persons", "households", "y", "x", "village")
        order = np.lexsort([self.households[key].to_numpy() for key in keys])
        count = np.bincount(self.households["village"], minlength=len(self.villages))
        object.__setattr__(self, "_rows", np.split(order, np.cumsum(count)[:-1]))
        for name, shapes in (
            ("_line_tree", self.lines.geometry),
            ("_whole_tree", self.wholes.geometry.to_numpy()),
            ("_dedicated_tree", self.dedicated.geometry.to_numpy()),
        ):
            object.__setattr__(self, name, shapely.STRtree(shapes))

    def rows_of(self, village: int) -> IntArray:
        """Rows of ``households`` that lie in a village."""
        rows: list[IntArray] = self._rows  # type: ignore[attr-defined]
        return rows[village]

    def village(
        self, village: int, *, keep_households: float = 0.0, keep_persons: float = 0.0
    ) -> VillageGround:
        """The share of one village, all that its units depend on.

        Sets of at most ``keep_households`` and ``keep_persons`` become single units.
        """
        area = self.villages.geometry.iloc[village]
        rows = self.rows_of(village)
        held = self.households.iloc[rows]
        box = np.array(area.bounds) + np.array([-1, -1, 1, 1]) * (ALONG_M + 1)
        near = np.sort(self._line_tree.query(shapely.box(*box)))  # type: ignore[attr-defined]
        cut = shapely.clip_by_rect(self.lines.geometry[near], *box)
        lines, row = as_lines(cut)
        wholes = _inside(self._whole_tree, area)  # type: ignore[attr-defined]
        dedicated = _inside(self._dedicated_tree, area)  # type: ignore[attr-defined]
        return VillageGround(
            code=str(self.villages["code"].iloc[village]),
            area=area,
            lines=lines,
            line_id=near[row].astype(np.int64),
            xy=held[["x", "y"]].to_numpy(dtype=float),
            households=held["households"].to_numpy(dtype=np.int64),
            persons=held["persons"].to_numpy(dtype=np.int64),
            set_id=held["set_id"].to_numpy(dtype=np.int64),
            wholes=self.wholes.geometry.to_numpy()[wholes],
            whole_id=self.wholes["set_id"].to_numpy(dtype=np.int64)[wholes],
            dedicated=self.dedicated.geometry.to_numpy()[dedicated],
            dedicated_id=dedicated,
            areas=None if self.areas is None else self.areas[rows],
            keep_households=keep_households,
            keep_persons=keep_persons,
        )


def _inside(tree: shapely.STRtree, area: shapely.Geometry) -> IntArray:
    """Rows of the polygons whose middle lies in ``area``."""
    near = np.sort(tree.query(area, predicate="intersects"))
    middle = shapely.point_on_surface(tree.geometries[near])
    return np.asarray(near[shapely.intersects(area, middle)], dtype=np.int64)


def load_ground(inputs: Inputs, tolerance_m: float = 20.0) -> Ground:
    """Read, repair, project and place everything a proposal needs.

    Raises :class:`InputError` with every problem of every file at once where one cannot be used.
    """
    layers = _read_all(inputs)
    notes = [problem for layer in layers.values() for problem in layer.problems]
    geographic = _degrees(layers["villages"])
    west, south, east, north = geographic.total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    villages, repairs = _villages(layers["villages"], crs, repair=inputs.repair_overlaps)
    notes += repairs
    households, datum, found = _project_households(
        layers["households"], villages, crs, inputs.datum
    )
    notes += found
    areas = None
    shapes = households.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes[~shapely.is_missing(shapes)])
    if len(kinds) and np.isin(kinds, (3, 6)).all():
        shapes = np.array([polygonal(g) for g in shapes], dtype=object)
        village, reason = place_areas(shapes, villages.geometry.to_numpy(), tolerance_m)
        point = _places(shapes)
        areas = shapes[village >= 0]
    else:
        point = _places(shapes)
        village, reason = place_rows(point, villages.geometry.to_numpy(), tolerance_m)
    table = pd.DataFrame(households.drop(columns="geometry"))
    table["x"], table["y"] = point[:, 0], point[:, 1]
    table["village"] = village
    placed = village >= 0
    notes += _placing_notes(table, placed, layers["households"].file.name)
    unplaced = table[~placed].assign(reason=reason[~placed])
    table = table[placed].reset_index(drop=True)
    wholes, sets = _wholes(layers, crs, table)
    table["set_id"], sets = _set_numbers(table, wholes, sets)
    return Ground(
        crs=crs,
        villages=villages,
        households=table,
        lines=_lines(layers, crs),
        sets=sets,
        wholes=wholes[wholes["kind"] == "compound"].reset_index(drop=True),
        dedicated=_polygons(layers.get("dedicated"), crs),
        unplaced=unplaced.drop(columns="village").reset_index(drop=True),
        layers=layers,
        notes=tuple(notes),
        datum=datum,
        areas=areas,
    )


def _places(shapes: np.ndarray) -> FloatArray:
    """A point on each shape, NaN where there is none, (h, 2)."""
    place = np.full((len(shapes), 2), np.nan)
    held = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    place[held] = shapely.get_coordinates(shapely.point_on_surface(shapes[held]))
    return place


def _read_all(inputs: Inputs) -> dict[str, Layer]:
    """Every layer that was named; all problems of all files before giving up."""
    roles: tuple[Role, ...] = (
        "villages", "households", "roads", "water", "railways", "compounds", "groups", "dedicated",
    )
    layers: dict[str, Layer] = {}
    problems: list[Problem] = []
    for role in roles:
        source = getattr(inputs, role)
        if source is None:
            continue
        prefix = f"{role}."
        chosen = {
            key.removeprefix(prefix): column
            for key, column in inputs.columns.items()
            if key.startswith(prefix)
        }
        try:
            layer = read_layer(source, role, columns=chosen, trusted=inputs.trusted)
        except InputError as error:
            problems += error.problems
            continue
        if layer.crs is None and "geometry" in layer.frame:
            problems.append(Problem("layer-no-crs", layer.file.name))
        if role == "villages" and not len(layer.frame):
            problems.append(Problem("villages-empty", layer.file.name))
        layers[role] = layer
    if problems:
        raise InputError(problems)
    return layers


def _degrees(layer: Layer) -> gpd.GeoSeries:
    """A layer's shapes in WGS 84 degrees, its hinted datum shift undone."""
    shapes = layer.frame.geometry
    if not CRS(layer.crs).equals(WGS84, ignore_axis_order=True):
        shapes = shapes.set_crs(layer.crs, allow_override=True).to_crs(WGS84)
    if layer.datum_hint == "gcj02":
        shapes = gpd.GeoSeries(_shift(shapes.to_numpy(), "gcj02"), crs=WGS84)
    return shapes


def _shift(shapes: np.ndarray, datum: Datum) -> np.ndarray:
    def undo(xy: FloatArray) -> FloatArray:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    return np.asarray(shapely.transform(shapes, undo))


def _metric(layer: Layer, crs: CRS) -> np.ndarray:
    """A layer's shapes in the county's metric system, two-dimensional."""
    shapes = shapely.force_2d(layer.frame.geometry.to_numpy())
    if layer.datum_hint == "gcj02":
        shapes = shapely.force_2d(_degrees(layer).to_numpy())
        return _project(shapes, WGS84, crs)
    return _project(shapes, CRS(layer.crs), crs)


def _project(shapes: np.ndarray, source: CRS, target: CRS) -> np.ndarray:
    """Shapes from one coordinate system to another, x before y."""
    if source.equals(target, ignore_axis_order=True):
        return shapes
    change = Transformer.from_crs(source, target, always_xy=True)

    def project(xy: FloatArray) -> FloatArray:
        return np.column_stack(change.transform(xy[:, 0], xy[:, 1]))

    return np.asarray(shapely.transform(shapes, project))


def _villages(
    layer: Layer, crs: CRS, *, repair: bool
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    frame, file = layer.frame, layer.file.name
    notes: list[Problem] = []
    table = pd.DataFrame(index=range(len(frame)))
    for column in ("code", "name", "township_name", "class_code"):
        values = frame[column] if column in frame else pd.Series("", index=frame.index)
        table[column] = values.fillna("").astype(str).str.strip().to_numpy()
    if (table["code"] == "").all():
        table["code"] = [f"V{i + 1:03d}" for i in range(len(table))]
        notes.append(Problem("village-code-made", file, severity="warning"))
    unnamed = table["name"] == ""
    table.loc[unnamed, "name"] = table.loc[unnamed, "code"]
    shapes = _metric(layer, crs)
    table, shapes, joined = _join_parts(table, shapes, file)
    repaired = as_coverage(shapes, list(table["name"]), file, repair_overlaps=repair)
    villages = gpd.GeoDataFrame(table, geometry=repaired.geometry, crs=crs)
    return villages, notes + joined + list(repaired.notes)


def _join_parts(
    table: pd.DataFrame, shapes: np.ndarray, file: str
) -> tuple[pd.DataFrame, np.ndarray, list[Problem]]:
    """Rows with one code are one village in several parts; with two names they are a mistake."""
    if table["code"].is_unique:
        return table, shapes, []
    errors, notes = [], []
    first: list[int] = []
    merged: list[shapely.Geometry] = []
    for code, rows in table.groupby("code", sort=False).groups.items():
        names = table.loc[rows, "name"].unique()
        if len(names) > 1:
            params = {"code": code, "first": names[0], "second": names[1]}
            errors.append(Problem("village-code-twice", file, params=params))
            continue
        first.append(int(rows[0]))
        merged.append(shapely.union_all([polygonal(g) for g in shapes[rows]]))
        if len(rows) > 1:
            params = {"village": names[0], "count": len(rows)}
            notes.append(Problem("village-parts-joined", file, params=params, severity="note"))
    if errors:
        raise InputError(errors)
    return table.loc[first].reset_index(drop=True), np.array(merged, dtype=object), notes


def _project_households(
    layer: Layer, villages: gpd.GeoDataFrame, crs: CRS, datum: Datum | Literal["auto"]
) -> tuple[gpd.GeoDataFrame, Datum, list[Problem]]:
    """Households in the metric system with whole-number counts; their datum and the evidence."""
    frame = layer.frame
    table = pd.DataFrame(index=range(len(frame)))
    table["household_id"] = frame.get("household_id", pd.Series(range(1, len(frame) + 1)))
    households = frame.get("households", pd.Series(1, index=frame.index))
    table["households"] = households.fillna(0).round().astype(np.int64).to_numpy()
    persons = frame.get("persons", pd.Series(-1, index=frame.index))
    table["persons"] = persons.fillna(-1).round().astype(np.int64).to_numpy()
    for column in ("group", "compound"):
        values = frame.get(column, pd.Series("", index=frame.index))
        table[column] = values.fillna("").astype(str).str.strip().to_numpy()
    notes: list[Problem] = []
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    chosen: Datum = "wgs84" if datum == "auto" else datum
    source = CRS(layer.crs)
    points = bool(np.isin(shapely.get_type_id(shapes), (-1, 0)).all())  # -1: no place at all
    if source.is_geographic and datum == "auto" and points and _shifts_there(shapes):
        chosen, notes = _detect(shapes, villages, crs, layer.file.name)
    if chosen != "wgs84":
        shapes, source = _shift(shapes, chosen), WGS84
    return gpd.GeoDataFrame(table, geometry=_project(shapes, source, crs), crs=crs), chosen, notes


def _shifts_there(shapes: np.ndarray) -> bool:
    """Whether GCJ-02 differs from WGS 84 where these points lie: only in and around China."""
    xy = shapely.get_coordinates(shapes)
    middle = np.nanmedian(xy, axis=0) if len(xy) else np.zeros(2)
    lon, lat = wgs84_to_gcj02(middle[:1], middle[1:])
    return bool(abs(lon[0] - middle[0]) + abs(lat[0] - middle[1]) > 1e-9)


def _detect(
    shapes: np.ndarray, villages: gpd.GeoDataFrame, crs: CRS, file: str
) -> tuple[Datum, list[Problem]]:
    """The households' datum by the share that falls inside the villages under each."""
    tree = shapely.STRtree(villages.geometry.to_numpy())
    change = Transformer.from_crs(WGS84, crs, always_xy=True)

    def inside(lon: FloatArray, lat: FloatArray) -> np.ndarray:
        points = shapely.points(*change.transform(lon, lat))
        hit = np.zeros(len(points), dtype=bool)
        hit[tree.query(points, predicate="intersects")[0]] = True
        return hit

    xy = shapely.get_coordinates(shapes)
    evidence = detect_datum(xy[:, 0], xy[:, 1], inside, sample=3000)
    notes = []
    if evidence.datum != "wgs84":
        names = {"gcj02": "GCJ-02", "bd09": "BD-09"}
        params = {
            "datum": names[evidence.datum],
            "share": evidence.shares[evidence.datum],
            "plain": evidence.shares["wgs84"],
        }
        notes.append(Problem("datum-shifted", file, params=params, severity="warning"))
    if evidence.doubtful:
        shares: dict[str, object] = {str(d): s for d, s in evidence.shares.items()}
        notes.append(Problem("datum-doubtful", file, params=shares, severity="warning"))
    return evidence.datum, notes


def _placing_notes(table: pd.DataFrame, placed: np.ndarray, file: str) -> list[Problem]:
    total = table["households"].sum()
    inside = table.loc[placed, "households"].sum()
    if total > 0 and inside == 0:
        raise InputError([Problem("households-none-inside", file)])
    share = inside / total if total else 1.0
    if share < 0.98:
        return [Problem("households-far", file, params={"share": share}, severity="warning")]
    return []


def _lines(layers: Mapping[str, Layer], crs: CRS) -> Linework:
    shapes, kinds, names = [], [], []
    for role, kind in (("roads", "road"), ("water", "water"), ("railways", "railway")):
        layer = layers.get(role)
        if layer is None or not len(layer.frame):
            continue
        lines, row = as_lines(_metric(layer, crs))
        text = layer.frame.get("name", pd.Series("", index=layer.frame.index))
        shapes.append(lines)
        kinds.append(np.full(len(lines), kind, dtype=object))
        names.append(text.fillna("").astype(str).to_numpy(dtype=object)[row])
    if not shapes:
        return empty_linework()
    return Linework(np.concatenate(shapes), np.concatenate(kinds), np.concatenate(names))


def _polygons(layer: Layer | None, crs: CRS) -> gpd.GeoDataFrame:
    """Name, category and polygons of a layer in the metric system; empty where there is none."""
    if layer is None:
        return gpd.GeoDataFrame({"name": [], "category": []}, geometry=[], crs=crs)
    frame = layer.frame
    table = pd.DataFrame(index=range(len(frame)))
    for column in ("name", "category"):
        values = frame.get(column, pd.Series("", index=frame.index))
        table[column] = values.fillna("").astype(str).to_numpy()
    shapes = np.array([polygonal(g) for g in _metric(layer, crs)], dtype=object)
    result = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return result[~result.geometry.is_empty].reset_index(drop=True)


def _wholes(
    layers: Mapping[str, Layer], crs: CRS, table: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Polygons to keep whole, each with a set number, and the table of sets so far."""
    frames = []
    for role, kind in (("compounds", "compound"), ("groups", "group")):
        frame = _polygons(layers.get(role), crs)
        frames.append(frame.assign(kind=kind))
    both = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=crs)
    both["set_id"] = np.arange(len(both))
    return both, pd.DataFrame(both[["kind", "name"]])


def _set_numbers(
    table: pd.DataFrame, wholes: gpd.GeoDataFrame, sets: pd.DataFrame
) -> tuple[IntArray, pd.DataFrame]:
    """The set of each household row: its compound or group, by outline first, else by name."""
    number = np.full(len(table), -1, dtype=np.int64)
    if len(wholes):
        points = shapely.points(table[["x", "y"]].to_numpy(dtype=float))
        tree = shapely.STRtree(points)
        # compounds come first in the table and win over groups
        shape, row = tree.query(wholes.geometry.to_numpy(), predicate="intersects")
        number[row[::-1]] = wholes["set_id"].to_numpy()[shape[::-1]]
    for kind in ("compound", "group"):
        named = (table[kind] != "").to_numpy() & (number < 0)
        if not named.any():
            continue
        key = table.loc[named, "village"].astype(str) + "\t" + table.loc[named, kind]
        code, unique = pd.factorize(key, sort=True)
        number[named] = code + len(sets)
        added = pd.DataFrame({"kind": kind, "name": [k.split("\t", 1)[1] for k in unique]})
        sets = pd.concat([sets, added], ignore_index=True)
    return number, sets
