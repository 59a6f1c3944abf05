"""How good beats are, and how fast: a made-up city, Cambridge and Chicago, and proven optima.

    python -m benchmarks.beats [--quick]

The city is a Voronoi net of grids of about 300 households; its "today" are compact beats drawn
for a band of 30 %. Cambridge: 117 response areas as grids, its sectors, car routes and walking
routes as beats of today, police crash reports as work. Chicago: 277 beats as grids, 25 districts
as beats of today, carjackings as work. Times are of the second run, when everything is compiled.
Writes records/beats.json and .md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks import beats_exact
from benchmarks.beats_bound import least_moved_across
from benchmarks.run import machine, today
from planning.beats.anneal import mean_travel
from planning.beats.describe import summary
from planning.beats.ground import BeatGround, BeatInputs, assemble_beats, load_beat_ground
from planning.beats.judge import frame
from planning.beats.propose import Effort, divide_area, propose_beats
from planning.beats.rules import node_graph
from planning.beats.settings import KINDS, BeatSettings
from planning.beats.today import lay_over
from planning.beats.work import WorkSpec
from planning.planfile import PlanFile

RECORDS = Path(__file__).parent / "records"
REAL = Path(__file__).parents[2] / "shared" / "real"
CAMBRIDGE = REAL / "cambridge_ma" / "clean"
CHICAGO = REAL / "chicago" / "clean" / "chicago.gpkg"


def plan_of_areas(areas: gpd.GeoDataFrame, codes: pd.Series, households: pd.Series) -> PlanFile:
    """Ready-made areas as the grids of a plan."""
    grids = gpd.GeoDataFrame(
        {"code": codes.astype(str).to_numpy(), "households": households.to_numpy()},
        geometry=areas.geometry.to_numpy(),
        crs=areas.crs,
    )
    none = gpd.GeoDataFrame(
        {c: [] for c in ("code", "name", "class", "households", "grid_code")},
        geometry=[], crs=areas.crs,
    )
    empty = pd.DataFrame({"key": [], "value": []})
    return PlanFile(grids, none, none, none, none, empty)


def city(n: int, seed: int = 0) -> PlanFile:
    """A square city of n grids of some 300 households on 500 m, relaxed Voronoi cells."""
    generator = np.random.default_rng(seed)
    side = 500 * np.sqrt(n)
    box = shapely.box(0, 0, side, side)
    places = generator.random((n, 2)) * side
    cells = np.empty(0, dtype=object)
    for _ in range(3):
        net = shapely.voronoi_polygons(shapely.multipoints(places), extend_to=box, ordered=True)
        cells = shapely.intersection(np.array(shapely.get_parts(net)), box)
        places = shapely.get_coordinates(shapely.centroid(cells))
    households = np.clip(generator.normal(300, 45, n), 150, 450).astype(int)
    areas = gpd.GeoDataFrame(geometry=cells, crs=4549)
    plan = plan_of_areas(
        areas, pd.Series([f"3299{i:08d}" for i in range(n)]), pd.Series(households)
    )
    plan.grids["persons"] = (households * generator.normal(2.7, 0.15, n)).astype(int)
    return plan


def city_ground(n: int, k: int, seed: int = 0) -> BeatGround:
    """The city with k beats of today, drawn compact within 30 %."""
    ground = assemble_beats(city(n, seed), {}, WorkSpec())
    rough = propose_beats(ground, BeatSettings(kind="compact", beats=k, band=0.3, seed=seed))
    outlines = list(rough.plan.outlines())
    codes = [f"B{i + 1:03d}" for i in range(len(outlines))]
    beats = gpd.GeoDataFrame(
        {"code": codes, "name": codes, "station": ""}, geometry=outlines, crs=ground.crs
    )
    own = gpd.GeoDataFrame(
        {"code": ground.grids["code"]}, geometry=list(ground.units.geometry), crs=ground.crs
    )
    nobody = gpd.GeoDataFrame({"households": [], "grid": []}, geometry=[], crs=ground.crs)
    return replace(ground, today=lay_over(beats, own, nobody, "", []))


def cambridge(layer: str) -> BeatGround:
    """Response areas, one layer of police routes, and crash reports."""
    areas = gpd.read_file(CAMBRIDGE / "cambridge.gpkg", layer="police_response_districts")
    areas = areas.to_crs(26986)
    codes = pd.Series([f"{i + 1:03d}" for i in range(len(areas))])
    plan = plan_of_areas(areas, codes, areas["dwelling_units"].fillna(0).astype(int))
    return load_beat_ground(
        plan,
        BeatInputs(
            existing=f"{CAMBRIDGE / 'cambridge.gpkg'}:{layer}",
            incidents=CAMBRIDGE / "incidents.csv",
        ),
    )


def chicago() -> BeatGround:
    """Beats as grids, districts as today's beats, carjackings of 2020."""
    areas = gpd.read_file(CHICAGO, layer="police_beats").to_crs(26971)
    plan = plan_of_areas(
        areas, pd.Series([f"{i + 1:03d}" for i in range(len(areas))]), pd.Series(0, areas.index)
    )
    return load_beat_ground(
        plan,
        BeatInputs(
            existing=f"{CHICAGO}:police_districts",
            incidents=f"{CHICAGO}:carjackings_2020",
            columns={"beats.code": "DIST_NUM"},
        ),
    )


def instances() -> Iterator[tuple[str, BeatGround]]:
    yield "city 819", city_ground(819, 100)
    if CAMBRIDGE.is_dir():
        for layer in ("sectors", "car_routes", "walking_routes"):
            yield f"Cambridge {layer.replace('_', ' ')}", cambridge(f"police_{layer}")
    if CHICAGO.is_file():
        yield "Chicago districts", chicago()


