"""A reader who subtracts: what can be worked out of a hidden number from all tables at once."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
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


class _Reader:
    """Integer programmes over all ways in which the events could lie, given every table.

    ``visible`` names the axes whose rows are there only where an event is.
    """

    def __init__(self, protected: Protected, visible: Collection[str]) -> None:
        self.rows = {table: member_rows(protected.cube, table) for table in protected.marks}
        self.constraints = presence(protected.cube, visible)
        for table, rows in self.rows.items():
            low, high = limits(protected, table)
            self.constraints.append(LinearConstraint(rows, low, high))
        # more is no better, and bounded is faster
        self.most = float(protected.cube.counts.sum() * 2 + 20)

    def extreme(self, table: Table, number: int, sign: int) -> NDArray[np.int64]:
        """A way with the least (``sign`` 1) or the most (-1) at one number: events of each leaf."""
        goal = self.rows[table][[number]].toarray().ravel()
        result = milp(
            sign * goal, constraints=self.constraints, integrality=np.ones(len(goal)),
            bounds=Bounds(0, self.most),
        )  # fmt: skip
        assert result.success, result.message
        return np.round(result.x).astype(np.int64)


def worked_out(protected: Protected, visible: Collection[str] = ()) -> list[tuple[Table, int]]:
    """Hidden numbers that only one value fits.

    One way in which a number is not what it is in truth shows that it is not worked out; so every
    way that was found is looked at for all numbers, and only those left are sought.
    """
    reader = _Reader(protected, visible)
    truth = {table: protected.cube.table(table).ravel() for table in protected.marks}
    left = {
        table: np.isin(marks.ravel(), (Mark.SMALL, Mark.HIDDEN))
        for table, marks in protected.marks.items()
    }
    found = []
    for table in protected.marks:
        for number in range(len(truth[table])):
            for sign in (1, -1):
                if left[table][number]:
                    way = reader.extreme(table, number, sign)
                    for each, rows in reader.rows.items():
                        left[each] &= rows @ way == truth[each]
            if left[table][number]:
                found.append((table, number))
    return found
