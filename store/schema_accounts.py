"""The tables of people, of what they did, and of what QGIS needs to open a file.

Accounts and sign-ins are read and written by whoever checks rights; here stand only their tables.
``audit`` is append-only: triggers refuse every update, and every deletion that no entry of the
trail itself has announced (:mod:`store.audit`).
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from store.schema import METADATA, REVISION, part_of

ZERO = text("0")

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("subject", String, unique=True),  # issuer|sub of an OpenID Connect provider
    Column("password", String),  # argon2's hash, for accounts of this store
    Column("must_change", Integer, nullable=False, server_default=ZERO),
    Column("failed", Integer, nullable=False, server_default=ZERO),
    Column("locked_until", String),
    Column("disabled_at", String),
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("last_seen", String),
)

GRANT = Table(
    "grant_role",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, part_of("account"), nullable=False),
    Column("role", String, nullable=False),
    Column("scope", String, nullable=False, server_default=text("''")),  # a township; "" the county
    UniqueConstraint("account_id", "role", "scope"),
)

SIGN_IN = Table(
    "sign_in",
    METADATA,
    Column("token_hash", String, primary_key=True),
    Column("account_id", Integer, part_of("account"), nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("ended_at", String),
)

PRESENCE = Table(
    "presence",
    METADATA,
    Column("scenario_id", Integer, part_of("scenario"), nullable=False),
    Column("village", String, nullable=False),
    Column("session", String, nullable=False),
    Column("who", String, nullable=False),
    Column("since", String, nullable=False),
    Column("seen", String, nullable=False),
    Column("taken", Integer, nullable=False, server_default=ZERO),
    PrimaryKeyConstraint("scenario_id", "village", "session"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object", String, nullable=False),
    Column("detail", String, nullable=False),  # JSON, as it was hashed
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)

Index("sign_in_of_account", SIGN_IN.c.account_id)
Index("audit_by_action", AUDIT.c.action)

VERSIONS = Table(  # as Alembic makes it
    "alembic_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# What the OGC's older standard for tables asks for; GDAL, and so QGIS, finds shapes by it.
SYSTEMS = Table(
    "spatial_ref_sys",
    METADATA,
    Column("srid", Integer, primary_key=True),
    Column("auth_name", String, nullable=False),
    Column("auth_srid", Integer, nullable=False),
    Column("srtext", String, nullable=False),
    info={"only": "sqlite"},  # PostGIS has its own
)

COLUMNS = Table(
    "geometry_columns",
    METADATA,
    Column("f_table_name", String, nullable=False),
    Column("f_geometry_column", String, nullable=False),
    Column("geometry_type", Integer, nullable=False),
    Column("coord_dimension", Integer, nullable=False),
    Column("srid", Integer, ForeignKey("spatial_ref_sys.srid")),
    Column("geometry_format", String, nullable=False),
    PrimaryKeyConstraint("f_table_name", "f_geometry_column"),
    info={"only": "sqlite"},
)

SHAPES = (("village", "boundary"), ("unit", "geometry"))



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

DROP_SQLITE = ("drop trigger audit_unchanged", "drop trigger audit_kept")
DROP_POSTGRESQL = (
    "drop trigger audit_unchanged on audit",
    "drop trigger audit_kept on audit",
    "drop function audit_refuses()",
)


def tables_of(dialect: str) -> list[Table]:
    """The tables that a database of this kind has, those others refer to first."""
    return [t for t in METADATA.sorted_tables if t.info.get("only", dialect) == dialect]


def create_tables(c: Connection) -> None:
    """All tables and triggers of the present format in an empty database."""
    dialect = c.dialect.name
    METADATA.create_all(c, tables=tables_of(dialect))
    protect_audit(c)
    c.execute(VERSIONS.insert(), {"version_num": REVISION})
    if dialect == "sqlite":
        announce_shapes(c)


def protect_audit(c: Connection) -> None:
    """Make the triggers that keep the audit trail append-only."""
    triggers = SQLITE_TRIGGERS if c.dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for statement in triggers:
        c.exec_driver_sql(statement)


def announce_shapes(c: Connection) -> None:
    """Tell readers of an SQLite file which columns hold shapes; their system is told later."""
    for table, column in SHAPES:
        row = {
            "f_table_name": table, "f_geometry_column": column, "geometry_type": 0,
            "coord_dimension": 2, "srid": None, "geometry_format": "WKB",
        }  # fmt: skip
        c.execute(COLUMNS.insert(), row)


def unprotect_audit(c: Connection) -> None:
    """Take those triggers away, for a transaction that replaces the whole store."""
    for statement in DROP_SQLITE if c.dialect.name == "sqlite" else DROP_POSTGRESQL:
        c.exec_driver_sql(statement)
