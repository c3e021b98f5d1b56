"""Strategies, their webhook keys, their links to accounts, and the capital of each link."""

import random
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from fillbook.accounts import balances
from fillbook.http.fields import RowId
from fillbook.http.paging import Page, page_of_objects, paged
from fillbook.http.principal import Reader, Trader
from fillbook.http.provided import provided
from fillbook.http.versions import ExpectedVersion, tag
from fillbook.kernel.money import ZERO
from fillbook.kernel.scope import Scope
from fillbook.storage.listing import PageRequest, page_of_few
from fillbook.storage.unit import Database, Unit
from fillbook.strategies import links, service
from fillbook.strategies.core import Strategy, StrategyLink
from fillbook.strategies.errors import InvalidCapital
from fillbook.strategies.schemas import (
    CapitalAsked,
    CapitalOut,
    LinkAsked,
    LinkChange,
    LinkOut,
    NewStrategyOut,
    StrategyAsked,
    StrategyChange,
    StrategyOut,
    WebhookKeyOut,
)

router = APIRouter(prefix="/strategies", tags=["strategies"])

Rows = Annotated[Database, Depends(provided(Database))]
Randomness = Annotated[random.Random, Depends(provided(random.Random))]


class LinkList(BaseModel):
    items: list[LinkOut]
    next_cursor: None = None


def _answer(response: Response, strategy: Strategy) -> StrategyOut:
    tag(response, strategy.version)
    return StrategyOut.model_validate(strategy)


async def _links(unit: Unit, scope: Scope, found: list[StrategyLink], strategy_id: RowId) -> list[LinkOut]:
    capital = await links.list_capital(unit, scope, strategy_id=strategy_id)
    return [
        LinkOut.model_validate(
            {
                **{name: getattr(link, name) for name in LinkOut.model_fields if name != "capital"},
                "capital": [CapitalOut.model_validate(c) for c in capital if c.account_id == link.account_id],
            }
        )
        for link in found
    ]


async def _link_answer(unit: Unit, scope: Scope, response: Response, link: StrategyLink) -> LinkOut:
    tag(response, link.version)
    return (await _links(unit, scope, [link], link.strategy_id))[0]


@router.post("", status_code=201)
async def create_strategy(
    principal: Trader, rows: Rows, rng: Randomness, asked: StrategyAsked, response: Response
) -> NewStrategyOut:
    """Make a strategy. Its `webhook_key` is in this answer and never again."""
    async with rows.unit() as unit:
        strategy, key = await service.create_strategy(unit, principal.user_id, **dict(asked), rng=rng)
    fields: dict[str, Any] = dict(_answer(response, strategy))
    return NewStrategyOut.model_validate({**fields, "webhook_key": key})


@router.get("")
async def get_strategies(
    principal: Reader, rows: Rows, page: Annotated[PageRequest, Depends(paged(with_shared=bool))]
) -> Page[StrategyOut]:
    """Your strategies; `?with_shared=1` adds built-in and public ones."""
    async with rows.read() as unit:
        found = await service.list_strategies(
            unit, principal.scope, with_shared=page.filters.get("with_shared", False)
        )
    found = sorted(found, key=lambda strategy: strategy.id)
    return page_of_objects(StrategyOut, page_of_few(found, page))


@router.get("/{strategy_id}")
async def get_strategy(principal: Reader, rows: Rows, strategy_id: RowId, response: Response) -> StrategyOut:
    async with rows.read() as unit:
        return _answer(response, await service.get_strategy(unit, principal.scope, strategy_id))


@router.patch("/{strategy_id}")
async def change_strategy(
    principal: Trader,
    rows: Rows,
    strategy_id: RowId,
    asked: StrategyChange,
    version: ExpectedVersion,
    response: Response,
) -> StrategyOut:
    async with rows.unit() as unit:
        strategy = await service.update_strategy(
            unit,
            principal.scope,
            strategy_id,
            expected_version=version,
            changed_by=principal.user_id,
            **dict(asked),
        )
    return _answer(response, strategy)


