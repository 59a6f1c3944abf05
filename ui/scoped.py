"""The part of a plan that somebody may see: their townships, and points only for who may see them.

Everything a page shows or gives away is made from a :class:`ui.views.PlanView`; whoever may not see
all of it gets a view of a smaller plan, in which the rest is not.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from planning.planfile import LatePlan, PlanFile
from store.policy import COUNTY, Person
from ui.format import name_text
from ui.views import PlanView, UnitsOf

POINTS = "see.households"


def view_for(view: PlanView, who: Person) -> PlanView:
    """The view of a plan for somebody; the plan's own where they may see all of it.

    Made once for everybody with the same grants, and kept with the plan. Points are in it where a
    grant for them holds: who plans in one township and looks at another sees no dwelling there.
    """
    if who.may_everywhere(POINTS):
        return view
    points = who.holding(POINTS)
    told = "\0".join([*_scopes(who), "points", *_scopes(points)])
    with view.smaller_lock:
        if told not in view.smaller:
            mark = hashlib.sha256(told.encode("utf-8")).hexdigest()[:8]
            plan = plan_for(view.plan, who, points)
            made = PlanView(f"{view.key}~{mark}", plan, view.context, _units_of(view, points))
            made.whole, made.kept, made.sought = view, view.kept, True
            made.scopes = who.townships
            # what is counted must not be less than what is shown: few households hide a cell
            all_points = _scopes(who) == _scopes(points)
            made.counting = plan if all_points else plan_for(view.plan, who, who)
            view.smaller[told] = made
        made = view.smaller[told]
        made.kept = view.kept
        return made


def _scopes(who: Person) -> list[str]:
    """Where somebody's grants hold, in order; the county alone where one of them is for it."""
    return [COUNTY] if who.townships is None else sorted(who.townships)


def _units_of(view: PlanView, points: Person) -> UnitsOf | None:
    """Units, which may be single houses, of villages in which points may be seen."""
    units_of = view.units_of
    if units_of is None or not points.grants:
        return None
    codes, towns = (view.plan.villages[name].map(name_text) for name in ("code", "township_name"))
    shown = {code for code, town in zip(codes, towns, strict=True) if points.sees(code, town)}
    return lambda code: units_of(code) if code in shown else None


def plan_for(plan: PlanFile, who: Person, points: Person) -> PlanFile:
    """The tables of the villages that somebody sees; households of those that ``points`` sees."""
    codes = plan.villages["code"].map(name_text)
    townships = plan.villages["township_name"].map(name_text)
    places = list(zip(codes, townships, strict=True))
    rows = np.asarray([who.sees(*place) for place in places], dtype=bool)
    pointed = rows & np.asarray([points.sees(*place) for place in places], dtype=bool)
    village = plan.grids["village_code"].map(name_text)
    grids = plan.grids[village.isin(set(codes[rows]))]
    own = set(grids["code"].astype(str))
    dwelt = set(plan.grids.loc[village.isin(set(codes[pointed])), "code"].astype(str))
    micro = plan.micro_grids
    named = plan.exceptions["grid_code"].astype(str)
    tables = {
        "grids": grids.reset_index(drop=True),
        "villages": plan.villages[rows].reset_index(drop=True),
        "households": _points(plan, set(codes[pointed]), dwelt),
        "unplaced": plan.unplaced if pointed.all() else plan.unplaced.iloc[:0],
        "exceptions": plan.exceptions[named.isin(own | set(codes[rows]))].reset_index(drop=True),
        "provenance": plan.provenance,
        "micro_grids": None if micro is None else _of(micro, own),
    }
    if isinstance(plan, LatePlan):
        return PlanFile(**tables)
    assert {f.name for f in fields(plan)} == set(tables)
    return replace(plan, **tables)


def _points(plan: PlanFile, villages: set[str], grids: set[str]) -> gpd.GeoDataFrame:
    """The households of some villages; a LatePlan's others are not read only to be left out."""
    if not villages:
        return _no_points(plan)
    if isinstance(plan, LatePlan):
        return plan.households_of(villages).reset_index(drop=True)
    return _of(plan.households, grids)


def _of(frame: gpd.GeoDataFrame, grids: set[str]) -> gpd.GeoDataFrame:
    return frame[frame["grid_code"].astype(str).isin(grids)].reset_index(drop=True)


def _no_points(plan: PlanFile) -> gpd.GeoDataFrame:
    empty = pd.DataFrame(
        {
            "household_id": np.empty(0, dtype=np.int64), "households": np.empty(0, dtype=np.int64),
            "persons": np.empty(0, dtype=float), "grid_code": np.empty(0, dtype=object),
            "micro_code": np.empty(0, dtype=object),
        }
    )  # fmt: skip
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=plan.grids.crs))
