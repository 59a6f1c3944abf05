"""Divisions to start the search from: today's beats, METIS, power diagrams."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from planning.beats.anneal import Area
from planning.graph import Graph, IntArray
from planning.start import centres_of, metis_start, power_start, repair


def todays_start(area: Area, k: int) -> IntArray:
    """Today's beats, filled up and mended to exactly k in one piece each."""
    return repair(area.graph, fill(area.graph, area.home), k)


def starts_of(area: Area, k: int, seed: int, runs: int) -> list[IntArray]:
    """Labels to start from: today's beats if any, METIS, power diagrams."""
    graph = area.graph
    metis = _matched(metis_start(graph, k, seed), area, k)
    starts = [metis, _matched(power_start(graph, k, centres_of(graph, metis, k)), area, k)]
    if (area.home >= 0).any():
        starts.insert(0, todays_start(area, k))
    generator = np.random.default_rng(seed)
    chance = (graph.households + 1e-3) / (graph.households + 1e-3).sum()
    while len(starts) < runs:
        sites = generator.choice(len(graph), k, replace=False, p=chance)
        place = np.column_stack([graph.x, graph.y])[sites]
        starts.append(_matched(power_start(graph, k, place, rounds=8), area, k))
    return starts[: max(runs, 1)]


def _matched(label: IntArray, area: Area, k: int) -> IntArray:
    """The same division, its labels those of today's beats that they share most work with."""
    known = area.home >= 0
    shared = np.zeros((k, k))
    mass = area.graph.households + 1e-6
    np.add.at(shared, (label[known], area.home[known]), mass[known])
    old, new = linear_sum_assignment(shared, maximize=True)
    name = np.empty(k, dtype=np.int64)
    name[old] = new
    return name[label]


def fill(graph: Graph, label: IntArray) -> IntArray:
    """Labels for the nodes without one (-1): ring by ring, the neighbour with most border."""
    label = label.copy()
    source = graph.source
    while (label < 0).any():
        rows = (label[source] < 0) & (label[graph.indices] >= 0)
        if not rows.any():
            label[label < 0] = 0
            break
        width = int(label.max()) + 1
        pair, row = np.unique(
            source[rows] * width + label[graph.indices[rows]], return_inverse=True
        )
        shared = np.bincount(row, weights=graph.length[rows] + 1e-9)
        order = np.lexsort((-(pair % width), shared, pair // width))
        label[pair[order] // width] = pair[order] % width
    return label
