"""Zips: looked through before anything is unpacked, and unpacked only as far as needed."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geo.problems import InputError
from geo.read.limits import LIMITS, MEGABYTE
from geo.read.report import Report
from geo.read.sniff import Kind
from geo.read.text import detect_encoding

UNPACKED = "data"  # the stem of what is unpacked: never a name from the zip
_MAPS = (
    ".shp", ".gpkg", ".geojson", ".json", ".topojson", ".kml", ".ovkml", ".parquet", ".geoparquet",
    ".csv", ".tsv", ".txt", ".xlsx", ".xls",
)  # fmt: skip
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NESTED = (".zip", ".kmz", ".rar", ".7z", ".gz", ".tar", ".ovkmz")


@dataclass(frozen=True)
class Inner:
    """What was unpacked, and its kind where the zip itself already tells."""

    path: Path
    kind: Kind | None


def unpack(path: Path, folder: Path, layer: str | None, report: Report) -> Inner:
    """Unpack the one data set of a zip into ``folder``; refuse zips that are traps.

    Refused: damaged or encrypted zips, too many entries, absolute names and "..", links, more
    unpacked bytes than allowed (by the directory's claim and again while unpacking). An Excel
    workbook is a zip too and is left as it is. Folders inside, ``__MACOSX`` and hidden files do
    not matter. Of several data sets one must be named as ``FILE:name``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked(archive, report)
            names = {_decoded_name(entry): entry for entry in entries}
            if any(name.startswith("xl/workbook") for name in names):
                _check_workbook(archive, entries, path, report)
                return Inner(path, "xlsx")
            return _unpack_one(archive, names, folder, layer, report)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError):
        report.fail("zip_damaged")
    except RuntimeError:  # zipfile's way to say that a password is needed
        report.fail("zip_encrypted")


def _checked(archive: zipfile.ZipFile, report: Report) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > LIMITS.entries:
        report.fail("zip_entries", entries=len(entries), limit=LIMITS.entries)
    total = sum(entry.file_size for entry in entries)
    if total > LIMITS.unpacked_bytes:
        report.fail("zip_bomb", megabytes=total >> 20, limit=LIMITS.unpacked_bytes >> 20)
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if not name:
            report.fail("zip_damaged")
        if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
            report.fail("zip_path")
        if stat.S_ISLNK(entry.external_attr >> 16):
            report.fail("zip_link")
        if entry.flag_bits & 1:
            report.fail("zip_encrypted")
    return [
        entry
        for entry in entries
        if not entry.is_dir()
        and not any(p.startswith((".", "__MACOSX")) for p in PurePosixPath(entry.filename).parts)
    ]


def _decoded_name(entry: zipfile.ZipInfo) -> str:
    """An entry's name; Chinese Windows writes it in GBK without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename.replace("\\", "/")
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename.replace("\\", "/")
    found = detect_encoding(raw)
    return (raw.decode(found[0]) if found else entry.filename).replace("\\", "/")


def _check_workbook(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], path: Path, report: Report
) -> None:
    total = sum(entry.file_size for entry in entries)
    ratio = total / max(path.stat().st_size, 1)
    if total > LIMITS.sheet_bytes or (total > 100 * MEGABYTE and ratio > LIMITS.sheet_ratio):
        report.fail("sheet_bomb", megabytes=total >> 20, limit=LIMITS.sheet_bytes >> 20)
    for entry in entries:
        if entry.filename.lower().endswith((".xml", ".rels")):
            with archive.open(entry) as stream:
                if b"<!DOCTYPE" in stream.read(4096).upper():
                    report.fail("xml_entities")


def _unpack_one(
    archive: zipfile.ZipFile,
    names: dict[str, zipfile.ZipInfo],
    folder: Path,
    layer: str | None,
    report: Report,
) -> Inner:
    geodatabases = sorted({m[1] for n in names if (m := re.match(r"(?i)(.*?\.gdb)/", n))})
    if geodatabases:
        chosen = geodatabases[0]
        if len(geodatabases) > 1:
            report.fail("zip_several", names=", ".join(geodatabases[:8]))
        target = folder / f"{UNPACKED}.gdb"
        target.mkdir()
        for name, entry in names.items():
            if name.startswith(chosen + "/"):
                _extract(archive, entry, target / PurePosixPath(name).name, report)
        return Inner(target, "filegdb")
    sets = [n for n in names if n.lower().endswith(_MAPS)]
    incomplete = [n for n in names if n.lower().endswith(_PARTS)]
    if not sets and incomplete:
        sets = [next((n for n in incomplete if n.lower().endswith(".dbf")), incomplete[0])]
    if not sets:
        nested = any(name.lower().endswith(_NESTED) for name in names)
        report.fail("zip_in_zip" if nested else "zip_without_map")
    name = _choose(sets, layer, report)
    target = folder / (UNPACKED + PurePosixPath(name).suffix.lower())
    stem = name.rpartition(".")[0].lower()
    for other, entry in names.items():
        suffix = PurePosixPath(other).suffix.lower()
        is_part = suffix in _PARTS and other.rpartition(".")[0].lower() == stem
        if other == name or (PurePosixPath(name).suffix.lower() in _PARTS and is_part):
            _extract(archive, entry, folder / (UNPACKED + suffix), report)
    return Inner(target, "shapefile" if target.suffix in _PARTS else None)


def _choose(sets: list[str], layer: str | None, report: Report) -> str:
    shown = ", ".join(PurePosixPath(name).name for name in sets[:8])
    maps = [n for n in sets if not n.lower().endswith((".txt", ".csv", ".tsv", ".xlsx", ".xls"))]
    if layer is not None:
        named = [n for n in sets if layer in (n, PurePosixPath(n).name, PurePosixPath(n).stem)]
        if len(named) == 1:
            return named[0]
    if len(sets) == 1:
        return sets[0]
    if len(maps) == 1:  # a map with a read-me or a table beside it
        return maps[0]
    report.fail("zip_several", names=shown)


def _extract(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, report: Report
) -> None:
    """Unpack one entry under a name of ours; stop if it grows beyond what it claimed."""
    written = 0
    with archive.open(entry) as stream, target.open("wb") as out:
        while block := stream.read(1 << 20):
            written += len(block)
            if written > min(entry.file_size, LIMITS.unpacked_bytes):
                report.fail("zip_bomb", megabytes=written >> 20, limit=LIMITS.unpacked_bytes >> 20)
            out.write(block)
