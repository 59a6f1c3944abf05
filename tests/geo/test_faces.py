"""Blocks cut along Voronoi edges: the same ground as GEOS cuts, and whose it is."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.cells import subdivide
from geo.coverage import place_points
from geo.faces import Faces, faces
from geo.segments import FloatArray, IntArray, border_segments
from geo.voronoi import parting

ORIGIN = np.array(towns.ORIGIN)
X0, Y0 = towns.ORIGIN


def blocks_of(area: shapely.Geometry, streets: list[shapely.LineString]) -> NDArray[np.object_]:
    """The pieces that streets cut an area into, noded with each other."""
    noded = shapely.union_all([area.boundary, *streets], grid_size=1e-6)
    pieces = shapely.get_parts(shapely.polygonize([noded]))
    return pieces[shapely.contains(area, shapely.point_on_surface(pieces))]


def at(*places: tuple[float, float]) -> FloatArray:
    return np.array(places, dtype=float) + ORIGIN


def polygon(*places: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon(at(*places))


def cut(
    blocks: NDArray[np.object_], sites: FloatArray, owner: IntArray | None = None
) -> tuple[Faces | None, IntArray]:
    """The faces, and the block of each site."""
    owner = np.arange(len(sites)) if owner is None else owner
    block = place_points(shapely.points(sites), blocks)
    return faces(blocks, parting(blocks, block, sites, owner)), block


@st.composite
def towns_of_chance(draw: st.DrawFn) -> tuple[NDArray[np.object_], FloatArray, IntArray]:
    """Blocks of a jagged village with an islet and a hole, and buildings of few or many owners."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    turn = np.sort(random.uniform(0, 2 * np.pi, draw(st.integers(5, 30))))
    reach = random.uniform(80, 600, len(turn))
    ring = np.column_stack([X0 + reach * np.cos(turn), Y0 + reach * np.sin(turn)])
    area = shapely.make_valid(shapely.Polygon(ring))
    area = area.difference(shapely.Point(X0 + 90, Y0 + 35).buffer(25.0, quad_segs=2))
    area = area.union(shapely.box(X0 + 700.5, Y0, X0 + 777.7, Y0 + 45))
    streets = [
        shapely.LineString(random.uniform(-700, 800, (draw(st.integers(2, 4)), 2)) + ORIGIN)
        for _ in range(draw(st.integers(0, 4)))
    ]
    blocks = blocks_of(area, streets)
    sites = random.uniform(-600, 780, (draw(st.integers(1, 60)), 2)) + ORIGIN
    sites = sites[shapely.intersects_xy(area, sites)]
    owners = draw(st.sampled_from([2, 5, 10_000]))
    return blocks, sites, random.permutation(np.arange(len(sites)) % owners)


def naive(
    blocks: NDArray[np.object_], sites: FloatArray, block: IntArray, owner: IntArray
) -> dict[tuple[int, int], shapely.Geometry]:
    """Ground by block and owner: GEOS' Voronoi polygons of each block, united and clipped."""
    ground: dict[tuple[int, int], list[shapely.Geometry]] = defaultdict(list)
    for b in np.unique(block).tolist():
        rows = np.flatnonzero(block == b)
        around = shapely.box(*shapely.buffer(blocks[b], 5000.0).bounds)
        cells = [around]
        if len(rows) > 1:
            many = shapely.voronoi_polygons(shapely.multipoints(sites[rows]), extend_to=around)
            cells = shapely.get_parts(many)
        of = place_points(shapely.points(sites[rows]), np.array(cells))
        for row, cell in zip(rows, of, strict=True):
            ground[b, int(owner[row])].append(cells[cell])
    return {
        key: shapely.union_all(cells).intersection(blocks[key[0]]) for key, cells in ground.items()
    }


@settings(max_examples=60)
@given(towns_of_chance())
def test_faces_are_the_ground_of_their_owners(
    town: tuple[NDArray[np.object_], FloatArray, IntArray],
) -> None:
    blocks, sites, owner = town
    if not len(sites):
        return
    block = place_points(shapely.points(sites), blocks)
    edges = parting(blocks, block, sites, owner)
    if not len(edges):
        assert all(len(set(owner[block == b])) <= 1 for b in block)
        return
    found = faces(blocks, edges)
    assert found is not None, "random places lie on no border"
    assert shapely.is_valid(found.geometry).all()
    border_segments(found.geometry)  # raises where two overlap
    assert shapely.coverage_is_valid(found.geometry)
    of_blocks = np.bincount(found.block, weights=shapely.area(found.geometry))
    np.testing.assert_allclose(of_blocks, shapely.area(blocks), atol=1e-5)
    for (b, own), ground in naive(blocks, sites, block, owner).items():
        mine = (found.block == b) & np.isin(found.owner, (own, -1))
        assert shapely.area(found.geometry[mine]).sum() == pytest.approx(ground.area, abs=1e-3)
        assert shapely.union_all(found.geometry[mine]).symmetric_difference(ground).area < 1e-3


