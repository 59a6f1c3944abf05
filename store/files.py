"""The store as files: backups, restoring them, and projects carried from one store to another.

Every file is an SQLite file of the store's own format, whichever database it came from. One that
comes from elsewhere is looked at as a stranger's: read-only, its tables compared with ours word
for word (so that it brings no trigger and no view of its own), every value checked, and everything
replayed before any of it is kept.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, select

from geo.messages import register
from geo.problems import InputError, Problem
from store import audit
from store.atomic import beside
from store.copying import copy_all, empty, is_empty, take_project
from store.database import reading, telling, writing
from store.formats import vacuum_into
from store.schema import METADATA, PROJECT, TABLES, VERSION
from store.schema_accounts import create_tables
from store.sqlite import open_file
from store.values import DamagedError
from store.verification import verify_project, verify_store

register(
    {
        "store-same-file": (
            "不能写到数据库自身;请另选文件名。",
            "is the store itself; choose another file.",
        ),
        "store-in-use": (
            "已有数据,不会被备份覆盖;确要替换请加 --force(现有数据会先另存)。",
            "holds data, which no backup replaces unasked; with --force it does, after what is "
            "there was saved beside it.",
        ),
    }
)


def refuse_itself(source: Path | None, target: Path) -> None:
    """Raise :class:`InputError` where a store would be written over itself."""
    if source is not None and target.resolve() == source.resolve():
        raise InputError([Problem("store-same-file", target.name)])


def backup_file(source: Path, target: Path) -> None:
    """Write a copy of a store's file that may be in use; whole or not at all."""
    with telling(target.name), beside(target) as temporary:
        vacuum_into(source, temporary)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.execute("pragma secure_delete = on")
            connection.execute("delete from sign_in")
            connection.execute("delete from presence")


def backup_rows(c: Connection, target: Path) -> None:
    """Write all that a database holds as one file; whole or not at all."""
    with _new_file(target) as other:
        empty(other)
        copy_all(other, c)


def export_project(c: Connection, project: int, target: Path) -> None:
    """Write one project with all its scenarios and steps as a file; whole or not at all."""
    with _new_file(target) as other:
        take_project(other, c, project)


@contextmanager
def _new_file(target: Path) -> Iterator[Connection]:
    """A transaction in a new file of the store that replaces ``target`` if all goes well."""
    with telling(target.name), beside(target) as temporary:
        engine = open_file(temporary)
        try:
            with writing(engine, target.name) as other:
                yield other
            with engine.connect() as connection:
                # as one file, which can be read where nothing may be written
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.execute("pragma journal_mode = delete")
        finally:
            engine.dispose()


def import_projects(c: Connection, path: Path) -> list[int]:
    """Take over the projects of an exported file; returns their numbers.

    Raises :class:`InputError` for a file that is missing, foreign, damaged or inconsistent.
    """
    with telling(path.name):
        with opened(path) as other:
            numbers = other.execute(select(PROJECT.c.id)).scalars().all()
            made = [take_project(c, other, number) for number in numbers]
        for project in made:
            for problem in verify_project(c, project, path.name):
                raise InputError([problem])
    return made


def restore(c: Connection, path: Path, name: str, *, replacing: bool) -> None:
    """Put a backup's content into a store, in the caller's transaction.

    Raises :class:`InputError` for a backup that is not sound, and for a store that holds anything
    unless it is to be replaced.
    """
    if not is_empty(c) and not replacing:
        raise InputError([Problem("store-in-use", name)])
    before = audit.head(c)
    with telling(path.name), opened(path) as other:
        for problem in verify_store(other, path.name):
            raise InputError([problem])
        empty(c)
        copy_all(c, other)
    detail = {"sha256": digest(path), "before": before}
    audit.append(c, "store.restore", "store", detail)


def digest(path: Path) -> str:
    """A file's SHA-256, for the audit trail."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """A file from elsewhere, looked at and opened for reading only."""
    with telling(path.name):
        _inspect(path)
        engine = open_file(path, read_only=True)
    try:
        with reading(engine, path.name) as other:
            yield other
    finally:
        engine.dispose()


def _inspect(path: Path) -> None:
    """Raise unless a file holds our tables, nothing else, and is sound."""
    if not path.is_file():
        raise FileNotFoundError(2, "no such file")
    with path.open("rb") as file:
        if not file.read(16).startswith(b"SQLite format 3\x00"):
            raise InputError([Problem("store-foreign", path.name)])
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma query_only = on")
        version = connection.execute("pragma user_version").fetchone()[0]
        if version <= VERSION and _tables(connection) != _own_tables(version):
            raise InputError([Problem("store-foreign", path.name)])
        report = connection.execute("pragma integrity_check(1)").fetchone()[0]
        broken = connection.execute("pragma foreign_key_check").fetchone()
    if report != "ok" or broken is not None:
        raise DamagedError(report if report != "ok" else "rows without their project")


def _tables(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(connection.execute("select type, name, tbl_name, sql from sqlite_master"))


def _own_tables(version: int) -> set[tuple[str, ...]]:
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as c:
            if version == VERSION:
                create_tables(c)
            else:
                METADATA.create_all(c, tables=TABLES)
            rows = c.exec_driver_sql("select type, name, tbl_name, sql from sqlite_master")
            return {tuple(row) for row in rows}
    finally:
        engine.dispose()
