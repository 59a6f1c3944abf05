"""Rows carried from one store to another, whichever databases the two are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Connection,
    Float,
    Integer,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)

from store.located import announce_system, located
from store.schema import GROUND, LOG, PLAN, PROJECT, SCENARIO, UNIT, VILLAGE
from store.schema_accounts import (
    AUDIT,
    COLUMNS,
    PRESENCE,
    SIGN_IN,
    SYSTEMS,
    VERSIONS,
    protect_audit,
    tables_of,
    unprotect_audit,
)
from store.values import DamagedError, srid_of

PASSING = (SIGN_IN, PRESENCE)  # after a restore everybody signs in again
OWN = (VERSIONS, SYSTEMS, COLUMNS)  # what a database says of itself
AT_ONCE = 500  # rows in memory


def rows_of(c: Connection, table: Table, *where: Any) -> list[dict[str, Any]]:
    """Rows as mappings; :class:`DamagedError` where a number or a text is none."""
    rows = [dict(row._mapping) for row in c.execute(select(table).where(*where))]
    _check(table, rows)
    return rows


def _check(table: Table, rows: list[dict[str, Any]]) -> None:
    for column in table.columns:
        kind: Any = str
        if isinstance(column.type, Integer):
            kind = int
        elif isinstance(column.type, Float):
            kind = (int, float)
        elif column.type.python_type is bytes or hasattr(column.type, "impl"):
            continue
        for row in rows:
            value = row[column.name]
            if value is not None and not isinstance(value, kind):
                raise DamagedError(f"{table.name}.{column.name} holds another kind of value")


def _put(c: Connection, table: Table, row: dict[str, Any], **changes: Any) -> int:
    """Insert a row under a number of its own; returns the number."""
    values = {key: value for key, value in {**row, **changes}.items() if key != "id"}
    made = c.execute(insert(table), values).inserted_primary_key
    assert made is not None
    return int(made[0])


def take_project(c: Connection, other: Connection, project: int) -> int:
    """Copy one project's rows from another store, numbered afresh; returns its number."""
    (told,) = rows_of(other, PROJECT, PROJECT.c.id == project)
    new, srid = _put(c, PROJECT, told, adopted=None), srid_of(told["crs"])
    village_of: dict[int, int] = {}
    for row in rows_of(other, VILLAGE, VILLAGE.c.project_id == project):
        boundary = located(row["boundary"], srid)
        village = _put(c, VILLAGE, row, project_id=new, boundary=boundary)
        village_of[row["id"]] = village
        for ground in rows_of(other, GROUND, GROUND.c.village_id == row["id"]):
            number = _put(c, GROUND, ground, village_id=village)
            units = rows_of(other, UNIT, UNIT.c.ground_id == ground["id"])
            changes = {"ground_id": number}
            if units:
                c.execute(insert(UNIT), [_set(unit, srid, **changes) for unit in units])
    scenario_of = _take_scenarios(c, other, project, new, village_of)
    adopted = scenario_of.get(told["adopted"])
    c.execute(update(PROJECT).where(PROJECT.c.id == new).values(adopted=adopted))
    return new


def _set(row: dict[str, Any], srid: int, **changes: int) -> dict[str, Any]:
    """A row whose shape carries the number of its system."""
    shapes: dict[str, Any] = {
        key: located(row[key], srid) for key in ("geometry", "boundary") if key in row and srid
    }
    return {**row, **shapes, **changes}


def _take_scenarios(
    c: Connection, other: Connection, project: int, new: int, village_of: dict[int, int]
) -> dict[int, int]:
    scenario_of: dict[int, int] = {}
    own = SCENARIO.c.project_id == project
    for row in sorted(rows_of(other, SCENARIO, own), key=lambda r: int(r["id"])):
        parent = scenario_of.get(row["parent_id"])
        scenario_of[row["id"]] = _put(c, SCENARIO, row, project_id=new, parent_id=parent)
        for plan in rows_of(other, PLAN, PLAN.c.scenario_id == row["id"]):
            if plan["village_id"] not in village_of:
                raise DamagedError("a plan of another project's village")
            number = _put(
                c, PLAN, plan, scenario_id=scenario_of[row["id"]],
                village_id=village_of[plan["village_id"]],
            )  # fmt: skip
            entries = rows_of(other, LOG, LOG.c.plan_id == plan["id"])
            if entries:
                c.execute(insert(LOG), [{**entry, "plan_id": number} for entry in entries])
    return scenario_of


def copy_all(c: Connection, other: Connection) -> None:
    """Copy everything of another store, numbers and all, into one whose tables are empty.

    Sign-ins and who is where are left behind. Of a file of an earlier format, what it has.
    """
    held = set(inspect(other).get_table_names())
    srids = _srids(other)
    for table in tables_of(c.dialect.name):
        if table not in (*PASSING, *OWN) and table.name in held:
            for rows in _portions(other, table):
                c.execute(insert(table), [_set(row, _srid(table, row, srids)) for row in rows])
    _number_on(c)
    announce_system(c)


def _srids(other: Connection) -> dict[tuple[str, int], int]:
    """EPSG numbers by project and by ground."""
    found = {("project", row.id): srid_of(row.crs) for row in other.execute(select(PROJECT))}
    grounds = select(GROUND.c.id, VILLAGE.c.project_id).join(
        VILLAGE, GROUND.c.village_id == VILLAGE.c.id
    )
    for row in other.execute(grounds).all():
        found["ground", row.id] = found["project", row.project_id]
    return found


def _srid(table: Table, row: dict[str, Any], srids: dict[tuple[str, int], int]) -> int:
    if table is VILLAGE:
        return srids["project", row["project_id"]]
    return srids["ground", row["ground_id"]] if table is UNIT else 0


def _portions(other: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    query = select(table).order_by(*table.primary_key.columns)
    result = other.execution_options(yield_per=AT_ONCE).execute(query)
    for portion in result.partitions():
        rows = [dict(row._mapping) for row in portion]
        _check(table, rows)
        yield rows


def empty(c: Connection) -> None:
    """Take everything out of a store, its audit trail included; for restoring a backup."""
    unprotect_audit(c)
    for table in reversed(tables_of(c.dialect.name)):
        if table not in OWN:
            c.execute(table.delete())
    protect_audit(c)


def _number_on(c: Connection) -> None:
    """Let a server's own numbers go on after the highest that was copied."""
    if c.dialect.name != "postgresql":
        return
    for table in tables_of("postgresql"):
        if "id" in table.columns:
            highest = c.execute(select(func.max(table.c.id))).scalar()
            c.execute(
                text("select setval(pg_get_serial_sequence(:name, 'id'), :next, false)"),
                {"name": table.name, "next": (highest or 0) + 1},
            )


def is_empty(c: Connection) -> bool:
    """Does a store hold nothing that anybody would miss?"""
    held = [c.execute(select(table).limit(1)).first() for table in tables_of(c.dialect.name)
            if table not in (*OWN, *PASSING, AUDIT)]  # fmt: skip
    return not any(held)
