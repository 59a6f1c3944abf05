"""Data that begin and end within a month: what they tell in part is compared with nothing."""

from __future__ import annotations

from dataclasses import replace

import county_events as county
import numpy as np
import pytest

from incidents.sharedfile import shared_layers
from ui.event_choices import compared_with, first_period, period_of, years_in
from ui.event_numbers import area_rows
from ui.shelf import Answers
from ui.study import Study
from ui.survey import analysed, report


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two years less their ends: from 20 January 2024 until 12 March 2025."""
    return county.study(tmp_path_factory.mktemp("part"), "2024-01-20", "2025-03-12")


def test_a_month_of_twelve_days_is_compared_with_nothing_and_says_so(study: Study) -> None:
    for months in (1, 12):
        assert compared_with(study, "2025-03", months) == []
        assert compared_with(study, "2024-02", months) == []  # of January only twelve days are told
    assert compared_with(study, "2025-02", 1) == ["2025-01"]
    assert compared_with(study, "2025-02", 12) == ["2024-02"]
    assert compared_with(study, "2025-01", 12) == []
    for key in ("2025-03", "2025"):
        numbers = report(study, key, "", "en").numbers
        assert [value for _, value, _ in numbers[1:3]] == ["—", "—"]
        assert numbers[1][2] == "one of the two is told in part: not compared"
        assert "until within March" in numbers[0][2]
        assert "止于 3 月之中" in report(study, key, "", "zh").numbers[0][2]
    assert "from within January" in report(study, "2024-01", "", "en").numbers[0][2]
    plain = report(study, "2025-02", "", "en").numbers
    assert plain[1][1] != "—"
    assert not any(sign in plain[0][2] for sign in ("until", "from"))
    rows = area_rows(study, "township", "2025-03", "")
    assert rows["on_period"].isna().all()
    assert rows["on_year"].isna().all()


def test_a_note_says_where_the_data_end_whatever_is_chosen(study: Study) -> None:
    notes = " ".join(report(study, "2024-06", "", "en").notes)
    assert "The data begin within January 2024" in notes
    assert "The data end within March 2025" in notes
    assert "数据止于 2025 年 3 月之中" in " ".join(report(study, "2024-06", "", "zh").notes)


def test_the_page_opens_on_the_last_whole_month(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.event_choices.ENOUGH_TO_MAP", 50)
    assert first_period(replace(study, kept={}, drawn=Answers(9))) == "2025-02"


def test_a_rate_a_year_is_of_the_days_that_are_told(study: Study) -> None:
    assert years_in(study, "2025-03") == pytest.approx(12 / 31 / 12)
    assert years_in(study, "2025") == pytest.approx((2 + 12 / 31) / 12)
    assert years_in(study, "2024-06") == pytest.approx(1 / 12)
    assert years_in(study, "") == pytest.approx((12 / 31 + 13 + 12 / 31) / 12)


def test_files_and_analysts_compare_no_part_of_a_month_either(study: Study) -> None:
    from incidents.selection import Selection

    assert study.shared is not None
    for key, there in (("2025-03", False), ("2025-02", True)):
        found = analysed(study, study.prepared, Selection(period_of(key)), trend=False)
        own = found.tables["county"].iloc[0]
        assert np.isfinite(own["change_on_period"]) == there
        assert np.isfinite(own["change_on_year"]) == there
        layer = shared_layers(study.shared, found)["by_county"].iloc[0]
        assert np.isfinite(layer["change_on_period"]) == there


def test_data_of_which_only_months_are_known_are_whole(study: Study) -> None:
    events = study.events
    monthly = replace(
        events, time=events.time.astype("datetime64[M]").astype("datetime64[s]"),
        precision=np.full(len(events), "month"),
    )  # fmt: skip
    whole = replace(study, events=monthly, kept={}, drawn=Answers(9))
    assert compared_with(whole, "2025-03", 1) == ["2025-02"]
    assert compared_with(whole, "2024-02", 1) == ["2024-01"]
    assert years_in(whole, "2025-03") == pytest.approx(1 / 12)
