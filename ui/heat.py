"""A report as the page's map: grey areas, coloured cells, numbered places; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ui.event_map import (
    GREY_DARK,
    GREY_LIGHT,
    HEAT_DARK,
    HEAT_LIGHT,
    coarse_level,
    outlines,
    without_slivers,
)
from ui.format import name_text
from ui.labels import fitting
from ui.map import layers
from ui.map.encode import (
    bounds_lonlat,
    dumps,
    encode_area,
    encode_lines,
    encode_point,
    simplified_coverage,
    to_lonlat,
)
from ui.map.scene import Focus, Layer, Scene
from ui.places import course_word, spoken
from ui.survey import Report
from ui.views import board_words, context_words
from ui.words import Language, word

if TYPE_CHECKING:
    from ui.study import Study

OUTLINE_VERTICES = 60_000
CIRCLED = "❶❷❸❹❺❻❼❽❾❿"  # the numbers of the places, as the map writes them
ROAD_NAMES = 60  # the longest roads whose names a map has room for
ROAD_NAMES_ZOOM = 11.5
CLOSER = 1.3  # steps of zoom until names that had no room are tried again
MAP_PIXELS, TYPE_PIXELS = (560, 540), 12.0  # the map beside ten places, at 1366 x 768
EQUATOR_M = 40_075_017.0


def legend_of(
    title: str, labels: Sequence[str], light: Sequence[str], dark: Sequence[str], none: str
) -> dict[str, Any]:
    """A legend's data for the browser, grey for "no value"."""
    return {
        "title": title, "choices": [title], "labels": list(labels), "none": none,
        "light": list(light[: len(labels)]), "dark": list(dark[: len(labels)]),
        "noneLight": GREY_LIGHT, "noneDark": GREY_DARK,
    }  # fmt: skip


def area_shapes(study: Study, level: str) -> dict[str, str]:
    """Code -> encoded outline of a level's areas, made once a study."""
    held: dict[str, str] | None = study.kept.get(f"shapes/{level}")
    if held is None:
        shapes = study.areas.shapes(level)  # type: ignore[arg-type]
        if len(shapes) < len(study.areas.units):
            shapes = without_slivers(shapes)
        thin = simplified_coverage(shapes, OUTLINE_VERTICES)
        frame = gpd.GeoDataFrame(geometry=thin, crs=study.areas.crs)
        codes = [str(code) for code in study.areas.levels[level].codes]  # type: ignore[index]
        lonlat = to_lonlat(frame)
        held = {c: dumps(encode_area(s)) for c, s in zip(codes, lonlat, strict=True)}
        study.kept[f"shapes/{level}"] = held
    return held


def area_features(
    study: Study,
    level: str,
    classes: Mapping[str, int],
    rows: Mapping[str, Sequence[str]],
    language: Language = "zh",
) -> dict[str, str]:
    """A level as coloured areas: ``classes`` and ``rows`` by code; -1 and nothing where missing."""
    names = study.areas.levels[level]  # type: ignore[index]
    named = {
        str(c): spoken(n, c, language) for c, n in zip(names.codes, names.names, strict=True)
    }
    found = {}
    for code, shape in area_shapes(study, level).items():
        head = dumps({"i": code, "t": named.get(code, code), "c": [classes.get(code, -1)],
                      "r": list(rows.get(code, ()))})  # fmt: skip
        found[code] = f'{head[:-1]},"g":{shape}}}'
    return found


def ground_layer(study: Study, level: str) -> Layer:
    """A level in grey; never changes, since a layer sent anew would be drawn over the cells."""
    key = f"ground/{level}"
    if key not in study.kept:
        features = area_features(study, level, {}, {})
        study.kept[key] = Layer("ground", "area", features, "choropleth")
    found: Layer = study.kept[key]
    return found


def cell_features(
    cells: gpd.GeoDataFrame, classes: np.ndarray, rows: Sequence[Sequence[str]]
) -> dict[str, str]:
    """Cells (column ``cell``) as coloured squares with the rows of their tooltips."""
    found = {}
    shapes = to_lonlat(cells)
    for name, shape, number, told in zip(cells["cell"], shapes, classes, rows, strict=True):
        found[str(name)] = dumps(
            {"i": str(name), "t": "", "c": [int(number)], "r": list(told),
             "g": encode_area(shape)}
        )  # fmt: skip
    return found


