"""Orders: their states, ids that describe themselves, outcomes of sending, the cancel queue, the order log."""
