"""Events: what was reported, where, when, of what kind, and how far it is dealt with.

:func:`load_events` joins any number of files with different columns into one :class:`Events`.
A field that no file has stays unknown; nothing is guessed into it. Names, telephone numbers and
free text never arrive: the readers drop them. Coordinates are metres in ``crs``, x (east) first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geo.crs import WGS84, metric_crs
from geo.datum import Datum, to_wgs84
from geo.harmonise import state_systems
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import FileRecord, Layer
from geo.read.times import parse_times
from incidents.categories import SIX, CategoryTable, ClassList, default_table
from incidents.words import SOURCES, STATES, found_by_name, source_of, state_of

FloatArray = NDArray[np.float64]
Times = NDArray[np.datetime64]

#: why an event has no place; index into this is ``Events.lost``
REASONS = ("", "no-coordinates", "impossible-coordinates")
_PLACE = ("x", "y")

register(
    {
        "events-none": (
            "没有事件;请检查文件和图层。",
            "holds no event; check the file and its layer.",
        ),
        "events-found-by-name": (
            "没有来源列;按文件名作为巡查或设备发现的事件,平常不进热点。",
            "has no column for the source; by its name its events were found on patrol or by "
            "devices, and are usually left out of hot spots.",
        ),
        "events-no-place": (
            "没有一条事件带有可用坐标,无法制图。",
            "has no event with usable coordinates; nothing can be mapped.",
        ),
    }
)


@dataclass(frozen=True)
class Events:
    """Events of one county, all arrays (n,) in the order of the files.

    ``x``, ``y`` metres in ``crs``, NaN without a place (``lost`` says why). ``time`` is local,
    NaT unknown, ``precision`` "minute", "day", "month" or ""; ``time_to`` is the end of an
    interval where only that is known, else NaT. ``source``, ``state`` and ``group`` are numbers
    into ``SOURCES``, ``STATES`` and ``classes.keys`` (-1 not mapped to a class). ``category``,
    ``subtype``, ``department`` are the files' own words, "" unknown. ``file`` is the row of
    ``files``. ``repeats`` counts the rows that readers left out as told twice.
    """

    crs: CRS
    classes: ClassList
    x: FloatArray
    y: FloatArray
    lost: NDArray[np.int8]
    time: Times
    time_to: Times
    precision: NDArray[np.str_]
    reported: Times
    closed: Times
    due: Times
    source: NDArray[np.int8]
    state: NDArray[np.int8]
    group: NDArray[np.int8]
    sensitive: NDArray[np.bool_]
    category: pd.Categorical[str]
    subtype: pd.Categorical[str]
    department: pd.Categorical[str]
    weight: FloatArray
    file: NDArray[np.int16]
    files: tuple[FileRecord, ...] = ()
    repeats: int = 0
    dropped: tuple[tuple[str, str, int], ...] = ()
    notes: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which events have a usable place."""
        return np.asarray(self.lost == 0)

    @property
    def months(self) -> NDArray[np.int64]:
        """Months since 1970-01, -1 where the time is unknown; no month before 1970 is expected."""
        months = self.time.astype("datetime64[M]").astype(np.int64)
        return np.where(np.isnat(self.time), -1, months)

    def take(self, rows: NDArray[Any]) -> Events:
        """The events of a mask or of row numbers; files and notes stay."""
        kept = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(self, **kept)

    def classified(self, table: CategoryTable) -> Events:
        """The events under another table of classes."""
        group, sensitive = _classes(self.category, self.subtype, table)
        return replace(self, classes=table.classes, group=group, sensitive=sensitive)

    def unmapped(self) -> dict[str, int]:
        """Kinds that no class takes, with their counts, most frequent first."""
        rows = self.group < 0
        names = pd.Series(self.category[rows].astype(str))
        small = pd.Series(self.subtype[rows].astype(str))
        names = names.where(small == "", names + "/" + small)
        return {str(k): int(v) for k, v in names.value_counts().items()}


_COLUMNS = tuple(
    f.name
    for f in fields(Events)
    if f.name not in ("crs", "classes", "files", "repeats", "dropped", "notes")
)


def load_events(
    layers: Sequence[Layer],
    *,
    crs: CRS | None = None,
    table: CategoryTable | None = None,
    datum: Datum = "wgs84",
    known: Mapping[str, Layer] | None = None,
) -> Events:
    """One table of events from layers of the role incidents.

    ``crs`` is the metric system of the other layers; without it the place of the events decides.
    ``datum`` undoes the shift of web maps for layers in degrees that do not hint at it
    themselves. ``known`` layers (villages) tell the zone of bare metres. Raises
    :class:`InputError` where there is no event, or a layer's system cannot be known.
    """
    table = default_table(SIX) if table is None else table
    named = {f"incidents {i}": layer for i, layer in enumerate(layers)}
    stated, found = state_systems({**(known or {}), **named})
    errors = [problem for problem in found if problem.severity == "error"]
    errors += [Problem("events-none", v.file.name) for v in layers if not len(v.frame)]
    if errors or not layers:
        raise InputError(errors or [Problem("events-none")])
    lonlat = [_degrees(stated[name], datum) for name in named]
    crs = _system(np.vstack(lonlat)) if crs is None else crs
    parts = [
        _part(layer, number, places, crs, table)
        for number, (layer, places) in enumerate(zip(layers, lonlat, strict=True))
    ]
    notes = [problem for layer in layers for problem in layer.problems] + found
    notes += [Problem("events-found-by-name", v.file.name) for v in layers if _found_by_name(v)]
    events = _joined(parts, crs, table)
    return replace(
        events,
        files=tuple(layer.file for layer in layers),
        repeats=sum(
            int(str(p.params.get("count", 0))) for p in notes if p.code.endswith("_repeated")
        ),
        dropped=tuple((v.file.name, d.column, d.count) for v in layers for d in v.dropped),
        notes=tuple(notes),
    )


