"""Invalid polygons made valid, without letting one hostile outline stop the program.

GEOS' ``make_valid`` may take minutes on an outline of 40,000 corners that crosses itself
everywhere, and cannot be interrupted. Large invalid shapes are therefore repaired in a child
process that is ended at a deadline.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.read.layer import Shapes
from geo.read.limits import LIMITS


def repaired(shapes: Shapes) -> tuple[Shapes, NDArray[np.intp]]:
    """Valid polygons for invalid ones, and the places of those that took too long.

    The area covered by a crossing outline is kept (GEOS "structure" method for shapes it can
    take, else "linework"); parts without area are dropped; a shape without any area is None.
    """
    out = np.full(len(shapes), None, dtype=object)
    large = shapely.get_num_coordinates(shapes) > LIMITS.repair_vertices
    late: list[int] = []
    small = np.flatnonzero(~large)
    if small.size:
        out[small] = [_polygons(shape) for shape in shapely.make_valid(shapes[small])]
    for place in np.flatnonzero(large):
        wkb = _repair_apart(shapely.to_wkb(shapes[place]))
        if wkb is None:
            late.append(int(place))
        else:
            out[place] = _polygons(shapely.from_wkb(wkb))
    return out, np.asarray(late, dtype=np.intp)


def _polygons(shape: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of whatever ``make_valid`` returned, as one shape."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    faces = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 0)]
    if not faces.size:
        return None
    return faces[0] if faces.size == 1 else shapely.multipolygons(faces)


def _repair_apart(wkb: bytes) -> bytes | None:
    """``make_valid`` in a child process; None when the deadline passes or the child dies."""
    root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from geo.read.repair import serve; serve()"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code],
            input=struct.pack("<Q", len(wkb)) + wkb,
            capture_output=True,
            timeout=LIMITS.repair_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 and done.stdout else None


def serve() -> None:
    """The child's side: one shape in on standard input, one out on standard output."""
    (size,) = struct.unpack("<Q", sys.stdin.buffer.read(8))
    shape = shapely.from_wkb(sys.stdin.buffer.read(size))
    sys.stdout.buffer.write(shapely.to_wkb(shapely.make_valid(shape)))
