"""Cells: a block that holds several owners is cut along the Voronoi edges between them.

An owner is a building, or all buildings of a compound or natural village that stays whole. Edges
between two buildings of one owner are never drawn, so that a hamlet of forty houses costs one unit.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import linework
from geo.coverage import absorb, allowed_defect, coverage_defects, dissolve, inside, place_points
from geo.faces import Faces, faces
from geo.segments import FloatArray, IntArray, border_segments, rook_edges
from geo.voronoi import Parting, parting

BUILDING_M = 0.5  # dwellings nearer than this are one building: no polygon can part them


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


def cut(
    area: shapely.Geometry, blocks: NDArray[np.object_], cuts: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Blocks cut along any lines, as a coverage.

    Noding at full precision takes half the time of snap rounding; where it fails to tile the
    area (nearly coincident edges), snap rounding, which cannot fail, does it again.
    """
    rings = shapely.boundary(blocks)
    quick = shapely.union_all(np.concatenate([rings, linework.overshoot(cuts)]))
    pieces = inside(linework.faces(quick), area)
    if coverage_defects(pieces, area) <= allowed_defect(area):
        return pieces
    return inside(linework.faces(linework.node(np.concatenate([rings, cuts]))), area)


def clipped(blocks: NDArray[np.object_], edges: Parting) -> NDArray[np.object_]:
    """The edges as LineStrings, clipped to their blocks."""
    lines = shapely.linestrings(edges.vertex[np.column_stack([edges.start, edges.stop])])
    host, number = np.unique(edges.block, return_inverse=True)
    of_block = shapely.multilinestrings(lines, indices=number)
    return linework.as_lines(shapely.intersection(of_block, blocks[host]))[0]


def _homes(parted: Faces, buildings: FloatArray, block: IntArray, owner: IntArray) -> IntArray:
    """The face of each building: its owner's in its block where there is one, else by place."""
    whole = np.zeros(int(parted.block.max()) + 1, dtype=bool)
    whole[parted.block[parted.owner < 0]] = True
    width = int(owner.max()) + 2
    key = parted.block * width + parted.owner + 1
    wanted = block * width + np.where(whole[block], 0, owner + 1)
    order = np.argsort(key, kind="stable")
    first = np.searchsorted(key[order], wanted, side="left")
    last = np.searchsorted(key[order], wanted, side="right")
    home = order[np.minimum(first, len(order) - 1)]
    unsure = np.flatnonzero(last - first != 1)  # a concave block: an owner's ground in pieces
    if len(unsure):
        home[unsure] = place_points(shapely.points(buildings[unsure]), parted.geometry)
    return home


def subdivide(
    area: shapely.Geometry, blocks: NDArray[np.object_], buildings: FloatArray, owner: IntArray
) -> tuple[NDArray[np.object_], IntArray, IntArray]:
    """Units, the block of each, and the unit of each building.

    ``owner`` (b,) what each building belongs to; buildings of one owner are not parted.
    """
    block_of_building = place_points(shapely.points(buildings), blocks)
    edges = parting(blocks, block_of_building, buildings, owner)
    if not len(edges):
        return blocks, np.arange(len(blocks)), block_of_building
    parted = faces(blocks, edges)
    if parted is None:
        pieces = cut(area, blocks, clipped(blocks, edges))
        home = place_points(shapely.points(buildings), pieces)
        block = place_points(shapely.point_on_surface(pieces), blocks)
    else:
        pieces, block = parted.geometry, parted.block
        home = _homes(parted, buildings, block_of_building, owner)
    held = np.bincount(home, minlength=len(pieces))
    peopled = np.bincount(block, weights=held, minlength=len(blocks)) > 0
    spare = (held == 0) & peopled[block]  # a concave block cuts pieces off their building
    if not spare.any():
        return pieces, block, home
    beside = rook_edges(border_segments(pieces))
    merged = absorb(len(pieces), beside, shapely.area(pieces), spare, block)
    block_of = np.zeros(int(merged.max()) + 1, dtype=np.int64)
    block_of[merged] = block
    return dissolve(pieces, merged), block_of, merged[home]
