"""Who makes a request: a bearer token, and the scopes that a route asks for."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from fillbook.http.provided import provided
from fillbook.identity.core import Principal, TokenScope
from fillbook.identity.service import authenticate_token
from fillbook.kernel.errors import FillbookError
from fillbook.storage.unit import Database


class NotSignedIn(FillbookError):
    code = "not_signed_in"
    status = 401


class MissingScope(FillbookError):
    code = "missing_scope"
    status = 403


_BEARER = HTTPBearer(auto_error=False, description="An API token, which begins with `fbk_`.")


async def _signed_in(
    request: Request, database: Annotated[Database, Depends(provided(Database))]
) -> Principal:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotSignedIn("Sign in first: send `Authorization: Bearer <API token>`.")
    async with database.read() as unit:
        principal = await authenticate_token(unit, token.strip())
    if principal is None:
        raise NotSignedIn("This token is not valid: it was revoked, has expired, or was mistyped.")
    return principal


def _with_scope(wanted: TokenScope) -> object:
    async def check(principal: Annotated[Principal, Depends(_signed_in)]) -> Principal:
        if not principal.may(wanted):
            raise MissingScope(f"This token lacks the scope `{wanted}`: make one that has it.")
        return principal

    return check


Reader = Annotated[Principal, Depends(_with_scope(TokenScope.READ)), Depends(_BEARER)]
Trader = Annotated[Principal, Depends(_with_scope(TokenScope.TRADE)), Depends(_BEARER)]
Administrator = Annotated[Principal, Depends(_with_scope(TokenScope.ADMIN)), Depends(_BEARER)]
