"""Which units a proposal may part, and which it moves as one node.

Compounds, natural villages and village groups under the caps are contracted to one node; a set in
several pieces is joined over empty ground between them where that is possible. Where nobody named
the settlements, :func:`settlements` finds them by density, and the search pays for cutting one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.units import Units
from planning.graph import Graph, IntArray
from planning.settings import Settings
from planning.start import pieces

BRIDGE_SHARE = 0.1  # of a set's households may be drawn in on the way between its pieces
NEAR_M = 60.0  # houses of one settlement stand nearer than this to four others
COHESION = 2.0  # extra price of a metre of border through a settlement


def exceeds(households: float, persons: float, settings: Settings) -> bool:
    """Whether so many in one grid break a cap of the settings."""
    over_households = (
        settings.max_households is not None and households > settings.max_households
    )
    return over_households or (settings.max_persons is not None and persons > settings.max_persons)


def too_large(units: Units, settings: Settings) -> IntArray:
    """Numbers of the must-stay-together sets that alone exceed a cap."""
    named = units.whole >= 0
    number, row = np.unique(units.whole[named], return_inverse=True)
    households = np.bincount(row, weights=units.households[named])
    persons = np.bincount(row, weights=np.maximum(units.persons[named], 0))
    over = [exceeds(h, p, settings) for h, p in zip(households, persons, strict=True)]
    return number[np.array(over, dtype=bool)] if len(number) else number


def nodes_of(graph: Graph, whole: IntArray) -> IntArray:
    """Node number of each unit, 0..m-1: each piece of a set is one node, other units their own.

    ``whole`` (n,) set numbers, -1 free. Pieces of one set are joined over free units where these
    hold at most a tenth of the set's households, so that it becomes one node.
    """
    owner = np.where(whole >= 0, whole, -np.arange(1, len(whole) + 1))
    owner = _bridge(graph, owner)
    return np.unique(pieces(graph, owner), return_inverse=True)[1].astype(np.int64)


def _bridge(graph: Graph, owner: IntArray) -> IntArray:
    """Draw free units between the pieces of a set into it, cheapest way first."""
    piece = pieces(graph, owner)
    named = owner >= 0
    number, count = np.unique(owner[named], return_counts=True)
    split = [
        s for s, n in zip(number, count, strict=True) if n > 1 and len(set(piece[owner == s])) > 1
    ]
    if not split:
        return owner
    owner = owner.copy()
    source = graph.source
    for number in split:
        allowed = (owner < 0) | (owner == number)
        cost = 1e-3 + graph.households * (owner != number)
        usable = allowed[source] & allowed[graph.indices]
        shape = (len(graph), len(graph))
        links = csr_array(
            (cost[graph.indices][usable], (source[usable], graph.indices[usable])), shape=shape
        )
        members = np.flatnonzero(owner == number)
        parts = piece[members]
        main = np.bincount(parts, weights=graph.households[members] + 1e-6).argmax()
        budget = BRIDGE_SHARE * graph.households[members].sum()
        reach, before, _ = dijkstra(
            links, indices=members[parts == main], min_only=True, return_predecessors=True
        )
        for part in np.unique(parts[parts != main]):
            ends = members[parts == part]
            end = int(ends[np.argmin(reach[ends])])
            if not np.isfinite(reach[end]) or reach[end] > budget + 0.1:
                continue
            budget -= reach[end]
            while end >= 0:
                owner[end] = number
                end = int(before[end])
    return owner


def settlements(units: Units, limit: float) -> IntArray:
    """Settlement number of each unit by density (DBSCAN), -1 outside; shape (n,).

    A cluster of more than ``limit`` households is a town, not a hamlet, and is left out: nobody
    expects it whole. Wrong where houses line a road without end: one long cluster, left out too.
    """
    # imported where it is needed: it takes longer than most villages, and most need it not
    from sklearn.cluster import DBSCAN

    found = np.full(len(units), -1, dtype=np.int64)
    lived = np.flatnonzero((units.households > 0) & (units.dedicated < 0))
    if len(lived) < 5:
        return found
    place = np.column_stack([units.x[lived], units.y[lived]])
    found[lived] = DBSCAN(eps=NEAR_M, min_samples=5, algorithm="ball_tree").fit_predict(place)
    number = np.flatnonzero(
        np.bincount(found[lived] + 1, weights=units.households[lived])[1:] > limit
    )
    found[np.isin(found, number)] = -1
    return found


def cohere(graph: Graph, settlement: IntArray) -> Graph:
    """The graph with borders through a settlement priced :data:`COHESION` times higher."""
    source = graph.source
    within = (settlement[source] >= 0) & (settlement[source] == settlement[graph.indices])
    extra = np.where(within, COHESION * graph.length, 0.0)
    return replace(graph, off_line=graph.off_line + extra)


def kept_whole(number: IntArray, households: IntArray, label: IntArray) -> NDArray[np.bool_]:
    """For each set number 0.. (ascending, as np.unique): whether one grid holds all its people."""
    named = (number >= 0) & (households > 0)
    _, row = np.unique(number[named], return_inverse=True)
    grids = label.max(initial=0) + 1
    pairs = np.unique(row * grids + label[named])  # a set and a grid that holds some of it
    return np.asarray(np.bincount(pairs // grids) == 1)
