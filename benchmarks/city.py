"""A city from files to plan.gpkg: seconds, memory, and how both grow with the households.

    python -m benchmarks.city                     10,000 to 165,000 households; keeps the record
    python -m benchmarks.city --large DIR         also the city that `demo --city DIR` wrote
    python -m benchmarks.city --cluster           also on a Dask scheduler with one and two workers
    python -m benchmarks.city --reduced           5,000 households, no record

Each row is one run of ``gridwright propose`` as a user starts it. Processor seconds are those of
the program and its workers; peak memory is the largest sum over all its processes, each page that
several share counted once (PSS). A cluster's processor seconds are only those of the client.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyogrio

from benchmarks.engines import RECORDS
from benchmarks.run import machine, today
from data.city import write_city

LAYERS = ("villages", "roads", "water", "railways", "compounds", "groups", "dedicated")
SIZES = ((1, 12), (1, 48), (2, 97))  # counties and villages each: 10, 41 and 165,000 households


@dataclass(frozen=True)
class Row:
    """One run of the program."""

    households: int
    villages: int
    grids: int
    where: str
    wall_s: float
    cpu_s: float
    peak_mb: int


def family(process: int) -> list[int]:
    """A process and its children."""
    found = [process]
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            text = Path(f"/proc/{process}/task/{thread}/children").read_text()
            for child in text.split():
                found += family(int(child))
    except OSError:  # it ended meanwhile
        return found
    return found


def memory_kb(process: int) -> int:
    """Memory of a process, its share of what it shares; 0 when it has ended."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def run(city: Path, where: str, *more: str) -> Row:
    """Propose grids for a city; raises CalledProcessError where that fails.

    The plan goes to a folder of its own: a city may hold one that others look at.
    """
    with tempfile.TemporaryDirectory() as work:
        return _run(city, Path(work) / "plan.gpkg", where, *more)


def _run(city: Path, plan: Path, where: str, *more: str) -> Row:
    files = [f"--{name}={city / name}.gpkg" for name in LAYERS]
    files.append(f"--households={city / 'households.parquet'}")
    command = [sys.executable, "-m", "cli.main", "propose", *files, "-o", str(plan), *more]
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, sum(map(memory_kb, family(process.pid))))
        time.sleep(1.0)  # asking costs: a gigabyte of pages is looked through
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    villages = pyogrio.read_dataframe(plan, layer="villages", read_geometry=False)
    grids = pyogrio.read_info(plan, layer="grids")["features"]
    cpu = used.ru_utime + used.ru_stime
    return Row(
        int(villages["households"].sum()), len(villages), int(grids), where, round(wall, 1),
        round(cpu, 1), round(peak / 1024),
    )  # fmt: skip


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler and workers in processes of their own on this machine; its address."""
    file = folder / f"scheduler-{workers}.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [
            *start, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--no-dashboard", "--scheduler-file", str(file),
        ],
        **quiet,
    )  # fmt: skip
    try:
        while not file.exists() or not file.read_text():
            if scheduler.poll() is not None:
                raise RuntimeError("the scheduler did not start")
            time.sleep(0.1)
        helper = subprocess.Popen(
            [
                *start, "distributed.cli.dask_worker", "--scheduler-file", str(file),
                "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard",
                "--local-directory", str(folder),
            ],
            **quiet,
        )  # fmt: skip
        try:
            yield str(json.loads(file.read_text())["address"])
        finally:
            helper.terminate()
            helper.wait(30)
    finally:
        scheduler.terminate()
        scheduler.wait(30)


def exponent(rows: list[Row]) -> float | None:
    """The power of households with which processor seconds grow, by least squares of logarithms."""
    own = [row for row in rows if row.where == "two workers"]
    if len(own) < 2:
        return None
    x, y = np.log([row.households for row in own]), np.log([row.cpu_s for row in own])
    return float(np.polyfit(x, y, 1)[0])


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| households | villages | grids | where | wall s | cpu s | cpu ms a village | peak MB |",
        "| ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r.households:,} | {r.villages:,} | {r.grids:,} | {r.where} | {r.wall_s} | {r.cpu_s} "
        f"| {1000 * r.cpu_s / r.villages:.0f} | {r.peak_mb:,} |"
        for r in rows
    ]
    return "\n".join(lines)


def measure(folder: Path, sizes: tuple[tuple[int, int], ...], *, spread: bool) -> list[Row]:
    """A run for every size; the last also with one worker, with micro-grids and on a cluster."""
    rows = []
    for counties, villages in sizes:
        city = folder / f"{counties}-{villages}"
        write_city(city, counties=counties, villages=villages)
        rows.append(run(city, "two workers", "--workers", "2"))
    if len(sizes) > 1:
        rows.append(run(city, "one worker", "--workers", "1"))
    rows.append(run(city, "two workers, --micro 60", "--workers", "2", "--micro", "60"))
    if spread:
        for workers in (1, 2):
            with cluster(workers, folder) as address:
                where = f"cluster, {workers} worker{'s' * (workers > 1)}"
                rows.append(run(city, where, "--scheduler", address))
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.city", description=__doc__)
    parser.add_argument("--large", type=Path, metavar="DIR", help="a city that demo --city wrote")
    parser.add_argument("--cluster", action="store_true", help="also on a cluster of this machine")
    parser.add_argument("--reduced", action="store_true", help="5,000 households, no record")
    chosen = parser.parse_args(arguments)
    load = os.getloadavg()
    sizes = ((1, 6),) if chosen.reduced else SIZES
    with tempfile.TemporaryDirectory() as name:
        rows = measure(Path(name), sizes, spread=chosen.cluster)
    if chosen.large is not None:
        rows.append(run(chosen.large, "two workers", "--workers", "2"))
        finer = ("--workers", "2", "--micro", "60")
        rows.append(run(chosen.large, "two workers, --micro 60", *finer))
    print(table(rows))
    power = exponent(rows)
    if power is not None:
        print(f"\nprocessor seconds grow with households to the power of {power:.2f}")
    if not chosen.reduced:
        record = {
            "date": today(),
            "machine": machine("gridwright"),
            "load_before": load,
            "exponent": power,
            "rows": [asdict(r) for r in rows],
        }
        (RECORDS / "city.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (RECORDS / "city.md").write_text(table(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
