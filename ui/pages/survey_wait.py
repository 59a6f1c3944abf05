"""Getting the open project's events for a page: read once, watched while they are read."""

from __future__ import annotations

import os
from functools import partial

import streamlit as st

from ui.access import person
from ui.errors import JobGoneError, sentences
from ui.event_files import has_events
from ui.event_memory import events_file
from ui.format import markdown_text
from ui.jobs import Job
from ui.projects import Project
from ui.session import callback, guarded, language, page_of, plan_now, project, text
from ui.study import (
    STUDIES,
    SURVEYS,
    Study,
    make_study,
    start_study,
    study_key,
)
from ui.views import PlanView
from ui.watch import EVERY, step_text

JOB, SAID = "survey_job", "survey_said"


def study_now(*, upload: bool) -> Study | None:
    """The study of what is open; None where the page already says what to do next.

    ``upload`` lets the visitor bring files: the analysts' page does, the leaders' does not.
    """
    opened = project()
    if opened is None:
        _nothing("incidents.no_project", "project", "plan.to_project")
        return None
    # single events are seen where the role for them holds, and not wherever one may look
    who = person().holding("see.incidents") if upload else person()
    view = plan_now(who)
    if view is None and who.townships is not None:
        _nothing("access.no_plan", "plan", "page.plan")
        return None
    key = study_key(opened, view)
    for sentence in st.session_state.get(SAID, []):
        st.error(markdown_text(sentence))
    if st.session_state.get(JOB):
        _watch()
        return None
    if key in STUDIES:
        study = STUDIES.get(key)
        if upload and redrawn(study, view):
            st.button(text("incidents.renew"), on_click=callback(partial(read, opened, view)))
            st.caption(text("incidents.renew_help"))
        return study
    if has_events(opened) and not st.session_state.get(SAID):
        read(opened, view)
        _watch()
        return None
    if upload:
        uploader(opened, view)
    else:
        _nothing("incidents.no_events", "incidents", "page.incidents")
    return None


def redrawn(study: Study, view: PlanView | None) -> bool:
    """Was the plan redrawn since the events were read by its grids?"""
    then = study.county.view
    return (then and then.whole) is not (view and view.whole)


def read(opened: Project, view: PlanView | None, files: tuple[tuple[str, bytes], ...] = ()) -> None:
    """Start reading; the page then watches."""
    key = study_key(opened, view)
    if files and key in STUDIES and STUDIES.get(key).whole is not None:
        files = ()  # who sees a part brings no events in the place of the county's

    def work(job: Job) -> Study:
        return make_study(job, key, opened, view, files, memory=events_file(os.environ))

    follow(start_study(key, work, joins=not files))


def watching() -> bool:
    """Does this visitor wait for events to be read?"""
    return bool(st.session_state.get(JOB))


def follow(job_id: str) -> None:
    """Watch a job of :data:`ui.study.SURVEYS` from now on."""
    st.session_state[JOB], st.session_state[SAID] = job_id, []


def uploader(opened: Project, view: PlanView | None) -> None:
    """Where files of events are brought in."""
    st.markdown(text("incidents.upload_text"))
    files = st.file_uploader(
        text("incidents.upload"), accept_multiple_files=True, key="incident_files",
        type=["csv", "xlsx", "xls", "tsv", "txt", "gpkg", "geojson", "json", "zip", "parquet"],
        label_visibility="collapsed",
    )  # fmt: skip
    held = tuple((file.name, file.getvalue()) for file in files or [])
    st.button(
        text("incidents.read"), key="incident_read", type="primary", disabled=not held,
        on_click=callback(partial(read, opened, view, held)),
    )  # fmt: skip


def _nothing(key: str, page: str, link: str) -> None:
    with st.container(key="gw_empty"):
        st.markdown(text(key))
        st.page_link(page_of(page), label=text(link))


@st.fragment(run_every=EVERY)
def _watch() -> None:
    job_id = st.session_state.get(JOB)
    if job_id is None:
        return
    with guarded():
        try:
            now = SURVEYS.look(job_id)
        except JobGoneError:
            st.session_state[JOB] = None
            raise
        if now.over:
            st.session_state[JOB] = None
            if now.error is not None:
                st.session_state[SAID] = sentences(now.error, language())
            st.rerun()
        st.progress(now.step.share, text=markdown_text(step_text(now.state, now.step)))
