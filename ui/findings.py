"""Tables of what analysts see of events: one selection, exact counts; pure.

Unlike a :class:`ui.survey.Report` none of it is offered to leaders.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from incidents.areas import LEVEL_NAMES, NO_PLACE_CODE, OUTSIDE_CODE, LevelName
from incidents.loop import (
    Closure,
    Index,
    Indicator,
    cut_percent,
    disputes,
    loop_table,
    peace_index,
    per_10000,
)
from ui.event_numbers import people_of_county
from ui.format import DASH
from ui.places import spoken
from ui.words import Language, word

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Prepared
    from incidents.clusters import Clusters
    from incidents.near_repeat import NearRepeat
    from incidents.scan import Cluster
    from ui.study import Study


def quality_rows(study: Study, language: Language) -> list[tuple[int, str, str, bool]]:
    """(number, kind of finding, sentence, grave) of each doubt about the data."""
    return [
        (number, finding.code, finding.text(language), finding.grave)
        for number, finding in enumerate(study.prepared.quality.findings)
    ]


def kind_table(study: Study) -> pd.DataFrame:
    """One row a kind in the files' words: words, count, class (key or ""), sensitive."""
    events = study.events
    large = pd.Series(events.category.astype(str))
    small = pd.Series(events.subtype.astype(str))
    words = large.where(small == "", large + "/" + small)
    keys = np.array([*events.classes.keys, ""], dtype=object)
    table = pd.DataFrame(
        {"words": words, "class": keys[events.group], "sensitive": events.sensitive}
    )
    found = table.groupby("words").agg(
        count=("class", "size"), key=("class", "first"), sensitive=("sensitive", "max")
    )
    found = found.reset_index().rename(columns={"key": "class"})
    order = np.lexsort((-found["count"].to_numpy(), found["class"].to_numpy() != ""))
    return found.iloc[order].reset_index(drop=True)


def level_names(study: Study, language: Language) -> dict[LevelName, str]:
    """The levels there are, in words."""
    return {name: LEVEL_NAMES[name][0 if language == "zh" else 1] for name in study.areas.levels}


def shown_table(
    found: Hotspots, level: LevelName, language: Language, years: float
) -> pd.DataFrame:
    """An area table as analysts read it, rates and densities a year, the two last rows named."""
    table = found.tables[level].copy()
    for column in ("rate_per_1000", "rate_smoothed", "rate_low", "rate_high", "density"):
        table[column] = table[column] / years
    names = {OUTSIDE_CODE: "incidents.outside", NO_PLACE_CODE: "incidents.unplaced"}
    table["name"] = [
        word(names[code], language) if code in names else spoken(name, code, language)
        for code, name in zip(table["code"], table["name"], strict=True)
    ]
    for column in ("change_on_period", "change_on_year"):
        table[column] = table[column] * 100
    table["closure_rate"] = cut_percent(table["closed"], table["dispatched"])
    table["unusual"] = [
        word(f"incidents.unusual_{value}", language) if value else "" for value in table["unusual"]
    ]
    return table


def loop_rows(prepared: Prepared, found: Hotspots, by: str, language: Language) -> pd.DataFrame:
    """Closure, lateness and days by department, kind, class, source or a level."""
    events = prepared.events.take(found.rows)
    if by in ("department", "category"):
        return loop_table(events, np.asarray(getattr(events, by).astype(str)))
    number = 0 if language == "zh" else 1
    if by == "class":
        names = [pair[number] for pair in events.classes.classes.values()]
        return loop_table(events, events.group, names)
    level: LevelName = by  # type: ignore[assignment]
    names = area_names(prepared, level, language)
    return loop_table(events, np.maximum(prepared.at[level][found.rows], -1), names)


