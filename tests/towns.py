"""Small towns drawn as text, turned into grounds, units and counties.

A picture is read with north on top; every character is one square cell (50 m unless told).

In :func:`units` letters are units: all cells of one letter are one polygon, a space is outside::

    AAB
    ACC

In :func:`village` a space is outside, ``.`` is empty ground, a digit is one building with so many
households (times ``times``) in the middle of its cell, and ``-``, ``|`` and ``+`` are roads that
run through the middle of their cell from side to side::

    11|22
    --+--
    33|44
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.enclosures import VillageGround
from geo.ground import Ground
from geo.linework import Linework, empty_linework
from geo.segments import Segments, border_segments, outer_length, rook_edges
from geo.units import Units
from planning.graph import Graph, IntArray, graph_of
from planning.propose import Proposal

CELL = 50.0
CRS_M = CRS.from_epsg(4549)  # CGCS2000, 3-degree, 120 E: the metric system of the drawn towns
ORIGIN = (500_000.0, 3_580_000.0)  # so that coordinates are as long as real ones


def _rows(picture: str) -> list[str]:
    lines = [line.rstrip() for line in picture.splitlines()]
    drawn = [i for i, line in enumerate(lines) if line]  # blank rows between are open water
    lines = lines[drawn[0] : drawn[-1] + 1]
    margin = min(len(line) - len(line.lstrip()) for line in lines if line)
    return [line[margin:] for line in lines]


def cells(picture: str) -> list[tuple[str, int, int]]:
    """Character, column and row from the south of every cell that is not a space."""
    rows = _rows(picture)
    return [
        (character, column, len(rows) - 1 - row)
        for row, line in enumerate(rows)
        for column, character in enumerate(line)
        if character != " "
    ]


def _square(column: int, row: int, cell: float, at: tuple[float, float]) -> shapely.Polygon:
    x, y = at[0] + column * cell, at[1] + row * cell
    return shapely.box(x, y, x + cell, y + cell)


def shapes(
    picture: str, cell: float = CELL, at: tuple[float, float] = (0.0, 0.0)
) -> dict[str, shapely.Geometry]:
    """The union of each letter's cells, letters ascending; all cell corners stay as vertices."""
    held: dict[str, list[shapely.Polygon]] = {}
    for character, column, row in cells(picture):
        held.setdefault(character, []).append(_square(column, row, cell, at))
    return {c: shapely.coverage_union_all(held[c]) for c in sorted(held)}


def units(
    picture: str,
    households: Mapping[str, int] | int = 0,
    *,
    persons: Mapping[str, int] | None = None,
    roads: Sequence[Sequence[tuple[float, float]]] = (),
    whole: Mapping[str, int] | None = None,
    dedicated: Mapping[str, int] | None = None,
    cell: float = CELL,
) -> Units:
    """Units drawn as letters; unit i is the i-th letter of the alphabet that occurs.

    ``households`` of each letter or of all; ``roads`` in cell coordinates (column, row from the
    south-west corner). A letter's cells must be in one piece.
    """
    drawn = shapes(picture, cell)
    letters = list(drawn)
    count = dict.fromkeys(letters, households) if isinstance(households, int) else households
    held = np.array([count.get(c, 0) for c in letters], dtype=np.int64)
    polygons = np.array(list(drawn.values()), dtype=object)
    assert (shapely.get_type_id(polygons) == 3).all(), "a letter is drawn in two pieces"
    lines = [shapely.LineString(np.array(road) * cell) for road in roads]
    return of_polygons(
        polygons,
        held,
        persons=None if persons is None else [persons.get(c, 0) for c in letters],
        lines=lines,
        whole=None if whole is None else [whole.get(c, -1) for c in letters],
        dedicated=None if dedicated is None else [dedicated.get(c, -1) for c in letters],
    )


