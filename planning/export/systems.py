"""The coordinate systems an export can be in, and the label each carries.

GCJ-02 has no EPSG number and is no datum that a program could shift back from its definition: it
gets a name of its own, so that no program takes it for WGS 84, and the numbers are used as they
are. It is for web maps of mainland China only; files in it must not be mixed with others.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.datum import wgs84_to_gcj02

System = Literal["metric", "cgcs2000", "wgs84", "gcj02"]

SYSTEMS: dict[System, tuple[str, str]] = {
    # system: (Chinese, English) label
    "metric": ("方案自身的平面坐标(米)", "the plan's own metric system (metres)"),
    "cgcs2000": ("CGCS2000 经纬度(EPSG:4490)", "CGCS2000 longitude/latitude (EPSG:4490)"),
    "wgs84": ("WGS 84 经纬度(EPSG:4326)", "WGS 84 longitude/latitude (EPSG:4326)"),
    "gcj02": (
        "GCJ-02 经纬度(火星坐标,偏移约 500 米,仅供高德、腾讯等网络地图)",
        "GCJ-02 longitude/latitude (shifted by some 500 m, for AMap, Tencent and the like only)",
    ),
}
DEGREES: tuple[System, ...] = ("cgcs2000", "wgs84", "gcj02")

_GCJ02_WKT = (
    'GEOGCS["GCJ-02 (shifted; not WGS 84)",DATUM["GCJ-02",'
    'SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)


@lru_cache(maxsize=1)
def _gcj02() -> CRS:
    return CRS.from_wkt(_GCJ02_WKT)


def system_crs(system: System, own: CRS) -> CRS:
    """The coordinate reference system of ``system`` for a plan that is in ``own``."""
    if system == "gcj02":
        return _gcj02()
    return {"metric": own, "cgcs2000": CRS.from_epsg(4490), "wgs84": CRS.from_epsg(4326)}[system]


def in_system(frame: gpd.GeoDataFrame, system: System) -> gpd.GeoDataFrame:
    """The frame with its shapes and label in ``system``; rows without a shape stay without.

    The shift to GCJ-02 moves every vertex by itself; outlines that shared a border share it still.
    """
    if system == "metric":
        return frame
    if system == "cgcs2000":
        return frame.to_crs(4490)
    degrees = frame.to_crs(4326)
    if system == "wgs84":
        return degrees
    shapes = degrees.geometry.to_numpy()
    moved = shapely.transform(shapes, _shifted)
    return degrees.set_geometry(gpd.GeoSeries(moved, index=frame.index, crs=_gcj02()))


def _shifted(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1]))
