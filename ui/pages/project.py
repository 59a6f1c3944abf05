"""Open a county: the demonstration, one's own files, or a folder on the server."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from ui.errors import JobGoneError
from ui.format import html_text, markdown_text, whole
from ui.jobs import Job, Snapshot
from ui.pickups import PICKUPS, Pickup, pick_folder, pick_upload
from ui.projects import JOBS, Project, open_demonstration, open_pickup
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
from ui.sources import ROLES, UPLOADABLE, allowed_folder, allowed_roots, missing_roles
from ui.watch import running, show_job, show_outcome, start

KIND = "open"


def show() -> None:
    """The page."""
    with guarded():
        on_other_page("project")
        show_failures()
        if st.session_state.pop("go_to_plan", False):
            st.switch_page(page_of("plan"))
        left, right = st.columns([58, 42], gap="large")
        with left:
            st.html(f"<h2 class='gw-h2'>{html_text(text('project.title'))}</h2>")
            st.caption(text("project.lead"))
            if running(KIND):
                show_job(_opened)
            else:
                show_outcome()
                _choose()
        with right:
            _current(project())


def _opened(now: Snapshot) -> None:
    open_project(now.result)
    st.session_state["pickup"] = None
    st.session_state["go_to_plan"] = True


def _choose() -> None:
    labels = [text("project.upload"), text("project.folder"), text("project.demo")]
    upload, folder, demo = st.tabs(labels)
    with upload:
        _upload()
    with folder:
        _folder()
    with demo:
        st.caption(text("project.demo_text"))
        if st.button(text("project.open_demo"), key="open_demo", type="primary"):
            start(KIND, JOBS.start(KIND, open_demonstration))
            st.rerun()


def _upload() -> None:
    st.caption(text("project.upload_text"))
    files = st.file_uploader(
        text("project.files"),
        type=list(UPLOADABLE),
        accept_multiple_files=True,
        key="files",
        label_visibility="collapsed",
    )
    if not files:
        return
    signature = tuple(sorted((file.file_id, file.name) for file in files))
    if st.session_state.get("uploaded") != signature:
        pickup = pick_upload((file.name, file.getvalue()) for file in files)
        st.session_state["uploaded"] = signature
        st.session_state["upload_pickup"] = pickup.id
    _roles(st.session_state["upload_pickup"], trusted=False)


def _folder() -> None:
    st.caption(text("project.folder_text"))
    path = st.text_input(text("project.folder_path"), key="folder", label_visibility="collapsed",
                         placeholder=text("project.folder_path"))  # fmt: skip
    if st.button(text("project.look"), key="look", disabled=not path.strip()):
        roots = allowed_roots(os.environ, Path.home(), Path.cwd())
        st.session_state["folder_pickup"] = pick_folder(allowed_folder(path, roots)).id
    if st.session_state.get("folder_pickup"):
        _roles(st.session_state["folder_pickup"], trusted=True)


def _roles(pickup_id: str, *, trusted: bool) -> None:
    """Which file plays which role, guessed and to be checked; then open."""
    try:
        pickup = PICKUPS.get(pickup_id)
    except JobGoneError:
        return
    if not pickup.candidates and pickup.plan is None:
        st.warning(text("project.nothing_readable"))
        return
    if pickup.plan is not None:
        st.info(text("project.has_plan"))
    chosen = _role_boxes(pickup)
    missing = [] if pickup.plan is not None else missing_roles(chosen)
    if missing:
        names = "、".join(text(f"role.{role}") for role in missing)
        st.caption(text("project.missing", roles=names))
    if st.button(text("project.open"), key=f"open_{pickup_id}", type="primary",
                 disabled=bool(missing)):  # fmt: skip

        def work(job: Job) -> str:
            return open_pickup(job, pickup, chosen, trusted=trusted)

        start(KIND, JOBS.start(KIND, work))
        st.rerun()


def _role_boxes(pickup: Pickup) -> dict[str, str]:
    st.markdown(f"**{text('project.roles')}**")
    st.caption(text("project.roles_text"))
    labels = {"": text("project.not_used")}
    labels |= {candidate.source: candidate.label for candidate in pickup.candidates}
    sources = list(labels)
    chosen = {}
    columns = st.columns(2, gap="small")
    for number, role in enumerate(ROLES):
        guess = pickup.chosen.get(role, "")
        source = columns[number % 2].selectbox(
            text(f"role.{role}"),
            sources,
            index=sources.index(guess) if guess in sources else 0,
            format_func=labels.__getitem__,
            key=f"role_{pickup.id}_{role}_{language()}",
        )
        if source:
            chosen[role] = source
    return chosen


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
