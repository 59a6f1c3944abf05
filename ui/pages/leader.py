"""The leader's page: one map, five numbers, ten places, a period and a class; a file to send and a
sheet to print. Everything on it comes from one :class:`ui.survey.Report`.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from ui.access import taken
from ui.event_choices import category_choices, first_period, period_choices
from ui.format import DASH, html_text, markdown_text, signed_share
from ui.heat import leader_scene, place_focus
from ui.map.component import forget_what_was_sent, show_map
from ui.map.scene import Focus
from ui.pages.survey_wait import study_now
from ui.printed import NoFontError, chinese_font, report_pdf
from ui.send import report_html
from ui.session import (
    callback,
    guarded,
    language,
    on_other_page,
    project,
    project_name,
    show_failures,
    text,
)
from ui.study import Study
from ui.study_part import of_part
from ui.survey import Report, report

SIDES = ("places", "areas", "months")
MAP, COLUMNS = "leader", [58, 42]
WARN_STYLE = """<style>
.gw-warn { margin-top: 0.45rem; padding: 0.3rem 0.7rem; border-left: 4px solid #c98a00;
  background: #f5b90022; font-size: 0.85rem; }
.gw-warn p { margin: 0; }
.stApp .gw-board { height: max(380px, calc(100vh - 238px)); }
</style>"""
WAIT = 3  # seconds between two looks at whether the numbers are ready


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("leader"):
            forget_what_was_sent()
        show_failures()
        study = study_now(upload=False)
        if study is None:
            return
        # Asked before the page is drawn: what is proved meanwhile must still bring it anew.
        waiting = study.shared is None and study.shared_failed is None
        _page(study)
        # Below: what comes and goes must not move the map.
        if waiting:
            _until_protected(study)


@st.fragment(run_every=WAIT)
def _until_protected(study: Study) -> None:
    """The map is there first; the numbers follow when they are proved fit to be shown."""
    if study.shared is not None or study.shared_failed is not None:
        st.rerun()
    st.caption(text("job.protecting"))


@st.fragment
def _page(study: Study) -> None:
    with guarded():
        period, kind = _choices(study)
        made = report(study, period, kind, language())
        _numbers(made)
        left, right = st.columns(COLUMNS, gap="small")
        with left:
            show_map(leader_scene(study, made, _focus(study, made)), name=MAP)
        with right:
            _side(made)
        _below(made)


def _choices(study: Study) -> tuple[str, str]:
    """Period and class; each language has boxes of its own, the choice is kept apart."""
    lang = language()
    with st.container(key="leader_head"):
        where, when, what, send, sheet = st.columns(
            [22, 19, 17, 22, 20], gap="small", vertical_alignment="center"
        )
    opened = project()
    name = of_part(study, "" if opened is None else project_name(opened), lang)
    where.html(f"<div class='gw-title'><b>{html_text(name)}</b></div>")
    chosen = []
    for column, label, options in (
        (when, "period", period_choices(study, lang)),
        (what, "category", category_choices(study, lang)),
    ):
        key, kept = f"leader_{label}_{lang}", f"leader_{label}"
        now = st.session_state.get(kept, first_period(study) if label == "period" else "")
        st.session_state[key] = now if now in options else ""
        column.selectbox(
            text(f"incidents.{label}"), list(options), format_func=options.__getitem__, key=key,
            label_visibility="collapsed", on_change=callback(partial(_chosen, key, kept)),
        )  # fmt: skip
        chosen.append(st.session_state[key])
    _files(study, chosen[0], chosen[1], name, send, sheet)
    return chosen[0], chosen[1]


def _chosen(key: str, kept: str) -> None:
    st.session_state[kept] = st.session_state[key]
    st.session_state["leader_place"] = 0


def _files(study: Study, period: str, kind: str, name: str, send, sheet) -> None:  # type: ignore[no-untyped-def]
    """The two ways to take it away, made when asked for."""
    lang = language()
    stem = "-".join(filter(None, (text("incidents.file_name"), period, kind)))

    def page() -> bytes:
        return report_html(report(study, period, kind, lang, name)).encode()

    def paper() -> bytes:
        return report_pdf(report(study, period, kind, lang, name))

    ready = study.shared is not None
    send.download_button(
        text("incidents.html"), data=taken("take.leader", page, "events.html"),
        file_name=f"{stem}.html", mime="text/html",
        key="leader_html", on_click="ignore", width="stretch", disabled=not ready,
        help=text("incidents.html_help"),
    )  # fmt: skip
    try:
        chinese_font()
    except NoFontError:
        sheet.caption(text("incidents.no_font"))
        return
    sheet.download_button(
        text("incidents.pdf"), data=taken("take.leader", paper, "events.pdf"),
        file_name=f"{stem}.pdf", mime="application/pdf",
        key="leader_pdf", on_click="ignore", width="stretch", disabled=not ready,
    )  # fmt: skip


def _numbers(made: Report) -> None:
    body = "".join(
        f"<div><b>{html_text(value)}</b><span>{html_text(label)}</span>"
        f"<em>{html_text(note)}</em></div>"
        for label, value, note in made.numbers
    )
    told = "".join(f"<p>{html_text(sentence)}</p>" for sentence in made.warnings)
    warned = f"<div class='gw-warn'>{told}</div>{WARN_STYLE}" if told else ""
    st.html(f"<div class='gw-numbers'>{body}</div>{warned}")


def _focus(study: Study, made: Report) -> Focus:
    number, clicks = st.session_state.get("leader_place", 0), st.session_state.get("leader_go", 0)
    return place_focus(study, made, number, clicks)


def _side(made: Report) -> None:
    labels = {side: text(f"incidents.side_{side}") for side in SIDES}
    chosen = st.segmented_control(
        text("incidents.side"), SIDES, format_func=labels.__getitem__, default=SIDES[0],
        key=f"leader_side_{language()}", label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    if chosen == "areas":
        _areas(made)
    elif chosen == "months":
        _months(made)
    else:
        _places(made)


def _places(made: Report) -> None:
    if not made.places:
        st.info(text("incidents.no_places"))
        return
    with st.container(key="gw_places"):
        for place in made.places:
            number, words = st.columns([12, 88], gap="small")
            number.button(
                str(place.number), key=f"leader_place_{place.number}", width="stretch",
                help=text("incidents.go_there"), on_click=callback(partial(_go, place.number)),
            )  # fmt: skip
            words.html(
                f"<div class='gw-place'><b>{html_text(place.where)}</b>"
                f"<span>{html_text(place.why)}</span></div>"
            )


def _go(number: int) -> None:
    st.session_state["leader_place"] = number
    st.session_state["leader_go"] = st.session_state.get("leader_go", 0) + 1


def _areas(made: Report) -> None:
    table = made.townships
    if made.numbers[0][1] != DASH and len(table) > 1 and (table["shown"] == DASH).all():
        st.info(text("incidents.areas_withheld"))
        return
    shown = pd.DataFrame(
        {
            "name": table["name"],
            "shown": table["shown"],
            "rate": [DASH if pd.isna(v) else f"{v:.1f}" for v in table["rate"]],
            "closure": list(table["closure"]),
            "on_period": [signed_share(v) for v in table["on_period"]],
            "on_year": [signed_share(v) for v in table["on_year"]],
        }
    )
    heads = {"name": "area", "shown": "count", "rate": made.rate_head, "closure": "closed",
             "on_period": "short_period", "on_year": "short_year"}  # fmt: skip
    if (shown["closure"] == DASH).all():
        shown = shown.drop(columns="closure")
    st.dataframe(
        shown, hide_index=True, height=min(360, 38 + 29 * len(shown)), row_height=29,
        column_config={c: st.column_config.TextColumn(text(f"incidents.{k}"))
                       for c, k in heads.items() if c in shown},
    )  # fmt: skip
    st.caption(markdown_text(text("incidents.small")))


def _months(made: Report) -> None:
    told = made.months.rename(columns={"count": text("incidents.count")})
    st.bar_chart(told, x="month", y=text("incidents.count"), height=320, x_label="", y_label="",
                 color="#c8552b")  # fmt: skip


def _below(made: Report) -> None:
    for note in made.notes:
        st.caption(markdown_text(note))
    st.caption(markdown_text(made.meaning))
    st.caption(markdown_text(made.notice))
    with st.expander(text("incidents.sources")):
        rows = "".join(
            f"<tr><td>{html_text(key)}</td><td>{html_text(value)}</td></tr>"
            for key, value in made.lines
        )
        st.html(f"<table class='gw-table'>{rows}</table>")
