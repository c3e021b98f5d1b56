"""Who makes a request: a bearer token, and the scopes that a route asks for."""

from typing import Annotated, ClassVar

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fillbook.http.provided import provided
from fillbook.identity.core import Principal, TokenScope
from fillbook.identity.service import authenticate_token, note_token_use
from fillbook.kernel.errors import FillbookError
from fillbook.storage.unit import Database


class NotSignedIn(FillbookError):
    code = "not_signed_in"
    status = 401


class MissingScope(FillbookError):
    code = "missing_scope"
    status = 403


class TokenUses:
    """When each token was last noted as used: a row a minute at most, not one a request."""

    NOTED_EVERY_S: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self._noted_s: dict[int, float] = {}

    async def note(self, database: Database, token_id: int) -> None:
        now_s = database.clock.elapsed_s()
        if now_s - self._noted_s.get(token_id, -self.NOTED_EVERY_S) < self.NOTED_EVERY_S:
            return
        self._noted_s[token_id] = now_s
        await database.run(lambda unit: note_token_use(unit, [token_id]))


_BEARER = HTTPBearer(auto_error=False, description="An API token, which begins with `fbk_`.")


async def _signed_in(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    database: Annotated[Database, Depends(provided(Database))],
    uses: Annotated[TokenUses, Depends(provided(TokenUses))],
) -> Principal:
    if credentials is None or not credentials.credentials:
        raise NotSignedIn("Sign in first: send `Authorization: Bearer <API token>`.")
    async with database.read() as unit:
        principal = await authenticate_token(unit, credentials.credentials)
    if principal is None:
        raise NotSignedIn("This token is not valid: it was revoked, has expired, or was mistyped.")
    if principal.token_id is not None:
        await uses.note(database, principal.token_id)
    return principal


def _with_scope(wanted: TokenScope) -> object:
    async def check(principal: Annotated[Principal, Depends(_signed_in)]) -> Principal:
        if not principal.may(wanted):
            raise MissingScope(f"This token lacks the scope `{wanted}`: make one that has it.")
        return principal

    return check


Reader = Annotated[Principal, Depends(_with_scope(TokenScope.READ))]
Trader = Annotated[Principal, Depends(_with_scope(TokenScope.TRADE))]
Administrator = Annotated[Principal, Depends(_with_scope(TokenScope.ADMIN))]