def _degrees(layer: Layer, datum: Datum) -> FloatArray:
    """Longitude and latitude (n, 2), WGS 84, NaN where there is no point."""
    if "geometry" not in layer.frame:
        return np.full((len(layer.frame), 2), np.nan)
    shapes = layer.frame.geometry.to_numpy()
    # a layer of points pays nothing for this; outlines stand for their middle
    if (shapely.get_dimensions(shapes) > 0).any():
        shapes = shapely.point_on_surface(shapes)
    xy = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
    source = CRS(layer.crs)
    if not source.equals(WGS84, ignore_axis_order=True):
        change = Transformer.from_crs(source, WGS84, always_xy=True)
        xy = np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    shift: Datum = layer.datum_hint or (datum if source.is_geographic else "wgs84")
    return xy if shift == "wgs84" else np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], shift))


def _system(lonlat: FloatArray) -> CRS:
    good = np.isfinite(lonlat).all(axis=1)
    if not good.any():
        raise InputError([Problem("events-no-place")])
    lon, lat = np.median(lonlat[good], axis=0)
    return metric_crs(float(lon), float(lat))


def _part(
    layer: Layer, number: int, lonlat: FloatArray, crs: CRS, table: CategoryTable
) -> dict[str, Any]:
    """The columns of one file."""
    frame, n = layer.frame, len(layer.frame)
    xy = np.full((n, 2), np.nan)
    told = np.isfinite(lonlat).all(axis=1)
    if told.any():
        change = Transformer.from_crs(WGS84, crs, always_xy=True)
        xy[told] = np.column_stack(change.transform(lonlat[told, 0], lonlat[told, 1]))
    good = np.isfinite(xy).all(axis=1)
    xy[~good] = np.nan
    part: dict[str, Any] = {"x": xy[:, 0], "y": xy[:, 1]}
    part["lost"] = np.where(good, 0, np.where(told, 2, 1)).astype(np.int8)
    for name, column in (
        ("time", "time"), ("time_to", "time_to"), ("reported", "reported_time"),
        ("closed", "closed_time"), ("due", "due_time"),
    ):  # fmt: skip
        part[name] = _times(frame, column)
    precision = frame["time_precision"] if "time_precision" in frame else pd.Series([""] * n)
    part["precision"] = precision.fillna("").to_numpy(dtype="<U6")
    texts = {name: _text(frame, name) for name in ("category", "subtype", "department")}
    part |= texts
    part["source"] = _coded(_text(frame, "source"), source_of)
    if _found_by_name(layer):
        part["source"] = np.full(n, SOURCES.index("discovered"), dtype=np.int8)
    part["state"] = _coded(_text(frame, "status"), state_of)
    done = ~np.isnat(part["closed"]) & (part["state"] == 0)
    part["state"] = np.where(done, STATES.index("close"), part["state"]).astype(np.int8)
    part["weight"] = np.ones(n)
    part["file"] = np.full(n, number, dtype=np.int16)
    return part


def _found_by_name(layer: Layer) -> bool:
    return "source" not in layer.frame and found_by_name(layer.file.name)


def _times(frame: pd.DataFrame, column: str) -> Times:
    if column not in frame:
        return np.full(len(frame), np.datetime64("NaT", "s"))
    values = frame[column]
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.to_numpy(dtype="datetime64[s]")
    return parse_times(values)[0]


def _text(frame: pd.DataFrame, column: str) -> pd.Categorical[str]:
    if column not in frame:
        return pd.Categorical([""] * len(frame))
    return pd.Categorical(frame[column].fillna("").astype(str).to_numpy(dtype=object))


def _coded(values: pd.Categorical[str], meaning: Any) -> NDArray[np.int8]:
    codes = np.array([meaning(str(word)) for word in values.categories], dtype=np.int8)
    return codes[values.codes] if len(codes) else np.zeros(len(values), dtype=np.int8)


def _joined(parts: Sequence[dict[str, Any]], crs: CRS, table: CategoryTable) -> Events:
    texts = ("category", "subtype", "department")
    whole: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
        if name not in texts
    }
    for name in texts:
        whole[name] = pd.api.types.union_categoricals(
            [part[name] for part in parts], sort_categories=True
        )
    group, sensitive = _classes(whole["category"], whole["subtype"], table)
    return Events(crs=crs, classes=table.classes, group=group, sensitive=sensitive, **whole)


def _classes(
    category: pd.Categorical[str], subtype: pd.Categorical[str], table: CategoryTable
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Class and sensitivity of each event; each pair of words is looked up once."""
    width = max(1, len(subtype.categories))
    pair = category.codes.astype(np.int64) * width + subtype.codes
    unique, row = np.unique(pair, return_inverse=True)
    large = [str(category.categories[code // width]) for code in unique]
    small = [str(subtype.categories[code % width]) for code in unique]
    found = table.classify(large, small)
    return found.number[row], found.sensitive[row]


def unknown_sources(events: Events) -> int:
    """Events of which no file tells whether people reported them or a patrol found them."""
    return int((events.source == SOURCES.index("unknown")).sum())
