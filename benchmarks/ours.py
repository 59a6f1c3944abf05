"""The project's own engine as one more row: an instance as a graph, then ``partition``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.instance import Floats, Instance, Ints
from benchmarks.peers import Answer

if TYPE_CHECKING:
    from planning.graph import Graph


def graph_of_instance(instance: Instance) -> Graph:
    """The instance in the engine's own form; persons unknown, so no cap on persons binds."""
    from planning.graph import Graph

    n = len(instance.households)
    pairs = np.r_[instance.edges, instance.edges[:, ::-1]]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    start = np.zeros(n + 1, dtype=np.int64)
    start[1:] = np.cumsum(np.bincount(pairs[:, 0], minlength=n))
    length = np.r_[instance.border, instance.border][order]
    on_road = np.r_[instance.on_road, instance.on_road][order]
    return Graph(
        indptr=start,
        indices=pairs[order, 1],
        length=length,
        off_line=length * (1.0 - on_road),
        households=instance.households.astype(float),
        persons=np.zeros(n),
        x=instance.points[:, 0].copy(),
        y=instance.points[:, 1].copy(),
        spread=np.zeros(n),
        area=instance.area,
        outer=instance.outer,
    )


def gridwright(instance: Instance, seed: int) -> Answer:
    """``planning.partition.partition`` with its default settings.

    Where there are roads it is given the blocks between them, as the program gives them for a
    village that has a road layer.
    """
    from planning.partition import partition
    from planning.settings import Settings

    graph = graph_of_instance(instance)
    block = blocks(instance) if instance.on_road.any() else None
    labels = partition(graph, instance.k, Settings(), seed, block)
    return Answer(np.asarray(labels, dtype=np.int64))


def blocks(instance: Instance) -> Ints:
    """(n,) the block between roads that each unit lies in: what is joined off the roads."""
    n = len(instance.households)
    a, b = instance.edges[instance.on_road == 0].T
    number = connected_components(coo_array((np.ones(len(a)), (a, b)), (n, n)), directed=False)[1]
    return number.astype(np.int64)


def prices(instance: Instance, plans: NDArray[np.int8]) -> Floats:
    """(m,) the price our search would pay for each plan under default settings.

    The search's own sum, with no move tried, so the gap to the cheapest of all plans is the gap
    of the search itself: it does not depend on which of the aims a reader cares for.
    """
    from planning.partition import price_of
    from planning.search import refine
    from planning.settings import Settings

    graph = graph_of_instance(instance)
    price = price_of(Settings(), with_lines=bool(instance.on_road.any()))
    labels = plans.astype(np.int64)
    found = [
        refine(graph, plan, instance.k, price, moves=0, hot=1.0, cold=1.0, seed=0)[1]
        for plan in labels
    ]
    return np.array(found)
