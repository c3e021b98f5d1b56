"""API tokens: making, listing and revoking one's own."""

import random
from typing import Annotated

from fastapi import APIRouter, Depends

from fillbook.http.fields import RowId
from fillbook.http.paging import Page, page_of_objects, paged
from fillbook.http.principal import MissingScope, Reader
from fillbook.http.provided import provided
from fillbook.identity import service
from fillbook.identity.core import ApiToken, Principal
from fillbook.identity.schemas import MeOut, NewTokenOut, TokenAsked, TokenOut
from fillbook.storage.listing import PageRequest, page_of_few
from fillbook.storage.unit import Database

router = APIRouter(tags=["people"])

Rows = Annotated[Database, Depends(provided(Database))]
Randomness = Annotated[random.Random, Depends(provided(random.Random))]


def _fields(token: ApiToken) -> dict[str, object]:
    fields = {name: getattr(token, name) for name in TokenOut.model_fields}
    return {**fields, "scopes": sorted(token.scopes)}


@router.get("/auth/me")
async def get_me(principal: Reader) -> MeOut:
    return MeOut(
        user_id=principal.user_id,
        username=principal.username,
        role=principal.role,
        scopes=sorted(principal.scopes),
    )


@router.post("/tokens", status_code=201)
async def create_token(principal: Reader, rows: Rows, rng: Randomness, asked: TokenAsked) -> NewTokenOut:
    """Make an API token. It is in this answer and never again."""
    _check_scopes(principal, asked)
    async with rows.unit() as unit:
        user = await service.get_user(unit, principal.user_id)
        made, token = await service.create_token(
            unit, user, name=asked.name, scopes=asked.scopes, expires_at=asked.expires_at, rng=rng
        )
    return NewTokenOut.model_validate({**_fields(made), "token": token})


@router.get("/tokens")
async def get_tokens(
    principal: Reader, rows: Rows, page: Annotated[PageRequest, Depends(paged())]
) -> Page[TokenOut]:
    async with rows.read() as unit:
        items, next_cursor = page_of_few(await service.list_tokens(unit, principal.scope), page)
    return page_of_objects(TokenOut, ([_fields(token) for token in items], next_cursor))


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(principal: Reader, rows: Rows, token_id: RowId) -> None:
    """Revoke a token: it is refused from now on."""
    async with rows.unit() as unit:
        await service.revoke_token(unit, principal.scope, token_id)


def _check_scopes(principal: Principal, asked: TokenAsked) -> None:
    """Nobody gives away more than they have."""
    beyond = sorted(set(asked.scopes) - principal.scopes)
    if beyond:
        raise MissingScope(
            f"This token lacks {', '.join(beyond)} itself: a new one cannot have it.", ("scopes",)
        )
