"""Beside the map: the chosen grid, the grids, the exceptions, the villages' numbers of grids."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ui.choice import chosen_now, go_to, let_go, row_chosen
from ui.draft import to_settings
from ui.format import DASH, area_km2, decimal, html_text, name_text, share, signed_share, whole
from ui.map.layers import exception_count, judged
from ui.projects import Project, suggested_numbers
from ui.session import callback, draft, guarded, text
from ui.tables import (
    GRID_HEADS,
    VILLAGE_HEADS,
    exception_table,
    kind_word,
    spoken,
    village_table,
    wanted_numbers,
)
from ui.views import PlanView
from ui.words import Language

TABLE_HEIGHT = 500
SIDES = ("grids", "exceptions", "villages")
WIDTHS = {"name": 132, "households": 64, "deviation": 64, "deviation_ideal": 64}  # pixels
FIRST = ("name", "households", "deviation", "deviation_ideal", "persons", "exceptions")


def show_card(view: PlanView, lang: Language) -> None:
    """The chosen grid's numbers, and where to go from it."""
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
    named = spoken(grid.get("name"), lang)
    flag = " gw-wrong" if exception_count(grid.get("exceptions")) else ""
    st.html(
        f"<div class='gw-grid{flag}'><div class='gw-grid-name'>{html_text(named)}</div>"
        f"<div class='gw-grid-cells'>{cells}</div>"
        f"<div class='gw-grid-bounds'><span>{html_text(text('grid.bounds'))}</span> "
        f"{html_text(bounds)}</div></div>"
    )
    village = name_text(grid.get("village_code"))
    go, leave = st.columns(2, gap="small")
    go.button(
        text("plan.open_village"), key="open_village", width="stretch",
        disabled=not village or st.session_state.get("village") == village,
        on_click=callback(partial(go_to, village)),
    )  # fmt: skip
    leave.button(
        text("plan.close_card"), key="close_card", width="stretch", on_click=callback(let_go)
    )


def side_choice(view: PlanView, village: str | None) -> str:
    """The switch above the table: grids, exceptions, or numbers of grids a village."""
    count = whole(len(view.exceptions(village)))
    labels = {side: text(f"plan.side_{side}", count=count) for side in SIDES}
    # Its labels change with the language and the count, so what is chosen is kept apart.
    st.session_state["side_box"] = st.session_state.get("side", SIDES[0])
    chosen = st.segmented_control(
        text("plan.side"),
        SIDES,
        format_func=labels.__getitem__,
        key="side_box",
        on_change=callback(_side_changed),
        label_visibility="collapsed",
        width="stretch",
    )
    return chosen or SIDES[0]


def _side_changed() -> None:
    st.session_state["side"] = st.session_state["side_box"] or st.session_state.get("side", "grids")


@st.fragment
def show_beside(opened: Project, view: PlanView, village: str | None, lang: Language) -> None:
    """The switch and the table it chooses.

    A fragment within the page's: another table is drawn without the map and the list of villages.
    """
    with guarded():
        if st.session_state.get("page_shows") != chosen_now():
            st.rerun()  # a row was chosen here: the map and the card stand outside
        side = side_choice(view, village)
        if side == "grids":
            show_grids(view, village, lang)
        elif side == "exceptions":
            show_exceptions(view, village, lang)
        else:
            show_villages(opened, view.villages())


def _table_height() -> int:
    return TABLE_HEIGHT - (236 if st.session_state.get("grid") else 0)


def _numbered(head: str, form: str, width: int | None = None) -> Any:
    return st.column_config.NumberColumn(head, format=form, width=width)


@st.fragment
def show_grids(view: PlanView, village: str | None, lang: Language) -> None:
    """The table of grids, searched by name or code; a chosen row moves the map.

    A fragment within the page's: a search draws this table anew and nothing else.
    """
    with guarded():
        if st.session_state.get("page_shows") != chosen_now():
            st.rerun()  # a row was chosen here: the map and the card stand outside
        _searched_grids(view, village, lang)


def _searched_grids(view: PlanView, village: str | None, lang: Language) -> None:
    query = st.text_input(
        text("plan.search"),
        key="search",
        placeholder=text("plan.search") + " · " + text("plan.search_hint"),
        label_visibility="collapsed",
    )
    rows = view.index.rows(query, view.of_village(village))
    st.session_state["rows_grids"] = view.grids["code"].iloc[rows].tolist()
    if not len(rows):
        st.caption(text("plan.nothing_found"))
        return
    heads = {name: text(key) for name, key in GRID_HEADS.items()}
    percent = {"deviation": "%+.0f %%", "deviation_ideal": "%+.0f %%", "edge_on_line": "%.0f %%"}
    whole_numbers = {"households": "%d", "persons": "%d", "reach_m": "%.0f", "exceptions": "%d"}
    forms = {**percent, **whole_numbers, "polsby_popper": "%.2f"}
    config = {
        name: _numbered(head, forms[name], WIDTHS.get(name))
        if name in forms
        else st.column_config.TextColumn(head, width=WIDTHS.get(name))
        for name, head in heads.items()
    }
    order = [name for name in GRID_HEADS if village is None or name != "village_name"]
    st.dataframe(
        view.index.table(rows, lang),
        key="table_grids",
        column_config=config,
        column_order=[*FIRST, *(name for name in order if name not in FIRST)],
        placeholder=DASH,
        hide_index=True,
        height=_table_height() - 56,
        row_height=29,
        on_select=callback(lambda: row_chosen("grids")),
        selection_mode="single-row",
    )


def show_exceptions(view: PlanView, village: str | None, lang: Language) -> None:
    """The list of exceptions; a chosen row moves the map."""
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
        on_select=callback(lambda: row_chosen("exceptions")),
        selection_mode="single-row",
    )
    st.caption(text("plan.click_row"))


def show_villages(opened: Project, villages: pd.DataFrame) -> None:
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
