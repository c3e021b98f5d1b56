"""Adapters to the venues: each implements ports and knows cores only."""
