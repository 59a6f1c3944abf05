"""Every measure against polygons, on any labels."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import dissolve
from geo.units import Units, build_units
from planning.measure import measure

TOWN = """
1.2|.3.|..
...|...|4.
---+-2-+--
.5.|...|..
...|.6.|.7
"""


def town() -> tuple[Units, np.ndarray]:
    ground = towns.village(TOWN, times=10, persons=3)
    return build_units(ground), ground.lines


def two_islands() -> tuple[Units, np.ndarray]:
    ground = towns.village("1.|2  3.\n..|.  4.\n--+-  ..\n5.|6  .7", times=10)
    return build_units(ground), ground.lines


UNITS = (town(), two_islands())


@settings(max_examples=60)
@given(st.sampled_from(UNITS), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_measures_equal_polygons(drawn: tuple[Units, np.ndarray], k: int, seed: int) -> None:
    units, lines = drawn
    label = np.random.default_rng(seed).integers(0, k, len(units))
    label = np.unique(label, return_inverse=True)[1]
    k = int(label.max()) + 1
    m = measure(units, label, k)
    grids = dissolve(units.geometry, label)
    outline = shapely.boundary(shapely.union_all(units.geometry))
    roads = shapely.buffer(shapely.union_all(lines), 0.01)
    for grid in range(k):
        shape, members = grids[grid], label == grid
        border = shapely.boundary(shape)
        assert m.area_m2[grid] == pytest.approx(shape.area)
        assert m.perimeter_m[grid] == pytest.approx(shape.length)
        assert m.polsby_popper[grid] == pytest.approx(4 * np.pi * shape.area / shape.length**2)
        assert m.parts[grid] == shapely.get_num_geometries(shape)
        assert m.households[grid] == units.households[members].sum()
        inner = shapely.difference(border, shapely.buffer(outline, 0.001))
        assert m.inner_m[grid] == pytest.approx(inner.length, abs=0.1)
        on_road = shapely.intersection(inner, roads).length
        assert m.inner_on_line_m[grid] == pytest.approx(on_road, abs=0.5)
        if inner.length > 1:
            assert m.edge_on_line[grid] == pytest.approx(on_road / inner.length, abs=0.01)
        else:
            assert np.isnan(m.edge_on_line[grid])
        weight = units.households[members].astype(float)
        if weight.sum():
            x = np.average(units.x[members], weights=weight)
            y = np.average(units.y[members], weights=weight)
            away = (units.x[members] - x) ** 2 + (units.y[members] - y) ** 2
            assert m.reach_m[grid] == pytest.approx(
                np.sqrt(np.average(away, weights=weight)), abs=1e-6
            )
        else:
            assert m.reach_m[grid] == 0


def test_persons_are_unknown_or_summed() -> None:
    units, _ = town()
    nobody, _ = two_islands()
    label = np.zeros(len(units), dtype=np.int64)
    assert measure(units, label, 1).persons.tolist() == [int(units.persons.sum())]
    unknown = measure(nobody, np.zeros(len(nobody), dtype=np.int64), 1)
    assert unknown.persons.tolist() == [-1]


def test_a_square_and_a_disc() -> None:
    square = measure(towns.lattice(1, 1), np.zeros(1, dtype=np.int64), 1)
    assert square.polsby_popper[0] == pytest.approx(np.pi / 4)
    disc = towns.of_polygons(np.array([shapely.Point(0, 0).buffer(10, quad_segs=64)]), [1])
    assert measure(disc, np.zeros(1, dtype=np.int64), 1).polsby_popper[0] > 0.999
