"""Where a store is: a file's path, or the address of a PostgreSQL database. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geo.messages import register
from geo.problems import InputError, Problem

if TYPE_CHECKING:
    from sqlalchemy import URL

register(
    {
        "store-address": (
            "不是可用的数据库地址;请写文件路径,或 postgresql+psycopg://用户@主机/数据库。",
            "is no address of a store; give a file's path, or "
            "postgresql+psycopg://user@host/database.",
        ),
    }
)

VARIABLE = "GRIDWRIGHT_STORE"
SCHEME = "postgresql"


@dataclass(frozen=True)
class Address:
    """A store's place: ``path`` of a file, or ``url`` of a database; ``name`` for messages.

    The name never holds a password.
    """

    name: str
    path: Path | None = None
    url: URL | None = None


def is_server(text: str) -> bool:
    """Is this the address of a database server, not a file's path?"""
    return "://" in text


def address_of(place: str | Path) -> Address:
    """What a path or an address means. :class:`InputError` for an address that cannot be used."""
    if isinstance(place, Path) or not is_server(place):
        path = Path(place)
        return Address(path.name, path=path)
    from sqlalchemy.engine import make_url  # a page that only asks where the store is does without
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(place)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        url = None
    if url is None or url.get_backend_name() != SCHEME or not url.database:
        # not the text itself: it may hold a password
        raise InputError([Problem("store-address", VARIABLE)])
    url = url.set(drivername="postgresql+psycopg")
    host = url.host or "localhost"
    return Address(f"{url.database} @ {host}", url=url)


def configured(environment: Mapping[str, str]) -> str | Path:
    """The store this machine is set up to use: :data:`VARIABLE`, else the user's own folder."""
    named = environment.get(VARIABLE, "").strip()
    if is_server(named):
        return named
    if named:
        return Path(named).expanduser().resolve()
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "gridwright" / "plans.gridwright"
