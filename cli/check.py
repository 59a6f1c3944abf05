"""``gridwright check``: judge a plan, anybody's, from its geometry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from tqdm import tqdm

from cli.workers import add_workers
from geo.messages import register
from geo.problems import InputError, Problem
from geo.read import read_layer
from geo.repair import as_coverage
from planning.check import CHECKS, VILLAGES, Finding, check_plan
from planning.planfile import PlanFile, read_plan

register(
    {
        "plan-no-crs": (
            "没有坐标系说明,无法与其他文件比较;请先设定坐标系。",
            "does not say its coordinate system and cannot be compared; set it first.",
        ),
    }
)


MANY = 2000
"""Grids from which checking takes long enough to tell a log how far it is."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``check`` to the command line."""
    sub = commands.add_parser(
        "check",
        help="check a plan: gaps, overlaps, stray parts, counts, caps, codes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright check plan.gpkg --villages villages.gpkg\n\n"
        "A breach that the plan declares with a reason is listed and does not fail the check.",
    )
    sub.add_argument("plan", metavar="plan.gpkg", help="the plan to judge")
    sub.add_argument("--villages", metavar="FILE", help="the original village boundaries")
    sub.add_argument("--households", metavar="FILE", help="the original households")
    add_workers(sub)
    sub.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace) -> int:
    """0 for a sound plan, 1 where it breaks a rule without declaring it."""
    plan = read_plan(arguments.plan)
    villages = households = None
    if arguments.villages:
        layer = read_layer(arguments.villages, "villages", trusted=True)
        villages = _comparable(plan, layer.frame, layer.crs, Path(arguments.plan).name)
    if arguments.households:
        frame = read_layer(arguments.households, "households", trusted=True).frame
        counts = frame.get("households", pd.Series(1, index=frame.index)).fillna(0)
        households = pd.DataFrame({"households": counts.round().astype(np.int64)})
    findings = _judged(plan, villages, households, arguments.workers)
    for f in findings:
        mark = "declared" if f.declared else "BROKEN"
        name = CHECKS[f.rule][1]
        where = f" {f.grid_code}" if f.grid_code else ""
        print(f"{mark}{where}: {name}: {f.value:g} (limit {f.limit:g}); {f.reason}")
    broken = sum(not f.declared for f in findings)
    print(
        f"{len(plan.grids)} grids, {int(plan.grids['households'].sum())} households: "
        + (f"{broken} breaches" if broken else "sound")
        + (f", {len(findings) - broken} declared exceptions" if len(findings) > broken else ""),
        file=sys.stderr if broken else sys.stdout,
    )
    return 1 if broken else 0


def _judged(
    plan: PlanFile, villages: gpd.GeoDataFrame | None, households: pd.DataFrame | None,
    workers: int,
) -> list[Finding]:  # fmt: skip
    """The findings, with a bar on a terminal; in a log a line a tenth of the villages and one a
    kind of check, where it takes a while."""
    terminal = sys.stderr.isatty()
    with tqdm(disable=not terminal) as bar:
        stage, tenths = "", 0

        def show(what: str, done: int, total: int) -> None:
            nonlocal stage, tenths
            if stage != what:
                stage = what
                bar.reset(total)
                bar.set_description(what)
            bar.update(done - bar.n)
            tenth = 10 * done // total
            if not terminal and len(plan.grids) >= MANY and (what != VILLAGES or tenth > tenths):
                tenths = tenth if what == VILLAGES else tenths
                print(f"{done} of {total} {what}", file=sys.stderr)

        return check_plan(plan, villages, households, progress=show, workers=workers)


def _comparable(
    plan: PlanFile, frame: gpd.GeoDataFrame, crs: CRS | None, file: str
) -> gpd.GeoDataFrame:
    """The original villages in the plan's coordinate system, one row a code.

    Repaired as reading repairs them: ground that two villages claim can be covered only once.
    """
    if plan.grids.crs is None or crs is None:
        raise InputError([Problem("plan-no-crs", file)])
    own = frame.set_crs(crs, allow_override=True).to_crs(plan.grids.crs)
    if "code" not in own:
        own["code"] = [f"V{i + 1:03d}" for i in range(len(own))]
    names = list(own["code"].astype(str))
    shapes = np.asarray(shapely.force_2d(own.geometry.to_numpy()))
    own["geometry"] = as_coverage(shapes, names, file, repair_overlaps=True).geometry
    return own.dissolve("code", as_index=False)[["code", "geometry"]]
