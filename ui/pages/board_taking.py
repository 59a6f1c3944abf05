"""Before the board of a large plan: its villages are taken into the store, once."""

from __future__ import annotations

import streamlit as st

from ui.access import may, require
from ui.format import html_text, whole
from ui.jobs import Snapshot
from ui.projects import Project
from ui.session import page_of, project_name, text
from ui.taking import TAKINGS, begin_taking, under_way
from ui.views import PlanView
from ui.watch import running, show_job, show_outcome, start

KIND = "taking"


def show_taking(opened: Project, view: PlanView) -> None:
    """How far it is, or the button that begins it."""
    own = under_way(view)
    if own is not None and st.session_state.get("job") is None:  # somebody else's, or a reload
        start(KIND, own)
    with st.container(key="gw_empty"):
        st.html(f"<h2 class='gw-h2'>{html_text(text('taking.title'))}</h2>")
        st.markdown(text("taking.lead", villages=whole(len(view.plan.villages))))
        if running(KIND):
            show_job(_done, TAKINGS)
            st.caption(text("taking.meanwhile"))
            return
        show_outcome("taking.cancelled")
        if may("do.keep"):
            if st.button(text("taking.begin"), key="taking_begin", type="primary"):
                require("do.keep")
                start(KIND, begin_taking(opened, view, project_name(opened)))
                st.rerun()
        else:
            st.caption(text("taking.not_yours"))
        st.page_link(
            page_of("plan"), label=text("page.plan"), icon=":material/arrow_forward:"
        )


def _done(now: Snapshot) -> None:
    """Nothing to take along: the page is drawn anew and finds the plan in the store."""
