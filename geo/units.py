"""Units: the ground of one village, cut once into pieces that tile it exactly.

Truth lives here for the ground: a plan is one integer per unit, so everything that a plan can ever
separate is decided by :func:`build_units`, and checked there, once. Boundary and lines make
*enclosures* (blocks); the Voronoi edges of the dwellings cut a block that holds several; all of it
is noded together and polygonised, so that neighbours share every vertex.

A unit holds one building (all households within :data:`BUILDING_M` of each other, a high-rise
included), or none. Compounds, natural villages and ready-made areas stay whole through ``whole``,
a must-stay-together number that planning reads; the ground itself knows no cap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import linework
from geo.segments import (
    Edges,
    FloatArray,
    IntArray,
    Segments,
    border_segments,
    outer_length,
    rook_edges,
)

BUILDING_M = 0.5  # dwellings nearer than this are one building: no polygon can part them
THIN_M = 36.0  # an empty block narrower than this (2 A / P) is a median or a strip, not ground
SMALL_M2 = 1500.0  # an empty block smaller than this is a traffic island or a pond
ON_LINE_M = 0.05  # inner borders come from the lines themselves
ALONG_M = 12.0  # the village border is digitised apart from the road it follows


@dataclass(frozen=True)
class VillageGround:
    """What one village's units are cut from. Coordinates in metres, one metric system.

    ``area`` Polygon or MultiPolygon. ``lines`` (l,) LineStrings in and along the village with
    ``line_id`` (l,) their rows in the county's :class:`~geo.linework.Linework`. ``xy`` (h, 2)
    household rows with ``households`` (h,) and ``persons`` (h,) counts (persons negative where
    unknown).
    ``set_id`` (h,) a must-stay-together number of each row, -1 where none. ``wholes`` (w,)
    polygons to keep whole with ``whole_id`` (w,); ``dedicated`` (d,) polygons of dedicated grids
    with ``dedicated_id`` (d,). ``areas`` (a,) ready-made small areas, then row i of the households
    is area i.
    """

    code: str
    area: shapely.Geometry
    lines: NDArray[np.object_]
    line_id: IntArray
    xy: FloatArray
    households: IntArray
    persons: IntArray
    set_id: IntArray
    wholes: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    whole_id: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    dedicated: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    dedicated_id: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    areas: NDArray[np.object_] | None = None


@dataclass(frozen=True)
class Units:
    """An exact coverage of one village by n units, and what lies on each.

    ``geometry`` (n,) polygons; ``households``, ``persons`` (n,) counts (persons -1 throughout
    where nobody counted them); ``x``, ``y`` (n,) the households' mean place in metres (a point
    inside, where there are none); ``area`` m2; ``outer`` metres of border shared with no unit;
    ``block`` the enclosure; ``whole`` must-stay-together number or -1; ``dedicated`` number of the
    dedicated grid or -1; ``part`` connected component of the village (an exclave is one of its
    own). ``unit_of_row`` (h,) the unit of each household row of the input.
    """

    code: str
    geometry: NDArray[np.object_]
    households: IntArray
    persons: IntArray
    x: FloatArray
    y: FloatArray
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


def coverage_defects(polygons: NDArray[np.object_], area: shapely.Geometry) -> float:
    """Square metres by which polygons fail to tile ``area``: |sum - area| (0 when exact).

    Together with :func:`~geo.segments.border_segments`, which refuses overlaps along shared
    vertices, this is the whole check. Wrong where a gap and an overlap cancel to the millimetre.
    """
    return float(abs(shapely.area(polygons).sum() - shapely.area(area)))


def dissolve(polygons: NDArray[np.object_], label: IntArray) -> NDArray[np.object_]:
    """Union of a coverage by labels 0..k-1, shape (k,). Every label must occur."""
    if not len(label):
        return np.empty(0, dtype=object)
    order = np.argsort(label, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(label[order]) > 0, True])
    merged = np.empty(len(bounds) - 1, dtype=object)
    for i, (start, stop) in enumerate(pairwise(bounds)):
        members = polygons[order[start:stop]]
        merged[i] = members[0] if len(members) == 1 else shapely.coverage_union_all(members)
    return merged


def _components(n: int, a: IntArray, b: IntArray) -> IntArray:
    ones = np.ones(len(a), dtype=np.int8)
    links = coo_array((ones, (a, b)), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def absorb(
    n: int, edges: Edges, size: FloatArray, taken: NDArray[np.bool_], pen: IntArray
) -> IntArray:
    """Give each ``taken`` area to the neighbour it shares most border with; labels 0..k-1.

    Smallest first, and only between areas of one ``pen``. A taken area without such a neighbour
    stays. Chains (a sliver taken by a sliver) end in one label.
    """
    label = np.arange(n)
    neighbours: list[dict[int, float]] = [{} for _ in range(n)]
    for a, b, length in zip(edges.a, edges.b, edges.length, strict=True):
        if pen[a] == pen[b]:
            neighbours[a][int(b)] = float(length)
            neighbours[b][int(a)] = float(length)
    for area in np.flatnonzero(taken)[np.argsort(size[taken], kind="stable")]:
        near = neighbours[area]
        if not near:
            continue
        host = max(near, key=lambda other: (near[other], -other))
        label[label == area] = host
        for other, length in near.items():
            del neighbours[other][int(area)]
            if other != host:
                neighbours[host][other] = neighbours[host].get(other, 0.0) + length
                neighbours[other][host] = neighbours[host][other]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _inside(faces: NDArray[np.object_], area: shapely.Geometry) -> NDArray[np.object_]:
    """The faces that belong to ``area``: polygonising also fills its holes and outer pockets."""
    points = shapely.point_on_surface(faces)
    shapely.prepare(area)
    return np.asarray(faces[shapely.intersects(area, points)], dtype=object)


def _containing(
    faces: NDArray[np.object_], polygons: NDArray[np.object_], number: IntArray
) -> IntArray:
    """The number of the polygon that a point of each face lies in, -1 outside all."""
    found = np.full(len(faces), -1, dtype=np.int64)
    if len(polygons):
        tree = shapely.STRtree(polygons)
        face, polygon = tree.query(shapely.point_on_surface(faces), predicate="intersects")
        found[face[::-1]] = number[polygon[::-1]]
    return found


def place_points(points: NDArray[np.object_], polygons: NDArray[np.object_]) -> IntArray:
    """The polygon each point lies in, the lowest number on a shared border, else the nearest."""
    tree = shapely.STRtree(polygons)
    point, polygon = tree.query(points, predicate="intersects")
    home = np.full(len(points), -1, dtype=np.int64)
    order = np.lexsort((-polygon, point))
    home[point[order]] = polygon[order]
    lost = np.flatnonzero(home < 0)
    if len(lost):
        home[lost] = tree.nearest(points[lost])
    return home


def buildings_of(xy: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct buildings (b, 2) and the building of each row (h,): rows closer than 0.5 m are one.

    Rows are grouped by rounding, so two rows 0.5 m apart may also fall into two buildings; that
    costs a unit, never a wrong count.
    """
    order = np.lexsort((xy[:, 1], xy[:, 0]))  # the order of the rows must move no border
    cell = np.round(xy[order] / BUILDING_M)
    _, first, inverse = np.unique(
        cell[:, 0] + 1j * cell[:, 1], return_index=True, return_inverse=True
    )
    building = np.empty(len(xy), dtype=np.int64)
    building[order] = inverse
    return xy[order[first]], building


