"""What a leader sees of events, as plain tables and shapes: the page, the file and the sheet to
print are drawn from one :class:`Report` and know nothing else; pure.

No count under the threshold, no point and no cell of a few households enters a report, so none can
leave by any of the three ways.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.problems import InputError
from incidents.disclosure import LEAST_HOUSEHOLDS, SENSITIVE_THRESHOLD
from incidents.events import unknown_sources
from incidents.quality import coarse
from incidents.sharedfile import open_provenance, published_counts
from incidents.sharing import LEAST_AROUND
from planning.export import NOTICE_EN, NOTICE_ZH
from ui.event_choices import (
    category_choices,
    part_notes,
    period_choices,
    period_of,
    years_in,
)
from ui.event_map import class_labels, coarse_level, hot_cells, outlines
from ui.event_numbers import area_rows, by_month, five_numbers
from ui.format import share
from ui.places import Place, shown_hot, ten_places
from ui.study import county_only
from ui.study_part import own_cells
from ui.words import Language, word

if TYPE_CHECKING:
    from incidents.analysis import Hotspots, Parameters, Prepared
    from incidents.selection import Selection
    from ui.study import Study

WARNED = ("quality-placed", "quality-snapped")  # findings that stand above a leader's map
KEPT_RESULTS = 12  # of the analysis itself, a megabyte or two each; reports have room of their own


@dataclass(frozen=True, eq=False)
class Report:
    """All that may be shown of one period and class. Frames are in metres (``areas.crs``).

    ``cells`` has ``density_class`` and ``course``; ``outlines`` the townships (or the coarsest
    areas there are) with names; ``townships`` the table of them; ``numbers`` five pairs of label
    and value; ``warnings`` stand above the map and ``notes`` below; ``lines`` the provenance.
    """

    language: Language
    place: str
    period: str
    category: str
    numbers: tuple[tuple[str, str, str], ...]
    cells: gpd.GeoDataFrame
    outlines: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame | None
    labels: tuple[str, ...]
    places: tuple[Place, ...]
    townships: pd.DataFrame
    months: pd.DataFrame
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    meaning: str
    lines: tuple[tuple[str, str], ...]
    rate_head: str = "rate"  # "rate_homes" where rates are of households

    @property
    def notice(self) -> str:
        """The two sentences that every output bears; the first in Chinese in either language."""
        if self.language == "zh":
            return NOTICE_ZH
        return f"{NOTICE_ZH.partition('。')[0]}。 {NOTICE_EN}"


def analysed(
    study: Study, prepared: Prepared, chosen: Selection, *, trend: bool,
    how: Parameters | None = None,
) -> Hotspots:  # fmt: skip
    """The answer to a selection, remembered; raises InputError where no event fits."""
    from incidents.analysis import Parameters, analyse

    how = how or Parameters(cell=prepared.cells.size)
    levels = len(prepared.areas.levels)
    key = (id(prepared.events), levels, str(chosen), study.piles_real, trend, how)
    with study.lock:
        if key not in study.found:
            while len(study.found) >= KEPT_RESULTS:
                study.found.pop(next(iter(study.found)))
            study.found[key] = analyse(study.kept_apart(prepared), chosen, how, trend=trend)
        return study.found[key]


def report(study: Study, period: str, kind: str, language: Language, place: str = "") -> Report:
    """Everything a leader may see of one period and class.

    Made once and shared by all who choose the same: nothing of it is anybody's own. ``place`` is
    what a file or a sheet calls the county. Raises InputError where there is no event at all.
    """
    key = ("report", period, kind, language, study.county.piles_real, id(study.shared))
    made = study.drawn.get(key, lambda: _report(study, period, kind, language))
    return replace(made, place=place) if place else made


def _report(study: Study, period: str, kind: str, language: Language) -> Report:
    """Maps are the county's, cut to the part that is looked at; numbers the part's own rows."""
    from incidents.selection import Selection
    from ui.study import course_of

    category = kind or None
    chosen = Selection(period_of(period), category, "reported", without_piles=True)
    county = study.county
    lean = county.kept.get("lean")
    if lean is None:
        lean = county.kept["lean"] = county_only(county.open)
    found = _found(county, lean, chosen)
    courses = course_of(county, category)
    breaks = np.empty(0) if courses is None else courses.breaks
    own = own_cells(study)
    cells = hot_cells(county, found, breaks, years_in(study, period), own)
    return Report(
        language,
        "",
        period_choices(study, language).get(period, period),
        category_choices(study, language).get(kind, kind),
        five_numbers(study, period, kind, language),
        cells,
        outlines(study),
        study.roads,
        class_labels(breaks) if len(breaks) or len(cells) else (),  # nothing hot: grey alone
        tuple(ten_places(county, county.open, found, language, within=own)),
        area_rows(study, coarse_level(study), period, kind),
        by_month(study, kind),
        warnings(county, language),
        _notes(county, found, language, own),
        meaning(county, language),
        _lines(study, found, period, kind),
        "rate_homes" if study.areas.per == "households" else "rate",
    )


def _found(study: Study, prepared: Prepared, chosen: Selection) -> Hotspots:
    """The answer to a selection, of nothing too: then an empty map. Raises InputError where
    nobody ever reported anything."""
    from incidents.selection import Selection

    try:
        return analysed(study, prepared, chosen, trend=False)
    except InputError:
        whole = analysed(study, prepared, Selection(without_piles=True), trend=False)
        none = np.zeros(whole.cells.shape)
        quiet = replace(whole.significance, count=none, significant=none > 0)
        return replace(
            whole, selection=chosen, rows=whole.rows[:0], mapped=0, counts=none, significance=quiet
        )


def warnings(study: Study, language: Language) -> tuple[str, ...]:
    """What nobody may overlook who reads the map; stands above it."""
    told = []
    for finding in study.open.quality.findings:
        if finding.code in WARNED:
            told.append(finding.brief(language))
    return tuple(told)


def meaning(study: Study, language: Language) -> str:
    """What the colours say, and what is not shown."""
    if study.open.households is None:
        return word("incidents.meaning_ground", language, least=LEAST_AROUND)
    name = "meaning_people" if study.open.estimated else "meaning"
    return word(f"incidents.{name}", language, homes=LEAST_HOUSEHOLDS, least=LEAST_AROUND)


def _notes(
    study: Study, found: Hotspots, language: Language, own: np.ndarray | None
) -> tuple[str, ...]:
    """What else to know: grave findings, piles left off, sensitive kinds, how far the data reach.

    None holds a count: it would be of all events. Less the published ones it would tell of
    sensitive ones, and less last month's of one or two.
    """
    quality = study.kept_apart(study.open).quality
    told = [
        finding.brief(language) for finding in quality.findings
        if finding.grave and not finding.code.startswith(("quality-pile", *WARNED))
    ]  # fmt: skip
    piles, many = len(quality.piled), len(study.events)
    if piles:
        part = share(coarse(piles / many, many), 0)
        told.append(word("incidents.note_piles", language, share=part))
    untold = unknown_sources(study.events)
    if untold:
        part = share(coarse(untold / many, many), 0)
        told.append(word("incidents.note_source", language, share=part))
    told += part_notes(study, language)
    if study.events.sensitive.any():
        told.append(word("incidents.note_sensitive", language, least=SENSITIVE_THRESHOLD))
    hot = shown_hot(study.open, found)
    if not (hot if own is None else hot & own).any():
        told.append(word("incidents.note_no_hot", language))
    return tuple(told)


def _lines(
    study: Study, found: Hotspots, period: str, kind: str
) -> tuple[tuple[str, str], ...]:
    said: dict[str, object] = {
        "notice.zh": NOTICE_ZH,
        "notice.en": NOTICE_EN,
        **study.county.said,
        **published_counts(study.shared, period, kind),
    }
    county = study.county
    table = open_provenance(county.kept_apart(county.prepared), found, said)
    told = dict(zip(table["key"].astype(str), table["value"].astype(str), strict=True))
    if study.county.open.households is None:
        told["sharing.least_households"] = "unknown"
    return tuple(told.items())
