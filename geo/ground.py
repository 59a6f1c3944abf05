"""The ground of a county: every layer read, in one metric system, households in their villages.

Truth lives here for what was read. :func:`load_ground` turns files into a :class:`Ground`;
:meth:`Ground.village` hands one village's share to :func:`geo.units.build_units`.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.boundaries import boundaries
from geo.collecting import uncollected
from geo.columns import Role
from geo.crs import metric_crs
from geo.datum import Datum
from geo.dwellings import dwellings, nobody
from geo.enclosures import VillageGround
from geo.harmonise import Shapes, degrees, state_systems
from geo.linework import ALONG_M, Linework, as_lines
from geo.messages import register
from geo.outlines import village_of_areas
from geo.problems import InputError, Problem
from geo.read import Layer, read_layer
from geo.segments import IntArray
from geo.surroundings import linework_of, polygons_of, set_numbers, wholes_of

register(
    {
        "villages-empty": (
            "没有村(社区)边界;请检查文件和图层。",
            "holds no village boundary; check the file and its layer.",
        ),
        "layer-no-shapes": (
            "没有图形,只有表格;请给出带图形的文件(如 GeoPackage、Shapefile)。",
            "is a table without shapes; give a file that has them (GeoPackage, Shapefile ...).",
        ),
        "layer-no-areas": (
            "{total} 个图形中有 {count} 个不是面,无法据此保持完整或单独成格;请给出范围面。",
            "{count} of {total} shapes enclose no area, so nothing is kept whole or set "
            "apart by them; give outlines.",
        ),
        "areas-cross-villages": (
            "{count} 个面跨越村界(如 {name});专属网格只取其中心所在村内的部分,"
            "小区和小组在各村内分别保持完整。",
            "{count} areas cross a village border (such as {name}); dedicated ground counts in "
            "the village of its middle only, compounds and groups stay whole in each village.",
        ),
    }
)

_AREAS = ("compounds", "groups", "dedicated")
CROSSING_SHARE = 0.05  # of an area in a second village; less is how borders are digitised


@dataclass(frozen=True)
class Inputs:
    """Files to plan from; ``FILE`` or ``FILE:layer``. Columns override what is recognised.

    ``columns`` maps ``"villages.code"`` to a column's name. ``datum`` is the households' datum,
    or "auto". ``trusted`` False reads in a confined child process (uploads).

    Without ``villages`` the households have to be adjoining areas, whose outline is taken for one
    village. Without ``households`` there is a map of the villages, and nothing to propose from.
    """

    villages: str | Path | None
    households: str | Path | None
    roads: str | Path | None = None
    water: str | Path | None = None
    railways: str | Path | None = None
    compounds: str | Path | None = None
    groups: str | Path | None = None
    dedicated: str | Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    datum: Datum | Literal["auto"] = "auto"
    repair_overlaps: bool = False
    trusted: bool = True


@dataclass(frozen=True)
class Ground:
    """One county, metric coordinates.

    ``villages``: code, name, township_name, class_code, geometry; one row a village, index 0..v-1.
    ``households``: one row a point or ready-made area: household_id, households, persons (-1
    unknown), x, y, village (row of villages), set_id; ordered as read. ``areas`` (h,) polygons
    where the households are ready-made areas. ``sets``: kind, name of each must-stay-together
    number. ``unplaced``: household_id, households, persons, reason, x, y. ``layers`` what was
    read, for provenance; ``notes`` everything found, repaired or doubted on the way.
    """

    crs: CRS
    villages: gpd.GeoDataFrame
    households: pd.DataFrame
    lines: Linework
    sets: pd.DataFrame
    wholes: gpd.GeoDataFrame
    dedicated: gpd.GeoDataFrame
    unplaced: pd.DataFrame
    layers: Mapping[str, Layer]
    notes: tuple[Problem, ...]
    datum: Datum = "wgs84"
    areas: Shapes | None = None

    def __post_init__(self) -> None:
        """Index what :meth:`village` looks up."""
        # by place, so that the order of the file's rows decides nothing, not even a rounding
        keys = ("persons", "households", "y", "x", "village")
        order = np.lexsort([self.households[key].to_numpy() for key in keys])
        count = np.bincount(self.households["village"], minlength=len(self.villages))
        object.__setattr__(self, "_rows", np.split(order, np.cumsum(count)[:-1]))
        # by column: asked of the tables village by village, they would take longer than the cuts
        columns = {
            name: self.households[name].to_numpy(dtype=np.int64)
            for name in ("households", "persons", "set_id")
        }
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_xy", self.households[["x", "y"]].to_numpy(dtype=float))
        object.__setattr__(self, "_areas", self.villages.geometry.to_numpy())
        for name, shapes in (
            ("_line_tree", self.lines.geometry),
            ("_whole_tree", self.wholes.geometry.to_numpy()),
            ("_dedicated_tree", self.dedicated.geometry.to_numpy()),
        ):
            object.__setattr__(self, name, shapely.STRtree(shapes))

    @cached_property
    def _codes(self) -> list[str]:
        # not in __post_init__: a ground that is only looked at may have come without them
        return [str(code) for code in self.villages["code"]]

    @cached_property
    def _whole_ids(self) -> IntArray:
        return np.asarray(self.wholes["set_id"].to_numpy(dtype=np.int64))

    def rows_of(self, village: int) -> IntArray:
        """Rows of ``households`` that lie in a village."""
        rows: list[IntArray] = self._rows  # type: ignore[attr-defined]
        return rows[village]

    def lines_near(self, village: int, reach_m: float) -> IntArray:
        """Rows of ``lines`` that a village's units or bounds can meet, ascending.

        Those within ``reach_m`` of its box, and all that :meth:`village` cuts its units along.
        """
        reach = max(reach_m, ALONG_M) + 1
        box = np.array(self._areas[village].bounds)  # type: ignore[attr-defined]
        near = self._line_tree.query(  # type: ignore[attr-defined]
            shapely.box(*(box + np.array([-1, -1, 1, 1]) * reach))
        )
        return np.sort(near).astype(np.int64)

    def village(
        self, village: int, *, keep_households: float = 0.0, keep_persons: float = 0.0
    ) -> VillageGround:
        """The share of one village, all that its units depend on.

        Sets of at most ``keep_households`` and ``keep_persons`` become single units.
        """
        area = self._areas[village]  # type: ignore[attr-defined]
        rows = self.rows_of(village)
        held = self._columns  # type: ignore[attr-defined]
        box = np.array(area.bounds) + np.array([-1, -1, 1, 1]) * (ALONG_M + 1)
        near = np.sort(self._line_tree.query(shapely.box(*box)))  # type: ignore[attr-defined]
        cut = shapely.clip_by_rect(self.lines.geometry[near], *box)
        lines, row = as_lines(cut)
        whole_tree, dedicated_tree = self._whole_tree, self._dedicated_tree  # type: ignore[attr-defined]
        wholes, dedicated = _inside(whole_tree, area), _inside(dedicated_tree, area)
        return VillageGround(
            code=self._codes[village],
            area=area,
            lines=lines,
            line_id=near[row].astype(np.int64),
            xy=self._xy[rows],  # type: ignore[attr-defined]
            households=held["households"][rows],
            persons=held["persons"][rows],
            set_id=held["set_id"][rows],
            wholes=whole_tree.geometries[wholes],
            whole_id=self._whole_ids[wholes],
            dedicated=dedicated_tree.geometries[dedicated],
            dedicated_id=dedicated,
            areas=None if self.areas is None else self.areas[rows],
            keep_households=keep_households,
            keep_persons=keep_persons,
        )


def _inside(tree: shapely.STRtree, area: shapely.Geometry) -> IntArray:
    """Rows of the polygons whose middle lies in ``area``."""
    near = np.sort(tree.query(area, predicate="intersects"))
    middle = shapely.point_on_surface(tree.geometries[near])
    return np.asarray(near[shapely.intersects(area, middle)], dtype=np.int64)


@uncollected()
def load_ground(inputs: Inputs, tolerance_m: float = 20.0) -> Ground:
    """Read, repair, project and place everything a proposal needs.

    Raises :class:`InputError` with every problem of every file at once where one cannot be used.
    """
    return assemble(_read_all(inputs), inputs, tolerance_m)


def assemble(layers: Mapping[str, Layer], inputs: Inputs, tolerance_m: float = 20.0) -> Ground:
    """The ground of layers that were read already. Raises as :func:`load_ground` does."""
    layers, found = state_systems(layers)
    errors = [problem for problem in found if problem.severity == "error"]
    errors += [
        Problem("layer-no-shapes", layer.file.name)
        for role, layer in layers.items()
        if role != "households" and "geometry" not in layer.frame
    ]
    if "villages" in layers and not len(layers["villages"].frame):
        errors.append(Problem("villages-empty", layers["villages"].file.name))
    if errors:
        raise InputError(errors)
    if "villages" not in layers:
        layers["villages"] = village_of_areas(layers["households"], inputs.datum)
    notes = [problem for layer in layers.values() for problem in layer.problems] + found
    west, south, east, north = degrees(layers["villages"]).total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    # GEOS and PROJ, which do nearly all of it, let go of Python's lock
    with ThreadPoolExecutor(2) as beside:
        drawn = {role: beside.submit(polygons_of, layers.get(role), crs) for role in _AREAS}
        lines = beside.submit(linework_of, dict(layers), crs)
        villages, repairs = boundaries(layers["villages"], crs, repair=inputs.repair_overlaps)
        held = nobody()
        if "households" in layers:
            held = dwellings(layers, villages, crs, inputs.datum, tolerance_m)
    areas = {role: shapes.result() for role, shapes in drawn.items()}
    wholes, sets = wholes_of(areas, crs)
    table = held.table
    table["set_id"], sets = set_numbers(table, wholes, sets)
    repairs += _doubtful_areas(layers, areas, villages)
    return Ground(
        crs=crs,
        villages=villages,
        households=table,
        lines=lines.result(),
        sets=sets,
        wholes=wholes[wholes["kind"] == "compound"].reset_index(drop=True),
        dedicated=areas["dedicated"],
        unplaced=held.unplaced,
        layers=layers,
        notes=tuple(notes + repairs + held.notes),
        datum=held.datum,
        areas=held.areas,
    )


def _doubtful_areas(
    layers: Mapping[str, Layer], areas: Mapping[str, gpd.GeoDataFrame], villages: gpd.GeoDataFrame
) -> list[Problem]:
    """Compounds, groups and dedicated places that are no areas, or lie in several villages."""
    notes = []
    ground = villages.geometry.to_numpy()
    for role in _AREAS:
        layer = layers.get(role)
        if layer is None:
            continue
        file, own = layer.file.name, areas[role]
        total = len(layer.frame)
        if len(own) < total:
            params: dict[str, object] = {"count": total - len(own), "total": total}
            notes.append(Problem("layer-no-areas", file, "", params, "warning"))
        shapes = own.geometry.to_numpy()
        tree = shapely.STRtree(shapes)
        village, area = tree.query(ground, predicate="intersects")
        # nearly all lie in one village whole: only the others are worth an intersection
        inside = np.zeros(len(shapes), dtype=bool)
        inside[tree.query(ground, predicate="contains")[1]] = True
        village, area = village[~inside[area]], area[~inside[area]]
        shared = shapely.area(shapely.intersection(ground[village], shapes[area]))
        real = shared > CROSSING_SHARE * shapely.area(shapes[area])
        crossing = np.flatnonzero(np.bincount(area[real], minlength=len(shapes)) > 1)
        if len(crossing):
            params = {"count": len(crossing), "name": str(own["name"].iloc[crossing[0]])}
            notes.append(Problem("areas-cross-villages", file, "", params, "warning"))
    return notes


def _read_all(inputs: Inputs) -> dict[str, Layer]:
    """Every layer that was named; all problems of all files before giving up."""
    roles: tuple[Role, ...] = (
        "villages", "households", "roads", "water", "railways", "compounds", "groups", "dedicated",
    )
    layers: dict[str, Layer] = {}
    problems: list[Problem] = []
    for role in roles:
        source = getattr(inputs, role)
        if source is None:
            continue
        prefix = f"{role}."
        chosen = {
            key.removeprefix(prefix): column
            for key, column in inputs.columns.items()
            if key.startswith(prefix)
        }
        try:
            layer = read_layer(source, role, columns=chosen, trusted=inputs.trusted)
        except InputError as error:
            problems += error.problems
            continue
        layers[role] = layer
    if problems:
        raise InputError(problems)
    return layers
