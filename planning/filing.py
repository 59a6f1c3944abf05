"""Edited plans as the tables of plan.gpkg: what planners decided is what is filed.

Codes, names, kinds and reasons are the plans' own; numbers, outlines, bounds and exceptions are
computed as for a proposal, by the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.coverage import place_points
from geo.ground import Ground
from geo.linework import Linework
from geo.messages import register
from geo.problems import InputError, Problem
from geo.units import Units
from planning.bounds import BESIDE_M, four_bounds
from planning.carry import proposal_of
from planning.check import NO_REASON
from planning.codes import village_of_code
from planning.county import CountyPlan, VillagePlan
from planning.graph import FloatArray, IntArray
from planning.late_homes import NAMES
from planning.measure import measure
from planning.micro import micro_grids
from planning.plan import Plan
from planning.planfile import LatePlan, PlanFile
from planning.rules import GridException, exceptions
from planning.settings import Settings
from planning.tables import results, to_planfile
from planning.today import RETIRED

register(
    {
        "households-differ": (
            "该户数文件与方案不符(网格 {code}:文件 {found} 户,方案 {held} 户);"
            "请使用生成方案时的文件。",
            "does not hold the plan's households (grid {code}: {found} there, {held} in the plan); "
            "give the file that the project was proposed from.",
        ),
    }
)

BUILDING_M = 0.5  # households of one building lie within this of their unit's mean place
_RECOUNTED = ("result.", "whole.", "count.grids", "count.units")


@dataclass(frozen=True)
class EditedVillage:
    """A village's plan as it is now and as it was before the first step."""

    plan: Plan
    start: Plan

    @property
    def keys(self) -> list[int]:
        """Keys in the order of filing: by code, dedicated grids last."""
        grids = self.plan.grids
        return sorted(grids, key=lambda k: (grids[k].kind == "dedicated", grids[k].code))

    def touched(self) -> set[int]:
        """Grids whose units are not those they had at the start."""
        now, before = self.plan, self.start
        if now.units is not before.units:
            return set(now.grids)
        moved = now.label != before.label
        return {int(key) for key in np.unique(now.label[moved])} | {
            int(key) for key in np.unique(before.label[moved]) if key in now.grids
        }


def file_plans(
    ground: Ground,
    settings: Settings,
    villages: Sequence[EditedVillage],
    provenance: pd.DataFrame,
    told: Iterable[tuple[str, object]] = (),
    households: gpd.GeoDataFrame | None = None,
    near: Linework | None = None,
) -> PlanFile:
    """The tables of edited plans, one village of ``villages`` a row of ``ground.villages``.

    ``provenance`` is the proposal's; what is counted again replaces its rows, ``told`` is added.
    ``households`` the layer of the plan file that the plans came from: its points get the grid
    their unit is in now. Without it the layer is empty. The grids carry ``locked`` and ``reason``
    besides the usual columns. ``near``: where lines run, for the four bounds, if the ground's lines
    have no shape. Raises :class:`InputError` where the households are others.
    """
    sets = [str(name) for name in ground.sets["name"]]
    described = tuple(_described(ground, settings, own, sets, near) for own in villages)
    tables = to_planfile(CountyPlan(ground, settings, described))
    said = [(own.plan.grids[key].locked, own.plan.grids[key].reason) for own in villages
            for key in own.keys]  # fmt: skip
    grids = tables.grids.assign(
        locked=np.array([locked for locked, _ in said], dtype=np.int64),
        reason=pd.Series([reason for _, reason in said], dtype=object),
    )
    tables = replace(
        tables,
        grids=grids,
        provenance=_provenance(
            provenance, tables.provenance, villages, told, _codes_of(ground.villages)
        ),
    )
    if households is not None and len(households):
        placed = _placed(tables.grids, villages, described, households.to_crs(ground.crs))
        tables = replace(tables, households=placed)
    return tables


