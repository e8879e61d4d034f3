"""Alembic's entry point for each upgrade, on the connection that `bnlab.runs.migrations.upgrade` passes."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
