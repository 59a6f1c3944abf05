"""Between degrees and a county's metres, in one thread that lives on.

PROJ looks for a way between two systems anew in every thread, 70 ms for CGCS 2000, and each visit
to a page is a thread of its own: so one thread does it for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import shapely
from pyproj import CRS, Transformer

_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="degrees")


@lru_cache(maxsize=16)
def _way(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _do(source: CRS, target: CRS, xy: np.ndarray) -> np.ndarray:
    return np.column_stack(_way(source, target).transform(xy[:, 0], xy[:, 1]))


def to_metres(places: Sequence[tuple[float, float]], crs: CRS) -> np.ndarray:
    """Longitude and latitude (h, 2) in WGS 84 as metres of ``crs``, (h, 2)."""
    xy = np.asarray(places, dtype=float).reshape(-1, 2)
    return _WORKER.submit(_do, CRS.from_epsg(4326), crs, xy).result()


def to_degrees(shapes: np.ndarray, crs: CRS) -> np.ndarray:
    """Geometries in metres of ``crs`` as longitude and latitude in WGS 84, shape (n,)."""
    xy = shapely.get_coordinates(shapes)
    if not len(xy):
        return np.asarray(shapes, dtype=object)
    shown = _WORKER.submit(_do, crs, CRS.from_epsg(4326), xy).result()
    return np.asarray(shapely.set_coordinates(np.array(shapes, dtype=object), shown), dtype=object)
