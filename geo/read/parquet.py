"""GeoParquet, and plain Parquet tables with coordinate columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from geo.crs import WGS84
from geo.read.database import read_crs
from geo.read.layer import Keep, Raw
from geo.read.limits import LIMITS
from geo.read.report import Report
from geo.read.text import arrow_column
from geo.read.wkb import ROWS_AT_ONCE, Curves, shapes_of_pieces


def read_parquet(path: Path, keep_map: Keep, keep_table: Keep, report: Report) -> Raw:
    """The wanted columns of a Parquet file, and its primary geometry where it has one."""
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        rows = file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        report.fail("unreadable", reason=type(error).__name__)
    if rows > LIMITS.rows:
        report.fail("too_many_rows", rows=rows, limit=LIMITS.rows)
    if len(schema.names) > LIMITS.columns:
        report.fail("too_many_columns", columns=len(schema.names), limit=LIMITS.columns)
    geometry, crs = _geometry(schema, report)
    names = [name for name in schema.names if name != geometry and not name.startswith("__index")]
    wanted = list(dict.fromkeys((keep_table if geometry is None else keep_map)(names)))
    try:
        table = file.read(columns=wanted)
    except (pa.ArrowException, OSError, ValueError) as error:
        report.fail("unreadable", reason=type(error).__name__)
    raw = Raw(path.stem, names, {}, crs=crs, rows=rows)
    raw.columns = {name: arrow_column(table.column(name)) for name in wanted}
    del table
    if geometry is not None:
        try:
            raw.shapes = shapes_of_pieces(_pieces(file, geometry), raw, report)
        except (pa.ArrowException, OSError, ValueError, Curves) as error:
            report.stop_on_errors()
            report.fail("unreadable", reason=type(error).__name__)
    return raw


def _pieces(file: pq.ParquetFile, column: str) -> Iterator[pa.Array]:
    """A column, some ten thousand rows at a time: the whole is never held beside its shapes."""
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=[column]):
        yield batch.column(0)


def _geometry(schema: pa.Schema, report: Report) -> tuple[str | None, CRS | None]:
    """The geometry column's name and coordinate system, from the file's metadata."""
    metadata = schema.metadata or {}
    if b"geo" not in metadata:
        binary = [f.name for f in schema if pa.types.is_binary(f.type)]
        named = [n for n in binary if n.lower() in ("geometry", "geom", "wkb", "wkb_geometry")]
        return (named[0], None) if named else (None, None)
    try:
        geo: dict[str, Any] = json.loads(metadata[b"geo"])
        name = str(geo["primary_column"])
        described = geo["columns"][name]
        encoding = described.get("encoding", "WKB")
    except (ValueError, KeyError, TypeError, RecursionError):
        report.fail("unreadable", reason="geo metadata")
    if encoding != "WKB" or name not in schema.names:
        report.fail("unreadable", reason=f"encoding {encoding}"[:40])
    if "crs" not in described:  # the format's default: longitude, latitude on WGS 84
        return name, WGS84
    stated = described["crs"]
    return name, None if stated is None else read_crs(stated, report)
