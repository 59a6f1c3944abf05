"""Cuts the county into blocks: the faces between its roads, waters and field lanes.

Blocks are found by halving: every face larger than its place asks for is cut across its long
side by a slightly bent line, which then becomes a road, a lane, a canal or a ditch. All lines
are then noded together once on a 1 mm grid, so faces, edges and roads share every vertex.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.layout import FloatArray, Layout, Line
from data.names import Names

IntArray = NDArray[np.int64]
Shapes = NDArray[np.object_]

GRID = 0.001
_COARSE = 1.25e6  # m2: what township roads and small rivers enclose
_REACH = 1.9


@dataclass
class Blocks:
    """The ground: faces that tile the county, and the edges between them.

    ``left`` and ``right`` are the faces beside an edge, -1 outside the county; ``source`` is
    the line of ``lines`` an edge is part of.
    """

    faces: Shapes
    edges: Shapes
    left: IntArray
    right: IntArray
    source: IntArray
    lines: list[Line]

    @property
    def kinds(self) -> NDArray[np.str_]:
        """The class of each edge's line."""
        return np.array([line.kind for line in self.lines])[self.source]

    def centres(self) -> FloatArray:
        """A point inside each face, (n, 2)."""
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(self.faces)))


def cut_blocks(layout: Layout, names: Names, rng: np.random.Generator) -> Blocks:
    """The county's blocks, from its main lines down to the last lane."""
    lines = list(layout.lines)
    low, high = np.array(layout.outline.bounds[:2]) - 900, np.array(layout.outline.bounds[2:]) + 900
    frame = shapely.box(*low, *high)
    base = [shapely.intersection(line.geometry, frame) for line in lines]
    faces, _, _, _ = _faces_of(_node([*base, frame.exterior]))
    faces = faces[shapely.distance(layout.outline, faces) < 1500.0]

    def coarse(xy: FloatArray) -> FloatArray:
        return np.minimum(_COARSE, layout.block_area(xy) * 9.0)

    cuts, _ = _halve(faces, coarse, rng, bow=0.05)
    lines += _coarse_lines(cuts, layout, names, rng)
    chosen, kept, _ = _county(layout, [line.geometry for line in lines], frame)
    cuts, _ = _halve(chosen, layout.block_area, rng, bow=0.012)
    lines += _fine_lines(cuts, layout, names, rng)
    noded = _node([*kept, *cuts])
    faces, edges, left, right = _faces_of(noded)
    source = _sources(edges, lines)
    return Blocks(faces, edges, left, right, source, lines)


def _node(geometries: list[shapely.Geometry]) -> Shapes:
    """All lines noded on a 1 mm grid: straight through at every crossing and touch."""
    return np.asarray(shapely.get_parts(shapely.union_all(geometries, grid_size=GRID)))


def _faces_of(noded: Shapes) -> tuple[Shapes, Shapes, IntArray, IntArray]:
    """Faces of noded lines, the lines that bound them, and the face on either side of each."""
    polygons = np.asarray(shapely.get_parts(shapely.polygonize(noded)))
    if not shapely.is_valid(polygons).all():
        raise ValueError("the lines of the county do not make valid blocks")
    polygons = polygons[shapely.area(polygons) > 0.5]
    order = np.lexsort(shapely.get_coordinates(shapely.centroid(polygons)).T)
    polygons = shapely.normalize(polygons[order])
    ring_start, owner = _segments(polygons)
    line_start, line = _segments(noded)
    first = np.r_[True, line[1:] != line[:-1]]
    keys = np.vstack([ring_start, line_start[first]])
    _, ids = np.unique(np.round(keys / GRID).astype(np.int64), axis=0, return_inverse=True)
    ids = ids.ravel()
    of_ring, of_line = ids[: len(ring_start)], ids[len(ring_start) :]
    left = np.full(ids.max() + 1, -1)
    right = left.copy()
    forward = np.argsort(of_ring, kind="stable")
    left[of_ring[forward]] = owner[forward]
    backward = forward[::-1]
    right[of_ring[backward]] = owner[backward]
    right[left == right] = -1
    keep = left[of_line] >= 0
    return polygons, noded[keep], left[of_line][keep], right[of_line][keep]


def _segments(geometries: Shapes) -> tuple[FloatArray, IntArray]:
    """Every straight segment as (x1, y1, x2, y2) with its ends in order, and its geometry."""
    rings, ring_owner = (
        shapely.get_parts(shapely.boundary(geometries), return_index=True)
        if (shapely.get_dimensions(geometries[:1])[0] == 2)
        else (geometries, np.arange(len(geometries)))
    )
    xy, index = shapely.get_coordinates(rings, return_index=True)
    inside = index[1:] == index[:-1]
    a, b = xy[:-1][inside], xy[1:][inside]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    ends = np.where(swap[:, None], np.hstack([b, a]), np.hstack([a, b]))
    return ends, ring_owner[index[:-1][inside]]


def _halve(
    faces: Shapes,
    target: Callable[[FloatArray], FloatArray],
    rng: np.random.Generator,
    *,
    bow: float,
) -> tuple[Shapes, Shapes]:
    """Cut faces across their long side until all are small enough; the cuts and the faces."""
    cuts: list[Shapes] = []
    done: list[Shapes] = []
    for _ in range(24):
        xy = shapely.get_coordinates(shapely.centroid(faces))
        wanted = target(xy) * rng.lognormal(0.0, 0.22, len(faces)) * 1.45
        large = shapely.area(faces) > wanted
        done.append(faces[~large])
        faces = faces[large]
        if not len(faces):
            break
        line, side = _cutters(faces, rng, bow)
        cuts.append(_polylines(shapely.intersection(line, faces)))
        halves = np.concatenate(
            [shapely.intersection(faces, side), shapely.difference(faces, side)]
        )
        faces = shapely.get_parts(halves)
        faces = faces[(shapely.get_type_id(faces) == 3) & (shapely.area(faces) > 1.0)]
    return np.concatenate(cuts) if cuts else np.empty(0, object), np.concatenate([*done, faces])


