"""Every real set is read as it lies there: roles, counts, columns, coordinate systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from geo.columns import Role
from geo.problems import InputError
from geo.read import read_layer

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Real:
    """A file, what it is read as, and what must come out."""

    source: str
    role: Role
    rows: int
    columns: str
    crs: int | None = 4326
    told: tuple[str, ...] = ()
    sums: dict[str, float] = field(default_factory=dict)


TW, CAM, CHI = "tw_tainan", "cambridge_ma", "chicago"
A1 = "交通事故資料_臺南市_lines.csv"
SETS = [
    Real(f"{TW}/clean/villages.gpkg", "villages", 649,
         "code township_name name households persons", told=("self_crossing",)),
    Real(f"{TW}/clean/small_areas.parquet", "households", 12_774,
         "household_id households persons village_code", told=("areas_empty",)),
    Real(f"{TW}/clean/incidents.csv", "incidents", 5226,
         "incident_id time time_precision category subtype"),
    Real(f"{TW}/original/village_households_2021-03_67000_subset.csv", "villages", 649,
         "code township_name name households persons", None, ("villages_without_shapes",)),
    Real(f"{TW}/original/data_2014_103年度A1{A1}", "incidents", 185,
         "incident_id time time_precision", None, ("footers",)),
    Real(f"{TW}/original/history_107年度A1類{A1}", "incidents", 157,
         "incident_id time time_precision", 4326, ("footers",)),
    Real(f"{TW}/original/data_2025_a1_臺南市_lines.csv", "incidents", 158,
         "incident_id time time_precision category subtype", 4326,
         ("footers", "incidents_repeated")),
    Real("tw_lienchiang/clean/villages.gpkg", "villages", 22,
         "code township_name name households persons"),
    Real("tw_lienchiang/clean/small_areas.parquet", "households", 422,
         "household_id households persons village_code"),
    Real("tw_chiayi_city/clean/villages.gpkg", "villages", 84,
         "code township_name name households persons"),
    Real("tw_chiayi_city/clean/small_areas.parquet", "households", 1505,
         "household_id households persons village_code"),
    Real("tw_chiayi_city/clean/incidents.csv", "incidents", 468,
         "incident_id time time_precision category subtype"),
    Real(f"{CAM}/clean/cambridge.gpkg:neighborhoods", "villages", 13, "code name households"),
    Real(f"{CAM}/clean/cambridge.gpkg:census_blocks_2020", "households", 1044,
         "household_id households"),
    Real(f"{CAM}/clean/parcels_units.gpkg", "households", 13_078, "household_id households",
         told=("self_crossing",), sums={"households": 41_617}),
    Real(f"{CAM}/clean/dwelling_points.csv", "households", 41_621, "household_id households",
         sums={"households": 41_621}),
    Real(f"{CAM}/clean/address_points.csv", "households", 21_333, "household_id households",
         told=("coordinates_missing",)),
    Real(f"{CAM}/clean/cambridge.gpkg:streets", "roads", 2643, "name road_class"),
    Real(f"{CAM}/clean/cambridge.gpkg:water", "water", 74, "name"),
    Real(f"{CAM}/clean/cambridge.gpkg:rail", "railways", 97, ""),
    Real(f"{CAM}/clean/cambridge.gpkg:police_car_routes", "beats", 9, "code"),
    Real(f"{CAM}/clean/cambridge.gpkg:police_sectors", "beats", 5, "code"),
    Real(f"{CAM}/original/police_crash_data.csv", "incidents", 10_335,
         "incident_id time time_precision subtype", 4326,
         ("coordinates_missing",)),
    Real(f"{CAM}/original/PUBLICSAFETY_PoliceStation.geojson", "stations", 2, "name",
         told=("personal_dropped",)),
    Real(f"{CAM}/original/TRANS_MajorRoads.geojson", "roads", 833, "name road_class"),
    Real(f"{CHI}/clean/chicago.gpkg:police_beats", "beats", 277, "code station"),
    Real(f"{CHI}/clean/chicago.gpkg:community_areas_2020", "villages", 77,
         "code name township_name households persons"),
    Real(f"{CHI}/original/Chi_Carjackings.geojson", "incidents", 1412,
         "incident_id time time_precision category subtype beat"),
    Real(f"{CHI}/original/police_beats_simple.geojson", "beats", 277, "code station"),
    Real("cn_admin_codes/clean/deqing_330521_villages_utf8.csv", "villages", 177,
         "code name township_name", None, ("villages_without_shapes",)),
    Real("cn_admin_codes/clean/deqing_330521_villages_GB18030.csv", "villages", 177,
         "code name township_name", None, ("villages_without_shapes",)),
    Real("india_goa/clean/india_goa.gpkg", "villages", 402, "code name township_name"),
    Real("redist_peers_A/clean/peers.gpkg", "villages", 25, "code name persons",
         told=("names_made",)),
    Real("tw_messy_shapefiles/original/20211007/Village_Sanhe.shp", "villages", 1,
         "code name township_name", None, ("encoding_found",)),
    Real("tw_messy_shapefiles/original/20230928/Village_Sanhe.shp", "villages", 1,
         "code name township_name", None),
    Real("uk_canterbury/clean/uk_canterbury.gpkg:wards", "villages", 24, "code name"),
    Real("uk_canterbury/clean/uk_canterbury.gpkg:lsoa", "villages", 90, "code name"),
    Real("uk_canterbury/clean/uk_canterbury.gpkg:oa", "households", 471,
         "household_id households persons village_code", told=("households_estimated",)),
    Real("uk_canterbury/clean/incidents.csv", "incidents", 6914,
         "incident_id time time_precision category status"),
    Real("walnut_hills/clean/walnut_hills.gpkg", "households", 457,
         "household_id households persons", sums={"households": 16_766, "persons": 38_711}),
    Real("wuhan_roads/original/wuhan_simplified.parquet", "roads", 16_408, "road_class", 32650),
]  # fmt: skip


@pytest.mark.parametrize("real", SETS, ids=lambda real: real.source)
def test_real_set(real: Real, real_data: Callable[[str], Path]) -> None:
    file, _, layer_name = real.source.partition(":")
    path = real_data(file)
    layer = read_layer(f"{path}:{layer_name}" if layer_name else path, real.role)
    columns = set(layer.frame.columns) - {"geometry"}
    assert columns == set(real.columns.split())
    assert len(layer.frame) == real.rows
    told = {problem.code.removeprefix("read_") for problem in layer.problems}
    assert set(real.told) <= told
    assert not any(problem.severity == "error" for problem in layer.problems)
    for column, total in real.sums.items():
        assert layer.frame[column].sum() == total
    if real.crs is not None:
        assert layer.crs is not None
        assert layer.crs.to_epsg(min_confidence=20) == real.crs
        assert layer.frame.geometry.notna().any()


@pytest.mark.parametrize("year", ["20211007", "20230928"])
def test_messy_shapefiles_read_as_chinese(real_data: Callable[[str], Path], year: str) -> None:
    path = real_data(f"tw_messy_shapefiles/original/{year}/Village_Sanhe.shp")
    row = read_layer(path, "villages").frame.iloc[0]
    assert (row["code"], row["name"], row["township_name"]) == (
        "10013280006", "三和村", "瑪家鄉",
    )  # fmt: skip


@pytest.mark.parametrize(
    "part",
    ["20211007/VILLAGE_MOI_1101007.dbf", "20230928/VILLAGE_NLSC_1120928.shx"],
)
def test_the_missing_part_is_named(real_data: Callable[[str], Path], part: str) -> None:
    with pytest.raises(InputError) as caught:
        read_layer(real_data(f"tw_messy_shapefiles/original/{part}"), "villages")
    (problem,) = caught.value.problems
    assert (problem.code, problem.params["part"]) == ("read_part_missing", ".shp")
    assert ".shp" in problem.text("zh")


def test_times_of_real_incidents(real_data: Callable[[str], Path]) -> None:
    """Minguo years, two columns for date and clock, American order, months only."""
    first = {
        f"tw_tainan/original/data_2014_103年度A1{A1}": ("2014-01-02 00:35:00", "minute"),
        f"tw_tainan/original/history_107年度A1類{A1}": ("2018-01-04 15:42:00", "minute"),
        "tw_tainan/original/data_2025_a1_臺南市_lines.csv": ("2025-01-01 05:33:00", "minute"),
        "cambridge_ma/original/police_crash_data.csv": ("2010-04-10 09:39:00", "minute"),
        "uk_canterbury/clean/incidents.csv": ("2018-10-01 00:00:00", "month"),
    }
    for source, expected in first.items():
        frame = read_layer(real_data(source), "incidents").frame
        row = frame.iloc[0]
        assert (str(row["time"]), row["time_precision"]) == expected
        assert frame["time"].notna().all()
    crash = read_layer(real_data("cambridge_ma/original/police_crash_data.csv"), "incidents")
    missing = [p for p in crash.problems if p.code == "read_coordinates_missing"]
    assert missing[0].params["count"] == 1225


def test_joined_codes_match_between_sources(real_data: Callable[[str], Path]) -> None:
    """67000010-001 in the table is 67000010001 in the map."""
    table = read_layer(
        real_data("tw_tainan/original/village_households_2021-03_67000_subset.csv"), "villages"
    )
    polygons = read_layer(real_data("tw_tainan/clean/villages.gpkg"), "villages")
    common = set(table.frame["code"]) & set(polygons.frame["code"])
    assert len(common) == 648