def of_polygons(
    polygons: NDArray[np.object_],
    households: ArrayLike,
    *,
    persons: ArrayLike | None = None,
    lines: Sequence[shapely.LineString] = (),
    whole: ArrayLike | None = None,
    dedicated: ArrayLike | None = None,
    code: str = "T",
) -> Units:
    """Units of any exact coverage, every household in the middle of its unit."""
    n = len(polygons)
    segments = border_segments(polygons)
    if lines:
        near = shapely.distance(shapely.points(segments.midpoint)[:, None], np.array(lines)) < 0.01
        line = np.where(near.any(axis=1), near.argmax(axis=1), -1).astype(np.int64)
        segments = replace(segments, line=line)
    edges = rook_edges(segments)
    middle = shapely.get_coordinates(shapely.centroid(polygons))
    ones = np.ones(len(edges.a), dtype=np.int8)
    part = connected_components(coo_array((ones, (edges.a, edges.b)), shape=(n, n)), False)[1]
    none = np.full(n, -1, dtype=np.int64)
    return Units(
        code=code,
        geometry=polygons,
        households=np.asarray(households, dtype=np.int64),
        persons=none if persons is None else np.asarray(persons, dtype=np.int64),
        x=middle[:, 0],
        y=middle[:, 1],
        spread=np.zeros(n),
        area=shapely.area(polygons),
        outer=outer_length(segments, n),
        block=np.arange(n),
        whole=none if whole is None else np.asarray(whole, dtype=np.int64),
        dedicated=none if dedicated is None else np.asarray(dedicated, dtype=np.int64),
        part=part.astype(np.int64),
        edges=edges,
        segments=segments,
        unit_of_row=np.arange(n),
    )


def labels(drawn: Units, picture: str, plan: str, cell: float = CELL) -> IntArray:
    """Labels of units from a second picture of the same size: letters are grids, A is 0."""
    grid = {(column, row): ord(c) - ord("A") for c, column, row in cells(plan)}
    letters = sorted({c for c, _, _ in cells(picture)})
    found = {c: grid[column, row] for c, column, row in cells(picture)}
    assert len(letters) == len(drawn)
    return np.array([found[c] for c in letters], dtype=np.int64)


def lattice(
    columns: int, rows: int, households: ArrayLike = 1, *, cell: float = CELL
) -> Units:
    """A board of square units, numbered from the south-west, row by row."""
    polygons = np.array(
        [_square(c, r, cell, (0.0, 0.0)) for r in range(rows) for c in range(columns)]
    )
    held = np.broadcast_to(np.asarray(households, dtype=np.int64), (len(polygons),)).copy()
    return of_polygons(polygons, held)


def village(
    picture: str,
    *,
    times: int = 1,
    persons: int | None = None,
    cell: float = CELL,
    at: tuple[float, float] = ORIGIN,
    code: str = "T",
    roads: Sequence[shapely.LineString] = (),
) -> VillageGround:
    """A village's ground from its picture; ``persons`` in each household, None unknown."""
    squares, xy, held, lines = [], [], [], []
    for character, column, row in cells(picture):
        squares.append(_square(column, row, cell, at))
        x, y = at[0] + (column + 0.5) * cell, at[1] + (row + 0.5) * cell
        if character.isdigit() and character != "0":
            xy.append((x, y))
            held.append(int(character) * times)
        if character in "-+":
            lines.append(shapely.LineString([(x - cell / 2, y), (x + cell / 2, y)]))
        if character in "|+":
            lines.append(shapely.LineString([(x, y - cell / 2), (x, y + cell / 2)]))
    roadway = np.array([*_strokes(lines), *roads], dtype=object)
    counts = np.array(held, dtype=np.int64)
    unknown = np.full(len(held), -1, dtype=np.int64)
    return VillageGround(
        code=code,
        area=shapely.union_all(squares),
        lines=roadway,
        line_id=np.arange(len(roadway)),
        xy=np.array(xy, dtype=float).reshape(-1, 2),
        households=counts,
        persons=unknown if persons is None else counts * persons,
        set_id=unknown.copy(),
    )


