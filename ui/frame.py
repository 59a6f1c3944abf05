"""What surrounds every page: title, mark, style, and the switch of language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from store.policy import ROLES, Person
from ui.access import (
    LOCAL,
    NONE,
    SIGN_IN,
    may,
    note_session,
    person,
    require,
    sign_in_mode,
    sign_out,
)
from ui.errors import SignedOutError
from ui.format import markdown_text
from ui.session import guarded, language, text

HERE = Path(__file__).resolve().parent
NAMES = {"zh": "中文", "en": "English"}


@cache
def _style() -> str:
    return (HERE / "board" / "page.css").read_text(encoding="utf-8")


def _switched() -> None:
    chosen = st.session_state.get("language_switch")
    if chosen:
        st.session_state["language"] = chosen


def _forget_parts_of_page_left() -> None:
    """Forget the parts (fragments) of the page that this run is no longer on.

    A part that looks after a job asks for itself every half second. Asked while the next page is
    drawn, by a browser that has not seen it yet, Streamlit would answer after that page, for the
    page that was left: and the browser empties its window.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    before = st.session_state.get("parts_of")
    if before != context.page_script_hash:
        st.session_state["parts_of"] = context.page_script_hash
        context.fragment_storage.clear()


def show_frame() -> None:
    """Set the page up; the first thing a run does."""
    _forget_parts_of_page_left()
    st.set_page_config(
        page_title=text("app.name"),
        page_icon=str(HERE / "board" / "mark.svg"),
        layout="wide",
        initial_sidebar_state="auto",
    )
    # Streamlit's own uploader speaks English only; page.css puts these words in its place.
    refused = text("project.refused", megabytes=st.get_option("server.maxUploadSize"))
    words = f":root {{ --gw-upload: '{text('project.upload')}'; --gw-refused: '{refused}'; }}"
    st.html(f"<style>{words}{_style()}</style>")
    with st.sidebar:
        name, switch = st.columns([4, 6], vertical_alignment="center", gap="small")
        name.html(f"<div class='gw-brand'>{text('app.name')}</div>")
        st.session_state["language_switch"] = language()
        switch.segmented_control(
            text("app.language"),
            list(NAMES),
            format_func=NAMES.__getitem__,
            key="language_switch",
            on_change=_switched,
            label_visibility="collapsed",
        )
        _show_person()


def _show_person() -> None:
    """Who is signed in, and the way out; stops the run where nobody is."""
    if sign_in_mode() == NONE:
        st.caption(text("access.single"))
        return
    try:
        who = person()
    except SignedOutError:
        _show_way_in()
    note_session()
    told, out = st.columns([11, 9], vertical_alignment="center", gap="small")  # "Sign out" whole
    told.caption(markdown_text(text("access.who", name=who.name, roles=roles_text(who))))
    if out.button(text("access.sign_out"), key="sign_out", width="stretch"):
        sign_out()
        st.rerun()
    if sign_in_mode() == LOCAL:
        st.caption(f"[{text('access.password')}]({SIGN_IN}/password)")


def page(name: str) -> Callable[[], None]:
    """A page, loaded when it is first opened: who looks at a plan waits for no statistics.

    Asked again here: an address typed by hand, or a role that was taken, opens nothing.
    """

    def show() -> None:
        with guarded():
            require(f"see.{name}")
            import_module(f"ui.pages.{name}").show()

    return show


def offered(names: Iterable[str]) -> tuple[list[str], str]:
    """The pages that their visitor may see, and the one that opens first."""
    found = [name for name in names if may(f"see.{name}")]
    if sign_in_mode() == NONE:
        found = [name for name in found if name != "people"]  # there is nobody to look after
    # who only looks, looks at the events first
    first = "plan" if may("see.board") or "leader" not in found else "leader"
    return found, first


def roles_text(who: Person) -> str:
    """Somebody's roles in words, with the townships they hold in."""
    number = 0 if language() == "zh" else 1
    names = []
    for grant in who.grants:
        name = ROLES[grant.role][number] if grant.role in ROLES else grant.role
        names.append(f"{name} @ {grant.scope}" if grant.scope else name)
    return ", ".join(names)


def _show_way_in() -> NoReturn:
    with st.container(key="gw_empty"):
        st.markdown(text("error.signed_out"))
        st.link_button(text("access.sign_in"), SIGN_IN, type="primary")
    st.stop()
