"""``gridwright user``: who may sign in, and what they may do."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli.tasks import add_task
from store.address import VARIABLE, configured
from store.policy import ROLES, Grant

if TYPE_CHECKING:
    from store.projects import Store

PASSWORD = "GRIDWRIGHT_PASSWORD"
"""Where a script puts a first password; never an option, which every process could read."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``user`` and its own commands to the command line."""
    sub = commands.add_parser(
        "user",
        help="accounts and roles: add, list, grant, revoke, password, disable, enable",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright user add chief --role administrator\n"
        "  gridwright user add lu.town.1 --role planner@玉泉镇 --role viewer",
    )
    own = sub.add_subparsers(dest="task", required=True, metavar="TASK")
    add = add_task(
        own, "add", run_add, "a new account, with a password to be changed at first use"
    )
    _name(add)
    add.add_argument(
        "--role", action="append", default=[], type=_grant, metavar="ROLE[@TOWNSHIP]",
        help=f"{', '.join(ROLES)}; in the county, or in a township (its name or nine digits)",
    )  # fmt: skip
    add.add_argument(
        "--office", action="store_true", help="signs in through the office's provider (OpenID)"
    )
    for name, run, does in (
        ("password", run_password, "a new password, to be changed at first use; unlocks nothing"),
        ("disable", run_disable, "shut the account; whoever uses it is out at once"),
        ("enable", run_enable, "open it again, and unlock it"),
        ("sign-out", run_sign_out, "end all its sign-ins"),
    ):
        _name(add_task(own, name, run, does))
    for name, run, does in (
        ("grant", run_grant, "give a role"), ("revoke", run_revoke, "take a role"),
    ):  # fmt: skip
        task = add_task(own, name, run, does)
        _name(task)
        task.add_argument("role", type=_grant, metavar="ROLE[@TOWNSHIP]")
    add_task(own, "list", run_list, "all accounts")


def _name(task: argparse.ArgumentParser) -> None:
    task.add_argument("name", metavar="NAME", help="the account")


def _grant(text: str) -> Grant:
    role, _, scope = text.partition("@")
    if role not in ROLES:
        raise argparse.ArgumentTypeError(f"no role {role!r}; there are {', '.join(ROLES)}")
    return Grant(role, scope)


def _open(arguments: argparse.Namespace) -> Store:
    from store.projects import Store

    place = configured({VARIABLE: arguments.store} if arguments.store else os.environ)
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    return Store(place)


def _actor() -> str:
    return f"os:{getpass.getuser()}"


def _first_password() -> tuple[str, bool]:
    """The password, and whether it was made here and has to be told."""
    given = os.environ.get(PASSWORD)
    if given:
        return given, False
    if sys.stdin.isatty():
        typed = getpass.getpass("first password (empty: one is made): ")
        if typed:
            return typed, False
    return secrets.token_urlsafe(12), True


def run_add(arguments: argparse.Namespace) -> int:
    """A new account."""
    password, made = (None, False) if arguments.office else _first_password()
    with _open(arguments) as store:
        store.add_account(arguments.name, password, tuple(arguments.role), actor=_actor())
    print(f"account {arguments.name} added")
    if made:
        print(f"first password, to be changed when it is used: {password}")
    if not arguments.role:
        print(f"it may do nothing yet: gridwright user grant {arguments.name} viewer")
    return 0


def run_password(arguments: argparse.Namespace) -> int:
    """A new password."""
    password, made = _first_password()
    with _open(arguments) as store:
        store.reset_password(arguments.name, password, actor=_actor())
    print(f"new password, to be changed when it is used: {password}" if made else "done")
    return 0


def run_disable(arguments: argparse.Namespace) -> int:
    """Shut an account."""
    with _open(arguments) as store:
        store.disable(arguments.name, actor=_actor())
    return 0


def run_enable(arguments: argparse.Namespace) -> int:
    """Open an account."""
    with _open(arguments) as store:
        store.enable(arguments.name, actor=_actor())
    return 0


def run_sign_out(arguments: argparse.Namespace) -> int:
    """End all sign-ins of an account."""
    with _open(arguments) as store:
        store.sign_out_everywhere(arguments.name, actor=_actor())
    return 0


def run_grant(arguments: argparse.Namespace) -> int:
    """Give a role."""
    with _open(arguments) as store:
        role: Grant = arguments.role
        store.grant(arguments.name, role.role, role.scope, actor=_actor())
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """Take a role."""
    with _open(arguments) as store:
        role: Grant = arguments.role
        store.revoke(arguments.name, role.role, role.scope, actor=_actor())
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """All accounts, one a line."""
    with _open(arguments) as store:
        for one in store.accounts():
            roles = " ".join(g.role + (f"@{g.scope}" if g.scope else "") for g in one.grants)
            signs = [
                word
                for word, on in (
                    ("office", one.office), ("must-change", one.must_change),
                    ("disabled", one.disabled), ("locked", one.locked),
                )
                if on
            ]  # fmt: skip
            print("\t".join([one.name, roles or "-", ",".join(signs) or "-", one.last_seen or "-"]))
    return 0
