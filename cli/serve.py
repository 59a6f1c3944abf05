"""``gridwright serve``: start the web application on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from ipaddress import ip_address
from pathlib import Path

from geo.messages import register
from geo.problems import InputError, Problem

register(
    {
        "serve-unguarded": (
            "没有登录时只能监听本机（127.0.0.1），不能监听 {address}；"
            "请建立账号后加 --sign-in local。",
            "without sign-in only this machine (127.0.0.1) can be listened on, not {address}; add "
            "accounts with gridwright user add and start with --sign-in local.",
        ),
    }
)

SIGN_IN = "GRIDWRIGHT_SIGN_IN"
AHEAD = "GRIDWRIGHT_AHEAD"
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
    sub.add_argument(
        "--sign-in", choices=("none", "local", "office"),
        default=os.environ.get(SIGN_IN) or "none",
        help="none: one person, on this machine alone; local: accounts (gridwright user add); "
        "office: the OpenID Connect provider of .streamlit/secrets.toml (none)",
    )  # fmt: skip
    sub.add_argument("--headless", action="store_true", help="open no browser window")
    sub.set_defaults(run=run_serve)


def refuse_unguarded(sign_in: str, address: str) -> None:
    """Raise :class:`InputError` where others could reach a server that asks nobody who they are."""
    if sign_in == "none" and not is_loopback(address):
        raise InputError([Problem("serve-unguarded", "", params={"address": address})])


def is_loopback(address: str) -> bool:
    """Is it an address that only this machine reaches?"""
    if address == "localhost":
        return True
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def run_serve(arguments: argparse.Namespace) -> int:
    """Hand over to Streamlit, telemetry off; returns only where it cannot start.

    By :mod:`ui.start`, which reads the project while the server starts.
    """
    refuse_unguarded(arguments.sign_in, arguments.address)
    os.environ[SIGN_IN] = arguments.sign_in
    if arguments.sign_in == "none":
        print(
            "one person, no sign-in: only this machine can open it (--sign-in local for accounts)",
            file=sys.stderr,
        )
    else:
        os.environ.setdefault(AHEAD, "1")
    print(f"http://{arguments.address}:{arguments.port}", file=sys.stderr)
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
