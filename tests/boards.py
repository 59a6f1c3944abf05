"""Small boards to edit, and random steps on them, for tests of history, record and store."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import strategies as st
from towns import CELL, lattice

from planning import edits
from planning.history import Step
from planning.plan import Grid, Plan
from planning.settings import Settings

SIDE = 6
RandomStep = tuple[str, int, int, int]
KINDS = (
    "transfer", "merge", "split", "new", "lock", "balance", "tidy", "number", "draw", "rename",
    "explain", "kind",
)  # fmt: skip

STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.integers(0, 35), st.integers(0, 35), st.integers(1, 4)
    ),
    max_size=8,
)


def board(columns: int = 3, households: int = 10) -> Plan:
    """A square of 6 x 6 units in vertical strips, one grid each."""
    units = lattice(SIDE, SIDE, households)
    column = ((units.x - units.x.min()) / CELL).round().astype(int)
    strip = np.minimum(column * columns // SIDE, columns - 1)
    grids = {i: Grid(f"{units.code}{i + 1:03d}", f"村第{i + 1}网格") for i in range(columns)}
    codes = frozenset(grid.code for grid in grids.values())
    return Plan(units, strip.astype(np.int64), grids, "村", columns, codes)


def step_on(plan: Plan, random: RandomStep, actor: str = "planner") -> Step:
    """A random step on a plan as it is."""
    what, a, b, n = random
    params = {"a": a, "b": b, "n": n}
    return Step(what, plan, _after(plan, random), params, note="=1+1", actor=actor)


def _after(plan: Plan, random: RandomStep) -> Plan:
    what, a, b, n = random
    keys = plan.keys.tolist()
    one, two = keys[a % len(keys)], keys[b % len(keys)]
    units = np.unique(np.array([a, b]) % len(plan.units))
    rules = Settings()
    match what:
        case "transfer":
            return edits.transfer(plan, units, two).plan
        case "merge":
            return edits.merge(plan, [one, two]).plan
        case "split":
            return edits.split(plan, one, n, rules).plan
        case "new":
            return edits.new_grid(plan, units).plan
        case "lock":
            return edits.lock(plan, [one], locked=n > 1)
        case "balance":
            return edits.balance(plan, [one, two], rules).plan
        case "tidy":
            return edits.tidy(plan).edited.plan
        case "number":
            return edits.set_number(plan, n + 1, rules).plan
        case "rename":
            return edits.rename(plan, one, f"第{a}片")
        case "explain":
            return edits.explain(plan, one, f"原因 {b}")
        case "kind":
            return edits.change_kind(plan, one, "dedicated" if n > 2 else "comprehensive")
    x, y = plan.units.x[units[0]], plan.units.y[units[0]]
    return edits.draw(plan, one, shapely.box(x - 70, y - 70, x + 70, y + 70)).plan
