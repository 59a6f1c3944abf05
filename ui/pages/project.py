"""Open a county: the demonstration, one's own files, or a folder on the server."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import streamlit as st

from ui.access import may, noted, require
from ui.errors import JobGoneError
from ui.event_files import has_events
from ui.format import html_text, markdown_text, whole
from ui.intake import INTAKES, LOOKS, Intake, look_into, take_folder, take_uploads
from ui.jobs import Job, Snapshot
from ui.map.component import forget_what_was_sent
from ui.pages.files import ACCEPT, LOOK, show_review
from ui.pages.saved import show_saved
from ui.pickups import pick_folder
from ui.projects import JOBS, Project, open_demonstration, open_pickup
from ui.remembered import choices_file
from ui.session import (
    guarded,
    language,
    on_other_page,
    open_project,
    page_of,
    project,
    project_name,
    show_failures,
    text,
)
from ui.sources import PLAN_NAME, UPLOADABLE, allowed_folder, allowed_roots
from ui.watch import running, show_job, show_outcome, start

KIND = "open"
_LATE_CLICK = 3.0  # seconds


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("project"):
            forget_what_was_sent()
        show_failures()
        _go_on()
        intake = _intake()
        reading = next((kind for kind in (LOOK, ACCEPT) if running(kind)), None)
        # A small county is accepted, and its files let go, before this page is drawn again.
        done = _accepted if reading == ACCEPT else _looked
        if intake is not None and intake.entries:
            if reading is not None:
                show_job(done, LOOKS)
            else:
                show_outcome()
            show_review(intake, _take_away, busy=reading is not None)
            return
        left, right = st.columns([58, 42], gap="large")
        with left:
            st.html(f"<h2 class='gw-h2'>{html_text(text('project.title'))}</h2>")
            st.caption(text("project.lead"))
            if running(KIND):
                show_job(_opened)
            elif reading is not None:
                show_job(done, LOOKS)
            else:
                show_outcome()
                _choose()
        with right:
            _current(project())


def _go_on() -> None:
    """Leave for the page that something named, if anything did.

    A second click on a button that is about to vanish arrives when the next page is being drawn,
    and Streamlit answers it with the page the button stood on: so for a moment, leave once more.
    """
    page, now = st.session_state.pop("go_to", ""), time.monotonic()
    if page:
        st.session_state["gone_to"] = page, now + _LATE_CLICK
    else:
        page, until = st.session_state.get("gone_to", ("", now))
        if now >= until:
            return
    st.switch_page(page_of(page))


def _opened(now: Snapshot) -> None:
    noted("import", "project")
    open_project(now.result)
    opened = project()
    alone = opened is not None and opened.plan_id is None and has_events(opened)
    alone = alone and not opened.can_propose
    st.session_state["go_to"] = "leader" if alone else "plan"


def _accepted(now: Snapshot) -> None:
    _take_away()
    _opened(now)


def _looked(now: Snapshot) -> None:
    intake = INTAKES.get(now.result)
    if not intake.entries:
        _take_away()
        st.session_state["failed"] = [text("project.nothing_readable")]


def _intake() -> Intake | None:
    """The files this visitor brought, while the server still holds them."""
    held = st.session_state.get("intake")
    if held is None:
        return None
    try:
        return INTAKES.get(held)
    except JobGoneError:
        st.session_state["intake"] = None
        return None


def _take_away() -> None:
    """Let go of the files that were brought; the boxes start anew."""
    intake = _intake()
    if intake is not None:
        intake.forget()
    if running(LOOK) or running(ACCEPT):
        LOOKS.cancel(st.session_state["job"])
        st.session_state["job"] = None
    for name in ("intake", "uploaded", "file_chosen"):
        st.session_state[name] = None
    st.session_state["job_sentences"] = []
    st.session_state["upload_round"] = st.session_state.get("upload_round", 0) + 1


def _choose() -> None:
    require("do.import")
    names = ("upload", "folder", "demo", *(["kept"] if may("do.saved") else []))
    upload, folder, demo, *saved = st.tabs([text(f"project.{name}") for name in names])
    with upload:
        _upload()
    with folder:
        _folder()
    with demo:
        st.caption(text("project.demo_text"))
        if st.button(text("project.open_demo"), key="open_demo", type="primary"):
            start(KIND, JOBS.start(KIND, open_demonstration))
            st.rerun()


    for tab in saved:
        with tab:
            show_saved()


def _upload() -> None:
    st.caption(text("project.upload_text"))
    files = st.file_uploader(
        text("project.files"),
        type=list(UPLOADABLE),
        accept_multiple_files=True,
        key=f"files_{st.session_state.get('upload_round', 0)}",
        label_visibility="collapsed",
    )
    if not files:
        return
    signature = tuple(sorted((file.file_id, file.name) for file in files))
    if st.session_state.get("uploaded") == signature:
        # Reading them was stopped, or found nothing: say so once more only when asked.
        if st.button(text("project.look_again"), key="look_again"):
            _look_at_uploads(files)
        return
    st.session_state["uploaded"] = signature
    _look_at_uploads(files)


def _look_at_uploads(files: list[Any]) -> None:
    memory = choices_file(os.environ)
    _start_looking(take_uploads([(file.name, file.getvalue()) for file in files], memory))


def _start_looking(intake: Intake) -> None:
    st.session_state["intake"] = intake.id
    st.session_state["file_chosen"] = None

    def work(job: Job) -> str:
        return look_into(job, intake)

    start(LOOK, LOOKS.start(LOOK, work))
    st.rerun()


def _folder() -> None:
    st.caption(text("project.folder_text"))
    path = st.text_input(text("project.folder_path"), key="folder", label_visibility="collapsed",
                         placeholder=text("project.folder_path"))  # fmt: skip
    if st.button(text("project.look"), key="look", disabled=not path.strip()):
        roots = allowed_roots(os.environ, Path.home(), Path.cwd())
        folder = allowed_folder(path, roots)
        if not (folder / PLAN_NAME).exists():
            _start_looking(take_folder(folder, choices_file(os.environ)))
        pickup = pick_folder(folder)

        def work(job: Job) -> str:
            return open_pickup(job, pickup, pickup.chosen, trusted=True)

        start(KIND, JOBS.start(KIND, work))
        st.rerun()


def _current(opened: Project | None) -> None:
    """What is open, what was read and what was noticed while reading."""
    with st.container(border=True, key="gw_current"):
        st.html(f"<h3 class='gw-h3'>{html_text(text('project.current'))}</h3>")
        if opened is None:
            st.caption(text("project.none"))
            return
        st.html(f"<div class='gw-title'><b>{html_text(project_name(opened))}</b></div>")
        if opened.ground is not None:
            rows = "".join(
                f"<tr><td>{html_text(text(f'role.{role}'))}</td>"
                f"<td>{html_text(layer.file.name)}</td>"
                f"<td class='gw-number'>{whole(len(layer.frame))}</td></tr>"
                for role, layer in opened.ground.layers.items()
            )
            head = "".join(
                f"<th>{html_text(text(f'project.{name}'))}</th>"
                for name in ("layer", "file", "rows")
            )
            st.html(f"<table class='gw-table'><tr>{head}</tr>{rows}</table>")
        notes = [note.text(language()) for note in opened.notes]
        if notes:
            with st.expander(text("project.notes", count=len(notes))):
                st.markdown("\n".join(f"- {markdown_text(note)}" for note in notes))
        elif opened.ground is not None:
            st.caption(text("project.no_notes"))
        st.page_link(page_of("plan"), label=text("project.to_plan"), icon=":material/map:")
