"""Units: the ground of one village, cut once into pieces that tile it exactly.

Truth lives here for the ground: a plan is one integer per unit, so everything that a plan can ever
separate is decided by :func:`build_units`, and checked there, once. Boundary and lines make
*enclosures* (blocks); the Voronoi edges of the dwellings cut a block that holds several; all of it
is noded together and polygonised, so that neighbours share every vertex.

A unit holds one building (all households within half a metre of each other, a high-rise included),
or a whole compound or natural village that no rule would part, or nobody. ``whole`` is the
must-stay-together number that planning reads, for sets that lie in several blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import linework
from geo.cells import buildings_of, subdivide
from geo.coverage import allowed_defect, components, coverage_defects, place_points
from geo.enclosures import VillageGround, enclose
from geo.segments import (
    Edges,
    FloatArray,
    IntArray,
    Segments,
    border_segments,
    outer_length,
    rook_edges,
    tally,
)

ON_LINE_M = 0.05  # inner borders come from the lines themselves


@dataclass(frozen=True)
class Units:
    """An exact coverage of one village by n units, and what lies on each.

    ``geometry`` (n,) polygons; ``households``, ``persons`` (n,) counts (persons -1 throughout
    where they are not known of every household); ``x``, ``y`` (n,) the households' mean place
    in metres (a point inside, where there are none); ``spread`` their summed squared distance
    from it; ``area`` m2; ``outer`` metres of border shared with no unit; ``block`` the
    enclosure; ``whole`` must-stay-together number or -1; ``dedicated`` number of the dedicated
    grid or -1; ``part`` connected component of the village (an exclave is one of its own).
    ``unit_of_row`` (h,) the unit of each household row of the input.
    """

    code: str
    geometry: NDArray[np.object_]
    households: IntArray
    persons: IntArray
    x: FloatArray
    y: FloatArray
    spread: FloatArray
    area: FloatArray
    outer: FloatArray
    block: IntArray
    whole: IntArray
    dedicated: IntArray
    part: IntArray
    edges: Edges
    segments: Segments
    unit_of_row: IntArray

    def __len__(self) -> int:
        return len(self.geometry)


def _tag_lines(segments: Segments, block: IntArray, ground: VillageGround) -> Segments:
    """Fill ``line``: which line each segment runs along. Inside a block there are none."""
    between = (segments.right >= 0) & (block[segments.left] != block[segments.right])
    line = np.full(len(segments.left), -1, dtype=np.int64)
    if len(ground.lines):
        # single stretches: a tree of whole rivers would measure every vertex for every point
        stretches, owner = linework.stretches(ground.lines)
        tree = shapely.STRtree(stretches)
        middle = shapely.points(segments.midpoint)
        inner, outer = np.flatnonzero(between), np.flatnonzero(segments.right < 0)
        row, hit = _on_line(tree, middle[inner])
        line[inner[row]] = ground.line_id[owner[hit]]
        if len(outer):
            near, hit = tree.query_nearest(
                middle[outer], max_distance=linework.ALONG_M, all_matches=False
            )
            line[outer[near]] = ground.line_id[owner[hit]]
    return Segments(
        segments.left, segments.right, segments.x1, segments.y1, segments.x2, segments.y2, line
    )


def _on_line(tree: shapely.STRtree, points: NDArray[np.object_]) -> tuple[IntArray, IntArray]:
    """The points that lie on a stretch, and the nearest stretch of each.

    Within a hand's breadth a search by distance takes a third of what one for the nearest takes.
    """
    point, hit = tree.query(points, predicate="dwithin", distance=ON_LINE_M)
    order = np.lexsort((hit, point))
    point, hit = point[order], hit[order]
    several = np.flatnonzero(np.bincount(point, minlength=len(points))[point] > 1)
    gap = np.zeros(len(point))
    gap[several] = shapely.distance(points[point[several]], tree.geometries[hit[several]])
    order = np.lexsort((gap, point))
    point, hit = point[order], hit[order]
    first = np.r_[True, point[1:] != point[:-1]][: len(point)]
    return point[first], hit[first]


def build_units(ground: VillageGround) -> Units:
    """Cut one village into units. Raises ValueError where the result is no exact coverage.

    The result depends on this village's ground alone, so no other village can move it.
    """
    blocks = enclose(ground)
    units, block = blocks.geometry, np.arange(len(blocks.geometry))
    if ground.areas is not None:
        unit_of_row = _unit_of_area(units, blocks.own, ground.xy)
    elif len(ground.xy):
        buildings, building_of_row = buildings_of(ground.xy)
        owner = _owners(ground, building_of_row, len(buildings))
        units, block, home = subdivide(ground.area, blocks.geometry, buildings, owner)
        unit_of_row = home[building_of_row]
    else:
        unit_of_row = np.empty(0, dtype=np.int64)
    defect = coverage_defects(units, ground.area)
    if defect > allowed_defect(ground.area):
        raise ValueError(f"village {ground.code}: units miss its area by {defect:.2f} m2")
    return _attributes(
        ground, units, block, blocks.whole[block], blocks.dedicated[block], unit_of_row
    )


def _owners(ground: VillageGround, building_of_row: IntArray, buildings: int) -> IntArray:
    """What each building belongs to: its set, where that may stay one unit, else itself."""
    number = int(ground.set_id.max(initial=-1)) + 1
    own = np.full(buildings, -1, dtype=np.int64)
    own[building_of_row[::-1]] = ground.set_id[::-1]
    named = ground.set_id >= 0
    households = tally(ground.set_id[named], ground.households[named], number)
    persons = tally(ground.set_id[named], np.maximum(ground.persons[named], 0), number)
    whole = (households <= ground.keep_households) & (persons <= ground.keep_persons)
    alone = (own < 0) | ~np.append(whole, False)[own]
    return np.where(alone, number + np.arange(buildings), own)


def _unit_of_area(units: NDArray[np.object_], own: IntArray, xy: FloatArray) -> IntArray:
    """The largest unit of each ready-made area; where it has none, the unit its middle is in."""
    home = place_points(shapely.points(xy), units)
    rows = np.flatnonzero(own >= 0)
    rows = rows[np.argsort(shapely.area(units[rows]), kind="stable")]
    home[own[rows]] = rows
    return home


def _with_sets(
    whole: IntArray, unit_of_row: IntArray, set_id: IntArray, mass: IntArray
) -> IntArray:
    """``whole`` with the households' own sets where no outline gave one.

    A building in which several sets live goes with the one that has most of it.
    """
    whole = whole.copy()
    free = np.flatnonzero((set_id >= 0) & (whole[unit_of_row] < 0))
    pair, row = np.unique(
        np.column_stack([unit_of_row[free], set_id[free]]), axis=0, return_inverse=True
    )
    weight = np.bincount(row, weights=mass[free], minlength=len(pair))
    order = np.lexsort((-pair[:, 1], weight, pair[:, 0]))  # the heaviest is written last
    whole[pair[order, 0]] = pair[order, 1]
    return whole


def _attributes(
    ground: VillageGround,
    units: NDArray[np.object_],
    block: IntArray,
    whole: IntArray,
    dedicated: IntArray,
    unit_of_row: IntArray,
) -> Units:
    """Count households onto units and measure their borders."""
    n = len(units)
    households = np.bincount(unit_of_row, weights=ground.households, minlength=n)
    lived = ground.households > 0
    counted = bool(lived.any()) and bool((ground.persons[lived] >= 0).all())
    persons = np.bincount(unit_of_row, weights=np.maximum(ground.persons, 0), minlength=n)
    centre = shapely.get_coordinates(shapely.point_on_surface(units))
    mass = np.maximum(ground.households, 1)
    weight = np.bincount(unit_of_row, weights=mass, minlength=n)
    for axis in (0, 1):
        total = np.bincount(unit_of_row, weights=mass * ground.xy[:, axis], minlength=n)
        centre[:, axis] = np.where(weight > 0, total / np.maximum(weight, 1), centre[:, axis])
    whole = _with_sets(whole, unit_of_row, ground.set_id, mass)
    away = ((ground.xy - centre[unit_of_row]) ** 2).sum(axis=1)
    segments = _tag_lines(border_segments(units), block, ground)
    edges = rook_edges(segments)
    return Units(
        code=ground.code,
        geometry=units,
        households=households.astype(np.int64),
        persons=persons.astype(np.int64) if counted else np.full(n, -1, dtype=np.int64),
        x=centre[:, 0],
        y=centre[:, 1],
        spread=tally(unit_of_row, ground.households * away, n),
        area=shapely.area(units),
        outer=outer_length(segments, n),
        block=block,
        whole=whole,
        dedicated=dedicated,
        part=components(n, edges.a, edges.b),
        edges=edges,
        segments=segments,
        unit_of_row=unit_of_row,
    )
