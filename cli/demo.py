"""``gridwright demo``: write the demonstration county."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    sub = commands.add_parser(
        "demo",
        help="write the demonstration county",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright demo county",
    )
    sub.add_argument("directory", metavar="DIR", help="folder to write to; made where missing")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="another county (0)")
    sub.set_defaults(run=run_demo)


def run_demo(arguments: argparse.Namespace) -> int:
    """Write it and name the files."""
    from data.demo import write_county  # no other command needs it, nor waits for it

    for path in write_county(Path(arguments.directory), arguments.seed):
        print(path)
    return 0
