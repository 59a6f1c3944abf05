"""Compare the proposal engine with its peers on one synthetic village.

    python -m benchmarks.engines                             30,000 households, 100 grids
    python -m benchmarks.engines --size 3000 --peers metis,skater
    python -m benchmarks.engines --roads --peers gridwright,metis,metis-roads
    python -m benchmarks.engines --reduced                   a minute's check; keeps no record

The table is printed, and kept beside the JSON record in ``benchmarks/records``. A record holds
one row per engine with the date and the machine it was measured on; running some engines again
replaces their rows and leaves the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.instance import SIZES, Instance, village
from benchmarks.peers import SLOW
from benchmarks.run import DEADLINE_S, ENGINES, run

RECORDS = Path(__file__).parent / "records"

HEADINGS = (
    "engine", "time s", "cpu s", "households", "worst", "in 5 %", "in 10 %", "broken",
    "PP mean (min)", "reach m", "split", "on road",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the engines asked for, print the table, keep the record; 0 when every row is done."""
    options = _parser().parse_args(arguments)
    size = 3_000 if options.reduced else options.size
    names = _chosen(options.peers, size, roads=options.roads, reduced=options.reduced)
    instance = village(size, seed=options.instance_seed, roads=options.roads)
    print(f"{instance.name}: {len(instance.households):,} units, {instance.k} grids", flush=True)
    rows = []
    for name in names:
        row = run(name, instance, seed=options.seed, deadline=options.deadline)
        rows.append(row)
        print(f"{name}: {row['status']}", flush=True)
        if not options.reduced:
            keep(instance, [row])
    shown = rows if options.reduced else kept(instance.name)["rows"]
    print("\n" + table(shown))
    return 0 if all(row["status"] == "done" for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", type=int, choices=sorted(SIZES), default=30_000)
    parser.add_argument("--roads", action="store_true", help="the variant with a road lattice")
    parser.add_argument("--peers", help=f"comma-separated, of: {', '.join(ENGINES)}")
    parser.add_argument("--seed", type=int, default=1, help="the engines' seed")
    parser.add_argument("--instance-seed", type=int, default=1, help="the village's seed")
    parser.add_argument("--deadline", type=float, default=DEADLINE_S, help="seconds per engine")
    parser.add_argument("--reduced", action="store_true", help="3,000 households, fast engines")
    return parser


def _chosen(asked: str | None, size: int, *, roads: bool, reduced: bool) -> list[str]:
    if asked:
        names = [name.strip() for name in asked.split(",") if name.strip()]
        if unknown := [name for name in names if name not in ENGINES]:
            print(f"unknown: {', '.join(unknown)}; known: {', '.join(ENGINES)}", file=sys.stderr)
            raise SystemExit(2)
        return names
    leave_out = SLOW if size > 3_000 or reduced else set()
    leave_out = leave_out if roads else leave_out | {"metis-roads"}
    return [name for name in ENGINES if name not in leave_out]


def kept(name: str) -> dict[str, Any]:
    """The record of an instance, empty when none was kept yet."""
    path = RECORDS / f"{name}.json"
    if not path.exists():
        return {"instance": name, "rows": []}
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def keep(instance: Instance, rows: list[dict[str, Any]]) -> None:
    """Put rows into the instance's record and write its table again."""
    record = kept(instance.name)
    record |= {
        "grids": instance.k,
        "units": len(instance.households),
        "households": int(instance.households.sum()),
        "square_km": round(float(instance.area.sum()) / 1e6, 3),
    }
    merged = {row["engine"]: row for row in [*record["rows"], *rows]}
    record["rows"] = [merged[name] for name in ENGINES if name in merged]
    RECORDS.mkdir(exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (RECORDS / f"{instance.name}.json").write_text(text + "\n", encoding="utf-8")
    (RECORDS / f"{instance.name}.md").write_text(table(record["rows"]), encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|" + " --- |" * len(HEADINGS)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cells(row: dict[str, Any]) -> list[str]:
    if row["status"] != "done":
        return [row["engine"], row["status"], *["–"] * (len(HEADINGS) - 2)]
    grids = f"{row['smallest']}-{row['largest']}"
    return [
        row["engine"],
        f"{row['seconds']:.2f}",
        f"{row['cpu_seconds']:.2f}",
        grids,
        f"{row['worst']:.1%}",
        f"{row['within_5']:.0%}",
        f"{row['within_10']:.0%}",
        str(row["broken"]),
        f"{row['pp_mean']:.3f} ({row['pp_min']:.3f})",
        f"{row['reach_m']:.0f}",
        str(row["split"]),
        "–" if row["on_road"] is None else f"{row['on_road']:.0%}",
    ]


if __name__ == "__main__":
    sys.exit(main())
