"""What the map shows, and the difference between what it shows and what it should show.

Truth lives in :class:`Scene`. The browser holds a copy of each layer under a version; only
features that differ travel. When the copy is not the one the server believes in (a new tab, a
message lost between two reruns), the browser asks for everything again: see ``resync`` in
``board/logic.js``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ui.map.encode import dumps

Kind = Literal["area", "line", "point"]


@dataclass(frozen=True)
class Layer:
    """One switchable layer.

    Parameters
    ----------
    id : stable name; the browser keeps its copy under it.
    kind : how ``g`` of a feature is encoded (:mod:`ui.map.encode`).
    features : feature id -> its JSON text. Text, because it is made once per plan and then
        only compared and joined.
    style : name of a style in ``board/logic.js``.
    label : shown in the layer switch; layers with the same label are switched together.
    rows : names of the values in a feature's tooltip, in order.
    shown : on when the map opens. A layer without a label is always on.
    min_zoom : hidden while the map is zoomed out further than this.
    max_zoom : hidden from this zoom on; 0 for never.
    """

    id: str
    kind: Kind
    features: Mapping[str, str]
    style: str
    label: str = ""
    rows: tuple[str, ...] = ()
    shown: bool = True
    min_zoom: float = 0
    max_zoom: float = 0
    version: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.version:
            digest = hashlib.blake2b(digest_size=8)
            for key, text in self.features.items():
                digest.update(key.encode())
                digest.update(text.encode())
            object.__setattr__(self, "version", digest.hexdigest())


@dataclass(frozen=True)
class Focus:
    """Where to look. A new ``number`` moves the map; the same number leaves it alone."""

    number: int = 0
    layer: str = ""
    ids: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Scene:
    """Everything the map shows at one moment.

    ``place`` names the view (a plan's county, one village of it); the map fits ``bounds``
    (west, south, east, north in degrees) whenever the place changes and else stays where the
    user moved it. ``words`` are the interface's own texts in the user's language. Maps of one
    ``group`` move together. ``parts`` says from which zooms the browser asks for what of a plan
    that is too large to be sent (:mod:`ui.overview`).
    """

    place: str
    layers: tuple[Layer, ...]
    bounds: tuple[float, float, float, float] | None = None
    legend: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    selected: tuple[str, ...] = ()
    focus: Focus = field(default_factory=Focus)
    group: str = ""
    parts: Mapping[str, Any] | None = None


def _layer_message(layer: Layer, held: Layer | None) -> str:
    before: Mapping[str, str] = held.features if held else {}
    if held is not None and held.version == layer.version:
        changed, removed = [], []
    else:
        changed = [text for key, text in layer.features.items() if before.get(key) != text]
        removed = [key for key in before if key not in layer.features]
    head = dumps(
        {
            "id": layer.id,
            "kind": layer.kind,
            "style": layer.style,
            "label": layer.label,
            "rows": list(layer.rows),
            "shown": layer.shown,
            "minZoom": layer.min_zoom,
            "maxZoom": layer.max_zoom,
            "version": layer.version,
            "base": held.version if held else "",
            "remove": removed,
        }
    )
    return head[:-1] + ',"upsert":[' + ",".join(changed) + "]}"


def message(scene: Scene, sent: Mapping[str, Layer], tell: str = "") -> bytes:
    """The message that turns what the browser holds into ``scene``: UTF-8 JSON.

    Parameters
    ----------
    sent : layer id -> the layer as it was last sent to this browser; empty at first.
    tell : what the browser says once it has drawn the map (:mod:`ui.map.drawn`); empty: nothing.
    """
    layers = [_layer_message(layer, sent.get(layer.id)) for layer in scene.layers]
    head = dumps(
        {
            "place": scene.place,
            "bounds": scene.bounds,
            "legend": scene.legend,
            "words": scene.words,
            "selected": list(scene.selected),
            "group": scene.group,
            "parts": scene.parts,
            "tell": tell,
            "focus": {
                "number": scene.focus.number,
                "layer": scene.focus.layer,
                "ids": list(scene.focus.ids),
                "bounds": scene.focus.bounds,
            },
        }
    )
    return (head[:-1] + ',"layers":[' + ",".join(layers) + "]}").encode()
