"""The parts of the analysts' page: hot spots, areas, time, the loop, and how far to trust it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from geo.problems import InputError
from incidents.analysis import Hotspots
from incidents.aoristic import by_week_hour
from incidents.areas import LevelName
from incidents.clusters import MOST_EVENTS, clusters
from incidents.loop import per_10000
from incidents.near_repeat import near_repeat
from incidents.scan import scan
from incidents.selection import Selection
from ui.findings import (
    MEASURES,
    PEACE,
    accuracy_table,
    area_scene,
    changes_table,
    cluster_rows,
    level_names,
    loop_rows,
    measure_breaks,
    near_repeat_table,
    outline_layer,
    peace_rows,
    point_layer,
    scan_rows,
    shown_table,
    spot_scene,
)
from ui.format import markdown_text, name_text, whole
from ui.map.component import show_map
from ui.map.scene import Layer
from ui.places import course_word
from ui.session import callback, language, text
from ui.study import Study
from ui.survey import analysed, category_choices, months_of, period_of, years_in

MAP, COLUMNS = "analysis", [60, 40]
VIEWS = ("gi", "density", "course")
MOST_NEAR = 20_000  # events whose pairs are compared while somebody waits
SCAN_SHARE = 0.1  # of the people a circle may hold: a place to go to, not half a city
STEP = 1.2  # seconds a month of the animation


def _number(head: str, form: str = "%.1f") -> object:
    return st.column_config.NumberColumn(text(head), format=form)


# --- hot spots ----------------------------------------------------------------------------------


def show_spots(study: Study, found: Hotspots, years: float) -> None:
    """The map of cells, what hangs together, where a circle is sure, and near repeats."""
    left, right = st.columns(COLUMNS, gap="small")
    with right:
        labels = {view: text(f"incidents.view_{view}") for view in VIEWS}
        view = st.radio(
            text("incidents.view"), VIEWS, format_func=labels.__getitem__, horizontal=True,
            key=f"analysis_view_{language()}", label_visibility="collapsed",
        )  # fmt: skip
        extra = _points(study, found)
        hot, cold = int(found.significance.hot.sum()), int(found.significance.cold.sum())
        told = text("incidents.spots_told", hot=whole(hot), cold=whole(cold),
                    cells=whole(int(found.cells.inside.sum())), mapped=whole(found.mapped),
                    all=whole(len(found.rows)))  # fmt: skip
        st.markdown(markdown_text(told))
        st.caption(text("incidents.gi_text"))
        extra += _clusters(study, found)
        extra += _scan(study, found)
        _near(study, found)
    with left:
        show_map(spot_scene(study, found, view, language(), years, extra), name=MAP)


def _points(study: Study, found: Hotspots) -> list[Layer]:
    """The events' own places, of one area at a time."""
    level: LevelName = (
        "village" if "village" in study.areas.levels else next(iter(study.areas.levels))
    )
    held = study.areas.levels[level]
    names = {"": text("incidents.no_points")}
    names |= {str(c): f"{name_text(n)} · {c}" for c, n in zip(held.codes, held.names, strict=True)}
    area = st.selectbox(
        text("incidents.points_of"), list(names), format_func=names.__getitem__,
        key=f"analysis_points_{language()}",
    )  # fmt: skip
    return [point_layer(study, found, area, language())] if area else []


def _clusters(study: Study, found: Hotspots) -> list[Layer]:
    if not st.toggle(text("incidents.clusters"), key="analysis_clusters"):
        return []
    if len(found.rows) > MOST_EVENTS:
        st.info(text("incidents.too_many", most=whole(MOST_EVENTS)))
        return []
    events = study.events
    key = f"clusters/{found.selection}"
    if key not in study.kept:
        study.kept[key] = clusters(events.x[found.rows], events.y[found.rows], area=found.cells)
    held = study.kept[key]
    st.dataframe(
        cluster_rows(held), hide_index=True, height=170, row_height=28,
        column_config={"number": _number("incidents.place_number", "%d"),
                       "events": _number("incidents.count", "%d"),
                       "per_km2": _number("incidents.per_km2", "%.0f")},
    )  # fmt: skip
    st.caption(text("incidents.clusters_text"))
    return [outline_layer(study, held.outline, text("incidents.clusters"))]


