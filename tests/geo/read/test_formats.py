"""One small set of villages and one of households, in every format the readers take."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from cases import frame, kml, zipped
from old_excel import write_xls

from geo.columns import Role
from geo.problems import InputError
from geo.read import list_layers, read_layer
from geo.read.limits import LIMITS

Write = Callable[[Path], Path]
HEADER = ["户编号", "村名", "经度", "纬度", "户数"]
ROWS: list[list[object]] = [[1, "东村", 120.01, 32.01, 3], [2, "西村", 120.03, 32.01, 1]]


def gpkg(folder: Path) -> Path:
    frame().to_file(folder / "v.gpkg")
    return folder / "v.gpkg"


def geojson(folder: Path) -> Path:
    frame().to_crs(4326).to_file(folder / "v.geojson")
    return folder / "v.geojson"


def json_lines(folder: Path) -> Path:
    features = json.loads(frame().to_crs(4326).to_json())["features"]
    path = folder / "v.geojson"
    path.write_text("\n".join(json.dumps(feature) for feature in features), "utf-8")
    return path


def topojson(folder: Path) -> Path:
    """Two squares side by side, quantised; they share the arc in the middle."""
    arcs = [
        [[200, 0], [0, 200]],  # the shared side, upwards
        [[200, 200], [-200, 0], [0, -200], [200, 0]],  # the rest of the west one
        [[200, 0], [200, 0], [0, 200], [-200, 0]],  # the rest of the east one
    ]
    codes = ["320116001001", "320116001002"]
    geometries = [
        {"type": "Polygon", "arcs": [[0, 1]], "properties": {"村代码": codes[0], "村名": "东村"}},
        {"type": "Polygon", "arcs": [[2, ~0]], "properties": {"村代码": codes[1], "村名": "西村"}},
    ]
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.0001, 0.0001], "translate": [120, 32]},
        "objects": {"villages": {"type": "GeometryCollection", "geometries": geometries}},
        "arcs": arcs,
    }
    path = folder / "v.topojson"
    path.write_text(json.dumps(topology), "utf-8")
    return path


def shapefile(folder: Path, encoding: str = "utf-8") -> Path:
    frame().to_file(folder / "v.shp", encoding=encoding)
    return folder / "v.shp"


def upper_case_shapefile(folder: Path) -> Path:
    for part in (shapefile(folder, "gb18030")).parent.glob("v.*"):
        part.rename(folder / part.name.upper())
    return folder / "V.SHP"


def shapefile_zip(folder: Path) -> Path:
    shapefile(folder, "gb18030")
    return zipped(folder, {f"村界/{p.name}": p.read_bytes() for p in folder.glob("v.*")})


def kml_text() -> str:
    marks = ""
    for code, name, shape in zip(
        *(frame()[c] for c in ("村代码", "村名", "geometry")), strict=True
    ):
        ring = " ".join(f"{x},{y},0" for x, y in shapely.get_coordinates(shape))
        marks += (
            f"<Placemark><name>{name}</name><ExtendedData><Data name='村代码'><value>{code}"
            "</value></Data></ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>"
            f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        )
    return kml(f"<Folder><name>某镇</name>{marks}</Folder>")


def kml_file(folder: Path) -> Path:
    (folder / "v.kml").write_text(kml_text(), "utf-8")
    return folder / "v.kml"


def ovkml(folder: Path) -> Path:
    (folder / "v.ovkml").write_text(kml_text(), "utf-8")
    return folder / "v.ovkml"


def kmz(folder: Path) -> Path:
    return zipped(folder, {"doc.kml": kml_text().encode(), "images/a.png": b"x"}, "v.kmz")


def parquet(folder: Path) -> Path:
    frame().to_parquet(folder / "v.parquet")
    return folder / "v.parquet"


def geodatabase(folder: Path) -> Path:
    frame().to_file(folder / "v.gdb", driver="OpenFileGDB", layer="villages")
    return folder / "v.gdb"


def geodatabase_zip(folder: Path) -> Path:
    inside = geodatabase(folder)
    return zipped(folder, {f"数据/v.gdb/{p.name}": p.read_bytes() for p in inside.iterdir()})


def wkt_csv(folder: Path) -> Path:
    table = pd.DataFrame(frame().drop(columns="geometry"))
    table["边界"] = ["SRID=4490;" + s.wkt for s in frame().geometry]
    table.to_csv(folder / "v.csv", index=False, encoding="gb18030")
    return folder / "v.csv"


VILLAGES: list[Write] = [
    gpkg, geojson, json_lines, topojson, shapefile, upper_case_shapefile, shapefile_zip, kml_file,
    ovkml, kmz, parquet, geodatabase, geodatabase_zip, wkt_csv,
]  # fmt: skip


@pytest.mark.parametrize("write", VILLAGES, ids=lambda write: write.__name__)
def test_villages_in_every_format(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path)
    layer = read_layer(path, "villages")
    assert list(layer.frame["code"]) == ["320116001001", "320116001002"]
    assert list(layer.frame["name"]) == ["东村", "西村"]
    assert layer.crs is not None
    assert layer.crs.is_geographic
    expected = shapely.bounds(frame().geometry.to_numpy())
    np.testing.assert_allclose(shapely.bounds(layer.frame.geometry.to_numpy()), expected, atol=1e-7)
    assert layer.file.name == path.name
    assert len(layer.file.sha256) == 64
    assert list_layers(path)


def csv_with(delimiter: str, encoding: str, end: str = "\n") -> Write:
    def write(folder: Path) -> Path:
        lines = [delimiter.join(map(str, row)) for row in [HEADER, *ROWS]]
        (folder / "h.csv").write_bytes((end.join(lines) + end).encode(encoding))
        return folder / "h.csv"

    return write


def xlsx(folder: Path) -> Path:
    book = openpyxl.Workbook()
    for row in [["住户登记表"], HEADER, *ROWS]:
        book.active.append(row)
    book.save(folder / "h.xlsx")
    return folder / "h.xlsx"


def xls(folder: Path) -> Path:
    return write_xls(folder / "h.xls", [["住户登记表"], HEADER, *ROWS])


def points(folder: Path) -> Path:
    shapes = gpd.points_from_xy([120.01, 120.03], [32.01, 32.01])
    table = {"村名": ["东村", "西村"], "户数": [3, 1]}
    gpd.GeoDataFrame(table, geometry=shapes, crs=4326).to_file(folder / "h.gpkg")
    return folder / "h.gpkg"


def plain_parquet(folder: Path) -> Path:
    pd.DataFrame(ROWS, columns=HEADER).to_parquet(folder / "h.parquet")
    return folder / "h.parquet"


HOUSEHOLDS: dict[str, Write] = {
    "utf-8": csv_with(",", "utf-8"),
    "byte-order mark": csv_with(",", "utf-8-sig"),
    "gb18030": csv_with(",", "gb18030"),
    "utf-16 with tabs": csv_with("\t", "utf-16"),
    "semicolons": csv_with(";", "gbk"),
    "bars and old Mac line ends": csv_with("|", "utf-8", "\r"),
    "Windows line ends": csv_with(",", "gbk", "\r\n"),
    "xlsx": xlsx,
    "xls": xls,
    "points": points,
    "plain parquet": plain_parquet,
}


@pytest.mark.parametrize("write", HOUSEHOLDS.values(), ids=HOUSEHOLDS)
def test_households_in_every_format(write: Write, tmp_path: Path) -> None:
    layer = read_layer(write(tmp_path), "households")
    assert layer.frame["household_id"].tolist() == [1, 2]
    assert layer.frame["village_name"].tolist() == ["东村", "西村"]
    assert layer.frame["households"].tolist() == [3, 1]
    assert layer.frame.geometry.x.tolist() == [120.01, 120.03]
    assert layer.crs is not None
    assert layer.crs.to_epsg() == 4326


def test_big5(tmp_path: Path) -> None:
    names = "忠政里 民權里 三仙里 好平里 新東里 南紙里 護鎮里 嘉芳里 五興里 土庫里"
    lines = ["村里代碼,鄉鎮市區,村里,戶數", *(f"6700001{i:04d},新營區,{n},{i + 9}" for i, n in
             enumerate(names.split()))]  # fmt: skip
    (tmp_path / "v.csv").write_bytes("\n".join(lines).encode("big5"))
    layer = read_layer(tmp_path / "v.csv", "villages")
    assert layer.encoding == "big5hkscs"
    assert list(layer.frame["name"]) == names.split()


def test_rare_letters_and_gbk_are_told_apart_from_big5(tmp_path: Path) -> None:
    text = "村代码,村名\n320116001001,䶮湾村\n320116001002,白䌷村\n320116001003,大庄社区居委会\n"
    (tmp_path / "v.csv").write_bytes(text.encode("gb18030"))
    layer = read_layer(tmp_path / "v.csv", "villages")
    assert layer.encoding == "gb18030"
    assert list(layer.frame["name"]) == ["䶮湾村", "白䌷村", "大庄社区居委会"]


@pytest.mark.parametrize("epsg", [4528, 4498])
def test_zone_prefixed_eastings_name_their_zone(tmp_path: Path, epsg: int) -> None:
    shapes = gpd.GeoSeries(gpd.points_from_xy([120.01, 120.03], [32.0, 32.1]), crs=4490)
    metres = shapes.to_crs(epsg)
    table = pd.DataFrame({"村名": ["东村", "西村"], "X": metres.y, "Y": metres.x})
    table.to_csv(tmp_path / "h.csv", index=False)
    layer = read_layer(tmp_path / "h.csv", "households")
    assert {p.code for p in layer.problems} == {"read_crs_guessed", "read_swapped"}
    back = layer.frame.to_crs(4490).geometry
    np.testing.assert_allclose(back.x, [120.01, 120.03], atol=1e-7)


def test_plane_eastings_need_a_system(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("x,y,户数\n512345.1,3541234.2,1\n512346,3541235,2\n", "utf-8")
    layer = read_layer(tmp_path / "h.csv", "households")
    assert layer.crs is None
    assert [p.code for p in layer.problems] == ["read_metres_no_crs"]
    assert layer.frame.geometry.x.tolist() == [512345.1, 512346.0]


@pytest.mark.parametrize(
    "header", ['名称,坐标,户数\n东村,"120.01,32.01",3\n', "名称,a,b,户数\n东村,32.01,120.01,3\n"]
)
def test_places_in_other_columns(tmp_path: Path, header: str) -> None:
    (tmp_path / "h.csv").write_text(header, "utf-8")
    layer = read_layer(tmp_path / "h.csv", "households")
    assert layer.frame.geometry.iloc[0].coords[0] == (120.01, 32.01)


def test_columns_are_given(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("a,b,c,人口\n120.1,32.1,5,9\n", "utf-8")
    given = {"lon": "a", "lat": "b", "households": "c"}
    layer = read_layer(tmp_path / "h.csv", "households", columns=given)
    assert layer.frame["households"].tolist() == [5]
    assert layer.frame["persons"].tolist() == [9]
    assert {c.why for c in layer.columns} == {"given", "name"}
    with pytest.raises(InputError) as caught:
        read_layer(tmp_path / "h.csv", "households", columns={"lon": "z"})
    assert caught.value.problems[0].code == "read_column_missing"


def test_areas_with_counts_stay_areas(tmp_path: Path) -> None:
    table = frame().assign(户数=[120.0, np.nan], 人口=[300, 0])
    table.to_file(tmp_path / "h.gpkg")
    layer = read_layer(tmp_path / "h.gpkg", "households")
    assert set(layer.frame.geometry.geom_type) == {"Polygon"}
    assert layer.frame["households"].tolist() == [120, 0]
    assert [p.code for p in layer.problems] == ["read_areas_empty"]


@pytest.mark.parametrize(
    ("role", "shape", "kind"),
    [
        ("roads", shapely.LineString([(120, 32), (120.1, 32)]), "LineString"),
        ("roads", shapely.box(120, 32, 121, 33), "LineString"),
        ("water", shapely.box(120, 32, 121, 33), "Polygon"),
        ("stations", shapely.box(120, 32, 121, 33), "Point"),
        ("groups", shapely.Point(120, 32), "Point"),
        ("beats", shapely.box(120, 32, 121, 33), "Polygon"),
        ("dedicated", shapely.box(120, 32, 121, 33), "Polygon"),
        ("railways", shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
         "MultiLineString"),
    ],
)  # fmt: skip
def test_shapes_of_other_roles(
    tmp_path: Path, role: Role, shape: shapely.Geometry, kind: str
) -> None:
    gpd.GeoDataFrame({"名称": ["某"]}, geometry=[shape], crs=4326).to_file(tmp_path / "x.gpkg")
    layer = read_layer(tmp_path / "x.gpkg", role)
    assert layer.frame.geometry.iloc[0].geom_type == kind
    assert layer.frame["name"].tolist() == ["某"]


def test_officers_need_no_place(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("派出所,警务区,民警数\n城东所,一区,3\n城东所,二区,2\n", "utf-8")
    layer = read_layer(tmp_path / "o.csv", "officers")
    assert layer.frame["officers"].tolist() == [3, 2]
    assert layer.frame["station"].tolist() == ["城东所", "城东所"]


def test_a_kml_folder_can_be_named(tmp_path: Path) -> None:
    path = kml_file(tmp_path)
    assert list_layers(path) == ["v", "某镇"]
    assert len(read_layer(f"{path}:某镇", "villages").frame) == 2


def test_upload_keeps_its_own_name(tmp_path: Path) -> None:
    path = gpkg(tmp_path)
    layer = read_layer(path, "villages", name="村界.gpkg")
    assert layer.file.name == "村界.gpkg"


def test_limits_hold_a_city() -> None:
    assert LIMITS.rows > 1_700_000


def test_gbk_inside_a_geopackage(tmp_path: Path) -> None:
    """Some programs write GBK where the format asks for UTF-8."""

    path = gpkg(tmp_path)
    with sqlite3.connect(path) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            db.execute(f'DROP TRIGGER "{trigger}"')
        for fid, name in enumerate(("东村", "大庄社区居委会"), start=1):
            db.execute(
                f"UPDATE v SET 村名=CAST(x'{name.encode('gbk').hex()}' AS TEXT) WHERE fid={fid}"
            )
    db.close()
    assert list(read_layer(path, "villages").frame["name"]) == ["东村", "大庄社区居委会"]
