"""Four bounds (四至) of drawn grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.linework import Linework, as_lines
from geo.units import Units, build_units
from planning.bounds import (
    bounds_in_english,
    four_bounds,
    segment_words,
    side_points,
    sides_of,
    unnamed,
)

X0, Y0 = towns.ORIGIN
CELL = 200.0  # a smaller empty block would be no unit of its own


def road(*corners: tuple[float, float]) -> shapely.LineString:
    """A road in cell coordinates from the south-west."""
    return shapely.LineString(np.add(np.multiply(corners, CELL), (X0, Y0)))


def planned(
    picture: str, grid: str, roads: dict[str, shapely.LineString], kinds: str = "road"
) -> list[str]:
    """Bounds of the grids drawn in the second picture on the ground of the first."""
    ground = towns.village(picture, roads=list(roads.values()), cell=CELL)
    units = build_units(ground)
    label = by_picture(units, grid)
    lines = Linework(
        np.array(list(roads.values()), dtype=object),
        np.full(len(roads), kinds, dtype=object),
        np.array(list(roads), dtype=object),
    )
    return four_bounds(units.segments, label, int(label.max()) + 1, lines)


def by_picture(units: Units, grid: str) -> np.ndarray:
    drawn = {c: shape for c, shape in towns.shapes(grid, CELL, (X0, Y0)).items() if c.isalpha()}
    middle = shapely.point_on_surface(units.geometry)
    label = np.full(len(units), -1)
    for number, shape in enumerate(drawn.values()):
        label[shapely.intersects(shape, middle)] = number
    assert (label >= 0).all()
    return label


NINE = "...\n...\n..."
# roads on the lines between the cells of a board of three by three
NAMED = {
    "北路": road((-1, 2), (4, 2)),
    "南路": road((-1, 1), (4, 1)),
    "西路": road((1, -1), (1, 4)),
    "东路": road((2, -1), (2, 4)),
}


def test_a_square_between_four_named_roads() -> None:
    texts = planned(NINE, "BCD\nEAF\nGHI", NAMED)
    assert texts[0] == "东至东路,南至南路,西至西路,北至北路"


def test_a_corner_of_the_village() -> None:
    texts = planned(NINE, "BCD\nEAF\nGHI", NAMED)
    assert texts[1] == "东至西路,南至北路,西至村界,北至村界"  # the north-west corner
    assert texts[8] == "东至村界,南至村界,西至东路,北至南路"  # the south-east corner


def test_the_whole_village() -> None:
    assert planned("1.\n..", "AA\nAA", {}) == ["东至村界,南至村界,西至村界,北至村界"]


def test_a_road_along_the_village_border_is_named() -> None:
    beside = {"界河路": road((2.025, -1), (2.025, 3))}  # five metres outside
    assert planned("1.\n..", "AA\nAA", beside) == ["东至界河路,南至村界,西至村界,北至村界"]


def test_open_ground() -> None:
    """Between two buildings without a road there are fields."""
    texts = planned("1.2.", "AABB", {})
    assert [text.split(",")[0] for text in texts] == ["东至田地", "东至村界"]
    assert [text.split(",")[2] for text in texts] == ["西至村界", "西至田地"]


def test_unnamed_lines_are_told_by_kind() -> None:
    unnamed = {"": road((1, -1), (1, 2))}
    assert planned("..\n..", "AB\nAB", unnamed)[0].startswith("东至道路")
    assert planned("..\n..", "AB\nAB", unnamed, "water")[0].startswith("东至水系")
    assert planned("..\n..", "AB\nAB", unnamed, "railway")[0].startswith("东至铁路")


def test_a_bay_does_not_speak_for_a_side() -> None:
    """An L: its inner corner is seen from the north-east only behind nothing else."""
    texts = planned(
        NINE, "ABB\nABB\nAAA",
        {"湾北路": road((1, 1), (4, 1)), "湾西路": road((1, 1), (1, 4))},
    )
    east, south, west, north = texts[0].split(",")
    assert (south, west) == ("南至村界", "西至村界")
    # from the east two thirds of the rays meet the bay's western road, one third the village
    assert east == "东至湾西路、村界"
    # from the north one third meets the village border, two thirds the road in the bay
    assert north == "北至湾北路、村界"
    assert texts[1] == "东至村界,南至湾北路,西至湾西路,北至村界"


def test_a_second_part_behind_the_first_does_not_speak() -> None:
    """Two parts in a row: the eastern one bounds the east, the western one the west."""
    texts = planned(
        ".....", "ABBAA",
        {
            "一": road((1, -1), (1, 2)),
            "二": road((3, -1), (3, 2)),
            "三": road((5.025, -1), (5.025, 2)),
        },
    )
    assert texts[0].startswith("东至三,")
    assert "西至村界" in texts[0]
    assert texts[1].split(",")[0] == "东至二"
    assert texts[1].split(",")[2] == "西至一"


# --- what every sentence must be, whatever the grid's shape ------------------------------------

LINES = [f"{name}{n}路" for name in "东西南北" for n in range(3)]
OUTWARD = {"东": (1, 0), "南": (0, -1), "西": (-1, 0), "北": (0, 1)}


@st.composite
def divisions(draw: st.DrawFn) -> tuple[Units, np.ndarray, Linework]:
    """A board of blocks between named roads, and any labelling of it: concave, in parts, nested."""
    side = draw(st.integers(2, 4))
    cuts = draw(st.lists(st.tuples(st.booleans(), st.integers(1, side - 1)), min_size=1, max_size=4,
                         unique=True))  # fmt: skip
    roads = {
        LINES[n]: road((at, -1), (at, side + 1)) if upright else road((-1, at), (side + 1, at))
        for n, (upright, at) in enumerate(cuts)
    }
    ground = towns.village("\n".join(["." * side] * side), roads=list(roads.values()), cell=CELL)
    units = build_units(ground)
    label = np.array(draw(st.lists(st.integers(0, 2), min_size=len(units), max_size=len(units))))
    _, label = np.unique(label, return_inverse=True)
    lines = Linework(
        np.array(list(roads.values()), dtype=object),
        np.full(len(roads), "road", dtype=object),
        np.array(list(roads), dtype=object),
    )
    return units, label, lines


def facing(units: Units, label: np.ndarray, grid: int, way: tuple[int, int]) -> list[int]:
    """Border segments of a grid whose outer side looks ``way``, from the geometry alone."""
    shape = shapely.union_all(units.geometry[label == grid])
    s = units.segments
    found = []
    for i, (x, y) in enumerate(s.midpoint):
        ahead = shapely.Point(x + 0.5 * way[0], y + 0.5 * way[1])
        behind = shapely.Point(x - 0.5 * way[0], y - 0.5 * way[1])
        if shape.intersects(behind) and not shape.intersects(ahead):
            found.append(i)
    return found


@settings(max_examples=60)
@given(divisions())
def test_each_sides_words_come_from_a_border_that_faces_that_side(
    drawn: tuple[Units, np.ndarray, Linework],
) -> None:
    units, label, lines = drawn
    k = int(label.max()) + 1
    words = segment_words(units.segments, lines)
    for grid, text in enumerate(four_bounds(units.segments, label, k, lines)):
        sides = sides_of(text)
        assert sides is not None
        for (name, way), side in zip(OUTWARD.items(), sides, strict=True):
            own = set(words[facing(units, label, grid, way)])
            assert set(side.split("、")) <= own, f"{name}至{side}, of {own}"


@settings(max_examples=20)
@given(divisions())
def test_what_a_grid_says_of_a_border_its_neighbour_can_say_too(
    drawn: tuple[Units, np.ndarray, Linework],
) -> None:
    """Turning the ground by a half turn exchanges east and west, south and north."""
    units, label, lines = drawn
    s = units.segments
    turned = replace(s, x1=-s.x1, y1=-s.y1, x2=-s.x2, y2=-s.y2)
    k = int(label.max()) + 1
    for one, two in zip(
        four_bounds(s, label, k, lines), four_bounds(turned, label, k, lines), strict=True
    ):
        east, south, west, north = sides_of(one) or ("",) * 4
        assert set((sides_of(two) or ("",) * 4)[0].split("、")) == set(west.split("、"))
        assert set((sides_of(two) or ("",) * 4)[1].split("、")) == set(north.split("、"))
        assert set((sides_of(two) or ("",) * 4)[2].split("、")) == set(east.split("、"))
        assert set((sides_of(two) or ("",) * 4)[3].split("、")) == set(south.split("、"))


def test_a_dedicated_grid_is_bounded_by_its_premises_and_not_by_fields() -> None:
    ground = towns.village("1.2.", roads=[], cell=CELL)
    units = build_units(ground)
    label = by_picture(units, "AABB")
    none = Linework(*(np.empty(0, dtype=object) for _ in range(3)))
    texts = four_bounds(units.segments, label, 2, none, np.array([-1, 0]))
    assert [text.split(",")[0] for text in texts] == ["东至院界", "东至村界"]


def test_sentences_in_english() -> None:
    text = "东至人民路、村界,南至通扬河,西至田地,北至道路"
    assert bounds_in_english(text) == (
        "East to 人民路 and village boundary, south to 通扬河, west to open ground, north to a road"
    )
    assert bounds_in_english("东至甲、乙、丙,南至院界,西至水系,北至铁路").startswith(
        "East to 甲, 乙 and 丙, south to premises"
    )
    assert bounds_in_english("as surveyed") == "as surveyed"
    assert sides_of("东至A,B路,南至C,西至D,北至E") == ("A,B路", "C", "D", "E")
    assert sides_of("东至A") is None


def test_a_wall_beside_a_street_is_bounded_by_the_street() -> None:
    """A border without a line of its own, ten metres from one: the line bounds it, to 15 m."""
    units = build_units(towns.village("1.2.", roads=[], cell=CELL))
    label = by_picture(units, "AABB")
    s = units.segments
    inner = np.flatnonzero((s.right >= 0) & (label[s.left] != label[s.right]))
    x = float(s.x1[inner].mean())

    def east(away: float) -> str:
        line = shapely.LineString([(x + away, Y0 - 50), (x + away, Y0 + CELL + 50)])
        lines = Linework(*(np.array([own], dtype=object) for own in (line, "road", "学前街")))
        return four_bounds(s, label, 2, lines)[0].split(",")[0]

    assert east(10) == east(-10) == "东至学前街"
    assert east(16) == "东至田地"


def test_a_border_in_the_middle_of_a_wide_river_is_bounded_by_the_river() -> None:
    """A village border between the banks is told by the river; on its island, it is not."""
    units = build_units(towns.village("1.2.", roads=[], cell=CELL))
    label = by_picture(units, "AABB")
    west, south, east, north = shapely.total_bounds(units.geometry)
    river = shapely.box(west - 90, south - 60, east + 90, south + 60)
    island = shapely.box(west + 10, south - 40, west + 1.5 * CELL, south + 40)

    def sides(water: shapely.Geometry, name: str = "通扬河") -> tuple[str, ...]:
        banks, _ = as_lines(np.array([water], dtype=object))
        n = len(banks)
        lines = Linework(banks, np.full(n, "water", dtype=object), np.full(n, name, dtype=object))
        texts = four_bounds(units.segments, label, 2, lines)
        return tuple((sides_of(text) or ("",) * 4)[1] for text in texts)

    assert sides(river) == ("通扬河", "通扬河")
    assert sides(river, "") == ("水系", "水系")
    assert sides(river.difference(island)) == ("村界", "通扬河")
    round_island = island.buffer(-20).buffer(20)  # banks of different numbers of corners
    assert sides(river.difference(round_island)) == ("村界", "通扬河")
    assert sides(shapely.box(west, north + 20, east, north + 90)) == ("村界", "村界")


def test_a_side_along_many_lines_names_most_of_it() -> None:
    ends = [0, 2, 4, 6, 8, 10]
    roads = {f"{n}巷": road((-1, row), (3, row)) for n, row in enumerate(ends[1:-1])}
    east = {f"东{n}路": road((2.02, a), (2.02, a + 2)) for n, a in enumerate(ends[:-1])}
    texts = planned("\n".join([".."] * 10), "\n".join(["AA"] * 10), roads | east)
    assert len(texts[0].split(",")[0].split("、")) == 3


def test_a_place_on_every_side() -> None:
    """An L in two parts: each place lies on the outline and nothing of it lies beyond."""
    boxes = [(0, 0, 30, 10), (0, 0, 10, 30), (50, 5, 60, 9)]
    ell = shapely.union_all([shapely.box(*own) for own in boxes])
    for (x, y), (dx, dy) in zip(side_points(ell), OUTWARD.values(), strict=True):
        assert shapely.distance(ell.boundary, shapely.Point(x, y)) < 1e-9
        beyond = shapely.LineString([(x + 1e-6 * dx, y + 1e-6 * dy), (x + 99 * dx, y + 99 * dy)])
        assert not ell.intersects(beyond)
    with pytest.raises(ValueError, match="empty"):
        side_points(shapely.Polygon())
    assert [unnamed(side) for side in ("村界", "村界、田地", "村界、人民路")] == [True, True, False]
