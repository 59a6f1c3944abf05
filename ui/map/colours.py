"""Classes and colours of the map: fixed breaks, colour-blind-safe, the same every month.

The ramp runs from blue (too few households) over a neutral to orange-brown (too many): blue and
orange stay apart for red-green and for blue-yellow colour blindness, and lightness falls to both
ends, so the order survives a black-and-white print. Hand-picked after the PuOr family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

DEVIATION_BREAKS: tuple[float, ...] = (-0.50, -0.25, -0.10, 0.10, 0.25, 0.50)
"""Upper ends of the classes, as shares of the target; both ±10 % belong to the middle class."""

NO_VALUE = -1
"""Class of a grid that has no households to judge by (a dedicated grid, for example)."""


@dataclass(frozen=True)
class Ramp:
    """Colours from fewest to most, for a light and a dark page, and one for "no value"."""

    light: tuple[str, ...]
    dark: tuple[str, ...]
    none_light: str
    none_dark: str


DEVIATION = Ramp(
    light=("#2c5d94", "#5b90c4", "#a9c9e6", "#ecebe4", "#f7c58a", "#e08a32", "#a5500c"),
    dark=("#7fb2e8", "#4f86bd", "#30557c", "#3a3d42", "#7d5527", "#bf7a2c", "#f5b566"),
    none_light="#c9c6cf",
    none_dark="#565360",
)


def deviation_class(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Class number 0..6 of each deviation (share of target), :data:`NO_VALUE` for NaN."""
    numbers = np.asarray(values, dtype=float)
    lower, upper = np.array(DEVIATION_BREAKS[:3]), np.array(DEVIATION_BREAKS[3:])
    # A value on a break belongs to the class nearer to zero, on both sides.
    below = np.searchsorted(lower, numbers, side="right")
    above = np.searchsorted(upper, numbers, side="left")
    classes = np.where(numbers < 0, below, 3 + above)
    return np.where(np.isfinite(numbers), classes, NO_VALUE).astype(int)


def class_labels() -> list[str]:
    """Texts of the legend, one a class, in ramp order; the same in every language."""
    edges = [f"{share:+.0%}".replace("-", "−").replace("%", " %") for share in DEVIATION_BREAKS]
    labels = [f"< {edges[0]}"]
    labels += [f"{low} … {high}" for low, high in pairwise(edges)]
    labels[3] = "± " + edges[3].lstrip("+")
    return [*labels, f"> {edges[-1]}"]
