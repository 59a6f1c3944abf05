"""How far the engines are from proven optima on small cases.

    python -m benchmarks.gaps                                  hamlets only
    python -m benchmarks.gaps --fl25 DIRECTORY                 and the solved precincts
    python -m benchmarks.gaps --engines gridwright,metis

Hamlets of up to 14 units are compared with all their contiguous plans, larger ones with the
optima CP-SAT proves. Written to ``benchmarks/records/gaps.json`` and ``gaps.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.engines import RECORDS
from benchmarks.exact import gap
from benchmarks.instance import Instance, Ints
from benchmarks.measure import quality
from benchmarks.ours import prices
from benchmarks.plans import Measured, all_plans, fl25, hamlet, measure_all, rounded, standing
from benchmarks.run import ENGINES, machine, today

ENUMERATED = ((10, 2), (12, 3), (14, 3), (14, 4))
PROVEN = ((18, 3), (20, 4), (22, 3), (25, 4))
SEEDS = (1, 2, 3, 4, 5)
FAST = ("gridwright", "metis", "metis-recursive", "power")

HEADINGS = (
    "case", "engine", "plans found", "border gap", "deviation gap",
    "PP gap", "reach gap", "price gap", "better plans",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and keep the gaps; 0 always, for a gap is a result."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gaps",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--fl25", type=Path, help="directory of peers.gpkg and fl25_enum.parquet")
    parser.add_argument("--engines", default=",".join(FAST))
    options = parser.parse_args(arguments)
    names = options.engines.split(",")
    # read before the engine is imported: an edit while this runs must not pass for what ran
    machines = {name: machine(name) for name in names}
    rows = [
        {"case": case, **one_gap(case_of, name)}
        for case, case_of in cases(options.fl25)
        for name in names
    ]
    record = {
        "date": today(),
        "machine": machines,
        "rows": rows,
    }
    RECORDS.mkdir(exist_ok=True)
    text = json.dumps(record, indent=1)
    (RECORDS / "gaps.json").write_text(text + "\n", encoding="utf-8")
    (RECORDS / "gaps.md").write_text(table(rows), encoding="utf-8")
    print(table(rows))
    return 0


@dataclass(frozen=True)
class Case:
    """An instance and, where they are known, all its plans with their measures and prices."""

    instance: Instance
    everything: Measured | None = None
    cheapest: float | None = None


def _enumerated(instance: Instance, plans: NDArray[np.int8]) -> Case:
    return Case(instance, measure_all(instance, plans), float(prices(instance, plans).min()))


def cases(solved: Path | None) -> Iterator[tuple[str, Case]]:
    """The hamlets of both kinds, then the solved precincts if they are here."""
    for units, k in (*ENUMERATED, *PROVEN):
        for seed in SEEDS:
            instance = hamlet(units, k, seed=seed)
            known = (units, k) in ENUMERATED
            case = _enumerated(instance, all_plans(instance)) if known else Case(instance)
            yield f"{units} units, k={k}", case
    if solved is not None:
        yield "fl25, k=3", _enumerated(*fl25(solved))


def one_gap(case: Case, name: str) -> dict[str, Any]:
    """The gaps of one engine on one case; ``found`` False when its plan is not comparable."""
    instance = case.instance
    row: dict[str, Any] = {"instance": instance.name, "engine": name, "found": False}
    try:
        labels = ENGINES[name](instance, 1).labels
    except ImportError as error:
        return row | {"reason": f"not installed: {error.name or error}"}
    except (ValueError, RuntimeError) as error:
        return row | {"reason": f"failed: {error}"}
    measured = quality(instance, labels)
    if measured.broken or measured.grids != instance.k:
        return row | {"reason": f"{measured.grids} grids, {measured.broken} broken"}
    row |= {"found": True} | measured.record()
    if case.everything is None or case.cheapest is None:
        return row | {"gaps": asdict(gap(instance, labels))}
    plan = _as_row(labels)
    price = float(prices(instance, plan)[0])
    found = asdict(standing(case.everything, measure_all(instance, plan)))
    return row | {"gaps": {**found, "price_gap": rounded(price / case.cheapest - 1.0)}}


def _as_row(labels: Ints) -> NDArray[np.int8]:
    return np.unique(labels, return_inverse=True)[1].astype(np.int8)[None, :]


def table(rows: list[dict[str, Any]]) -> str:
    """Means over the seeds of a case, the worst in brackets."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|" + " --- |" * len(HEADINGS)]
    for case, engine in dict.fromkeys((row["case"], row["engine"]) for row in rows):
        mine = [row for row in rows if (row["case"], row["engine"]) == (case, engine)]
        gaps = [row["gaps"] for row in mine if row["found"]]
        cells = [case, engine, f"{len(gaps)} of {len(mine)}"]
        cells.append(_mean_and_worst([g.get("border_gap", g.get("border")) for g in gaps]))
        cells.append(_mean_and_worst([g.get("deviation_gap", g.get("deviation")) for g in gaps]))
        cells.append(_mean_and_worst([g.get("pp_gap") for g in gaps], "{:.3f}"))
        cells.append(_mean_and_worst([g.get("reach_gap") for g in gaps]))
        cells.append(_mean_and_worst([g.get("price_gap") for g in gaps]))
        cells.append(_mean_and_worst([g.get("better") for g in gaps], "{:.1f}"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _mean_and_worst(values: list[float | None], form: str = "{:.1%}") -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    if len(known) == 1:
        return form.format(known[0])
    return f"{form.format(sum(known) / len(known))} ({form.format(max(known))})"


if __name__ == "__main__":
    sys.exit(main())
