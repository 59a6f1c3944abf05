"""The leaders' file: what :mod:`incidents.sharing` lets out, laid out as layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.geopackage import write_whole
from geo.messages import register
from geo.problems import InputError, Problem
from incidents.analysis import Hotspots, Prepared, analyse
from incidents.areas import ENOUGH, LevelName, change
from incidents.cube import ALL, Table
from incidents.disclosure import LEAST_HOUSEHOLDS, SENSITIVE_THRESHOLD, THRESHOLD, Protected
from incidents.growing import Grown
from incidents.hotspotfile import density_layer, provenance
from incidents.limits import with_limits
from incidents.period import Told, period_named
from incidents.quality import about, coarse
from incidents.selection import told_by
from incidents.share_axes import ELSEWHERE
from incidents.sharing import LEAST_AROUND, Shared, few_events, few_households, without_sensitive
from incidents.steps import Steps, one_after_another
from incidents.trend import Course

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
        "sharing-fine": (
            "共享图的格子不小于 {cell:g} 米、带宽不小于 {bandwidth:g} 米;更细的图会指到门口。"
            "请改大,或不加 --shared。",
            "shared maps have cells of {cell:g} m or more and a bandwidth of {bandwidth:g} m or "
            "more: finer ones point at doors. Choose larger ones, or leave --shared out.",
        ),
        "sharing-source": (
            "共享表只含群众报告的事件;请把来源设为群众报告。",
            "shared tables count what people reported, nothing else; choose the source reported.",
        ),
    }
)


LEAST_CELL, LEAST_BANDWIDTH = 200.0, 300.0  # metres, of a map for others
#: keys of the analysts' provenance that others may read
_OPEN = r"format|crs\.|incidents\.|filter\.|classes|parameter\.|rates\.|caption"


def shared_layers(
    shared: Shared,
    found: Hotspots,
    said: Mapping[str, object] | None = None,
    steps: Steps = one_after_another,
) -> dict[str, pd.DataFrame]:
    """The layers of a file for leaders: areas, cells without counts, tables, provenance.

    Cells and density are those of ``found``'s selection without sensitive events and off the piles
    that ``shared.prepared`` has in doubt, whatever ``found`` held, as the pages draw them, and
    never where fewer than eight households live; classes have one list of limits for all months.
    Raises :class:`InputError` where the selection is no row of the published tables.
    """
    period, kind = picked(shared, found)
    how = found.parameters
    if how.cell < LEAST_CELL or how.bandwidth < LEAST_BANDWIDTH:
        least: dict[str, object] = {"cell": LEAST_CELL, "bandwidth": LEAST_BANDWIDTH}
        raise InputError([Problem("sharing-fine", params=least)])
    open_to_all = without_sensitive(shared.prepared)
    chosen = replace(found.selection, without_piles=True)
    piles = not found.selection.without_piles and len(open_to_all.quality.piled) > 0
    drawn = replace(found, selection=chosen)
    if open_to_all is not shared.prepared or piles:
        drawn = analyse(open_to_all, chosen, found.parameters, steps=steps)
    drawn = with_limits(open_to_all, drawn, hot=True)
    few = few_households(open_to_all) | few_events(drawn) | shared.beyond(drawn.cells)
    layers: dict[str, pd.DataFrame] = {
        "cells": _cells(open_to_all, drawn, few),
        "density": density_layer(open_to_all, drawn, hot_only=True, hidden=few, steps=steps),
    }
    told = told_by(shared.prepared.events, "reported", openly=True)
    for name in shared.areas.levels:
        layers[f"by_{name}"] = _areas(shared, name, period, kind, told)
    layers["tables"] = shared.listed(_long(shared.common))
    layers["sensitive"] = shared.listed(_long(shared.sensitive))
    lines = {**(said or {}), **published_counts(shared, period, kind)}
    layers["provenance"] = open_provenance(shared.prepared, drawn, lines)
    return layers


def open_provenance(
    prepared: Prepared, found: Hotspots, said: Mapping[str, object]
) -> pd.DataFrame:
    """Key and value of what made an output for others.

    What a selection's own counts would give away stays out, and what is told of all events is
    round: less the published ones it would be that of the sensitive kinds, and less last month's
    that of a few events.
    """
    whole = provenance(prepared, found, {})
    kept = whole[whole["key"].str.match(_OPEN)]
    events, quality = prepared.events, prepared.quality
    many = len(events)
    piled = coarse(len(quality.piled) / many, many) if many else 0.0
    more = {
        **said,
        "count.read": about(many), "count.repeats_dropped": about(events.repeats),
        "share.placed": f"{coarse(quality.share, many):.2f}",
        "share.left_off_piles": f"{piled:.2f}",
        "sharing.threshold": f"<{THRESHOLD}",
        "sharing.least_households": f"about {LEAST_HOUSEHOLDS}, estimated from residents"
        if prepared.estimated else LEAST_HOUSEHOLDS,
        "sharing.least_events_around": LEAST_AROUND,
        "sharing.sensitive": f"by beat and coarser, whole years, from {SENSITIVE_THRESHOLD}",
    }  # fmt: skip
    lines = pd.DataFrame({"key": list(more), "value": [str(v) for v in more.values()]})
    return pd.concat([kept, lines], ignore_index=True)


def published_counts(shared: Shared | None, period: str, kind: str) -> dict[str, str]:
    """Events of a selection that lie in the county, and those without a place or outside it, as
    the published tables tell them; "—" where these do not."""
    try:
        rows = None if shared is None else shared.rows("county", period, kind)
    except (KeyError, ValueError):
        rows = None
    shown = {} if rows is None else dict(zip(rows["code"], rows["shown"], strict=True))
    other = shown.pop(ELSEWHERE, "—")
    return {"count.in_county": next(iter(shown.values()), "—"), "count.not_on_map": other}


def write_shared(
    shared: Shared,
    found: Hotspots,
    path: str | Path,
    said: Mapping[str, object] | None = None,
    steps: Steps = one_after_another,
) -> None:
    """Write the leaders' file, whole or not at all; raises InputError."""
    write_whole(shared_layers(shared, found, said, steps), path)


