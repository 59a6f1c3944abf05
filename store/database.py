"""One SQLite file as a database: how it is opened, and what its errors mean.

Everything that is SQLite's own stands here and in :mod:`store.files`. One transaction a change,
begun at once for writing (a deferred one that finds itself overtaken fails without waiting);
write-ahead log, every commit synced to disk before it is acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from geo.messages import register
from geo.problems import InputError, Problem
from store.schema import APPLICATION, METADATA, VERSION, DamagedError

register(
    {
        "store-not-writable": (
            "无法打开或写入数据库({reason});请检查文件夹是否存在、可写、有空间。已确认的步骤没有丢失。",
            "cannot be opened or written ({reason}); check that the folder exists, may be written "
            "to and has space. No acknowledged step is lost.",
        ),
        "store-busy": (
            "数据库正被其他程序占用;请稍后再试。",
            "is kept busy by another program; try again in a moment.",
        ),
        "store-damaged": (
            "数据库已损坏或被截断({reason});请恢复备份。",
            "is damaged or cut off ({reason}); restore a backup.",
        ),
        "store-foreign": (
            "不是格匠的项目文件;请选择由格匠导出的文件。",
            "is no project file of Gridwright; choose a file that it exported.",
        ),
        "store-newer": (
            "由更新版本的格匠写成(格式 {version});请先升级本程序。",
            "was written by a newer Gridwright (format {version}); upgrade the program first.",
        ),
    }
)

WAIT_MS = 30_000
_FULL = ("disk I/O", "is full", "readonly", "read-only", "unable to open", "file size")


def file_error(error: Exception, file: str) -> InputError:
    """What a database's error means to whoever works with the file."""
    cause = getattr(error, "orig", None) or error
    text = str(cause)
    if "locked" in text or "busy" in text:
        return InputError([Problem("store-busy", file)])
    if isinstance(cause, OSError):
        text = cause.strerror or type(cause).__name__
        return InputError([Problem("store-not-writable", file, params={"reason": text})])
    if any(word in text for word in _FULL):
        return InputError([Problem("store-not-writable", file, params={"reason": text})])
    if "file is not a database" in text:
        return InputError([Problem("store-foreign", file)])
    return InputError([Problem("store-damaged", file, params={"reason": text[:200]})])


@contextmanager
def telling(file: str) -> Iterator[None]:
    """Turn database, file and damage errors into :class:`InputError` with one sentence."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError, DamagedError) as error:
        raise file_error(error, file) from error


def open_file(path: Path, *, read_only: bool = False) -> Engine:
    """An engine on a file of the store, made if it is missing (not with ``read_only``).

    Raises :class:`InputError` for a file that is not the store's, is newer, damaged, or cannot be
    written.
    """
    with telling(path.name):
        if not read_only and not path.exists():
            # nobody else's business; the log beside it gets the same rights
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        _refuse_foreign(path)
        engine = _engine(path, read_only)
        try:
            _prepare(engine, path.name, read_only)
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


def _engine(path: Path, read_only: bool) -> Engine:
    mode = "ro" if read_only else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # SQLAlchemy's pool hands a connection to one thread at a time
        return sqlite3.connect(
            address, uri=True, timeout=WAIT_MS / 1000, isolation_level=None,
            check_same_thread=False,
        )  # fmt: skip

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4)

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma synchronous = full")
        if read_only:
            connection.execute("pragma query_only = on")
        else:
            connection.execute("pragma journal_mode = wal")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _prepare(engine: Engine, file: str, read_only: bool) -> None:
    with engine.connect().execution_options(writes=not read_only) as c, c.begin():
        application = c.exec_driver_sql("pragma application_id").scalar_one()
        version = c.exec_driver_sql("pragma user_version").scalar_one()
        tables = c.exec_driver_sql("select count(*) from sqlite_master").scalar_one()
        if application == APPLICATION and version == VERSION and tables:
            return
        if application == APPLICATION and version > VERSION:
            raise InputError([Problem("store-newer", file, params={"version": version})])
        if application or version or tables or read_only:
            raise InputError([Problem("store-foreign", file)])
        METADATA.create_all(c)
        c.exec_driver_sql("pragma application_id = 1196573783")
        c.exec_driver_sql("pragma user_version = 1")


@contextmanager
def reading(engine: Engine, file: str) -> Iterator[Connection]:
    """One consistent view of the database."""
    with telling(file), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, file: str) -> Iterator[Connection]:
    """One transaction: all of it happens, synced to disk, or none of it."""
    with telling(file), engine.connect() as bare:
        connection = bare.execution_options(writes=True)
        with connection.begin():
            yield connection