def _scan(study: Study, found: Hotspots) -> list[Layer]:
    if not st.toggle(text("incidents.scan"), key="analysis_scan"):
        return []
    level: LevelName = "grid" if "grid" in study.areas.levels else _finest(study)
    held = study.areas.levels[level]
    people = np.nan_to_num(held.persons)
    if not people.sum() > 0:
        people = np.nan_to_num(held.households)
    known = np.flatnonzero(people > 0)
    if len(known) < 10:
        st.info(text("incidents.scan_people"))
        return []
    key = f"scan/{found.selection}"
    if key not in study.kept:
        counts = found.tables[level]["count"].to_numpy(dtype=float)[: len(held)][known]
        shapes = study.areas.shapes(level)[known]
        middle = np.array([shape.centroid.coords[0] for shape in shapes])
        with st.spinner(text("job.counting")):
            study.kept[key] = scan(middle, counts, people[known], most_share=SCAN_SHARE, runs=199)
    sure = [circle for circle in study.kept[key] if circle.p <= 0.05]
    names = [name_text(held.names[i]) or name_text(held.codes[i]) for i in known]
    st.dataframe(
        scan_rows(study, sure, names), hide_index=True, height=170, row_height=28,
        column_config={
            "where": st.column_config.TextColumn(text("incidents.scan_where")),
            "radius": _number("incidents.scan_radius", "%.0f"),
            "areas": _number("incidents.scan_areas", "%d"),
            "events": _number("incidents.count", "%d"),
            "expected": _number("incidents.cell_expected", "%.0f"),
            "risk": _number("incidents.scan_risk", "%.2f"),
            "p": _number("incidents.scan_p", "%.3f"),
        },
    )  # fmt: skip
    st.caption(text("incidents.scan_text"))
    shapes = study.areas.shapes(level)[known]
    import shapely

    rings = [shapely.union_all(shapes[circle.places]) for circle in sure]
    layer = outline_layer(study, rings, text("incidents.scan"))
    return [Layer("circles", "line", layer.features, "beatLine", text("incidents.scan"))]


def _finest(study: Study) -> LevelName:
    return max(study.areas.levels, key=lambda name: len(study.areas.levels[name]))


def _near(study: Study, found: Hotspots) -> None:
    if not st.toggle(text("incidents.near"), key="analysis_near"):
        return
    events = study.events.take(found.rows)
    usable = events.placed & np.isin(events.precision, ("minute", "day"))
    usable &= study.prepared.cell[found.rows] >= 0
    if not usable.any() or usable.sum() > MOST_NEAR:
        st.info(text("incidents.near_limits", most=whole(MOST_NEAR)))
        return
    key = f"near/{found.selection}"
    if key not in study.kept:
        days = events.time[usable].astype("datetime64[D]").astype(np.int64)
        with st.spinner(text("job.counting")):
            study.kept[key] = near_repeat(events.x[usable], events.y[usable], days, runs=199)
    st.dataframe(near_repeat_table(study.kept[key]), height=250)
    st.caption(text("incidents.near_text"))


# --- areas --------------------------------------------------------------------------------------


def show_areas(study: Study, found: Hotspots, years: float) -> None:
    """A level as a map of rates, and its table; counts stand in the table, never in colour."""
    lang = language()
    names = level_names(study, lang)
    left, right = st.columns(COLUMNS, gap="small")
    with right:
        one, two = st.columns(2, gap="small")
        level = one.selectbox(
            text("incidents.level"), list(names), format_func=names.__getitem__,
            key=f"analysis_level_{lang}",
        )  # fmt: skip
        measures = {name: text(f"incidents.measure_{name}") for name in MEASURES}
        measure = two.selectbox(
            text("incidents.measure"), MEASURES, format_func=measures.__getitem__,
            key=f"analysis_measure_{lang}",
        )  # fmt: skip
        _area_table(found, level)
        st.caption(text("incidents.areas_text"))
    whole_time = Selection(category=found.selection.category, source=found.selection.source,
                           without_piles=found.selection.without_piles)  # fmt: skip
    base = analysed(study, study.prepared, whole_time, trend=False)
    breaks = measure_breaks(study, base, level, measure, years_in(study, ""))
    with left:
        show_map(area_scene(study, found, level, measure, lang, years, breaks), name=MAP)


