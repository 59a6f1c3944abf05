"""How often does a map of pure noise show a hot or cold spot? Writes records/noise.md.

``.venv/bin/python -m benchmarks.noise [--runs 1000] [--only ragged]``: events fall at random over a
square, over an area with a ragged border, and among the households of that area; each map is judged
as :func:`incidents.analysis.analyse` judges it. Areas that are not run keep their rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from geo.read import FileRecord, Layer
from incidents.analysis import Parameters, Prepared, judge, prepare
from incidents.areas import Homes, areas_of
from incidents.events import load_events
from incidents.gistar import Method

RECORD = Path(__file__).parent / "records" / "noise.md"
METRIC = CRS.from_epsg(4549)
EVENTS = (50, 125, 500, 1_250, 5_000, 50_000, 500_000)
METHODS: tuple[tuple[str, Method], ...] = (
    ("auto", "auto"),
    ("normal z alone", "normal"),
    ("exact binomial alone", "poisson"),
    ("Monte Carlo", "monte_carlo"),
)
MOST_SCATTERED = 5_000  # events of a Monte-Carlo map, each of which scatters them 999 times
X0, Y0 = 500_000.0, 3_600_000.0


@dataclass(frozen=True)
class Case:
    """An area ready to be judged, and each cell's chance (ny, nx) of a random event."""

    name: str
    held: Prepared
    chance: np.ndarray

    @property
    def cells(self) -> int:
        """Cells that are judged."""
        return int(self.held.cells.inside.sum())


def ragged(seed: int = 5) -> shapely.Geometry:
    """An area of about 2,500 cells with a border like a county's: a wavy ring, in two parts."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0.0, 2.0 * np.pi, 240, endpoint=False)
    waves = sum(
        rng.uniform(0.0, 0.12) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 12)
    )
    reach = 5_600.0 * (1.0 + waves)
    ring = shapely.Polygon(np.column_stack([reach * np.cos(angle), reach * np.sin(angle)]))
    island = shapely.Point(9_000.0, 1_000.0).buffer(500.0)
    whole = shapely.union(shapely.make_valid(ring), island)
    return shapely.transform(whole, lambda xy: xy + np.array([X0, Y0]))


def people(ground: shapely.Geometry, seed: int = 7) -> Homes:
    """12,000 households: six tenths in a town, three in forty villages, the others anywhere."""
    rng = np.random.default_rng(seed)
    west, south, east, north = ground.bounds
    middles = rng.uniform((west, south), (east, north), (40, 2))
    town = rng.normal((X0, Y0), 900.0, (9_000, 2))
    villages = middles[rng.integers(0, 40, 9_000)] + rng.normal(0.0, 120.0, (9_000, 2))
    alone = rng.uniform((west, south), (east, north), (4_000, 2))
    shapely.prepare(ground)
    parts = [
        xy[shapely.contains_xy(ground, xy[:, 0], xy[:, 1])][:most]
        for xy, most in ((town, 7_200), (villages, 3_600), (alone, 1_200))
    ]
    xy = np.vstack(parts)
    return Homes(xy, np.ones(len(xy)), np.full(len(xy), 3.0))


def case(name: str, ground: shapely.Geometry, homes: Homes | None = None) -> Case:
    """An area as the pages prepare it; what random events follow is its ground or its homes."""
    frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[ground], crs=METRIC)
    point = gpd.GeoDataFrame(geometry=[ground.representative_point()], crs=METRIC)
    layer = Layer("incidents", "noise", point, METRIC, [], [], [],
                  FileRecord("noise", 0, "0" * 64))  # fmt: skip
    areas = areas_of(METRIC, villages=frame, homes=homes)
    held = prepare(load_events([layer], crs=METRIC), areas, homes=homes)
    chance = held.cells.share if held.households is None else held.households
    return Case(name, held, chance / chance.sum())


def cases() -> dict[str, Case]:
    """The areas, by their names on the command line."""
    ground = ragged()
    return {
        "square": case("A square", shapely.box(X0, Y0, X0 + 10_000, Y0 + 10_000)),
        "ragged": case("A ragged border and an island", ground),
        "households": case("The same, events at 12,000 households", ground, people(ground)),
    }


def false_cells(one: Case, events: int, method: Method, maps: int) -> np.ndarray:
    """(maps,) significant cells of each map of noise."""
    rng = np.random.default_rng(events)
    chance, shape = one.chance.ravel(), one.chance.shape
    return np.array(
        [
            judge(
                one.held, rng.multinomial(events, chance).astype(float).reshape(shape),
                Parameters(method=method, seed=1_000_000 + number),
            ).significant.sum()
            for number in range(maps)
        ]
    )  # fmt: skip


def rows(one: Case, maps: int, scattered: int, events: tuple[int, ...]) -> list[str]:
    """The rows of one area."""
    found = []
    for many in events:
        for label, method in METHODS:
            here = scattered if method == "monte_carlo" else maps
            if not here or (method == "monte_carlo" and many > MOST_SCATTERED):
                continue
            false = false_cells(one, many, method, here)
            found.append(
                f"| {many:,} | {label} | {here:,} | {np.mean(false > 0):.1%} | {false.mean():.2f} |"
            )
            print(found[-1], flush=True)
    return found


def write(told: dict[str, dict[str, object]]) -> None:
    """The record, from the rows of each area, those of earlier runs included."""
    data = RECORD.with_suffix(".json")
    held = json.loads(data.read_text("utf-8")) if data.exists() else {}
    for name, one in told.items():
        before = held.get(name, {}).get("rows", [])
        fresh = {tuple(row.split("|")[1:3]) for row in one["rows"]}  # type: ignore[attr-defined]
        kept = [row for row in before if tuple(row.split("|")[1:3]) not in fresh]
        held[name] = {**one, "rows": [*kept, *one["rows"]]}  # type: ignore[misc]
    order = [label for label, _ in METHODS]
    lines = [
        "# Noise\n\nWritten by `python -m benchmarks.noise`. Events fall at random; every "
        "significant cell is false.\n"
    ]
    for one in held.values():
        one["rows"].sort(
            key=lambda row: (int(row.split("|")[1].replace(",", "")),
                             order.index(row.split("|")[2].strip()))
        )  # fmt: skip
        lines += [
            f"\n{one['name']}: {one['cells']:,} cells.\n",
            "| events | method | maps | maps with a false cell | false cells a map |",
            "|---|---|---|---|---|",
            *one["rows"],
        ]
    RECORD.write_text("\n".join(lines) + "\n", "utf-8")
    data.write_text(json.dumps(held, ensure_ascii=False, indent=1) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="maps a row")
    parser.add_argument("--monte-carlo", type=int, default=100, help="maps a row of Monte Carlo")
    parser.add_argument("--only", choices=("square", "ragged", "households"), action="append")
    parser.add_argument("--events", type=int, action="append", help="only maps of so many events")
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    for key, one in cases().items():
        if options.only and key not in options.only:
            continue
        print(f"{one.name}: {one.cells:,} cells", flush=True)
        for many in options.events or EVENTS:
            found = rows(one, options.runs, options.monte_carlo, (many,))
            if not options.no_record:
                write({key: {"name": one.name, "cells": one.cells, "rows": found}})
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
