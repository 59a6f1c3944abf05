"""What leaves the analyst's desk: tables of areas and months, protected together; no event's place.

One cube of all months and kinds is protected at once, and every shared view is read from it: a
filter chooses rows, it computes nothing anew. So two views with different filters hold no more than
the whole does. Only what people reported is shared: were finds on patrol added in a second table,
the two could be subtracted. Kinds marked sensitive stand in a cube of their own, by beat and
coarser, from five; the other tables do not count them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from incidents.analysis import Hotspots, Prepared
from incidents.areas import LevelName
from incidents.cube import ALL, Axis, IntArray, Table, count_cube
from incidents.disclosure import (
    LEAST_HOUSEHOLDS,
    SENSITIVE_THRESHOLD,
    Protected,
    protect,
)
from incidents.loop import closed, dispatched
from incidents.quality import Quality
from incidents.words import SOURCES

#: levels that tables by month and kind at once are made for; finer ones would be all "<3"
_COARSE: tuple[LevelName, ...] = ("beat", "township", "county")
STATES = ("closed", "sent", "unsent")  # closed; dispatched and open; not dispatched, or not told
LEAST_AROUND = 5  # events in a cell and its neighbours, for others to see that it is hot
ELSEWHERE = "elsewhere"  # code of the row for events outside all areas or without a place
_AREA = 0  # number of the axis of areas


@dataclass(frozen=True, eq=False)
class Shared:
    """Everything that may be shown to others: ``common`` and, where there are any, ``sensitive``
    events, each with its tables' marks."""

    prepared: Prepared
    common: Protected
    sensitive: Protected | None
    months: NDArray[np.datetime64]

    def rows(self, level: LevelName, period: str = "", kind: str = "") -> pd.DataFrame:
        """Code, count (NaN unless shown), shown ("12", "<3", "—") of each area.

        ``period`` is "" for all, "2024" or "2024-03"; ``kind`` "" or a class's key. Raises
        KeyError for a table that is not published, ValueError for a period without events.
        """
        return _rows(self.common, level, period, kind)

    def loop(self, level: LevelName, period: str = "") -> pd.DataFrame:
        """Code, closed, dispatched of each township or of the county, NaN where either is not
        shown; all classes together. Raises as :meth:`rows`, and KeyError where no file tells a
        state."""
        table: Table = (level, _time_level(period), ALL, "state")
        shown, axes = self.common.shown(table), self.common.cube.axes
        at = 0 if not period else list(axes[1].labels[table[1]]).index(period)
        labels = list(axes[3].labels["state"])
        states = {name: np.zeros(len(shown)) for name in STATES}
        states |= {name: shown[:, at, 0, i] for i, name in enumerate(labels)}
        return pd.DataFrame(
            {
                "code": [axes[0].label(level, i) for i in range(axes[0].size(level))],
                "closed": states["closed"],
                "dispatched": states["closed"] + states["sent"],
            }
        )


def share(prepared: Prepared) -> Shared:
    """Protect every table of the events. Takes seconds for a county; keep the result."""
    events = prepared.events
    months, time, leaf_time = _time_axis(prepared)
    area, leaf_area = _area_axis(prepared)
    # a kind, month or area that holds nothing by its nature is no row: its noughts would have to
    # be hidden at the expense of others
    known, group = np.unique(events.group, return_inverse=True)
    kinds = [events.classes.keys[int(i)] if i >= 0 else "other" for i in known]
    step = np.where(closed(events), 0, np.where(dispatched(events), 1, 2))
    reached, state = np.unique(step, return_inverse=True)
    states = [STATES[int(i)] for i in reached]
    axes = (
        area,
        time,
        _plain_axis("kind", kinds),
        _plain_axis("state", states),
    )
    leaves = [leaf_area, leaf_time, group, state]
    reported = events.source != SOURCES.index("discovered")
    common, kept_back = reported & ~events.sensitive, reported & events.sensitive
    levels = list(prepared.areas.levels)
    hidden = _few_households(prepared, area)
    protected = protect(
        count_cube(axes, [leaf[common] for leaf in leaves]),
        published_tables(levels, loop=len(states) > 1), hidden=hidden,
    )
    secret = None
    if kept_back.any():
        coarse = [level for level in _COARSE if level in levels]
        secret = protect(
            count_cube(axes, [leaf[kept_back] for leaf in leaves]),
            [(level, ALL, ALL, ALL) for level in coarse],
            threshold=SENSITIVE_THRESHOLD, hidden=hidden, most_hidden=1.0,
        )  # fmt: skip
    return Shared(prepared, protected, secret, months)


def published_tables(levels: Sequence[LevelName], *, loop: bool) -> list[Table]:
    """Every table: areas by time and by kind; months by kind where areas are large; with the
    ``loop`` what townships and the county closed in each month."""
    tables: list[Table] = []
    for level in levels:
        tables += [(level, time, ALL, ALL) for time in (ALL, "year", "month")]
        tables.append((level, ALL, "kind", ALL))
        if level in _COARSE:
            tables += [(level, time, "kind", ALL) for time in ("year", "month")]
        if loop and level in ("township", "county"):
            tables += [(level, time, ALL, "state") for time in (ALL, "year", "month")]
    return tables


def _plain_axis(name: str, labels: Sequence[str]) -> Axis:
    return Axis(name, len(labels), {name: np.arange(len(labels))}, {name: labels})


