"""The map in the page: a Streamlit component (version 2, no frame) around Leaflet.

Leaflet comes from ``ui/board/node_modules``, filled by ``npm ci`` at set-up; the browser asks
nobody but this server for anything.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from ui.errors import MapLibraryMissingError
from ui.map.scene import Layer, Scene, message

BOARD = Path(__file__).resolve().parent.parent / "board"
LEAFLET = BOARD / "node_modules" / "leaflet" / "dist"
SCRIPTS = ("logic.js", "furniture.js", "parts.js", "board.js")
KEY = "gridwright_map"
MAIN = "main"
_SENT = "map_sent"


class LayerStore:
    """Layers by version, so that a session remembers only which versions it was sent."""

    def __init__(self, room: int = 400) -> None:
        self._layers: OrderedDict[tuple[str, str], Layer] = OrderedDict()
        self._room = room
        self._lock = Lock()

    def keep(self, layer: Layer) -> None:
        """Remember a layer; the one unused for longest is forgotten when there is no room."""
        with self._lock:
            self._layers[(layer.id, layer.version)] = layer
            self._layers.move_to_end((layer.id, layer.version))
            while len(self._layers) > self._room:
                self._layers.popitem(last=False)

    def get(self, layer_id: str, version: str) -> Layer | None:
        """The layer, or None when it was forgotten: then it is sent in full again."""
        with self._lock:
            return self._layers.get((layer_id, version))


_STORE = LayerStore()


def script(leaflet: str, *ours: str) -> str:
    """One ES module: Leaflet wrapped, then our parts without imports; the last one exports."""
    wrapped = (
        "const L = (() => { const module = { exports: {} }; const exports = module.exports;\n"
        f"{leaflet}\nreturn module.exports; }})();\n"
    )
    body = re.sub(r"^export (?=function|const|class)", "", "".join(ours), flags=re.MULTILINE)
    body = re.sub(r"^import \{[^}]*\} from \"[^\"]+\";\n", "", body, flags=re.MULTILINE)
    return re.sub(r"^//# sourceMappingURL=.*$", "", wrapped + body, flags=re.MULTILINE)


def styles(leaflet: str, board: str) -> str:
    """Leaflet's style without the pictures it names (we use none of them), then ours."""
    return re.sub(r"background-image:\s*url\([^)]*\);?", "", leaflet) + board


@cache
def _renderer() -> Callable[..., Any]:
    try:
        leaflet_js = (LEAFLET / "leaflet.js").read_text(encoding="utf-8")
        leaflet_css = (LEAFLET / "leaflet.css").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise MapLibraryMissingError(str(missing.filename)) from missing
    ours = [(BOARD / name).read_text(encoding="utf-8") for name in SCRIPTS]
    css = (BOARD / "board.css").read_text(encoding="utf-8")
    return st.components.v2.component(
        "gridwright_board",
        js=script(leaflet_js, *ours),
        css=styles(leaflet_css, css),
        isolate_styles=False,
    )


def forget_what_was_sent() -> None:
    """The next message carries everything: after the page was left, or when the browser asks."""
    st.session_state.pop(_SENT, None)


def _forget(name: str) -> None:
    st.session_state.get(_SENT, {}).pop(name, None)


def _key(name: str) -> str:
    return KEY if name == MAIN else f"{KEY}_{name}"


def nothing() -> None:
    """For a map whose clicks mean nothing."""


def show_map(
    scene: Scene,
    *,
    on_picked: Callable[[], None] = nothing,
    on_opened: Callable[[], None] = nothing,
    name: str = MAIN,
    tell: str = "",
) -> None:
    """Draw or update a map; call it once a run for each ``name``.

    ``tell`` is the name of the sign (:mod:`ui.map.drawn`) that somebody waits for.

    ``on_picked`` and ``on_opened`` run before the next rerun and read the event with
    :func:`event`.
    """
    for layer in scene.layers:
        _STORE.keep(layer)
    held: dict[str, dict[str, str]] = st.session_state.setdefault(_SENT, {})
    sent_versions = held.get(name, {})
    found = {key: _STORE.get(key, version) for key, version in sent_versions.items()}
    sent = {key: layer for key, layer in found.items() if layer is not None}
    held[name] = {layer.id: layer.version for layer in scene.layers}
    _renderer()(
        key=_key(name),
        data=message(scene, sent, tell),
        on_picked_change=on_picked,
        on_opened_change=on_opened,
        on_resync_change=partial(_forget, name),
    )


def event(name: str, of: str = MAIN) -> dict[str, Any] | None:
    """The event called ``name`` of the map called ``of`` in this run, or None."""
    value = getattr(st.session_state.get(_key(of)), name, None)
    return value if isinstance(value, dict) else None
