"""Sums agree at every level; rates, changes and periods; closure and the index."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from making import METRIC, X0, Y0, events, grids, layer

from geo.problems import InputError
from incidents.areas import (
    NO_PLACE,
    OUTSIDE,
    Homes,
    area_table,
    areas_of,
    change,
    place,
    shown_change,
    tally,
)
from incidents.categories import SEVEN, default_table
from incidents.events import load_events
from incidents.loop import (
    Closure,
    Indicator,
    closure,
    days_to_close,
    disputes,
    loop_table,
    overdue,
    peace_index,
    per_10000,
)
from incidents.period import Period, period_named, told_of


def beats(cut: float) -> gpd.GeoDataFrame:
    """Two beats side by side, their border ``cut`` metres from the grids' west side."""
    shapes = [shapely.box(X0, Y0, X0 + cut, Y0 + 4000),
              shapely.box(X0 + cut, Y0, X0 + 4000, Y0 + 4000)]  # fmt: skip
    return gpd.GeoDataFrame({"code": ["B1", "B2"]}, geometry=shapes, crs=METRIC)


@given(
    seed=st.integers(0, 1000), n=st.integers(1, 300), size=st.floats(500, 6000),
    lost=st.integers(0, 50), cut=st.sampled_from([2000.0, 1500.0]),
)  # fmt: skip
@settings(max_examples=12)
def test_sums_agree_at_every_level(seed: int, n: int, size: float, lost: int, cut: float) -> None:
    x = X0 + np.random.default_rng(seed).uniform(0, size, n)
    x[: min(lost, n - 1)] = np.nan
    whole = events(n, seed, size=size, x=x)
    areas = areas_of(METRIC, grids=grids(), beats=beats(cut))
    at = place(areas, whole)
    totals = {}
    for name, level in areas.levels.items():
        table = area_table(level, at[name])
        assert table["count"].sum() == n
        assert table["count"].iloc[-1] == (~whole.placed).sum()
        totals[name] = table.set_index("code")["count"]
    by = grids().groupby("village_code")["code"].apply(list)
    for village, members in by.items():
        assert totals["village"][village] == totals["grid"][members].sum()
    assert totals["township"].sum() == totals["county"].sum()


def test_beats_of_whole_grids_add_grids_up_and_others_count_themselves() -> None:
    whole_grids = areas_of(METRIC, grids=grids(), beats=beats(2000))
    assert whole_grids.levels["beat"].own is None
    assert list(whole_grids.levels["beat"].persons) == [7200, 7200]
    homes = Homes(np.array([[X0 + 10, Y0 + 10.0]]), np.array([3.0]), np.array([7.0]))
    cut = areas_of(METRIC, grids=grids(), beats=beats(1500), homes=homes)
    assert [note.code for note in cut.notes] == ["areas-beats-cut"]
    assert list(cut.levels["beat"].persons) == [7, 0]
    assert cut.shapes("beat")[0].area == pytest.approx(1500 * 4000)
    whole = events(400)
    at = place(cut, whole)
    assert (at["beat"] == (whole.x > X0 + 1500)).all()


def test_villages_alone_and_beats_alone_are_areas_too() -> None:
    villages = grids().dissolve("village_code", as_index=False).rename(
        columns={"village_code": "number"}
    )  # fmt: skip
    alone = areas_of(METRIC, villages=villages)
    assert list(alone.levels) == ["village", "township", "county"]
    assert list(areas_of(METRIC, beats=beats(2000)).levels) == ["beat", "county"]
    with pytest.raises(InputError, match="no areas"):
        areas_of(METRIC)


def test_rates_and_what_is_too_few() -> None:
    level = areas_of(METRIC, grids=grids()).levels["village"]
    at = np.repeat([0, 1, 2, 3, OUTSIDE, NO_PLACE], [36, 4, 40, 400, 3, 2])
    table = area_table(level, at)
    assert list(table["count"]) == [36, 4, 40, 400, 3, 2]
    assert table["rate_per_1000"].iloc[0] == pytest.approx(36 / 3600 * 1000)
    assert list(table["enough"].iloc[:4]) == [True, False, True, True]
    assert list(table["unusual"].iloc[:4]) == ["low", "low", "low", "high"]
    raw, drawn = table["rate_per_1000"].iloc[1], table["rate_smoothed"].iloc[1]
    assert raw < drawn < 480 / 14400 * 1000
    assert table["rate_per_1000"].iloc[-2:].isna().all()
    assert tally(level, at).sum() == len(at)


