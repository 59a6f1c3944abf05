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
from store.policy import Person
from ui.format import name_text
from ui.views import PlanView

POINTS = "see.households"


def view_for(view: PlanView, who: Person) -> PlanView:
    """The view of a plan for somebody; the plan's own where they may see all of it.

    Made once for everybody with the same grants, and kept with the plan.
    """
    points = who.may(POINTS)
    if who.townships is None and points:
        return view
    told = "\0".join([str(points), *sorted(who.townships or ())])
    with view.smaller_lock:
        if told not in view.smaller:
            mark = hashlib.sha256(told.encode("utf-8")).hexdigest()[:8]
            plan = plan_for(view.plan, who, points=points)
            units_of = view.units_of if points else None
            made = PlanView(f"{view.key}~{mark}", plan, view.context, units_of)
            made.whole, made.kept, made.sought = view, view.kept, True
            made.scopes = who.townships
            # what is counted must not be less than what is shown: few households hide a cell
            made.counting = plan if points else plan_for(view.plan, who, points=True)
            view.smaller[told] = made
        made = view.smaller[told]
        made.kept = view.kept
        return made


def plan_for(plan: PlanFile, who: Person, *, points: bool) -> PlanFile:
    """The tables of the villages that somebody sees; without ``points`` no household."""
    codes = plan.villages["code"].map(name_text)
    townships = plan.villages["township_name"].map(name_text)
    seen = [who.sees(code, township) for code, township in zip(codes, townships, strict=True)]
    rows = np.asarray(seen, dtype=bool)
    grids = plan.grids[plan.grids["village_code"].map(name_text).isin(set(codes[rows]))]
    own = set(grids["code"].astype(str))
    # a LatePlan's households are not read only to be left out
    households = plan.households if points else _no_points(plan)
    micro = plan.micro_grids
    named = plan.exceptions["grid_code"].astype(str)
    tables = {
        "grids": grids.reset_index(drop=True),
        "villages": plan.villages[rows].reset_index(drop=True),
        "households": _of(households, own) if points else households,
        "unplaced": plan.unplaced if points and rows.all() else plan.unplaced.iloc[:0],
        "exceptions": plan.exceptions[named.isin(own | set(codes[rows]))].reset_index(drop=True),
        "provenance": plan.provenance,
        "micro_grids": None if micro is None else _of(micro, own),
    }
    if isinstance(plan, LatePlan):
        return PlanFile(**tables)
    assert {f.name for f in fields(plan)} == set(tables)
    return replace(plan, **tables)


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
