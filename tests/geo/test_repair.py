"""Village boundaries as a coverage: what is mended, what is refused, what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.problems import InputError
from geo.repair import as_coverage, overlaps, polygonal, polygonals

SQUARE = shapely.box(0, 0, 1000, 1000)


def shapes(*geometries: shapely.Geometry) -> np.ndarray:
    return np.array(geometries, dtype=object)


def codes(error: InputError) -> list[str]:
    return [problem.code for problem in error.problems]


def names(n: int) -> list[str]:
    return [f"village {i}" for i in range(n)]


@pytest.mark.parametrize(
    ("given_shape", "area"),
    [
        (SQUARE, 1e6),
        (shapely.force_3d(SQUARE, 7.0), 1e6),
        (shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), 50.0),  # a bow tie
        (shapely.GeometryCollection([SQUARE, shapely.Point(5, 5)]), 1e6),
        (shapely.LineString([(0, 0), (1, 1)]), 0.0),
        (shapely.Polygon(), 0.0),
        (None, 0.0),
    ],
)
def test_polygonal(given_shape: shapely.Geometry | None, area: float) -> None:
    found = polygonal(given_shape)
    assert found.area == pytest.approx(area)
    assert found.is_valid
    assert not found.has_z
    assert found.geom_type in ("Polygon", "MultiPolygon")


def test_a_coverage_is_returned_untouched() -> None:
    villages = shapes(SQUARE, shapely.box(1000, 0, 2000, 1000), shapely.box(5000, 0, 5100, 100))
    repaired = as_coverage(villages, names(3))
    assert repaired.notes == ()
    assert all(a.equals_exact(b) for a, b in zip(repaired.geometry, villages, strict=True))


def test_every_village_without_area_is_named() -> None:
    villages = shapes(SQUARE, shapely.Point(0, 0), None, shapely.Polygon())
    with pytest.raises(InputError) as caught:
        as_coverage(villages, names(4), "v.gpkg")
    assert codes(caught.value) == ["village-no-area"] * 3
    text = str(caught.value)
    assert all(f"village {i}" in text for i in (1, 2, 3))
    assert "v.gpkg" in text


def test_a_crossed_boundary_is_mended_and_told() -> None:
    bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    repaired = as_coverage(shapes(bow_tie), names(1))
    assert [note.code for note in repaired.notes] == ["village-invalid"]
    assert repaired.geometry[0].is_valid


def test_a_sliver_gap_is_closed_and_told() -> None:
    west = shapely.Polygon([(0, 0), (2000, 0), (1000, 3), (1000, 997), (2000, 1000), (0, 1000)])
    villages = shapes(west, shapely.Polygon([(2000, 0), (1004, 3), (1004, 997), (2000, 1000)]))
    repaired = as_coverage(villages, names(2))
    assert shapely.coverage_is_valid(repaired.geometry)
    together = shapely.union_all(repaired.geometry)
    assert together.area == pytest.approx(2e6)
    assert len(together.interiors) == 0
    assert [note.code for note in repaired.notes] == ["villages-cleaned"]
    assert repaired.notes[0].params["count"] == 1


def test_a_strip_open_at_the_edge_stays_and_nothing_else_is_claimed() -> None:
    """GEOS fills gaps that villages enclose; one that opens to the outside is not such a gap."""
    villages = shapes(SQUARE, shapely.box(1003, 0, 2000, 1000))
    repaired = as_coverage(villages, names(2))
    assert [g.area for g in repaired.geometry] == [1e6, 997_000.0]
    assert repaired.notes == ()


def test_a_street_between_villages_is_no_sliver() -> None:
    villages = shapes(SQUARE, shapely.box(1030, 0, 2000, 1000))
    repaired = as_coverage(villages, names(2))
    assert [g.area for g in repaired.geometry] == [1e6, 970_000.0]


def test_a_small_overlap_is_given_to_one_and_told() -> None:
    villages = shapes(SQUARE, shapely.box(995, 0, 2000, 1000))
    repaired = as_coverage(villages, names(2))
    assert shapely.coverage_is_valid(repaired.geometry)
    assert overlaps(repaired.geometry) == []
    assert sum(g.area for g in repaired.geometry) == pytest.approx(2e6)
    assert "villages-overlap-repaired" in [note.code for note in repaired.notes]


def test_every_dispute_is_named_unless_repair_is_asked_for() -> None:
    villages = shapes(SQUARE, shapely.box(900, 0, 2000, 1000), shapely.box(1900, 0, 3000, 1000))
    with pytest.raises(InputError) as caught:
        as_coverage(villages, names(3))
    assert codes(caught.value) == ["villages-overlap"] * 2
    repaired = as_coverage(villages, names(3), repair_overlaps=True)
    assert shapely.coverage_is_valid(repaired.geometry)
    assert sum(g.area for g in repaired.geometry) == pytest.approx(3e6)


def test_a_village_drawn_twice_is_refused_either_way() -> None:
    for repair in (False, True):
        with pytest.raises(InputError):
            as_coverage(shapes(SQUARE, SQUARE), names(2), repair_overlaps=repair)


def test_overlaps_are_counted_pair_by_pair() -> None:
    villages = shapes(SQUARE, shapely.box(990, 0, 2000, 1000), shapely.box(1990, 0, 2100, 500))
    assert [(a, b, round(m2)) for a, b, m2 in overlaps(villages)] == [(0, 1, 10000), (1, 2, 5000)]


def test_touching_is_no_overlap() -> None:
    assert overlaps(shapes(SQUARE, shapely.box(1000, 1000, 2000, 2000))) == []


jitter = st.integers(-200, 200).map(lambda cm: cm / 100)


@given(st.lists(st.tuples(jitter, jitter), min_size=12, max_size=12))
def test_badly_digitised_neighbours_become_a_coverage(moves: list[tuple[float, float]]) -> None:
    """Four villages in a row whose corners were digitised twice, up to 2 m apart."""
    villages = []
    for i in range(4):
        corners = np.array([(i, 0), (i + 1, 0), (i + 1, 1), (i, 1)], dtype=float) * 500.0
        corners[:3] += np.array(moves[3 * i : 3 * i + 3])
        villages.append(shapely.Polygon(corners))
    given_shapes = shapes(*villages)
    repaired = as_coverage(given_shapes, names(4))
    assert shapely.coverage_is_valid(repaired.geometry)
    assert overlaps(repaired.geometry) == []
    change = shapely.area(shapely.symmetric_difference(given_shapes, repaired.geometry))
    assert (change < 5 * 500 * 4).all()  # nothing but strips along borders


def test_many_shapes_become_what_each_becomes_alone() -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    given_shapes = np.array(
        [
            SQUARE, None, bow_tie, shapely.Point(1, 1), shapely.Polygon(),
            shapely.MultiPolygon([SQUARE]),
            shapely.GeometryCollection([SQUARE, shapely.Point(9, 9)]),
            shapely.force_3d(SQUARE, 7.0), shapely.MultiPolygon(),
        ],
        dtype=object,
    )  # fmt: skip
    together = polygonals(given_shapes)
    alone = np.array([polygonal(shape) for shape in given_shapes], dtype=object)
    assert shapely.equals_identical(together, alone).all()
