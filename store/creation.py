"""Projects in the database: made from a county's proposal, listed, renamed, deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from geo.problems import InputError, Problem
from planning.codes import village_of_code
from planning.county import CountyPlan
from planning.history import now
from planning.plan import start_plan
from planning.record import state_of
from planning.settings import Settings
from planning.tables import codes_and_names, provenance
from store.ground import save_ground
from store.located import announce_system, located
from store.schema import PLAN, PROJECT, SCENARIO, VILLAGE
from store.values import DamagedError, srid_of

KINDS = ("road", "water", "railway")
FIRST_SCENARIO = "初始方案 / proposal"
MARK = "plan.digest"  # in the provenance: which plan a project was made from


@dataclass(frozen=True)
class ProjectInfo:
    """One project of a list. ``adopted`` the scenario in force, or None."""

    id: int
    name: str
    crs: str
    created_at: str
    created_by: str
    villages: int
    scenarios: int
    adopted: int | None


@dataclass(frozen=True)
class VillageInfo:
    """One village of a project; empty text where the input did not say."""

    code: str
    name: str
    township_name: str
    class_code: str


def project_row(c: Connection, project: int, file: str) -> Any:
    """A project's row. :class:`InputError` for none."""
    found = c.execute(select(PROJECT).where(PROJECT.c.id == project)).first()
    if found is None:
        raise InputError([Problem("store-no-plan", file)])
    return found


def create_project(
    c: Connection, county: CountyPlan, name: str, actor: str, told: pd.DataFrame | None, mark: str
) -> tuple[int, int]:
    """Keep a proposal; returns the numbers of the project and of its first scenario."""
    ground, moment = county.ground, now()
    said = provenance(county) if told is None else told
    rows = [[str(key), str(value)] for key, value in said[["key", "value"]].to_numpy().tolist()]
    row = {
        "name": name.strip(),
        "crs": ground.crs.to_string(),
        "settings": asdict(county.settings),
        "provenance": [*(pair for pair in rows if pair[0] != MARK), [MARK, mark]],
        "lines": np.column_stack([ground.lines.kind, ground.lines.name]).tolist(),
        "sets": ground.sets[["kind", "name"]].astype(str).to_numpy().tolist(),
        "created_at": moment,
        "created_by": actor,
    }
    project = _number(c.execute(insert(PROJECT), row).inserted_primary_key)
    first = {
        "project_id": project, "name": FIRST_SCENARIO, "created_at": moment, "created_by": actor,
    }  # fmt: skip
    scenario = _number(c.execute(insert(SCENARIO), first).inserted_primary_key)
    for position in range(len(county.villages)):
        _create_village(c, county, project, scenario, position)
    announce_system(c)
    return project, scenario


def _number(key: Any) -> int:
    return int(key[0])


def _create_village(
    c: Connection, county: CountyPlan, project: int, scenario: int, position: int
) -> None:
    village, own = county.ground.villages.iloc[position], county.villages[position]
    row = {
        "project_id": project,
        "position": position,
        "code": str(village["code"]),
        "name": str(village["name"]),
        "township_name": _text(village["township_name"]),
        "class_code": _text(village["class_code"]),
        "boundary": located(village.geometry, srid_of(county.ground.crs.to_string())),
    }
    village_id = _number(c.execute(insert(VILLAGE), row).inserted_primary_key)
    save_ground(c, village_id, own.units)
    codes, names = codes_and_names(county, position)
    start = start_plan(own.units, own.proposal, codes, names, str(village["name"]))
    if own.grids:  # carried over: kinds, locks and reasons stay, no retired code comes back
        retired = frozenset() if county.today is None else county.today.used
        begin = own.units.code
        known = frozenset(county.ground.villages["code"].astype(str))
        used = start.used | {
            code for code in retired
            if code.startswith(begin) and village_of_code(code, known) == begin
        }  # fmt: skip
        start = replace(start, grids=dict(enumerate(own.grids)), used=used)
    state = state_of(start)
    c.execute(
        insert(PLAN),
        {
            "scenario_id": scenario, "village_id": village_id, "start": state, "state": state,
            "version": 0, "position": 0, "tip": 0,
        },
    )  # fmt: skip


def _text(value: object) -> str:
    """A text, empty for what is missing in any of pandas' ways."""
    return value if isinstance(value, str) else ""


def _counted(c: Connection, query: Any) -> dict[int, int]:
    """Rows of a query (project, count), counted by project."""
    rows = c.execute(query.group_by(query.selected_columns[0]))
    return {int(row[0]): int(row[1]) for row in rows}


def projects(c: Connection) -> list[ProjectInfo]:
    """All projects, the newest first."""
    villages = _counted(c, select(VILLAGE.c.project_id, func.count()))
    scenarios = _counted(
        c, select(SCENARIO.c.project_id, func.count()).where(SCENARIO.c.deleted_at.is_(None))
    )
    return [
        ProjectInfo(
            id=row.id,
            name=row.name,
            crs=row.crs,
            created_at=row.created_at,
            created_by=row.created_by,
            villages=villages.get(row.id, 0),
            scenarios=scenarios.get(row.id, 0),
            adopted=row.adopted,
        )
        for row in c.execute(select(PROJECT).order_by(PROJECT.c.id.desc()))
    ]


def marked(c: Connection, mark: str) -> int | None:
    """The newest project made from the plan of this digest."""
    for row in c.execute(select(PROJECT.c.id, PROJECT.c.provenance).order_by(PROJECT.c.id.desc())):
        if isinstance(row.provenance, list) and [MARK, mark] in row.provenance:
            return int(row.id)
    return None


def villages(c: Connection, project: int, file: str) -> list[VillageInfo]:
    """A project's villages in the order of the input."""
    project_row(c, project, file)
    names = ("code", "name", "township_name", "class_code")
    rows = c.execute(
        select(*(VILLAGE.c[name] for name in names))
        .where(VILLAGE.c.project_id == project)
        .order_by(VILLAGE.c.position)
    )
    return [VillageInfo(*(value or "" for value in row)) for row in rows]


def settings_of(c: Connection, project: int, file: str) -> Settings:
    """The settings a project was proposed with."""
    try:
        return Settings(**project_row(c, project, file).settings)
    except (TypeError, ValueError) as error:
        raise DamagedError(f"settings: {error}") from error


def check_project(c: Connection, project: int, file: str) -> None:
    """Raise :class:`DamagedError` where a project's own values cannot be what was stored."""
    row = project_row(c, project, file)
    settings_of(c, project, file)
    for name in ("lines", "provenance", "sets"):
        table = getattr(row, name)
        sound = isinstance(table, list) and all(
            isinstance(line, list)
            and len(line) == 2
            and all(isinstance(cell, str) for cell in line)
            for line in table
        )
        if not sound or (name == "lines" and any(kind not in KINDS for kind, _ in table)):
            raise DamagedError(f"{name} cannot be read")


def set_names(c: Connection, project: int, file: str) -> list[str]:
    """Names of the must-stay-together sets by number."""
    return [str(name) for _, name in project_row(c, project, file).sets]


def rename_project(c: Connection, project: int, name: str, file: str) -> None:
    """Give a project another name."""
    project_row(c, project, file)
    c.execute(update(PROJECT).where(PROJECT.c.id == project).values(name=name.strip()))


def delete_project(c: Connection, project: int, file: str) -> None:
    """Delete a project and everything in it."""
    project_row(c, project, file)
    c.execute(PROJECT.delete().where(PROJECT.c.id == project))
    announce_system(c)
