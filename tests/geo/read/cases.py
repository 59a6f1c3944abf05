"""Bad files, each built from nothing; the table in test_bad_inputs says what must be told."""

from __future__ import annotations

import io
import json
import math
import sqlite3
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import shapely
from shapely.geometry import Point, box

RING = [[120.0, 32.0], [120.02, 32.0], [120.02, 32.02], [120.0, 32.02], [120.0, 32.0]]


def polygon(dx: float = 0.0) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[[x + dx, y] for x, y in RING]]}


def feature(geometry: object, /, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: object, **extra: object) -> str:
    return json.dumps({"type": "FeatureCollection", **extra, "features": features})


def village(code: str = "320116001001", name: str = "东村", dx: float = 0.0) -> dict[str, object]:
    return feature(polygon(dx), 村代码=code, 村名=name)


def geojson(folder: Path, text: str | bytes, name: str = "villages.geojson") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def with_shape(folder: Path, geometry: object) -> Path:
    """A good village and one with the shape in question as feature 2."""
    return geojson(
        folder, collection(village(), feature(geometry, 村代码="320116001002", 村名="西村"))
    )


def raw_coordinates(folder: Path, first_x: str) -> Path:
    """A good village, and one whose first number is written as given."""
    ring = f"[[{first_x},32],[120.1,32],[120.1,32.1],[120,32]]"
    bad = '{"type":"Feature","properties":{"村代码":"320116001002"},"geometry":' + (
        f'{{"type":"Polygon","coordinates":[{ring}]}}}}'
    )
    good = json.dumps(village(), ensure_ascii=False)
    return geojson(folder, f'{{"type":"FeatureCollection","features":[{good},{bad}]}}')


def frame(count: int = 2) -> gpd.GeoDataFrame:
    codes = [f"3201160010{i:02d}" for i in range(1, count + 1)]
    shapes = [box(120 + i * 0.02, 32, 120.02 + i * 0.02, 32.02) for i in range(count)]
    names = [f"{'东西南北中'[i % 5]}村" for i in range(count)]
    return gpd.GeoDataFrame({"村代码": codes, "村名": names}, geometry=shapes, crs=4490)


def shapefile(folder: Path, encoding: str = "gb18030", count: int = 2) -> Path:
    frame(count).to_file(folder / "cun.shp", encoding=encoding, engine="pyogrio")
    return folder / "cun.shp"


def shapefile_without(folder: Path, *parts: str) -> Path:
    path = shapefile(folder)
    for part in parts:
        path.with_suffix(part).unlink()
    return path


