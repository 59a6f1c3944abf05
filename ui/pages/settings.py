"""The rules of division beside the plan, and the button that proposes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from planning.settings import PRESETS
from ui.access import require
from ui.draft import (
    OWN,
    RULES,
    WEIGHTS,
    Draft,
    contradictions,
    preset_of,
    to_settings,
    with_preset,
)
from ui.engine import scheduler_of
from ui.format import markdown_text
from ui.jobs import Job, Snapshot
from ui.projects import JOBS, Project, grids_of_plan, grids_of_upload, propose
from ui.session import PROPOSE, callback, draft, language, open_plan, plan_now, text
from ui.sources import UPLOADABLE
from ui.watch import running, show_job, show_outcome, start

if TYPE_CHECKING:
    from geo.ground import Ground
    from planning.today import Today


AFRESH, PLAN, FILE = STARTS = ("afresh", "plan", "file")


def _key(name: str) -> str:
    return f"set_{name}"


def _put_into_widgets(of: Draft) -> None:
    """Widgets keep their own values; a preset or a new page has to set them."""
    for name in (*RULES, *WEIGHTS, "micro", "seed"):
        st.session_state[_key(name)] = getattr(of, name)


def _preset_key() -> str:
    """A box remembers its choice by the label shown, so each language has a box of its own."""
    return _key(f"preset_{language()}")


def _preset_chosen() -> None:
    name = st.session_state[_preset_key()]
    if name != OWN:
        st.session_state["draft"] = with_preset(draft(), name)
        _put_into_widgets(draft())


def _changed() -> None:
    held = {name: st.session_state[_key(name)] for name in (*RULES, *WEIGHTS, "micro", "seed")}
    held["target"] = held["target"] or draft().target
    held["seed"] = held["seed"] or 0
    st.session_state["draft"] = replace(draft(), **held)


def take_wanted() -> None:
    """Note the numbers of grids that were filled in beside the map; before the page is drawn."""
    wanted = st.session_state.pop("wanted", None)
    if wanted is not None:
        st.session_state["draft"] = replace(draft(), grids_per_village=wanted)


def show_settings(opened: Project) -> None:
    """The form, the button, and the progress of a running proposal."""
    if _key("target") not in st.session_state:
        _put_into_widgets(draft())
    with st.container(key="gw_settings"):
        _form()
        _button(opened)


def _number(name: str, *, step: int, low: int = 1, optional: bool = True) -> None:
    """A box that starts from the draft: a browser that draws it anew, its page having been left
    half drawn, would otherwise send the least number as the planner's own."""
    st.number_input(
        text(f"settings.{name}"),
        min_value=low,
        max_value=1_000_000,
        step=step,
        value=getattr(draft(), name),
        key=_key(name),
        placeholder=text("settings.no_limit") if optional else None,
        on_change=callback(_changed),
    )


def _form() -> None:
    labels = {name: text(f"settings.preset_{name}") for name in (*PRESETS, OWN)}
    st.session_state[_preset_key()] = preset_of(draft())
    st.selectbox(
        text("settings.preset"),
        list(labels),
        format_func=labels.__getitem__,
        key=_preset_key(),
        on_change=callback(_preset_chosen),
    )
    left, right = st.columns(2, gap="small")
    with left:
        _number("target", step=10, optional=False)
        _number("min_households", step=10)
    with right:
        _number("max_persons", step=100)
        _number("max_households", step=10)
    with st.expander(text("settings.more")):
        _number("micro", step=5)
        for name in WEIGHTS:
            st.slider(
                text(f"settings.{name}"), 0.0, 3.0, getattr(draft(), name), step=0.25,
                key=_key(name), on_change=callback(_changed),
            )  # fmt: skip
        st.number_input(
            text("settings.seed"), min_value=0, max_value=2**31 - 1, value=draft().seed, step=1,
            key=_key("seed"), help=text("settings.seed_help"), on_change=callback(_changed),
        )  # fmt: skip


def _button(opened: Project) -> None:
    wrong = contradictions(draft())
    for key in wrong:
        st.warning(text(key))
    fixed = len(draft().grids_per_village)
    if fixed:
        st.caption(text("settings.fixed", count=fixed))
    if running(PROPOSE):
        show_job(_done)
        return
    start_from, file = _start()
    pressed = st.button(
        text("settings.propose"), type="primary", width="stretch", key="propose",
        disabled=bool(wrong) or not opened.can_propose or (start_from == FILE and file is None),
    )  # fmt: skip
    cluster = scheduler_of(os.environ)
    if cluster is not None:
        st.caption(markdown_text(text("settings.cluster", address=cluster)))
    if pressed:
        require("do.propose")
        settings = to_settings(draft())

        today = _today(start_from, file)

        def work(job: Job) -> str:
            return propose(job, opened, settings, today)

        start(PROPOSE, JOBS.start(PROPOSE, work))
        st.rerun()
    show_outcome()


def _start() -> tuple[str, Any]:
    """Where the proposal starts: afresh, from the open plan, or from the grids of a file."""
    has_plan = st.session_state.get("plan") is not None
    choices = {name: text(f"settings.from_{name}") for name in STARTS if name != PLAN or has_plan}
    key = f"{_key('from')}_{language()}"
    if st.session_state.get(key) not in choices:
        st.session_state[key] = AFRESH
    chosen = st.selectbox(
        text("settings.from"), list(choices), format_func=choices.__getitem__, key=key,
        help=text("settings.from_help"),
    )  # fmt: skip
    if chosen != FILE:
        return chosen, None
    kinds = [suffix for suffix in UPLOADABLE if suffix not in ("csv", "tsv", "txt", "xlsx", "xls")]
    return chosen, st.file_uploader(
        text("settings.from_upload"), type=kinds, key=_key("today"),
        label_visibility="collapsed",
    )  # fmt: skip


def _today(start_from: str, file: Any) -> Callable[[Ground], Today] | None:
    if start_from == PLAN:
        view = plan_now()
        return None if view is None else grids_of_plan(view.plan)
    if start_from == FILE and file is not None:
        return grids_of_upload(file.name, file.getvalue())
    return None


def _done(now: Snapshot) -> None:
    open_plan(now.result)
    st.toast(text("job.done", seconds=f"{now.seconds:.1f}"))
