"""What leaves the analyst's desk: tables of areas and months, protected together; no event's place.

One cube of all months and kinds is protected at once, and every shared view is read from it: a
filter chooses rows, it computes nothing anew. So two views with different filters hold no more than
the whole does. Only what people reported is shared: were finds on patrol added in a second table,
the two could be subtracted. Kinds marked sensitive stand in a cube of their own, by beat and
coarser, from five; the other tables do not count them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.geopackage import write_whole
from geo.messages import register
from geo.problems import InputError, Problem
from incidents.analysis import Hotspots, Prepared
from incidents.areas import LevelName, change
from incidents.cube import ALL, Axis, IntArray, Table, count_cube
from incidents.disclosure import (
    LEAST_HOUSEHOLDS,
    SENSITIVE_THRESHOLD,
    THRESHOLD,
    Protected,
    protect,
)
from incidents.hotspotfile import density_layer, provenance
from incidents.loop import closed
from incidents.trend import Course
from incidents.words import SOURCES

register(
    {
        "sharing-period": (
            "共享表只按整月、整年或全部时段给出;请把时段改为一个月或一年。",
            "shared tables are by month, by year or of all time; choose a whole month or year.",
        ),
        "sharing-category": (
            "共享表只按大类给出,不按“{name}”;可用:{known}。",
            "shared tables are by class, not by {name!r}; known: {known}.",
        ),
        "sharing-source": (
            "共享表只含群众报告的事件;请把来源设为群众报告。",
            "shared tables count what people reported, nothing else; choose the source reported.",
        ),
    }
)

#: levels that tables by month and kind at once are made for; finer ones would be all "<3"
_COARSE: tuple[LevelName, ...] = ("beat", "township", "county")
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


def share(prepared: Prepared) -> Shared:
    """Protect every table of the events. Takes seconds for a county; keep the result."""
    events = prepared.events
    months, time, leaf_time = _time_axis(prepared)
    area, leaf_area = _area_axis(prepared)
    # a kind, month or area that holds nothing by its nature is no row: its noughts would have to
    # be hidden at the expense of others
    known, group = np.unique(events.group, return_inverse=True)
    kinds = [events.classes.keys[int(i)] if i >= 0 else "other" for i in known]
    axes = (
        area,
        time,
        _plain_axis("kind", kinds),
        _plain_axis("state", ("closed", "open")),
    )
    leaves = [leaf_area, leaf_time, group, (~closed(events)).astype(np.int64)]
    reported = events.source != SOURCES.index("discovered")
    common, kept_back = reported & ~events.sensitive, reported & events.sensitive
    levels = list(prepared.areas.levels)
    hidden = _few_households(prepared, area)
    protected = protect(
        count_cube(axes, [leaf[common] for leaf in leaves]), _tables(levels), hidden=hidden
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


def _tables(levels: Sequence[LevelName]) -> list[Table]:
    """Every table: areas by time and by kind; months by kind where areas are large."""
    tables: list[Table] = []
    for level in levels:
        tables += [(level, time, ALL, ALL) for time in (ALL, "year", "month")]
        tables.append((level, ALL, "kind", ALL))
        if level in _COARSE:
            tables += [(level, time, "kind", ALL) for time in ("year", "month")]
        if level in ("township", "county"):
            tables.append((level, ALL, ALL, "state"))
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


def _rows(shown: Protected, level: str, period: str, kind: str) -> pd.DataFrame:
    time = ALL if not period else ("year" if len(period) == 4 else "month")
    table: Table = (level, time, "kind" if kind else ALL, ALL)
    axes = shown.cube.axes
    index: list[int | slice] = [slice(None)]
    for axis, wanted, name in zip(axes[1:3], (period, kind), table[1:3], strict=True):
        index.append(0 if name == ALL else list(axis.labels[name]).index(wanted))
    at = (*index, 0)
    codes = [axes[0].label(level, i) for i in range(axes[0].size(level))]
    counts, texts = shown.shown(table)[at], shown.text(table)[at]
    return pd.DataFrame({"code": codes, "count": counts, "shown": texts})


def shared_layers(
    shared: Shared, found: Hotspots, said: Mapping[str, object] | None = None
) -> dict[str, pd.DataFrame]:
    """The layers of a file for leaders: areas, cells without counts, tables, provenance.

    Raises :class:`InputError` where the selection is no row of the published tables.
    """
    period, kind = _pick(shared, found)
    layers: dict[str, pd.DataFrame] = {
        "cells": _cells(shared.prepared, found),
        "density": density_layer(shared.prepared, found, hot_only=True),
    }
    for name in shared.prepared.areas.levels:
        layers[f"by_{name}"] = _areas(shared, name, period, kind)
    layers["tables"] = _long(shared.common)
    if shared.sensitive is not None:
        layers["sensitive"] = _long(shared.sensitive)
    whole = provenance(shared.prepared, found, said or {})
    kept = whole[~whole["key"].str.match(r"count\.(?:outside|unplaced|mapped|selected)|left_out|"
                                         r"closure|doubt")]  # fmt: skip
    more = {
        "sharing.threshold": f"<{THRESHOLD}", "sharing.least_households": LEAST_HOUSEHOLDS,
        "sharing.sensitive": f"by beat and coarser, from {SENSITIVE_THRESHOLD}",
        "sharing.tables_left_out": len(shared.common.dropped),
    }  # fmt: skip
    lines = pd.DataFrame({"key": list(more), "value": [str(v) for v in more.values()]})
    layers["provenance"] = pd.concat([kept, lines], ignore_index=True)
    return layers


def write_shared(
    shared: Shared, found: Hotspots, path: str | Path, said: Mapping[str, object] | None = None
) -> None:
    """Write the leaders' file, whole or not at all; raises InputError."""
    write_whole(shared_layers(shared, found, said), path)


