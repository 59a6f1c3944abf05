"""Edits: pure functions from a plan to a new plan, for hands and for automatic runs alike.

No edit fails for making a bad plan: what is wrong with it is listed (:mod:`planning.rules`), never
refused. What an edit does refuse is touching a locked grid: such units are left where they are
and counted in :attr:`Edited.left`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from planning import sets
from planning.graph import Graph, IntArray, contract, graph_of, induce
from planning.naming import is_numbered
from planning.partition import Effort, partition, price_of, village_seed
from planning.parts import tie
from planning.plan import Grid, Kind, Plan
from planning.search import refine
from planning.settings import Settings
from planning.start import pieces


@dataclass(frozen=True)
class Edited:
    """A new plan, how many units and households changed grid, and how many a lock held back."""

    plan: Plan
    units: int
    households: int
    left: int = 0


def _edited(before: Plan, after: Plan, left: int = 0) -> Edited:
    moved = before.label != after.label
    households = int(before.units.households[moved].sum())
    return Edited(after, int(moved.sum()), households, left)


def transfer(plan: Plan, units: IntArray, to: int) -> Edited:
    """Give units to grid ``to``. Units of locked grids stay; a locked ``to`` takes nothing.

    A grid that loses its last unit ceases. KeyError where there is no grid ``to``.
    """
    if to not in plan.grids:
        raise KeyError(to)
    locked = plan.locked()
    wanted = np.unique(units)
    wanted = wanted[plan.label[wanted] != to]
    free = ~np.isin(plan.label[wanted], list(locked))
    if to in locked:
        free[:] = False
    label = plan.label.copy()
    label[wanted[free]] = to
    return _edited(plan, plan.relabel(label), int((~free).sum()))


def merge(plan: Plan, keys: Iterable[int]) -> Edited:
    """Join grids into the one of them with the most households; locked grids stay apart."""
    asked = sorted(set(keys))
    free = [key for key in asked if not plan.grids[key].locked]
    left = int(np.isin(plan.label, [key for key in asked if key not in free]).sum())
    if len(free) < 2:
        return _edited(plan, plan, left)
    held = [int(plan.units.households[plan.members(key)].sum()) for key in free]
    host = free[int(np.argmax(held))]
    label = np.where(np.isin(plan.label, free), host, plan.label)
    return _edited(plan, plan.relabel(label), left)


def new_grid(plan: Plan, units: IntArray, kind: Kind = "comprehensive") -> Edited:
    """Make a new grid of units; those of locked grids stay. No units, no grid."""
    free = np.unique(units)
    free = free[~np.isin(plan.label[free], list(plan.locked()))]
    left = len(np.unique(units)) - len(free)
    if not len(free):
        return _edited(plan, plan, left)
    wider, key = plan.fresh(kind)
    label = plan.label.copy()
    label[free] = key
    return _edited(plan, wider.relabel(label), left)


def rename(plan: Plan, key: int, name: str) -> Plan:
    """The plan with another name for a grid."""
    return _with(plan, key, replace(plan.grids[key], name=name.strip()))


def explain(plan: Plan, key: int, reason: str) -> Plan:
    """The plan with the planner's reason for a grid's exceptions."""
    return _with(plan, key, replace(plan.grids[key], reason=reason.strip()))


def change_kind(plan: Plan, key: int, kind: Kind) -> Plan:
    """Make a grid comprehensive or dedicated; it gets a new code of that kind, once.

    Its name follows where it only says a number of the other kind (幸福村第五网格); a name that
    somebody gave stays.
    """
    old = plan.grids[key]
    if old.kind == kind:
        return plan
    wider, fresh = plan.fresh(kind)
    own = wider.grids[fresh]
    numbered = is_numbered(old.name, plan.village_name)
    grid = replace(old, kind=kind, code=own.code, name=own.name if numbered else old.name)
    return replace(plan, grids={**plan.grids, key: grid}, used=wider.used)


def lock(plan: Plan, keys: Iterable[int], locked: bool = True) -> Plan:
    """Lock or unlock grids."""
    chosen = set(keys)
    return replace(
        plan,
        grids={
            key: replace(grid, locked=locked) if key in chosen else grid
            for key, grid in plan.grids.items()
        },
    )


def _with(plan: Plan, key: int, grid: Grid) -> Plan:
    return replace(plan, grids={**plan.grids, key: grid})


def _nodes(plan: Plan, units: IntArray, settings: Settings) -> tuple[Graph, IntArray, IntArray]:
    """The ground of some units as a connected graph of nodes, and each unit's node and block."""
    whole = plan.units.whole[units].copy()
    whole[np.isin(whole, sets.too_large(plan.units, settings))] = -1
    ground = induce(graph_of(plan.units), units)
    node = sets.nodes_of(ground, whole)
    graph = contract(ground, node)
    block = np.zeros(len(graph), dtype=np.int64)
    block[node] = plan.units.block[units]
    return _connected(graph), node, block


