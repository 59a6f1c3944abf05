"""Format 1: projects, villages, units, scenarios, plans and their logs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.values import Geometry

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BYTES = sa.LargeBinary
# a new object each time: a type belongs to one column


def _shape() -> sa.types.TypeEngine[Any]:
    return sa.LargeBinary().with_variant(Geometry(), "postgresql")


def _of(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def upgrade() -> None:
    """To this format, from nothing."""
    _projects()
    _ground()
    _scenarios()
    op.create_index("scenario_of_project", "scenario", ["project_id"])


def _projects() -> None:
    op.create_table(
        "project",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("crs", sa.String, nullable=False),
        sa.Column("settings", BYTES, nullable=False),
        sa.Column("provenance", BYTES, nullable=False),
        sa.Column("lines", BYTES, nullable=False),
        sa.Column("sets", BYTES, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("adopted", sa.Integer),
    )
    op.create_table(
        "village",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("project_id", sa.Integer, _of("project"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("township_name", sa.String),
        sa.Column("class_code", sa.String),
        sa.Column("boundary", _shape(), nullable=False),
        sa.UniqueConstraint("project_id", "code"),
    )


def _ground() -> None:
    op.create_table(
        "ground",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("village_id", sa.Integer, _of("village"), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("lines", BYTES, nullable=False),
        sa.UniqueConstraint("village_id", "key"),
    )
    op.create_table(
        "unit",
        sa.Column("ground_id", sa.Integer, _of("ground"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("geometry", _shape(), nullable=False),
        sa.Column("households", sa.Integer, nullable=False),
        sa.Column("persons", sa.Integer, nullable=False),
        sa.Column("x", sa.Float, nullable=False),
        sa.Column("y", sa.Float, nullable=False),
        sa.Column("spread", sa.Float, nullable=False),
        sa.Column("area", sa.Float, nullable=False),
        sa.Column("block", sa.Integer, nullable=False),
        sa.Column("whole", sa.Integer, nullable=False),
        sa.Column("dedicated", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("ground_id", "number"),
    )


def _scenarios() -> None:
    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("project_id", sa.Integer, _of("project"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("scenario.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("archived_at", sa.String),
        sa.Column("deleted_at", sa.String),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scenario_id", sa.Integer, _of("scenario"), nullable=False),
        sa.Column("village_id", sa.Integer, _of("village"), nullable=False),
        sa.Column("start", BYTES, nullable=False),
        sa.Column("state", BYTES, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("tip", sa.Integer, nullable=False),
        sa.UniqueConstraint("scenario_id", "village_id"),
    )
    op.create_table(
        "log",
        sa.Column("plan_id", sa.Integer, _of("plan"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("parent", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("record", BYTES),
        sa.PrimaryKeyConstraint("plan_id", "seq"),
    )
