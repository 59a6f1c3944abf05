"""A PostgreSQL server with PostGIS of the tests' own: a folder, a socket, nothing on the network.

``GRIDWRIGHT_REQUIRE_POSTGRES=1`` turns the skip where it is not installed into a failure.
"""

from __future__ import annotations

import glob
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

REQUIRE = "GRIDWRIGHT_REQUIRE_POSTGRES"
SETTINGS = (
    "listen_addresses=''", "shared_buffers=32MB", "max_connections=60", "autovacuum=off",
    "max_wal_size=128MB",
    # nobody pulls the plug of this machine here; waiting for its disk would prove nothing
    "fsync=off", "full_page_writes=off",
)  # fmt: skip


def missing(reason: str) -> None:
    """Skip the test, or fail it where the server is required."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason}, and {REQUIRE}=1 asks for it")
    pytest.skip(reason)


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest one."""
    named = shutil.which("pg_ctl")
    found = [Path(named).resolve().parent] if named else []
    found += [Path(name).parent for name in glob.glob("/usr/lib/postgresql/*/bin/pg_ctl")]
    whole = [folder for folder in found if (folder / "initdb").exists()]
    return max(whole, key=lambda folder: folder.parts, default=None)


def unprivileged() -> str | None:
    """Who runs the server: it refuses to be run by the superuser."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass
class Server:
    """One cluster in a folder."""

    folder: Path
    programs: Path
    user: str | None
    names: Iterator[int] = field(default_factory=itertools.count)

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments], user=self.user, check=True, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        self.run(
            "pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-l",
            str(self.folder / "log"), "-o", f"-k {self.folder} {options}",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.folder / "data"))

    def connect(self, database: str = "stores") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user="gridwright", dbname=database, autocommit=True
        )

    def new_place(self) -> str:
        """The address of an empty store: a schema of its own."""
        name = f"s{next(self.names)}"
        with self.connect() as connection:
            connection.execute(f"create schema {name}")  # type: ignore[arg-type]
        options = quote(f"-csearch_path={name},public", safe="")
        return (
            f"postgresql+psycopg://gridwright@/stores?host={quote(str(self.folder), safe='')}"
            f"&options={options}"
        )

    def execute(self, place: str, *statements: str) -> list[tuple[object, ...]]:
        """Statements as the database's owner, in a store's schema; the rows of the last."""
        rows: list[tuple[object, ...]] = []
        schema = place.partition("search_path%3D")[2].partition("%2C")[0]
        with self.connect() as connection:
            connection.execute(f"set search_path = {schema}, public")  # type: ignore[arg-type]
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[arg-type]
                rows = cursor.fetchall() if cursor.description else []
        return rows


@contextmanager
def running() -> Iterator[Server]:
    """A server while the block runs; a skip where there is no PostgreSQL or no PostGIS."""
    where = programs()
    if where is None:
        missing("PostgreSQL is not installed")
    assert where is not None
    with tempfile.TemporaryDirectory(prefix="gw-pg-") as name:  # a socket's path must be short
        server = Server(Path(name), where, unprivileged())
        if server.user:
            shutil.chown(name, server.user)
        server.folder.chmod(0o755)
        server.run(
            "initdb", "-D", str(server.folder / "data"), "-U", "gridwright", "-A", "trust", "-E",
            "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        server.start()
        try:
            with server.connect("postgres") as connection:
                connection.execute("create database stores")
            with server.connect() as connection:
                found = connection.execute(
                    "select 1 from pg_available_extensions where name = 'postgis'"
                ).fetchone()
                if found is None:
                    missing("PostGIS is not installed")
                connection.execute("create extension postgis")
            yield server
        finally:
            server.stop("immediate")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; a skip where there is none."""
    with running() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str | Path]:
    """A function that names, at every call, where another empty store may be."""
    if request.param == "sqlite":
        numbers = itertools.count()
        return lambda: tmp_path / f"projects-{next(numbers)}.db"
    started: Server = request.getfixturevalue("server")
    return started.new_place


@pytest.fixture
def place(new_place: Callable[[], str | Path]) -> str | Path:
    """Where an empty store may be: a file, and a database."""
    return new_place()
