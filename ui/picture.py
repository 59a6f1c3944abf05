"""Households as pictures: a pyramid of squares that the map lays over each other; pure.

The squares are those of any web map (zoom, column, row; 256 dots wide, Web Mercator), so Leaflet
knows which it needs. A dot is coloured by households per square kilometre in fixed classes, a dot
smaller than a hectare counted as one: a single house in the country is no crowded city block.
"""

from __future__ import annotations

import base64
import struct
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DOTS = 256
FIRST_ZOOM, LAST_ZOOM = 7, 13
"""Zooms that have squares of their own; the map stretches those of the last one further in."""

DENSITY_BREAKS = (20.0, 100.0, 500.0, 2000.0)
"""Households per square kilometre; the classes between are drawn ever darker."""

LEAST_KM2 = 0.01
"""A dot counts as this much ground at least."""

_EQUATOR = 40_075_016.686  # metres
_INK = (31, 45, 92)
_ALPHA = (0, 40, 78, 118, 158, 200)  # none, and the five classes


def mercator(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns and rows of the world's square at zoom 0, shape (n, 2), each 0..1."""
    sine = np.sin(np.radians(np.clip(latitude, -85.05, 85.05)))
    return np.column_stack(
        [longitude / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)]
    )


def png(classes: NDArray[np.uint8]) -> bytes:
    """A picture of class numbers 0..5 as a PNG with a palette; shape (rows, columns)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body)
        )  # fmt: skip

    rows, columns = classes.shape
    head = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    lines = np.hstack([np.zeros((rows, 1), dtype=np.uint8), classes.astype(np.uint8)])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", bytes(_INK) * len(_ALPHA))
        + chunk(b"tRNS", bytes(_ALPHA))
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
        + chunk(b"IEND", b"")
    )


class Pyramid:
    """Squares of a city's households, each drawn once a server.

    Parameters
    ----------
    longitude, latitude : (n,) degrees, WGS 84.
    households : (n,) counts.
    """

    def __init__(
        self,
        longitude: NDArray[np.float64],
        latitude: NDArray[np.float64],
        households: NDArray[np.float64],
    ) -> None:
        at = mercator(longitude, latitude)
        # ordered by column of the finest squares, so that a square looks at a slice of them
        order = np.argsort(at[:, 0], kind="stable")
        self._at, self._households = at[order], households[order]
        self._drawn = lru_cache(maxsize=2000)(self._draw)

    def square(self, zoom: int, column: int, row: int) -> str:
        """The address (``data:``) of one square; empty where nobody lives or there is none."""
        if not FIRST_ZOOM <= zoom <= LAST_ZOOM:
            return ""
        return self._drawn(zoom, column, row)

    def _draw(self, zoom: int, column: int, row: int) -> str:
        n = 1 << zoom
        first, last = np.searchsorted(self._at[:, 0], [column / n, (column + 1) / n])
        y = self._at[first:last, 1] * n - row
        inside = (y >= 0) & (y < 1)
        if not inside.any():
            return ""
        x = self._at[first:last, 0][inside] * n - column
        dots = (np.minimum(y[inside] * DOTS, DOTS - 1)).astype(np.intp) * DOTS
        dots += np.clip(x * DOTS, 0, DOTS - 1).astype(np.intp)
        weights = self._households[first:last][inside]
        found = np.bincount(dots, weights=weights, minlength=DOTS * DOTS).reshape(DOTS, DOTS)
        middle = np.arctan(np.sinh(np.pi * (1 - 2 * (row + 0.5) / n)))
        side_km = _EQUATOR * np.cos(middle) / n / DOTS / 1000
        density = found / max(side_km**2, LEAST_KM2)
        classes = np.where(found > 0, 1 + np.searchsorted(DENSITY_BREAKS, density, "right"), 0)
        body = png(classes.astype(np.uint8))
        return "data:image/png;base64," + base64.b64encode(body).decode()
