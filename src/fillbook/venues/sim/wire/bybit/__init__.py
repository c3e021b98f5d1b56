"""Bybit v5 of a unified trading account: spot and USDT linear."""
