"""Carrying a village's grids over to new ground: keep what exists, then mend what breaks a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from geo.enclosures import VillageGround
from geo.segments import tally
from geo.units import Units
from planning import sets
from planning.graph import IntArray, graph_of
from planning.keep import WITHIN_M, NotKept, keep
from planning.maintain import maintain
from planning.plan import Grid, Plan
from planning.propose import Proposal
from planning.settings import Settings
from planning.start import pieces
from planning.today import RETIRED, Today


@dataclass(frozen=True)
class Upkeep:
    """What became of a village's grids, by code.

    ``moved`` households changed grid to mend it, ``bound`` had to at least (0 where nothing was
    broken). ``unchanged`` grids are where they were to within a metre. ``not_mended`` still break
    a rule that moving households could not mend.
    """

    moved: int
    bound: int
    unchanged: tuple[str, ...]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    not_kept: tuple[NotKept, ...]
    not_mended: tuple[str, ...]


@dataclass(frozen=True)
class Carried:
    """A village's grids on its new ground: units (refined), labels, their grids, what happened."""

    units: Units
    proposal: Proposal
    grids: tuple[Grid, ...]
    upkeep: Upkeep


def carry(
    units: Units,
    old: gpd.GeoDataFrame,
    settings: Settings,
    *,
    ground: VillageGround | None = None,
    village_name: str = "",
    used: frozenset[str] = frozenset(),
    band: float | None = None,
) -> Carried:
    """Keep the ``old`` grids (rows of :class:`planning.today.Today`) on new units and mend them.

    Grids come back in the order of their codes, dedicated ones last. ``used`` codes are given to
    no new grid. ``band`` as in :func:`planning.maintain.maintain`.
    """
    kept = keep(units, old, settings, ground=ground, village_name=village_name, used=used)
    mended = maintain(kept.plan, settings, band)
    plan = mended.plan
    keys = sorted(plan.grids, key=lambda k: (plan.grids[k].kind == "dedicated", plan.grids[k].code))
    new = [key for key in keys if key >= len(old)]
    present = [key for key in keys if key < len(old)]
    changed = _changed(plan, old, present)
    codes = {key: grid.code for key, grid in {**kept.plan.grids, **plan.grids}.items()}
    upkeep = Upkeep(
        moved=mended.moved,
        bound=mended.bound,
        unchanged=tuple(codes[key] for key in present if key not in changed),
        changed=tuple(codes[key] for key in present if key in changed),
        new=tuple(codes[key] for key in new),
        gone=(*kept.gone, *(codes[key] for key in mended.gone if key < len(old))),
        not_kept=kept.not_kept,
        not_mended=tuple(codes[key] for key in mended.left),
    )
    grids = tuple(plan.grids[key] for key in keys)
    return Carried(plan.units, proposal_of(plan, keys, settings), grids, upkeep)


def _changed(plan: Plan, old: gpd.GeoDataFrame, present: list[int]) -> set[int]:
    """Old grids whose outline is now another, somewhere by more than a metre."""
    now = plan.outlines()[np.searchsorted(plan.keys, present)]
    before = old.geometry.to_numpy()[present]
    apart = shapely.buffer(shapely.symmetric_difference(now, before), -WITHIN_M / 2)
    return {key for key, same in zip(present, shapely.is_empty(apart), strict=True) if not same}


def proposal_of(plan: Plan, keys: list[int], settings: Settings) -> Proposal:
    """The plan as the proposal that tables, rules and maps read."""
    units, k = plan.units, len(keys)
    row = np.zeros(max(keys) + 1, dtype=np.int64)
    row[keys] = np.arange(k)
    label: IntArray = row[plan.label]
    usual = np.array([plan.grids[key].kind == "comprehensive" for key in keys])
    held = tally(label, units.households, k)
    dedicated = np.full(k, -1, dtype=np.int64)
    for grid in np.flatnonzero(~usual):
        places = units.dedicated[(label == grid) & (units.dedicated >= 0)]
        dedicated[grid] = np.bincount(places).argmax() if len(places) else 0
    piece = pieces(graph_of(units), label)
    count = np.unique(np.column_stack([label, piece]), axis=0)[:, 0]
    large = np.array(
        [
            sets.exceeds(h, p, settings)
            for h, p in zip(units.households, np.maximum(units.persons, 0), strict=True)
        ]
    )
    settlement = np.full(len(units), -1, dtype=np.int64)
    if not (units.whole >= 0).any():
        settlement = sets.settlements(units, float(settings.target))
    return Proposal(
        label=label,
        dedicated=dedicated,
        ideal=np.where(usual, held[usual].sum() / max(int(usual.sum()), 1), 0.0),
        given=settings.grids_per_village.get(units.code, 0),
        joined=np.bincount(count, minlength=k) - 1,
        alone=np.bincount(label[large], minlength=k) > 0,
        settlement=settlement,
    )


def told(
    today: Today, upkeep: Sequence[Upkeep], gone: Iterable[str], codes: Iterable[str]
) -> list[tuple[str, object]]:
    """What a plan's provenance says of the grids it came from, as rows of key and value.

    ``gone`` codes that had no ground in any village; ``codes`` of the plan's grids. Codes that
    are not in use any more are told as retired, so that the next plan gives them to no grid.
    """
    moved, bound = sum(u.moved for u in upkeep), sum(u.bound for u in upkeep)
    lost = [item for u in upkeep for item in u.not_kept]
    left = [code for u in upkeep for code in u.not_mended]
    away = [*(code for u in upkeep for code in u.gone), *gone]
    rows: list[tuple[str, object]] = [
        ("from.file", today.file),
        ("from.sha256", today.sha256),
        ("from.households_moved", moved),
        ("from.lower_bound", bound),
        ("from.moved_per_bound", f"{moved / bound:.4f}" if bound else ""),
        ("from.grids_unchanged", sum(len(u.unchanged) for u in upkeep)),
        ("from.grids_changed", sum(len(u.changed) for u in upkeep)),
        ("from.grids_new", sum(len(u.new) for u in upkeep)),
        ("from.grids_gone", len(away)),
        ("from.grids_not_mended", len(left)),
        ("from.households_not_kept", sum(item.households for item in lost)),
        ("from.area_not_kept_m2", round(sum(item.area_m2 for item in lost))),
    ]
    rows += [
        ("from.not_kept", f"{i.code}: {i.area_m2:.0f} m², {i.households} 户 / "
         f"{i.code}: {i.area_m2:.0f} m², {i.households} households") for i in lost
    ]
    for key, listed in (
        ("changed", [code for u in upkeep for code in u.changed]),
        ("new", [code for u in upkeep for code in u.new]),
        ("gone", away),
        ("not_mended", left),
    ):
        rows += [(f"from.{key}", code or "-") for code in listed]
    return rows + [(RETIRED, code) for code in sorted(today.used - set(codes))]
