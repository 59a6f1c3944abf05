"""The local search against its promises and a price worked out from scratch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.graph import Graph, graph_of
from planning.search import Price, refine
from planning.start import repair

PRICES = (
    Price(),
    Price(balance=0.0),
    Price(walk=0.0, lines=3.0),
    Price(max_households=40.0, max_persons=100.0, min_households=10.0),
)


def excess(value: float, cap: float) -> float:
    over = value / cap - 1
    return 0.0 if over <= 1e-12 else 60 * min(20 * over, 1.0) + 600 * over


def naive_price(graph: Graph, label: np.ndarray, k: int, price: Price) -> float:
    """The four terms and the caps as the module's text states them, grid by grid."""
    ideal, ground = graph.households.sum() / k, graph.area.sum() / k
    total = 0.0
    for grid in range(k):
        members = np.flatnonzero(label == grid)
        h, area = graph.households[members].sum(), graph.area[members].sum()
        border = graph.outer[members].sum()
        off = 0.0
        for a in members:
            for e in range(graph.indptr[a], graph.indptr[a + 1]):
                if label[graph.indices[e]] != grid:
                    border += graph.length[e]
                    off += graph.off_line[e]
        q = ((h / max(ideal, 1e-9) - 1) / price.band) ** 2
        total += price.balance * (q * q if q < 4 else 16 + 8 * (q - 4))
        total += price.shape * border**2 / (4 * math.pi * area)
        if h > 0:
            weight = graph.households[members]
            x, y = graph.x[members], graph.y[members]
            mx, my = (weight * x).sum() / h, (weight * y).sum() / h
            inertia = (weight * ((x - mx) ** 2 + (y - my) ** 2) + graph.spread[members]).sum()
            total += price.walk * inertia * 2 * math.pi / (ground * max(ideal, 1e-9))
        total += price.lines * 0.5 * off / math.sqrt(ground)
        total += excess(h, price.max_households)
        total += excess(graph.persons[members].sum(), price.max_persons)
        if h < price.min_households:
            total += excess(2 - h / price.min_households, 1.0)
    return total


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Graph, np.ndarray, int]:
    columns, rows = draw(st.integers(2, 7)), draw(st.integers(2, 6))
    n = columns * rows
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    held = random.integers(0, draw(st.sampled_from([1, 2, 30])) + 1, n)
    units = towns.of_polygons(
        towns.lattice(columns, rows).geometry, held, persons=3 * held
    )
    graph = graph_of(units)
    k = draw(st.integers(2, min(6, n - 1)))
    return graph, repair(graph, random.integers(0, k, n), k), k


@settings(max_examples=60)
@given(tasks(), st.sampled_from(PRICES), st.sampled_from([0, 1, 7, 3000]), st.integers(0, 9))
def test_no_grid_is_broken_or_emptied_and_the_price_is_true(
    task: tuple[Graph, np.ndarray, int], price: Price, moves: int, seed: int
) -> None:
    graph, start, k = task
    before = start.copy()
    label, reached = refine(graph, start, k, price, moves=moves, hot=0.3, cold=0.004, seed=seed)
    assert np.array_equal(start, before)  # the input is not written to
    near = towns.neighbours(graph)
    assert all(towns.in_one_piece(near, held) for held in towns.grids_of(label, k))
    assert reached == pytest.approx(naive_price(graph, label, k, price), rel=1e-6, abs=1e-6)
    again, same = refine(graph, start, k, price, moves=moves, hot=0.3, cold=0.004, seed=seed)
    assert np.array_equal(again, label)
    assert same == reached


@settings(max_examples=30)
@given(tasks(), st.integers(0, 2**32 - 1))
def test_locked_grids_neither_lose_nor_gain(
    task: tuple[Graph, np.ndarray, int], seed: int
) -> None:
    graph, start, k = task
    locked = np.random.default_rng(seed).random(k) < 0.5
    label, _ = refine(
        graph, start, k, Price(), moves=2000, hot=0.3, cold=0.004, seed=0, locked=locked
    )
    for grid in np.flatnonzero(locked):
        assert np.array_equal(label == grid, start == grid)


