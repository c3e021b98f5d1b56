"""Benchmarks of the real thing: each prints tables beside a floor that was measured in the same run."""
