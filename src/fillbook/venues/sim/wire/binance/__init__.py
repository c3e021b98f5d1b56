"""Binance spot and USD-M futures on the wire."""
