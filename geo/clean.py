"""A layer ready to be kept: one metric system, datum found, rows without a place apart.

>>> cleaned = clean(layer, villages=villages)  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from geo.collecting import uncollected
from geo.crs import metric_crs
from geo.datum import Datum, DatumEvidence
from geo.harmonise import Shapes, metric, project, state_systems
from geo.inspect import dimension_of, evidence, in_degrees, restated
from geo.messages import register
from geo.placing import place_areas, points_in
from geo.problems import InputError, Problem
from geo.read import Layer
from geo.segments import IntArray

register(
    {
        "no-metric-system": (
            "坐标在极地附近,没有合适的米制坐标系;请检查坐标。",
            "lies where no metric coordinate system is at hand; check its coordinates.",
        ),
    }
)


@dataclass(frozen=True)
class Cleaned:
    """``placed``: canonical columns, shapes in ``crs`` (metres); a plain table where the layer has
    no places at all. ``unplaced``: the other rows with their ``reason`` and their number in the
    file, None where there are none. ``village``: for each placed row the row of the villages it
    lies in, -1 for none, and None where no villages were given. ``layer`` is the input with what
    was found about it.
    """

    layer: Layer
    placed: pd.DataFrame | gpd.GeoDataFrame
    unplaced: pd.DataFrame | None
    crs: CRS | None
    datum: Datum
    evidence: DatumEvidence | None
    village: IntArray | None

    @property
    def outside(self) -> int | None:
        """Placed rows that lie in no village; None where no villages were given."""
        return None if self.village is None else int((self.village < 0).sum())


@uncollected()
def clean(
    layer: Layer,
    *,
    villages: Layer | None = None,
    datum: Datum | Literal["auto"] = "auto",
) -> Cleaned:
    """Bring a layer to metres and set apart what has no place.

    ``villages`` tell an unstated coordinate system and the datum of points in degrees, and which
    rows lie in none of them. Raises :class:`InputError` where shapes stand in a system that
    nobody states, which then nothing can be measured in.
    """
    if "geometry" not in layer.frame:
        return _table(layer)
    layer = _stated(layer, villages)
    found = None if villages is None else evidence(layer, villages)
    chosen: Datum = "wgs84"
    if datum != "auto":
        chosen = datum
    elif found is not None:
        chosen = found.datum
    elif layer.datum_hint:
        chosen = layer.datum_hint
    moved = restated(layer, chosen)
    crs = _metric_system(moved, villages)
    shapes = _in_metres(moved.frame.geometry.to_numpy(), CRS(moved.crs), crs)
    lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    table = _renumbered(moved.frame.drop(columns="geometry"), lost)
    placed = gpd.GeoDataFrame(table[~lost], geometry=shapes[~lost], crs=crs)
    within = None if villages is None else _villages_of(placed, villages, crs)
    return Cleaned(
        moved, placed.reset_index(drop=True), _unplaced(layer, table, lost), crs, chosen, found,
        within,
    )  # fmt: skip


def _in_metres(shapes: Shapes, source: CRS, crs: CRS) -> Shapes:
    """Shapes in another system; points made anew, which takes a third of the time of moving."""
    if not np.isin(shapely.get_type_id(shapes), (-1, 0)).all():
        return project(shapely.force_2d(shapes), source, crs)
    out: Shapes = np.full(len(shapes), None, dtype=object)
    held = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    x, y = shapely.get_coordinates(shapes[held]).T
    if not source.equals(crs, ignore_axis_order=True):
        x, y = Transformer.from_crs(source, crs, always_xy=True).transform(x, y)
    out[held] = shapely.points(x, y)
    return out


def _table(layer: Layer) -> Cleaned:
    """A layer without any shapes: incidents are then all unplaced, other tables stay tables."""
    if layer.role != "incidents":
        return Cleaned(layer, layer.frame, None, None, "wgs84", None, None)
    unplaced = layer.frame.assign(reason="no-coordinates")
    return Cleaned(layer, layer.frame.iloc[:0], unplaced, None, "wgs84", None, None)


def _stated(layer: Layer, villages: Layer | None) -> Layer:
    """The layer with its coordinate system, found by the villages where the file is silent."""
    if layer.crs is not None:
        return layer
    others = {} if villages is None or villages.crs is None else {"villages": villages}
    stated, told = state_systems({**others, "the layer": layer})
    if any(problem.severity == "error" for problem in told):
        raise InputError(told)
    return replace(stated["the layer"], problems=[*layer.problems, *told])


def _metric_system(layer: Layer, villages: Layer | None) -> CRS:
    """The metric system of the villages' place, or of the middle of the layer's own."""
    middle = layer
    if villages is not None and villages.crs is not None and "geometry" in villages.frame:
        middle = villages
    frame = in_degrees(middle, "auto" if middle is villages else "wgs84")
    if frame is None or frame.empty:
        return _alone(layer)
    boxes = shapely.bounds(frame.geometry.to_numpy())
    # the median, because one row at the other end of the world must not move the zone of all
    west, south, east, north = np.median(boxes, axis=0)
    return _metric(float(west + east) / 2, float(south + north) / 2, layer)


def _alone(layer: Layer) -> CRS:
    """For a layer of which no row has a place: its own system, where that is metric."""
    own = CRS(layer.crs)
    return own if own.is_projected else metric_crs(0.0, 0.0)


def _metric(lon: float, lat: float, layer: Layer) -> CRS:
    try:
        return metric_crs(lon, lat)
    except ValueError as error:
        raise InputError([Problem("no-metric-system", layer.file.name)]) from error


def _villages_of(placed: gpd.GeoDataFrame, villages: Layer, crs: CRS) -> IntArray | None:
    if "geometry" not in villages.frame or villages.crs is None:
        return None
    ground: Shapes = metric(villages, crs)
    shapes = placed.geometry.to_numpy()
    if (shapely.get_dimensions(shapes) == 2).any():
        return place_areas(shapes, ground, 0.0)[0]
    if (shapely.get_dimensions(shapes) == 1).any():
        return None
    found: IntArray = np.full(len(shapes), -1, dtype=np.int64)
    which, row = points_in(shapely.get_coordinates(shapes), ground)
    order = np.lexsort((-which, row))  # on a shared border the first village counts
    found[row[order]] = which[order]
    return found


def _renumbered(table: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame:
    """Rows with a place are numbered first, so that they keep their numbers when read again."""
    numbers = np.empty(len(lost), dtype=np.int64)
    numbers[np.argsort(lost, kind="stable")] = np.arange(1, len(lost) + 1)
    own = [c for c in ("household_id", "incident_id") if c in table]
    return table.assign(**dict.fromkeys(own, numbers))


def _unplaced(layer: Layer, table: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame | None:
    if not lost.any():
        return None
    told = layer.no_place
    known = np.full(len(lost), "", dtype=object) if told is None else told
    why = np.where(known == "", "no-coordinates", known)
    rows: pd.DataFrame = table[lost].reset_index(drop=True)
    if layer.numbers is not None:
        rows["file_row"] = layer.numbers[lost]
    return rows.assign(reason=pd.Series(why[lost], dtype="str"))


def layers_to_keep(cleaned: Cleaned) -> dict[str, pd.DataFrame]:
    """Layer name → rows of a file that reads back as the same layer, with where it came from."""
    role = cleaned.layer.role
    areas = role == "households" and cleaned.crs is not None
    areas = areas and dimension_of(cleaned.layer) == 2
    name = "household_areas" if areas else role
    kept: dict[str, pd.DataFrame] = {}
    if len(cleaned.placed) or cleaned.unplaced is None:
        kept[name] = _writable(cleaned.placed)
    if cleaned.unplaced is not None:
        kept["unplaced"] = _writable(cleaned.unplaced)
    kept["provenance"] = _provenance(cleaned)
    return kept


def _writable(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts as whole numbers, and times as text where they are told to the month only.

    A month or a day among minutes would read back as midnight of its first day.
    """
    frame = frame.copy()
    for column in ("persons", "households", "officers"):
        if column in frame:
            frame[column] = frame[column].astype("Int64")
    precision = frame.get("time_precision")
    if precision is not None and not set(precision) - {""} <= {"minute"}:
        lengths = precision.map({"month": 7, "day": 10, "minute": 19, "": 0}).astype(int)
        texts = frame["time"].astype("str").fillna("")
        frame["time"] = pd.Series(
            [text[:length] or None for text, length in zip(texts, lengths, strict=True)],
            index=frame.index, dtype="str",
        )  # fmt: skip
    return frame