def _area_table(found: Hotspots, level: LevelName) -> None:
    texts = ("code", "name", "unusual")
    forms = {
        "count": "%d", "rate_per_1000": "%.2f", "rate_smoothed": "%.2f", "rate_low": "%.2f",
        "rate_high": "%.2f", "density": "%.1f", "persons": "%.0f", "closure_rate": "%.1f %%",
        "change_on_period": "%+.1f %%", "change_on_year": "%+.1f %%",
    }  # fmt: skip
    config = {name: st.column_config.TextColumn(text(f"incidents.col_{name}")) for name in texts}
    config |= {name: _number(f"incidents.col_{name}", form) for name, form in forms.items()}
    order = ["name", "count", "rate_per_1000", "rate_smoothed", "rate_low", "rate_high", "unusual",
             "density", "closure_rate", "change_on_period", "change_on_year", "persons",
             "code"]  # fmt: skip
    st.dataframe(
        shown_table(found, level, language()), column_config=config, column_order=order,
        hide_index=True, height=430, row_height=28, placeholder="—",
    )  # fmt: skip


# --- time ---------------------------------------------------------------------------------------


def show_time(study: Study, found: Hotspots, years: float) -> None:
    """A month at a time, hour by weekday, this period against earlier ones, words for cells."""
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
            table = pd.DataFrame(week.events, index=days, columns=[f"{h:02d}" for h in range(24)])
            st.dataframe(
                table.style.background_gradient("YlOrRd", axis=None).format("{:.0f}"),
                height=250, row_height=30,
                column_config={hour: st.column_config.NumberColumn(hour, width=34)
                               for hour in table.columns},
            )  # fmt: skip
            st.caption(text("incidents.week_text", used=whole(week.used), spread=whole(week.spread),
                            rest=whole(int((~exact).sum()))))  # fmt: skip
        else:
            st.info(text("incidents.week_none"))
        _changes(study, found)
        _courses(found)


def _months(study: Study, found: Hotspots) -> None:
    """A slider of months; played, it moves by itself with the same classes throughout."""
    months = months_of(study)
    if len(months) < 2:
        st.info(text("incidents.one_month"))
        return
    playing = bool(st.session_state.get("analysis_playing"))
    _month_map(study, found.selection, months) if not playing else _played(
        study, found.selection, months
    )


@st.fragment(run_every=STEP)
def _played(study: Study, chosen: Selection, months: list[str]) -> None:
    if st.session_state.get("analysis_playing"):
        at = months.index(st.session_state.get("analysis_month", months[-1]))
        st.session_state["analysis_month"] = months[(at + 1) % len(months)]
    _month_map(study, chosen, months)


def _month_map(study: Study, chosen: Selection, months: list[str]) -> None:
    st.session_state.setdefault("analysis_month", months[-1])
    slide, play = st.columns([82, 18], gap="small", vertical_alignment="bottom")
    month = slide.select_slider(text("incidents.one"), months, key="analysis_month")
    playing = bool(st.session_state.get("analysis_playing"))
    play.button(
        text("incidents.stop" if playing else "incidents.play"), key="analysis_play",
        on_click=callback(_toggle_play), width="stretch",
    )  # fmt: skip
    one = Selection(period_of(month), chosen.category, chosen.source, chosen.without_piles)
    try:
        found = analysed(study, study.prepared, one, trend=False)
    except InputError as error:
        st.info(markdown_text(error.problems[0].text(language())))
        return
    show_map(spot_scene(study, found, "density", language(), 1 / 12), name=MAP)


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
            "count": _number("incidents.count", "%d"),
            "on_period": _number("incidents.on_period", "%+.1f %%"),
            "on_year": _number("incidents.on_year", "%+.1f %%"),
        },
    )  # fmt: skip


def _courses(found: Hotspots) -> None:
    if found.development is None:
        st.caption(text("incidents.courses_none"))
        return
    counts = np.bincount(found.development.course.ravel(), minlength=6)
    parts = [f"{course_word(i, language())} {counts[i]}" for i in range(1, 6)]
    st.caption(text("incidents.courses") + " " + " · ".join(parts))


# --- the loop -----------------------------------------------------------------------------------


