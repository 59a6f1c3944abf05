"""No file, however named, makes the readers open another file or a connection."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cases import collection, geojson, geopackage, kml, village, zipped

from geo.problems import InputError
from geo.read import list_layers, read_layer
from geo.read.isolate import _environment
from geo.read.nursery import end


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on loopback, and the requests that reached it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def vrt(source: str) -> str:
    return (
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>'
        f"{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )


def hostile(address: str, canary: Path) -> dict[str, str]:
    """Name of a file → content that GDAL by itself would follow."""
    link = {"type": "link", "properties": {"href": f"{address}/crs", "type": "proj4"}}
    named = {"type": "name", "properties": {"name": f"{address}/crs"}}
    algorithm = f"gdal vector pipeline ! read {canary} ! write x.gpkg"
    return {
        "vrt-file.geojson": vrt(f"CSV:{canary}"),
        "vrt-file.csv": vrt(str(canary)),
        "vrt-http.kml": vrt(f"/vsicurl/{address}/v.geojson"),
        "vrt-spaces.json": " \n\t" + vrt(f"/vsicurl/{address}/v.geojson"),
        "vrt-utf16.csv": vrt(f"/vsicurl/{address}/v.geojson"),
        "gdalg.geojson": json.dumps({"type": "gdal_streamed_alg", "command_line": algorithm}),
        "wfs.kml": f"<OGRWFSDataSource><URL>{address}</URL></OGRWFSDataSource>",
        "link.geojson": collection(village(), crs=link),
        "named.geojson": collection(village(), crs=named),
        "wfs.csv": f"WFS:{address}",
        "vsicurl.txt": f"/vsicurl/{address}/v.geojson",
        "qgis.kml": f"<qgis><maplayer><datasource>{address}</datasource></maplayer></qgis>",
        "entity.kml": '<!DOCTYPE k [<!ENTITY x SYSTEM "' + f'{address}/x">]><kml>&x;</kml>',
    }


@pytest.mark.parametrize("trusted", [True, False], ids=["in process", "apart"])
def test_nothing_else_is_opened(
    tmp_path: Path, listener: tuple[str, list[str]], trusted: bool
) -> None:
    address, seen = listener
    canary = tmp_path / "canary.csv"
    canary.write_text("村名,经度,纬度\nTOPSECRET,120,32\n", "utf-8")
    files = hostile(address, canary)
    for name, content in list(files.items())[:: 1 if trusted else 3]:
        encoding = "utf-16" if "utf16" in name else "utf-8"
        path = geojson(tmp_path, content.encode(encoding), name)
        for source in (path, zipped(tmp_path, {name: path.read_bytes()})):
            with pytest.raises(InputError) as caught:
                read_layer(source, "villages", trusted=trusted)
            assert "TOPSECRET" not in str(caught.value)
    assert seen == []


def test_network_link_in_kml_is_not_followed(
    tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    address, seen = listener
    link = f"<NetworkLink><Link><href>{address}/v.kml</href></Link></NetworkLink>"
    placemark = (
        "<Placemark><name>东村</name><Polygon><outerBoundaryIs><LinearRing><coordinates>120,32 "
        "120.1,32 120.1,32.1 120,32</coordinates></LinearRing></outerBoundaryIs></Polygon>"
        "</Placemark>"
    )
    path = geojson(tmp_path, kml(link + placemark), "v.kml")
    assert len(read_layer(path, "villages").frame) == 1
    assert seen == []


def test_virtual_table_in_a_geopackage_is_refused(tmp_path: Path) -> None:
    path = geopackage(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute(
            "INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql) VALUES"
            "('table','v','v',0,'CREATE VIRTUAL TABLE v USING VirtualOGR(''secret.csv'')')"
        )
    db.close()
    with pytest.raises(InputError) as caught:
        read_layer(path, "villages")
    assert [p.code for p in caught.value.problems] == ["read_points_elsewhere"]


def test_apart_gives_the_same_layer_as_in_process(tmp_path: Path) -> None:
    path = geopackage(tmp_path)
    here, apart = read_layer(path, "villages"), read_layer(path, "villages", trusted=False)
    assert apart.crs == here.crs
    assert apart.columns == here.columns
    assert apart.problems == here.problems
    assert apart.file == here.file
    assert apart.frame.drop(columns="geometry").equals(here.frame.drop(columns="geometry"))
    assert apart.frame.geometry.geom_equals(here.frame.geometry).all()
    assert list_layers(path, trusted=False) == list_layers(path)


def test_the_child_knows_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWRIGHT_SECRET", "TOPSECRET")
    environment = _environment(tmp_path)
    assert "TOPSECRET" not in " ".join(environment.values())
    assert environment["GDAL_HTTP_PROXY"] == "127.0.0.1:9"
    skipped = environment["GDAL_SKIP"]
    for driver in ("OGR_VRT", "GDALG", "WFS", "OAPIF", "CSV", "GeoJSON", "LIBKML"):
        assert driver in skipped
    assert "GPKG" not in skipped.split()


def test_a_child_that_dies_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = geopackage(tmp_path)
    end()
    monkeypatch.setattr("geo.read.isolate._without_network", lambda: ("false",))
    with pytest.raises(InputError) as caught:
        read_layer(path, "villages", trusted=False)
    assert [p.code for p in caught.value.problems] == ["read_reader_died"]


def test_the_child_takes_its_own_means_away() -> None:
    """In a process of its own, because limits cannot be lifted again."""
    program = (
        "import resource\nfrom geo.read.child import _bind\n_bind()\n"
        "kinds = resource.RLIMIT_CPU, resource.RLIMIT_CORE\n"
        "print(*(resource.getrlimit(kind)[1] for kind in kinds))\n"
        "try:\n    bytearray(5 << 30)\nexcept MemoryError:\n    print('no more memory')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["120 0", "no more memory"]