def test_an_owner_amid_another_leaves_a_hole() -> None:
    blocks = np.array([polygon((0, 0), (200, 3), (190, 210), (5, 190))])
    around = [(100 + 40 * np.cos(t), 97 + 40 * np.sin(t)) for t in np.arange(0, 6.28, 0.7)]
    found, _ = cut(blocks, at((100.5, 97.2), *around), np.array([7] + [3] * len(around)))
    assert found is not None
    assert sorted(found.owner.tolist()) == [3, 7]
    by_owner = dict(zip(found.owner.tolist(), found.geometry, strict=True))
    assert len(by_owner[3].interiors) == 1
    assert by_owner[3].interiors[0].equals(by_owner[7].exterior)


def test_a_hole_that_touches_its_shell_stays_valid() -> None:
    shell = [(0, 0), (100, 0), (200, 0), (200, 150), (0, 150)]
    court = [(100, 0), (130, 40), (70, 40)]
    blocks = np.array([shapely.Polygon(at(*shell), [at(*court)]), polygon(*court)])
    found, _ = cut(blocks, at((101.3, 60.1), (99.2, 121.7)))
    assert found is not None
    assert shapely.is_valid(found.geometry).all()
    assert found.block.tolist() == [0, 0, 1]
    assert found.owner.tolist() == [0, 1, -1]
    assert len(found.geometry[0].interiors) == 1


def test_a_border_gains_the_same_vertex_on_both_sides() -> None:
    west, east = polygon((0, 0), (50, 0), (50, 90), (0, 90)), polygon((50, 0), (99, 0), (50, 90))
    found, _ = cut(np.array([west, east]), at((10.0, 20.0), (13.0, 61.0)))
    assert found is not None
    assert len(found.geometry) == 3
    assert shapely.get_num_coordinates(found.geometry[2]) == 5
    inner = border_segments(found.geometry)
    assert (inner.right >= 0).sum() == 3  # the edge, and the border on both sides of its end


def test_a_vertex_on_a_border_is_refused_and_still_cut() -> None:
    """Three houses as far from the corner where two streets meet: whose is the corner?"""
    area = polygon((-40, -40), (50, -40), (50, 10), (10, 10), (10, 50), (-40, 50))
    sites = at((0, 10), (10, 0), (4, 2))
    found, _ = cut(np.array([area]), sites)
    assert found is None
    units, of, home = subdivide(area, np.array([area]), sites, np.arange(3))
    assert sorted(home.tolist()) == [0, 1, 2]
    assert (of == 0).all()
    assert shapely.area(units).sum() == pytest.approx(area.area)


def test_two_houses_side_by_side_in_wide_country_are_parted() -> None:
    """Every building has ground of its own, however small its neighbours' distance."""
    area = polygon((0, 0), (9000, 500), (8000, 7000), (-300, 6500))
    units, _, home = subdivide(area, np.array([area]), at((4000, 60), (4009, 64)), np.arange(2))
    assert len(units) == 2
    assert home[0] != home[1]


def test_the_order_of_blocks_moves_nothing() -> None:
    random = np.random.default_rng(3)
    blocks = blocks_of(
        shapely.box(X0, Y0, X0 + 900, Y0 + 700),
        [shapely.LineString(random.uniform(0, 900, (2, 2)) + ORIGIN) for _ in range(6)],
    )
    sites = random.uniform(5, 695, (150, 2)) + ORIGIN
    one, _ = cut(blocks, sites)
    other, _ = cut(blocks[::-1], sites)
    assert one is not None
    assert other is not None
    mine, theirs = np.argsort(one.owner), np.argsort(other.owner)
    assert (one.owner[mine] == other.owner[theirs]).all()
    apart = shapely.hausdorff_distance(one.geometry[mine], other.geometry[theirs])
    assert apart.max() < 1e-6
