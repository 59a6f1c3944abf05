"""Periods of time: half-open, local, to the day; the period before and the same a year earlier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]


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

    def before(self, times: Times) -> Period | None:
        """The period of the same length just before (months as months), None for an open one or
        where ``times`` do not reach back to its beginning: half a period is nothing to compare."""
        if self.since is None or self.until is None:
            return None
        months = _whole_months(self.since, self.until)
        if months:
            since = _day(self.since.astype("datetime64[M]") - months)
        else:
            since = _day(self.since) - (_day(self.until) - _day(self.since))
        return _reached(Period(since, self.since), times)

    def year_before(self, times: Times) -> Period | None:
        """The same days a year earlier (29 February becomes 1 March), None as in :meth:`before`."""
        if self.since is None or self.until is None:
            return None
        return _reached(Period(_year_back(self.since), _year_back(self.until)), times)

    def text(self) -> str:
        """ISO days, the last one included."""
        first = "" if self.since is None else str(_day(self.since))
        last = "" if self.until is None else str(_day(self.until) - 1)
        return f"{first}/{last}"


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


def _reached(period: Period, times: Times) -> Period | None:
    told = times[~np.isnat(times)]
    if not len(told) or period.since is None:
        return None
    # data of a month begin on some day of it
    first = told.min().astype("datetime64[M]").astype("datetime64[D]")
    return period if first <= period.since else None
