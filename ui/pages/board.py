"""The planner's board: one village is open, its grids are redrawn by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from ui.desk import Answer, Desk, open_desk, the_store
from ui.desk_message import message
from ui.draft import to_settings
from ui.format import name_text
from ui.jobs import Job
from ui.map.hand import asked, show_hand
from ui.projects import Project, ground_of
from ui.session import (
    callback,
    draft,
    guarded,
    language,
    note_in_address,
    on_other_page,
    page_of,
    plan_view,
    project,
    show_failures,
    text,
)
from ui.shelf import Shelf
from ui.tables import village_choices
from ui.views import PlanView
from ui.words import Language

DESKS: Shelf[Desk] = Shelf(room=60)
_SENT = "hand_sent"
_ANSWER = "hand_answer"


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("board"):
            st.session_state.pop(_SENT, None)
        show_failures()
        opened = project()
        view = plan_view() if opened is not None else None
        note_in_address()
        if opened is None or view is None or not opened.can_propose:
            _show_nothing(opened is not None and view is not None)
            return
        village = _choose_village(view)
        if opened.ground is None:
            with st.spinner(text("redraw.reading")):
                ground_of(opened, Job("open"))
        _board(_desk(opened, view, village), opened, language())


def _show_nothing(no_ground: bool) -> None:
    with st.container(key="gw_empty"):
        st.markdown(text("redraw.no_ground" if no_ground else "redraw.empty"))
        to = "project" if no_ground else "plan"
        st.page_link(page_of(to), label=text(f"page.{to}"), icon=":material/arrow_forward:")


def _choose_village(view: PlanView) -> str:
    """The village that is open: the one looked at on the plan's page, the largest at first."""
    choices = village_choices(view.plan.villages)
    village = st.session_state.get("village")
    if village not in choices:
        counts = view.villages().sort_values("households", ascending=False, kind="stable")
        village = next(c for c in counts["code"].map(name_text) if c in choices)
        st.session_state["village"] = village
    key = f"board_place_{language()}"
    st.session_state[key] = village
    with st.sidebar:
        st.selectbox(
            text("redraw.village"), list(choices), format_func=choices.__getitem__, key=key,
            on_change=callback(partial(_village_changed, key)),
        )  # fmt: skip
        st.caption(text("redraw.lead"))
    return str(village)


def _village_changed(key: str) -> None:
    st.session_state["village"] = st.session_state[key]
    st.session_state["grid"] = None


def _desk(opened: Project, view: PlanView, village: str) -> Desk:
    """The village's desk in the scenario this session has open, shared with other sessions."""
    first_key = f"{view.key}/{village}"
    if first_key not in DESKS:
        ground = opened.ground
        assert ground is not None
        settings = to_settings(draft())
        DESKS.put(first_key, open_desk(the_store(), ground, view.plan, village, settings))
    first = DESKS.get(first_key)
    scenario = st.session_state.get("scenarios", {}).get(first_key, first.scenario)
    key = f"{first_key}/{scenario}"
    if scenario != first.scenario and key not in DESKS:
        DESKS.put(
            key,
            Desk(first.store, first.project, scenario, village, first.ground, first.settings),
        )
    desk = first if scenario == first.scenario else DESKS.get(key)
    desk.settings = to_settings(draft())
    st.session_state["desk"] = first_key
    return desk


@st.fragment
def _board(desk: Desk, opened: Project, lang: Language) -> None:
    """Everything that answers to a click; a fragment, so that only it runs again."""
    with guarded():
        desk = _current(desk)
        sent = st.session_state.get(_SENT)
        answer = st.session_state.pop(_ANSWER, None)
        data, now = message(desk, opened.context, lang, sent, answer)
        st.session_state[_SENT] = now
        show_hand(data, on_asked=callback(partial(_asked, desk)), on_resync=_resync)


def _current(desk: Desk) -> Desk:
    """The desk of the scenario that was opened since the page was drawn."""
    first_key = st.session_state.get("desk", "")
    scenario = st.session_state.get("scenarios", {}).get(first_key, desk.scenario)
    if scenario == desk.scenario:
        return desk
    key = f"{first_key}/{scenario}"
    if key not in DESKS:
        other = Desk(desk.store, desk.project, scenario, desk.village, desk.ground, desk.settings)
        DESKS.put(key, other)
    return DESKS.get(key)


def _resync() -> None:
    st.session_state.pop(_SENT, None)


def _asked(desk: Desk) -> None:
    """Carry out what the browser asks, before the page is drawn again."""
    request = asked()
    if not request:
        return
    desk = _current(desk)
    answer = _scenario(desk, request) or desk.ask(request)
    st.session_state[_ANSWER] = replace(answer, id=str(request.get("id", "")))


def _scenario(desk: Desk, request: dict[str, object]) -> Answer | None:
    """Branch, rename or open a scenario; None for any other request."""
    do, name = str(request.get("do")), name_text(request.get("name"))[:60]
    if do == "branch" and name:
        number = desk.store.branch(desk.scenario, name)
        _open_scenario(number)
        return Answer("", "redraw.told_branch", {"name": name})
    if do == "rename_scenario" and name:
        desk.store.rename(desk.scenario, name)
        return Answer("", "redraw.told_renamed", {"name": name})
    if do == "open":
        held = {one.id: one for one in desk.store.scenarios(desk.project)}
        chosen = request.get("scenario")
        if chosen in held:
            _open_scenario(int(str(chosen)))
            return Answer("", "redraw.told_open", {"name": held[int(str(chosen))].name})
    return None


def _open_scenario(number: int) -> None:
    held = dict(st.session_state.get("scenarios", {}))
    held[st.session_state["desk"]] = number
    st.session_state["scenarios"] = held
