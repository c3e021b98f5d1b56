"""Whose rows may be touched. Every query on people's rows goes through a scope (`storage.scope.owned`)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """`user_id` None means everybody's rows: for the engine itself and for an administrator's views."""

    user_id: int | None

    @classmethod
    def of(cls, user_id: int) -> "Scope":
        return cls(user_id)

    def allows(self, user_id: int | None) -> bool:
        return self.user_id is None or self.user_id == user_id


EVERYONE = Scope(None)
"""Never made from what a request says."""
