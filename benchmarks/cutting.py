"""Cutting ground into the cells of its buildings: ours beside GEOS, momepy and a plain Voronoi.

    python -m benchmarks.cutting              real streets of Wuhan, 1,500 buildings thrown on them
    python -m benchmarks.cutting --reduced    one circle of it

Every way gets the same enclosures and buildings. What planning needs of the answer is measured, not
supposed: one cell a building at least, ground covered once, neighbours that share every vertex.
Writes records/cutting.md. Streets are data that the project does not ship: where they are absent
the benchmark says so and draws streets at random.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.engines import RECORDS
from benchmarks.run import machine, today
from geo import cells
from geo.coverage import place_points
from geo.enclosures import VillageGround, enclose
from geo.segments import FloatArray
from geo.voronoi import parting

STREETS = (
    Path(__file__).parents[2]
    / "shared" / "real" / "wuhan_roads" / "original" / "wuhan_simplified.parquet"
)  # fmt: skip
RADIUS_M, BUILDINGS = 1500.0, 1500
Polygons = np.ndarray
Place = tuple[shapely.Geometry, Polygons, FloatArray]
Way = Callable[[shapely.Geometry, Polygons, FloatArray], Polygons]


def ours(area: shapely.Geometry, blocks: Polygons, buildings: FloatArray) -> Polygons:
    """`geo.cells.subdivide`, as planning calls it."""
    return cells.subdivide(area, blocks, buildings, np.arange(len(buildings)))[0]


def noded(area: shapely.Geometry, blocks: Polygons, buildings: FloatArray) -> Polygons:
    """The same edges clipped, noded and polygonised by GEOS: ours where it must refuse."""
    block = place_points(shapely.points(buildings), blocks)
    edges = parting(blocks, block, buildings, np.arange(len(buildings)))
    return cells.cut(area, blocks, cells.clipped(blocks, edges))


def plain(area: shapely.Geometry, blocks: Polygons, buildings: FloatArray) -> Polygons:
    """GEOS' Voronoi polygons of each block's buildings, intersected with the block."""
    block = place_points(shapely.points(buildings), blocks)
    found = []
    for number, polygon in enumerate(blocks):
        inside = buildings[block == number]
        if len(inside) < 2:
            found.append([polygon])
            continue
        voronoi = shapely.voronoi_polygons(shapely.multipoints(inside), extend_to=polygon)
        clipped = shapely.intersection(shapely.get_parts(voronoi), polygon)
        found.append(clipped[~shapely.is_empty(clipped)])
    return np.concatenate(found)


def momepy(area: shapely.Geometry, blocks: Polygons, buildings: FloatArray) -> Polygons:
    """`momepy.enclosed_tessellation` of footprints a metre wide: it takes no points."""
    from momepy import enclosed_tessellation

    x, y = buildings.T
    footprints = gpd.GeoSeries(shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5), crs=32650)
    around = gpd.GeoDataFrame(geometry=blocks, crs=32650)
    found = enclosed_tessellation(
        footprints, around, shrink=0.0, segment=2.0, simplify=False, n_jobs=1
    )
    return found.geometry.to_numpy()


WAYS: dict[str, Way] = {
    "gridwright": ours, "GEOS, noded": noded, "GEOS, Voronoi clipped": plain, "momepy": momepy,
}  # fmt: skip


def circles(number: int) -> list[Place]:
    """Circles of streets: the area, its enclosures, and buildings at random places."""
    random = np.random.default_rng(1)
    if STREETS.exists():
        streets = gpd.read_parquet(STREETS).geometry.to_numpy()
        west, south, east, north = shapely.total_bounds(streets)
        middle = np.array([west + east, south + north]) / 2
    else:
        print("no real streets here: lines at random", file=sys.stderr)
        middle = np.array([240_000.0, 3_385_000.0])
        ends = middle + random.uniform(-9000, 9000, (1200, 2)).repeat(2, axis=0).reshape(-1, 2, 2)
        streets = shapely.linestrings(ends + random.uniform(-600, 600, ends.shape))
    tree = shapely.STRtree(streets)
    found = []
    for _ in range(number):
        centre = middle + random.normal(0, 3000, 2)
        area = shapely.Point(centre).buffer(RADIUS_M, quad_segs=5)
        lines = streets[tree.query(area, predicate="intersects")]
        buildings = centre + random.uniform(-0.7, 0.7, (BUILDINGS, 2)) * RADIUS_M
        none = np.zeros(BUILDINGS, dtype=np.int64)
        ground = VillageGround(
            "", area, lines, np.arange(len(lines)), buildings, none + 1, none - 1, none - 1
        )
        found.append((area, enclose(ground).geometry, buildings))
    return found


def measured(way: Way, places: list[Place]) -> dict[str, object]:
    """Seconds, and what is true of the cells."""
    try:
        way(*places[0])  # loads and compiles
    except ImportError as error:
        return {"status": f"not installed: {error.name}"}
    start = time.process_time()
    answers = [way(*place) for place in places]
    seconds = time.process_time() - start
    shared, crowded, off = 0, 0, 0.0
    for (area, _, buildings), answer in zip(places, answers, strict=True):
        simple = (shapely.get_type_id(answer) == 3).all()
        shared += bool(simple and shapely.coverage_is_valid(answer))
        answer = answer[shapely.is_valid(answer)]
        at = np.bincount(place_points(shapely.points(buildings), answer), minlength=len(answer))
        crowded += int((at > 1).sum())
        off += abs(float(shapely.area(answer).sum()) - area.area)
    return {
        "cpu_s": round(seconds, 3), "cells": sum(map(len, answers)),
        "every vertex shared": f"{shared} of {len(places)}",
        "cells of several buildings": crowded, "area missed, m2": round(off, 2),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Measure every way and keep the record."""
    parser = argparse.ArgumentParser(description="cells of buildings, beside peers")
    parser.add_argument("--reduced", action="store_true", help="one circle")
    reduced = parser.parse_args(arguments).reduced
    places = circles(1 if reduced else 6)
    rows = {name: measured(way, places) for name, way in WAYS.items()}
    columns = list(next(iter(rows.values())))
    lines = [
        f"{len(places)} circles of {RADIUS_M:.0f} m, {BUILDINGS * len(places)} buildings in"
        f" {sum(len(blocks) for _, blocks, _ in places)} enclosures; {today()},"
        f" {json.dumps(machine('gridwright'))}",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name, row in rows.items():
        told = [str(row.get(column, row.get("status", ""))) for column in columns]
        lines.append(f"| {name} | " + " | ".join(told) + " |")
    print("\n".join(lines))
    (RECORDS / "cutting.md").write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
