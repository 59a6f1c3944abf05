"""What is wrong with a plan under a planner's hands, live: one row a fault, with where it is.

The same bounds as :mod:`planning.rules`, which speaks of proposals; here every stray part and
every part of a cut set has a row of its own, so that a map can go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from planning.graph import FloatArray, IntArray, graph_of
from planning.plan import Plan
from planning.settings import Settings
from planning.start import pieces

ALONG_NOTHING = 0.10
"""A grid with a smaller share of its inner border on lines runs along nothing one can see."""

FAULTS: dict[str, tuple[str, str]] = {
    # rule: (Chinese, English)
    "max_persons": ("人口超上限", "over the cap on persons"),
    "max_households": ("户数超上限", "over the cap on households"),
    "min_households": ("户数低于下限", "under the least households"),
    "stray": ("飞地", "stray part"),
    "split_set": ("小区或自然村被分割", "compound or natural village cut"),
    "along_nothing": ("边界不沿路河", "border along nothing"),
    "unplaced": ("未落图户", "households without a place"),
}
NO_GRID = -1
"""The ``key`` of a fault that concerns the village and no grid."""


@dataclass(frozen=True)
class Fault:
    """One rule that one grid breaks: ``value`` against ``limit``, at ``units``.

    ``key`` the grid (:data:`NO_GRID` for none); ``name`` of the set that is cut, else empty;
    ``places`` (metres) of households that no unit holds.
    """

    rule: str
    key: int
    value: float
    limit: float
    units: tuple[int, ...]
    name: str = ""
    places: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Unplaced:
    """Households that belong near a village and lie in none: metres (h, 2), counts (h,)."""

    xy: FloatArray
    households: IntArray


def faults(
    plan: Plan,
    settings: Settings,
    set_names: Sequence[str] = (),
    unplaced: Unplaced | None = None,
) -> list[Fault]:
    """Every fault of a plan, by grid and rule. ``set_names`` by must-stay-together number."""
    found = [*_caps(plan, settings), *_strays(plan), *_cut_sets(plan, set_names), *_lines(plan)]
    order = list(FAULTS)
    found.sort(key=lambda f: (plan.grids[f.key].code, order.index(f.rule), f.units))
    if unplaced is not None and len(unplaced.households):
        places = tuple((float(x), float(y)) for x, y in unplaced.xy)
        value = float(unplaced.households.sum())
        found.append(Fault("unplaced", NO_GRID, value, 0, (), places=places))
    return found


def unplaced_near(
    xy: FloatArray, households: IntArray, villages: NDArray[np.object_]
) -> dict[int, Unplaced]:
    """Households outside all villages, by the row of the village that lies nearest.

    ``xy`` (h, 2) metres, not finite where a household has no place at all: such are near nowhere
    and in no answer. ``villages`` polygons in the same system.
    """
    rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(rows) or not len(villages):
        return {}
    nearest = shapely.STRtree(villages).nearest(shapely.points(xy[rows]))
    return {
        int(village): Unplaced(xy[own], households[own])
        for village in np.unique(nearest)
        for own in [rows[nearest == village]]
    }


def _usual(plan: Plan) -> list[tuple[int, int]]:
    """Row and key of the comprehensive grids."""
    return [
        (row, int(key))
        for row, key in enumerate(plan.keys)
        if plan.grids[int(key)].kind == "comprehensive"
    ]


def _all(plan: Plan, key: int) -> tuple[int, ...]:
    return tuple(plan.members(key).tolist())


def _caps(plan: Plan, settings: Settings) -> list[Fault]:
    m, found = plan.measures, []
    for row, key in _usual(plan):
        for rule, value, cap in (
            ("max_persons", int(m.persons[row]), settings.max_persons),
            ("max_households", int(m.households[row]), settings.max_households),
        ):
            if cap is not None and value > cap:
                found.append(Fault(rule, key, value, cap, _all(plan, key)))
        least = settings.min_households
        if least is not None and m.households[row] < least:
            value = int(m.households[row])
            found.append(Fault("min_households", key, value, least, _all(plan, key)))
    return found


def _strays(plan: Plan) -> list[Fault]:
    """One fault a piece that is not its grid's largest; ``value`` its households."""
    piece = pieces(graph_of(plan.units), plan.compact)
    mass = plan.units.households + 1e-6 * plan.units.area / plan.units.area.sum()
    held = np.bincount(piece, weights=mass)
    owner = np.zeros(len(held), dtype=np.int64)
    owner[piece] = plan.label
    found = []
    for key in plan.keys[np.flatnonzero(plan.measures.parts > 1)]:
        own = np.flatnonzero(owner == key)
        for stray in own[own != own[np.argmax(held[own])]]:
            units = np.flatnonzero(piece == stray)
            value = float(plan.units.households[units].sum())
            found.append(Fault("stray", int(key), value, 0, tuple(units.tolist())))
    return found


def _cut_sets(plan: Plan, names: Sequence[str]) -> list[Fault]:
    """One fault a set and a grid that holds a lesser part of it; ``value`` that part's households.

    Ground without a household parts nobody.
    """
    usual = np.isin(plan.label, [key for _, key in _usual(plan)])
    lived = (plan.units.whole >= 0) & (plan.units.households > 0) & usual
    numbers = plan.units.whole[lived]
    many = np.unique(numbers[np.lexsort((plan.label[lived], numbers))])
    found = []
    for number in many:
        members = np.flatnonzero(lived & (plan.units.whole == number))
        keys, row = np.unique(plan.label[members], return_inverse=True)
        if len(keys) < 2:
            continue
        held = np.bincount(row, weights=plan.units.households[members])
        name = str(names[number]) if number < len(names) else ""
        for part in np.flatnonzero(np.arange(len(keys)) != held.argmax()):
            units = tuple(members[row == part].tolist())
            found.append(
                Fault("split_set", int(keys[part]), float(held[part]), float(held.sum()), units,
                      name)
            )  # fmt: skip
    return found


def _lines(plan: Plan) -> list[Fault]:
    """Grids whose border runs along next to nothing, in a village that has lines to follow."""
    m = plan.measures
    inner = plan.units.segments.right >= 0
    if not (plan.units.segments.line[inner] >= 0).any():
        return []
    return [
        Fault("along_nothing", key, float(m.edge_on_line[row]), ALONG_NOTHING, _all(plan, key))
        for row, key in _usual(plan)
        if m.edge_on_line[row] < ALONG_NOTHING
    ]
