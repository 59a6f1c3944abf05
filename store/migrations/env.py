"""Alembic's door: migrations run on the connection, and in the transaction, of whoever called."""

from __future__ import annotations

from alembic import context

from store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA
)
with context.begin_transaction():
    context.run_migrations()
