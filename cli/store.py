"""``gridwright store``: look after the store: format, backups, restoring, whether all is well."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli.tasks import add_task
from geo.problems import InputError, Problem
from store.address import VARIABLE, configured

if TYPE_CHECKING:
    from store.whole import Verdict

# The store's libraries are imported by the task that needs them: no other command waits for them.


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``store`` and its own commands to the command line."""
    sub = commands.add_parser(
        "store",
        help="look after the store: migrate, backup, restore, verify, audit, forget …",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n  gridwright store backup -o monday.gridwright\n"
        "  gridwright store verify --store monday.gridwright",
    )
    own = sub.add_subparsers(dest="task", required=True, metavar="TASK")
    add_task(own, "migrate", run_migrate, "bring a store of an earlier format to the present one")
    backup = add_task(own, "backup", run_backup, "write all of it, in use or not, as one file")
    backup.add_argument("-o", "--output", required=True, metavar="FILE", help="the backup")
    restore = add_task(own, "restore", run_restore, "put a backup's content in place")
    restore.add_argument("file", metavar="FILE", help="a file that backup wrote")
    restore.add_argument(
        "--force", action="store_true",
        help="replace what the store holds, after saving it beside the backup",
    )  # fmt: skip
    verify = add_task(own, "verify", run_verify, "replay every plan, check the audit trail")
    verify.add_argument(
        "--head", default="", metavar="N:HASH",
        help="an end of the audit trail, as verify printed it before, to be looked for",
    )  # fmt: skip
    audit = add_task(own, "audit", run_audit, "write the audit trail as .csv or .jsonl")
    audit.add_argument("-o", "--output", required=True, metavar="FILE", help=".csv or .jsonl")
    audit.add_argument("--since", default="", metavar="TIME", help="e.g. 2026-01-31 (UTC)")
    expire = add_task(own, "expire", run_expire, "delete entries of the audit trail by their age")
    expire.add_argument("--days", type=_days, required=True, metavar="N", help="what is kept")
    forget = add_task(own, "forget", run_forget, "take the households out of a plan; counts stay")
    forget.add_argument("plan", metavar="PLAN", help="a plan.gpkg")
    forget.add_argument(
        "--inputs", action="store_true",
        help="delete the files of its folder, too, whose names say that they hold households",
    )  # fmt: skip
    key = own.add_parser("key", help="make a key for households", description=run_key.__doc__)
    key.add_argument("-o", "--output", required=True, metavar="FILE", help="the key's file, new")
    key.set_defaults(run=run_key)
    seal = own.add_parser("seal", help="put a plan's households under the key, or out of it")
    seal.add_argument("plan", metavar="PLAN", help="a plan.gpkg")
    seal.add_argument("--open", action="store_true", help="write them open again")
    seal.set_defaults(run=run_seal)


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 36500:
        raise argparse.ArgumentTypeError("a number of days from 1 on")
    return int(text)


def _place(arguments: argparse.Namespace) -> str | Path:
    named = {VARIABLE: arguments.store} if arguments.store else os.environ
    return configured(named)


def _actor() -> str:
    """Who types, as this machine calls them."""
    return f"os:{getpass.getuser()}"


def run_migrate(arguments: argparse.Namespace) -> int:
    """Bring the store to the present format."""
    from store.whole import migrate

    before, now = migrate(_place(arguments), actor=_actor())
    if before == now:
        print(f"format {now} already")
    else:
        print(f"format {before} before, {now} now")
    return 0


def run_backup(arguments: argparse.Namespace) -> int:
    """Write a backup, and look it through before saying that there is one."""
    from store.projects import Store
    from store.whole import existing, verify

    existing(_place(arguments))
    with Store(_place(arguments)) as store:
        store.backup(arguments.output, actor=_actor())
    return _tell(verify(Path(arguments.output)))


def run_restore(arguments: argparse.Namespace) -> int:
    """Put a backup in place."""
    from store.whole import restore, verify

    place = _place(arguments)
    saved = restore(place, Path(arguments.file), replacing=arguments.force, actor=_actor())
    if saved is not None:
        print(f"what was there is now {saved}")
    return _tell(verify(place))


def run_verify(arguments: argparse.Namespace) -> int:
    """0 where all is well, 1 with what is wrong."""
    from store.whole import verify

    return _tell(verify(_place(arguments), arguments.head))


def _tell(verdict: Verdict) -> int:
    for problem in verdict.problems:
        print(problem.text("en"), file=sys.stderr)
    print(
        f"format {verdict.format}, {verdict.projects} projects, {verdict.scenarios} scenarios, "
        f"{verdict.steps} steps: {'NOT well' if verdict.problems else 'well'}"
    )
    if verdict.head:
        print(f"audit trail ends with {verdict.head}")
    return 1 if verdict.problems else 0


def run_audit(arguments: argparse.Namespace) -> int:
    """Write the audit trail."""
    from store.projects import Store
    from store.trailfile import check_name, write_trail
    from store.whole import existing

    check_name(Path(arguments.output))
    existing(_place(arguments))
    with Store(_place(arguments)) as store:
        notes = store.trail(since=arguments.since)
        write_trail(notes, Path(arguments.output))
        detail = {"entries": len(notes)}
        store.note(_actor(), "", "audit.export", "store", detail)
    print(f"{len(notes)} entries")
    return 0


def run_expire(arguments: argparse.Namespace) -> int:
    """Delete old entries of the audit trail."""
    from store.projects import Store
    from store.whole import existing

    existing(_place(arguments))
    with Store(_place(arguments)) as store:
        print(f"{store.expire_trail(arguments.days, actor=_actor())} entries deleted")
    return 0


def run_forget(arguments: argparse.Namespace) -> int:
    """Take the households out of a plan, and note it where there is a store."""
    from store.address import address_of
    from store.households import forget_households
    from store.projects import Store

    place, plan = _place(arguments), Path(arguments.plan)
    path = address_of(place).path
    if path is not None and not path.exists() and not arguments.store:
        gone = forget_households(plan, inputs=arguments.inputs)  # nobody keeps a trail here
    else:
        with Store(place) as store:
            gone = forget_households(plan, inputs=arguments.inputs, store=store, actor=_actor())
    for name in gone.files:
        print(f"deleted {name}")
    print(", ".join(f"{count} rows of {name}" for name, count in gone.rows.items()))
    return 0


def run_key(arguments: argparse.Namespace) -> int:
    """Write a new key to a file that nobody else may read; give its path in GRIDWRIGHT_KEY_FILE."""
    from planning.sealed import new_key

    path = Path(arguments.output)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        params = {"reason": error.strerror or type(error).__name__}
        raise InputError([Problem("key-not-written", path.name, params=params)]) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{new_key()}\n")
    print("keep a copy elsewhere: without it the households cannot be read by anybody")
    return 0


def run_seal(arguments: argparse.Namespace) -> int:
    """Write a plan anew with its households under the environment's key, or open."""
    from planning.sealed import key_of
    from store.households import reseal

    key = key_of(os.environ)
    if key is None and not arguments.open:
        raise InputError([Problem("key-unfit", "GRIDWRIGHT_KEY")])
    reseal(Path(arguments.plan), None if arguments.open else key)
    return 0
