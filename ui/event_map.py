"""What may be drawn of events: significant cells, outlines with names, fixed classes; pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from incidents.areas import LevelName
from ui.format import DASH, name_text
from ui.places import shown_hot

if TYPE_CHECKING:
    from incidents.analysis import Hotspots
    from ui.study import Study

HEAT_LIGHT = ("#fecb63", "#fd9a3e", "#f1602f", "#cb1f26", "#7d0a2b")
HEAT_DARK = ("#5f3420", "#94471f", "#cc6420", "#f29a45", "#ffdf9a")
GREY_LIGHT, GREY_DARK = "#e9e8e2", "#2c3036"
SLIVER_M, LEAST_HOLE_M2 = 1.0, 2_000.0


def class_labels(breaks: np.ndarray) -> tuple[str, ...]:
    """Texts of the density classes: events per km² and year."""
    limits = [f"{value:,.5g}" for value in breaks]
    if not limits:
        return (DASH,)
    middle = [f"{low} – {high}" for low, high in pairwise(limits)]
    return (f"≤ {limits[0]}", *middle, f"> {limits[-1]}")


def hot_cells(
    study: Study, found: Hotspots, breaks: np.ndarray, years: float, own: np.ndarray | None = None
) -> gpd.GeoDataFrame:
    """Cells significantly high that others may see, of a part only its ``own`` (ny, nx): class of
    yearly density and course."""
    from incidents.density import classify

    shown = shown_hot(study.open, found)
    if own is not None:
        shown &= own
    inside = found.cells.inside
    pick = shown[inside]
    squares = study.kept.get("squares")
    if squares is None:
        squares = study.kept["squares"] = (found.cells.names(), found.cells.polygons())
    courses = study.courses.get(found.selection.category)
    course = courses.course[shown] if courses is not None else np.zeros(int(shown.sum()), int)
    return gpd.GeoDataFrame(
        {
            "cell": squares[0][pick],
            "density_class": classify(found.surface[shown] / years, breaks),
            "course": course,
        },
        geometry=squares[1][pick],
        crs=study.areas.crs,
    )


def coarse_level(study: Study) -> LevelName:
    """The level that leaders compare: townships, else beats, else villages; of a part villages,
    as a beat may reach beyond it."""
    levels = ("township", "beat", "village")
    for name in levels if study.whole is None else ("township", "village"):
        if name in study.areas.levels and len(study.areas.levels[name]) > 1:  # type: ignore[index]
            return name  # type: ignore[return-value]
    return "county"


def outlines(study: Study) -> gpd.GeoDataFrame:
    """The coarse areas with their names, made once."""
    level = coarse_level(study)
    held = study.kept.get("outlines")
    if held is None:
        held_names = study.areas.levels[level]
        names = [name_text(n) or name_text(c)
                 for n, c in zip(held_names.names, held_names.codes, strict=True)]  # fmt: skip
        held = gpd.GeoDataFrame(
            {"code": study.areas.levels[level].codes.astype(str), "name": names},
            geometry=without_slivers(study.areas.shapes(level)), crs=study.areas.crs,
        )  # fmt: skip
        study.kept["outlines"] = held
    return held  # type: ignore[no-any-return]


def without_slivers(shapes: np.ndarray) -> np.ndarray:
    """Areas (metres) without the hair-thin gaps between the grids they are made of."""
    solid = []
    for shape in shapely.buffer(shapely.buffer(shapes, SLIVER_M), -SLIVER_M):
        parts = [
            shapely.Polygon(part.exterior, [hole for hole in part.interiors
                                            if shapely.Polygon(hole).area > LEAST_HOLE_M2])
            for part in shapely.get_parts(shape)
        ]  # fmt: skip
        solid.append(shapely.multipolygons(parts) if len(parts) > 1 else parts[0])
    return np.array(solid, dtype=object)
