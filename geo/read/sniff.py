"""What a file is, told from its content and never from its name alone.

This is also the gate against files that make a reader open *other* files or addresses: GDAL
chooses its driver by content, so a virtual dataset named ``villages.geojson`` would be followed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from geo.read.report import Report
from geo.read.text import decode

Kind = Literal[
    "geopackage",
    "geojson",
    "topojson",
    "kml",
    "shapefile",
    "parquet",
    "filegdb",
    "text",
    "xlsx",
    "xls",
    "zip",
]

_HEAD = 65_536
# Virtual datasets, service descriptions and project files, all of which name further sources.
_POINTING_XML = re.compile(
    rb"<\s*(OGRVRT|VRTDataset|GDALWarpOptions|OGRWFS|WFS_Capabilities|\w*:?WFS_Capabilities|"
    rb"OGRCSW|GDAL_WMS|GDAL_WMTS|OWSContext|qgis|!DOCTYPE\s+qgis)",
    re.IGNORECASE | re.DOTALL,
)
_POINTING_JSON = re.compile(rb'"(gdal_version|command_line|stacVersion|stac_version)"\s*:|"gdalg"')
_POINTING_TEXT = re.compile(
    r"^\s*(/vsi\w+/|vrt://|https?://|ftp://|s3://|file://|"
    r"(PG|MYSQL|MSSQL|OCI|WFS|OAPIF|OGCAPI|CSW|GPKG|CSV|DB|ODBC|MONGODB\w*|ES|CARTO|AMIGOCLOUD|"
    r"PLSCENES|ELASTIC|NGW|EEDA|ADBC|LIBKML|GMLAS|SQLITE|MVT|OPENFILEGDB):)",
    re.IGNORECASE,
)


def refuse_pointing_name(source: str, report: Report) -> None:
    """Refuse connection strings, addresses and GDAL virtual paths given instead of a file."""
    if _POINTING_TEXT.match(source) or "/vsi" in source.lower():
        report.fail("points_elsewhere")


def sniff(path: Path, report: Report) -> Kind:
    """The kind of a file. Refuses empty files, web pages and files that point to other data."""
    if path.is_dir():
        if path.suffix.lower() == ".gdb":
            return "filegdb"
        report.fail("is_folder")
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    suffix = path.suffix.lower()
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        report.fail("empty_file")
    binary = _binary_kind(head)
    if binary is not None:
        return binary
    if suffix in (".gpkg", ".zip", ".parquet", ".xlsx", ".kmz", ".gdb", ".ovkmz"):
        report.fail("not_what_name_says", kind=suffix)
    if suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
        return "shapefile"
    return _text_kind(head, suffix, report)


def _binary_kind(head: bytes) -> Kind | None:
    if head.startswith(b"SQLite format 3\0"):
        return "geopackage"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if head.startswith(b"\x00\x00\x27\x0a"):
        return "shapefile"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return None


def _text_kind(head: bytes, suffix: str, report: Report) -> Kind:
    decoded = decode(head) or decode(head[: head.rfind(b"\n") + 1] or head[:-3])
    text = (decoded[0] if decoded else head.decode("latin-1")).lstrip("\ufeff \t\r\n\0")
    plain = text.encode("utf-8", errors="replace")
    if _POINTING_TEXT.match(text):
        report.fail("points_elsewhere")
    if text.startswith("<"):
        if _POINTING_XML.search(plain):
            report.fail("points_elsewhere")
        if re.search(rb"<\s*(kml|\w+:kml)\b", plain, re.IGNORECASE):
            return "kml"
        if re.search(rb"<\s*(!doctype\s+html|html|head|body|table)\b", plain, re.IGNORECASE):
            report.fail("web_page")
        if suffix in (".kml", ".ovkml"):
            return "kml"  # its own reader says what is wrong with it
        report.fail("xml_unknown")
    if text.startswith(("{", "[")):
        if _POINTING_JSON.search(plain) and b'"coordinates"' not in plain:
            report.fail("points_elsewhere")
        is_topology = re.search(rb'"type"\s*:\s*"Topology"', plain) or suffix == ".topojson"
        return "topojson" if is_topology else "geojson"
    if suffix in (".json", ".geojson", ".topojson"):
        report.fail("json_damaged", line=1)
    if suffix in (".kml", ".ovkml"):
        report.fail("not_what_name_says", kind=suffix)
    return "text"
