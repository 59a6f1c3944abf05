"""One transaction a change, whichever database it is, and what a database's errors mean.

A transaction that writes has the store to itself from its first statement: ``BEGIN IMMEDIATE`` in
a file, a lock on one small table on a server, where every transaction is REPEATABLE READ. So a
change is checked against what it changes, and the second of two is told (:class:`Conflict`)
instead of failing half-way; readers never wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, TimeoutError

from geo.messages import register
from geo.problems import InputError, Problem
from store.values import DamagedError

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
        "store-unreachable": (
            "无法连接数据库({reason});数据库恢复后可继续。已确认的步骤没有丢失。",
            "cannot be reached ({reason}); work goes on when it is back. No acknowledged step is "
            "lost.",
        ),
        "store-moved": (
            "数据库文件已被移走或替换;请放回原处。已确认的步骤没有丢失。",
            "was moved away or replaced while in use; put it back. No acknowledged step is lost.",
        ),
        "store-unfit": (
            "有一个值无法保存({reason});请修改后重试。",
            "cannot keep one of the values ({reason}); change it and try again.",
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
# What a server's states mean, by their first characters.
_STATES = {
    "40": "store-busy",  # overtaken, or each waiting for the other
    "55P03": "store-busy",  # waited in vain for its turn
    "57014": "store-busy",
    "53": "store-not-writable",  # disk full, no memory, too many connections
    "25006": "store-not-writable",
    "0A000": "store-not-writable",  # a standby, which only copies another
    "42501": "store-not-writable",
    "22": "store-unfit",
    "08": "store-unreachable",
    "28": "store-unreachable",
    "3D": "store-unreachable",
    "57P": "store-unreachable",
}


class MovedError(Exception):
    """The file is no longer where it was opened, or another lies there."""


def file_error(error: Exception, file: str) -> InputError:
    """What a database's error means to whoever works with it."""
    if isinstance(error, MovedError):
        return InputError([Problem("store-moved", file)])
    cause = getattr(error, "orig", None) or error
    text = str(cause)
    if hasattr(cause, "sqlstate"):
        return InputError([_server_problem(cause, file)])
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


def _server_problem(cause: BaseException, file: str) -> Problem:
    state = getattr(cause, "sqlstate", None) or "08"  # none where there was no connection
    code = next((code for start, code in _STATES.items() if state.startswith(start)), None)
    lines = str(cause).splitlines()
    return Problem(
        code or "store-damaged", file, params={"reason": lines[0][:200] if lines else state}
    )


@contextmanager
def telling(file: str) -> Iterator[None]:
    """Turn database, file and damage errors into :class:`InputError` with one sentence."""
    try:
        yield
    except TimeoutError as error:  # every connection of this process is in use
        raise InputError([Problem("store-busy", file)]) from error
    except (DBAPIError, sqlite3.Error, OSError, DamagedError, MovedError) as error:
        raise file_error(error, file) from error


@contextmanager
def reading(engine: Engine, file: str) -> Iterator[Connection]:
    """One consistent view of the database."""
    with telling(file), engine.connect() as bare:
        connection = bare.execution_options(postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, file: str) -> Iterator[Connection]:
    """One transaction: all of it happens, synced to disk, or none of it."""
    with telling(file), engine.connect() as bare:
        connection = bare.execution_options(writes=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                # No query before this: the first one fixes what the transaction sees.
                connection.exec_driver_sql("lock table alembic_version in exclusive mode")
            yield connection
