"""Stores of earlier formats: brought to the present one by Alembic, in one transaction.

The steps stand in ``store/migrations``. A file's format is its ``user_version``, a server's is
Alembic's own table; a file has both. What is read of a stranger's file is never migrated: only
tables were added since, so an exported project of any format is read as it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from store.atomic import beside


def keep_as_it_was(path: Path, version: int) -> Path:
    """Copy a file of an earlier format beside itself, once; returns the copy's path."""
    kept = path.with_name(f"{path.name}.format-{version}")
    if not kept.exists():
        with beside(kept) as temporary:
            vacuum_into(path, temporary)
    return kept


def vacuum_into(source: Path, target: Path) -> None:
    """A clean copy of a file that may be in use: one state of it, without free pages."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("pragma busy_timeout = 30000")
        connection.execute("vacuum into ?", (str(target),))


def upgrade(c: Connection, version: int) -> None:
    """Bring a store of format ``version`` (0: an empty database) to the present format."""
    from alembic import command  # half a second of imports that hardly any start needs
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", "store:migrations")
    settings.attributes["connection"] = c
    if version and not c.dialect.has_table(c, "alembic_version"):
        command.stamp(settings, f"{version:04}")
    command.upgrade(settings, "head")
