"""What stays whole: caps, bridging of sets in pieces, settlements found by density."""

from __future__ import annotations

import numpy as np
import pytest
import towns
from hypothesis import given
from hypothesis import strategies as st

from planning import sets
from planning.graph import graph_of
from planning.settings import Settings


@pytest.mark.parametrize(
    ("households", "persons", "settings", "over"),
    [
        (300, 1500, Settings(), False),  # at the cap is within it
        (300, 1501, Settings(), True),
        (9999, 10, Settings(), False),  # no cap on households by default
        (501, 0, Settings(max_households=500), True),
        (500, 0, Settings(max_households=500), False),
        (9999, 9999, Settings(max_persons=None), False),
    ],
)
def test_exceeding_a_cap(
    households: int, persons: int, settings: Settings, over: bool
) -> None:
    assert sets.exceeds(households, persons, settings) is over


def test_sets_too_large_are_named_by_their_sum() -> None:
    units = towns.units(
        "ABCDE", {"A": 200, "B": 200, "C": 400, "D": 5},
        whole={"A": 3, "B": 3, "C": 8, "D": 1},
    )
    assert sets.too_large(units, Settings(max_households=400)).tolist() == []
    assert sets.too_large(units, Settings(max_households=399)).tolist() == [3, 8]
    assert sets.too_large(towns.lattice(2, 2), Settings()).tolist() == []


def test_persons_unknown_exceed_nothing() -> None:
    units = towns.units("AB", 9999, whole={"A": 0, "B": 0})
    assert sets.too_large(units, Settings()).tolist() == []


def test_a_set_in_one_piece_is_one_node() -> None:
    units = towns.units("ABC\nDEF", 1)
    node = sets.nodes_of(graph_of(units), np.array([7, 7, -1, 7, -1, -1]))
    assert node[0] == node[1] == node[3]
    assert len(set(node)) == 4


def test_pieces_of_a_set_are_joined_over_empty_ground() -> None:
    units = towns.units("ABC", {"A": 10, "C": 10})
    assert len(set(sets.nodes_of(graph_of(units), np.array([1, -1, 1])))) == 1


def test_pieces_are_not_joined_over_others_homes() -> None:
    units = towns.units("ABC", {"A": 10, "B": 9, "C": 10})
    assert len(set(sets.nodes_of(graph_of(units), np.array([1, -1, 1])))) == 3


def test_pieces_are_not_joined_over_another_set() -> None:
    units = towns.units("ABC", {"A": 10, "C": 10})
    node = sets.nodes_of(graph_of(units), np.array([1, 0, 1]))
    assert len(set(node)) == 3


def test_pieces_that_nothing_joins_stay_apart() -> None:
    units = towns.of_polygons(towns.lattice(3, 1).geometry[[0, 2]], [5, 5])
    assert len(set(sets.nodes_of(graph_of(units), np.array([4, 4])))) == 2


@given(
    st.integers(2, 5), st.integers(2, 4), st.integers(1, 4), st.integers(0, 2**32 - 1)
)
def test_nodes_never_mix_sets_and_hang_together(
    columns: int, rows: int, count: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    units = towns.lattice(columns, rows, random.integers(0, 20, columns * rows))
    whole = random.integers(-1, count, len(units))
    graph = graph_of(units)
    node = sets.nodes_of(graph, whole)
    assert sorted(set(node)) == list(range(node.max() + 1))
    near = towns.neighbours(graph)
    for members in towns.grids_of(node, node.max() + 1):
        assert towns.in_one_piece(near, members)
        held = {int(whole[i]) for i in members}
        assert len(held - {-1}) <= 1
        if held == {-1}:
            assert len(members) == 1
    for a, others in enumerate(near):  # neighbours of one set are never parted
        assert all(node[a] == node[b] for b in others if whole[a] >= 0 and whole[a] == whole[b])


def test_a_hamlet_is_found_and_a_town_is_not() -> None:
    # two clusters of nine houses 25 m apart, 500 m from each other; a lone house between
    places = [(x * 25.0, y * 25.0) for x in range(3) for y in range(3)]
    xy = [*places, *((x + 500.0, y) for x, y in places), (250.0, 0.0)]
    polygons = np.array([towns.shapely.box(x, y, x + 20, y + 20) for x, y in xy])
    units = towns.of_polygons(polygons, np.ones(len(xy)))
    found = sets.settlements(units, 300.0)
    assert len(set(found[:9])) == len(set(found[9:18])) == 1
    assert found[0] != found[9]
    assert found[18] == -1
    assert (sets.settlements(units, 8.0) == -1).all()  # nine households are then a town


def test_cohesion_prices_only_borders_inside_a_settlement() -> None:
    graph = graph_of(towns.units("ABC", 1, cell=10.0))
    dearer = sets.cohere(graph, np.array([0, 0, -1]))
    assert (dearer.off_line - graph.off_line).tolist() == [20.0, 20.0, 0.0, 0.0]


def test_kept_whole() -> None:
    number = np.array([5, 5, 2, 2, -1, 9])
    households = np.array([1, 0, 3, 4, 5, 0])  # 5 has people in one unit only; 9 has nobody
    kept = sets.kept_whole(number, households, np.array([0, 1, 0, 1, 2, 0]))
    assert kept.tolist() == [False, True]
    nobody = sets.kept_whole(np.full(3, -1), np.ones(3, dtype=int), np.zeros(3, dtype=int))
    assert nobody.tolist() == []


@given(
    st.lists(
        st.tuples(st.integers(-1, 4), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=30
    )
)
def test_a_set_is_whole_where_its_people_are_in_one_grid(
    units: list[tuple[int, int, int]],
) -> None:
    number, households, label = np.array(units).T
    lived = {n for n, people, _ in units if n >= 0 and people}
    grids = [{g for m, people, g in units if m == n and people} for n in sorted(lived)]
    assert sets.kept_whole(number, households, label).tolist() == [len(g) == 1 for g in grids]
