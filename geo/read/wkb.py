"""Well-known binary and text to shapes, with the nesting bounded before GEOS sees it.

GEOS reads geometry collections recursively: 20,000 of them inside one another (180 KB) overflow
the stack and end the process. Everything read here is walked first, without recursion.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.read.layer import Raw, Shapes
from geo.read.limits import LIMITS
from geo.read.report import Report, listed

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


def has_curves(values: NDArray[np.object_]) -> bool:
    """Whether any well-known binary is a curve or surface type that shapely cannot hold."""
    for value in values:
        if isinstance(value, bytes) and len(value) >= 5 and value[0] in (0, 1):
            kind = struct.unpack("<I" if value[0] else ">I", value[1:5])[0] & 0x0FFFFFFF
            if 8 <= kind % 1000 <= 17:
                return True
    return False


def shapes_from_wkb(values: NDArray[np.object_], raw: Raw, report: Report) -> Shapes:
    """Shapes of a column of well-known binary; damaged ones are listed and None."""
    raws = [value if isinstance(value, (bytes, bytearray)) else None for value in values]
    if any(value is not None and too_deep(bytes(value)) for value in raws):
        report.fail("too_deep")
    try:
        with np.errstate(all="ignore"):  # signalling not-a-numbers in damaged files
            shapes = shapely.from_wkb(np.array(raws, dtype=object), on_invalid="ignore")
    except NotImplementedError:  # a curve inside a collection
        report.fail("curves_unknown")
    damaged = [i for i, value in enumerate(raws) if value and shapes[i] is None]
    if damaged:
        raw.displaced(np.array(damaged, dtype=np.intp), "shape-damaged")
        report.warn("shape_damaged", rows=listed(raw, damaged))
    out: Shapes = shapes
    return out


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