def measured_shapefile(folder: Path) -> Path:
    """Two villages whose corners carry measures (shape type 25), as road surveys write them."""
    path = shapefile(folder)
    records, places = b"", b""
    for number, shape in enumerate(frame().geometry, 1):
        corners = shapely.get_coordinates(shape)
        body = struct.pack("<i4d2ii", 25, *shape.bounds, 1, len(corners), 0) + corners.tobytes()
        body += struct.pack(f"<{2 + len(corners)}d", 0, 9, *range(len(corners)))
        places += struct.pack(">2i", (100 + len(records)) // 2, len(body) // 2)
        records += struct.pack(">2i", number, len(body) // 2) + body
    bounds = struct.pack("<2i8d", 1000, 25, *frame().total_bounds, 0, 0, 0, 9)
    for suffix, content in ((".shp", records), (".shx", places)):
        head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + len(content)) // 2)
        path.with_suffix(suffix).write_bytes(head + bounds + content)
    return path


def geopackage(folder: Path) -> Path:
    path = folder / "villages.gpkg"
    frame().to_file(path, layer="villages", engine="pyogrio")
    return path


def zipped(folder: Path, entries: dict[str, bytes], name: str = "data.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    return path


def table(folder: Path, text: str | bytes, name: str = "households.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


ROWS = "户编号,村名,经度,纬度,户数\n1,东村,120.01,32.01,1\n2,东村,120.011,32.011,1\n"


def rows_with(*lines: str) -> str:
    return ROWS + "".join(line + "\n" for line in lines)


def kml(placemarks: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return (
        f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{placemarks}</Document></kml>'
    )


PLACEMARK = (
    "<Placemark><name>东村</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
    "120,32 120.1,32 120.1,32.1 120,32</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    "</Placemark>"
)


def comb(teeth: int = 10_000) -> list[list[float]]:
    """A ring of four corners a tooth in which everything crosses everything."""
    steps = np.arange(teeth)
    upright = [(120 + 0.1 * i / teeth, 32 + (0.1 if odd else 0.0)) for i in steps for odd in (0, 1)]
    across = [(120 + (0.1 if odd else 0.0), 32 + 0.1 * i / teeth) for i in steps for odd in (0, 1)]
    ring = [list(map(float, corner)) for corner in upright + across]
    return [*ring, ring[0]]


def deep_wkb(depth: int) -> bytes:
    return struct.pack("<BII", 1, 7, 1) * depth + shapely.to_wkb(Point(120, 32))


def endless_view(folder: Path) -> Path:
    path = geopackage(folder)
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE VIEW forever AS WITH RECURSIVE c(fid) AS (SELECT 1 UNION ALL SELECT fid+1 "
            "FROM c) SELECT fid, 'x' AS 村名, NULL AS geom FROM c"
        )
        db.execute(
            "INSERT INTO gpkg_contents(table_name,data_type,identifier,srs_id) "
            "VALUES('forever','features','forever',4490)"
        )
        db.execute("INSERT INTO gpkg_geometry_columns VALUES('forever','geom','POLYGON',4490,0,0)")
    db.close()
    return path


def damaged_blob(folder: Path) -> Path:
    path = geopackage(folder)
    with sqlite3.connect(path) as db:
        for name in ("rtree_villages_geom_update6", "rtree_villages_geom_update7",
                     "rtree_villages_geom_update2", "rtree_villages_geom_update4",
                     "rtree_villages_geom_update5"):  # fmt: skip
            db.execute(f"DROP TRIGGER IF EXISTS {name}")
        blob = bytearray(db.execute("SELECT geom FROM villages WHERE fid=1").fetchone()[0])
        place = bytes(blob).index(struct.pack("<I", 5))
        blob[place : place + 4] = struct.pack("<I", 2**30)
        db.execute("UPDATE villages SET geom=? WHERE fid=1", (bytes(blob),))
    db.close()
    return path


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def padded_workbook(folder: Path) -> Path:
    """A small .xlsx whose sheet unpacks to 210 MB."""
    path = folder / "big.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        with zipfile.ZipFile(io.BytesIO(workbook([["村名"], ["东村"]]))) as small:
            for entry in small.infolist():
                if entry.filename != "xl/worksheets/sheet1.xml":
                    out.writestr(entry.filename, small.read(entry))
        with out.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(210):
                sheet.write(b" " * (1 << 20))
    return path


def curve_geopackage(folder: Path) -> Path:
    """A village drawn as a curve polygon."""
    path = geopackage(folder)
    ring = struct.pack("<BII", 1, 8, 5)  # CIRCULARSTRING of five points: a circle
    for angle in (0, 90, 180, 270, 360):
        x = 120.01 + 0.01 * math.cos(math.radians(angle))
        y = 32.01 + 0.01 * math.sin(math.radians(angle))
        ring += struct.pack("<dd", x, y)
    body = struct.pack("<BII", 1, 10, 1) + ring
    blob = b"GP\x00\x01" + struct.pack("<i", 4490) + body
    with sqlite3.connect(path) as db:
        triggers = db.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall()
        for (name,) in triggers:
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("UPDATE villages SET geom=? WHERE fid=1", (blob,))
        db.execute("UPDATE gpkg_geometry_columns SET geometry_type_name='CURVEPOLYGON'")
    db.close()
    return path


def bow_tie() -> dict[str, object]:
    corners = [[120.1, 32.0], [120.12, 32.02], [120.12, 32.0], [120.1, 32.02], [120.1, 32.0]]
    return {"type": "Polygon", "coordinates": [corners]}
