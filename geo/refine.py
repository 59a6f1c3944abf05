"""Refining: units cut along further lines, so that a border can be drawn where none was yet.

What comes back is a new coverage and the unit every piece came from. A plan carries over as
``label[parent]`` and looks the same; only what may be separated has changed. A building is never
cut: its households go to the piece their building stands in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import linework
from geo.cells import buildings_of, cut
from geo.coverage import absorb, allowed_defect, coverage_defects, dissolve, place_points
from geo.enclosures import VillageGround
from geo.segments import (
    FloatArray,
    IntArray,
    Segments,
    border_segments,
    outer_length,
    rook_edges,
    tally,
)
from geo.units import Units

HAIR_M = 0.1  # a line nearer than this to a border that stands already is that border
SLIVER_M = 0.25  # a piece that no disc of this radius fits into is no ground to divide
_TAG_M = 1e-3  # a piece's border lies so near to the border it came from


@dataclass(frozen=True)
class Refined:
    """Finer units and the unit that each came from: ``parent`` (n,), every old unit occurs."""

    units: Units
    parent: IntArray


def refine_by_polygons(
    units: Units,
    polygons: NDArray[np.object_],
    ground: VillageGround | None = None,
    only: IntArray | None = None,
) -> Refined:
    """Cut units along the borders of polygons (metres); see :func:`refine_by_lines`."""
    if not len(polygons):
        return Refined(units, np.arange(len(units)))
    rings = shapely.boundary(shapely.make_valid(polygons))
    # drawn twice by two hands, a shared border is two lines a hair apart: make them one
    merged = shapely.union_all(rings, grid_size=HAIR_M / 10)
    return refine_by_lines(units, np.array([merged], dtype=object), ground, only)


def refine_by_lines(
    units: Units,
    lines: NDArray[np.object_],
    ground: VillageGround | None = None,
    only: IntArray | None = None,
) -> Refined:
    """Cut units along lines.

    Parameters
    ----------
    units : the coverage to refine.
    lines : (l,) lines of any type, metres, in the units' system.
    ground : the village the units were built from; its rows are placed in the pieces building
        by building. Without it, all households of a cut unit go to the piece that holds the
        unit's point.
    only : numbers of the units that may be cut; all by default.

    A line that does not cross a unit from border to border cuts nothing there; stretches within
    :data:`HAIR_M` of a standing border are that border; empty pieces narrower than
    2 :data:`SLIVER_M` are given back to a piece of the same unit. So a border drawn comes back
    to within half a metre. Raises ValueError where the result is no exact coverage.
    """
    chosen = np.arange(len(units)) if only is None else np.unique(only)
    cuts = _cuts(units.geometry[chosen], lines)
    if not len(cuts):
        return Refined(units, np.arange(len(units)))
    area = shapely.coverage_union_all(units.geometry)
    defect = np.inf
    # near the lines first: noding a whole village takes longer than all else together
    for within in (_near(units, cuts), np.arange(len(units))):
        pieces, parent = _cut_within(units, within, cuts)
        if len(pieces) == len(units):
            return Refined(units, np.arange(len(units)))
        defect = coverage_defects(pieces, area)
        if len(within) < len(units) and not shapely.coverage_is_valid(pieces):
            continue  # snapped, the part cut has other vertices than what lies around it
        if defect <= 10 * allowed_defect(area) and len(np.unique(parent)) == len(units):
            return Refined(_attributes(units, pieces, parent, ground), parent)
    raise ValueError(f"village {units.code}: refined units miss its area by {defect:.2f} m2")


def _near(units: Units, cuts: NDArray[np.object_]) -> IntArray:
    """Units that lines meet, and their neighbours, whose borders get the lines' ends."""
    _, met = shapely.STRtree(units.geometry).query(cuts, predicate="intersects")
    near = np.zeros(len(units), dtype=bool)
    near[met] = True
    beside = near[units.edges.a] | near[units.edges.b]
    near[units.edges.a[beside]] = True
    near[units.edges.b[beside]] = True
    return np.flatnonzero(near)


