"""Units tile their village exactly, whatever the roads and buildings are like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cells import BUILDING_M, buildings_of
from geo.coverage import absorb, coverage_defects, dissolve, place_points
from geo.enclosures import VillageGround
from geo.units import Units, build_units

EXAMPLES = 50  # each cuts a village; the whole file stays within some ten seconds
X0, Y0 = towns.ORIGIN


# --- villages of every kind


@st.composite
def star_shaped(draw: st.DrawFn) -> shapely.Geometry:
    n = draw(st.integers(5, 14))
    radius = np.array(draw(st.lists(st.integers(60, 500), min_size=n, max_size=n)), dtype=float)
    angle = np.sort(np.linspace(0, 2 * np.pi, n, endpoint=False))
    xy = np.column_stack([X0 + radius * np.cos(angle), Y0 + radius * np.sin(angle)])
    holes = []
    if draw(st.booleans()):
        holes.append(np.column_stack([X0 + 20 * np.cos(angle), Y0 + 20 * np.sin(angle)]))
    shape: shapely.Geometry = shapely.Polygon(xy, holes)
    if draw(st.booleans()):  # an islet
        shape = shapely.union(shape, shapely.box(X0 + 600, Y0, X0 + 660, Y0 + 45))
    return shape


@st.composite
def rectilinear(draw: st.DrawFn) -> shapely.Geometry:
    places = draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=14)
    )
    size = 80.0
    return shapely.union_all(
        [shapely.box(X0 + x * size, Y0 + y * size, X0 + (x + 1) * size, Y0 + (y + 1) * size)
         for x, y in places]
    )  # fmt: skip


@st.composite
def grounds(draw: st.DrawFn) -> VillageGround:
    area = draw(st.one_of(star_shaped(), rectilinear()))
    west, south, east, north = area.bounds
    unit = st.integers(-15, 115).map(lambda percent: percent / 100)

    def place() -> tuple[float, float]:
        return west + (east - west) * draw(unit), south + (north - south) * draw(unit)

    roads: list[shapely.LineString] = []
    for kind in draw(
        st.lists(
            st.sampled_from(
                ["street", "loop", "dual", "border", "beside", "twice", "crossed", "stub"]
            ),
            max_size=5,
        )
    ):
        a, b, c = place(), place(), place()
        if kind == "street":
            roads.append(shapely.LineString([a, b, c]))
        elif kind == "loop":
            roads.append(shapely.LineString([a, b, c, a]))
        elif kind == "dual":
            way = shapely.LineString([(west - 50, a[1]), (east + 50, b[1])])
            roads += [way, shapely.offset_curve(way, 25.0)]
        elif kind == "border":
            roads.append(shapely.LineString(shapely.get_parts(area.boundary)[0].coords))
        elif kind == "beside":
            ring = shapely.get_exterior_ring(shapely.get_parts(area)[0])
            roads += shapely.get_parts(shapely.offset_curve(ring, -4.0)).tolist()
        elif kind == "twice":
            roads += [shapely.LineString([a, b]), shapely.LineString([b, a])]
        elif kind == "crossed":
            roads.append(shapely.LineString([a, b, (a[0], b[1]), (b[0], a[1])]))
        else:
            roads.append(shapely.LineString([a, (a[0] + 12, a[1] + 5)]))
    roads = [road for road in roads if road.length > 0]
    xy: list[tuple[float, float]] = []
    for kind in draw(
        st.lists(st.sampled_from(["house", "tower", "border", "road", "row"]), max_size=12)
    ):
        if kind == "border":
            point = area.boundary.interpolate(draw(unit), normalized=True)
            xy.append((point.x, point.y))
        elif kind == "road" and roads:
            point = roads[0].interpolate(draw(unit), normalized=True)
            xy.append((point.x, point.y))
        elif kind == "tower":
            x, y = place()
            xy += [(x, y)] * 20 + [(x + 0.03 * i, y - 0.02 * i) for i in range(5)]
        elif kind == "row":
            x, y = place()
            xy += [(x + 15 * i, y) for i in range(6)]
        else:
            xy.append(place())
    # what lies outside is not this village's: the reader's tolerance is not the ground's
    inside = [p for p in xy if area.distance(shapely.Point(p)) < 1e-6]
    return VillageGround(
        code="T",
        area=area,
        lines=np.array(roads, dtype=object),
        line_id=np.arange(len(roads)),
        xy=np.array(inside, dtype=float).reshape(-1, 2),
        households=np.ones(len(inside), dtype=np.int64),
        persons=np.full(len(inside), -1, dtype=np.int64),
        set_id=np.full(len(inside), -1, dtype=np.int64),
    )


def same(one: Units, other: Units) -> bool:
    """Equal in every array, to the bit."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("households", "x", "y", "area", "outer", "block", "part", "unit_of_row")
    ) and bool(shapely.equals_exact(one.geometry, other.geometry, tolerance=0).all())


