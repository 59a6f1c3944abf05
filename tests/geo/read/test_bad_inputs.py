"""Each bad file gives its sentence in both languages, or is read with what was wrong told."""

from __future__ import annotations

import json
import os
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from cases import (
    PLACEMARK,
    ROWS,
    bow_tie,
    collection,
    comb,
    curve_geopackage,
    damaged_blob,
    deep_wkb,
    endless_view,
    feature,
    frame,
    geojson,
    geopackage,
    kml,
    measured_shapefile,
    padded_workbook,
    polygon,
    raw_coordinates,
    rows_with,
    shapefile,
    shapefile_without,
    table,
    village,
    with_shape,
    zipped,
)

from geo.columns import Role
from geo.problems import InputError, Problem
from geo.read import Layer, list_layers, read_layer
from geo.read import messages as read_messages

Build = Callable[[Path], Path | str]


@dataclass(frozen=True)
class Case:
    """A bad file: how it is built, what is told, and whether it can still be used."""

    name: str
    build: Build
    told: str  # the problem's code without "read_"; "" where nothing need be told
    role: Role = "villages"
    usable: bool = False
    check: Callable[[Layer], bool] | None = None


def names_are(*names: str) -> Callable[[Layer], bool]:
    return lambda layer: list(layer.frame["name"]) == list(names)


def rows_are(count: int) -> Callable[[Layer], bool]:
    return lambda layer: len(layer.frame) == count


def placed_are(count: int) -> Callable[[Layer], bool]:
    return lambda layer: int(layer.frame.geometry.notna().sum()) == count


def text(content: str | bytes, name: str = "villages.geojson") -> Build:
    return lambda folder: geojson(folder, content, name)


def rows(*lines: str) -> Build:
    return lambda folder: table(folder, rows_with(*lines))


def shape(geometry: object) -> Build:
    return lambda folder: with_shape(folder, geometry)


def cut(build: Callable[[Path], Path], share: float, suffix: str | None = None) -> Build:
    def built(folder: Path) -> Path:
        path = build(folder)
        target = path.with_suffix(suffix) if suffix else path
        target.write_bytes(target.read_bytes()[: int(target.stat().st_size * share)])
        return path

    return built


def huge_part_count(folder: Path) -> Path:
    path = shapefile(folder)
    data = bytearray(path.read_bytes())
    data[100 + 8 + 36 : 100 + 8 + 40] = struct.pack("<I", 2**30)
    path.write_bytes(bytes(data))
    return path


def cpg(stated: str, encoding: str = "gb18030") -> Build:
    def built(folder: Path) -> Path:
        path = shapefile(folder, encoding)
        path.with_suffix(".cpg").write_text(stated)
        return path

    return built


def without_cpg(folder: Path) -> Path:
    path = shapefile(folder)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    return path


def zip_of_shapefile(folder: Path, inside: str) -> Path:
    shapefile(folder)
    parts = {f"{inside}{p.name}": p.read_bytes() for p in folder.glob("cun.*")}
    return zipped(folder, parts | {"__MACOSX/._cun.shp": b"junk"})


def linked_zip(folder: Path) -> Path:
    path = folder / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("villages.geojson")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "../secret.csv")
    return path


def padded_zip(folder: Path) -> Path:
    """A zip whose directory says that it unpacks to 4 GB of spaces."""
    path = zipped(folder, {"a.geojson": b" " * 1_000_000})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 0xF0000000)
    path.write_bytes(bytes(data))
    return path


def lying_zip(folder: Path) -> Path:
    """A zip whose directory says ten bytes where a megabyte comes out."""
    path = zipped(folder, {"a.geojson": b" " * 1_000_000})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(data))
    return path


def many_rows(folder: Path) -> Path:
    path = folder / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("many.csv", "经度,纬度\n" + "120,32\n" * 3_000_001)
    return path


def with_triggers(folder: Path) -> Path:
    import sqlite3

    path = geopackage(folder)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE canary (x)")
        db.execute(
            "CREATE TRIGGER trap AFTER UPDATE ON gpkg_contents BEGIN INSERT INTO canary VALUES(1);"
            " END"
        )
    db.close()
    return path


