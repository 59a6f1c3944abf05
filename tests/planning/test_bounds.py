"""Four bounds (四至) of drawn grids."""

from __future__ import annotations

import numpy as np
import shapely
import towns

from geo.linework import Linework
from geo.units import Units, build_units
from planning.bounds import four_bounds

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
