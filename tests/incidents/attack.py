"""A reader who subtracts: what can be worked out of a hidden number from all tables at once."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from incidents.cube import Cube, Table
from incidents.disclosure import Mark, Protected

BY_ROWS = ("kind", "state")  # axes of what is shared whose rows are there only where events are


def member_rows(cube: Cube, table: Table) -> csr_array:
    """(numbers of the table, leaves) which leaf each number holds."""
    shape = cube.counts.shape
    sizes = tuple(axis.size(level) for axis, level in zip(cube.axes, table, strict=True))
    leaf = np.indices(shape).reshape(len(shape), -1)
    groups = tuple(
        axis.groups(level)[leaf[i]]
        for i, (axis, level) in enumerate(zip(cube.axes, table, strict=True))
    )
    number = np.ravel_multi_index(groups, sizes)
    ones = np.ones(leaf.shape[1])
    return csr_array((ones, (number, np.arange(leaf.shape[1]))), shape=(np.prod(sizes), len(ones)))


def limits(protected: Protected, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """What the marks of a table say of each number."""
    values = protected.cube.table(table).ravel().astype(float)
    marks = protected.marks[table].ravel()
    low = np.select([marks == Mark.SHOWN, marks == Mark.WITHHELD], [values, protected.threshold], 0)
    high = np.select(
        [marks == Mark.SHOWN, marks == Mark.SMALL], [values, protected.threshold - 1], np.inf
    )
    return low.astype(float), high.astype(float)


def presence(cube: Cube, visible: Collection[str]) -> list[LinearConstraint]:
    """What rows tell by being there: of a kind or state that a month's tables have a row of there
    was an event at least."""
    found = []
    for axis in cube.axes:
        if axis.name in visible:
            table = tuple(
                each.name if each is axis else "month" if each.name == "time" else "all"
                for each in cube.axes
            )
            there = cube.table(table).ravel() > 0
            found.append(LinearConstraint(member_rows(cube, table), there.astype(float), np.inf))
    return found


def possible(
    protected: Protected, table: Table, number: int, visible: Collection[str] = ()
) -> tuple[int, int]:
    """Least and most that a number can be, given every table (integer programmes). ``visible``
    names the axes whose rows are there only where an event is."""
    constraints = presence(protected.cube, visible)
    for other in protected.marks:
        low, high = limits(protected, other)
        constraints.append(LinearConstraint(member_rows(protected.cube, other), low, high))
    goal = member_rows(protected.cube, table)[[number]].toarray().ravel()
    most = float(protected.cube.counts.sum() * 2 + 20)  # more is no better, and bounded is faster
    found = []
    for sign in (1, -1):
        result = milp(
            sign * goal, constraints=constraints, integrality=np.ones(len(goal)),
            bounds=Bounds(0, most),
        )  # fmt: skip
        assert result.success, result.message
        found.append(round(sign * result.fun))
    return found[0], found[1]


def worked_out(protected: Protected, visible: Collection[str] = ()) -> list[tuple[Table, int]]:
    """Hidden numbers that only one value fits."""
    found = []
    for table, marks in protected.marks.items():
        for number in np.flatnonzero(np.isin(marks.ravel(), (Mark.SMALL, Mark.HIDDEN))):
            low, high = possible(protected, table, int(number), visible)
            if low == high:
                found.append((table, int(number)))
    return found
