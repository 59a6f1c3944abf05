"""Police beats: today's against the grids, three divisions side by side, the board, hand-over."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from planning.beats.beatfile import write_beats
from planning.beats.describe import beat_changes
from planning.beats.settings import CROSSINGS, BeatSettings
from planning.beats.work import WORDS as KINDS_OF_WORK
from planning.beats.work import WorkSpec
from planning.opened import plan_digest
from planning.plan import Plan
from ui.access import may, person, require, taken
from ui.beat_desk import KeptBeats, grid_places, keep_beats
from ui.beats import (
    FILES,
    STUDIES,
    BeatStudy,
    beats_of,
    broken_rules,
    compared,
    crossings,
    follow,
    found_files,
    groups_of,
    kind_name,
    make_beats,
    pairs_of,
    place_of,
    scene,
    today_scene,
    whole_before,
    write_tables,
)
from ui.errors import JobGoneError
from ui.format import html_text, markdown_text, share, whole
from ui.jobs import Job, Snapshot
from ui.map.component import forget_what_was_sent, show_map
from ui.map.scene import Focus
from ui.pages.board import show_board
from ui.projects import JOBS, Project
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
    scenario_of,
    show_failures,
    text,
)
from ui.sources import UPLOADABLE
from ui.storage import the_store
from ui.views import PlanView
from ui.watch import running, show_job, show_outcome, start

KIND = "beats"
BANDS = (0.10, 0.05, 0.15, 0.20)
_SENT = "hand_sent"


def show() -> None:
    """The page."""
    with guarded():
        if on_other_page("beats"):
            forget_what_was_sent()
            st.session_state.pop(_SENT, None)
        show_failures()
        opened = project()
        view = None if opened is None else plan_now(person().holding("see.beats"))
        note_in_address()
        if opened is None or view is None:
            with st.container(key="gw_empty"):
                st.markdown(text("beats.empty"))
                st.page_link(page_of("plan"), label=text("page.plan"), icon=":material/map:")
            return
        study = _study(view)
        with st.sidebar:
            settings, spec, uploads = _form(opened)
            if may("do.beats"):
                _button(opened, view, settings, spec, uploads)
        if study is not None and st.session_state.get("beat_board") in study.divisions:
            _redraw(study, str(st.session_state["beat_board"]), opened)
            return
        title = html_text(text("beats.title"))
        st.html(f"<h2 class='gw-h2'>{title} · {html_text(project_name(opened))}</h2>")
        st.caption(text("beats.lead"))
        if study is None:
            st.info(text("beats.none"))
            return
        _results(study)


# --- what there is ------------------------------------------------------------------------------


def _study(view: PlanView) -> BeatStudy | None:
    """The study of this visitor, on the grids as they are now: redrawn grids take beats along."""
    held = st.session_state.get("beat_study")
    if held is None:
        return None
    try:
        study = STUDIES.get(held)
    except JobGoneError:
        st.session_state["beat_study"] = None
        return None
    if study.view is view or study.digest == plan_digest(view.plan):
        return study
    kind = str(st.session_state.get("beat_board") or next(iter(study.divisions)))
    made = follow(study, kind, _plan_of(study, kind), view)
    st.session_state["beat_study"] = made.key
    st.session_state["beat_board"] = None
    return made


def _kept(study: BeatStudy, kind: str) -> KeptBeats:
    held = st.session_state.setdefault("beats_kept", {})
    key = f"{study.key}/{kind}"
    if key not in held:
        store = the_store("do.beats", grid_places(study))
        held[key] = keep_beats(store, study, kind, kind_name(kind, language()))
    found: KeptBeats = held[key]
    return found


def _plan_of(study: BeatStudy, kind: str) -> Plan:
    """A division as it stands: with what was redrawn, where it was opened on the board."""
    key = f"{study.key}/{kind}"
    if key not in st.session_state.get("beats_kept", {}):
        return study.divisions[kind].plan
    kept = _kept(study, kind)
    return kept.beats(scenario_of(kept))


# --- the form -----------------------------------------------------------------------------------


def _form(opened: Project) -> tuple[BeatSettings, WorkSpec, dict[str, tuple[str, bytes]]]:
    uploads: dict[str, tuple[str, bytes]] = {}
    with st.expander(text("beats.files")):
        st.caption(text("beats.files_text"))
        found = found_files(opened)
        for role in FILES:
            name = found.get(role) or text("beats.file_none")
            file = st.file_uploader(
                f"{text(f'beats.file_{role}')} · {markdown_text(name)}", type=list(UPLOADABLE),
                key=f"beats_file_{role}",
            )  # fmt: skip
            if file is not None:
                uploads[role] = (file.name, file.getvalue())
    band = st.segmented_control(
        text("beats.band"), BANDS, default=BANDS[0], format_func=lambda b: f"±{share(b)}",
        key="beats_band",
    )  # fmt: skip
    urban, rural = st.columns(2, gap="small")
    most_urban = urban.number_input(
        text("beats.cap_urban"), 1, 1_000_000, 10_000, 500, key="beats_urban"
    )
    most_rural = rural.number_input(
        text("beats.cap_rural"), 1, 1_000_000, 5_000, 500, key="beats_rural"
    )
    number = st.number_input(text("beats.number"), 1, 100_000, None, 1, key="beats_number")
    cross = st.selectbox(
        text("beats.cross"), CROSSINGS, index=CROSSINGS.index("township"),
        format_func=lambda name: text(f"beats.cross_{name}"), key=f"beats_cross_{language()}",
    )  # fmt: skip
    rules = _rules()
    spec = _work()
    settings = BeatSettings(
        band=float(band or BANDS[0]), max_persons_urban=int(most_urban),
        max_persons_rural=int(most_rural), beats=None if number is None else int(number),
        cross=cross, **rules,
    )  # fmt: skip
    return settings, spec, uploads


def _rules() -> dict[str, Any]:
    """Links, walls, and grids to be together or apart: codes, a line each."""
    with st.expander(text("beats.rules")):
        st.caption(text("beats.rules_text"))
        said = {
            name: st.text_area(
                text(f"beats.{name}"), key=f"beats_{name}", height=68, max_chars=20_000
            )
            for name in ("links", "cuts", "together", "apart")
        }
        locked = st.text_input(text("beats.locked"), key="beats_locked", max_chars=5_000)
    pairs = {name: pairs_of(said[name] or "") for name in ("links", "cuts", "apart")}
    shut = frozenset(code for group in groups_of(f"- {locked}") for code in group) - {"-"}
    return {**pairs, "together": groups_of(said["together"] or ""), "locked": shut}


def _work() -> WorkSpec:
    with st.expander(text("beats.weights")):
        weights = {
            name: float(
                st.number_input(
                    text(f"beats.weight_{name}"), 0.0, 100.0, 0.0, 0.5, key=f"beats_w_{name}"
                )
            )
            for name in KINDS_OF_WORK
        }
        st.caption(text("beats.weights_none"))
        minutes = st.checkbox(text("beats.minutes"), key="beats_minutes")
    used = {name: weight for name, weight in weights.items() if weight > 0}
    return WorkSpec(weights=used, minutes=bool(minutes))


def _button(
    opened: Project, view: PlanView, settings: BeatSettings, spec: WorkSpec,
    uploads: dict[str, tuple[str, bytes]],
) -> None:  # fmt: skip
    if running(KIND):
        show_job(_done)
        return
    if st.button(text("beats.propose"), type="primary", width="stretch", key="beats_propose"):
        require("do.beats")

        def work(job: Job) -> str:
            return make_beats(job, opened, view, uploads, settings, spec)

        start(KIND, JOBS.start(KIND, work))
        st.rerun()
    show_outcome()


def _done(now: Snapshot) -> None:
    st.session_state["beat_study"] = now.result
    st.session_state["beat_board"] = None


# --- results ------------------------------------------------------------------------------------


@st.fragment
def _results(study: BeatStudy) -> None:
    with guarded():
        lang = language()
        if study.followed is not None:
            st.info(text("beats.followed"))
            _followed(study.followed)
        places = st.container(key="gw_pair").columns(len(study.divisions), gap="small")
        for place, kind in zip(places, study.divisions, strict=True):
            with place:
                st.html(f"<h3 class='gw-h3'>{html_text(kind_name(kind, lang))}</h3>")
                show_map(scene(study, kind, lang, _focus()), name=f"beats_{kind}")
                if st.button(text("beats.redraw"), key=f"beats_redraw_{kind}", width="stretch"):
                    _open_board(kind)
                    st.rerun()  # the whole page, not this fragment
        table = compared(study, lang)
        heads = {kind: kind_name(kind, lang) for kind in study.divisions}
        st.dataframe(
            table, hide_index=True, key="beats_compared",
            column_config={"measure": text("beats.measure"), **heads},
        )  # fmt: skip
        _notes(study)
        chosen = st.segmented_control(
            text("beats.shown"), list(heads), default=next(iter(heads)),
            format_func=heads.__getitem__, key=f"beats_shown_{lang}",
        )  # fmt: skip
        _details(study, chosen or next(iter(heads)))


def _open_board(kind: str) -> None:
    st.session_state["beat_board"] = kind
    st.session_state.pop(_SENT, None)


def _focus() -> Focus:
    held = st.session_state.get("beats_focus")
    return held if isinstance(held, Focus) else Focus()


def _notes(study: BeatStudy) -> None:
    lines = [note.text(language()) for note in study.ground.notes]
    for one in study.divisions.values():
        lines += [note.text(language()) for note in one.notes]
    kind = next(iter(study.divisions))
    posts = study.posts(kind)
    lines += [note.text(language()) for note in (posts.notes if posts else ())]
    fewest = max(one.fewest for one in study.divisions.values())
    if fewest:
        st.caption(text("beats.fewest", count=fewest))
    unique = list(dict.fromkeys(lines))
    if unique:
        with st.expander(text("beats.notes", count=len(unique))):
            st.markdown("\n".join(f"- {markdown_text(line)}" for line in unique))


def _details(study: BeatStudy, kind: str) -> None:
    names = ["table", "changes", "crossing", "officers", "wrong"]
    tabs = st.tabs([text(f"beats.tab_{name}") for name in names])
    plan = _plan_of(study, kind)
    with tabs[0]:
        _table(study, kind, plan)
    with tabs[1]:
        _named(beat_changes(study.ground, plan), "beats_changes")
    with tabs[2]:
        _crossings(study)
    with tabs[3]:
        _officers(study, kind, plan)
    with tabs[4]:
        broken = broken_rules(study, kind, language())
        if broken.empty:
            st.caption(text("beats.no_wrong"))
        else:
            _named(broken, "beats_broken")
    downloads = st.columns([1, 1, 4], gap="small")
    for place, form in zip(downloads, ("gpkg", "xlsx"), strict=False):
        place.download_button(
            text("beats.download" if form == "gpkg" else "beats.download_excel"),
            data=taken("take.beats", partial(file_of, study, kind, plan, form), f"beats.{form}"),
            file_name=f"{text('beats.file_name')}-{kind}.{form}",
            key=f"beats_{form}", on_click="ignore", width="stretch",
        )  # fmt: skip


_HEADS = {
    "code": "beats.code", "name": "beats.name", "station": "beats.station",
    "class": "beats.class", "grids": "beats.grids", "households": "grid.households",
    "persons": "grid.persons", "workload": "beats.work", "workload_deviation": "beats.deviation",
    "room_persons": "beats.room", "room_work": "beats.room_work", "officers": "beats.officers",
    "beat_code": "beats.code", "matched_previous": "beats.previous",
    "jaccard_area": "beats.jaccard", "persons_kept": "beats.persons_kept",
    "workload_kept": "beats.workload_kept", "grids_gained": "beats.grids_gained",
    "grids_lost": "beats.grids_lost", "previous_beat": "beats.previous",
    "grid_code": "grid.code", "area_m2": "beats.area", "rule": "beats.rule",
    "reason": "beats.reason", "post": "beats.post", "kind": "beats.post_kind",
    "change": "beats.change", "moved_m2": "beats.moved_m2",
    "new_exceptions": "beats.new_exceptions",
}  # fmt: skip
_SHARES = {"workload_deviation", "jaccard_area"}


def _named(table: pd.DataFrame, key: str, **options: Any) -> None:
    """A table under the headings of the visitor's language; columns without one are left out."""
    shown = [name for name in table.columns if name in _HEADS]
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(text(_HEADS[name]), format="percent")
        if name in _SHARES
        else text(_HEADS[name])
        for name in shown
    }
    st.dataframe(
        pd.DataFrame(table[shown]), hide_index=True, key=key, column_config=config, **options
    )


