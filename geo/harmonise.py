"""Every layer in one metric system: projections, datum shifts, and systems nobody stated.

Coordinates are x (east, longitude) before y (north, latitude) throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geo.crs import WGS84, crs_by_overlap
from geo.datum import Datum, to_wgs84
from geo.messages import register
from geo.problems import Problem
from geo.read import Layer
from geo.segments import FloatArray

Shapes = NDArray[np.object_]

register(
    {
        "layer-no-crs": (
            "没有坐标系说明;请附上 .prj 文件,或先在 GIS 中设定坐标系。",
            "does not say its coordinate system; add the .prj file, or set it in a GIS first.",
        ),
        "layer-crs-found": (
            "没有坐标系说明;按与其他图层的重叠判断为 {crs}({share:.1%} 重合),请核对。",
            "does not say its coordinate system; it was taken for {crs}, in which {share:.1%} of "
            "it lies where the other layers are. Please confirm.",
        ),
    }
)


def state_systems(layers: Mapping[str, Layer]) -> tuple[dict[str, Layer], list[Problem]]:
    """Layers with the coordinate system filled in where the numbers and the others tell it.

    Metres of an unknown zone are tried in every system of the neighbourhood that a layer with a
    known system shows. An error problem stands for each layer that stays unknown.
    """
    known = [n for n in ("villages", "households", *layers) if n in layers and _is_known(layers[n])]
    result, problems = dict(layers), []
    for name, layer in layers.items():
        if layer.crs is not None or "geometry" not in layer.frame:
            continue
        found = None
        if known:
            west, south, east, north = degrees(layers[known[0]]).total_bounds
            xy = shapely.get_coordinates(layer.frame.geometry.to_numpy())[:5000]
            found = crs_by_overlap(
                xy[:, 0], xy[:, 1], (west - 0.05, south - 0.05, east + 0.05, north + 0.05)
            )
        if found is None:
            problems.append(Problem("layer-no-crs", layer.file.name))
            continue
        params = {"crs": found[0].name, "share": found[1]}
        problems.append(Problem("layer-crs-found", layer.file.name, "", params, "warning"))
        result[name] = replace(layer, crs=found[0])
    return result, problems


def _is_known(layer: Layer) -> bool:
    return layer.crs is not None and "geometry" in layer.frame and len(layer.frame) > 0


def degrees(layer: Layer) -> gpd.GeoSeries:
    """A layer's shapes in WGS 84 degrees, its hinted datum shift undone."""
    shapes = layer.frame.geometry
    if not CRS(layer.crs).equals(WGS84, ignore_axis_order=True):
        shapes = shapes.set_crs(layer.crs, allow_override=True).to_crs(WGS84)
    if layer.datum_hint == "gcj02":
        shapes = gpd.GeoSeries(shift(shapes.to_numpy(), "gcj02"), crs=WGS84)
    return shapes


def shift(shapes: Shapes, datum: Datum) -> Shapes:
    """Degrees of a shifted datum as WGS 84 degrees."""

    def undo(xy: FloatArray) -> FloatArray:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    return np.asarray(shapely.transform(shapes, undo))


def metric(layer: Layer, crs: CRS) -> Shapes:
    """A layer's shapes in the county's metric system, two-dimensional."""
    shapes = shapely.force_2d(layer.frame.geometry.to_numpy())
    if layer.datum_hint == "gcj02":
        shapes = shapely.force_2d(degrees(layer).to_numpy())
        return project(shapes, WGS84, crs)
    return project(shapes, CRS(layer.crs), crs)


@lru_cache(maxsize=32)
def _change(source: CRS, target: CRS) -> Transformer:
    """Making one takes a tenth of a second, once in each thread that uses it."""
    return Transformer.from_crs(source, target, always_xy=True)


def project_places(xy: FloatArray, source: CRS, target: CRS) -> FloatArray:
    """Coordinates, (n, 2), from one system to another, x before y."""
    if source.equals(target, ignore_axis_order=True):
        return xy
    return np.column_stack(_change(source, target).transform(xy[:, 0], xy[:, 1]))


def project(shapes: Shapes, source: CRS, target: CRS) -> Shapes:
    """Shapes from one coordinate system to another, x before y."""
    if source.equals(target, ignore_axis_order=True):
        return shapes
    made = shapely.transform(shapes, lambda xy: project_places(xy, source, target))
    return np.asarray(made)
