"""Where people live, which chance follows: points, or ready-made areas spread over their ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from incidents.areas import Homes
from incidents.events import FloatArray

SPREAD_M = 100.0  # four points a cell of 200 m, none on a border
READY_MADE = 30.0  # households at the point where the middle household lives; dwellings have fewer


def homes_of_plan(households: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> Homes | None:
    """Homes of a plan (columns households, persons, grid_code; metres); None without any.

    A plan made of ready-made areas keeps one point of each. Half of its households then stand at
    points of more than :data:`READY_MADE`, and each grid's people are spread over the grid.
    """
    if not len(households):
        return None
    many = households["households"].to_numpy(dtype=float)
    persons = _persons(households)
    if _usual(many) <= READY_MADE or "grid_code" not in households:
        points = households.geometry.representative_point()
        return Homes(np.column_stack([points.x, points.y]).astype(float), many, persons)
    codes = grids["code"].astype(str).to_numpy()
    row = pd.Series(np.arange(len(codes)), index=codes)
    at = households["grid_code"].astype(str).map(row)
    placed = at.notna().to_numpy()
    of = at[placed].to_numpy(dtype=np.int64)

    def of_grids(values: FloatArray) -> FloatArray:
        sums = np.bincount(of, weights=values[placed], minlength=len(codes))
        return sums.astype(np.float64)

    return spread(np.asarray(grids.geometry.to_numpy()), of_grids(many), of_grids(persons))


def homes_at(x: FloatArray, y: FloatArray, households: pd.DataFrame) -> Homes:
    """Homes at points (metres), one a row of ``households`` (columns households, persons)."""
    return Homes(
        np.column_stack([x, y]), households["households"].to_numpy(dtype=float),
        _persons(households),
    )  # fmt: skip


def spread(areas: NDArray[np.object_], households: FloatArray, persons: FloatArray) -> Homes:
    """Counts of areas (polygons, metres) shared out evenly over points :data:`SPREAD_M` apart.

    At one point an area of 120 households would leave its other cells without any, and two events
    beside a field would be more than anybody expects. An area too small for a point of the lattice
    keeps one of its own; no household is lost.
    """
    west, south, east, north = shapely.total_bounds(areas)
    x, y = (np.arange(np.floor(low / SPREAD_M), np.ceil(high / SPREAD_M)) * SPREAD_M + SPREAD_M / 2
            for low, high in ((west, east), (south, north)))  # fmt: skip
    lattice = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
    point, area = shapely.STRtree(areas).query(shapely.points(lattice), predicate="within")
    alone = np.setdiff1d(np.arange(len(areas)), area)
    own = shapely.get_coordinates(shapely.point_on_surface(areas[alone]))
    xy, of = np.vstack([lattice[point], own]), np.concatenate([area, alone])
    many = np.bincount(of, minlength=len(areas))
    return Homes(xy, (households / many)[of], (persons / many)[of])


def _persons(table: pd.DataFrame) -> FloatArray:
    """People of each row, NaN where nobody counted (a plan writes -1)."""
    persons = table["persons"].to_numpy(dtype=float, na_value=np.nan)
    return np.where(persons < 0, np.nan, persons)


def _usual(households: FloatArray) -> float:
    """Households at the point where the middle household lives."""
    ordered = np.sort(households)
    upto = np.cumsum(ordered)
    return float(ordered[np.searchsorted(upto, upto[-1] / 2)])
