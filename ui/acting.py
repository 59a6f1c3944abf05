"""For whom a thread works, where no page says so; no Streamlit here.

Work that a page starts in a thread goes on for whoever's page it was
(:func:`ui.jobs.Jobs.start` copies the context); the server's own work is :data:`SERVER`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.policy import ROLES, Grant, Person

SERVER = Person(0, "server", tuple(Grant(role) for role in ROLES))
"""The server's own work: reading its project, putting it into the store, filing what follows."""

STATED: ContextVar[Person | None] = ContextVar("stated", default=None)
"""Whoever :func:`acting_as` names; counts before anything else."""

BEHALF: ContextVar[Person | None] = ContextVar("behalf", default=None)
"""Whoever was last asked for on a page; what threads that a page starts inherit."""


@contextmanager
def acting_as(who: Person) -> Iterator[None]:
    """Work for somebody, whatever page it is."""
    held = STATED.set(who)
    try:
        yield
    finally:
        STATED.reset(held)