def _cutters(faces: Shapes, rng: np.random.Generator, bow: float) -> tuple[Shapes, Shapes]:
    """For each face a bent line across its long side, and a polygon of all on one side of it."""
    n = len(faces)
    corners = shapely.get_coordinates(shapely.oriented_envelope(faces)).reshape(n, 5, 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    lengths = np.column_stack([np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)])
    swap = lengths[:, 1] > lengths[:, 0]
    along = np.where(swap[:, None], second, first)
    long, short = lengths.max(axis=1), lengths.min(axis=1)
    along /= long[:, None]
    # most cuts near the middle; a few lopsided ones break the regularity
    share = np.clip(rng.normal(0.5, 0.075, n), 0.3, 0.7)
    middle = corners[:, :4].mean(axis=1) + along * ((share - 0.5) * long)[:, None]
    turn = rng.normal(0.0, 0.05, n)
    c, s = np.cos(turn), np.sin(turn)
    along = np.column_stack([c * along[:, 0] - s * along[:, 1], s * along[:, 0] + c * along[:, 1]])
    across = np.column_stack([-along[:, 1], along[:, 0]])
    t = np.linspace(-1.0, 1.0, 9)
    swing = rng.normal(0, bow, n)[:, None] * (1 - t**2) + rng.normal(0, bow, n)[:, None] * np.sin(
        np.pi * t + rng.uniform(0, 6.3, n)[:, None]
    )
    half = short * _REACH / 2
    points = (
        middle[:, None]
        + across[:, None] * (half[:, None] * t)[..., None]
        + along[:, None] * (half[:, None] * swing)[..., None]
    )
    reach = (2.5 * long)[:, None]
    far = np.stack([points[:, -1] + along * reach, points[:, 0] + along * reach], axis=1)
    return shapely.linestrings(points), shapely.polygons(np.concatenate([points, far], axis=1))


def _polylines(geometries: Shapes) -> Shapes:
    parts = shapely.get_parts(shapely.line_merge(geometries))
    return parts[(shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 1.0)]


def _middles(lines: Shapes) -> FloatArray:
    return shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))


def _coarse_lines(
    cuts: Shapes, layout: Layout, names: Names, rng: np.random.Generator
) -> list[Line]:
    """Township roads and small rivers in the country, streets in the towns."""
    urban = layout.urbanity(_middles(cuts)) > 0.45
    water = rng.random(len(cuts)) < 0.38
    lines, number = [], 0
    for cut, in_town, wet in zip(cuts, urban, water, strict=True):
        if in_town:
            lines.append(Line("street", next(names.streets), cut))
        elif wet:
            lines.append(Line("canal", next(names.canals), cut))
        else:
            number += 1
            lines.append(Line("township", f"Y{number:03d}{next(names.lanes)[:-1]}线", cut))
    return lines


def _fine_lines(cuts: Shapes, layout: Layout, names: Names, rng: np.random.Generator) -> list[Line]:
    """Lanes and ditches in the country, streets in the towns."""
    urban = layout.urbanity(_middles(cuts)) > 0.3
    wet = rng.random(len(cuts)) < 0.42
    return [
        Line("street", next(names.streets), cut)
        if in_town
        else Line("ditch", next(names.ditches), cut)
        if ditch
        else Line("lane", next(names.lanes), cut)
        for cut, in_town, ditch in zip(cuts, urban, wet, strict=True)
    ]


def _county(
    layout: Layout, geometries: list[shapely.Geometry], frame: shapely.Polygon
) -> tuple[Shapes, list[shapely.Geometry], None]:
    """The coarse faces that make the county, and the lines in and around it."""
    clipped = [shapely.intersection(g, frame) for g in geometries]
    faces, edges, left, right = _faces_of(_node([*clipped, frame.exterior]))
    inside = shapely.contains_xy(layout.outline, shapely.get_coordinates(shapely.centroid(faces)))
    inside &= shapely.distance(frame.exterior, faces) > 1.0
    inside = _one_piece(inside, left, right)
    touching = (inside[left] & (left >= 0)) | (inside[right] & (right >= 0))
    return faces[inside], list(edges[touching]), None


def _one_piece(inside: NDArray[np.bool_], left: IntArray, right: IntArray) -> NDArray[np.bool_]:
    """The largest connected set of chosen faces, with its holes filled."""
    inner = (left >= 0) & (right >= 0)

    def largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        link = inner & mask[left] & mask[right]
        n = len(mask)
        graph = coo_array((np.ones(link.sum()), (left[link], right[link])), shape=(n, n))
        _, label = connected_components(graph, directed=False)
        counts = np.bincount(label[mask], minlength=label.max() + 1)
        return mask & (label == counts.argmax())

    return ~largest(~largest(inside))


def _sources(edges: Shapes, lines: list[Line]) -> IntArray:
    """The line each edge is part of: the nearest to the middle of its first segment."""
    xy, index = shapely.get_coordinates(edges, return_index=True)
    first = np.r_[True, index[1:] != index[:-1]].nonzero()[0]
    middle = shapely.points((xy[first] + xy[first + 1]) / 2)
    tree = shapely.STRtree([line.geometry for line in lines])
    pairs, distance = tree.query_nearest(middle, return_distance=True, all_matches=False)
    if distance.max() > 0.05:
        raise ValueError("an edge of the ground follows no line")
    result = np.empty(len(edges), np.int64)
    result[pairs[0]] = pairs[1]
    return result
