"""``gridwright compare``: what two plans have in common, and what moved between them."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from geo.problems import InputError, Problem
from planning.compare import Comparison, compare_plans, layers_of
from planning.planfile import read_plan, try_target, write_layers

_ROWS = (
    ("grids", "grids", "{:,.0f}"),
    ("households", "households", "{:,.0f}"),
    ("within_10", "within 10 % of the village's mean", "{:.1%}"),
    ("worst", "farthest from it", "{:.1%}"),
    ("polsby_popper", "compactness (Polsby-Popper)", "{:.3f}"),
    ("edge_on_line", "inner border on a line", "{:.1%}"),
    ("exceptions", "exceptions declared", "{:,.0f}"),
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare`` to the command line."""
    sub = commands.add_parser(
        "compare",
        help="compare two plans: households and grids that changed, and how each plan does",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright compare before.gpkg after.gpkg -o changes.gpkg\n\n"
        "Grids are matched by the households and the ground they share, not by their codes.",
    )
    sub.add_argument("a", metavar="a.gpkg", help="the plan before")
    sub.add_argument("b", metavar="b.gpkg", help="the plan after")
    sub.add_argument(
        "-o", "--output", metavar="changes.gpkg",
        help="write the pieces that moved, the grids matched, and the figures",
    )  # fmt: skip
    sub.set_defaults(run=run_compare)


def run_compare(arguments: argparse.Namespace) -> int:
    """0 however much the plans differ; it is a comparison, not a verdict."""
    if arguments.output:
        target = Path(arguments.output)
        if target.resolve() in (Path(arguments.a).resolve(), Path(arguments.b).resolve()):
            raise InputError([Problem("output-is-input", target.name)])
        try_target(target)
    found = compare_plans(read_plan(arguments.a), read_plan(arguments.b))
    if arguments.output:
        write_layers(layers_of(found), Path(arguments.output))
    print("\n".join(lines_of(found)))
    return 0


def lines_of(found: Comparison) -> list[str]:
    """The comparison as lines of text."""
    lines = [f"{'':36}{'a':>12}{'b':>12}"]
    for name, title, form in _ROWS:
        values = [getattr(plan, name) for plan in (found.a, found.b)]
        told = ["-" if v is None or np.isnan(v) else form.format(v) for v in values]
        lines.append(f"{title:36}{told[0]:>12}{told[1]:>12}")
    words = found.grids["change"].value_counts()
    kinds = [f"{int(words.get(k, 0))} {k}" for k in ("changed", "new", "gone", "same")]
    share = found.households_changed / max(found.households, 1)
    lines += [
        f"grids: {', '.join(kinds)}",
        f"households that changed grid: {found.households_changed:,} of {found.households:,} "
        f"({share:.1%}); variation of information {found.information:.4f}",
    ]
    return lines
