"""Shapefiles: shapes through GDAL, the table read here, because only then are its encoding,
its cut-off names and its missing parts in our hands.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio.raw
from numpy.typing import NDArray
from pyproj import CRS

from geo.read.database import read_crs
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report, remarks_told
from geo.read.text import detect_encoding
from geo.read.wkb import shapes_from_wkb

_HEADER = 100  # bytes before the first record of a .shp and a .shx


def read_shapefile(path: Path, keep: Keep, report: Report) -> Raw:
    """One shapefile, named by any of its parts; every missing part is told at once.

    Without .shp nothing can be read; without .shx the index is rebuilt; without .dbf there are no
    columns; without .prj the coordinate system is unknown.
    """
    parts = _parts(path)
    if ".shp" not in parts:
        report.error("part_missing", part=".shp")
    for part in (".shx", ".dbf", ".prj"):
        if part not in parts:
            report.warn(f"part_missing_{part[1:]}")
    if ".shp" not in parts:
        report.stop_on_errors()
    shp = parts[".shp"].read_bytes()
    records, cut = _records(shp, report)
    with tempfile.TemporaryDirectory(prefix="gridwright-") as folder:
        wkb = _read_shapes(shp, records, Path(folder), report)
    table = _Table(parts[".dbf"], parts.get(".cpg"), report) if ".dbf" in parts else None
    names = [] if table is None else table.names
    raw = Raw(path.stem, names, {}, rows=len(records))
    if cut:
        report.warn("shapes_cut_off", missing=cut, total=len(records) + cut)
    if table is not None:
        raw.encoding = table.encoding
        if table.rows != len(records):
            report.warn("table_length", shapes=len(records), rows=table.rows)
        raw.rows = min(len(records), table.rows)
        wanted = dict.fromkeys(keep(names))
        raw.columns = {name: table.column(name)[: raw.rows] for name in wanted}
        wkb = wkb[: raw.rows]
    raw.shapes = shapes_from_wkb(wkb, raw, report)
    if table is not None and table.deleted[: raw.rows].any():
        raw = _without_deleted(raw, ~table.deleted[: raw.rows])
    raw.crs = _crs(parts.get(".prj"), report)
    return raw


def _without_deleted(raw: Raw, alive: NDArray[np.bool_]) -> Raw:
    raw.columns = {n: v[alive].reset_index(drop=True) for n, v in raw.columns.items()}
    raw.numbers = np.flatnonzero(alive) + 1
    raw.rows = int(alive.sum())
    if raw.shapes is not None:
        raw.shapes = raw.shapes[alive]
    return raw


def _parts(path: Path) -> dict[str, Path]:
    """Files of the same name, by their lower-case suffix."""
    stem = path.stem.lower()
    return {
        other.suffix.lower(): other
        for other in sorted(path.parent.iterdir())
        if other.stem.lower() == stem
        and other.suffix.lower() in (".shp", ".shx", ".dbf", ".prj", ".cpg")
        and other.is_file()
    }


def _crs(prj: Path | None, report: Report) -> CRS | None:
    if prj is None:
        return None
    text = prj.read_bytes()[:20_000].decode("utf-8", errors="replace").strip("\ufeff \r\n\t\0")
    return read_crs(text, report) if text else None


def _records(shp: bytes, report: Report) -> tuple[list[tuple[int, int]], int]:
    """Offset and length (bytes, with the record's header) of each shape; and how many are cut.

    The .shx is not trusted: the records themselves say where they begin and end.
    """
    if len(shp) < _HEADER or shp[:4] != b"\x00\x00\x27\x0a":
        report.fail("not_what_name_says", kind=".shp")
    stated = struct.unpack(">i", shp[24:28])[0] * 2
    records: list[tuple[int, int]] = []
    place = _HEADER
    end = min(len(shp), stated) if stated > _HEADER else len(shp)
    while place + 8 <= end and len(records) <= LIMITS.rows:
        length = struct.unpack(">i", shp[place + 4 : place + 8])[0] * 2 + 8
        if length < 12 or place + length > len(shp):
            break
        records.append((place, length))
        place += length
    if len(records) > LIMITS.rows:
        report.fail("too_many_rows", rows=len(records), limit=LIMITS.rows)
    if stated <= place:
        return records, 0
    mean = (place - _HEADER) / len(records) if records else stated - _HEADER
    return records, max(1, round((stated - place) / max(mean, 12)))


def _read_shapes(
    shp: bytes, records: list[tuple[int, int]], folder: Path, report: Report
) -> NDArray[np.object_]:
    """Shapes as well-known binary, through GDAL, from a copy with an index of our making."""
    if not records:
        return np.empty(0, dtype=object)
    end = records[-1][0] + records[-1][1]
    head = shp[:24] + struct.pack(">i", end // 2) + shp[28:_HEADER]
    (folder / "data.shp").write_bytes(head + shp[_HEADER:end])
    index = np.array([(place // 2, length // 2 - 4) for place, length in records], dtype=">i4")
    index_size = struct.pack(">i", (_HEADER + 8 * len(records)) // 2)
    index_head = head[:24] + index_size + head[28:]
    (folder / "data.shx").write_bytes(index_head + index.tobytes())
    try:
        with remarks_told(report):
            _, _, wkb, _ = pyogrio.raw.read(str(folder / "data.shp"), columns=[])
    except Exception as error:  # pyogrio raises many kinds for damaged files
        report.fail("unreadable", reason=type(error).__name__)
    shapes: NDArray[np.object_] = np.full(len(records), None, dtype=object)
    shapes[: len(wkb)] = wkb[: len(records)]
    return shapes


class _Table:
    """A dBASE table: fixed-width records, decoded column by column and only when wanted."""

    def __init__(self, path: Path, cpg: Path | None, report: Report) -> None:
        data = path.read_bytes()
        if len(data) < 32:
            report.fail("part_damaged", part=".dbf")
        rows, header, width = struct.unpack("<IHH", data[4:12])
        fields = _fields(data[32:header])
        widths = [width for _, _, width in fields]
        if (
            min(widths, default=0) < 1
            or not 33 <= header <= len(data)
            or 1 + sum(widths) > width
            or width == 0
        ):
            report.fail("part_damaged", part=".dbf")
        there = max(0, len(data) - header) // width
        if there < rows:
            report.warn("table_cut_off", missing=rows - there, total=rows)
        self.rows = min(rows, there)
        block = np.frombuffer(data, dtype=np.uint8, count=self.rows * width, offset=header)
        self._block = block.reshape(self.rows, width)
        self._fields = fields
        self._places = np.cumsum([1, *widths])[:-1]
        self.deleted = self._block[:, 0] == ord("*")
        self.encoding = self._encoding(cpg, report)
        self.names = self._names()

    def _text_bytes(self) -> bytes:
        names = b" ".join(name for name, _, _ in self._fields)
        cells = [
            self._block[:5000, place : place + width].tobytes()
            for place, (_, kind, width) in zip(self._places, self._fields, strict=True)
            if kind == "C"
        ]
        return names + b" " + b" ".join(cells)

    def _encoding(self, cpg: Path | None, report: Report) -> str:
        """The encoding the .cpg states if the table fits it, else the one found by trying."""
        stated = _codec(cpg.read_bytes()[:40].decode("ascii", "ignore")) if cpg else None
        sample = _whole_characters(self._text_bytes())
        if stated and _reads(sample, stated):
            return stated
        found = detect_encoding(sample)
        encoding = found[0] if found else _most_likely(sample)
        if stated:
            report.warn("cpg_wrong", stated=stated, used=encoding)
        elif not sample.isascii():
            report.note("encoding_found", used=encoding)
        return encoding

    def _names(self) -> list[str]:
        names: list[str] = []
        for raw, _, _ in self._fields:
            name = raw.decode(self.encoding, errors="ignore").strip() or f"column {len(names) + 1}"
            while name in names:
                name += "_"
            names.append(name)
        return names

    def column(self, name: str) -> pd.Series[Any]:
        """One column: numbers as float where all cells are, else text."""
        place = self.names.index(name)
        start, (_, kind, width) = int(self._places[place]), self._fields[place]
        cells = np.ascontiguousarray(self._block[:, start : start + width])
        raw = cells.view(f"S{width}").ravel()
        if kind in "CDNFL":
            unique, inverse = np.unique(raw, return_inverse=True)
            texts = [_cell(item, self.encoding) for item in unique.tolist()]
            return pd.Series(np.array(texts, dtype=object)[inverse], dtype="str")
        return pd.Series(np.full(self.rows, None, dtype=object), dtype="str")


def _cell(raw: bytes, encoding: str) -> str | None:
    """A cell's text; a character cut by the field's width is left out, asterisks are empty."""
    text = raw.decode(encoding, errors="ignore").replace("\0", "").strip()
    return None if not text or set(text) == {"*"} else text


def _fields(data: bytes) -> list[tuple[bytes, str, int]]:
    """Name, type and width of each field."""
    fields = []
    for place in range(0, len(data) - 31, 32):
        entry = data[place : place + 32]
        if entry[0] == 0x0D:
            break
        kind = chr(entry[11])
        width = entry[16] + (entry[17] << 8 if kind == "C" else 0)
        fields.append((entry[:11].split(b"\0", 1)[0], kind, width))
    return fields


def _codec(stated: str) -> str | None:
    """A Python codec for what a .cpg file says: UTF-8, GBK, 936, ANSI 936, CP950, Big5."""
    word = stated.strip().strip("\ufeff").lower().replace("_", "-").replace("ansi ", "")
    known = {
        "utf-8": "utf-8", "utf8": "utf-8", "65001": "utf-8", "gbk": "gb18030", "gb2312": "gb18030",
        "gb18030": "gb18030", "936": "gb18030", "cp936": "gb18030", "big5": "big5hkscs",
        "950": "big5hkscs", "cp950": "big5hkscs", "iso-8859-1": "latin-1", "iso8859-1": "latin-1",
        "88591": "latin-1", "1252": "cp1252", "cp1252": "cp1252",
    }  # fmt: skip
    return known.get(word)


def _whole_characters(data: bytes) -> bytes:
    """Table text with the padding cut out, where a field's width can split a character."""
    return b" ".join(data.replace(b"\0", b" ").split())


def _reads(data: bytes, encoding: str) -> bool:
    """Whether a text fits an encoding but for characters cut at field ends."""
    if encoding in ("latin-1", "cp1252") and not data.isascii():
        return detect_encoding(data) is None  # every byte fits these: only if nothing else does
    lost = len(data.decode(encoding, errors="ignore").encode(encoding, errors="ignore"))
    return lost >= 0.98 * len(data)


def _most_likely(data: bytes) -> str:
    """The encoding that keeps most of a text that none fits wholly."""
    kept = {
        name: len(data.decode(name, errors="ignore").encode(name, errors="ignore"))
        for name in ("utf-8", "gb18030", "big5hkscs")
    }
    return max(kept, key=lambda name: kept[name])