def _blocks(ground: VillageGround) -> tuple[NDArray[np.object_], IntArray, IntArray, IntArray]:
    """Enclosures: polygons, their whole, their dedicated grid and their ready-made area."""
    border = shapely.boundary(ground.area)
    outlines = [ground.wholes, ground.dedicated]
    if ground.areas is not None:
        outlines.append(ground.areas)
    inner = [linework.clip_lines(shapely.boundary(o), ground.area)[0] for o in outlines if len(o)]
    lines = linework.clip_lines(ground.lines, ground.area)[0]
    joins = linework.join_dangles(lines, border)
    work = np.concatenate([[border], lines, joins, *inner])
    faces = _inside(linework.faces(linework.node(work)), ground.area)
    whole = _containing(faces, ground.wholes, ground.whole_id)
    dedicated = _containing(faces, ground.dedicated, ground.dedicated_id)
    if ground.areas is None:
        own = np.full(len(faces), -1, dtype=np.int64)
        held = np.zeros(len(faces), dtype=np.int64)
        if len(ground.xy):
            held = np.bincount(
                place_points(shapely.points(ground.xy), faces), minlength=len(faces)
            )
    else:
        own = _containing(faces, ground.areas, np.arange(len(ground.areas)))
        held = (own >= 0).astype(np.int64)
    size = shapely.area(faces)
    thin = (2 * size < THIN_M * shapely.length(faces)) | (size < SMALL_M2)
    edges = rook_edges(border_segments(faces))
    merged = absorb(len(faces), edges, size, thin & (held == 0) & (dedicated < 0), dedicated)
    if ground.areas is not None:  # the faces of one ready-made area are one unit where they touch
        keep = own[edges.a] == own[edges.b]
        same = keep & (own[edges.a] >= 0)
        joined = _components(
            int(merged.max()) + 1, merged[edges.a[same]], merged[edges.b[same]]
        )
        merged = joined[merged]
    lead = np.zeros(int(merged.max()) + 1, dtype=np.int64)
    order = np.lexsort((size, held > 0))  # the largest face that holds somebody names the block
    lead[merged[order]] = order
    return dissolve(faces, merged), whole[lead], dedicated[lead], own[lead]


