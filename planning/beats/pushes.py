"""Which grids a beat can push to a neighbour, and what both hold then: a planner's next move."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.coverage import components
from planning.beats.ground import BeatGround
from planning.beats.judge import Frame, Load, load_of
from planning.graph import IntArray
from planning.plan import Plan

COLUMNS = (
    "grid", "grid_code", "from", "to", "work", "from_deviation", "to_deviation",
    "from_room_persons", "to_room_persons", "keeps", "gain",
)  # fmt: skip


def pushes(ground: BeatGround, plan: Plan, rules: Frame, key: int) -> pd.DataFrame:
    """Every grid that beat ``key`` can give to a neighbour and stay in one piece, best first.

    Columns: ``grid`` row, ``grid_code``, ``from`` and ``to`` keys, ``work`` of the grid; of both
    beats after the push ``*_deviation`` (share of their area's mean) and ``*_room_persons``
    (negative over the cap, NaN unknown); ``keeps`` whether both then keep band and cap; ``gain``
    how much nearer to the mean the two come together, in shares of it (positive is better). Locked
    beats neither give nor get. KeyError where there is no beat ``key``.
    """
    members = plan.members(key)
    locked = plan.locked()
    load = load_of(ground, plan, rules)
    at = {int(k): i for i, k in enumerate(plan.keys)}
    rows: list[tuple[object, ...]] = []
    for grid, to in [] if key in locked or len(members) < 2 else _border(plan, rules, key):
        if to in locked or not _whole_without(rules, members, grid):
            continue
        rows.append(_row(ground, load, at, key, grid, to))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = ["keeps", "gain", "grid"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _border(plan: Plan, rules: Frame, key: int) -> list[tuple[int, int]]:
    """Grids of a beat with the other beats they touch through a border that may be crossed."""
    a, b = rules.rules.a, rules.rules.b
    a, b = np.concatenate([a, b]), np.concatenate([b, a])
    cross = (plan.label[a] == key) & (plan.label[b] != key)
    pairs = np.unique(np.column_stack([a[cross], plan.label[b[cross]]]), axis=0)
    return [(int(grid), int(to)) for grid, to in pairs]


def _whole_without(rules: Frame, members: IntArray, grid: int) -> bool:
    rest = members[members != grid]
    position = np.full(len(rules.area), -1, dtype=np.int64)
    position[rest] = np.arange(len(rest))
    a, b = position[rules.rules.a], position[rules.rules.b]
    inside = (a >= 0) & (b >= 0)
    return bool((components(len(rest), a[inside], b[inside]) == 0).all())


def _row(
    ground: BeatGround, load: Load, at: dict[int, int], key: int, grid: int, to: int
) -> tuple[object, ...]:
    own, other = at[key], at[to]
    work = float(ground.work.total[grid])
    persons = float(ground.units.persons[grid]) if ground.counted else float("nan")
    mean = load.mean[own], load.mean[other]
    before = load.deviation[own], load.deviation[other]
    after = (
        (load.work[own] - work) / max(mean[0], 1e-12) - 1,
        (load.work[other] + work) / max(mean[1], 1e-12) - 1,
    )
    room = load.room_persons[own] + persons, load.room_persons[other] - persons
    keeps = max(abs(after[0]), abs(after[1])) <= load.band + 1e-9
    keeps &= not (room[0] < 0 or room[1] < 0)
    gain = abs(before[0]) + abs(before[1]) - abs(after[0]) - abs(after[1])
    return (
        grid, ground.grids["code"].iloc[grid], key, to, work, float(after[0]), float(after[1]),
        float(room[0]), float(room[1]), bool(keeps), float(gain),
    )  # fmt: skip
