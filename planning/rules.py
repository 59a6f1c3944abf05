"""Rules: bounds on numbers, and the sentences that say which one a grid breaks, and why.

A rule never stops a plan; it lists an exception with its value, its limit and the reason. To add
one, add a row to :data:`RULES` and a test (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geo.units import Units
from planning import sets
from planning.measure import Measures
from planning.propose import Proposal
from planning.settings import Settings

RULES: dict[str, tuple[str, str]] = {
    # rule: (Chinese, English) name for lists
    "max_persons": ("人口超上限", "over the cap on persons"),
    "max_households": ("户数超上限", "over the cap on households"),
    "min_households": ("户数低于下限", "under the least households"),
    "parts": ("不连片", "not in one piece"),
    "split_set": ("小区或自然村被分割", "a compound or natural village is cut"),
    "grids_added": ("网格数多于公式", "more grids than the formula"),
    "grids_short": ("网格数少于要求", "fewer grids than asked for"),
}


@dataclass(frozen=True)
class GridException:
    """One rule that one grid breaks. ``grid`` its label, -1 for the village as a whole."""

    grid: int
    rule: str
    value: float
    limit: float
    reason: str


def exceptions(
    units: Units,
    proposal: Proposal,
    measures: Measures,
    settings: Settings,
    set_names: Mapping[int, str] | Sequence[str] | None = None,
) -> list[GridException]:
    """Every rule that a village's plan breaks, by grid and rule, with the reason."""
    found = [
        *_caps(proposal, measures, settings),
        *_parts(proposal, measures),
        *_split_sets(units, proposal, settings, set_names),
    ]
    comprehensive = int((proposal.dedicated < 0).sum())
    if proposal.given and comprehensive > proposal.given:
        found.append(
            GridException(
                -1, "grids_added", comprehensive, proposal.given,
                f"{proposal.given} 个网格无法满足上限,已增加到 {comprehensive} 个 / "
                f"{proposal.given} grids could not keep the caps; {comprehensive} do",
            )
        )
    if proposal.given and comprehensive < proposal.given:
        found.append(
            GridException(
                -1, "grids_short", comprehensive, proposal.given,
                f"本村只有 {len(units)} 个不可再分的单元,分不出 {proposal.given} 个网格 / "
                f"the village has too few indivisible units for {proposal.given} grids",
            )
        )
    return sorted(found, key=lambda e: (e.grid, e.rule))


def _caps(proposal: Proposal, m: Measures, settings: Settings) -> list[GridException]:
    found = []
    for grid in np.flatnonzero(proposal.dedicated < 0):
        if proposal.alone[grid]:
            why = (
                "单个楼栋或小区已超上限,不可再分 / a single building or place that exceeds the cap "
                "by itself"
            )
        else:
            why = (
                "邻近建筑和整体单元无法重新组合到上限以内 / the buildings and whole sets here "
                "cannot be combined within the cap"
            )
        for rule, value, cap in (
            ("max_persons", int(m.persons[grid]), settings.max_persons),
            ("max_households", int(m.households[grid]), settings.max_households),
        ):
            if cap is not None and value > cap:
                found.append(GridException(int(grid), rule, value, cap, why))
        least = settings.min_households
        if least is not None and m.households[grid] < least:
            found.append(
                GridException(
                    int(grid), "min_households", int(m.households[grid]), least,
                    "本村户数不足以让每个网格达到下限 / the village has too few households for "
                    "each of its grids to reach it",
                )
            )
    return found


def _parts(proposal: Proposal, m: Measures) -> list[GridException]:
    return [
        GridException(
            int(grid), "parts", int(m.parts[grid]), 1,
            f"{m.parts[grid] - 1} 处飞地或岛屿过小,不足以单独成格,并入最近网格 / "
            f"{_strays(int(m.parts[grid]) - 1)} too small for a grid joined the nearest one",
        )
        for grid in np.flatnonzero((m.parts > 1) & (proposal.dedicated < 0))
    ]


def _strays(number: int) -> str:
    return "1 exclave or islet" if number == 1 else f"{number} exclaves or islets"


def _split_sets(
    units: Units,
    proposal: Proposal,
    settings: Settings,
    set_names: Mapping[int, str] | Sequence[str] | None,
) -> list[GridException]:
    """Sets with people in more than one comprehensive grid, one row a set at its main grid."""
    lived = (units.whole >= 0) & (units.households > 0) & (units.dedicated < 0)
    over = set(sets.too_large(units, settings).tolist())
    found = []
    for number in np.unique(units.whole[lived]):
        members = lived & (units.whole == number)
        held = np.bincount(proposal.label[members], weights=units.households[members])
        if (held > 0).sum() == 1:
            continue
        name = "" if set_names is None else set_names[number]
        reason = (
            f"{name} 单独已超上限,须分割 / {name} exceeds a cap by itself and has to be cut"
            if number in over
            else f"{name} 分布在不相连的几处 / {name} lies in pieces that do not touch"
        )
        found.append(
            GridException(
                int(held.argmax()), "split_set", float((held > 0).sum()), 1, reason.strip()
            )
        )
    return found
