"""The numbers of a plan: sums over units and border segments, no polygon needed.

A metric is a number and no verdict; :mod:`planning.rules` holds the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.segments import tally
from geo.units import Units
from planning.graph import FloatArray, IntArray, graph_of
from planning.start import pieces


@dataclass(frozen=True)
class Measures:
    """One row a grid, all arrays (k,).

    ``households``, ``persons`` (-1 unknown); ``area_m2``; ``perimeter_m``; ``polsby_popper``
    4 pi A / P^2 (Polsby and Popper 1991; misleading along jagged rivers); ``reach_m``
    household-weighted root-mean-square distance to the households' mean place (0 where nobody
    lives); ``edge_on_line`` share of the border inside the village that runs along a road, river
    or railway (NaN where the grid is the whole village); ``inner_m`` and ``inner_on_line_m`` the
    lengths behind it; ``parts`` pieces not joined by a border.
    """

    households: IntArray
    persons: IntArray
    area_m2: FloatArray
    perimeter_m: FloatArray
    polsby_popper: FloatArray
    reach_m: FloatArray
    edge_on_line: FloatArray
    inner_m: FloatArray
    inner_on_line_m: FloatArray
    parts: IntArray


def measure(units: Units, label: IntArray, k: int) -> Measures:
    """Measure every grid of a labelling 0..k-1 of a village's units. O(units + segments)."""

    def total(weights: FloatArray | IntArray) -> FloatArray:
        return tally(label, weights, k)

    segments = units.segments
    length = segments.length
    left, right = segments.left, segments.right
    inner = right >= 0
    cut = np.zeros(len(left), dtype=bool)
    cut[inner] = label[left[inner]] != label[right[inner]]
    sides = np.concatenate([label[left[cut]], label[right[cut]]])
    along = np.tile(segments.line[cut] >= 0, 2)
    doubled = np.tile(length[cut], 2)
    inner_m = tally(sides, doubled, k)
    on_line = tally(sides, doubled * along, k)
    area, perimeter = total(units.area), inner_m + total(units.outer)
    households = total(units.households)
    mass = np.maximum(households, 1)
    x, y = total(units.households * units.x) / mass, total(units.households * units.y) / mass
    away = (units.x - x[label]) ** 2 + (units.y - y[label]) ** 2
    piece = pieces(graph_of(units), label)
    owner = np.unique(np.column_stack([label, piece]), axis=0)[:, 0]
    counted = bool((units.persons >= 0).all())
    with np.errstate(invalid="ignore", divide="ignore"):
        edge = np.where(inner_m > 0, on_line / inner_m, np.nan)
        compact = np.where(perimeter > 0, 4 * np.pi * area / perimeter**2, 0.0)
    return Measures(
        households=households.astype(np.int64),
        persons=(
            total(units.persons).astype(np.int64)
            if counted
            else np.full(k, -1, dtype=np.int64)
        ),
        area_m2=area,
        perimeter_m=perimeter,
        polsby_popper=compact,
        reach_m=np.sqrt(total(units.households * away + units.spread) / mass),
        edge_on_line=edge,
        inner_m=inner_m,
        inner_on_line_m=on_line,
        parts=np.bincount(owner, minlength=k),
    )