def file_again(
    ground: Ground,
    settings: Settings,
    filed: PlanFile,
    villages: Sequence[EditedVillage],
    told: Iterable[tuple[str, object]] = (),
    near: Linework | None = None,
) -> PlanFile:
    """``filed`` with some villages' rows as their plans are now; every other row is untouched.

    ``ground`` knows these villages by code. What is known of the whole county (the results in the
    provenance) is told again, but for what cannot be seen in the tables; ``unplaced`` stays.
    ``near`` as for :func:`file_plans`.
    Raises :class:`InputError` where the households of ``filed`` are not the plans'.
    """
    codes = [own.plan.units.code for own in villages]
    row_of = {str(code): row for row, code in enumerate(ground.villages["code"])}
    here = replace(
        ground,
        villages=ground.villages.iloc[[row_of[code] for code in codes]].reset_index(drop=True),
    )
    before = set(filed.grids.loc[filed.grids["village_code"].isin(codes), "code"].astype(str))
    homes = _homes_of(filed, codes, before)
    new = file_plans(
        here, settings, villages, filed.provenance, told, _together(list(homes.values())), near
    )
    new = replace(new, grids=_as_filed(new.grids, filed.grids, villages))
    old = filed.exceptions["grid_code"].isin(before)
    grids = _replaced(filed.grids, ~filed.grids["village_code"].isin(codes), new.grids)
    tables = _with_homes(
        filed,
        homes,
        new.households,
        grids=grids.sort_values("code", kind="stable").reset_index(drop=True),
        villages=_recounted(filed.villages, new.villages),
        exceptions=pd.concat(
            [part for part in (filed.exceptions[~old], new.exceptions) if len(part)]
            or [filed.exceptions[:0]],
            ignore_index=True,
        ),
        provenance=_summed(filed.provenance, grids, villages, told, _codes_of(ground.villages)),
    )
    if filed.micro_grids is None or new.micro_grids is None:
        return tables
    kept = ~filed.micro_grids["grid_code"].isin(before)
    micro = _replaced(filed.micro_grids, kept, new.micro_grids)
    if isinstance(tables, LatePlan):
        return tables.with_tables(micro_grids=micro)
    return replace(tables, micro_grids=micro)


def _homes_of(
    filed: PlanFile, codes: Sequence[str], grids: set[str]
) -> dict[str, gpd.GeoDataFrame]:
    """Households of the villages, by village where the rest can stay unread, else together."""
    if isinstance(filed, LatePlan):
        return {code: filed.households_of([code]) for code in codes}
    return {"": filed.households[filed.households["grid_code"].isin(grids)]}


