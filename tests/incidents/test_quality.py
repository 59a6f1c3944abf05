"""What the data cannot bear is told first, with numbers; nothing is dropped."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from making import X0, Y0, events

from geo.problems import Language
from geo.read import read_layer
from incidents.events import Events, load_events
from incidents.quality import Named, Quality, about, coarse, quality_of


def codes(quality: Quality) -> dict[str, int]:
    return {finding.code.removeprefix("quality-"): finding.count for finding in quality.findings}


def moved(whole: Events, rows: slice, x: float, y: float) -> Events:
    whole.x[rows], whole.y[rows] = x, y
    return whole


def test_sound_data_raise_no_doubt() -> None:
    quality = quality_of(events(500))
    assert quality.findings == ()
    assert quality.share == 1.0
    assert quality.bears_map


def test_too_few_places() -> None:
    x = np.where(np.arange(200) < 60, np.nan, X0)
    quality = quality_of(events(200, x=x + np.arange(200), y=np.full(200, Y0)))
    assert not quality.bears_map
    assert quality.findings[0].code == "quality-placed"
    assert "70.0%" in quality.findings[0].text("en")
    assert "70.0%" in quality.findings[0].text("zh")


def test_piles_are_named() -> None:
    whole = moved(events(500), slice(0, 20), X0 + 50, Y0 + 50)
    moved(whole, slice(20, 40), X0 + 900, Y0 + 900)
    moved(whole, slice(40, 60), X0 + 2000, Y0 + 100)
    known = (
        Named("station", np.array([[X0 + 55, Y0 + 50]]), ["派出所"]),
        Named("centre", np.array([[X0 + 900, Y0 + 905]]), ["某村"]),
    )
    quality = quality_of(whole, known=known)
    assert codes(quality) == {"pile-station": 20, "pile-centre": 20, "pile": 20}
    assert list(quality.piled) == list(range(60))
    assert "派出所" in quality.findings[0].text("zh")


def test_a_handful_of_events_is_no_pile() -> None:
    assert codes(quality_of(moved(events(60), slice(0, 3), X0, Y0))) == {}


def test_a_busy_point_of_snapped_places_is_no_default_and_stays() -> None:
    """Of snapped places the fullest points pass one percent by their nature."""
    whole = events(2_000)
    point = np.random.default_rng(1).integers(0, 150, 2_000)  # some 13 events a point
    whole.x[:], whole.y[:] = X0 + 300 * (point % 15), Y0 + 300 * (point // 15)
    moved(whole, slice(0, 12), X0 + 300, Y0 + 300)
    busy = quality_of(whole)
    assert codes(busy)["busy-point"] >= 20
    assert not len(busy.piled)
    assert not next(f for f in busy.findings if f.code == "quality-busy-point").grave
    moved(whole, slice(0, 80), X0 + 40, Y0 + 40)  # this one stands out
    assert codes(quality_of(whole))["pile"] == 80


def test_a_month_that_towers_over_the_others_is_told() -> None:
    day = np.datetime64("2023-01-01T08:00") + np.arange(600) * np.timedelta64(12, "h")
    even = events(600, time=day.astype("datetime64[s]"))
    assert "uneven" not in codes(quality_of(even))
    day[:500] = np.datetime64("2023-04-03T08:00") + np.arange(500) * np.timedelta64(30, "m")
    day[500:] = np.datetime64("2023-01-01T08:00") + np.arange(100) * np.timedelta64(72, "h")
    found = codes(quality_of(events(600, time=day.astype("datetime64[s]"))))
    assert found["uneven"] > 490


def test_what_stands_above_a_map_is_short() -> None:
    whole = events(600)
    whole.x[:], whole.y[:] = np.round(whole.x, -2), np.round(whole.y, -3)
    snapped = next(f for f in quality_of(whole).findings if f.code == "quality-snapped")
    for language in ("zh", "en"):
        assert len(snapped.brief(language)) < len(snapped.text(language))
    assert "neighbourhood" in snapped.brief("en")


def test_snapped_places() -> None:
    whole = events(600)
    whole.x[:], whole.y[:] = np.round(whole.x, -2), np.round(whole.y, -3)
    assert "snapped" in codes(quality_of(whole))


def test_piles_in_time() -> None:
    whole = events(1000)
    whole.time[:50] = whole.time[:50].astype("datetime64[D]")
    whole.time[50:150] = whole.time[50:150].astype("datetime64[M]").astype("datetime64[s]") + 3600
    found = codes(quality_of(whole))
    assert found["midnight"] == 50
    assert found["first-day"] >= 100


def test_repeats_outside_and_words() -> None:
    whole = events(100, source=[""] * 100, category=["某某"] * 100)
    for column in ("x", "y", "time"):
        getattr(whole, column)[1] = getattr(whole, column)[0]
    outside = np.arange(100) < 7
    found = codes(quality_of(whole, outside=outside))
    assert found == {"outside": 7, "same": 1, "unmapped": 100, "source": 100}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "expected", "absent"),
    [
        ("uk_canterbury", {"snapped", "months"}, {"placed"}),
        ("cambridge_ma", {"snapped", "unplaced"}, {"placed", "months"}),
        ("tw_tainan", set(), {"snapped", "pile", "months"}),
    ],
)
def test_real_events(real_data, name: str, expected: set[str], absent: set[str]) -> None:
    layer = read_layer(real_data(name) / "clean" / "incidents.csv", "incidents")
    found = codes(quality_of(load_events([layer])))
    assert expected <= found.keys()
    assert not absent & found.keys()


def doubtful() -> Quality:
    """Two thousand events with a doubt of nearly every kind, each about another number of them."""
    rng = np.random.default_rng(4)
    x, y = X0 + rng.uniform(0, 4000, 2_000), Y0 + rng.uniform(0, 4000, 2_000)
    x[:137], y[:137] = X0 + 50, Y0 + 50  # a pile
    x[137:274], y[137:274] = X0 + 900, Y0 + 900  # one at a village's centre
    x[300:643] = np.nan
    start = np.datetime64("2023-01-01", "s")
    time = start + rng.integers(0, 700 * 86_400, 2_000).astype("timedelta64[s]")
    time[700:931] = time[700:931].astype("datetime64[D]")  # midnight
    time[1_000:1_411] = np.datetime64("2024-05-01T09:00:00")  # the first of one month
    precision = np.full(2_000, "minute", dtype=object)
    precision[1_500:1_763], precision[1_763:1_822] = "month", "day"
    time[1_900:1_943] = np.datetime64("NaT")
    whole = events(
        2_000, x=x, y=y, time=time, time_precision=list(precision),
        category=["某某"] * 2_000, source=[""] * 2_000,
    )  # fmt: skip
    known = (Named("centre", np.array([[X0 + 900, Y0 + 900]]), ["某村"]),)
    outside = (np.arange(2_000) % 53 == 0) & whole.placed
    return quality_of(replace(whole, repeats=389), known=known, outside=outside)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_brief_holds_a_count(language: Language) -> None:
    quality = doubtful()
    found = codes(quality)
    assert {"placed", "pile", "pile-centre", "months", "days", "no-time", "repeats", "unmapped",
            "source", "outside", "first-day", "midnight"} <= found.keys()  # fmt: skip
    for finding in quality.findings:
        brief = finding.brief(language)
        numbers = {int(n) for n in re.findall(r"\d+", brief.replace(",", ""))}
        assert finding.count not in numbers, brief
        plain = set(range(101)) | {2024}  # percents, a month
        assert numbers <= plain, brief
        assert f"{finding.rows.size}" not in re.findall(r"\d{3,}", brief)


def test_a_leaders_share_gives_no_count_back() -> None:
    for of in (12, 60, 399, 1_000, 39_553):
        for count in (0, 1, 7, of // 3, of):
            told = coarse(count / of, of)
            same = sum(coarse(other / of, of) == told for other in range(of + 1))
            assert count == 0 or same >= min(4, of)
            assert (told == 0) == (count == 0)
    assert about(1_234) == "about 1,200"
    assert about(50) == "about 100"
    assert about(0) == about(49) == "under 50"
