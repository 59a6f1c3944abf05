"""The tables of plans. Nothing here knows which database it is.

:mod:`store.schema_accounts` adds the tables of people and of what they did, and those that tell
QGIS which columns of an SQLite file are shapes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from store.values import Packed, Shape

VERSION = 2
REVISION = "0002"  # the same for Alembic
APPLICATION = 0x47524457  # "GRDW", in a file's header

METADATA = MetaData()


def part_of(table: str, **options: Any) -> ForeignKey:
    """A reference to a row without which this one makes no sense."""
    return ForeignKey(f"{table}.id", ondelete="CASCADE", **options)


PROJECT = Table(
    "project",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("crs", String, nullable=False),
    Column("settings", Packed, nullable=False),
    Column("provenance", Packed, nullable=False),
    Column("lines", Packed, nullable=False),  # kind and name of each; where they run is not kept
    Column("sets", Packed, nullable=False),  # kind and name of what stays together
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("adopted", Integer),  # the scenario that is in force
)

VILLAGE = Table(
    "village",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, part_of("project"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("township_name", String),
    Column("class_code", String),
    Column("boundary", Shape, nullable=False),
    UniqueConstraint("project_id", "code"),
)

GROUND = Table(
    "ground",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("village_id", Integer, part_of("village"), nullable=False),
    Column("key", String, nullable=False),
    Column("lines", Packed, nullable=False),  # runs (count, line) along the border segments
    UniqueConstraint("village_id", "key"),
)

UNIT = Table(
    "unit",
    METADATA,
    Column("ground_id", Integer, part_of("ground"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("geometry", Shape, nullable=False),
    Column("households", Integer, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("spread", Float, nullable=False),
    Column("area", Float, nullable=False),
    Column("block", Integer, nullable=False),
    Column("whole", Integer, nullable=False),
    Column("dedicated", Integer, nullable=False),
    PrimaryKeyConstraint("ground_id", "number"),
)

SCENARIO = Table(
    "scenario",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("project_id", Integer, part_of("project"), nullable=False),
    Column("name", String, nullable=False),
    Column("parent_id", Integer, ForeignKey("scenario.id", ondelete="SET NULL")),
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("archived_at", String),
    Column("deleted_at", String),
)

PLAN = Table(
    "plan",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("scenario_id", Integer, part_of("scenario"), nullable=False),
    Column("village_id", Integer, part_of("village"), nullable=False),
    Column("start", Packed, nullable=False),
    Column("state", Packed, nullable=False),
    Column("version", Integer, nullable=False),  # entries in the log
    Column("position", Integer, nullable=False),  # the step in force last, 0 for the start
    Column("tip", Integer, nullable=False),  # where redo leads
    UniqueConstraint("scenario_id", "village_id"),
)

LOG = Table(
    "log",
    METADATA,
    Column("plan_id", Integer, part_of("plan"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("parent", Integer, nullable=False),  # the step before; of undo and redo, where it led
    Column("name", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("at", String, nullable=False),
    Column("record", Packed),  # the step; none for undo, redo and goto
    PrimaryKeyConstraint("plan_id", "seq"),
)

Index("scenario_of_project", SCENARIO.c.project_id)

TABLES = (PROJECT, VILLAGE, GROUND, UNIT, SCENARIO, PLAN, LOG)  # of format 1
