"""Where people live, which chance follows: points, or ready-made areas spread over their ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.read.assemble import PERSONS_PER_HOUSEHOLD
from incidents.areas import Homes
from incidents.events import FloatArray

SPREAD_M = 100.0  # four points a cell of 200 m, none on a border
READY_MADE = 30.0  # households at the point where the middle household lives; dwellings have fewer
TELLING = 10  # households of one row: smaller numbers agree with an estimate by chance


def homes_of_plan(households: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> Homes | None:
    """Homes of a plan (columns households, persons, grid_code; metres); None without any.

    A plan made of ready-made areas keeps one point of each. Half of its households then stand at
    points of more than :data:`READY_MADE`, and each grid's people are spread over the grid.
    """
    if not len(households):
        return None
    many = households["households"].to_numpy(dtype=float)
    persons = _persons(households)
    estimated = _estimated(many, persons)
    if _usual(many) <= READY_MADE or "grid_code" not in households:
        points = households.geometry.representative_point()
        xy = np.column_stack([points.x, points.y]).astype(float)
        return Homes(xy, many, persons, estimated)
    codes = grids["code"].astype(str).to_numpy()
    row = pd.Series(np.arange(len(codes)), index=codes)
    at = households["grid_code"].astype(str).map(row)
    placed = at.notna().to_numpy()
    of = at[placed].to_numpy(dtype=np.int64)

    def of_grids(values: FloatArray) -> FloatArray:
        sums = np.bincount(of, weights=values[placed], minlength=len(codes))
        return sums.astype(np.float64)

    shapes = np.asarray(grids.geometry.to_numpy())
    return spread(shapes, of_grids(many), of_grids(persons), estimated=estimated)


def homes_at(
    x: FloatArray, y: FloatArray, households: pd.DataFrame, *, estimated: bool = False
) -> Homes:
    """Homes at points (metres), one a row of ``households`` (columns households, persons)."""
    return Homes(
        np.column_stack([x, y]), households["households"].to_numpy(dtype=float),
        _persons(households), estimated,
    )  # fmt: skip


def spread(
    areas: NDArray[np.object_], households: FloatArray, persons: FloatArray, *,
    estimated: bool = False,
) -> Homes:  # fmt: skip
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
    return Homes(xy, (households / many)[of], (persons / many)[of], estimated)


def _persons(table: pd.DataFrame) -> FloatArray:
    """People of each row, NaN where nobody counted (a plan writes -1)."""
    persons = table["persons"].to_numpy(dtype=float, na_value=np.nan)
    return np.where(persons < 0, np.nan, persons)


def _estimated(households: FloatArray, persons: FloatArray) -> bool:
    """Were the households worked out from people, as the readers do for areas that state people
    only? A plan does not say so; its numbers do."""
    if np.isnan(persons).any() or households.max(initial=0) < TELLING:
        return False
    return bool((households == np.rint(persons / PERSONS_PER_HOUSEHOLD)).all())


def _usual(households: FloatArray) -> float:
    """Households at the point where the middle household lives."""
    ordered = np.sort(households)
    upto = np.cumsum(ordered)
    return float(ordered[np.searchsorted(upto, upto[-1] / 2)])
