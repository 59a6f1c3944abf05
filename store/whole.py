"""A store looked at from outside, by its place: its format, whether all is well, restoring it.

For commands, which must not make a store where none is, nor change one they only look at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from geo.messages import register
from geo.problems import InputError, Problem
from store import audit
from store.address import Address, address_of
from store.base import open_engine
from store.database import reading, telling, writing
from store.files import opened
from store.formats import upgrade
from store.postgres import format_of, open_server
from store.projects import Store
from store.schema import LOG, PROJECT, SCENARIO, VERSION
from store.sqlite import open_file
from store.verification import verify_store

register(
    {
        "store-missing": (
            "这里没有格匠的数据库;请检查路径或 GRIDWRIGHT_STORE。",
            "is no store; check the path, or GRIDWRIGHT_STORE.",
        ),
    }
)


@dataclass(frozen=True)
class Verdict:
    """What was found of a store: how much it holds, the head of its trail, what is wrong."""

    format: int
    projects: int
    scenarios: int
    steps: int
    head: str
    problems: list[Problem]


def existing(place: str | Path) -> Address:
    """The address of a store that is there; :class:`InputError` for a file that is not."""
    address = address_of(place)
    if address.path is not None and not address.path.is_file():
        raise InputError([Problem("store-missing", address.name)])
    return address


def file_format(path: Path) -> int:
    """The format of a store's file, as its header says."""
    with telling(path.name), path.open("rb") as file:
        head = file.read(100)
    return int.from_bytes(head[60:64], "big")


def verify(place: str | Path, head: str = "") -> Verdict:
    """Look a store through without changing it. Raises :class:`InputError` where it is none."""
    address = existing(place)
    if address.url is not None:
        engine = open_server(address.url, address.name)
    else:
        assert address.path is not None
        engine = open_file(address.path, read_only=True)
    try:
        with reading(engine, address.name) as c:
            found = verify_store(c, address.name, head)
            projects, scenarios, steps = (
                int(c.execute(select(func.count()).select_from(table)).scalar_one())
                for table in (PROJECT, SCENARIO, LOG)
            )
            number = VERSION
            if address.path is not None:
                number = int(c.exec_driver_sql("pragma user_version").scalar_one())
            last = audit.head(c) if number >= 2 else ""
    finally:
        engine.dispose()
    return Verdict(number, projects, scenarios, steps, last, found)


def migrate(place: str | Path, *, actor: str = "") -> tuple[int, int]:
    """Bring a store to the present format; returns the format before and now.

    A file is copied beside itself first; of a database, make a backup yourself.
    """
    address = existing(place)
    if address.path is not None:
        before = file_format(address.path)
        with audit.acting(actor):
            open_engine(address).dispose()
        return before, VERSION
    assert address.url is not None
    engine = open_server(address.url, address.name, migrating=True)
    try:
        before = format_of(engine, address.name)
        with writing(engine, address.name) as c:
            # nobody else migrates now; somebody may have, just before
            held = int(c.exec_driver_sql("select version_num from alembic_version").scalar_one())
            if held < VERSION:
                upgrade(c, held)
                detail = {"from": held, "to": VERSION}
                audit.append(c, "store.migrate", "store", detail, actor=actor)
    finally:
        engine.dispose()
    return before, VERSION


def restore(
    place: str | Path, backup: Path, *, replacing: bool = False, actor: str = ""
) -> Path | None:
    """Put a backup where a store is to be; returns where what was there is now, if anything.

    A file too damaged to be opened is moved aside, if it may be replaced and the backup is sound.
    """
    address = address_of(place)
    if address.path is not None:
        with telling(address.name):
            address.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Store(place) as store:
            return store.restore_backup(backup, replacing=replacing, actor=actor)
    except InputError as error:
        damaged = {(p.code, p.file) for p in error.problems} == {("store-damaged", address.name)}
        if not (damaged and replacing and address.path is not None):
            raise
    with opened(backup) as other:
        for problem in verify_store(other, backup.name):
            raise InputError([problem])
    moved = _aside(address.path)
    with Store(place) as store:
        store.restore_backup(backup, actor=actor)
    return moved


def _aside(path: Path) -> Path:
    """Move a damaged file, with its log, to a name beside it that is free."""
    number = 1
    while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    with telling(path.name):
        for ending in ("", "-wal", "-shm"):
            part = path.with_name(f"{path.name}{ending}")
            if part.exists():
                os.replace(part, target.with_name(f"{target.name}{ending}"))
    return target
