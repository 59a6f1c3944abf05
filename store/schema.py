"""The tables, and how values lie in them. Nothing here knows which database it is.

Shapes are plain WKB, so that a database without geometry functions serves as well as one with
them; whatever is a list or a mapping is JSON, packed.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
import shapely
from sqlalchemy import (
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

VERSION = 1
APPLICATION = 0x47524457  # "GRDW", in the file's header
LARGEST = 256 * 1024 * 1024  # bytes that one packed value may unpack to


class DamagedError(ValueError):
    """A stored value that cannot be what was stored."""


def check_polygonal(data: bytes) -> None:
    """Raise :class:`DamagedError` unless ``data`` is WKB of one polygon or multipolygon.

    Looked at before any library reads it: a shape nested deep enough kills the process that
    parses it.
    """
    try:
        order, kind = struct.unpack_from("<BI", data, 0)
        if order == 1 and kind == 6:
            (count,) = struct.unpack_from("<I", data, 5)
            end = 9
            for _ in range(count):
                end = _polygon_end(data, end)
        else:
            end = _polygon_end(data, 0)
    except struct.error as error:
        raise DamagedError("a stored shape is cut off") from error
    if end != len(data):
        raise DamagedError("a stored shape has the wrong length")


def _polygon_end(data: bytes, at: int) -> int:
    order, kind, rings = struct.unpack_from("<BII", data, at)
    if order != 1 or kind != 3:
        raise DamagedError("a stored shape is no polygon")
    at += 9
    for _ in range(rings):
        (points,) = struct.unpack_from("<I", data, at)
        at += 4 + 16 * points
    return at


class Shape(TypeDecorator[Any]):
    """A shapely Polygon or MultiPolygon as little-endian WKB of two dimensions."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """A shape on its way in."""
        if value is None:
            return None
        return bytes(shapely.to_wkb(value, output_dimension=2, byte_order=1))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """A shape on its way out; :class:`DamagedError` where it is none."""
        if value is None:
            return None
        check_polygonal(value)
        try:
            return shapely.from_wkb(value)
        except shapely.errors.GEOSException as error:
            raise DamagedError("a stored shape cannot be read") from error


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


class Packed(TypeDecorator[Any]):
    """A JSON value, compressed. NaN and infinity have no place in it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """A value on its way in."""
        if value is None:
            return None
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
        return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """A value on its way out; :class:`DamagedError` where it is none."""
        if value is None:
            return None
        try:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(value, LARGEST)
            if not unpacker.eof:
                raise DamagedError("a stored value is cut off or far too large")
            return json.loads(text.decode("utf-8", "surrogatepass"))
        except (zlib.error, TypeError, ValueError, RecursionError) as error:
            raise DamagedError("a stored value cannot be read") from error


METADATA = MetaData()


def _part_of(table: str, **options: Any) -> ForeignKey:
    return ForeignKey(f"{table}.id", ondelete="CASCADE", **options)


PROJECT = Table(
    "project",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("crs", String, nullable=False),
    Column("settings", Packed, nullable=False),
    Column("provenance", Packed, nullable=False),
    Column("lines", Packed, nullable=False),  # kind and name of each; where they run is not kept
    Column("sets", Packed, nullable=False),  # kind and name of what stays together
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("adopted", Integer),  # the scenario that is in force
)

VILLAGE = Table(
    "village",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, _part_of("project"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("township_name", String),
    Column("class_code", String),
    Column("boundary", Shape, nullable=False),
    UniqueConstraint("project_id", "code"),
)

GROUND = Table(
    "ground",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("village_id", Integer, _part_of("village"), nullable=False),
    Column("key", String, nullable=False),
    Column("lines", Packed, nullable=False),  # runs (count, line) along the border segments
    UniqueConstraint("village_id", "key"),
)

UNIT = Table(
    "unit",
    METADATA,
    Column("ground_id", Integer, _part_of("ground"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("geometry", Shape, nullable=False),
    Column("households", Integer, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("spread", Float, nullable=False),
    Column("area", Float, nullable=False),
    Column("block", Integer, nullable=False),
    Column("whole", Integer, nullable=False),
    Column("dedicated", Integer, nullable=False),
    PrimaryKeyConstraint("ground_id", "number"),
)

SCENARIO = Table(
    "scenario",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, _part_of("project"), nullable=False),
    Column("name", String, nullable=False),
    Column("parent_id", Integer, ForeignKey("scenario.id", ondelete="SET NULL")),
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("archived_at", String),
    Column("deleted_at", String),
)

PLAN = Table(
    "plan",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("scenario_id", Integer, _part_of("scenario"), nullable=False),
    Column("village_id", Integer, _part_of("village"), nullable=False),
    Column("start", Packed, nullable=False),
    Column("state", Packed, nullable=False),
    Column("version", Integer, nullable=False),  # entries in the log
    Column("position", Integer, nullable=False),  # the step in force last, 0 for the start
    Column("tip", Integer, nullable=False),  # where redo leads
    UniqueConstraint("scenario_id", "village_id"),
)

LOG = Table(
    "log",
    METADATA,
    Column("plan_id", Integer, _part_of("plan"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("parent", Integer, nullable=False),  # the step before; of undo and redo, where it led
    Column("name", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("at", String, nullable=False),
    Column("record", Packed),  # the step; none for undo, redo and goto
    PrimaryKeyConstraint("plan_id", "seq"),
)

Index("scenario_of_project", SCENARIO.c.project_id)

TABLES = (PROJECT, VILLAGE, GROUND, UNIT, SCENARIO, PLAN, LOG)
