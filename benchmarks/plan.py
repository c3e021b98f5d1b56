"""What a run measures: on which databases, and how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    databases: tuple[str, ...]
    is_quick: bool

    def count(self, full: int) -> int:
        """How often to repeat what a full run repeats `full` times."""
        return max(full // 10, 3) if self.is_quick else full
