"""Proven optima of small cases, and how far a plan is from them.

Two questions about contiguous partitions of a rook graph into ``k`` grids, each answered by
CP-SAT with a proof, or with the bound it reached:

* :func:`least_border` - the shortest total border between grids, all grids inside a band;
* :func:`least_deviation` - the smallest worst deviation from the ideal households / k.

The model: a grid is named by its lowest-numbered unit, its root, which leaves no two ways to
write one plan. Every other unit has exactly one parent among its neighbours of the same grid,
and lies one level or more below it, so parents lead to the root and the grid is connected.

When it is of no use: beyond some 30 units the proof takes minutes. A gap here says how good the
search is on small ground, not on a village of ten thousand buildings.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.instance import Instance, Ints
from benchmarks.measure import quality

CENTIMETRES = 100  # CP-SAT counts in integers: borders are optimal to the centimetre per edge


@dataclass(frozen=True)
class Optimum:
    """A best plan: its labels, its value (metres, or a share), and whether that is proven.

    ``bound`` is what no plan can beat; it equals ``value`` when proven, up to the rounding of
    borders to centimetres.
    """

    labels: Ints
    value: float
    bound: float
    proven: bool


@dataclass(frozen=True)
class Gap:
    """A plan against the optima of its case.

    ``border`` : inner border over the shortest of any contiguous plan at least as balanced,
    less 1 (0 = optimal, 0.1 = 10 % longer). ``deviation`` : worst deviation less the smallest
    possible, in shares of the ideal. ``proven`` : both optima are.
    """

    border: float
    deviation: float
    proven: bool


class NoPlanError(ValueError):
    """No contiguous plan meets the band, or none was found in the time allowed."""


def gap(instance: Instance, labels: Ints, *, seconds: float = 60.0) -> Gap:
    """How far a contiguous plan of ``k`` grids is from the optima.

    Raises
    ------
    ValueError
        When the plan is broken or has not ``k`` grids: then no optimum is comparable.
    """
    measured = quality(instance, labels)
    if measured.broken or measured.grids != instance.k:
        raise ValueError(f"the plan has {measured.grids} grids, {measured.broken} of them broken")
    even = least_deviation(instance, seconds=seconds)
    short = least_border(instance, measured.worst + 1e-9, seconds=seconds)
    metres = measured.inner_km * 1000.0
    return Gap(
        border=round(metres / short.bound - 1.0, 9) + 0.0,
        deviation=round(measured.worst - even.bound, 9) + 0.0,
        proven=short.proven and even.proven,
    )


def least_border(instance: Instance, band: float, *, seconds: float = 60.0) -> Optimum:
    """The plan of shortest inner border whose grids keep within ``band`` of the ideal.

    Raises
    ------
    NoPlanError
        When no contiguous plan lies in the band (proven), or none was met in ``seconds``.
    """
    model, same, member = _contiguous(instance)
    total, k = int(instance.households.sum()), instance.k
    # |k H - total| <= band * total in whole numbers, without a rounding that shuts a plan out
    most = int(Fraction(band).limit_denominator(10**9) * total)
    for root, units in enumerate(member):
        load = k * cp_model.LinearExpr.weighted_sum(
            units, [int(h) for h in instance.households[root:]]
        )
        model.add(load <= total + most)
        model.add(load >= (total - most) * units[0])
    lengths = np.rint(instance.border * CENTIMETRES).astype(np.int64)
    cut = [edge.negated() for edge in same]
    model.minimize(cp_model.LinearExpr.weighted_sum(cut, [int(v) for v in lengths]))
    labels, bound, proven = _solve(model, member, seconds)
    a, b = instance.edges.T
    value = float(instance.border[labels[a] != labels[b]].sum())
    return Optimum(labels, value, value if proven else bound / CENTIMETRES, proven)


def least_deviation(instance: Instance, *, seconds: float = 60.0) -> Optimum:
    """The plan whose worst grid is nearest to the ideal, as a share of the ideal.

    Raises
    ------
    NoPlanError
        When the graph cannot be cut into ``k`` contiguous grids, or no plan was met in time.
    """
    model, _, member = _contiguous(instance)
    total, k = int(instance.households.sum()), instance.k
    worst = model.new_int_var(0, k * total, "worst")
    for root, units in enumerate(member):
        load = k * cp_model.LinearExpr.weighted_sum(
            units, [int(h) for h in instance.households[root:]]
        )
        model.add(load - total <= worst)
        model.add(total - load <= worst).only_enforce_if(units[0])
    model.minimize(worst)
    labels, bound, proven = _solve(model, member, seconds)
    value = quality(instance, labels).worst
    return Optimum(labels, value, value if proven else bound / total, proven)


def _contiguous(
    instance: Instance,
) -> tuple[cp_model.CpModel, list[cp_model.IntVar], list[list[cp_model.IntVar]]]:
    """The plans as a model: per edge "same grid", and per root the units r, r+1, ... it may own."""
    model, n = cp_model.CpModel(), len(instance.households)
    member = [[model.new_bool_var(f"{u} in {r}") for u in range(r, n)] for r in range(n)]
    for unit in range(n):
        model.add_exactly_one(member[root][unit - root] for root in range(unit + 1))
    model.add(sum(units[0] for units in member) == instance.k)
    for units in member:
        for unit in units[1:]:
            model.add_implication(unit, units[0])
    same = []
    parents: list[list[cp_model.IntVar]] = [[units[0]] for units in member]
    level = [model.new_int_var(0, n - instance.k, f"level {u}") for u in range(n)]
    for a, b in instance.edges.tolist():
        together = model.new_bool_var(f"{a} with {b}")
        same.append(together)
        for root in range(a + 1):
            first, second = member[root][a - root], member[root][b - root]
            model.add(first == second).only_enforce_if(together)
            model.add_bool_or(first.negated(), second.negated(), together)
        for root in range(a + 1, b + 1):  # b's grid is named by a unit that a cannot follow
            model.add_implication(member[root][b - root], together.negated())
        for child, parent in ((a, b), (b, a)):
            arc = model.new_bool_var(f"{child} below {parent}")
            model.add_implication(arc, together)
            model.add(level[child] >= level[parent] + 1).only_enforce_if(arc)
            parents[child].append(arc)
    for arcs in parents:
        model.add_exactly_one(arcs)  # a root, or one parent
    return model, same, member


def _solve(
    model: cp_model.CpModel, member: list[list[cp_model.IntVar]], seconds: float
) -> tuple[Ints, float, bool]:
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1  # one worker and a seed: the same plan on every run
    solver.parameters.random_seed = 0
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise NoPlanError(f"no contiguous plan: {solver.status_name(status).lower()}")
    labels = np.full(len(member), -1, dtype=np.int64)
    for root, units in enumerate(member):
        for unit, variable in enumerate(units, start=root):
            if solver.boolean_value(variable):
                labels[unit] = root
    return labels, solver.best_objective_bound, status == cp_model.OPTIMAL