def test_areas_without_residents_have_no_rate() -> None:
    frame = grids().assign(persons=[-1, 0, *[900] * 14])
    table = area_table(areas_of(METRIC, grids=frame).levels["grid"], np.arange(16))
    assert table["rate_per_1000"].isna().sum() == 2 + 2


def test_where_no_residents_are_known_rates_are_of_households() -> None:
    assert areas_of(METRIC, grids=grids()).per == "persons"
    untold = areas_of(METRIC, grids=grids().assign(persons=-1))
    assert untold.per == "households"
    table = area_table(untold.levels["village"], np.repeat([0, 1, 2, 3], 36), untold.per)
    assert table["rate_per_1000"].iloc[0] == pytest.approx(36 / 1200 * 1000)
    assert areas_of(METRIC, grids=grids().assign(persons=-1, households=-1)).per == "persons"


def test_nothing_before_is_shown_as_a_dash() -> None:
    values = change(np.array([3.0, 0.0, 5.0]), np.array([0.0, 4.0, 4.0]))
    assert [shown_change(float(v)) for v in values] == ["—", "-100.0%", "+25.0%"]


def days(text: str) -> np.ndarray:
    return np.array(text.split(), dtype="datetime64[s]")


def test_periods_compare_with_equal_ones() -> None:
    times = days("2022-01-05 2024-05-31T23:59:59 2024-06-01 NaT")
    told = told_of(times, np.array(["minute", "minute", "day", ""]))
    assert told is not None
    may = Period(np.datetime64("2024-05-01"), np.datetime64("2024-06-01"))
    assert list(may.holds(times)) == [False, True, False, False]
    assert may.text() == "2024-05-01/2024-05-31"
    assert may.before(told).text() == "2024-04-01/2024-04-30"
    assert may.year_before(told).text() == "2023-05-01/2023-05-31"
    week = Period(np.datetime64("2024-03-04"), np.datetime64("2024-03-11"))
    assert week.before(told).text() == "2024-02-26/2024-03-03"
    first = Period(np.datetime64("2022-01-01"), np.datetime64("2022-02-01"))
    assert first.before(told) is None
    assert Period().before(told) is None
    assert Period().holds(times).all()
    with pytest.raises(ValueError, match="before it begins"):
        Period(np.datetime64("2024-05-02"), np.datetime64("2024-05-01"))


@pytest.mark.parametrize(
    ("first", "last", "precision", "whole"),
    [
        ("2024-01-04", "2024-03-28", "day", ["2024-01", "2024-02", "2024-03"]),
        ("2024-01-05", "2024-03-27", "minute", ["2024-02"]),
        ("2024-01-01", "2024-03-01", "month", ["2024-01", "2024-02", "2024-03"]),
    ],
)
def test_what_is_told_in_part(first: str, last: str, precision: str, whole: list[str]) -> None:
    told = told_of(days(f"{first} 2024-02-11 {last}"), np.array([precision] * 3))
    assert told is not None
    months = [f"2024-{month:02d}" for month in range(1, 5)]
    assert [month for month in months if told.whole(period_named(month))] == whole
    assert told.whole(period_named("2024-02"))
    assert not told.whole(period_named("2024"))
    april = period_named("2024-04")
    assert april.before(told) is None
    held = period_named("2024-03").before(told)
    assert (held is not None) == ("2024-03" in whole)
    assert told_of(days("NaT"), np.array([""])) is None


