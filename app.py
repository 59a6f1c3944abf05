"""The web application: navigation and nothing else. Start it with ``gridwright serve``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from ui.access import NONE, may, require, sign_in_mode
from ui.frame import show_frame
from ui.session import guarded, text

ICONS = {
    "plan": "map",
    "levels": "account_tree",
    "project": "folder_open",
    "board": "draw",
    "scenarios": "compare_arrows",
    "beats": "local_police",
    "leader": "monitoring",
    "incidents": "query_stats",
    "download": "download",
    "people": "group",
}


def show_page(name: str) -> Callable[[], None]:
    """A page, loaded when it is first opened: who looks at a plan waits for no statistics."""

    def show() -> None:
        with guarded():
            require(f"see.{name}")
            import_module(f"ui.pages.{name}").show()

    return show


with guarded():
    show_frame()
    # without sign-in there is nobody to look after
    offered = [name for name in ICONS if may(f"see.{name}") and name != "people"]
    if sign_in_mode() != NONE and may("see.people"):
        offered.append("people")
    # who looks only, looks at the events first
    first = "plan" if may("see.board") or "leader" not in offered else "leader"
    pages = {
        name: st.Page(
            show_page(name), title=text(f"page.{name}"), icon=f":material/{ICONS[name]}:",
            url_path=name, default=name == first,
        )
        for name in offered
    }  # fmt: skip
    st.session_state["pages"] = pages
    if pages:
        st.navigation(list(pages.values())).run()
