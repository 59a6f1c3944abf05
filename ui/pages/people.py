"""The administrator's page: accounts, their roles, and who did what."""

from __future__ import annotations

import secrets
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from store.accounts import AccountInfo
from store.policy import ROLES, Grant
from store.projects import Store
from store.trailfile import write_trail
from ui.access import OFFICE, sign_in_mode, taken
from ui.format import DASH, local_time, markdown_text, name_text
from ui.session import callback, guarded, language, on_other_page, show_failures, text
from ui.storage import the_store

SHOWN = 200  # of the trail's last entries


def show() -> None:
    """The page."""
    with guarded():
        on_other_page("people")
        show_failures()
        store = the_store()
        st.html(f"<h2 class='gw-h2'>{text('people.title')}</h2>")
        st.caption(text("people.lead"))
        held = store.accounts()
        _list(held)
        told = st.session_state.pop("people_told", None)
        if told:
            st.success(markdown_text(told))
        left, right = st.columns(2, gap="large")
        with left:
            _add(store)
        with right:
            if held:
                _change(store, held)
        _trail(store)


def _state(one: AccountInfo) -> str:
    signs = (("office", one.office), ("must_change", one.must_change),
             ("disabled", one.disabled), ("locked", one.locked))  # fmt: skip
    return ", ".join(text(f"people.{name}") for name, on in signs if on) or DASH


def _grant_text(grant: Grant) -> str:
    name = ROLES[grant.role][0 if language() == "zh" else 1]
    return f"{name} @ {grant.scope}" if grant.scope else name


def _list(held: list[AccountInfo]) -> None:
    table = pd.DataFrame(
        {
            "account": [one.name for one in held],
            "roles": [", ".join(map(_grant_text, one.grants)) or DASH for one in held],
            "state": [_state(one) for one in held],
            "seen": [local_time(one.last_seen) if one.last_seen else DASH for one in held],
            "signed_in": [one.signed_in for one in held],
        }
    )
    heads = {name: text(f"people.{name}") for name in table.columns}
    st.dataframe(table, column_config=heads, hide_index=True, key="people_table")


def _role_and_scope(key: str) -> Grant:
    lang = language()
    number = 0 if lang == "zh" else 1
    left, right = st.columns(2)
    role = left.selectbox(
        text("people.role"), list(ROLES), format_func=lambda own: ROLES[own][number],
        key=f"{key}_role_{lang}",
    )  # fmt: skip
    scope = right.text_input(
        text("people.scope"), placeholder=text("people.county"), key=f"{key}_scope", max_chars=40
    )
    return Grant(str(role), name_text(scope).strip())


def _add(store: Store) -> None:
    with st.container(border=True):
        st.markdown(f"**{text('people.add')}**")
        name = st.text_input(text("people.new_name"), key="people_name", max_chars=40).strip()
        grant = _role_and_scope("people_new")
        office = sign_in_mode() == OFFICE and st.checkbox(
            text("people.new_kind"), value=True, key="people_office"
        )
        st.button(
            text("people.add"), key="people_add", type="primary", disabled=not name,
            on_click=callback(partial(_added, store, name, grant, office)),
        )  # fmt: skip


def _added(store: Store, name: str, grant: Grant, office: bool) -> None:
    password = None if office else secrets.token_urlsafe(12)
    store.add_account(name, password, (grant,))
    told = text("people.added_office") if password is None else text(
        "people.added", password=password
    )  # fmt: skip
    st.session_state["people_told"] = told


def _change(store: Store, held: list[AccountInfo]) -> None:
    with st.container(border=True):
        by_name = {one.name: one for one in held}
        name = str(st.selectbox(text("people.account"), list(by_name), key="people_chosen"))
        one = by_name[name]
        grant = _role_and_scope("people_own")
        with st.container(horizontal=True, gap="small"):
            for key, work in (
                ("grant", partial(store.grant, name, grant.role, grant.scope)),
                ("revoke", partial(store.revoke, name, grant.role, grant.scope)),
            ):
                st.button(text(f"people.{key}"), key=f"people_{key}", on_click=callback(work))
        with st.container(horizontal=True, gap="small"):
            st.button(
                text("people.reset"), key="people_reset", disabled=one.office,
                on_click=callback(partial(_reset, store, name)),
            )  # fmt: skip
            shut = "enable" if one.disabled or one.locked else "disable"
            st.button(
                text(f"people.{shut}"), key=f"people_{shut}",
                on_click=callback(partial(getattr(store, shut), name)),
            )  # fmt: skip
            st.button(
                text("people.end"), key="people_end", disabled=not one.signed_in,
                on_click=callback(partial(store.sign_out_everywhere, name)),
            )  # fmt: skip


def _reset(store: Store, name: str) -> None:
    password = secrets.token_urlsafe(12)
    store.reset_password(name, password)
    st.session_state["people_told"] = text("people.added", password=password)


def _trail(store: Store) -> None:
    st.html(f"<h3 class='gw-h3'>{text('people.trail')}</h3>")
    st.caption(markdown_text(text("people.trail_lead", head=store.trail_head() or DASH)))
    notes = store.trail(limit=SHOWN)[::-1]
    table = pd.DataFrame(
        [(local_time(n.at), n.actor, n.action, n.object) for n in notes],
        columns=["at", "actor", "action", "object"],
    )
    heads = {name: text(f"people.{name}") for name in table.columns}
    st.dataframe(table, column_config=heads, hide_index=True, height=260, key="people_trail")
    st.download_button(
        text("people.take_trail"), data=taken("take.trail", partial(_trail_file, store), "trail"),
        file_name=f"{text('people.trail_name')}.csv", mime="text/csv", key="trail_csv",
        on_click="ignore",
    )  # fmt: skip


def _trail_file(store: Store) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / "trail.csv"
        write_trail(store.trail(), path)
        return path.read_bytes()
