"""Border segments against rings read one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given
from hypothesis import strategies as st

from geo.segments import border_segments, outer_length, ring_segments, rook_edges

PICTURE = """
AAB
ACC
ADD
"""


def test_polygon_lies_on_the_left_of_its_ring() -> None:
    ring = shapely.Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    owner, ends = ring_segments(np.array([ring]))
    assert len(ends) == 8
    assert (owner == 0).all()
    for x1, y1, x2, y2 in ends:
        middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        left = middle + 0.01 * np.array([y1 - y2, x2 - x1]) / np.hypot(x2 - x1, y2 - y1)
        assert ring.contains(shapely.Point(left))


def test_zero_length_segments_are_left_out() -> None:
    ring = shapely.Polygon([(0, 0), (4, 0), (4, 0), (4, 4), (0, 4)])
    assert len(ring_segments(np.array([ring]))[0]) == 4


def test_each_stretch_occurs_once_with_both_sides() -> None:
    drawn = towns.shapes(PICTURE, cell=1.0)
    polygons = np.array(list(drawn.values()))
    segments = border_segments(polygons)
    stretches = {
        frozenset([(x1, y1), (x2, y2)])
        for x1, y1, x2, y2 in zip(segments.x1, segments.y1, segments.x2, segments.y2, strict=True)
    }
    assert len(stretches) == len(segments.left)
    assert segments.length.sum() == pytest.approx(
        shapely.length(shapely.union_all(shapely.boundary(polygons)))
    )
    # A borders C from above and from the west; B and D do not meet
    expected = {(0, 1): 1.0, (0, 2): 2.0, (0, 3): 1.0, (1, 2): 1.0, (2, 3): 2.0}
    inner = {pair: m for pair, m in towns.border_sets(segments).items() if pair[0] >= 0}
    assert inner == expected
    edges = rook_edges(segments)
    assert dict(zip(zip(edges.a, edges.b, strict=True), edges.length, strict=True)) == expected


def test_meeting_in_a_point_is_no_border() -> None:
    drawn = towns.shapes("AB\nBA", cell=1.0)
    corners = np.concatenate([shapely.get_parts(shape) for shape in drawn.values()])
    edges = rook_edges(border_segments(corners))
    assert len(edges.a) == 4
    assert (edges.length == 1.0).all()


def test_outer_border_is_the_outline() -> None:
    drawn = np.array(list(towns.shapes(PICTURE, cell=1.0).values()))
    outer = outer_length(border_segments(drawn), len(drawn))
    outline = shapely.boundary(shapely.union_all(drawn))
    for own, polygon in zip(outer, drawn, strict=True):
        shared = shapely.intersection(shapely.boundary(polygon), outline)
        assert own == pytest.approx(shapely.length(shared))


def test_a_hole_is_filled_by_its_area() -> None:
    ring = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2), (2, 1)]])
    segments = border_segments(np.array([ring, shapely.box(1, 1, 2, 2)]))
    assert towns.border_sets(segments) == {(-1, 0): 16.0, (0, 1): 4.0}


def test_overlap_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        border_segments(np.array([shapely.box(0, 0, 1, 1), shapely.box(0, 0, 1, 1)]))
    with pytest.raises(ValueError, match="overlap"):
        border_segments(np.array([shapely.box(0, 0, 1, 1), shapely.box(0, 0, 2, 1)]))


def test_three_areas_on_one_stretch_are_refused() -> None:
    below, above = shapely.box(0, 0, 1, 1), shapely.box(0, 1, 1, 2)
    wide = shapely.Polygon([(0, 1), (1, 1), (1, 3), (0, 3)])
    with pytest.raises(ValueError, match="overlap"):
        border_segments(np.array([below, above, wide]))


def test_nothing_has_no_border() -> None:
    segments = border_segments(np.empty(0, dtype=object))
    assert len(segments.left) == 0
    assert len(rook_edges(segments).a) == 0


@given(st.lists(st.lists(st.sampled_from("AB "), min_size=4, max_size=4), min_size=2, max_size=5))
def test_any_cells_pair_up(rows: list[list[str]]) -> None:
    cells = [
        shapely.box(x, y, x + 1, y + 1)
        for y, row in enumerate(rows)
        for x, character in enumerate(row)
        if character != " "
    ]
    places = [(x, y) for y, row in enumerate(rows) for x, c in enumerate(row) if c != " "]
    segments = border_segments(np.array(cells, dtype=object))
    beside = sum((x + 1, y) in places for x, y in places) + sum(
        (x, y + 1) in places for x, y in places
    )
    assert (segments.right >= 0).sum() == beside
    assert (segments.right < 0).sum() == 4 * len(cells) - 2 * beside
