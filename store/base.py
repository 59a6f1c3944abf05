"""An open store: its connections, its transactions, its trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from sqlalchemy import Connection, Engine

from geo.units import Units
from planning.record import RecordError
from store import audit
from store.address import Address, address_of
from store.audit import Note
from store.database import reading, telling, writing
from store.postgres import open_server
from store.sqlite import open_file
from store.values import DamagedError


def open_engine(address: Address, *, migrating: bool = False) -> Engine:
    """An engine on a store, made if it is missing. Raises :class:`InputError`, one sentence."""
    if address.url is not None:
        return open_server(address.url, address.name, migrating=migrating)
    assert address.path is not None
    return open_file(address.path)


class Base:
    """What every part of a store needs. Close it, or use it in a ``with`` statement.

    ``place`` is what it was opened by, a file's path or the address of a database; ``path`` the
    file, None on a server; ``name`` what messages call it.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = place
        self.address = address_of(place)
        self.name = self.address.name
        self.path = self.address.path
        self._engine = open_engine(self.address)
        # villages opened again, and scenarios of one village, share their units
        self._grounds: WeakValueDictionary[str, Units] = WeakValueDictionary()
        # sign-ins that were used while that could not be written: hash of the token, when
        self._unwritten: dict[str, str] = {}

    def close(self) -> None:
        """Let go of the database; a file's write-ahead log is folded into it."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the store, for the modules that know its tables."""
        with self._telling(), reading(self._engine, self.name) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that has the store to itself; on disk when it ends, or undone."""
        with self._telling(), writing(self._engine, self.name) as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """A stored record that does not fit is damage, whoever finds it."""
        with telling(self.name):
            try:
                yield
            except RecordError as error:
                raise DamagedError(str(error)) from error

    def note(
        self,
        actor: str,
        role: str,
        action: str,
        object: str,
        detail: Mapping[str, object] | None = None,
    ) -> Note:
        """Write an entry into the audit trail, and nothing else; it is on disk on return.

        What changes plans, projects and the store itself writes its entry itself, in the
        transaction of the change.
        """
        with self.writing() as c:
            return audit.append(c, action, object, detail, actor=actor, role=role)

    def trail(self, *, since: str = "", action: str = "", limit: int | None = None) -> list[Note]:
        """The audit trail from a moment on (ISO 8601, UTC); with ``limit`` its last entries.

        ``action`` keeps those that begin so: ``sign-in`` all that has to do with signing in.
        """
        with self.reading() as c:
            return audit.trail(c, since=since, action=action, limit=limit)

    def trail_head(self) -> str:
        """The last entry as ``number:hash``, to be written down elsewhere."""
        with self.reading() as c:
            return audit.head(c)

    def expire_trail(self, days: int, *, actor: str = "") -> int:
        """Delete entries older than ``days``, anchored; returns how many."""
        with self.writing() as c:
            return audit.expire(c, days, actor=actor)
