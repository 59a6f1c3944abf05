"""Real cities and islands, from their files to a plan that passes the check."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planning.planfile import PlanFile, read_plan

pytestmark = pytest.mark.real


@pytest.fixture
def planned(run, tmp_path):
    """Propose, check against the same files, and read the plan."""

    def call(villages: object, households: object, *more: object) -> PlanFile:
        path = tmp_path / "plan.gpkg"
        files = ("--villages", villages, "--households", households)
        code, _, err = run("propose", *files, "-o", path, "--workers", 2, *more)
        assert code == 0, err
        code, out, err = run("check", path, *files)
        assert code == 0, out + err
        plan = read_plan(path)
        everybody_counts(plan)
        return plan

    return call


def everybody_counts(plan: PlanFile) -> None:
    """What any plan of any county must hold, worked out from its tables alone."""
    assert plan.grids["households"].sum() == plan.households["households"].sum()
    assert plan.villages["households"].sum() == plan.households["households"].sum()
    assert set(plan.households["grid_code"]) <= set(plan.grids["code"])
    assert plan.grids["code"].is_unique
    assert (plan.grids["bounds_text"].str.count("至") >= 4).all()
    for code, own in plan.grids.groupby("village_code"):
        village = plan.villages.loc[plan.villages["code"] == code].geometry.iloc[0]
        shapes = own.geometry.to_numpy()
        assert shapely.coverage_is_valid(shapes), code
        assert shapely.area(shapes).sum() == pytest.approx(village.area, rel=1e-6, abs=0.1)
    over = plan.grids[plan.grids["persons"].fillna(0) > 1500]
    assert all("max_persons" in told for told in over["exceptions"])
    loose = plan.grids[plan.grids["parts"] > 1]
    assert all("parts" in told for told in loose["exceptions"])


def test_cambridge(planned, real_data) -> None:
    """41,621 dwellings at 13,000 parcels, 13 neighbourhoods, streets, rivers and rails."""
    city = real_data("cambridge_ma/clean/cambridge.gpkg")
    plan = planned(
        f"{city}:neighborhoods", real_data("cambridge_ma/clean/dwelling_points.csv"),
        "--roads", f"{city}:streets", "--water", f"{city}:water", "--railways", f"{city}:rail",
    )  # fmt: skip
    assert plan.grids["households"].sum() == 41_621
    assert len(plan.villages) == 13
    assert 130 <= len(plan.grids) <= 150
    # dwellings of one parcel stand on one point, and no grid border can part them
    parcels = plan.households.geometry.to_wkb()
    assert (plan.households.groupby(parcels)["grid_code"].nunique() == 1).all()


def test_cambridge_by_census_blocks(planned, real_data) -> None:
    city = real_data("cambridge_ma/clean/cambridge.gpkg")
    plan = planned(
        f"{city}:neighborhoods", f"{city}:census_blocks_2020", "--roads", f"{city}:streets"
    )
    blocks = gpd.read_file(city, layer="census_blocks_2020")
    placed = plan.grids["households"].sum() + plan.unplaced["households"].sum()
    assert placed == blocks["dwelling_units"].sum()


def test_islands(planned, real_data) -> None:
    """Matsu: 22 island villages and hundreds of reefs that nobody lives on."""
    folder = real_data("tw_lienchiang/clean")
    plan = planned(folder / "villages.gpkg", folder / "small_areas.parquet", "--micro", 60)
    areas = gpd.read_parquet(folder / "small_areas.parquet")
    placed, lost = plan.grids[["households", "persons"]].sum(), plan.unplaced["households"].sum()
    assert placed["households"] + lost == areas["households"].sum()
    assert lost <= 5  # the villages' outlines are simplified, and three households fall outside
    assert placed["persons"] + plan.unplaced["persons"].sum() == areas["population"].sum()
    assert plan.grids.crs.to_epsg() == 3825
    assert plan.micro_grids is not None


def test_a_township_of_tainan(planned, real_data, tmp_path: Path) -> None:
    """新營區: 23 villages from their small census areas."""
    folder = real_data("tw_tainan/clean")
    villages = gpd.read_file(folder / "villages.gpkg")
    own = villages[villages["townname"] == "新營區"]
    assert len(own) == 23
    own.to_file(tmp_path / "villages.gpkg")
    areas = gpd.read_parquet(folder / "small_areas.parquet")
    mine = areas[areas["villcode"].isin(own["villcode"])]
    mine.to_parquet(tmp_path / "areas.parquet")
    plan = planned(tmp_path / "villages.gpkg", tmp_path / "areas.parquet")
    placed = plan.grids["households"].sum() + plan.unplaced["households"].sum()
    assert placed == mine["households"].sum()
    assert len(plan.villages) == 23


def test_walnut_hills(planned, real_data, tmp_path: Path) -> None:
    """Census blocks, three of them invalid, in tracts that are made of them."""
    blocks = gpd.read_file(real_data("walnut_hills/clean/walnut_hills.gpkg"))
    blocks["geometry"] = blocks.geometry.make_valid()
    tracts = blocks.dissolve("TRACT", as_index=False)[["TRACT", "geometry"]]
    tracts.rename(columns={"TRACT": "code"}).to_file(tmp_path / "tracts.gpkg")
    plan = planned(
        tmp_path / "tracts.gpkg", real_data("walnut_hills/clean/walnut_hills.gpkg"),
        "--columns", "households.persons=POPULATION",
    )  # fmt: skip
    assert plan.grids["households"].sum() == blocks["HOUSEHOLDS"].sum()
    assert plan.grids["persons"].sum() == pd.to_numeric(blocks["POPULATION"]).sum()
