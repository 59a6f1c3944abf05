"""Lines made fit to enclose ground: clipping, joining dangling ends, noding."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geo import linework

SQUARE = shapely.box(0, 0, 100, 100)
BORDER = shapely.boundary(SQUARE)


def lines(*coordinates: list[tuple[float, float]]) -> np.ndarray:
    return np.array([shapely.LineString(c) for c in coordinates], dtype=object)


def enclosed(roads: np.ndarray, tolerance: float = 20.0) -> list[float]:
    joins = linework.join_dangles(roads, BORDER, tolerance)
    work = np.concatenate([[BORDER], roads, joins])
    return sorted(float(face.area) for face in linework.faces(linework.node(work)))


def test_polygons_give_their_rings_and_keep_their_row() -> None:
    lake = shapely.Polygon([(0, 0), (9, 0), (9, 9)], [[(5, 1), (8, 1), (8, 4)]])
    both = shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]])
    mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 0)])])
    parts, row = linework.as_lines(
        np.array([lake, both, shapely.Point(1, 1), shapely.LineString(), mixed], dtype=object)
    )
    assert row.tolist() == [0, 0, 1, 1, 4]
    assert np.isin(shapely.get_type_id(parts), (1, 2)).all()


def test_input_is_not_changed() -> None:
    given = np.array([SQUARE], dtype=object)
    linework.as_lines(given)
    linework.clip_lines(given, shapely.box(0, 0, 10, 10))
    assert given[0] is SQUARE


def test_clip_keeps_what_is_inside() -> None:
    roads = lines([(10, 50), (20, 50)], [(-50, 50), (50, 50)], [(200, 0), (300, 0)])
    pieces, row = linework.clip_lines(roads, SQUARE)
    assert row.tolist() == [0, 1]
    assert shapely.length(pieces).tolist() == [10.0, 50.0]


def test_clip_of_nothing() -> None:
    pieces, row = linework.clip_lines(np.empty(0, dtype=object), SQUARE)
    assert len(pieces) == len(row) == 0


@pytest.mark.parametrize(
    ("road", "faces"),
    [
        ([(0, 50), (100, 50)], 2),  # from border to border
        ([(2, 50), (98, 50)], 2),  # two metres short at both ends
        ([(0, 50), (60, 50)], 1),  # a dead end stays one
        ([(0, 50), (79, 50)], 1),  # 21 m short: further than the tolerance
        ([(0, 50), (81, 50)], 2),  # 19 m short
        ([(-30, 50), (130, 50)], 2),  # beyond the border
    ],
)
def test_dangling_ends_join_the_border(road: list[tuple[float, float]], faces: int) -> None:
    assert len(enclosed(lines(road))) == faces


def test_a_lane_joins_the_avenue_it_stops_short_of() -> None:
    avenue, lane = [(0.0, 50.0), (100.0, 50.0)], [(50.0, 47.0), (50.0, 0.0)]
    areas = enclosed(lines(avenue, lane))
    assert areas == pytest.approx([2500.0, 2500.0, 5000.0])


def test_an_end_on_another_line_needs_no_connector() -> None:
    roads = lines([(0, 50), (100, 50)], [(50, 50), (50, 0)])
    assert len(linework.join_dangles(roads, BORDER)) == 0


def test_a_crossing_road_is_not_joined_to_itself() -> None:
    loop = lines([(30, 30), (70, 30), (70, 70), (30, 70), (30, 30)])
    assert len(linework.join_dangles(loop, BORDER)) == 0
    assert enclosed(loop) == pytest.approx([1600.0, 8400.0])


def test_duplicates_change_nothing() -> None:
    road = [(0.0, 50.0), (100.0, 50.0)]
    assert enclosed(lines(road)) == enclosed(lines(road, road, road[::-1]))


def test_joining_no_lines() -> None:
    assert len(linework.join_dangles(np.empty(0, dtype=object), BORDER)) == 0


def test_noding_moves_no_vertex_measurably() -> None:
    far = shapely.transform(BORDER, lambda xy: np.add(xy, (500_000.1234567, 3_580_000.7654321)))
    noded = linework.node(np.array([far], dtype=object))
    moved = shapely.hausdorff_distance(noded, far)
    assert moved <= linework.GRID_M
