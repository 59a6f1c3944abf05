"""Projects in the database: made from a county's proposal, listed, renamed, deleted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from geo.ground import Ground
from geo.problems import InputError, Problem
from planning.codes import village_of_code
from planning.county import CountyPlan, VillagePlan
from planning.history import now
from planning.packing import as_binary
from planning.plan import start_plan
from planning.record import Record, state_of
from planning.settings import Settings
from planning.tables import codes_and_names, provenance
from store.ground import GroundRows, ground_rows, insert_ground
from store.located import announce_system, located
from store.schema import PLAN, PROJECT, SCENARIO, VILLAGE
from store.values import DamagedError, srid_of

KINDS = ("road", "water", "railway")
FIRST_SCENARIO = "初始方案 / proposal"
MARK = "plan.digest"  # in the provenance: which plan a project was made from
UNFINISHED = "plan.unfinished"
"""In the provenance of a project whose villages are still being taken in: of what, in its place."""


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
    said = provenance(county) if told is None else told
    project, scenario = insert_project(
        c, county.ground, county.settings, name, actor, said, (MARK, mark)
    )
    insert_villages(c, project, scenario, county_rows(county, range(len(county.villages))))
    announce_system(c)
    return project, scenario


def county_rows(county: CountyPlan, positions: Iterable[int]) -> Iterator[VillageRows]:
    """What is kept of some of a proposal's villages."""
    known = frozenset(county.ground.villages["code"].astype(str))
    retired = retired_by_village(() if county.today is None else county.today.used, known)
    for position in positions:
        own = county.villages[position]
        codes, names = codes_and_names(county, position)
        yield village_rows(
            county.ground.villages.iloc[position], position, own, codes, names,
            retired.get(own.units.code, frozenset()),
        )  # fmt: skip


def insert_project(
    c: Connection,
    ground: Ground,
    settings: Settings,
    name: str,
    actor: str,
    told: pd.DataFrame,
    mark: tuple[str, str],
) -> tuple[int, int]:
    """A project that has a scenario, and no village yet; the numbers of both.

    ``mark`` a row of its provenance: what it is found by.
    """
    moment = now()
    rows = [[str(key), str(value)] for key, value in told[["key", "value"]].to_numpy().tolist()]
    row = {
        "name": name.strip(),
        "crs": ground.crs.to_string(),
        "settings": asdict(settings),
        "provenance": [*(pair for pair in rows if pair[0] not in (MARK, UNFINISHED)), [*mark]],
        "lines": np.column_stack([ground.lines.kind, ground.lines.name]).tolist(),
        "sets": ground.sets[["kind", "name"]].astype(str).to_numpy().tolist(),
        "created_at": moment,
        "created_by": actor,
    }
    project = _number(c.execute(insert(PROJECT), row).inserted_primary_key)
    first = {
        "project_id": project, "name": FIRST_SCENARIO, "created_at": moment, "created_by": actor,
    }  # fmt: skip
    return project, _number(c.execute(insert(SCENARIO), first).inserted_primary_key)


def _number(key: Any) -> int:
    return int(key[0])


