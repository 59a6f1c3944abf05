"""The synthetic village every engine is measured on.

One village whose buildings gather in natural villages of about 200 buildings. A building is a
unit: its cell is the part of the Voronoi diagram inside the village's outline (and inside the
block of roads that holds it, in the variant with roads). Coordinates are metres in a plane;
nothing here stands for a real place. The same size and seed give the same instance wherever the
same numpy and GEOS do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIZES = {3_000: 10, 9_000: 30, 30_000: 100}
"""Households -> grids asked for; the target of 300 households is met exactly on average."""

_M2_PER_HOUSEHOLD = 875.0  # sets the reach of a grid of 300 households; see docs/peers.md
_HOUSEHOLDS_PER_BUILDING = 2.527
_SINGLE = 0.80
_LARGEST_BUILDING = 60
_IN_CLUSTERS = 0.9
_SPACING_M = 8.0
_NODING_M = 0.001  # every vertex is snapped to the millimetre, so neighbours share it exactly


@dataclass(frozen=True)
class Instance:
    """Units, their rook graph and what a partition into ``k`` grids needs.

    Attributes
    ----------
    points : (n, 2) metres; the building, or a point inside the cell of an empty block.
    households : (n,) counts; 0 for an empty block.
    cells : (n,) polygons that tile the outline exactly.
    area, outer : (n,) square metres; metres of the cell's border on the village's outline.
    edges, border : (m, 2) unit numbers, first smaller; (m,) metres of shared border.
    on_road : (m,) share of that border that runs along a road (0 or 1 here).
    """

    name: str
    k: int
    points: Floats
    households: Ints
    cells: NDArray[np.object_]
    area: Floats
    outer: Floats
    edges: Ints
    border: Floats
    on_road: Floats


def village(size: int = 30_000, *, seed: int = 1, roads: bool = False) -> Instance:
    """The instance of ``size`` households (see :data:`SIZES`; others take ``size / 300`` grids).

    Raises
    ------
    ValueError
        When ``size`` is under 600: the outline would hold fewer than two grids.
    """
    if size < 600:
        raise ValueError("the instance needs at least 600 households (two grids)")
    rng = np.random.default_rng([seed, size])
    k = SIZES.get(size, round(size / 300))
    outline = outline_of(size * _M2_PER_HOUSEHOLD)
    households = _households(size, rng)
    points = _buildings(len(households), outline, rng)
    lines = _lattice(outline, rng) if roads else []
    name = f"village-{size}{'-roads' if roads else ''}-seed{seed}"
    return tile(name, k, outline, lines, points, households)


def from_cells(name: str, k: int, cells: NDArray[np.object_], households: Ints) -> Instance:
    """An instance of ready-made polygons that share their vertices exactly (metres)."""
    faces = np.arange(len(cells))
    edges, border, outer = _borders(cells, faces)
    inside = shapely.get_coordinates(shapely.point_on_surface(cells))
    return Instance(
        name, k, inside, households, cells, shapely.area(cells), outer, edges, border,
        np.zeros(len(edges)),
    )  # fmt: skip


def outline_of(area: float) -> shapely.Polygon:
    """A village with bays: a circle whose radius three harmonics push in and out."""
    turn = np.linspace(0.0, 2.0 * np.pi, 180, endpoint=False)
    radius = 1.0 + 0.10 * np.cos(2 * turn + 0.4) + 0.12 * np.cos(3 * turn + 1.9)
    radius += 0.06 * np.cos(7 * turn)
    ring = shapely.Polygon(np.c_[radius * np.cos(turn), radius * np.sin(turn)])
    scale = float(np.sqrt(area / ring.area))
    ring = shapely.transform(ring, lambda xy: (xy + 1.5) * scale)
    return shapely.set_precision(ring, _NODING_M)


def _households(size: int, rng: np.random.Generator) -> Ints:
    """Counts per building: most hold one household, a few up to sixty; they add up to ``size``."""
    n = round(size / _HOUSEHOLDS_PER_BUILDING)
    counts = np.ones(n, dtype=np.int64)
    shared = rng.permutation(n)[round(n * _SINGLE) :]
    counts[shared] = np.clip(1 + rng.lognormal(1.55, 0.95, len(shared)), 2, _LARGEST_BUILDING)
    while (gap := size - int(counts.sum())) != 0:  # spread what is missing over shared buildings
        room = (counts[shared] < _LARGEST_BUILDING) if gap > 0 else (counts[shared] > 2)
        some = rng.permutation(shared[room])[: abs(gap)]
        counts[some] += np.sign(gap)
    return counts


def _buildings(n: int, outline: shapely.Polygon, rng: np.random.Generator) -> Floats:
    """Points in the outline: natural villages, some grown together, and scattered houses."""
    left, low, right, high = outline.bounds
    hamlets = max(4, n // 220)
    spread = rng.uniform(80.0, 200.0, hamlets)
    weight = spread**2 / np.sum(spread**2)
    centres = rng.uniform((left, low), (right, high), (hamlets, 2))
    shapely.prepare(outline)
    kept = np.empty((0, 2))
    while len(kept) < n:
        scattered = rng.uniform((left, low), (right, high), (2 * n, 2))
        near = rng.choice(hamlets, 2 * n, p=weight)
        gathered = centres[near] + rng.normal(size=(2 * n, 2)) * spread[near, None]
        points = np.where(rng.random((2 * n, 1)) < _IN_CLUSTERS, gathered, scattered)
        points = points[shapely.contains_xy(outline, points)]
        kept = _spaced(np.r_[kept, points])[:n]
    return np.round(kept, 3)


def _spaced(points: Floats) -> Floats:
    """Drop each point that lies closer than the spacing to an earlier one."""
    geoms = shapely.points(points)
    tree = shapely.STRtree(geoms)
    later, earlier = tree.query(geoms, predicate="dwithin", distance=_SPACING_M)
    crowded = np.zeros(len(points), dtype=bool)
    crowded[later[later > earlier]] = True
    return points[~crowded]


def _lattice(outline: shapely.Polygon, rng: np.random.Generator) -> list[shapely.LineString]:
    """Roads about every 220 m in two directions, each bent a little, right across the village."""
    left, low, right, high = outline.bounds
    lines = []
    for across, (start, end, first, last) in enumerate(
        [(left, right, low, high), (low, high, left, right)]
    ):
        along = np.linspace(first - 50.0, last + 50.0, 12)
        for place in np.arange(start + 110.0, end, 220.0) + rng.uniform(-40, 40):
            sway = place + rng.normal(0.0, 14.0, len(along))
            xy = np.c_[along, sway] if across else np.c_[sway, along]
            lines.append(shapely.LineString(xy))
    return lines


def tile(
    name: str,
    k: int,
    outline: shapely.Polygon,
    roads: list[shapely.LineString],
    points: Floats,
    households: Ints,
) -> Instance:
    """Node outline, roads and Voronoi edges together, so that the cells are an exact coverage."""
    frame = shapely.union_all([outline.boundary, *roads], grid_size=_NODING_M)
    blocks = shapely.get_parts(shapely.polygonize(shapely.get_parts(frame)))
    blocks = blocks[shapely.contains_properly(shapely.buffer(outline, 0.01), blocks)]
    _, block_of_point = _locate(points, blocks)
    lines = [frame]
    for block in np.unique(block_of_point):
        inside = points[block_of_point == block]
        if len(inside) > 1:
            edges = shapely.voronoi_polygons(
                shapely.multipoints(inside), extend_to=blocks[block], only_edges=True
            )
            lines.append(shapely.intersection(edges, blocks[block]))
    noded = shapely.union_all(lines, grid_size=_NODING_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    block_at = shapely.get_coordinates(shapely.point_on_surface(faces))
    found, block_of_face = _locate(block_at, blocks)
    faces, block_of_face = faces[found], block_of_face
    owner = _owners(faces, block_of_face, points)
    counts = np.r_[households, np.zeros(int(owner.max()) + 1 - len(points), dtype=np.int64)]
    return _assemble(name, k, faces, owner, block_of_face, points, counts)


def _locate(points: Floats, areas: NDArray[np.object_]) -> tuple[Ints, Ints]:
    """Which points lie in an area, and in which (the first, should a point lie on a line)."""
    hit, area = shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")
    found, first = np.unique(hit, return_index=True)
    return found, area[first]


def _owners(faces: NDArray[np.object_], block: Ints, points: Floats) -> Ints:
    """The unit of each face: its building's number; empty blocks get numbers after those.

    A bay of the outline can cut a piece off a Voronoi cell. The piece holds no building, and
    left to its owner it would make a unit in two parts, so it joins the neighbour in its own
    block with which it shares the longest border.
    """
    owner = np.full(len(faces), -1)
    building, face = _locate(points, faces)
    owner[face] = building
    edges, border, _ = _borders(faces, np.arange(len(faces)))
    same = block[edges[:, 0]] == block[edges[:, 1]]
    both = np.r_[edges[same], edges[same][:, ::-1]]
    longest = np.argsort(-np.r_[border[same], border[same]], kind="stable")
    while True:
        open_pairs = both[longest]
        open_pairs = open_pairs[(owner[open_pairs[:, 0]] < 0) & (owner[open_pairs[:, 1]] >= 0)]
        if len(open_pairs) == 0:
            break
        orphan, first = np.unique(open_pairs[:, 0], return_index=True)
        owner[orphan] = owner[open_pairs[first, 1]]
    empty = np.flatnonzero(owner < 0)
    owner[empty] = len(points) + np.unique(block[empty], return_inverse=True)[1]
    return owner


def _assemble(
    name: str,
    k: int,
    faces: NDArray[np.object_],
    owner: Ints,
    block: Ints,
    points: Floats,
    households: Ints,
) -> Instance:
    n = len(households)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(n))
    groups = np.split(order, starts[1:])
    cells = np.array(
        [faces[g[0]] if len(g) == 1 else shapely.coverage_union_all(faces[g]) for g in groups]
    )
    edges, border, outer = _borders(faces, owner)
    block_of_unit = np.zeros(n, dtype=np.int64)
    block_of_unit[owner] = block
    extra = shapely.get_coordinates(shapely.point_on_surface(cells[len(points) :]))
    return Instance(
        name=name,
        k=k,
        points=np.r_[points, extra],
        households=households,
        cells=cells,
        area=np.bincount(owner, shapely.area(faces), n),
        outer=outer,
        edges=edges,
        border=border,
        # two units of different blocks can only meet on a road
        on_road=(block_of_unit[edges[:, 0]] != block_of_unit[edges[:, 1]]).astype(float),
    )


def _borders(faces: NDArray[np.object_], owner: Ints) -> tuple[Ints, Floats, Floats]:
    """Rook edges between owners, metres shared, and metres of each owner's border on nothing.

    Correct only for a coverage noded to the millimetre: a shared segment is found by its two
    end points, so a vertex that one neighbour lacks would show as a border on nothing.
    """
    rings, face = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    length = np.hypot(*(xy[1:] - xy[:-1]).T)[inside]
    grid = np.round((xy - xy.min(axis=0)) / _NODING_M).astype(np.int64)
    vertex = grid[:, 0] * (int(grid[:, 1].max()) + 1) + grid[:, 1]
    ends = np.sort(np.c_[vertex[:-1], vertex[1:]][inside], axis=1)
    unit = owner[face[ring[:-1][inside]]]
    order = np.lexsort((unit, ends[:, 1], ends[:, 0]))
    ends, unit, length = ends[order], unit[order], length[order]
    twin = np.flatnonzero(np.all(ends[1:] == ends[:-1], axis=1))
    n = int(owner.max()) + 1
    alone = np.ones(len(unit), dtype=bool)
    alone[twin] = alone[twin + 1] = False
    outer = np.bincount(unit[alone], length[alone], n)
    pairs = np.c_[unit[twin], unit[twin + 1]]
    between = pairs[:, 0] != pairs[:, 1]
    key = pairs[between, 0] * n + pairs[between, 1]
    unique, inverse = np.unique(key, return_inverse=True)
    shared = np.bincount(inverse, length[twin][between], len(unique))
    return np.c_[unique // n, unique % n], shared, outer
