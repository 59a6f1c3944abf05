"""Years that were told by one drawing of the grids stay told by it.

Where a grid is redrawn, or another plan adopted, a year counted anew by the new grids differs from
what leaders hold by the events of the pieces that moved, and a piece may be five households. So
what was told of a year is noted: which numbers were shown, and a digest of each grid's shape.
Counted again, a year shows the same numbers or fewer: those of grids (and beats, which are made of
grids) that are as they were. What is shown is then a part of what was told, and tells nothing new.
Years that end later are told by the grids of then.

What it does not do: it knows of what is noted. Where the events of a year are told anew (more of
them, other classes), the year is told anew too, by the grids of today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from incidents.areas import Areas, LevelName
from incidents.cube import Axis, Table
from incidents.disclosure import Mark, Protected
from incidents.growing import Grown
from incidents.sharing import Shared

REDRAWN: tuple[LevelName, ...] = ("grid", "beat")
_COARSE: tuple[LevelName, ...] = ("village", "township", "county")

Note = Mapping[str, Any]
"""What is noted of a year, fit for JSON: ``events`` and ``shapes`` are digests, ``marks`` one digit
a number (:class:`incidents.disclosure.Mark`), ``labels`` what the numbers are of. No count."""


def as_told(shared: Shared, notes: Mapping[str, Note]) -> tuple[Shared, dict[str, Note]]:
    """The tables, years that were told before as they were told; and the notes to keep."""
    shapes = {
        name: _digests(shared.prepared.areas, name)
        for name in REDRAWN if name in shared.prepared.areas.levels
    }  # fmt: skip
    kept = dict(notes)
    made = replace(
        shared,
        common=_years_told(shared.common, "", shapes, kept),
        sensitive=_years_told(shared.sensitive, "sensitive ", shapes, kept),
    )
    return made, kept


def _years_told(
    grown: Grown, name: str, shapes: Mapping[LevelName, Mapping[str, str]],
    notes: dict[str, Note],
) -> Grown:  # fmt: skip
    """The years of one set of events; new notes are put among the ``notes``."""
    years = dict(grown.years)
    for year, held in grown.years.items():
        events, key = _events(held), name + year
        note = notes.get(key)
        if note is None or note.get("events") != events:
            notes[key] = _noted(held, events, shapes)
        elif note["shapes"] != shapes:
            years[year] = _again(held, note, shapes)
    return replace(grown, years=years)


def _digests(areas: Areas, level: LevelName) -> dict[str, str]:
    """Code -> a digest of the area's outline. A border with one vertex more is another one."""
    outlines = shapely.to_wkb(shapely.normalize(areas.shapes(level)), output_dimension=2)
    return {
        str(code): _digest([outline])
        for code, outline in zip(areas.levels[level].codes, outlines, strict=True)
    }


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _events(held: Protected) -> str:
    """A digest of a year's counts in areas that no redrawing changes."""
    axes = held.cube.axes
    parts = [
        held.cube.table((name, "year", "kind", "state")).tobytes()
        for name in _COARSE if name in axes[0].labels
    ]  # fmt: skip
    names = [str(label) for axis in axes[2:] for label in axis.labels[axis.name]]
    return _digest([*parts, "\0".join(names).encode()])


def _noted(held: Protected, events: str, shapes: Mapping[LevelName, Mapping[str, str]]) -> Note:
    tables = [table for table in held.marks if table[1] == "year"]
    axes = held.cube.axes
    labels = {table[0]: _labels(axes[0], table[0]) for table in tables}
    labels |= {axis.name: _labels(axis, axis.name) for axis in axes[2:]}
    marks = {
        "/".join((table[0], *table[2:])): "".join(map(str, held.marks[table].ravel()))
        for table in tables
    }
    return {"events": events, "shapes": shapes, "labels": labels, "marks": marks}


def _labels(axis: Axis, level: str) -> list[str]:
    return [axis.label(level, i) for i in range(axis.size(level))]


def _again(
    held: Protected, note: Note, shapes: Mapping[LevelName, Mapping[str, str]]
) -> Protected:
    """A year's numbers with the marks that were told, none shown that was not."""
    marks = {table: mark for table, mark in held.marks.items() if table[1] == "month"}
    axes = held.cube.axes
    for name, digits in note["marks"].items():
        level, *rest = name.split("/")
        if level not in axes[0].labels:
            continue
        table: Table = (level, "year", *rest)
        old, new = note["labels"][level], _labels(axes[0], level)
        if level in REDRAWN:  # the same ground, whatever its code is today
            old = [note["shapes"][level].get(code, code) for code in old]
            new = [shapes[level].get(code, code) for code in new]
        where = _places(new, old)
        size = tuple(axis.size(part) for axis, part in zip(axes, table, strict=True))
        before = np.array(list(map(int, digits)), dtype=np.int8).reshape(-1, *size[1:])
        mark = np.full(size, Mark.HIDDEN, dtype=np.int8)
        mark[where >= 0] = before[where[where >= 0]]
        marks[table] = mark
    dropped = tuple(table for table in held.marks if table not in marks)
    return Protected(held.cube, held.threshold, marks, (*held.dropped, *dropped))


def _places(new: Sequence[str], old: Sequence[str]) -> NDArray[np.int64]:
    """Where each new label stood among the old ones, -1 for nowhere."""
    at = {label: i for i, label in enumerate(old)}
    return np.array([at.get(label, -1) for label in new], dtype=np.int64)
