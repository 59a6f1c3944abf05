"""Fixed limits of the density classes: one list a class of events, from all of its months.

A colour on a page, and a class number in a file, then mean the same density in March and in April.
Limits are of events per km² and year; those of a period are these times its length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from geo.problems import InputError
from incidents.analysis import Hotspots, Prepared, analyse
from incidents.cells import FloatArray
from incidents.density import fixed_breaks
from incidents.events import Events
from incidents.period import Period
from incidents.selection import Selection, told_by
from incidents.sharing import few_events, few_households, without_sensitive


@dataclass(frozen=True, eq=False)
class Limits:
    """Upper limits of all classes but the last, events per km² and year: for a map of every cell,
    and for one of the significantly high cells that others may see."""

    everywhere: FloatArray
    hot: FloatArray


def limits_of(prepared: Prepared, found: Hotspots, years: float) -> Limits:
    """The limits that an analysis of all of the time gives; ``years`` is its length.

    Limits stand in every legend: those of cells that are not shown would tell their density.
    """
    yearly = found.surface / years
    shown = prepared.cells.inside & ~few_households(prepared) & ~few_events(found)
    hot = shown & found.significance.hot
    return Limits(fixed_breaks(yearly), fixed_breaks(yearly[hot if hot.any() else shown]))


def class_limits(prepared: Prepared, category: str | None) -> Limits:
    """The limits of a class (or kind), the same for every period, kernel, bandwidth and source.

    They come from what people reported of it, of kinds that are not sensitive and off the piles
    in doubt, drawn as the pages draw it; from every event of it where that is none. Raises
    :class:`InputError` where there is none of those either.
    """
    held = without_sensitive(prepared)
    try:
        chosen = Selection(category=category, without_piles=True)
        whole = analyse(held, chosen, trend=False)
    except InputError:
        held, chosen = prepared, Selection(category=category, source="all")
        whole = analyse(held, chosen, trend=False)
    return limits_of(held, whole, years_of(prepared.events, Period()))


def years_of(events: Events, period: Period) -> float:
    """How many years of a period (or of all of the time) the data tell of, by the events that
    leaders see; a month where none tells its time."""
    told = told_by(events, "reported", openly=True) or told_by(events, "all")
    return 1 / 12 if told is None else told.years(period)


def with_limits(
    prepared: Prepared, found: Hotspots, limits: Limits | None = None, *, hot: bool = False
) -> Hotspots:
    """A selection's answer with the fixed limits of its class instead of its own surface's; with
    ``hot`` those for a map of significantly high cells."""
    held = limits or class_limits(prepared, found.selection.category)
    yearly = held.hot if hot else held.everywhere
    return replace(found, breaks=yearly * years_of(prepared.events, found.selection.period))
