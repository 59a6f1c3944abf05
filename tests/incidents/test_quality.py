"""What the data cannot bear is told first, with numbers; nothing is dropped."""

from __future__ import annotations

import numpy as np
import pytest
from making import X0, Y0, events

from geo.read import read_layer
from incidents.events import Events, load_events
from incidents.quality import Named, Quality, quality_of


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
