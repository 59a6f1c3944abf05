"""The micro-grids of one grid as a plan: its units are the grid's, its "grids" the micro-grids.

So every edit, undo and record of a village's grids works on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geo.coverage import components
from geo.segments import Segments, border_segments, outer_length, rook_edges
from geo.units import Units
from planning.codes import chinese_number
from planning.graph import IntArray
from planning.plan import Grid, Kind, Plan

MOST = 99
"""Micro-grids a grid can number with two digits."""


@dataclass(frozen=True)
class MicroPlan(Plan):
    """A plan whose units are one grid's and whose "grids" are its micro-grids."""

    def fresh(self, kind: Kind = "comprehensive") -> tuple[MicroPlan, int]:
        """A plan that knows one more micro-grid (not yet used by any unit) and its key."""
        for number in range(1, MOST + 1):
            code = f"{self.units.code}{number:02d}"
            if code not in self.used:
                break
        else:
            raise ValueError(f"grid {self.units.code} has used up its {MOST} numbers")
        wider: MicroPlan = object.__new__(MicroPlan)  # skips the check: it gets its units next
        for name, value in (
            ("units", self.units),
            ("label", self.label),
            ("grids", {**self.grids, self.next_key: Grid(code, micro_name(number))}),
            ("village_name", self.village_name),
            ("next_key", self.next_key + 1),
            ("used", self.used | {code}),
        ):
            object.__setattr__(wider, name, value)
        return wider, self.next_key


def micro_name(number: int) -> str:
    """What a micro-grid is called on the board: 第三微网格."""
    return f"第{chinese_number(number)}微网格"


def as_micro(plan: Plan) -> MicroPlan:
    """A plan that was read back (:mod:`planning.record` makes plain ones) as one of micro-grids."""
    return MicroPlan(
        plan.units, plan.label, plan.grids, plan.village_name, plan.next_key, plan.used
    )


def part_of(units: Units, members: IntArray, code: str) -> Units:
    """Some units as a ground of their own, called ``code``; what lies around is outside.

    Borders keep the line they run along.
    """
    geometry = units.geometry[members]
    segments = border_segments(geometry)
    line = _lines_of(units.segments, segments)
    segments = replace(segments, line=line)
    edges = rook_edges(segments)
    n = len(members)
    return Units(
        code=code, geometry=geometry, households=units.households[members],
        persons=units.persons[members], x=units.x[members], y=units.y[members],
        spread=units.spread[members], area=units.area[members],
        outer=outer_length(segments, n), block=units.block[members],
        whole=units.whole[members], dedicated=np.full(n, -1, dtype=np.int64),
        part=components(n, edges.a, edges.b), edges=edges, segments=segments,
        unit_of_row=np.empty(0, dtype=np.int64),
    )  # fmt: skip


def _lines_of(whole: Segments, own: Segments) -> IntArray:
    """The line of each segment of ``own``: that of the same segment of the whole."""

    def keys(segments: Segments) -> list[tuple[float, float, float, float]]:
        ends = np.column_stack([segments.x1, segments.y1, segments.x2, segments.y2])
        back = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
        ends[back] = ends[back][:, [2, 3, 0, 1]]
        return [(a, b, c, d) for a, b, c, d in ends.tolist()]

    known = dict(zip(keys(whole), whole.line.tolist(), strict=True))
    return np.array([known.get(key, -1) for key in keys(own)], dtype=np.int64)
