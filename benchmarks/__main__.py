"""Every benchmark in a reduced form, in five minutes, against the committed record.

    python -m benchmarks                what `make bench` runs; compares, changes no record
    python -m benchmarks --keep         makes what was measured the record to compare with
    python -m benchmarks --full         the long ones: villages of 30,000, the gaps, the county

Processor seconds are compared, not wall seconds, so that other work on the machine counts little;
and both are divided by the seconds of a fixed piece of work (the yardstick) on the same machine at
the same time. Slower than the noise is what took a quarter more than the record, and a second.
Peers stand in the tables of the benchmarks themselves, which are printed as they finish.
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

import numpy as np
import shapely

from benchmarks import county, engines, gaps
from benchmarks.engines import RECORDS
from benchmarks.run import machine, today

# not among them: the board's, which needs a browser and a running program, and the gaps to proven
# optima, whose proofs alone take longer than all the others
REDUCED: dict[str, tuple[str, list[str]]] = {
    "a village of 3,000, beside peers": ("engines", ["--reduced"]),
    "the same, with roads": ("engines", ["--reduced", "--roads", "--peers", "gridwright,metis"]),
    "ground cut into cells, beside peers": ("cutting", ["--reduced"]),
    "a county of 12 villages": ("county", ["--reduced"]),
    "a city of 5,000 households": ("city", ["--reduced"]),
    "20,000 rows read, beside pandas": ("reading", ["--reduced"]),
    "stability of 8 villages": ("stability", ["--villages", "8"]),
    "police beats": ("beats", ["--quick"]),
    "hot spots in noise": ("noise", ["--runs", "50", "--monte-carlo", "5", "--no-record"]),
    "100,000 events": ("hotspots", ["--no-record"]),
}
FILE = RECORDS / "reduced.json"
_DEADLINE_S = 100.0
_MORE, _LEAST_S = 1.25, 1.0
# so that a benchmark that keeps a record keeps it where nobody looks for it
_CHILD = """
import importlib, sys
from pathlib import Path
module = importlib.import_module("benchmarks." + sys.argv[1])
if hasattr(module, "RECORDS"):
    module.RECORDS = Path(sys.argv[2])
sys.exit(module.main(sys.argv[3:]))
"""


@dataclass(frozen=True)
class Row:
    """One benchmark in its reduced form; ``units`` its processor seconds by the yardstick's."""

    name: str
    status: str
    wall_s: float
    cpu_s: float
    units: float


def yardstick() -> float:
    """Processor seconds of a fixed piece of geometry and arithmetic: the best of three."""
    rng = np.random.default_rng(0)
    times = []
    for _ in range(3):
        start = time.process_time()
        points = shapely.points(rng.uniform(0, 1000, (60_000, 2)))
        shapely.STRtree(points).query(points[:20_000], predicate="dwithin", distance=5.0)
        shapely.union_all(shapely.buffer(points[:1500], 9.0))
        np.linalg.svd(rng.normal(size=(250, 250)))
        times.append(time.process_time() - start)
    return min(times)


def measured(name: str, unit_s: float, deadline: float = _DEADLINE_S) -> Row:
    """Run one benchmark in a process of its own, with a deadline."""
    module, arguments = REDUCED[name]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, module, folder, *arguments]
        start, before = time.perf_counter(), os.times()
        try:
            code = subprocess.run(command, timeout=deadline, check=False).returncode
            status = "done" if code == 0 else f"ended with {code}"
        except subprocess.TimeoutExpired:
            status = f"over {deadline:.0f} s"
        wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Row(name, status, round(wall, 1), round(cpu, 2), round(cpu / unit_s, 1))


def slower(rows: list[Row], record: list[Row]) -> list[str]:
    """A sentence for each benchmark that failed, or got slower than the noise."""
    known = {row.name: row for row in record}
    said = []
    for row in rows:
        before = known.get(row.name)
        if row.status != "done":
            said.append(f"{row.name}: {row.status}")
        elif before is not None and before.status == "done" and before.units > 0:
            ratio = row.units / before.units
            if ratio > _MORE and row.cpu_s * (1 - 1 / ratio) > _LEAST_S:
                said.append(f"{row.name}: {ratio:.2f} times the record")
    return said


def table(rows: list[Row], record: list[Row]) -> str:
    """The rows in Markdown, with their ratio to the record."""
    known = {row.name: row.units for row in record if row.status == "done" and row.units > 0}
    lines = [
        "| benchmark, reduced | status | wall s | cpu s | yardsticks | by the record |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for r in rows:
        ratio = f"{r.units / known[r.name]:.2f}" if r.name in known else ""
        lines.append(
            f"| {r.name} | {r.status} | {r.wall_s} | {r.cpu_s} | {r.units} | {ratio} |"
        )
    return "\n".join(lines)


def reduced(*, keep: bool) -> int:
    """Run all, compare, say what became slower; 1 where something did."""
    record: list[Row] = []
    if FILE.exists():
        record = [Row(**row) for row in json.loads(FILE.read_text("utf-8"))["rows"]]
    unit_s = yardstick()
    rows = []
    for name in REDUCED:
        print(f"\n## {name}\n", flush=True)
        rows.append(measured(name, unit_s))
    found = {
        "date": today(), "machine": machine("gridwright"), "yardstick_s": round(unit_s, 3),
        "load": os.getloadavg(), "rows": [asdict(row) for row in rows],
    }  # fmt: skip
    print("\n" + json.dumps({k: v for k, v in found.items() if k != "rows"}))
    print("\n" + table(rows, record))
    said = slower(rows, record)
    print("\n" + ("\n".join(said) if said else "nothing is slower than the record by more than "
                  "the noise"))  # fmt: skip
    if keep:
        FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (RECORDS / "reduced.md").write_text(table(rows, []) + "\n", encoding="utf-8")
    return 1 if said else 0


def main(arguments: list[str] | None = None) -> int:
    """Reduced, or with --full the long comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep what was measured as the record")
    parser.add_argument("--full", action="store_true", help="the long benchmarks instead")
    chosen = parser.parse_args(arguments)
    if chosen.full:
        results = [engines.main([]), engines.main(["--roads"])]
        return max(*results, gaps.main([]), county.main([]))
    return reduced(keep=chosen.keep)


if __name__ == "__main__":
    sys.exit(main())
