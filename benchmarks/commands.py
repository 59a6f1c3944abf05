"""Every command on a whole city, each as a process of its own: seconds and peak memory.

    python -m benchmarks.commands DIR             a city of `demo --city DIR` with its plan.gpkg
    python -m benchmarks.commands DIR --only beats report

Nothing is written into DIR. A row that is measured again replaces its own and no other in
records/commands.json and .md. Peak memory is the largest sum over all processes of a command, each
page that several share counted once (PSS).
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

from benchmarks.city import LAYERS, family, memory_kb
from benchmarks.engines import RECORDS
from benchmarks.run import machine, today


@dataclass(frozen=True)
class Row:
    """One command's run; ``load`` of the machine when it started."""

    command: str
    wall_s: float
    cpu_s: float
    peak_mb: int
    load: float
    date: str


def commands(city: Path, work: Path) -> dict[str, list[str]]:
    """Name -> arguments of each command."""
    plan, events = str(city / "plan.gpkg"), str(city / "incidents.parquet")
    files = [f"--{name}={city / name}.gpkg" for name in LAYERS]
    files.append(f"--households={city / 'households.parquet'}")
    originals = [f"--villages={city / 'villages.gpkg'}", files[-1]]
    return {
        "propose": ["propose", *files, "-o", str(work / "plan.gpkg")],
        "propose --micro 60": ["propose", *files, "--micro", "60", "-o", str(work / "micro.gpkg")],
        "check": ["check", plan, *originals],
        "beats": ["beats", plan, "--existing", str(city / "beats.gpkg"), "--incidents", events,
                  "--stations", str(city / "stations.gpkg"), "-o", str(work / "beats.gpkg")],
        "hotspots": ["hotspots", events, "--plan", plan, "-o", str(work / "hotspots.gpkg")],
        "report --no-sheets": ["report", plan, "-o", str(work / "filed"), "--no-sheets"],
        "inspect": ["inspect", str(city / "households.parquet"),
                    f"--villages={city / 'villages.gpkg'}", "-o", str(work / "clean.gpkg")],
        "compare (with itself)": ["compare", plan, plan, "-o", str(work / "moved.gpkg")],
        "demo --city": ["demo", "--city", str(work / "city")],
    }  # fmt: skip


def measure(name: str, arguments: list[str]) -> Row:
    """Run one command. Raises CalledProcessError where it fails."""
    load = os.getloadavg()[0]
    start, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", "cli.main", *arguments]
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
    cpu = used.ru_utime + used.ru_stime
    return Row(name, round(wall, 1), round(cpu, 1), round(peak / 1024), round(load, 1), today())


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| command | wall s | cpu s | peak MB | load before |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {r.command} | {r.wall_s} | {r.cpu_s} | {r.peak_mb:,} | {r.load} |" for r in rows
    ]
    return "\n".join(lines)


def keep(row: Row) -> list[Row]:
    """Put a row into the record; all rows."""
    path = RECORDS / "commands.json"
    held = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    rows = {one["command"]: Row(**one) for one in held} | {row.command: row}
    record = {"machine": machine("gridwright"), "rows": [asdict(one) for one in rows.values()]}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(table(list(rows.values())) + "\n", encoding="utf-8")
    return list(rows.values())


def main(arguments: list[str]) -> None:
    """Measure, print, keep the record row by row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description=__doc__)
    parser.add_argument("city", type=Path)
    parser.add_argument("--only", nargs="*", default=[], metavar="COMMAND")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        found = commands(chosen.city.resolve(), Path(work))
        for name, line in found.items():
            if not chosen.only or name in chosen.only:
                print(table(keep(measure(name, line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
