"""Well-known binary and text to shapes, with the nesting bounded before GEOS sees it.

GEOS reads geometry collections recursively: 20,000 of them inside one another (180 KB) overflow
the stack and end the process. Everything read here is walked first, without recursion.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geo.read.layer import Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.report import Report, listed

ROWS_AT_ONCE = 65_536
"""Rows of a layer whose binary is held at a time."""

_COLLECTION = re.compile("COLLECTION", re.IGNORECASE)


def too_deep(wkb: bytes) -> bool:
    """Whether a well-known binary opens more collections in a row than allowed.

    The deepest nesting a file can hide is along the chain of first members; a collection that is
    a later member is caught because any collection header (byte order, type 7) is counted.
    """
    if len(wkb) < 9 or wkb[0] not in (0, 1):
        return False
    kind = struct.unpack("<I" if wkb[0] else ">I", wkb[1:5])[0]
    if (kind & 0xFF) % 100 != 7 and kind % 1000 != 7:
        return False
    little, big = wkb.count(b"\x01\x07\x00\x00"), wkb.count(b"\x00\x00\x00\x00\x07")
    iso = wkb.count(b"\x01\xef\x03\x00\x00") + wkb.count(b"\x00\x00\x00\x03\xef")
    return little + big + iso > LIMITS.nesting * 8


def has_curves(values: Sequence[bytes | None]) -> bool:
    """Whether any well-known binary is a curve or surface type that shapely cannot hold."""
    for value in values:
        if isinstance(value, bytes) and len(value) >= 5 and value[0] in (0, 1):
            kind = struct.unpack("<I" if value[0] else ">I", value[1:5])[0] & 0x0FFFFFFF
            if 8 <= kind % 1000 <= 17:
                return True
    return False


class Curves(Exception):  # noqa: N818 (caught by the one reader that can straighten them)
    """A column of well-known binary holds arcs, which shapely has no types for."""


def shapes_from_wkb(values: NDArray[np.object_], raw: Raw, report: Report) -> Shapes:
    """Shapes of a column of well-known binary; damaged ones are listed and None."""
    return shapes_of_pieces([values], raw, report)


def shapes_of_pieces(
    pieces: Iterable[NDArray[np.object_] | pa.Array], raw: Raw, report: Report
) -> Shapes:
    """The same for a column that comes in pieces, of which one at a time is held.

    Raises :class:`Curves` at the first piece of an Arrow column that holds a curve.
    """
    made: list[Shapes] = [np.empty(0, dtype=object)]
    damaged: list[int] = []
    rows = 0
    for piece in pieces:
        shapes = _points(piece)
        if shapes is None:
            values = piece if isinstance(piece, np.ndarray) else piece.to_pylist()
            raws = [v if type(v) is bytes else _bytes(v) for v in values]
            plain = not isinstance(piece, np.ndarray) and _plain(piece)
            if not isinstance(piece, np.ndarray) and not plain and has_curves(raws):
                raise Curves
            shapes = _shapes(raws, report, plain=plain)
            lost = np.flatnonzero(shapely.is_missing(shapes)).tolist()
            damaged += [rows + i for i in lost if raws[i]]
        made.append(shapes)
        rows += len(shapes)
    if damaged:
        raw.displaced(np.array(damaged, dtype=np.intp), "shape-damaged")
        report.warn("shape_damaged", rows=listed(raw, damaged))
    return np.concatenate(made)


def _bytes(value: object) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else None


def _plain(piece: pa.Array) -> bool:
    """Whether a piece of an Arrow column holds points, lines, polygons and several of them, and
    nothing that has to be looked into before it is read: no collection and no curve."""
    held = _cells(piece)
    if held is None:
        return False
    start, end, content = held
    filled = end > start
    if not filled.any() or (end - start)[filled].min() < 5:
        return False
    first = content[start[filled, None] + np.arange(5)]
    kind = np.ascontiguousarray(first[:, 1:]).view("<u4").ravel()
    kind = np.where(first[:, 0] == 1, kind, kind.byteswap())
    known = ((kind & 0x0FFFFFFF) % 1000 >= 1) & ((kind & 0x0FFFFFFF) % 1000 <= 6)
    return bool((known & ((kind & 0xFF) % 100 != 7) & (first[:, 0] <= 1)).all())


def _cells(
    piece: pa.Array,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]] | None:
    """Where the cells of an Arrow column of bytes start and end, and the bytes; a missing cell
    has none."""
    wide = pa.types.is_large_binary(piece.type)
    if not (wide or pa.types.is_binary(piece.type)) or not len(piece):
        return None
    _, offsets, content = piece.buffers()
    if content is None:
        return None
    size = np.dtype("i8" if wide else "i4")
    begin = piece.offset * size.itemsize
    ends = np.frombuffer(offsets, dtype=size, count=len(piece) + 1, offset=begin).astype(np.int64)
    start, end = ends[:-1], ends[1:]
    if piece.null_count:
        end = np.where(piece.is_null().to_numpy(zero_copy_only=False), start, end)
    return start, end, np.frombuffer(content, dtype=np.uint8)


def _shapes(values: list[bytes | None], report: Report, *, plain: bool) -> Shapes:
    if not plain and any(value is not None and too_deep(value) for value in values):
        report.fail("too_deep")
    try:
        with np.errstate(all="ignore"):  # signalling not-a-numbers in damaged files
            found: Shapes = shapely.from_wkb(np.array(values, dtype=object), on_invalid="ignore")
    except NotImplementedError:  # a curve inside a collection
        report.fail("curves_unknown")
    return found


_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def _points(piece: NDArray[np.object_] | pa.Array) -> Shapes | None:
    """A piece of an Arrow column that holds plane points and nothing else; None for any other.

    A city's households are millions of them, and taking each by itself costs most of reading.
    """
    if isinstance(piece, np.ndarray) or piece.null_count or not len(piece):
        return None
    cells = _cells(piece)
    if cells is None or (cells[1] - cells[0] != _POINT.itemsize).any():
        return None
    held = np.frombuffer(cells[2], dtype=_POINT, count=len(piece), offset=int(cells[0][0]))
    if (held["order"] != 1).any() or (held["kind"] != 1).any():
        return None
    xy = np.column_stack([held["x"], held["y"]])
    return np.asarray(shapely.points(xy)) if np.isfinite(xy).all() else None


def shapes_from_wkt(values: list[Any], raw: Raw, report: Report) -> Shapes:
    """Shapes of a column of well-known text, with or without ``SRID=…;`` before it."""
    texts: list[str | None] = []
    for value in values:
        text = value.strip() if isinstance(value, str) else ""
        if text[:5].upper() == "SRID=":
            text = text.partition(";")[2]
        if len(_COLLECTION.findall(text)) > LIMITS.nesting:
            report.fail("too_deep")
        texts.append(text or None)
    with np.errstate(all="ignore"):
        shapes: Shapes = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
    damaged = [i for i, text in enumerate(texts) if text and shapes[i] is None]
    if damaged:
        raw.displaced(np.array(damaged, dtype=np.intp), "shape-damaged")
        report.warn("shape_damaged", rows=listed(raw, damaged))
    return shapes


def ewkt_srid(value: object) -> int | None:
    """The number in ``SRID=4549;POLYGON…``, or None."""
    match = (
        re.match(r"\s*SRID=([0-9]{4,6});", value, re.IGNORECASE) if isinstance(value, str) else None
    )
    return int(match[1]) if match else None
