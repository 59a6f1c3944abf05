"""The plan: five numbers, the map, and beside it the grids, the exceptions and the villages."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ui.draft import to_settings
from ui.format import DASH, area_km2, decimal, html_text, name_text, share, signed_share, whole
from ui.map.component import event, forget_what_was_sent, show_map
from ui.map.layers import exception_count, judged
from ui.map.scene import Focus
from ui.pages.settings import show_settings
from ui.projects import Project, suggested_numbers, villages_of
from ui.session import (
    callback,
    draft,
    guarded,
    language,
    on_other_page,
    page_of,
    plan_view,
    project,
    project_name,
    show_failures,
    text,
)
from ui.tables import (
    GRID_HEADS,
    VILLAGE_HEADS,
    exception_table,
    grid_table,
    households_of,
    kind_word,
    matching,
    village_choices,
    village_table,
    wanted_numbers,
)
from ui.views import PlanView, ground_scene
from ui.words import Language

TABLE_HEIGHT = 500
COUNTY = ""
NARROW, WIDE = 62, 128  # widths of columns in pixels
FIRST = ("name", "households", "deviation", "deviation_ideal", "exceptions")
SIDES = ("grids", "exceptions", "villages")


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("plan"):
            forget_what_was_sent()
        show_failures()
        opened = project()
        if opened is None:
            _show_nothing()
            return
        view = plan_view()
        with st.sidebar:
            show_settings(opened)
        _workspace(opened, view, language())


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
        village = _heading(opened, view)
        _numbers(view, village)
        left, right = st.columns([60, 40], gap="small")
        with right:
            side = _side_choice(view, village)
        with left:
            show_map(
                view.scene(lang, village=village, selected=_selected(), focus=_focus()),
                on_picked=callback(_picked),
                on_opened=callback(_opened),
            )
        with right:
            _card(view, lang)
            if side == "grids":
                _grids(view, village, lang)
            elif side == "exceptions":
                _exceptions(view, village, lang)
            else:
                _villages(opened, view.plan.villages)


# --- where we are -------------------------------------------------------------------------------


def _heading(opened: Project, view: PlanView) -> str | None:
    """Name and choice of place; returns the village's code, or None for the county."""
    choices = {COUNTY: text("plan.whole_county"), **village_choices(view.plan.villages)}
    name, place = st.columns([60, 40], gap="small", vertical_alignment="center")
    lost = households_of(view.plan.unplaced)
    note = f"<span>{html_text(text('plan.unplaced', count=whole(lost)))}</span>" if lost else ""
    name.html(f"<div class='gw-title'><b>{html_text(project_name(opened))}</b>{note}</div>")
    if st.session_state.get("place") not in choices:
        st.session_state["place"] = st.session_state.get("village") or COUNTY
    chosen = place.selectbox(
        text("plan.place"),
        list(choices),
        format_func=choices.__getitem__,
        key="place",
        label_visibility="collapsed",
        on_change=callback(_place_changed),
    )
    st.session_state["village"] = chosen
    return chosen or None


def _place_changed() -> None:
    st.session_state["village"] = st.session_state["place"]
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
    body = "".join(
        f"<div><b>{html_text(value)}</b><span>{html_text(text(key))}</span></div>"
        for key, value in cells
    )
    st.html(f"<div class='gw-numbers'>{body}</div>")


# --- what is chosen -----------------------------------------------------------------------------


def _selected() -> tuple[str, ...]:
    grid = st.session_state.get("grid")
    return (grid,) if grid else ()


def _focus() -> Focus:
    number, grid = st.session_state.get("focus", (0, ""))
    return Focus(number, "grids", (grid,) if grid else ())


def _choose(grid: str | None, *, move: bool) -> None:
    """Choose a grid; with ``move`` the map goes there."""
    st.session_state["grid"] = grid
    if move and grid:
        number = st.session_state.get("focus", (0, ""))[0]
        st.session_state["focus"] = (number + 1, grid)


def _picked() -> None:
    """A click on the map: choose the grid there; the grid of a household; again: none."""
    happened = event("picked") or {}
    if happened.get("layer") != "grids":
        return
    grid = name_text(happened.get("id"))
    _choose(None if grid == st.session_state.get("grid") else grid, move=False)
    _mark_rows()


