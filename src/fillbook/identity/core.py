"""Who somebody is and what they may do: roles, token scopes, the principal of a request."""

from dataclasses import dataclass
from datetime import datetime
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
class User:
    """A row of `users`, without its secrets."""

    id: int
    email: str
    username: str
    name: str | None
    role: Role
    is_active: bool
    suspended_at: datetime | None
    must_change_password: bool
    is_2fa_enabled: bool
    created_at: datetime

    @property
    def may_enter(self) -> bool:
        return self.is_active and self.suspended_at is None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A row of `api_tokens`, without its hash. `prefix` is what a person recognises it by."""

    id: int
    user_id: int
    name: str
    prefix: str
    scopes: frozenset[TokenScope]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


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
