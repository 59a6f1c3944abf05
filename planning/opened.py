"""A plan file taken up again: its grids as labels on the ground's units, ready to be edited.

A unit goes to the grid that covers most of it, and is cut where a border really runs through it
(:mod:`planning.keep`), so a plan of this program comes back as it was and any other to within a
metre. What could not be kept is listed, never lost silently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely

from geo.ground import Ground
from geo.units import build_units
from planning.carry import proposal_of
from planning.county import CountyPlan, VillagePlan, share_of
from planning.keep import NotKept, keep
from planning.measure import measure
from planning.plan import Grid, Plan
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.today import Today, of_plan

WORKERS = 2


@dataclass(frozen=True)
class OpenedPlan:
    """``county`` the plan on the ground's units; ``not_kept`` what its grids lost on the way."""

    county: CountyPlan
    not_kept: tuple[NotKept, ...]


def county_of_plan(
    ground: Ground,
    plan: PlanFile,
    settings: Settings,
    progress: Callable[[int, int], None] | None = None,
) -> OpenedPlan:
    """The plan that a plan file's polygons mean on ``ground``.

    ``progress`` is told villages done and villages in all. Grids keep their codes, names, kinds,
    locks and reasons; a village without any gets some. Raises :class:`geo.problems.InputError`
    where the grids touch none of the villages.
    """
    today = of_plan(plan, ground.crs)
    shares = today.shares(ground.villages)
    own: list[VillagePlan] = []
    lost: list[NotKept] = []

    def open_one(row: int) -> tuple[VillagePlan, tuple[NotKept, ...]]:
        return _village(ground, row, today, shares[row], settings, plan)

    # threads: nearly all of it is geometry, which lets go of the interpreter's lock
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        for row, (village, missing) in enumerate(pool.map(open_one, range(len(shares)))):
            own.append(village)
            lost += missing
            if progress is not None:
                progress(row + 1, len(shares))
    return OpenedPlan(CountyPlan(ground, settings, tuple(own), today), tuple(lost))


def _village(
    ground: Ground, row: int, today: Today, rows: np.ndarray, settings: Settings, plan: PlanFile
) -> tuple[VillagePlan, tuple[NotKept, ...]]:
    place = share_of(ground, row, settings)
    name = str(ground.villages["name"].iloc[row])
    kept = keep(
        build_units(place), today.grids.iloc[rows].reset_index(drop=True), settings,
        ground=place, village_name=name, used=today.used,
    )  # fmt: skip
    found = _remarked(kept.plan, plan)
    keys = sorted(found.grids, key=lambda k: (found.grids[k].kind == "dedicated",
                                              found.grids[k].code))  # fmt: skip
    proposal = proposal_of(found, keys, settings)
    outlines = dict(zip(found.keys.tolist(), found.outlines(), strict=True))
    village = VillagePlan(
        units=found.units,
        proposal=proposal,
        measures=measure(found.units, proposal.label, proposal.k),
        outlines=np.array([outlines[key] for key in keys], dtype=object),
        bounds=[""] * proposal.k,
        exceptions=[],
        grids=tuple(found.grids[key] for key in keys),
    )
    return village, kept.not_kept


def _remarked(found: Plan, plan: PlanFile) -> Plan:
    """The plan with the locks and reasons that a filed scenario carries."""
    if not {"locked", "reason"} & set(plan.grids.columns):
        return found
    table = plan.grids.drop_duplicates("code").set_index("code")

    def remark(grid: Grid) -> Grid:
        if grid.code not in table.index:
            return grid
        said = table.loc[grid.code]
        reason = said.get("reason")
        return replace(
            grid,
            locked=bool(pd.notna(said.get("locked")) and said.get("locked")),
            reason=reason if isinstance(reason, str) else "",
        )

    return replace(found, grids={key: remark(grid) for key, grid in found.grids.items()})


def plan_digest(plan: PlanFile) -> str:
    """What tells a plan from every other one, by content: its grids, and nothing of when or where.

    Hexadecimal, 64 characters. The same plan in another coordinate system is another plan.
    """
    digest = hashlib.sha256()
    grids = plan.grids.sort_values("code", kind="stable")
    for name in ("code", "name", "kind", "village_code", "households"):
        digest.update("\0".join(grids[name].fillna("").astype(str)).encode("utf-8", "replace"))
    for shape in shapely.to_wkb(grids.geometry.to_numpy(), output_dimension=2, byte_order=1):
        digest.update(shape)
    return digest.hexdigest()