def _mark_rows() -> None:
    """Let the tables show the chosen grid, wherever it was chosen."""
    grid = st.session_state.get("grid")
    for table in ("grids", "exceptions"):
        shown: list[str] = st.session_state.get(f"rows_{table}", [])
        rows = [shown.index(grid)] if grid in shown else []
        if f"table_{table}" in st.session_state:
            st.session_state[f"table_{table}"] = {"selection": {"rows": rows, "columns": []}}


def _opened() -> None:
    """A double click on the map: open the village there."""
    village = name_text((event("opened") or {}).get("village"))
    if village:
        _go_to(village)
        _choose(None, move=False)


def _go_to(village: str) -> None:
    st.session_state["place"] = st.session_state["village"] = village


def _let_go() -> None:
    _choose(None, move=False)
    _mark_rows()


def _row_chosen(table: str) -> None:
    """A row of a table: choose its grid and go there; unchosen: choose none."""
    rows = st.session_state[f"table_{table}"].selection.rows
    shown: list[str] = st.session_state.get(f"rows_{table}", [])
    _choose(shown[rows[0]] if rows and rows[0] < len(shown) else None, move=True)


def _card(view: PlanView, lang: Language) -> None:
    """The chosen grid's numbers."""
    chosen = st.session_state.get("grid")
    found = view.grids[view.grids["code"].astype(str) == chosen] if chosen else view.grids[:0]
    if found.empty:
        return
    grid = found.iloc[0]
    pairs = [
        ("grid.code", chosen),
        ("grid.kind", kind_word(grid.get("kind"), lang)),
        ("grid.households", whole(grid["households"])),
        ("grid.persons", whole(grid.get("persons"))),
        ("grid.deviation", signed_share(judged(found, "deviation")[0], 1)),
        ("grid.deviation_ideal", signed_share(judged(found, "deviation_ideal")[0], 1)),
        ("grid.area", f"{area_km2(grid.get('area_m2'))} km²"),
        ("grid.compactness", decimal(grid.get("polsby_popper"))),
        ("grid.reach", whole(grid.get("reach_m"))),
        ("grid.on_lines", share(grid.get("edge_on_line"))),
    ]
    cells = "".join(
        f"<span>{html_text(text(key))}</span><b>{html_text(value)}</b>" for key, value in pairs
    )
    bounds = name_text(grid.get("bounds_text")) or DASH
    flag = " gw-wrong" if exception_count(grid.get("exceptions")) else ""
    st.html(
        f"<div class='gw-grid{flag}'><div class='gw-grid-name'>{html_text(grid.get('name'))}</div>"
        f"<div class='gw-grid-cells'>{cells}</div>"
        f"<div class='gw-grid-bounds'><span>{html_text(text('grid.bounds'))}</span> "
        f"{html_text(bounds)}</div></div>"
    )
    village = name_text(grid.get("village_code"))
    go, leave = st.columns(2, gap="small")
    go.button(
        text("plan.open_village"), key="open_village", width="stretch",
        disabled=not village or st.session_state.get("village") == village,
        on_click=callback(partial(_go_to, village)),
    )  # fmt: skip
    leave.button(
        text("plan.close_card"), key="close_card", width="stretch", on_click=callback(_let_go)
    )


# --- beside the map -----------------------------------------------------------------------------


def _side_choice(view: PlanView, village: str | None) -> str:
    count = whole(len(view.exceptions(village)))
    labels = {side: text(f"plan.side_{side}", count=count) for side in SIDES}
    chosen = st.segmented_control(
        text("plan.side"),
        SIDES,
        format_func=labels.__getitem__,
        default=SIDES[0],
        key="side",
        label_visibility="collapsed",
        width="stretch",
    )
    return chosen or SIDES[0]


def _table_height() -> int:
    return TABLE_HEIGHT - (236 if st.session_state.get("grid") else 0)


def _numbered(head: str, form: str, width: int | None = None) -> Any:
    return st.column_config.NumberColumn(head, format=form, width=width)


