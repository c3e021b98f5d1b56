"""The ledger's rows: the only SQL of this domain."""