def _table(study: BeatStudy, kind: str, plan: Plan) -> None:
    beats = pd.DataFrame(beats_of(study, kind, plan).drop(columns="geometry"))
    beats["class"] = [text(f"beats.{name}") for name in beats["class"]]
    for name in ("workload", "room_work", "room_persons", "area_m2"):
        beats[name] = beats[name].round(0)
    _named(beats, "beats_table")


def _crossings(study: BeatStudy) -> None:
    pieces = crossings(study)
    if study.ground.today is None or pieces.empty:
        st.caption(text("beats.no_crossing"))
        return
    told = text(
        "beats.whole_before", share=share(whole_before(study)), count=whole(len(pieces))
    )
    st.caption(told)
    left, right = st.columns([55, 45], gap="small")
    with right:
        _named(
            pieces.drop(columns="geometry").assign(area_m2=pieces["area_m2"].round(0)),
            "table_crossing", on_select=callback(partial(_go_to, study)),
            selection_mode="single-row", height=430,
        )  # fmt: skip
    with left, st.container(key="gw_one_map"):
        st.html(f"<h3 class='gw-h3'>{html_text(text('beats.today'))}</h3>")
        show_map(today_scene(study, language(), _focus()), name="beats_today")


def _go_to(study: BeatStudy) -> None:
    rows = list(st.session_state["table_crossing"].selection.rows)
    if rows:
        pieces = crossings(study)
        st.session_state["beats_focus"] = place_of(
            pieces.iloc[rows[:1]], _focus().number + 1
        )


