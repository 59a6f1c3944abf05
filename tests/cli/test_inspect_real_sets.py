"""Every real set of villages, households or incidents comes through ``inspect -o`` untouched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from test_command_inspect import reads_back

pytestmark = pytest.mark.real

A1 = "交通事故資料_臺南市_lines.csv"
TW, CAM, UK = "tw_tainan", "cambridge_ma", "uk_canterbury/clean/uk_canterbury.gpkg"


@dataclass(frozen=True)
class Real:
    """A file, what it is found to be, rows with and without a place, and the metric system."""

    source: str
    role: str
    placed: int
    unplaced: int = 0
    metric: int | None = 3826
    said: tuple[str, ...] = ()


SETS = [
    Real(f"{TW}/clean/villages.gpkg", "villages", 649),
    Real(f"{TW}/clean/incidents.csv", "incidents", 5226),
    Real(f"{TW}/original/data_2014_103年度A1{A1}", "incidents", 0, 185, None),
    Real(f"{TW}/original/history_107年度A1類{A1}", "incidents", 157),
    Real(f"{TW}/original/data_2025_a1_臺南市_lines.csv", "incidents", 158),
    Real(f"{TW}/original/village_households_2021-03_67000_subset.csv", "households", 649, 0, None),
    Real("tw_lienchiang/clean/villages.gpkg", "villages", 22, 0, 3825),
    Real("tw_lienchiang/clean/small_areas.parquet", "households", 422, 0, 3825),
    Real("tw_lienchiang/clean/incidents.csv", "incidents", 8, 0, 3825),
    Real("tw_chiayi_city/clean/villages.gpkg", "villages", 84),
    Real("tw_chiayi_city/clean/small_areas.parquet", "households", 1505),
    Real("tw_chiayi_city/clean/incidents.csv", "incidents", 468),
    Real("tw_messy_shapefiles/original/20211007/Village_Sanhe.shp", "villages", 1),
    Real("tw_messy_shapefiles/original/20230928/Village_Sanhe.shp", "villages", 1),
    Real(f"{CAM}/clean/cambridge.gpkg:neighborhoods", "villages", 13, 0, 32619),
    Real(f"{CAM}/clean/cambridge.gpkg:census_blocks_2020", "households", 1044, 0, 32619),
    Real(f"{CAM}/clean/address_points.csv", "households", 21_085, 248, 32619),
    Real(f"{CAM}/clean/incidents.csv", "incidents", 9110, 1225, 32619),
    Real(f"{CAM}/original/police_crash_data.csv", "incidents", 9110, 1225, 32619),
    Real("chicago/clean/chicago.gpkg:community_areas_2020", "villages", 77, 0, 32616),
    Real("chicago/clean/chicago.gpkg:carjackings_2020", "incidents", 1412, 0, 32616),
    Real("chicago/original/Chi_Carjackings.geojson", "incidents", 1412, 0, 32616),
    Real("cn_admin_codes/clean/deqing_330521_villages_utf8.csv", "villages", 177, 0, None),
    Real("cn_admin_codes/clean/deqing_330521_villages_GB18030.csv", "villages", 177, 0, None),
    Real("india_goa/clean/india_goa.gpkg", "villages", 402, 0, 32643),
    Real("redist_peers_A/clean/peers.gpkg", "villages", 25, 0, 32617, ("--as", "villages")),
    Real(f"{UK}:wards", "villages", 24, 0, 32631),
    Real(f"{UK}:lsoa", "villages", 90, 0, 32631),
    Real(f"{UK}:msoa", "villages", 19, 0, 32631),
    Real(f"{UK}:oa", "households", 471, 0, 32631),
    Real("uk_canterbury/clean/incidents.csv", "incidents", 6914, 0, 32631),
    Real("walnut_hills/clean/walnut_hills.gpkg", "households", 457, 0, 32616),
]


@pytest.mark.parametrize("real", SETS, ids=lambda real: real.source)
def test_real_set(real: Real, run, real_data: Callable[[str], Path], tmp_path: Path) -> None:
    file, _, layer = real.source.partition(":")
    source = f"{real_data(file)}:{layer}" if layer else real_data(file)
    written = reads_back(run, source, tmp_path, *real.said)
    assert written.role == real.role
    layers = {str(name) for name in pyogrio.list_layers(tmp_path / "first.gpkg")[:, 0]}
    assert len(written.frame) == (real.placed or real.unplaced)
    assert ("unplaced" in layers) == (real.unplaced > 0)
    if real.unplaced:
        rows = pyogrio.read_info(tmp_path / "first.gpkg", layer="unplaced")["features"]
        assert rows == real.unplaced
    if real.metric is None:
        assert "geometry" not in written.frame
    else:
        assert written.crs is not None
        assert written.crs.to_epsg() == real.metric
        assert written.frame.geometry.notna().all()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_evidence_of_a_real_city(run, real_data: Callable[[str], Path], language: str) -> None:
    folder = real_data("tw_chiayi_city/clean")
    code, out, _ = run(
        "inspect", folder / "incidents.csv", "--villages", folder / "villages.gpkg",
        "--language", language,
    )  # fmt: skip
    assert code == 0
    assert "WGS 84 99." in out or "WGS 84 100.0%" in out
    assert "GCJ-02" in out


def test_a_table_of_villages_alone_comes_to_a_plan(
    run, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Households by village, without a place: each village's in its middle, and that is said."""
    folder, plan = real_data(TW), tmp_path / "plan.gpkg"
    table = folder / "original/village_households_2021-03_67000_subset.csv"
    head, *lines = table.read_text("utf-8-sig").splitlines()
    own = [line for line in lines if "新營區" in line]
    (tmp_path / "table.csv").write_text("\n".join([head, *own]), "utf-8")
    villages = gpd.read_file(folder / "clean/villages.gpkg")
    villages[villages["townname"] == "新營區"].to_file(tmp_path / "villages.gpkg")
    code, out, err = run(
        "propose", "--villages", tmp_path / "villages.gpkg", "--households",
        tmp_path / "table.csv", "-o", plan, "--workers", 1,
    )  # fmt: skip
    assert code == 0, err
    assert f"{len(own)} rows have no coordinates and were placed at their group" in err
    assert f"in {len(own)} villages" in out
    assert "unplaced" not in out
