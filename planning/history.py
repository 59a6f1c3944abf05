"""What was done to a plan, and the way back: a zipper of plans.

A plan is immutable, so undo needs no inverse of any edit: the plan before is still there. A
:class:`History` is the steps behind the present plan and the steps ahead of it; undo and redo move
one step from one side to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import shapely

from geo.coverage import place_points
from planning.graph import IntArray
from planning.plan import Plan

STEPS: dict[str, tuple[str, str]] = {
    # step: (Chinese, English) name for lists and for the undo button
    "transfer": ("划转", "transfer"),
    "brush": ("涂刷", "brush"),
    "drag": ("拖动边界", "drag a border"),
    "merge": ("合并", "merge"),
    "split": ("拆分", "split"),
    "cut": ("画线拆分", "split by a line"),
    "draw": ("画轮廓", "draw an outline"),
    "new": ("新建网格", "new grid"),
    "rename": ("改名", "rename"),
    "kind": ("改类别", "change kind"),
    "number": ("设网格数", "set the number of grids"),
    "propose": ("重新划分", "propose again"),
    "balance": ("均衡", "balance"),
    "tidy": ("清理飞地", "tidy strays"),
    "lock": ("锁定", "lock"),
    "unlock": ("解锁", "unlock"),
    "explain": ("填写原因", "give a reason"),
    "import": ("导入现有网格", "bring in existing grids"),
    "maintain": ("更新户数", "maintain"),
    "undo": ("撤销", "undo"),
    "redo": ("重做", "redo"),
    "goto": ("回到某步", "go to a step"),
}


def now() -> str:
    """The present moment as a step carries it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Step:
    """One edit that was made, with the plans before and after it.

    ``name`` a key of :data:`STEPS` (another word is allowed and shown as it is); ``params`` what
    it was called with, JSON-able; ``note`` why, in the planner's words; ``actor`` who; ``time``
    when, ISO 8601 in UTC. ``seq`` its number in the store, 0 while it has none.
    """

    name: str
    before: Plan
    after: Plan
    params: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    actor: str = ""
    time: str = field(default_factory=now)
    seq: int = 0

    @property
    def village_code(self) -> str:
        """Code of the village that was edited."""
        return self.after.units.code

    @property
    def refined(self) -> bool:
        """Whether the step changed the ground itself: other units, not only other labels."""
        return self.before.units is not self.after.units

    @cached_property
    def was(self) -> IntArray | None:
        """The grid that each unit's ground was in before, shape (n after,).

        None where units were neither kept nor cut finer, so that none can be told.
        """
        old, new = self.before.units, self.after.units
        if not self.refined:
            return self.before.label
        if len(new) < len(old):
            return None
        parent = place_points(shapely.point_on_surface(new.geometry), old.geometry)
        area = np.bincount(parent, weights=new.area, minlength=len(old))
        if not np.allclose(area, old.area, rtol=1e-6, atol=0.01):
            return None
        return np.asarray(self.before.label[parent])

    @property
    def units(self) -> int:
        """Units that changed grid; all of them where the ground is another."""
        if self.was is None:
            return len(self.after.units)
        return int((self.was != self.after.label).sum())

    @property
    def households(self) -> int:
        """Households that changed grid; 0 where the ground is another and none can be told."""
        if self.was is None:
            return 0
        return int(self.after.units.households[self.was != self.after.label].sum())

    @property
    def empty(self) -> bool:
        """Whether the step changed nothing at all, and so needs no place in a history."""
        a, b = self.before, self.after
        return (
            a.units is b.units
            and np.array_equal(a.label, b.label)
            and dict(a.grids) == dict(b.grids)
            and (a.village_name, a.next_key, a.used) == (b.village_name, b.next_key, b.used)
        )


@dataclass(frozen=True)
class History:
    """The steps behind and ahead of the present plan; immutable like the plans.

    ``start`` is the plan before the first step; ``past`` the steps that lead to the present,
    oldest first; ``future`` the steps that were undone, the next to redo first.
    """

    start: Plan
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    @property
    def present(self) -> Plan:
        """The plan as it is now."""
        return self.past[-1].after if self.past else self.start

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, done and undone, in their order; the first ``len(past)`` are in force."""
        return self.past + self.future

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back that can be done again."""
        return bool(self.future)

    def do(self, step: Step) -> History:
        """The history after one more step; what had been undone is no longer ahead.

        ValueError where the step does not start from the present plan: it was made on another.
        """
        if step.before is not self.present:
            raise ValueError("the step starts from a plan that is not the present one")
        return replace(self, past=(*self.past, step), future=())

    def undo(self) -> History:
        """One step back; the same history where there is none."""
        return self.goto(len(self.past) - 1) if self.past else self

    def redo(self) -> History:
        """One step forward again; the same history where there is none."""
        return self.goto(len(self.past) + 1) if self.future else self

    def goto(self, position: int) -> History:
        """The history with ``position`` steps in force, 0 for the start. IndexError beyond."""
        if not 0 <= position <= len(self.steps):
            raise IndexError(f"no position {position} in a history of {len(self.steps)} steps")
        return replace(self, past=self.steps[:position], future=self.steps[position:])
