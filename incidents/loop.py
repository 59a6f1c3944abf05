"""The six-step loop: what share is closed, what is overdue, how long it takes, and an index.

Report, verify, dispatch, handle, close, assess. The closure rate is closed of dispatched; an event
whose state no file tells stands in neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from incidents.events import Events, FloatArray
from incidents.words import STATES

BoolArray = NDArray[np.bool_]
_DISPATCHED, _CLOSED = STATES.index("dispatch"), STATES.index("close")


@dataclass(frozen=True)
class Closure:
    """Dispatched and closed events of one group of them."""

    dispatched: int
    closed: int

    @property
    def rate(self) -> float:
        """Closed of dispatched, NaN of none."""
        return self.closed / self.dispatched if self.dispatched else float("nan")

    @property
    def shown(self) -> str:
        """Percent with two digits, cut and not rounded as the reports do: 45,987 of 47,269 is
        97.28 %, and nothing short of everything is 100 %."""
        if not self.dispatched:
            return "—"
        return f"{self.closed * 10_000 // self.dispatched / 100:.2f}%"


def cut_percent(closed: ArrayLike, dispatched: ArrayLike) -> FloatArray:
    """Percent closed of dispatched with two digits, cut as :attr:`Closure.shown`; NaN of none."""
    done, sent = np.asarray(closed, dtype=np.int64), np.asarray(dispatched, dtype=np.int64)
    cut = done * 10_000 // np.maximum(sent, 1) / 100
    return np.where(sent > 0, cut, np.nan)


def dispatched(events: Events) -> NDArray[np.bool_]:
    """Events that reached the step of dispatch, or are closed without one being told."""
    return np.asarray(events.state >= _DISPATCHED)


def closed(events: Events) -> NDArray[np.bool_]:
    """Events that are closed or assessed."""
    return np.asarray(events.state >= _CLOSED)


def closure(events: Events) -> Closure:
    """The closure of all."""
    return Closure(int(dispatched(events).sum()), int(closed(events).sum()))


def overdue(events: Events, now: np.datetime64) -> NDArray[np.bool_]:
    """Events open after their time limit, or closed after it; False where no limit is told."""
    end = np.where(np.isnat(events.closed), now, events.closed)
    late: NDArray[np.bool_] = ~np.isnat(events.due) & (end > events.due)
    return late


def days_to_close(events: Events) -> FloatArray:
    """(n,) days from report (else from the event) to closing; NaN where one is unknown.

    A closing before the report is a slip of the keyboard, and NaN too.
    """
    start = np.where(np.isnat(events.reported), events.time, events.reported)
    seconds = events.closed.astype(np.int64) - start.astype("datetime64[s]").astype(np.int64)
    spent = np.where(np.isnat(events.closed) | np.isnat(start), np.nan, seconds / 86_400)
    return np.where(spent < 0, np.nan, spent)


#: words of kinds that are disputes between people (矛盾纠纷), in the files' own languages
_DISPUTE = re.compile("纠纷|矛盾|争议|dispute|mediation|conflict", re.IGNORECASE)


def disputes(events: Events) -> NDArray[np.bool_]:
    """Events whose kind's words speak of a dispute; in a list of fields of disputes, every event
    that has a class."""
    words = np.zeros(len(events), dtype=bool)
    for column in (events.category, events.subtype):
        kinds = pd.Categorical(column)
        fits = np.array([bool(_DISPUTE.search(str(k))) for k in kinds.categories] + [False])
        words |= fits[kinds.codes]
    return words | ((events.group >= 0) & (events.classes.key == "seven"))


def loop_table(
    events: Events, keys: ArrayLike, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """One row a group: key, events, dispatched, closed, closure_rate, closure_shown, open_late,
    closed_late, days_median, days_p90; the two late ones are NaN where no time limit is told.

    ``keys`` (n,) is what to group by (a department, a kind, an area's number); negative numbers
    and "" are the group of what is not told. ``names`` gives words for numbers.
    """
    groups, row = np.unique(np.asarray(keys), return_inverse=True)
    sent, done, spent = dispatched(events), closed(events), days_to_close(events)
    newest = _newest(events)
    late, limited = overdue(events, newest), ~np.isnat(events.due)
    lines = []
    for i, key in enumerate(groups):
        rows = row == i
        one = Closure(int((sent & rows).sum()), int((done & rows).sum()))
        times = spent[rows & ~np.isnan(spent)]
        quantiles = np.quantile(times, [0.5, 0.9]) if len(times) else np.full(2, np.nan)
        label = str(key) if names is None else (names[int(key)] if int(key) >= 0 else "")
        lines.append(
            (label, int(rows.sum()), one.dispatched, one.closed, one.rate, one.shown,
             *_late(late[rows], done[rows], limited[rows]), *map(float, quantiles))
        )  # fmt: skip
    columns = ["key", "events", "dispatched", "closed", "closure_rate", "closure_shown",
               "open_late", "closed_late", "days_median", "days_p90"]  # fmt: skip
    return pd.DataFrame(lines, columns=columns).astype({"open_late": float, "closed_late": float})


def _late(late: BoolArray, done: BoolArray, limited: BoolArray) -> tuple[float, float]:
    """How many are late and open, and late and closed; NaN where no limit is told."""
    if not limited.any():
        return float("nan"), float("nan")
    return float((late & ~done).sum()), float((late & done).sum())


def _newest(events: Events) -> np.datetime64:
    """The last moment that the data tell of: what is open is judged by it, not by today."""
    moments = [t[~np.isnat(t)] for t in (events.time, events.reported, events.closed)]
    latest = [t.max() for t in moments if len(t)]
    return max(latest) if latest else np.datetime64("NaT", "s")


def per_10000(events: int, persons: float) -> float:
    """Events per 10,000 people; NaN where the people are unknown or none."""
    return events / persons * 10_000 if persons > 0 else float("nan")


@dataclass(frozen=True)
class Indicator:
    """One part of a peace index: its name, its weight, and what is good.

    ``best`` and ``worst`` are the values that score 100 and 0; between them scores are straight,
    beyond them they stay. The county chooses all of it.
    """

    name: str
    weight: float
    best: float
    worst: float
    unit: Literal["share", "per_10000", "days", "count", "change"] = "count"

    def score(self, values: ArrayLike) -> FloatArray:
        """0 to 100 for each value, NaN for NaN. Raises ValueError where best equals worst."""
        if self.best == self.worst:
            raise ValueError(f"the indicator {self.name!r} has the same best and worst value")
        each = (np.asarray(values, dtype=float) - self.worst) / (self.best - self.worst)
        return np.asarray(np.clip(each, 0.0, 1.0) * 100)


@dataclass(frozen=True, eq=False)
class Index:
    """A peace index (n areas,): ``value`` 0 to 100, ``scores`` (n, indicators), and the recipe."""

    value: FloatArray
    scores: FloatArray
    recipe: tuple[str, ...]


def peace_index(indicators: Sequence[Indicator], values: Mapping[str, ArrayLike]) -> Index:
    """Weighted mean of the indicators' scores; NaN where an area lacks one of them.

    An index says what its recipe says and nothing else; the recipe is to be printed beside it.
    Raises ValueError for no indicator, a weight that is not positive, or a missing value list.
    """
    if not indicators or any(not item.weight > 0 for item in indicators):
        raise ValueError("an index needs indicators with weights above 0")
    missing = [item.name for item in indicators if item.name not in values]
    if missing:
        raise ValueError(f"no values for the indicators {', '.join(missing)}")
    total = sum(item.weight for item in indicators)
    scores = np.column_stack([item.score(values[item.name]) for item in indicators])
    weights = np.array([item.weight for item in indicators]) / total
    recipe = tuple(
        f"{item.name}: {item.weight / total:.1%} (100 = {item.best:g}, 0 = {item.worst:g})"
        for item in indicators
    )
    return Index(scores @ weights, scores, recipe)