def picked(shared: Shared, found: Hotspots) -> tuple[str, str]:
    """Period and class of a selection as the published tables name them; raises
    :class:`InputError` where it is no row of these."""
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


def _areas(
    shared: Shared, name: LevelName, period: str, kind: str, told: Told | None
) -> gpd.GeoDataFrame:
    """One row an area: count, rate, closure and changes only where each number they are made of is
    shown."""
    areas = shared.areas
    level = areas.levels[name]
    try:
        table = shared.rows(name, period, kind)
    except (KeyError, ValueError):  # that table was left out, or has no such month
        table = pd.DataFrame({"code": [*map(str, level.codes)], "count": np.nan, "shown": "—"})
    without = len(table) - len(level)  # rows for what lies outside or has no place
    table.insert(1, "name", [*level.names, *[""] * without])
    table["suppressed"] = table["count"].isna().astype(np.int64)
    people = np.append(getattr(level, areas.per), [np.nan] * without)
    enough = table["count"] >= ENOUGH
    table["rate_per_1000"] = (table["count"] / people * 1000).where(enough & (people > 0))
    table["closed"] = table["dispatched"] = np.nan
    if not kind:
        try:
            loop = shared.loop(name, period).set_index("code").reindex(table["code"])
            table["closed"], table["dispatched"] = loop["closed"].array, loop["dispatched"].array
        except (KeyError, ValueError):  # no table of the loop at this level, or no state is told
            table["closed"] = np.nan
    table["closure_rate"] = (table["closed"] / table["dispatched"]).where(
        table["dispatched"] >= ENOUGH
    )
    for column, earlier in (
        ("change_on_period", _earlier(period, 1)), ("change_on_year", _earlier(period, 12)),
    ):  # fmt: skip
        table[column] = np.nan
        if earlier and _alike(shared, period, earlier, told):
            try:
                before = shared.rows(name, earlier, kind).set_index("code")["count"]
            except (KeyError, ValueError):
                continue
            past = before.reindex(table["code"], fill_value=0.0)
            table[column] = change(table["count"].to_numpy(), past.to_numpy())
    shapes = np.array([*areas.shapes(name), *[None] * without], dtype=object)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=areas.crs)


def _alike(shared: Shared, period: str, earlier: str, told: Told | None) -> bool:
    """May two periods be compared? Not a year of which months are missing, nor a month of which
    days are."""
    if told is None or not all(told.whole(period_named(each)) for each in (period, earlier)):
        return False
    span = shared.common.span
    return len(period) != 4 or all(
        sum(month.startswith(year) for month in span) == 12 for year in (period, earlier)
    )


def _earlier(period: str, months: int) -> str:
    """The period before, or the same a year earlier, in the tables' words."""
    if len(period) == 4:
        return str(int(period) - 1)
    return str(np.datetime64(period, "M") - months) if period else ""


def _cells(prepared: Prepared, found: Hotspots, hidden: NDArray[np.bool_]) -> gpd.GeoDataFrame:
    """Significant cells and their words but for ``hidden`` ones, (ny, nx); no count, no test value
    that gives one back."""
    inside = found.cells.inside
    keep = found.significance.significant.copy()
    course = np.zeros(inside.shape, dtype=np.int8)
    if found.development is not None:
        course = found.development.course
        keep |= course > 0
    keep &= ~hidden
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
    shapes = found.cells.polygons(keep)
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=prepared.areas.crs)


def _long(grown: Grown) -> pd.DataFrame:
    """Every published table as rows: level, code, period, kind, state, count, shown."""
    parts = [
        _rows(held, table)
        for each, time in ((grown.months, "month"), (grown.years, "year"))
        for held in each.values()
        for table in held.marks
        if table[1] == time  # a year holds its months too, as they stand
        and (table[3] == ALL or held.cube.axes[3].leaves > 1)  # else the total says it
    ]
    if not parts:
        columns = ["level", "code", "period", "kind", "state", "count", "shown"]
        return pd.DataFrame(columns=columns).astype({"count": float})
    return pd.concat(parts, ignore_index=True)


def _rows(held: Protected, table: Table) -> pd.DataFrame:
    values, texts = held.shown(table), held.text(table)
    where = np.indices(values.shape).reshape(values.ndim, -1)
    columns = {
        name: np.array([axis.label(level, i) for i in range(axis.size(level))])[at]
        for name, axis, level, at in zip(
            ("code", "period", "kind", "state"), held.cube.axes, table, where, strict=True
        )
    }
    part = pd.DataFrame({"level": table[0], **columns})
    part["count"], part["shown"] = values.ravel(), texts.ravel().astype(str)
    return part
