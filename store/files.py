"""The store as files: backups, projects carried from one store to another, and whether all is well.

A file that comes from elsewhere is looked at as a stranger's: read-only, its tables compared with
ours word for word (so that it brings no trigger and no view), every value checked, and everything
replayed before any of it is kept.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Float, Integer, Table, create_engine, insert, select, update

from geo.messages import register
from geo.problems import InputError, Problem
from planning.record import RecordError
from store.atomic import beside
from store.creation import check_project
from store.database import reading, telling
from store.formats import vacuum_into
from store.plans import plan_row, replayed
from store.schema import (
    GROUND,
    LOG,
    METADATA,
    PLAN,
    PROJECT,
    SCENARIO,
    TABLES,
    UNIT,
    VERSION,
    VILLAGE,
)
from store.schema_accounts import create_tables
from store.sqlite import open_file
from store.values import DamagedError

register(
    {
        "store-inconsistent": (
            "方案与其步骤记录不一致({reason});请恢复备份。",
            "a plan and its steps disagree ({reason}); restore a backup.",
        ),
        "store-same-file": (
            "不能写到数据库自身;请另选文件名。",
            "is the store itself; choose another file.",
        ),
    }
)


def backup(source: Path, target: Path) -> None:
    """Write a copy of a store that may be in use; whole or not at all."""
    _refuse_itself(source, target)
    with telling(target.name), beside(target) as temporary:
        vacuum_into(source, temporary)


def _refuse_itself(source: Path, target: Path) -> None:
    if target.resolve() == source.resolve():
        raise InputError([Problem("store-same-file", target.name)])


def export_project(source: Path, project: int, target: Path) -> None:
    """Write one project with all its scenarios and steps as a file; whole or not at all."""
    _refuse_itself(source, target)
    with telling(target.name), beside(target) as temporary:
        vacuum_into(source, temporary)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.execute("pragma foreign_keys = on")
            connection.execute("delete from project where id <> ?", (project,))
            connection.execute("vacuum")


def import_project(c: Connection, path: Path) -> list[int]:
    """Take over the projects of an exported file; returns their numbers.

    Raises :class:`InputError` for a file that is missing, foreign, damaged or inconsistent.
    """
    with telling(path.name):
        _inspect(path)
        engine = open_file(path, read_only=True)
        try:
            with reading(engine, path.name) as other:
                made = [_take(c, other, row) for row in _rows(other, PROJECT)]
        finally:
            engine.dispose()
        for project in made:
            for problem in verify_project(c, project, path.name):
                raise InputError([problem])
    return made


def _inspect(path: Path) -> None:
    """Raise unless a file holds our tables, nothing else, and is sound."""
    if not path.is_file():
        raise FileNotFoundError(2, "no such file")
    with path.open("rb") as file:
        if not file.read(16).startswith(b"SQLite format 3\x00"):
            raise InputError([Problem("store-foreign", path.name)])
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma query_only = on")
        version = connection.execute("pragma user_version").fetchone()[0]
        if version <= VERSION and _tables(connection) != _own_tables(version):
            raise InputError([Problem("store-foreign", path.name)])
        report = connection.execute("pragma integrity_check(1)").fetchone()[0]
        broken = connection.execute("pragma foreign_key_check").fetchone()
    if report != "ok" or broken is not None:
        raise DamagedError(report if report != "ok" else "rows without their project")


def _tables(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(connection.execute("select type, name, tbl_name, sql from sqlite_master"))


def _own_tables(version: int) -> set[tuple[str, ...]]:
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as c:
            if version == VERSION:
                create_tables(c)
            else:
                METADATA.create_all(c, tables=TABLES)
            rows = c.exec_driver_sql("select type, name, tbl_name, sql from sqlite_master")
            return {tuple(row) for row in rows}
    finally:
        engine.dispose()


def _rows(c: Connection, table: Table, *where: Any) -> list[dict[str, Any]]:
    """Rows as mappings; :class:`DamagedError` where a number or a text is none."""
    rows = [dict(row._mapping) for row in c.execute(select(table).where(*where))]
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
    return rows


def _put(c: Connection, table: Table, row: dict[str, Any], **changes: int | None) -> int:
    """Insert a row under a number of its own; returns the number."""
    made = c.execute(insert(table), {**row, "id": None, **changes}).inserted_primary_key
    assert made is not None
    return int(made[0])


def _take(c: Connection, other: Connection, project: dict[str, Any]) -> int:
    """Copy one project's rows, numbered afresh."""
    new = _put(c, PROJECT, project, adopted=None)
    village_of: dict[int, int] = {}
    for row in _rows(other, VILLAGE, VILLAGE.c.project_id == project["id"]):
        village_of[row["id"]] = village = _put(c, VILLAGE, row, project_id=new)
        for ground in _rows(other, GROUND, GROUND.c.village_id == row["id"]):
            number = _put(c, GROUND, ground, village_id=village)
            units = _rows(other, UNIT, UNIT.c.ground_id == ground["id"])
            if units:
                c.execute(insert(UNIT), [{**unit, "ground_id": number} for unit in units])
    scenario_of: dict[int, int] = {}
    own = SCENARIO.c.project_id == project["id"]
    for row in sorted(_rows(other, SCENARIO, own), key=lambda r: int(r["id"])):
        parent = scenario_of.get(row["parent_id"])
        scenario_of[row["id"]] = _put(c, SCENARIO, row, project_id=new, parent_id=parent)
        for plan in _rows(other, PLAN, PLAN.c.scenario_id == row["id"]):
            place = {
                "scenario_id": scenario_of[row["id"]],
                "village_id": village_of.get(plan["village_id"]),
            }
            number = _put(c, PLAN, plan, **place)
            entries = _rows(other, LOG, LOG.c.plan_id == plan["id"])
            if entries:
                c.execute(insert(LOG), [{**entry, "plan_id": number} for entry in entries])
    adopted = scenario_of.get(project["adopted"])
    c.execute(update(PROJECT).where(PROJECT.c.id == new).values(adopted=adopted))
    return new


