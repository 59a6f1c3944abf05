"""Starts and repair: one piece a grid, all grids used, whatever they were given."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.units import Units, build_units
from planning.graph import Graph, graph_of
from planning.start import centres_of, metis_start, pieces, power_start, repair


@st.composite
def connected(draw: st.DrawFn) -> Graph:
    """A board with squares knocked out, reduced to its largest piece."""
    columns, rows = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    board: Units = towns.lattice(columns, rows)
    kept = random.random(len(board)) < 0.8
    if not kept.any():
        kept[0] = True
    polygons = board.geometry[kept]
    part = towns.of_polygons(polygons, np.zeros(len(polygons))).part
    polygons = polygons[part == np.bincount(part).argmax()]
    held = random.integers(0, draw(st.sampled_from([1, 5, 400])) + 1, len(polygons))
    return graph_of(towns.of_polygons(polygons, held))


def sound(graph: Graph, label: np.ndarray, k: int) -> bool:
    near = towns.neighbours(graph)
    return all(towns.in_one_piece(near, members) for members in towns.grids_of(label, k))


@settings(max_examples=60)
@given(connected(), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_repair_leaves_every_grid_in_one_piece(graph: Graph, k: int, seed: int) -> None:
    k = min(k, len(graph))
    label = np.random.default_rng(seed).integers(0, k, len(graph))
    before = label.copy()
    mended = repair(graph, label, k)
    assert np.array_equal(label, before)
    assert sound(graph, mended, k)
    if sound(graph, label, k):
        assert np.array_equal(mended, label)


@settings(max_examples=60)
@given(connected(), st.integers(1, 9), st.integers(0, 2**31))
def test_both_starts_are_sound_and_repeatable(graph: Graph, k: int, seed: int) -> None:
    k = min(k, len(graph))
    label = metis_start(graph, k, seed)
    assert sound(graph, label, k)
    assert np.array_equal(label, metis_start(graph, k, seed))
    centres = centres_of(graph, label, k)
    power = power_start(graph, k, centres.copy())
    assert sound(graph, power, k)
    assert np.array_equal(power, power_start(graph, k, centres.copy()))


@settings(max_examples=40)
@given(connected(), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_pieces_are_the_connected_ones(graph: Graph, k: int, seed: int) -> None:
    label = np.random.default_rng(seed).integers(0, k, len(graph))
    piece = pieces(graph, label)
    near = towns.neighbours(graph)
    for number in range(piece.max() + 1):
        members = {int(i) for i in np.flatnonzero(piece == number)}
        assert len({int(label[i]) for i in members}) == 1
        assert towns.in_one_piece(near, members)
    for grid in range(k):
        own = {int(i) for i in np.flatnonzero(label == grid)}
        assert len(set(piece[sorted(own)])) == towns.piece_count(near, own)


def test_more_grids_than_nodes_is_refused() -> None:
    graph = graph_of(towns.lattice(2, 1))
    with pytest.raises(ValueError, match="more grids than nodes"):
        repair(graph, np.zeros(2, dtype=np.int64), 3)


def test_centres_are_where_the_households_are() -> None:
    graph = graph_of(towns.lattice(4, 1, [1, 3, 0, 0], cell=10.0))
    centres = centres_of(graph, np.array([0, 0, 1, 1]), 2)
    assert centres.tolist() == [[12.5, 5.0], [30.0, 5.0]]


def test_a_start_on_real_units_is_balanced() -> None:
    """Sixteen blocks of four buildings: METIS puts four blocks' worth in each of four grids."""
    picture = "\n".join(
        "1.1|" * 3 + "1.1" if row % 4 < 3 else "---+" * 3 + "---" for row in range(15)
    )
    units = build_units(towns.village(picture, times=10))
    graph = graph_of(units)
    label = metis_start(graph, 4, 0)
    held = np.bincount(label, weights=graph.households)
    assert held.max() / held.mean() < 1.1


def test_a_high_rise_on_open_ground_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """One building of four micro-grids' households: METIS was asked to halve an empty graph."""
    for k in range(4, 9):
        held = np.zeros(30, dtype=int)
        held[7] = 261
        graph = graph_of(towns.lattice(6, 5, held))
        assert sound(graph, metis_start(graph, k, 3306847312), k)
    ctypes.CDLL(None).fflush(None)  # METIS writes past Python, into a buffer of C's
    assert capfd.readouterr().out == ""
