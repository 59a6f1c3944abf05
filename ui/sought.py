"""What analysts ask for beside a map: clusters, a scan, near repeats; no Streamlit here.

Each takes seconds and is made once for all who look at the same events: the same selection, with
the same piles confirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from incidents.clusters import Clusters, clusters
from incidents.near_repeat import NearRepeat, near_repeat
from incidents.scan import MOST_PLACES, Cluster, scan

if TYPE_CHECKING:
    from incidents.analysis import Hotspots
    from incidents.areas import LevelName
    from ui.study import Study

SCAN_SHARE = 0.1  # of the people a circle may hold: a place to go to, not half a city
RUNS = 199


def _key(name: str, study: Study, found: Hotspots) -> tuple[object, ...]:
    return name, str(found.selection), study.piles_real, len(found.rows)


def clusters_of(study: Study, found: Hotspots) -> Clusters:
    """What lies close together among the events of a selection."""
    events, rows = study.events, found.rows
    return study.sought.get(
        _key("clusters", study, found),
        lambda: clusters(events.x[rows], events.y[rows], area=found.cells),
    )


def scanned_level(study: Study) -> LevelName:
    """The level a scan looks at: the finest that has no more areas than circles can be tried on."""
    levels = study.areas.levels
    fit: list[LevelName] = [name for name in levels if len(levels[name]) <= MOST_PLACES]
    return "grid" if "grid" in fit else max(fit, key=lambda name: len(levels[name]))


def people_scanned(study: Study) -> np.ndarray:
    """People of each area of :func:`scanned_level` (households where no people are known)."""
    held = study.areas.levels[scanned_level(study)]
    people = np.nan_to_num(held.persons)
    return people if people.sum() > 0 else np.nan_to_num(held.households)


def scan_of(study: Study, found: Hotspots) -> list[Cluster]:
    """Circles with more events than their people explain; places are numbers of the areas that
    have people."""
    level, people = scanned_level(study), people_scanned(study)
    known = np.flatnonzero(people > 0)

    def make() -> list[Cluster]:
        counts = found.tables[level]["count"].to_numpy(dtype=float)[: len(people)][known]
        shapes = study.areas.shapes(level)[known]
        middle = np.array([shape.centroid.coords[0] for shape in shapes])
        return scan(middle, counts, people[known], most_share=SCAN_SHARE, runs=RUNS)

    return study.sought.get(_key("scan", study, found), make)


def near_usable(study: Study, found: Hotspots) -> np.ndarray:
    """Rows of the selection's events that have a place on the map and a day."""
    events, rows = study.events, found.rows
    dated = np.isin(events.precision[rows], ("minute", "day"))
    return rows[events.placed[rows] & dated & (study.prepared.cell[rows] >= 0)]


def near_of(study: Study, found: Hotspots) -> NearRepeat:
    """Pairs of events close in place and time, against what chance would give."""
    events, rows = study.events, near_usable(study, found)

    def make() -> NearRepeat:
        days = events.time[rows].astype("datetime64[D]").astype(np.int64)
        return near_repeat(events.x[rows], events.y[rows], days, runs=RUNS)

    return study.sought.get(_key("near", study, found), make)
