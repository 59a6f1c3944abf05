"""What a grid may hold, which grids break it, and how many households must move at least."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from planning import sets
from planning.graph import FloatArray, Graph, IntArray, contract, graph_of
from planning.plan import Plan
from planning.settings import Settings
from planning.start import pieces

_MANY = 12  # so many grids under the minimum are weighed one by one, more of them by a half-sum


@dataclass(frozen=True)
class Limits:
    """Bounds on the counts of a comprehensive grid; ``inf`` or 0 where there is none."""

    most_households: float
    most_persons: float
    least_households: float

    def excess(self, households: FloatArray, persons: FloatArray) -> FloatArray:
        """How far each grid is beyond its bounds, as a share of them; 0 where it keeps all."""
        over = np.maximum(households / self.most_households - 1, 0.0)
        over = over + np.maximum(persons / self.most_persons - 1, 0.0)
        if self.least_households > 0:
            over = over + np.maximum(1 - households / self.least_households, 0.0)
        return np.asarray(over)


def limits_of(plan: Plan, settings: Settings, band: float | None = None) -> Limits:
    """The rules' bounds; with ``band``, also that share of the village's even count either way."""
    usual = [key for key, grid in plan.grids.items() if grid.kind == "comprehensive"]
    total = plan.units.households[np.isin(plan.label, usual)].sum()
    even = float(total) / max(len(usual), 1)
    most = float(settings.max_households or np.inf)
    least = float(settings.min_households or 0)
    if band is not None:
        most, least = min(most, (1 + band) * even), max(least, (1 - band) * even)
    return Limits(most, float(settings.max_persons or np.inf), least)


@dataclass(frozen=True)
class Nodes:
    """A plan's ground as nodes that move as one: units, and compounds where one grid holds them.

    ``node`` (n,) of each unit; ``graph`` theirs. A compound that today's grids part already is
    several nodes: keeping comes first.
    """

    graph: Graph
    node: IntArray

    def labels(self, label: IntArray) -> IntArray:
        """Labels of nodes from labels of units, which agree within a node."""
        of_node = np.zeros(len(self.graph), dtype=np.int64)
        of_node[self.node] = label
        return of_node


def nodes_of(plan: Plan, settings: Settings) -> Nodes:
    """The nodes of a plan, by the grids that hold them now."""
    units = plan.units
    free = (units.whole < 0) | np.isin(units.whole, sets.too_large(units, settings))
    width = int(plan.label.max()) + 1
    owner = np.where(free, -1 - np.arange(len(units)), units.whole * width + plan.label)
    graph = graph_of(units)
    _, node = np.unique(pieces(graph, owner), return_inverse=True)
    return Nodes(contract(graph, node.astype(np.int64)), node.astype(np.int64))


def giants(nodes: Nodes, limits: Limits) -> NDArray[np.bool_]:
    """Nodes that exceed a cap by themselves: no plan can help their grid."""
    graph = nodes.graph
    return np.asarray(
        (graph.households > limits.most_households) | (graph.persons > limits.most_persons)
    )


def breakers(plan: Plan, nodes: Nodes, limits: Limits) -> list[int]:
    """Keys of the comprehensive, unlocked grids beyond a bound that moving could help."""
    m = plan.measures
    over = limits.excess(m.households.astype(float), np.maximum(m.persons, 0).astype(float))
    hopeless = set(nodes.labels(plan.label)[giants(nodes, limits)].tolist())
    return [
        int(key)
        for key in plan.keys[over > 1e-12]
        if plan.grids[int(key)].kind == "comprehensive"
        and not plan.grids[int(key)].locked
        and int(key) not in hopeless
    ]


def lower_bound(
    plan: Plan, nodes: Nodes, limits: Limits, broken: list[int], *, all_mended: bool = True
) -> int:
    """Households that must change grid at least, in any plan that mends the ``broken`` grids.

    A grid over a cap has to lose nodes whose households (persons) add up to its excess: the
    least such sum is found exactly, node by node. A grid under the minimum gains what it lacks,
    or ceases and gives up all it holds. A household that moves serves one grid that loses and
    one that gains, so the larger of both sums is needed. Where all grids together cannot hold
    the village and ``all_mended`` do, each new grid needs the minimum. Borders are not looked
    at, so the true least may be higher, never lower.
    """
    label = nodes.labels(plan.label)
    lost = 0
    under: list[tuple[int, int]] = []
    for key in broken:
        mine = np.flatnonzero(label == key)
        h = nodes.graph.households[mine].astype(np.int64)
        p = nodes.graph.persons[mine].astype(np.int64)
        lost += max(
            _least_sum(h, h, h.sum() - limits.most_households),
            _least_sum(h, p, p.sum() - limits.most_persons),
        )
        if h.sum() < limits.least_households:
            under.append((int(np.ceil(limits.least_households - h.sum())), int(h.sum())))
    missing = _new_grids(plan, nodes, limits) if all_mended else 0
    gained = missing * int(np.ceil(limits.least_households))
    if len(under) > _MANY:
        return max(lost, gained, -(-(lost + gained + sum(map(min, under))) // 2))
    return min(
        max(
            lost + sum(own for (_, own), ceases in zip(under, ends, strict=True) if ceases),
            gained + sum(need for (need, _), ceases in zip(under, ends, strict=True) if not ceases),
        )
        for ends in product((False, True), repeat=len(under))
    )


def _least_sum(households: IntArray, amount: IntArray, need: float) -> int:
    """Fewest households among nodes whose ``amount`` adds up to ``need`` at least (0/1 knapsack).

    O(nodes x need). All of them where even all do not suffice.
    """
    if not need > 0:
        return 0
    size = int(np.ceil(need))
    least = np.full(size + 1, np.inf)
    least[0] = 0.0
    for h, a in zip(households, amount, strict=True):
        if a <= 0:
            continue
        before = np.maximum(np.arange(size + 1) - int(a), 0)
        least = np.minimum(least, least[before] + int(h))
    return int(least[size]) if np.isfinite(least[size]) else int(households.sum())


def _new_grids(plan: Plan, nodes: Nodes, limits: Limits) -> int:
    """Grids that a village lacks to hold its people under the caps at all."""
    keys = [key for key, grid in plan.grids.items() if grid.kind == "comprehensive"]
    label = nodes.labels(plan.label)
    single = set(label[giants(nodes, limits)].tolist())
    open_keys = [key for key in keys if key not in single]
    held = np.isin(label, open_keys)
    households = float(nodes.graph.households[held].sum())
    persons = float(nodes.graph.persons[held].sum())
    need = max(
        np.ceil(households / limits.most_households), np.ceil(persons / limits.most_persons)
    )
    return max(0, int(need) - len(open_keys))
