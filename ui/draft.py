"""The settings as a planner edits them, and the core's settings made from them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from planning.settings import PRESETS, Settings

OWN = "own"
"""The preset's name once the planner has departed from it."""

WEIGHTS = ("balance", "shape", "walk", "lines")
RULES = ("target", "min_households", "max_households", "max_persons")


@dataclass(frozen=True)
class Draft:
    """What stands in the form. None means "no limit"."""

    target: int = 300
    min_households: int | None = None
    max_households: int | None = None
    max_persons: int | None = 1500
    micro: int | None = None
    seed: int = 0
    balance: float = 1.0
    shape: float = 1.0
    walk: float = 1.0
    lines: float = 1.0
    grids_per_village: Mapping[str, int] = field(default_factory=dict)


def with_preset(draft: Draft, name: str) -> Draft:
    """The draft with a named rule's numbers; the rest stays. KeyError for an unknown name."""
    settings = Settings.preset(name)
    return replace(draft, **{rule: getattr(settings, rule) for rule in RULES})


def preset_of(draft: Draft) -> str:
    """The rule whose numbers the draft has, or :data:`OWN`."""
    for name in PRESETS:
        if all(getattr(Settings.preset(name), rule) == getattr(draft, rule) for rule in RULES):
            return name
    return OWN


def to_settings(draft: Draft) -> Settings:
    """The core's settings. Call :func:`contradictions` first: what it names raises ValueError."""
    return Settings(
        target=draft.target,
        min_households=draft.min_households,
        max_households=draft.max_households,
        max_persons=draft.max_persons,
        micro=draft.micro,
        grids_per_village=dict(draft.grids_per_village),
        seed=draft.seed,
        balance=draft.balance,
        shape=draft.shape,
        walk=draft.walk,
        lines=draft.lines,
    )


def contradictions(draft: Draft) -> list[str]:
    """Keys of :data:`ui.words.WORDS` that say what contradicts itself; empty when all is well."""
    found = []
    if draft.max_households is not None and draft.max_households < draft.target:
        found.append("settings.max_below_target")
    if draft.min_households is not None and draft.min_households > draft.target:
        found.append("settings.min_above_target")
    return found
