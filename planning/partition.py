"""Partition of one connected piece of ground: starts, coarse search, fine search.

METIS and a power diagram start; whole blocks move first, then single nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from planning.graph import Graph, IntArray, contract
from planning.search import Price, refine
from planning.settings import Settings
from planning.start import centres_of, metis_start, pieces, power_start

PLAIN_BAND = 0.06  # imbalance that the search hardly minds, without lines to follow
LINED_BAND = 0.07  # and with lines
COARSE_SHARE = 0.34  # blocks under this share of an ideal grid move as one, at first


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
