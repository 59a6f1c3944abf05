"""``--workers`` of the commands that run on several processes."""

from __future__ import annotations

import argparse
import os


def add_workers(group: argparse._ArgumentGroup) -> None:
    """Let a command be told its number of processes: ``arguments.workers``."""
    group.add_argument(
        "--workers", type=number_of_processes, default=os.cpu_count() or 1, metavar="N",
        help="processes (default: one a core); the result is the same for any number",
    )  # fmt: skip


def number_of_processes(text: str) -> int:
    """A number of processes, for argparse to refuse what is none."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; give 1 or more")
    return number
