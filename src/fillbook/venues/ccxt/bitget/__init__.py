"""Bitget v2, classic account: spot and USDT futures."""
