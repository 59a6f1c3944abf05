"""From a plan's tables to the layers of the map; pure, no Streamlit.

Features are language-free (names, numbers), so that a change of language sends nothing but the
interface's words. Names go as plain text and are shown as text nodes by the browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ui.format import area_km2, decimal, name_text, signed_share, whole
from ui.map.colours import DEVIATION, class_labels, deviation_class
from ui.map.encode import (
    dumps,
    encode_area,
    encode_lines,
    encode_point,
    simplified_coverage,
    to_lonlat,
)
from ui.map.scene import Kind, Layer

COUNTY_VERTICES = 70_000
"""Vertices of all grids in the county's view: about 0.7 MB of message."""

CONTEXT_VERTICES = 30_000
"""Vertices of one layer of roads, water or railways in the county's view."""

LESSER_ZOOM = 12.5
"""From this zoom on a county's map has room for lanes, ditches and compounds."""

GRID_ROWS = (
    "grid.code", "grid.households", "grid.persons", "grid.deviation", "grid.deviation_ideal",
    "grid.compactness", "grid.area", "grid.exceptions",
)  # fmt: skip
HOUSEHOLD_ROWS = ("grid.households", "grid.persons", "grid.code")
VILLAGE_ROWS = ("grid.code", "village.township", "grid.households", "grid.persons")

_MAIN_ROADS = {
    "motorway", "trunk", "primary", "secondary", "tertiary", "expressway", "national",
    "provincial", "county", "arterial", "main", "s1100", "s1200",
    "高速", "高速公路", "国道", "省道", "县道", "快速路", "主干路", "主干道", "次干路", "次干道",
}  # fmt: skip


def _thinned(frame: gpd.GeoDataFrame, max_vertices: int) -> gpd.GeoDataFrame:
    shapes = np.asarray(frame.geometry.values, dtype=object)
    return frame.set_geometry(
        gpd.GeoSeries(simplified_coverage(shapes, max_vertices), index=frame.index, crs=frame.crs)
    )


def _column(frame: pd.DataFrame, name: str, default: Any = None) -> list[Any]:
    return list(frame[name]) if name in frame.columns else [default] * len(frame)


def exception_count(text: object) -> int:
    """How many exceptions the ``exceptions`` cell of a grid names."""
    return len([part for part in name_text(text).replace("；", ";").split(";") if part.strip()])


