"""Files that were brought, before they are stored: what each is, where it lies, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import streamlit as st
from geopandas import GeoDataFrame

from geo.columns import MEANINGS, ROLES, Role
from geo.datum import SURE_MARGIN, SURE_SHARE, DatumEvidence
from geo.inspect import Choice, in_degrees
from geo.problems import Problem
from geo.read import Layer
from geo.reasons import meaning_word
from store.policy import Person
from ui.access import person
from ui.format import DASH, html_text, markdown_text, name_text, share, whole
from ui.intake import (
    LOOKS,
    Entry,
    Intake,
    accept,
    add_uploads,
    counts_dropped,
    lacking,
    look_again,
    look_into,
    obstacles,
    read_also_as,
    stands_for_villages,
)
from ui.jobs import Job
from ui.map.component import forget_what_was_sent, show_map
from ui.preview import preview
from ui.session import callback, language, text
from ui.sources import UPLOADABLE, USED_ROLES
from ui.watch import running, start
from ui.words import known

LOOK = "look"
ACCEPT = "accept"
RIGHTS = {"households": "see.households", "incidents": "see.incidents"}
_NEVER_KEPT = {"household_id", "incident_id"}
_PLACES = {"lon", "lat", "lonlat", "wkt"}
_NEEDED = {"lon", "lat", "lonlat", "wkt", "code", "name"}
_DATUMS = {"auto": "datum.auto", "wgs84": "datum.wgs", "gcj02": "datum.gcj", "bd09": "datum.bd"}
_MOST_TOLD = 40
_STYLE = """<style>
.st-key-gw_look .gw-board { height: 25.5rem; }
.gw-facts { font-size: 0.8rem; line-height: 1.55; }
.gw-facts span { opacity: 0.75; }
.gw-why { font-size: 0.72rem; line-height: 1.35; opacity: 0.8; margin: -0.4rem 0 0.2rem; }
.gw-told { font-size: 0.8rem; line-height: 1.5; margin: 0; padding-left: 1.1rem; }
.gw-told b { font-weight: 600; }
.gw-bad { color: #b3124f; }
[class*="st-key-gw_file_"] { gap: 0 !important; }
[class*="st-key-gw_file_"] button p { font-size: 0.85rem; text-align: left; }
[class*="st-key-gw_file_"] button {
  justify-content: flex-start; min-height: 1.2rem; padding: 0; line-height: 1.2;
}
.st-key-gw_file_list [data-testid="stVerticalBlock"] { gap: 0.15rem; }
.st-key-gw_look [data-testid="stAlertContainer"] { padding: 0.35rem 0.7rem; }
.st-key-gw_look [data-testid="stAlertContainer"] p { font-size: 0.82rem; }
</style>"""


def hides(intake: Intake, entry: Entry, who: Person) -> bool:
    """Are the places and rows of a layer not for whoever looks?

    A folder of the server holds the whole county: what single households and events are shown by
    takes the right to them in all of it, whatever else the layer is said to be. Whoever brought a
    file has it anyway.
    """
    needed = [right for role, right in RIGHTS.items() if role in entry.taken_for]
    return intake.trusted and not all(who.may_everywhere(right) for right in needed)


def show_review(intake: Intake, away: Callable[[], None], *, busy: bool) -> None:
    """The layers, the chosen one on the map, its columns and problems; accept or take away."""
    st.html(_STYLE)
    _heading(intake, away, busy)
    left, right = st.columns([47, 53], gap="medium")
    entry = _chosen_entry(intake)
    with left:
        _list(intake, entry, busy)
    if entry is None:
        return
    with right, st.container(key="gw_look"):
        _map(intake, entry)
        _facts(intake, entry, busy)
    with left:
        _details(intake, entry, busy)


def _heading(intake: Intake, away: Callable[[], None], busy: bool) -> None:
    shares = [60, 22, 18] if intake.trusted else [44, 22, 18, 16]
    name, take, *rest = st.columns(shares, gap="small", vertical_alignment="center")
    with name:
        st.html(
            f"<h2 class='gw-h2'>{html_text(text('files.title'))}</h2>"
            f"<div class='gw-facts'><span>{html_text(text('files.lead'))}</span></div>"
        )
    blocked, without = obstacles(intake), lacking(intake)
    pressed = take.button(
        text("files.accept_map" if without == "households" else "files.accept"),
        key="files_accept", type="primary", width="stretch", disabled=busy or bool(blocked),
    )  # fmt: skip
    if pressed and not busy and not blocked:  # a second click may come while the first is served

        def work(job: Job) -> str:
            return accept(job, intake)

        start(ACCEPT, LOOKS.start(ACCEPT, work))
        st.rerun()
    if not intake.trusted:
        with rest[0].popover(text("files.add"), disabled=busy, width="stretch"):
            _add(intake)
    rest[-1].button(text("files.away"), key="files_away", width="stretch", on_click=callback(away))
    told = []
    if blocked.missing:
        key = "files.missing_here" if intake.trusted else "files.missing"
        told.append(text(key, roles=_roles(blocked.missing)))
    if blocked.twice:
        told.append(text("files.twice", roles=_roles(blocked.twice)))
    if blocked.unreadable:
        told.append(text("files.blocked", names="、".join(blocked.unreadable)))
    told += [
        problem.text(language())
        for entry in intake.entries if entry.layer is None
        for problem in entry.problems if problem.severity == "error"
    ]  # fmt: skip
    if told and not busy:
        lines = "".join(f"<div>{html_text(line)}</div>" for line in told[:_MOST_TOLD])
        st.html(f"<div class='gw-facts gw-bad'>{lines}</div>")
    elif without and not busy:
        st.warning(text(f"files.without_{without}"))


def _add(intake: Intake) -> None:
    """More files beside those that were brought, without deciding anything twice."""
    count = st.session_state.get("added", 0)
    files = st.file_uploader(
        text("files.add_text"), type=list(UPLOADABLE), accept_multiple_files=True,
        key=f"more_{intake.id}_{count}",
    )  # fmt: skip
    if not files or running(LOOK) or running(ACCEPT):
        return
    st.session_state["added"] = count + 1
    add_uploads(intake, [(file.name, file.getvalue()) for file in files])

    def work(job: Job) -> str:
        return look_into(job, intake)

    start(LOOK, LOOKS.start(LOOK, work))
    st.rerun()


def _roles(roles: tuple[str, ...]) -> str:
    return "、".join(text(f"role.{role}") for role in roles)


def _chosen_entry(intake: Intake) -> Entry | None:
    number = st.session_state.get("file_chosen")
    found = [entry for entry in intake.entries if entry.number == number]
    readable = [entry for entry in intake.entries if entry.layer is not None]
    return next(iter([*found, *readable, *intake.entries]), None)


# --- the list of layers


def _list(intake: Intake, chosen: Entry | None, busy: bool) -> None:
    height = 250 if len(intake.entries) > 6 else None
    with st.container(height=height or "content", border=bool(height), key="gw_file_list"):
        for entry in intake.entries:
            tick, name, role = st.columns([7, 53, 40], gap="small", vertical_alignment="center")
            usable = entry.role in USED_ROLES
            tick.checkbox(
                text("files.use"), value=entry.used and usable, disabled=busy or not usable,
                key=f"use_{intake.id}_{entry.number}_{entry.role}_{entry.used}",
                label_visibility="collapsed",
                on_change=callback(partial(_used_changed, entry)),
            )  # fmt: skip
            with name:
                _name(entry, entry is chosen)
            with role:
                _role_box(intake, entry, busy)


def _name(entry: Entry, is_chosen: bool) -> None:
    with st.container(key=f"gw_file_{entry.number}", gap=None):
        shown = markdown_text(entry.label)
        st.button(
            f"**{shown}**" if is_chosen else shown, key=f"pick_{entry.number}", type="tertiary",
            on_click=callback(partial(_pick, entry.number)),
        )  # fmt: skip
        st.html(f"<div class='gw-facts'>{_state(entry)}</div>")


def _state(entry: Entry) -> str:
    """One line about a layer, as HTML."""
    if entry.layer is None:
        key = "files.unreadable" if entry.problems else "files.no_role"
        return f"<b class='gw-bad'>{html_text(text(key))}</b>"
    parts = [text("files.rows", count=whole(len(entry.layer.frame)))]
    warnings = sum(problem.severity == "warning" for problem in entry.problems)
    if warnings:
        parts.append(text("files.warnings", count=warnings))
    if entry.remembered:
        parts.append(text("files.remembered"))
    return f"<span>{html_text(' · '.join(parts))}</span>"


def _role_box(intake: Intake, entry: Entry, busy: bool) -> None:
    labels = {role: text(f"role.{role}") for role in ROLES}
    key = f"as_{intake.id}_{entry.number}_{entry.role}_{language()}"
    st.selectbox(
        text("files.role"), list(labels),
        index=list(labels).index(entry.role) if entry.role else None,
        format_func=labels.__getitem__,
        placeholder=text("files.choose_role"), key=key, label_visibility="collapsed",
        disabled=busy, on_change=callback(partial(_role_changed, intake, entry, key)),
    )  # fmt: skip


def _pick(number: int) -> None:
    st.session_state["file_chosen"] = number


def _used_changed(entry: Entry) -> None:
    entry.used, entry.decided = not entry.used, True


def _role_changed(intake: Intake, entry: Entry, key: str) -> None:
    role: Role | None = st.session_state.get(key)
    if role is not None and role != entry.role:
        _read_anew(intake, entry, Choice(role))
        entry.used, entry.decided = role in USED_ROLES, True


def _read_anew(intake: Intake, entry: Entry, choice: Choice) -> None:
    """Read a layer again in the background; the page shows how far it is."""
    if running(LOOK):
        return  # a box that is switched off while reading tells its change a second time
    st.session_state["file_chosen"] = entry.number

    def work(job: Job) -> str:
        return look_again(job, intake, entry, choice)

    start(LOOK, LOOKS.start(LOOK, work))


def _read_also(intake: Intake, entry: Entry) -> None:
    """Read a layer of households as villages too, and show what that gives."""
    if running(LOOK):
        return
    st.session_state["file_chosen"] = 1 + max(other.number for other in intake.entries)

    def work(job: Job) -> str:
        return read_also_as(job, intake, entry, "villages")

    start(LOOK, LOOKS.start(LOOK, work))


# --- the chosen layer on the map


def _map(intake: Intake, entry: Entry) -> None:
    drawn = None
    if hides(intake, entry, person()):
        forget_what_was_sent()
        st.info(text("files.not_shown"))
        return
    if entry.layer is not None and entry.choice is not None:
        datum = _datum_used(intake, entry)
        key = f"{intake.id}/{entry.number}/{entry.role}"
        drawn = preview(key, entry.layer, datum, _outlines(intake), language())
    if drawn is None:
        forget_what_was_sent()
        if entry.layer is not None:
            st.info(text("files.no_map"))
        return
    show_map(drawn.scene, on_picked=callback(_nothing), on_opened=callback(_nothing))
    if drawn.drawn < drawn.placed:
        told = text("files.placed", drawn=whole(drawn.drawn), placed=whole(drawn.placed))
        st.html(f"<div class='gw-facts'><span>{html_text(told)}</span></div>")


def _outlines(intake: Intake) -> GeoDataFrame | None:
    """The villages' outlines in degrees, for the map of any layer; None without them."""
    villages = intake.of_role("villages")
    if villages is None or villages.layer is None or villages.choice is None:
        return None
    if hides(intake, villages, person()):
        return None
    return in_degrees(villages.layer, villages.choice.datum)


def _nothing() -> None:
    """A click on this map chooses nothing."""


def _datum_used(intake: Intake, entry: Entry) -> str:
    """The datum a layer is drawn in: what was chosen, else what the evidence says."""
    if entry.choice is None or entry.choice.datum != "auto":
        return entry.choice.datum if entry.choice is not None else "auto"
    found = intake.evidence(entry) if entry.role == "households" else None
    return found.datum if found is not None else "auto"


def _facts(intake: Intake, entry: Entry, busy: bool) -> None:
    layer = entry.layer
    if layer is None or entry.choice is None:
        return
    if entry.role not in USED_ROLES:
        st.info(text("files.kept_for_later"))
    where = text("files.no_places")
    if "geometry" in layer.frame:
        where = text("files.crs_unknown")
        if layer.crs is not None:
            where = text("files.crs", crs=layer.crs.name)
    parts = [text("files.rows", count=whole(len(layer.frame))), where]
    if layer.encoding:
        parts.append(text("files.encoding", encoding=layer.encoding))
    st.html(f"<div class='gw-facts'>{html_text(' · '.join(parts))}</div>")
    if stands_for_villages(entry) and lacking(intake) == "villages":
        st.button(
            text("files.also_villages"), key="files_also", help=text("files.also_villages_help"),
            disabled=busy, on_click=callback(partial(_read_also, intake, entry)),
        )  # fmt: skip
    if "geometry" not in layer.frame or layer.crs is None or not layer.crs.is_geographic:
        return
    told, box = st.columns([64, 36], gap="small", vertical_alignment="center")
    told.html(f"<div class='gw-facts'>{html_text(_evidence(intake, entry))}</div>")
    labels = {datum: text(name) for datum, name in _DATUMS.items()}
    key = f"datum_{intake.id}_{entry.number}_{entry.choice.datum}_{language()}"
    box.selectbox(
        text("files.datum"), list(labels), index=list(labels).index(entry.choice.datum),
        format_func=labels.__getitem__, key=key, disabled=busy,
        label_visibility="collapsed",
        on_change=callback(partial(_datum_changed, intake, entry, key)),
    )  # fmt: skip


def _evidence(intake: Intake, entry: Entry) -> str:
    """The shares and what follows from them; empty where there is nothing to compare."""
    assert entry.choice is not None
    found = intake.evidence(entry)
    sentences = []
    if found is not None:
        shares = {datum: share(value, 1) for datum, value in found.shares.items()}
        sentences.append(text("files.evidence", sampled=whole(found.sampled), **shares))
    if entry.choice.datum != "auto":
        datum = text(_DATUMS[entry.choice.datum])
        sentences.append(text("files.evidence_chosen", datum=datum))
    elif found is not None:
        key = "files.evidence_doubt" if found.doubtful else "files.evidence_sure"
        doubts = [text(f"files.doubt_{doubt}") for doubt in doubts_of(found)]
        sentences += [*doubts, text(key, datum=text(_DATUMS[found.datum]))]
    return " ".join(sentences)


def doubts_of(found: DatumEvidence) -> tuple[str, ...]:
    """Why the evidence is doubtful: "low", the best share is under 98 %; "close", two are alike."""
    first, second = sorted(found.shares.values(), reverse=True)[:2]
    told = (("low", first < SURE_SHARE), ("close", first - second < SURE_MARGIN))
    return tuple(name for name, holds in told if holds)


def _datum_changed(intake: Intake, entry: Entry, key: str) -> None:
    if entry.choice is not None:
        _read_anew(intake, entry, replace(entry.choice, datum=st.session_state[key]))


# --- the chosen layer's columns, problems and rows


def _details(intake: Intake, entry: Entry, busy: bool) -> None:
    labels = [
        text("files.tab_columns"),
        text("files.tab_problems", count=len(entry.problems)),
        text("files.tab_rows"),
    ]
    order = (1, 0, 2) if entry.layer is None else (0, 1, 2)
    tabs = dict(zip(order, st.tabs([labels[i] for i in order]), strict=True))
    with tabs[0]:
        _columns(intake, entry, busy)
    with tabs[1]:
        _problems(entry.problems)
    with tabs[2]:
        if hides(intake, entry, person()):
            st.caption(text("files.not_shown"))
        else:
            _rows(entry)


def meanings(entry: Entry) -> list[str]:
    """What the columns of a layer may stand for, in the order of the role's table."""
    if entry.role is None:
        return []
    read = {c.canonical for c in entry.layer.columns} if entry.layer is not None else set()
    return [
        meaning
        for meaning in MEANINGS[entry.role]
        if meaning not in _NEVER_KEPT
        and (meaning not in _PLACES or entry.is_table or meaning in read)
    ]


def column_word(entry: Entry, meaning: str) -> str:
    """What a canonical column is called in a layer, in the visitor's language."""
    if known(f"column.{meaning}"):
        return text(f"column.{meaning}")
    return meaning_word(meaning, entry.role or "villages", language())


def _columns(intake: Intake, entry: Entry, busy: bool) -> None:
    if entry.choice is None or not entry.columns:
        st.caption(text("files.choose_role"))
        return
    found = {} if entry.layer is None else {
        c.canonical: c.source for c in entry.layer.columns if c.canonical
    }  # fmt: skip
    phrases = entry.phrases(language())
    personal = set() if entry.layer is None else {
        c.source for c in entry.layer.columns if c.why == "personal"
    }  # fmt: skip
    labels = {"": text("files.none")}
    labels |= {name: name_text(name) or "?" for name in entry.columns if name not in personal}
    options = list(labels)
    boxes = st.columns(2, gap="small")
    for number, meaning in enumerate(meanings(entry)):
        source = found.get(meaning, entry.choice.columns.get(meaning, ""))
        key = f"col_{intake.id}_{entry.number}_{entry.role}_{meaning}_{source}_{language()}"
        with boxes[number % 2]:
            st.selectbox(
                column_word(entry, meaning), options,
                index=options.index(source) if source in options else 0,
                format_func=labels.__getitem__, key=key, disabled=busy,
                on_change=callback(partial(_column_changed, intake, entry, meaning, key)),
            )  # fmt: skip
            if meaning in found:
                st.html(f"<div class='gw-why'>{html_text(phrases[source])}</div>")
    _left_out(entry)


def _column_changed(intake: Intake, entry: Entry, meaning: str, key: str) -> None:
    if entry.choice is None:
        return
    column = st.session_state[key]
    columns = dict(entry.choice.columns)
    columns = {m: c for m, c in columns.items() if c != column or not column}
    columns[meaning] = column
    if not column and (meaning in _NEEDED or entry.layer is None):
        del columns[meaning]  # back to what the program recognises
    _read_anew(intake, entry, replace(entry.choice, columns=columns))


def _left_out(entry: Entry) -> None:
    """What is not kept: names of columns nobody needs, and counts of what is personal."""
    layer = entry.layer
    if layer is None:
        return
    counts = counts_dropped(layer)
    cells = sum(count for kind, count in counts.items() if kind != "column")
    told = text("files.nothing_dropped")
    if counts:
        told = text("files.dropped", columns=counts.get("column", 0), cells=whole(cells))
    aside = unused_reasons(layer, entry.phrases(language()))
    lines = [told]
    if aside:
        lines.append(text("files.unused"))
    lines += [f"{', '.join(names)}: {why}" for why, names in aside.items()]
    body = "".join(f"<div>{html_text(line)}</div>" for line in lines)
    st.html(f"<div class='gw-facts'>{body}</div>")


def unused_reasons(layer: Layer, phrases: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns that are not read, by the reason; a personal column is counted, never named."""
    found: dict[str, list[str]] = {}
    for column in layer.columns:
        if column.canonical is None and column.why != "personal":
            found.setdefault(phrases[column.source], []).append(name_text(column.source) or "?")
    for names in found.values():
        if len(names) > _MOST_TOLD:
            names[_MOST_TOLD:] = ["…"]
    return found


def _problems(problems: tuple[Problem, ...]) -> None:
    if not problems:
        st.caption(text("files.no_problems"))
        return
    order = {"error": 0, "warning": 1, "note": 2}
    rows = sorted(problems, key=lambda problem: order[problem.severity])
    items = "".join(
        f"<li><b class='{'gw-bad' if p.severity == 'error' else ''}'>"
        f"{html_text(text(f'files.{p.severity}'))}</b> {html_text(p.text(language()))}</li>"
        for p in rows[:_MOST_TOLD]
    )
    st.html(f"<ul class='gw-told'>{items}</ul>")


def _rows(entry: Entry) -> None:
    if entry.layer is None:
        st.caption(text("files.unreadable"))
        return
    st.html(rows_table(entry.layer, {m: column_word(entry, m) for m in meanings(entry)}))


def rows_table(layer: Layer, titles: Mapping[str, str], most: int = 8) -> str:
    """The first rows as they would be kept, as HTML; every value is text."""
    frame = layer.frame.drop(columns="geometry", errors="ignore").head(most)
    columns = [name for name in frame.columns if name in titles]
    head = "".join(f"<th>{html_text(titles[name])}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html_text(row[name]) or DASH}</td>" for name in columns) + "</tr>"
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    )
    return f"<table class='gw-table'><tr>{head}</tr>{body}</table>"
