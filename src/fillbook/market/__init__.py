"""Instruments with their trading rules, prices, candles."""
