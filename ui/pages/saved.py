"""Plans that the store holds: open, copy, export as one file, import, delete."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from store.projects import ProjectInfo, Store
from ui.access import taken
from ui.format import local_time
from ui.kept import open_kept
from ui.projects import PLANS, PROJECTS, Project, owner
from ui.session import callback, language, open_project, text
from ui.shelf import new_id
from ui.sources import safe_name
from ui.storage import the_store

SUFFIX = ".gridwright"


def show_saved() -> None:
    """The list and what can be done with a row of it."""
    st.caption(text("project.kept_text"))
    store = the_store()
    held = store.projects()
    if held:
        _list(held)
        _actions(store, held)
    else:
        st.caption(text("project.kept_none"))
    _import(store)


def _list(held: list[ProjectInfo]) -> None:
    table = pd.DataFrame(
        {
            "name": [one.name for one in held],
            "villages": [one.villages for one in held],
            "scenarios": [one.scenarios for one in held],
            "made": [local_time(one.created_at) for one in held],
        }
    )
    st.dataframe(
        table,
        column_config={name: text(f"project.kept_{name}") for name in table.columns},
        hide_index=True,
        height=min(38 + 35 * len(held), 260),
        key="saved_table",
    )


def _actions(store: Store, held: list[ProjectInfo]) -> None:
    by_id = {one.id: one for one in held}
    labels = {one.id: f"{one.name} · {local_time(one.created_at)} · {one.id}" for one in held}
    key = _box()
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = held[0].id
    chosen = st.selectbox(
        text("project.kept_chosen"), list(by_id), format_func=labels.__getitem__, key=key
    )
    one = by_id[chosen]
    with st.container(horizontal=True, gap="small"):
        st.button(
            text("project.kept_open"), key="saved_open", type="primary",
            on_click=callback(partial(_open, store, one)),
        )  # fmt: skip
        st.button(
            text("project.kept_copy"), key="saved_copy",
            on_click=callback(partial(_copy, store, one)),
        )  # fmt: skip
        st.download_button(
            text("project.kept_export"),
            data=taken("do.saved", partial(exported, store, one.id), f"project/{one.id}"),
            file_name=f"{safe_name(one.name) or text('project.kept_file')}{SUFFIX}",
            key="saved_export",
            on_click="ignore",
        )
        with st.popover(text("project.kept_rename")):
            name = st.text_input(text("project.kept_name"), key="saved_name", max_chars=60)
            st.button(
                text("project.kept_rename"), key="saved_rename", disabled=not name.strip(),
                on_click=callback(partial(store.rename_project, one.id, name)),
            )  # fmt: skip
        with st.popover(text("project.kept_delete")):
            st.button(
                text("project.kept_sure"), key="saved_delete",
                on_click=callback(partial(_delete, store, one)),
            )  # fmt: skip


def _open(store: Store, one: ProjectInfo) -> None:
    kept, view = open_kept(store, one.id)
    view.kept, view.sought = kept, True
    project = Project(new_id(), one.name, "saved", {}, owner=owner())
    project.plan_id = view.key
    PLANS.put(view.key, view)
    PROJECTS.put(project.id, project)
    open_project(project.id)
    st.session_state["go_to"] = "plan"


def _copy(store: Store, one: ProjectInfo) -> None:
    with tempfile.TemporaryDirectory(prefix="gridwright-copy-") as folder:
        path = Path(folder) / f"copy{SUFFIX}"
        store.export_project(one.id, path)
        made = store.import_project(path)
    store.rename_project(made, text("project.kept_copied", name=one.name))
    _choose(made)


def _choose(project: int) -> None:
    st.session_state[_box()] = project


def _box() -> str:
    """A box remembers its choice by the label shown, so each language has a box of its own."""
    return f"saved_chosen_{language()}"


def _delete(store: Store, one: ProjectInfo) -> None:
    """Delete it, and let go of every page that had it open."""
    for view in PLANS.all():
        if view.kept is not None and view.kept.project == one.id:
            view.kept, view.sought = None, False
    store.delete_project(one.id)


def exported(store: Store, project: int) -> bytes:
    """A project as the bytes of one file."""
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / f"project{SUFFIX}"
        store.export_project(project, path)
        return path.read_bytes()


def _import(store: Store) -> None:
    file = st.file_uploader(
        text("project.kept_import"), type=[SUFFIX.lstrip(".")],
        key=f"saved_import_{st.session_state.get('saved_round', 0)}",
    )  # fmt: skip
    if file is not None:
        st.button(
            text("project.kept_take"), key="saved_take",
            on_click=callback(partial(_take, store, file.name, file.getvalue())),
        )  # fmt: skip


def _take(store: Store, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="gridwright-upload-") as folder:
        path = Path(folder) / (safe_name(name) or f"project{SUFFIX}")
        path.write_bytes(content)
        _choose(store.import_project(path))
    st.session_state["saved_round"] = st.session_state.get("saved_round", 0) + 1
