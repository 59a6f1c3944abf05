"""Tables for others that grow: a month at a time, and each year when it is over.

Whoever gets a file every month holds all of them, and could subtract the sums of one from the sums
of the next. So what was published is never settled anew. A month's tables depend on that month's
events alone. A year's tables are made once the year is over, beside those of its months as they
stand (:class:`incidents.disclosure.Before`). No table reaches over two years, and none holds a year
that is not over: such sums are added up from the numbers that are shown
(:mod:`incidents.sharing`). So every publication holds the earlier ones, number by number, as long
as the events of a month that was published stay as they were.

A class or step of the loop that nobody reported in a month is no row of it. So a row tells that
somebody did, and the proofs count with that (:data:`_THERE`). What lies elsewhere has a row
always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from incidents.analysis import Prepared
from incidents.areas import LevelName
from incidents.cube import ALL, Axis, IntArray, Table, count_cube
from incidents.disclosure import MOST_HIDDEN, Before, Mark, Move, Protected, protect
from incidents.loop import closed, dispatched
from incidents.share_axes import (
    area_axis,
    combinations_on_ground,
    elsewhere_in,
    few_households_in,
    plain_axis,
)

#: by month, the first of these that there is, of at most so many areas: of smaller ones most months
#: would be "<3", and one hidden month takes the year's number with it. No grids, nor beats that are
#: made of grids: they are redrawn, and months stay as they were told
MONTHLY: tuple[LevelName, ...] = ("township", "beat", "village")
MOST_MONTHLY = 40
SENSITIVE: tuple[LevelName, ...] = ("beat", "township", "county")
STATES = ("closed", "sent", "unsent")  # closed; dispatched and open; not dispatched, or not told
UNDATED = "undated"  # the only period of events none of which tells a time
_AREA, _TIME = 0, 1  # numbers of axes
#: of what has a row in a month there is an event at least
_THERE: tuple[Table, ...] = ((ALL, "month", "kind", ALL), (ALL, "month", ALL, "state"))


def month_tables(large: Sequence[LevelName]) -> list[Table]:
    """Tables of one month: the ``large`` areas and the county, by kind too, and what the county
    closed. All are published however little they say: a table that some months have and others
    lack could be worked out from the year's."""
    kinds: list[Table] = [
        (level, "month", kind, ALL) for level in (*large, "county") for kind in (ALL, "kind")
    ]
    return [*kinds, ("county", "month", ALL, "state")]


def year_tables(levels: Sequence[LevelName]) -> list[Table]:
    """Tables of one year: all areas, by kind too, and what townships and the county closed."""
    kinds: list[Table] = [(level, "year", kind, ALL) for level in levels for kind in (ALL, "kind")]
    return kinds + [
        (level, "year", ALL, "state") for level in levels if level in ("township", "county")
    ]


@dataclass(frozen=True, eq=False)
class Grown:
    """Months ("2024-03") and the years that are over ("2024"), each protected; ``span`` every
    month from the first event to the last."""

    months: Mapping[str, Protected]
    years: Mapping[str, Protected]
    span: tuple[str, ...]

    def parts(self, period: str) -> list[tuple[Protected, str]]:
        """The protected tables that add up to a period ("" for all), with their time's level; a
        year that is over is one part. Raises ValueError for a period without events."""
        found: list[tuple[Protected, str]] = []
        for year in sorted({month[:4] for month in self.span} | set(self.years)):
            inside = [m for m in self.span if m[:4] == year and m.startswith(period)]
            if year in self.years and year.startswith(period):
                found.append((self.years[year], "year"))
            elif period in ("", year, *inside):
                found += [(self.months[m], "month") for m in inside if m in self.months]
        if not found:
            raise ValueError(f"no event of {period}")
        return found


def grow(
    prepared: Prepared, rows: IntArray, *, threshold: int, years_only: Sequence[Table] = (),
    most_hidden: float = MOST_HIDDEN,
) -> Grown:  # fmt: skip
    """Protect some ``rows`` of the events. With ``years_only`` those tables of years are made and
    none of months."""
    maker = _Maker(prepared, rows, threshold, most_hidden)
    number = prepared.events.months
    told = number[number >= 0]
    if not len(told):
        held = {UNDATED: np.arange(len(number))}
        return Grown({}, {UNDATED: maker.year(UNDATED, held, {}, years_only)}, ())
    first, last = int(told.min()), int(told.max())
    span = np.datetime_as_string(np.arange(first, last + 1).astype("datetime64[M]"))
    of = {str(m): np.flatnonzero(number == first + i) for i, m in enumerate(span)}
    full = {m for m, held in of.items() if maker.counted[held].any()}
    months = {m: maker.month(m, of[m]) for m in of if m in full and not years_only}
    years: dict[str, Protected] = {}
    for year in sorted({m[:4] for m in of}):
        inside = {m: held for m, held in of.items() if m[:4] == year}
        if f"{year}-12" in inside and (years_only or full & inside.keys()):
            years[year] = maker.year(year, inside, months, years_only)
    return Grown(months, years, tuple(of))


