"""A division into beats as a plan: edits, undo, history and records of grids work on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planning.beats.ground import BeatGround
from planning.codes import chinese_number
from planning.graph import IntArray
from planning.plan import Grid, Kind, Plan


@dataclass(frozen=True)
class BeatPlan(Plan):
    """A plan whose units are grids and whose "grids" are beats; labels as in :class:`Plan`."""

    def fresh(self, kind: Kind = "comprehensive") -> tuple[BeatPlan, int]:
        """A plan that knows one more beat (not yet used by any grid) and that beat's key."""
        number = 1
        while f"{self.units.code}{number:03d}" in self.used:
            number += 1
        code = f"{self.units.code}{number:03d}"
        beat = Grid(code, beat_name(number), "comprehensive")
        wider: BeatPlan = object.__new__(BeatPlan)  # skips the check: the beat gets grids next
        for name, value in (
            ("units", self.units),
            ("label", self.label),
            ("grids", {**self.grids, self.next_key: beat}),
            ("village_name", self.village_name),
            ("next_key", self.next_key + 1),
            ("used", self.used | {code}),
        ):
            object.__setattr__(wider, name, value)
        return wider, self.next_key


def as_beats(plan: Plan) -> BeatPlan:
    """A plan that was read back (:mod:`planning.record` makes plain ones) as a plan of beats."""
    return BeatPlan(
        plan.units, plan.label, plan.grids, plan.village_name, plan.next_key, plan.used
    )


def beat_name(number: int) -> str:
    """The name of a new beat: 第三警格."""
    return f"第{chinese_number(number)}警格" if number < 1000 else f"第{number}警格"


def plan_of(ground: BeatGround, label: IntArray, locked: IntArray | None = None) -> BeatPlan:
    """Labels as a plan: key i is today's beat i, any other key a beat that gets a fresh code.

    New beats are numbered in the order of their lowest grid. ``locked`` rows of today's beats are
    locked in the plan.
    """
    old = 0 if ground.today is None else len(ground.today.beats)
    known: dict[int, Grid] = {}
    used: set[str] = set()
    if ground.today is not None:
        table = ground.today.beats
        used |= set(table["code"])
        for key in np.unique(label[label < old]).tolist():
            shut = locked is not None and key in locked
            known[key] = Grid(table["code"].iloc[key], table["name"].iloc[key], locked=shut)
    final = label.copy()
    plan = object.__new__(BeatPlan)
    for name, value in (
        ("units", ground.units), ("label", final), ("grids", known), ("village_name", ""),
        ("next_key", old), ("used", frozenset(used)),
    ):
        object.__setattr__(plan, name, value)
    fresh = label[label >= old]
    keys, first = np.unique(fresh, return_index=True)
    for key in keys[np.argsort(first)].tolist():
        plan, own = plan.fresh()
        final[label == key] = own
    return replace(plan, label=final)
