"""From a layer as it stands in a file to the canonical columns its role needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.columns import ColumnFound, Role, meanings_of, recognise
from geo.personal import Dropped, blank_personal, is_personal_name, masked
from geo.read.layer import COUNTS, Raw
from geo.read.limits import LIMITS
from geo.read.place import place_rows
from geo.read.report import Report, listed
from geo.read.shapes import WANTED, settle
from geo.read.times import join_date_and_clock, parse_times
from geo.read.values import as_text, clean_text, distinct, parse_codes, parse_numbers

#: canonical columns by how their cells are read
CODES = frozenset(("code", "village_code", "class_code"))
TIMES = frozenset(("time", "closed_time", "date", "clock"))
PLACES = frozenset(("lon", "lat", "lonlat", "wkt"))
#: never kept: rows are renumbered instead (an incident's is looked at to find repeated rows)
IDS = frozenset(("household_id", "incident_id"))
#: roles whose rows stay when they have no usable place: they are counted as unplaced
KEEPS_UNPLACED = frozenset(("households", "incidents", "officers", "groups", "stations"))
#: households of a ready-made area that states only its people (census of 2020: 2.62 a household)
PERSONS_PER_HOUSEHOLD = 2.62


@dataclass
class Chooser:
    """Decides, from a file's column names, which columns may be loaded and what they are."""

    role: Role
    given: Mapping[str, str]
    report: Report
    names: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)

    def from_map(self, names: Sequence[str]) -> list[str]:
        """Columns to load from a file that has shapes of its own."""
        return self._wanted(names, places=False)

    def from_table(self, names: Sequence[str]) -> list[str]:
        """Columns to load from a table, coordinates among them."""
        return self._wanted(names, places=True)

    def coordinates(self, names: Sequence[str]) -> list[str]:
        """Those of a table's columns that are read as longitudes and latitudes, or not at all."""
        given = {name: canonical for canonical, name in self.given.items()}
        known = {
            name: {given[name]} if name in given else set(meanings_of(name, self.role))
            for name in names
        }
        return [name for name in names if known[name] and known[name] <= {"lon", "lat"}]

    def _wanted(self, names: Sequence[str], *, places: bool) -> list[str]:
        self.names = self.report.columns = list(names)
        self.personal = [name for name in names if is_personal_name(name)]
        for canonical, name in self.given.items():
            if name not in names:
                shown = ", ".join(map(masked, names[:30]))
                self.report.error("column_missing", column=name, meaning=canonical, columns=shown)
            elif name in self.personal:
                self.report.error("column_personal", column=name)
        self.report.stop_on_errors()
        skip = {"household_id"} if places else {"household_id"} | PLACES
        open_names = [name for name in names if name not in self.personal]
        known = {n: set(meanings_of(n, self.role)) - skip for n in open_names}
        chosen = [n for n in open_names if known[n] or n in self.given.values()]
        found = {meaning for n in chosen for meaning in known[n]} | set(self.given)
        if places and not ({"lon", "lat"} <= found or found & {"lonlat", "wkt"}):
            return open_names  # a place may be told from the values of any column
        return chosen

    def recognised(self, columns: Mapping[str, pd.Series[Any]]) -> list[ColumnFound]:
        """What each column was taken for, with the values at hand to break ties."""
        telling = {
            name: 0.0 if len(values) > 1 and _constant(values) else 1.0
            for name, values in columns.items()
        }
        return recognise(
            self.names, self.role, given=self.given, telling=telling, personal=self.personal
        )


def _constant(values: pd.Series[Any]) -> bool:
    head = values.iloc[:1000]
    first = head.iloc[0]
    if isinstance(first, (list, dict, np.ndarray)):
        return False
    return bool(head.isna().all()) or bool((head == first).all())


@dataclass
class Assembled:
    """Rows of a layer, ready to be framed: canonical columns and one shape a row (or none)."""

    columns: dict[str, pd.Series[Any]]
    shapes: NDArray[np.object_] | None
    raw: Raw
    found: list[ColumnFound]
    dropped: list[Dropped]


