"""Files into a ground: systems, datums, repair, placing, sets; every problem told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import towns

from geo.datum import wgs84_to_bd09, wgs84_to_gcj02
from geo.ground import Ground, Inputs, load_ground
from geo.problems import InputError

X0, Y0 = towns.ORIGIN
PICTURE = "12|34\n--+--\n56|78"
Write = Callable[..., Path]


@pytest.fixture
def county() -> Ground:
    return towns.county(
        [
            towns.village(PICTURE, times=10, persons=3, code="A"),
            towns.village("1.2.3.4\n.5.6.7.", persons=3, code="B", at=(X0 + 250, Y0)),
        ],
        road_names=["人民路", "通扬河"],
    )


@pytest.fixture
def files(county: Ground, tmp_path: Path) -> dict[str, Path]:
    return towns.write_files(county, tmp_path)


def layer(path: Path, shapes: list[shapely.Geometry], **columns: object) -> Path:
    """A GeoPackage of shapes in the drawn towns' metres."""
    gpd.GeoDataFrame(columns, geometry=shapes, crs=towns.CRS_M).to_file(path)
    return path


def codes(error: InputError) -> list[str]:
    return [problem.code for problem in error.problems]


def note_codes(ground: Ground) -> set[str]:
    return {note.code for note in ground.notes}


def test_everything_is_read_into_metres(files: dict[str, Path], county: Ground) -> None:
    ground = load_ground(Inputs(**files))
    assert ground.crs.to_epsg() == 4549
    assert ground.villages["code"].tolist() == ["A", "B"]
    moved = shapely.hausdorff_distance(
        ground.villages.geometry.to_numpy(), county.villages.geometry.to_numpy()
    )
    assert (moved < 0.01).all()
    held = ground.households
    assert held["village"].tolist() == county.households["village"].tolist()
    assert held["households"].tolist() == county.households["households"].tolist()
    assert held["persons"].tolist() == county.households["persons"].tolist()
    xy = county.households[["x", "y"]].to_numpy()
    assert np.abs(held[["x", "y"]].to_numpy() - xy).max() < 0.01
    assert sorted(set(ground.lines.name)) == ["人民路", "通扬河"]
    assert set(ground.lines.kind) == {"road"}
    assert len(ground.unplaced) == 0
    assert ground.datum == "wgs84"


def test_files_in_feet_metres_and_degrees_make_one_ground(
    files: dict[str, Path], county: Ground, tmp_path: Path
) -> None:
    """Villages in US survey feet, roads in Web Mercator, households in UTM: nothing is measured
    in what a file happens to use."""
    feet = (
        "+proj=tmerc +lat_0=0 +lon_0=120 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=us-ft "
        "+no_defs"
    )
    gpd.read_file(files["villages"]).to_crs(feet).to_file(tmp_path / "feet.gpkg")
    gpd.read_file(files["roads"]).to_crs(3857).to_file(tmp_path / "mercator.gpkg")
    held = county.households
    points = gpd.points_from_xy(held["x"], held["y"], crs=towns.CRS_M).to_crs(32650)
    columns = {"户数": held["households"], "人口": held["persons"]}
    gpd.GeoDataFrame(columns, geometry=points).to_file(tmp_path / "utm.gpkg")
    mixed = load_ground(
        Inputs(tmp_path / "feet.gpkg", tmp_path / "utm.gpkg", roads=tmp_path / "mercator.gpkg")
    )
    same = load_ground(Inputs(**files))
    assert mixed.crs == same.crs
    areas = mixed.villages.area.to_numpy() / same.villages.area.to_numpy()
    assert np.abs(areas - 1).max() < 1e-6
    assert mixed.households["village"].tolist() == same.households["village"].tolist()
    far = mixed.households[["x", "y"]].to_numpy() - same.households[["x", "y"]].to_numpy()
    assert np.abs(far).max() < 0.01
    lengths = [shapely.length(ground.lines.geometry).sum() for ground in (mixed, same)]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)


