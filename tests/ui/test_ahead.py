"""Leaders' maps drawn before anybody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import county_events as county
import pytest

import ui.survey
from ui import ahead
from ui.heat import leader_scene
from ui.map.scene import Focus
from ui.metrics import METRICS
from ui.study import STUDIES, Study
from ui.survey import report


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return county.study(tmp_path_factory.mktemp("events"))


@pytest.fixture
def study(made: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """On the shelf, with six choices, in no hurry to let visitors pass."""
    made.drawn.clear()
    first = list(islice(ahead.choices(made), 6))
    monkeypatch.setattr(ahead, "choices", lambda _: iter(first))
    monkeypatch.setattr(ahead, "PAUSE", 0.001)
    STUDIES.put("ahead", made)
    yield made
    STUDIES.put("ahead", Study(*[None] * 12))  # type: ignore[arg-type]


def test_what_is_seen_first_is_drawn_first_and_nothing_is_left_out(made: Study) -> None:
    found = list(ahead.choices(made))
    assert {one[0] for one in found[:2]} == {ahead.first_period(made)}
    assert found[0][1] == ""
    assert {one[2] for one in found[:2]} == {"zh", "en"}
    assert len(found) == len(set(found))
    periods = ahead.period_choices(made, "zh")
    assert len(found) == 2 * len(periods) * len(ahead.category_choices(made, "en"))


def test_whoever_asks_finds_it_drawn(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = list(ahead.choices(study))
    assert ahead.draw_ahead(study) == len(chosen)

    def made_again(*_: object) -> None:
        raise AssertionError("it was drawn before")

    monkeypatch.setattr(ui.survey, "_report", made_again)
    monkeypatch.setattr("ui.heat._leader_scene", made_again)
    for period, kind, language in chosen:
        told = report(study, period, kind, language)
        assert told.language == language
        assert leader_scene(study, told, Focus()).layers


def test_of_a_study_that_nobody_uses_nothing_is_drawn(study: Study) -> None:
    STUDIES.put("ahead", Study(*[None] * 12))  # type: ignore[arg-type]
    assert ahead.draw_ahead(study) == 0


def test_visitors_go_first(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "PATIENCE", 60.0)
    drawn: list[int] = []
    thread = threading.Thread(target=lambda: drawn.append(ahead.draw_ahead(study)), daemon=True)
    with METRICS.rerun():
        thread.start()
        time.sleep(0.3)
        assert not study.drawn._held
    thread.join(60)
    assert drawn == [6]
    assert METRICS.running == 0


def test_only_a_server_with_accounts_draws_ahead() -> None:
    assert ahead.is_wanted({ahead.VARIABLE: "1"})
    assert not ahead.is_wanted({})
    assert not ahead.is_wanted({ahead.VARIABLE: "0"})