def _provenance(cleaned: Cleaned) -> pd.DataFrame:
    """Key and value: the file, what was found, what was left out; never a cell of it."""
    layer = cleaned.layer
    found: dict[str, Any] = {
        "role": layer.role,
        "file.name": layer.file.name,
        "file.size": layer.file.size,
        "file.sha256": layer.file.sha256,
        "crs.metric": "" if cleaned.crs is None else cleaned.crs.name,
        "datum": cleaned.datum,
        "rows.placed": len(cleaned.placed),
        "rows.unplaced": 0 if cleaned.unplaced is None else len(cleaned.unplaced),
        "rows.outside_villages": "" if cleaned.outside is None else cleaned.outside,
    }
    if cleaned.evidence is not None:
        found |= {f"datum.share.{name}": s for name, s in cleaned.evidence.shares.items()}
    for place, item in enumerate(layer.dropped, start=1):
        found[f"left_out.{place}"] = f"{item.column}: {item.kind}, {item.count}"
    return pd.DataFrame({"key": list(found), "value": [str(v) for v in found.values()]})


#: reasons of unplaced rows in words
NO_PLACE_WORDS: dict[str, tuple[str, str]] = {
    "no-coordinates": ("没有坐标", "no coordinates"),
    "coordinates-unreadable": ("坐标不是数字", "coordinates that are no numbers"),
    "null-island": ("坐标为 (0, 0)", "coordinates (0, 0)"),
    "outside-world": ("坐标超出范围", "coordinates out of range"),
    "shape-damaged": ("图形已损坏", "a damaged shape"),
    "shape-unfit": ("图形类型不符", "a shape of another kind"),
}
