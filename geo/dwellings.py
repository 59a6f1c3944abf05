"""Households as read: counts, their datum, the village each lies in, and those that lie nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.crs import WGS84
from geo.datum import Datum, DatumEvidence, detect_datum, to_wgs84, wgs84_to_gcj02
from geo.harmonise import Shapes, metric, project, project_places, shift
from geo.messages import register
from geo.placing import place_areas, place_rows, points_in
from geo.problems import InputError, Problem
from geo.read import Layer
from geo.repair import polygonals
from geo.segments import FloatArray

register(
    {
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
        "persons-partly-unknown": (
            "{count} 行有户数但没有人口;所在村不按人口上限检查,请补全。",
            "{count} rows have households but no persons; villages with such rows are not held to "
            "the cap on persons. Complete the column.",
        ),
        "households-approximate": (
            "{count} 行没有坐标,已按村民小组、自然村、小区或村的位置放置,位置为近似值。",
            "{count} rows have no coordinates and were placed at their group, compound or village; "
            "their places are approximate.",
        ),
    }
)


@dataclass(frozen=True)
class Dwellings:
    """``table``: household_id, households, persons, group, compound, approximate, x, y, village;
    ``areas`` polygons of its rows where they are ready-made areas; ``unplaced`` the other rows,
    with their reason.
    """

    table: pd.DataFrame
    areas: Shapes | None
    unplaced: pd.DataFrame
    datum: Datum
    notes: list[Problem]


def dwellings(
    layers: Mapping[str, Layer],
    villages: gpd.GeoDataFrame,
    crs: CRS,
    datum: Datum | Literal["auto"],
    tolerance_m: float,
) -> Dwellings:
    """Count, project and place the households.

    Raises :class:`InputError` where not one lies in a village.
    """
    layer = layers["households"]
    table = _counts(layer.frame)
    ground = villages.geometry.to_numpy()
    table["approximate"] = 0
    given = _points(layer)
    shapes: Shapes | None = None
    if given is None:
        shapes, chosen, notes = _shapes(layer, crs, datum)
        lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        point = _places(shapes)
    else:
        point, chosen, notes = _metric_points(given, layer, villages, crs, datum)
        lost = np.isnan(point[:, 0])
    if lost.any():
        guess = _by_name(layer.frame, layers, villages, crs)
        known = lost & ~shapely.is_missing(guess)
        point[known] = shapely.get_coordinates(guess[known])
        table.loc[known, "approximate"] = 1
        if known.any():
            params = {"count": int(known.sum())}
            notes.append(
                Problem("households-approximate", layer.file.name, "", params, "warning")
            )
            if shapes is not None:
                shapes[known] = guess[known]
    areas = None
    if shapes is not None and np.isin(shapely.get_type_id(shapes), (-1, 3, 6)).all():
        shapes = polygonals(shapes)
        village, reason = place_areas(shapes, ground, tolerance_m)
        areas = shapes[village >= 0]
        point = _places(shapes)
    else:
        village, reason = place_rows(point, ground, tolerance_m)
    table["x"], table["y"], table["village"] = point[:, 0], point[:, 1], village
    placed = village >= 0
    notes += _placing_notes(table, placed, layer.file.name)
    unplaced = table[~placed].assign(reason=reason[~placed]).drop(columns="village")
    return Dwellings(
        table[placed].reset_index(drop=True), areas, unplaced.reset_index(drop=True), chosen, notes
    )


def nobody() -> Dwellings:
    """No households: of a county whose boundaries alone are known."""
    table = _counts(pd.DataFrame())
    table["approximate"] = 0
    table["x"] = table["y"] = np.zeros(0)
    unplaced = table.assign(reason=np.zeros(0, dtype=object))
    table["village"] = np.zeros(0, dtype=np.int64)
    return Dwellings(table, None, unplaced, "wgs84", [])


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Ids and whole-number counts; persons -1 where unknown."""
    table = pd.DataFrame(index=range(len(frame)))
    ids = frame.get("household_id", pd.Series(range(1, len(frame) + 1), index=frame.index))
    table["household_id"] = ids.to_numpy()
    households = frame.get("households", pd.Series(1, index=frame.index))
    table["households"] = households.fillna(0).round().astype(np.int64).to_numpy()
    persons = frame.get("persons", pd.Series(-1, index=frame.index))
    table["persons"] = persons.fillna(-1).round().astype(np.int64).to_numpy()
    for column in ("group", "compound"):
        table[column] = _text(frame, column)
    return table


def _text(frame: pd.DataFrame, column: str) -> np.ndarray:
    values = frame.get(column, pd.Series("", index=frame.index))
    row, unique = pd.factorize(values)  # few different ones: each is made a text once
    texts = ["" if pd.isna(text) else str(text).strip() for text in unique]
    return np.array([*texts, ""], dtype=object)[row]


def _points(layer: Layer) -> FloatArray | None:
    """The points of a layer that has no other shapes, NaN where a row has none, (h, 2)."""
    place = np.full((len(layer.frame), 2), np.nan)
    if "geometry" not in layer.frame:
        return place
    shapes = layer.frame.geometry.to_numpy()
    kind = shapely.get_type_id(shapes)
    if not np.isin(kind, (-1, 0)).all():
        return None
    held = (kind == 0) & ~shapely.is_empty(shapes)
    place[held] = shapely.get_coordinates(shapes[held])
    return place


