"""Leaders' maps drawn before anybody asks for them; no Streamlit here.

A leader's choice of a period and a class takes a tenth of a second of processor time the first
time; in a county of two years there are some 400 of them, the same for everybody. Where many
people share a server, it draws them in the pauses between visitors, and each choice is then there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping

from geo.problems import InputError
from ui.event_choices import category_choices, first_period, period_choices
from ui.heat import leader_scene
from ui.map.scene import Focus
from ui.metrics import METRICS
from ui.study import STUDIES, Study
from ui.survey import report
from ui.words import LANGUAGES, Language

VARIABLE = "GRIDWRIGHT_AHEAD"
"""Set to 1 where maps are drawn ahead: ``gridwright serve`` does for a server with accounts."""

PAUSE = 0.03
"""Seconds between two maps: Python has one processor for all threads, and visitors go first."""
PATIENCE = 2.0
"""Longest wait for a pause between visitors, in seconds."""

log = logging.getLogger("gridwright.ui")


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Does this server draw ahead?"""
    return environment.get(VARIABLE, "") == "1"


def start_ahead(study: Study) -> threading.Thread:
    """Draw a study's maps in a thread of its own, as long as the study is in use."""
    thread = threading.Thread(target=draw_ahead, args=(study,), name="ahead", daemon=True)
    thread.start()
    return thread


def draw_ahead(study: Study) -> int:
    """Draw all maps that a leader can choose, the first to be seen first; returns how many."""
    drawn = 0
    while study.shared is None and study.shared_failed is None and _in_use(study):
        time.sleep(0.2)  # the numbers on a map change once, when they are proved
    for period, kind, language in choices(study):
        _wait_for_a_pause()
        if not _in_use(study):
            break
        try:
            leader_scene(study, report(study, period, kind, language), Focus())
        except InputError:
            continue  # no event of this choice; whoever asks for it is told so
        except Exception as error:  # a leader who asks meets it again, as a sentence
            log.warning("maps were not drawn ahead: %s", type(error).__name__)
            break
        drawn += 1
    return drawn


def choices(study: Study) -> Iterator[tuple[str, str, Language]]:
    """Period, class and language of every map, in the order in which leaders are likely to ask."""
    first = first_period(study)
    periods = [first, *(key for key in period_choices(study, "zh") if key != first)]
    for period in periods:
        for kind in category_choices(study, "zh"):
            for language in LANGUAGES:
                yield period, kind, language


def _in_use(study: Study) -> bool:
    return any(held is study for held in STUDIES.all())


def _wait_for_a_pause() -> None:
    time.sleep(PAUSE)
    until = time.monotonic() + PATIENCE
    while METRICS.running and time.monotonic() < until:
        time.sleep(PAUSE)
