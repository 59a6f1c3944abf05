"""GeoJSON geometry objects to shapes, each fault told by feature; KML and TopoJSON use it too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import shapely

from geo.read.layer import Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.report import Report, listed


class _FaultError(ValueError):
    """A shape that cannot be built; the message is a problem code."""


def build_shapes(geometries: Iterable[Any], raw: Raw, report: Report) -> Shapes:
    """Shapes of GeoJSON geometries; those that cannot be built are listed by fault and None."""
    values = list(geometries)
    points = _all_points(values)
    if points is not None:
        return points
    shapes = np.full(len(values), None, dtype=object)
    faults: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if value is None:
            continue
        try:
            shapes[row] = _shape(value, 0)
        except _FaultError as fault:
            faults.setdefault(str(fault), []).append(row)
        except (ValueError, TypeError, KeyError, IndexError, shapely.GEOSException, OverflowError):
            faults.setdefault("shape_damaged", []).append(row)
    told: set[int] = set()
    for code, rows in faults.items():
        told.update(rows)
        raw.displaced(np.array(rows, dtype=np.intp), "shape-damaged")
        report.warn(code, rows=listed(raw, rows), count=len(rows))
    raw.extra["told_missing"] = frozenset(told)
    return shapes


def _all_points(values: list[Any]) -> Shapes | None:
    """The quick way for a layer of points; None when any is anything else."""
    if not values or not all(isinstance(v, dict) and v.get("type") == "Point" for v in values):
        return None
    try:
        coordinates = np.array([v["coordinates"][:2] for v in values])
    except (ValueError, KeyError, TypeError):
        return None
    if coordinates.dtype.kind not in "fi" or coordinates.shape != (len(values), 2):
        return None
    points: Shapes = shapely.points(coordinates.astype(float))
    return points


def _positions(value: Any, least: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(value, list):
        raise _FaultError("coordinates_not_numbers")
    pairs = []
    for position in value:
        if not isinstance(position, list) or len(position) < 2:
            raise _FaultError("coordinates_not_numbers")
        x, y = position[0], position[1]
        if type(x) not in (int, float) or type(y) not in (int, float):
            raise _FaultError("coordinates_not_numbers")
        pairs.append((float(x), float(y)))
    if len(pairs) < least:
        raise _FaultError("too_few_corners")
    array = np.array(pairs, dtype=float).reshape(-1, 2)
    if not np.isfinite(array).all():
        raise _FaultError("coordinates_not_numbers")
    return array


def _ring(value: Any) -> shapely.Geometry:
    corners = _positions(value, 3)
    if (corners[0] != corners[-1]).any():
        corners = np.vstack((corners, corners[:1]))
    if len(corners) < 4:
        raise _FaultError("too_few_corners")
    return shapely.linearrings(corners)


def _polygon(rings: Any) -> shapely.Geometry:
    if not isinstance(rings, list):
        raise _FaultError("coordinates_not_numbers")
    if not rings:
        return shapely.Polygon()
    holes = [_ring(ring) for ring in rings[1:]]
    return shapely.polygons(_ring(rings[0]), holes or None)


def _shape(geometry: Any, depth: int) -> shapely.Geometry:
    """One geometry object as a shape."""
    if not isinstance(geometry, dict):
        raise _FaultError("shape_damaged")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        if depth >= LIMITS.nesting:
            raise _FaultError("shape_damaged")
        members = [_shape(member, depth + 1) for member in geometry.get("geometries") or []]
        return shapely.geometrycollections(members)
    maker = _MAKERS.get(str(kind))
    if maker is None:
        raise _FaultError("shape_damaged")
    coordinates = geometry.get("coordinates")
    return shapely.Point() if coordinates == [] else maker(coordinates)


_MAKERS: dict[str, Callable[[Any], shapely.Geometry]] = {
    "Point": lambda c: shapely.points(_positions([c], 1)[0]),
    "MultiPoint": lambda c: shapely.multipoints(_positions(c, 1)),
    "LineString": lambda c: shapely.linestrings(_positions(c, 2)),
    "MultiLineString": lambda c: shapely.multilinestrings(
        [shapely.linestrings(_positions(part, 2)) for part in c]
    ),
    "Polygon": _polygon,
    "MultiPolygon": lambda c: shapely.multipolygons([_polygon(part) for part in c]),
}
