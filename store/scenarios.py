"""Scenarios: several plans of one county side by side, each with all its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select, update

from geo.problems import InputError, Problem
from planning.history import now
from planning.record import apply, plan_of, state_of
from store.plans import Grounds, PlanRow, chain, grounds_for, parents_of, plan_row, records_of
from store.schema import LOG, PLAN, PROJECT, SCENARIO, VILLAGE


@dataclass(frozen=True)
class ScenarioInfo:
    """One scenario of a list. ``parent`` the scenario it was branched from, None for the first.

    ``changes`` counts the entries of its log in all villages, ``edited`` the villages that have
    any. Times are ISO 8601 in UTC.
    """

    id: int
    project: int
    name: str
    parent: int | None
    created_at: str
    created_by: str
    archived: bool
    deleted: bool
    adopted: bool
    changes: int
    edited: int


def scenario_row(c: Connection, scenario: int, file: str) -> Any:
    """A scenario's row. :class:`InputError` for none."""
    found = c.execute(select(SCENARIO).where(SCENARIO.c.id == scenario)).first()
    if found is None:
        raise InputError([Problem("store-no-plan", file)])
    return found


def listed(c: Connection, project: int, deleted: bool, file: str) -> list[ScenarioInfo]:
    """A project's scenarios, by number."""
    adopted = c.execute(select(PROJECT.c.adopted).where(PROJECT.c.id == project)).first()
    if adopted is None:
        raise InputError([Problem("store-no-plan", file)])
    changes = {
        row.scenario_id: (int(row.changes or 0), int(row.edited))
        for row in c.execute(
            select(
                PLAN.c.scenario_id,
                func.sum(PLAN.c.version).label("changes"),
                func.count().filter(PLAN.c.version > 0).label("edited"),
            ).group_by(PLAN.c.scenario_id)
        )
    }
    rows = c.execute(
        select(SCENARIO).where(SCENARIO.c.project_id == project).order_by(SCENARIO.c.id)
    )
    return [
        ScenarioInfo(
            id=row.id,
            project=project,
            name=row.name,
            parent=row.parent_id,
            created_at=row.created_at,
            created_by=row.created_by,
            archived=row.archived_at is not None,
            deleted=row.deleted_at is not None,
            adopted=row.id == adopted[0],
            changes=changes.get(row.id, (0, 0))[0],
            edited=changes.get(row.id, (0, 0))[1],
        )
        for row in rows
        if deleted or row.deleted_at is None
    ]


def village_codes(c: Connection, scenario: int, file: str) -> list[str]:
    """Codes of a scenario's villages, in the project's order."""
    project = scenario_row(c, scenario, file).project_id
    return list(
        c.execute(
            select(VILLAGE.c.code)
            .where(VILLAGE.c.project_id == project)
            .order_by(VILLAGE.c.position)
        ).scalars()
    )


def versions(c: Connection, scenario: int, file: str) -> dict[str, int]:
    """Version of every village's plan, by code, in the project's order."""
    scenario_row(c, scenario, file)
    rows = c.execute(
        select(VILLAGE.c.code, PLAN.c.version)
        .join(VILLAGE, PLAN.c.village_id == VILLAGE.c.id)
        .where(PLAN.c.scenario_id == scenario)
        .order_by(VILLAGE.c.position)
    )
    return {row.code: int(row.version) for row in rows}


def branch(
    c: Connection,
    scenario: int,
    name: str,
    actor: str,
    at: dict[str, int],
    known: Grounds,
    file: str,
) -> int:
    """Copy a scenario with the log of every plan, up to the version in ``at`` where it is given.

    ValueError where a village never had that version.
    """
    project = scenario_row(c, scenario, file).project_id
    row = {
        "project_id": project, "name": name.strip(), "parent_id": scenario,
        "created_at": now(), "created_by": actor,
    }  # fmt: skip
    made = c.execute(insert(SCENARIO), row).inserted_primary_key
    assert made is not None
    new = int(made[0])
    same = [PLAN.c[k] for k in ("village_id", "start", "state", "version", "position", "tip")]
    kept = select(literal(new).label("scenario_id"), *same).where(PLAN.c.scenario_id == scenario)
    c.execute(insert(PLAN).from_select(["scenario_id", *(k.name for k in same)], kept))
    old = PLAN.alias()
    columns = [LOG.c[k] for k in ("seq", "parent", "name", "actor", "at", "record")]
    log = (
        select(PLAN.c.id, *columns)
        .join_from(LOG, old, LOG.c.plan_id == old.c.id)
        .join(PLAN, (PLAN.c.village_id == old.c.village_id) & (PLAN.c.scenario_id == new))
        .where(old.c.scenario_id == scenario)
    )
    c.execute(insert(LOG).from_select(["plan_id", *(k.name for k in columns)], log))
    for village, version in at.items():
        _cut_back(c, plan_row(c, new, village, file), version, known)
    return new


def _cut_back(c: Connection, row: PlanRow, version: int, known: Grounds) -> None:
    """Bring a branch's plan back to an earlier version, and forget what came after it."""
    if not 0 <= version <= row.version:
        raise ValueError(f"village {row.code} never had version {version}")
    if version == row.version:
        return
    parents = parents_of(c, row.id)
    position = tip = 0
    entries = select(LOG.c.seq, LOG.c.parent).where(
        LOG.c.plan_id == row.id, LOG.c.seq <= version
    )
    for seq, parent in c.execute(entries.order_by(LOG.c.seq)).all():
        if seq in parents:
            position = tip = seq
        else:
            position = parent
            tip = tip if parent in {0, *chain(parents, tip)} else parent
    way = chain(parents, position)
    records = records_of(c, row.id, way)
    grounds = grounds_for(c, row, [row.start], list(records.values()), known)
    plan = plan_of(row.start, grounds)
    for seq in way:
        plan = apply(records[seq], plan, grounds)
    c.execute(LOG.delete().where(LOG.c.plan_id == row.id, LOG.c.seq > version))
    values = {"state": state_of(plan), "version": version, "position": position, "tip": tip}
    c.execute(update(PLAN).where(PLAN.c.id == row.id).values(**values))


def change(c: Connection, scenario: int, file: str, **values: object) -> None:
    """Set columns of a scenario."""
    scenario_row(c, scenario, file)
    c.execute(update(SCENARIO).where(SCENARIO.c.id == scenario).values(**values))


def stamp(c: Connection, scenario: int, column: str, on: bool, file: str) -> None:
    """Set a moment, or clear it. The moment that stands already is kept."""
    row = scenario_row(c, scenario, file)
    if (getattr(row, column) is not None) != on:
        change(c, scenario, file, **{column: now() if on else None})


def adopt(c: Connection, scenario: int, file: str) -> None:
    """Make a scenario the one in force; a deleted one cannot be."""
    row = scenario_row(c, scenario, file)
    if row.deleted_at is not None:
        raise InputError([Problem("store-deleted", file)])
    c.execute(update(PROJECT).where(PROJECT.c.id == row.project_id).values(adopted=scenario))
