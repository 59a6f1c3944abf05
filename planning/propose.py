"""The proposal for one village: units in, one grid number per unit out.

Sets that must stay whole become single nodes, an islet too small for a grid is tied to the nearest
ground, what alone exceeds a cap gets a grid of its own; then every connected piece of the village
is partitioned by METIS and by a power diagram, coarsely by blocks and finely by units, and refined
by the search (:mod:`planning.search`). Nothing outside the village is looked at, so no other
village can move its grids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.segments import tally
from geo.units import Units
from planning import sets
from planning.graph import FloatArray, Graph, IntArray, contract, graph_of, induce
from planning.partition import Effort, partition, village_seed
from planning.parts import apportion, tie, tie_small
from planning.settings import Settings
from planning.start import pieces

TRIES = 4  # seeds tried before a cap is given up with so many grids
MORE_GRIDS = 3  # how many grids beyond the formula are tried before a cap is given up


@dataclass(frozen=True)
class Proposal:
    """Labels 0..k-1 per unit and what had to be decided on the way.

    ``dedicated`` (k,) the dedicated grid's number or -1. ``ideal`` (k,) the households each grid
    would hold if its piece of the village were shared evenly. ``given`` the number of grids that
    was asked for by formula or planner; ``joined`` (k,) islets tied to the grid; ``alone`` (k,)
    whether it is a single place that exceeds a cap; ``settlement`` (n,) numbers found by density.
    """

    label: IntArray
    dedicated: IntArray
    ideal: FloatArray
    given: int
    joined: IntArray
    alone: NDArray[np.bool_]
    settlement: IntArray

    @property
    def k(self) -> int:
        """Number of grids, dedicated ones included."""
        return len(self.ideal)


def propose(units: Units, settings: Settings, effort: Effort | None = None) -> Proposal:
    """Grids for one village. Every unit gets one; the result depends on nothing else.

    Raises nothing: where rules contradict each other the plan is complete all the same, and
    :func:`planning.rules.exceptions` says which rule it breaks and why.
    """
    effort = effort or Effort()
    whole = units.whole.copy()
    whole[np.isin(whole, sets.too_large(units, settings))] = -1
    # a set that was too large, or none named at all: hold settlements together softly
    settlement = np.full(len(units), -1, dtype=np.int64)
    graph = graph_of(units)
    if not (units.whole >= 0).any():
        settlement = sets.settlements(units, float(settings.target))
        graph = sets.cohere(graph, settlement)
    node = np.full(len(units), -1, dtype=np.int64)
    open_units = np.flatnonzero(units.dedicated < 0)
    label = np.full(len(units), -1, dtype=np.int64)
    outcome = Outcome()
    if len(open_units):
        ground = induce(graph, open_units)
        node[open_units] = sets.nodes_of(ground, whole[open_units])
        free = contract(ground, node[open_units])
        block = np.zeros(len(free), dtype=np.int64)
        block[node[open_units]] = units.block[open_units]
        near = np.full(len(free), -1, dtype=np.int64)
        near[node[open_units]] = settlement[open_units]
        asked = settings.grids_per_village.get(units.code)
        seed = village_seed(units.code, settings.seed)
        of_node = divide(free, block, near, asked, settings, effort, seed, outcome)
        label[open_units] = of_node[node[open_units]]
    return outcome.finish(units, label, settlement)


class Outcome:
    """What the partition of the pieces decided, gathered grid by grid."""

    def __init__(self) -> None:
        self.ideal: list[float] = []
        self.alone: list[bool] = []
        self.given = 0

    def add(self, ideal: float, *, alone: bool = False) -> int:
        """A new grid and the households it should hold; returns its label."""
        self.ideal.append(ideal)
        self.alone.append(alone)
        return len(self.ideal) - 1

    def finish(self, units: Units, label: IntArray, settlement: IntArray) -> Proposal:
        """Give the dedicated ground its grids and put the proposal together."""
        comprehensive = len(self.ideal)
        dedicated = [-1] * comprehensive
        for number in np.unique(units.dedicated[units.dedicated >= 0]):
            label[units.dedicated == number] = self.add(0.0)
            dedicated.append(int(number))
        k = len(self.ideal)
        ground = graph_of(units)
        piece = pieces(ground, label)
        count = np.unique(np.column_stack([label, piece]), axis=0)[:, 0]
        return Proposal(
            label=label,
            dedicated=np.array(dedicated, dtype=np.int64),
            ideal=np.array(self.ideal),
            given=self.given,
            joined=np.bincount(count, minlength=k) - 1,
            alone=np.array(self.alone, dtype=bool),
            settlement=settlement,
        )


def divide(
    graph: Graph,
    block: IntArray,
    settlement: IntArray,
    asked: int | None,
    settings: Settings,
    effort: Effort,
    seed: int,
    outcome: Outcome,
) -> IntArray:
    """Grid of every node of some ground, in one piece or several; grids are told to ``outcome``.

    ``asked`` the number of grids a planner fixed, None for the formula.
    """
    label = np.full(len(graph), -1, dtype=np.int64)
    alone = np.array(
        [
            sets.exceeds(h, p, settings)
            for h, p in zip(graph.households, graph.persons, strict=True)
        ],
        dtype=bool,
    )
    for giant in np.flatnonzero(alone):
        label[giant] = outcome.add(float(graph.households[giant]), alone=True)
    rest = np.flatnonzero(~alone)
    if not len(rest):
        outcome.given = asked or len(outcome.ideal)
        return label
    total = graph.households[rest].sum()
    people = graph.persons[rest].sum()
    formula = settings.grids_of(int(total), int(people) if people > 0 else -1)
    number = max(1, asked - int(alone.sum())) if asked else formula
    outcome.given = asked or number + int(alone.sum())
    ground = tie(induce(graph, rest))
    piece = pieces(ground, np.zeros(len(rest), dtype=np.int64))
    shares = apportion(
        tally(piece, ground.households, int(piece.max()) + 1),
        tally(piece, np.ones(len(rest)), int(piece.max()) + 1),
        number,
        fixed=asked is not None,
    )
    if len(shares) > 1:
        ground, piece, shares = tie_small(ground, piece, shares)
    for i, k in enumerate(shares):
        members = np.flatnonzero(piece == i)
        if not len(members):
            continue
        part = induce(ground, members)
        grids, k = _with_caps(
            part, block[rest[members]], settlement[rest[members]], int(k), asked is None,
            settings, effort, seed + i,
        )
        offset = len(outcome.ideal)
        for _ in range(k):
            outcome.add(float(part.households.sum() / k))
        label[rest[members]] = grids + offset
    return label


def _with_caps(
    graph: Graph,
    block: IntArray,
    settlement: IntArray,
    k: int,
    may_add: bool,
    settings: Settings,
    effort: Effort,
    seed: int,
) -> tuple[IntArray, int]:
    """Partition into k grids, or a few more where k cannot keep the caps and nobody fixed k."""
    k = min(k, len(graph))
    first = None
    numbers = range(k, min(k + (MORE_GRIDS if may_add else 0), len(graph)) + 1)
    for number, turn in ((number, turn) for number in numbers for turn in range(TRIES)):
        # a second and third seed cost little beside one grid more, which needs staff for years
        label = partition(
            graph, number, settings, seed + 7919 * turn, block, settlement, effort
        )
        first = label if first is None else first
        households = np.bincount(label, weights=graph.households)
        persons = np.bincount(label, weights=graph.persons)
        if not any(
            sets.exceeds(h, p, settings) for h, p in zip(households, persons, strict=True)
        ):
            return label, number
    assert first is not None
    return first, k