@dataclass(frozen=True)
class VillageRows:
    """A village as the store takes it, made by whoever has its plan: ``own`` its columns.

    ``state`` its plan at the start (:func:`planning.record.state_of`).
    """

    position: int
    own: dict[str, Any]
    ground: GroundRows
    state: Record

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is sent: shapes as binary."""
        return VillageRows, (self.position, self.own, as_binary(self.ground), self.state)


def retired_by_village(codes: Iterable[str], known: Container[str]) -> dict[str, frozenset[str]]:
    """Codes that were ever given, by the village they were given in."""
    found: dict[str, set[str]] = {}
    for code in codes:
        found.setdefault(village_of_code(code, known), set()).add(code)
    return {village: frozenset(own) for village, own in found.items()}


def village_rows(
    village: Any,
    position: int,
    own: VillagePlan,
    codes: list[str],
    names: list[str],
    retired: frozenset[str],
) -> VillageRows:
    """What is kept of a village (a row of the ground's) and of its plan.

    ``retired`` the codes ever given in it, which no grid gets again; they count where its grids
    were carried over (``own.grids``).
    """
    start = start_plan(own.units, own.proposal, codes, names, str(village["name"]))
    if own.grids:  # carried over: kinds, locks and reasons stay, no retired code comes back
        start = replace(start, grids=dict(enumerate(own.grids)), used=start.used | retired)
    columns = {
        "code": str(village["code"]),
        "name": str(village["name"]),
        "township_name": _text(village["township_name"]),
        "class_code": _text(village["class_code"]),
        "boundary": village["geometry"],
    }
    return VillageRows(position, columns, ground_rows(own.units), state_of(start))


def insert_villages(
    c: Connection, project: int, scenario: int, villages: Iterable[VillageRows]
) -> None:
    """Keep villages, but for those that are there already."""
    held = positions(c, project)
    crs = c.execute(select(PROJECT.c.crs).where(PROJECT.c.id == project)).scalar_one()
    for rows in villages:
        if rows.position not in held:
            _insert_village(c, project, scenario, rows, srid_of(str(crs)))


def positions(c: Connection, project: int) -> frozenset[int]:
    """The villages that a project has, by their place in the input."""
    found = c.execute(select(VILLAGE.c.position).where(VILLAGE.c.project_id == project))
    return frozenset(int(position) for position in found.scalars())


def finish_project(c: Connection, project: int, mark: str, file: str) -> bool:
    """Give a project that was being taken in its mark; False where another run has done so."""
    told = project_row(c, project, file).provenance
    if not is_unfinished(told):
        return False
    own = [pair for pair in told if pair[0] != UNFINISHED]
    c.execute(
        update(PROJECT).where(PROJECT.c.id == project).values(provenance=[*own, [MARK, mark]])
    )
    return True


def _insert_village(
    c: Connection, project: int, scenario: int, rows: VillageRows, srid: int
) -> None:
    boundary = located(rows.own["boundary"], srid)
    row = {"project_id": project, "position": rows.position, **rows.own, "boundary": boundary}
    village_id = _number(c.execute(insert(VILLAGE), row).inserted_primary_key)
    insert_ground(c, village_id, rows.ground, srid)
    c.execute(
        insert(PLAN),
        {
            "scenario_id": scenario, "village_id": village_id, "start": rows.state,
            "state": rows.state, "version": 0, "position": 0, "tip": 0,
        },
    )  # fmt: skip


def _text(value: object) -> str:
    """A text, empty for what is missing in any of pandas' ways."""
    return value if isinstance(value, str) else ""


def _counted(c: Connection, query: Any) -> dict[int, int]:
    """Rows of a query (project, count), counted by project."""
    rows = c.execute(query.group_by(query.selected_columns[0]))
    return {int(row[0]): int(row[1]) for row in rows}


_LISTED = [PROJECT.c[name] for name in (
    "id", "name", "crs", "provenance", "created_at", "created_by", "adopted")]  # fmt: skip


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
        for row in c.execute(select(*_LISTED).order_by(PROJECT.c.id.desc()))
        if not is_unfinished(row.provenance)
    ]


def is_unfinished(told: object) -> bool:
    """Are villages of the project with this provenance still to come?"""
    return isinstance(told, list) and any(pair[:1] == [UNFINISHED] for pair in told)


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
    # no more than that: the lines of a city take longer to unpack than a village to be opened
    found = c.execute(select(PROJECT.c.settings).where(PROJECT.c.id == project)).first()
    if found is None:
        raise InputError([Problem("store-no-plan", file)])
    try:
        return Settings(**found.settings)
    except (TypeError, ValueError) as error:
        raise DamagedError(f"settings: {error}") from error


def check_project(c: Connection, project: int, file: str) -> Any:
    """A project's row. Raises :class:`DamagedError` where its own values cannot be what was
    stored."""
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
    return row


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
