"""Which names a map has room for: of two that would meet, the larger area keeps its own; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WIDE, NARROW, HIGH = 1.0, 0.56, 1.25  # of the size of the type: Chinese, Latin, a line
_AIR = 0.3  # kept free around a name, of the size of the type


def fitting(xy: np.ndarray, texts: Sequence[str], weight: np.ndarray, size: float) -> np.ndarray:
    """(n,) which texts can stand centred at ``xy`` (n, 2) without meeting one of more ``weight``.

    ``size`` is the size of the type in the units of ``xy``.
    """
    half = np.array([[_width(text) / 2 + _AIR, HIGH / 2 + _AIR / 2] for text in texts]) * size
    kept: list[int] = []
    for i in np.argsort(-np.asarray(weight), kind="stable"):
        apart = np.abs(xy[kept] - xy[i]) >= half[kept] + half[i]
        if texts[i] and apart.any(axis=1).all():
            kept.append(int(i))
    found = np.zeros(len(texts), dtype=bool)
    found[kept] = True
    return found


def _width(text: str) -> float:
    return float(sum(WIDE if ord(sign) > 0x2E7F else NARROW for sign in text))
