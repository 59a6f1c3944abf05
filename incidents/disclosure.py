"""Small counts kept from being read, or worked out, from any of the tables published together.

Every count under the threshold is shown as "<3"; areas with a few households show nothing. That is
not enough: a total less its other parts gives the missing part. So further numbers are withheld
("—") until each hidden number is **proved** open: for each there is another set of events, with no
negative count, that gives exactly the same published numbers in every table and another number at
the hidden place, of the kind its mark admits. Such a set is found by exchanging months, kinds or
areas between events (a move), so that all sums over them stay. Where only the total would be left
to withhold, one event goes to another place and kind at once. The moves certify; nothing is
estimated. Several moves may rest on one withheld number; none is ever taken back.

Where a table has rows only for what occurs, a row that is there tells of one event at least. The
other set of events must then have one too: what is so told is held as sums that are one less than
they are, never shown, and never below none.

What it does not do: it knows the tables given to :func:`protect` and no others. Two publications
from different states of the data can be subtracted: publish closed months only. A range of numbers
open to a reader may be narrow; the rule asks for more than one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from incidents.cube import ALL, Cube, IntArray, Table

Place = tuple[int, ...]  # leaf or group on each axis

THRESHOLD = 3
SENSITIVE_THRESHOLD = 5
LEAST_HOUSEHOLDS = 8
MOST_HIDDEN = 0.25  # a table with more of its numbers hidden says less than a coarser one
_PARTNERS = 24  # leaves an axis tried as partners of an exchange, nearest relatives first
_ORIGINS = 4
_FAR = 60  # hidden numbers tried as the other end of a move that goes anywhere
MOST_AXES = 3  # that one exchange moves on
LOST_CLAIM = 9.0  # as in incidents.exchange
NEVER = 1e15  # as in incidents.exchange, which takes half a second to load


class Mark(IntEnum):
    """How a number stands in a table."""

    SHOWN = 0
    SMALL = 1  # 0 .. threshold - 1, shown "<3"
    WITHHELD = 2  # threshold or more, shown "—"
    HIDDEN = 3  # any number: too few households, or no other mark can be proved; shown "—"


# as plain numbers: looking a name up in an enumeration costs as much as comparing an array
_SHOWN, _SMALL, _WITHHELD = int(Mark.SHOWN), int(Mark.SMALL), int(Mark.WITHHELD)


@dataclass(frozen=True, eq=False)
class Move:
    """Add ``sign`` at leaf ``origin``, take it at the leaf that differs on one axis of ``other``,
    add it where two differ, and so on; ``together``: take it where all differ, and that is all."""

    origin: Place
    other: Mapping[int, int]
    sign: int
    together: bool = False


@dataclass(frozen=True, eq=False)
class Before:
    """What was published of the same events before, and stands: the ``marks`` of whole tables, and
    their proofs."""

    marks: Mapping[Table, NDArray[np.int8]]
    moves: tuple[Move, ...]


@dataclass(frozen=True, eq=False)
class Protected:
    """Tables fit to be shown. ``marks[table]`` and ``cube.table(table)`` have one shape;
    ``dropped`` tables are not published at all. ``moves`` are the proofs."""

    cube: Cube
    threshold: int
    marks: Mapping[Table, NDArray[np.int8]]
    dropped: tuple[Table, ...]
    moves: tuple[Move, ...] = ()

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
    always: Collection[Table] = (),
    before: Before | None = None,
    there: Collection[Table] = (),
    aside: Mapping[tuple[int, str], NDArray[np.bool_]] | None = None,
) -> Protected:
    """Marks for every number of every table, each hidden one proved open.

    ``hidden`` says, by (axis number, level), which groups show nothing whatever their count. Tables
    that would show too little are dropped first, but not those of ``always``; groups of ``aside``
    do not count in this. Of each sum of the tables ``there`` that is not none everybody knows that
    it is one at least; they are not published, and none may be one of ``tables``. The marks of
    ``before`` stay as they are: what is hidden in it is proved open again beside the new tables,
    and a new table that cannot be proved beside it is dropped. The result depends on nothing but
    the arguments.
    """
    values = {table: cube.table(table) for table in tables}
    first = {table: _first_marks(cube, table, values[table], threshold, hidden or {})
             for table in tables}  # fmt: skip
    kept = [t for t in tables
            if t in always or set(t) == {ALL}
            or _share_hidden(t, first[t], aside or {}) <= most_hidden]  # fmt: skip
    old = Before({}, ()) if before is None else before
    if not kept and not old.marks:
        return Protected(cube, threshold, {}, tuple(tables))
    every = {t: values[t] for t in kept} | {t: cube.table(t) for t in old.marks}
    marks = {t: first[t] for t in kept} | {t: m.copy() for t, m in old.marks.items()}
    known = {t: np.maximum(cube.table(t) - 1, 0) for t in there}
    if known.keys() & every.keys():
        raise ValueError("what everybody knows to be there is no table of its own")
    hidden_sums = {t: np.full(v.shape, Mark.HIDDEN, dtype=np.int8) for t, v in known.items()}
    work = _Work(cube, every | known, marks | hidden_sums, threshold, old, known)
    # coarse tables first: what they need is dearest, and serves the finer ones
    for table in sorted(every, key=lambda t: every[t].size):
        for node in np.argwhere((work.marks[table] == 1) | (work.marks[table] == 3)):
            where = tuple(int(i) for i in node)
            if work.proved[table][where] or work.prove(table, where):
                continue
            if table in old.marks:
                raise ValueError(f"what was published of {table} is not proved by its own moves")
            work.drop(table)
            break
    told = {t: work.marks[t] for t in every if t not in work.dropped}
    dropped = tuple(t for t in tables if t not in told)
    return Protected(cube, threshold, told, dropped, tuple(work.moves))


def _share_hidden(
    table: Table, marks: NDArray[np.int8],
    aside: Mapping[tuple[int, str], NDArray[np.bool_]],
) -> float:  # fmt: skip
    """Share of a table's numbers that are small or somebody's, groups set aside left out."""
    held = marks
    for axis, level in enumerate(table):
        out = aside.get((axis, level))
        if out is not None and not out.all():
            held = np.compress(~out, held, axis=axis)
    return float((held > 0).mean())


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


class _Work:
    """Marks while they are being settled, and which hidden numbers are proved open."""

    def __init__(
        self,
        cube: Cube,
        values: dict[Table, IntArray],
        marks: dict[Table, NDArray[np.int8]],
        threshold: int,
        before: Before | None = None,
        known: Collection[Table] = (),
    ) -> None:
        from incidents.exchange import sums_of  # here: its compiler takes half a second to load

        old = Before({}, ()) if before is None else before
        self.moves: list[Move] = []
        self.dropped: set[Table] = set()
        self.cube, self.values, self.threshold = cube, values, threshold
        self.proved = {table: np.zeros(v.shape, dtype=bool) for table, v in values.items()}
        self.groups = {
            table: [axis.groups(level) for axis, level in zip(cube.axes, table, strict=True)]
            for table in values
        }
        self.sums = sums_of(cube, values, marks, threshold, {*old.marks, *known})
        self.old = old
        # the kernel and this class settle the same marks
        ends = np.cumsum([0, *(v.size for v in values.values())])
        self.marks = {
            table: self.sums.marks[low:high].reshape(v.shape)
            for (table, v), low, high in zip(values.items(), ends, ends[1:], strict=False)
        }
        self.price = {
            table: self.sums.price[low:high].reshape(v.shape)
            for (table, v), low, high in zip(values.items(), ends, ends[1:], strict=False)
        }
        self._near: dict[tuple[int, str, int], IntArray] = {}
        self._proofs: dict[tuple[Table, Place], list[Move]] | None = None
        every = range(cube.counts.ndim)
        self.busy = [cube.counts.sum(axis=tuple(j for j in every if j != i)) > 0 for i in every]

    def prove(self, table: Table, node: Place) -> bool:
        """Find the cheapest move that changes a number, withhold what it needs, note the proof.
        False where every move would take back what was published before."""
        best: tuple[float, Move] | None = None
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
                    self._apply(best[1])
                    return True
        if best is None or best[0] >= NEVER:
            best = self._known(table, node)
        if best[0] > 0 and not best[1].other:  # one event more: the totals would be withheld
            other = self._diagonal(table, node, origins)
            best = other if other is not None and other[0] < best[0] else best
        if best[0] >= NEVER:
            return False
        self._apply(best[1])
        return True

    def _diagonal(
        self, table: Table, node: Place, origins: list[tuple[Place, int]]
    ) -> tuple[float, Move] | None:
        """The cheapest way to take an event from another hidden number of the table, or to give it
        one, whatever the axes on which the two differ: totals stay."""
        marks, values = self.marks[table], self.values[table]
        best: tuple[float, Move] | None = None
        own = self._leaf(table, node, held=False)
        for origin, sign in origins or ([(own, 1)] if own else []):
            hidden = np.argwhere((marks > _SHOWN) & (values > 0 if sign > 0 else values >= 0))
            for other in hidden[:_FAR]:
                place = tuple(int(i) for i in other)
                leaf = None if place == node else self._leaf(table, place, held=sign > 0)
                if leaf is None:
                    continue
                apart = {i: leaf[i] for i in range(len(leaf)) if leaf[i] != origin[i]}
                move = Move(origin, apart, sign, together=True)
                cost = self._cost(move)
                if best is None or cost < best[0]:
                    best = cost, move
                if cost == 0:
                    return best
        return best

    def _leaf(self, table: Table, node: Place, *, held: bool) -> Place | None:
        """A leaf under a node, if asked for one that holds an event."""
        inside = [np.flatnonzero(g == n) for g, n in zip(self.groups[table], node, strict=True)]
        if not held:
            return tuple(int(leaves[0]) for leaves in inside)
        found = np.argwhere(self.cube.counts[np.ix_(*inside)] > 0)[:1]
        if not len(found):
            return None
        return tuple(int(leaves[i]) for leaves, i in zip(inside, found[0], strict=True))

    def drop(self, table: Table) -> None:
        """Do not publish a table: its numbers ask for no proof and forbid none."""
        self.marks[table][...] = Mark.HIDDEN
        self.proved[table][...] = True
        self.dropped.add(table)

    def _known(self, table: Table, node: Place) -> tuple[float, Move]:
        """The cheapest of the proofs found before that change a number, or one event more."""
        if self._proofs is None:
            self._proofs = {}
            for move in self.old.moves:
                for touched, place, _ in self._touched(move):
                    self._proofs.setdefault((touched, place), []).append(move)
        moves = [self._anything(table, node), *self._proofs.get((table, node), ())]
        return min(((self._cost(move), move) for move in moves), key=lambda found: found[0])

    def _cost(self, move: Move) -> float:
        """What the numbers that a move changes cost to withhold."""
        cost = 0.0
        for table, place, step in self._touched(move):
            mark, value = int(self.marks[table][place]), int(self.values[table][place])
            price = float(self.price[table][place])
            cost += (mark == _SHOWN) * price
            cost += (not self._fits(value + step, mark)) * LOST_CLAIM * price
        return cost

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
        near = self._partners(table, axis, own)
        near = near[self.busy[axis][near]][: 2 * _ORIGINS]
        around = [near if i == axis else leaves for i, leaves in enumerate(inside)]
        for place in np.argwhere(self.cube.counts[np.ix_(*around)] > 0)[:_ORIGINS]:
            leaf = [int(leaves[i]) for leaves, i in zip(around, place, strict=True)]
            leaf[axis] = own
            yield tuple(leaf)

    def _cheapest(
        self, table: Table, chosen: Place, origin: Place, sign: int, bound: float
    ) -> tuple[float, Move] | None:
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
        return cost, Move(origin, dict(zip(chosen, map(int, other), strict=True)), sign)

    def _fits(self, value: int, mark: int) -> bool:
        """Whether a number is one that its mark (a shown one: once withheld) admits."""
        if mark == _SMALL:
            return 0 <= value < self.threshold
        return value >= (self.threshold if mark in (_SHOWN, _WITHHELD) else 0)

    def _partners(self, table: Table, axis: int, leaf: int) -> IntArray:
        """Leaves that the table tells apart from this one, nearest relatives first; half of them
        hold an event. In a quiet month the nearest hold none, and an event can come from nowhere:
        only the total would be left to withhold."""
        key = axis, table[axis], leaf
        if key not in self._near:
            own = self.cube.axes[axis]
            apart = np.flatnonzero(self.groups[table][axis] != self.groups[table][axis][leaf])
            kin = sum((of[apart] == of[leaf]).astype(np.int64) for of in own.of.values())
            near = apart[np.lexsort((~self.busy[axis][apart], -np.asarray(kin)))]
            first, rest = np.split(near, [_PARTNERS // 2])
            rest = rest[np.argsort(~self.busy[axis][rest], kind="stable")]
            self._near[key] = np.concatenate([first, rest])[:_PARTNERS]
        return self._near[key]

    def _anything(self, table: Table, node: Place) -> Move:
        """One event more: always possible."""
        inside = [np.flatnonzero(g == n) for g, n in zip(self.groups[table], node, strict=True)]
        return Move(tuple(int(leaves[0]) for leaves in inside), {}, 1)

    def _apply(self, move: Move) -> None:
        """Withhold what a move needs; what would no longer be "<3", or 3 and more, claims less."""
        self.moves.append(move)
        for table, place, step in self._touched(move):
            mark, after = int(self.marks[table][place]), int(self.values[table][place]) + step
            if not self._fits(after, mark):
                self.marks[table][place] = Mark.HIDDEN
            elif mark == _SHOWN:
                self.marks[table][place] = Mark.WITHHELD
            self.proved[table][place] = True

    def _touched(self, move: Move) -> Iterator[tuple[Table, Place, int]]:
        """Every number of every table that a move changes, and by how much."""
        axes = list(move.other)
        if move.together:
            yield from self._ends(move)
            return
        for table, groups in self.groups.items():
            if any(groups[i][move.other[i]] == groups[i][move.origin[i]] for i in axes):
                continue
            for far in product((False, True), repeat=len(axes)):
                leaf = list(move.origin)
                for axis, moved in zip(axes, far, strict=True):
                    leaf[axis] = move.other[axis] if moved else leaf[axis]
                place = tuple(int(g[i]) for g, i in zip(groups, leaf, strict=True))
                yield table, place, move.sign * (-1) ** sum(far)

    def _ends(self, move: Move) -> Iterator[tuple[Table, Place, int]]:
        """The same of a move from one leaf to another."""
        far = [move.other.get(i, leaf) for i, leaf in enumerate(move.origin)]
        for table, groups in self.groups.items():
            here = tuple(int(g[i]) for g, i in zip(groups, move.origin, strict=True))
            there = tuple(int(g[i]) for g, i in zip(groups, far, strict=True))
            if here != there:
                yield table, here, move.sign
                yield table, there, -move.sign
