"""Who somebody is and what they may do: roles, token scopes, the principal of a request."""

from dataclasses import dataclass
from enum import StrEnum

from fillbook.kernel.scope import EVERYONE, Scope


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"


class TokenScope(StrEnum):
    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, and with which rights. A session has all scopes that the role allows."""

    user_id: int
    username: str
    role: Role
    scopes: frozenset[TokenScope]
    token_id: int | None = None

    @property
    def scope(self) -> Scope:
        """The principal's own rows: administrators too see only their own unless they ask for all."""
        return Scope.of(self.user_id)

    @property
    def everyone(self) -> Scope:
        """All rows, for administrators; a person's own for everybody else."""
        return EVERYONE if self.role is Role.ADMIN and TokenScope.ADMIN in self.scopes else self.scope

    def may(self, wanted: TokenScope) -> bool:
        return wanted in self.scopes
