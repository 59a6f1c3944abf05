"""Files of an analysis: the analysts' own, the one for leaders, the table of classes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from geo.problems import InputError
from incidents.analysis import Hotspots
from incidents.categories import write_table
from incidents.hotspotfile import provenance, write_hotspots
from incidents.limits import with_limits
from incidents.sharedfile import picked, write_shared
from planning.export import NOTICE_EN, NOTICE_ZH
from ui.access import taken
from ui.format import html_text, markdown_text
from ui.session import language, text
from ui.study import Study, limits_for
from ui.survey import analysed

SAID = {"notice.zh": NOTICE_ZH, "notice.en": NOTICE_EN}


def _content(write: Callable[[Path], None], suffix: str) -> bytes:
    """The bytes of a file; nothing stays on the disk."""
    with tempfile.TemporaryDirectory(prefix="gridwright-download-") as folder:
        path = Path(folder) / f"events{suffix}"
        write(path)
        return path.read_bytes()


def show_files(study: Study, found: Hotspots) -> None:
    """What may be taken away, each with what it holds; and the provenance."""
    prepared = study.kept_apart(study.prepared)
    said = {**SAID, **study.county.said}
    fixed = with_limits(prepared, found, limits_for(study, found.selection.category))
    unfit = _not_shared(study, found)
    forms = (
        ("analyst", ".gpkg", lambda path: write_hotspots(prepared, found, path, said)),
        ("leaders", ".gpkg", partial(_shared, study, found)),
        ("classes", ".csv", lambda path: write_table(study.table, path)),
    )
    for name, suffix, write in forms:
        with st.container(border=True, key=f"gw_form_{name}"):
            words, button = st.columns([4, 1], vertical_alignment="center")
            words.markdown(f"**{text(f'incidents.file_{name}')}**")
            words.caption(text(f"incidents.file_{name}_text"))
            if name == "leaders" and unfit:
                words.warning(markdown_text(unfit))
            button.download_button(
                text("download.button"),
                data=taken("take.incidents", partial(_content, write, suffix), f"events.{name}"),
                file_name=f"{text(f'incidents.file_{name}_name')}{suffix}",
                mime="application/octet-stream", key=f"incident_file_{name}", on_click="ignore",
                disabled=name == "leaders" and (study.shared is None or bool(unfit)),
                width="stretch",
            )  # fmt: skip
    rows = "".join(
        f"<tr><td>{html_text(key)}</td><td>{html_text(value)}</td></tr>"
        for key, value in provenance(prepared, fixed, said).itertuples(index=False)
    )
    with st.expander(text("incidents.sources")):
        st.html(f"<table class='gw-table'>{rows}</table>")


def _not_shared(study: Study, found: Hotspots) -> str:
    """Why the selection cannot be given to leaders, in words; "" where it can."""
    if study.shared is None:
        return ""
    try:
        picked(study.shared, found)
    except InputError as error:
        return error.problems[0].text(language())
    return ""


def _shared(study: Study, found: Hotspots, path: Path) -> None:
    """The leaders' file never holds a sensitive kind's cells, nor a pile that nobody confirmed; a
    part's holds the county's map."""
    if study.shared is None:
        return
    county = study.county
    chosen = replace(found.selection, without_piles=True)
    same = analysed(county, county.open, chosen, trend=True)
    shared = replace(study.shared, prepared=county.kept_apart(study.shared.prepared))
    write_shared(shared, same, path, {**SAID, **county.said})
