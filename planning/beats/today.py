"""Today's beats against the grids: which beat a grid is in, and where the two nets cross."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo.coverage import components
from geo.harmonise import metric
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import Layer
from geo.repair import overlaps, polygonal
from geo.segments import tally
from planning.graph import FloatArray, IntArray

register(
    {
        "beats-no-polygons": (
            "没有警格多边形;请给出警格面图层。",
            "holds no beat polygon; give the polygons of today's beats.",
        ),
        "beats-elsewhere": (
            "现有警格与网格均不相交;请检查坐标系,或是否给错了文件。",
            "its beats touch none of the grids; check its coordinate system, or the file.",
        ),
        "beats-overlap": (
            "{count} 对警格互相重叠,共 {area:.0f} 平方米(如 {a} 与 {b});"
            "重叠处的网格归入占户数较多的警格。",
            "{count} pairs of beats overlap, {area:.0f} m2 in all (such as {a} and {b}); a grid "
            "there counts in the beat that holds most of its households.",
        ),
        "beats-hole": (
            "{area:.0f} 平方米网格地块不在任何警格内,其中 {grids} 个网格完全没有警格;"
            "这些网格将分给相邻警格。",
            "{area:.0f} m2 of the grids' ground lie in no beat, {grids} whole grids among them; "
            "those grids go to a neighbouring beat.",
        ),
        "beats-outside": (
            "{count} 个警格完全在网格之外(如 {name}),不参与划分。",
            "{count} beats lie outside every grid (such as {name}) and take no part.",
        ),
        "beats-same-name": (
            "{count} 个警格编码或名称重复(如 {name});同一编码、或同名且相连的图形视为一个警格。",
            "{count} beat codes or names occur twice (such as {name}); shapes of one code, or of "
            "one name that touch, count as one beat.",
        ),
        "beats-without-grid": (
            "{count} 个警格不是任何网格的主要所在(如 {name}),无网格可归。",
            "{count} beats are not the main beat of any grid (such as {name}) and get none.",
        ),
    }
)

PIECE_M2 = 1.0  # smaller crossing pieces are what two programs round differently
THIN_M = 1.0  # narrower ones without a household are one border digitised twice


@dataclass(frozen=True)
class TodaysBeats:
    """Beats as people work today.

    ``beats``: code, name, station, geometry, one row a beat. ``home`` (n,) row of each grid's
    beat, -1 where none. ``mismatch``: previous_beat, grid_code, area_m2, households, geometry:
    pieces of a beat that lie in a grid of another. ``whole`` (b,) whether a beat is made of whole
    grids. ``station_share`` (n, s) what each of ``stations`` holds of a grid.
    """

    beats: gpd.GeoDataFrame
    home: IntArray
    mismatch: gpd.GeoDataFrame
    whole: NDArray[np.bool_]
    stations: tuple[str, ...]
    station_share: FloatArray
    notes: tuple[Problem, ...]


def read_beats(layer: Layer, crs: CRS) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """One row a beat in the plan's metric system, and what was doubtful about them."""
    if "geometry" not in layer.frame:
        raise InputError([Problem("beats-no-polygons", layer.file.name)])
    shapes = np.array([polygonal(g) for g in metric(layer, crs)], dtype=object)
    solid = np.flatnonzero(shapely.area(shapes) > 0)
    if not len(solid):
        raise InputError([Problem("beats-no-polygons", layer.file.name)])
    frame = layer.frame.iloc[solid]

    def text(name: str) -> NDArray[np.object_]:
        if name not in frame:
            return np.full(len(frame), "", dtype=object)
        return np.asarray(frame[name].fillna("").astype(str).str.strip(), dtype=object)

    code, name = text("code"), text("name")
    own = _identity(code, name, shapes[solid])
    table = pd.DataFrame({"code": code, "name": name, "station": text("station")})
    first = ~pd.Series(own).duplicated().to_numpy()
    row = pd.Index(own[first]).get_indexer(pd.Index(own))
    beats = table[first].reset_index(drop=True)
    joined = [shapely.union_all(shapes[solid][row == i]) for i in range(len(beats))]
    _name(beats)
    notes = []
    called = pd.Series(np.where(code == "", name, code))
    twice = called[called.duplicated() & (called != "")].unique()
    if len(twice):
        params = {"count": len(twice), "name": str(twice[0])}
        notes.append(Problem("beats-same-name", layer.file.name, "", params, "warning"))
    return gpd.GeoDataFrame(beats, geometry=joined, crs=crs), notes


