"""Bybit v5, a unified trading account: spot and linear."""
