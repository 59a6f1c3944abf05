"""``gridwright``: one program, a sub-command a task. Exit codes: 0 done, 1 a rule is broken, 2 bad
input or arguments (one line a problem on standard error, nothing written), 3 a fault of our own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from geo.problems import InputError

_COMMANDS = (
    "propose", "check", "compare", "beats", "hotspots", "report", "inspect", "demo", "serve",
    "store", "user",
)  # fmt: skip


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; every sub-command's help ends with an example.

    Where the ``command`` is known, it knows that one alone: loading all takes a second more.
    """
    top = argparse.ArgumentParser(
        prog="gridwright",
        description="Gridwright (格匠): proposes, checks and files the grids of grassroots "
        "governance.",
        epilog="example: gridwright demo county && gridwright propose --villages "
        "county/villages.gpkg --households county/households.csv -o plan.gpkg",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in (command,) if command in _COMMANDS else _COMMANDS:
        import_module(f"cli.{name}").add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    given = sys.argv[1:] if argv is None else list(argv)
    arguments = parser(given[0] if given else None).parse_args(given)
    try:
        return int(arguments.run(arguments))
    except InputError as error:
        for problem in error.problems:
            print(problem.text("en"), file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has seen enough
        return 0
    except Exception as error:
        if os.environ.get("GRIDWRIGHT_DEBUG"):
            raise
        print(
            f"gridwright: an unexpected error ({type(error).__name__}) stopped the work; nothing "
            "was written. Run again with GRIDWRIGHT_DEBUG=1 and report what it prints.",
            file=sys.stderr,
        )
        return 3
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