def show_loop(study: Study, found: Hotspots, years: float) -> None:
    """What is closed, what is late, how long it takes; disputes; an index of the county's own."""
    lang = language()
    groups = {name: text(f"incidents.by_{name}") for name in ("department", "class", "category")}
    groups |= {str(k): v for k, v in level_names(study, lang).items()}
    persons = float(study.areas.levels["county"].persons[0])
    rate = per_10000(len(found.rows), persons) / years
    numbers = text("incidents.loop_told", shown=found.closure.shown,
                   closed=whole(found.closure.closed), sent=whole(found.closure.dispatched),
                   rate="—" if np.isnan(rate) else f"{rate:,.1f}")  # fmt: skip
    st.markdown(markdown_text(numbers))
    left, right = st.columns(2, gap="medium")
    with left:
        by = st.selectbox(text("incidents.by"), list(groups), format_func=groups.__getitem__,
                          key=f"analysis_by_{lang}")  # fmt: skip
        table = loop_rows(study.prepared, found, by, lang)
        table["key"] = [key or text("incidents.untold") for key in table["key"]]
        st.dataframe(
            table, hide_index=True, height=420, row_height=28, placeholder="—",
            column_order=["key", "events", "dispatched", "closed", "closure_shown", "open_late",
                          "days_median", "days_p90"],
            column_config={
                "key": st.column_config.TextColumn(groups[by]),
                "events": _number("incidents.count", "%d"),
                "dispatched": _number("incidents.loop_sent", "%d"),
                "closed": _number("incidents.loop_closed", "%d"),
                "closure_shown": st.column_config.TextColumn(text("incidents.closed")),
                "open_late": _number("incidents.loop_late", "%d"),
                "days_median": _number("incidents.loop_median"),
                "days_p90": _number("incidents.loop_p90"),
            },
        )  # fmt: skip
    with right:
        _peace(study, found, years)


def _peace(study: Study, found: Hotspots, years: float) -> None:
    lang = language()
    st.html(f"<h3 class='gw-h3'>{text('incidents.peace')}</h3>")
    start = pd.DataFrame(
        [(text(f"incidents.peace_{n}"), w, best, worst) for n, w, best, worst in PEACE],
        columns=["name", "weight", "best", "worst"],
    )
    edited = st.data_editor(
        start, hide_index=True, disabled=["name"], key=f"peace_{lang}",
        column_config={"name": st.column_config.TextColumn(text("incidents.peace_indicator")),
                       "weight": _number("incidents.peace_weight"),
                       "best": _number("incidents.peace_best", "%g"),
                       "worst": _number("incidents.peace_worst", "%g")},
    )  # fmt: skip
    recipe = [
        (name, float(row.weight or 0), float(row.best), float(row.worst))
        for (name, *_), row in zip(PEACE, edited.itertuples(), strict=True)
    ]
    levels = {k: v for k, v in level_names(study, lang).items() if k != "county"}
    level = st.selectbox(
        text("incidents.level"), list(levels), format_func=levels.__getitem__,
        index=len(levels) - 1, key=f"peace_level_{lang}",
    )  # fmt: skip
    if not any(weight > 0 and best != worst for _, weight, best, worst in recipe) or any(
        best == worst for _, weight, best, worst in recipe if weight > 0
    ):
        st.info(text("incidents.peace_wrong"))
        return
    rows, index = peace_rows(study.prepared, found, level, recipe, years, lang)
    st.dataframe(
        rows, hide_index=True, height=240, row_height=28, placeholder="—",
        column_config={"name": st.column_config.TextColumn(levels[level]),
                       "index": _number("incidents.peace", "%.1f")},
    )  # fmt: skip
    st.caption(markdown_text(text("incidents.peace_recipe") + " " + " · ".join(index.recipe)))


# --- how far to trust it ------------------------------------------------------------------------


def show_trust(study: Study, found: Hotspots) -> None:
    """A map of the earlier months tried on the later ones, beside simple counting."""
    st.markdown(text("incidents.trust_text"))
    table = accuracy_table(found, language())
    if table.empty:
        st.info(text("incidents.trust_none"))
        return
    st.dataframe(
        table, hide_index=True, placeholder="—",
        column_config={
            "surface": st.column_config.TextColumn(text("incidents.trust_surface")),
            "share": _number("incidents.trust_share", "%.0f %%"),
            "hit": _number("incidents.trust_hit", "%.1f %%"),
            "pai": _number("incidents.trust_pai", "%.2f"),
            "pei": _number("incidents.trust_pei", "%.2f"),
            "rri": _number("incidents.trust_rri", "%.2f"),
            "events": _number("incidents.trust_events", "%d"),
        },
    )  # fmt: skip
    st.caption(text("incidents.trust_words"))