def workbook(*lines: list[object], name: str = "villages.xlsx") -> Build:
    def built(folder: Path) -> Path:
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(folder / name)
        return folder / name

    return built


def parquet_with(wkb: bytes) -> Build:
    def built(folder: Path) -> Path:
        frame = pd.DataFrame({"村名": ["东村"], "geometry": [wkb]})
        frame.to_parquet(folder / "v.parquet")
        return folder / "v.parquet"

    return built


VRT = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'  # noqa: E501
GDALG = '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read secret.csv"}'
GOOD = collection(village())

#: the seventy-two inputs measured with the libraries alone, in their order
MEASURED = [
    Case("01 empty", text(b""), "empty_file"),
    Case("02 truncated GeoJSON", text(GOOD[: len(GOOD) // 2]), "cut_off"),
    Case("03 no features", text(collection()), "no_rows"),
    Case("04 null geometry", shape(None), "no_shape", usable=True, check=names_are("东村")),
    Case(
        "05 empty polygon", shape({"type": "Polygon", "coordinates": []}), "empty_shape",
        usable=True, check=names_are("东村"),
    ),
    Case(
        "06 bow-tie", shape(bow_tie()), "self_crossing", usable=True,
        check=lambda layer: bool((shapely.area(layer.frame.geometry.values) > 1e-5).all()),
    ),
    Case(
        "07 unclosed ring",
        shape({"type": "Polygon", "coordinates": [[[120.1, 32], [120.2, 32], [120.2, 32.1]]]}),
        "", usable=True, check=rows_are(2),
    ),
    Case(
        "08 two-point ring",
        shape({"type": "Polygon", "coordinates": [[[120.1, 32], [120.2, 32], [120.1, 32]]]}),
        "too_few_corners", usable=True, check=rows_are(1),
    ),
    Case("09 NaN", lambda f: raw_coordinates(f, "NaN"), "coordinates_not_numbers", usable=True),
    Case(
        "10 Infinity", lambda f: raw_coordinates(f, "Infinity"), "coordinates_not_numbers",
        usable=True, check=rows_are(1),
    ),
    Case("11 1e308", lambda f: raw_coordinates(f, "1e308"), "outside_world", usable=True),
    Case("12 1e999", lambda f: raw_coordinates(f, "1e999"), "coordinates_not_numbers", usable=True),
    Case(
        "13 coordinates as text", lambda f: raw_coordinates(f, '"120"'), "coordinates_not_numbers",
        usable=True, check=rows_are(1),
    ),
    Case(
        "14 lon/lat swapped",
        text(collection(feature(
            {"type": "Polygon", "coordinates": [[[32, 120], [32, 120.1], [32.1, 120.1], [32, 120]]]}
        ))),
        "swapped", usable=True, check=lambda layer: layer.frame.total_bounds[0] == 120,
    ),
    Case(
        "15 metres without CRS",
        text(collection(feature(
            {"type": "Polygon", "coordinates": [
                [[512000, 3541000], [513000, 3541000], [513000, 3542000], [512000, 3541000]]
            ]}
        ))),
        "metres_no_crs", usable=True, check=lambda layer: layer.crs is None,
    ),
    Case(
        "16 three dimensions",
        shape({"type": "Polygon", "coordinates": [
            [[120.1, 32, 5], [120.2, 32, 5], [120.2, 32.1, 5], [120.1, 32, 5]]]}),
        "", usable=True, check=lambda layer: not layer.frame.geometry.has_z.any(),
    ),
    Case(
        "17 four dimensions",
        shape({"type": "Polygon", "coordinates": [
            [[120.1, 32, 5, 1], [120.2, 32, 5, 1], [120.2, 32.1, 5, 1], [120.1, 32, 5, 1]]]}),
        "", usable=True, check=rows_are(2),
    ),
    Case(
        "18 geometry collection",
        shape({"type": "GeometryCollection", "geometries": [
            polygon(0.1), {"type": "Point", "coordinates": [120, 32]}]}),
        "collection", usable=True, check=rows_are(2),
    ),
    Case(
        "19 point in polygon layer", shape({"type": "Point", "coordinates": [120.1, 32]}),
        "points_in_polygons", usable=True, check=rows_are(1),
    ),
    Case("20 duplicate codes", text(collection(village(), village(name="西村", dx=0.1))),
         "code_twice"),
    Case("21 byte-order mark", text(b"\xef\xbb\xbf" + GOOD.encode()), "", usable=True),
    Case(
        "22 GBK GeoJSON", text(json.dumps(json.loads(GOOD), ensure_ascii=False).encode("gbk")),
        "", usable=True, check=names_are("东村"),
    ),
    Case("23 UTF-16", text(GOOD.encode("utf-16")), "", usable=True, check=names_are("东村")),
    Case(
        "24 count is a word",
        text(collection(feature(polygon(), 村名="东村", 户数=3),
                        feature(polygon(0.1), 村名="西村", 户数="many"))),
        "count_not_number", usable=True,
        check=lambda layer: layer.frame["households"].fillna(-1).tolist() == [3, -1],
    ),
    Case("25 duplicate keys", text(GOOD.replace('"type": "FeatureCollection"',
         '"type": "FeatureCollection", "type": "FeatureCollection"')), "json_key_twice"),
    Case("26 nested brackets", text('{"type":"FeatureCollection","features":' + "[" * 100_000),
         "too_deep"),
    Case(
        "27 nested collections",
        text('{"type":"FeatureCollection","features":[{"type":"Feature","geometry":'
             + '{"type":"GeometryCollection","geometries":[' * 50_000 + "]}" * 50_000 + "}]}"),
        "too_deep",
    ),
    Case(
        "27b nested collections in WKB", parquet_with(deep_wkb(20_000)), "too_deep",
    ),
    Case(
        "27c nested collections in WKT",
        lambda f: table(f, "村名,wkt\n东村,\"" + "GEOMETRYCOLLECTION(" * 50_000 + "POINT(1 1)"
                        + ")" * 50_000 + '"\n', "v.csv"),
        "too_deep",
    ),
    Case(
        "28 property called geometry",
        text(collection(feature(polygon(), 村名="东村", geometry="x"))), "column_called_geometry",
        usable=True, check=names_are("东村"),
    ),
    Case(
        "29 dates that do not exist",
        lambda f: table(f, "发生时间,经度,纬度\n2024-02-30,120.1,32.1\n2024/13/01,120.1,32.2\n"
                        "2024-03-01,120.1,32.3\n"),
        "time_unreadable", "incidents", True,
        lambda layer: layer.frame["time"].notna().tolist() == [False, False, True],
    ),
    Case(
        "30 zone and year 1",
        lambda f: table(f, "发生时间,经度,纬度\n2024-03-05T14:20:00+08:00,120.1,32.1\n"
                        "0001-01-01 00:00,120.1,32.2\n"),
        "time_unreadable", "incidents", True,
        lambda layer: str(layer.frame["time"].iloc[0]) == "2024-03-05 14:20:00",
    ),
    Case("31 web page", text("<!DOCTYPE html><html><body>404</body></html>"), "web_page"),
    Case(
        "32 huge id", text(collection(feature(polygon(), code=2**70, 村名="东村"))), "",
        usable=True, check=lambda layer: layer.frame["code"].iloc[0] == str(2**70),
    ),
    Case(
        "33 NUL in a name", text(collection(feature(polygon(), 村名="a\0b"))), "hidden_characters",
        usable=True, check=names_are("ab"),
    ),
    Case(
        "34 lone surrogate",
        text(GOOD.replace(json.dumps("东村"), '"东\\ud800村"')), "half_characters",
        usable=True, check=names_are("东?村"),
    ),
    Case(
        "35 antimeridian",
        shape({"type": "Polygon", "coordinates": [
            [[-179.9, 52], [179.9, 52], [179.9, 52.1], [-179.9, 52.1], [-179.9, 52]]]}),
        "village_wide", usable=True,
    ),
    Case(
        "36 unknown CRS",
        text(collection(village(), crs={"type": "name", "properties": {"name": "EPSG:999999"}})),
        "crs_unknown",
    ),
    Case(
        "37 EPSG:4549",
        text(collection(
            feature({"type": "Polygon", "coordinates": [
                [[512000, 3541000], [513000, 3541000], [513000, 3542000], [512000, 3541000]]]}),
            crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}},
        )),
        "", usable=True, check=lambda layer: layer.crs is not None and layer.crs.to_epsg() == 4549,
    ),
    Case("38 without .dbf", lambda f: shapefile_without(f, ".dbf"), "part_missing_dbf",
         usable=True, check=rows_are(2)),
    Case("39 without .shx", lambda f: shapefile_without(f, ".shx"), "part_missing_shx",
         usable=True, check=names_are("东村", "西村")),
    Case("40 without .prj", lambda f: shapefile_without(f, ".prj"), "part_missing_prj",
         usable=True, check=lambda layer: layer.crs is not None and layer.crs.is_geographic),
    Case("40b without .shp", lambda f: shapefile_without(f, ".shp").with_suffix(".dbf"),
         "part_missing"),
    Case("41 GBK without .cpg", without_cpg, "encoding_found", usable=True,
         check=names_are("东村", "西村")),
    Case("42 GBK but .cpg says UTF-8", cpg("UTF-8"), "cpg_wrong", usable=True,
         check=names_are("东村", "西村")),
    Case("43 .cpg says 936", cpg("936"), "", usable=True, check=names_are("东村", "西村")),
    Case("44 truncated .shp", cut(lambda f: shapefile(f, count=9), 0.6), "shapes_cut_off",
         usable=True),
    Case("45 part count 2^30", huge_part_count, "no_shape", usable=True, check=names_are("西村")),
    Case(
        "46 two layers in a zip",
        lambda f: zipped(f, {"a.geojson": GOOD.encode(), "b.geojson": GOOD.encode()}),
        "zip_several",
    ),
    Case("47 zip with Chinese folder", lambda f: zip_of_shapefile(f, "村界/江苏/"), "",
         usable=True, check=names_are("东村", "西村")),
    Case("48 zip without a map", lambda f: zipped(f, {"readme.md": b"hello"}), "zip_without_map"),
    Case("49 not a zip", text(b"PK\x03\x04 but no zip", "a.zip"), "zip_damaged"),
    Case("50 zip in zip", lambda f: zipped(f, {"inner.zip": b"PK"}), "zip_in_zip"),
    Case("51 curve polygon", curve_geopackage, "curves", usable=True, check=rows_are(2)),
    Case("52 damaged WKB", damaged_blob, "no_shape", usable=True, check=names_are("西村")),
    Case("54 triggers", with_triggers, "", usable=True, check=rows_are(2)),
    Case("55 text named .gpkg", text(b"hello there", "v.gpkg"), "not_what_name_says"),
    Case("55b truncated gpkg", cut(geopackage, 0.5), "cut_off"),
    Case("56 GB18030 CSV", lambda f: table(f, ROWS.encode("gb18030")), "", "households", True,
         lambda layer: list(layer.frame["village_name"]) == ["东村", "东村"]),
    Case("57 CSV swapped", lambda f: table(f, "经度,纬度\n32.1,120.1\n32.2,120.2\n"), "swapped",
         "households", True, lambda layer: layer.frame.geometry.x.tolist() == [120.1, 120.2]),
    Case("58 semicolons and decimal commas",
         lambda f: table(f, "经度;纬度;户数\n120,1;32,1;2\n120,2;32,2;1\n"), "", "households",
         True, lambda layer: layer.frame.geometry.x.tolist() == [120.1, 120.2]),
    Case("59 missing and abc", rows("3,东村,,32.0,1", "4,东村,abc,32.0,1"),
         "coordinates_unreadable", "households", True, placed_are(2)),
    Case("59b missing", rows("3,东村,,32.0,1"), "coordinates_missing", "households", True,
         placed_are(2)),
    Case("60 formula cell", rows('4,"=HYPERLINK(""http://x"")",120.01,32.01,1'), "", "households",
         True, lambda layer: layer.frame["village_name"].iloc[2].startswith("=HYPERLINK")),
    Case("61 identity number", rows("5,11010519491231002X,120.01,32.01,1"), "personal_dropped",
         "households", True, lambda layer: layer.frame["village_name"].isna().tolist()[2]),
    Case("62 degrees, minutes, seconds",
         rows("6,东村,120°30'00\"E,31°30′00″N,1", "7,东村,120°30',北纬31度30分,1"), "",
         "households", True,
         lambda layer: layer.frame.geometry.x.tolist()[2:] == [120.5, 120.5]
         and layer.frame.geometry.y.tolist()[2:] == [31.5, 31.5]),
    Case("63 duplicate header", lambda f: table(f, "村名,村名,经度,纬度\na,b,120,32\n"),
         "column_twice", "households"),
    Case("64 ragged row", rows("8,东村,路口,120.01,32.01,1"), "rows_long", "households"),
    Case("64b short row", rows("8,东村,120.01,32.01"), "rows_short", "households", True,
         rows_are(3)),
    Case("65 one-point line in KML",
         text(kml("<Placemark><LineString><coordinates>120,32</coordinates></LineString>"
                  "</Placemark>" + PLACEMARK), "v.kml"), "too_few_corners", usable=True),
    Case("66 KML declares GB2312",
         text(kml(PLACEMARK, '<?xml version="1.0" encoding="GB2312"?>').encode("gb2312"), "v.kml"),
         "", usable=True, check=names_are("东村")),
    Case("67 VRT named .geojson", text(VRT.format("secret.csv")), "points_elsewhere"),
    Case("67b GDALG named .geojson", text(GDALG), "points_elsewhere"),
    Case("67c WFS description", text("<OGRWFSDataSource><URL>http://127.0.0.1</URL>"
         "</OGRWFSDataSource>", "v.kml"), "points_elsewhere"),
    Case("67d VRT named .csv", text(VRT.format("/vsicurl/http://127.0.0.1/x"), "v.csv"),
         "points_elsewhere"),
    Case("68 CRS link",
         text(collection(village(), crs={"type": "link", "properties": {
             "href": "http://127.0.0.1/crs", "type": "proj4"}})), "points_elsewhere"),
    Case("69 three million points in a small zip", many_rows, "too_many_rows", "households"),
    Case("70 spreadsheet bomb", padded_workbook, "sheet_bomb"),
    Case(
        "71 comb of 40,000 corners",
        shape({"type": "Polygon", "coordinates": [comb()]}), "too_complex",
    ),
    Case("72 script as a name",
         text(collection(feature(polygon(), 村名="<img src=x onerror=alert(1)>"),
                         feature(polygon(0.1), 村名="${alert(1)}`\\"))),
         "", usable=True, check=names_are("<img src=x onerror=alert(1)>", "${alert(1)}`\\")),
]  # fmt: skip

#: what issue threads and practice add
FURTHER = [
    Case("header only", lambda f: table(f, "户编号,经度,纬度\n"), "no_rows", "households"),
    Case("truncated zip", cut(lambda f: zip_of_shapefile(f, ""), 0.6), "zip_damaged"),
    Case("truncated .dbf", cut(lambda f: shapefile(f, count=9), 0.5, ".dbf"), "table_cut_off",
         usable=True),
    Case("zip bomb", padded_zip, "zip_bomb"),
    Case("zip that lies about its size", lying_zip, "zip_damaged"),
    Case("zip with ..", lambda f: zipped(f, {"../../x.geojson": GOOD.encode()}), "zip_path"),
    Case("zip with absolute name", lambda f: zipped(f, {"/x/x.geojson": GOOD.encode()}),
         "zip_path"),
    Case("zip with drive", lambda f: zipped(f, {"C:\\x.geojson": GOOD.encode()}), "zip_path"),
    Case("zip with link", linked_zip, "zip_link"),
    Case("zip of many files", lambda f: zipped(f, {f"{i}.txt": b"" for i in range(10_001)}),
         "zip_entries"),
    Case("connection string in a file", text(b"PG:host=127.0.0.1 dbname=x", "v.csv"),
         "points_elsewhere"),
    Case("vsicurl as a source", lambda f: "/vsicurl/http://127.0.0.1:9/v.geojson",
         "points_elsewhere"),
    Case("vsizip as a source", lambda f: "/vsizip//vsicurl/http://127.0.0.1:9/v.zip",
         "points_elsewhere"),
    Case("address as a source", lambda f: "http://127.0.0.1:9/v.geojson", "points_elsewhere"),
    Case("OAPIF as a source", lambda f: "OAPIF:http://127.0.0.1:9/", "points_elsewhere"),
    Case("QGIS project", text("<!DOCTYPE qgis><qgis version='3'></qgis>", "v.kml"),
         "points_elsewhere"),
    Case("missing file", lambda f: f / "nothing.gpkg", "file_missing"),
    Case("folder", lambda f: f, "is_folder"),
    Case("entity bomb in KML",
         text('<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]>'
              '<kml><Placemark><name>&b;</name></Placemark></kml>', "v.kml"), "xml_entities"),
    Case("external entity in KML",
         text('<?xml version="1.0"?><!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
              '<kml><Placemark><name>&x;</name></Placemark></kml>', "v.kml"), "xml_entities"),
    Case("deep KML", text("<kml>" + "<Folder>" * 5000 + "</Folder>" * 5000 + "</kml>", "v.kml"),
         "too_deep"),
    Case("truncated KML", text(kml(PLACEMARK)[:200], "v.kml"), "cut_off"),
    Case("null island", rows("3,东村,0,0,1"), "null_island", "households", True, placed_are(2)),
    Case("another province",
         lambda f: table(f, "经度,纬度\n" + "120.1,32.1\n" * 20 + "104.1,30.6\n"), "far_away",
         "households", True, placed_are(21)),
    Case("measured shapes", measured_shapefile, "", usable=True,
         check=lambda layer: not any("M" in shape.wkt[:12] for shape in layer.frame.geometry)
         and bool((shapely.area(layer.frame.geometry.values) > 1e-5).all())),
    Case("spike",
         shape({"type": "Polygon", "coordinates": [[[120.1, 32], [120.2, 32], [120.2, 32.1],
               [120.2, 32.5], [120.2, 32.1], [120.1, 32.1], [120.1, 32]]]}), "self_crossing",
         usable=True, check=rows_are(2)),
    Case("ring that touches itself",
         shape({"type": "Polygon", "coordinates": [[[120.1, 32], [120.2, 32], [120.15, 32.05],
               [120.2, 32.1], [120.1, 32.1], [120.15, 32.05], [120.1, 32]]]}), "self_crossing",
         usable=True, check=rows_are(2)),
    Case("no area",
         shape({"type": "Polygon", "coordinates": [[[120.1, 32], [120.2, 32], [120.3, 32],
               [120.1, 32]]]}), "no_extent", usable=True, check=rows_are(1)),
    Case("quotes, a tab and a backspace in a name",
         text(collection(feature(polygon(), 村名="东\"'`村\t\b"))), "hidden_characters",
         usable=True, check=names_are("东\"'`村")),
    Case("lines where areas are needed",
         text(collection(feature({"type": "LineString", "coordinates": [[120, 32], [121, 33]]}))),
         "nothing_usable"),
    Case("closed line as an area",
         text(collection(feature({"type": "LineString", "coordinates": [[120, 32], [120.1, 32],
              [120.1, 32.1], [120, 32]]}, 村名="东村"))), "closed_lines", usable=True,
         check=names_are("东村")),
    Case("lost leading zeros",
         text(collection(village("9007010001"), village("9007010002", "西村", 0.1))),
         "zeros_restored", usable=True,
         check=lambda layer: list(layer.frame["code"]) == ["09007010001", "09007010002"]),
    Case("scientific codes",
         text(collection(village("3.2E+11"), village("3.20116E+11", "西村", 0.1))),
         "code_scientific"),
    Case("two villages with one name",
         text(collection(village(), village("320116001002", dx=0.1))), "names_twice", usable=True),
    Case("an exclave as a row of its own", text(collection(village(), village(dx=0.1))),
         "parts_joined", usable=True,
         check=lambda layer: layer.frame.geometry.iloc[0].geom_type == "MultiPolygon"),
    Case("negative count", rows("3,东村,120.01,32.01,-4"), "count_negative", "households", True,
         lambda layer: layer.frame["households"].tolist() == [1, 1, 1]),
    Case("fractional count", rows("3,东村,120.01,32.01,2.6"), "count_fraction", "households", True,
         lambda layer: layer.frame["households"].tolist() == [1, 1, 3]),
    Case("huge count", rows("3,东村,120.01,32.01,9999999999"), "count_huge", "households", True),
    Case("infinite count", rows("3,东村,120.01,32.01,inf"), "count_not_number", "households", True),
    Case("counts with units",
         rows("3,东村,120.01,32.01,12户", "4,东村,120.01,32.01,1 234 "), "count_not_number",
         "households", True, lambda layer: layer.frame["households"].tolist()[2:] == [12, 1]),
    Case("direction marks in a name",
         text(collection(feature(polygon(), 村名="东\u202e村\u200f"))), "hidden_characters",
         usable=True, check=names_are("东村")),
    Case("name of 10,000 characters", text(collection(feature(polygon(), 村名="东" * 10_000))),
         "text_cut", usable=True, check=lambda layer: len(layer.frame["name"].iloc[0]) == 200),
    Case("SQL and a path as names",
         text(collection(feature(polygon(), 村名="x'; DROP TABLE grids; --"),
                         feature(polygon(0.1), 村名="../../etc/passwd"))), "",
         usable=True, check=names_are("x'; DROP TABLE grids; --", "../../etc/passwd")),
    Case("a million columns", lambda f: table(f, ",".join(map(str, range(1_000_000))) + "\n1\n"),
         "too_many_columns", "households"),
    Case("no coordinates anywhere", lambda f: table(f, "a,b\n1,2\n3,4\n"), "no_places",
         "households"),
    Case("households by village only", lambda f: table(f, "村名,户数\n东村,120\n西村,80\n"),
         "households_without_places", "households", True, rows_are(2)),
    Case("unbalanced quotes", lambda f: table(f, '村名,经度,纬度\n"东村,120,32\n西村,120,32\n'),
         "table_damaged", "households"),
    Case("Excel with merged titles",
         workbook(["2024年村情统计表"], [], ["填表单位:", "某县"],
                  ["村代码", "村名", "户数"], [320116001001.0, "东村", 12],
                  ["320116001002", "西村", "13户"], ["合计", None, None]),
         "footers", usable=True,
         check=lambda layer: list(layer.frame["code"]) == ["320116001001", "320116001002"]
         and layer.frame["households"].tolist() == [12, 13]),
    Case("entities in a workbook",
         lambda f: zipped(f, {"xl/workbook.xml": b"<!DOCTYPE x><x/>"}, "v.xlsx"), "xml_entities"),
    Case("workbook that is none", lambda f: zipped(f, {"xl/workbook.xml": b"<x/>"}, "v.xlsx"),
         "unreadable"),
    Case("JSON that is no map", text('{"a": 1}', "v.json"), "json_not_map"),
    Case("damaged JSON", text('{"type": "FeatureCollection", "features": [,]}'), "json_damaged"),
    Case("random bytes", text(bytes(range(1, 256)) * 9, "v.csv"), "encoding_unknown"),
    Case("damaged parquet", text(b"PAR1 and no more", "v.parquet"), "unreadable"),
    Case("several layers", lambda f: _two_layers(f), "several_layers"),
    Case("no such layer", lambda f: f"{_two_layers(f)}:third", "no_such_layer"),
    Case("OVKML", text(kml(PLACEMARK), "v.ovkml"), "ovkml_shifted", usable=True,
         check=lambda layer: layer.datum_hint == "gcj02"),
]  # fmt: skip


def _two_layers(folder: Path) -> Path:
    path = folder / "two.gpkg"
    for layer in ("one", "two"):
        frame().to_file(path, layer=layer, engine="pyogrio")
    return path


def texts_of(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    """Sentences in both languages; every problem must have both, with every placeholder filled."""
    out = []
    for problem in problems:
        chinese, english = problem.text("zh"), problem.text("en")
        assert re.search("[\u4e00-\u9fff]", chinese.partition(":")[2] or chinese)
        assert chinese != english
        assert "{" not in read_messages.TABLE[problem.code][0].format_map(dict(problem.params))
        out += [chinese, english]
    return out


def run(case: Case, folder: Path, *, trusted: bool = True) -> None:
    source = case.build(folder)
    before = sorted(os.listdir(folder))
    try:
        layer = read_layer(source, case.role, trusted=trusted)
    except InputError as error:
        problems = list(error.problems)
        assert not case.usable, texts_of(problems)
        assert any(p.severity == "error" for p in problems)
    else:
        assert case.usable, f"was read without an error; told {[p.code for p in layer.problems]}"
        assert case.check is None or case.check(layer), layer.frame
        problems = layer.problems
    codes = [problem.code for problem in problems]
    assert not case.told or f"read_{case.told}" in codes, texts_of(problems)
    for sentence in texts_of(problems):
        assert str(folder) not in sentence
        assert len(sentence) < 600
    assert sorted(os.listdir(folder)) == before, "something was written beside the input"


@pytest.mark.parametrize("case", MEASURED + FURTHER, ids=lambda case: case.name)
def test_bad_input(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    run(case, folder)


APART = {
    "01", "15", "18", "24", "27b", "27c", "31", "36", "41", "52", "54", "61", "67", "67b", "67c",
    "67d", "68", "70", "72", "zip bomb", "vsicurl", "entity", "PG",
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [case for case in MEASURED + FURTHER if case.name.split(" ")[0] in APART],
    ids=lambda case: case.name,
)
def test_bad_input_as_an_upload(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    run(case, folder, trusted=False)


def test_endless_view_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 53: a view that never ends is read in a child process even when the file is trusted."""
    from dataclasses import replace

    from geo.read import isolate
    from geo.read.limits import LIMITS

    path = endless_view(tmp_path)
    monkeypatch.setattr(isolate, "LIMITS", replace(LIMITS, seconds=3))
    with pytest.raises(InputError) as caught:
        read_layer(f"{path}:forever", "villages")
    assert [p.code for p in caught.value.problems] == ["read_too_slow"]
    layer = read_layer(f"{path}:villages", "villages")
    assert list(layer.frame["name"]) == ["东村", "西村"]


def test_triggers_do_not_fire(tmp_path: Path) -> None:
    path = with_triggers(tmp_path)
    before = path.read_bytes()
    read_layer(path, "villages")
    list_layers(path)
    assert path.read_bytes() == before


def test_too_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as stream:
        stream.truncate(2 << 30)  # sparse: takes no room
    with pytest.raises(InputError) as caught:
        read_layer(path, "households")
    assert [p.code for p in caught.value.problems] == ["read_file_too_large"]


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = table(tmp_path, rows_with("3,东村,,32.0,-1", "4,西村,0,0,x", "5,南村,abc,32,1.5"))
    codes = {problem.code for problem in read_layer(path, "households").problems}
    assert codes >= {
        "read_coordinates_missing", "read_null_island", "read_coordinates_unreadable",
        "read_count_negative", "read_count_not_number", "read_count_fraction",
    }  # fmt: skip


def test_the_layer_can_be_named(tmp_path: Path) -> None:
    path = _two_layers(tmp_path)
    assert list_layers(path) == ["one", "two"]
    assert list_layers(path, trusted=False) == ["one", "two"]
    assert read_layer(f"{path}:two", "villages").name == "two"


def test_mixed_shapes_are_never_none_without_a_word(tmp_path: Path) -> None:
    """A layer loses no row silently: what is not in the frame is told."""
    shapes = [shapely.box(120, 32, 121, 33), None, shapely.Point(1, 2), shapely.Polygon()]
    given = gpd.GeoDataFrame({"村名": list("甲乙丙丁")}, geometry=shapes, crs=4326)
    given.to_file(tmp_path / "v.gpkg")
    layer = read_layer(tmp_path / "v.gpkg", "villages")
    assert list(layer.frame["name"]) == ["甲"]
    told = {p.code for p in layer.problems}
    assert told >= {"read_no_shape", "read_empty_shape", "read_points_in_polygons"}
