"""Bounds on moved work: never above what exact models and complete enumeration reach."""

from __future__ import annotations

from itertools import product

import beat_boards as boards
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import beats_exact
from benchmarks.beats_bound import least_moved_across
from planning.beats.bounds import least_moved, least_moved_whole
from planning.beats.ground import load_beat_ground
from planning.beats.judge import frame
from planning.beats.rules import node_graph
from planning.beats.settings import BeatSettings
from planning.graph import Graph

ROWS, COLUMNS = 2, 4
LETTERS = "AABC\nAABC"
PAIRS = np.array(
    [(r * COLUMNS + c, r * COLUMNS + c + 1) for r in range(ROWS) for c in range(COLUMNS - 1)]
    + [(c, COLUMNS + c) for c in range(COLUMNS)]
)
HOME = np.array(["ABC".index(letter) for letter in "".join(LETTERS.split())])


def connected(members: np.ndarray) -> bool:
    if not len(members):
        return False
    inside, todo, seen = set(members.tolist()), [int(members[0])], set()
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += [b for a, b in (*PAIRS.tolist(), *PAIRS[:, ::-1].tolist())
                     if a == here and b in inside]  # fmt: skip
    return seen == inside


ALL = [
    np.array(label)
    for label in product(range(3), repeat=ROWS * COLUMNS)
    if all(connected(np.flatnonzero(np.array(label) == beat)) for beat in range(3))
]


def graph_of(work: np.ndarray) -> Graph:
    ground = load_beat_ground(boards.plan_of(ROWS, COLUMNS, households=work, persons=None))
    settings = BeatSettings(beats=3)
    keep = np.ones(len(ground), dtype=bool)
    return node_graph(frame(ground, settings, 3).rules, keep, ground, work.sum() / 3)[0]


@given(
    work=st.lists(st.integers(1, 60), min_size=8, max_size=8),
    band=st.sampled_from([0.05, 0.1, 0.3]),
)
def test_no_division_moves_less_than_the_bounds(work: list[int], band: float) -> None:
    held = np.array(work) / (sum(work) / 3)
    low, high = np.full(3, 1 - band), np.full(3, 1 + band)
    reached = [
        held[label != HOME].sum()
        for label in ALL
        if (np.abs(np.bincount(label, weights=held) - 1) <= band + 1e-9).all()
    ]
    if not reached:
        return
    plain = least_moved(held, HOME, low, high, 0.0)
    whole = least_moved_whole(held, HOME, low, high, 0.0)
    joined = least_moved_whole(held, HOME, low, high, 0.0, PAIRS)
    across = least_moved_across(graph_of(np.array(work)), HOME, 3, band)
    assert plain <= whole + 1e-12
    assert whole <= joined + 1e-12
    assert joined <= min(reached) + 1e-9
    assert across <= min(reached) + 1e-6


@given(
    work=st.lists(st.integers(1, 60), min_size=8, max_size=8),
    homeless=st.sets(st.integers(0, 7), min_size=1, max_size=3),
)
def test_grids_without_a_beat_do_not_count_as_moved(work: list[int], homeless: set[int]) -> None:
    held = np.array(work) / (sum(work) / 3)
    home = HOME.copy()
    home[list(homeless)] = -1
    low, high = np.full(3, 0.7), np.full(3, 1.3)
    free = float(held[home < 0].sum())
    bound = least_moved_whole(held, home, low, high, free, PAIRS)
    for label in ALL:
        if (np.abs(np.bincount(label, weights=held) - 1) <= 0.3 + 1e-9).all():
            assert bound <= held[(home >= 0) & (label != home)].sum() + 1e-9


def test_a_gain_is_joined_grid_by_grid() -> None:
    # a row of grids: the beat of the first two lacks 3, and the light grid is two steps away
    work = np.array([3.0, 3.0, 9.0, 3.0, 3.0, 3.0])
    home = np.array([0, 0, 1, 1, 1, 1])
    pairs = np.column_stack([np.arange(5), np.arange(1, 6)])
    low, high = np.array([9.0, 0.0]), np.array([np.inf, np.inf])
    assert least_moved_whole(work, home, low, high, 0.0) == pytest.approx(3.0)
    # to gain nothing of today's but its band's lower end is as good as the heavy neighbour
    assert least_moved_whole(work, home, low, high, 0.0, pairs) == pytest.approx(9.0)
    heavy = np.array([3.0, 3.0, 5.0, 3.0, 3.0, 3.0])
    assert least_moved_whole(heavy, home, low, high, 0.0, pairs) == pytest.approx(5.0)


def test_work_that_crosses_a_beat_is_paid_there_too() -> None:
    # the left column has too much, the right one too little, and they do not touch
    work = np.array([100, 25, 25, 30, 35, 25, 25, 35])
    home = np.array([0, 1, 1, 2, 0, 1, 1, 2])
    graph = graph_of(work)
    low, high = np.full(3, 0.9), np.full(3, 1.1)
    plain = least_moved(graph.households, home, low, high, 0.0)
    whole = least_moved_whole(graph.households, home, low, high, 0.0, PAIRS)
    across = least_moved_across(graph, home, 3, 0.1)
    _, best = beats_exact.least_change(graph, home, 3, 0.1)
    assert [plain, across, best] == pytest.approx([0.25, 0.60, 0.60], abs=1e-3)
    assert whole == pytest.approx(0.35, abs=1e-3)
