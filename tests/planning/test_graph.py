"""The algebra of labels: contracting and inducing lose no household and no metre."""

from __future__ import annotations

import numpy as np
import pytest
import towns
from hypothesis import given
from hypothesis import strategies as st

from planning.graph import Graph, contract, graph_of, induce


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    columns, rows = draw(st.integers(2, 5)), draw(st.integers(1, 5))
    n = columns * rows
    held = draw(st.lists(st.integers(0, 60), min_size=n, max_size=n))
    return graph_of(towns.lattice(columns, rows, held))


def perimeters(graph: Graph) -> np.ndarray:
    return np.asarray(
        graph.outer + np.bincount(graph.source, weights=graph.length, minlength=len(graph))
    )


def moment(graph: Graph) -> float:
    """Summed squared distance of all households from the origin."""
    return float((graph.spread + graph.households * (graph.x**2 + graph.y**2)).sum())


def test_graph_reads_like_its_picture() -> None:
    units = towns.units("AAB\nACC", {"A": 3, "B": 5}, roads=[[(2, 2), (2, 1)]], cell=10.0)
    graph = graph_of(units)
    assert graph.indptr.tolist() == [0, 2, 4, 6]
    assert graph.indices.tolist() == [1, 2, 0, 2, 0, 1]
    assert graph.length.tolist() == [10, 20, 10, 10, 20, 10]
    assert graph.off_line.tolist() == [0, 20, 0, 10, 20, 10]
    assert graph.outer.tolist() == [50, 20, 30]
    assert graph.households.tolist() == [3, 5, 0]
    assert graph.persons.tolist() == [0, 0, 0]


@given(graphs(), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_contracting_conserves(graph: Graph, m: int, seed: int) -> None:
    label = np.random.default_rng(seed).integers(0, m, len(graph))
    label = np.unique(label, return_inverse=True)[1]
    small = contract(graph, label)
    for name in ("households", "persons", "area"):
        assert getattr(small, name).sum() == pytest.approx(getattr(graph, name).sum())
    assert small.outer.sum() == pytest.approx(graph.outer.sum())
    cut = label[graph.source] != label[graph.indices]
    assert small.length.sum() == pytest.approx(graph.length[cut].sum())
    assert small.off_line.sum() == pytest.approx(graph.off_line[cut].sum())
    assert moment(small) == pytest.approx(moment(graph))
    near = towns.neighbours(small)
    expected = {
        (int(label[a]), int(label[b]))
        for a, others in enumerate(towns.neighbours(graph))
        for b in others
        if label[a] != label[b]
    }
    assert {(a, b) for a, others in enumerate(near) for b in others} == expected


@given(graphs(), st.integers(0, 2**32 - 1))
def test_contracting_twice_is_contracting_once(graph: Graph, seed: int) -> None:
    random = np.random.default_rng(seed)
    first = np.unique(random.integers(0, 8, len(graph)), return_inverse=True)[1]
    second = np.unique(random.integers(0, 3, first.max() + 1), return_inverse=True)[1]
    step, once = contract(contract(graph, first), second), contract(graph, second[first])
    for name in ("indptr", "indices", "length", "households", "area", "outer"):
        assert getattr(step, name) == pytest.approx(getattr(once, name)), name
    lived = once.households > 0
    assert step.x[lived] == pytest.approx(once.x[lived])
    assert step.spread == pytest.approx(once.spread, abs=1e-6)


@given(graphs(), st.integers(0, 2**32 - 1))
def test_inducing_keeps_every_perimeter(graph: Graph, seed: int) -> None:
    chosen = np.flatnonzero(np.random.default_rng(seed).random(len(graph)) < 0.6)
    if not len(chosen):
        return
    part = induce(graph, chosen)
    assert perimeters(part) == pytest.approx(perimeters(graph)[chosen])
    for name in ("households", "persons", "x", "y", "spread", "area"):
        assert np.array_equal(getattr(part, name), getattr(graph, name)[chosen])
    whole = towns.neighbours(graph)
    place = {int(node): i for i, node in enumerate(chosen)}
    assert towns.neighbours(part) == [
        {place[other] for other in whole[int(node)] if other in place} for node in chosen
    ]


def test_one_label_is_one_node_without_borders() -> None:
    graph = contract(graph_of(towns.lattice(3, 3, 2)), np.zeros(9, dtype=np.int64))
    assert len(graph) == 1
    assert len(graph.indices) == 0
    assert graph.outer.tolist() == [600.0]
    assert graph.households.tolist() == [18.0]


def test_a_place_without_households_is_the_middle_of_its_ground() -> None:
    graph = contract(graph_of(towns.lattice(3, 1, 0)), np.zeros(3, dtype=np.int64))
    assert (graph.x[0], graph.y[0]) == (75.0, 25.0)