def test_a_village_gets_its_own_share(files: dict[str, Path]) -> None:
    ground = load_ground(Inputs(**files))
    for i, code in enumerate("AB"):
        own = ground.village(i)
        assert own.code == code
        assert len(own.xy) == (ground.households["village"] == i).sum()
        assert shapely.intersects(own.area.buffer(0.01), shapely.points(own.xy)).all()
        assert sorted(ground.rows_of(i)) == np.flatnonzero(
            ground.households["village"] == i
        ).tolist()
    assert len(ground.village(0).lines) == 2
    assert (np.sort(ground.village(0).line_id) == [0, 1]).all()


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)])
def test_a_shifted_datum_is_found_and_undone(
    files: dict[str, Path], datum: str, shift: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    plain = load_ground(Inputs(**files)).households
    table = pd.read_csv(files["households"])
    table["经度"], table["纬度"] = shift(table["经度"].to_numpy(), table["纬度"].to_numpy())
    blank = pd.DataFrame({"编号": ["x"], "户数": [1]})  # a row without a place must not hide it
    pd.concat([table, blank]).to_csv(files["households"], index=False)
    ground = load_ground(Inputs(**files))
    assert ground.datum == datum
    assert "datum-shifted" in note_codes(ground)
    away = ground.households[["x", "y"]].to_numpy() - plain[["x", "y"]].to_numpy()
    assert np.abs(away).max() < 1.0
    assert len(ground.unplaced) == 1


def test_a_datum_that_is_told_is_not_guessed(files: dict[str, Path]) -> None:
    ground = load_ground(Inputs(**files, datum="wgs84"))
    assert ground.datum == "wgs84"
    assert len(ground.unplaced) == 0


def test_rows_without_a_place_are_listed_and_move_no_other(files: dict[str, Path]) -> None:
    plain = load_ground(Inputs(**files)).households
    table = pd.read_csv(files["households"])
    table.loc[[0, 5], ["经度", "纬度"]] = np.nan
    table.to_csv(files["households"], index=False)
    ground = load_ground(Inputs(**files))
    assert ground.unplaced["reason"].tolist() == ["no-coordinates"] * 2
    assert ground.unplaced["households"].tolist() == plain["households"].iloc[[0, 5]].tolist()
    kept = plain.drop(index=[0, 5])
    assert np.allclose(ground.households[["x", "y"]], kept[["x", "y"]], atol=0.01)


@pytest.mark.parametrize(("tolerance", "placed"), [(0.0, 0), (5.0, 0), (15.0, 1)])
def test_near_the_border(files: dict[str, Path], tolerance: float, placed: int) -> None:
    point = gpd.GeoSeries([shapely.Point(X0 - 10, Y0 + 50)], crs=towns.CRS_M).to_crs(4490)[0]
    table = pd.read_csv(files["households"])
    more = pd.DataFrame({"编号": ["x"], "户数": [1], "人口": 3, "经度": point.x, "纬度": point.y})
    pd.concat([table, more]).to_csv(files["households"], index=False)
    ground = load_ground(Inputs(**files), tolerance)
    assert len(ground.households) - len(table) == placed
    assert ground.unplaced["reason"].tolist() == ["outside-all-villages"] * (1 - placed)


# --- villages


def test_rows_of_one_code_are_one_village(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 250, Y0 + 150) for x in (0, 300)]
    files["villages"] = layer(
        tmp_path / "parts.gpkg", shapes, code=["A", "A"], name=["一村", "一村"]
    )
    ground = load_ground(Inputs(**files))
    assert len(ground.villages) == 1
    assert shapely.get_num_geometries(ground.villages.geometry.iloc[0]) == 2
    assert "read_parts_joined" in note_codes(ground)


def test_one_code_for_two_villages_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 100, Y0 + 150) for x in (0, 200, 400, 600)]
    files["villages"] = layer(
        tmp_path / "twice.gpkg", shapes, code=["A", "A", "B", "B"], name=["一", "二", "三", "四"]
    )
    with pytest.raises(InputError) as caught:
        load_ground(Inputs(**files))
    assert codes(caught.value) == ["read_code_twice"] * 2


def test_codes_are_made_where_there_are_none(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 300, Y0 + 150) for x in (0, 300)]
    files["villages"] = layer(tmp_path / "bare.gpkg", shapes, name=["一村", "二村"])
    ground = load_ground(Inputs(**files))
    assert ground.villages["code"].is_unique
    assert (ground.villages["code"] != "").all()
    assert ground.villages["name"].tolist() == ["一村", "二村"]
    assert any(note.severity == "warning" and "code" in note.text("en") for note in ground.notes)