def _officers(study: BeatStudy, kind: str, plan: Plan) -> None:
    posts = study.posts(kind)
    if posts is None:
        st.caption(text("beats.no_officers"))
        return
    for note in posts.notes:
        st.warning(markdown_text(note.text(language())))
    _named(posts.table, "beats_posts")


def _followed(changes: pd.DataFrame) -> None:
    table = changes.copy()
    table["change"] = [text(f"beats.change_{word}") for word in table["change"]]
    config = {
        name: f"{text(_HEADS[base])} · {text(f'beats.{when}')}"
        for base, name, when in (
            ("grids", "grids_before", "before"), ("grids", "grids", "after"),
            ("persons", "persons_before", "before"), ("persons", "persons", "after"),
            ("workload", "workload_before", "before"), ("workload", "workload", "after"),
        )
    }  # fmt: skip
    config |= {name: text(_HEADS[name]) for name in ("code", "change", "moved_m2",
                                                     "new_exceptions")}  # fmt: skip
    shown = [name for name in table.columns if name in config]
    st.dataframe(
        table[shown].round(0), hide_index=True, key="beats_followed", column_config=config
    )


def file_of(study: BeatStudy, kind: str, plan: Plan, form: str) -> bytes:
    """beats.gpkg, or its tables as a workbook; nothing stays on the disk."""
    tables = study.file(kind, plan)
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / f"beats.{form}"
        if form == "gpkg":
            write_beats(tables, path)
        else:
            sheets = {
                name: pd.DataFrame(getattr(tables, name).drop(columns="geometry", errors="ignore"))
                for name in ("beats", "grid_beats", "beat_changes", "previous_mismatch",
                             "exceptions", "officers", "provenance")
            }  # fmt: skip
            write_tables(sheets, path)
        return path.read_bytes()


# --- the board ----------------------------------------------------------------------------------


def _redraw(study: BeatStudy, kind: str, opened: Project) -> None:
    kept = _kept(study, kind)
    st.button(text("beats.back"), key="beats_back", icon=":material/arrow_back:",
              on_click=callback(_close_board))  # fmt: skip
    show_board(kept, kept.desk(scenario_of(kept), kept.place), study.view.context, language())


def _close_board() -> None:
    st.session_state["beat_board"] = None
    forget_what_was_sent()
