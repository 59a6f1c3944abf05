"""Periods and classes that a leader or an analyst chooses from; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from incidents.period import Period, Told, period_named
from incidents.selection import told_by
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


def told(study: Study) -> Told | None:
    """Of which days the events that leaders see tell, None where none tells its time."""
    county = study.county  # one publication, also for a part
    return county.once("told", lambda: told_by(county.events, "reported", openly=True))


def first_period(study: Study) -> str:
    """What a leader sees first: the last whole month that holds enough to map, else its year, else
    all of the time.

    A month that is not over opens with fewer events than the one before and nothing to compare
    them with: that looks like good news and is none. It can be chosen, and says how far it goes.
    """
    return study.once("first period", lambda: _first_period(study))


def _first_period(study: Study) -> str:
    months = months_of(study)
    whole = [month for month in months if is_whole(study, month)] or months
    if not whole:
        return ""
    times, last = study.county.open.events.months, whole[-1]
    if int((times == np.datetime64(last, "M").astype(np.int64)).sum()) >= ENOUGH_TO_MAP:
        return last
    year = np.datetime64(last, "Y").astype("datetime64[M]").astype(np.int64)
    held = (times >= year) & (times < year + 12)
    return last[:4] if int(held.sum()) >= ENOUGH_TO_MAP else ""


def is_whole(study: Study, key: str) -> bool:
    """Do the data tell of every day of a month or year, but for three at either end of them?"""
    known = told(study)
    return known is not None and known.whole(period_of(key))


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
    return period_named(key)


def months_told(study: Study, year: str) -> int:
    """How many months of a year lie between the first event and the last."""
    return sum(month.startswith(year) for month in months_of(study))


def compared_with(study: Study, key: str, months: int) -> list[str]:
    """The choices that one is compared with, ``months`` 1 for the period before, 12 for last
    year; none where there is nothing like it, or where one of the two is told in part.

    A year that is not over is compared month by month: with as many months before it, and with
    the same months of last year. A year that began half-way is compared with nothing.
    """
    now, others = _alike(study, key, months)
    return others if all(is_whole(study, each) for each in (*now, *others)) else []


def is_part(study: Study, key: str, months: int) -> bool:
    """Is a choice compared with nothing only because one of the two is told in part?"""
    now, others = _alike(study, key, months)
    return bool(others) and not all(is_whole(study, each) for each in (*now, *others))


def _alike(study: Study, key: str, months: int) -> tuple[list[str], list[str]]:
    """The months (or the year) of a choice, and those it would be compared with were all told."""
    if not key:
        return [], []
    known = months_of(study)
    if len(key) == 4:
        many = months_told(study, key)
        first = np.datetime64(f"{key}-01", "M")
        if many == 12:
            last = str(int(key) - 1)
            return [key], [last] if months_told(study, last) == 12 else []
        if str(first) not in known:
            return [], []
    else:
        many, first = 1, np.datetime64(key, "M")
    start = first - (12 if months == 12 else many)
    now = [str(month) for month in np.arange(first, first + many)]
    others = [str(month) for month in np.arange(start, start + many)]
    return now, others if set(others) <= set(known) else []


def years_in(study: Study, key: str) -> float:
    """How many years of a choice the data tell of: a month is a twelfth, a part of one less."""
    return years_of(study, period_of(key))


def years_of(study: Study, period: Period) -> float:
    """How many years of a period the data tell of; a month where no event tells its time."""
    known = told(study)
    return 1 / 12 if known is None else known.years(period)


def part_words(study: Study, key: str, language: Language) -> list[str]:
    """Which of its months a choice is told in part of, in words; nothing where of none.

    A month is the finest time that leaders are told: not the day of the first or last event.
    """
    known = told(study)
    if known is None or not key:
        return []
    days = zip(("from", "until"), known.within(period_of(key)), strict=True)
    over = len(key) == 4 and months_told(study, key) < 12  # of a year that is told by months
    return [
        word(f"incidents.note_{side}", language, month=month_words(day, language))
        for side, day in days
        if day is not None and not (over and is_whole(study, str(day.astype("datetime64[M]"))))
    ]


def part_notes(study: Study, language: Language) -> list[str]:
    """That the first or the last month of the data is told in part, where it is."""
    known = told(study)
    if known is None:
        return []
    notes = []
    for side, day in (("begins", known.first), ("ends", known.last)):
        if not is_whole(study, str(day.astype("datetime64[M]"))):
            notes.append(word(f"incidents.note_{side}", language, year=str(day)[:4],
                              month=month_words(day, language)))  # fmt: skip
    return notes


def month_words(day: np.datetime64, language: Language) -> str:
    """The month of a day, without its year."""
    return word("incidents.month_names", language).split("|")[int(str(day).split("-")[1]) - 1]
