"""Hour and weekday of events known only as an interval ("while we were away").

Aoristic weights (Ratcliffe 2000): an event's one count is spread over the hours it may have
happened in, each in the share of the interval that lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidents.cells import FloatArray, IntArray

_WEEK = 168
_MONDAY = 3 * 24  # 1970-01-01 was a Thursday: hour 0 of the epoch is hour 72 of the week
_BLOCK = 50_000  # events spread at once: at most 8 million hours


@dataclass(frozen=True, eq=False)
class WeekTable:
    """Events by weekday and hour, local time as given.

    Attributes
    ----------
    events : (7, 24) Monday first; sums to ``used``.
    used : events spread; ``without_time`` had no start; ``reversed_`` ended before they began.
    spread : events of more than an hour, for which the hour is a guess.
    """

    events: FloatArray
    used: int
    without_time: int
    reversed_: int
    spread: int


def by_week_hour(
    start: NDArray[np.datetime64], end: NDArray[np.datetime64] | None = None
) -> WeekTable:
    """Hour x weekday of (n,) events, evenly over the hours between start and end.

    A missing end (NaT, or None for all) means the start is the time. An event without a start, or
    with an end before its start, is not used but counted. Intervals of whole weeks spread evenly
    over the week.

    Wrong where a date alone was recorded: midnight then looks busy; give such events the end of
    their day. Raises ValueError when the lengths differ.
    """
    first = np.asarray(start, dtype="datetime64[s]")
    last = first if end is None else np.asarray(end, dtype="datetime64[s]")
    if first.shape != last.shape:
        raise ValueError(f"{first.size} starts and {last.size} ends")
    last = np.where(np.isnat(last), first, last)
    known = ~np.isnat(first)
    backwards = known & (last < first)
    usable = known & ~backwards
    begin = first[usable].astype(np.int64) / 3600.0
    finish = last[usable].astype(np.int64) / 3600.0
    table = np.zeros(_WEEK)
    for at in range(0, len(begin), _BLOCK):
        table += _spread(begin[at : at + _BLOCK], finish[at : at + _BLOCK])
    return WeekTable(
        table.reshape(7, 24),
        int(usable.sum()),
        int((~known).sum()),
        int(backwards.sum()),
        int((finish - begin > 1.0).sum()),
    )


def _spread(begin: FloatArray, finish: FloatArray) -> FloatArray:
    """(168,) weights of intervals in hours since the epoch; each interval weighs 1."""
    length = finish - begin
    weeks = np.floor(length / _WEEK)
    share = np.divide(weeks * _WEEK, length, out=np.zeros(len(length)), where=length > 0)
    even = float(share.sum()) / _WEEK
    rest_end = begin + (length - weeks * _WEEK)
    low = np.floor(begin).astype(np.int64)
    high = np.maximum(np.ceil(rest_end).astype(np.int64), low + 1)
    hours: IntArray = high - low
    event = np.repeat(np.arange(len(begin)), hours)
    hour = np.arange(len(event)) - np.repeat(np.cumsum(hours) - hours, hours) + low[event]
    overlap = np.minimum(rest_end[event], hour + 1.0) - np.maximum(begin[event], hour)
    weight = np.divide(overlap, length[event], out=np.ones(len(event)), where=length[event] > 0)
    return np.asarray(np.bincount((hour + _MONDAY) % _WEEK, weight, _WEEK) + even)
