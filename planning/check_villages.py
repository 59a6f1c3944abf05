"""What a check asks of one village at a time: does its ground lie in its grids, and they in it?

Villages are independent: they are checked on all cores, and the findings do not depend on how many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.messages import register
from geo.problems import InputError, Problem
from planning.graph import IntArray
from planning.running import Job, Lost, each

register(
    {
        "check-lost": (
            "检查村 {village} 附近的进程中途退出(多为内存不足);请关闭其他程序后再次检查。",
            "the process that checked village {village} and those after it ended (out of memory?); "
            "close other programs and check again.",
        ),
    }
)

TOLERANCE_M2 = 0.5  # numerical noise along a village's border stays far below this
_AT_ONCE = 20  # villages handed over together: one takes a millisecond, handing over half of one

Shapes = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Village:
    """A village's code and area, the rows of its grids; ``crossed`` where two of these overlap."""

    code: str
    area: shapely.Geometry
    rows: IntArray
    crossed: bool


@dataclass(frozen=True)
class Ground:
    """What is wrong with a village's ground: square metres in no grid, and those of grids (by
    row) outside. ``bare`` where it has no grid at all."""

    code: str
    missing_m2: float
    first: int
    beyond: tuple[tuple[int, float], ...]
    bare: bool = False


def judged(
    villages: list[Village],
    shapes: Shapes,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Ground]:
    """The villages with something wrong, in their order. ``shapes`` (g,) of all grids, metres.

    ``progress`` is told how many villages are done. Raises :class:`InputError` naming villages
    whose check killed its process.
    """
    parts = [villages[i : i + _AT_ONCE] for i in range(0, len(villages), _AT_ONCE)]
    found: dict[int, list[Ground]] = {}
    lost, done = [], 0

    def check(part: int) -> list[Ground]:
        each_one = (ground_of(village, shapes[village.rows]) for village in parts[part])
        return [one for one in each_one if one.bare or one.missing_m2 or one.beyond]

    for part, result in each(Job(int, check), list(range(len(parts))), workers=workers):
        done += len(parts[part])
        if isinstance(result, Lost):
            lost.append(parts[part][0].code)
            continue
        found[part] = result
        progress(done, len(villages))
    if lost:
        raise InputError(Problem("check-lost", params={"village": code}) for code in sorted(lost))
    return [one for part in range(len(parts)) for one in found[part]]


def ground_of(village: Village, shapes: Shapes) -> Ground:
    """One village against the shapes (k,) of its grids."""
    if not len(village.rows):
        return Ground(village.code, float(village.area.area), -1, (), bare=True)
    beyond = shapely.area(shapely.difference(shapes, village.area))
    # of grids that do not overlap, what lies in the village adds up: no union is needed to see
    # that nothing is missing
    missing = float(village.area.area - (shapely.area(shapes) - beyond).sum())
    if village.crossed or missing > TOLERANCE_M2 / 2:
        covered = shapely.union_all(shapes)
        missing = float(shapely.area(shapely.difference(village.area, covered)))
    out = np.flatnonzero(beyond > TOLERANCE_M2)
    return Ground(
        village.code, missing if missing > TOLERANCE_M2 else 0.0, int(village.rows[0]),
        tuple((int(village.rows[i]), float(beyond[i])) for i in out),
    )  # fmt: skip