def _identity(
    code: NDArray[np.object_], name: NDArray[np.object_], shapes: NDArray[np.object_]
) -> NDArray[np.object_]:
    """What tells beats apart: the code; without one the name, for shapes that touch."""
    own = np.where(code == "", [f"\0{i}" for i in range(len(code))], code)
    for text in np.unique(name[(code == "") & (name != "")].astype(str)):
        rows = np.flatnonzero((code == "") & (name == text))
        if len(rows) > 1:
            near, other = shapely.STRtree(shapes[rows]).query(shapes[rows], predicate="intersects")
            own[rows] = [f"\0{rows[i]}" for i in _lowest(len(rows), near, other)]
    return np.asarray(own, dtype=object)


def _lowest(n: int, a: IntArray, b: IntArray) -> IntArray:
    """The first member of each one's connected group, shape (n,)."""
    group = components(n, a, b)
    return np.array([np.flatnonzero(group == group[i])[0] for i in range(n)], dtype=np.int64)


def _name(beats: pd.DataFrame) -> None:
    """Fill blank codes by the name (or a number) and blank names by the code, in place."""
    codes, names = beats["code"].tolist(), beats["name"].tolist()
    taken = set(codes)
    for i, code in enumerate(codes):
        if not code:
            wanted = names[i] or f"{i + 1:03d}"
            codes[i] = wanted if wanted not in taken else f"{wanted}-{i + 1}"
            taken.add(codes[i])
    beats["code"] = codes
    beats["name"] = [name or code for name, code in zip(names, codes, strict=True)]


def todays_beats(
    layer: Layer, grids: gpd.GeoDataFrame, points: gpd.GeoDataFrame
) -> TodaysBeats:
    """Lay today's beats over the grids.

    ``grids`` code and geometry; ``points`` households and ``grid`` (row of grids, -1 unknown). A
    grid's beat holds most of its households; where nobody lives, most of its ground.
    """
    beats, notes = read_beats(layer, grids.crs)
    return lay_over(beats, grids, points, layer.file.name, notes)


def lay_over(
    beats: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    file: str,
    notes: list[Problem],
) -> TodaysBeats:
    """As :func:`todays_beats`, of beats that were read already (code, name, station)."""
    shapes, ground = beats.geometry.to_numpy(), grids.geometry.to_numpy()
    grid, beat = shapely.STRtree(shapes).query(ground, predicate="intersects")
    piece = shapely.intersection(ground[grid], shapes[beat])
    area = shapely.area(piece)
    real = area > PIECE_M2
    grid, beat, piece, area = grid[real], beat[real], piece[real], area[real]
    if not len(grid):
        raise InputError([Problem("beats-elsewhere", file)])
    held = _households(grid, beat, points, shapes, len(grids))
    home = _largest(len(grids), grid, beat, held, area)
    notes = notes + _doubts(beats, grids, shapes, (grid, beat, area), home, file)
    names = tuple(sorted(set(beats["station"]) - {""}))
    share = np.zeros((len(grids), len(names)))
    if names:
        number = pd.Index(names).get_indexer(beats["station"])
        own = number[beat] >= 0
        weight = held + 1e-9 * area
        np.add.at(share, (grid[own], number[beat[own]]), weight[own])
    rows = np.flatnonzero((beat != home[grid]) & ((held > 0) | _thick(piece)))
    mismatch = gpd.GeoDataFrame(
        {
            "previous_beat": beats["code"].to_numpy()[beat[rows]],
            "grid_code": grids["code"].to_numpy()[grid[rows]],
            "area_m2": area[rows],
            "households": held[rows].astype(np.int64),
        },
        geometry=gpd.GeoSeries([polygonal(g) for g in piece[rows]], crs=grids.crs),
        crs=grids.crs,
    )
    crossed = np.zeros(len(beats), dtype=bool)
    crossed[beat[rows]] = True
    crossed[home[grid[rows]]] = True
    whole = ~crossed & np.isin(np.arange(len(beats)), home)
    order = np.lexsort((-mismatch["area_m2"], -mismatch["households"]))
    mismatch = mismatch.iloc[order].reset_index(drop=True)
    return TodaysBeats(beats, home, mismatch, whole, names, share, tuple(notes))


