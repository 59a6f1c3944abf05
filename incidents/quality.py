"""Can the data bear a map: what share has a place, and what stands in the way of believing it.

Nothing is removed here. Each finding says what, how many, and what to do; whoever makes the map
confirms or leaves events out, and the output then names how many and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.messages import sentence
from geo.problems import Language
from incidents import quality_words as quality_words  # registers what findings say
from incidents.events import Events, FloatArray

#: below this share of events with a place a map misleads (Ratcliffe 2004 found 85 %)
PLACED_LEAST = 0.85
PILE_SHARE = 0.01  # of all events at one coordinate: a default place, as a city hall
PILE_LEAST = 5  # of a handful of events each is over one percent
NEAR_M = 20.0  # a pile this close to a station or a village's centre stands for it
BUSY_TIMES = 2.0  # of snapped places: as many as the largest point that is no pile, times this
SNAPPED_SHARE = 0.5  # of events that share their coordinate with another one
MIDNIGHT_SHARE = 0.02  # of exact times, where 1 in 1,440 is chance
UNEVEN_TIMES = 10.0  # as many events in one month as in the middle one of the others
UNEVEN_LEAST, UNEVEN_MONTHS = 100, 6
FIRST_SHARE = 2.0  # times as many on the first of the month as on another day

#: findings that have a sentence of their own for leaders; in the others "some" stands for a count
_BRIEF = (
    "quality-placed", "quality-snapped", "quality-uneven", "quality-months", "quality-pile",
    "quality-busy-point", "quality-midnight", "quality-first-day",
)  # fmt: skip
STEPS, LEAST_IN_STEP = (0.01, 0.05, 0.10, 0.25), 10  # of a share that leaders read


class _Some(str):
    """Stands for a number in a sentence, however the sentence would write it."""

    def __format__(self, spec: str) -> str:
        return str(self)


_SOME = {"zh": _Some("若干"), "en": _Some("some")}


@dataclass(frozen=True)
class Finding:
    """One thing to know before believing a map. ``rows`` numbers the events it is about."""

    code: str
    count: int
    params: dict[str, object]
    rows: NDArray[np.int64]
    grave: bool = False  # shown as a banner, and to be confirmed

    def text(self, language: Language = "en") -> str:
        """One sentence."""
        return sentence(self.code, language, {"count": self.count, **self.params})

    def brief(self, language: Language = "en") -> str:
        """The same in a few words for whoever only looks at the map, without a count: that would
        be of all events, and next month's less this month's may be one."""
        code = "quality-pile" if self.code.startswith("quality-pile") else self.code
        told = {name: value for name, value in self.params.items() if isinstance(value, str)}
        share, total = self.params.get("share"), self.params.get("total")
        if isinstance(share, float) and isinstance(total, int):
            told["share"] = f"{coarse(share, total):.0%}"
        if code in _BRIEF:
            return sentence(f"{code}-brief", language, told)
        some = _SOME[language]
        return sentence(code, language, {"count": some, "kinds": some, **told})


def coarse(share: float, of: int) -> float:
    """A share of ``of`` events as leaders read it: in steps that hold ten events or more, so that
    no count follows from it; at least one step unless it is nothing."""
    step = next((step for step in STEPS if step * of >= LEAST_IN_STEP), 0.5)
    return min(max(round(share / step) * step, step), 1.0) if share > 0 else 0.0


def about(count: int) -> str:
    """A count as leaders read it, to the hundred."""
    return f"about {int(count / 100 + 0.5) * 100:,}" if count >= 50 else "under 50"


@dataclass(frozen=True)
class Named:
    """Places with names that piles are compared with: ``xy`` (m, 2) metres."""

    kind: str  # "station" or "centre"
    xy: FloatArray
    names: Sequence[str]


@dataclass(frozen=True)
class Quality:
    """How many events were read, how many have a place, and every finding, gravest first."""

    total: int
    placed: int
    findings: tuple[Finding, ...]

    @property
    def share(self) -> float:
        """Share of the events with a usable place; 0 of none."""
        return self.placed / self.total if self.total else 0.0

    @property
    def bears_map(self) -> bool:
        """Whether enough events have a place; piles do not decide this, people confirm them."""
        return self.share >= PLACED_LEAST

    @property
    def piled(self) -> NDArray[np.int64]:
        """Rows in any pile."""
        piles = [f.rows for f in self.findings if f.code.startswith("quality-pile")]
        return np.unique(np.concatenate(piles)) if piles else np.empty(0, dtype=np.int64)


def quality_of(
    events: Events, *, known: Sequence[Named] = (), outside: NDArray[np.bool_] | None = None
) -> Quality:
    """Everything found. ``outside`` (n,) marks placed events that lie in no area."""
    n, placed = len(events), events.placed
    shared = _coordinates(events)
    snapped = _snapped(events, shared)
    found = [
        *_places(events, outside), *_piles(events, known, shared, bool(snapped)), *snapped,
        *_times(events),
    ]  # fmt: skip
    if events.repeats:
        found.append(_finding("quality-repeats", np.empty(0, dtype=np.int64), count=events.repeats))
    found += [*_same(events), *_words(events)]
    found.sort(key=lambda finding: not finding.grave)
    return Quality(n, int(placed.sum()), tuple(found))


def _finding(
    code: str,
    rows: NDArray[np.int64],
    *,
    count: int | None = None,
    grave: bool = False,
    **params: object,
) -> Finding:
    return Finding(code, len(rows) if count is None else count, params, rows, grave)


def _places(events: Events, outside: NDArray[np.bool_] | None) -> list[Finding]:
    found, n = [], len(events)
    lost = np.flatnonzero(~events.placed)
    share = 1 - len(lost) / n if n else 0.0
    if n and share < PLACED_LEAST:
        found.append(_finding("quality-placed", lost, grave=True, share=share, total=n))
    elif len(lost):
        found.append(_finding("quality-unplaced", lost))
    if outside is not None and outside.any():
        found.append(_finding("quality-outside", np.flatnonzero(outside)))
    return found


_Shared = tuple[NDArray[np.int64], FloatArray, NDArray[np.int64], NDArray[np.int64]]


def _piles(
    events: Events, known: Sequence[Named], shared: _Shared, snapped: bool
) -> list[Finding]:
    rows, _, where, counts = shared
    found = []
    limit = max(PILE_SHARE * len(events), PILE_LEAST)
    # of snapped places the busiest points hold many by their nature; a default one stands out
    usual = counts[counts < limit].max(initial=0) if snapped else 0
    for pile in np.flatnonzero(counts >= limit):
        members = rows[where == pile]
        x, y = float(events.x[members[0]]), float(events.y[members[0]])
        params: dict[str, object] = {"share": len(members) / len(events), "total": len(events)}
        kind, name = _nearest(x, y, known)
        if kind:
            params["name"] = name
        else:
            params |= {"x": x, "y": y}
        busy = not kind and len(members) <= BUSY_TIMES * usual
        code = f"quality-pile-{kind}" if kind else "quality-busy-point" if busy else "quality-pile"
        found.append(Finding(code, len(members), params, members, grave=not busy))
    return sorted(found, key=lambda finding: -finding.count)


def _coordinates(events: Events) -> _Shared:
    """Rows with a place, their distinct coordinates (to 0.1 m), which one each has, counts."""
    rows = np.flatnonzero(events.placed)
    # one complex number a place: numpy sorts those, and 1 million of them in half a second
    key = np.round(events.x[rows], 1) + 1j * np.round(events.y[rows], 1)
    places, where, counts = np.unique(key, return_inverse=True, return_counts=True)
    return rows, np.column_stack([places.real, places.imag]), where, counts


def _nearest(x: float, y: float, known: Sequence[Named]) -> tuple[str, str]:
    for group in known:
        if len(group.xy):
            away = np.hypot(group.xy[:, 0] - x, group.xy[:, 1] - y)
            nearest = int(np.argmin(away))
            if away[nearest] <= NEAR_M:
                return group.kind, str(group.names[nearest])
    return "", ""


def _snapped(events: Events, at_points: _Shared) -> list[Finding]:
    """Events on shared points, piles left aside: they are told by themselves."""
    rows, _, where, counts = at_points
    if len(rows) < 100:
        return []
    small = counts < max(PILE_SHARE * len(events), PILE_LEAST)
    shared = small & (counts > 1)
    within = int(counts[small].sum())
    if not within or counts[shared].sum() / within < SNAPPED_SHARE:
        return []
    at = rows[shared[where]]
    params: dict[str, object] = {
        "share": len(at) / within, "places": int(small.sum()), "total": within,
    }  # fmt: skip
    return [Finding("quality-snapped", len(at), params, at, grave=True)]


def _times(events: Events) -> list[Finding]:
    found = []
    missing = np.flatnonzero(np.isnat(events.time) & np.isnat(events.time_to))
    if len(missing):
        found.append(_finding("quality-no-time", missing))
    months, days = (np.flatnonzero(events.precision == p) for p in ("month", "day"))
    if len(months):
        part = len(months) / len(events)
        found.append(
            _finding("quality-months", months, grave=True, share=part, total=len(events))
        )
    if len(days):
        found.append(_finding("quality-days", days))
    exact = np.flatnonzero(events.precision == "minute")
    clock = events.time[exact] - events.time[exact].astype("datetime64[D]")
    midnight = exact[clock == np.timedelta64(0, "s")]
    if len(exact) >= 100 and len(midnight) > MIDNIGHT_SHARE * len(exact):
        part = len(midnight) / len(exact)
        found.append(_finding("quality-midnight", midnight, share=part, total=len(exact)))
    dated = np.flatnonzero(np.isin(events.precision, ("minute", "day")))
    day = events.time[dated].astype("datetime64[D]")
    first = dated[day == day.astype("datetime64[M]").astype("datetime64[D]")]
    usual = (len(dated) - len(first)) / 29.44  # days of a mean month without its first
    if len(dated) >= 300 and len(first) > FIRST_SHARE * usual:
        times = len(first) / max(usual, 1e-9)
        part = len(first) / len(dated)
        found.append(
            _finding("quality-first-day", first, share=part, times=times, total=len(dated))
        )
    return found + _uneven(events)


def _uneven(events: Events) -> list[Finding]:
    """One month that towers over all others."""
    told = events.months[events.months >= 0]
    if not len(told):
        return []
    first = int(told.min())
    counts = np.bincount(told - first)
    top = int(counts.argmax())
    usual = float(np.median(np.delete(counts, top))) if len(counts) >= UNEVEN_MONTHS else np.inf
    if counts[top] < max(UNEVEN_LEAST, UNEVEN_TIMES * max(usual, 1.0)):
        return []
    rows = np.flatnonzero(events.months == first + top)
    month = str(np.datetime64(first + top, "M"))
    return [_finding("quality-uneven", rows, grave=True, month=month, usual=usual)]


def _same(events: Events) -> list[Finding]:
    rows = np.flatnonzero(events.placed & (events.precision == "minute"))
    if not len(rows):
        return []
    place = np.round(events.x[rows], 1) + 1j * np.round(events.y[rows], 1)
    _, place_number = np.unique(place, return_inverse=True)
    key = np.column_stack(
        [place_number, events.time[rows].astype(np.int64), events.category.codes[rows]]
    )
    order = np.lexsort(key.T)
    again = np.zeros(len(rows), dtype=bool)
    again[order[1:]] = (key[order[1:]] == key[order[:-1]]).all(axis=1)
    return [_finding("quality-same", np.sort(rows[again]))] if again.any() else []


def _words(events: Events) -> list[Finding]:
    found = []
    unmapped = events.unmapped()
    if unmapped:
        rows = np.flatnonzero(events.group < 0)
        name = next(iter(unmapped)) or "—"
        found.append(_finding("quality-unmapped", rows, kinds=len(unmapped), name=name))
    untold = np.flatnonzero(events.source == 0)
    if len(untold):
        found.append(_finding("quality-source", untold))
    return found
