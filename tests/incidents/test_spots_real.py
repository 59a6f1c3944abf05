"""Real events: what the statistics say of places that were never simulated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from incidents.accuracy import back_test
from incidents.cells import Cells, count, cover
from incidents.gistar import gi_star, gi_star_areas
from incidents.near_repeat import near_repeat
from incidents.neighbours import queen

pytestmark = pytest.mark.real
RealData = Callable[[str], Path]


def placed(
    areas: gpd.GeoDataFrame, events: pd.DataFrame, crs: int
) -> tuple[Cells, np.ndarray, np.ndarray]:
    ground = shapely.union_all(shapely.make_valid(areas.to_crs(crs).geometry.to_numpy()))
    points = gpd.GeoSeries(gpd.points_from_xy(events["lon"], events["lat"]), crs=4326).to_crs(crs)
    return cover(ground), points.x.to_numpy(), points.y.to_numpy()


def test_cambridge_is_not_one_hot_spot(real_data: RealData) -> None:
    """A town: the exact test against even ground calls nine tenths of it hot or cold."""
    areas = gpd.read_file(real_data("cambridge_ma/clean/cambridge.gpkg"), layer="neighborhoods")
    events = pd.read_csv(real_data("cambridge_ma/clean/incidents.csv"))
    cells, x, y = placed(areas, events, 26986)
    counts = count(cells, x, y)
    assert len(events) - counts.sum() == 1_239  # 1,225 without coordinates, the rest outside
    alone, both = gi_star(counts, cells, method="poisson"), gi_star(counts, cells)
    assert alone.significant.sum() > 0.8 * cells.inside.sum()
    assert 20 < both.hot.sum() < 0.15 * cells.inside.sum()
    assert not (both.hot & ~alone.hot).any()
    assert counts[both.hot].sum() > 0.25 * counts.sum()


def test_tainan_maps_hold_on_a_later_period(real_data: RealData) -> None:
    areas = gpd.read_file(real_data("tw_tainan/clean/villages.gpkg"))
    events = pd.read_csv(real_data("tw_tainan/clean/incidents.csv"))
    cells, x, y = placed(areas, events, 3826)
    early = (pd.to_datetime(events["datetime"]) < "2023-01-20").to_numpy()
    before, after = count(cells, x[early], y[early]), count(cells, x[~early], y[~early])
    assert before.sum() + after.sum() == len(events) == 5_226
    rows = {(row.surface, row.share): row for row in back_test(cells, before, after)}
    assert rows["density", 0.01].pai > 20
    assert rows["density", 0.10].hit > rows["count", 0.10].hit


def test_chicago_carjackings_come_near_each_other_within_two_weeks(real_data: RealData) -> None:
    path = real_data("chicago/clean/chicago.gpkg")
    events = gpd.read_file(path, layer="carjackings_2020").to_crs(26971)
    days = pd.to_datetime(events["Date"], format="mixed").dt.normalize().to_numpy()
    table = near_repeat(events.geometry.x, events.geometry.y, days, runs=199)
    assert table.observed.sum() == len(events) * (len(events) - 1) // 2
    assert (table.p[1:3, 0] <= 0.01).all()
    assert table.ratio[1, 0] > 1.8
    assert table.p[3, 3] > 0.05


def test_chicago_areas_by_their_people(real_data: RealData) -> None:
    path = real_data("chicago/clean/chicago.gpkg")
    events = gpd.read_file(path, layer="carjackings_2020").to_crs(26971)
    areas = gpd.read_file(path, layer="community_areas_2020").to_crs(26971)
    inside = gpd.sjoin(events[["geometry"]], areas[["geometry"]], predicate="within")
    counts = np.bincount(inside["index_right"], minlength=len(areas))
    people = pd.to_numeric(areas["TOT_POP"]).to_numpy()
    test = gi_star_areas(counts, queen(areas.geometry.to_numpy()), exposure=people)
    assert test.expected.sum() > counts.sum()
    assert {"WEST GARFIELD PARK", "AUSTIN"} <= set(areas["community"][test.hot])
