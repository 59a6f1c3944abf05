"""Four bounds (四至): what a grid runs along on its east, south, west and north, in words.

Seen from outside: for each side the border is met by :data:`SCANLINES` parallel rays, and what the
rays meet first is what bounds the grid there. So a concave bay or a second part behind the first
does not speak for a side that it does not form.
"""

from __future__ import annotations

import re

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.linework import Linework
from geo.segments import IntArray, Segments
from planning.naming import line_name

SCANLINES = 48
SECOND_SHARE = 0.3  # a side's second bound is named when this much of the side runs along it
TOLD_SHARE = 0.5  # further bounds are named until so much of the side is told
MOST_WORDS = 3
BESIDE_M = 15.0  # a border without a line of its own runs beside one that is so near all along

SIDES = ("东", "南", "西", "北")
_UNNAMED = {"road": "道路", "water": "水系", "railway": "铁路"}
_VILLAGE, _FIELD, _PREMISES = "村界", "田地", "院界"
_ENGLISH = {
    _VILLAGE: "village boundary", _FIELD: "open ground", _PREMISES: "premises",
    "道路": "a road", "水系": "water", "铁路": "a railway",
}  # fmt: skip
_SIDES_EN = ("East to", "south to", "west to", "north to")
_TEXT = re.compile("东至(.*?)[,，]南至(.*?)[,，]西至(.*?)[,，]北至(.*)")


def segment_words(segments: Segments, lines: Linework) -> NDArray[np.object_]:
    """What each border segment runs right along, in Chinese: a name, a kind, 村界 or 田地; (m,)."""
    words = np.where(segments.right < 0, _VILLAGE, _FIELD).astype(object)
    lined = np.flatnonzero(segments.line >= 0)
    if len(lined):
        words[lined] = _called(lines, segments.line[lined])
    return words


def _called(lines: Linework, rows: IntArray) -> NDArray[np.object_]:
    """What the lines of these rows are called: their name, else their kind; (r,).

    Asked of no others: a city has a hundred thousand lines, and a village some tens.
    """
    own, back = np.unique(rows, return_inverse=True)
    names = [line_name(name) for name in lines.name[own]]
    told = [name or _UNNAMED[kind] for name, kind in zip(names, lines.kind[own], strict=True)]
    return np.array([*told, ""], dtype=object)[back]


def _beside(segments: Segments, rows: IntArray, lines: Linework) -> IntArray:
    """The line that each of the rows runs beside within :data:`BESIDE_M`, or -1; shape (r,).

    Both ends and the middle must be that near to one and the same line: a wall along a street is,
    a border that leaves the street is not. The line nearest to the middle wins.
    """
    found = np.full(len(rows), -1, dtype=np.int64)
    if not len(rows) or not len(lines):
        return found
    x1, y1 = segments.x1[rows], segments.y1[rows]
    x2, y2 = segments.x2[rows], segments.y2[rows]
    west, south = min(x1.min(), x2.min()) - BESIDE_M, min(y1.min(), y2.min()) - BESIDE_M
    east, north = max(x1.max(), x2.max()) + BESIDE_M, max(y1.max(), y2.max()) + BESIDE_M
    box = shapely.bounds(lines.geometry)
    near = np.flatnonzero(
        (box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)
    )
    middle = shapely.points((x1 + x2) / 2, (y1 + y2) / 2)
    row, line = shapely.STRtree(lines.geometry[near]).query(
        middle, predicate="dwithin", distance=BESIDE_M
    )
    own = lines.geometry[near[line]]
    ends = [shapely.points(x[row], y[row]) for x, y in ((x1, y1), (x2, y2))]
    along = (shapely.distance(ends[0], own) <= BESIDE_M) & (
        shapely.distance(ends[1], own) <= BESIDE_M
    )
    row, line = row[along], near[line[along]]
    order = np.lexsort((line, shapely.distance(middle[row], lines.geometry[line]), row))
    found[row[order[::-1]]] = line[order[::-1]]
    return found


def _inside(segments: Segments, rows: IntArray, lines: Linework) -> IntArray:
    """The bank of the water that each of the rows lies in, or -1; shape (r,).

    A border in the middle of a wide river has no line near it. The banks are the rings of the
    water's area, islands among them, so a middle inside an odd number of one water's rings is in
    the water. The smallest water wins, a pond in a flood plain.
    """
    found = np.full(len(rows), -1, dtype=np.int64)
    known = ~shapely.is_missing(lines.geometry)
    rings = np.flatnonzero((lines.kind == "water") & known & shapely.is_closed(lines.geometry))
    rings = rings[shapely.get_num_coordinates(lines.geometry[rings]) > 3]
    if not len(rows) or not len(rings):
        return found
    xy, ring_of = shapely.get_coordinates(lines.geometry[rings], return_index=True)
    areas = np.asarray(shapely.polygons(shapely.linearrings(xy, indices=ring_of)))
    middle = shapely.points(segments.midpoint[rows])
    row, ring = shapely.STRtree(areas).query(middle, predicate="within")
    size = shapely.area(areas)
    held: dict[tuple[int, str], list[int]] = {}
    for a, b in zip(row.tolist(), ring.tolist(), strict=True):
        held.setdefault((a, str(lines.name[rings[b]])), []).append(b)
    least = np.full(len(rows), np.inf)
    for (a, _), within in held.items():
        bank = min(within, key=lambda b: float(size[b]))
        if len(within) % 2 and size[bank] < least[a]:
            found[a], least[a] = rings[bank], size[bank]
    return found