def _connected(graph: Graph) -> Graph:
    """Tie what lies apart to the nearest, so that one partition covers all of it."""
    while pieces(graph, np.zeros(len(graph), dtype=np.int64)).max() > 0:
        before = pieces(graph, np.zeros(len(graph), dtype=np.int64))
        held = np.bincount(before, weights=graph.households + graph.area * 1e-9)
        alone = replace(graph, households=np.where(before == held.argmax(), 1.0, 0.0))
        tied = tie(alone)
        graph = replace(tied, households=graph.households)
    return graph


def divide_again(
    plan: Plan, keys: Iterable[int], k: int, settings: Settings, seed: int = 0
) -> Edited:
    """Divide the ground of some grids afresh into k: split one, balance two, re-propose many.

    Locked grids are left out. New parts take the keys of the old grids they hold most households
    of, so that as few grids as possible change their name; further parts are new grids.
    """
    asked = sorted(set(keys))
    free = [key for key in asked if not plan.grids[key].locked]
    left = int(np.isin(plan.label, [key for key in asked if key not in free]).sum())
    units = np.flatnonzero(np.isin(plan.label, free))
    if not len(units):
        return _edited(plan, plan, left)
    graph, node, block = _nodes(plan, units, settings)
    k = max(1, min(k, len(graph)))
    own_seed = village_seed(f"{plan.units.code}/{','.join(map(str, free))}", seed)
    part = partition(graph, k, settings, own_seed, block)[node]
    return _edited(plan, _name_parts(plan, units, part, k), left)


def _name_parts(plan: Plan, units: IntArray, part: IntArray, k: int) -> Plan:
    """Labels for parts 0..k-1 of units: old keys by the households they share, then new ones."""
    old = plan.label[units]
    keys = np.unique(old)
    mass = plan.units.households[units] + 1e-6
    shared = np.zeros((k, len(keys)))
    np.add.at(shared, (part, np.searchsorted(keys, old)), mass)
    owner = np.full(k, -1, dtype=np.int64)
    for flat in np.argsort(-shared, axis=None, kind="stable"):
        place, column = divmod(int(flat), len(keys))
        if owner[place] < 0 and keys[column] not in owner and shared[place, column] > 0:
            owner[place] = keys[column]
    current = plan
    for row in np.flatnonzero(owner < 0).tolist():
        current, owner[row] = current.fresh()
    label = plan.label.copy()
    label[units] = owner[part]
    return current.relabel(label)


def split(plan: Plan, key: int, k: int, settings: Settings, seed: int = 0) -> Edited:
    """Split a grid into k balanced parts."""
    return divide_again(plan, [key], k, settings, seed)


def balance(plan: Plan, keys: Iterable[int], settings: Settings) -> Edited:
    """Even out chosen grids by moving their common borders, from where they are now."""
    free = sorted({key for key in keys if not plan.grids[key].locked})
    units = np.flatnonzero(np.isin(plan.label, free))
    if len(free) < 2:
        return _edited(plan, plan)
    graph, node, _ = _nodes(plan, units, settings)
    label = np.zeros(len(graph), dtype=np.int64)
    label[node] = np.searchsorted(free, plan.label[units])
    if len(np.unique(pieces(graph, label))) > len(free):
        return _edited(plan, plan)
    effort = Effort()
    with_lines = bool((graph.off_line < graph.length).any())
    better, _ = refine(
        graph,
        label,
        len(free),
        price_of(settings, with_lines=with_lines),
        moves=max(20_000, effort.fine_moves * len(graph)),
        hot=effort.warm,
        cold=effort.cold,
        seed=village_seed(plan.units.code, settings.seed),
    )
    new = plan.label.copy()
    new[units] = np.array(free)[better[node]]
    return _edited(plan, plan.relabel(new))


def set_number(plan: Plan, k: int, settings: Settings) -> Edited:
    """Another number of comprehensive grids for the village; locked ones are kept and counted."""
    usual = [key for key, grid in plan.grids.items() if grid.kind == "comprehensive"]
    free = [key for key in usual if not plan.grids[key].locked]
    return divide_again(plan, free, k - (len(usual) - len(free)), settings, settings.seed)


