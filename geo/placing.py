"""Which village every household lies in; nothing is dropped, what fits nowhere says why."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.segments import FloatArray, IntArray

OUTSIDE = "outside-all-villages"
NO_PLACE = "no-coordinates"
_AT_ONCE = 1_000_000  # pairs of a shape and a point that are looked at together


def points_in(xy: FloatArray, shapes: NDArray[np.object_]) -> tuple[IntArray, IntArray]:
    """Which finite points lie in or on which polygons: their rows and the points', by polygon.

    Points are sorted into bands half as high as a middling shape, and in each by x; a shape then
    asks for those in its box. No shape is made of a point, and no tree, which is most of what
    asking costs otherwise.
    """
    none = np.empty(0, dtype=np.int64)
    box = shapely.bounds(shapes)
    known = np.flatnonzero(np.isfinite(box).all(axis=1))
    if not len(known) or not len(xy):
        return none, none
    box = box[known]
    (west, south), (east, north) = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    x, y = xy[:, 0], xy[:, 1]
    near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    height = max(float(np.median(box[:, 3] - box[:, 1])) / 2, (north - south) / 20_000, 1e-9)
    width = (east - west) + 2.0  # of a band, laid one after another along one line
    band = np.floor((y[near] - south) / height)
    along = band * width + (x[near] - west)
    order = np.argsort(along, kind="stable")
    near, along = near[order], along[order]
    x, y = x[near], y[near]
    first = np.floor((box[:, 1] - south) / height).astype(np.int64)
    count = np.floor((box[:, 3] - south) / height).astype(np.int64) - first + 1
    shape, start, length = _stretches(box - (west, south, west, south), first, count, width, along)
    whiches, rows = [none], [none]
    ends = np.cumsum(length)
    done = 0
    while done < len(length):
        until = int(np.searchsorted(ends, (ends[done - 1] if done else 0) + _AT_ONCE, "right"))
        until = max(until, done + 1)
        one, row = _expanded(shape[done:until], start[done:until], length[done:until])
        done = until
        held = (y[row] >= box[one, 1]) & (y[row] <= box[one, 3])
        one, row = one[held], row[held]
        own = shapes[known[one]]
        fresh = np.unique(one)
        fresh = shapes[known[fresh]]
        fresh = fresh[~shapely.is_prepared(fresh)]
        shapely.prepare(fresh)
        hit = shapely.intersects_xy(own, x[row], y[row])
        shapely.destroy_prepared(fresh)
        whiches.append(known[one[hit]])
        rows.append(near[row[hit]])
    return np.concatenate(whiches), np.concatenate(rows)


def _stretches(
    box: FloatArray, first: IntArray, count: IntArray, width: float, along: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    """For every shape and band that it meets: the shape, and where in ``along`` its points start
    and how many they are."""
    shape, band = _expanded(np.arange(len(first)), first, count)
    # a millimetre more on both sides than can be lost by rounding; who is in is asked anyway
    low = np.searchsorted(along, band * width + (box[shape, 0] - 1e-3), "left")
    high = np.searchsorted(along, band * width + (box[shape, 2] + 1e-3), "right")
    return shape, low.astype(np.int64), np.maximum(high - low, 0).astype(np.int64)


def _expanded(what: IntArray, start: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
    """Each of ``what`` as often as its count, and the numbers from its start on."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    step = np.arange(total) - np.repeat(ends - count, count)
    return np.repeat(what, count), np.repeat(start, count) + step


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
    which, row = points_in(xy[finite], villages)
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
