"""The analysts' page: whether the data can bear a map, then what the map says and how far to
trust it. Exact counts and places are here and on no other page.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from geo.problems import InputError
from incidents.analysis import Hotspots
from incidents.categories import LISTS, CategoryTable, default_table
from incidents.period import Period
from incidents.selection import Selection
from ui.access import person
from ui.event_choices import category_choices, months_of, years_of
from ui.findings import kind_table, quality_rows
from ui.format import html_text, markdown_text, name_text, share, whole
from ui.jobs import Job
from ui.map.component import forget_what_was_sent
from ui.pages.incident_files import show_files
from ui.pages.incident_loop import show_loop, show_trust
from ui.pages.incident_time import show_time
from ui.pages.incident_views import density_parameters, show_areas, show_spots
from ui.pages.survey_wait import follow, study_now, uploader, watching
from ui.session import (
    callback,
    guarded,
    language,
    on_other_page,
    plan_now,
    project,
    project_name,
    show_failures,
    tell,
    text,
)
from ui.study import STUDIES, Study, pile_told, start_study, with_table
from ui.survey import analysed

PARTS = ("quality", "kinds", "spots", "areas", "time", "loop", "trust", "files")
SOURCES = ("reported", "all", "discovered")


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("incidents"):
            forget_what_was_sent()
        show_failures()
        study = study_now(upload=True)
        if study is not None:
            _page(study)


@st.fragment
def _page(study: Study) -> None:
    if watching():
        st.rerun()  # something is read anew: the whole page waits for it
    with guarded():
        opened = project()
        name = "" if opened is None else project_name(opened)
        heading = " · ".join(filter(None, (text("page.incidents"), name)))
        st.html(f"<div class='gw-title'><b>{html_text(heading)}</b></div>")
        labels = {part: text(f"incidents.part_{part}") for part in PARTS}
        st.session_state["analysis_part_box"] = st.session_state.get("analysis_part", PARTS[0])
        part = st.segmented_control(
            text("page.incidents"), PARTS, format_func=labels.__getitem__,
            key="analysis_part_box", label_visibility="collapsed", on_change=_part_chosen,
        )  # fmt: skip
        part = part or PARTS[0]
        if part == "quality":
            _quality(study)
            return
        if part == "kinds":
            _kinds(study)
            return
        chosen, years = _choices(study)
        try:
            how = density_parameters(study.prepared.cells.size)
            found = analysed(study, study.prepared, chosen, trend=True, how=how)
        except InputError as error:
            tell(error)
            return
        for note in found.notes:
            st.warning(markdown_text(note.text(language())))
        _show_part(part, study, found, years)


def _show_part(part: str, study: Study, found: Hotspots, years: float) -> None:
    if part == "spots":
        show_spots(study, found, years)
    elif part == "areas":
        show_areas(study, found, years)
    elif part == "time":
        show_time(study, found, years)
    elif part == "loop":
        show_loop(study, found, years)
    elif part == "trust":
        show_trust(study, found)
    else:
        show_files(study, found)


def _part_chosen() -> None:
    chosen = st.session_state["analysis_part_box"]
    st.session_state["analysis_part"] = chosen or st.session_state.get("analysis_part", PARTS[0])


# --- what is looked at --------------------------------------------------------------------------


def _choices(study: Study) -> tuple[Selection, float]:
    """Months, class, source, piles; and the length of the period in years."""
    lang = language()
    months = months_of(study)
    when, what, who, piles = st.columns([40, 22, 22, 16], gap="small", vertical_alignment="bottom")
    period = Period()
    if len(months) > 1:
        first, last = when.select_slider(
            text("incidents.months"), months, value=(months[0], months[-1]), key="analysis_months",
        )  # fmt: skip
        if (first, last) != (months[0], months[-1]):
            since, until = np.datetime64(first, "M"), np.datetime64(last, "M") + 1
            period = Period(since.astype("datetime64[D]"), until.astype("datetime64[D]"))
    kinds = category_choices(study, lang)
    kind = what.selectbox(
        text("incidents.category"), list(kinds), format_func=kinds.__getitem__,
        key=f"analysis_kind_{lang}",
    )  # fmt: skip
    sources = {name: text(f"incidents.source_{name}") for name in SOURCES}
    source = who.selectbox(
        text("incidents.source"), SOURCES, format_func=sources.__getitem__,
        key=f"analysis_source_{lang}",
    )  # fmt: skip
    without = piles.checkbox(text("incidents.without_piles"), value=True, key="analysis_piles")
    return Selection(period, kind or None, source, without), years_of(study, period)


# --- can the data bear a map --------------------------------------------------------------------


def _quality(study: Study) -> None:
    quality = study.prepared.quality
    if not quality.bears_map:
        st.error(markdown_text(text("incidents.no_map", share=share(quality.share, 1))))
    numbers = (
        ("read", whole(quality.total)),
        ("placed", share(quality.share, 1)),
        ("repeats", whole(study.events.repeats)),
        ("unmapped", whole(sum(study.events.unmapped().values()))),
        ("piled", whole(len(study.kept_apart(study.prepared).quality.piled))),
    )
    body = "".join(
        f"<div><b>{html_text(value)}</b><span>{html_text(text(f'incidents.quality_{name}'))}"
        "</span></div>"
        for name, value in numbers
    )
    st.html(f"<div class='gw-numbers'>{body}</div>")
    for number, code, sentence, grave in quality_rows(study, language()):
        if code.startswith("quality-pile"):
            _pile(study, number, sentence)
        elif grave:
            st.warning(markdown_text(sentence))
        else:
            st.caption(markdown_text("· " + sentence))
    for name, column, count in study.events.dropped:
        told = text("incidents.dropped", file=name_text(name), column=name_text(column),
                    count=whole(count))  # fmt: skip
        st.caption(markdown_text(told))
    for note in study.events.notes:
        st.caption(markdown_text("· " + note.text(language())))
    opened = project()
    if opened is not None and study.whole is None:
        with st.expander(text("incidents.other_files")):
            uploader(opened, plan_now(person().holding("see.incidents")))


def _pile(study: Study, number: int, sentence: str) -> None:
    words, tick = st.columns([80, 20], vertical_alignment="center")
    words.warning(markdown_text(sentence))
    tick.checkbox(
        text("incidents.pile_real"), value=number in study.piles_real, key=f"pile_{number}",
        on_change=callback(partial(_pile_ticked, study, number)),
    )  # fmt: skip


def _pile_ticked(study: Study, number: int) -> None:
    """Take what the box says, never its opposite: Streamlit calls this again for a box that left
    the page while another was clicked."""
    pile_told(study, number, real=bool(st.session_state[f"pile_{number}"]))


# --- the table of classes -----------------------------------------------------------------------


def _kinds(study: Study) -> None:
    """Local words onto classes; those without a class stand first."""
    number = 0 if language() == "zh" else 1
    lists = {key: text(f"incidents.list_{key}") for key in LISTS}
    now = study.table.classes.key
    chosen = st.selectbox(
        text("incidents.list"), list(lists), index=list(lists).index(now),
        format_func=lists.__getitem__, key=f"kinds_list_{language()}",
    )  # fmt: skip
    classes = LISTS[chosen]
    names = {"": text("incidents.no_class"), **{k: v[number] for k, v in classes.classes.items()}}
    if chosen == now:
        table, base = kind_table(study), study.table
    else:
        base = default_table(classes)
        table = kind_table(study).assign(**{"class": "", "sensitive": False})
        pairs = [str(w).partition("/") for w in table["words"]]
        found = base.classify([p[0] for p in pairs], [p[2] for p in pairs])
        keys = [*classes.keys, ""]
        table["class"], table["sensitive"] = [keys[n] for n in found.number], found.sensitive
    missing = int((table["class"] == "").sum())
    if missing:
        st.warning(text("incidents.kinds_missing", count=missing))
    shown = table.assign(**{"class": [names[key] for key in table["class"]]})
    edited = st.data_editor(
        shown, hide_index=True, key=f"kinds_{chosen}_{language()}_{study.table.rows.__len__()}",
        height=min(420, 38 + 35 * len(shown)), disabled=["words", "count"],
        column_order=["words", "count", "class", "sensitive"],
        column_config={
            "words": st.column_config.TextColumn(text("incidents.kind_words"), width="large"),
            "count": st.column_config.NumberColumn(text("incidents.count")),
            "class": st.column_config.SelectboxColumn(
                text("incidents.category"), options=list(names.values()), required=True
            ),
            "sensitive": st.column_config.CheckboxColumn(text("incidents.sensitive")),
        },
    )  # fmt: skip
    st.caption(text("incidents.kinds_text"))
    if study.whole is not None:
        st.caption(text("incidents.part_only"))
    st.button(
        text("incidents.kinds_use"), key="kinds_use", type="primary",
        disabled=study.whole is not None,
        on_click=callback(partial(_use_kinds, study, base, table, edited, names)),
    )  # fmt: skip


def edited_table(
    base: CategoryTable, before: pd.DataFrame, edited: pd.DataFrame, names: dict[str, str]
) -> CategoryTable:
    """The table with the rows that were changed in the editor."""
    keys = {name: key for key, name in names.items()}
    table = base
    for old, new in zip(before.itertuples(), edited.itertuples(), strict=True):
        key, mark = keys[str(new[3])], bool(new[4])
        if key != old[3] or mark != bool(old[4]):
            table = table.changed(str(old[1]), key, sensitive=mark)
    return table


def _use_kinds(
    study: Study, base: CategoryTable, before: pd.DataFrame, edited: pd.DataFrame,
    names: dict[str, str],
) -> None:  # fmt: skip
    if study.whole is not None:  # one county has one table, or its numbers could be subtracted
        return
    columns = ["words", "count", "class", "sensitive"]
    table = edited_table(base, before[columns], edited[columns], names)

    def work(job: Job) -> Study:
        return with_table(job, STUDIES.get(study.key), table)

    follow(start_study(study.key, work, joins=False))
