"""``gridwright serve``: start the web application on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent / "app.py"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``serve`` to the command line."""
    sub = commands.add_parser(
        "serve",
        help="start the web application",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright serve --project county --port 8501",
    )
    sub.add_argument("--project", metavar="DIR", help="folder with the files and plan.gpkg")
    sub.add_argument("--port", type=int, default=8501, metavar="N", help="port (8501)")
    sub.add_argument(
        "--address", default="127.0.0.1", metavar="ADDRESS",
        help="address to listen on (127.0.0.1: this machine only)",
    )
    sub.add_argument("--headless", action="store_true", help="open no browser window")
    sub.set_defaults(run=run_serve)


def run_serve(arguments: argparse.Namespace) -> int:
    """Hand over to Streamlit, telemetry off; returns only where it cannot start.

    By :mod:`ui.start`, which reads the project while the server starts.
    """
    if arguments.project:
        os.environ["GRIDWRIGHT_PROJECT"] = str(Path(arguments.project).resolve())
    command = [
        sys.executable, "-m", "ui.start", "run", str(APP),
        "--server.port", str(arguments.port),
        "--server.address", arguments.address,
        "--browser.gatherUsageStats", "false",
        "--client.showErrorDetails", "none",
        "--server.headless", "true" if arguments.headless else "false",
    ]
    os.chdir(APP.parent)
    os.execv(sys.executable, command)
