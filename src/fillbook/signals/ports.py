"""What the intake needs of the rest: to wake whoever trades."""

from collections.abc import Collection
from typing import Protocol


class Wake(Protocol):
    """A hint after the commit that deliveries wait for these accounts; polling is the truth."""

    def __call__(self, signal_id: int, account_ids: Collection[int]) -> None: ...


def wake_nobody(signal_id: int, account_ids: Collection[int]) -> None:
    """For a process that does not trade: the owner of the accounts polls."""
