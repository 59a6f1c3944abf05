"""Dividing a grid by a line drawn by hand, along its units."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.ops import split

from planning.edits import Edited, new_grid
from planning.graph import IntArray
from planning.plan import Plan


def sides(x: IntArray, y: IntArray, line: shapely.LineString) -> IntArray:
    """On which side of a line each point lies: 0, 1, ...; shape (n,), metres.

    The line goes on straight beyond both ends, so that it need not reach across. A line that
    crosses itself has more than two sides.
    """
    spread = np.array([x.min(), y.min(), x.max(), y.max()])
    frame = shapely.box(*spread).union(line.envelope)
    far = 2.0 * float(np.hypot(*(np.array(frame.bounds[2:]) - frame.bounds[:2]))) + 10.0
    points = shapely.get_coordinates(line)
    first, last = points[0] - points[1], points[-1] - points[-2]
    long = np.vstack(
        [
            points[0] + far * first / np.hypot(*first),
            points,
            points[-1] + far * last / np.hypot(*last),
        ]
    )
    # An outer frame larger than the line's reach to its side, smaller than its two new ends.
    room = shapely.box(*(np.array(frame.bounds) + 0.45 * far * np.array([-1, -1, 1, 1]) / 2))
    cut = list(split(room, shapely.LineString(long)).geoms)
    side = np.zeros(len(x), dtype=np.int64)
    for number, part in enumerate(cut):
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