def propose_again(plan: Plan, settings: Settings) -> Edited:
    """Propose the unlocked comprehensive grids afresh, in the number the formula gives them."""
    free = [
        key
        for key, grid in plan.grids.items()
        if grid.kind == "comprehensive" and not grid.locked
    ]
    units = np.isin(plan.label, free)
    persons = int(plan.units.persons[units].sum()) if (plan.units.persons >= 0).all() else -1
    k = settings.grids_of(int(plan.units.households[units].sum()), persons)
    return divide_again(plan, free, k, settings, settings.seed)


def inside(plan: Plan, outline: shapely.Geometry) -> IntArray:
    """Units that lie for the most part inside a drawn outline (metric coordinates)."""
    near = shapely.STRtree(plan.units.geometry).query(outline, predicate="intersects")
    near = np.sort(near)
    covered = shapely.area(shapely.intersection(plan.units.geometry[near], outline))
    return np.asarray(near[covered > 0.5 * plan.units.area[near]], dtype=np.int64)


def draw(plan: Plan, key: int, outline: shapely.Geometry) -> Edited:
    """Redraw a grid's outline freely: it gets the units inside, the others go to neighbours.

    Units that leave go to the unlocked neighbour they share most border with; where there is
    none they stay.
    """
    wanted = inside(plan, outline)
    gained = transfer(plan, wanted, key)
    if plan.grids[key].locked or key not in gained.plan.grids:
        return gained
    leaving = np.setdiff1d(gained.plan.members(key), wanted)
    if len(leaving) == len(gained.plan.members(key)):
        return gained
    final = _give_away(gained.plan, leaving)
    return _edited(plan, final, gained.left)


def _give_away(plan: Plan, units: IntArray) -> Plan:
    """Give units, ring by ring, to the other unlocked grid they share most border with."""
    locked = plan.locked()
    graph = graph_of(plan.units)
    label = plan.label.copy()
    waiting = set(units.tolist())
    while waiting:
        moved = {}
        for unit in sorted(waiting):
            shared: dict[int, float] = {}
            for e in range(graph.indptr[unit], graph.indptr[unit + 1]):
                other = int(graph.indices[e])
                grid = int(label[other])
                if other not in waiting and grid != plan.label[unit] and grid not in locked:
                    shared[grid] = shared.get(grid, 0.0) + float(graph.length[e])
            if shared:
                moved[unit] = max(shared, key=lambda grid: (shared[grid], -grid))
        if not moved:
            break
        for unit, grid in moved.items():
            label[unit] = grid
        waiting -= moved.keys()
    return plan.relabel(label)


@dataclass(frozen=True)
class Tidied:
    """What tidying did, and the stray pieces (first unit of each) it left for a person."""

    edited: Edited
    doubtful: IntArray


STRAY_SHARE = 0.2  # a piece holding more of its grid than this is no stray but a question


def tidy(plan: Plan) -> Tidied:
    """Give stray pieces to the grid around them; leave large, locked and lonely ones.

    A stray is a piece of a grid that is not its main piece and holds at most a fifth of its
    households. It goes to the neighbour it shares most border with.
    """
    graph = graph_of(plan.units)
    piece = pieces(graph, plan.compact)
    mass = plan.units.households + 1e-6 * plan.units.area / plan.units.area.sum()
    held = np.bincount(piece, weights=mass)
    owner = np.zeros(len(held), dtype=np.int64)
    owner[piece] = plan.label
    total = {key: float(mass[plan.members(key)].sum()) for key in plan.grids}
    label = plan.label.copy()
    doubtful = []
    locked = plan.locked()
    for stray in range(len(held)):
        key = int(owner[stray])
        same = np.flatnonzero(owner == key)
        if len(same) == 1 or stray == same[np.argmax(held[same])]:
            continue
        units = np.flatnonzero(piece == stray)
        others = _neighbours(graph, units, plan.label) - {key} - locked
        if key in locked or not others or held[stray] > STRAY_SHARE * total[key]:
            doubtful.append(int(units[0]))
            continue
        label[units] = _most_border(graph, units, plan.label, others)
    edited = _edited(plan, plan.relabel(label))
    return Tidied(edited, np.array(doubtful, dtype=np.int64))


def _neighbours(graph: Graph, units: IntArray, label: IntArray) -> set[int]:
    near = {
        int(other) for u in units for other in graph.indices[graph.indptr[u] : graph.indptr[u + 1]]
    }
    return {int(label[other]) for other in near - set(units.tolist())}


def _most_border(graph: Graph, units: IntArray, label: IntArray, among: set[int]) -> int:
    shared = dict.fromkeys(sorted(among), 0.0)
    for unit in units:
        for e in range(graph.indptr[unit], graph.indptr[unit + 1]):
            grid = int(label[graph.indices[e]])
            if grid in shared:
                shared[grid] += float(graph.length[e])
    return max(shared, key=lambda grid: (shared[grid], -grid))
