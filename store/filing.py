"""A scenario filed: the store's plans as the tables of plan.gpkg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError
from sqlalchemy import Connection, select

from geo.ground import Ground
from geo.linework import Linework
from planning.filing import EditedVillage, file_again, file_plans
from planning.planfile import PlanFile
from store.creation import check_project, settings_of
from store.plans import Grounds, Parents, chain, open_plan, plan_row
from store.scenarios import scenario_row, village_codes
from store.schema import LOG, PLAN, VILLAGE
from store.values import DamagedError


def planfile_of(
    c: Connection,
    scenario: int,
    households: gpd.GeoDataFrame | None,
    known: Grounds,
    file: str,
) -> PlanFile:
    """The tables of a scenario; see :meth:`store.projects.Store.planfile_of`."""
    own = scenario_row(c, scenario, file)
    row = check_project(c, own.project_id, file)
    codes = village_codes(c, scenario, file)
    villages = [_edited(c, scenario, code, known, file) for code in codes]
    told = _told(c, own, file)
    provenance = pd.DataFrame(row.provenance, columns=["key", "value"], dtype=object)
    settings = settings_of(c, own.project_id, file)
    ground = ground_of(c, own.project_id, row)
    return file_plans(ground, settings, villages, provenance, told, households)


def refiled(
    c: Connection,
    scenario: int,
    filed: PlanFile,
    codes: Sequence[str],
    known: Grounds,
    file: str,
    near: Linework | None = None,
    ground: Ground | None = None,
) -> PlanFile:
    """A plan file with some villages as they are now; see :meth:`store.projects.Store.refiled`."""
    own = scenario_row(c, scenario, file)
    if ground is None:
        ground = ground_of(c, own.project_id, check_project(c, own.project_id, file))
    villages = [_edited(c, scenario, code, known, file) for code in codes]
    told = _told(c, own, file)
    settings = settings_of(c, own.project_id, file)
    return file_again(ground, settings, filed, villages, told, near)


def _edited(c: Connection, scenario: int, code: str, known: Grounds, file: str) -> EditedVillage:
    opened = open_plan(c, plan_row(c, scenario, code, file), known)
    return EditedVillage(opened.plan, opened.history.start)


def _told(c: Connection, own: Any, file: str) -> list[tuple[str, object]]:
    """What the provenance says of the scenario: steps in force, entries of its log."""
    edited = PLAN.c.scenario_id == own.id, PLAN.c.version > 0
    here = c.execute(select(PLAN.c.id, PLAN.c.position).where(*edited)).all()
    logged = select(LOG.c.plan_id, LOG.c.seq, LOG.c.parent, LOG.c.record.is_not(None))
    parents: dict[int, Parents] = {row.id: {} for row in here}
    count = 0
    for plan, seq, parent, is_step in c.execute(
        logged.join(PLAN, LOG.c.plan_id == PLAN.c.id).where(PLAN.c.scenario_id == own.id)
    ):
        count += 1
        if is_step and plan in parents:
            parents[plan][seq] = parent
    steps = sum(len(chain(parents[row.id], row.position)) for row in here)
    return [("scenario.name", own.name), ("scenario.steps", steps), ("scenario.entries", count)]


def ground_of(c: Connection, project: int, row: Any) -> Ground:
    """What the store knows of a project's ground: villages, names of lines and sets, no household.

    The lines have no shape: their names are all that is needed to tell the line that a border runs
    right along; what it runs beside is told by who has the files. ``row`` is the project's.
    """
    try:
        crs = CRS.from_user_input(row.crs)
    except CRSError as error:
        raise DamagedError("unknown coordinate system") from error
    rows = c.execute(
        select(VILLAGE).where(VILLAGE.c.project_id == project).order_by(VILLAGE.c.position)
    ).all()
    names = ("code", "name", "township_name", "class_code")
    villages = gpd.GeoDataFrame(
        {name: pd.Series([getattr(v, name) or "" for v in rows], dtype=object) for name in names},
        geometry=[v.boundary for v in rows],
        crs=crs,
    )
    pairs = np.array([*row.lines, ["", ""]], dtype=object)[:-1]
    lines = Linework(np.full(len(pairs), None, dtype=object), pairs[:, 0], pairs[:, 1])
    numbers = {key: np.empty(0, dtype=np.int64) for key in ("households", "persons", "village")}
    nobody = pd.DataFrame(
        {"household_id": np.empty(0, dtype=object), **numbers, "x": [], "y": [], "reason": ""}
    ).astype({"x": float, "y": float})
    nowhere = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[], crs=crs)
    return Ground(
        crs=crs,
        villages=villages,
        households=nobody.assign(set_id=numbers["village"]),
        lines=lines,
        sets=pd.DataFrame(row.sets, columns=["kind", "name"], dtype=object),
        wholes=nowhere,
        dedicated=nowhere,
        unplaced=nobody,
        layers={},
        notes=(),
    )