def area_names(prepared: Prepared, level: LevelName, language: Language) -> list[str]:
    """Names of a level's areas, those that two share told apart by their codes."""
    held = prepared.areas.levels[level]
    names = pd.Series(
        [spoken(n, c, language) for n, c in zip(held.names, held.codes, strict=True)]
    )
    again = names.duplicated(keep=False)
    return [f"{n} · {c}" if twice else n
            for n, c, twice in zip(names, held.codes, again, strict=True)]  # fmt: skip


def near_repeat_table(table: NearRepeat) -> pd.DataFrame:
    """Ratio observed / expected by distance (rows) and days (columns), a star where p <= 0.05."""
    def bands(limits: np.ndarray) -> list[str]:
        ends = [f"< {b:g}" for b in limits[1:]]
        return [*(f"{a:g} – {e}" for a, e in zip(limits, ends, strict=False)), f"≥ {limits[-1]:g}"]

    rows = [
        [DASH if np.isnan(r) else f"{r:.2f}{'*' if p <= 0.05 else ''} ({n})"
         for r, p, n in zip(*each, strict=True)]
        for each in zip(table.ratio, table.p, table.observed, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, index=bands(table.distances), columns=bands(table.days))


def scan_rows(study: Study, found: list[Cluster], names: Sequence[str]) -> pd.DataFrame:
    """Where, how large, how sure: one row a circle."""
    return pd.DataFrame(
        [
            (names[c.centre], c.radius, len(c.places), c.events, c.expected, c.relative_risk, c.p)
            for c in found
        ],
        columns=["where", "radius", "areas", "events", "expected", "risk", "p"],
    )


def cluster_rows(found: Clusters) -> pd.DataFrame:
    """One row an outline: number, events, events per km²."""
    return pd.DataFrame(
        {"number": np.arange(1, len(found.events) + 1), "events": found.events,
         "per_km2": found.per_km2}
    )  # fmt: skip


def accuracy_table(found: Hotspots, language: Language) -> pd.DataFrame:
    """Hit rate, PAI, PEI, RRI of density and of counting, on months the map had not seen."""
    rows = [
        (word(f"incidents.surface_{a.surface}", language), a.share * 100, a.hit * 100, a.pai,
         a.pei, a.rri, a.events)
        for a in found.accuracy
    ]  # fmt: skip
    columns = ["surface", "share", "hit", "pai", "pei", "rri", "events"]
    return pd.DataFrame(rows, columns=columns)


def changes_table(
    study: Study, founds: Mapping[str, Hotspots | None], names: Mapping[str, str]
) -> pd.DataFrame:
    """One row a class: events of the county, change on the period before, on the year before, and
    events without a place or outside, which no change counts."""
    rows = []
    for key, found in founds.items():
        if found is None:
            continue
        county = found.tables["county"]
        own, other = county.iloc[0], int(county["count"].iloc[1:].sum())
        rows.append((names[key], int(own["count"]), own["change_on_period"] * 100,
                     own["change_on_year"] * 100, other))  # fmt: skip
    return pd.DataFrame(rows, columns=["class", "count", "on_period", "on_year", "elsewhere"])


@dataclass(frozen=True)
class County:
    """What became of a county's own events: closure, disputes and rates per 10,000 people a year
    (NaN where people are unknown); ``elsewhere`` events have no place or lie outside."""

    events: int
    elsewhere: int
    closure: Closure
    rate: float
    disputes: int
    dispute_rate: float


def county_loop(study: Study, found: Hotspots, years: float) -> County:
    """The loop of a selection, of the events that lie in the county: its people are theirs."""
    county = found.tables["county"]
    own = county.iloc[0]
    rows = found.rows[study.prepared.at["county"][found.rows] >= 0]
    quarrels = int(disputes(study.events.take(rows)).sum())
    persons = people_of_county(study)[0] if study.areas.per == "persons" else float("nan")
    return County(
        int(own["count"]), int(county["count"].iloc[1:].sum()),
        Closure(int(own["dispatched"]), int(own["closed"])),
        per_10000(int(own["count"]), persons) / years,
        quarrels, per_10000(quarrels, persons) / years,
    )  # fmt: skip


Recipe = tuple[str, float, float, float]
#: (indicator, weight, best, worst) to begin with; every county sets its own
PEACE: tuple[Recipe, ...] = (
    ("events", 40.0, 50.0, 600.0),
    ("closure", 30.0, 1.0, 0.8),
    ("late", 15.0, 0.0, 0.1),
    ("days", 15.0, 1.0, 10.0),
    ("disputes", 0.0, 0.0, 100.0),
)


def peace_start(state: MutableMapping[str, Any], box: str) -> pd.DataFrame:
    """What an editor of the recipe (``box``, one a language) begins with: weight, best, worst.

    The recipe itself is kept in ``state["peace"]``, apart from the boxes. An editor applies its
    edits to what it began with, so that has to stay while it is on the page; one that is new there
    begins with the recipe as it is by then.
    """
    if box not in state or "peace_start" not in state:
        state["peace_start"] = state.get("peace") or list(PEACE)
    rows = [row[1:] for row in state["peace_start"]]
    return pd.DataFrame(rows, columns=["weight", "best", "worst"])


def peace_recipe(edited: pd.DataFrame) -> list[Recipe]:
    """The recipe in an edited table; an empty weight is none."""
    rows = zip(PEACE, edited[["weight", "best", "worst"]].astype(float).itertuples(), strict=True)
    return [
        (name, 0.0 if np.isnan(row.weight) else row.weight, row.best, row.worst)
        for (name, *_), row in rows
    ]


def _peace_values(
    prepared: Prepared, found: Hotspots, level: LevelName, years: float
) -> dict[str, np.ndarray]:
    """Each indicator of each area, NaN where the data do not tell it."""
    areas, number = prepared.areas.levels[level], prepared.at[level][found.rows]
    # by number: an area without a name must not be taken for what lies in none
    table = loop_table(prepared.events.take(found.rows), np.maximum(number, -1)).set_index("key")
    told = table.reindex([str(i) for i in range(len(areas))])
    persons = np.where(areas.persons > 0, areas.persons, np.nan)
    sent = told["dispatched"].to_numpy(dtype=float)
    late = told["open_late"].to_numpy(dtype=float) / np.where(sent > 0, sent, np.nan)
    at = prepared.at[level][found.rows[disputes(prepared.events.take(found.rows))]]
    quarrels = np.bincount(at[at >= 0], minlength=len(areas)).astype(float)
    return {
        "events": np.nan_to_num(told["events"].to_numpy(dtype=float)) / persons * 10_000 / years,
        "closure": told["closure_rate"].to_numpy(dtype=float),
        "late": late,
        "days": told["days_median"].to_numpy(dtype=float),
        "disputes": quarrels / persons * 10_000 / years,
    }


def peace_unknown(prepared: Prepared, found: Hotspots, level: LevelName) -> set[str]:
    """Indicators of which the data tell no area anything."""
    values = _peace_values(prepared, found, level, 1.0)
    return {name for name, each in values.items() if np.isnan(each).all()}


def peace_rows(
    prepared: Prepared, found: Hotspots, level: LevelName, recipe: Sequence[Recipe],
    years: float, language: Language,
) -> tuple[pd.DataFrame, Index]:  # fmt: skip
    """A peace index of each area and its recipe; indicators of weight 0 are left out.

    ``events`` and ``disputes`` per 10,000 people a year, ``closure`` a share, ``late`` the share of
    sent events that are open after their time limit, ``days`` the median to closing.
    """
    names = area_names(prepared, level, language)
    values = _peace_values(prepared, found, level, years)
    label = {name: word(f"incidents.peace_{name}", language) for name in values}
    index = peace_index(
        [Indicator(label[n], w, best, worst) for n, w, best, worst in recipe if w > 0],
        {label[name]: value for name, value in values.items()},
    )
    rows = pd.DataFrame({"name": names, "index": index.value})
    return rows.sort_values("index", ascending=False, ignore_index=True), index
