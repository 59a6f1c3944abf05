"""What may be told of events in numbers: read from the protected tables, never counted; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from incidents.areas import ENOUGH, Level, LevelName, change
from incidents.loop import Closure
from incidents.share_axes import ELSEWHERE
from ui.event_choices import (
    compared_with,
    is_part,
    months_of,
    months_told,
    part_words,
    years_in,
)
from ui.format import DASH, name_text, signed_share, whole
from ui.words import Language, word

if TYPE_CHECKING:
    from ui.study import Study

TENFOLD = 10.0
FEW_UNKNOWN = 0.05  # of the areas may lack their people, and a rate of the county still be told


def published(study: Study, level: LevelName, period: str, kind: str) -> pd.DataFrame | None:
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


def _published_before(
    study: Study, level: LevelName, period: str, kind: str, months: int
) -> pd.DataFrame | None:
    """The table that a period is compared with; of several months, their sum."""
    others = compared_with(study, period, months)
    parts = [published(study, level, other, kind) for other in others]
    if not parts or any(part is None for part in parts):
        return None
    told = [part for part in parts if part is not None]
    if len(told) == 1:
        return told[0]
    codes = max(told, key=len).index
    counts = [part["count"].reindex(codes, fill_value=0.0) for part in told]
    return pd.DataFrame({"count": sum(counts[1:], counts[0])})


def area_rows(study: Study, level: LevelName, period: str, kind: str) -> pd.DataFrame:
    """code, name, shown, count, rate (per 1,000 people, or households where no people are known),
    on_period, on_year, NaN where not shown; closure in words, of all classes only."""
    now = published(study, level, period, kind)
    areas = study.areas.levels[level]
    codes = [str(code) for code in areas.codes]
    names = [name_text(n) or c for n, c in zip(areas.names, codes, strict=True)]
    table = pd.DataFrame({"code": codes, "name": names})
    empty = np.full(len(codes), np.nan)
    if now is None:
        return table.assign(shown=DASH, count=empty, rate=empty, on_period=empty, on_year=empty,
                            closure=DASH)  # fmt: skip
    here = now.reindex(codes)
    table["shown"] = here["shown"].fillna(DASH).to_numpy()
    table["count"] = here["count"].to_numpy(dtype=float)
    people = getattr(areas, study.areas.per)
    known = (table["count"] >= ENOUGH) & (people > 0)
    table["rate"] = (table["count"] / people * 1000).where(known)
    for column, months in (("on_period", 1), ("on_year", 12)):
        before = _published_before(study, level, period, kind, months)
        table[column] = empty
        if before is not None:
            past = before.reindex(codes)["count"].to_numpy(dtype=float)
            now_count = table["count"].to_numpy()
            table[column] = np.where(
                tenfold(now_count, past), np.nan, change(now_count, past)
            )
    table["closure"] = DASH
    told = None if kind else loop_of(study, level, period)
    if told is not None:
        here = told.reindex(codes)
        table["closure"] = [
            closure_shown(float(c), float(d))
            for c, d in zip(here["closed"], here["dispatched"], strict=True)
        ]
    return table


def tenfold(now: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Where two counts are more than ten times apart: that is what data look like that tell of
    other things or of half a period, and a percentage of it says nothing."""
    high, low = np.fmax(now, past), np.fmin(now, past)
    return np.asarray((high >= ENOUGH * TENFOLD) & (high > TENFOLD * low))


def _apart(study: Study, period: str, kind: str, count: float, months: int) -> bool:
    """Is the county's count more than tenfold apart from an earlier one?"""
    before = _published_before(study, "county", period, kind, months)
    if before is None or np.isnan(count):
        return False
    return bool(tenfold(np.array([count]), before["count"].to_numpy(dtype=float)[:1])[0])