@settings(max_examples=EXAMPLES)
@given(grounds())
def test_units_tile_the_village(ground: VillageGround) -> None:
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    # every household in exactly one unit: the one it, or at least its building, lies in
    assert units.households.sum() == len(ground.xy)
    home = shapely.distance(units.geometry[units.unit_of_row], shapely.points(ground.xy))
    assert (home < BUILDING_M * 2**0.5).all()
    alone = np.unique(np.round(ground.xy * 2), axis=0, return_counts=True)[1].max(initial=0) == 1
    assert not alone or (home < 0.01).all()
    # no building is cut: rows in one half-metre square, one unit
    _, building = np.unique(np.round(ground.xy * 2), axis=0, return_inverse=True)
    pairs = {(int(b), int(u)) for b, u in zip(building, units.unit_of_row, strict=True)}
    assert len(pairs) == len({b for b, _ in pairs})
    # borders add up to perimeters
    perimeter = np.zeros(len(units))
    for (a, b), metres in towns.border_sets(units.segments).items():
        perimeter[[i for i in (a, b) if i >= 0]] += metres
    assert perimeter == pytest.approx(shapely.length(units.geometry), abs=1e-3)


@settings(max_examples=EXAMPLES // 2)
@given(grounds(), st.randoms(use_true_random=False))
def test_same_ground_same_units_in_any_order(ground: VillageGround, shuffled: object) -> None:
    units = build_units(ground)
    assert same(units, build_units(ground))
    order = np.arange(len(ground.xy))
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    moved = build_units(replace(ground, xy=ground.xy[order]))
    assert len(moved) == len(units)
    assert bool(shapely.equals_exact(moved.geometry, units.geometry, tolerance=0).all())
    assert (moved.unit_of_row == units.unit_of_row[order]).all()


@settings(max_examples=EXAMPLES // 2)
@given(grounds(), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_dissolving_any_labels_leaves_no_gap(ground: VillageGround, k: int, seed: int) -> None:
    units = build_units(ground)
    label = np.random.default_rng(seed).integers(0, k, len(units))
    label = np.unique(label, return_inverse=True)[1]
    merged = dissolve(units.geometry, label)
    assert shapely.coverage_is_valid(merged)
    assert coverage_defects(merged, ground.area) <= 1e-6 * ground.area.area
    for number, shape in enumerate(merged):
        members = units.geometry[label == number]
        assert shape.area == pytest.approx(shapely.area(members).sum())
        assert shape.symmetric_difference(shapely.union_all(members)).area < 1e-3


@st.composite
def boxes(draw: st.DrawFn, count: int) -> list[shapely.Polygon]:
    """Rectangles anywhere about the village, apart, touching or over each other."""
    found = []
    for _ in range(draw(st.integers(1, count))):
        x, y = (at + draw(st.integers(-400, 500)) for at in (X0, Y0))
        wide, high = draw(st.integers(3, 300)), draw(st.integers(3, 300))
        found.append(shapely.box(x, y, x + wide, y + high))
    return found


@settings(max_examples=EXAMPLES)
@given(grounds(), boxes(3), boxes(3))
def test_compounds_and_dedicated_ground_are_cut_out(
    ground: VillageGround, compounds: list[shapely.Polygon], dedicated: list[shapely.Polygon]
) -> None:
    ground = replace(
        ground,
        wholes=np.array(compounds),
        whole_id=10 + np.arange(len(compounds)),
        dedicated=np.array(dedicated),
        dedicated_id=20 + np.arange(len(dedicated)),
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert units.households.sum() == len(ground.xy)
    cut = shapely.intersection(shapely.union_all(dedicated), ground.area)
    own = shapely.union_all(units.geometry[units.dedicated >= 0])
    # slivers under a square millimetre a metre of border may fall either way
    assert shapely.area(shapely.symmetric_difference(own, cut)) < 0.01 + 1e-6 * ground.area.area
    for number in np.unique(units.dedicated[units.dedicated >= 0]):
        shape = dedicated[number - 20]
        members = units.geometry[units.dedicated == number]
        assert shapely.area(shapely.difference(members, shape)).sum() < 0.01


@settings(max_examples=EXAMPLES)
@given(grounds(), boxes(8), st.booleans())
def test_ready_made_areas_of_any_shape(
    ground: VillageGround, areas: list[shapely.Polygon], lines: bool
) -> None:
    """Areas may overlap, leave gaps and reach outside: nobody is lost, and no road cuts one."""
    inside = [a for a in areas if a.intersects(ground.area)]
    if not inside:
        return
    n = len(inside)
    shapes = np.array(inside)
    ground = replace(
        ground,
        lines=ground.lines if lines else ground.lines[:0],
        line_id=ground.line_id if lines else ground.line_id[:0],
        xy=shapely.get_coordinates(shapely.point_on_surface(shapes)),
        households=np.arange(1, n + 1),
        persons=np.full(n, -1),
        set_id=np.full(n, -1),
        areas=shapes,
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert units.households.sum() == n * (n + 1) // 2
    assert ((units.unit_of_row >= 0) & (units.unit_of_row < len(units))).all()
    # an area that overlaps no other and touches the village in one piece is one unit
    for i, area in enumerate(inside):
        piece = area.intersection(ground.area)
        others = [o for j, o in enumerate(inside) if j != i and o.intersects(area)]
        if not others and piece.geom_type == "Polygon" and piece.area > 2000:
            home = units.geometry[units.unit_of_row[i]]
            assert piece.difference(home).area < 0.01


# --- drawn cases


def test_roads_cut_and_buildings_subdivide() -> None:
    ground = towns.village(
        """
        1..|..2
        ...|...
        ---+---
        ...|...
        3..|4.5
        """
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert sorted(units.households) == [1, 2, 3, 4, 5]
    # the cut between 4 and 5 is the line half way; every other inner border is a road
    off_road = units.segments.length[(units.segments.right >= 0) & (units.segments.line < 0)]
    assert off_road.sum() == pytest.approx(2.5 * towns.CELL)
    assert sorted(np.bincount(units.block)) == [1, 1, 1, 2]


def test_ground_without_anybody_is_its_blocks() -> None:
    units = build_units(towns.village(".|.\n-+-\n.|."))
    assert len(units) == 4
    assert units.households.sum() == 0
    assert (units.persons == -1).all()


def test_a_median_is_no_unit() -> None:
    """Two carriageways 25 m apart, crossed by streets: the strips between belong to a side."""
    roads = [
        shapely.LineString([(X0 - 50, Y0 + y), (X0 + 1050, Y0 + y)]) for y in (500.0, 525.0)
    ] + [
        shapely.LineString([(X0 + x, Y0 - 50), (X0 + x, Y0 + 1050)]) for x in (250.0, 500.0, 750.0)
    ]
    ground = towns.village("." * 20 + ("\n" + "." * 20) * 19, roads=roads)
    units = build_units(ground)
    assert len(units) == 8
    assert (units.area > 100_000).all()
    assert towns.tiles(units.geometry, ground.area) == []


def test_a_household_in_the_median_keeps_its_strip() -> None:
    roads = [shapely.LineString([(X0 - 50, Y0 + y), (X0 + 550, Y0 + y)]) for y in (240.0, 265.0)]
    ground = towns.village(("." * 10 + "\n") * 10, roads=roads)
    ground = replace(
        ground,
        xy=np.array([[X0 + 100, Y0 + 250.0]]),
        households=np.array([1]),
        persons=np.array([-1]),
        set_id=np.array([-1]),
    )
    units = build_units(ground)
    assert units.households[units.unit_of_row].tolist() == [1]
    assert len(units) == 3


def test_parts_of_an_exclave() -> None:
    units = build_units(towns.village("1.2  3\n.... ."))
    assert len(set(units.part)) == 2
    assert units.part[units.unit_of_row[2]] != units.part[units.unit_of_row[0]]


def test_meeting_in_a_corner_is_two_parts() -> None:
    units = build_units(towns.village("1 \n 2"))
    assert len(set(units.part)) == 2
    assert len(units.edges.a) == 0


def test_a_village_with_a_hole() -> None:
    ground = towns.village("123\n4 5\n678")
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert len(units) == 8
    assert len(set(units.part)) == 1


def test_households_are_weighed_by_their_counts() -> None:
    ground = towns.village("9", times=100)
    ground = replace(
        ground,
        xy=np.array([[X0 + 10.0, Y0 + 10.0], [X0 + 10.2, Y0 + 10.0]]),
        households=np.array([30, 10]),
        persons=np.array([90, 30]),
        set_id=np.array([-1, 7]),
    )
    units = build_units(ground)
    assert units.households.tolist() == [40]
    assert units.persons.tolist() == [120]
    partly = build_units(replace(ground, persons=np.array([90, -1])))
    assert partly.persons.tolist() == [-1]  # 90 of who knows how many
    assert units.whole.tolist() == [7]
    assert units.x[0] == pytest.approx(X0 + 10.05)


def test_rows_half_a_metre_apart_are_one_building_in_any_order() -> None:
    xy = np.array([[0.05, 0.0], [0.0, 0.05], [-0.05, 0.0], [30.0, 0.0], [30.1, 0.0]])
    buildings, building = buildings_of(xy)
    assert len(buildings) == 2
    assert len(set(building[:3])) == len(set(building[3:])) == 1
    back, _ = buildings_of(xy[::-1])
    assert np.array_equal(back, buildings)
    assert BUILDING_M == 0.5


def test_a_building_of_two_sets_goes_with_the_larger() -> None:
    ground = replace(
        towns.village("9"),
        xy=np.full((4, 2), [X0 + 10.0, Y0 + 10.0]),
        households=np.array([1, 3, 2, 1]),
        persons=np.full(4, -1),
        set_id=np.array([8, 4, 8, -1]),
    )
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 0, 3]):
        fields = {
            name: getattr(ground, name)[order] for name in ("xy", "households", "persons", "set_id")
        }
        assert build_units(replace(ground, **fields)).whole.tolist() == [4]


def test_a_dedicated_polygon_is_cut_out() -> None:
    school = shapely.box(X0 + 60, Y0 + 60, X0 + 140, Y0 + 140)
    ground = replace(
        towns.village("1..2\n....\n....\n3..4"),
        dedicated=np.array([school]),
        dedicated_id=np.array([5]),
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    inside = units.dedicated == 5
    assert units.area[inside].sum() == pytest.approx(school.area)
    assert (units.dedicated[~inside] == -1).all()
    assert units.households[inside].sum() == 0


def test_a_thin_empty_block_is_not_taken_across_a_dedicated_border() -> None:
    school = shapely.box(X0, Y0, X0 + 200, Y0 + 10)  # thin itself, and it stays
    ground = replace(
        towns.village("1..2\n....\n....\n3..4"),
        dedicated=np.array([school]),
        dedicated_id=np.array([0]),
    )
    units = build_units(ground)
    assert units.area[units.dedicated == 0].sum() == pytest.approx(school.area)


def test_compounds_are_outlined_and_numbered() -> None:
    compound = shapely.box(X0 + 50, Y0 + 50, X0 + 150, Y0 + 150)
    ground = replace(
        towns.village("....\n.12.\n.34.\n...."),
        wholes=np.array([compound]),
        whole_id=np.array([3]),
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert units.area[units.whole == 3].sum() == pytest.approx(compound.area)
    assert (units.whole[units.unit_of_row] == 3).all()


def test_of_overlapping_compounds_the_first_wins() -> None:
    outlines = np.array(
        [shapely.box(X0, Y0, X0 + 150, Y0 + 200), shapely.box(X0 + 50, Y0, X0 + 200, Y0 + 200)]
    )
    ground = towns.village("1..2\n....\n....\n3..4")
    for numbers in ([0, 1], [1, 0]):
        units = build_units(replace(ground, wholes=outlines, whole_id=np.array(numbers)))
        first = units.whole == numbers[0]
        assert units.area[first].sum() == pytest.approx(150 * 200)


def test_ready_made_areas_are_units_whatever_roads_cross_them() -> None:
    areas = np.array(
        [
            shapely.box(X0 + x, Y0 + y, X0 + x + 100, Y0 + y + 100)
            for x in (0, 100)
            for y in (0, 100)
        ]
    )
    middle = shapely.get_coordinates(shapely.centroid(areas))
    ground = VillageGround(
        code="T",
        area=shapely.box(X0, Y0, X0 + 200, Y0 + 200),
        lines=np.array([shapely.LineString([(X0 - 10, Y0 + 30), (X0 + 210, Y0 + 170)])]),
        line_id=np.array([0]),
        xy=middle,
        households=np.array([10, 20, 30, 40]),
        persons=np.array([25, 50, 75, 100]),
        set_id=np.full(4, -1),
        areas=areas,
    )
    units = build_units(ground)
    assert towns.tiles(units.geometry, ground.area) == []
    assert len(units) == 4
    assert units.households[units.unit_of_row].tolist() == [10, 20, 30, 40]
    for area, unit in zip(areas, units.unit_of_row, strict=True):
        assert area.symmetric_difference(units.geometry[unit]).area < 1e-3


def test_an_area_outside_all_blocks_still_counts() -> None:
    """A sliver of an area: its households go where its middle lies, and none is lost."""
    areas = np.array([shapely.box(X0, Y0, X0 + 100, Y0 + 100), shapely.box(X0, Y0, X0 + 2, Y0 + 2)])
    ground = VillageGround(
        code="T",
        area=shapely.box(X0, Y0, X0 + 100, Y0 + 100),
        lines=np.empty(0, dtype=object),
        line_id=np.empty(0, dtype=np.int64),
        xy=shapely.get_coordinates(shapely.centroid(areas)),
        households=np.array([10, 5]),
        persons=np.array([-1, -1]),
        set_id=np.full(2, -1),
        areas=areas,
    )
    units = build_units(ground)
    assert units.households.sum() == 15
    assert towns.tiles(units.geometry, ground.area) == []


def test_a_defect_is_measured() -> None:
    area = shapely.box(0, 0, 10, 10)
    halves = np.array([shapely.box(0, 0, 5, 10), shapely.box(5, 0, 10, 10)])
    assert coverage_defects(halves, area) == 0
    assert coverage_defects(halves[:1], area) == 50


# --- absorb, against the rule read out step by step


@st.composite
def boards(draw: st.DrawFn) -> tuple[Units, np.ndarray, np.ndarray, np.ndarray]:
    units = towns.lattice(draw(st.integers(2, 5)), draw(st.integers(1, 4)))
    n = len(units)
    size = np.array(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), dtype=float)
    taken = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    pen = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    return units, size, taken, pen


@given(boards())
def test_absorbed_areas_end_with_a_neighbour_of_their_pen(
    board: tuple[Units, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    units, size, taken, pen = board
    label = absorb(len(units), units.edges, size, taken, pen)
    assert sorted(set(label)) == list(range(label.max() + 1))
    near: list[set[int]] = [set() for _ in range(len(units))]
    for a, b in zip(units.edges.a, units.edges.b, strict=True):
        near[a].add(int(b))
        near[b].add(int(a))
    for number in range(label.max() + 1):
        members = {int(i) for i in np.flatnonzero(label == number)}
        assert len({int(pen[i]) for i in members}) == 1
        assert towns.in_one_piece(near, members)
        assert sum(not taken[i] for i in members) <= 1  # two areas that stay are never joined
    for area in np.flatnonzero(taken):
        partners = [b for b in near[area] if pen[b] == pen[area]]
        assert (label == label[area]).sum() > 1 or not partners


def test_a_point_on_a_shared_border_goes_to_the_lower_number() -> None:
    polygons = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    points = shapely.points([(1.0, 0.5), (0.5, 0.5), (1.5, 0.5), (9.0, 0.5)])
    assert place_points(points, polygons).tolist() == [0, 0, 1, 1]
