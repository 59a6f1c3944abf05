"""How values lie in the tables: shapes, packed values, and what is wrong with one that cannot be.

A shape is WKB in an SQLite file and a PostGIS ``geometry`` on a server; QGIS opens both. Whatever
is a list or a mapping is JSON, packed.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Dialect, LargeBinary, TypeDecorator
from sqlalchemy.types import TypeEngine, UserDefinedType

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


_SRID = 0x20000000  # in the kind of a PostGIS shape: the number of its system follows


class Geometry(UserDefinedType[bytes]):
    """PostGIS's ``geometry``: WKB with the number of its coordinate system, as hexadecimal text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The column's type; any system, because projects differ."""
        return "geometry"

    def bind_processor(self, dialect: Dialect) -> Callable[[bytes | None], str | None]:
        """WKB on its way in."""
        return lambda value: None if value is None else value.hex()

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], bytes | None]:
        """WKB on its way out, without the number of its system: the project knows it."""
        return lambda value: None if value is None else plain_wkb(bytes.fromhex(value))


def plain_wkb(data: bytes) -> bytes:
    """Little-endian WKB without the number of the coordinate system that PostGIS adds."""
    if len(data) >= 9 and data[0] == 1:
        (kind,) = struct.unpack_from("<I", data, 1)
        if kind & _SRID:
            return data[:1] + struct.pack("<I", kind & ~_SRID) + data[9:]
    return data


def srid_of(crs: str) -> int:
    """The EPSG number of a coordinate system's text, 0 where it has none."""
    found = re.fullmatch(r"EPSG:([0-9]{4,6})", crs)
    return int(found.group(1)) if found else 0


class Shape(TypeDecorator[Any]):
    """A shapely Polygon or MultiPolygon of two dimensions; on a server with its SRID."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Bytes, but PostGIS's own type where that is."""
        kind = Geometry() if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """A shape on its way in."""
        if value is None:
            return None
        with_srid = dialect.name == "postgresql"
        wkb = shapely.to_wkb(value, output_dimension=2, byte_order=1, include_srid=with_srid)
        return bytes(wkb)

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
