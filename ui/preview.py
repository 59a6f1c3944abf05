"""A layer that is not yet part of a project, as the map shows it; pure, no Streamlit.

Large layers are thinned for the picture only: every n-th point, fewer vertices, never the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.datum import Datum
from geo.inspect import in_degrees
from geo.read import Layer as ReadLayer
from ui.format import name_text, whole
from ui.map.encode import dumps, encode_area, encode_lines, encode_point
from ui.map.scene import Layer, Scene
from ui.views import board_words
from ui.words import Language, word

POINTS = 4_000
VERTICES = 60_000
_AREA_STYLE = {"villages": "villageArea", "beats": "villageArea", "households": "villageArea",
               "water": "waterArea"}  # fmt: skip
_LINE_STYLE = {"roads": "roadMain", "water": "water", "railways": "railway"}


@dataclass(frozen=True)
class Preview:
    """What to draw, and how many of the rows with a place are drawn."""

    scene: Scene
    drawn: int
    placed: int


def _titles(frame: pd.DataFrame) -> list[str]:
    for column in ("name", "code", "category", "beat", "compound", "group"):
        if column in frame:
            return [name_text(value) for value in frame[column]]
    return [""] * len(frame)


def _thinned(shapes: np.ndarray) -> np.ndarray:
    """Shapes in degrees with at most about :data:`VERTICES` corners."""
    tolerance = 0.00001
    thin = shapes
    for _ in range(10):
        if shapely.get_num_coordinates(thin).sum() <= VERTICES:
            break
        thin = shapely.simplify(shapes, tolerance)
        tolerance *= 2
    return np.asarray(thin, dtype=object)


def _points(frame: gpd.GeoDataFrame) -> dict[str, str]:
    step = max(1, -(-len(frame) // POINTS))
    chosen = frame.iloc[::step]
    counts = pd.to_numeric(chosen.get("households", pd.Series(1, index=chosen.index)))
    persons = chosen.get("persons", pd.Series(np.nan, index=chosen.index))
    many = len(chosen) > POINTS // 8  # then small dots, whatever they count
    return {
        str(row): dumps({"i": str(row), "n": 1 if many else int(n), "t": title, "k": "",
                         "r": [whole(n), whole(p), title], "g": encode_point(shape)})
        for row, n, p, title, shape in zip(
            chosen.index, counts.fillna(1), persons, _titles(chosen), chosen.geometry, strict=True
        )
    }  # fmt: skip


def _areas(frame: gpd.GeoDataFrame) -> dict[str, str]:
    thin = _thinned(frame.geometry.to_numpy())
    households = frame.get("households", pd.Series(np.nan, index=frame.index))
    persons = frame.get("persons", pd.Series(np.nan, index=frame.index))
    codes = frame.get("code", pd.Series("", index=frame.index))
    towns = frame.get("township_name", pd.Series("", index=frame.index))
    rows = zip(_titles(frame), codes, towns, households, persons, thin, strict=True)
    return {
        str(i): dumps({"i": str(i), "t": title, "v": str(i),
                       "r": [name_text(code), name_text(town), whole(h), whole(p)],
                       "g": encode_area(shape)})
        for i, (title, code, town, h, p, shape) in enumerate(rows)
    }  # fmt: skip


def _lines(frame: gpd.GeoDataFrame) -> dict[str, str]:
    runs = [run for shape in _thinned(frame.geometry.to_numpy()) for run in encode_lines(shape)]
    return {"all": dumps({"i": "all", "g": runs})}


def _names(areas: gpd.GeoDataFrame) -> dict[str, str]:
    shapes = areas.geometry.to_numpy()
    return {
        str(i): dumps({"i": str(i), "t": name_text(name), "g": encode_point(shape)})
        for i, (name, shape) in enumerate(zip(areas["name"], shapes, strict=True))
    }


def _bounds(shapes: np.ndarray) -> tuple[float, float, float, float]:
    """Where nearly everything lies: one stray point must not shrink the rest to a dot."""
    boxes = shapely.bounds(shapes)
    if len(boxes) < 100:
        west, south, east, north = shapely.total_bounds(shapes)
        return float(west), float(south), float(east), float(north)
    low = np.quantile(boxes[:, :2], 0.01, axis=0)
    high = np.quantile(boxes[:, 2:], 0.99, axis=0)
    margin = 0.05 * (high - low)
    return tuple(float(v) for v in (*(low - margin), *(high + margin)))  # type: ignore[return-value]


def preview(
    key: str,
    layer: ReadLayer,
    datum: Datum | str,
    villages: gpd.GeoDataFrame | None,
    language: Language,
) -> Preview | None:
    """A layer over the outlines of the villages (degrees); None where it has no known place."""
    frame = in_degrees(layer, datum)  # type: ignore[arg-type]
    if frame is None or frame.empty:
        return None
    label = word(f"role.{layer.role}", language)
    dimensions = shapely.get_dimensions(frame.geometry.to_numpy())
    stack: list[Layer] = []
    if villages is not None and layer.role != "villages":
        outlines = {"all": dumps({"i": "all", "g": [
            run for shape in _thinned(villages.geometry.to_numpy()) for run in encode_lines(shape)
        ]})}  # fmt: skip
        stack.append(
            Layer("villages", "line", outlines, "village", word("role.villages", language))
        )
    areas, lines = frame[dimensions == 2], frame[dimensions == 1]
    points = frame[dimensions == 0].reset_index(drop=True)
    drawn = len(areas) + len(lines)
    if len(areas):
        style = _AREA_STYLE.get(layer.role, "compound")
        rows = tuple(word(name, language) for name in (
            "grid.code", "village.township", "grid.households", "grid.persons",
        ))  # fmt: skip
        stack.insert(0, Layer("areas", "area", _areas(areas), style, label, rows=rows))
    if len(lines):
        style = _LINE_STYLE.get(layer.role, "roadMinor")
        stack.append(Layer("lines", "line", _lines(lines), style, label))
    if len(points):
        held = _points(points)
        rows = tuple(word(name, language) for name in (
            "grid.households", "grid.persons", "grid.name",
        ))  # fmt: skip
        stack.append(Layer("points", "point", held, "household", label, rows=rows))
        drawn += len(held)
    if layer.role == "villages" and "name" in areas and len(areas):
        stack.append(
            Layer("names", "point", _names(areas), "label", word("layer.names", language),
                  min_zoom=12)
        )  # fmt: skip
    scene = Scene(
        key, tuple(stack), bounds=_bounds(frame.geometry.to_numpy()), words=board_words(language)
    )
    return Preview(scene, drawn, len(frame))
