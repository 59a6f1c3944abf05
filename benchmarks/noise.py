"""How often does a map of pure noise show a hot or cold spot? Writes records/noise.md.

``.venv/bin/python -m benchmarks.noise [--runs 1000]``: events fall at random on 2,500 cells (and on
an area with a ragged border); each way of judging them is asked for its significant cells.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import shapely

from incidents.cells import Cells, cover, rectangle
from incidents.gistar import Method, gi_star

RECORD = Path(__file__).parent / "records" / "noise.md"
EVENTS = (50, 125, 500, 1_250, 5_000, 50_000, 500_000)
METHODS: tuple[tuple[str, Method], ...] = (
    ("auto", "auto"),
    ("normal z alone", "normal"),
    ("exact binomial alone", "poisson"),
    ("Monte Carlo", "monte_carlo"),
)
MONTE_CARLO_SHARE = 0.2  # each of its runs scatters the events 199 times


def ragged(seed: int = 5, size: float = 200.0) -> Cells:
    """An area of about 2,500 cells with a border like a county's: a wavy ring, in two parts."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0.0, 2.0 * np.pi, 240, endpoint=False)
    waves = sum(
        rng.uniform(0.0, 0.12) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 12)
    )
    reach = 5_600.0 * (1.0 + waves)
    ring = shapely.Polygon(np.column_stack([reach * np.cos(angle), reach * np.sin(angle)]))
    island = shapely.Point(9_000.0, 1_000.0).buffer(500.0)
    return cover(shapely.union(shapely.make_valid(ring), island), size)


def scatter(cells: Cells, events: int, rng: np.random.Generator) -> np.ndarray:
    """Counts of events that fall at random on the area's ground."""
    chance = cells.share.ravel() / cells.share.sum()
    return rng.multinomial(events, chance).astype(float).reshape(cells.shape)


def false_cells(cells: Cells, events: int, method: Method, runs: int, seed: int) -> np.ndarray:
    """(runs,) significant cells of each map of noise."""
    rng = np.random.default_rng(seed)
    return np.array(
        [
            gi_star(scatter(cells, events, rng), cells, method=method, runs=199, seed=run)
            .significant.sum()
            for run in range(runs)
        ]
    )  # fmt: skip


def table(name: str, cells: Cells, runs: int) -> list[str]:
    lines = [
        f"\n{name}: {int(cells.inside.sum()):,} cells.\n",
        "| events | method | maps | maps with a false cell | false cells a map |",
        "|---|---|---|---|---|",
    ]
    for events in EVENTS:
        for label, method in METHODS:
            many = round(runs * MONTE_CARLO_SHARE) if method == "monte_carlo" else runs
            if method == "monte_carlo" and events > 5_000:
                continue
            found = false_cells(cells, events, method, many, seed=events)
            lines.append(
                f"| {events:,} | {label} | {many:,} | {np.mean(found > 0):.1%} | "
                f"{found.mean():.2f} |"
            )
            print(lines[-1], flush=True)
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    lines = table("A square", rectangle(50, 50), options.runs)
    lines += table("A ragged border and an island", ragged(), options.runs)
    print(f"{time.perf_counter() - start:.0f} s")
    if not options.no_record:
        RECORD.write_text(
            "# Noise\n\nWritten by `python -m benchmarks.noise`. Events fall at random; every "
            "significant cell is false.\n" + "\n".join(lines) + "\n",
            "utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
