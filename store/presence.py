"""Who has a village open, and who has taken it for editing.

A page says every few seconds that it is still there (:meth:`Presence.here`); who has not been heard
of for :data:`SECONDS` is not there any more, and what it had taken is free again. A village that is
taken takes no step, undo, redo or goto of another session: :class:`TakenError` says whose it is.
Nothing of this is kept: it is no part of the audit trail or of a backup.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from planning import history
from store.base import Base
from store.schema_accounts import PRESENCE

SECONDS = 60

SESSION: ContextVar[str] = ContextVar("session", default="")
"""The session that acts; set by whoever calls for a person: what it has taken does not bar it."""


@dataclass(frozen=True)
class Here:
    """A session that has a village open; ``taken``: for editing. Times are ISO 8601 in UTC."""

    village: str
    session: str
    who: str
    since: str
    taken: bool


class TakenError(Exception):
    """Somebody else has taken the village for editing; nothing was saved."""

    def __init__(self, who: str, since: str) -> None:
        super().__init__(f"{who or 'somebody'} has taken the village since {since}")
        self.who, self.since = who, since


def _heard_between() -> tuple[str, str]:
    """From when to when a session was heard of that is there; a clock may have been set back."""
    moment = datetime.fromisoformat(history.now())
    early, late = (
        (moment + timedelta(seconds=shift)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for shift in (-SECONDS, SECONDS)
    )
    return early, late


def forget_silent(c: Connection) -> None:
    """Drop who has not been heard of."""
    early, late = _heard_between()
    c.execute(delete(PRESENCE).where(or_(PRESENCE.c.seen < early, PRESENCE.c.seen > late)))


def check_free(c: Connection, scenario: int, village: str) -> None:
    """Raise :class:`TakenError` where another session than :data:`SESSION` has the village."""
    own = (PRESENCE.c.scenario_id == scenario) & (PRESENCE.c.village == village)
    # most villages nobody ever took; only then it matters who is still there
    if c.execute(select(PRESENCE.c.taken).where(own, PRESENCE.c.taken == 1)).first() is None:
        return
    forget_silent(c)
    holder = c.execute(
        select(PRESENCE.c.who, PRESENCE.c.since).where(
            own, PRESENCE.c.taken == 1, PRESENCE.c.session != SESSION.get()
        )
    ).first()
    if holder is not None:
        raise TakenError(str(holder.who), str(holder.since))


class Presence(Base):
    """The part of :class:`store.projects.Store` that knows who is where."""

    def here(self, scenario: int, village: str, session: str, who: str) -> list[Here]:
        """A session says that it has a village open; returns who else has, the first first.

        A session has one village open at a time: what it had open before, it has left.
        """
        with self.writing() as c:
            forget_silent(c)
            self._say(c, scenario, village, session, who)
            return [one for one in _listed(c, scenario, village) if one.session != session]

    def _say(self, c: Connection, scenario: int, village: str, session: str, who: str) -> None:
        moment = history.now()
        at = (PRESENCE.c.scenario_id == scenario) & (PRESENCE.c.village == village)
        own = PRESENCE.c.session == session
        c.execute(delete(PRESENCE).where(own & ~at))
        values = {"seen": moment, "who": who}
        if not c.execute(update(PRESENCE).where(own & at).values(**values)).rowcount:
            row = {"scenario_id": scenario, "village": village, "session": session}
            c.execute(insert(PRESENCE), {**row, **values, "since": moment, "taken": 0})

    def gone(self, session: str) -> None:
        """A session has left; what it had taken is free."""
        with self.writing() as c:
            c.execute(delete(PRESENCE).where(PRESENCE.c.session == session))

    def present(self, scenario: int, village: str | None = None) -> list[Here]:
        """Who has a village open, or any village of a scenario."""
        with self.reading() as c:
            return _listed(c, scenario, village)

    def take(self, scenario: int, village: str, session: str, who: str) -> None:
        """Take a village for editing, for as long as the session is heard of.

        Raises :class:`TakenError` where another session has it.
        """
        with self.writing() as c:
            forget_silent(c)
            for one in _listed(c, scenario, village):
                if one.taken and one.session != session:
                    raise TakenError(one.who, one.since)
            self._say(c, scenario, village, session, who)
            self._set(c, session, 1)

    def release(self, session: str) -> None:
        """Give back what a session has taken; it is still there."""
        with self.writing() as c:
            self._set(c, session, 0)

    def _set(self, c: Connection, session: str, taken: int) -> None:
        own = PRESENCE.c.session == session
        c.execute(update(PRESENCE).where(own).values(taken=taken))


def _listed(c: Connection, scenario: int, village: str | None) -> list[Here]:
    heard = PRESENCE.c.seen.between(*_heard_between())
    query = select(PRESENCE).where(PRESENCE.c.scenario_id == scenario, heard)
    if village is not None:
        query = query.where(PRESENCE.c.village == village)
    rows = c.execute(query.order_by(PRESENCE.c.since, PRESENCE.c.session))
    return [Here(r.village, r.session, r.who, r.since, r.taken == 1) for r in rows]