def _cut_within(
    units: Units, within: IntArray, cuts: NDArray[np.object_]
) -> tuple[NDArray[np.object_], IntArray]:
    """All units, those ``within`` cut, and the unit each came from."""
    own = units.geometry[within]
    fresh = cut(shapely.coverage_union_all(own), own, cuts)
    of = within[place_points(shapely.point_on_surface(fresh), own)]
    others = np.setdiff1d(np.arange(len(units)), within)
    return _in_order(
        *_without_slivers(
            np.concatenate([units.geometry[others], fresh]), np.concatenate([others, of])
        )
    )


def _cuts(polygons: NDArray[np.object_], lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """The stretches of ``lines`` inside the polygons, drawn up to the polygons' borders."""
    if not len(lines) or not len(polygons):
        return np.empty(0, dtype=object)
    stretches, _ = linework.stretches(linework.as_lines(lines)[0])
    line, polygon = shapely.STRtree(polygons).query(stretches, predicate="intersects")
    if not len(line):
        return np.empty(0, dtype=object)
    found = []
    for number in np.unique(polygon):
        unit = polygons[number]
        within = shapely.union_all(stretches[line[polygon == number]])
        border = shapely.boundary(unit)
        inner = shapely.difference(
            shapely.intersection(within, unit), shapely.buffer(border, HAIR_M)
        )
        inner, _ = linework.as_lines(
            np.array([shapely.line_merge(inner)], dtype=object)
            if shapely.get_type_id(inner) == 5
            else np.array([inner], dtype=object)
        )
        if len(inner):
            found += [inner, _to_border(inner, border)]
    return np.concatenate(found) if found else np.empty(0, dtype=object)


def _to_border(lines: NDArray[np.object_], border: shapely.Geometry) -> NDArray[np.object_]:
    """Connectors from the ends of lines to the border a hair away.

    To the border whatever else is nearer: two lines that meet it side by side would be joined to
    each other, and leave a neck between them and the border.
    """
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    near = ends[shapely.distance(ends, border) <= 2 * HAIR_M]
    return np.asarray(shapely.shortest_line(near, border), dtype=object)


def _without_slivers(
    pieces: NDArray[np.object_], parent: IntArray
) -> tuple[NDArray[np.object_], IntArray]:
    """Give pieces too narrow for a disc to a neighbour that came from the same unit."""
    count = np.bincount(parent)
    split = np.flatnonzero(count[parent] > 1)
    narrow = np.zeros(len(pieces), dtype=bool)
    narrow[split] = shapely.is_empty(shapely.buffer(pieces[split], -SLIVER_M))
    if not narrow.any():
        return pieces, parent
    edges = rook_edges(border_segments(pieces))
    merged = absorb(len(pieces), edges, shapely.area(pieces), narrow, parent)
    origin = np.zeros(int(merged.max()) + 1, dtype=np.int64)
    origin[merged] = parent
    return dissolve(pieces, merged), origin


def _in_order(
    pieces: NDArray[np.object_], parent: IntArray
) -> tuple[NDArray[np.object_], IntArray]:
    """Pieces by parent, and within one by place: what noding happened to do decides nothing."""
    middle = shapely.get_coordinates(shapely.point_on_surface(pieces)).round(3)
    order = np.lexsort((middle[:, 1], middle[:, 0], parent))
    return pieces[order], parent[order]


def _home_of_rows(
    units: Units,
    pieces: NDArray[np.object_],
    parent: IntArray,
    ground: VillageGround | None,
) -> IntArray:
    """The piece each household row goes to, shape (h,): the one its building stands in."""
    first = np.searchsorted(parent, np.arange(len(units)))
    home = first[units.unit_of_row]
    split = np.bincount(parent, minlength=len(units)) > 1
    rows = np.flatnonzero(split[units.unit_of_row])
    if ground is None or not len(rows):
        at = _piece_of_point(units, pieces, parent, np.column_stack([units.x, units.y]), split)
        return at[units.unit_of_row]
    buildings, building_of_row = buildings_of(ground.xy[rows])
    owner = np.empty(len(buildings), dtype=np.int64)
    owner[building_of_row] = units.unit_of_row[rows]
    points = shapely.points(buildings)
    for unit in np.unique(owner):
        mine = np.flatnonzero(parent == unit)
        here = np.flatnonzero(owner == unit)
        owner[here] = -1 - mine[place_points(points[here], pieces[mine])]
    home[rows] = (-1 - owner)[building_of_row]
    return home


def _piece_of_point(
    units: Units,
    pieces: NDArray[np.object_],
    parent: IntArray,
    xy: FloatArray,
    split: NDArray[np.bool_],
) -> IntArray:
    """The piece of each unit that its point lies in, or is nearest to; shape (old n,)."""
    at = np.searchsorted(parent, np.arange(len(units)))
    for unit in np.flatnonzero(split):
        mine = np.flatnonzero(parent == unit)
        at[unit] = mine[place_points(shapely.points(xy[[unit]]), pieces[mine])[0]]
    return at


def _attributes(
    units: Units,
    pieces: NDArray[np.object_],
    parent: IntArray,
    ground: VillageGround | None,
) -> Units:
    """Count households onto the pieces; what was not cut keeps its numbers to the last bit."""
    n = len(pieces)
    unit_of_row = _home_of_rows(units, pieces, parent, ground)
    split = np.bincount(parent, minlength=len(units)) > 1
    cut_piece = split[parent]
    centre = np.column_stack([units.x, units.y])[parent]
    centre[cut_piece] = shapely.get_coordinates(shapely.point_on_surface(pieces[cut_piece]))
    counts = {"households": units.households[parent], "persons": units.persons[parent]}
    spread = units.spread[parent]
    if ground is None:
        at = _piece_of_point(units, pieces, parent, np.column_stack([units.x, units.y]), split)
        holds = at[parent] == np.arange(n)
        centre[holds] = np.column_stack([units.x, units.y])[parent[holds]]
        spread = np.where(cut_piece & ~holds, 0.0, spread)
        for values in counts.values():
            values[cut_piece & ~holds & (values > 0)] = 0
    else:
        mass = np.maximum(ground.households, 1)
        weight = tally(unit_of_row, mass, n)
        lived = cut_piece & (weight > 0)
        for axis in (0, 1):
            total = tally(unit_of_row, mass * ground.xy[:, axis], n)
            centre[lived, axis] = total[lived] / weight[lived]
        away = ((ground.xy - centre[unit_of_row]) ** 2).sum(axis=1)
        fresh = tally(unit_of_row, ground.households * away, n)
        spread = np.where(cut_piece, fresh, spread)
        for name, rows in (("households", ground.households), ("persons", ground.persons)):
            held = tally(unit_of_row, np.maximum(rows, 0), n).astype(np.int64)
            known = cut_piece & (counts[name] >= 0)
            counts[name] = np.where(known, held, counts[name])
    segments = _tagged(units, border_segments(pieces), parent)
    return replace(
        units,
        geometry=pieces,
        households=counts["households"],
        persons=counts["persons"],
        x=centre[:, 0],
        y=centre[:, 1],
        spread=spread,
        area=shapely.area(pieces),
        outer=outer_length(segments, n),
        block=units.block[parent],
        whole=units.whole[parent],
        dedicated=units.dedicated[parent],
        part=units.part[parent],
        edges=rook_edges(segments),
        segments=segments,
        unit_of_row=unit_of_row,
    )


def _tagged(units: Units, segments: Segments, parent: IntArray) -> Segments:
    """``line`` of the pieces' borders: that of the old border they lie on, none on new cuts."""
    old = units.segments
    lined = np.flatnonzero(old.line >= 0)
    line = np.full(len(segments.left), -1, dtype=np.int64)
    right = np.where(segments.right >= 0, parent[segments.right], -1)
    rows = np.flatnonzero(parent[segments.left] != right)
    if len(lined) and len(rows):
        ends = np.stack(
            [
                np.column_stack([old.x1[lined], old.y1[lined]]),
                np.column_stack([old.x2[lined], old.y2[lined]]),
            ],
            axis=1,
        )
        tree = shapely.STRtree(shapely.linestrings(ends))
        near, hit = tree.query_nearest(
            shapely.points(segments.midpoint[rows]), max_distance=_TAG_M, all_matches=False
        )
        line[rows[near]] = old.line[lined[hit]]
    return replace(segments, line=line)
