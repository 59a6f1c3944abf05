"""A township's part of the county's study: its own events for its analysts; for its leaders the
county's maps and tables, and of these what is theirs. No Streamlit here.

Two townships' sets of tables, or a township's and the county's, made each by itself could be
subtracted; so could two maps with limits of their own. So of a county there is one publication,
and a part of it is read from that (:mod:`incidents.share_part`).
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import numpy as np

from geo.problems import InputError
from incidents.share_part import areas_of_villages, cells_of, part_of
from incidents.sharing import without_sensitive
from ui.event_memory import county_key, kept_piles
from ui.format import name_text
from ui.jobs import Job, Step
from ui.places import spoken
from ui.study import CELL_M, Study, pile_keys
from ui.views import PlanView
from ui.words import Language, word

MOST_NAMED = 3  # townships named in a title
LOOK = 0.1  # seconds between two looks at whether the county's tables are proved

log = logging.getLogger("gridwright.ui")


def part_study(job: Job, key: str, view: PlanView, county: Study, memory: Path | None) -> Study:
    """The study of the villages of ``view``. Events are those that the county counts in these
    villages, one beside the border too. Raises InputError where it has none of them."""
    from incidents.analysis import prepare

    job.report(Step("counting"))
    villages = {name_text(code) for code in view.plan.villages["code"]}
    areas = areas_of_villages(county.areas, villages)
    known = county.areas.levels["village"].codes
    at = county.prepared.at["village"]
    own = np.isin(known, list(villages))[np.maximum(at, 0)] & (at >= 0)
    events = county.events.take(np.flatnonzero(own))
    prepared = prepare(events, areas, cell=CELL_M, known=county.named, homes=county.homes)
    made = Study(
        key, events, areas, county.homes, county.named, county.table, county.roads, view,
        dict(view.context), prepared, without_sensitive(prepared), memory=memory, whole=county,
    )  # fmt: skip
    if memory is not None:
        before = kept_piles(memory, county_key(areas))
        keys = pile_keys(made).items()
        made.piles_real = frozenset(number for number, pile in keys if pile in before)
    threading.Thread(target=_follow, args=(made, villages), name="part", daemon=True).start()
    return made


def _follow(study: Study, villages: set[str]) -> None:
    """The part's rows as soon as the county's tables are proved."""
    county = study.county
    while county.shared is None and county.shared_failed is None:
        time.sleep(LOOK)
    if county.shared is None:
        study.shared_failed = county.shared_failed
        return
    try:
        study.shared = part_of(county.shared, villages)
    except (InputError, KeyError, ValueError) as error:
        log.warning("a part of the shared tables cannot be read: %s", type(error).__name__)
        study.shared_failed = error


def of_part(study: Study, county: str, language: Language) -> str:
    """What is looked at: the county, of a part its townships, or how many villages."""
    if study.whole is None:
        return county
    towns = study.areas.levels.get("township")
    if towns is not None and len(towns) <= MOST_NAMED:
        names = [spoken(name, code, language) for name, code in zip(towns.names, towns.codes,
                                                                    strict=True)]  # fmt: skip
    else:
        many = len(study.areas.levels["village"])
        names = [word("incidents.part_villages", language, count=many)]
    return " · ".join(filter(None, (county, *names)))


def own_cells(study: Study) -> np.ndarray | None:
    """(ny, nx) of the county's cells those of the study's part; None for the whole county."""
    if study.whole is None:
        return None
    cells = study.county.open.cells
    return study.once("own cells", lambda: cells_of(cells, study.areas, study.county.areas))