def _pick(shared: Shared, found: Hotspots) -> tuple[str, str]:
    """Period and class of a selection as the published tables name them."""
    chosen, classes = found.selection, shared.prepared.events.classes
    kind = ""
    if chosen.category is not None:
        words = {w: key for key, names in classes.classes.items() for w in (key, *names)}
        if chosen.category not in words:
            params: dict[str, object] = {"name": chosen.category, "known": ", ".join(classes.keys)}
            raise InputError([Problem("sharing-category", params=params)])
        kind = words[chosen.category]
    if chosen.source != "reported":
        raise InputError([Problem("sharing-source")])
    period, length = chosen.period, None
    if period.open:
        return "", kind
    if period.since is not None and period.until is not None:
        first, last = (t.astype("datetime64[M]") for t in (period.since, period.until))
        if first.astype("datetime64[D]") == period.since and (
            last.astype("datetime64[D]") == period.until
        ):
            length = int((last - first).astype(int))
    if length == 1:
        return str(np.datetime_as_string(first)), kind
    if length == 12 and int(first.astype(int)) % 12 == 0:
        return str(np.datetime_as_string(first))[:4], kind
    raise InputError([Problem("sharing-period")])


def _areas(shared: Shared, name: LevelName, period: str, kind: str) -> gpd.GeoDataFrame:
    """One row an area: count, rate and changes only where each number they are made of is shown."""
    level = shared.prepared.areas.levels[name]
    try:
        table = shared.rows(name, period, kind)
    except (KeyError, ValueError):  # that table was left out, or has no such month
        axis = shared.common.cube.axes[_AREA]
        codes = [axis.label(name, i) for i in range(axis.size(name))]
        table = pd.DataFrame({"code": codes, "count": np.nan, "shown": "—"})
    without = len(table) - len(level)  # rows for what lies outside or has no place
    table.insert(1, "name", [*level.names, *[""] * without])
    table["suppressed"] = table["count"].isna().astype(np.int64)
    people = np.append(level.persons, [np.nan] * without)
    enough = table["count"] >= 10
    table["rate_per_1000"] = (table["count"] / people * 1000).where(enough & (people > 0))
    for column, earlier in (
        ("change_on_period", _earlier(period, 1)), ("change_on_year", _earlier(period, 12)),
    ):  # fmt: skip
        table[column] = np.nan
        if earlier:
            try:
                before = shared.rows(name, earlier, kind)["count"]
            except (KeyError, ValueError):
                continue
            table[column] = change(table["count"].to_numpy(), before.to_numpy())
    shapes = np.array([*shared.prepared.areas.shapes(name), *[None] * without], dtype=object)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=shared.prepared.areas.crs)


def _earlier(period: str, months: int) -> str:
    """The period before, or the same a year earlier, in the tables' words."""
    if len(period) == 4:
        return str(int(period) - 1)
    return str(np.datetime64(period, "M") - months) if period else ""


def _cells(prepared: Prepared, found: Hotspots) -> gpd.GeoDataFrame:
    """Significant cells and their words; no count, no test value that gives one back. Cells with
    a few households, or of unknown ones where some are known, are left out."""
    inside = found.cells.inside
    keep = found.significance.significant.copy()
    course = np.zeros(inside.shape, dtype=np.int8)
    if found.development is not None:
        course = found.development.course
        keep |= course > 0
    if prepared.households is not None:
        keep &= (prepared.households == 0) | (prepared.households >= LEAST_HOUSEHOLDS)
    pick = keep[inside]
    direction = np.where(found.significance.hot, "hot", "")
    direction = np.where(found.significance.cold, "cold", direction)
    frame = pd.DataFrame(
        {
            "cell": found.cells.names()[pick],
            "significant": found.significance.significant[inside][pick].astype(np.int64),
            "direction": direction[inside][pick],
            "trend": [Course(int(c)).name.lower() for c in course[inside][pick]],
        }
    )
    shapes = found.cells.polygons()[pick]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=prepared.areas.crs)


def _long(shown: Protected) -> pd.DataFrame:
    """Every published table as rows: level, code, period, kind, state, count, shown."""
    parts = []
    for table in shown.marks:
        values, texts = shown.shown(table), shown.text(table)
        where = np.indices(values.shape).reshape(values.ndim, -1)
        columns = {
            name: np.array([axis.label(level, i) for i in range(axis.size(level))])[at]
            for name, axis, level, at in zip(
                ("code", "period", "kind", "state"), shown.cube.axes, table, where,
                strict=True,
            )
        }  # fmt: skip
        part = pd.DataFrame({"level": table[0], **columns})
        part["count"], part["shown"] = values.ravel(), texts.ravel().astype(str)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