def _strokes(lines: list[shapely.LineString]) -> list[shapely.LineString]:
    """Cell-long pieces joined end to end into straight roads."""
    across = [line for line in lines if line.coords[0][1] == line.coords[1][1]]
    along = [line for line in lines if line.coords[0][0] == line.coords[1][0]]
    return [
        road
        for group in (across, along)
        for road in shapely.get_parts(shapely.line_merge(shapely.union_all(group)))
        if group
    ]


def county(
    villages: Sequence[VillageGround],
    *,
    road_names: Sequence[str] | None = None,
    dedicated: Sequence[tuple[str, shapely.Polygon]] = (),
    compounds: Sequence[tuple[str, shapely.Polygon]] = (),
) -> Ground:
    """A county of drawn villages, as :func:`geo.ground.load_ground` would return it."""
    frames = []
    for i, own in enumerate(villages):
        x, y = own.xy[:, 0], own.xy[:, 1]
        held = {"households": own.households, "persons": own.persons, "x": x, "y": y}
        frames.append(pd.DataFrame({**held, "village": i, "set_id": own.set_id}))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "household_id", [f"H{i + 1:05d}" for i in range(len(table))])
    lines = np.concatenate([own.lines for own in villages])
    for number, (_, outline) in enumerate(compounds):
        inside = shapely.intersects_xy(outline, table["x"], table["y"])
        table.loc[inside, "set_id"] = number
    named_sets = max(len(compounds), int(table["set_id"].to_numpy().max(initial=-1)) + 1)
    names = [name for name, _ in compounds]
    names += [f"set {i}" for i in range(len(names), named_sets)]
    roads = empty_linework()
    if len(lines):
        roads = Linework(
            lines,
            np.full(len(lines), "road", dtype=object),
            np.array(road_names if road_names is not None else [""] * len(lines), dtype=object),
        )
    return Ground(
        crs=CRS_M,
        villages=gpd.GeoDataFrame(
            {
                "code": [own.code for own in villages],
                "name": [f"{own.code}村" for own in villages],
                "township_name": "镇",
                "class_code": "220",
            },
            geometry=[own.area for own in villages],
            crs=CRS_M,
        ),
        households=table,
        lines=roads,
        sets=pd.DataFrame({"kind": "compound", "name": names}, index=range(named_sets)),
        wholes=gpd.GeoDataFrame(
            {
                "name": [name for name, _ in compounds],
                "set_id": np.arange(len(compounds), dtype=np.int64),
            },
            geometry=[outline for _, outline in compounds],
            crs=CRS_M,
        ),
        dedicated=gpd.GeoDataFrame(
            {"name": [name for name, _ in dedicated], "category": "school"},
            geometry=[outline for _, outline in dedicated],
            crs=CRS_M,
        ),
        unplaced=pd.DataFrame(
            {
                "household_id": pd.Series(dtype=object),
                "households": pd.Series(dtype=np.int64),
                "persons": pd.Series(dtype=np.int64),
                "reason": pd.Series(dtype=object),
                "x": pd.Series(dtype=float),
                "y": pd.Series(dtype=float),
            }
        ),
        layers={},
        notes=(),
    )


# --- naive oracles: slow, short, and sharing no code with what they judge


def neighbours(graph: Graph) -> list[set[int]]:
    """Who borders whom, read edge by edge."""
    near: list[set[int]] = [set() for _ in range(len(graph))]
    for a in range(len(graph)):
        for e in range(int(graph.indptr[a]), int(graph.indptr[a + 1])):
            near[a].add(int(graph.indices[e]))
    return near


def in_one_piece(near: list[set[int]], members: set[int]) -> bool:
    """Breadth first, in plain Python: whether members hang together."""
    if not members:
        return False
    seen, queue = set(), [min(members)]
    while queue:
        here = queue.pop(0)
        if here in seen:
            continue
        seen.add(here)
        queue += [other for other in near[here] if other in members]
    return seen == members


