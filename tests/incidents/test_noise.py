"""Maps of noise through :func:`analyse` itself: hardly ever a false cell, on the border neither."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from making import METRIC, X0, Y0, events
from scipy.stats import binom

from incidents.analysis import Parameters, Prepared, analyse, judge, prepare
from incidents.areas import Homes, areas_of
from incidents.cells import locate

# with fewer events the map's own spread, by which the rule judges too, hides a wrong chance
MAPS, EVENTS, LEVEL = 8, 60_000, 0.05
FEW = int(binom.ppf(0.999, MAPS, LEVEL))  # of 8 maps, by chance alone at a level of 5 %


def county() -> shapely.Polygon:
    """A county of 12 km² with a wavy border: no cell's side lies on it."""
    angle = np.linspace(0.0, 2.0 * np.pi, 180, endpoint=False)
    reach = 2_000.0 * (1.0 + 0.1 * np.sin(3 * angle) + 0.05 * np.cos(7 * angle))
    ring = np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    return shapely.Polygon(ring + np.array([X0 + 5_050.0, Y0 + 5_030.0]))


def somewhere(ground: shapely.Polygon, many: int, rng: np.random.Generator) -> np.ndarray:
    """(many, 2) places anywhere on the ground."""
    west, south, east, north = ground.bounds
    found = np.empty((0, 2))
    while len(found) < many:
        tried = rng.uniform((west, south), (east, north), (2 * many, 2))
        found = np.vstack([found, tried[shapely.contains_xy(ground, tried[:, 0], tried[:, 1])]])
    return found[:many]


def town(ground: shapely.Polygon, rng: np.random.Generator) -> np.ndarray:
    """(3,000, 2) homes, all in a town: in the fields around it nobody lives."""
    near = rng.normal((X0 + 5_600.0, Y0 + 4_700.0), 350.0, (4_000, 2))
    return near[shapely.contains_xy(ground, near[:, 0], near[:, 1])][:3_000]


@pytest.mark.parametrize("exposure", ["ground", "households"])
def test_a_map_of_noise_shows_nothing(exposure: str) -> None:
    rng = np.random.default_rng(11)
    ground = county()
    shapely.prepare(ground)
    frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[ground], crs=METRIC)
    lived = town(ground, rng) if exposure == "households" else None
    homes = None if lived is None else Homes(lived, np.ones(len(lived)), np.full(len(lived), 3.0))

    def places() -> np.ndarray:
        if lived is None:
            return somewhere(ground, EVENTS, rng)
        return lived[rng.integers(0, len(lived), EVENTS)]

    first = places()
    few = events(1_000, source=["12345热线"] * 1_000)
    told = replace(few.take(np.arange(EVENTS) % 1_000), x=first[:, 0], y=first[:, 1])
    held = prepare(told, areas_of(METRIC, villages=frame), homes=homes)
    false = 0
    for _ in range(MAPS):
        x, y = places().T
        here = replace(held, events=replace(told, x=x, y=y), cell=locate(held.cells, x, y))
        found = analyse(here, trend=False)
        assert found.mapped == EVENTS
        false += bool(found.significance.significant.any())
    assert false <= FEW


def test_each_month_is_judged_as_the_whole_period_is() -> None:
    """The words of cells come from the same test, with the same chances, as the map's colours."""
    rng = np.random.default_rng(2)
    ground = county()
    x, y = somewhere(ground, 6_000, rng).T
    told = events(6_000, x=x, y=y, source=["12345热线"] * 6_000)
    month = told.months == told.months.max()
    crowd = np.flatnonzero(month)[:80]  # so that something is hot in it
    x[crowd], y[crowd] = x[crowd[0]], y[crowd[0]]
    told = replace(told, x=x, y=y)
    frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[ground], crs=METRIC)
    held: Prepared = prepare(told, areas_of(METRIC, villages=frame))
    found = analyse(held)
    assert found.development is not None
    counts = np.bincount(held.cell[month], minlength=held.cells.inside.size)
    alone = judge(held, counts.reshape(held.cells.shape).astype(float), Parameters())
    assert alone.hot.any()
    assert np.array_equal(found.development.hot[-1], alone.hot)
    inside = held.cells.share[held.cells.inside]
    assert found.significance.expected[held.cells.inside][inside < 0.3].max() < (
        found.significance.expected.max()
    )  # a neighbourhood half outside is expected to hold less
