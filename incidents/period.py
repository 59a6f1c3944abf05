"""Periods of time: half-open, local, to the day; the period before and the same a year earlier;
and of which days the data tell.

Data seldom begin and end with a month. A month of which they tell twelve days has fewer events than
the one before, which says nothing: what is told in part is compared with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]
SLACK = 3  # days without an event, at either end of a month that still counts as told whole
LEAST_YEARS = 1 / 52  # a week: the rate of a day or two is nothing to multiply by 365


@dataclass(frozen=True)
class Period:
    """From ``since`` (included) to ``until`` (not included), days; None is open."""

    since: np.datetime64 | None = None
    until: np.datetime64 | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a period that ends before it begins."""
        if self.since is not None and self.until is not None and not self.since < self.until:
            raise ValueError(f"the period ends ({self.until}) before it begins ({self.since})")

    @property
    def open(self) -> bool:
        """Whether it holds every time there is."""
        return self.since is None and self.until is None

    def holds(self, times: Times) -> NDArray[np.bool_]:
        """Which times lie in it. An unknown time lies only in the period open on both sides."""
        inside = ~np.isnat(times)
        if self.open:
            return np.ones(len(times), dtype=bool)
        if self.since is not None:
            inside &= times >= self.since
        if self.until is not None:
            inside &= times < self.until
        return inside

    def before(self, told: Told | None) -> Period | None:
        """The period of the same length just before (months as months), None for an open one or
        where the data tell either of the two in part: half a period is nothing to compare."""
        if self.since is None or self.until is None:
            return None
        months = _whole_months(self.since, self.until)
        if months:
            since = _day(self.since.astype("datetime64[M]") - months)
        else:
            since = _day(self.since) - (_day(self.until) - _day(self.since))
        return self._compared(Period(since, self.since), told)

    def year_before(self, told: Told | None) -> Period | None:
        """The same days a year earlier (29 February becomes 1 March), None as in :meth:`before`."""
        if self.since is None or self.until is None:
            return None
        return self._compared(Period(_year_back(self.since), _year_back(self.until)), told)

    def _compared(self, other: Period, told: Told | None) -> Period | None:
        return other if told is not None and told.whole(self) and told.whole(other) else None

    def text(self) -> str:
        """ISO days, the last one included."""
        first = "" if self.since is None else str(_day(self.since))
        last = "" if self.until is None else str(_day(self.until) - 1)
        return f"{first}/{last}"


def period_named(key: str) -> Period:
    """The days of a period as tables and choices name it: "" for all, "2024" or "2024-03"."""
    if not key:
        return Period()
    first = np.datetime64(key, "Y" if len(key) == 4 else "M")
    return Period(_day(first), _day(first + 1))


@dataclass(frozen=True)
class Told:
    """The first and the last day that the data tell of, both included."""

    first: np.datetime64
    last: np.datetime64

    def whole(self, period: Period) -> bool:
        """Do they tell of a whole period, but for three days (a tenth of a short one) at an end?"""
        return self.within(period) == (None, None)

    def within(self, period: Period) -> tuple[np.datetime64 | None, np.datetime64 | None]:
        """The day from which and the day until which they tell of a period, each None where they
        reach its beginning and its end. An open side is always reached."""
        since, until, slack = period.since, period.until, SLACK
        if since is not None and until is not None:
            slack = min(slack, round(int((_day(until) - _day(since)).astype(int)) / 10))
        late = since is not None and self.first - _day(since) > np.timedelta64(slack, "D")
        early = until is not None and _day(until) - 1 - self.last > np.timedelta64(slack, "D")
        return self.first if late else None, self.last if early else None

    def years(self, period: Period) -> float:
        """How long a time of the period they tell of, months as twelfths, a week at least."""
        begin, end = _day(self.first.astype("datetime64[M]")), _month_end(self.last)
        few = np.timedelta64(SLACK, "D")
        begin = begin if self.first - begin <= few else self.first
        end = end if end - 1 - self.last <= few else self.last + 1
        since = begin if period.since is None else max(_day(period.since), begin)
        until = end if period.until is None else min(_day(period.until), end)
        return max((_position(until) - _position(since)) / 12, LEAST_YEARS)


def told_of(times: Times, precision: NDArray[np.str_]) -> Told | None:
    """Of which days events tell: ``times`` (n,), and ``precision`` (n,), "month" where no day is
    known. A month of which no event names the day is told whole. None where no time is known.
    """
    known = ~np.isnat(times)
    if not known.any():
        return None
    told, month_only = times[known], precision[known] == "month"
    ends = []
    for latest in (False, True):
        at = told.max() if latest else told.min()
        month = at.astype("datetime64[M]")
        held = (told >= month) & (told < month + 1) & ~month_only
        if held.any():
            ends.append(_day(told[held].max() if latest else told[held].min()))
        else:
            ends.append(_month_end(at) - 1 if latest else _day(month))
    return Told(ends[0], ends[1])


def _month_end(day: np.datetime64) -> np.datetime64:
    """The first day after a day's month."""
    return _day(day.astype("datetime64[M]") + 1)


def _position(day: np.datetime64) -> float:
    """Months since 1970 with the part of the month that is over."""
    month = day.astype("datetime64[M]")
    over = (day - _day(month)) / (_month_end(day) - _day(month))
    return float(month.astype(np.int64)) + float(over)


def _day(moment: np.datetime64) -> np.datetime64:
    day: np.datetime64 = moment.astype("datetime64[D]")
    return day


def _whole_months(since: np.datetime64, until: np.datetime64) -> int:
    """How many months lie between, 0 where they do not begin and end with a month."""
    first, last = since.astype("datetime64[M]"), until.astype("datetime64[M]")
    whole = _day(first) == _day(since) and _day(last) == _day(until)
    return int((last - first).astype(int)) if whole else 0


def _year_back(moment: np.datetime64) -> np.datetime64:
    day = _day(moment)
    month = day.astype("datetime64[M]")
    return _day(month - 12) + (day - _day(month))

