"""The web application: navigation and nothing else. Start it with ``gridwright serve``."""

from __future__ import annotations

import streamlit as st

from ui.frame import offered, page, show_frame
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

with guarded():
    show_frame()
    names, first = offered(ICONS)
    pages = {
        name: st.Page(
            page(name), title=text(f"page.{name}"), icon=f":material/{ICONS[name]}:",
            url_path="" if name == first else name, default=name == first,
        )
        for name in names
    }  # fmt: skip
    st.session_state["pages"] = pages

    def by_name() -> None:
        """The first page by its own address, from somebody who sees another page first."""
        st.switch_page(pages[first], query_params=st.query_params.to_dict())

    if pages:
        known = st.Page(by_name, title=text(f"page.{first}"), url_path=first, visibility="hidden")
        st.navigation([*pages.values(), known]).run()
