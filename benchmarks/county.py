"""The demonstration county from files to plan.gpkg, as a whole process.

    python -m benchmarks.county                    writes the county, proposes it, keeps the record

Each row is one run of the program as a user starts it: wall seconds, processor seconds, peak memory
of the largest process. One worker beside all is the peer: what the second core is worth. The
reading and the check of the plan stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.engines import RECORDS
from benchmarks.run import machine, today
from data.demo import write_county

LAYERS = ("villages", "roads", "water", "railways", "compounds", "groups", "dedicated")


@dataclass(frozen=True)
class Row:
    """One command as a whole process."""

    command: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(name: str, arguments: list[str]) -> Row:
    """Run ``gridwright`` with arguments; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # wait4 tells what this process and its workers used, not all children so far
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = used.ru_utime + used.ru_stime
    return Row(name, round(wall, 2), round(cpu, 2), round(used.ru_maxrss / 1024, 0))


def measure(folder: Path, repeats: int) -> list[Row]:
    """The median run (by wall time) of each command."""
    files = [f"--{name}={folder / name}.gpkg" for name in LAYERS]
    files.append(f"--households={folder / 'households.csv'}")
    plan = str(folder / "plan.gpkg")
    runs = {
        "propose, all cores": ["propose", *files, "-o", plan],
        "propose, --workers 1": ["propose", *files, "-o", plan, "--workers", "1"],
        "propose --micro 60": ["propose", *files, "-o", plan, "--micro", "60"],
        "check": ["check", plan],
    }
    rows = []
    for name, arguments in runs.items():
        done = sorted((timed(name, arguments) for _ in range(repeats)), key=lambda r: r.wall_s)
        rows.append(done[len(done) // 2])
    return rows


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| command | wall s | cpu s | peak MB |", "| --- | --- | --- | --- |"]
    lines += [f"| {r.command} | {r.wall_s} | {r.cpu_s} | {r.peak_mb:.0f} |" for r in rows]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.county", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each command (3)")
    parser.add_argument("--reduced", action="store_true", help="a county of 12 villages, no record")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        write_county(folder, villages=12 if chosen.reduced else 105)
        written = time.perf_counter() - start
        rows = measure(folder, 1 if chosen.reduced else chosen.repeats)
    rows.insert(0, Row("demo (in process)", round(written, 2), round(written, 2), 0.0))
    print(table(rows))
    if not chosen.reduced:
        record = {
            "date": today(),
            "machine": machine("gridwright"),
            "load_before": os.getloadavg(),
            "rows": [asdict(r) for r in rows],
        }
        (RECORDS / "county.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (RECORDS / "county.md").write_text(table(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
