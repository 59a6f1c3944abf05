"""Levels: down and up from the county to the micro-grid; one choice shows a leader's own grids."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from geo.problems import InputError, Problem
from planning.leaders import Leaders, known, leaders_of_text
from ui.access import taken
from ui.format import DASH, html_text, markdown_text, whole
from ui.leaders import read_upload, sheets_of
from ui.levels import AREAS, CHAIN, COUNTS, LevelBook, Place, levels_of, sums
from ui.map.component import event, forget_what_was_sent, show_map
from ui.own_files import own_leaders
from ui.projects import Project
from ui.session import (
    callback,
    guarded,
    language,
    note_in_address,
    on_other_page,
    page_of,
    plan_now,
    project,
    project_name,
    show_failures,
    text,
)
from ui.views import PlanView

_PLACE, _POST = "levels_place", "levels_post"
HALVES = [54, 46]
WIDTHS = {"name": 138, "code": 124}  # pixels
ORDER = ("households", "persons", "grids", "micro_grids", "dedicated")


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("levels"):
            forget_what_was_sent()
        show_failures()
        opened = project()
        view = plan_now() if opened is not None else None
        note_in_address()
        if opened is None or view is None:
            with st.container(key="gw_empty"):
                st.markdown(text("levels.empty"))
                st.page_link(page_of("plan"), label=text("page.plan"), icon=":material/map:")
            return
        leaders = _leaders(opened, view)
        _workspace(opened, view, leaders)


@st.fragment
def _workspace(opened: Project, view: PlanView, leaders: Leaders) -> None:
    with guarded():
        book = levels_of(view)
        post = st.session_state.get(_POST)
        if post in leaders:
            _followed(opened, view, book, str(post), leaders[str(post)])
            return
        path = book.path(_place(book))
        _names(book, path, project_name(opened))
        _numbers(book, path[-1])
        left, right = st.columns(HALVES, gap="small")
        with left:
            show_map(book.scene(path[-1], language()), on_picked=callback(partial(_picked, book)))
        with right:
            _below(book, path[-1])


# --- where we are -------------------------------------------------------------------------------


def _place(book: LevelBook) -> Place:
    held = st.session_state.get(_PLACE)
    place = Place(*held) if held else book.root
    return place if book.row(place) is not None else book.root


def _go(place: Place) -> None:
    st.session_state[_PLACE] = (place.level, place.code)
    if place.level == "village":
        st.session_state["village"], st.session_state["grid"] = place.code, None
    elif place.level == "grid":
        st.session_state["grid"] = place.code


def _picked(book: LevelBook) -> None:
    happened = event("picked") or {}
    if happened.get("layer") != AREAS:
        return
    below = book.below(_place(book))
    code = str(happened.get("id", ""))
    if code in set(below["code"]):
        _go(Place(str(below["level"].iloc[0]), code))


def _names(book: LevelBook, path: Sequence[Place], county: str) -> None:
    """The way from the top, every place a button."""
    with st.container(horizontal=True, gap="small", key="levels_path"):
        for place in path:
            name = book.name(place, language()) or county
            st.button(
                markdown_text(name), key=f"level_{place.level}", disabled=place == path[-1],
                on_click=callback(partial(_go, place)),
            )  # fmt: skip


def _cells(values: dict[str, int | None]) -> None:
    words = {"households": "grid.households", "persons": "grid.persons"}
    cells = [
        (text(words.get(name, f"levels.{name}")), DASH if value is None else whole(value))
        for name, value in values.items()
    ]
    body = "".join(f"<div><b>{html_text(v)}</b><span>{html_text(w)}</span></div>" for w, v in cells)
    st.html(f"<div class='gw-numbers'>{body}</div>")


def _numbers(book: LevelBook, place: Place) -> None:
    row = book.row(place)
    if row is not None:
        _cells({n: None if pd.isna(row[n]) else int(row[n]) for n in COUNTS})


# --- what lies below ----------------------------------------------------------------------------


def _below(book: LevelBook, place: Place) -> None:
    rows = book.below(place)
    if not len(rows):
        st.caption(text("levels.lowest"))
        return
    level = str(rows["level"].iloc[0])
    st.html(f"<h3 class='gw-h3'>{html_text(text(f'levels.{level}'))}</h3>")
    key = "levels.agree" if book.agrees(place) else "levels.disagree"
    told = text(key, count=whole(len(rows)), households=whole(int(rows["households"].sum())))
    (st.caption if book.agrees(place) else st.warning)(told)
    names = [book.name(Place(level, code), language()) for code in rows["code"]]
    counts = [n for n in ORDER if CHAIN.index(level) < CHAIN.index("grid") or n not in
              ("grids", "dedicated")]  # fmt: skip
    if level == "micro_grid":
        counts = ["households", "persons"]
    st.session_state["rows_levels"] = rows["code"].tolist()
    _table(rows.assign(name=names), counts, "levels_table", partial(_row_chosen, level))


def _table(rows: pd.DataFrame, counts: Sequence[str], key: str, chosen: partial[None]) -> None:
    heads = {"name": text("levels.name"), "households": text("grid.households"),
             "persons": text("grid.persons"), "code": text("levels.code")}  # fmt: skip
    heads |= {n: text(f"levels.{n}") for n in ("grids", "dedicated", "micro_grids")}
    shown = pd.DataFrame(rows[["name", *counts, "code"]])
    width = 57 if language() == "zh" else 84  # of the numbers: English heads are longer
    st.dataframe(
        shown, hide_index=True, height=min(38 + 35 * len(shown), 470), key=key,
        column_config={
            name: st.column_config.TextColumn(heads[name], width=WIDTHS[name])
            if name in WIDTHS
            else st.column_config.NumberColumn(heads[name], width=width, format="localized")
            for name in shown.columns
        },
        on_select=callback(chosen), selection_mode="single-row",
    )  # fmt: skip


def _row_chosen(level: str) -> None:
    rows = list(st.session_state["levels_table"].selection.rows)
    codes: list[str] = st.session_state.get("rows_levels", [])
    if rows and rows[0] < len(codes):
        _go(Place(level, codes[rows[0]]))


# --- a leader's own grids -----------------------------------------------------------------------


def _leaders(opened: Project, view: PlanView) -> Leaders:
    """Posts and their grids: of the project's folder, uploaded, typed; and the choice of one."""
    found = own_leaders(opened, view.plan)
    problems: list[Problem] = []
    with st.sidebar:
        place = st.container()
        with st.expander(text("levels.settle")):
            st.caption(text("levels.settle_text"))
            typed = st.text_area(text("levels.typed"), key="leaders_typed", height=110)
            file = st.file_uploader(
                text("levels.file"), type=["csv", "xlsx", "xls"], key="leaders_file"
            )
            try:
                brought = {} if file is None else read_upload(file.name, file.getvalue())
                own, problems = known(view.plan, brought | leaders_of_text(typed))
                found |= own
            except InputError as error:
                problems = list(error.problems)
            for problem in problems:
                st.warning(markdown_text(problem.text(language())))
            if found:
                st.download_button(
                    text("levels.take_list"),
                    data=taken("take.levels", partial(_list, found), "leaders"),
                    mime="text/csv",
                    file_name=f"{text('levels.list_name')}.csv", key="leaders_take",
                    on_click="ignore",
                )  # fmt: skip
        posts = ["", *found]
        st.caption(text("levels.lead"))
        key = f"levels_post_{language()}"
        held = st.session_state.get(_POST, "")
        st.session_state[key] = held if held in posts else ""
        place.selectbox(
            text("levels.whose"), posts, key=key, disabled=not found,
            format_func=lambda post: post or text("levels.nobody"),
            on_change=callback(partial(_post_chosen, key)),
        )  # fmt: skip
    return found