def judged(grids: pd.DataFrame, column: str) -> np.ndarray:
    """Deviations as floats, NaN for dedicated grids: they have no target."""
    if column not in grids.columns:
        return np.full(len(grids), np.nan)
    values = pd.to_numeric(grids[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    kinds = np.asarray(_column(grids, "kind", "comprehensive"), dtype=object)
    return np.where(kinds == "dedicated", np.nan, values)


def grid_features(grids: gpd.GeoDataFrame, max_vertices: int = COUNTY_VERTICES) -> dict[str, str]:
    """Grid code -> feature, thinned together to ``max_vertices``; metric coordinate system."""
    thin = _thinned(grids, max_vertices)
    target, ideal = judged(grids, "deviation"), judged(grids, "deviation_ideal")
    classes = np.column_stack([deviation_class(target), deviation_class(ideal)])
    columns = {
        name: _column(grids, name)
        for name in (
            "name", "village_code", "households", "persons", "polsby_popper", "area_m2",
            "exceptions",
        )
    }  # fmt: skip
    features = {}
    for i, (code, shape) in enumerate(zip(grids["code"].astype(str), to_lonlat(thin), strict=True)):
        exceptions = exception_count(columns["exceptions"][i])
        features[code] = dumps(
            {
                "i": code,
                "t": name_text(columns["name"][i]),
                "v": name_text(columns["village_code"][i]),
                "c": [int(number) for number in classes[i]],
                "r": [
                    code,
                    whole(columns["households"][i]),
                    whole(columns["persons"][i]),
                    signed_share(target[i]),
                    signed_share(ideal[i]),
                    decimal(columns["polsby_popper"][i]),
                    area_km2(columns["area_m2"][i]) + " km²",
                    str(exceptions) if exceptions else "",
                ],
                "g": encode_area(shape),
            }
        )
    return features


def exception_marks(grids: gpd.GeoDataFrame) -> dict[str, str]:
    """A mark inside each grid that breaks a rule."""
    counts = np.array([exception_count(text) for text in _column(grids, "exceptions", "")])
    wrong = grids[counts > 0]
    points = gpd.GeoDataFrame(geometry=wrong.geometry.representative_point(), crs=grids.crs)
    return {
        code: dumps({"i": code, "g": encode_point(point)})
        for code, point in zip(wrong["code"].astype(str), to_lonlat(points), strict=True)
    }


def village_outlines(
    grids: gpd.GeoDataFrame, max_vertices: int = COUNTY_VERTICES
) -> dict[str, str]:
    """Village code -> outline, drawn from the same thinned grids so that lines coincide."""
    shapes = _thinned(grids, max_vertices).geometry.to_numpy()
    rows_of = grids.groupby("village_code", sort=True).indices
    # united in metres: a tip left by thinning may cross itself once it is rounded to degrees
    united = [shapely.coverage_union_all(shapes[rows]) for rows in rows_of.values()]
    outlines = to_lonlat(gpd.GeoDataFrame(geometry=united, crs=grids.crs))
    return {
        str(code): dumps({"i": str(code), "g": encode_lines(outline)})
        for code, outline in zip(rows_of, outlines, strict=True)
    }


def grid_outlines(grids: gpd.GeoDataFrame) -> dict[str, str]:
    """Borders of grids as lines, to lie over the roads and waters they run along."""
    return {
        code: dumps({"i": code, "g": encode_lines(shape)})
        for code, shape in zip(grids["code"].astype(str), to_lonlat(grids), strict=True)
    }


def village_areas(
    villages: gpd.GeoDataFrame, max_vertices: int = COUNTY_VERTICES
) -> dict[str, str]:
    """Villages as areas, for a county that has no plan yet."""
    thin = _thinned(villages, max_vertices)
    columns = {
        name: _column(villages, name) for name in ("name", "township_name", "households", "persons")
    }
    features = {}
    codes = villages["code"].astype(str)
    for i, (code, shape) in enumerate(zip(codes, to_lonlat(thin), strict=True)):
        features[code] = dumps(
            {
                "i": code,
                "t": name_text(columns["name"][i]),
                "v": code,
                "r": [
                    code,
                    name_text(columns["township_name"][i]),
                    whole(columns["households"][i]),
                    whole(columns["persons"][i]),
                ],
                "g": encode_area(shape),
            }
        )
    return features


def name_labels(frame: gpd.GeoDataFrame, texts: Iterable[str]) -> dict[str, str]:
    """A text at a point inside each area."""
    points = gpd.GeoDataFrame(geometry=frame.geometry.representative_point(), crs=frame.crs)
    return {
        code: dumps({"i": code, "t": name_text(text), "g": encode_point(point)})
        for code, text, point in zip(
            frame["code"].astype(str), texts, to_lonlat(points), strict=True
        )
    }


def household_points(households: gpd.GeoDataFrame) -> dict[str, str]:
    """Households that share a coordinate as one point with their sum; no personal value."""
    if households.empty:
        return {}
    lonlat = shapely.get_coordinates(to_lonlat(households))
    table = pd.DataFrame(
        {
            "x": np.rint(lonlat[:, 0] * 1e6).astype(np.int64),
            "y": np.rint(lonlat[:, 1] * 1e6).astype(np.int64),
            "n": pd.to_numeric(pd.Series(_column(households, "households", 1)), errors="coerce"),
            "p": pd.to_numeric(pd.Series(_column(households, "persons")), errors="coerce"),
            "grid": [name_text(code) for code in _column(households, "grid_code", "")],
        }
    )
    sums = table.groupby(["x", "y"], sort=True).agg(
        n=("n", "sum"), p=("p", lambda p: p.sum(min_count=1)), grid=("grid", "first")
    )
    features = {}
    found = sums.reset_index()
    whole_columns = (found[name].astype(int) for name in ("x", "y", "n"))
    for x, y, n, persons, grid in zip(*whole_columns, found["p"], found["grid"], strict=True):
        key = f"{x},{y}"
        features[key] = dumps(
            {
                "i": key,
                "n": n,
                "k": grid,
                "r": [whole(n), whole(persons), grid],
                "g": [x, y],
            }
        )
    return features


def micro_features(micro: gpd.GeoDataFrame) -> dict[str, str]:
    """Micro-grids by their code; metric coordinate system."""
    columns = {name: _column(micro, name) for name in ("households", "persons", "grid_code")}
    features = {}
    codes = micro["code"].astype(str)
    for i, (code, shape) in enumerate(zip(codes, to_lonlat(micro), strict=True)):
        features[code] = dumps(
            {
                "i": code,
                "t": code,
                "k": name_text(columns["grid_code"][i]),
                "r": [
                    whole(columns["households"][i]), whole(columns["persons"][i]),
                    name_text(columns["grid_code"][i]),
                ],
                "g": encode_area(shape),
            }
        )  # fmt: skip
    return features


def unit_outlines(units: gpd.GeoDataFrame) -> dict[str, str]:
    """The units of one village as one feature of lines."""
    shapes = to_lonlat(units)
    return {"units": dumps({"i": "units", "g": [r for s in shapes for r in encode_lines(s)]})}


def is_main_road(road_class: object) -> bool:
    """Does a county's map show this road? Knows OpenStreetMap's, TIGER's and Chinese classes."""
    text = name_text(road_class).lower()
    return text in _MAIN_ROADS or text.removesuffix("_link") in _MAIN_ROADS


def line_feature(frame: gpd.GeoDataFrame, tolerance: float) -> dict[str, str]:
    """All lines of ``frame`` as one feature, thinned by ``tolerance`` metres; {} when empty."""
    lines = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if lines.empty:
        return {}
    if tolerance > 0:
        lines = lines.set_geometry(lines.geometry.simplify(tolerance))
    return {"all": dumps({"i": "all", "g": [r for s in to_lonlat(lines) for r in encode_lines(s)]})}


def area_feature(frame: gpd.GeoDataFrame, tolerance: float) -> dict[str, str]:
    """All areas of ``frame`` as one feature; {} when it has none."""
    areas = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if areas.empty:
        return {}
    if tolerance > 0:
        areas = areas.set_geometry(areas.geometry.simplify(tolerance))
    return {"all": dumps({"i": "all", "g": [p for s in to_lonlat(areas) for p in encode_area(s)]})}


def is_main_water(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Which waters a county's map shows, shape (n,) of bool.

    Areas of 0.1 km² and more, and lines whose name runs for a tenth of the layer's diagonal (at
    least 2 km): rivers are long, ditches are many.
    """
    shapes = frame.geometry
    west, south, east, north = frame.total_bounds
    least = max(2000.0, 0.1 * float(np.hypot(east - west, north - south)))
    names = pd.Series([name_text(name) for name in _column(frame, "name", "")], index=frame.index)
    own = names.where(names != "", [f"#{i}" for i in range(len(frame))])
    run = shapes.length.groupby(own).transform("sum")
    areas = shapes.geom_type.isin(["Polygon", "MultiPolygon"])
    return np.asarray(np.where(areas, shapes.area >= 1e5, run >= least), dtype=bool)


CONTEXT_PARTS: tuple[tuple[str, Kind, str, str], ...] = (
    ("compounds-part", "line", "compound", "compounds"),
    ("roads-part-minor", "line", "roadMinor", "roads"),
    ("water-part-area", "area", "waterArea", "water"),
    ("water-part-minor", "line", "waterMinor", "water"),
    ("water-part", "line", "water", "water"),
    ("roads-part", "line", "roadMain", "roads"),
    ("railways-part", "line", "railway", "railways"),
)
"""Layer, kind, style and role of the context where it comes village by village."""


def context_features(
    role: str, frame: gpd.GeoDataFrame, rows: np.ndarray, code: str
) -> list[tuple[str, str]]:
    """Layer of :data:`CONTEXT_PARTS` and feature of some rows of a role; ``code`` is their id."""
    own = frame.iloc[rows]
    area = own.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    shapes = to_lonlat(own)
    if role == "compounds":
        parts = {"compounds-part": np.ones(len(own), dtype=bool)}
    elif role == "roads":
        main = np.array([is_main_road(v) for v in _column(own, "road_class", "")], dtype=bool)
        parts = {"roads-part": main, "roads-part-minor": ~main}
    elif role == "water":
        named = np.array([name_text(n) != "" for n in _column(own, "name", "")], dtype=bool)
        parts = {"water-part-area": area, "water-part": ~area & named,
                 "water-part-minor": ~area & ~named}  # fmt: skip
    else:
        parts = {f"{role}-part": ~area}
    found = []
    for layer, kept in parts.items():
        if kept.any():
            encode = encode_area if layer == "water-part-area" else encode_lines
            runs = [run for shape in shapes[kept] for run in encode(shape)]
            found.append((layer, dumps({"i": code, "g": runs})))
    return found


def _is_main(role: str, frame: gpd.GeoDataFrame) -> np.ndarray:
    if role == "roads":
        classes = _column(frame, "road_class", "")
        return np.array([is_main_road(value) for value in classes], dtype=bool)
    if role == "water":
        return is_main_water(frame)
    return np.full(len(frame), role == "railways")


def _drawn(
    role: str, frame: gpd.GeoDataFrame, tolerance: float, minor: bool
) -> list[tuple[str, Kind, dict[str, str], str]]:
    """Part of a role, its kind, its features, its style; parts without a feature left out."""
    parts: list[tuple[str, Kind, dict[str, str], str]] = []
    if role == "water":
        lines = frame[~frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
        parts.append(("-area", "area", area_feature(frame, tolerance), "waterArea"))
        parts.append(
            ("", "line", line_feature(lines, tolerance), "waterMinor" if minor else "water")
        )
    else:
        styles = {"roads": "roadMinor" if minor else "roadMain", "railways": "railway"}
        style = styles.get(role, "compound")
        parts.append(("", "line", line_feature(frame, tolerance), style))
    return [part for part in parts if part[2]]


def context_layers(
    context: Mapping[str, gpd.GeoDataFrame],
    labels: Mapping[str, str],
    *,
    window: tuple[float, float, float, float] | None = None,
) -> list[Layer]:
    """Roads, water, railways and compounds as layers of the map, the lesser ones below.

    Parameters
    ----------
    context : role -> frame in one metric coordinate system.
    labels : role -> name of the switch.
    window : show what meets this rectangle (metres, same system), in full detail. Without it
        the county's view: thinned, the lesser ones only from a zoom on that has room for them,
        and not at all where they are too many to send.
    """
    tolerance = 0.0 if window else 4.0
    layers: list[Layer] = []
    for role, frame in context.items():
        main = _is_main(role, frame)
        near = np.ones(len(frame), dtype=bool)
        if window:
            near[:] = False
            near[frame.sindex.query(shapely.box(*window))] = True
        lesser = frame[near & ~main]
        few = shapely.get_num_coordinates(lesser.geometry.values).sum() <= CONTEXT_VERTICES
        for minor, held in ((True, lesser), (False, frame[near & main])):
            if minor and not (few or window):
                continue
            for part, kind, features, style in _drawn(role, held, tolerance, minor):
                layers.append(
                    Layer(
                        f"{role}{part}{'-minor' if minor else ''}", kind, features, style,
                        label=labels[role], min_zoom=LESSER_ZOOM if minor and not window else 0,
                    )
                )  # fmt: skip
    return layers


def legend(title: str, choices: list[str], none: str) -> dict[str, Any]:
    """The legend's data for the browser."""
    return {
        "title": title,
        "choices": choices,
        "labels": class_labels(),
        "none": none,
        "light": list(DEVIATION.light),
        "dark": list(DEVIATION.dark),
        "noneLight": DEVIATION.none_light,
        "noneDark": DEVIATION.none_dark,
    }
