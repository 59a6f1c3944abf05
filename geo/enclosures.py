"""Enclosures (blocks): the faces between a village's border, its lines and its outlines.

Empty slivers are given to a neighbour here, before anything is subdivided: the median of a dual
carriageway, a traffic island or a pond is no ground that a grid could be made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import linework
from geo.coverage import absorb, components, dissolve, inside, place_points
from geo.segments import FloatArray, IntArray, border_segments, rook_edges

THIN_M = 36.0  # an empty block narrower than this (2 A / P) is a median or a strip, not ground
SMALL_M2 = 1500.0  # an empty block smaller than this is a traffic island or a pond


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
    is area i. A set of at most ``keep_households`` and ``keep_persons`` becomes one unit a block,
    a larger one is cut into its buildings; 0 cuts every set.
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
    keep_households: float = 0.0
    keep_persons: float = 0.0


@dataclass(frozen=True)
class Blocks:
    """Enclosures that tile the village: (b,) polygons; ``whole`` the must-stay-together outline
    they lie in, ``dedicated`` the dedicated grid, ``own`` the ready-made area, each -1 for none.
    """

    geometry: NDArray[np.object_]
    whole: IntArray
    dedicated: IntArray
    own: IntArray


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


def enclose(ground: VillageGround) -> Blocks:
    """The enclosures of a village, empty slivers absorbed."""
    border = shapely.boundary(ground.area)
    outlines = [ground.wholes, ground.dedicated]
    if ground.areas is not None:
        outlines.append(ground.areas)
    inner = [linework.clip_lines(shapely.boundary(o), ground.area)[0] for o in outlines if len(o)]
    lines = linework.clip_lines(ground.lines, ground.area)[0]
    joins = linework.join_dangles(lines, border)
    work = np.concatenate([[border], lines, joins, *inner])
    faces = inside(linework.faces(linework.node(work)), ground.area)
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
        joined = components(
            int(merged.max()) + 1, merged[edges.a[same]], merged[edges.b[same]]
        )
        merged = joined[merged]
    lead = np.zeros(int(merged.max()) + 1, dtype=np.int64)
    order = np.lexsort((size, held > 0))  # the largest face that holds somebody names the block
    lead[merged[order]] = order
    return Blocks(dissolve(faces, merged), whole[lead], dedicated[lead], own[lead])