def _thick(piece: NDArray[np.object_]) -> NDArray[np.bool_]:
    around = np.maximum(shapely.length(piece), 1e-9)
    return np.asarray(2 * shapely.area(piece) / around >= THIN_M)


def _households(
    grid: IntArray,
    beat: IntArray,
    points: gpd.GeoDataFrame,
    shapes: NDArray[np.object_],
    n: int,
) -> FloatArray:
    """Households of each (grid, beat) pair: a point counts in the first beat that covers it."""
    known = points[points["grid"] >= 0]
    if not len(known):
        return np.zeros(len(grid))
    point, where = shapely.STRtree(known.geometry.to_numpy()).query(shapes, predicate="intersects")[
        ::-1
    ]
    of_point = np.full(len(known), -1, dtype=np.int64)
    order = np.argsort(-where, kind="stable")
    of_point[point[order]] = where[order]
    lies = of_point >= 0
    width = len(shapes)
    pair = known["grid"].to_numpy(dtype=np.int64)[lies] * width + of_point[lies]
    row = pd.Index(grid.astype(np.int64) * width + beat).get_indexer(pd.Index(pair))
    weight = known["households"].to_numpy(dtype=float)[lies]
    return tally(row[row >= 0], weight[row >= 0], len(grid))


def _largest(
    n: int, grid: IntArray, beat: IntArray, held: FloatArray, area: FloatArray
) -> IntArray:
    home = np.full(n, -1, dtype=np.int64)
    order = np.lexsort((-beat, area, held))
    home[grid[order]] = beat[order]
    return home


def _doubts(
    beats: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    shapes: NDArray[np.object_],
    pairs: tuple[IntArray, IntArray, FloatArray],
    home: IntArray,
    file: str,
) -> list[Problem]:
    """Overlaps, holes, beats outside, and beats that no grid belongs to."""
    grid, beat, area = pairs
    code = beats["code"].to_numpy()
    notes = []
    over = [(a, b, m2) for a, b, m2 in overlaps(shapes) if m2 > PIECE_M2]
    if over:
        a, b, _ = max(over, key=lambda row: row[2])
        params: dict[str, object] = {
            "count": len(over), "area": sum(row[2] for row in over), "a": code[a], "b": code[b],
        }
        notes.append(Problem("beats-overlap", file, "", params, "warning"))
    ground = shapely.area(grids.geometry.to_numpy())
    missing = np.maximum(ground - tally(grid, area, len(grids)), 0.0)
    bare = missing > np.maximum(PIECE_M2, 1e-6 * ground)
    if bare.any():
        params = {"area": float(missing[bare].sum()), "grids": int((home < 0).sum())}
        notes.append(Problem("beats-hole", file, "", params, "warning"))
    inside = np.isin(np.arange(len(beats)), beat)
    if not inside.all():
        params = {"count": int((~inside).sum()), "name": code[~inside][0]}
        notes.append(Problem("beats-outside", file, "", params, "warning"))
    without = inside & ~np.isin(np.arange(len(beats)), home)
    if without.any():
        params = {"count": int(without.sum()), "name": code[without][0]}
        notes.append(Problem("beats-without-grid", file, "", params, "warning"))
    return notes