def _voronoi(
    blocks: NDArray[np.object_], block_of: IntArray, buildings: FloatArray
) -> NDArray[np.object_]:
    """Voronoi edges of the buildings of each block that holds several, clipped to the block."""
    order = np.argsort(block_of, kind="stable")
    count = np.bincount(block_of, minlength=len(blocks))
    start = np.cumsum(count) - count
    several = np.flatnonzero(count > 1)
    if not len(several):
        return np.empty(0, dtype=object)
    sites = np.array(
        [
            shapely.multipoints(buildings[order[start[i] : start[i] + count[i]]])
            for i in several
        ]
    )
    cells = shapely.voronoi_polygons(sites, extend_to=blocks[several], only_edges=True)
    return linework.as_lines(shapely.intersection(cells, blocks[several]))[0]


def _cut(
    area: shapely.Geometry, blocks: NDArray[np.object_], cuts: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Blocks cut along lines, as a coverage.

    Noding at full precision takes half the time of snap rounding; where it fails to tile the
    area (nearly coincident edges), snap rounding, which cannot fail, does it again.
    """
    rings = shapely.boundary(blocks)
    quick = shapely.union_all(np.concatenate([rings, linework.overshoot(cuts)]))
    pieces = _inside(linework.faces(quick), area)
    if coverage_defects(pieces, area) <= _allowed(area):
        return pieces
    return _inside(linework.faces(linework.node(np.concatenate([rings, cuts]))), area)


def _allowed(area: shapely.Geometry) -> float:
    """Square metres that noding may move: a hair along the village's border."""
    return float(1e-9 * shapely.area(area) + 1e-3)


def _subdivide(
    area: shapely.Geometry, blocks: NDArray[np.object_], buildings: FloatArray
) -> tuple[NDArray[np.object_], IntArray, IntArray]:
    """Units, the block of each, and the unit of each building."""
    block_of_building = place_points(shapely.points(buildings), blocks)
    cuts = _voronoi(blocks, block_of_building, buildings)
    if not len(cuts):
        return blocks, np.arange(len(blocks)), block_of_building
    pieces = _cut(area, blocks, cuts)
    home = place_points(shapely.points(buildings), pieces)
    block = place_points(shapely.point_on_surface(pieces), blocks)
    held = np.bincount(home, minlength=len(pieces))
    peopled = np.bincount(block, weights=held, minlength=len(blocks)) > 0
    spare = (held == 0) & peopled[block]  # a concave block cuts pieces off their building
    if not spare.any():
        return pieces, block, home
    edges = rook_edges(border_segments(pieces))
    merged = absorb(len(pieces), edges, shapely.area(pieces), spare, block)
    block_of = np.zeros(int(merged.max()) + 1, dtype=np.int64)
    block_of[merged] = block
    return dissolve(pieces, merged), block_of, merged[home]


def _tag_lines(segments: Segments, block: IntArray, ground: VillageGround) -> Segments:
    """Fill ``line``: which line each segment runs along. Inside a block there are none."""
    between = (segments.right >= 0) & (block[segments.left] != block[segments.right])
    line = np.full(len(segments.left), -1, dtype=np.int64)
    if len(ground.lines):
        # single stretches: a tree of whole rivers would measure every vertex for every point
        stretches, owner = linework.stretches(ground.lines)
        tree = shapely.STRtree(stretches)
        middle = shapely.points(segments.midpoint)
        for rows, reach in (
            (np.flatnonzero(between), ON_LINE_M),
            (np.flatnonzero(segments.right < 0), ALONG_M),
        ):
            if len(rows):
                near, hit = tree.query_nearest(
                    middle[rows], max_distance=reach, all_matches=False
                )
                line[rows[near]] = ground.line_id[owner[hit]]
    return Segments(
        segments.left, segments.right, segments.x1, segments.y1, segments.x2, segments.y2, line
    )


def build_units(ground: VillageGround) -> Units:
    """Cut one village into units. Raises ValueError where the result is no exact coverage.

    The result depends on this village's ground alone, so no other village can move it.
    """
    blocks, whole, dedicated, own = _blocks(ground)
    if ground.areas is None:
        buildings, building_of_row = buildings_of(ground.xy)
        if len(buildings):
            units, block, unit_of_building = _subdivide(ground.area, blocks, buildings)
            unit_of_row = unit_of_building[building_of_row]
        else:
            units, block = blocks, np.arange(len(blocks))
            unit_of_row = np.empty(0, dtype=np.int64)
    else:
        units, block = blocks, np.arange(len(blocks))
        unit_of_row = _unit_of_area(units, own, ground.xy)
    defect = coverage_defects(units, ground.area)
    if defect > _allowed(ground.area):
        raise ValueError(f"village {ground.code}: units miss its area by {defect:.2f} m2")
    return _attributes(ground, units, block, whole[block], dedicated[block], unit_of_row)


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
    counted = bool((ground.persons >= 0).any())
    persons = np.bincount(unit_of_row, weights=np.maximum(ground.persons, 0), minlength=n)
    centre = shapely.get_coordinates(shapely.point_on_surface(units))
    mass = np.maximum(ground.households, 1)
    weight = np.bincount(unit_of_row, weights=mass, minlength=n)
    for axis in (0, 1):
        total = np.bincount(unit_of_row, weights=mass * ground.xy[:, axis], minlength=n)
        centre[:, axis] = np.where(weight > 0, total / np.maximum(weight, 1), centre[:, axis])
    whole = _with_sets(whole, unit_of_row, ground.set_id, mass)
    segments = _tag_lines(border_segments(units), block, ground)
    edges = rook_edges(segments)
    return Units(
        code=ground.code,
        geometry=units,
        households=households.astype(np.int64),
        persons=persons.astype(np.int64) if counted else np.full(n, -1, dtype=np.int64),
        x=centre[:, 0],
        y=centre[:, 1],
        area=shapely.area(units),
        outer=outer_length(segments, n),
        block=block,
        whole=whole,
        dedicated=dedicated,
        part=_components(n, edges.a, edges.b),
        edges=edges,
        segments=segments,
        unit_of_row=unit_of_row,
    )