def _first_met(
    across1: NDArray[np.float64],
    across2: NDArray[np.float64],
    depth1: NDArray[np.float64],
    depth2: NDArray[np.float64],
) -> IntArray:
    """The segment each ray meets first, coming from great depth downwards; -1 for none."""
    low, high = np.minimum(across1, across2), np.maximum(across1, across2)
    span = high.max() - low.min()
    rays = low.min() + span * (np.arange(SCANLINES) + 0.5) / SCANLINES
    met = (low[None, :] <= rays[:, None]) & (rays[:, None] < high[None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        along = (rays[:, None] - across1) / (across2 - across1)
        depth = np.where(met, depth1 + along * (depth2 - depth1), -np.inf)
    first = np.argmax(depth, axis=1)
    return np.where(met.any(axis=1), first, -1).astype(np.int64)


def four_bounds(
    segments: Segments,
    label: IntArray,
    k: int,
    lines: Linework,
    dedicated: IntArray | None = None,
    *,
    near: Linework | None = None,
) -> list[str]:
    """One sentence a grid: 东至人民路,南至通扬河,西至村界,北至田地. Labels 0..k-1 of units.

    ``dedicated`` (k,): not negative for a dedicated grid; where no line runs, it is bounded, and
    bounds its neighbours, by its premises (院界) and not by fields. ``near``: where lines run, if
    ``lines`` only knows what they are called.
    """
    around = lines if near is None else near
    words = segment_words(segments, lines)
    right = np.where(segments.right >= 0, label[segments.right], -1)
    left = label[segments.left]
    inner = words == _FIELD
    if dedicated is not None:
        walled = (dedicated[left] >= 0) | ((right >= 0) & (dedicated[right] >= 0))
        words[walled & inner] = _PREMISES
    bare = np.flatnonzero((segments.line < 0) & (left != right))
    wet = _inside(segments, bare, around)
    words[bare[wet >= 0]] = _called(around, wet[wet >= 0])
    open_ = bare[(wet < 0) & inner[bare]]
    beside = _beside(segments, open_, around)
    words[open_[beside >= 0]] = _called(around, beside[beside >= 0])
    border = left != right
    texts = []
    for grid in range(k):
        rows = np.flatnonzero(border & ((left == grid) | (right == grid)))
        x1, x2 = segments.x1[rows], segments.x2[rows]
        y1, y2 = segments.y1[rows], segments.y2[rows]
        met = (
            _first_met(y1, y2, x1, x2),
            _first_met(x1, x2, -y1, -y2),
            _first_met(y1, y2, -x1, -x2),
            _first_met(x1, x2, y1, y2),
        )
        sides = [
            f"{side}至{_leading(words[rows[first[first >= 0]]])}"
            for side, first in zip(SIDES, met, strict=True)
        ]
        texts.append(",".join(sides))
    return texts


def _leading(words: NDArray[np.object_]) -> str:
    """The word most rays met, and further ones until most of the side is told."""
    if not len(words):
        return _VILLAGE
    names, count = np.unique(words.astype(str), return_counts=True)
    order = np.lexsort((names, -count))[:MOST_WORDS]
    share = count[order] / count.sum()
    before = np.cumsum(share) - share
    kept = (before < TOLD_SHARE) | ((share >= SECOND_SHARE) & (np.arange(len(order)) < 2))
    return "、".join(str(name) for name in names[order[kept]])


def sides_of(text: str) -> tuple[str, str, str, str] | None:
    """What bounds a grid on its east, south, west and north, from its sentence; None for another.

    Names may hold a comma; only one that the next side's word follows ends a side.
    """
    found = _TEXT.fullmatch(text.strip())
    return (found[1], found[2], found[3], found[4]) if found else None


def side_in_english(side: str) -> str:
    """One side's words in English; names of roads and waters stay as they are."""
    words = [_ENGLISH.get(word, word) for word in side.split("、")]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def bounds_in_english(text: str) -> str:
    """The sentence in English: East to 人民路, south to ...; another text as it is."""
    sides = sides_of(text)
    if sides is None:
        return text
    return ", ".join(
        f"{head} {side_in_english(side)}" for head, side in zip(_SIDES_EN, sides, strict=True)
    )


def side_points(shape: shapely.Geometry) -> NDArray[np.float64]:
    """A point on the east, south, west and north side of an area, as met from outside; (4, 2).

    The middle one of a few parallel rays that meet the area. Raises ValueError for an empty area.
    """
    if shape.is_empty:
        raise ValueError("an empty area has no sides")
    west, south, east, north = shape.bounds
    points = np.empty((4, 2))
    for side, upright, last in ((0, False, True), (1, True, False), (2, False, False),
                                (3, True, True)):  # fmt: skip
        low, high = (west, east) if upright else (south, north)
        met = []
        for at in low + (high - low) * (np.arange(9) + 0.5) / 9:
            ends = (
                [(at, south - 1), (at, north + 1)] if upright else [(west - 1, at), (east + 1, at)]
            )
            xy = shapely.get_coordinates(shape.intersection(shapely.LineString(ends)))
            if len(xy):
                along = xy[:, 1 if upright else 0]
                met.append(xy[along.argmax() if last else along.argmin()])
        points[side] = met[len(met) // 2]
    return points


def unnamed(side: str) -> bool:
    """Whether a side's words name no road, water or railway, so that a place would help."""
    return all(word in _ENGLISH for word in side.split("、"))