def five_numbers(
    study: Study, period: str, kind: str, language: Language
) -> tuple[tuple[str, str, str], ...]:
    """The five numbers: (label, value, note). All are of the county; what has no place or lies
    outside stands in a note, for it is in no rate and in no comparison."""
    row = area_rows(study, "county", period, kind).iloc[0]
    value, count = str(row["shown"]), float(row["count"])
    if np.isfinite(count):
        value = whole(count)
    notes = part_words(study, period, language)
    other = _elsewhere(study, period, kind)
    if other > 0:
        notes.append(word("incidents.note_elsewhere", language, count=whole(other)))
    if value == DASH and study.shared is not None:
        none = study.shared.nobody(period, kind)
        notes.append(word(f"incidents.note_{'none' if none else 'withheld'}", language))
    if study.events.sensitive.any():
        notes.append(word("incidents.note_no_sensitive", language))
    persons, unknown = people_of_county(study)
    few = word("incidents.note_no_persons", language, count=unknown) if unknown else ""
    years = years_in(study, period)
    if len(period) == 4 and months_told(study, period) < 12:
        notes.insert(0, word("incidents.note_months", language, count=months_told(study, period)))
    changes, apart = {}, {}
    for name, months in (("on_period", 1), ("on_year", 12)):
        changes[name] = signed_share(row[name], 1)
        why = ""
        if is_part(study, period, months):
            why = "part"
        elif _apart(study, period, kind, count, months):
            why = "apart"
        apart[name] = word(f"incidents.note_{why}", language) if why else ""
    homes = study.areas.per == "households"
    each, named = (1_000, "per_1000_homes") if homes else (10_000, "per_10000")
    rate = count / persons * each / years if persons > 0 and count >= ENOUGH else float("nan")
    return (
        (word("incidents.events", language), value, " · ".join(notes)),
        (word("incidents.on_period", language), changes["on_period"], apart["on_period"]),
        (word("incidents.on_year", language), changes["on_year"], apart["on_year"]),
        (word(f"incidents.{named}", language), rate_shown(rate), few),
        (word("incidents.closed", language), _closure(study, period),
         _closure_note(study, period, kind, language)),
    )  # fmt: skip


def rate_shown(rate: float) -> str:
    """A rate in two digits at least: 0.2 a year is not none."""
    return DASH if np.isnan(rate) else f"{rate:,.{1 if rate < 10 else 0}f}"


def _elsewhere(study: Study, period: str, kind: str) -> float:
    """Published events without a place or outside the county; NaN where that is not shown."""
    now = published(study, "county", period, kind)
    if now is None or ELSEWHERE not in now.index:
        return float("nan")
    return float(now.loc[ELSEWHERE, "count"])


def people_of_county(study: Study) -> tuple[float, int]:
    """People of the county (households where no people are known), and in how many areas they are
    unknown: of a few, those are left out; of many, the number is NaN."""
    per = study.areas.per
    persons = float(getattr(study.areas.levels["county"], per)[0])
    if not np.isnan(persons):
        return persons, 0
    finest: Level = max(study.areas.levels.values(), key=len)
    each = getattr(finest, per)
    unknown = int(np.isnan(each).sum())
    few = unknown <= FEW_UNKNOWN * len(finest)
    return (float(np.nansum(each)) if few else float("nan")), unknown


def loop_of(study: Study, level: LevelName, period: str) -> pd.DataFrame | None:
    """Published closed and dispatched events by code, None where there are none (yet)."""
    if study.shared is None:
        return None
    key = f"loop/{level}/{period}"
    if key not in study.kept:
        try:
            study.kept[key] = study.shared.loop(level, period).set_index("code")
        except (KeyError, ValueError):
            study.kept[key] = None
    found: pd.DataFrame | None = study.kept[key]
    return found


def closure_shown(closed: float, dispatched: float) -> str:
    """A closure rate as reports tell it, a dash where a part is withheld or too small to tell."""
    if not dispatched >= ENOUGH or np.isnan(closed):
        return DASH
    return Closure(int(dispatched), int(closed)).shown.replace("%", " %")


def _closure_note(study: Study, period: str, kind: str, language: Language) -> str:
    """Of a part no month's closure is published: its leaders need not wonder."""
    if study.whole is not None and len(period) == len("2024-03"):
        return word("incidents.note_by_year", language)
    return word("incidents.note_all_kinds", language) if kind else ""


def _closure(study: Study, period: str) -> str:
    """Closure of the county's events of a period, all classes together."""
    told = loop_of(study, "county", period)
    code = str(study.areas.levels["county"].codes[0])
    if told is None or code not in told.index:
        return DASH
    return closure_shown(*(float(told.loc[code, c]) for c in ("closed", "dispatched")))


def by_month(study: Study, kind: str) -> pd.DataFrame:
    """month, count of the county through time; NaN where not shown."""
    rows = []
    for month in months_of(study):
        table = published(study, "county", month, kind)
        value = float("nan") if table is None else float(table["count"].iloc[0])
        rows.append((month, value))
    return pd.DataFrame(rows, columns=["month", "count"])
