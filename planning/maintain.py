"""Maintaining a plan: new counts, and only the grids that break a rule are changed.

Each breaker is mended by itself, cheapest first: its border with its neighbours is moved by the
search, with a price on every household that leaves its grid; one over a cap that no neighbour can
relieve is split; one under the minimum may be merged. All other grids are locked. Of the ways that
mend it the one that moves the fewest households is taken, where a new grid, which needs a new
person, counts as half a grid's households. A heuristic: :attr:`Maintained.bound` says how few it
could have been at best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from planning import edits
from planning.graph import FloatArray, induce
from planning.limits import Limits, Nodes, breakers, giants, limits_of, lower_bound, nodes_of
from planning.partition import village_seed
from planning.plan import Plan
from planning.search import Price, refine
from planning.settings import Settings

MOVE_SHARE = 0.25  # of what a household over a cap costs, is the price of moving one
EMPTY = 0.1  # empty ground that changes grid costs as much as so many households
MOVES = 300  # tried moves a node
LEAST_MOVES = 20_000
HEATS = (0.5, 5.0, 50.0)  # cool keeps the border fair, hot gets large hamlets past each other
NEW_GRID = 0.5  # of the target's households may be moved rather than make a new grid


@dataclass(frozen=True)
class Maintained:
    """A maintained plan; ``moved`` households are in another grid than before.

    ``bound`` is the fewest that any plan mending the same grids moves; ``mended`` and ``left``
    keys of the grids that broke a bound and do not, or still do. ``new`` and ``gone`` keys of
    grids that came and went.
    """

    plan: Plan
    moved: int
    bound: int
    mended: tuple[int, ...]
    left: tuple[int, ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]

    @property
    def ratio(self) -> float:
        """Households moved per household that had to; 1 where none did."""
        return self.moved / self.bound if self.bound else 1.0


def maintain(plan: Plan, settings: Settings, band: float | None = None) -> Maintained:
    """Mend the comprehensive, unlocked grids that break a cap or the minimum; touch no other.

    ``band``: also those farther than that share from the village's even count. With nothing
    broken, the plan comes back as it was. Grids that cannot be mended are left as they are.
    """
    limits = limits_of(plan, settings, band)
    nodes = nodes_of(plan, settings)
    broken = breakers(plan, nodes, limits)
    work = _Work(plan, nodes, limits, settings)
    hopeless: set[int] = set()
    while waiting := [key for key in breakers(work.plan, nodes, limits) if key not in hopeless]:
        key = max(waiting, key=lambda k: (work.urgency(k), -k))
        better = work.best(key)
        if better is None:
            hopeless.add(key)
        else:
            work.plan = better
    after = work.plan
    still = set(breakers(after, nodes, limits))
    mended = [key for key in broken if key not in still]
    return Maintained(
        plan=after,
        moved=work.moved(after),
        bound=lower_bound(plan, nodes, limits, mended, all_mended=not still),
        mended=tuple(mended),
        left=tuple(key for key in broken if key in still),
        new=tuple(sorted(set(after.grids) - set(plan.grids))),
        gone=tuple(sorted(set(plan.grids) - set(after.grids))),
    )


class _Work:
    """The plan on its way, measured against the one it came from."""

    def __init__(self, plan: Plan, nodes: Nodes, limits: Limits, settings: Settings) -> None:
        self.plan = plan
        self.home = plan
        self.nodes = nodes
        self.limits = limits
        self.settings = settings
        stuck = nodes.labels(plan.label)[giants(nodes, limits)]
        self.fixed = {
            key
            for key, grid in plan.grids.items()
            if grid.kind == "dedicated" or grid.locked or key in set(stuck.tolist())
        }

    def moved(self, plan: Plan) -> int:
        """Households in another grid than at the beginning."""
        away = plan.label != self.home.label
        return int(plan.units.households[away].sum())

    def excess(self, plan: Plan) -> dict[int, float]:
        """How far each grid is beyond its bounds, those that may change only."""
        m = plan.measures
        over = self.limits.excess(
            m.households.astype(float), np.maximum(m.persons, 0).astype(float)
        )
        return {
            int(key): float(value)
            for key, value in zip(plan.keys, over, strict=True)
            if int(key) not in self.fixed
        }

    def urgency(self, key: int) -> tuple[bool, float]:
        """Over a cap first, then the farthest from its bound."""
        h = int(self.plan.measures.households[np.searchsorted(self.plan.keys, key)])
        return h >= self.limits.least_households, self.excess(self.plan)[key]

    def best(self, key: int) -> Plan | None:
        """The cheapest way to mend one grid, in households; None where there is none."""
        dear = NEW_GRID * self.settings.target
        broken = {k for k, value in self.excess(self.plan).items() if value > 1e-12}
        found: list[tuple[float, float, int, Plan]] = []
        for turn, plan in enumerate(self.ways(key)):
            over = {k: v for k, v in self.excess(plan).items() if v > 1e-12}
            if key in over or len(over) >= len(broken) or not over.keys() <= broken:
                continue
            border = float(plan.measures.perimeter_m.sum())
            fresh = len(set(plan.grids) - set(self.plan.grids))
            found.append((self.moved(plan) + dear * fresh, border, turn, plan))
        return min(found, key=lambda item: item[:3])[3] if found else None

    def ways(self, key: int) -> Iterator[Plan]:
        """Plans in which a grid may be mended."""
        m = self.plan.measures
        row = int(np.searchsorted(self.plan.keys, key))
        h, p = float(m.households[row]), float(max(m.persons[row], 0))
        near = self.around({key})
        rings = [near]
        if wider := self.around(near | {key}):
            rings.append(near | wider)
        for ring in rings:
            if ring:
                for heat in HEATS:
                    yield self.searched(self.plan, sorted({key} | ring), self.limits, heat)
        if h > self.limits.most_households or p > self.limits.most_persons:
            yield from self.split(key, h, p)
        if h < self.limits.least_households:
            for other in sorted(near):
                yield edits.transfer(self.plan, self.plan.members(key), other).plan

    def around(self, keys: set[int]) -> set[int]:
        """Grids that may change and border one of ``keys``."""
        edges, label = self.plan.units.edges, self.plan.label
        a, b = label[edges.a], label[edges.b]
        chosen = list(keys)
        touched = np.concatenate([b[np.isin(a, chosen)], a[np.isin(b, chosen)]])
        return set(np.unique(touched).tolist()) - keys - self.fixed

    def split(self, key: int, households: float, persons: float) -> Iterator[Plan]:
        """The grid in as many parts as the caps ask for, the new ones no larger than they must."""
        k = int(
            max(
                np.ceil(households / self.limits.most_households),
                np.ceil(persons / self.limits.most_persons),
            )
        )
        floor = self.limits.least_households or min(
            self.settings.target / 2, households / (k + 1)
        )
        limits = replace(self.limits, least_households=floor)
        for parts in (k, k + 1):
            divided = edits.split(self.plan, key, parts, self.settings).plan
            own = sorted({key} & set(divided.grids) | set(divided.grids) - set(self.plan.grids))
            if len(own) > 1:
                yield self.searched(divided, own, limits, HEATS[0])

    def searched(self, plan: Plan, keys: list[int], limits: Limits, heat: float) -> Plan:
        """The common borders of some grids moved, at a price for each household away from home."""
        nodes = self.nodes
        label = nodes.labels(plan.label)
        members = np.flatnonzero(np.isin(label, keys))
        graph = induce(nodes.graph, members)
        local = np.searchsorted(keys, label[members]).astype(np.int64)
        origin = nodes.labels(self.home.label)[members]
        known = np.isin(origin, keys)
        # what came from outside these grids has no home among them: no label is that of -1
        home = np.where(known, np.searchsorted(keys, origin), -1)
        away = self.price_of_moving(limits, graph.households, graph.persons) * (
            graph.households + EMPTY
        )
        caps = Price(
            balance=0.0,
            shape=self.settings.shape,
            walk=0.0,
            lines=self.settings.lines,
            max_households=limits.most_households,
            max_persons=limits.most_persons,
            min_households=limits.least_households,
        )
        own = village_seed(f"{plan.units.code}/{keys[0]}", self.settings.seed)
        moves = max(LEAST_MOVES, MOVES * len(graph))
        found, _ = refine(
            graph, local, len(keys), caps, moves=moves, hot=heat, cold=0.01, seed=own,
            home=home, away=away,
        )
        # last, whoever can go home without breaking a bound does, whatever the border looks like
        plain = replace(caps, shape=0.0, lines=0.0)
        found, _ = refine(
            graph, found, len(keys), plain, moves=moves // 2, hot=1e-6, cold=1e-9, seed=own,
            home=home, away=away,
        )
        of_node = label.copy()
        of_node[members] = np.array(keys)[found]
        return plan.relabel(of_node[nodes.node])

    def price_of_moving(
        self, limits: Limits, households: FloatArray, persons: FloatArray
    ) -> float:
        """A household's price, well under what one over a cap costs: moving it has to pay."""
        size = float(persons.sum() / max(households.sum(), 1.0))
        bounds = [limits.most_households, limits.least_households or np.inf]
        if size > 0:
            bounds.append(limits.most_persons / size)
        largest = max((b for b in bounds if np.isfinite(b)), default=float(self.settings.target))
        return MOVE_SHARE * 600.0 / max(largest, 1.0)
