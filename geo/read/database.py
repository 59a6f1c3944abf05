"""GeoPackage and file geodatabase, through GDAL, opened read-only and only after a look inside."""

from __future__ import annotations

import sqlite3
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyogrio
import pyogrio.raw
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.columns import Role
from geo.problems import InputError
from geo.read.layer import Keep, Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.report import Report, remarks_told
from geo.read.text import arrow_column
from geo.read.wkb import ROWS_AT_ONCE, Curves, shapes_from_wkb, shapes_of_pieces

_VIRTUAL = ("rtree", "fts3", "fts4", "fts5")


@dataclass(frozen=True)
class Contents:
    """A container's layers: name → geometry type name ("" for a table), and those that compute."""

    layers: dict[str, str]
    computed: frozenset[str]  # views: reading them runs the file's own program


def inspect_geopackage(path: Path, report: Report) -> Contents:
    """Layers of a GeoPackage, without running anything in it.

    Refuses files cut off, plain SQLite files, and virtual tables that reach other files.
    """
    with path.open("rb") as stream:
        head = stream.read(100)
    page, pages = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
    if pages * (65_536 if page == 1 else page) > path.stat().st_size:
        report.fail("cut_off")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True, timeout=5
        )
    except sqlite3.Error:
        report.fail("not_geopackage")
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA query_only=ON")
        entries = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        kinds = {str(name).lower(): str(kind) for kind, name, _ in entries}
        if "gpkg_contents" not in kinds:
            report.fail("not_geopackage")
        for _, _, sql in entries:
            words = str(sql or "").upper().split()
            if words[:3] == ["CREATE", "VIRTUAL", "TABLE"]:
                module = str(sql).upper().partition(" USING ")[2].strip().partition("(")[0]
                if module.strip().lower() not in _VIRTUAL:
                    report.fail("points_elsewhere")
        rows = connection.execute(
            "SELECT table_name, data_type FROM gpkg_contents "
            "WHERE data_type IN ('features', 'attributes')"
        ).fetchall()
        types: dict[str, str] = {}
        if "gpkg_geometry_columns" in kinds:
            types = dict(
                connection.execute(
                    "SELECT table_name, geometry_type_name FROM gpkg_geometry_columns"
                ).fetchall()
            )
    except (sqlite3.Error, UnicodeDecodeError, ValueError, TypeError):
        report.stop_on_errors()
        report.fail("database_damaged")
    finally:
        connection.close()
    layers = {str(n): str(types.get(n, "")) if kind == "features" else "" for n, kind in rows}
    views = {name for name in layers if kinds.get(name.lower()) != "table"}
    return Contents(layers, frozenset(views))


def inspect_geodatabase(path: Path, report: Report) -> Contents:
    """Layers of a file geodatabase (a folder whose name ends in .gdb)."""
    try:
        with remarks_told(report):
            found = pyogrio.list_layers(str(path))
    except Exception as error:  # pyogrio raises many kinds for damaged files
        report.fail("unreadable", reason=type(error).__name__)
    return Contents({str(name): str(kind or "") for name, kind in found}, frozenset())


def read_database(path: Path, layer: str, keep: Keep, report: Report) -> Raw:
    """One layer of a container with the wanted columns; shapes as stored, curves as short lines."""
    try:
        with remarks_told(report):
            info = pyogrio.read_info(str(path), layer=layer)
        if info["features"] > LIMITS.rows:
            report.fail("too_many_rows", layer, rows=info["features"], limit=LIMITS.rows)
        names = [str(name) for name in info["fields"]]
        if len(names) > LIMITS.columns:
            report.fail("too_many_columns", columns=len(names), limit=LIMITS.columns)
        wanted = list(dict.fromkeys(keep(names)))
        raw = Raw(layer, names, {}, rows=0)
        try:
            with remarks_told(report):
                table = _in_pieces(path, layer, wanted, info, raw, report)
        except Curves:
            plain = {**info, "geometry_type": None}
            with remarks_told(report):
                table = _in_pieces(path, layer, wanted, plain, raw, report)
            raw.shapes = shapes_from_wkb(_straightened(path, layer, report), raw, report)
    except InputError:
        raise
    except Exception as error:  # pyogrio raises many kinds for damaged files
        report.stop_on_errors()
        report.fail("unreadable", layer, reason=type(error).__name__)
    raw.crs = read_crs(info["crs"], report)
    found = [name for name in wanted if name in table.column_names]
    raw.columns = {name: arrow_column(table.column(name)) for name in found}
    return raw