def _together(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    lived = [frame for frame in frames if len(frame)] or list(frames[:1])
    return lived[0] if len(lived) == 1 else pd.concat(lived)


def _with_homes(
    filed: PlanFile, homes: dict[str, gpd.GeoDataFrame], new: gpd.GeoDataFrame, **tables: Any
) -> PlanFile:
    """The plan with other tables, and with the grids of these households as they are in ``new``."""
    if isinstance(filed, LatePlan):
        moved = {
            code: own.assign(**{name: new[name].reindex(own.index) for name in NAMES})
            for code, own in homes.items() if len(own)
        }  # fmt: skip
        return filed.with_tables(moved, **tables)
    households = filed.households.copy()
    inside = homes[""].index
    if len(inside):
        for name in NAMES:
            households.loc[inside, name] = new[name]
    return replace(filed, households=households, **tables)


def _as_filed(
    new: gpd.GeoDataFrame, filed: gpd.GeoDataFrame, villages: Sequence[EditedVillage]
) -> gpd.GeoDataFrame:
    """The four bounds of grids that were not touched as they were filed.

    The store knows the names of lines but not where they run: without the files, a line beside a
    border, or a water around it, can be told only where the plan was made.
    """
    if "bounds_text" not in filed:
        return new
    told = dict(zip(filed["code"].astype(str), filed["bounds_text"], strict=True))
    same = set()
    for own in villages:
        touched = own.touched()
        for key, grid in own.plan.grids.items():
            before = own.start.grids.get(key)
            if key not in touched and before is not None and before.code == grid.code:
                same.add(grid.code)
    said = [
        told.get(code, text) if code in same else text
        for code, text in zip(new["code"].astype(str), new["bounds_text"], strict=True)
    ]
    return new.assign(bounds_text=said)


def _replaced(
    frame: gpd.GeoDataFrame, kept: pd.Series, new: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """The kept rows, then the new ones, under the columns of both."""
    parts = [frame[kept], new.to_crs(frame.crs)]
    parts = [part for part in parts if len(part)] or parts[:1]
    joined = pd.concat(parts, ignore_index=True)
    for name, missing in (("locked", 0), ("reason", "")):
        if name in joined:
            joined[name] = joined[name].fillna(missing)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=frame.crs)


def _recounted(villages: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    counts = dict(zip(new["code"].astype(str), new["grids"], strict=True))
    grids = [counts.get(str(code), held) for code, held in
             zip(villages["code"], villages["grids"], strict=True)]  # fmt: skip
    return villages.assign(grids=grids)


def _summed(
    provenance: pd.DataFrame,
    grids: pd.DataFrame,
    villages: Sequence[EditedVillage],
    told: Iterable[tuple[str, object]],
    known: frozenset[str],
) -> pd.DataFrame:
    """The provenance with the county's results as the grids say them.

    What the tables do not show (sets kept whole, units) would be the proposal's, so it goes.
    """
    lined = provenance.loc[provenance["key"] == "result.inner_border_on_line", "value"]
    found = results(grids, lines=bool((lined != "").any()))
    result = pd.DataFrame(
        [(key, str(value)) for key, value in [*found, ("count.grids", len(grids))]],
        columns=["key", "value"],
    )
    said = list(told)
    names = {key for key, _ in said}
    old = provenance[~provenance["key"].isin(names)]
    return _provenance(old, result, villages, said, known)


def _around(units: Units, near: Linework | None) -> Linework | None:
    """The lines that come near a village: all that its bounds can be told from."""
    if near is None or not len(near):
        return None
    west, south, east, north = shapely.total_bounds(units.geometry)
    box = shapely.bounds(near.geometry)
    return near.only(
        np.flatnonzero(
            (box[:, 0] <= east + BESIDE_M) & (box[:, 2] >= west - BESIDE_M)
            & (box[:, 1] <= north + BESIDE_M) & (box[:, 3] >= south - BESIDE_M)
        )
    )  # fmt: skip


def _described(
    ground: Ground,
    settings: Settings,
    own: EditedVillage,
    sets: list[str],
    near: Linework | None,
) -> VillagePlan:
    plan, keys = own.plan, own.keys
    # the number of grids was the planner's to choose, so nothing was asked for
    proposal = replace(proposal_of(plan, keys, settings), given=0)
    measures = measure(plan.units, proposal.label, proposal.k)
    found = exceptions(plan.units, proposal, measures, settings, sets)
    touched = own.touched()
    outlines = dict(zip(plan.keys.tolist(), plan.outlines(), strict=True))
    units = plan.units
    if not len(ground.households):  # units just cut know rows of a ground that is not this one
        units = replace(units, unit_of_row=np.empty(0, dtype=np.int64))
    return VillagePlan(
        units=units,
        proposal=proposal,
        measures=measures,
        outlines=np.array([outlines[key] for key in keys], dtype=object),
        bounds=four_bounds(
            plan.units.segments, proposal.label, proposal.k, ground.lines, proposal.dedicated,
            near=_around(units, near),
        ),
        exceptions=[_reasoned(e, plan, keys[e.grid], touched) for e in found],
        micro=micro_grids(plan.units, proposal, settings) if settings.micro else None,
        grids=tuple(plan.grids[key] for key in keys),
    )


def _reasoned(e: GridException, plan: Plan, key: int, touched: set[int]) -> GridException:
    """The exception with the planner's reason; a program's reason fits only its own grids."""
    reason = plan.grids[key].reason or (NO_REASON if key in touched else e.reason)
    return replace(e, reason=reason)


def _codes_of(villages: gpd.GeoDataFrame) -> frozenset[str]:
    return frozenset(villages["code"].astype(str))


def _provenance(
    old: pd.DataFrame,
    counted: pd.DataFrame,
    villages: Sequence[EditedVillage],
    told: Iterable[tuple[str, object]],
    known: frozenset[str],
) -> pd.DataFrame:
    """``known`` the codes of all villages of the county: whose a retired code is."""
    again = counted[counted["key"].str.startswith(_RECOUNTED)]
    edited = {own.plan.units.code for own in villages}
    homes = old["value"].map(lambda code: village_of_code(str(code), known))
    given = {
        code
        for own in villages
        for code in own.plan.used
        if village_of_code(code, known) in ("", own.plan.units.code)
    }
    retired = sorted(given - {g.code for own in villages for g in own.plan.grids.values()})
    # a grid that came along with a village that is gone has a code of no village that is here
    told_again = (old["key"] == RETIRED) & (homes.isin(edited) | old["value"].isin(given))
    kept = old[~old["key"].str.startswith(_RECOUNTED) & ~told_again]
    more = [*((key, str(value)) for key, value in told), *((RETIRED, code) for code in retired)]
    return pd.concat(
        [kept, again, pd.DataFrame(more, columns=["key", "value"])], ignore_index=True
    )


def unit_of(own: EditedVillage, xy: FloatArray, points: gpd.GeoSeries) -> IntArray:
    """The unit of each household: of its building, else the one that its point lies in."""
    units = own.plan.units
    home = place_points(points.to_numpy(), units.geometry)
    lived = np.flatnonzero(units.households > 0)
    if len(lived):
        tree = cKDTree(np.column_stack([units.x[lived], units.y[lived]]))
        away, near = tree.query(xy, distance_upper_bound=BUILDING_M)
        home = np.where(np.isfinite(away), lived[np.minimum(near, len(lived) - 1)], home)
    return np.asarray(home, dtype=np.int64)


def _placed(
    grids: gpd.GeoDataFrame,
    villages: Sequence[EditedVillage],
    described: Sequence[VillagePlan],
    households: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """The households with their grids as they are now."""
    known = {own.plan.units.code for own in villages}
    village_of = {
        code: row
        for row, own in enumerate(villages)
        for code in own.start.used | own.plan.used
        if village_of_code(code, known) in ("", own.plan.units.code)
    }
    village = households["grid_code"].map(village_of)
    code = np.full(len(households), None, dtype=object)
    micro = np.full(len(households), None, dtype=object)
    xy = np.column_stack([households.geometry.x, households.geometry.y])
    for row, (own, filed) in enumerate(zip(villages, described, strict=True)):
        at = np.flatnonzero(village.to_numpy() == row)
        if not len(at):
            continue
        unit = unit_of(own, xy[at], households.geometry.iloc[at])
        names = np.array([grid.code for grid in filed.grids], dtype=object)
        code[at] = names[filed.proposal.label[unit]]
        if filed.micro is not None and len(filed.micro.grid):
            each = [f"{names[g]}{n:02d}" for g, n in zip(filed.micro.grid, filed.micro.number,
                    strict=True)]  # fmt: skip
            micro[at] = np.array([*each, None], dtype=object)[filed.micro.label[unit]]
    held = households["households"].groupby(pd.Series(code, households.index)).sum()
    for own_code, count in zip(grids["code"], grids["households"], strict=True):
        found = int(held.get(own_code, 0))
        if found != count:
            params = {"code": own_code, "found": found, "held": int(count)}
            raise InputError([Problem("households-differ", "households", params=params)])
    return households.assign(
        grid_code=pd.Series(code, households.index, dtype=object),
        micro_code=pd.Series(micro, households.index, dtype=object),
    )
