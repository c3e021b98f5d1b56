"""Limits and sizing: how much an order may be."""