@router.delete("/{strategy_id}", status_code=204)
async def delete_strategy(
    principal: Trader, rows: Rows, strategy_id: RowId, version: ExpectedVersion
) -> None:
    """Hide a strategy and refuse its key. What it traded stays recorded."""
    async with rows.unit() as unit:
        await service.delete_strategy(unit, principal.scope, strategy_id, expected_version=version)


@router.post("/{strategy_id}/webhook-key", status_code=201)
async def renew_webhook_key(
    principal: Trader, rows: Rows, rng: Randomness, strategy_id: RowId
) -> WebhookKeyOut:
    """A new webhook key, shown this once; the old one is refused from now on."""
    async with rows.unit() as unit:
        key = await service.replace_webhook_key(unit, principal.scope, strategy_id, rng)
    return WebhookKeyOut(webhook_key=key)


@router.get("/{strategy_id}/accounts")
async def get_links(principal: Reader, rows: Rows, strategy_id: RowId) -> LinkList:
    """The accounts of yours on which this strategy trades, with their capital."""
    async with rows.read() as unit:
        await service.get_readable_strategy(unit, principal.scope, strategy_id)
        found = await links.list_links(unit, principal.scope, strategy_id=strategy_id)
        return LinkList(items=await _links(unit, principal.scope, found, strategy_id))


@router.post("/{strategy_id}/accounts", status_code=201)
async def link_account(
    principal: Trader, rows: Rows, strategy_id: RowId, asked: LinkAsked, response: Response
) -> LinkOut:
    """Let the strategy trade on an account of yours."""
    async with rows.unit() as unit:
        link = await links.link_account(
            unit, principal.scope, strategy_id, **dict(asked), changed_by=principal.user_id
        )
        return await _link_answer(unit, principal.scope, response, link)


@router.get("/{strategy_id}/accounts/{account_id}")
async def get_link(
    principal: Reader, rows: Rows, strategy_id: RowId, account_id: RowId, response: Response
) -> LinkOut:
    async with rows.read() as unit:
        link = await links.get_link(unit, principal.scope, strategy_id, account_id)
        return await _link_answer(unit, principal.scope, response, link)


@router.patch("/{strategy_id}/accounts/{account_id}")
async def change_link(
    principal: Trader,
    rows: Rows,
    strategy_id: RowId,
    account_id: RowId,
    asked: LinkChange,
    version: ExpectedVersion,
    response: Response,
) -> LinkOut:
    async with rows.unit() as unit:
        link = await links.update_link(
            unit,
            principal.scope,
            strategy_id,
            account_id,
            expected_version=version,
            changed_by=principal.user_id,
            **dict(asked),
        )
        return await _link_answer(unit, principal.scope, response, link)


@router.delete("/{strategy_id}/accounts/{account_id}", status_code=204)
async def unlink_account(
    principal: Trader, rows: Rows, strategy_id: RowId, account_id: RowId, version: ExpectedVersion
) -> None:
    """End a link: no alert opens anything through it any more."""
    async with rows.unit() as unit:
        await links.unlink_account(unit, principal.scope, strategy_id, account_id, expected_version=version)


@router.put("/{strategy_id}/accounts/{account_id}/capital")
async def set_capital(
    principal: Trader, rows: Rows, strategy_id: RowId, account_id: RowId, asked: CapitalAsked
) -> CapitalOut:
    """What the strategy may use on this account: an amount, or its weight's part of the balance."""
    scope = principal.scope
    async with rows.unit() as unit:
        link = await links.get_link(unit, scope, strategy_id, account_id)
        if asked.total_capital is not None:
            capital = await links.set_capital(
                unit, scope, strategy_id, account_id, asked.total_capital, asked.currency
            )
            return CapitalOut.model_validate(capital)
        strategy = await service.get_readable_strategy(unit, scope, link.strategy_id)
        balance = sum(
            (
                found.total
                for found in await balances.of_account(unit, scope, account_id)
                if found.asset == asked.currency and found.market_type is strategy.market_type
            ),
            ZERO,
        )
        if not balance:
            raise InvalidCapital(
                f"No {asked.currency} balance of this account is known yet: test the account, or set an amount.",
                ("currency",),
            )
        capital = await links.set_capital_by_balance(
            unit, scope, strategy_id, account_id, balance, asked.currency
        )
        return CapitalOut.model_validate(capital)
