"""The analysts' page, time: a month at a time, hour by weekday, against earlier periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from geo.problems import InputError
from incidents.analysis import Hotspots
from incidents.aoristic import by_week_hour
from incidents.selection import Selection
from ui.event_choices import category_choices, months_of, period_of, years_in
from ui.finding_maps import spot_scene
from ui.findings import changes_table
from ui.format import markdown_text, whole
from ui.map.component import show_map
from ui.pages.incident_views import (
    ABOVE,
    COLUMNS,
    MAP,
    WARNING,
    density_everywhere,
    density_told,
    map_below,
    number_column,
)
from ui.places import course_word
from ui.session import callback, language, text
from ui.study import Study
from ui.survey import analysed

HOUR_ROW, SLIDER = 21, 130  # pixels: a row of hours; the slider of months with what is below it
STEP = 1.2  # seconds a month of the animation


def show_time(study: Study, found: Hotspots, years: float) -> None:
    """A month at a time, hour by weekday, this period against earlier ones, words for cells."""
    map_below(ABOVE + SLIDER + WARNING * len(found.notes))
    left, right = st.columns(COLUMNS, gap="small")
    with left:
        _months(study, found)
    with right:
        st.html(f"<h3 class='gw-h3'>{text('incidents.week')}</h3>")
        events = study.events.take(found.rows)
        exact = events.precision == "minute"
        if exact.any():
            ends = np.where(np.isnat(events.time_to), events.time, events.time_to)
            week = by_week_hour(events.time[exact], ends[exact])
            days = text("incidents.weekdays").split(" ")
            # hours downwards: 24 columns would not fit beside the map
            table = pd.DataFrame(week.events.T, index=[f"{h:02d}" for h in range(24)], columns=days)
            st.dataframe(
                table.style.background_gradient("YlOrRd", axis=None).format("{:.0f}"),
                height=24 * HOUR_ROW + 38, row_height=HOUR_ROW,
                column_config={day: st.column_config.NumberColumn(day, width=46)
                               for day in table.columns},
            )  # fmt: skip
            st.caption(text("incidents.week_text", used=whole(week.used), spread=whole(week.spread),
                            rest=whole(int((~exact).sum()))))  # fmt: skip
            midnight = [f for f in study.prepared.quality.findings if f.code == "quality-midnight"]
            if midnight:  # the row of 00 is not to be read as a busy hour
                st.caption(markdown_text(midnight[0].text(language())))
        else:
            st.info(text(f"incidents.{_no_hours(events.precision)}"))
        _changes(study, found)
        _courses(found)


def _no_hours(precision: np.ndarray) -> str:
    """Why nothing can be said by the hour."""
    for known, why in (("day", "week_days"), ("month", "week_months")):
        if (precision == known).any():
            return why
    return "week_none"


def _months(study: Study, found: Hotspots) -> None:
    """A slider of months; played, it moves by itself with the same classes throughout."""
    months = months_of(study)
    if len(months) < 2:
        st.info(text("incidents.one_month"))
        return
    playing = bool(st.session_state.get("analysis_playing"))
    (_played if playing else _month_map)(study, found, months)


@st.fragment(run_every=STEP)
def _played(study: Study, whole_time: Hotspots, months: list[str]) -> None:
    if st.session_state.get("analysis_playing"):
        at = months.index(st.session_state.get("analysis_month", months[-1]))
        st.session_state["analysis_month"] = months[(at + 1) % len(months)]
    _month_map(study, whole_time, months)


def _month_map(study: Study, whole_time: Hotspots, months: list[str]) -> None:
    st.session_state.setdefault("analysis_month", months[-1])
    slide, play = st.columns([82, 18], gap="small", vertical_alignment="bottom")
    month = slide.select_slider(text("incidents.one"), months, key="analysis_month")
    playing = bool(st.session_state.get("analysis_playing"))
    play.button(
        text("incidents.stop" if playing else "incidents.play"), key="analysis_play",
        on_click=callback(_toggle_play), width="stretch",
    )  # fmt: skip
    chosen, how = whole_time.selection, whole_time.parameters
    one = Selection(period_of(month), chosen.category, chosen.source, chosen.without_piles)
    try:
        found = analysed(study, study.prepared, one, trend=False, how=how)
    except InputError as error:
        st.info(markdown_text(error.problems[0].text(language())))
        return
    everywhere = density_everywhere()
    scene = spot_scene(
        study, found, "density", language(), years_in(study, month), everywhere=everywhere
    )
    show_map(scene, name=MAP)
    st.caption(density_told(how))


def _toggle_play() -> None:
    st.session_state["analysis_playing"] = not st.session_state.get("analysis_playing")


def _changes(study: Study, found: Hotspots) -> None:
    st.html(f"<h3 class='gw-h3'>{text('incidents.changes')}</h3>")
    if found.selection.period.open:
        st.caption(text("incidents.changes_choose"))
        return
    names = category_choices(study, language())
    founds: dict[str, Hotspots | None] = {}
    for key in names:
        one = Selection(found.selection.period, key or None, found.selection.source,
                        found.selection.without_piles)  # fmt: skip
        try:
            founds[key] = analysed(study, study.prepared, one, trend=False)
        except InputError:
            founds[key] = None
    st.dataframe(
        changes_table(study, founds, names), hide_index=True, placeholder="—",
        column_config={
            "class": st.column_config.TextColumn(text("incidents.category")),
            "count": number_column("incidents.count", "%d"),
            "on_period": number_column("incidents.on_period", "%+.1f %%"),
            "on_year": number_column("incidents.on_year", "%+.1f %%"),
            "elsewhere": number_column("incidents.elsewhere", "%d"),
        },
    )  # fmt: skip


def _courses(found: Hotspots) -> None:
    if found.development is None:
        st.caption(text("incidents.courses_none"))
        return
    counts = np.bincount(found.development.course.ravel(), minlength=6)
    parts = [f"{course_word(i, language())} {counts[i]}" for i in range(1, 6)]
    st.caption(text("incidents.courses") + " " + " · ".join(parts))
