"""Outlines traced along the sides of cells are the union of their squares."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from incidents.cells import Cells
from incidents.outline import multipolygon, traced

TABLES = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


def picture(drawing: str) -> np.ndarray:
    """Rows from north to south, # for true, as a table with row 0 in the south."""
    return np.array([[letter == "#" for letter in row] for row in drawing.split()])[::-1]


@given(TABLES)
def test_it_is_the_union_of_the_squares_and_valid(where: np.ndarray) -> None:
    row, column = np.nonzero(where)
    squares = shapely.box(50.0 + column * 200, row * 200, 250.0 + column * 200, (row + 1) * 200)
    found = multipolygon(where, 50.0, 0.0, 200.0)
    assert found.is_valid
    assert found.equals(shapely.union_all(squares))
    assert found.area == where.sum() * 40_000


@pytest.mark.parametrize(
    ("drawing", "polygons", "rings", "corners"),
    [
        ("#", 1, 1, 4),
        ("####", 1, 1, 4),  # no corner where the line goes straight on
        ("#. .#", 2, 2, 8),  # two cells that touch by a corner are two polygons
        ("### #.# ###", 1, 2, 8),
        (".## #.# ##.", 2, 2, 12),
        ("#### ##.# #.## ####", 1, 3, 12),  # two holes that touch by a corner
        (".### #..# ####", 1, 2, 10),  # its own cells touch by a corner
        ("#### #..# ##.# .###", 1, 2, 12),
    ],
)  # fmt: skip
def test_what_is_drawn(drawing: str, polygons: int, rings: int, corners: int) -> None:
    found = multipolygon(picture(drawing), 0.0, 0.0, 1.0)
    assert found.is_valid
    assert shapely.get_num_geometries(found) == polygons
    every = shapely.get_rings(shapely.get_parts(found))
    assert len(every) == rings
    assert shapely.get_num_coordinates(every).sum() - rings == corners


def test_shells_run_with_their_ground_on_the_left_and_holes_the_other_way() -> None:
    corners, rings, polygons = traced(picture("### #.# ###"))
    assert polygons.tolist() == [0, 2]
    shell, hole = (shapely.linearrings(corners[rings[i] : rings[i + 1]]) for i in (0, 1))
    assert shapely.is_ccw(shell)
    assert not shapely.is_ccw(hole)


def test_no_cell_has_no_outline() -> None:
    cells = Cells(200.0, 0.0, 0.0, np.ones((3, 2)))
    assert cells.outline(np.zeros((3, 2), dtype=bool)).is_empty
