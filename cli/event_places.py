"""What ``gridwright hotspots`` counts events in: areas and homes of the files that were named."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
from pyproj import CRS

from geo.crs import metric_crs
from geo.harmonise import degrees, metric, state_systems
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.read.source import record
from incidents.areas import Areas, Homes, areas_of
from incidents.homes import homes_of_plan
from incidents.quality import Named
from planning.planfile import read_plan

register(
    {
        "hotspots-areas": (
            "没有区域;请给出 --plan、--villages 或 --beats 之一。",
            "no areas: give --plan, --villages or --beats, that it is known where to look.",
        ),
    }
)


@dataclass(frozen=True)
class Places:
    """The areas asked for, and what came with them."""

    crs: CRS
    areas: Areas
    homes: Homes | None
    known: tuple[Named, ...]
    layers: Mapping[str, Layer]
    said: Mapping[str, object]


def places_of(arguments: argparse.Namespace) -> Places:
    """Areas from the plan, else from villages, else from beats, in one metric system."""
    files = {
        role: read_layer(getattr(arguments, role), role)
        for role in ("villages", "beats", "stations")
        if getattr(arguments, role)
    }
    layers, problems = state_systems(files)
    errors = [problem for problem in problems if problem.severity == "error"]
    if not arguments.plan and not ({"villages", "beats"} & layers.keys()):
        errors.append(Problem("hotspots-areas"))
    if errors:
        raise InputError(errors)
    plan = read_plan(arguments.plan) if arguments.plan else None
    crs = CRS(plan.grids.crs) if plan is not None else _system(layers)
    frames = {role: _frame(layer, crs) for role, layer in layers.items()}
    homes = None if plan is None else homes_of_plan(plan.households, plan.grids)
    areas = areas_of(
        crs, grids=None if plan is None else plan.grids, villages=frames.get("villages"),
        beats=frames.get("beats"), homes=homes,
    )  # fmt: skip
    said: dict[str, object] = {}
    if plan is not None:
        file = record(Path(arguments.plan))
        said |= {"plan.name": file.name, "plan.sha256": file.sha256}
        said |= plan.inputs("villages", "households")
    for role, layer in files.items():
        said |= {f"{role}.name": layer.file.name, f"{role}.sha256": layer.file.sha256}
    return Places(crs, areas, homes, _named(frames, areas), layers, said)


def _system(layers: Mapping[str, Layer]) -> CRS:
    layer = layers.get("villages") or layers["beats"]
    west, south, east, north = degrees(layer).total_bounds
    return metric_crs((west + east) / 2, (south + north) / 2)


def _frame(layer: Layer, crs: CRS) -> gpd.GeoDataFrame:
    frame = layer.frame[layer.frame.geometry.notna()] if "geometry" in layer.frame else None
    if frame is None:
        raise InputError([Problem("layer-no-shapes", layer.file.name)])
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=metric(layer, crs)[
        layer.frame.geometry.notna().to_numpy()], crs=crs)  # fmt: skip


def _named(frames: Mapping[str, gpd.GeoDataFrame], areas: Areas) -> tuple[Named, ...]:
    """Stations and village centres, for telling what events are piled up at."""
    found = []
    if "stations" in frames:
        stations = frames["stations"]
        xy = np.column_stack([stations.geometry.centroid.x, stations.geometry.centroid.y])
        found.append(Named("station", xy, list(stations.get("name", stations.index).astype(str))))
    if "village" in areas.levels:
        level, shapes = areas.levels["village"], gpd.GeoSeries(areas.shapes("village"))
        middle = shapes.centroid
        found.append(Named("centre", np.column_stack([middle.x, middle.y]), list(level.names)))
    return tuple(found)