class _Maker:
    """Cubes of one set of events, by month and by year."""

    def __init__(
        self, prepared: Prepared, rows: IntArray, threshold: int, most_hidden: float
    ) -> None:
        events = prepared.events
        self.prepared, self.threshold, self.most_hidden = prepared, threshold, most_hidden
        self.levels = list(prepared.areas.levels)
        many = {name: len(level) for name, level in prepared.areas.levels.items()}
        beat = prepared.areas.levels.get("beat")
        if "grid" in many and beat is not None and beat.own is None:
            many.pop("beat")
        self.large = [name for name in MONTHLY if 1 < many.get(name, 0) <= MOST_MONTHLY][:1]
        self.ground = combinations_on_ground(prepared)
        self.counted = np.zeros(len(events), dtype=bool)
        self.counted[rows] = True
        self.step = np.where(closed(events), 0, np.where(dispatched(events), 1, 2))
        self.keys = [*events.classes.keys, "other"]
        self.group = np.where(events.group < 0, len(self.keys) - 1, events.group)

    def axes(
        self, rows: IntArray, time: Axis, month: IntArray
    ) -> tuple[tuple[Axis, ...], list[IntArray]]:
        """The axes of some events and the leaves of those that count. A kind or step that none of
        these has is no row: its noughts would have to be hidden at the expense of others, and of
        a source that knows one class only not one number by class would be left."""
        area, leaf = area_axis(self.prepared, self.ground, rows)
        counts = self.counted[rows]
        held = rows[counts]
        kinds = np.unique(self.group[held]) if len(held) else np.array([len(self.keys) - 1])
        steps = np.unique(self.step[held]) if len(held) else np.array([len(STATES) - 1])
        axes = (
            area, time, plain_axis("kind", [self.keys[i] for i in kinds]),
            plain_axis("state", [STATES[i] for i in steps]),
        )  # fmt: skip
        kind, step = (np.searchsorted(own, each[held]).astype(np.int64)
                      for own, each in ((kinds, self.group), (steps, self.step)))  # fmt: skip
        return axes, [leaf[counts], month[counts], kind, step]

    def month(self, name: str, rows: IntArray) -> Protected:
        """The tables of one month, of its events alone."""
        time = Axis("time", 1, {"month": np.zeros(1, dtype=np.int64)}, {"month": [name]})
        axes, leaves = self.axes(rows, time, np.zeros(len(rows), dtype=np.int64))
        return protect(
            count_cube(axes, leaves), month_tables(self.large),
            threshold=self.threshold, hidden=few_households_in(self.prepared, axes[_AREA]),
            most_hidden=1.0, there=_THERE,
        )  # fmt: skip

    def year(
        self, name: str, of: Mapping[str, IntArray], months: Mapping[str, Protected],
        tables: Sequence[Table],
    ) -> Protected:  # fmt: skip
        """The tables of one year beside those of its months, which stay."""
        rows = np.concatenate(list(of.values()))
        at = np.repeat(np.arange(len(of)), [len(held) for held in of.values()])
        time = Axis(
            "time", len(of),
            {"month": np.arange(len(of)), "year": np.zeros(len(of), dtype=np.int64)},
            {"month": list(of), "year": [name]},
        )  # fmt: skip
        axes, leaves = self.axes(rows, time, at)
        return protect(
            count_cube(axes, leaves),
            tables or year_tables(self.levels),
            threshold=self.threshold, hidden=few_households_in(self.prepared, axes[_AREA]),
            most_hidden=self.most_hidden,
            always=[("county", "year", ALL, ALL)],  # one or two events outside must not take it
            before=_before(axes, {i: months[m] for i, m in enumerate(of) if m in months}),
            there=() if tables else _THERE,  # tables of one kind only tell of no other
            aside=elsewhere_in(axes[_AREA]),
        )  # fmt: skip


def _before(axes: tuple[Axis, ...], months: Mapping[int, Protected]) -> Before:
    """The months' tables and proofs as parts of their year's; ``months`` by number in the year."""
    tables = dict.fromkeys(table for held in months.values() for table in held.marks)
    marks = {}
    for table in tables:
        shape = tuple(axis.size(level) for axis, level in zip(axes, table, strict=True))
        # a kind that no event of a month has is no row of it: everybody knows that it is none
        marks[table] = np.full(shape, Mark.SHOWN, dtype=np.int8)
        for number, held in months.items():
            where = [
                np.arange(own.size(level)) if i == _AREA else _places(own, whole, level)
                for i, (own, whole, level) in enumerate(
                    zip(held.cube.axes, axes, table, strict=True)
                )
            ]
            where[_TIME] = np.array([number])
            marks[table][np.ix_(*where)] = held.marks[table]
    moves = [move for number, held in months.items() for move in _lifted(axes, number, held)]
    return Before(marks, tuple(moves))


def _places(own: Axis, whole: Axis, level: str) -> NDArray[np.int64]:
    """Where the groups of a month's axis stand on the year's."""
    if level == ALL or own.name == "time":
        return np.zeros(1, dtype=np.int64)
    labels = list(whole.labels[level])
    return np.array([labels.index(label) for label in own.labels[level]], dtype=np.int64)


def _lifted(axes: tuple[Axis, ...], number: int, held: Protected) -> list[Move]:
    """A month's proofs as moves among the year's leaves."""
    leaf: list[Mapping[int, int]] = []
    for own, whole in zip(held.cube.axes, axes, strict=True):
        if own.name == "time":
            leaf.append({0: number})
            continue
        keys = [tuple(of[i] for of in whole.of.values()) for i in range(whole.leaves)]
        at = {key: i for i, key in enumerate(keys)}
        names = _same_names(own, whole)
        leaf.append(
            {i: at[tuple(names[level][of[i]] for level, of in own.of.items())]
             for i in range(own.leaves)}
        )  # fmt: skip
    return [
        replace(
            move,
            origin=tuple(leaf[axis][i] for axis, i in enumerate(move.origin)),
            other={axis: leaf[axis][i] for axis, i in move.other.items()},
        )
        for move in held.moves
    ]


def _same_names(own: Axis, whole: Axis) -> dict[str, NDArray[np.int64]]:
    """By level, the year's number of each group of the month."""
    if own.name == "area":
        return {level: np.arange(own.size(level)) for level in own.of}
    return {level: _places(own, whole, level) for level in own.of}
