"""What events are counted in: areas of a plan, of villages or of beats; and where people live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.crs import metric_crs
from geo.harmonise import degrees, metric, state_systems
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from incidents.areas import Areas, Homes, areas_of
from incidents.quality import Named

if TYPE_CHECKING:
    from ui.projects import Project
    from ui.views import PlanView

SPREAD_M = 100.0  # four points a cell of 200 m, none on a border


def ground_for(
    project: Project, view: PlanView | None, beats: Sequence[Layer], alone: Sequence[Layer]
) -> tuple[CRS, Areas, Homes | None, Layer | None]:
    """Metric system, areas and homes: of the plan, else of the villages, else of the beats.

    ``alone`` are villages that came without households, so that no ground was made of them.
    """
    files: dict[str, Layer] = {"beats": beats[0]} if beats else {}
    if alone:
        files["villages"] = alone[0]
    elif view is None and project.ground is None and project.sources.get("villages"):
        source = project.sources["villages"]
        files["villages"] = read_layer(source, "villages", trusted=project.trusted)
    stated, problems = state_systems(files)
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        raise InputError(wrong)
    grids = villages = None
    homes = None
    if view is not None:
        crs = CRS(view.grids.crs)
        grids, villages = view.grids, view.plan.villages
        homes = _spread_of(project, crs) or _homes(view.plan.households)
    elif project.ground is not None:
        from ui.projects import villages_of

        crs, villages = CRS(project.ground.crs), villages_of(project.ground)
        homes = _spread_of(project, crs) or _homes(project.ground.households)
    elif stated:
        first = stated.get("villages") or stated["beats"]
        west, south, east, north = degrees(first).total_bounds
        crs = metric_crs((west + east) / 2, (south + north) / 2)
    else:
        raise InputError([Problem("areas-none")])
    frames = {role: _frame(layer, crs) for role, layer in stated.items()}
    villages = villages if villages is not None else frames.get("villages")
    areas = areas_of(
        crs, grids=grids, villages=villages, beats=frames.get("beats"), homes=homes
    )
    return crs, areas, homes, stated.get("villages")


def _spread_of(project: Project, crs: CRS) -> Homes | None:
    """People of ready-made areas (blocks with counts), None where households are points.

    At one point an area of 120 households would leave its other cells without any, and two events
    beside a field would be more than anybody expects.
    """
    ground = project.ground
    if ground is None or ground.areas is None or CRS(ground.crs) != crs:
        return None
    held = ground.households
    persons = held["persons"].to_numpy(dtype=float)
    return spread(
        np.asarray(ground.areas), held["households"].to_numpy(dtype=float),
        np.where(persons < 0, np.nan, persons),
    )  # fmt: skip


def spread(areas: np.ndarray, households: np.ndarray, persons: np.ndarray) -> Homes:
    """Counts of areas (polygons, metres) shared out evenly over points :data:`SPREAD_M` apart.

    An area too small for a point of the lattice keeps one of its own; no household is lost.
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


def _homes(held: pd.DataFrame) -> Homes | None:
    """Homes of a plan (with shapes) or of a ground (with the columns x and y, metres)."""
    if not len(held):
        return None
    points = held
    if isinstance(held, gpd.GeoDataFrame):
        points = held.geometry.representative_point()
    persons = held["persons"].astype(float).to_numpy()
    return Homes(
        np.column_stack([points.x, points.y]).astype(float),
        held["households"].to_numpy(dtype=float),
        np.where(persons < 0, np.nan, persons),
    )  # fmt: skip


def _frame(layer: Layer, crs: CRS) -> gpd.GeoDataFrame:
    if "geometry" not in layer.frame:
        raise InputError([Problem("layer-no-shapes", layer.file.name)])
    there = layer.frame.geometry.notna().to_numpy()
    table = layer.frame[there].drop(columns="geometry").reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=metric(layer, crs)[there], crs=crs)


def named_places(stations: Sequence[Layer], crs: CRS, areas: Areas) -> tuple[Named, ...]:
    """Stations and village centres, for telling what events are piled up at."""
    found = []
    for layer in stations:
        stated, _ = state_systems({"stations": layer})
        frame = _frame(stated["stations"], crs)
        xy = np.column_stack([frame.geometry.centroid.x, frame.geometry.centroid.y])
        names = frame.get("name", frame.index)
        found.append(Named("station", xy, [str(name) for name in names]))
    if "village" in areas.levels:
        middle = gpd.GeoSeries(areas.shapes("village")).centroid
        names = list(areas.levels["village"].names)
        found.append(Named("centre", np.column_stack([middle.x, middle.y]), names))
    return tuple(found)
