"""Which areas touch: sparse 0/1 matrices for the statistics of areas."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree


def queen(polygons: NDArray[np.object_], tolerance: float = 0.01) -> csr_array:
    """(n, n) 1 where two polygons touch, be it at a corner; no diagonal; symmetric.

    ``tolerance`` metres closes the hairline gaps of hand-drawn layers. Overlapping polygons count
    as neighbours. Islands have no neighbour.
    """
    shapes = np.asarray(polygons, dtype=object)
    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="dwithin", distance=tolerance)
    return _symmetric(a[a != b], b[a != b], len(shapes))


def within(points: ArrayLike, distance: float) -> csr_array:
    """(n, n) 1 where two points lie no further apart than ``distance`` metres; no diagonal."""
    xy = np.asarray(points, dtype=np.float64)
    pairs = cKDTree(xy).query_pairs(distance, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    return _symmetric(np.concatenate([a, b]), np.concatenate([b, a]), len(xy))


def _symmetric(a: NDArray[np.intp], b: NDArray[np.intp], n: int) -> csr_array:
    matrix = csr_array((np.ones(len(a)), (a, b)), shape=(n, n))
    matrix = matrix.maximum(matrix.T).tocsr()
    matrix.data[:] = 1.0
    return csr_array(matrix)
