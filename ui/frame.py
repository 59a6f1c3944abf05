"""What surrounds every page: title, mark, style, and the switch of language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from ui.session import language, text

HERE = Path(__file__).resolve().parent
_NAMES = {"zh": "中文", "en": "English"}


@cache
def _style() -> str:
    return (HERE / "board" / "page.css").read_text(encoding="utf-8")


def _switched() -> None:
    chosen = st.session_state.get("language_switch")
    if chosen:
        st.session_state["language"] = chosen


def show_frame() -> None:
    """Set the page up; the first thing a run does."""
    st.set_page_config(
        page_title=text("app.name"),
        page_icon=str(HERE / "board" / "mark.svg"),
        layout="wide",
        initial_sidebar_state="auto",
    )
    # Streamlit's own uploader speaks English only; page.css puts these words in its place.
    words = f":root {{ --gw-upload: '{text('project.upload')}'; }}"
    st.html(f"<style>{words}{_style()}</style>")
    with st.sidebar:
        name, switch = st.columns([4, 6], vertical_alignment="center", gap="small")
        name.html(f"<div class='gw-brand'>{text('app.name')}</div>")
        st.session_state["language_switch"] = language()
        switch.segmented_control(
            text("app.language"),
            list(_NAMES),
            format_func=_NAMES.__getitem__,
            key="language_switch",
            on_change=_switched,
            label_visibility="collapsed",
        )
