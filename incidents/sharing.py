"""What leaves the analyst's desk: tables of areas and months, protected together; no event's place.

Months and years are protected once (:mod:`incidents.growing`), and every shared view is read from
them: a filter chooses rows, it computes nothing anew. So two views with different filters, and two
files of different months, hold no more than the whole does. Only what people reported is shared:
were finds on patrol added in a second table, the two could be subtracted. Kinds marked sensitive
stand in tables of their own, by beat and coarser and year, from five; the other tables do not count
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incidents.analysis import Hotspots, Prepared
from incidents.areas import Areas, LevelName
from incidents.cells import Cells
from incidents.cube import ALL, Table
from incidents.disclosure import LEAST_HOUSEHOLDS, SENSITIVE_THRESHOLD, THRESHOLD, Protected
from incidents.growing import SENSITIVE, STATES, Grown, grow
from incidents.quality import Quality
from incidents.words import SOURCES

LEAST_AROUND = 5  # events in a cell and its neighbours, for others to see that it is hot
_TIME, _KIND, _STATE = 1, 2, 3  # numbers of axes


@dataclass(frozen=True, eq=False)
class Shared:
    """Everything that may be shown to others: ``common`` and ``sensitive`` events, each with its
    tables' marks."""

    prepared: Prepared
    common: Grown
    sensitive: Grown

    @property
    def areas(self) -> Areas:
        """The areas that rows are told of."""
        return self.prepared.areas

    def rows(self, level: LevelName, period: str = "", kind: str = "") -> pd.DataFrame:
        """Code, count (NaN unless shown), shown ("12", "<3", "—") of each area.

        ``period`` is "" for all, "2024" or "2024-03"; ``kind`` "" or a class's key. All, and a
        year that is not over, are added up: "—" where a part of them is not shown. Raises
        KeyError for a table that is not published, ValueError for a period without events.
        """
        parts = list(_tables(self.common, level, period, kind))
        if len(parts) == 1:
            return parts[0]
        whole = _added(parts)
        whole["shown"] = ["—" if np.isnan(n) else str(int(n)) for n in whole["count"]]
        return whole

    def nobody(self, period: str = "", kind: str = "") -> bool:
        """Did nobody in the county report such an event? A class that has a row was reported."""
        try:
            parts = self.common.parts(period)
        except ValueError:
            return True
        return bool(kind) and all(kind not in _kinds(held) for held, _ in parts)

    def listed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a long table (level, code, ...) that may be read: all of them."""
        return table

    def beyond(self, cells: Cells) -> NDArray[np.bool_]:
        """(ny, nx) cells that are not shown because they lie elsewhere: none."""
        return np.zeros(cells.shape, dtype=bool)

    def loop(self, level: LevelName, period: str = "") -> pd.DataFrame:
        """Code, closed, dispatched of each township or of the county, NaN where either is not
        shown; all classes together. Raises as :meth:`rows`, and KeyError where no file tells a
        state."""
        parts = [_closure(held, time, level) for held, time in self.common.parts(period)]
        if all(part is None for part in parts):
            raise KeyError(level)
        told = [part for part in parts if part is not None]
        return told[0] if len(parts) == 1 else _added(told)


def _closure(held: Protected, time: str, level: LevelName) -> pd.DataFrame | None:
    """Code, closed, dispatched of one part of a period; None where no event tells a state."""
    steps = list(held.cube.axes[_STATE].labels["state"])
    if steps == ["unsent"]:
        return None
    shown = held.shown((level, time, ALL, "state"))[:, 0, 0, :]
    states = {name: np.zeros(len(shown)) for name in STATES}
    states |= {name: shown[:, i] for i, name in enumerate(steps)}
    done = states["closed"]
    return pd.DataFrame(
        {"code": _codes(held, level), "closed": done, "dispatched": done + states["sent"]}
    )


def _kinds(held: Protected) -> list[str]:
    return list(held.cube.axes[_KIND].labels["kind"])


def _tables(grown: Grown, level: LevelName, period: str, kind: str) -> Iterator[pd.DataFrame]:
    """The parts of a period in which a kind occurs, each as code, count, shown."""
    found = False
    for held, time in grown.parts(period):
        labels = _kinds(held)
        if kind and kind not in labels:
            continue
        found = True
        table: Table = (level, time, "kind" if kind else ALL, ALL)
        at = (slice(None), 0, labels.index(kind) if kind else 0, 0)
        yield pd.DataFrame(
            {"code": _codes(held, level), "count": held.shown(table)[at],
             "shown": held.text(table)[at]}
        )  # fmt: skip
    if not found:
        raise ValueError(f"no event of {kind} in {period}")


def _codes(held: Protected, level: LevelName) -> list[str]:
    area = held.cube.axes[0]
    return [area.label(level, i) for i in range(area.size(level))]


def _added(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Numbers of several periods added by code; NaN where one of them is not shown."""
    numbers = [part.set_index("code").select_dtypes("number") for part in parts]
    codes = max(numbers, key=len).index
    whole = sum((n.reindex(codes, fill_value=0.0) for n in numbers[1:]),
                numbers[0].reindex(codes, fill_value=0.0))  # fmt: skip
    return whole.reset_index()


def share(prepared: Prepared) -> Shared:
    """Protect every table of the events. Takes seconds for a county; keep the result. Sensitive
    kinds have their tables where there are none, too: that these were made would tell of one."""
    events = prepared.events
    reported = events.source != SOURCES.index("discovered")
    common = grow(prepared, np.flatnonzero(reported & ~events.sensitive), threshold=THRESHOLD)
    kept_back = np.flatnonzero(reported & events.sensitive)
    tables: list[Table] = [
        (level, "year", ALL, ALL) for level in SENSITIVE if level in prepared.areas.levels
    ]
    secret = grow(
        prepared, kept_back, threshold=SENSITIVE_THRESHOLD, years_only=tables, most_hidden=1.0
    )
    return Shared(prepared, common, secret)


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
