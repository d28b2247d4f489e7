"""Alembic's entry: runs the steps in the transaction that `agent.infrastructure.store.migrator` hands over."""

from alembic import context

from agent.infrastructure.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True, render_as_batch=True
)
context.run_migrations()
