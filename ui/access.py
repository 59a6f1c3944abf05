"""Who acts, asked anew at every page, action and write; the only place that knows the sign-in.

A server runs without sign-in (one person, on this machine alone), with accounts of its own store
(``local``), or with those of the office's OpenID Connect provider (``office``). The browser carries
one cookie, a random token; what it means is looked up in the store each time, so that an account
that was shut, a role that was taken or a sign-in that ended counts at once. While the store does
not answer, pages stay open for whoever it knew a moment ago (:mod:`ui.last_seen`); what is written
asks the store itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from geo.problems import InputError
from store.policy import EVERYBODY, Person
from store.trouble import is_trouble
from ui.acting import BEHALF, STATED, acting_as
from ui.errors import SignedOutError
from ui.last_seen import LastSeen

if TYPE_CHECKING:
    from store.projects import Store

VARIABLE = "GRIDWRIGHT_SIGN_IN"
NONE, LOCAL, OFFICE = "none", "local", "office"
COOKIE = "gridwright"
SIGN_IN = "/sign-in"

FETCH_SECONDS = 300
"""From when a download was made until its address is dead."""

LAST_SEEN = LastSeen()
"""Whom the store knew a moment ago, for pages that are open while it is away."""

_HANDED: dict[tuple[int, bytes], float] = {}
_HANDING = threading.Lock()
_SESSIONS: dict[str, int] = {}
_MOST_SESSIONS = 20_000
P = ParamSpec("P")
T = TypeVar("T")


def sign_in_mode(environment: Mapping[str, str] = os.environ) -> str:
    """How people sign in. ValueError for a word that is none of the three."""
    mode = environment.get(VARIABLE, "") or NONE
    if mode not in (NONE, LOCAL, OFFICE):
        raise ValueError(f"{VARIABLE} is {NONE}, {LOCAL} or {OFFICE}, not {mode!r}")
    return mode


class _Run(threading.local):
    """The run of a page in this thread: how deep in it we are, and who was found to act."""

    depth = 0
    who: Person | None = None


_RUN = _Run()


@contextmanager
def one_run() -> Iterator[None]:
    """Within it whoever acts is looked up once for all that is only shown; a page asks 30 times."""
    if not _RUN.depth:
        _RUN.who = None
    _RUN.depth += 1
    try:
        yield
    finally:
        _RUN.depth -= 1
        if not _RUN.depth:
            _RUN.who = None


def person(*, anew: bool = False, sure: bool = False) -> Person:
    """Whoever acts. In a thread without a page, whoever's page started it.

    ``anew`` looks them up whatever this run of the page found before; ``sure``, as each write does,
    takes the store's word alone. Raises :class:`ui.errors.SignedOutError` where nobody is signed
    in, :class:`InputError` where the store is in trouble and nobody was known a moment ago.
    """
    stated = STATED.get()
    if stated is not None:
        return stated
    if sign_in_mode() == NONE:
        return EVERYBODY
    if get_script_run_ctx(suppress_warning=True) is None:
        held = BEHALF.get()
        if held is None:
            raise SignedOutError
        return held
    if _RUN.who is not None and not (anew or sure):
        return _RUN.who
    _RUN.who = None  # whoever is found to be signed out now is so for the rest of the run
    found = _signed_in(token(), sure=sure)
    BEHALF.set(found)
    if _RUN.depth:
        _RUN.who = found
    return found


def looked_up(held: str, *, sure: bool = False) -> Person | None:
    """Whose token this is now, None for nobody's; from any thread.

    While the store is in trouble, whose it was a moment ago (:data:`LAST_SEEN`), unless ``sure``:
    then, and where nobody was known, :class:`InputError` as the store raises it.
    """
    if not held:
        return None
    try:
        found = _raw_store().who(held)
    except InputError as error:
        before = LAST_SEEN.find(held) if is_trouble(error) and not sure else None
        if before is None:
            raise
        return before
    LAST_SEEN.note(held, found)
    return found


def _signed_in(held: str, *, sure: bool = False) -> Person:
    found = looked_up(held, sure=sure)
    if found is None or found.must_change:
        raise SignedOutError
    return found


def token() -> str:
    """What the browser's cookie holds; empty without one."""
    return str(st.context.cookies.get(COOKIE, ""))


def _raw_store() -> Store:
    from ui.storage import open_store

    return open_store()


def may(action: str, village: tuple[str, str] | None = None) -> bool:
    """May whoever acts do this (:data:`store.policy.POLICY`)?"""
    return person().may(action, village)


def require(action: str, village: tuple[str, str] | None = None) -> None:
    """Raise :class:`store.policy.DeniedError` where they may not; asked anew, as before a write."""
    person(anew=True).require(action, village)


def taken(action: str, make: Callable[P, T], what: str = "") -> Callable[P, T]:
    """A download's content, made when it is asked for: asks again who it is, and notes it.

    ``what`` the file is called in the audit trail. Streamlit makes a download outside of the page's
    run, where no cookie is at hand: the one of the page that offered it is looked up anew.
    """
    person().require(action)
    held = "" if sign_in_mode() == NONE else token()

    def asked(*given: P.args, **named: P.kwargs) -> T:
        who = EVERYBODY if sign_in_mode() == NONE else _signed_in(held, sure=True)
        who.require(action)
        with acting_as(who):
            made = make(*given, **named)
        size = {"bytes": len(made)} if isinstance(made, bytes) else {}
        if who.id and isinstance(made, bytes):
            hand_to(who.id, made)
        _note(who, "export", what or action, size)
        return made

    return asked


def hand_to(account: int, content: bytes) -> None:
    """An account may fetch this content for a while (:data:`FETCH_SECONDS`), and nobody else."""
    now = time.monotonic()
    with _HANDING:
        for key in [key for key, until in _HANDED.items() if until < now]:
            del _HANDED[key]
        _HANDED[account, sha256(content).digest()] = now + FETCH_SECONDS


def may_fetch(account: int, content: bytes) -> bool:
    """Was this content made for this account a moment ago?"""
    with _HANDING:
        return _HANDED.get((account, sha256(content).digest()), 0.0) > time.monotonic()


def noted(action: str, what: str, detail: Mapping[str, object] | None = None) -> None:
    """Write into the audit trail what whoever acts did, where the store itself did not change."""
    _note(person(), action, what, detail or {})


def _note(who: Person, action: str, what: str, detail: Mapping[str, object]) -> None:
    from ui.storage import is_kept

    # one person who never kept anything has no trail, and only looking makes none
    if who.id or is_kept():
        _raw_store().note(who.name, who.roles, action, what, detail)


def note_session() -> None:
    """Remember whose this browser session is: its files and uploads are handed to nobody else."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or sign_in_mode() == NONE:
        return
    if len(_SESSIONS) > _MOST_SESSIONS:  # they are small, and end with the server
        for key in list(_SESSIONS)[: _MOST_SESSIONS // 2]:
            del _SESSIONS[key]
    _SESSIONS.pop(context.session_id, None)  # the last to be forgotten is who came last
    _SESSIONS[context.session_id] = person().id


def owner_of(session: str) -> int | None:
    """The account whose session this is, or None."""
    return _SESSIONS.get(session)


def sessions_of(account: int) -> set[str]:
    """The browser sessions of an account."""
    return {session for session, owner in list(_SESSIONS.items()) if owner == account}


def sign_out() -> None:
    """End the sign-in of whoever acts."""
    held = token()
    LAST_SEEN.note(held, None)
    _raw_store().sign_out(held)
