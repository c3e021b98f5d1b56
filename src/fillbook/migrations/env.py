"""Alembic's entry: runs the chain on the connection that `storage.migrate` hands over."""

from alembic import context

from fillbook.migrations.models import load_metadata
from fillbook.storage.comparison import is_ours, types_differ

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=load_metadata(),
    # SQLite and PostgreSQL undo a chain that breaks; MariaDB commits at every statement, so that each of its
    # revisions is a version of its own and every step may be run again.
    transactional_ddl=connection.dialect.name in ("sqlite", "postgresql"),
    transaction_per_migration=connection.dialect.name not in ("sqlite", "postgresql"),
    include_object=is_ours,
    compare_type=types_differ,
)
with context.begin_transaction():
    context.run_migrations()
