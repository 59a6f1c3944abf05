"""The plan: five numbers, the map, and beside it the grids, the exceptions and the villages."""

from __future__ import annotations

from functools import partial

import streamlit as st

from planning.export import Language as Printed
from planning.export import in_language
from ui.access import may
from ui.choice import chosen_now, focus, opened_on_map, picked, selected
from ui.format import html_text, markdown_text, share, whole
from ui.map.component import forget_what_was_sent, show_map
from ui.map.drawn import SIGNS
from ui.map.parts import answer_map
from ui.pages.beside import show_beside, show_card, show_villages
from ui.pages.settings import show_settings, take_wanted
from ui.projects import Project, ground_now, villages_of
from ui.session import (
    callback,
    guarded,
    language,
    note_in_address,
    on_other_page,
    page_of,
    plan_now,
    plan_view,
    project,
    project_name,
    show_failures,
    text,
)
from ui.storage import the_store
from ui.tables import households_of
from ui.views import PlanView, ground_scene
from ui.words import Language

COUNTY = ""
MAP_FIRST = 10.0
"""Longest wait for a city's map to be drawn before what stands beside it is sent, in seconds."""

HALVES = [60, 40]


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("plan"):
            forget_what_was_sent()
            st.session_state["map_ahead"] = True
        show_failures()
        opened = project()
        if opened is None:
            _show_nothing()
            return
        view = plan_now()
        note_in_address()
        take_wanted()
        # The form beside the plan takes a browser half a second: the map is sent before it.
        _workspace(opened, view, language())
        if may("do.propose"):
            with st.sidebar:
                show_settings(opened)
        first = plan_view()
        # a city's units take minutes and gigabytes: only for who asks for its board
        small = first is not None and not first.large
        if first is not None and small and first.county is None and opened.can_propose:
            from ui.kept import keep_in_background  # loaded when the page is drawn already

            keep_in_background(
                the_store(), first.whole, project_name(opened), partial(ground_now, opened)
            )


def _show_nothing() -> None:
    with st.container(key="gw_empty"):
        st.markdown(text("plan.empty"))
        st.page_link(
            page_of("project"), label=text("plan.to_project"), icon=":material/folder_open:"
        )


@st.fragment
def _workspace(opened: Project, view: PlanView | None, lang: Language) -> None:
    """Everything that answers to a click; a fragment, so that only it runs again."""
    with guarded():
        if view is None:
            _without_plan(opened, lang)
            return
        st.session_state["page_shows"] = chosen_now()
        village = _heading(opened, view)
        _numbers(view, village)
        left, right = st.columns(HALVES, gap="small")
        with left:
            if view.large and village is None:
                _map_of_parts(view, lang)
            else:
                _map(view, lang, village)
        with right:
            show_beside(opened, view, village, lang)
            # Below the table: a row that was clicked must not move from under the mouse.
            show_card(view, lang)


def _map(view: PlanView, lang: Language, village: str | None, tell: str = "") -> None:
    show_map(
        view.scene(lang, village=village, selected=selected(), focus=focus()),
        on_picked=callback(picked),
        on_opened=callback(opened_on_map),
        tell=tell,
    )


def _map_of_parts(view: PlanView, lang: Language) -> None:
    """The map of a city; on the page's first run, return when the browser has drawn it.

    A browser draws what it has all at once; the table and the form would hold the map up for a
    second. Nothing else waits for this thread.
    """
    with SIGNS.awaited() as sign:
        first = bool(st.session_state.pop("map_ahead", False))
        _map(view, lang, None, tell=sign.name if first else "")
        answer_map(view.overview)
        if first:
            sign.wait(MAP_FIRST)


# --- where we are -------------------------------------------------------------------------------


def _heading(opened: Project, view: PlanView) -> str | None:
    """Name and choice of place; returns the village's code, or None for the county."""
    choices = {COUNTY: text("plan.whole_county"), **view.choices}
    name, place = st.columns(HALVES, gap="small", vertical_alignment="center")
    lost = households_of(view.plan.unplaced)
    note = f"<span>{html_text(text('plan.unplaced', count=whole(lost)))}</span>" if lost else ""
    name.html(f"<div class='gw-title'><b>{html_text(project_name(opened))}</b>{note}</div>")
    # A box remembers its choice by the label shown, so each language has a box of its own.
    key = f"place_{language()}"
    village = st.session_state.get("village") or COUNTY
    st.session_state[key] = village if village in choices else COUNTY
    chosen = place.selectbox(
        text("plan.place"),
        list(choices),
        format_func=choices.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=callback(partial(_place_changed, key)),
    )
    return chosen or None


def _place_changed(key: str) -> None:
    st.session_state["village"] = st.session_state[key]
    st.session_state["grid"] = None


def _numbers(view: PlanView, village: str | None) -> None:
    head = view.headline(village)
    cells = (
        ("headline.grids", whole(head.grids)),
        ("headline.households", whole(head.households)),
        ("headline.near", share(head.near_ideal, 1)),
        ("headline.lines", share(head.on_lines, 1)),
        ("headline.exceptions", whole(head.exceptions)),
    )
    _kept_from(view)
    body = "".join(
        f"<div><b>{html_text(value)}</b><span>{html_text(text(key))}</span></div>"
        for key, value in cells
    )
    st.html(f"<div class='gw-numbers'>{body}</div>")


def _kept_from(view: PlanView) -> None:
    """What became of today's grids, where the plan started from them."""
    moved = view.plan.value("from.households_moved")
    if moved is None:
        return
    told = {name: view.plan.value(f"from.{name}") or "0" for name in (
        "lower_bound", "grids_unchanged", "grids_changed", "grids_new", "grids_gone",
        "grids_not_mended")}  # fmt: skip
    st.caption(text("plan.kept_from", moved=moved, **told))
    rows = view.plan.provenance
    spoken: Printed = "zh" if language() == "zh" else "en"
    lost = rows.loc[rows["key"] == "from.not_kept", "value"]
    if len(lost):
        with st.expander(text("plan.not_kept", count=len(lost))):
            st.markdown("\n".join(f"- {markdown_text(in_language(line, spoken))}" for line in lost))


def _without_plan(opened: Project, lang: Language) -> None:
    """The county was read and waits for its first proposal."""
    ground = opened.ground
    st.html(f"<div class='gw-title'><b>{html_text(project_name(opened))}</b></div>")
    st.info(text("plan.no_plan" if opened.can_propose else "plan.map_only"))
    if ground is None:
        return
    villages = villages_of(ground)
    left, right = st.columns(HALVES, gap="small")
    with left:
        show_map(
            ground_scene(opened.id, villages, opened.context, lang),
            on_picked=callback(lambda: None),
            on_opened=callback(lambda: None),
        )
    with right:
        show_villages(opened, villages)
