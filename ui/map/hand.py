"""The planner's board in the page: the component around ``board/hand.js``, kept alive like the map.

The toolbar, the panel and the map are one component, so that an edit costs one message and no
widget is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from ui.errors import MapLibraryMissingError
from ui.map.component import BOARD, LEAFLET, script, styles

HAND_SCRIPTS = (
    "logic.js", "furniture.js", "hand-logic.js", "hand-canvas.js", "hand-panel.js", "hand-bench.js",
    "hand-strokes.js", "hand-pen.js", "hand-tour.js", "hand.js",
)  # fmt: skip
HAND_KEY = "gridwright_hand"


@cache
def _renderer() -> Callable[..., Any]:
    try:
        leaflet_js = (LEAFLET / "leaflet.js").read_text(encoding="utf-8")
        leaflet_css = (LEAFLET / "leaflet.css").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise MapLibraryMissingError(str(missing.filename)) from missing
    ours = [(BOARD / name).read_text(encoding="utf-8") for name in HAND_SCRIPTS]
    css = "".join((BOARD / name).read_text(encoding="utf-8") for name in ("board.css", "hand.css"))
    return st.components.v2.component(
        "gridwright_hand",
        js=script(leaflet_js, *ours),
        css=styles(leaflet_css, css),
        isolate_styles=False,
    )


def show_hand(
    data: bytes, *, on_asked: Callable[[], None], on_resync: Callable[[], None]
) -> None:
    """Draw or update the board; call it once a run. The callbacks run before the next one."""
    _renderer()(key=HAND_KEY, data=data, on_asked_change=on_asked, on_resync_change=on_resync)


def asked() -> dict[str, Any]:
    """What the browser asks in this run; empty when nothing."""
    value = getattr(st.session_state.get(HAND_KEY), "asked", None)
    return dict(value) if isinstance(value, dict) else {}
