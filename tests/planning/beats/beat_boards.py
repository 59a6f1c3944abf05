"""Boards of square grids as plans, and today's beats on them drawn as letters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.beats.ground import BeatGround, BeatInputs, load_beat_ground
from planning.beats.work import WorkSpec
from planning.planfile import PlanFile

CELL = 500.0
ORIGIN = (500_000.0, 3_580_000.0)
CRS = "EPSG:4549"


def square(column: float, row: float, width: float = 1.0, height: float = 1.0) -> Any:
    x, y = ORIGIN[0] + column * CELL, ORIGIN[1] - row * CELL
    return shapely.box(x, y - height * CELL, x + width * CELL, y)


def code(row: int, column: int) -> str:
    """The code of the grid in a row (from the north) and column (from the west)."""
    return f"320100{row:03d}{column:03d}"


def plan_of(
    rows: int,
    columns: int,
    households: Any = 100,
    persons: Any = 300,
    villages: str = "",
    rural: str = "",
    points: bool = True,
) -> PlanFile:
    """A board of square grids; ``villages`` a letter a grid (else one); ``rural`` letters."""
    n = rows * columns
    letters = list("".join(villages.split()) or "V" * n)
    held = np.broadcast_to(np.asarray(households), (n,)).astype(int)
    people = None if persons is None else np.broadcast_to(np.asarray(persons), (n,)).astype(int)
    codes = [code(r, c) for r in range(rows) for c in range(columns)]
    shapes = [square(c, r) for r in range(rows) for c in range(columns)]
    grids = gpd.GeoDataFrame(
        {
            "code": codes, "name": codes, "kind": "comprehensive", "village_code": letters,
            "village_name": letters, "township_name": "镇", "households": held, "persons": people,
        },
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    names = sorted(set(letters))
    outlines = [
        shapely.union_all([s for s, v in zip(shapes, letters, strict=True) if v == name])
        for name in names
    ]
    kinds = ["rural" if name in rural else "urban" for name in names]
    ground = gpd.GeoDataFrame({"code": names, "class": kinds}, geometry=outlines, crs=CRS)
    middle = shapely.point_on_surface(np.array(shapes))
    keep = slice(None) if points else slice(0, 0)
    dwellings = gpd.GeoDataFrame(
        {"grid_code": codes[keep], "households": held[keep]}, geometry=middle[keep], crs=CRS
    )
    none = pd.DataFrame({"reason": []})
    provenance = pd.DataFrame({"key": ["setting.target"], "value": ["300"]})
    return PlanFile(grids, dwellings, ground, none, none, provenance)


def beats_of(picture: str, stations: Mapping[str, str] | None = None) -> gpd.GeoDataFrame:
    """Today's beats, a letter a cell of the picture; "." is in no beat."""
    lines = picture.split()
    places: dict[str, list[Any]] = {}
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            if letter != ".":
                places.setdefault(letter, []).append(square(column, row))
    names = sorted(places)
    return gpd.GeoDataFrame(
        {
            "code": [f"B{name}" for name in names],
            "name": [f"第{name}警格" for name in names],
            "station": [(stations or {}).get(name, "") for name in names],
        },
        geometry=[shapely.union_all(places[name]) for name in names],
        crs=CRS,
    )


def write(frame: gpd.GeoDataFrame, path: Path) -> Path:
    frame.to_file(path, driver="GPKG")
    return path


def ground_of(
    plan: PlanFile,
    folder: Path,
    beats: gpd.GeoDataFrame | None = None,
    spec: WorkSpec | None = None,
    **files: Any,
) -> BeatGround:
    """The ground of a plan with today's beats written to a file and read again."""
    existing = None if beats is None else write(beats, folder / "today.gpkg")
    return load_beat_ground(plan, BeatInputs(existing=existing, **files), spec)


def in_one_piece(ground: BeatGround, label: np.ndarray) -> bool:
    """Slow and sure: flood each beat through borders of positive length."""
    edges = ground.units.edges
    near: dict[int, set[int]] = {i: set() for i in range(len(label))}
    for a, b in zip(edges.a.tolist(), edges.b.tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    for beat in np.unique(label):
        members = set(np.flatnonzero(label == beat).tolist())
        seen, todo = set(), [min(members)]
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += near[here] & members
        if seen != members:
            return False
    return True