def _grids(view: PlanView, village: str | None, lang: Language) -> None:
    query = st.text_input(
        text("plan.search"),
        key="search",
        placeholder=text("plan.search") + " · " + text("plan.search_hint"),
        label_visibility="collapsed",
    )
    grids = matching(view.grids[view.of_village(village)], query, ("code", "name", "village_name"))
    st.session_state["rows_grids"] = [str(code) for code in grids["code"]]
    if grids.empty:
        st.caption(text("plan.nothing_found"))
        return
    heads = {name: text(key) for name, key in GRID_HEADS.items()}
    percent = {"deviation": "%+.0f %%", "deviation_ideal": "%+.0f %%", "edge_on_line": "%.0f %%"}
    whole_numbers = {"households": "%d", "persons": "%d", "reach_m": "%.0f", "exceptions": "%d"}
    forms = {**percent, **whole_numbers, "polsby_popper": "%.2f"}
    config = {
        name: _numbered(head, forms[name], NARROW)
        if name in forms
        else st.column_config.TextColumn(head, width=WIDE if name == "name" else None)
        for name, head in heads.items()
    }
    order = [name for name in GRID_HEADS if village is None or name != "village_name"]
    st.dataframe(
        grid_table(grids, lang),
        key="table_grids",
        column_config=config,
        column_order=[*FIRST, *(name for name in order if name not in FIRST)],
        hide_index=True,
        height=_table_height() - 56,
        row_height=29,
        on_select=callback(lambda: _row_chosen("grids")),
        selection_mode="single-row",
    )


def _exceptions(view: PlanView, village: str | None, lang: Language) -> None:
    found = view.exceptions(village)
    table = exception_table(found, view.grids, lang)
    st.session_state["rows_exceptions"] = list(table["grid_code"])
    if table.empty:
        st.caption(text("plan.no_exceptions"))
        return
    st.dataframe(
        table,
        key="table_exceptions",
        column_config={
            "grid_name": st.column_config.TextColumn(text("grid.name")),
            "rule": st.column_config.TextColumn(text("exception.rule")),
            "value": _numbered(text("exception.value"), "%.0f"),
            "limit": _numbered(text("exception.limit"), "%.0f"),
            "reason": st.column_config.TextColumn(text("exception.reason"), width="large"),
            "grid_code": st.column_config.TextColumn(text("grid.code")),
        },
        hide_index=True,
        height=_table_height(),
        row_height=29,
        on_select=callback(lambda: _row_chosen("exceptions")),
        selection_mode="single-row",
    )
    st.caption(text("plan.click_row"))


def _villages(opened: Project, villages: pd.DataFrame) -> None:
    """Numbers of grids a village, to be filled in; what is blank follows the formula."""
    suggested = suggested_numbers(villages, to_settings(draft()))
    key = f"villages_{hash((opened.id, tuple(sorted(suggested.items()))))}"
    if st.session_state.get("villages_key") != key:
        # An editor starts from what was wanted when it was made; then it keeps its own changes.
        st.session_state["villages_key"] = key
        st.session_state["villages_base"] = dict(draft().grids_per_village)
    table = village_table(villages, suggested, st.session_state["villages_base"])
    heads = {name: text(label) for name, label in VILLAGE_HEADS.items()}
    fixed = [name for name in VILLAGE_HEADS if name != "wanted"]
    config: dict[str, Any] = {
        name: st.column_config.TextColumn(heads[name]) for name in ("code", "name", "township_name")
    }
    config |= {
        name: st.column_config.NumberColumn(heads[name], format="%d", min_value=1, max_value=899,
                                            step=1)
        for name in ("households", "persons", "grids", "suggested", "wanted")
    }  # fmt: skip
    edited = st.data_editor(
        table,
        key=key,
        column_config=config,
        column_order=["name", "households", "grids", "suggested", "wanted", "township_name",
                      "persons", "code"],
        disabled=fixed,
        placeholder=DASH,
        hide_index=True,
        height=_table_height(),
        row_height=29,
    )  # fmt: skip
    wanted = wanted_numbers(edited)
    if wanted != dict(draft().grids_per_village):
        st.session_state["wanted"] = wanted
        st.rerun()
    st.caption(text("plan.villages_text"))


def _without_plan(opened: Project, lang: Language) -> None:
    """The county was read and waits for its first proposal."""
    ground = opened.ground
    st.html(f"<div class='gw-title'><b>{html_text(project_name(opened))}</b></div>")
    st.info(text("plan.no_plan"))
    if ground is None:
        return
    villages = villages_of(ground)
    left, right = st.columns([60, 40], gap="small")
    with left:
        show_map(
            ground_scene(opened.id, villages, opened.context, lang),
            on_picked=callback(lambda: None),
            on_opened=callback(lambda: None),
        )
    with right:
        _villages(opened, villages)
