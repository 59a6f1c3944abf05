"""A plan under a planner's hands: units, one grid key per unit, and what is known of each grid.

Immutable: every edit (:mod:`planning.edits`) returns a new plan, so that undo is keeping the old
one. Keys are the grids' identity for as long as they live and are never given twice; codes and
names are what people call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.coverage import dissolve
from geo.units import Units
from planning.codes import FIRST_DEDICATED, LAST_COMPREHENSIVE, chinese_number
from planning.graph import IntArray
from planning.measure import Measures, measure
from planning.propose import Proposal

Kind = Literal["comprehensive", "dedicated"]


@dataclass(frozen=True)
class Grid:
    """What a plan knows of one grid beside its units.

    ``code`` and ``name`` as filed; ``locked`` grids neither lose nor gain; ``reason`` is the
    planner's word for an exception, printed in the register.
    """

    code: str
    name: str
    kind: Kind = "comprehensive"
    locked: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """One village's plan. ``label`` (n,) a key of ``grids`` per unit; every key is used.

    ``used`` are all codes ever given in this village, so that none is given to another grid.
    """

    units: Units
    label: IntArray
    grids: Mapping[int, Grid]
    village_name: str = ""
    next_key: int = 0
    used: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raise ValueError where labels and grids do not belong together."""
        if set(np.unique(self.label).tolist()) != set(self.grids):
            raise ValueError("labels and grids differ: a grid without units, or the reverse")
        if len(self.label) != len(self.units):
            raise ValueError(f"{len(self.label)} labels for {len(self.units)} units")

    @cached_property
    def keys(self) -> IntArray:
        """The grids' keys ascending, shape (k,); the order of every per-grid array."""
        return np.array(sorted(self.grids), dtype=np.int64)

    @cached_property
    def compact(self) -> IntArray:
        """Labels 0..k-1 in the order of :attr:`keys`, shape (n,)."""
        return np.searchsorted(self.keys, self.label).astype(np.int64)

    @cached_property
    def measures(self) -> Measures:
        """Measures in the order of :attr:`keys`."""
        return measure(self.units, self.compact, len(self.keys))

    def outlines(self) -> NDArray[np.object_]:
        """Polygons of the grids in the order of :attr:`keys`."""
        return dissolve(self.units.geometry, self.compact)

    def members(self, key: int) -> IntArray:
        """Units of a grid; KeyError for a grid that is not in the plan."""
        if key not in self.grids:
            raise KeyError(key)
        return np.flatnonzero(self.label == key)

    def locked(self) -> frozenset[int]:
        """Keys of the locked grids."""
        return frozenset(key for key, grid in self.grids.items() if grid.locked)

    def relabel(self, label: IntArray, grids: Mapping[int, Grid] | None = None) -> Plan:
        """This plan with other labels; grids left without units are dropped from it."""
        known = dict(self.grids if grids is None else grids)
        alive = set(np.unique(label).tolist())
        kept = {key: grid for key, grid in known.items() if key in alive}
        return replace(self, label=label, grids=kept)

    def fresh(self, kind: Kind = "comprehensive") -> tuple[Plan, int]:
        """A plan that knows one more grid (not yet used by any unit) and that grid's key.

        Its code is the lowest number of its kind that was never given in this village.
        """
        first, last = (
            (1, LAST_COMPREHENSIVE) if kind == "comprehensive" else (FIRST_DEDICATED, 999)
        )
        for number in range(first, last + 1):
            code = f"{self.units.code}{number:03d}"
            if code not in self.used:
                break
        else:
            raise ValueError(f"village {self.units.code} has used up its codes {first}-{last}")
        ordinal = chinese_number(number - first + 1)
        ending = "网格" if kind == "comprehensive" else "专属网格"
        grid = Grid(code, f"{self.village_name}第{ordinal}{ending}", kind)
        wider = object.__new__(Plan)  # skips the check: the new grid gets its units next
        for name, value in (
            ("units", self.units),
            ("label", self.label),
            ("grids", {**self.grids, self.next_key: grid}),
            ("village_name", self.village_name),
            ("next_key", self.next_key + 1),
            ("used", self.used | {code}),
        ):
            object.__setattr__(wider, name, value)
        return wider, self.next_key


def start_plan(
    units: Units, proposal: Proposal, codes: list[str], names: list[str], village_name: str
) -> Plan:
    """A proposal as a plan to be edited: keys 0..k-1 in the proposal's order."""
    grids = {
        i: Grid(code, name, "comprehensive" if proposal.dedicated[i] < 0 else "dedicated")
        for i, (code, name) in enumerate(zip(codes, names, strict=True))
    }
    return Plan(units, proposal.label, grids, village_name, len(codes), frozenset(codes))
