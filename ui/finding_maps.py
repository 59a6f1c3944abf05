"""Maps of what analysts see of events: cells, areas, and one area's events at a time; pure.

Unlike a :class:`ui.survey.Report` they hold exact counts; none of it is offered to leaders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from incidents.areas import NO_PLACE_CODE, OUTSIDE_CODE, LevelName
from incidents.density import fixed_breaks
from incidents.hotspotfile import density_layer
from incidents.loop import cut_percent
from incidents.words import SOURCE_NAMES, SOURCES
from ui.event_map import HEAT_DARK, HEAT_LIGHT, class_labels
from ui.format import DASH, name_text
from ui.heat import (
    area_features,
    base_layers,
    bounds_of,
    cell_features,
    ground_layer,
    legend_of,
)
from ui.map.encode import dumps, encode_area, encode_lines, encode_point, to_lonlat
from ui.map.scene import Layer, Scene
from ui.places import course_word
from ui.study import limits_for
from ui.views import board_words
from ui.words import Language, word

if TYPE_CHECKING:
    from incidents.analysis import Hotspots
    from ui.study import Study

#: cold 99, 95, 90 %, hot 90, 95, 99 %: blue and red stay apart for the colour-blind
GI_LIGHT = ("#2166ac", "#67a9cf", "#c3dcec", "#f8cdb5", "#e98260", "#a81529")
GI_DARK = ("#8ec4f0", "#4a86b8", "#2f516b", "#6b4436", "#c4613f", "#ff9e7a")
COURSE_LIGHT = ("#a50f26", "#e8442c", "#e9a23b", "#8fbcdb", "#8d8f98")
COURSE_DARK = ("#ff8f6b", "#e0603f", "#c98a2c", "#4f86ad", "#8d8f98")
Q_STEPS = (0.01, 0.05, 0.10)
MOST_POINTS = 3_000  # places of events sent at once; more is no map but a carpet
MEASURES = ("rate_smoothed", "rate_per_1000", "density", "closure_rate", "change_on_year")


def spot_scene(
    study: Study, found: Hotspots, view: str, language: Language, years: float,
    extra: Sequence[Layer] = (), *, everywhere: bool = False,
) -> Scene:  # fmt: skip
    """Cells as Gi*, as density where it is significantly high (or ``everywhere``), or as what
    became of them."""
    title = word(f"incidents.view_{view}", language)
    none = word("incidents.not_significant", language)
    if view == "density":
        layer, labels, colours = _density(study, found, language, years, everywhere)
        none = word("incidents.lowest", language) if everywhere else none
    elif view == "course":
        layer, labels, colours = _course(study, found, language)
    else:
        layer, labels, colours = _gi(study, found, language)
    stack = [ground_layer(study, _level(study)), layer, *base_layers(study, language), *extra]
    return _scene(study, language, stack, legend_of(title, labels, *colours, none))


def _scene(
    study: Study, language: Language, stack: Sequence[Layer], legend: dict[str, Any]
) -> Scene:
    return Scene(
        place=f"analysis/{study.key}", layers=tuple(stack), bounds=bounds_of(study),
        legend=legend, words=board_words(language),
    )  # fmt: skip


def _level(study: Study) -> LevelName:
    return "village" if "village" in study.areas.levels else next(iter(study.areas.levels))


_Drawn = tuple[Layer, Sequence[str], tuple[Sequence[str], Sequence[str]]]


def _frame(found: Hotspots, pick: np.ndarray, crs: Any) -> gpd.GeoDataFrame:
    inner = pick[found.cells.inside]
    names = found.cells.names()[inner]
    return gpd.GeoDataFrame({"cell": names}, geometry=found.cells.polygons()[inner], crs=crs)


def gi_class(found: Hotspots) -> np.ndarray:
    """(ny, nx) 0..5 from surely cold to surely hot, -1 where q is above 0.10 or outside."""
    tested = found.significance
    q = np.nan_to_num(tested.q, nan=1.0)
    sure = np.searchsorted(Q_STEPS, q, side="left")  # 0 the surest, 3 not significant
    classes = np.where(tested.count > tested.expected, 5 - sure, sure)
    return np.where((sure > 2) | (tested.count == tested.expected), -1, classes)


def _gi(study: Study, found: Hotspots, language: Language) -> _Drawn:
    classes, tested = gi_class(found), found.significance
    pick = classes >= 0
    values = zip(
        found.counts[pick], tested.count[pick], tested.expected[pick], tested.z[pick],
        tested.q[pick], strict=True,
    )  # fmt: skip
    rows = [(f"{c:.0f}", f"{a:.0f}", f"{e:.1f}", f"{z:+.2f}", f"{q:.3g}")
            for c, a, e, z, q in values]  # fmt: skip
    heads = tuple(word(f"incidents.cell_{k}", language)
                  for k in ("count", "around", "expected", "z", "q"))  # fmt: skip
    features = cell_features(_frame(found, pick, study.areas.crs), classes[pick], rows)
    labels = [word(f"incidents.gi_{side}", language, level=level)
              for side, level in (("cold", 99), ("cold", 95), ("cold", 90), ("hot", 90),
                                  ("hot", 95), ("hot", 99))]  # fmt: skip
    return Layer("cells", "area", features, "cell", rows=heads), labels, (GI_LIGHT, GI_DARK)


def _course(study: Study, found: Hotspots, language: Language) -> _Drawn:
    course = np.zeros(found.cells.shape, dtype=np.int64)
    hot = np.zeros(found.cells.shape, dtype=np.int64)
    if found.development is not None:
        course, hot = found.development.course, found.development.hot_periods
    pick = course > 0
    many = len(found.months)
    rows = [(course_word(int(k), language), f"{h} / {many}")
            for k, h in zip(course[pick], hot[pick], strict=True)]  # fmt: skip
    features = cell_features(_frame(found, pick, study.areas.crs), course[pick] - 1, rows)
    labels = [course_word(number, language) for number in range(1, 6)]
    heads = (word("incidents.trend", language), word("incidents.hot_periods", language))
    return Layer("cells", "area", features, "cell", rows=heads), labels, (COURSE_LIGHT, COURSE_DARK)


def _density(
    study: Study, found: Hotspots, language: Language, years: float, everywhere: bool
) -> _Drawn:
    """The classes are those of all months, so that a colour means the same in each."""
    limits = limits_for(study, found.selection.category) or limits_for(study, None)
    breaks = found.breaks / years
    if limits is not None:
        breaks = limits.everywhere if everywhere else limits.hot
    surface, lowest = found.surface / years, 0
    if everywhere and len(breaks):
        # the lowest class is most of the county: left grey, it is drawn in no time
        surface, lowest = np.where(surface > breaks[0], surface, 0.0 * surface), 1
    drawn = replace(found, surface=surface, breaks=breaks)
    table = density_layer(study.prepared, drawn, hot_only=not everywhere)
    labels = class_labels(breaks)
    features = {
        str(row["class"]): dumps({"i": str(row["class"]), "t": "",
                                  "c": [int(row["class"]) - lowest],
                                  "r": [labels[int(row["class"])]], "g": encode_area(shape)})
        for (_, row), shape in zip(table.iterrows(), to_lonlat(table), strict=True)
    }  # fmt: skip
    heads = (word("incidents.density", language),)
    layer = Layer("cells", "area", features, "cell", rows=heads)
    return layer, labels[lowest:], (HEAT_LIGHT, HEAT_DARK)


def point_layer(study: Study, found: Hotspots, area: str, language: Language) -> Layer:
    """The events of one village, where they are; for analysts only, never in a file."""
    prepared, level = study.prepared, _level(study)
    codes = [str(code) for code in study.areas.levels[level].codes]
    rows = found.rows
    here = rows[prepared.at[level][rows] == codes.index(area)][:MOST_POINTS]
    events = prepared.events
    frame = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(events.x[here], events.y[here]), crs=study.areas.crs
    )
    number, features = 0 if language == "zh" else 1, {}
    for row, point in zip(here, to_lonlat(frame), strict=True):
        told = ["" if np.isnat(events.time[row]) else str(events.time[row]).replace("T", " ")[:16],
                name_text(events.category[int(row)]), name_text(events.subtype[int(row)]),
                SOURCE_NAMES[SOURCES[events.source[row]]][number]]  # fmt: skip
        features[str(row)] = dumps({"i": str(row), "t": "", "r": told, "g": encode_point(point)})
    heads = tuple(word(f"incidents.event_{k}", language)
                  for k in ("time", "category", "subtype", "source"))  # fmt: skip
    return Layer("events", "point", features, "event", word("incidents.points", language), heads)


def outline_layer(study: Study, shapes: Sequence[Any], label: str) -> Layer:
    """Outlines (metres) as lines over everything."""
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=study.areas.crs)
    features = {str(i): dumps({"i": str(i), "g": encode_lines(shape)})
                for i, shape in enumerate(to_lonlat(frame))}  # fmt: skip
    return Layer("outlines", "line", features, "gridLine", label)


def measure_name(study: Study, measure: str, language: Language) -> str:
    """What a measure is called: rates are of households where no people are known."""
    homes = measure.startswith("rate_") and study.areas.per == "households"
    return word(f"incidents.measure_{measure}{'_homes' if homes else ''}", language)


def measure_values(found: Hotspots, level: LevelName, measure: str, years: float) -> pd.Series:
    """A measure by code, a year's worth where it counts events; NaN where there is not enough."""
    table = found.tables[level]
    table = table[~table["code"].isin([OUTSIDE_CODE, NO_PLACE_CODE])].set_index("code")
    values = table[measure].astype(float)
    if measure in ("rate_smoothed", "rate_per_1000", "density"):
        values = values / years
    return values.where(table["enough"].astype(bool))


