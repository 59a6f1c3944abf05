"""From a message of the browser to a request of :mod:`planning.requests`; pure, no Streamlit.

The browser speaks of units and grids by number and of places in degrees; requests are in metres.
What the message means for a plan, and whether it may mean anything, is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyproj import CRS

from geo.enclosures import VillageGround
from geo.ground import Ground
from planning.requests import Request, RequestError
from ui.degrees import to_metres
from ui.format import name_text

FIELDS = (
    "do", "units", "to", "grid", "grids", "k", "points", "name", "reason", "kind", "locked",
    "through",
)  # fmt: skip
"""What a request may hold; everything else in a message is left out."""


def to_request(message: Mapping[str, Any], crs: CRS) -> dict[str, object]:
    """The request a message makes, its ``points`` (degrees) as metres of ``crs``.

    Raises :class:`planning.requests.RequestError` for points that are none.
    """
    request: dict[str, object] = {name: message[name] for name in FIELDS if name in message}
    if "points" in request:
        request["points"] = _in_metres(request["points"], crs)
    return request


def homes_for(request: Request, ground: Ground, village: str) -> VillageGround | None:
    """Where the village's households live, for a request that cuts units; else None."""
    if request.get("through") is not True:
        return None
    rows = np.flatnonzero((ground.villages["code"].map(name_text) == village).to_numpy())
    return ground.village(int(rows[0])) if len(rows) and len(ground.households) else None


def _in_metres(points: object, crs: CRS) -> list[list[float]]:
    if not isinstance(points, list):
        raise RequestError("shape", "points")
    try:
        pairs = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError) as error:
        raise RequestError("shape", "points") from error
    if not pairs or any(not (-180 <= x <= 180 and -90 <= y <= 90) for x, y in pairs):
        raise RequestError("shape", "points")
    # a millimetre is as much as a hand can mean, and keeps the history short
    return [[float(x), float(y)] for x, y in to_metres(pairs, crs).round(3)]
