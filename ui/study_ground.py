"""What events are counted in: areas of a plan, of villages or of beats; and where people live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from pyproj import CRS

from geo.crs import metric_crs
from geo.harmonise import degrees, metric, state_systems
from geo.problems import InputError, Problem
from geo.read import FileRecord, Layer, read_layer
from incidents.areas import Areas, Homes, areas_of
from incidents.homes import homes_at, homes_of_plan, spread
from incidents.quality import Named

if TYPE_CHECKING:
    from geo.ground import Ground
    from ui.projects import Project
    from ui.views import PlanView


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
        ground = project.ground
        if ground is not None and ground.areas is not None and CRS(ground.crs) == crs:
            homes = _homes_on(ground)
        else:
            homes = homes_of_plan(view.counting.households, view.grids)
    elif project.ground is not None:
        from ui.projects import villages_of

        crs, villages = CRS(project.ground.crs), villages_of(project.ground)
        homes = _homes_on(project.ground)
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


def files_said(
    project: Project, view: PlanView | None, layers: Mapping[str, Layer]
) -> dict[str, object]:
    """Name and hash of what events are counted in: plan, villages, households, and ``layers``.

    A plan that was opened from a file has that file's hash, any other one a digest of its grids.
    """
    from planning.opened import plan_digest  # loads the engine, which a start need not wait for

    said: dict[str, object] = {}
    if view is not None:
        if view.whole.file is not None:
            said |= _named_file("plan", view.whole.file)
        else:
            said["plan.digest"] = plan_digest(view.whole.plan)
        said |= view.whole.plan.inputs("villages", "households")
    elif project.ground is not None:
        for role in ("villages", "households"):
            if role in project.ground.layers:
                said |= _named_file(role, project.ground.layers[role].file)
    for role, layer in layers.items():
        said |= _named_file(role, layer.file)
    return said


def _named_file(role: str, file: FileRecord) -> dict[str, object]:
    return {f"{role}.name": file.name, f"{role}.sha256": file.sha256}


def _homes_on(ground: Ground) -> Homes | None:
    """Homes of a ground: people of ready-made areas all over them, of dwellings at their points."""
    held = ground.households
    if not len(held):
        return None
    estimated = any(note.code == "read_households_estimated" for note in ground.notes)
    x, y = (held[axis].to_numpy(dtype=float) for axis in "xy")
    found = homes_at(x, y, held, estimated=estimated)
    if ground.areas is None:
        return found
    shapes = np.asarray(ground.areas)
    return spread(shapes, found.households, found.persons, estimated=estimated)


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
