"""Shapes: what a role can use, and what has to be repaired, said row by row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.columns import Role
from geo.crs import guess_crs
from geo.read.layer import Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.repair import repaired
from geo.read.report import Report, listed

NameOf = Callable[[int], str | None]
POINT, LINE, POLYGON = 0, 1, 2
_DIMENSION_OF_TYPE = np.array([0, 1, 1, 2, 0, 1, 2, -1, -1])  # shapely type ids, -1 is missing

_NUMBERS = (("lon", "lat"), ("lonlat",))  # columns that points were made from

#: the dimensions of shapes a role takes, the one it is really about first
WANTED: dict[Role, tuple[int, ...]] = {
    "villages": (POLYGON,),
    "households": (POINT, POLYGON),
    "roads": (LINE,),
    "water": (LINE, POLYGON),
    "railways": (LINE,),
    "compounds": (POLYGON, POINT),
    "groups": (POLYGON, POINT),
    "dedicated": (POLYGON, POINT),
    "stations": (POINT,),
    "beats": (POLYGON,),
    "officers": (POINT,),
    "incidents": (POINT,),
    "services": (POINT,),
}


def settle(raw: Raw, role: Role, name_of: NameOf, report: Report) -> Raw:
    """Make the shapes of a layer usable for its role, and say what was done to which row.

    Sets shapes that cannot be used to None (the caller decides whether such a row is kept);
    coordinates stay in the layer's own system. ``name_of`` tells a row's name, which is shown
    beside repaired shapes.
    """
    shapes = raw.shapes
    if shapes is None or raw.extra.get("placed_by") in _NUMBERS:
        return raw  # points of numbers were judged when they were made
    vertices = int(shapely.get_num_coordinates(shapes).sum())
    if vertices > LIMITS.vertices:
        report.fail("too_many_vertices", vertices=vertices, limit=LIMITS.vertices)
    with np.errstate(all="ignore"):  # infinite and not-a-number coordinates are told, not warned
        raw.shapes = _settled(raw, shapes, role, name_of, report)
    return raw


def _settled(
    raw: Raw, shapes: Shapes, role: Role, name_of: NameOf, report: Report
) -> Shapes:
    shapes = _flat(shapes, report)
    shapes = _finite(raw, shapes, report)
    shapes = _swapped_back(raw, shapes, report)
    shapes = _on_earth(raw, shapes, report)
    shapes = _right_kind(raw, shapes, role, report)
    if role != "households" or (shapely.get_dimensions(shapes) == 2).any():
        shapes = _valid(raw, shapes, name_of, report)
    return shapes


def _flat(shapes: Shapes, report: Report) -> Shapes:
    """Two dimensions only."""
    deep = shapely.has_z(shapes)
    if hasattr(shapely, "has_m"):
        deep = deep | shapely.has_m(shapes)
    if deep.any():
        report.note("third_dimension", count=int(deep.sum()))
        shapes = shapely.force_2d(shapes)
    return shapes


def _finite(raw: Raw, shapes: Shapes, report: Report) -> Shapes:
    """Missing, empty, and not-a-number shapes are listed; the latter two become None."""
    missing = shapely.is_missing(shapes)
    empty = ~missing & shapely.is_empty(shapes)
    infinite = np.zeros(len(shapes), dtype=bool)
    if not np.isfinite(shapely.get_coordinates(shapes).sum()):
        coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
        infinite[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    told = raw.extra.get("told_missing", frozenset())
    missing_rows = [row for row in np.flatnonzero(missing).tolist() if row not in told]
    for code, why, rows in (
        ("coordinates_not_numbers", "coordinates-unreadable", np.flatnonzero(infinite)),
        ("no_shape", "no-coordinates", np.array(missing_rows, dtype=np.intp)),
        ("empty_shape", "no-coordinates", np.flatnonzero(empty & ~infinite)),
    ):
        if len(rows):
            raw.displaced(rows, why)
            report.warn(code, rows=listed(raw, rows), count=len(rows))
    return _cleared(shapes, infinite | empty)


def _on_earth(raw: Raw, shapes: Shapes, report: Report) -> Shapes:
    """Shapes outside the range of their coordinate system are listed and become None."""
    bounds = shapely.bounds(shapes)
    with np.errstate(over="ignore", invalid="ignore"):
        if raw.crs is not None and raw.crs.is_geographic:
            off = (bounds[:, :2] < [-180.5, -90.01]).any(axis=1)
            off |= (bounds[:, 2:] > [180.5, 90.01]).any(axis=1)
        else:
            off = (np.abs(bounds) > 1e8).any(axis=1)
    if off.any():
        rows = np.flatnonzero(off)
        raw.displaced(rows, "outside-world")
        report.warn("outside_world", rows=listed(raw, rows), count=int(rows.size))
    return _cleared(shapes, off)


def _cleared(shapes: Shapes, rows: NDArray[np.bool_]) -> Shapes:
    if not rows.any():
        return shapes
    shapes = shapes.copy()
    shapes[rows] = None
    return shapes


def _swapped_back(raw: Raw, shapes: Shapes, report: Report) -> Shapes:
    """Exchange x and y where the numbers say that they were written the wrong way round."""
    there = shapes[~shapely.is_missing(shapes)]
    if not there.size:
        return shapes
    bounds = shapely.bounds(there)
    x, y = bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)
    guess = guess_crs(x, y)
    if raw.crs is not None and not raw.extra.get("crs_by_format"):
        if not (raw.crs.is_geographic and guess.kind == "degrees" and guess.swapped):
            return shapes
        report.warn("swapped")
        return _exchanged(shapes)
    if guess.kind == "plane":
        raw.crs = None
        report.warn("metres_no_crs")
    elif guess.crs is not None:
        raw.crs = guess.crs
        if guess.kind == "zone_prefixed":
            report.note("crs_guessed", crs=guess.crs.name)
    if guess.swapped:
        report.warn("swapped")
        return _exchanged(shapes)
    return shapes


def _exchanged(shapes: Shapes) -> Shapes:
    flipped: Shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    return flipped


def _right_kind(raw: Raw, shapes: Shapes, role: Role, report: Report) -> Shapes:
    """Only points, lines or polygons the role takes; others are converted or left out."""
    wanted = WANTED[role]
    types = shapely.get_type_id(shapes)
    collections = np.flatnonzero(types == 7)
    if collections.size:
        shapes = shapes.copy()
        for row in collections:
            shapes[row] = _part(shapes[row], wanted)
        raw.displaced(collections[shapely.is_missing(shapes[collections])], "shape-unfit")
        report.warn("collection", rows=listed(raw, collections))
        types = shapely.get_type_id(shapes)
    dimension = np.where(types < 0, -1, _DIMENSION_OF_TYPE[types])
    wrong = (dimension >= 0) & ~np.isin(dimension, wanted)
    if not wrong.any():
        return shapes
    shapes = shapes.copy()
    if POLYGON in wanted:
        closed = np.flatnonzero(wrong & (dimension == LINE) & shapely.is_closed(shapes))
        closed = closed[shapely.get_num_coordinates(shapes[closed]) >= 4]
        closed = closed[shapely.get_type_id(shapes[closed]) == 1]
        if closed.size:
            rings = [shapely.linearrings(shapely.get_coordinates(s)) for s in shapes[closed]]
            shapes[closed] = shapely.polygons(np.array(rings, dtype=object))
            report.note("closed_lines", count=int(closed.size))
            wrong[closed] = False
    if wanted == (POINT,):
        areas = np.flatnonzero(wrong)
        shapes[areas] = [_anchor(shape) for shape in shapes[areas]]
        report.note("made_points", count=int(areas.size))
        return shapes
    if wanted == (LINE,):
        areas = np.flatnonzero(wrong & (dimension == POLYGON))
        shapes[areas] = shapely.boundary(shapes[areas])
        if areas.size:
            report.note("made_lines", count=int(areas.size))
            wrong[areas] = False
    if wrong.any():
        rows = np.flatnonzero(wrong)
        kinds = ("points", "lines", "polygons")
        report.warn(
            f"{kinds[int(dimension[rows[0]])]}_in_{kinds[wanted[0]]}",
            count=int(rows.size),
            rows=listed(raw, rows),
        )
        raw.displaced(rows, "shape-unfit")
        shapes[rows] = None
    return shapes


def _anchor(shape: shapely.Geometry) -> shapely.Geometry:
    """A point for a shape: inside an area, on a line; a bow-tie's middle of its corners."""
    try:
        return shapely.point_on_surface(shape)
    except shapely.GEOSException:
        return shapely.Point(shapely.get_coordinates(shape).mean(axis=0))


