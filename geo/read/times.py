"""Dates and times as people write them, in local time."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geo.read.values import as_text, distinct

_DATE = re.compile(
    r"(?P<era>民国|民國|中华民国|中華民國)?(?P<y>[0-9]{2,4})\s*[-/.年]\s*(?P<m>[0-9]{1,2})"
    r"(?:\s*[-/.月]\s*(?P<d>[0-9]{1,2})\s*[日号號]?)?月?"
)
_AMERICAN = re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4}|[0-9]{2})")
_SOLID = re.compile(r"(?P<y>(19|20)[0-9]{2})(?P<m>[01][0-9])(?P<d>[0-3][0-9])")
_CLOCK = re.compile(
    r"(?:星期.|周.|週.)?[T,\s]*(?P<half>上午|下午|凌晨|早上|中午|晚上|AM|PM)?\s*"
    r"(?P<h>[0-9]{1,2})\s*[:时時点點]\s*(?:(?P<min>[0-9]{1,2})\s*[:分]?\s*"
    r"(?:(?P<s>[0-9]{1,2})(?:\.[0-9]+)?\s*秒?)?)?\s*(?P<half2>AM|PM)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_SOLID_CLOCK = re.compile(r"(?P<h>[0-2][0-9])(?P<min>[0-5][0-9])(?P<s>[0-5][0-9])?")
_EARLIEST, _LATEST = 1900, 2100
_AT_ONCE = 65_536
NAT = np.datetime64("NaT", "s")


def parse_times(
    values: pd.Series[Any],
) -> tuple[NDArray[np.datetime64], NDArray[np.str_], NDArray[np.bool_]]:
    """Local times (datetime64[s], NaT where empty or unreadable), their precision, unreadables.

    Precision is "minute", "day" or "month" ("" where there is no time). Reads ISO, 2024/3/5
    14:20, 2024年3月5日下午2时, 103年01月01日 04時30分00秒 (Minguo: years 1-200 count from 1911),
    20240305, Excel serial days, and month/day/year when no value has a first number above 12 (day
    first when one has). A stated zone is read and its local clock kept: what the clock on the
    wall said is what patterns by hour need. Dates that do not exist and years outside 1900-2100
    are unreadable.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        local = values.dt.tz_localize(None) if values.dt.tz is not None else values
        out = local.to_numpy(dtype="datetime64[s]")
        years = out.astype("datetime64[Y]").astype(float) + 1970
        bad = ~np.isnat(out) & ((years < _EARLIEST) | (years > _LATEST))
        out = np.where(bad, NAT, out)
        return out, _precision_of(out), bad
    few = distinct(values)
    text = as_text(values) if few is None else few[0]
    found, told, bad = _of_texts(text)
    if few is None:
        return found, told, bad
    row = few[1]
    return np.append(found, NAT)[row], np.append(told, "")[row], np.append(bad, False)[row]


