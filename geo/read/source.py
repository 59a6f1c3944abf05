"""One file, one layer: from a path to an assembled layer, or to every problem it has."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geo.columns import Role
from geo.personal import masked
from geo.read.archive import UNPACKED, unpack
from geo.read.assemble import Assembled, Chooser, assemble
from geo.read.database import (
    choose_layer,
    inspect_geodatabase,
    inspect_geopackage,
    read_database,
)
from geo.read.delimited import read_delimited
from geo.read.excel import read_xls, read_xlsx, xls_sheets, xlsx_sheets
from geo.read.jsonmap import JsonMap
from geo.read.kml import KmlMap
from geo.read.layer import FileRecord, Raw
from geo.read.limits import LIMITS
from geo.read.parquet import read_parquet
from geo.read.report import Report
from geo.read.shapefile import read_shapefile
from geo.read.sniff import Kind, refuse_pointing_name, sniff
from geo.read.villages import settle_villages


@dataclass(frozen=True)
class Source:
    """A file and, where its owner named one, the layer in it."""

    path: Path
    layer: str | None


def locate(source: str | Path, report: Report) -> Source:
    """Take "FILE" or "FILE:layer" apart; the file must exist and not be too large."""
    text = str(source)
    path, layer = Path(text), None
    if not path.exists() and ":" in text:
        left, _, right = text.rpartition(":")
        if left and Path(left).exists():
            path, layer = Path(left), right
    if not path.exists():
        refuse_pointing_name(text, report)
        report.fail("file_missing")
    if path.is_file() and path.stat().st_size > LIMITS.file_bytes:
        megabytes, limit = path.stat().st_size >> 20, LIMITS.file_bytes >> 20
        report.fail("file_too_large", megabytes=megabytes, limit=limit)
    return Source(path, layer or None)


def record(path: Path) -> FileRecord:
    """Name, size and hash of a file, or of a folder's files in the order of their names."""
    digest, size = hashlib.sha256(), 0
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
    return FileRecord(path.name, size, digest.hexdigest())


def layers_of(source: Source, report: Report) -> list[str]:
    """Names of the layers in a file, as :func:`read_source` takes them."""
    with tempfile.TemporaryDirectory(prefix="gridwright-") as folder:
        kind, path = opened(source.path, Path(folder), source.layer, report)
        name = source.path.stem
        if kind in ("geopackage", "filegdb"):
            return list(_contents(kind, path, report))
        if kind in ("geojson", "topojson"):
            return list(JsonMap(path.read_bytes(), name, report).layers())
        if kind == "kml":
            return list(KmlMap(path.read_bytes(), name, report).layers())
        if kind == "xlsx":
            return xlsx_sheets(path, report)
        if kind == "xls":
            return xls_sheets(path, report)
        return [name]


def computed_layers(source: Source, report: Report) -> frozenset[str]:
    """Layers of a GeoPackage that are views: reading one runs a program the file brought."""
    if source.path.is_file():
        with source.path.open("rb") as stream:
            if stream.read(16) == b"SQLite format 3\0":
                return inspect_geopackage(source.path, report).computed
    return frozenset()


def read_source(source: Source, role: Role, given: Mapping[str, str], report: Report) -> Assembled:
    """Read, recognise, clean and check one layer. Raises InputError with everything found."""
    chooser = Chooser(role, given, report)
    with tempfile.TemporaryDirectory(prefix="gridwright-") as folder:
        kind, path = opened(source.path, Path(folder), source.layer, report)
        unpacked = path != source.path
        raw = _read(kind, path, source.layer, role, chooser, report, unpacked=unpacked)
        if raw.name == UNPACKED:
            raw.name = source.path.stem
        if kind == "kml" and source.path.suffix.lower() in (".ovkml", ".ovkmz"):
            raw.datum_hint = "gcj02"
            report.warn("ovkml_shifted")
        made = assemble(raw, role, chooser, report)
    if role == "villages":
        made.columns, made.shapes = settle_villages(made.columns, made.shapes, raw, report)
        if made.shapes is None:
            report.warn("villages_without_shapes")
    if role == "households" and made.shapes is None:
        if made.columns.keys() & {"village_code", "village_name", "group", "compound"}:
            report.warn("households_without_places")
        else:
            report.error("no_places", columns=", ".join(map(masked, raw.names[:30])))
    report.stop_on_errors()
    return made


def opened(path: Path, folder: Path, layer: str | None, report: Report) -> tuple[Kind, Path]:
    """The kind of a file and where to read it: a zip's content is unpacked into ``folder``."""
    kind = sniff(path, report)
    if kind != "zip":
        return kind, path
    inner = unpack(path, folder, layer, report)
    if inner.kind is not None:
        return inner.kind, inner.path
    kind = sniff(inner.path, report)
    if kind == "zip":
        report.fail("zip_in_zip")
    return kind, inner.path


def _contents(kind: Kind, path: Path, report: Report) -> dict[str, str]:
    inspect = inspect_geopackage if kind == "geopackage" else inspect_geodatabase
    return inspect(path, report).layers


def _read(
    kind: Kind,
    path: Path,
    layer: str | None,
    role: Role,
    chooser: Chooser,
    report: Report,
    *,
    unpacked: bool,
) -> Raw:
    """Dispatch on the kind of file. A file that was ``unpacked`` may be far larger than it came:
    it has fewer rows to its limit."""
    if kind in ("geopackage", "filegdb"):
        layer = choose_layer(_contents(kind, path, report), layer, role, report)
        return read_database(path, layer, chooser.from_map, report)
    if kind == "shapefile":
        return read_shapefile(path, chooser.from_map, report)
    if kind in ("geojson", "topojson"):
        return JsonMap(path.read_bytes(), path.stem, report).read(layer, role, chooser.from_map)
    if kind == "kml":
        return KmlMap(path.read_bytes(), path.stem, report).read(layer, chooser.from_map)
    if kind == "parquet":
        return read_parquet(path, chooser.from_map, chooser.from_table, report)
    if kind == "xlsx":
        return read_xlsx(path, layer, role, chooser.from_table, report)
    if kind == "xls":
        return read_xls(path, layer, role, chooser.from_table, report)
    most = LIMITS.rows if unpacked else LIMITS.text_rows
    return read_delimited(
        path, path.stem, role, chooser.from_table, report, coordinates=chooser.coordinates,
        most=most,
    )  # fmt: skip