def _metric_points(
    place: FloatArray,
    layer: Layer,
    villages: gpd.GeoDataFrame,
    crs: CRS,
    datum: Datum | Literal["auto"],
) -> tuple[FloatArray, Datum, list[Problem]]:
    """Points in metres, their datum and the evidence; no shape is made of them."""
    chosen: Datum = "wgs84" if datum == "auto" else datum
    if "geometry" not in layer.frame:
        return place, chosen, []
    notes: list[Problem] = []
    held = np.isfinite(place).all(axis=1)
    xy, source = place[held], CRS(layer.crs)
    if source.is_geographic and datum == "auto" and _shifts_at(xy):
        chosen, notes = _detect(xy, villages, crs, layer.file.name)
    if chosen != "wgs84":
        xy, source = np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], chosen)), WGS84
    place[held] = project_places(xy, source, crs)
    return place, chosen, notes


def _shapes(
    layer: Layer, crs: CRS, datum: Datum | Literal["auto"]
) -> tuple[Shapes, Datum, list[Problem]]:
    """Metric shapes of the rows (None where a row has none) and the datum that was given."""
    chosen: Datum = "wgs84" if datum == "auto" else datum
    shapes, source = shapely.force_2d(layer.frame.geometry.to_numpy()), CRS(layer.crs)
    if chosen != "wgs84":
        shapes, source = shift(shapes, chosen), WGS84
    return project(shapes, source, crs), chosen, []


def _by_name(
    frame: pd.DataFrame, layers: Mapping[str, Layer], villages: gpd.GeoDataFrame, crs: CRS
) -> Shapes:
    """A point for each row from the group or compound it names, None where there is none.

    A name counts within the row's village where the row names one, else where it is unique. In a
    table without any coordinates, rows that name no known group or compound go to the middle of
    their village.
    """
    found = np.full(len(frame), None, dtype=object)
    code = pd.Series(range(len(villages)), index=villages["code"].astype(str))
    name = villages["name"].astype(str)
    by_name = pd.Series(range(len(villages)), index=name)[~name.duplicated(keep=False).to_numpy()]
    home = pd.Series(_text(frame, "village_code")).map(code[~code.index.duplicated()])
    home = home.fillna(pd.Series(_text(frame, "village_name")).map(by_name)).fillna(-1)
    for role, column in (("groups", "group"), ("compounds", "compound")):
        layer = layers.get(role)
        if layer is None or "name" not in layer.frame:
            continue
        points = shapely.point_on_surface(metric(layer, crs))
        where, _ = place_rows(_places(points), villages.geometry.to_numpy(), 50.0)
        titles = _text(layer.frame, "name")
        exact = {(int(v), t): p for v, t, p in zip(where, titles, points, strict=True)}
        counts = pd.Series(titles).value_counts()
        unique = {t: p for t, p in zip(titles, points, strict=True) if counts[t] == 1}
        for row, (village, title) in enumerate(zip(home, _text(frame, column), strict=True)):
            if found[row] is None and title:
                own = unique.get(title) if village < 0 else exact.get((int(village), title))
                found[row] = own
    if "geometry" not in frame:
        alone = np.flatnonzero(shapely.is_missing(found) & (home.to_numpy() >= 0))
        own_village = home.to_numpy(dtype=np.int64)[alone]
        found[alone] = shapely.point_on_surface(villages.geometry.to_numpy()[own_village])
    return found


def _places(shapes: Shapes) -> FloatArray:
    """A point on each shape, NaN where there is none, (h, 2)."""
    place = np.full((len(shapes), 2), np.nan)
    held = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    place[held] = shapely.get_coordinates(shapely.point_on_surface(shapes[held]))
    return place


def shifts_there(shapes: Shapes) -> bool:
    """Whether GCJ-02 differs from WGS 84 where these points lie: only in and around China."""
    return _shifts_at(shapely.get_coordinates(shapes))


def _shifts_at(xy: FloatArray) -> bool:
    middle = np.nanmedian(xy, axis=0) if len(xy) else np.zeros(2)
    lon, lat = wgs84_to_gcj02(middle[:1], middle[1:])
    return bool(abs(lon[0] - middle[0]) + abs(lat[0] - middle[1]) > 1e-9)


def datum_evidence(shapes: Shapes, villages: Shapes, crs: CRS) -> DatumEvidence:
    """What points in degrees say about their datum, by the share inside the villages under each.

    ``villages`` are polygons in ``crs``. 3,000 points are asked.
    """
    return _evidence(shapely.get_coordinates(shapes), villages, crs)


def _evidence(xy: FloatArray, villages: Shapes, crs: CRS) -> DatumEvidence:
    def inside(lon: FloatArray, lat: FloatArray) -> np.ndarray:
        hit = np.zeros(len(lon), dtype=bool)
        hit[points_in(project_places(np.column_stack([lon, lat]), WGS84, crs), villages)[1]] = True
        return hit

    return detect_datum(xy[:, 0], xy[:, 1], inside, sample=3000)


def _detect(
    xy: FloatArray, villages: gpd.GeoDataFrame, crs: CRS, file: str
) -> tuple[Datum, list[Problem]]:
    """The households' datum, and what to say about it."""
    evidence = _evidence(xy, villages.geometry.to_numpy(), crs)
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
    """What is doubtful about where households lie and how many live there."""
    notes = []
    unknown = (table["persons"] < 0) & (table["households"] > 0)
    if unknown.any() and not unknown.all():
        params = {"count": int(unknown.sum())}
        notes.append(Problem("persons-partly-unknown", file, "", params, "warning"))
    total = table["households"].sum()
    inside = table.loc[placed, "households"].sum()
    if total > 0 and inside == 0:
        raise InputError([Problem("households-none-inside", file)])
    share = inside / total if total else 1.0
    if share < 0.98:
        notes.append(Problem("households-far", file, "", {"share": share}, "warning"))
    return notes
