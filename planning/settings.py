"""What a planner can set, with the defaults of the rule that most counties follow.

A metric is a number, a rule is a bound on a number, a policy is what to do about it. The bounds
stand here; the numbers in :mod:`planning.measure`; the verdicts in :mod:`planning.rules`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

PRESETS: dict[str, dict[str, int | None]] = {
    # 六合 2020: about 300 households, at most 1,500 people
    "luhe": {"target": 300, "max_persons": 1500},
    # 浙江 2023: 300 to 500 households a grid
    "zhejiang": {
        "target": 400, "min_households": 300, "max_households": 500, "max_persons": None,
    },
    # 浙江 2023, large mixed communities: 200 to 300 households
    "zhejiang-mixed": {
        "target": 250, "min_households": 200, "max_households": 300, "max_persons": None,
    },
    # 湖北通城 2014: one village group, one grid, about 107 houses
    "tongcheng": {"target": 110, "max_persons": 1500},
}


@dataclass(frozen=True)
class Settings:
    """One proposal's parameters; all of them go into the plan's provenance.

    ``target`` households a grid; ``min_households``, ``max_households``, ``max_persons`` caps or
    None; ``grids_per_village`` numbers the planner fixed, by village code; ``micro`` households a
    micro-grid or None; ``tolerance_m`` how far outside every village a household is still given to
    the nearest. ``balance``, ``shape``, ``walk`` and ``lines`` weigh the four aims against each
    other (1 each by default, 0 ignores one, 3 is as far as it is useful).
    """

    target: int = 300
    min_households: int | None = None
    max_households: int | None = None
    max_persons: int | None = 1500
    grids_per_village: Mapping[str, int] = field(default_factory=dict)
    micro: int | None = None
    seed: int = 0
    tolerance_m: float = 20.0
    balance: float = 1.0
    shape: float = 1.0
    walk: float = 1.0
    lines: float = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError, naming every contradiction, for settings no plan could follow."""
        wrong = []
        if self.target < 1:
            wrong.append(f"target must be at least 1 household, not {self.target}")
        for name in ("min_households", "max_households", "max_persons", "micro"):
            value = getattr(self, name)
            if value is not None and value < 1:
                wrong.append(f"{name} must be at least 1, not {value}")
        if self.max_households is not None:
            if self.max_households < self.target:
                wrong.append(
                    f"max_households {self.max_households} is below the target {self.target}"
                )
            if self.min_households is not None and self.min_households > self.max_households:
                wrong.append(
                    f"min_households {self.min_households} is above "
                    f"max_households {self.max_households}"
                )
        wrong += [
            f"village {code}: the number of grids must be at least 1, not {number}"
            for code, number in self.grids_per_village.items()
            if number < 1
        ]
        for name in ("balance", "shape", "walk", "lines", "tolerance_m"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                wrong.append(f"{name} must be a number of 0 or more, not {value}")
        if wrong:
            raise ValueError("; ".join(wrong))

    @classmethod
    def preset(cls, name: str, **changes: object) -> Settings:
        """The settings of a named rule, with ``changes``. KeyError for an unknown name."""
        return replace(cls(**PRESETS[name]), **changes)  # type: ignore[arg-type]

    def grids_of(self, households: int, persons: int) -> int:
        """How many grids so many households and persons (negative: unknown) are given.

        max(1, round(H / target), ceil(P / max_persons), ceil(H / max_households)), halves to even
        as Python rounds.
        """
        number = max(1, round(households / self.target))
        if self.max_persons is not None and persons > 0:
            number = max(number, math.ceil(persons / self.max_persons))
        if self.max_households is not None:
            number = max(number, math.ceil(households / self.max_households))
        return number