def base_layers(study: Study, language: Language) -> list[Layer]:
    """What lies under and over the colours: roads, water, borders and names; made once."""
    key = f"base/{language}"
    held: list[Layer] | None = study.kept.get(key)
    if held is not None:
        return held
    context = {role: frame.to_crs(study.areas.crs) for role, frame in study.context.items()
               if role in ("roads", "water")}  # fmt: skip
    stack = layers.context_layers(context, context_words(language))
    frame = outlines(study)
    thin = simplified_coverage(np.asarray(frame.geometry.to_numpy()), OUTLINE_VERTICES)
    lines = to_lonlat(frame.set_geometry(gpd.GeoSeries(thin, crs=frame.crs)))
    edges = {
        code: dumps({"i": code, "g": encode_lines(s)})
        for code, s in zip(frame["code"], lines, strict=True)
    }
    stack.append(Layer("edges", "line", edges, "village", word("incidents.areas", language)))
    stack += _area_names(frame, language)
    stack += _road_names(context.get("roads"), frame, language)
    study.kept[key] = stack
    return stack


def _scale(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    """Metres of a pixel where the whole county is on the map, and the zoom of that."""
    west, south, east, north = frame.total_bounds
    metre = max((east - west) / MAP_PIXELS[0], (north - south) / MAP_PIXELS[1])
    latitude = float(frame.to_crs(4326).total_bounds[[1, 3]].mean())
    zoom = np.log2(EQUATOR_M * np.cos(np.radians(latitude)) / 256 / metre)
    return float(metre), float(zoom)


def _middles(frame: gpd.GeoDataFrame) -> np.ndarray:
    points = frame.geometry.representative_point()
    return np.column_stack([points.x, points.y])


def _area_names(frame: gpd.GeoDataFrame, language: Language) -> list[Layer]:
    """Names of the areas; those that would stand in another's way wait for a closer look."""
    metre, zoom = _scale(frame)
    texts = [spoken(name, "", language) for name in frame["name"]]
    room = fitting(_middles(frame), texts, frame.area.to_numpy(), TYPE_PIXELS * metre)
    first, later = layers.name_labels(frame[room], np.array(texts)[room]), {}
    label = word("layer.names", language)
    found = [Layer("names", "point", first, "label", label)]
    if not room.all():
        later = layers.name_labels(frame[~room], np.array(texts)[~room])
        found.append(Layer("names-close", "point", later, "label", label,
                           min_zoom=round(zoom + CLOSER, 2)))  # fmt: skip
    return found


def _road_names(
    roads: gpd.GeoDataFrame | None, areas: gpd.GeoDataFrame, language: Language
) -> list[Layer]:
    """Names of the longest roads, at the middle of each, beside the names of the areas; what has
    no room waits for a closer look, twice."""
    if roads is None or "name" not in roads:
        return []
    names = roads["name"].map(name_text)
    frame = roads[(names != "").to_numpy()].assign(code=names[names != ""])
    if frame.empty:
        return []
    piece = frame.assign(long=frame.length).sort_values("long", ascending=False)
    total = piece.groupby("code")["long"].sum().nlargest(ROAD_NAMES)
    first = piece.drop_duplicates("code").set_index("code").reindex(total.index)
    middles = gpd.GeoDataFrame(
        geometry=first.geometry.interpolate(0.5, normalized=True), crs=roads.crs
    )
    middles = middles[middles.geometry.notna() & ~middles.geometry.is_empty]
    features = {
        str(name): dumps({"i": str(name), "t": str(name), "g": encode_point(point)})
        for name, point in zip(middles.index, to_lonlat(middles), strict=True)
    }
    label, found = word("layer.names", language), []
    for step, (zoom, some) in enumerate(_with_room(middles, total, areas, language)):
        here = {name: features[name] for name in some}
        found.append(Layer(f"road-names-{step}", "point", here, "label", label, min_zoom=zoom))
    return found


def _with_room(
    roads: gpd.GeoDataFrame, long: pd.Series, areas: gpd.GeoDataFrame, language: Language
) -> list[tuple[float, list[str]]]:
    """The zoom from which names of roads (points by name) are drawn, each with its names."""
    metre, zoom = _scale(areas)
    away = max(ROAD_NAMES_ZOOM - zoom, 0.0)  # a large county is never seen whole with its roads
    metre, zoom = metre / 2**away, zoom + away
    held = [spoken(name, "", language) for name in areas["name"]]
    xy = np.vstack([_middles(areas), np.column_stack([roads.geometry.x, roads.geometry.y])])
    texts = [*held, *map(str, roads.index)]
    weight = np.concatenate([np.full(len(held), np.inf), long.reindex(roads.index)])
    steps = []
    for step in range(3):
        size = TYPE_PIXELS * metre / 2 ** (CLOSER * step)
        room = fitting(xy, texts, weight, size)[len(held):] | (step == 2)
        fresh = room & np.isfinite(weight[len(held):])
        weight[len(held):][fresh] = np.inf
        lowest = ROAD_NAMES_ZOOM if step == 0 else round(zoom + CLOSER * step, 2)
        steps.append((lowest, [str(name) for name in roads.index[fresh]]))
    return [each for each in steps if each[1]]


def bounds_of(study: Study) -> tuple[float, float, float, float] | None:
    """The county in degrees."""
    if "bounds" not in study.kept:
        frame = gpd.GeoDataFrame(geometry=study.areas.units, crs=study.areas.crs)
        study.kept["bounds"] = bounds_lonlat(to_lonlat(frame.envelope.to_frame("geometry")))
    found = study.kept["bounds"]
    return None if found is None else (found[0], found[1], found[2], found[3])


def leader_scene(study: Study, report: Report, focus: Focus) -> Scene:
    """The leader's map; a layer of a report holds only what the report does."""
    made = study.drawn.get(("scene", report), lambda: _leader_scene(study, report))
    return replace(made, focus=focus)


def _leader_scene(study: Study, report: Report) -> Scene:
    lang = report.language
    level = coarse_level(study)
    rows = [
        [report.labels[c], course_word(int(k), lang)]
        for c, k in zip(report.cells["density_class"], report.cells["course"], strict=True)
    ]
    classes = report.cells["density_class"].to_numpy()
    stack = [
        ground_layer(study, level),
        Layer("cells", "area", cell_features(report.cells, classes, rows), "cell",
              word("incidents.hot", lang),
              (word("incidents.density", lang), word("incidents.trend", lang))),
        *base_layers(study, lang),
        *place_layers(study, report, lang),
    ]  # fmt: skip
    title, none = word("incidents.density", lang), word("incidents.not_significant", lang)
    return Scene(
        place=f"leader/{study.key}",
        layers=tuple(stack),
        bounds=bounds_of(study),
        legend=legend_of(title, report.labels, HEAT_LIGHT, HEAT_DARK, none),
        words=board_words(lang),
    )


def place_layers(study: Study, report: Report, language: Language) -> list[Layer]:
    """Outlines and numbers of the places."""
    crs = study.areas.crs
    shapes = to_lonlat(gpd.GeoDataFrame(geometry=[p.shape for p in report.places], crs=crs))
    east = [p.shape.bounds[2] for p in report.places]
    north = [p.shape.bounds[3] for p in report.places]
    corners = to_lonlat(gpd.GeoDataFrame(geometry=gpd.points_from_xy(east, north), crs=crs))
    rims, numbers = {}, {}
    for place, shape, corner in zip(report.places, shapes, corners, strict=True):
        key = str(place.number)
        rims[key] = dumps({"i": key, "g": encode_lines(shape)})
        number = {"i": key, "t": CIRCLED[place.number - 1], "b": 1, "g": encode_point(corner)}
        numbers[key] = dumps(number)
    label = word("incidents.numbers", language)
    return [
        Layer("rims", "line", rims, "gridLine", label),
        Layer("place-numbers", "point", numbers, "label", label),
    ]


def place_focus(study: Study, report: Report, number: int, clicks: int) -> Focus:
    """Where a place lies, with its surroundings."""
    found = [place for place in report.places if place.number == number]
    if not found:
        return Focus(clicks)
    frame = gpd.GeoDataFrame(geometry=[found[0].shape.buffer(600).envelope], crs=study.areas.crs)
    bounds = bounds_lonlat(to_lonlat(frame))
    if bounds is None:
        return Focus(clicks)
    return Focus(clicks, bounds=(bounds[0], bounds[1], bounds[2], bounds[3]))