def test_a_short_period_has_little_slack() -> None:
    told = told_of(days("2024-01-01 2024-03-12"), np.array(["day", "day"]))
    assert told is not None
    week = Period(np.datetime64("2024-03-08"), np.datetime64("2024-03-15"))
    assert not told.whole(week)  # it ends on the 14th
    assert told.years(period_named("2024-02")) == 1 / 12
    assert told.years(period_named("2024-03")) == pytest.approx(12 / 31 / 12)


def test_closure_is_cut_and_not_rounded() -> None:
    assert Closure(47_269, 45_987).shown == "97.28%"
    assert Closure(100_000, 99_999).shown == "99.99%"
    assert Closure(0, 0).shown == "—"
    whole = events(100, status=["已派单"] * 10 + ["已办结"] * 80 + ["待受理"] * 10)
    assert closure(whole) == Closure(90, 80)


def test_days_and_overdue() -> None:
    whole = events(
        4, time=days("2024-01-01 2024-01-01 2024-01-01 2024-01-01"),
        reported_time=["2024-01-02", "", "2024-01-09", ""],
        closed_time=days("2024-01-04 2024-01-04 2024-01-04 NaT"),
        due_time=["2024-01-03", "2024-01-05", "", "2024-01-02"],
    )  # fmt: skip
    assert list(days_to_close(whole)[:2]) == [2.0, 3.0]
    assert np.isnan(days_to_close(whole)[2:]).all()  # closed before it was reported; open
    assert list(overdue(whole, np.datetime64("2024-02-01", "s"))) == [True, False, False, True]


def test_the_loop_by_any_key() -> None:
    whole = events(300)
    table = loop_table(whole, whole.group, whole.classes.keys)
    assert table["events"].sum() == 300
    assert table["dispatched"].sum() == closure(whole).dispatched
    assert set(table["key"]) == {"public_order", "city_management", "environment"}
    assert table["open_late"].isna().all()  # no file tells a limit: nothing is known, not nought
    assert per_10000(12, 4000.0) == 30.0
    assert np.isnan(per_10000(1, 0.0))


def test_late_events_are_told_open_and_closed() -> None:
    whole = events(4, category="环境保护")
    time = np.array(["2024-03-01T00:00:00"] * 4, dtype="datetime64[s]")
    day = np.timedelta64(86_400, "s")
    told = replace(
        whole, time=time, reported=time, due=time + 2 * day, group=np.zeros(4, dtype=np.int8),
        closed=np.array([time[0] + day, time[1] + 5 * day, "NaT", "NaT"], dtype="datetime64[s]"),
        state=np.array([5, 5, 4, 4], dtype=np.int8),
    )
    row = loop_table(told, told.group).iloc[0]
    assert (row["open_late"], row["closed_late"]) == (2, 1)  # the last moment told is day 5
    assert overdue(told, time[0] + 5 * day).tolist() == [False, True, True, True]


def test_disputes_are_told_by_the_files_words() -> None:
    kinds = ["矛盾纠纷/邻里", "劳动争议", "Neighbour dispute", "井盖损坏"]
    assert disputes(events(4, category=kinds)).tolist() == [True, True, True, False]
    seven = load_events(
        [layer({"x": [X0] * 2, "y": [Y0] * 2, "category": ["医疗", "井盖"]})], crs=METRIC,
        table=default_table(SEVEN),
    )  # fmt: skip
    assert disputes(seven).tolist() == [True, False]


def test_the_index_is_its_recipe() -> None:
    parts = [Indicator("closure", 3, 1.0, 0.5), Indicator("disputes", 1, 0, 40)]
    index = peace_index(parts, {"closure": [1.0, 0.75, np.nan], "disputes": [20, 80, 0]})
    assert list(index.value[:2]) == [87.5, 37.5]
    assert np.isnan(index.value[2])
    assert index.recipe[0] == "closure: 75.0% (100 = 1, 0 = 0.5)"
    with pytest.raises(ValueError, match="weights above 0"):
        peace_index([Indicator("a", 0, 1, 0)], {"a": [1]})
    with pytest.raises(ValueError, match="no values"):
        peace_index(parts, {"closure": [1.0]})
    with pytest.raises(ValueError, match="same best and worst"):
        Indicator("a", 1, 2, 2).score([1])
