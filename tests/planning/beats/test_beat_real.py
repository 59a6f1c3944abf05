"""Real police nets: Cambridge's response areas and routes, Chicago's messy beats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planning.beats.describe import summary
from planning.beats.ground import BeatGround, BeatInputs, load_beat_ground
from planning.beats.propose import propose_beats
from planning.beats.settings import BeatSettings
from planning.planfile import PlanFile

pytestmark = pytest.mark.real


def plan_of(areas: gpd.GeoDataFrame, households: pd.Series) -> PlanFile:
    grids = gpd.GeoDataFrame(
        {"code": [f"{i + 1:03d}" for i in range(len(areas))], "households": households},
        geometry=areas.geometry.to_numpy(), crs=areas.crs,
    )  # fmt: skip
    none = gpd.GeoDataFrame(
        {"code": [], "class": [], "households": [], "grid_code": []}, geometry=[], crs=areas.crs
    )
    return PlanFile(grids, none, none, none, none, pd.DataFrame({"key": [], "value": []}))


def cambridge(folder: Path, layer: str) -> BeatGround:
    file = folder / "clean" / "cambridge.gpkg"
    areas = gpd.read_file(file, layer="police_response_districts").to_crs(26986)
    households = areas["dwelling_units"].fillna(0).astype(int)
    inputs = BeatInputs(existing=f"{file}:{layer}", incidents=folder / "clean" / "incidents.csv")
    return load_beat_ground(plan_of(areas, households), inputs)


@pytest.mark.parametrize(("layer", "beats"), [("police_sectors", 5), ("police_car_routes", 9)])
def test_routes_of_cambridge_are_unions_of_its_areas(
    real_data: Callable[[str], Path], layer: str, beats: int
) -> None:
    ground = cambridge(real_data("cambridge_ma"), layer)
    assert ground.today is not None
    assert len(ground.today.beats) == beats
    file = real_data("cambridge_ma") / "clean" / "cambridge.gpkg"
    areas = gpd.read_file(file, layer="police_response_districts")
    told = areas["SECTOR" if beats == 5 else "CAR_RTE"].astype(str).str.lstrip("0")
    found = ground.today.beats["code"].str.lstrip("0").to_numpy()[ground.home]
    assert (found == told.to_numpy()).mean() > 0.98
    assert ground.work.incidents.sum() == 10_335 - 1_225 - 91


@pytest.mark.parametrize("layer", ["police_sectors", "police_car_routes"])
@pytest.mark.parametrize("band", [0.10, 0.05])
def test_least_change_in_cambridge_stays_near_its_bound(
    real_data: Callable[[str], Path], layer: str, band: float
) -> None:
    ground = cambridge(real_data("cambridge_ma"), layer)
    found = propose_beats(ground, BeatSettings(band=band))
    s = summary(ground, found.plan, found.rules)
    assert s.inside == 1
    assert s.broken == 0
    assert s.bound <= s.moved_work <= 1.6 * s.bound


def test_messy_beats_of_chicago_find_their_grids(real_data: Callable[[str], Path]) -> None:
    file = real_data("chicago") / "clean" / "chicago.gpkg"
    areas = gpd.read_file(file, layer="police_beats").to_crs(26971)
    areas["geometry"] = areas.geometry.buffer(0)
    plan = plan_of(areas, pd.Series(100, areas.index))
    ground = load_beat_ground(plan, BeatInputs(existing=f"{file}:police_beats_simplified"))
    assert ground.today is not None
    told = {note.code for note in ground.notes}
    assert {"beats-overlap", "beats-hole"} <= told
    simple = gpd.read_file(file, layer="police_beats_simplified")
    own = areas["BEAT_NUM"].astype(str).to_numpy()
    found = ground.today.beats["code"].to_numpy()[ground.home]
    assert (ground.home >= 0).all()
    assert np.mean(found == own) > 0.99
    assert len(ground.today.beats) == simple["BEAT_NUM"].nunique()
