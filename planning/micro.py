"""Micro-grids (微网格): the same engine once more, inside each grid.

30 to 100 households, 60 by default; each lies in exactly one grid; a building is the smallest
piece, so that one high-rise may be a micro-grid by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.coverage import dissolve
from geo.units import Units
from planning.codes import reading_order
from planning.graph import Graph, IntArray, graph_of, induce
from planning.partition import Effort, village_seed
from planning.propose import Outcome, Proposal, divide
from planning.settings import Settings


def _without_empty(ground: Graph, label: IntArray) -> IntArray:
    """Ground on which nobody lives is no micro-grid: it joins the neighbour with most border.

    It stays where no neighbour has anybody. Labels come back as 0..k-1.
    """
    label = label.copy()
    source, target = ground.source, ground.indices
    for empty in np.unique(label).tolist():
        lived = np.bincount(label, weights=ground.households)
        if lived[empty] > 0:
            continue
        beside = (label[source] == empty) & (label[target] != empty) & (lived[label[target]] > 0)
        if beside.any():
            shared = np.bincount(label[target[beside]], weights=ground.length[beside])
            label[label == empty] = int(shared.argmax())
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class MicroGrids:
    """The micro-grids of one village.

    ``label`` (n,) micro-grid of each unit, 0..m-1; ``grid`` (m,) the grid each lies in;
    ``number`` (m,) its number within the grid from 1; ``outlines`` (m,) polygons.
    """

    label: IntArray
    grid: IntArray
    number: IntArray
    outlines: NDArray[np.object_]


# many short walks: the same balance and shape as long ones on graphs of some forty nodes, in two
# thirds of the time (docs/performance.md)
_EFFORT = Effort(coarse_moves=120, fine_moves=120, least_moves=2500, cold=0.01)


def micro_grids(units: Units, proposal: Proposal, settings: Settings) -> MicroGrids:
    """Divide every comprehensive grid into micro-grids of ``settings.micro`` households.

    A grid's units in several pieces are divided piece by piece. Dedicated grids have none: their
    units carry the label -1. Raises ValueError where the settings ask for no micro-grids.
    """
    if settings.micro is None:
        raise ValueError("the settings ask for no micro-grids")
    finer = replace(
        settings,
        target=settings.micro,
        min_households=None,
        max_households=None,
        max_persons=None,
        grids_per_village={},
    )
    graph = graph_of(units)
    label = np.full(len(units), -1, dtype=np.int64)
    grids: list[int] = []
    numbers: list[int] = []
    for grid in np.flatnonzero(proposal.dedicated < 0):
        members = np.flatnonzero(proposal.label == grid)
        ground = induce(graph, members)
        outcome = Outcome()
        seed = village_seed(f"{units.code}/{grid}", settings.seed)
        free = np.full(len(members), -1, dtype=np.int64)
        own = divide(ground, units.block[members], free, None, finer, _EFFORT, seed, outcome)
        own = _without_empty(ground, own)
        k = int(own.max()) + 1
        mass = np.bincount(own, weights=units.area[members], minlength=k)
        x = np.bincount(own, weights=units.area[members] * units.x[members], minlength=k) / mass
        y = np.bincount(own, weights=units.area[members] * units.y[members], minlength=k) / mass
        place = np.empty(k, dtype=np.int64)
        place[reading_order(x, y)] = np.arange(k)
        label[members] = len(grids) + place[own]
        grids += [int(grid)] * k
        numbers += range(1, k + 1)
    held = label >= 0
    return MicroGrids(
        label=label,
        grid=np.array(grids, dtype=np.int64),
        number=np.array(numbers, dtype=np.int64),
        outlines=dissolve(units.geometry[held], label[held]),
    )
