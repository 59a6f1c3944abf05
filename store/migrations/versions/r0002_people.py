"""Format 2: accounts, sign-ins, who is where, the audit trail, and what QGIS asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ZERO = sa.text("0")

# As they were in this format; what comes later is changed by a later revision.
SQLITE_TRIGGERS = (
    "create trigger audit_unchanged before update on audit "
    "begin select raise(abort, 'the audit trail takes nothing back'); end",
    "create trigger audit_kept before delete on audit "
    "when not exists (select 1 from audit a where a.action = 'audit.expired' "
    "and a.seq > old.seq and cast(a.object as integer) >= old.seq) "
    "begin select raise(abort, 'the audit trail takes nothing back'); end",
)
POSTGRESQL_TRIGGERS = (
    "create function audit_refuses() returns trigger language plpgsql as $$ begin "
    "if tg_op = 'DELETE' then if exists (select 1 from audit a where a.action = 'audit.expired' "
    "and a.seq > old.seq and cast(a.object as integer) >= old.seq) then return old; end if; "
    "end if; "
    "raise exception 'the audit trail takes nothing back'; end $$",
    "create trigger audit_unchanged before update or delete on audit "
    "for each row execute function audit_refuses()",
    "create trigger audit_kept before truncate on audit "
    "for each statement execute function audit_refuses()",
)


def _of(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def upgrade() -> None:
    """To this format."""
    _accounts()
    _sessions()
    _audit()
    if op.get_bind().dialect.name == "sqlite":
        _shapes()


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("subject", sa.String, unique=True),
        sa.Column("password", sa.String),
        sa.Column("must_change", sa.Integer, nullable=False, server_default=ZERO),
        sa.Column("failed", sa.Integer, nullable=False, server_default=ZERO),
        sa.Column("locked_until", sa.String),
        sa.Column("disabled_at", sa.String),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("last_seen", sa.String),
    )
    op.create_table(
        "grant_role",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Integer, _of("account"), nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("scope", sa.String, nullable=False, server_default=sa.text("''")),
        sa.UniqueConstraint("account_id", "role", "scope"),
    )


def _sessions() -> None:
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String, primary_key=True),
        sa.Column("account_id", sa.Integer, _of("account"), nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("expires_at", sa.String, nullable=False),
        sa.Column("seen_at", sa.String, nullable=False),
        sa.Column("ended_at", sa.String),
    )
    op.create_index("sign_in_of_account", "sign_in", ["account_id"])
    op.create_table(
        "presence",
        sa.Column("scenario_id", sa.Integer, _of("scenario"), nullable=False),
        sa.Column("village", sa.String, nullable=False),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("since", sa.String, nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False, server_default=ZERO),
        sa.PrimaryKeyConstraint("scenario_id", "village", "session"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("object", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("previous", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    op.create_index("audit_by_action", "audit", ["action"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.get_bind().exec_driver_sql(statement)


def _shapes() -> None:
    op.create_table(
        "spatial_ref_sys",
        sa.Column("srid", sa.Integer, primary_key=True),
        sa.Column("auth_name", sa.String, nullable=False),
        sa.Column("auth_srid", sa.Integer, nullable=False),
        sa.Column("srtext", sa.String, nullable=False),
    )
    told = op.create_table(
        "geometry_columns",
        sa.Column("f_table_name", sa.String, nullable=False),
        sa.Column("f_geometry_column", sa.String, nullable=False),
        sa.Column("geometry_type", sa.Integer, nullable=False),
        sa.Column("coord_dimension", sa.Integer, nullable=False),
        sa.Column("srid", sa.Integer, sa.ForeignKey("spatial_ref_sys.srid")),
        sa.Column("geometry_format", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("f_table_name", "f_geometry_column"),
    )
    rows = [
        {"f_table_name": table, "f_geometry_column": column, "geometry_type": 0,
         "coord_dimension": 2, "srid": None, "geometry_format": "WKB"}
        for table, column in (("village", "boundary"), ("unit", "geometry"))
    ]  # fmt: skip
    op.bulk_insert(told, rows)
