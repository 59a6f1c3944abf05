"""Watching a job from a page: progress, cancel, and what happens when it is over."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui.errors import JobGoneError, sentences
from ui.format import markdown_text, name_text
from ui.jobs import Jobs, Snapshot, Step
from ui.projects import JOBS
from ui.session import guarded, language, text

EVERY = 0.5  # seconds between two looks
_KNOWN = ("reading", "plan", "making", "drawing", "counting", "beats", "sheets")
STAGES = {name: name for name in _KNOWN}


def step_text(state: str, step: Step) -> str:
    """What the bar says: plain text of this application and a name from a file."""
    if state == "waiting":
        return text("job.waiting")
    if step.stage in ("proposing", "looking", "taking") and step.label:
        label = name_text(step.label)
        return text(f"job.{step.stage}", label=label, done=step.done, total=step.total)
    if step.stage == "sheets" and step.total:
        return text("job.sheet", done=step.done, total=step.total)
    return text(f"job.{STAGES.get(step.stage, 'starting')}")


def start(kind: str, job_id: str) -> None:
    """Remember the job that this visitor waits for."""
    st.session_state["job"] = job_id
    st.session_state["job_kind"] = kind
    st.session_state["job_cancelled"] = False
    st.session_state["job_sentences"] = []


def running(kind: str) -> bool:
    """Does this visitor wait for a job of this kind?"""
    return st.session_state.get("job") is not None and st.session_state.get("job_kind") == kind


def show_job(when_done: Callable[[Snapshot], None], jobs: Jobs = JOBS) -> None:
    """Progress and cancel of the visitor's job; ``when_done`` runs before the page is redrawn."""
    _watch(st.session_state.get("job"), when_done, jobs)


@st.fragment(run_every=EVERY)
def _watch(job_id: str | None, when_done: Callable[[Snapshot], None], jobs: Jobs) -> None:
    # The browser may ask once more for the watch of a job that is over when the next has begun:
    # that one's end is not this one's to tell.
    if job_id is None or st.session_state.get("job") != job_id:
        return
    with guarded():
        try:
            now = jobs.look(job_id)
        except JobGoneError:
            st.session_state["job"] = None
            raise
        if now.over:
            _over(job_id, now, when_done)
        st.progress(now.step.share, text=markdown_text(step_text(now.state, now.step)))
        st.button(
            text("job.cancel"), key="cancel_job", on_click=jobs.cancel, args=(job_id,),
            width="stretch",
        )  # fmt: skip


def _over(job_id: str, now: Snapshot, when_done: Callable[[Snapshot], None]) -> None:
    """Take what a job made, or say why there is nothing; the page is then drawn anew.

    What cannot be taken (the store is away) is told and tried again: minutes of work are in it.
    """
    st.session_state["job"] = None
    if now.state == "done":
        try:
            when_done(now)
        except Exception:
            st.session_state["job"] = job_id
            st.button(text("job.cancel"), key="let_go_job", on_click=_let_go, width="stretch")
            raise
    elif now.error is not None:
        st.session_state["job_sentences"] = sentences(now.error, language())
    else:
        st.session_state["job_cancelled"] = True
    st.rerun()


def _let_go() -> None:
    st.session_state["job"] = None


def show_outcome(cancelled: str = "job.cancelled") -> None:
    """How the last job ended, if it did not end well; stays until the next one starts.

    ``cancelled`` what is said of one that was stopped.
    """
    if st.session_state.get("job_cancelled"):
        st.info(text(cancelled))
    for sentence in st.session_state.get("job_sentences", []):
        st.error(markdown_text(sentence))