def _in_pieces(
    path: Path, layer: str, wanted: list[str], info: dict[str, Any], raw: Raw, report: Report
) -> pa.Table:
    """The wanted columns; the shapes go to ``raw``, and of their binary only a piece is held.

    Raises :class:`Curves`.
    """
    with pyogrio.raw.open_arrow(
        str(path), layer=layer, columns=wanted, batch_size=ROWS_AT_ONCE, use_pyarrow=True,
        read_geometry=info["geometry_type"] is not None,
    ) as (_, stream):  # fmt: skip
        names = [str(info.get("geometry_name") or ""), "wkb_geometry", "geom", ""]
        geometry = next((n for n in names if n in stream.schema.names and n not in wanted), None)
        held: list[pa.RecordBatch] = []
        raw.rows = 0

        def shapes() -> Iterator[pa.Array]:
            for batch in stream:
                held.append(batch.select([n for n in batch.schema.names if n in wanted]))
                raw.rows += batch.num_rows
                if raw.rows > LIMITS.rows:  # more than it said that it holds
                    report.fail("too_many_rows", layer, rows=raw.rows, limit=LIMITS.rows)
                if geometry is not None:
                    yield batch.column(geometry)

        if geometry is None:
            deque(shapes(), maxlen=0)
        else:
            raw.shapes = shapes_of_pieces(shapes(), raw, report)
        schema = pa.schema([field for field in stream.schema if field.name in wanted])
        return pa.Table.from_batches(held, schema)


def _straightened(path: Path, layer: str, report: Report) -> Shapes:
    """The shapes of a layer once more, by the way in which GDAL turns arcs into short lines."""
    report.note("curves")
    try:
        with remarks_told(report):
            _, _, wkb, _ = pyogrio.raw.read(str(path), layer=layer, columns=[])
    except Exception as error:  # pyogrio raises many kinds for damaged files
        report.fail("unreadable", layer, reason=type(error).__name__)
    shapes: Shapes = wkb
    return shapes


def read_crs(stated: Any, report: Report) -> CRS | None:
    """The coordinate system a file states; unknown ones are an error, none is None."""
    if not stated:
        return None
    try:
        crs = CRS.from_user_input(stated)
    except (CRSError, ValueError, TypeError):
        report.fail("crs_unknown", crs=str(stated)[:60])
    if crs.is_engineering or str(crs.name).lower().startswith("undefined"):
        return None
    return crs.sub_crs_list[0] if crs.is_compound else crs.to_2d()


def choose_layer(layers: dict[str, str], named: str | None, role: Role, report: Report) -> str:
    """The layer to read: the one named, the only one, or the only one fit for the role.

    ``layers``: name → geometry type name. Fails with the list of layers where a person must say.
    """
    if not layers:
        report.fail("no_layers")
    names = list(layers)
    if named is not None:
        if named in layers:
            return named
        report.fail("no_such_layer", layer=named[:60], layers=shown_layers(names))
    if len(names) == 1:
        return names[0]
    spoken = [name for name in names if _speaks_of(name, role)]
    if len(spoken) == 1:
        return spoken[0]
    fitting = [name for name in names if _fits(layers[name], role)]
    if len(fitting) == 1:
        return fitting[0]
    report.fail("several_layers", layers=shown_layers(names))


def shown_layers(names: Sequence[str]) -> str:
    """Layer names for a sentence, the first twelve."""
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")


_ROLE_WORDS: dict[Role, tuple[str, ...]] = {
    "villages": ("village", "村", "社区", "neighborhood"),
    "households": ("household", "户", "dwelling", "small_area", "parcel"),
    "roads": ("road", "street", "路", "道"),
    "water": ("water", "river", "水", "河"),
    "railways": ("rail", "铁路"),
    "compounds": ("compound", "小区"),
    "groups": ("group", "组", "自然村"),
    "dedicated": ("dedicated", "专属"),
    "stations": ("station", "派出所"),
    "beats": ("beat", "警格", "警务区"),
    "officers": ("officer", "警力"),
    "incidents": ("incident", "警情", "事件"),
    "services": ("service", "facilit", "服务", "设施"),
}


def _speaks_of(name: str, role: Role) -> bool:
    return any(word in name.lower() for word in _ROLE_WORDS[role])


def _fits(geometry_type: str, role: Role) -> bool:
    from geo.read.shapes import WANTED

    kind = geometry_type.lower()
    dimension = 0 if "point" in kind else 1 if "line" in kind else 2 if "polygon" in kind else -1
    return dimension in WANTED[role]