def test_some_codes_missing_are_not_one_village(files: dict[str, Path], tmp_path: Path) -> None:
    """Two villages whose code was left blank are two villages, not parts of one."""
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 200, Y0 + 150) for x in (0, 200, 400)]
    files["villages"] = layer(
        tmp_path / "some.gpkg", shapes, code=["A", None, None], name=["一村", "二村", "三村"]
    )
    ground = load_ground(Inputs(**files))
    assert ground.villages["name"].tolist() == ["一村", "二村", "三村"]
    assert ground.villages["code"].is_unique


def test_disputed_ground(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 350, Y0 + 300) for x in (0, 250)]
    files["villages"] = layer(
        tmp_path / "dispute.gpkg", shapes, code=["A", "B"], name=["一村", "二村"]
    )
    with pytest.raises(InputError, match=r"一村.*二村|二村.*一村") as caught:
        load_ground(Inputs(**files))
    assert codes(caught.value) == ["villages-overlap"]
    repaired = load_ground(Inputs(**files, repair_overlaps=True))
    assert shapely.coverage_is_valid(repaired.villages.geometry.to_numpy())


def test_every_problem_of_every_file_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_ground(
            Inputs(
                villages=tmp_path / "a.gpkg", households=tmp_path / "b.csv",
                roads=tmp_path / "c.shp", dedicated=tmp_path / "d.geojson",
            )
        )  # fmt: skip
    assert [p.file for p in caught.value.problems] == ["a.gpkg", "b.csv", "c.shp", "d.geojson"]


