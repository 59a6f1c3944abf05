"""Tasks of commands that work on the store: ``store backup``, ``user add``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from store.address import VARIABLE

Tasks = argparse._SubParsersAction  # argparse has no public name for it


def add_task(
    tasks: Tasks[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    does: str,
) -> argparse.ArgumentParser:
    """A task that calls ``run``, with ``--store``; ``does`` tells people what it is for."""
    task = tasks.add_parser(name, help=does, description=does)
    task.add_argument(
        "--store", metavar="PLACE",
        help=f"its file, or postgresql+psycopg://… (default: {VARIABLE}, else the user's own)",
    )  # fmt: skip
    task.set_defaults(run=run)
    return task
