"""Incidents by grid: those without place, outside, or piled on one point are told, not lost."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.harmonise import metric
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer

register(
    {
        "incidents-unplaced": (
            "{count} 起事件没有位置,不计入工作量(共 {total} 起)。",
            "{count} of {total} incidents have no place and count in no beat.",
        ),
        "incidents-outside": (
            "{count} 起事件在所有网格之外,不计入工作量(共 {total} 起)。",
            "{count} of {total} incidents lie outside every grid and count in no beat.",
        ),
        "incidents-pile": (
            "{count} 起事件(共 {total} 起)在同一点上,可能是默认地址;它们仍计入所在网格。",
            "{count} of {total} incidents lie on one point, maybe a default address; they count "
            "in the grid there.",
        ),
        "incidents-one-point": (
            "全部 {total} 起事件都在同一点上,无法据此均衡工作量;请检查坐标,或改用人口。",
            "all {total} incidents lie on one point and tell nothing of where work is; check "
            "their coordinates, or count residents instead.",
        ),
        "incidents-nowhere": (
            "没有一起事件位于网格内;请检查坐标系,或是否给错了文件。",
            "no incident lies in any grid; check its coordinate system, or the file.",
        ),
    }
)

PILE_SHARE = 0.01  # of all incidents on one point: worth a look
PILE_LEAST = 20


def events_of(
    layer: Layer | None, own: gpd.GeoDataFrame, notes: list[Problem]
) -> pd.DataFrame | None:
    """Incidents with the grid each lies in (-1 outside); those without a place are counted."""
    if layer is None:
        return None
    file, total = layer.file.name, len(layer.frame)
    frame = pd.DataFrame(layer.frame.drop(columns="geometry", errors="ignore"))
    frame["grid"] = -1
    if "geometry" not in layer.frame:
        raise InputError([Problem("incidents-nowhere", file)])
    points = metric(layer, CRS(own.crs))
    has = ~(shapely.is_missing(points) | shapely.is_empty(points))
    if (~has).any():
        params: dict[str, object] = {"count": int((~has).sum()), "total": total}
        notes.append(Problem("incidents-unplaced", file, "", params, "warning"))
    point, grid = shapely.STRtree(own.geometry.to_numpy()).query(points, predicate="intersects")
    home = np.full(total, -1, dtype=np.int64)
    home[point[::-1]] = grid[::-1]
    outside = int((has & (home < 0)).sum())
    if not (home >= 0).any():
        raise InputError([Problem("incidents-nowhere", file)])
    if outside:
        params = {"count": outside, "total": total}
        notes.append(Problem("incidents-outside", file, "", params, "warning"))
    _piles(points[has], total, file, notes)
    frame["grid"] = home
    if "minutes" in frame:
        frame["minutes"] = pd.to_numeric(frame["minutes"], errors="coerce")
    elif {"time", "closed_time"} <= set(frame):
        spent = pd.to_datetime(frame["closed_time"]) - pd.to_datetime(frame["time"])
        frame["minutes"] = spent.dt.total_seconds() / 60
    return frame


def _piles(
    points: NDArray[np.object_], total: int, file: str, notes: list[Problem]
) -> None:
    _, count = np.unique(shapely.get_coordinates(points).round(1), axis=0, return_counts=True)
    largest = int(count.max(initial=0))
    if largest == len(points) and largest > 1:
        raise InputError([Problem("incidents-one-point", file, "", {"total": largest})])
    if largest > max(PILE_LEAST, PILE_SHARE * len(points)):
        params = {"count": largest, "total": total}
        notes.append(Problem("incidents-pile", file, "", params, "warning"))