def verify_file(c: Connection, file: str) -> list[Problem]:
    """What is wrong with a store; empty where every promise is kept."""
    report = c.exec_driver_sql("pragma integrity_check(1)").scalar_one()
    if report != "ok":
        return [Problem("store-damaged", file, params={"reason": str(report)[:200]})]
    if c.exec_driver_sql("pragma foreign_key_check").first() is not None:
        params = {"reason": "rows without their project"}
        return [Problem("store-damaged", file, params=params)]
    numbers = c.execute(select(PROJECT.c.id)).scalars().all()
    return [p for number in numbers for p in verify_project(c, number, file)]


def verify_project(c: Connection, project: int, file: str) -> list[Problem]:
    """Every plan: entries numbered without gap, the log replayed gives the plan that is kept."""
    try:
        check_project(c, project, file)
    except DamagedError as error:
        params = {"reason": str(error)[:200]}
        return [Problem("store-inconsistent", file, params=params)]
    found = []
    plans = c.execute(
        select(PLAN.c.id, PLAN.c.scenario_id, SCENARIO.c.name, VILLAGE.c.code)
        .join(SCENARIO, PLAN.c.scenario_id == SCENARIO.c.id)
        .join(VILLAGE, PLAN.c.village_id == VILLAGE.c.id)
        .where(SCENARIO.c.project_id == project)
    ).all()
    for plan in plans:
        try:
            row = plan_row(c, plan.scenario_id, plan.code, file)
            seqs = c.execute(
                select(LOG.c.seq).where(LOG.c.plan_id == row.id).order_by(LOG.c.seq)
            ).scalars()
            if list(seqs) != list(range(1, row.version + 1)):
                raise RecordError("steps are missing")
            replayed(c, row)
        except (RecordError, DamagedError) as error:
            where = f"{plan.name}, {plan.code}"
            params = {"reason": str(error)[:200]}
            found.append(Problem("store-inconsistent", file, where, params))
    return found
