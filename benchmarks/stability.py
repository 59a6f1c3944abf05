"""How many households change grid: a fresh run against ``--from``, after small changes.

    python -m benchmarks.stability                  the demonstration county, written anew
    python -m benchmarks.stability --villages 12    a smaller one

Two changes: 3 households more in one building, and 3 % more households at random in buildings that
stand. A household changes grid when its code is another than before. After a fresh run the codes
are those of the new numbering, so each new grid is first matched with the old one it shares most
households with: what counts is who lives with whom, not what the grid is called.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from data.demo import write_county
from geo.ground import Ground, Inputs, load_ground
from planning.county import CountyPlan, propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.tables import to_planfile
from planning.today import of_plan

RECORDS = Path(__file__).parent / "records"
LAYERS = ("roads", "water", "railways", "compounds", "groups", "dedicated")


@dataclass(frozen=True)
class Row:
    """One run after one change. ``bound`` is None where none is worked out (a fresh run)."""

    change: str
    run: str
    moved: int
    share: float
    bound: int | None
    broken: int
    within_10: float
    seconds: float


def with_growth(ground: Ground, added: np.ndarray) -> Ground:
    """The ground with households (and people, at the county's mean) added row by row."""
    table = ground.households.copy()
    known = bool((table["persons"] >= 0).all())
    size = table["persons"].sum() / max(table["households"].sum(), 1)
    table["households"] = table["households"] + added
    if known:
        table["persons"] = table["persons"] + np.round(added * size).astype(np.int64)
    return replace(ground, households=table)


def three_more(ground: Ground) -> np.ndarray:
    """Three households more in the building in the middle of the list."""
    added = np.zeros(len(ground.households), dtype=np.int64)
    added[len(added) // 2] = 3
    return added


def three_percent(ground: Ground, seed: int = 0) -> np.ndarray:
    """3 % more households, each in a building drawn by how many live there already."""
    held = ground.households["households"].to_numpy(dtype=float)
    total = round(0.03 * held.sum())
    return np.random.default_rng(seed).multinomial(total, held / held.sum()).astype(np.int64)


def moved(before: PlanFile, after: PlanFile) -> int:
    """Households, as counted before, whose grid is no longer the one that took its place."""
    old, new = before.households["grid_code"], after.households["grid_code"]
    held = before.households["households"].astype(int)
    shared = pd.crosstab(old, new, values=held, aggfunc="sum").fillna(0)
    rows, columns = linear_sum_assignment(-shared.to_numpy())
    return int(held.sum() - shared.to_numpy()[rows, columns].sum())


def measure(name: str, ground: Ground, before: PlanFile, settings: Settings) -> list[Row]:
    """A fresh run and a maintained one on changed ground."""
    rows = []
    for run in ("fresh", "--from"):
        today = of_plan(before, ground.crs) if run == "--from" else None
        start = time.perf_counter()
        plan = to_planfile(propose_county(ground, settings, today=today))
        seconds = time.perf_counter() - start
        away = moved(before, plan)
        bound = plan.value("from.lower_bound")
        over = plan.exceptions["rule"].isin(["max_persons", "max_households", "min_households"])
        rows.append(
            Row(
                change=name, run=run, moved=away,
                share=away / int(before.households["households"].sum()),
                bound=None if bound is None else int(bound), broken=int(over.sum()),
                within_10=float(plan.value("result.within_10_percent_of_ideal") or "nan"),
                seconds=round(seconds, 1),
            )
        )  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| change | run | households moved | share | at least | moved / least "
        "| rules broken | grids within 10 % | time |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        least = "–" if r.bound is None else str(r.bound)
        ratio = f"{r.moved / r.bound:.2f}" if r.bound else "–"
        lines.append(
            f"| {r.change} | {r.run} | {r.moved:,} | {r.share:.2%} | {least} | {ratio} "
            f"| {r.broken} | {r.within_10:.1%} | {r.seconds:.1f} s |"
        )
    return "\n".join(lines)


def county(directory: Path, villages: int) -> Ground:
    """The demonstration county's ground."""
    write_county(directory, 0, villages=villages)
    named = {
        name: directory / f"{name}.gpkg"
        for name in LAYERS
        if (directory / f"{name}.gpkg").exists()
    }
    return load_ground(
        Inputs(directory / "villages.gpkg", directory / "households.csv", **named)
    )


def plan_of(ground: Ground, settings: Settings) -> CountyPlan:
    """The plan that people work with before anything changes."""
    return propose_county(ground, settings)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, keep the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stability")
    parser.add_argument("--villages", type=int, default=105)
    options = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ground = county(Path(folder), options.villages)
    for rule, settings in (
        ("", Settings()),
        (", at most 330 households", Settings(max_households=330)),
    ):
        before = to_planfile(plan_of(ground, settings))
        for name, added in (("3 households", three_more), ("+3 %", three_percent)):
            grown = with_growth(ground, added(ground))
            rows += measure(name + rule, grown, before, settings)
    print(table(rows))
    if options.villages == 105:
        RECORDS.mkdir(exist_ok=True)
        machine = f"{platform.machine()}, Python {platform.python_version()}"
        record = {"machine": machine, "rows": [asdict(row) for row in rows]}
        text = json.dumps(record, indent=1) + "\n"
        (RECORDS / "stability.json").write_text(text, "utf-8")
        (RECORDS / "stability.md").write_text(table(rows) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
