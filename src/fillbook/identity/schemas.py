"""API tokens and their owner as clients see them."""

from pydantic import AwareDatetime, Field

from fillbook.http.fields import Asked, Moment, Schema
from fillbook.identity.core import Role, TokenScope


class TokenAsked(Asked):
    """A token has at most the scopes of whoever makes it."""

    name: str = Field(min_length=1, max_length=100, examples=["notebook"])
    scopes: list[TokenScope] = Field(min_length=1, examples=[["read"]])
    expires_at: AwareDatetime | None = None


class TokenOut(Schema):
    id: int
    name: str
    prefix: str
    scopes: list[TokenScope]
    expires_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment


class NewTokenOut(TokenOut):
    """`token` is shown this once."""

    token: str


class MeOut(Schema):
    """Who makes this request, and with which scopes."""

    user_id: int
    username: str
    role: Role
    scopes: list[TokenScope]
