"""Parts of a large plan on their way to the browser, without a page being drawn again.

A component of its own in a fragment of its own: when the map asks for parts, only this answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.map.component import BOARD, nothing
from ui.overview import answer_text

if TYPE_CHECKING:
    from ui.overview import Overview

KEY = "gridwright_parts"


@cache
def _renderer() -> Callable[..., Any]:
    return st.components.v2.component(
        "gridwright_parts",
        js=(BOARD / "messenger.js").read_text(encoding="utf-8"),
        html="<span></span>",
        isolate_styles=False,
    )


def question() -> dict[str, Any]:
    """What the map asks in this run; empty when nothing."""
    value = getattr(st.session_state.get(KEY), "asked", None)
    return dict(value) if isinstance(value, dict) else {}


@st.fragment
def answer_map(overview: Overview) -> None:
    """Answer the map's questions for parts of ``overview``."""
    asked = question()
    data = b""
    if asked.get("key") == overview.key and isinstance(asked.get("names"), list):
        found, late = overview.answer(asked["names"])
        number = asked.get("number")
        told = number if isinstance(number, int) else 0
        data = answer_text(found, late, overview.key, told)
    _renderer()(key=KEY, data=data, on_asked_change=nothing)
