"""The store as one SQLite file: how it is opened, and that it is still where it was.

Write-ahead log, every commit synced to disk before it is acknowledged, foreign keys on. A file
that is moved away while it is open would go on being written to under another name, or under
none; so each transaction first looks whether the file is still there.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from geo.problems import InputError, Problem
from store import audit, database
from store.database import MovedError, telling, writing
from store.formats import keep_as_it_was, upgrade
from store.schema import APPLICATION, VERSION
from store.schema_accounts import create_tables

POOL = 8  # connections of one process, and as many again at a pinch


def open_file(path: Path, *, read_only: bool = False) -> Engine:
    """An engine on a file of the store, made if it is missing (not with ``read_only``).

    A file of an earlier format is brought to the present one after a copy of it was put beside it
    (:func:`store.formats.keep_as_it_was`); with ``read_only`` it is left as it is. Raises
    :class:`InputError` for a file that is not the store's, is newer, damaged, or cannot be
    written.
    """
    with telling(path.name):
        if not read_only and not path.exists():
            # nobody else's business; the log beside it gets the same rights
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        _refuse_foreign(path)
        engine = _engine(path, read_only)
        try:
            _prepare(engine, path, read_only)
        except BaseException:
            engine.dispose()
            raise
    return engine


def _refuse_foreign(path: Path) -> None:
    """Look at a file's header before anything could change it.

    With a write-ahead log beside it the header may be behind; then :func:`_prepare` decides.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if not head or path.with_name(f"{path.name}-wal").exists():
        return
    ours = head[68:72] == APPLICATION.to_bytes(4, "big") or path.stat().st_size <= 4096
    if not head.startswith(b"SQLite format 3\x00") or not ours:
        raise InputError([Problem("store-foreign", path.name)])
    _refuse_newer(int.from_bytes(head[60:64], "big"), path.name)


def _refuse_newer(version: int, file: str) -> None:
    if version > VERSION:
        raise InputError([Problem("store-newer", file, params={"version": version})])


def _engine(path: Path, read_only: bool) -> Engine:
    mode = "ro" if read_only else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # SQLAlchemy's pool hands a connection to one thread at a time
        return sqlite3.connect(
            address, uri=True, timeout=database.WAIT_MS / 1000, isolation_level=None,
            check_same_thread=False,
        )  # fmt: skip

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=POOL, max_overflow=POOL
    )

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(path)
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma synchronous = full")
        if read_only:
            connection.execute("pragma query_only = on")
        else:
            connection.execute("pragma journal_mode = wal")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        held = connection.info.get("file")
        if held != _identity(path):
            connection.invalidate()  # the next one opens what lies there then
            raise MovedError(path.name)
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path: its device and number there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(engine: Engine, path: Path, read_only: bool) -> None:
    """See what the file is, and make it a store of the present format."""
    file = path.name
    with engine.connect().execution_options(writes=not read_only) as c, c.begin():
        application, version = _marks(c)
        tables = c.exec_driver_sql("select count(*) from sqlite_master").scalar_one()
        ours = application == APPLICATION and tables and version > 0
        if ours:
            _refuse_newer(version, file)
        else:
            if application or version or tables or read_only:
                raise InputError([Problem("store-foreign", file)])
            create_tables(c)
            audit.append(c, "store.create", "store")
            _mark(c)
            return
    if version < VERSION and not read_only:
        keep_as_it_was(path, version)
        with writing(engine, file) as c:
            if _marks(c)[1] < VERSION:  # nobody did it meanwhile
                upgrade(c, version)
                audit.append(c, "store.migrate", "store", {"from": version, "to": VERSION})
                _mark(c)


def _marks(c: Connection) -> tuple[int, int]:
    """Whose file it is, and its format."""
    application = c.exec_driver_sql("pragma application_id").scalar_one()
    return int(application), int(c.exec_driver_sql("pragma user_version").scalar_one())


def _mark(c: Connection) -> None:
    c.exec_driver_sql("pragma application_id = 1196573783")
    c.exec_driver_sql("pragma user_version = 2")
