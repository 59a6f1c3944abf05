"""The web application: navigation and nothing else. Start it with ``gridwright serve``."""

from __future__ import annotations

import streamlit as st

from ui.frame import show_frame
from ui.pages import beats, board, download, incidents, leader, plan, project, scenarios
from ui.session import guarded, text

with guarded():
    show_frame()
    pages = {
        "plan": st.Page(
            plan.show, title=text("page.plan"), icon=":material/map:", url_path="plan", default=True
        ),
        "project": st.Page(
            project.show,
            title=text("page.project"),
            icon=":material/folder_open:",
            url_path="project",
        ),
        "board": st.Page(
            board.show, title=text("page.board"), icon=":material/draw:", url_path="board"
        ),
        "scenarios": st.Page(
            scenarios.show,
            title=text("page.scenarios"),
            icon=":material/compare_arrows:",
            url_path="scenarios",
        ),
        "beats": st.Page(
            beats.show,
            title=text("page.beats"),
            icon=":material/local_police:",
            url_path="beats",
        ),
        "leader": st.Page(
            leader.show, title=text("page.leader"), icon=":material/monitoring:", url_path="leader"
        ),
        "incidents": st.Page(
            incidents.show,
            title=text("page.incidents"),
            icon=":material/query_stats:",
            url_path="incidents",
        ),
        "download": st.Page(
            download.show,
            title=text("page.download"),
            icon=":material/download:",
            url_path="download",
        ),
    }
    st.session_state["pages"] = pages
    st.navigation(list(pages.values())).run()
