"""The pure part of the ledger; see each module's first lines."""
