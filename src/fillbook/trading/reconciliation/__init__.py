"""Reconciliation as it acts: reads both sides, lets `trading.core.reconcile` compare them, does its repairs."""
