"""Small counts kept from being read, or worked out, from any of the tables published together.

Every count under the threshold is shown as "<3"; areas with a few households show nothing. That is
not enough: a total less its other parts gives the missing part. So further numbers are withheld
("—") until each hidden number is **proved** open: for each there is another set of events, with no
negative count, that gives exactly the same published numbers in every table and another number at
the hidden place, of the kind its mark admits. Such a set is found by exchanging months, kinds or
areas between events (a move), so that all sums over them stay. The moves certify; nothing is
estimated. Several moves may rest on one withheld number; none is ever taken back.

What it does not do: it knows the tables given to :func:`protect` and no others. Two publications
from different states of the data can be subtracted: publish closed months only. A range of numbers
open to a reader may be narrow; the rule asks for more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from incidents.cube import ALL, Cube, IntArray, Table

if TYPE_CHECKING:
    from incidents.exchange import Sums

Place = tuple[int, ...]  # leaf or group on each axis

THRESHOLD = 3
SENSITIVE_THRESHOLD = 5
LEAST_HOUSEHOLDS = 8
MOST_HIDDEN = 0.25  # a table with more of its numbers hidden says less than a coarser one
_PARTNERS = 24  # leaves an axis tried as partners of an exchange, nearest relatives first
_ORIGINS = 4
MOST_AXES = 3  # that one exchange moves on


class Mark(IntEnum):
    """How a number stands in a table."""

    SHOWN = 0
    SMALL = 1  # 0 .. threshold - 1, shown "<3"
    WITHHELD = 2  # threshold or more, shown "—"
    HIDDEN = 3  # any number: too few households, or no other mark can be proved; shown "—"


# as plain numbers: looking a name up in an enumeration costs as much as comparing an array
_SHOWN, _SMALL, _WITHHELD = int(Mark.SHOWN), int(Mark.SMALL), int(Mark.WITHHELD)


@dataclass(frozen=True, eq=False)
class Protected:
    """Tables fit to be shown. ``marks[table]`` and ``cube.table(table)`` have one shape;
    ``dropped`` tables are not published at all."""

    cube: Cube
    threshold: int
    marks: Mapping[Table, NDArray[np.int8]]
    dropped: tuple[Table, ...]

    def shown(self, table: Table) -> NDArray[np.float64]:
        """The numbers of a table, NaN where they are not shown."""
        return np.where(self.marks[table] == Mark.SHOWN, self.cube.table(table), np.nan)

    def text(self, table: Table) -> NDArray[np.object_]:
        """What stands in the table: the number, "<3" or "—"."""
        marks, values = self.marks[table], self.cube.table(table)
        out = np.array([str(v) for v in values.ravel()], dtype=object).reshape(values.shape)
        out[marks == Mark.SMALL] = f"<{self.threshold}"
        out[marks >= Mark.WITHHELD] = "—"
        return out


def protect(
    cube: Cube,
    tables: Sequence[Table],
    *,
    threshold: int = THRESHOLD,
    hidden: Mapping[tuple[int, str], NDArray[np.bool_]] | None = None,
    most_hidden: float = MOST_HIDDEN,
) -> Protected:
    """Marks for every number of every table, each hidden one proved open.

    ``hidden`` says, by (axis number, level), which groups show nothing whatever their count. Tables
    that would show too little are dropped first. The result depends on nothing but the arguments.
    """
    values = {table: cube.table(table) for table in tables}
    first = {table: _first_marks(cube, table, values[table], threshold, hidden or {})
             for table in tables}  # fmt: skip
    kept = [t for t in tables if set(t) == {ALL} or (first[t] > 0).mean() <= most_hidden]
    if not kept:
        return Protected(cube, threshold, {}, tuple(tables))
    work = _Work(cube, {t: values[t] for t in kept}, {t: first[t] for t in kept}, threshold)
    # coarse tables first: what they need is dearest, and serves the finer ones
    for table in sorted(kept, key=lambda t: values[t].size):
        for node in np.argwhere((work.marks[table] == 1) | (work.marks[table] == 3)):
            where = tuple(int(i) for i in node)
            if not work.proved[table][where]:
                work.prove(table, where)
    return Protected(cube, threshold, work.marks, tuple(t for t in tables if t not in kept))


def _first_marks(
    cube: Cube,
    table: Table,
    values: IntArray,
    threshold: int,
    hidden: Mapping[tuple[int, str], NDArray[np.bool_]],
) -> NDArray[np.int8]:
    marks = np.where(values < threshold, Mark.SMALL, Mark.SHOWN).astype(np.int8)
    for (axis, level), groups in hidden.items():
        if table[axis] == level:
            shape = [1] * values.ndim
            shape[axis] = len(groups)
            marks[np.broadcast_to(groups.reshape(shape), values.shape)] = Mark.HIDDEN
    return marks


@dataclass(frozen=True, eq=False)
class _Move:
    """Add ``sign`` at leaf ``origin``, take it at the leaf that differs on one axis of ``other``,
    add it where two differ, and so on."""

    origin: Place
    other: Mapping[int, int]
    sign: int


def _sums(
    cube: Cube,
    values: Mapping[Table, IntArray],
    marks: Mapping[Table, NDArray[np.int8]],
    threshold: int,
) -> Sums:
    """Every table in flat arrays, with what a number costs to withhold."""
    from incidents.exchange import Sums

    axes = cube.axes
    leaves = max(axis.leaves for axis in axes)
    groups = np.zeros((len(values), len(axes), leaves), dtype=np.int64)
    told = np.zeros((len(values), len(axes)), dtype=bool)
    stride = np.zeros((len(values), len(axes)), dtype=np.int64)
    for t, (table, held) in enumerate(values.items()):
        for a, (axis, level) in enumerate(zip(axes, table, strict=True)):
            groups[t, a, : axis.leaves] = axis.groups(level)
            told[t, a] = level != ALL
        stride[t] = np.array(_strides(held.shape))
    # a large number is worth more than several small ones, and one of a few more than one of
    # many: totals are what people look for
    most = max((v.size for v in values.values()), default=1)
    price = [((1.0 + np.sqrt(v)) * np.sqrt(most / v.size)).ravel() for v in values.values()]
    return Sums(
        np.ascontiguousarray(cube.counts, dtype=np.int64).ravel(),
        np.array(_strides(cube.counts.shape)),
        groups, told, stride,
        np.cumsum([0, *(v.size for v in values.values())])[:-1].astype(np.int64),
        np.concatenate([v.ravel() for v in values.values()]),
        np.concatenate([m.ravel() for m in marks.values()]),
        np.concatenate(price),
        threshold,
    )  # fmt: skip


def _strides(shape: Sequence[int]) -> list[int]:
    """Steps between neighbours on each axis of a row-major array."""
    return [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]


class _Work:
    """Marks while they are being settled, and which hidden numbers are proved open."""

    def __init__(
        self,
        cube: Cube,
        values: dict[Table, IntArray],
        marks: dict[Table, NDArray[np.int8]],
        threshold: int,
    ) -> None:
        self.cube, self.values, self.threshold = cube, values, threshold
        self.proved = {table: np.zeros(v.shape, dtype=bool) for table, v in values.items()}
        self.groups = {
            table: [axis.groups(level) for axis, level in zip(cube.axes, table, strict=True)]
            for table in values
        }
        self.sums = _sums(cube, values, marks, threshold)
        # the kernel and this class settle the same marks
        ends = np.cumsum([0, *(v.size for v in values.values())])
        self.marks = {
            table: self.sums.marks[low:high].reshape(v.shape)
            for (table, v), low, high in zip(values.items(), ends, ends[1:], strict=False)
        }
        self._near: dict[tuple[int, str, int], IntArray] = {}

    def prove(self, table: Table, node: Place) -> None:
        """Find the cheapest move that changes a number, withhold what it needs, note the proof."""
        best: tuple[float, _Move] | None = None
        axes = [i for i, level in enumerate(table) if level != ALL]
        subsets = [
            c for n in range(len(axes), -1, -1) for c in combinations(axes, n) if n <= MOST_AXES
        ]
        origins = list(self._origins(table, node))
        for chosen in subsets:
            for origin, sign in origins:
                found = self._cheapest(
                    table, chosen, origin, sign, np.inf if best is None else best[0]
                )
                best = found or best
                if best is not None and best[0] == 0:
                    return self._apply(best[1])
        self._apply(self._anything(table, node) if best is None else best[1])

    def _origins(self, table: Table, node: Place) -> Iterator[tuple[Place, int]]:
        """Leaves under a node to begin a move at, with its direction; those with events first."""
        inside = [np.flatnonzero(g == n) for g, n in zip(self.groups[table], node, strict=True)]
        block = self.cube.counts[np.ix_(*inside)]
        held = np.argwhere(block > 0)[:_ORIGINS]
        for place in held:
            yield tuple(int(leaves[i]) for leaves, i in zip(inside, place, strict=True)), -1
        if self.values[table][node] >= self.threshold - 1 and self.marks[table][node] == _SMALL:
            return
        seen: set[Place] = set()
        for axis in [i for i, level in enumerate(table) if level != ALL]:
            for leaf in self._beside(table, axis, inside):
                if leaf not in seen:
                    seen.add(leaf)
                    yield leaf, 1

    def _beside(self, table: Table, axis: int, inside: list[IntArray]) -> Iterator[Place]:
        """Leaves under a node that lack an event which a near relative on one axis has."""
        own = int(inside[axis][0])
        near = self._partners(table, axis, own)[: 2 * _ORIGINS]
        around = [near if i == axis else leaves for i, leaves in enumerate(inside)]
        for place in np.argwhere(self.cube.counts[np.ix_(*around)] > 0)[:_ORIGINS]:
            leaf = [int(leaves[i]) for leaves, i in zip(around, place, strict=True)]
            leaf[axis] = own
            yield tuple(leaf)

    def _cheapest(
        self, table: Table, chosen: Place, origin: Place, sign: int, bound: float
    ) -> tuple[float, _Move] | None:
        """The cheapest allowed partner leaves on the chosen axes under a cost, and that cost."""
        from incidents.exchange import cheapest  # here: its compiler takes half a second to load

        held = [self._partners(table, axis, origin[axis]) for axis in chosen]
        if any(not len(p) for p in held):
            return None
        partners = np.zeros((len(chosen), _PARTNERS), dtype=np.int64)
        for row, leaves in zip(partners, held, strict=True):
            row[: len(leaves)] = leaves
        many = np.array([len(p) for p in held], dtype=np.int64)
        cost, other = cheapest(
            self.sums, np.array(chosen, dtype=np.int64), partners, many,
            np.array(origin, dtype=np.int64), sign, bound,
        )  # fmt: skip
        if not np.isfinite(cost):
            return None
        return cost, _Move(origin, dict(zip(chosen, map(int, other), strict=True)), sign)

    def _fits(self, value: int, mark: int) -> bool:
        """Whether a number is one that its mark (a shown one: once withheld) admits."""
        if mark == _SMALL:
            return 0 <= value < self.threshold
        return value >= (self.threshold if mark in (_SHOWN, _WITHHELD) else 0)

    def _partners(self, table: Table, axis: int, leaf: int) -> IntArray:
        """Leaves that the table tells apart from this one, nearest relatives first."""
        key = axis, table[axis], leaf
        if key not in self._near:
            own = self.cube.axes[axis]
            apart = np.flatnonzero(self.groups[table][axis] != self.groups[table][axis][leaf])
            kin = sum((of[apart] == of[leaf]).astype(np.int64) for of in own.of.values())
            self._near[key] = apart[np.argsort(-np.asarray(kin), kind="stable")[:_PARTNERS]]
        return self._near[key]

    def _anything(self, table: Table, node: Place) -> _Move:
        """One event more: always possible."""
        inside = [np.flatnonzero(g == n) for g, n in zip(self.groups[table], node, strict=True)]
        return _Move(tuple(int(leaves[0]) for leaves in inside), {}, 1)

    def _apply(self, move: _Move) -> None:
        """Withhold what a move needs; what would no longer be "<3", or 3 and more, claims less."""
        for table, place, step in self._touched(move):
            mark, after = int(self.marks[table][place]), int(self.values[table][place]) + step
            if not self._fits(after, mark):
                self.marks[table][place] = Mark.HIDDEN
            elif mark == _SHOWN:
                self.marks[table][place] = Mark.WITHHELD
            self.proved[table][place] = True

    def _touched(self, move: _Move) -> Iterator[tuple[Table, Place, int]]:
        """Every number of every table that a move changes, and by how much."""
        axes = list(move.other)
        for table, groups in self.groups.items():
            if any(groups[i][move.other[i]] == groups[i][move.origin[i]] for i in axes):
                continue
            for far in product((False, True), repeat=len(axes)):
                leaf = list(move.origin)
                for axis, moved in zip(axes, far, strict=True):
                    leaf[axis] = move.other[axis] if moved else leaf[axis]
                place = tuple(int(g[i]) for g, i in zip(groups, leaf, strict=True))
                yield table, place, move.sign * (-1) ** sum(far)
