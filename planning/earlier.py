"""An earlier version of a plan that somebody uploads, read apart like every upload."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.crs import WGS84, metric_crs
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import read_layer
from planning.late_homes import shifted_back
from planning.planfile import PlanFile

register(
    {
        "earlier-not-a-plan": (
            "不是带网格编码和户数的 GeoPackage 方案;请选择上一版下载的 .gpkg 文件。",
            "is no plan with grid codes and households; choose the .gpkg of the earlier version.",
        ),
    }
)


def earlier_version(name: str, data: bytes) -> PlanFile:
    """The grids and households of an uploaded plan.gpkg, read in a child process.

    Households belong to the grid that they lie in. Raises InputError for any other file.
    """
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / "earlier.gpkg"
        path.write_bytes(data)
        read = partial(read_layer, trusted=False, name=name)
        grids, homes = read(f"{path}:grids", "dedicated"), read(f"{path}:households", "households")
    columns = {"code", "households"}
    if not (columns <= set(grids.frame.columns) and grids.crs is not None):
        raise InputError([Problem("earlier-not-a-plan", name)])
    frame = gpd.GeoDataFrame(grids.frame, geometry="geometry").set_crs(
        grids.crs, allow_override=True
    )
    frame = _in_metres(shifted_back(frame))
    frame = frame.assign(kind=frame.get("category", "comprehensive"))
    points = gpd.GeoDataFrame(homes.frame, geometry="geometry").set_crs(
        homes.crs or grids.crs, allow_override=True
    )
    points = shifted_back(points[points.geometry.notna()].reset_index(drop=True))
    point, grid = shapely.STRtree(frame.geometry.to_numpy()).query(
        points.to_crs(frame.crs).geometry.to_numpy(), predicate="intersects"
    )
    row = pd.Series(grid, index=point)
    row = row[~row.index.duplicated()]
    codes = pd.Series(frame["code"].astype(str).to_numpy())
    points["grid_code"] = row.reindex(points.index).map(codes).fillna("")
    nothing = pd.DataFrame()
    return PlanFile(frame, points, frame.iloc[:0], nothing, nothing, nothing)


def _in_metres(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A layer in degrees in the metric system of its place: areas are compared."""
    if not frame.crs.is_geographic:
        return frame
    west, south, east, north = frame.to_crs(WGS84).total_bounds
    return frame.to_crs(metric_crs((west + east) / 2, (south + north) / 2))
