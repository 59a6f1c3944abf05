"""The planner's board: one village is open, its grids are redrawn by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

import streamlit as st

from geo.problems import InputError
from planning.naming import name_in
from store.policy import DeniedError
from store.trouble import is_trouble
from ui.access import may, person
from ui.desk import Answer, Desk
from ui.desk_message import Context, message
from ui.errors import sentences
from ui.format import name_text
from ui.here import acting, show_here
from ui.kept import Kept, find_kept, keep_view
from ui.map.hand import asked, show_hand
from ui.pages.board_taking import show_taking
from ui.projects import Project, ground_now
from ui.session import (
    callback,
    guarded,
    language,
    note_in_address,
    on_other_page,
    open_scenario,
    page_of,
    plan_view,
    project,
    project_name,
    scenario_of,
    show_failures,
    text,
)
from ui.storage import the_store
from ui.tables import village_choices
from ui.taking import by_itself
from ui.views import PlanView
from ui.words import Language

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
        if opened is not None and view is not None and _is_to_come(opened, view):
            show_taking(opened, view.whole)
            return
        kept = None if opened is None or view is None else _kept(opened, view)
        if opened is None or view is None or kept is None:
            _show_nothing(opened is not None and view is not None)
            return
        village = _choose_village(view, kept)
        if kept.not_kept:
            st.warning(text("redraw.told_not_kept", count=len(kept.not_kept)))
        shown, place = _finer(kept, village)
        with st.sidebar:
            seen = frozenset(village_choices(view.plan.villages)) if shown is kept else frozenset()
            show_here(shown, scenario_of(shown), place, actor, seen)
        show_board(shown, shown.desk(scenario_of(shown), place), opened.context, language())


def _kept(opened: Project, view: PlanView) -> Kept | None:
    """The plan in the store, put there at its first redrawing; None without any ground for it."""
    view = view.whole
    found = find_kept(the_store(), view)
    if found is None and not opened.can_propose:
        return None
    if found is None:
        with st.spinner(text("redraw.reading")):
            return keep_view(the_store(), view, project_name(opened), partial(ground_now, opened))
    if opened.can_propose:
        found.homes = found.homes or partial(ground_now, opened)
    return found


def _is_to_come(opened: Project, view: PlanView) -> bool:
    """Is it a large plan that a process of its own has to put into the store first?"""
    return by_itself(opened, view.whole) and find_kept(the_store(), view.whole) is None


def _show_nothing(no_ground: bool) -> None:
    with st.container(key="gw_empty"):
        st.markdown(text("redraw.no_ground" if no_ground else "redraw.empty"))
        to = "project" if no_ground else "plan"
        st.page_link(page_of(to), label=text(f"page.{to}"), icon=":material/arrow_forward:")


def _choose_village(view: PlanView, kept: Kept) -> str:
    """The village that is open: the one looked at on the plan's page, the largest at first."""
    here = set(kept.ground.villages["code"].map(name_text))
    places = view.plan.villages
    codes, towns = (kept.ground.villages[n].map(name_text) for n in ("code", "township_name"))
    town, planning = dict(zip(codes, towns, strict=True)), person().holding("see.board")
    choices = {
        code: label for code, label in village_choices(places).items()
        if code in here and planning.sees(code, town[code])
    }  # fmt: skip
    if not choices:  # a planner elsewhere, who may only look here
        raise DeniedError("see.board")
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
        _steps_through(list(choices), str(village))
        if not person().id:  # who signed in is known
            st.session_state["actor"] = st.text_input(
                text("redraw.actor"), value=actor(), key="actor_box", max_chars=40,
                help=text("redraw.actor_help"),
            )  # fmt: skip
        st.caption(text("redraw.lead"))
    return str(village)


def _finer(kept: Kept, village: str) -> tuple[Kept, str]:
    """The board of the village's grids, or of the micro-grids of the grid that is chosen."""
    scenario = scenario_of(kept)
    grids = sorted(
        (own.code, own.name) for own in kept.desk(scenario, village).plan.grids.values()
        if own.kind == "comprehensive"
    )  # fmt: skip
    lang = language()
    labels = {"": text("microboard.of_grids")}
    for code, name in grids:
        short = code.removeprefix(village) or code
        labels[code] = text("microboard.of_micro", grid=short, name=name_in(name, lang))
    key = f"board_finer_{lang}"
    held = st.session_state.get("board_finer")
    st.session_state[key] = held if held in labels else ""
    with st.sidebar:
        grid = st.selectbox(
            text("microboard.what"), list(labels), format_func=labels.__getitem__, key=key,
            on_change=callback(partial(_finer_changed, key)),
        )  # fmt: skip
        _tell_followed(kept, scenario, village)
        if not grid:
            return kept, village
        try:
            found = kept.micro.open(scenario, village, grid)
        except KeyError:
            st.warning(text("microboard.none"))
            return kept, village
        st.caption(text("microboard.lead"))
    return found, grid


