"""The web application: navigation and nothing else. Start it with ``gridwright serve``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import streamlit as st

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
}


def show_page(name: str) -> Callable[[], None]:
    """A page, loaded when it is first opened: who looks at a plan waits for no statistics."""

    def show() -> None:
        with guarded():
            import_module(f"ui.pages.{name}").show()

    return show


with guarded():
    show_frame()
    pages = {
        name: st.Page(
            show_page(name), title=text(f"page.{name}"), icon=f":material/{icon}:",
            url_path=name, default=name == "plan",
        )
        for name, icon in ICONS.items()
    }  # fmt: skip
    st.session_state["pages"] = pages
    st.navigation(list(pages.values())).run()
