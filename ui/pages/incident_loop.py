"""The analysts' page, what became of events: the loop, a peace index, and how far to trust maps."""

from __future__ import annotations

import streamlit as st

from incidents.analysis import Hotspots
from ui.findings import (
    PEACE,
    accuracy_table,
    county_loop,
    level_names,
    loop_rows,
    peace_recipe,
    peace_rows,
    peace_start,
    peace_unknown,
)
from ui.format import decimal, markdown_text, whole
from ui.pages.incident_views import density_told, number_column
from ui.places import joined
from ui.session import language, text
from ui.study import Study


def show_loop(study: Study, found: Hotspots, years: float) -> None:
    """What is closed, what is late, how long it takes; disputes; an index of the county's own."""
    lang = language()
    groups = {name: text(f"incidents.by_{name}") for name in ("department", "class", "category")}
    groups |= {str(k): v for k, v in level_names(study, lang).items()}
    own = county_loop(study, found, years)
    told = "loop_told" if own.closure.dispatched else "loop_untold"
    numbers = text(f"incidents.{told}", shown=own.closure.shown,
                   closed=whole(own.closure.closed), sent=whole(own.closure.dispatched),
                   rate=decimal(own.rate, 1))  # fmt: skip
    st.markdown(markdown_text(numbers))
    st.markdown(markdown_text(text(
        "incidents.loop_disputes", count=whole(own.disputes), rate=decimal(own.dispute_rate, 1),
    )))  # fmt: skip
    if own.elsewhere:
        st.caption(text("incidents.loop_elsewhere", count=whole(own.elsewhere)))
    left, right = st.columns(2, gap="medium")
    with left:
        told_of = (study.events.department.astype(str) != "").any()
        by = st.selectbox(text("incidents.by"), list(groups), format_func=groups.__getitem__,
                          index=0 if told_of else 1, key=f"analysis_by_{lang}")  # fmt: skip
        table = loop_rows(study.prepared, found, by, lang)
        table["key"] = [key or text("incidents.untold") for key in table["key"]]
        st.dataframe(
            table, hide_index=True, height=min(420, 38 + 28 * len(table)), row_height=28,
            placeholder="—",
            column_order=["key", "events", "dispatched", "closed", "closure_shown", "open_late",
                          "closed_late", "days_median", "days_p90"],
            column_config={
                "key": st.column_config.TextColumn(groups[by]),
                "events": number_column("incidents.count", "%d"),
                "dispatched": number_column("incidents.loop_sent", "%d"),
                "closed": number_column("incidents.loop_closed", "%d"),
                "closure_shown": st.column_config.TextColumn(text("incidents.closed")),
                "open_late": number_column("incidents.loop_late", "%d"),
                "closed_late": number_column("incidents.loop_closed_late", "%d"),
                "days_median": number_column("incidents.loop_median"),
                "days_p90": number_column("incidents.loop_p90"),
            },
        )  # fmt: skip
    with right:
        _peace(study, found, years)


def _peace(study: Study, found: Hotspots, years: float) -> None:
    lang = language()
    st.html(f"<h3 class='gw-h3'>{text('incidents.peace')}</h3>")
    box = f"peace_{lang}"
    start = peace_start(st.session_state, box)
    edited = st.data_editor(
        start.assign(name=[text(f"incidents.peace_{name}") for name, *_ in PEACE]),
        hide_index=True, disabled=["name"], key=box,
        column_order=["name", "weight", "best", "worst"],
        column_config={"name": st.column_config.TextColumn(text("incidents.peace_indicator")),
                       "weight": number_column("incidents.peace_weight"),
                       "best": number_column("incidents.peace_best", "%g"),
                       "worst": number_column("incidents.peace_worst", "%g")},
    )  # fmt: skip
    recipe = peace_recipe(edited)
    st.session_state["peace"] = recipe
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
    unknown = peace_unknown(study.prepared, found, level)
    left = [name for name, weight, *_ in recipe if weight > 0 and name in unknown]
    if left:
        told = [text(f"incidents.peace_{name}") for name in left]
        names = joined("and", told, lang)
        st.info(markdown_text(text("incidents.peace_unknown", names=names)))
        recipe = [row for row in recipe if row[0] not in unknown]
    if not any(weight > 0 for _, weight, *_ in recipe):
        st.info(text("incidents.peace_none"))
        return
    rows, index = peace_rows(study.prepared, found, level, recipe, years, lang)
    if len(rows) > 1 and rows["index"].nunique() == 1:
        st.info(text("incidents.peace_flat"))
    st.dataframe(
        rows, hide_index=True, height=240, row_height=28, placeholder="—",
        column_config={"name": st.column_config.TextColumn(levels[level]),
                       "index": number_column("incidents.peace", "%.1f")},
    )  # fmt: skip
    st.caption(markdown_text(text("incidents.peace_recipe") + " " + " · ".join(index.recipe)))


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
            "share": number_column("incidents.trust_share", "%.0f %%"),
            "hit": number_column("incidents.trust_hit", "%.1f %%"),
            "pai": number_column("incidents.trust_pai", "%.2f"),
            "pei": number_column("incidents.trust_pei", "%.2f"),
            "rri": number_column("incidents.trust_rri", "%.2f"),
            "events": number_column("incidents.trust_events", "%d"),
        },
    )  # fmt: skip
    st.caption(text("incidents.trust_words") + " " + density_told(found.parameters))
