"""A plan file taken up again: its grids as labels on the ground's units, ready to be edited.

A unit goes to the grid that covers most of it, and is cut where a border really runs through it
(:mod:`planning.keep`), so a plan of this program comes back as it was and any other to within a
metre. What could not be kept is listed, never lost silently.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.enclosures import VillageGround
from geo.ground import Ground
from geo.units import build_units
from planning.carry import proposal_of
from planning.county import CountyPlan, VillagePlan, share_of
from planning.keep import NotKept, keep
from planning.measure import measure
from planning.plan import Grid, Plan
from planning.planfile import PlanFile
from planning.settings import Settings
from planning.today import of_plan

WORKERS = 2


@dataclass(frozen=True)
class OpenedPlan:
    """``county`` the plan on the ground's units; ``not_kept`` what its grids lost on the way."""

    county: CountyPlan
    not_kept: tuple[NotKept, ...]


@dataclass(frozen=True)
class OpenedVillage:
    """One village's plan on its units; ``not_kept`` what its grids lost on the way."""

    plan: VillagePlan
    not_kept: tuple[NotKept, ...]


@dataclass(frozen=True)
class Laid:
    """All that one village's plan is taken up from, and nothing of the rest of the county.

    ``grids`` its rows of :class:`planning.today.Today`, ``remarks`` the lock and the reason of
    those that have any, by code; ``used`` the codes given in it that no other grid may have.
    """

    share: VillageGround
    name: str
    settings: Settings
    grids: gpd.GeoDataFrame
    used: frozenset[str]
    remarks: Mapping[str, tuple[bool, str]]


class Laying:
    """A plan file to be laid on a ground, village by village; see :func:`open_village`."""

    def __init__(self, ground: Ground, plan: PlanFile, settings: Settings) -> None:
        """Raises :class:`geo.problems.InputError` where the grids touch none of the villages."""
        self.ground, self.settings = ground, settings
        self.today = of_plan(plan, ground.crs)
        self._shares = self.today.shares(ground.villages)
        self._names = [str(name) for name in ground.villages["name"]]
        self._codes = [str(code) for code in ground.villages["code"]]
        self._used = sorted(self.today.used)
        self._remarks = _remarks(plan)

    def __len__(self) -> int:
        return len(self._shares)

    def name(self, row: int) -> str:
        """A village's name."""
        return self._names[row]

    def parcel(self, row: int) -> Laid:
        """One village's part."""
        grids = self.today.grids.iloc[self._shares[row]].reset_index(drop=True)
        begin = self._codes[row]
        # a new grid's code begins with its village's: nobody else's can stand in its way
        first = bisect_left(self._used, begin)
        last = bisect_left(self._used, begin + "\U0010ffff")
        return Laid(
            share_of(self.ground, row, self.settings), self._names[row], self.settings, grids,
            frozenset(self._used[first:last]),
            {code: self._remarks[code] for code in grids["code"] if code in self._remarks},
        )  # fmt: skip


def _remarks(plan: PlanFile) -> dict[str, tuple[bool, str]]:
    """Locks and reasons that a filed scenario carries, by code."""
    if not {"locked", "reason"} & set(plan.grids.columns):
        return {}
    table = plan.grids.drop_duplicates("code")
    nothing = [None] * len(table)
    locks, reasons = (table.get(name, nothing) for name in ("locked", "reason"))
    told = {}
    for code, lock, reason in zip(table["code"].astype(str), locks, reasons, strict=True):
        locked = bool(pd.notna(lock) and lock)
        said = reason if isinstance(reason, str) else ""
        if locked or said:
            told[code] = (locked, said)
    return told


def open_village(own: Laid) -> OpenedVillage:
    """One village's plan on the units of its ground; at the top of a module, to be sent."""
    kept = keep(
        build_units(own.share), own.grids, own.settings,
        ground=own.share, village_name=own.name, used=own.used,
    )  # fmt: skip
    found = _remarked(kept.plan, own.remarks)
    keys = sorted(found.grids, key=lambda k: (found.grids[k].kind == "dedicated",
                                              found.grids[k].code))  # fmt: skip
    proposal = proposal_of(found, keys, own.settings)
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
    return OpenedVillage(village, kept.not_kept)


def _remarked(found: Plan, remarks: Mapping[str, tuple[bool, str]]) -> Plan:
    """The plan with the locks and reasons of its grids."""
    if not remarks:
        return found

    def remark(grid: Grid) -> Grid:
        locked, reason = remarks.get(grid.code, (False, ""))
        return replace(grid, locked=locked, reason=reason)

    return replace(found, grids={key: remark(grid) for key, grid in found.grids.items()})


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
    laying = Laying(ground, plan, settings)
    own: list[VillagePlan] = []
    lost: list[NotKept] = []

    def open_one(row: int) -> OpenedVillage:
        return open_village(laying.parcel(row))

    # threads: much of it is geometry, which lets go of the interpreter's lock
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        for row, village in enumerate(pool.map(open_one, range(len(laying)))):
            own.append(village.plan)
            lost += village.not_kept
            if progress is not None:
                progress(row + 1, len(laying))
    return OpenedPlan(CountyPlan(ground, settings, tuple(own), laying.today), tuple(lost))


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
