"""Roads, rivers and railways made fit to enclose ground.

Digitised lines stop short of what they meet: a lane ends two metres before the village border, a
street before the avenue. Left so, the two blocks on its sides are one. Ends that dangle within a
tolerance of another line are therefore joined to it by a straight connector; real dead ends stay
dead ends, and polygonising drops them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

# Precision of noding, metres. Fine enough that snapping moves no border measurably (1e-7 of a
# village's area is a hand's breadth), coarse against the 5e-10 m spacing of doubles at 4e6 m.
GRID_M = 1e-6
OVERSHOOT_M = 1e-5
JOIN_M = 20.0  # ends nearer than this to another line are joined to it
ALONG_M = 12.0  # the village border is digitised apart from the road it follows


@dataclass(frozen=True)
class Linework:
    """Lines of one county in the metric system, ready to be cut to villages.

    ``geometry`` (n,) LineStrings; ``kind`` (n,) "road", "water" or "railway"; ``name`` (n,) text,
    empty where unknown.
    """

    geometry: NDArray[np.object_]
    kind: NDArray[np.object_]
    name: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.geometry)

    def only(self, rows: NDArray[np.int64]) -> Linework:
        """Some of the lines, in the order of ``rows``."""
        return Linework(self.geometry[rows], self.kind[rows], self.name[rows])


def empty_linework() -> Linework:
    """No lines at all."""
    nothing = np.empty(0, dtype=object)
    return Linework(nothing, nothing.copy(), nothing.copy())


def as_lines(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Single LineStrings of any mix of lines and polygons, and the row each came from.

    Polygons (a lake, a wide river) give their rings: their banks are what bounds a grid.
    """
    kinds = shapely.get_type_id(geometry)
    polygonal = np.isin(kinds, (3, 6))
    lines = geometry.copy()
    lines[polygonal] = shapely.boundary(geometry[polygonal])
    parts, row = shapely.get_parts(lines, return_index=True)
    keep = np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)
    return parts[keep], row[keep].astype(np.int64)


def stretches(
    lines: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Every straight stretch of the lines as a LineString, and the row it came from."""
    xy, row = shapely.get_coordinates(lines, return_index=True)
    same = np.flatnonzero(row[1:] == row[:-1])
    pairs = np.stack([xy[same], xy[same + 1]], axis=1)
    return np.asarray(shapely.linestrings(pairs)), row[same].astype(np.int64)


def clip_lines(
    lines: NDArray[np.object_], area: shapely.Geometry
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The pieces of ``lines`` inside ``area``, single LineStrings, and the row each came from."""
    if not len(lines):
        return lines, np.empty(0, dtype=np.int64)
    shapely.prepare(area)
    whole = shapely.contains_properly(area, lines)
    part = np.flatnonzero(~whole)
    part = part[shapely.intersects(area, lines[part])]  # most of the rest only pass near by
    pieces = lines.copy()
    pieces[~whole] = None
    pieces[part] = shapely.intersection(lines[part], area)
    return as_lines(pieces)


def join_dangles(
    lines: NDArray[np.object_], border: shapely.Geometry, tolerance: float = JOIN_M
) -> NDArray[np.object_]:
    """Connectors from dangling line ends to the nearest other line or the border.

    Parameters
    ----------
    lines : (n,) LineStrings, metres.
    border : the outline (lines) that encloses them.
    tolerance : longest connector, metres.

    An end that already lies on another line needs none, nor does one with nothing within the
    tolerance. Wrong where two lines pass near each other on purpose (a cul-de-sac that ends 10 m
    from the next street): the block is then cut in two, which costs nothing but one more unit.
    """
    if not len(lines):
        return lines
    owner, place = _free_ends(lines)
    ends = shapely.points(place)
    targets = np.append(lines, border)
    which, target = shapely.STRtree(targets).query(ends, predicate="dwithin", distance=tolerance)
    other = target != owner[which]
    which, target = which[other], target[other]
    gap = shapely.distance(ends[which], targets[target])
    order = np.lexsort((target, gap, which))
    which, target, gap = which[order], target[order], gap[order]
    nearest = np.r_[True, which[1:] != which[:-1]] if len(which) else np.empty(0, dtype=bool)
    loose = nearest & (gap > GRID_M)
    return np.asarray(shapely.shortest_line(ends[which[loose]], targets[target[loose]]))


def _free_ends(lines: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Line and place (e, 2) of the ends where no other line ends: in a street network, few."""
    xy, row = shapely.get_coordinates(lines, return_index=True)
    change = np.flatnonzero(row[1:] != row[:-1])
    first, last = np.r_[0, change + 1], np.r_[change, len(row) - 1]
    place = np.concatenate([xy[first], xy[last]])
    owner = np.concatenate([row[first], row[last]]).astype(np.int64)
    _, same, count = np.unique(
        place[:, 0] + 1j * place[:, 1], return_inverse=True, return_counts=True
    )
    shut = (xy[first] == xy[last]).all(axis=1)  # a loop ends where it began, and not with another
    free = count[same] - np.tile(shut, 2) <= 1
    return owner[free], place[free]


def node(lines: NDArray[np.object_]) -> shapely.Geometry:
    """All lines noded together by snap rounding on :data:`GRID_M`: one MultiLineString."""
    return shapely.union_all(lines, grid_size=GRID_M)


def overshoot(lines: NDArray[np.object_], by: float = OVERSHOOT_M) -> NDArray[np.object_]:
    """Lines drawn ``by`` metres past every end that no other line shares.

    A line clipped to a polygon ends a rounding error short of its border, so that noding would
    miss the meeting point; drawn past it, the crossing is found and the stub dangles harmlessly.
    """
    if not len(lines):
        return lines
    xy, row = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    last = np.flatnonzero(np.r_[row[1:] != row[:-1], True])
    ends = np.concatenate([xy[first], xy[last]])
    _, same, count = np.unique(
        ends[:, 0] + 1j * ends[:, 1], return_inverse=True, return_counts=True
    )
    loose = count[same] == 1
    inward = np.concatenate([xy[first + 1], xy[last - 1]])
    away = ends - inward
    length = np.hypot(away[:, 0], away[:, 1])
    step = np.where(length > 0, by / np.maximum(length, 1e-12), 0.0) * loose
    xy[np.concatenate([first, last])] += away * step[:, None]
    return np.asarray(shapely.linestrings(xy, indices=row))


def faces(noded: shapely.Geometry) -> NDArray[np.object_]:
    """The polygons that noded lines enclose; dangling lines enclose nothing."""
    return np.asarray(shapely.get_parts(shapely.polygonize([noded])))