def assemble(raw: Raw, role: Role, chooser: Chooser, report: Report) -> Assembled:
    """Clean, check and reduce one layer; every problem goes to ``report``."""
    if raw.rows == 0:
        report.stop_on_errors()
        report.fail("no_rows")
    found = chooser.recognised(raw.columns)
    by_canonical = {c.canonical: c.source for c in found if c.canonical}
    dropped = [Dropped(name, "column", raw.rows) for name in chooser.personal]
    if raw.shapes is None:
        found = place_rows(raw, role, by_canonical, found, report)
        by_canonical = {c.canonical: c.source for c in found if c.canonical}
    found = [_as_used(column, by_canonical, raw) for column in found]
    columns: dict[str, pd.Series[Any]] = {}
    for canonical, source in by_canonical.items():
        if source in raw.columns and canonical not in PLACES | IDS | TIMES | COUNTS:
            columns[canonical] = _text(canonical, source, raw, dropped, report)
    labels = columns.get("name", columns.get("code"))

    def name_of(row: int) -> str | None:
        """What a repaired shape is called in a message."""
        name = None if labels is None else labels.iloc[row]
        return masked(name) if isinstance(name, str) else None

    settle(raw, role, name_of, report)
    for canonical in by_canonical.keys() & COUNTS:
        columns[canonical] = _counts(canonical, by_canonical[canonical], raw, role, report)
    if role == "incidents":
        columns |= _incident_times(by_canonical, raw, report)
    if role == "households":
        columns = _household_columns(columns, raw, report)
    identity = raw.columns.get(by_canonical.get("incident_id", ""))
    columns = _usable_rows(columns, identity, raw, role, report)
    if role == "incidents":
        columns = {"incident_id": pd.Series(np.arange(1, raw.rows + 1)), **columns}
    if dropped:
        total = ", ".join(dict.fromkeys(d.column for d in dropped))
        report.note("personal_dropped", columns=total, cells=sum(d.count for d in dropped))
    return Assembled(columns, raw.shapes, raw, found, dropped)


def _usable_rows(
    columns: dict[str, pd.Series[Any]],
    identity: pd.Series[Any] | None,
    raw: Raw,
    role: Role,
    report: Report,
) -> dict[str, pd.Series[Any]]:
    """Leave out rows without the shape they are about, and incidents told twice."""
    shapes = raw.shapes
    good = np.ones(raw.rows, dtype=bool)
    if shapes is not None and role not in KEEPS_UNPLACED:
        good = ~shapely.is_missing(shapes)
        if not good.any():
            report.stop_on_errors()
            report.fail("nothing_usable", wanted=_wanted_words(role))
    elif role == "incidents" and shapes is not None and "time" in columns:
        good = ~_told_before(columns, shapes, identity)
        if not good.all():
            rows = np.flatnonzero(~good)
            report.warn("incidents_repeated", rows=listed(raw, rows), count=len(rows))
    if good.all():
        return columns
    if raw.extra.get("no_place") is not None:
        raw.extra["no_place"] = raw.extra["no_place"][good]
    raw.numbers = np.array([raw.number(int(i)) for i in np.flatnonzero(good)])
    raw.rows = int(good.sum())
    raw.shapes = None if shapes is None else shapes[good]
    return {name: values[good].reset_index(drop=True) for name, values in columns.items()}


def _told_before(
    columns: dict[str, pd.Series[Any]],
    shapes: NDArray[np.object_],
    identity: pd.Series[Any] | None,
) -> NDArray[np.bool_]:
    """Rows that repeat an earlier one's number, minute, place and kind: one for each party."""
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    exact = (columns["time_precision"] == "minute").to_numpy(dtype=bool)
    # only what shares its minute and its place with another row is compared in all else
    near = pd.DataFrame({"time": columns["time"].to_numpy(), "x": x, "y": y})
    rows = np.flatnonzero(near.duplicated(keep=False) & near.notna().all(axis=1))
    keys = near.iloc[rows].reset_index(drop=True)
    others: dict[str, pd.Series[Any]] = {
        n: columns[n] for n in ("category", "subtype") if n in columns
    }
    if identity is not None:
        others["identity"] = identity
    for name, values in others.items():
        keys[name] = as_text(values.iloc[rows]).to_numpy()
    told = np.zeros(len(x), dtype=bool)
    told[rows] = keys.duplicated().to_numpy()
    return told & exact


def _as_used(column: ColumnFound, by_canonical: Mapping[str, str], raw: Raw) -> ColumnFound:
    """What a column was really used for: places in a map are not, a lone clock is the time."""
    used = column.canonical
    if used in PLACES:
        if raw.extra.get("placed_by") is None or used not in raw.extra["placed_by"]:
            return ColumnFound(column.source, None, "unused")
    elif used in ("date", "clock") and not {"date", "clock"} <= by_canonical.keys():
        return ColumnFound(column.source, "time", column.why)
    return column


def _wanted_words(role: Role) -> str:
    return "/".join(("point", "line", "polygon")[kind] for kind in WANTED[role])