def _finer_changed(key: str) -> None:
    st.session_state["board_finer"] = st.session_state[key]


def _tell_followed(kept: Kept, scenario: int, village: str) -> None:
    """What became of the micro-grids of grids that were redrawn."""
    if kept.first is None or kept.first.plan.micro_grids is None:
        return
    try:
        kept.view(scenario)  # files what was redrawn
    except InputError as error:
        if not is_trouble(error):
            raise
        return  # the board goes on in memory, and says so
    for change in kept.micro.changes(scenario).get(village, ()):
        numbers = [*change.changed, *change.new, *change.gone]
        told = ", ".join(code.removeprefix(change.grid) for code in numbers[:9])
        st.caption(
            text(
                "microboard.followed", grid=change.grid.removeprefix(village), codes=told,
                changed=len(change.changed), new=len(change.new), gone=len(change.gone),
            )
        )  # fmt: skip


def _steps_through(codes: list[str], village: str) -> None:
    """On to the next village, or back: a county has a hundred of them to go through."""
    at = codes.index(village)
    back, where, on = st.columns([1, 2, 1], gap="small", vertical_alignment="center")
    for place, name, to in ((back, "back", at - 1), (on, "on", at + 1)):
        place.button(
            "‹" if name == "back" else "›", key=f"village_{name}", width="stretch",
            help=text(f"redraw.village_{name}"), disabled=not 0 <= to < len(codes),
            on_click=callback(partial(_go_to_village, codes[to % len(codes)])),
        )  # fmt: skip
    where.caption(f"{at + 1} / {len(codes)}")


def _go_to_village(code: str) -> None:
    st.session_state["village"] = code
    st.session_state["grid"] = None


def _village_changed(key: str) -> None:
    st.session_state["village"] = st.session_state[key]
    st.session_state["grid"] = None


@st.fragment
def show_board(kept: Kept, desk: Desk, context: Context, lang: Language) -> None:
    """Everything that answers to a click; a fragment, so that only it runs again."""
    with guarded():
        desk = _current(kept, desk)
        sent = st.session_state.get(_SENT)
        answer = st.session_state.pop(_ANSWER, None)
        data, now = message(desk, context, lang, sent, answer, _not_for_them())
        st.session_state[_SENT] = now
        show_hand(data, on_asked=callback(partial(_asked, kept, desk)), on_resync=_resync)


def _not_for_them() -> list[str]:
    """Buttons for scenarios that would only be refused."""
    needs = {"branch": "do.branch", "rename_scenario": "do.adopt"}
    return [name for name, action in needs.items() if not may(action)]


def _current(kept: Kept, desk: Desk) -> Desk:
    """The desk of the scenario that was opened since the page was drawn."""
    return kept.desk(scenario_of(kept), desk.village)


def actor() -> str:
    """Who redraws, as the record names them: the account, else what stands in the sidebar's box."""
    who = person()
    if who.id:
        return who.name
    return name_text(st.session_state.get("actor")).strip()[:40]


def _resync() -> None:
    st.session_state.pop(_SENT, None)


def _asked(kept: Kept, desk: Desk) -> None:
    """Carry out what the browser asks, before the page is drawn again."""
    request = asked()
    if not request:
        return
    desk = _current(kept, desk)
    with acting():
        try:
            answer = _scenario(kept, desk, request) or desk.ask(request, actor())
        except Exception as error:  # as on every page: a sentence, and the log has the rest
            told = {"problems": " ".join(sentences(error, language()))}
            answer = Answer("", "redraw.told_problem", told, "error")
    st.session_state[_ANSWER] = replace(answer, id=str(request.get("id", "")))


def _scenario(kept: Kept, desk: Desk, request: dict[str, object]) -> Answer | None:
    """Branch, rename or open a scenario; None for any other request."""
    do, name = str(request.get("do")), name_text(request.get("name"))[:60]
    if not kept.branches:
        own = do in ("branch", "branch_with", "rename_scenario", "open")
        return Answer("", "microboard.told_no_scenario", kind="warn") if own else None
    held_back = request.get("request")
    if do == "branch_with" and isinstance(held_back, dict):
        mine = text("redraw.mine", time=datetime.now().strftime("%H:%M"))
        number, answer = kept.branch_with(desk, request.get("stale"), held_back, mine, actor())
        open_scenario(number, kept.slot)
        return answer
    if do == "branch" and name:
        number = desk.store.branch(desk.scenario, name, actor=actor())
        open_scenario(number, kept.slot)
        return Answer("", "redraw.told_branch", {"name": name})
    if do == "rename_scenario" and name:
        desk.store.rename(desk.scenario, name, actor=actor())
        return Answer("", "redraw.told_renamed", {"name": name})
    if do == "open":
        held = {one.id: one for one in desk.store.scenarios(desk.project)}
        chosen = request.get("scenario")
        if chosen in held:
            open_scenario(int(str(chosen)), kept.slot)
            return Answer("", "redraw.told_open", {"name": held[int(str(chosen))].name})
    return None
