"""The tables of a plan against the county they were made from."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
import towns

from geo.ground import Ground
from planning.county import propose_county
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.tables import to_planfile

# the contract of plan.gpkg, docs/formats.md
COLUMNS = {
    "grids": [
        "code", "name", "kind", "village_code", "village_name", "township_name", "households",
        "persons", "area_m2", "perimeter_m", "polsby_popper", "reach_m", "edge_on_line", "parts",
        "bounds_text", "exceptions", "target", "deviation", "ideal", "deviation_ideal",
    ],
    "micro_grids": ["code", "grid_code", "households", "persons"],
    "households": ["household_id", "households", "persons", "grid_code", "micro_code"],
    "villages": ["code", "name", "township_name", "class", "households", "persons", "grids"],
    "exceptions": ["grid_code", "rule", "value", "limit", "reason"],
    "provenance": ["key", "value"],
}  # fmt: skip


def county() -> Ground:
    x, y = towns.ORIGIN
    first = towns.village("12|34\n--+--\n56|78", times=10, persons=3, code="320116001201")
    second = towns.village(
        "1.2.3   1\n.4.5.    ", times=20, persons=3, code="320116001202", at=(x + 3000, y)
    )
    ground = towns.county(
        [first, second],
        road_names=["人民路", "通扬河"],
        dedicated=[("实验小学", shapely.box(x + 3060, y + 5, x + 3140, y + 45))],
    )
    lost = pd.DataFrame(
        {
            "household_id": ["L1", "L2"],
            "households": [4, 1],
            "persons": [9, -1],
            "reason": ["outside-all-villages", "no-coordinates"],
            "x": [x - 9000.0, np.nan],
            "y": [y, np.nan],
        }
    )
    # what a careless reader might have let through must not come out again
    households = ground.households.assign(owner_name="某某", phone="000")
    return replace(ground, unplaced=lost, households=households)


@pytest.fixture(scope="module")
def ground() -> Ground:
    return county()


@pytest.fixture(scope="module")
def tables(ground: Ground) -> PlanFile:
    return to_planfile(propose_county(ground, Settings(target=120, micro=60)), {"strict": False})


@pytest.mark.parametrize("layer", sorted(COLUMNS))
def test_the_contract_names_these_columns(tables: PlanFile, layer: str) -> None:
    assert set(COLUMNS[layer]) <= set(getattr(tables, layer).columns)


def test_no_personal_column_comes_out(tables: PlanFile) -> None:
    assert set(tables.households.columns) == {*COLUMNS["households"], "geometry"}
    assert set(tables.unplaced.columns) == {
        "household_id", "households", "persons", "reason", "geometry",
    }  # fmt: skip


def test_codes_are_unique_and_nested(tables: PlanFile) -> None:
    assert tables.grids["code"].is_unique
    for row in tables.grids.itertuples():
        assert re.fullmatch(rf"{row.village_code}\d{{3}}", row.code)
        assert (int(row.code[-3:]) > 900) == (row.kind == "dedicated")
    assert tables.micro_grids is not None
    assert tables.micro_grids["code"].is_unique
    for row in tables.micro_grids.itertuples():
        assert re.fullmatch(rf"{row.grid_code}\d\d", row.code)


def test_grids_tile_their_village(tables: PlanFile, ground: Ground) -> None:
    for row in ground.villages.itertuples():
        own = tables.grids.loc[tables.grids["village_code"] == row.code].geometry.to_numpy()
        assert shapely.coverage_is_valid(own)
        assert shapely.area(own).sum() == pytest.approx(row.geometry.area)


def test_counts_add_up(tables: PlanFile, ground: Ground) -> None:
    held = ground.households
    assert len(tables.households) == len(held)
    assert tables.grids["households"].sum() == held["households"].sum()
    assert tables.villages["households"].sum() == held["households"].sum()
    assert tables.grids["persons"].sum() == held["persons"].sum()
    by_grid = tables.households.groupby("grid_code")["households"].sum()
    usual = tables.grids.set_index("code")["households"]
    assert by_grid.reindex(usual.index, fill_value=0).tolist() == usual.tolist()
    assert tables.micro_grids is not None
    by_micro = tables.households.groupby("micro_code")["households"].sum()
    micro = tables.micro_grids.set_index("code")["households"]
    assert by_micro.reindex(micro.index, fill_value=0).tolist() == micro.tolist()
    assert tables.villages["grids"].tolist() == [
        int((tables.grids["village_code"] == code).sum()) for code in tables.villages["code"]
    ]


def test_every_household_lies_in_its_grid_and_micro_grid(tables: PlanFile) -> None:
    grids = tables.grids.set_index("code").geometry
    own = grids.loc[tables.households["grid_code"]].to_numpy()
    points = tables.households.geometry.to_numpy()
    assert (shapely.distance(own, points) < 1e-6).all()
    assert tables.micro_grids is not None
    named = tables.households["micro_code"].notna().to_numpy()
    micro = tables.micro_grids.set_index("code").geometry
    own = micro.loc[tables.households.loc[named, "micro_code"]].to_numpy()
    assert (shapely.distance(own, points[named]) < 1e-6).all()
    dedicated = tables.households["grid_code"].str[-3:].astype(int) > 900
    assert (named == ~dedicated).all()


def test_measures_are_those_of_the_shapes(tables: PlanFile) -> None:
    shapes = tables.grids.geometry
    assert tables.grids["area_m2"].tolist() == pytest.approx(shapes.area.tolist())
    assert tables.grids["perimeter_m"].tolist() == pytest.approx(shapes.length.tolist())
    pp = 4 * np.pi * shapes.area / shapes.length**2
    assert tables.grids["polsby_popper"].tolist() == pytest.approx(pp.tolist())
    assert tables.grids["parts"].tolist() == shapely.get_num_geometries(shapes).tolist()


def test_deviations_are_from_the_target_and_from_the_ideal(tables: PlanFile) -> None:
    for row in tables.grids.itertuples():
        if row.kind == "dedicated":
            assert np.isnan(row.deviation)
            assert np.isnan(row.ideal)
            continue
        assert row.deviation == pytest.approx(row.households / 120 - 1)
        assert row.deviation_ideal == pytest.approx(row.households / row.ideal - 1)
    first = tables.grids[tables.grids["village_code"] == "320116001201"]
    assert first["ideal"].tolist() == pytest.approx([360 / len(first)] * len(first))


def test_unplaced_are_listed_not_counted(tables: PlanFile) -> None:
    assert tables.unplaced["household_id"].tolist() == ["L1", "L2"]
    assert tables.unplaced["reason"].tolist() == ["outside-all-villages", "no-coordinates"]
    assert tables.unplaced.geometry.notna().tolist() == [True, False]
    assert tables.unplaced["persons"].isna().tolist() == [False, True]
    assert tables.value("count.rows_unplaced") == "2"
    assert tables.value("count.households_unplaced") == "5"


def test_exceptions_are_told_twice_the_same(tables: PlanFile) -> None:
    listed = tables.exceptions.groupby("grid_code")["rule"].agg(
        lambda rules: "; ".join(sorted(set(rules)))
    )
    for row in tables.grids.itertuples():
        assert row.exceptions == listed.get(row.code, "")
    assert "parts" in set(tables.exceptions["rule"])  # the islet of the second village
    assert (tables.exceptions["reason"].str.len() > 10).all()


def test_provenance_tells_every_parameter(tables: PlanFile) -> None:
    assert tables.value("setting.target") == "120"
    assert tables.value("setting.max_households") == ""
    assert tables.value("setting.micro") == "60"
    assert tables.value("argument.strict") == "False"
    assert tables.value("crs") is not None
    assert "4549" in str(tables.value("crs"))
    assert tables.value("count.grids") == str(len(tables.grids))
    assert tables.value("no such key") is None
    assert tables.provenance["key"].is_unique


def test_persons_unknown_are_null() -> None:
    own = towns.county([towns.village("12|34\n--+--\n56|78", times=10)])
    found = to_planfile(propose_county(own, Settings(target=120, micro=60)))
    assert found.grids["persons"].isna().all()
    assert found.households["persons"].isna().all()
    assert found.villages["persons"].isna().all()
    assert found.micro_grids is not None
    assert found.micro_grids["persons"].isna().all()


def test_a_village_of_dedicated_ground_alone() -> None:
    x, y = towns.ORIGIN
    own = towns.county(
        [towns.village("1.\n.2")], dedicated=[("大学", shapely.box(x, y, x + 100, y + 100))]
    )
    found = to_planfile(propose_county(own, Settings(micro=60)))
    assert found.grids["kind"].tolist() == ["dedicated"]
    assert found.micro_grids is not None
    assert len(found.micro_grids) == 0
    assert found.households["micro_code"].isna().all()
