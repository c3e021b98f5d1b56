"""What every store stands on: column types, one metadata, the engine, the unit of work, the owner scope."""