def measure(name: str, ground: BeatGround) -> Iterator[dict[str, Any]]:
    """One row for today's beats and one a kind and band."""
    for band in (0.10, 0.05):
        for kind in KINDS:
            settings = BeatSettings(kind=kind, band=band)
            propose_beats(ground, settings, effort=Effort(least_moves=10, most_moves=10))
            start, cpu = time.perf_counter(), time.process_time()
            found = propose_beats(ground, settings)
            row = {"instance": name, "grids": len(ground), "kind": kind, "band": band}
            row |= {
                "seconds": round(time.perf_counter() - start, 2),
                "cpu_seconds": round(time.process_time() - cpu, 2),
            }
            row |= asdict(summary(ground, found.plan, found.rules))
            if kind == "least-change":
                row["bound_across"] = across(ground, len(found.plan.keys), band)
            yield row


def across(ground: BeatGround, k: int, band: float) -> float | None:
    """The bound that knows borders, as a share of all work; None where it does not apply."""
    keep, home = np.ones(len(ground), dtype=bool), ground.home
    judge = frame(ground, BeatSettings(band=band), k)
    if len(np.unique(judge.area)) > 1 or (home < 0).any() or len(np.unique(home)) != k:
        return None
    graph, _ = node_graph(judge.rules, keep, ground, float(ground.work.total.sum()) / k)
    found = least_moved_across(graph, np.unique(home, return_inverse=True)[1], k, band)
    return found / float(graph.households.sum())


def gaps(cases: int) -> Iterator[dict[str, Any]]:
    """Small cases against the proven optimum: least change, then compact."""
    for seed in range(cases):
        ground = city_ground(40, 5, seed)
        for kind, band in (("least-change", 0.10), ("compact", 0.10)):
            settings = BeatSettings(kind=kind, band=band, beats=5)
            rules = frame(ground, settings, 5).rules
            keep = np.ones(len(ground), dtype=bool)
            total = float(ground.work.total.sum())
            graph, _ = node_graph(rules, keep, ground, total / 5)
            label = divide_area(
                ground, settings, rules, np.arange(len(ground)), 5, Effort()
            )
            held = np.bincount(label, weights=graph.households)
            inside = bool((np.abs(held - 1) <= band + 1e-9).all())
            try:
                if kind == "least-change":
                    _, best = beats_exact.least_change(graph, ground.home, 5, band)
                    ours = float(graph.households[label != ground.home].sum())
                else:
                    _, best = beats_exact.compact(graph, 5, band)
                    ours, _ = mean_travel(graph.households, graph.x, graph.y, label, 5)
            except beats_exact.UnsolvedError as error:
                yield {"seed": seed, "kind": kind, "status": str(error)}
                continue
            yield {
                "seed": seed, "kind": kind, "status": "proven", "inside": inside,
                "ours": ours, "optimum": best, "gap": ours / best - 1 if best else ours,
            }


def table(rows: list[dict[str, Any]], proofs: list[dict[str, Any]]) -> str:
    """The record as Markdown."""
    lines = [
        "# Beats", "",
        "| instance | grids | beats | kind | band | inside | worst | work moved | bound | whole "
        "grids | borders | moved / bound | / borders | mean travel m | broken | seconds | "
        "processor seconds |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in rows:
        ratio = f"{r['moved_work'] / r['bound']:.2f}" if r["bound"] > 0 else ""
        crossed = r.get("bound_across")
        stronger = f"{crossed:.1%}" if crossed else ""
        nearer = f"{r['moved_work'] / crossed:.2f}" if crossed else ""
        lines.append(
            f"| {r['instance']} | {r['grids']} | {r['beats']} | {r['kind']} | ±{r['band']:.0%} | "
            f"{r['inside']:.0%} | {r['worst']:.1%} | {r['moved_work']:.1%} | {r['bound']:.1%} | "
            f"{r['bound_whole']:.1%} | {stronger} | {ratio} | {nearer} | {r['travel_m']:.0f} | "
            f"{r['broken']} | {r['seconds']:.1f} | {r['cpu_seconds']:.1f} |"
        )
    lines += [
        "", "40 grids into 5 beats, band ±10 %, against the proven optimum:", "",
        "| seed | kind | ours | optimum | gap |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for p in proofs:
        if p["status"] == "proven":
            lines.append(
                f"| {p['seed']} | {p['kind']} | {p['ours']:.4f} | {p['optimum']:.4f} | "
                f"{p['gap']:.2%} |"
            )
        else:
            lines.append(f"| {p['seed']} | {p['kind']} | | {p['status']} | |")
    return "\n".join(lines) + "\n"


def main(argv: list[str]) -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.beats")
    options.add_argument("--quick", action="store_true", help="without the city of 7,066 grids")
    given = options.parse_args(argv)
    rows: list[dict[str, Any]] = []
    proofs: list[dict[str, Any]] = []
    for name, ground in instances():
        rows += measure(name, ground)
        record(rows, proofs)  # a run cut short leaves what it has
    proofs += gaps(3)
    record(rows, proofs)
    if not given.quick:
        for row in measure("city 7,066", city_ground(7066, 820)):
            rows.append(row)
            record(rows, proofs)
    print(table(rows, proofs))
    return 0


def record(rows: list[dict[str, Any]], proofs: list[dict[str, Any]]) -> None:
    found = {"date": today(), "machine": machine("gridwright"), "rows": rows, "proofs": proofs}
    (RECORDS / "beats.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (RECORDS / "beats.md").write_text(table(rows, proofs), "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