def _part(collection: shapely.Geometry, wanted: tuple[int, ...]) -> shapely.Geometry | None:
    """The part of a geometry collection that a role can use; None when there is none."""
    pending, parts, depth = [collection], [], 0
    while pending and depth <= LIMITS.nesting:
        deeper = [p for shape in pending for p in shapely.get_parts(shape)]
        parts += [shape for shape in deeper if shapely.get_type_id(shape) != 7]
        pending = [shape for shape in deeper if shapely.get_type_id(shape) == 7]
        depth += 1
    for dimension in wanted:
        chosen = [shape for shape in parts if shapely.get_dimensions(shape) == dimension]
        if chosen:
            simple = shapely.get_parts(np.array(chosen, dtype=object))
            makers = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
            return simple[0] if len(simple) == 1 else makers[dimension](simple)
    return None


def _valid(raw: Raw, shapes: Shapes, name_of: NameOf, report: Report) -> Shapes:
    """Repair crossing outlines; shapes of no extent become None."""
    dimension = shapely.get_dimensions(shapes)
    areas = np.flatnonzero(dimension == POLYGON)
    lines = np.flatnonzero(dimension == LINE)
    gone: list[int] = [int(row) for row in lines[shapely.length(shapes[lines]) == 0]]
    invalid = areas[~shapely.is_valid(shapes[areas])]
    if invalid.size:
        shapes = shapes.copy()
        fixed, too_complex = repaired(shapes[invalid])
        for row in invalid[too_complex]:
            corners = int(shapely.get_num_coordinates(shapes[row]))
            report.error("too_complex", rows=listed(raw, [row]), corners=corners)
        report.stop_on_errors()
        for row, new in zip(invalid, fixed, strict=True):
            if new is not None and shapely.area(new) > 0:
                _tell_repair(raw, int(row), name_of(int(row)), shapes[row], report)
            shapes[row] = new
    area = np.zeros(len(shapes))
    area[areas] = shapely.area(shapes[areas])
    flat = [int(row) for row in areas if not area[row] > 0]
    gone += flat
    if gone:
        report.warn("no_extent", rows=listed(raw, sorted(gone)))
        shapes = shapes.copy()
        raw.displaced(np.array(gone, dtype=np.intp), "shape-damaged")
        shapes[gone] = None
    return shapes


def _tell_repair(
    raw: Raw, row: int, name: str | None, shape: shapely.Geometry, report: Report
) -> None:
    told = sum(problem.code == "read_self_crossing" for problem in report.problems)
    if told >= 20:
        if not any(problem.code == "read_more_crossings" for problem in report.problems):
            report.warn("more_crossings")
        return
    corner = shapely.is_valid_reason(shape).partition("[")[2].rstrip("]").split()
    place = ", ".join(f"{float(number):.6f}".rstrip("0").rstrip(".") for number in corner) or "?"
    named = f" ({name})" if name else ""
    report.warn("self_crossing", rows=listed(raw, [row]), name=named, place=place)
