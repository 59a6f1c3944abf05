"""Working on coverages: polygons that tile an area and share every vertex."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.segments import Edges, FloatArray, IntArray


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


def components(n: int, a: IntArray, b: IntArray) -> IntArray:
    """Connected component of each of n nodes under the pairs (a, b), shape (n,)."""
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


def allowed_defect(area: shapely.Geometry) -> float:
    """Square metres that noding may move: a hair along the village's border."""
    return float(1e-9 * shapely.area(area) + 1e-3)


def inside(faces: NDArray[np.object_], area: shapely.Geometry) -> NDArray[np.object_]:
    """The faces that belong to ``area``: polygonising also fills its holes and outer pockets."""
    points = shapely.point_on_surface(faces)
    shapely.prepare(area)
    return np.asarray(faces[shapely.intersects(area, points)], dtype=object)


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
