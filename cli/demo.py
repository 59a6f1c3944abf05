"""``gridwright demo``: write the demonstration county, or a city of such counties."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tqdm import tqdm

_MOST_COUNTIES = 20


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    sub = commands.add_parser(
        "demo",
        help="write the demonstration county, or a city",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright demo county\n  gridwright demo --city city",
    )
    sub.add_argument("directory", metavar="DIR", help="folder to write to; made where missing")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="another county (0)")
    sub.add_argument(
        "--city", action="store_true",
        help="a city of 1.7 million households in some 2,000 villages: minutes, 250 MB",
    )
    sub.add_argument(
        "--counties", type=_counties, metavar="N",
        help=f"with --city: counties side by side, 1 to {_MOST_COUNTIES} (19)",
    )
    sub.set_defaults(run=run_demo)


def _counties(text: str) -> int:
    """A number of counties, for argparse to refuse what is none."""
    number = int(text)
    if not 1 <= number <= _MOST_COUNTIES:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {_MOST_COUNTIES}")
    return number


def run_demo(arguments: argparse.Namespace) -> int:
    """Write it and name the files."""
    folder, seed = Path(arguments.directory), arguments.seed
    if arguments.city or arguments.counties is not None:
        paths = _city(folder, seed, arguments.counties)
    else:
        from data.demo import write_county  # no other command needs it, nor waits for it

        paths = write_county(folder, seed)
    for path in paths:
        print(path)
    return 0


def _city(folder: Path, seed: int, counties: int | None) -> list[Path]:
    from data.city import COUNTIES, write_city

    total = counties or COUNTIES
    with tqdm(total=total, unit="county", disable=not sys.stderr.isatty()) as bar:

        def told(done: int, of: int) -> None:
            bar.update(done - bar.n)
            if bar.disable:
                print(f"{done} of {of} counties", file=sys.stderr)

        return write_city(
            folder, seed, counties=total, workers=os.cpu_count() or 1, told=told
        )
