"""Who else has the village open that is redrawn, and taking it for editing: in the sidebar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import streamlit as st

from geo.problems import InputError
from store.presence import SESSION, Here, TakenError
from store.projects import Store
from ui.access import may
from ui.format import markdown_text, name_text
from ui.kept import Kept
from ui.session import callback, guarded, language, text
from ui.shelf import new_id
from ui.words import Language, word

EVERY = 20
"""Seconds between two times that a page says it is still there; silence for a minute is leaving."""


def session_id() -> str:
    """Names this visitor's session for others; nobody can guess it, and it says nothing."""
    return str(st.session_state.setdefault("presence", new_id()))


@contextmanager
def acting() -> Iterator[None]:
    """What is done within is done by this session: what it has taken does not bar it."""
    token = SESSION.set(session_id())
    try:
        yield
    finally:
        SESSION.reset(token)


def lines(
    others: Sequence[Here], everywhere: Sequence[Here], names: Mapping[str, str], lang: Language
) -> list[str]:
    """Who has this village open, then who has which other one; pure."""

    def who(one: Here) -> str:
        return one.who or word("redraw.somebody", lang)

    told = []
    for one in others:
        key = "here.taken" if one.taken else "here.open"
        since = datetime.fromisoformat(one.since).astimezone().strftime("%H:%M")
        told.append(word(key, lang, who=who(one), since=since))
    elsewhere = [
        word("here.one", lang, village=names.get(one.village, one.village), who=who(one))
        for one in everywhere
    ]
    if elsewhere:
        told.append(word("here.elsewhere", lang, list=", ".join(elsewhere)))
    return told


@st.fragment(run_every=EVERY)
def show_here(
    kept: Kept, scenario: int, village: str, who: Callable[[], str], seen: frozenset[str]
) -> None:
    """Say that this session is here, and show who else is; a fragment that repeats itself.

    ``seen`` are the villages that this visitor may see at all.
    """
    with guarded():
        store, own = kept.store, session_id()
        try:
            others = store.here(scenario, village, own, who())
            everybody = store.present(scenario)
        except InputError:
            st.caption(text("here.unknown"))
            return
        places = kept.ground.villages
        codes, called, towns = (
            places[name].map(name_text) for name in ("code", "name", "township_name")
        )
        names, town = dict(zip(codes, called, strict=True)), dict(zip(codes, towns, strict=True))
        elsewhere = [
            one for one in everybody
            if one.village in seen and one.village != village and one.session != own
        ]  # fmt: skip
        for line in lines(others, elsewhere, names, language()):
            st.caption(markdown_text(line))
        mine = any(one.taken and one.session == own for one in everybody)
        if mine:
            st.caption(text("here.mine"))
        elif not may("do.edit", (village, town.get(village, ""))):
            return  # who may not edit it keeps nobody else from it
        st.button(
            text("here.release" if mine else "here.take"), key="here_take", width="stretch",
            disabled=any(one.taken for one in others),
            on_click=callback(partial(_release if mine else _take, store, scenario, village, who)),
        )  # fmt: skip


def _take(store: Store, scenario: int, village: str, who: Callable[[], str]) -> None:
    try:
        store.take(scenario, village, session_id(), who())
    except TakenError:
        return  # the lines above the button say who was faster


def _release(store: Store, scenario: int, village: str, who: Callable[[], str]) -> None:
    store.release(session_id())
