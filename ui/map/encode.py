"""Shapes as short lists of whole numbers, the form in which they travel to the browser.

A vertex is longitude and latitude in millionths of a degree (0.1 m), and each vertex after the
first is written as the difference to the one before: about a third of GeoJSON's bytes. Rounding
is per vertex, so two neighbours that share a vertex still share it afterwards.
"""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import WGS84
from geo.harmonise import project

SCALE = 1_000_000
"""Units per degree in the encoded form; ``board/logic.js`` divides by the same number."""

_AREAS = {3, 6}
_LINES = {1, 2, 5}


def to_lonlat(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Geometries of ``frame`` in WGS84 longitude/latitude, shape (n,), None where missing.

    A frame without a coordinate system is taken to be in longitude/latitude already.
    """
    shapes = np.asarray(frame.geometry.values, dtype=object)
    # geopandas makes a transformer for each call, which takes longer than the shapes of a map
    return shapes if frame.crs is None else project(shapes, frame.crs, WGS84)


def _run(coordinates: np.ndarray) -> list[int]:
    """One ring or line, shape (n, 2) in degrees, as ``[x0, y0, dx1, dy1, ...]``.

    A vertex that rounds onto the one before is left out: it would draw nothing.
    """
    whole = np.rint(coordinates * SCALE).astype(np.int64)
    steps = np.diff(whole, axis=0)
    moving = steps[(steps[:, 0] != 0) | (steps[:, 1] != 0)]
    found: list[int] = np.concatenate([whole[:1].ravel(), moving.ravel()]).tolist()
    return found


def encode_area(shape: shapely.Geometry) -> list[list[list[int]]]:
    """Polygon or MultiPolygon in degrees -> polygons of rings of whole numbers."""
    polygons = []
    for part in shapely.get_parts(shape):
        if shapely.get_type_id(part) == 3 and not part.is_empty:
            rings = [_run(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part)]
            polygons.append(rings)
    return polygons


def encode_lines(shape: shapely.Geometry) -> list[list[int]]:
    """Lines, or the outlines of areas, in degrees -> lists of whole numbers."""
    runs = []
    for part in shapely.get_parts(shape):
        kind = shapely.get_type_id(part)
        if part.is_empty:
            continue
        if kind == 3:
            runs += [_run(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part)]
        elif kind in _LINES:
            runs.append(_run(shapely.get_coordinates(part)))
    return runs


def encode_point(shape: shapely.Geometry) -> list[int]:
    """A point, or a point on the surface of anything else, in degrees -> ``[x, y]``."""
    point = shape if shapely.get_type_id(shape) == 0 else shapely.point_on_surface(shape)
    return [round(shapely.get_x(point) * SCALE), round(shapely.get_y(point) * SCALE)]


def dumps(value: object) -> str:
    """Compact JSON; raises ValueError for NaN, which no browser would read."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def simplified_coverage(
    shapes: np.ndarray, max_vertices: int, *, first_tolerance: float = 0.5
) -> np.ndarray:
    """Areas that tile, thinned together so that shared borders stay shared.

    Parameters
    ----------
    shapes : (n,) polygons or multipolygons in metres that form a coverage.
    max_vertices : stop thinning as soon as no more than this many vertices are left.
    first_tolerance : tolerance of the first attempt in metres (square root of the area of the
        largest corner cut off); doubled until the budget is met, at most seven times.

    Returns
    -------
    (n,) shapes. Where the input overlaps, GEOS moves shared borders apart: the picture may then
    show hairline gaps, the plan itself is not touched.
    """
    tolerance = first_tolerance
    thinned = shapes
    for _ in range(8):
        if shapely.get_num_coordinates(thinned).sum() <= max_vertices:
            break
        thinned = shapely.coverage_simplify(shapes, tolerance)
        tolerance *= 2
    return np.asarray(thinned, dtype=object)


def bounds_lonlat(shapes: np.ndarray) -> list[float] | None:
    """``[west, south, east, north]`` in degrees, or None when there is nothing to show."""
    present = [shape for shape in shapes if shape is not None and not shape.is_empty]
    if not present:
        return None
    return [round(float(value), 6) for value in shapely.total_bounds(present)]
