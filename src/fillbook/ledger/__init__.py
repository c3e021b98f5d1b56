"""Fills and what they fold to: positions, round trips, realised profit, capital in use."""
