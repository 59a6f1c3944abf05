"""What a leader sees of events, as plain tables and shapes: the page, the file and the sheet to
print are drawn from one :class:`Report` and know nothing else; pure.

No count under the threshold, no point and no cell of a few households enters a report, so none can
leave by any of the three ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from incidents.areas import LevelName, change
from incidents.disclosure import LEAST_HOUSEHOLDS, SENSITIVE_THRESHOLD, THRESHOLD
from incidents.hotspotfile import provenance
from incidents.period import Period
from planning.export import NOTICE_EN, NOTICE_ZH
from ui.format import DASH, name_text, share, signed_share, whole
from ui.places import Place, may_be_shown, ten_places
from ui.study import county_only, years_of
from ui.words import Language, word

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Prepared
    from incidents.selection import Selection
    from ui.study import Study

HEAT_LIGHT = ("#fecb63", "#fd9a3e", "#f1602f", "#cb1f26", "#7d0a2b")
HEAT_DARK = ("#5f3420", "#94471f", "#cc6420", "#f29a45", "#ffdf9a")
GREY_LIGHT, GREY_DARK = "#e9e8e2", "#2c3036"
SLIVER_M, LEAST_HOLE_M2 = 1.0, 2_000.0
ENOUGH_FOR_A_MONTH = 300
KEPT_RESULTS = 80  # answers a study remembers; each filter of a county has one


@dataclass(frozen=True, eq=False)
class Report:
    """All that may be shown of one period and class. Frames are in metres (``areas.crs``).

    ``cells`` has ``density_class`` and ``course``; ``outlines`` the townships (or the coarsest
    areas there are) with names; ``townships`` the table of them; ``numbers`` five pairs of label
    and value; ``lines`` the provenance.
    """

    language: Language
    place: str
    period: str
    category: str
    numbers: tuple[tuple[str, str, str], ...]
    cells: gpd.GeoDataFrame
    outlines: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame | None
    labels: tuple[str, ...]
    places: tuple[Place, ...]
    townships: pd.DataFrame
    months: pd.DataFrame
    notes: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    @property
    def notice(self) -> str:
        """The two sentences that every output bears; the first in Chinese in either language."""
        if self.language == "zh":
            return NOTICE_ZH
        return f"{NOTICE_ZH.partition('。')[0]}。 {NOTICE_EN}"


# --- periods and classes ------------------------------------------------------------------------


def period_choices(study: Study, language: Language) -> dict[str, str]:
    """Key ("", "2024", "2024-03") -> words; all, then years, then months, the newest first."""
    months = months_of(study)
    years = sorted({month[:4] for month in months}, reverse=True)
    found = {"": word("incidents.all_time", language)}
    found |= {year: word("incidents.year", language, year=year) for year in years}
    for month in reversed(months):
        year, number = month.split("-")
        found[month] = word("incidents.month", language, year=year, month=int(number))
    return found


def months_of(study: Study) -> list[str]:
    """Every month from the first event to the last, "2024-03"."""
    told = study.open.events.months
    told = told[told >= 0]
    if not len(told):
        return []
    span = np.arange(int(told.min()), int(told.max()) + 1).astype("datetime64[M]")
    return [str(month) for month in span]


def first_period(study: Study) -> str:
    """What a leader sees first: the last month, or the last year where months hold too little."""
    months = months_of(study)
    if not months:
        return ""
    times = study.open.events.months
    last = np.datetime64(months[-1], "M").astype(np.int64)
    return months[-1] if int((times == last).sum()) >= ENOUGH_FOR_A_MONTH else months[-1][:4]


def category_choices(study: Study, language: Language) -> dict[str, str]:
    """Class key -> name, "" for all; only classes that occur."""
    number = 0 if language == "zh" else 1
    found = {"": word("incidents.all_kinds", language)}
    events = study.open.events
    for i, (key, names) in enumerate(events.classes.classes.items()):
        if (events.group == i).any():
            found[key] = names[number]
    return found


def period_of(key: str) -> Period:
    """The days of a choice of :func:`period_choices`."""
    if not key:
        return Period()
    unit = "Y" if len(key) == 4 else "M"
    first = np.datetime64(key, unit)
    return Period(first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"))


def earlier(key: str, months: int) -> str:
    """The choice so many months (for a year: twelve) before; "" for all time."""
    if len(key) == 4:
        return str(int(key) - 1)
    return str(np.datetime64(key, "M") - months) if key else ""


def months_told(study: Study, year: str) -> int:
    """How many months of a year lie between the first event and the last."""
    return sum(month.startswith(year) for month in months_of(study))


def comparable(study: Study, key: str) -> bool:
    """May a choice be compared with the one before? A year that is not over, or whose
    predecessor began half-way, may not."""
    return len(key) != 4 or all(months_told(study, y) == 12 for y in (key, earlier(key, 12)))


def years_in(study: Study, key: str) -> float:
    """Length of a choice in years."""
    return years_of(study.open.events) if not key else 1.0 if len(key) == 4 else 1 / 12


def analysed(study: Study, prepared: Prepared, chosen: Selection, *, trend: bool) -> Hotspots:
    """The answer to a selection, remembered; raises InputError where no event fits."""
    from incidents.analysis import analyse

    levels = len(prepared.areas.levels)
    key = (id(prepared.events), levels, str(chosen), study.piles_real, trend)
    with study.lock:
        if key not in study.found:
            while len(study.found) >= KEPT_RESULTS:
                study.found.pop(next(iter(study.found)))
            study.found[key] = analyse(study.kept_apart(prepared), chosen, trend=trend)
        return study.found[key]


# --- the report ---------------------------------------------------------------------------------


def report(study: Study, period: str, kind: str, language: Language, place: str = "") -> Report:
    """Everything a leader may see of one period and class; raises InputError for no event."""
    from incidents.selection import Selection
    from ui.study import course_of

    category = kind or None
    chosen = Selection(period_of(period), category, "reported", without_piles=True)
    lean = study.kept.get("lean")
    if lean is None:
        lean = study.kept["lean"] = county_only(study.open)
    found = analysed(study, lean, chosen, trend=False)
    courses = course_of(study, category)
    breaks = np.empty(0) if courses is None else courses.breaks
    return Report(
        language,
        place,
        period_choices(study, language).get(period, period),
        category_choices(study, language).get(kind, kind),
        _numbers(study, period, kind, language),
        hot_cells(study, found, breaks, years_in(study, period)),
        outlines(study),
        study.roads,
        class_labels(breaks),
        tuple(ten_places(study, study.open, found, language)),
        area_rows(study, coarse_level(study), period, kind),
        _months(study, kind),
        _notes(study, found, language),
        _lines(study, found, language),
    )


def class_labels(breaks: np.ndarray) -> tuple[str, ...]:
    """Texts of the density classes: events per km² and year."""
    limits = [f"{value:,.5g}" for value in breaks]
    if not limits:
        return (DASH,)
    middle = [f"{low} – {high}" for low, high in pairwise(limits)]
    return (f"≤ {limits[0]}", *middle, f"> {limits[-1]}")


def hot_cells(
    study: Study, found: Hotspots, breaks: np.ndarray, years: float
) -> gpd.GeoDataFrame:
    """Cells significantly high that others may see: class of yearly density and course."""
    from incidents.density import classify

    shown = found.significance.hot & may_be_shown(study.open)
    inside = found.cells.inside
    pick = shown[inside]
    squares = study.kept.get("squares")
    if squares is None:
        squares = study.kept["squares"] = (found.cells.names(), found.cells.polygons())
    courses = study.courses.get(found.selection.category)
    course = courses.course[shown] if courses is not None else np.zeros(int(shown.sum()), int)
    return gpd.GeoDataFrame(
        {
            "cell": squares[0][pick],
            "density_class": classify(found.surface[shown] / years, breaks),
            "course": course,
        },
        geometry=squares[1][pick],
        crs=study.areas.crs,
    )


def coarse_level(study: Study) -> LevelName:
    """The level that leaders compare: townships, else beats, else villages."""
    for name in ("township", "beat", "village"):
        if name in study.areas.levels and len(study.areas.levels[name]) > 1:  # type: ignore[index]
            return name  # type: ignore[return-value]
    return "county"


def outlines(study: Study) -> gpd.GeoDataFrame:
    """The coarse areas with their names, made once."""
    level = coarse_level(study)
    held = study.kept.get("outlines")
    if held is None:
        names = [name_text(n) for n in study.areas.levels[level].names]
        held = gpd.GeoDataFrame(
            {"code": study.areas.levels[level].codes.astype(str), "name": names},
            geometry=without_slivers(study.areas.shapes(level)), crs=study.areas.crs,
        )  # fmt: skip
        study.kept["outlines"] = held
    return held  # type: ignore[no-any-return]


def without_slivers(shapes: np.ndarray) -> np.ndarray:
    """Areas (metres) without the hair-thin gaps between the grids they are made of."""
    solid = []
    for shape in shapely.buffer(shapely.buffer(shapes, SLIVER_M), -SLIVER_M):
        parts = [
            shapely.Polygon(part.exterior, [hole for hole in part.interiors
                                            if shapely.Polygon(hole).area > LEAST_HOLE_M2])
            for part in shapely.get_parts(shape)
        ]  # fmt: skip
        solid.append(shapely.multipolygons(parts) if len(parts) > 1 else parts[0])
    return np.array(solid, dtype=object)


def _count(study: Study, level: LevelName, period: str, kind: str) -> pd.DataFrame | None:
    """A published table, or None where there is none (yet)."""
    if study.shared is None:
        return None
    key = f"rows/{level}/{period}/{kind}"
    if key not in study.kept:
        try:
            study.kept[key] = study.shared.rows(level, period, kind).set_index("code")
        except (KeyError, ValueError):
            study.kept[key] = None
    found: pd.DataFrame | None = study.kept[key]
    return found


def area_rows(study: Study, level: LevelName, period: str, kind: str) -> pd.DataFrame:
    """code, name, shown, count, rate (per 1,000), on_period, on_year; NaN where not shown."""
    now = _count(study, level, period, kind)
    areas = study.areas.levels[level]
    codes = [str(code) for code in areas.codes]
    table = pd.DataFrame({"code": codes, "name": [name_text(n) for n in areas.names]})
    empty = np.full(len(codes), np.nan)
    if now is None:
        return table.assign(shown=DASH, count=empty, rate=empty, on_period=empty, on_year=empty)
    here = now.reindex(codes)
    table["shown"] = here["shown"].fillna(DASH).to_numpy()
    table["count"] = here["count"].to_numpy(dtype=float)
    known = (table["count"] >= 10) & (areas.persons > 0)
    table["rate"] = (table["count"] / areas.persons * 1000).where(known)
    for column, months in (("on_period", 1), ("on_year", 12)):
        before = _count(study, level, earlier(period, months), kind) if period else None
        table[column] = empty
        if before is not None:
            past = before.reindex(codes)["count"].to_numpy(dtype=float)
            table[column] = change(table["count"].to_numpy(), past)
    return table


def _numbers(
    study: Study, period: str, kind: str, language: Language
) -> tuple[tuple[str, str, str], ...]:
    """The five numbers: (label, value, note)."""
    row = area_rows(study, "county", period, kind).iloc[0]
    now = _count(study, "county", period, kind)
    value, note = str(row["shown"]), ""
    count = float(row["count"])
    if now is not None and "elsewhere" in now.index:
        other = float(now.loc["elsewhere", "count"])
        count += other
        if np.isfinite(other):
            note = word("incidents.note_elsewhere", language, count=whole(other))
    if np.isfinite(count):
        value = whole(count)
    persons = float(study.areas.levels["county"].persons[0])
    years = years_in(study, period)
    if len(period) == 4 and months_told(study, period) < 12:
        years = months_told(study, period) / 12
        part = word("incidents.note_months", language, count=months_told(study, period))
        note = f"{part} · {note}" if note else part
    told = comparable(study, period)
    changes = {
        name: signed_share(row[name], 1) if told else DASH for name in ("on_period", "on_year")
    }
    rate = count / persons * 10_000 / years if persons > 0 and count >= 10 else float("nan")
    return (
        (word("incidents.events", language), value, note),
        (word("incidents.on_period", language), changes["on_period"], ""),
        (word("incidents.on_year", language), changes["on_year"], ""),
        (word("incidents.per_10000", language), DASH if np.isnan(rate) else f"{rate:,.0f}", ""),
        (word("incidents.closed", language), _closure(study),
         word("incidents.note_all_time", language)),
    )  # fmt: skip


def _closure(study: Study) -> str:
    """Closure of everything; a dash where open, sent or closed ones are too few to be told."""
    from incidents.loop import closure
    from incidents.words import SOURCES

    events = study.open.events
    told = closure(events.take(events.source != SOURCES.index("discovered")))
    gaps = (told.dispatched - told.closed, len(events) - told.dispatched, told.closed)
    safe = all(gap == 0 or gap >= THRESHOLD for gap in gaps)
    return told.shown.replace("%", " %") if safe and told.dispatched >= 10 else DASH


def _months(study: Study, kind: str) -> pd.DataFrame:
    """month, count of the county through time; NaN where not shown."""
    rows = []
    for month in months_of(study):
        table = _count(study, "county", month, kind)
        value = float("nan") if table is None else float(table["count"].iloc[0])
        rows.append((month, value))
    return pd.DataFrame(rows, columns=["month", "count"])


def _notes(study: Study, found: Hotspots, language: Language) -> tuple[str, ...]:
    """What to know before believing the map: grave findings, piles left off, sensitive kinds."""
    quality = study.kept_apart(study.open).quality
    told = [finding.text(language) for finding in quality.findings
            if finding.grave and not finding.code.startswith("quality-pile")]  # fmt: skip
    piles = len(quality.piled)
    if piles:
        told.append(word("incidents.note_piles", language, count=whole(piles)))
    if study.events.sensitive.any():
        told.append(word("incidents.note_sensitive", language, least=SENSITIVE_THRESHOLD))
    if not found.significance.hot.any():
        told.append(word("incidents.note_no_hot", language))
    return tuple(told)


# what a selection's own counts would give away: differences of two of them are single events
_HELD_BACK = (
    "count.outside", "count.unplaced", "count.mapped", "count.selected", "count.source_unknown",
    "left_out.", "closure", "doubt", "density.breaks",
)  # fmt: skip


def _lines(study: Study, found: Hotspots, language: Language) -> tuple[tuple[str, str], ...]:
    said: Mapping[str, object] = {
        "count.with_place": share(study.prepared.quality.share, 1),
        "count.left_off_piles": len(study.kept_apart(study.open).quality.piled),
        "sharing.threshold": f"<{THRESHOLD}",
        "sharing.least_households": LEAST_HOUSEHOLDS,
        "notice.zh": NOTICE_ZH,
        "notice.en": NOTICE_EN,
    }
    table = provenance(study.open, found, said)
    told = dict(zip(table["key"].astype(str), table["value"].astype(str), strict=True))
    told["count.read"] = str(len(study.events))
    return tuple((k, v) for k, v in told.items() if not k.startswith(_HELD_BACK))
