"""Which events are looked at: period, category, source; and how many are left out by what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.messages import register
from geo.problems import InputError, Problem
from incidents.events import Events
from incidents.period import Period, Told, told_of
from incidents.words import SOURCES

Source = Literal["reported", "discovered", "all"]

register(
    {
        "hotspots-category": (
            "类别“{name}”不存在;可用:{known}。",
            "{name!r} is no class and no kind of these events; known: {known}.",
        ),
    }
)


@dataclass(frozen=True)
class Selection:
    """Which events are looked at. ``category`` is a class's key or a kind in the files' words."""

    period: Period = field(default_factory=Period)
    category: str | None = None
    source: Source = "reported"
    without_piles: bool = False


def of_source(events: Events, source: Source) -> NDArray[np.bool_]:
    """Which events (n,) come from a source; what does not tell its own counts as reported."""
    found = np.asarray(events.source == SOURCES.index("discovered"))
    return {"reported": ~found, "discovered": found}.get(source, np.ones(len(found), dtype=bool))


def told_by(events: Events, source: Source, *, openly: bool = False) -> Told | None:
    """Of which days the events of a source tell (``openly``: those of no sensitive kind); None
    where none of them tells its time."""
    of = of_source(events, source)
    if openly:
        of &= ~events.sensitive
    return told_of(events.time[of], events.precision[of])


def kind_of(
    events: Events, piled: NDArray[np.int64], chosen: Selection
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Events of the source and category, whatever their time; and how many were left out."""
    keep = of_source(events, chosen.source)
    left = {"other-source": int((~keep).sum())}
    if chosen.category is not None:
        fits = _category(events, chosen.category)
        left["other-category"] = int((keep & ~fits).sum())
        keep &= fits
    if chosen.without_piles:
        in_pile = np.zeros(len(events), dtype=bool)
        in_pile[piled] = True
        left["pile"] = int((keep & in_pile).sum())
        keep &= ~in_pile
    return keep, left


def _category(events: Events, name: str) -> NDArray[np.bool_]:
    """Events of a class (by key or name) or of a kind or sub-kind as the files word it."""
    for number, (key, names) in enumerate(events.classes.classes.items()):
        if name == key or name in names:
            return np.asarray(events.group == number)
    hit = np.asarray((events.category == name) | (events.subtype == name))
    if not hit.any():
        words = [*events.classes.keys, *map(str, events.category.categories[:20])]
        params: dict[str, object] = {"name": name, "known": ", ".join(filter(None, words))}
        raise InputError([Problem("hotspots-category", params=params)])
    return hit