def _of_texts(
    text: pd.Series[Any],
) -> tuple[NDArray[np.datetime64], NDArray[np.str_], NDArray[np.bool_]]:
    """Times written plainly all at once, each other different text by itself."""
    array = pa.array(text, from_pandas=True, type=pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    found, plain = _plain_iso(array)
    told = np.where(plain, "minute", "").astype("<U6")
    rest = np.flatnonzero(~plain & array.is_valid().to_numpy(zero_copy_only=False))
    row, unique = pd.factorize(text.iloc[rest])
    items = [str(item) for item in unique]
    day_first = any(
        int(match["m"]) > 12 for item in items if (match := _AMERICAN.match(item.strip()))
    )
    pairs = [parse_time(item, day_first=day_first) or (NAT, "") for item in items]
    found[rest] = np.array([time for time, _ in pairs], dtype="datetime64[s]")[row]
    told[rest] = np.array([precision for _, precision in pairs], dtype="<U6")[row]
    bad = np.zeros(len(found), dtype=bool)
    bad[rest] = np.array([item.strip() != "" for item in items], dtype=bool)[row]
    return found, told, bad & np.isnat(found)


def _plain_iso(texts: pa.LargeStringArray) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Times of ``2024-03-05 14:20:00`` (or with a T), and which of the texts are such and exist.

    From the texts' bytes, some ten thousand at a time: a city's events carry millions of times,
    nearly all written like this, and a text made of each took most of the time of reading them.
    """
    found = np.full(len(texts), NAT)
    plain = np.zeros(len(texts), dtype=bool)
    _, offsets, content = texts.buffers()
    if not len(texts) or content is None:
        return found, plain
    ends = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
    letters = np.frombuffer(content, np.uint8)
    long = (np.diff(ends) == 19) & texts.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(long)
    for start in range(0, len(rows), _AT_ONCE):
        own = rows[start : start + _AT_ONCE]
        times, fits = _plain_times(letters[ends[own, None] + np.arange(19)])
        plain[own] = fits
        found[own[fits]] = times[fits]
    return found, plain


def _plain_times(letters: NDArray[np.uint8]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """The same of texts of 19 letters each, (n, 19)."""
    digits = letters - np.uint8(ord("0"))  # wraps: what is no digit is more than nine
    marks = {4: "-", 7: "-", 10: " T", 13: ":", 16: ":"}
    fits = np.ones(len(letters), dtype=bool)
    for place in range(19):
        if place in marks:
            fits &= np.isin(letters[:, place], [ord(mark) for mark in marks[place]])
        else:
            fits &= digits[:, place] <= 9
    number = digits.astype(np.int64)
    year = number[:, :4] @ np.array([1000, 100, 10, 1])
    month, day, hour, minute, second = (
        number[:, place] * 10 + number[:, place + 1] for place in (5, 8, 11, 14, 17)
    )
    fits &= (year >= _EARLIEST) & (year <= _LATEST) & (month >= 1) & (month <= 12) & (day >= 1)
    fits &= (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    fits &= day <= (after - first).astype(np.int64)
    seconds = ((day - 1) * 24 + hour) * 3600 + minute * 60 + second
    times = first.astype("datetime64[s]") + np.where(fits, seconds, 0).astype("timedelta64[s]")
    return times, fits


def _precision_of(times: NDArray[np.datetime64]) -> NDArray[np.str_]:
    whole_days = times == times.astype("datetime64[D]")
    precision = np.where(np.all(whole_days | np.isnat(times)), "day", "minute")
    return np.where(np.isnat(times), "", precision)


def parse_time(text: str, *, day_first: bool = False) -> tuple[np.datetime64, str] | None:
    """One time and its precision, or None when it is no existing date."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", plain):
        return _serial(float(plain))
    match = _SOLID.match(plain) or _AMERICAN.match(plain) or _DATE.match(plain)
    if match is None:
        return None
    parts = match.groupdict()
    year, month = int(parts["y"]), int(parts["m"])
    day = int(parts["d"]) if parts.get("d") else None
    if match.re is _AMERICAN:
        if day_first and day is not None:
            month, day = day, month
        if year < 100:
            year += 2000
    elif match.re is _DATE and (parts["era"] or (year < 200 and len(parts["y"]) < 4)):
        year += 1911
    date = _date(year, month, day or 1)
    if date is None:
        return None
    rest = plain[match.end() :].strip()
    if not rest or day is None:
        return (date, "day" if day is not None else "month") if not rest else None
    seconds = _clock(rest)
    return None if seconds is None else (date + np.timedelta64(seconds, "s"), "minute")


def _date(year: int, month: int, day: int) -> np.datetime64 | None:
    if not (_EARLIEST <= year <= _LATEST and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    try:
        return np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "s")
    except ValueError:
        return None


def _clock(rest: str) -> int | None:
    """Seconds since midnight of a clock time, or None."""
    match = _CLOCK.fullmatch(rest) or _SOLID_CLOCK.fullmatch(rest)
    if match is None:
        return None
    parts = match.groupdict()
    hour, minute = int(parts["h"]), int(parts["min"] or 0)
    second = int(parts["s"] or 0)
    half = (parts.get("half") or parts.get("half2") or "").upper()
    if half in ("下午", "晚上", "PM") and hour < 12:
        hour += 12
    if half in ("AM", "凌晨", "早上", "上午") and hour == 12:
        hour = 0
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        return None
    return hour * 3600 + minute * 60 + second


def _serial(days: float) -> tuple[np.datetime64, str] | None:
    """Excel's day count: 1 is 1 January 1900, with its leap-year mistake before March 1900."""
    if not 367 <= days <= 73_415:
        return None
    seconds = round(days * 86_400)
    time = np.datetime64("1899-12-30", "s") + np.timedelta64(seconds, "s")
    return time, "day" if seconds % 86_400 == 0 else "minute"


def join_date_and_clock(dates: pd.Series[Any], clocks: pd.Series[Any]) -> pd.Series[Any]:
    """A date column and a clock column as one text; ``20250103`` and ``92500`` become one."""
    clock = as_text(clocks).fillna("")
    solid = clock.str.fullmatch(r"[0-9]{1,6}")
    padded = clock.where(~solid, clock.str.zfill(6).where(clock.str.len() > 4, clock.str.zfill(4)))
    return (as_text(dates).fillna("") + " " + padded).str.strip()
