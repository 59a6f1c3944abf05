"""Where this server keeps plans, and the store there; light to import, because every page does.

Pages get the store behind the policy: each call asks who acts, whether they may
(:data:`store.policy.STORE`), and writes their name into the audit trail.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from store.address import configured
from store.policy import IN_VILLAGE, STORE, DeniedError
from ui.access import LAST_SEEN, person
from ui.metrics import METRICS

if TYPE_CHECKING:
    from store.projects import Store

STEPS = frozenset({"save_step", "undo", "redo", "goto"})
"""Calls that the figures count as edits saved."""

Places = tuple[tuple[str, str], ...]
"""Code and township of each."""

_PLAIN = frozenset({"name", "place", "path", "address"})  # what a store says of itself


def is_kept() -> bool:
    """Was anything ever kept here? Until then nobody has to open the store's file."""
    place = configured(os.environ)
    return isinstance(place, str) or place.exists()


@cache
def _store_at(place: str | Path) -> Store:
    from store.projects import Store  # a second of imports that who only looks does without

    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    return Store(place)


def open_store() -> Store:
    """This server's store itself, for signing in and for the server's own work.

    Opened once: a file, or the database that the environment names.
    """
    return _store_at(configured(os.environ))


def was_opened() -> bool:
    """Has this process a store open? Then it has to be there, whatever lies at its place now."""
    return _store_at.cache_info().currsize > 0


def the_store(edit: str = "do.edit", places: Places = ()) -> Store:
    """This server's store, behind the policy; ``edit`` is the action that a step on it is.

    ``places`` (code, township) are all the places that a step changes, where the store does not
    know them: a grant has to cover each. None: the village's own.
    """
    return cast("Store", GuardedStore(open_store(), edit, places))


class GuardedStore:
    """A store that asks who acts before each call. What the policy does not name it refuses."""

    def __init__(self, store: Store, edit: str, places: Places = ()) -> None:
        self._store, self._edit, self._places = store, edit, places

    def __getattr__(self, name: str) -> Any:
        if name in _PLAIN:
            return getattr(self._store, name)
        if name not in STORE:
            raise DeniedError(f"store.{name}")
        method: Callable[..., Any] = getattr(self._store, name)

        @wraps(method)
        def asked(*given: Any, **named: Any) -> Any:
            from store import audit

            action = STORE[name]
            who = person(sure=not action.startswith("see."))
            if action == "do.edit":
                action = self._edit
            if name in IN_VILLAGE and who.townships is not None:
                for place in self._places or [self._store.place_of(given[0], given[1])]:
                    who.require(action, place)
            else:
                who.require(action)
            with audit.acting(who.name, who.roles):
                done = method(*given, **named)
            if name in STEPS:
                METRICS.count("gridwright_edits_saved_total")
            if action == "do.people" and name != "accounts":
                LAST_SEEN.clear()
            return done

        return asked
