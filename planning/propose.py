"""The proposal for one village: units in, one grid number per unit out.

Sets that must stay whole become single nodes, an islet too small for a grid is tied to the nearest
ground, what alone exceeds a cap gets a grid of its own; then every connected piece of the village
is partitioned by METIS and by a power diagram, coarsely by blocks and finely by units, and refined
by the search (:mod:`planning.search`). Nothing outside the village is looked at, so no other
village can move its grids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.segments import tally
from geo.units import Units
from planning import sets
from planning.graph import FloatArray, Graph, IntArray, contract, graph_of, induce
from planning.search import Price, refine
from planning.settings import Settings
from planning.start import centres_of, metis_start, pieces, power_start

PLAIN_BAND = 0.06  # imbalance that the search hardly minds, without lines to follow
LINED_BAND = 0.07  # and with lines
COARSE_SHARE = 0.34  # blocks under this share of an ideal grid move as one, at first
TRIES = 4  # seeds tried before a cap is given up with so many grids
MORE_GRIDS = 3  # how many grids beyond the formula are tried before a cap is given up


@dataclass(frozen=True)
class Effort:
    """How long to search: moves a node, and the heats between which it cools.

    Graphs of fewer than ``small_graph`` nodes are annealed from up to ``most_runs`` starts: there a
    single walk gets stuck between walls of contiguity, and time is cheap. Where nodes are large
    against a grid (compounds, hamlets), moving one upsets the balance, and the walk starts hotter
    by ``lump_heat`` times the square of the large nodes' share of a grid.
    """

    coarse_moves: int = 500
    fine_moves: int = 350
    least_moves: int = 5_000
    small_graph: int = 400
    most_runs: int = 16
    hot: float = 0.3
    lump_heat: float = 40.0
    warm: float = 0.2
    cold: float = 0.004


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


def village_seed(code: str, seed: int) -> int:
    """A seed of the village's own, so that its grids do not depend on its neighbours' order."""
    return int.from_bytes(blake2b(f"{seed}:{code}".encode(), digest_size=4).digest(), "big")


def price_of(settings: Settings, *, with_lines: bool) -> Price:
    """The search's price for a planner's settings.

    Where there are lines to follow, households may differ by up to a tenth for a border that
    people can see; without lines nothing is gained by it, and the band is narrower.
    """
    return Price(
        balance=settings.balance,
        shape=settings.shape,
        walk=4.0 * settings.walk,
        lines=4.0 * settings.lines,
        band=LINED_BAND if with_lines else PLAIN_BAND,
        max_households=settings.max_households or np.inf,
        max_persons=settings.max_persons or np.inf,
        min_households=float(settings.min_households or 0),
    )


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
        ground, piece, shares = _tie_small(ground, piece, shares)
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


def apportion(
    households: FloatArray, nodes: FloatArray, number: int, *, fixed: bool = False
) -> IntArray:
    """Share ``number`` grids among pieces by households (largest remainder), at least 0 each.

    No piece gets more grids than it has nodes; a piece that gets none is tied to another. At least
    one piece gets one. What a piece cannot hold of its share is dropped, since one tower of 900
    households asks no more grids of its neighbours, unless the number is ``fixed`` by a planner.
    """
    total = households.sum()
    quota = number * households / total if total > 0 else np.zeros(len(households))
    shares = np.floor(quota).astype(np.int64)
    order = np.argsort(-(quota - shares), kind="stable")
    shares[order[: max(0, number - int(shares.sum()))]] += 1
    shares[(quota < 0.5)] = 0
    largest = int(np.lexsort((nodes, households))[-1])
    shares[largest] += max(0, number - int(shares.sum()))
    shares = np.minimum(shares, nodes.astype(np.int64))
    while fixed and shares.sum() < min(number, nodes.sum()):
        room = np.where(shares < nodes, households / (shares + 1), -1.0)
        shares[int(room.argmax())] += 1
    return shares


def _link(graph: Graph, a: IntArray, b: IntArray) -> Graph:
    """The graph with borders of length 0 between nodes that do not touch."""
    source = np.concatenate([graph.source, a, b])
    target = np.concatenate([graph.indices, b, a])
    order = np.lexsort((target, source))
    indptr = np.zeros(len(graph) + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=len(graph)), out=indptr[1:])
    zeros = np.zeros(2 * len(a))
    return replace(
        graph,
        indptr=indptr,
        indices=target[order],
        length=np.concatenate([graph.length, zeros])[order],
        off_line=np.concatenate([graph.off_line, zeros])[order],
    )


def tie(graph: Graph) -> Graph:
    """Tie every uninhabited piece to the nearest node of an inhabited one (a reef, a sandbank)."""
    piece = pieces(graph, np.zeros(len(graph), dtype=np.int64))
    held = np.bincount(piece, weights=graph.households)
    if len(held) == 1:
        return graph
    if not (held > 0).any():
        held[np.bincount(piece, weights=graph.area).argmax()] = 1
    return _tie_to_nearest(graph, piece, held > 0)


def _tie_to_nearest(graph: Graph, piece: IntArray, keeps: NDArray[np.bool_]) -> Graph:
    """Tie each piece that does not keep itself to the nearest node of one that does."""
    place = np.column_stack([graph.x, graph.y])
    hosts = np.flatnonzero(keeps[piece])
    tree = cKDTree(place[hosts])
    a, b = [], []
    for small in np.flatnonzero(~keeps):
        members = np.flatnonzero(piece == small)
        distance, near = tree.query(place[members])
        best = int(np.argmin(distance))
        a.append(members[best])
        b.append(hosts[near[best]])
    return _link(graph, np.array(a, dtype=np.int64), np.array(b, dtype=np.int64))


def _tie_small(
    graph: Graph, piece: IntArray, shares: IntArray
) -> tuple[Graph, IntArray, IntArray]:
    """Tie the pieces that get no grid of their own to the nearest that does."""
    if (shares > 0).all():
        return graph, piece, shares
    tied = _tie_to_nearest(graph, piece, shares > 0)
    new = pieces(tied, np.zeros(len(graph), dtype=np.int64))
    merged = np.zeros(int(new.max()) + 1, dtype=np.int64)
    first = np.unique(piece, return_index=True)[1]
    np.add.at(merged, new[first], shares)
    return tied, new, merged


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


def partition(
    graph: Graph,
    k: int,
    settings: Settings,
    seed: int,
    block: IntArray | None = None,
    settlement: IntArray | None = None,
    effort: Effort | None = None,
) -> IntArray:
    """Labels 0..k-1 of a connected graph's nodes, each grid in one piece.

    ``block`` (n,) and ``settlement`` (n,) group nodes that should move together at first: whole
    blocks between roads, whole hamlets. The coarse plan is found on those groups, then refined
    node by node, so that borders leave the roads only where balance asks for it.
    """
    effort = effort or Effort()
    if k <= 1:
        return np.zeros(len(graph), dtype=np.int64)
    price = price_of(settings, with_lines=bool((graph.off_line < graph.length).any()))
    coarse_of = _coarse(graph, k, block, settlement)
    coarse = graph if coarse_of is None else contract(graph, coarse_of)
    moves = effort.coarse_moves if coarse_of is not None else effort.fine_moves
    best = _best_of_starts(coarse, k, price, moves, seed, effort)
    if coarse_of is None:
        return best
    label, _ = refine(
        graph, best[coarse_of], k, price,
        moves=max(effort.least_moves, effort.fine_moves * len(graph)),
        hot=effort.warm, cold=effort.cold, seed=seed,
    )
    return label


def _best_of_starts(
    graph: Graph, k: int, price: Price, moves: int, seed: int, effort: Effort
) -> IntArray:
    """Refine both starts a little, anneal the better one; small graphs are annealed repeatedly."""
    budget = max(effort.least_moves, moves * len(graph))
    from_metis = metis_start(graph, k, seed)
    label, least = from_metis, np.inf
    for start in (from_metis, power_start(graph, k, centres_of(graph, from_metis, k))):
        refined, cost = refine(
            graph, start, k, price, moves=budget // 4, hot=effort.warm, cold=effort.cold, seed=seed
        )
        if cost < least:
            label, least = refined, cost
    best = label
    generator = np.random.default_rng(seed)
    lump = float(np.quantile(graph.households, 0.9)) * k / max(graph.households.sum(), 1.0)
    hot = effort.hot + effort.lump_heat * lump**2
    chance = (graph.households + 1e-3) / (graph.households + 1e-3).sum()
    for run in range(int(np.clip(effort.small_graph / len(graph), 1, effort.most_runs))):
        if run:  # elsewhere: around places drawn by household
            sites = generator.choice(len(graph), k, replace=False, p=chance)
            places = np.column_stack([graph.x, graph.y])[sites]
            label = power_start(graph, k, places, rounds=5)
        refined, cost = refine(
            graph, label, k, price, moves=budget, hot=hot, cold=effort.cold, seed=seed + run
        )
        if cost < least:
            best, least = refined, cost
    return best


def _coarse(
    graph: Graph, k: int, block: IntArray | None, settlement: IntArray | None
) -> IntArray | None:
    """Groups to move as one: connected, within one block and hamlet, small against a grid."""
    if block is None:
        return None
    hamlet = np.zeros(len(graph), dtype=np.int64) if settlement is None else settlement + 1
    _, group = np.unique(block * (int(hamlet.max()) + 1) + hamlet, return_inverse=True)
    group = pieces(graph, group)
    held = np.bincount(group, weights=graph.households)
    broken = held[group] > COARSE_SHARE * graph.households.sum() / k
    group = np.where(broken, int(group.max()) + 1 + np.arange(len(graph)), group)
    _, group = np.unique(group, return_inverse=True)
    number = int(group.max()) + 1
    if number < max(2 * k, 4) or number == len(graph):
        return None
    return group.astype(np.int64)