def _time_axis(prepared: Prepared) -> tuple[NDArray[np.datetime64], Axis, IntArray]:
    """Months from the first to the last event, and one leaf for events without a time."""
    number = prepared.events.months
    told = number >= 0
    first = int(number[told].min()) if told.any() else 0
    last = int(number[told].max()) if told.any() else -1
    months = np.arange(first, last + 1).astype("datetime64[M]")
    years = months.astype("datetime64[Y]").astype(np.int64) + 1970
    known = np.unique(years)
    labels = {"month": list(np.datetime_as_string(months)), "year": [*map(str, known)]}
    of = {
        "month": np.arange(len(months)),
        "year": np.searchsorted(known, years).astype(np.int64),
    }
    leaves = len(months)
    if not told.all():
        leaves += 1
        labels = {level: [*names, "unknown"] for level, names in labels.items()}
        of = {level: np.append(groups, len(labels[level]) - 1) for level, groups in of.items()}
    leaf = np.where(told, number - first, len(months)).astype(np.int64)
    return months, Axis("time", leaves, of, labels), leaf


def _area_axis(prepared: Prepared) -> tuple[Axis, IntArray]:
    """Leaves are the combinations of areas that exist on the ground or hold an event."""
    levels = prepared.areas.levels
    ground = _combinations(prepared)
    # few lie outside: by themselves they would be hidden, and the totals with them
    seen = np.maximum(np.column_stack([prepared.at[name] for name in levels]), -1)
    every = np.vstack([ground, seen])
    combos, number = np.unique(every, axis=0, return_inverse=True)
    of: dict[str, IntArray] = {}
    labels: dict[str, list[str]] = {}
    for column, (name, level) in enumerate(levels.items()):
        at, names = combos[:, column], [*map(str, level.codes)]
        if (at < 0).any():
            at = np.where(at < 0, len(names), at)
            names.append(ELSEWHERE)
        of[name], labels[name] = at.astype(np.int64), names
    start = len(ground)
    return Axis("area", len(combos), of, labels), number.ravel()[start : start + len(seen)]


def _combinations(prepared: Prepared) -> IntArray:
    """(combinations, levels) areas that share ground, told from the units and from cut beats."""
    areas = prepared.areas
    unit = np.arange(len(areas.units))
    own = np.full(len(unit), -1)
    beat = areas.levels.get("beat")
    if beat is not None and beat.own is not None:
        unit, own = shapely.STRtree(beat.own).query(areas.units, predicate="intersects")
        shared = shapely.area(shapely.intersection(areas.units[unit], beat.own[own]))
        real = shared > 1.0  # square metres: less is how two borders were digitised
        unit, own = unit[real], own[real]
    columns = [own if v.own is not None else v.of[unit] for v in areas.levels.values()]
    return np.column_stack(columns).astype(np.int64)


def _few_households(prepared: Prepared, area: Axis) -> dict[tuple[int, str], NDArray[np.bool_]]:
    """Areas with some households, but fewer than eight: their counts are somebody's."""
    hidden = {}
    for name, level in prepared.areas.levels.items():
        held = np.nan_to_num(level.households)
        few = np.zeros(area.size(name), dtype=bool)  # what lies elsewhere is not few
        few[: len(held)] = (held > 0) & (held < LEAST_HOUSEHOLDS)
        hidden[_AREA, str(name)] = few
    return hidden


def _time_level(period: str) -> str:
    return ALL if not period else ("year" if len(period) == 4 else "month")


def _rows(shown: Protected, level: str, period: str, kind: str) -> pd.DataFrame:
    table: Table = (level, _time_level(period), "kind" if kind else ALL, ALL)
    axes = shown.cube.axes
    index: list[int | slice] = [slice(None)]
    for axis, wanted, name in zip(axes[1:3], (period, kind), table[1:3], strict=True):
        index.append(0 if name == ALL else list(axis.labels[name]).index(wanted))
    at = (*index, 0)
    codes = [axes[0].label(level, i) for i in range(axes[0].size(level))]
    counts, texts = shown.shown(table)[at], shown.text(table)[at]
    return pd.DataFrame({"code": codes, "count": counts, "shown": texts})


def without_sensitive(prepared: Prepared) -> Prepared:
    """The events without those that others see by beat only, and then from five."""
    keep = ~prepared.events.sensitive
    if keep.all():
        return prepared
    rows = np.flatnonzero(keep)
    number = np.cumsum(keep) - 1
    found = tuple(
        replace(finding, rows=number[finding.rows[keep[finding.rows]]])
        for finding in prepared.quality.findings
    )
    quality = Quality(prepared.quality.total, prepared.quality.placed, found)
    at = {name: where[rows] for name, where in prepared.at.items()}
    return replace(
        prepared, events=prepared.events.take(rows), at=at, cell=prepared.cell[rows],
        quality=quality,
    )  # fmt: skip


def few_events(found: Hotspots) -> NDArray[np.bool_]:
    """Cells around which too few events lie for anything to be drawn there, (ny, nx).

    Where nobody lives two events are more than households explain, and a map of them shows two
    events, not a hot spot.
    """
    return np.asarray(found.significance.count < LEAST_AROUND)


def few_households(prepared: Prepared) -> NDArray[np.bool_]:
    """Cells with some households but fewer than eight: what is drawn there is somebody's, (ny, nx).

    Nothing is hidden where no household is known: then nobody can tell.
    """
    if prepared.households is None:
        return np.zeros(prepared.cells.inside.shape, dtype=bool)
    return (prepared.households > 0) & (prepared.households < LEAST_HOUSEHOLDS)
