"""Dividing a grid by a line drawn by hand, along its units or through them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import split

from geo.cells import buildings_of
from geo.coverage import place_points
from geo.enclosures import VillageGround
from geo.refine import refine_by_lines
from geo.segments import FloatArray, tally
from planning import edits
from planning.edits import Edited, new_grid
from planning.graph import IntArray
from planning.plan import Plan


def drawn_on(line: shapely.LineString, frame: shapely.Geometry) -> shapely.LineString:
    """A drawn line that goes on straight beyond both ends, so that it need not reach across.

    Its new ends lie outside the bounds of ``frame`` and of the line itself (metres).
    """
    points = shapely.get_coordinates(line)
    first, last = points[0] - points[1], points[-1] - points[-2]
    far = _reach(line, frame)
    long = np.vstack(
        [
            points[0] + far * first / np.hypot(*first),
            points,
            points[-1] + far * last / np.hypot(*last),
        ]
    )
    return shapely.LineString(long)


def _reach(line: shapely.LineString, frame: shapely.Geometry) -> float:
    west, south, east, north = shapely.total_bounds([frame, line])
    return 2.0 * float(np.hypot(east - west, north - south)) + 10.0


def sides(x: FloatArray, y: FloatArray, line: shapely.LineString) -> IntArray:
    """On which side of a line each point lies: 0, 1, ...; shape (n,), metres.

    The line goes on straight beyond both ends. A line that crosses itself has more than two
    sides.
    """
    frame = shapely.box(x.min(), y.min(), x.max(), y.max())
    far = _reach(line, frame)
    bounds = shapely.total_bounds([frame, line])
    # An outer frame larger than the line's reach to its side, smaller than its two new ends.
    room = shapely.box(*(bounds + 0.45 * far * np.array([-1, -1, 1, 1]) / 2))
    side = np.zeros(len(x), dtype=np.int64)
    for number, part in enumerate(split(room, drawn_on(line, frame)).geoms):
        side[shapely.intersects_xy(part, x, y)] = number
    return side


def split_by_line(plan: Plan, key: int, line: shapely.LineString) -> Edited:
    """Split a grid by a drawn line, no unit cut: each goes to the side its middle lies on.

    The side with most households keeps the grid, the others become one new grid. A locked grid
    and a line that has all units on one side change nothing. KeyError for an unknown grid.
    """
    units = plan.members(key)
    middle = shapely.point_on_surface(plan.units.geometry[units])
    side = sides(shapely.get_x(middle), shapely.get_y(middle), line)
    held = np.bincount(side, weights=plan.units.households[units] + 1e-6)
    leaving = units[side != held.argmax()]
    if not len(leaving):
        return Edited(plan, 0, 0)
    return new_grid(plan, leaving, plan.grids[key].kind)


@dataclass(frozen=True)
class Cut:
    """A plan on finer ground, before anything moved: ``cut`` old units were cut.

    ``kept`` units the line crosses stayed whole, because where their households live is not
    known; the plan looks as it did.
    """

    plan: Plan
    cut: int
    kept: int


def refined_plan(
    plan: Plan, lines: NDArray[np.object_], only: IntArray, ground: VillageGround | None = None
) -> Cut:
    """The same plan with ``only`` those units cut along lines (metres).

    A building is never cut: its households go to the piece that it stands in. ``ground`` tells
    where the buildings are; units whose households it does not account for stay whole. Without
    it a unit's households go where the unit's point lies. Raises ValueError where the pieces
    would be no exact coverage.
    """
    units = plan.units
    known = np.ones(len(units), dtype=bool)
    if ground is not None:
        home = _homes(plan, ground)
        known = _accounted(plan, ground, home)
        units = replace(units, unit_of_row=home)
    crossed = only[shapely.intersects(shapely.union_all(lines), plan.units.geometry[only])]
    refined = refine_by_lines(units, lines, ground, crossed[known[crossed]])
    count = np.bincount(refined.parent, minlength=len(units))
    kept = int((~known[crossed]).sum())
    if len(refined.units) == len(units):
        return Cut(plan, 0, kept)
    finer = replace(plan, units=refined.units, label=plan.label[refined.parent])
    return Cut(finer, int((count > 1).sum()), kept)


def _homes(plan: Plan, ground: VillageGround) -> IntArray:
    """The unit of each household row: as counted when the units were built, else by place."""
    rows = plan.units.unit_of_row
    if len(rows) == len(ground.xy) and len(rows):
        return rows
    if not len(ground.xy):
        return np.empty(0, dtype=np.int64)
    buildings, building_of_row = buildings_of(ground.xy)
    return place_points(shapely.points(buildings), plan.units.geometry)[building_of_row]


def _accounted(plan: Plan, ground: VillageGround, home: IntArray) -> NDArray[np.bool_]:
    """Units whose households and persons are those of the rows that live there."""
    n, units = len(plan.units), plan.units
    known = tally(home, ground.households, n).astype(np.int64) == units.households
    persons = tally(home, np.maximum(ground.persons, 0), n).astype(np.int64)
    return np.asarray(known & ((units.persons < 0) | (persons == units.persons)))


def cut_by_line(
    plan: Plan, key: int, line: shapely.LineString, ground: VillageGround | None = None
) -> Edited:
    """Split a grid exactly along a drawn line, cutting the units it crosses.

    As :func:`split_by_line` otherwise; see :func:`refined_plan` for ``ground`` and errors. Where
    nothing would move, nothing is cut.
    """
    units = plan.members(key)
    if plan.grids[key].locked:
        return Edited(plan, 0, 0, len(units))
    frame = shapely.box(*shapely.total_bounds(plan.units.geometry[units]))
    lines = np.array([drawn_on(line, frame)], dtype=object)
    finer = refined_plan(plan, lines, units, ground).plan
    return _or_nothing(plan, split_by_line(finer, key, line))


def draw_exactly(
    plan: Plan, key: int, outline: shapely.Geometry, ground: VillageGround | None = None
) -> Edited:
    """Redraw a grid's outline, cutting the units it crosses; locked grids are not cut.

    As :func:`planning.edits.draw` otherwise; see :func:`refined_plan` for ``ground`` and errors.
    """
    if plan.grids[key].locked:
        return edits.draw(plan, key, outline)
    free = np.flatnonzero(~np.isin(plan.label, list(plan.locked())))
    lines = np.array([shapely.boundary(outline)], dtype=object)
    finer = refined_plan(plan, lines, free, ground).plan
    return _or_nothing(plan, edits.draw(finer, key, outline))


def _or_nothing(before: Plan, edited: Edited) -> Edited:
    """The edit, or the plan as it was where no ground changed grid."""
    return edited if edited.units else replace(edited, plan=before)
