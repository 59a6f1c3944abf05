"""The demonstration county: what it promises, on a small one and on the whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data.demo import write_county
from geo.personal import is_personal_name

FILES = {
    "villages.gpkg", "households.csv", "roads.gpkg", "water.gpkg", "railways.gpkg",
    "compounds.gpkg", "groups.gpkg", "dedicated.gpkg", "stations.gpkg", "beats.gpkg",
    "services.gpkg", "incidents.csv", "README.txt",
}  # fmt: skip


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole county."""
    folder = tmp_path_factory.mktemp("county")
    write_county(folder)
    return folder


def layer(county: Path, name: str) -> gpd.GeoDataFrame:
    return gpd.read_file(county / f"{name}.gpkg").to_crs(4549)


def households(county: Path) -> pd.DataFrame:
    return pd.read_csv(county / "households.csv", dtype={"村代码": str, "小区": str})


def test_every_file_is_written_the_readme_last(tmp_path: Path) -> None:
    paths = write_county(tmp_path, villages=8)
    assert {p.name for p in paths} == FILES
    assert paths[-1].name == "README.txt"
    assert {p.name for p in tmp_path.iterdir()} == FILES


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_county(
    tmp_path: Path,
) -> None:
    def digest(folder: Path, seed: int) -> dict[str, str]:
        paths = write_county(tmp_path / folder, seed, villages=6)
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}

    first, again = digest(Path("a"), 1), digest(Path("b"), 1)
    assert first == again
    other = digest(Path("c"), 2)
    assert other["villages.gpkg"] != first["villages.gpkg"]


def test_a_county_of_three_villages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 4"):
        write_county(tmp_path, villages=3)


def test_households_and_villages_are_as_many_as_promised(county: Path) -> None:
    table, villages = households(county), layer(county, "villages")
    assert table["户数"].sum() == 165_000
    assert (table["户数"] >= 1).all()
    assert 2.7 < table["人口"].sum() / 165_000 < 3.2
    assert len(villages) == 105
    assert villages["乡镇"].nunique() == 14
    assert set(table["村代码"]) == set(villages["村代码"])


def test_codes_have_twelve_digits_and_nest_in_their_township(county: Path) -> None:
    villages = layer(county, "villages")
    assert villages["村代码"].str.fullmatch(r"329901\d{6}").all()
    assert villages["村代码"].is_unique
    assert (villages.groupby("乡镇")["村代码"].agg(lambda c: c.str[:9].nunique()) == 1).all()
    assert not villages.duplicated(["乡镇", "村名"]).any()
    urban = villages["城乡分类代码"].str.startswith("1")
    assert 30 < urban.sum() < 60
    assert set(villages["城乡分类代码"]) <= {"111", "112", "121", "122", "210", "220"}


def test_villages_tile_the_county_exactly_and_two_have_an_exclave(county: Path) -> None:
    shapes = layer(county, "villages").geometry.to_numpy()
    whole = shapely.union_all(shapes)
    assert abs(shapely.area(shapes).sum() - whole.area) < 1.0
    assert not shapely.get_num_interior_rings(shapely.get_parts(whole)).any()
    assert (shapely.get_num_geometries(shapes) > 1).sum() == 2
    hull = shapely.area(shapely.convex_hull(shapes))
    assert (shapely.area(shapes) / hull < 0.9).mean() > 0.5  # borders wind


def test_every_household_lies_in_the_village_it_names(county: Path) -> None:
    table, villages = households(county), layer(county, "villages")
    points = gpd.GeoSeries(
        gpd.points_from_xy(table["经度"], table["纬度"]), crs=4490
    ).to_crs(4549)
    inside = villages.set_index("村代码").geometry.loc[table["村代码"]].to_numpy()
    assert (shapely.distance(inside, points.to_numpy()) < 0.1).all()


@pytest.mark.parametrize("name", ["compounds", "groups", "dedicated"])
def test_outlines_lie_in_one_village_and_apart(county: Path, name: str) -> None:
    frame = layer(county, name)
    villages = layer(county, "villages").set_index("村代码").geometry
    home = villages.loc[frame["村代码"]].to_numpy()
    shapes = frame.geometry.to_numpy()
    assert (shapely.area(shapely.difference(shapes, home)) < 0.1).all()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    apart = first < second
    shared = shapely.area(shapely.intersection(shapes[first[apart]], shapes[second[apart]]))
    assert (shared < 0.1).all()


def test_dedicated_sites_hold_no_dwelling_and_are_of_every_kind(county: Path) -> None:
    frame, table = layer(county, "dedicated"), households(county)
    points = gpd.GeoSeries(
        gpd.points_from_xy(table["经度"], table["纬度"]), crs=4490
    ).to_crs(4549)
    hits = shapely.STRtree(points.to_numpy()).query(frame.geometry.to_numpy(), "intersects")
    assert hits.shape[1] == 0
    assert set(frame["类别"]) >= {"学校", "医院", "园区", "市场", "机关"}
    assert (frame["类别"] == "园区").sum() == 2


def test_beats_tile_the_county_at_other_borders(county: Path) -> None:
    beats, villages = layer(county, "beats"), layer(county, "villages")
    ground = shapely.union_all(villages.geometry.to_numpy())
    assert abs(beats.area.sum() - ground.area) < 1.0
    shapes, homes = beats.geometry.to_numpy(), villages.geometry.to_numpy()
    village, beat = shapely.STRtree(shapes).query(homes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[beat], homes[village]))
    crossing = (shared > 10_000) & (shared < 0.95 * shapely.area(homes[village]))
    assert len(set(village[crossing])) > len(homes) / 2  # beats and villages cross


def test_events_have_the_dirt_of_real_tables_and_no_person(county: Path) -> None:
    events = pd.read_csv(county / "incidents.csv", dtype=str, keep_default_na=False)
    assert 55_000 < len(events) < 65_000
    assert events["大类"].nunique() == 6
    missing = (events["经度"] == "").mean()
    assert 0.04 < missing < 0.08
    pile = events.loc[events["经度"] != "", ["经度", "纬度"]].value_counts(normalize=True).iloc[0]
    assert 0.01 < pile < 0.025
    when = pd.to_datetime(events["发生时间"])
    assert when.min() >= pd.Timestamp("2024-01-01")
    assert when.max() < pd.Timestamp("2026-01-01")
    assert events["事件编号"].is_unique


def test_no_column_of_any_file_is_personal(county: Path) -> None:
    for path in sorted(county.iterdir()):
        if path.suffix == ".txt":
            continue
        frame = pd.read_csv(path, nrows=5) if path.suffix == ".csv" else gpd.read_file(path, rows=5)
        assert not [c for c in frame.columns if is_personal_name(str(c))], path.name