def test_nobody_inside(files: dict[str, Path], tmp_path: Path) -> None:
    files["villages"] = layer(
        tmp_path / "far.gpkg", [shapely.box(X0, Y0 + 9e4, X0 + 500, Y0 + 9.1e4)], code=["A"],
        name=["一村"],
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        load_ground(Inputs(**files))
    assert codes(caught.value) == ["households-none-inside"]


def test_columns_named_by_hand(files: dict[str, Path]) -> None:
    table = pd.read_csv(files["households"]).rename(columns={"户数": "zzz"})
    table.to_csv(files["households"], index=False)
    ground = load_ground(Inputs(**files, columns={"households.households": "zzz"}))
    assert ground.households["households"].max() == 80
    with pytest.raises(InputError, match="qqq"):
        load_ground(Inputs(**files, columns={"households.households": "qqq"}))


# --- lines, compounds, groups, dedicated ground


def test_water_gives_its_banks(files: dict[str, Path], tmp_path: Path) -> None:
    lake = layer(tmp_path / "lake.gpkg", [shapely.box(X0 + 20, Y0 + 20, X0 + 90, Y0 + 90)])
    rail = layer(tmp_path / "rail.gpkg", [shapely.LineString([(X0, Y0), (X0 + 900, Y0 + 90)])])
    ground = load_ground(Inputs(**files, water=lake, railways=rail))
    kinds = dict(zip(*np.unique(ground.lines.kind.astype(str), return_counts=True), strict=True))
    assert kinds == {"railway": 1, "road": 2, "water": 1}
    assert shapely.length(ground.lines.geometry[ground.lines.kind == "water"]) == pytest.approx(
        [280.0], abs=0.01
    )


def test_compounds_before_groups_and_outlines_before_names(
    files: dict[str, Path], tmp_path: Path
) -> None:
    table = pd.read_csv(files["households"])
    table["自然村"] = ["东庄"] * 3 + [""] * (len(table) - 6) + ["东庄"] * 3
    table.to_csv(files["households"], index=False)
    compound = layer(
        tmp_path / "compound.gpkg", [shapely.box(X0, Y0 + 100, X0 + 100, Y0 + 150)], name=["幸福里"]
    )
    group = layer(
        tmp_path / "group.gpkg", [shapely.box(X0, Y0, X0 + 100, Y0 + 150)], name=["西庄"]
    )
    ground = load_ground(Inputs(**files, compounds=compound, groups=group))
    sets = ground.sets.iloc[ground.households["set_id"].clip(lower=0)].reset_index(drop=True)
    name = sets["name"].where((ground.households["set_id"] >= 0).to_numpy(), "")
    # village A, north row first: 1 and 2 in the compound, 3 in 东庄 by name, 5 and 6 in 西庄
    assert name.tolist()[:8] == ["幸福里", "幸福里", "东庄", "", "西庄", "西庄", "", ""]
    # one name in two villages is two sets
    assert ground.sets["name"].tolist().count("东庄") == 2
    assert ground.wholes["name"].tolist() == ["幸福里"]


def test_dedicated_ground(files: dict[str, Path], tmp_path: Path) -> None:
    school = shapely.box(X0 + 10, Y0 + 10, X0 + 40, Y0 + 40)
    path = layer(tmp_path / "school.gpkg", [school], name=["小学"], category=["学校"])
    ground = load_ground(Inputs(**files, dedicated=path))
    assert ground.dedicated["name"].tolist() == ["小学"]
    assert len(ground.village(0).dedicated) == 1
    assert len(ground.village(1).dedicated) == 0


@pytest.mark.parametrize("role", ["villages", "roads", "water", "compounds", "dedicated"])
def test_a_table_is_no_map_layer(files: dict[str, Path], tmp_path: Path, role: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text("code,name\nA,一村\nB,二村\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_ground(Inputs(**files | {role: path}))
    assert codes(caught.value) == ["layer-no-shapes"]
    assert caught.value.problems[0].file == "list.csv"


def test_points_keep_nothing_whole(files: dict[str, Path], tmp_path: Path) -> None:
    path = layer(tmp_path / "gates.gpkg", [shapely.Point(X0 + 20, Y0 + 20)], name=["幸福里"])
    ground = load_ground(Inputs(**files, compounds=path))
    told = [note for note in ground.notes if note.code == "layer-no-areas"]
    assert [dict(note.params) for note in told] == [{"count": 1, "total": 1}]


def test_areas_across_a_village_border_are_told(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0 + 10, X0 + x + 100, Y0 + 60) for x in (10, 200, 152)]
    shapes[2] = shapely.box(X0 + 152, Y0 + 70, X0 + 254, Y0 + 80)
    path = layer(tmp_path / "parks.gpkg", shapes, name=["小学", "产业园", "仓库"])
    ground = load_ground(Inputs(**files, dedicated=path))
    told = [note for note in ground.notes if note.code == "areas-cross-villages"]
    assert [dict(note.params) for note in told] == [{"count": 1, "name": "产业园"}]


# --- households as ready-made areas


def test_ready_made_areas(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0 + x, Y0, X0 + x + 50, Y0 + 100) for x in (0, 50, 100, 150, 9000)]
    files["households"] = layer(
        tmp_path / "areas.gpkg", shapes, 户数=[10, 20, 30, 40, 50], 人口=[30, 60, 90, 120, 150]
    )
    ground = load_ground(Inputs(**files))
    assert ground.areas is not None
    assert ground.households["households"].tolist() == [10, 20, 30, 40]
    assert ground.unplaced["households"].tolist() == [50]
    own = ground.village(0)
    assert own.areas is not None
    assert len(own.areas) == 4
    assert shapely.contains(own.areas, shapely.points(own.xy)).all()


def test_areas_without_a_shape_are_listed(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0, Y0, X0 + 50, Y0 + 100), None]
    files["households"] = layer(tmp_path / "areas.gpkg", shapes, 户数=[10, 20])
    ground = load_ground(Inputs(**files))
    assert ground.households["households"].tolist() == [10]
    assert ground.unplaced["households"].tolist() == [20]
    assert ground.unplaced["reason"].tolist() == ["no-coordinates"]


def test_points_among_areas_all_count(files: dict[str, Path], tmp_path: Path) -> None:
    shapes = [shapely.box(X0, Y0, X0 + 50, Y0 + 100), shapely.Point(X0 + 60, Y0 + 60)]
    files["households"] = layer(tmp_path / "mixed.gpkg", shapes, 户数=[10, 20])
    ground = load_ground(Inputs(**files))
    assert ground.areas is None
    assert sorted(ground.households["households"]) == [10, 20]
