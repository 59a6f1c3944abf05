"""Take the plan away: GeoPackage, GeoJSON, Shapefile, and the register in Excel."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ui.downloads import FORMS, content, file_name, gbk_can_write
from ui.format import html_text
from ui.session import (
    guarded,
    language,
    on_other_page,
    page_of,
    plan_now,
    project,
    project_name,
    show_failures,
    text,
)


def show() -> None:
    """The page."""
    with guarded():
        on_other_page("download")
        show_failures()
        opened = project()
        view = plan_now() if opened is not None else None
        if opened is None or view is None:
            with st.container(key="gw_empty"):
                st.markdown(text("download.empty"))
                st.page_link(page_of("plan"), label=text("project.to_plan"), icon=":material/map:")
            return
        name = html_text(project_name(opened))
        st.html(f"<h2 class='gw-h2'>{html_text(text('page.download'))} · {name}</h2>")
        st.caption(text("download.lead"))
        lang = language()
        gbk = gbk_can_write(view.plan)
        for form in FORMS:
            with st.container(border=True, key=f"gw_form_{form.key}"):
                words, button = st.columns([4, 1], vertical_alignment="center")
                words.markdown(f"**{text(f'download.{form.key}')}**")
                possible = form.key != "shapefile_gbk" or gbk
                note = f"download.{form.key}_text" if possible else "download.not_gbk"
                words.caption(text(note))
                button.download_button(
                    text("download.button"),
                    # Made when asked for, so that opening the page writes no file.
                    data=partial(content, form, view.plan, lang),
                    file_name=file_name(form, lang),
                    mime=form.media,
                    key=f"download_{form.key}",
                    on_click="ignore",
                    disabled=not possible,
                    width="stretch",
                )
