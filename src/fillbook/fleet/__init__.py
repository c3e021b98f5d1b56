"""Several processes on one database: leases with epochs, workers, and the event log that wakes and tells."""
