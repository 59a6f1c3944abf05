"""Cells: a block that holds several owners is cut along the Voronoi edges between them.

An owner is a building, or all buildings of a compound or natural village that stays whole. Edges
between two buildings of one owner are never drawn, so that a hamlet of forty houses costs one unit.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from geo import linework
from geo.coverage import absorb, allowed_defect, coverage_defects, dissolve, inside, place_points
from geo.segments import FloatArray, IntArray, border_segments, rook_edges

BUILDING_M = 0.5  # dwellings nearer than this are one building: no polygon can part them
_FAR = 20.0  # guard sites stand so many times the block's size away, beyond every border


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


def _edges_between(sites: FloatArray, owner: IntArray) -> FloatArray:
    """Voronoi edges between sites of different owners, (e, 2, 2) start and end, metres.

    Four far guards close every cell, so that all edges are finite.
    """
    middle = sites.mean(axis=0)
    size = max(float(np.ptp(sites, axis=0).max()), 50.0) * _FAR
    guards = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size
    diagram = Voronoi(np.vstack([sites - middle, guards]))
    a, b = diagram.ridge_points.T
    real = (a < len(sites)) & (b < len(sites))
    parted = np.zeros(len(a), dtype=bool)
    parted[real] = owner[a[real]] != owner[b[real]]
    ends = np.array([diagram.ridge_vertices[i] for i in np.flatnonzero(parted)], dtype=np.int64)
    if not len(ends):
        return np.empty((0, 2, 2))
    return np.asarray(diagram.vertices[ends] + middle)


def _borders(
    blocks: NDArray[np.object_], block_of: IntArray, buildings: FloatArray, owner: IntArray
) -> NDArray[np.object_]:
    """Lines that part the owners within each block, clipped to the block."""
    order = np.lexsort((owner, block_of))
    first = np.flatnonzero(np.r_[True, np.diff(block_of[order]) > 0])
    stop = np.r_[first[1:], len(order)]
    lines, host = [], []
    for start, end in zip(first, stop, strict=True):
        rows = order[start:end]
        if owner[rows[0]] == owner[rows[-1]]:
            continue
        edges = _edges_between(buildings[rows], owner[rows])
        lines.append(shapely.multilinestrings(shapely.linestrings(edges)))
        host.append(block_of[rows[0]])
    if not lines:
        return np.empty(0, dtype=object)
    return linework.as_lines(shapely.intersection(np.array(lines), blocks[host]))[0]


def cut(
    area: shapely.Geometry, blocks: NDArray[np.object_], cuts: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Blocks cut along lines, as a coverage.

    Noding at full precision takes half the time of snap rounding; where it fails to tile the
    area (nearly coincident edges), snap rounding, which cannot fail, does it again.
    """
    rings = shapely.boundary(blocks)
    quick = shapely.union_all(np.concatenate([rings, linework.overshoot(cuts)]))
    pieces = inside(linework.faces(quick), area)
    if coverage_defects(pieces, area) <= allowed_defect(area):
        return pieces
    return inside(linework.faces(linework.node(np.concatenate([rings, cuts]))), area)


def subdivide(
    area: shapely.Geometry, blocks: NDArray[np.object_], buildings: FloatArray, owner: IntArray
) -> tuple[NDArray[np.object_], IntArray, IntArray]:
    """Units, the block of each, and the unit of each building.

    ``owner`` (b,) what each building belongs to; buildings of one owner are not parted.
    """
    block_of_building = place_points(shapely.points(buildings), blocks)
    cuts = _borders(blocks, block_of_building, buildings, owner)
    if not len(cuts):
        return blocks, np.arange(len(blocks)), block_of_building
    pieces = cut(area, blocks, cuts)
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
