"""Take the plan away: register, paper for approval, and the data in every usual form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import partial

import streamlit as st

from geo.problems import InputError, Problem
from planning.attachments import Attached, attach
from planning.beats.beatfile import BeatFile
from planning.code_schemes import Scheme
from planning.export.systems import DEGREES
from planning.planfile import PlanFile
from planning.register import Filing
from planning.sheets.page import Imprint
from ui.access import may, person, taken
from ui.downloads import (
    FORMS,
    Choice,
    Form,
    changes_content,
    content,
    earlier_version,
    file_name,
    find_changes,
    gbk_can_write,
    system_label,
    system_of,
)
from ui.format import DASH, html_text, markdown_text, whole
from ui.jobs import Job, Snapshot
from ui.own_files import own_beats, own_files, own_leaders, with_own_files
from ui.projects import JOBS, Project
from ui.session import (
    guarded,
    language,
    on_other_page,
    page_of,
    plan_now,
    project,
    project_name,
    scenario_of,
    show_failures,
    text,
)
from ui.sheets import BOOKS, MORE, PART, WHAT, make_books
from ui.views import PlanView
from ui.watch import running, show_job, show_outcome, start

SHEETS = "sheets"
WHERE = (("beat", "beats", "local_police"), ("leader", "levels", "account_tree"))
"""Kinds of sheets that need more than a plan, the page where that is made, and its icon."""


def show() -> None:
    """The page."""
    with guarded():
        on_other_page("download")
        show_failures()
        opened = project()
        # of what one may look at, the part that one may take away
        view = None if opened is None else plan_now(person().holding("take.plan"))
        if opened is None or view is None:
            with st.container(key="gw_empty"):
                st.markdown(text("download.empty"))
                st.page_link(page_of("plan"), label=text("project.to_plan"), icon=":material/map:")
            return
        name = html_text(project_name(opened))
        st.html(f"<h2 class='gw-h2'>{html_text(text('page.download'))} · {name}</h2>")
        st.caption(text("download.lead"))
        st.html(f"<h3 class='gw-h3'>{html_text(text('download.documents'))}</h3>")
        named = bool(opened.name) or opened.kind == "demo"
        filing, scheme = _filing(project_name(opened) if named else "")
        own = own_files(opened)
        filing = _attached(view.plan, filing, [path.name for _, path in own])
        complete = partial(with_own_files, opened, view.plan)
        choice = Choice(filing=filing, scheme=scheme)
        for form in FORMS:
            if not form.systems:
                _offer(form, view.plan, choice, possible=True, complete=complete)
        changed = _changes(view.plan, choice)
        _sheets(opened, view, filing, changed)
        st.html(f"<h3 class='gw-h3'>{html_text(text('download.maps'))}</h3>")
        choice = _data_choice(view.plan, choice)
        gbk = gbk_can_write(view.plan)
        for form in FORMS:
            if form.systems:
                _offer(form, view.plan, choice, possible=form.key != "shapefile_gbk" or gbk)


def _divisions(opened: Project, view: PlanView) -> dict[str, Callable[[], BeatFile]]:
    """The divisions into beats that can be drawn, by what they are called."""
    from planning.opened import plan_digest
    from ui.beats import STUDIES, kind_name

    found: dict[str, Callable[[], BeatFile]] = {}
    held = st.session_state.get("beat_study")
    if held in STUDIES:
        study = STUDIES.get(held)
        if study.view is view or study.digest == plan_digest(view.plan):
            for kind in study.divisions:
                kept = st.session_state.get("beats_kept", {}).get(f"{study.key}/{kind}")
                redrawn = None if kept is None else kept.beats(scenario_of(kept))
                found[kind_name(kind, language())] = partial(study.file, kind, redrawn)
    if not found:
        own = own_beats(opened, view.plan)
        if own is not None:
            found[text("sheets.beats_file")] = lambda: own
    return found


def _sheets(
    opened: Project, view: PlanView, filing: Filing, changed: set[str] | None
) -> None:
    """Map sheets: drawn by a job that can be stopped, then taken away as one zip."""
    with st.container(border=True, key="gw_form_sheets"):
        st.markdown(f"**{text('sheets.title')}**")
        st.caption(text("sheets.text"))
        if running(SHEETS):
            show_job(_sheets_done)
            return
        divisions = _divisions(opened, view)
        leaders = filing.leaders or own_leaders(opened, view.plan)
        offered = {"beat": bool(divisions), "leader": bool(leaders)}
        kinds = [*WHAT, *(kind for kind in MORE if offered[kind])]
        only = changed is not None and st.checkbox(
            text("sheets.only_changed", count=whole(len(changed))), value=True, key="sheets_only"
        )
        if only:
            kinds = [kind for kind in kinds if kind in PART]
        what = st.multiselect(
            text("sheets.what"), kinds, default=kinds, key=f"sheets_what_{language()}_{only}",
            format_func=lambda kind: text(f"sheets.{kind}"),
        )  # fmt: skip
        if not only:
            _not_offered(offered)
        png = st.checkbox(text("sheets.png"), key="sheets_png")
        division = None
        if "beat" in what:
            division = st.selectbox(
                text("sheets.beats_of"), list(divisions), key=f"sheets_beats_{language()}"
            )
        with st.container(horizontal=True, gap="small"):
            if st.button(text("sheets.draw"), key="draw_sheets", disabled=not what):
                beats = divisions[division]() if division in divisions else None
                imprint = Imprint(filing.place, filing.unit, filing.date, filing.version)
                lang = language()

                def work(job: Job) -> str:
                    return make_books(
                        job, view.plan, view.context, what, lang, imprint, beats=beats,
                        leaders=leaders, codes=changed if only else None, png=png,
                    )  # fmt: skip

                start(SHEETS, JOBS.start(SHEETS, work))
                st.rerun()
            held = st.session_state.get("sheets_book")
            if held in BOOKS:
                st.download_button(
                    text("sheets.take"),
                    data=taken("take.plan", partial(BOOKS.get, held), "sheets"),
                    key="download_sheets",
                    file_name=f"{text('sheets.file')}.zip", mime="application/zip",
                    on_click="ignore",
                )  # fmt: skip
        show_outcome("sheets.stopped")


def _not_offered(offered: dict[str, bool]) -> None:
    """Why there are no sheets of beats or leaders, and where either is made."""
    for kind, page, icon in WHERE:
        if offered[kind]:
            continue
        st.caption(text(f"sheets.no_{kind}"))
        if may(f"see.{page}"):
            st.page_link(page_of(page), label=text(f"page.{page}"), icon=f":material/{icon}:")


def _sheets_done(now: Snapshot) -> None:
    st.session_state["sheets_book"] = now.result


def _filing(place: str) -> tuple[Filing, Scheme]:
    """What the office puts on the papers (empty fields are left to fill in), and its codes."""
    with st.expander(text("download.filing")):
        county, unit, day, version, paper = st.columns([2, 3, 2, 1, 1])
        filing = Filing(
            place=county.text_input(
                text("download.place"), value=place, key="filing_place", max_chars=60
            ).strip(),
            unit=unit.text_input(text("download.unit"), key="filing_unit", max_chars=60).strip(),
            date=day.text_input(
                text("download.date"), value=date.today().isoformat(), key="filing_date",
                max_chars=20,
            ).strip(),
            version=version.text_input(
                text("download.version"), value="1", key="filing_version", max_chars=20
            ).strip(),
            paper="A3" if paper.selectbox(
                text("download.paper"), ["A4", "A3"], key="filing_paper"
            ) == "A3" else "A4",
            coordinates=st.checkbox(text("download.coordinates"), key="filing_coordinates"),
        )  # fmt: skip
        return filing, _scheme()


def _attached(plan: PlanFile, filing: Filing, own: list[str]) -> Filing:
    """The filing with staff and services from the files that the office brings, if any."""
    with st.expander(text("download.attach")):
        used = markdown_text(", ".join(own)) or DASH
        st.caption(text("download.attach_text", found=used))
        pattern = st.text_input(
            text("download.pattern"), value=filing.pattern, key="filing_pattern", max_chars=60
        ).strip()
        files = st.file_uploader(
            text("download.attach"), accept_multiple_files=True, key="attached",
            label_visibility="collapsed",
        )  # fmt: skip
        wanted = replace(filing, pattern=pattern)
        signature = (id(plan), pattern, tuple(file.file_id for file in files))
        kept = st.session_state.get("attached_parts")
        try:
            if kept is None or kept[0] != signature:
                brought = [(file.name, file.getvalue()) for file in files]
                kept = (signature, attach(plan, brought, wanted))
                st.session_state["attached_parts"] = kept
        except InputError as error:
            _tell(error.problems)
            return filing
        found: Attached = kept[1]
        _tell(found.problems)
        told = found.filing
        return replace(
            wanted, staff=told.staff, services=told.services, compounds=told.compounds,
            leaders=told.leaders,
        )  # fmt: skip


def _tell(problems: Iterable[Problem]) -> None:
    """Problems as one notice, a sentence a line."""
    lang = language()
    told = "  \n".join(markdown_text(problem.text(lang)) for problem in problems)
    if told:
        st.warning(told)


def _scheme() -> Scheme:
    """The scheme of codes; the usual one, and a sentence, where a template cannot be used."""
    usual = Scheme()
    grid, micro = st.columns(2)
    fields = "{village} {township} {county} {number:3} {kind}"
    templates = (
        grid.text_input(
            text("download.scheme"), value=usual.grid, key="scheme_grid", max_chars=80,
            help=text("download.scheme_help", example=usual.grid, fields=fields),
        ),
        micro.text_input(
            text("download.scheme_micro"), value=usual.micro, key="scheme_micro", max_chars=80
        ),
    )  # fmt: skip
    try:
        return Scheme(*(template.strip() for template in templates))
    except InputError as error:
        _tell(error.problems)
        return usual


def _changes(plan: PlanFile, choice: Choice) -> set[str] | None:
    """What changed since an earlier version, once one is given: codes of grids to print anew."""
    lang = language()
    with st.container(border=True, key="gw_form_changes"):
        st.markdown(f"**{text('download.changes')}**")
        st.caption(text("download.changes_text"))
        file = st.file_uploader(
            text("download.changes"), type="gpkg", key="earlier", label_visibility="collapsed"
        )
        if file is None:
            return None
        # found once: every touch of the page runs this again
        signature = (id(plan), file.file_id, lang, choice.filing.unit, choice.filing.date,
                     choice.filing.version, choice.filing.paper)  # fmt: skip
        kept = st.session_state.get("changes_found")
        try:
            if kept is None or kept[0] != signature:
                found = find_changes(earlier_version(file.name, file.getvalue()), plan)
                fresh = set(found.sheets())
                kept = (signature, changes_content(found, lang, choice.filing), fresh)
                st.session_state["changes_found"] = kept
        except InputError as error:
            _tell(error.problems)
            return None
        st.caption(text("download.changes_found", count=whole(len(kept[2]))))
        st.download_button(
            text("download.button"), data=taken("take.plan", partial(_same, kept[1]), "changes"),
            mime=FORMS[0].media, on_click="ignore",
            file_name=text("download.changes_name") + ".xlsx", key="download_changes",
        )  # fmt: skip
        fresh_codes: set[str] = kept[2]
        return fresh_codes


def _same(made: bytes) -> bytes:
    return made


def _data_choice(plan: PlanFile, choice: Choice) -> Choice:
    """The coordinate system and the level of the data."""
    lang = language()
    left, right = st.columns(2)
    system = left.selectbox(
        text("download.system"),
        [None, *DEGREES],
        format_func=lambda own: text("download.system_usual")
        if own is None
        else system_label(own, lang),
        key="download_system",
    )
    micro = plan.micro_grids is not None and len(plan.micro_grids) > 0
    levels = ["grids", "villages", *(["micro_grids"] if micro else [])]
    level = right.selectbox(
        text("download.level"),
        levels,
        format_func=lambda own: text(f"download.level_{own}"),
        key="download_level",
    )
    if system == "gcj02":
        st.warning(text("download.gcj02_note"))
    return replace(choice, system=system, level=level)


def _offer(
    form: Form, plan: PlanFile, choice: Choice, *, possible: bool,
    complete: Callable[[Filing], Filing] | None = None,
) -> None:  # fmt: skip
    """One form: what it is, the system it will be in, and the button."""
    lang = language()
    with st.container(border=True, key=f"gw_form_{form.key}"):
        words, button = st.columns([4, 1], vertical_alignment="center")
        words.markdown(f"**{text(f'download.{form.key}')}**")
        note = text(f"download.{form.key}_text" if possible else "download.not_gbk")
        system = system_of(form, choice)
        if possible and system is not None:
            note += "  \n" + text("download.in_system", system=system_label(system, lang))
        words.caption(note)
        button.download_button(
            text("download.button"),
            # Made when asked for, so that opening the page writes no file.
            data=taken(
                "take.plan", partial(content, form, plan, lang, choice, complete),
                f"plan.{form.key}",
            ),
            file_name=file_name(form, lang, choice),
            mime=form.media,
            key=f"download_{form.key}",
            on_click="ignore",
            disabled=not possible,
            width="stretch",
        )
