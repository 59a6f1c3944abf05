"""Pieces of an analysis: blocks leave nothing out, and what decides them decides their digest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from making import METRIC, events, grids

from cli.event_places import Places
from cli.event_steps import digest_of
from incidents.analysis import Parameters
from incidents.areas import areas_of, place
from incidents.period import Period
from incidents.selection import Selection
from incidents.steps import blocks
from incidents.trend import mann_kendall


def test_what_decides_the_file_decides_the_digest() -> None:
    held = events()
    areas = areas_of(METRIC, grids=grids())
    places = Places(METRIC, areas, None, (), {}, {})
    chosen, how = Selection(), Parameters()
    first = digest_of(held, places, chosen, how)
    assert digest_of(events(), places, chosen, how) == first
    later = held.time.copy()
    later[0] += np.timedelta64(1, "s")
    others = [
        digest_of(replace(held, time=later), places, chosen, how),
        digest_of(replace(held, category=held.category[::-1]), places, chosen, how),
        digest_of(held, places, replace(chosen, period=Period(np.datetime64("2023-02-01"))), how),
        digest_of(held, places, chosen, replace(how, bandwidth=301.0)),
        digest_of(held, replace(places, areas=areas_of(METRIC, grids=grids(3))), chosen, how),
    ]
    assert len({first, *others}) == 6


@pytest.mark.parametrize(("length", "sizes"), [(0, [0]), (3, [3]), (6, [3, 3]), (7, [3, 3, 1])])
def test_blocks_are_consecutive(length: int, sizes: list[int]) -> None:
    parts = blocks(length, 3)
    assert [part.stop - part.start for part in parts] == sizes
    assert [part.start for part in parts] == [3 * i for i in range(len(parts))]


def test_blocks_change_neither_trends_nor_places(monkeypatch: pytest.MonkeyPatch) -> None:
    series = np.random.default_rng(1).poisson(0.4, (12, 90))
    series[:, ::7] = 2
    held, areas = events(90), areas_of(METRIC, grids=grids())
    whole, places = mann_kendall(series), place(areas, held)
    monkeypatch.setattr("incidents.trend._COLUMNS", 11)
    monkeypatch.setattr("incidents.areas._EVENTS", 11)
    parts = mann_kendall(series)
    for name in ("s", "variance", "z", "p", "q", "tau", "slope"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name), equal_nan=True)
    assert (whole.slope[::7] == 0).all()
    for level, at in place(areas, held).items():
        assert np.array_equal(at, places[level])