def _text(
    canonical: str, source: str, raw: Raw, dropped: list[Dropped], report: Report
) -> pd.Series[Any]:
    """A kept text column: cleaned, personal numbers emptied; each different text looked at once."""
    values = raw.columns[source]
    if pd.api.types.is_object_dtype(values):
        values = values.map(_first_of_list)
    few = distinct(values)
    weights = None
    if few is not None:
        values, code = few
        weights = np.bincount(code[code >= 0], minlength=len(values))
    is_code = canonical in CODES
    if is_code:
        text, lost, padded = parse_codes(values, weights)
        if lost.any() and canonical != "class_code":
            hit = lost if few is None else np.append(lost, False)[code]
            rows = listed(raw, np.flatnonzero(hit))
            report.error("code_scientific", column=source, rows=rows)
        if padded:
            report.warn("zeros_restored", column=source, count=padded)
        hidden = cut = 0
    else:
        text, hidden, cut = clean_text(values, weights)
    if hidden:
        report.warn("hidden_characters", column=source, count=hidden)
    if cut:
        report.warn("text_cut", column=source, count=cut, limit=LIMITS.name_length)
    text, counts = blank_personal(text, is_code=is_code, weights=weights)
    dropped += [Dropped(source, kind, count) for kind, count in sorted(counts.items())]
    if few is not None:
        return pd.Series(text.astype("str").array.take(code, allow_fill=True))
    return text.reset_index(drop=True)


def _first_of_list(value: object) -> object:
    """The first member of a list cell (OpenStreetMap's merged ways carry several classes)."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return value[0] if len(value) else None
    if isinstance(value, str) and value.startswith("['"):
        return value[2:].partition("'")[0]
    return value


def _counts(canonical: str, source: str, raw: Raw, role: Role, report: Report) -> pd.Series[Any]:
    """Households or persons as whole numbers, NaN where a cell cannot be one."""
    numbers, bad = parse_numbers(raw.columns[source])
    if bad.any():
        rows = np.flatnonzero(bad)
        value = masked(raw.columns[source].iloc[int(rows[0])])
        report.warn(
            "count_not_number", column=source, rows=listed(raw, rows), value=value, count=len(rows)
        )
    with np.errstate(invalid="ignore"):
        tests = (
            ("count_negative", numbers < 0, True),
            ("count_huge", numbers > LIMITS.count, True),
            ("count_fraction", (numbers % 1 != 0) & np.isfinite(numbers), False),
        )
        for code, hit, unusable in tests:
            hit &= np.isfinite(numbers)
            if hit.any():
                rows = np.flatnonzero(hit)
                report.warn(code, column=source, rows=listed(raw, rows), count=len(rows))
                if unusable:
                    numbers = np.where(hit, np.nan, numbers)
    return pd.Series(np.rint(numbers))


def _household_columns(
    columns: dict[str, pd.Series[Any]], raw: Raw, report: Report
) -> dict[str, pd.Series[Any]]:
    """Number the rows anew and settle the count of households in each."""
    areas = np.zeros(raw.rows, dtype=bool)
    if raw.shapes is not None:
        areas = shapely.get_dimensions(raw.shapes) == 2
    persons = columns.get("persons")
    counts = columns.get("households")
    if counts is None:
        one = np.ones(raw.rows)
        if areas.any() and persons is not None:
            one = np.where(areas, np.rint(persons.fillna(0) / PERSONS_PER_HOUSEHOLD), 1)
            report.warn("households_estimated", ratio=PERSONS_PER_HOUSEHOLD)
        elif areas.any():
            report.warn("areas_without_counts")
        counts = pd.Series(one)
    elif counts.isna().any():
        # A point without a count is one household; an area without one is uninhabited.
        missing = counts.isna().to_numpy()
        counts = counts.where(~missing, pd.Series(np.where(areas, 0.0, 1.0)))
        if (missing & areas).any():
            report.note("areas_empty", count=int((missing & areas).sum()))
    columns["households"] = counts.astype("int64")
    return {"household_id": pd.Series(np.arange(1, raw.rows + 1)), **columns}


def _incident_times(
    by_canonical: Mapping[str, str], raw: Raw, report: Report
) -> dict[str, pd.Series[Any]]:
    """Times of incidents, and whether they are told to the minute, the day or the month."""
    out: dict[str, pd.Series[Any]] = {}
    joined = None
    date, clock = by_canonical.get("date"), by_canonical.get("clock")
    if date and clock:
        joined = join_date_and_clock(raw.columns[date], raw.columns[clock])
    for canonical in ("time", "closed_time"):
        source = by_canonical.get(canonical)
        values = raw.columns[source] if source else None
        if canonical == "time" and joined is not None:
            source, values = f"{date}, {clock}", joined
        elif canonical == "time" and values is None and (date or clock):
            source = date or clock
            values = raw.columns[str(source)]
        if values is None:
            continue
        times, precision, bad = parse_times(values)
        if bad.any():
            rows = np.flatnonzero(bad)
            report.warn("time_unreadable", column=source, rows=listed(raw, rows), count=len(rows))
        out[canonical] = pd.Series(times)
        if canonical == "time":
            out["time_precision"] = pd.Series(precision).astype("str")
    return out
