"""Booking fills: the one place where facts enter the ledger."""
