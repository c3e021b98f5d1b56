"""The matching core of the simulated exchange: pure, deterministic, ignorant of any wire format."""