def area_scene(
    study: Study, found: Hotspots, level: LevelName, measure: str, language: Language,
    years: float, breaks: np.ndarray,
) -> Scene:  # fmt: skip
    """A level coloured by a rate, a density or a change; never by a count."""
    values = measure_values(found, level, measure, years)
    table = found.tables[level].set_index("code")
    known = values.notna()
    classes = dict.fromkeys(values.index.astype(str), -1)
    classes |= {
        str(code): int(number)
        for code, number in zip(
            values.index[known], np.searchsorted(breaks, values[known], side="left"), strict=True
        )
    }
    share = measure in ("closure_rate", "change_on_year")
    closed = dict(zip(table.index, cut_percent(table["closed"], table["dispatched"]), strict=True))
    told = {
        str(code): [
            (DASH if pd.isna(value) else f"{value:+.1%}" if measure == "change_on_year"
             else f"{closed[code]:.2f} %" if share else f"{value:,.2f}"),
            f"{table.loc[code, 'count']:,}",
        ]
        for code, value in values.items()
    }  # fmt: skip
    title = measure_name(study, measure, language)
    features = area_features(study, level, classes, told, language)
    layer = Layer("areas", "area", features, "choropleth",
                  rows=(title, word("incidents.count", language)))  # fmt: skip
    if measure == "change_on_year":
        labels = [f"{v:+.0%}" if v else "0%" for v in breaks]
        between = [f"{low} – {high}" for low, high in pairwise(labels)]
        labels = [f"≤ {labels[0]}", *between, f"> {labels[-1]}"]
        colours: tuple[Sequence[str], Sequence[str]] = (GI_LIGHT, GI_DARK)
    else:
        labels = list(class_labels(breaks * 100 if share else breaks))
        labels = [f"{text} %" for text in labels] if share else labels
        labels = labels if known.any() else []
        colours = (HEAT_LIGHT, HEAT_DARK)
    legend = legend_of(title, labels, *colours, word("incidents.not_enough", language))
    return _scene(study, language, [layer, *base_layers(study, language)], legend)


def measure_breaks(study: Study, whole: Hotspots, level: LevelName, measure: str, years: float
                   ) -> np.ndarray:  # fmt: skip
    """Fixed limits of a measure's classes, from all of the time, so that colours keep meaning."""
    if measure == "change_on_year":
        return np.array([-0.5, -0.2, 0.0, 0.2, 0.5])
    if measure == "closure_rate":
        return np.array([0.8, 0.9, 0.95, 0.98])
    return fixed_breaks(measure_values(whole, level, measure, years).to_numpy(), 5)