def test_all_locked_moves_nothing() -> None:
    graph = graph_of(towns.lattice(4, 4, 5))
    start = np.arange(16) // 8
    label, _ = refine(
        graph, start, 2, Price(), moves=5000, hot=1.0, cold=0.5, seed=0,
        locked=np.array([True, True]),
    )
    assert np.array_equal(label, start)


def test_a_bad_start_is_mended() -> None:
    """Snakes on a board of 8 x 8 go a good part of the way to the four squares in one walk."""
    graph = graph_of(towns.lattice(8, 8, 10))
    snake = np.arange(64).reshape(8, 8)
    snake[:, 1::2] = snake[::-1, 1::2]
    start = snake.T.ravel().argsort() // 16
    assert all(
        towns.in_one_piece(towns.neighbours(graph), held) for held in towns.grids_of(start, 4)
    )
    squares = np.array([(i % 8) // 4 + 2 * (i // 32) for i in range(64)])
    _, reached = refine(graph, start, 4, Price(), moves=60_000, hot=2.0, cold=0.004, seed=1)
    before = naive_price(graph, start, 4, Price())
    least = naive_price(graph, squares, 4, Price())
    assert least - 1e-9 <= reached < before - 0.25 * (before - least)


def test_a_cap_that_can_be_kept_is_kept() -> None:
    held = np.array([9, 1, 1, 1, 1, 1, 1, 9])
    graph = graph_of(towns.lattice(8, 1, held))
    start = np.array([0, 1, 1, 1, 1, 1, 1, 1])
    label, _ = refine(
        graph, start, 2, Price(max_households=12.0), moves=20_000, hot=0.3, cold=0.004, seed=0
    )
    assert np.bincount(label, weights=held).max() <= 12


def test_nobody_lives_there() -> None:
    graph = graph_of(towns.lattice(4, 2, 0))
    start = np.arange(8) % 4 // 2
    label, reached = refine(graph, start, 2, Price(), moves=500, hot=0.3, cold=0.01, seed=0)
    assert math.isfinite(reached)
    assert sorted(np.bincount(label)) == [4, 4]


def test_a_price_on_leaving_home_keeps_nodes_at_home() -> None:
    graph = graph_of(towns.lattice(8, 8, 3))
    ragged = np.where(np.arange(64) % 8 < 3, 0, 1)
    plain, _ = refine(graph, ragged, 2, Price(), moves=50_000, hot=0.2, cold=0.01, seed=1)
    assert (plain != ragged).any()
    held, cost = refine(
        graph, ragged, 2, Price(), moves=50_000, hot=0.2, cold=0.01, seed=1,
        home=ragged, away=np.full(64, 1e3),
    )  # fmt: skip
    assert (held == ragged).all()
    assert cost == pytest.approx(naive_price(graph, held, 2, Price()))


def test_homes_that_cost_nothing_change_nothing() -> None:
    graph = graph_of(towns.lattice(8, 8, 3))
    start = np.where(np.arange(64) % 8 < 3, 0, 1)
    settings_ = {"moves": 20_000, "hot": 0.2, "cold": 0.01, "seed": 3}
    plain, cost = refine(graph, start, 2, Price(), **settings_)
    free, same = refine(graph, start, 2, Price(), **settings_, home=1 - start, away=np.zeros(64))
    assert plain.tobytes() == free.tobytes()
    assert cost == same


def test_the_way_home_is_found_and_priced() -> None:
    graph = graph_of(towns.lattice(6, 6, 2))
    home = np.where(np.arange(36) % 6 < 3, 0, 1)
    start = np.where(np.arange(36) % 6 < 2, 0, 1)
    free = Price(balance=0.0, shape=0.0, walk=0.0, lines=0.0)
    away = np.full(36, 0.5)
    found, cost = refine(
        graph, start, 2, free, moves=20_000, hot=1e-6, cold=1e-9, seed=0, home=home, away=away
    )
    assert (found == home).all()
    assert cost == 0.0
    _, priced = refine(
        graph, start, 2, free, moves=0, hot=1e-6, cold=1e-9, seed=0, home=home, away=away
    )
    assert priced == 0.5 * 6
