"""The chain of schema changes (Alembic), packed into the wheel so that an installed program can migrate."""
