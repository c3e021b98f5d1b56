"""Alerts from outside: read, recognised, written down in one transaction, and only then acted upon."""