def _post_chosen(key: str) -> None:
    st.session_state[_POST] = st.session_state[key]


def _list(leaders: Leaders) -> bytes:
    buffer = io.StringIO()
    rows = csv.writer(buffer)
    rows.writerow(["post", "grid_code"])
    rows.writerows([post, code] for post, codes in leaders.items() for code in codes)
    return buffer.getvalue().encode("utf-8-sig")


def _followed(
    opened: Project, view: PlanView, book: LevelBook, post: str, codes: Sequence[str]
) -> None:
    rows = book.table[(book.table["level"] == "grid") & book.table["code"].isin(set(codes))]
    rows = rows.sort_values("code", kind="stable").reset_index(drop=True)
    told = text(
        "levels.followed", post=post, count=whole(len(rows)),
        households=whole(int(rows["households"].sum())),
    )  # fmt: skip
    st.html(f"<div class='gw-title'><b>{html_text(told)}</b></div>")
    _cells(sums(rows))
    left, right = st.columns(HALVES, gap="small")
    with left:
        show_map(book.followed(post, codes, language()), on_picked=callback(_grid_picked))
    with right:
        names = [book.name(Place("grid", code), language()) for code in rows["code"]]
        st.session_state["rows_levels"] = rows["code"].tolist()
        _table(rows.assign(name=names), ["households", "persons", "micro_grids"],
               "followed_table", partial(_followed_chosen))  # fmt: skip
        st.download_button(
            text("levels.take_sheets"), key="leader_sheets", on_click="ignore",
            data=taken("take.levels", partial(
                sheets_of, view, post, tuple(codes), language(), project_name(opened)
            ), "sheets.leader"),
            file_name=f"{text('levels.list_name')}.pdf", mime="application/pdf",
        )  # fmt: skip
        st.page_link(page_of("plan"), label=text("levels.to_plan"), icon=":material/map:")


def _grid_picked() -> None:
    happened = event("picked") or {}
    if happened.get("layer") == AREAS:
        st.session_state["grid"] = str(happened.get("id", "")) or None


def _followed_chosen() -> None:
    rows = list(st.session_state["followed_table"].selection.rows)
    codes: list[str] = st.session_state.get("rows_levels", [])
    st.session_state["grid"] = codes[rows[0]] if rows and rows[0] < len(codes) else None
