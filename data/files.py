"""Writes the county's files; the only place where metres become degrees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from data.layout import FloatArray

PLANE = CRS.from_epsg(4549)  # CGCS2000, 3-degree zone of 120 E
DEGREES = CRS.from_epsg(4490)  # CGCS2000
SEAT = (119.52, 32.46)
_DECIMALS = 9  # a tenth of a millimetre: borders shared in metres stay shared in degrees


class Degrees:
    """Turns the county's own metres into longitude and latitude."""

    def __init__(self) -> None:
        forward = Transformer.from_crs(DEGREES, PLANE, always_xy=True)
        self._origin = np.array(forward.transform(*SEAT))
        self._back = Transformer.from_crs(PLANE, DEGREES, always_xy=True)

    def xy(self, places: FloatArray) -> FloatArray:
        """Longitude and latitude of places (n, 2); NaN stays NaN."""
        moved = places + self._origin
        lon, lat = self._back.transform(moved[:, 0], moved[:, 1])
        degrees = np.round(np.column_stack([lon, lat]), _DECIMALS)
        return np.where(np.isfinite(places), degrees, np.nan)

    def shapes(self, geometry: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries in degrees."""
        return np.asarray(shapely.transform(geometry, self.xy))


@contextmanager
def _same_moment() -> Iterator[None]:
    """GDAL writes the time into a GeoPackage; equal counties should be equal bytes."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_layer(
    path: Path,
    columns: dict[str, object],
    geometry: NDArray[np.object_] | FloatArray,
    kind: str | None = None,
) -> Path:
    """One GeoPackage with one layer named like the file. Geometry in degrees; points as (n, 2).

    With a geometry's ``kind`` the rows are added to the file where there is one.
    """
    shapes = shapely.points(geometry) if geometry.dtype != object else geometry
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=DEGREES)
    options: dict[str, object] = {}
    if kind is None:
        path.unlink(missing_ok=True)
    else:
        options = {
            "append": path.exists(), "geometry_type": kind,
            "promote_to_multi": kind.startswith("Multi"),
        }  # fmt: skip
    with _same_moment():
        pyogrio.write_dataframe(frame, path, layer=path.stem, driver="GPKG", **options)
    return path


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """A CSV that Excel opens in Chinese."""
    table.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
    return path
