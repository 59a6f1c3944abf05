"""The store in a PostgreSQL database with PostGIS: how it is opened.

The tables lie in the first schema of the search path, so that one database can hold several
stores. A commit is on disk before it is acknowledged, whatever the server's default. Connections
that broke are replaced when they are next asked for, so work goes on when the server is back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from geo.messages import register
from geo.problems import InputError, Problem
from store import audit, database
from store.database import reading, telling
from store.schema import VERSION
from store.schema_accounts import create_tables, tables_of

register(
    {
        "store-no-postgis": (
            "数据库缺少 PostGIS;请管理员在其中执行 CREATE EXTENSION postgis。",
            "has no PostGIS; let its administrator run CREATE EXTENSION postgis in it.",
        ),
        "store-older": (
            "格式较旧({version});请先备份数据库,再运行 gridwright store migrate。",
            "is of an earlier format ({version}); back the database up, then run "
            "gridwright store migrate.",
        ),
    }
)

POOL = 8  # connections of one process, and as many again at a pinch
IDLE_MS = 300_000  # a transaction whose process hangs gives its turn up after this
MAKING = 1196573783  # the lock of whoever makes the tables


def open_server(url: URL, name: str, *, migrating: bool = False) -> Engine:
    """An engine on a database; the tables are made where there are none.

    Raises :class:`InputError` where the database cannot be reached or used, has no PostGIS, holds
    something else, or a store of a newer format; and of an earlier one, unless ``migrating``:
    several servers may work on it, so bringing it to the present is somebody's decision.
    """
    with telling(name):
        engine = _engine(url)
        try:
            found = format_of(engine, name)
            if found == 0:
                _create(engine, name)
                found = format_of(engine, name)
            if found > VERSION:
                raise InputError([Problem("store-newer", name, params={"version": found})])
            if found < VERSION and not migrating:
                raise InputError([Problem("store-older", name, params={"version": found})])
        except BaseException:
            engine.dispose()
            raise
    return engine


def _engine(url: URL) -> Engine:
    engine = create_engine(
        url, isolation_level="REPEATABLE READ", pool_pre_ping=True, pool_size=POOL,
        max_overflow=POOL, connect_args={"connect_timeout": 10, "application_name": "gridwright"},
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _: Any) -> None:
        settings = {
            "synchronous_commit": "on",
            "lock_timeout": str(database.WAIT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_MS),
        }
        for name, value in settings.items():
            connection.execute("select set_config(%s, %s, false)", (name, value))
        connection.commit()

    return engine


def format_of(engine: Engine, name: str) -> int:
    """The format of the store in a database, 0 for none. :class:`InputError` for another's."""
    with reading(engine, name) as c:
        held = _tables(c)
        if "alembic_version" not in held:
            if held & {table.name for table in tables_of("postgresql")}:
                raise InputError([Problem("store-foreign", name)])
            return 0
        revision = c.exec_driver_sql("select max(version_num) from alembic_version").scalar()
        if not str(revision).isdigit() or not {"project", "log"} <= held:
            raise InputError([Problem("store-foreign", name)])
        return int(str(revision))


def _tables(c: Connection) -> set[str]:
    """Names of the tables in the store's own schema."""
    rows = c.exec_driver_sql(
        "select tablename from pg_catalog.pg_tables where schemaname = current_schema()"
    )
    return {str(row[0]) for row in rows}


def _create(engine: Engine, name: str) -> None:
    """Make the tables, unless another process just did."""
    with telling(name), engine.begin() as c:
        # Whoever waits here sees the other's tables: names are looked up afresh.
        c.exec_driver_sql("select pg_advisory_xact_lock(%s)", (MAKING,))
        made = "select to_regclass(quote_ident(current_schema()) || '.alembic_version')"
        if c.exec_driver_sql(made).scalar() is None:
            need_postgis(c, name)
            create_tables(c)
            audit.append(c, "store.create", "store")


def need_postgis(c: Connection, name: str) -> None:
    """Raise :class:`InputError` unless the database has PostGIS, or gives it on being asked."""
    if c.exec_driver_sql("select to_regtype('geometry')").scalar() is not None:
        return
    offered = c.exec_driver_sql(
        "select 1 from pg_available_extensions where name = 'postgis'"
    ).scalar()
    allowed = c.exec_driver_sql(
        "select rolsuper from pg_roles where rolname = current_user"
    ).scalar()
    if not (offered and allowed):
        raise InputError([Problem("store-no-postgis", name)])
    c.exec_driver_sql("create extension postgis")
