"""Which village every household lies in; nothing is dropped, what fits nowhere says why."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.segments import FloatArray, IntArray

OUTSIDE = "outside-all-villages"
NO_PLACE = "no-coordinates"


def place_rows(
    xy: FloatArray, villages: NDArray[np.object_], tolerance_m: float
) -> tuple[IntArray, NDArray[np.object_]]:
    """Village of each point (-1 none) and the reason where there is none, both (h,).

    A point on a shared border goes to the village with the lower number; one within
    ``tolerance_m`` of a border, outside all, to the nearest.
    """
    village = np.full(len(xy), -1, dtype=np.int64)
    reason = np.full(len(xy), "", dtype=object)
    finite = np.flatnonzero(np.isfinite(xy).all(axis=1)) if len(xy) else np.empty(0, dtype=int)
    points = shapely.points(xy[finite])
    # the tree is over points and the villages are asked, because the asking side is prepared
    which, row = shapely.STRtree(points).query(villages, predicate="intersects")
    order = np.lexsort((-which, row))
    village[finite[row[order]]] = which[order]
    lost = finite[village[finite] < 0]
    if len(lost):
        near = shapely.STRtree(villages).query_nearest(
            shapely.points(xy[lost]), max_distance=max(tolerance_m, 1e-9), all_matches=False
        )
        village[lost[near[0]]] = near[1]
    reason[village < 0] = OUTSIDE
    blank = np.ones(len(xy), dtype=bool)
    blank[finite] = False
    reason[blank] = NO_PLACE
    return village, reason


def place_areas(
    areas: NDArray[np.object_], villages: NDArray[np.object_], tolerance_m: float
) -> tuple[IntArray, NDArray[np.object_]]:
    """Village with which each ready-made area shares most ground (-1 none), and the reason.

    An area outside all villages goes to one within ``tolerance_m`` of it, where there is one.
    """
    village = np.full(len(areas), -1, dtype=np.int64)
    reason = np.full(len(areas), "", dtype=object)
    tree = shapely.STRtree(areas)
    which, row = tree.query(villages, predicate="intersects")
    within = shapely.STRtree(areas).query(villages, predicate="contains")
    village[within[1]] = within[0]
    open_pairs = village[row] < 0
    which, row = which[open_pairs], row[open_pairs]
    shared = shapely.area(shapely.intersection(areas[row], villages[which]))
    order = np.lexsort((-which, shared, row))
    real = order[shared[order] > 0]
    village[row[real]] = which[real]
    blank = shapely.is_empty(areas) | shapely.is_missing(areas)
    lost = np.flatnonzero((village < 0) & ~blank)
    if len(lost):
        near = shapely.STRtree(villages).query_nearest(
            areas[lost], max_distance=max(tolerance_m, 1e-9), all_matches=False
        )
        village[lost[near[0]]] = near[1]
    reason[village < 0] = OUTSIDE
    reason[blank] = NO_PLACE
    return village, reason
