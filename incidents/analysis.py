"""Everything a page or a file shows of events, from one call: :func:`analyse`.

:func:`prepare` does once what no filter changes (places, cells); :func:`analyse` answers one
selection. Pages keep the :class:`Prepared` and call :func:`analyse` at each change of a filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.messages import register
from geo.problems import InputError, Problem
from incidents.accuracy import Accuracy, back_test
from incidents.areas import (
    OUTSIDE,
    Areas,
    Homes,
    IntArray,
    LevelName,
    area_table,
    change,
    place,
    tally,
)
from incidents.cells import Cells, count, cover, locate
from incidents.density import Kernel, classify, density, fixed_breaks
from incidents.events import Events, FloatArray
from incidents.gistar import Method, Significance, gi_star
from incidents.loop import Closure, closed, closure, dispatched
from incidents.quality import Named, Quality, quality_of
from incidents.selection import Selection, kind_of, told_by
from incidents.steps import Steps, one_after_another
from incidents.trend import Development, develop
from incidents.words import SOURCES

Exposure = Literal["auto", "ground", "households"]
LEAST_COURSES = 6  # periods; with fewer, what a cell became cannot be told, nor a map tried
MOST_PERIODS = 40  # more months than this are taken by quarters, more quarters by years
MOST_NUMBERS = 40_000_000  # cells times periods: 160 MB
TEST_SHARE = 0.25  # of the months, the last, that the map of the others is tried on

register(
    {
        "hotspots-nothing": (
            "按所选条件没有任何事件;请放宽时段、类别或来源。",
            "no event fits this period, category and source; widen them.",
        ),
        "hotspots-feedback": (
            "已计入巡查发现的事件:巡查多的地方发现也多,地图会反映巡查路线而不只是问题本身。",
            "events found on patrol are counted: where patrols go more is found, so the map shows "
            "the patrols' ways too, not only the troubles.",
        ),
        "hotspots-no-households": (
            "没有户数,无法按户数比较;请提供网格方案或住户。",
            "there are no households to compare with; give a plan with its households.",
        ),
        "hotspots-cells": (
            "无法按 {size:g} 米分格:{reason}。",
            "no cells of {size:g} m can be laid: {reason}.",
        ),
    }
)


@dataclass(frozen=True)
class Parameters:
    """How cells are judged and drawn; lengths in metres.

    ``exposure`` is what chance follows: households, or ground alike everywhere; ``auto`` takes
    households where they are known. Against ground alone every town is one hot spot.
    """

    cell: float = 200.0
    bandwidth: float = 300.0
    kernel: Kernel = "quartic"
    method: Method = "auto"
    exposure: Exposure = "auto"
    alpha: float = 0.05
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Prepared:
    """What no filter changes. ``at`` is the area (n,) of each event at each level, ``cell`` (n,)
    its cell, negative for none; ``households`` (ny, nx) of each cell, None where unknown,
    ``estimated`` where they were worked out from residents."""

    events: Events
    areas: Areas
    cells: Cells
    at: Mapping[LevelName, IntArray]
    cell: IntArray
    quality: Quality
    households: FloatArray | None
    estimated: bool = False


@dataclass(frozen=True, eq=False)
class Hotspots:
    """The answer to one selection; cell arrays are (ny, nx) of ``cells``, row 0 in the south.

    ``rows`` numbers the events counted; ``mapped`` of them lie in a cell. ``surface`` is events
    per km² of the period, ``breaks`` its fixed class limits. ``course`` is what became of each
    cell, None with fewer than six periods. ``months`` is the first month of each period (months;
    quarters or years where there are many). ``tables`` holds one table a level, whose sums agree.
    """

    selection: Selection
    parameters: Parameters
    cells: Cells
    rows: IntArray
    mapped: int
    counts: FloatArray
    significance: Significance
    surface: FloatArray
    breaks: FloatArray
    tables: Mapping[LevelName, pd.DataFrame]
    development: Development | None
    accuracy: tuple[Accuracy, ...]
    closure: Closure
    left_out: Mapping[str, int]
    months: NDArray[np.datetime64]
    notes: tuple[Problem, ...]

    @property
    def classes(self) -> IntArray:
        """(ny, nx) density class of each cell, -1 outside the area."""
        return classify(self.surface, self.breaks)


def prepare(
    events: Events,
    areas: Areas,
    *,
    cell: float = 200.0,
    known: tuple[Named, ...] = (),
    homes: Homes | None = None,
    steps: Steps = one_after_another,
) -> Prepared:
    """Place the events, lay the cells, look for doubts.

    ``homes`` say which cells are inhabited, by how many; ``steps`` does what can be done in pieces.
    Raises :class:`InputError` for a cell size that cannot be laid.
    """
    try:
        cells = cover(areas.ground, cell, steps=steps)
    except ValueError as error:
        params: dict[str, object] = {"size": cell, "reason": str(error)}
        raise InputError([Problem("hotspots-cells", params=params)]) from error
    at = place(areas, events, steps)
    outside = at["county"] == OUTSIDE
    quality = quality_of(events, known=known, outside=outside)
    households = None
    if homes is not None and len(homes.xy):
        xy, many = homes.xy, np.nan_to_num(homes.households)
        households = count(cells, xy[:, 0], xy[:, 1], many)
    return Prepared(
        events, areas, cells, at, locate(cells, events.x, events.y), quality, households,
        households is not None and homes is not None and homes.estimated,
    )  # fmt: skip


def analyse(
    prepared: Prepared,
    selection: Selection | None = None,
    parameters: Parameters | None = None,
    *,
    trend: bool = True,
    breaks: FloatArray | None = None,
    steps: Steps = one_after_another,
) -> Hotspots:
    """All of one selection: cells, density, tables of every level, changes, closure, accuracy.

    ``trend`` False leaves out the months (courses, accuracy), which cost most. ``breaks`` fixes
    the density classes; without it they come from this surface. ``steps`` does what can be done
    in pieces. Raises :class:`InputError` where no event fits, or the category is unknown.
    """
    chosen = selection or Selection()
    how = parameters or Parameters(cell=prepared.cells.size)
    events = prepared.events
    kind, left_out = kind_of(events, prepared.quality.piled, chosen)
    in_time = chosen.period.holds(events.time)
    left_out["other-period"] = int((kind & ~in_time).sum())
    rows = np.flatnonzero(kind & in_time)
    if not len(rows):
        raise InputError([Problem("hotspots-nothing")])
    left_out["no-time-but-counted"] = int(np.isnat(events.time[rows]).sum())
    counts = _cell_counts(prepared, rows)
    tested = judge(prepared, counts, how)
    surface = density(prepared.cells, counts, bandwidth=how.bandwidth, kernel=how.kernel)
    months, development, accuracy = (
        _through_time(prepared, rows, how, steps) if trend else _NO_TIME
    )
    notes = []
    if chosen.source != "reported" and (events.source[rows] == SOURCES.index("discovered")).any():
        notes.append(Problem("hotspots-feedback", severity="warning"))
    return Hotspots(
        chosen, how, prepared.cells, rows, int(counts.sum()), counts, tested, surface,
        fixed_breaks(surface) if breaks is None else breaks,
        _tables(prepared, rows, kind, chosen), development, accuracy,
        closure(events.take(rows)), left_out, months, tuple(notes),
    )  # fmt: skip


def judge(prepared: Prepared, counts: FloatArray, how: Parameters) -> Significance:
    """Gi* of (ny, nx) counts against what chance follows; raises :class:`InputError` where
    households are asked for and none are known.

    Over bare ground a cell half outside the area is expected to hold half: noise would have cold
    spots along the border otherwise.
    """
    exposure = _exposure(prepared, how, float(counts.sum()))
    return gi_star(
        counts, prepared.cells, exposure=exposure, method=how.method, alpha=how.alpha,
        seed=how.seed,
    )  # fmt: skip


def _cell_counts(prepared: Prepared, rows: IntArray) -> FloatArray:
    at = prepared.cell[rows]
    flat = np.bincount(at[at >= 0], minlength=prepared.cells.inside.size)
    return flat.astype(np.float64).reshape(prepared.cells.shape)


def _exposure(prepared: Prepared, how: Parameters, events: float) -> FloatArray | None:
    """What ``events`` would follow by chance. A cell without a household still takes part, with a
    tenth of one: an event there must not be infinitely unlikely. Of many events it gets less, so
    that it expects a tenth of one at most: fields where nobody lives would be cold otherwise."""
    if how.exposure == "ground":
        return None
    if prepared.households is None or not prepared.households.any():
        if how.exposure == "households":
            raise InputError([Problem("hotspots-no-households")])
        return None
    homes = prepared.households
    return homes + 0.1 * min(1.0, float(homes.sum()) / max(events, 1.0))


_NO_TIME: tuple[NDArray[np.datetime64], None, tuple[Accuracy, ...]] = (
    np.empty(0, dtype="datetime64[M]"), None, (),
)  # fmt: skip


def _through_time(
    prepared: Prepared, rows: IntArray, how: Parameters, steps: Steps
) -> tuple[NDArray[np.datetime64], Development | None, tuple[Accuracy, ...]]:
    """Periods, what became of each cell over them, how a map of the first foretells the last."""
    dated = rows[~np.isnat(prepared.events.time[rows]) & (prepared.cell[rows] >= 0)]
    month = prepared.events.months[dated]
    if not len(dated):
        return _NO_TIME
    first, last = int(month.min()), int(month.max())
    step = next((s for s in (1, 3, 12) if last - first < s * MOST_PERIODS), 12)
    first = last + 1 - (last + 1 - first) // step * step  # whole periods, up to the last month
    dated, month = dated[month >= first], month[month >= first]
    months = np.arange(first, last + 1, step).astype("datetime64[M]")
    size = prepared.cells.inside.size
    if len(months) < LEAST_COURSES or len(months) * size > MOST_NUMBERS:
        return months, None, ()
    key = (month - first) // step * size + prepared.cell[dated]
    flat = np.bincount(key, minlength=len(months) * size).astype(np.int32)
    series = flat.reshape(len(months), *prepared.cells.shape)
    split = len(months) - max(1, round(TEST_SHARE * len(months)))
    before, after = series[:split].sum(axis=0), series[split:].sum(axis=0)
    accuracy: tuple[Accuracy, ...] = ()
    if before.sum() and after.sum():
        accuracy = tuple(
            back_test(prepared.cells, before, after, bandwidth=how.bandwidth, kernel=how.kernel)
        )
    return months, _develop(prepared, series, how, steps), accuracy


def _develop(
    prepared: Prepared, series: NDArray[np.int32], how: Parameters, steps: Steps
) -> Development:
    """What became of each cell, each month judged as the whole period is."""
    exposure = _exposure(prepared, how, float(series.sum(axis=(1, 2)).max()))
    return develop(
        prepared.cells, series, exposure=exposure, method=how.method, alpha=how.alpha,
        steps=steps,
    )  # fmt: skip


def _tables(
    prepared: Prepared, rows: IntArray, kind: NDArray[np.bool_], chosen: Selection
) -> dict[LevelName, pd.DataFrame]:
    """One table a level, with changes and closure beside the counts."""
    events, period = prepared.events, chosen.period
    sent, done = dispatched(events), closed(events)
    # a rare kind need not occur in a month's last days: the source tells how far the data reach
    told = None if period.open else told_by(events, chosen.source)
    earlier = {
        name: np.flatnonzero(kind & other.holds(events.time)) if other else None
        for name, other in (
            ("change_on_period", period.before(told)),
            ("change_on_year", period.year_before(told)),
        )
    }
    tables: dict[LevelName, pd.DataFrame] = {}
    for name, level in prepared.areas.levels.items():
        at = prepared.at[name]
        table = area_table(level, at[rows], prepared.areas.per)
        table["dispatched"] = tally(level, at[rows[sent[rows]]]).astype(np.int64)
        table["closed"] = tally(level, at[rows[done[rows]]]).astype(np.int64)
        table["closure_rate"] = (table["closed"] / table["dispatched"]).where(
            table["dispatched"] > 0
        )
        for column, others in earlier.items():
            before = np.full(len(table), np.nan) if others is None else tally(level, at[others])
            table[column] = change(table["count"].to_numpy(dtype=float), before)
        tables[name] = table
    return tables