def piece_count(near: list[set[int]], members: set[int]) -> int:
    """How many connected pieces members form."""
    left, count = set(members), 0
    while left:
        count += 1
        queue = [min(left)]
        while queue:
            here = queue.pop()
            if here in left:
                left.remove(here)
                queue += list(near[here])
    return count


def grids_of(label: ArrayLike, k: int) -> list[set[int]]:
    """Members of each grid 0..k-1."""
    values = [int(v) for v in np.asarray(label)]
    return [{i for i, v in enumerate(values) if v == grid} for grid in range(k)]


def is_sound(drawn: Units, proposal: Proposal) -> bool:
    """Every unit in a grid, every grid in use; pieces as many as ``joined`` declares."""
    near = neighbours(graph_of(drawn))
    members = grids_of(proposal.label, proposal.k)
    return (
        all(members)
        and sum(map(len, members)) == len(drawn)
        and all(
            piece_count(near, held) == 1 + int(joined)
            for held, joined in zip(members, proposal.joined, strict=True)
        )
    )


def tiles(polygons: NDArray[np.object_], area: shapely.Geometry) -> list[str]:
    """Everything that keeps polygons from tiling ``area`` exactly, in words; [] when they do.

    Overlaps are looked for pair by pair, gaps by what a union leaves of the area.
    """
    wrong = []
    if not shapely.is_valid(polygons).all():
        wrong.append("an invalid polygon")
    if not (shapely.get_type_id(polygons) == 3).all():
        wrong.append("a unit in several parts")
    if not shapely.coverage_is_valid(polygons):
        wrong.append("neighbours that do not share every vertex")
    for i, one in enumerate(polygons):
        for other in polygons[i + 1 :]:
            if one.intersects(other) and one.intersection(other).area > 1e-6 * min(
                one.area, other.area
            ):
                wrong.append("two polygons overlap")
    allowed = 1e-6 * area.area
    if abs(sum(p.area for p in polygons) - area.area) > allowed:
        wrong.append(f"areas miss by {sum(p.area for p in polygons) - area.area:.3f} m2")
    if shapely.difference(area, shapely.union_all(polygons)).area > allowed:
        wrong.append("ground that no polygon covers")
    return wrong


def border_sets(segments: Segments) -> dict[tuple[int, int], float]:
    """Length of the border of every pair of areas, segment by segment (-1 outside)."""
    found: dict[tuple[int, int], float] = {}
    for a, b, length in zip(segments.left, segments.right, segments.length, strict=True):
        pair = (min(int(a), int(b)), max(int(a), int(b)))
        found[pair] = found.get(pair, 0.0) + float(length)
    return found


# --- a county as files


def write_files(ground: Ground, directory: Path) -> dict[str, Path]:
    """A county's layers as a planner would hand them over: longitudes, Chinese column names."""
    names = {"code": "村代码", "name": "村名称", "township_name": "乡镇"}
    villages = ground.villages.rename(columns=names).drop(columns="class_code")
    villages.to_crs(4490).to_file(directory / "villages.gpkg", layer="villages")
    held = ground.households
    points = gpd.GeoSeries(shapely.points(held[["x", "y"]].to_numpy()), crs=ground.crs)
    degrees = points.to_crs(4490)
    table = pd.DataFrame(
        {
            "编号": held["household_id"],
            "户数": held["households"],
            "经度": degrees.x.round(9),
            "纬度": degrees.y.round(9),
        }
    )
    if (held["persons"] >= 0).all():
        table.insert(2, "人口", held["persons"])
    table.to_csv(directory / "households.csv", index=False, encoding="utf-8-sig")
    files = {
        "villages": directory / "villages.gpkg",
        "households": directory / "households.csv",
    }
    if len(ground.lines):
        roads = gpd.GeoDataFrame(
            {"道路名称": ground.lines.name}, geometry=ground.lines.geometry, crs=ground.crs
        )
        roads.to_crs(4490).to_file(directory / "roads.geojson")
        files["roads"] = directory / "roads.geojson"
    return files
