"""Periods and classes that a leader or an analyst chooses from; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from incidents.period import Period
from ui.study import years_of
from ui.words import Language, word

if TYPE_CHECKING:
    from ui.study import Study

ENOUGH_TO_MAP = 300  # events of a period; with fewer most maps are grey


def period_choices(study: Study, language: Language) -> dict[str, str]:
    """Key ("", "2024", "2024-03") -> words; all, then years, then months, the newest first."""
    return study.once(f"periods/{language}", lambda: _period_choices(study, language))


def _period_choices(study: Study, language: Language) -> dict[str, str]:
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
    return study.once("months", lambda: _months_of(study))


def _months_of(study: Study) -> list[str]:
    told = study.county.open.events.months
    told = told[told >= 0]
    if not len(told):
        return []
    span = np.arange(int(told.min()), int(told.max()) + 1).astype("datetime64[M]")
    return [str(month) for month in span]


def first_period(study: Study) -> str:
    """What a leader sees first: the last month that holds enough to map, else the last year, else
    all of the time."""
    return study.once("first period", lambda: _first_period(study))


def _first_period(study: Study) -> str:
    months = months_of(study)
    if not months:
        return ""
    times = study.county.open.events.months
    last = np.datetime64(months[-1], "M").astype(np.int64)
    if int((times == last).sum()) >= ENOUGH_TO_MAP:
        return months[-1]
    year = np.datetime64(months[-1], "Y").astype("datetime64[M]").astype(np.int64)
    return months[-1][:4] if int((times >= year).sum()) >= ENOUGH_TO_MAP else ""


def category_choices(study: Study, language: Language) -> dict[str, str]:
    """Class key -> name, "" for all; only classes that occur, somewhere in the county."""
    return study.once(f"kinds/{language}", lambda: _category_choices(study, language))


def _category_choices(study: Study, language: Language) -> dict[str, str]:
    number = 0 if language == "zh" else 1
    found = {"": word("incidents.all_kinds", language)}
    events = study.county.open.events
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


def months_told(study: Study, year: str) -> int:
    """How many months of a year lie between the first event and the last."""
    return sum(month.startswith(year) for month in months_of(study))


def compared_with(study: Study, key: str, months: int) -> list[str]:
    """The choices that one is compared with, ``months`` 1 for the period before, 12 for last
    year; none where there is nothing like it.

    A year that is not over is compared month by month: with as many months before it, and with
    the same months of last year. A year that began half-way is compared with nothing.
    """
    if not key:
        return []
    told = months_of(study)
    if len(key) == 4:
        many = months_told(study, key)
        first = np.datetime64(f"{key}-01", "M")
        if many == 12:
            last = str(int(key) - 1)
            return [last] if months_told(study, last) == 12 else []
        if str(first) not in told:
            return []
    else:
        many, first = 1, np.datetime64(key, "M")
    start = first - (12 if months == 12 else many)
    others = [str(month) for month in np.arange(start, start + many)]
    return others if set(others) <= set(told) else []


def years_in(study: Study, key: str) -> float:
    """Length of a choice in years."""
    return years_of(study.county.open.events) if not key else 1.0 if len(key) == 4 else 1 / 12
