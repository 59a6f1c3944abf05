"""The axes of what is shared: areas, classes, steps of the loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from incidents.analysis import Prepared
from incidents.cube import Axis, IntArray
from incidents.disclosure import LEAST_HOUSEHOLDS

ELSEWHERE = "elsewhere"  # code of the row for events outside all areas or without a place
AREA = 0  # number of the axis of areas


def plain_axis(name: str, labels: Sequence[str]) -> Axis:
    """An axis of one level whose leaves are its groups."""
    return Axis(name, len(labels), {name: np.arange(len(labels))}, {name: labels})


def area_axis(prepared: Prepared, ground: IntArray, rows: IntArray) -> tuple[Axis, IntArray]:
    """Leaves are the combinations of areas that exist on the ground or hold one of the ``rows``;
    with the leaf of each. A level's groups are the same whatever the rows: its areas, and what
    lies elsewhere, if nothing does."""
    levels = prepared.areas.levels
    # few lie outside: by themselves they would be hidden, and the totals with them
    seen = np.maximum(np.column_stack([prepared.at[name][rows] for name in levels]), -1)
    nowhere = np.full((1, len(levels)), -1)
    combos, number = np.unique(np.vstack([ground, nowhere, seen]), axis=0, return_inverse=True)
    of: dict[str, IntArray] = {}
    labels: dict[str, list[str]] = {}
    for column, (name, level) in enumerate(levels.items()):
        at, names = combos[:, column], [*map(str, level.codes)]
        of[name] = np.where(at < 0, len(names), at).astype(np.int64)
        labels[name] = [*names, ELSEWHERE]
    return Axis("area", len(combos), of, labels), number.ravel()[len(ground) + 1 :]


def combinations_on_ground(prepared: Prepared) -> IntArray:
    """(combinations, levels) areas that share ground, told from the units and from cut beats."""
    areas = prepared.areas
    unit = np.arange(len(areas.units))
    own = np.full(len(unit), -1)
    beat = areas.levels.get("beat")
    if beat is not None and beat.own is not None:
        unit, own = shapely.STRtree(beat.own).query(areas.units, predicate="intersects")
        shared = shapely.area(shapely.intersection(areas.units[unit], beat.own[own]))
        real = shared > 1.0  # square metres: less is how two borders were digitised
        unit, own = unit[real], own[real]
    columns = [own if v.own is not None else v.of[unit] for v in areas.levels.values()]
    return np.column_stack(columns).astype(np.int64)


def few_households_in(prepared: Prepared, area: Axis) -> dict[tuple[int, str], NDArray[np.bool_]]:
    """Areas with some households, but fewer than eight: their counts are somebody's."""
    hidden = {}
    for name, level in prepared.areas.levels.items():
        held = np.nan_to_num(level.households)
        few = np.zeros(area.size(name), dtype=bool)  # what lies elsewhere is not few
        few[: len(held)] = (held > 0) & (held < LEAST_HOUSEHOLDS)
        hidden[AREA, str(name)] = few
    return hidden


def elsewhere_in(area: Axis) -> dict[tuple[int, str], NDArray[np.bool_]]:
    """The row of what lies elsewhere: where nothing does it is hidden, and no area's loss."""
    return {
        (AREA, level): np.array([name == ELSEWHERE for name in names])
        for level, names in area.labels.items()
    }
