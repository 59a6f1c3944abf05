"""Which grid and which village are chosen, wherever they were chosen: map, table or list.

The choice stands in the session; these functions are callbacks, which run before the page does.
"""

from __future__ import annotations

import streamlit as st

from ui.format import name_text
from ui.map.component import event
from ui.map.scene import Focus


def selected() -> tuple[str, ...]:
    """The chosen grid's code, as the map wants it."""
    grid = st.session_state.get("grid")
    return (grid,) if grid else ()


def focus() -> Focus:
    """Where the map was last told to go."""
    number, grid = st.session_state.get("focus", (0, ""))
    return Focus(number, "grids", (grid,) if grid else ())


def chosen_now() -> tuple[object, ...]:
    """What is chosen and where the map was told to go: what a page shows of both."""
    return (st.session_state.get("grid"), *st.session_state.get("focus", (0, "")))


def choose(grid: str | None, *, move: bool) -> None:
    """Choose a grid; with ``move`` the map goes there."""
    st.session_state["grid"] = grid
    if move and grid:
        number = st.session_state.get("focus", (0, ""))[0]
        st.session_state["focus"] = (number + 1, grid)


def picked() -> None:
    """A click on the map: choose the grid there; the grid of a household; again: none."""
    happened = event("picked") or {}
    layer = happened.get("layer")
    if layer not in ("grids", "households"):
        return
    grid = name_text(happened.get("id" if layer == "grids" else "grid"))
    choose(None if grid == st.session_state.get("grid") else grid, move=False)
    mark_rows()


def mark_rows() -> None:
    """Let the tables show the chosen grid, wherever it was chosen."""
    grid = st.session_state.get("grid")
    for table in ("grids", "exceptions"):
        shown: list[str] = st.session_state.get(f"rows_{table}", [])
        rows = [shown.index(grid)] if grid in shown else []
        if f"table_{table}" in st.session_state:
            st.session_state[f"table_{table}"] = {"selection": {"rows": rows, "columns": []}}
            st.session_state[f"marked_{table}"] = rows


def opened_on_map() -> None:
    """A double click on the map: open the village there."""
    village = name_text((event("opened") or {}).get("village"))
    if village:
        go_to(village)
        let_go()


def go_to(village: str) -> None:
    """Show one village."""
    st.session_state["village"] = village


def let_go() -> None:
    """Choose no grid."""
    choose(None, move=False)
    mark_rows()


def row_chosen(table: str) -> None:
    """A row of a table: choose its grid and go there; unchosen: choose none."""
    rows = list(st.session_state[f"table_{table}"].selection.rows)
    # The browser repeats what mark_rows() set together with the next event; nobody chose that.
    if rows == st.session_state.pop(f"marked_{table}", None):
        return
    shown: list[str] = st.session_state.get(f"rows_{table}", [])
    choose(shown[rows[0]] if rows and rows[0] < len(shown) else None, move=True)
