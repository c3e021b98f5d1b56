"""Exchange accounts: opening, testing, changing and closing them, and their balances."""

import random
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from fillbook.accounts import balances, service
from fillbook.accounts.core import Account, Environment
from fillbook.accounts.errors import AccountInUse
from fillbook.accounts.ports import AccountsChanged, CheckVenue, KeyProbe, OpenBusiness
from fillbook.accounts.schemas import AccountAsked, AccountChange, AccountOut, BalanceOut
from fillbook.accounts.vault import Vault
from fillbook.http.fields import RowId
from fillbook.http.paging import Page, page_of_objects, paged
from fillbook.http.principal import Reader, Trader
from fillbook.http.provided import provided
from fillbook.http.versions import ExpectedVersion, tag
from fillbook.storage.listing import PageRequest, page_of_few
from fillbook.storage.unit import Database

Announce = Annotated[AccountsChanged, Depends(provided(AccountsChanged))]


async def _announce(request: Request, changed: Announce) -> AsyncIterator[None]:
    """Tell whoever trades after every request that may have changed an account."""
    yield
    if request.method != "GET":
        changed()


router = APIRouter(prefix="/accounts", tags=["accounts"], dependencies=[Depends(_announce)])

Rows = Annotated[Database, Depends(provided(Database))]
Probe = Annotated[KeyProbe, Depends(provided(KeyProbe))]
Keys = Annotated[Vault, Depends(provided(Vault))]
Randomness = Annotated[random.Random, Depends(provided(random.Random))]


class BalanceList(BaseModel):
    items: list[BalanceOut]
    next_cursor: None = None


def _answer(response: Response, account: Account) -> AccountOut:
    tag(response, account.version)
    return AccountOut.model_validate(account)


@router.post("", status_code=201)
async def open_account(
    principal: Trader,
    rows: Rows,
    probe: Probe,
    vault: Keys,
    rng: Randomness,
    check_venue: Annotated[CheckVenue, Depends(provided(CheckVenue))],
    asked: AccountAsked,
    response: Response,
) -> AccountOut:
    """Add an account. The venue is asked what the key may do before anything is kept."""
    check_venue(asked.exchange, asked.environment)
    key = None
    if asked.environment is not Environment.PAPER or asked.credentials is not None:
        key = await service.check_key(
            probe, asked.exchange, asked.environment, asked.credentials, asked.egress
        )
    async with rows.unit() as unit:
        account = await service.create_account(
            unit,
            principal.user_id,
            name=asked.name,
            exchange=asked.exchange,
            environment=asked.environment,
            key=key,
            vault=vault,
            rng=rng,
            egress=asked.egress,
            market_types=asked.market_types,
        )
    return _answer(response, account)


@router.get("")
async def get_accounts(
    principal: Reader,
    rows: Rows,
    page: Annotated[PageRequest, Depends(paged(environment=Environment))],
) -> Page[AccountOut]:
    async with rows.read() as unit:
        found = await service.list_accounts(unit, principal.scope, page.filters.get("environment"))
    return page_of_objects(AccountOut, page_of_few(found, page))


@router.get("/{account_id}")
async def get_account(principal: Reader, rows: Rows, account_id: RowId, response: Response) -> AccountOut:
    async with rows.read() as unit:
        return _answer(response, await service.get_account(unit, principal.scope, account_id))


@router.patch("/{account_id}")
async def change_account(
    principal: Trader,
    rows: Rows,
    probe: Probe,
    vault: Keys,
    account_id: RowId,
    asked: AccountChange,
    version: ExpectedVersion,
    response: Response,
) -> AccountOut:
    """Rename, switch on or off, or replace the key (which is tested first)."""
    key = None
    if asked.credentials is not None:
        async with rows.read() as unit:
            known = await service.get_account(unit, principal.scope, account_id)
        key = await service.check_key(
            probe, known.exchange, known.environment, asked.credentials, asked.egress or known.egress
        )
    async with rows.unit() as unit:
        if key is not None:
            account = await service.replace_key(
                unit, principal.scope, account_id, expected_version=version, key=key, vault=vault
            )
            version = account.version
        account = await service.update_account(
            unit,
            principal.scope,
            account_id,
            expected_version=version,
            name=asked.name,
            is_active=asked.is_active,
            egress=asked.egress,
            market_types=asked.market_types,
        )
    return _answer(response, account)


@router.delete("/{account_id}", status_code=204)
async def close_account(
    principal: Trader,
    rows: Rows,
    account_id: RowId,
    version: ExpectedVersion,
    open_business: Annotated[OpenBusiness, Depends(provided(OpenBusiness))],
) -> None:
    """Stop using an account and shred its key. What was traded on it stays recorded."""
    async with rows.read() as unit:
        await service.get_account(unit, principal.scope, account_id)
    if (still_open := await open_business(account_id)) is not None:
        raise AccountInUse(
            f"The account still has {still_open}: cancel and close them first, then remove it."
        )
    async with rows.unit() as unit:
        await service.delete_account(unit, principal.scope, account_id, expected_version=version)


@router.post("/{account_id}/test")
async def test_account(
    principal: Trader, rows: Rows, probe: Probe, vault: Keys, account_id: RowId, response: Response
) -> AccountOut:
    """Ask the venue now what the key may do. A key that may withdraw by now halts the account."""
    async with rows.read() as unit:
        account = await service.get_account(unit, principal.scope, account_id)
        if account.environment is Environment.PAPER:
            return _answer(response, account)
        credentials = await service.credentials_of(unit, account_id, vault)
    permissions = await probe.permissions(account.exchange, account.environment, credentials, account.egress)
    async with rows.unit() as unit:
        return _answer(response, await service.set_permissions(unit, account_id, permissions))


@router.get("/{account_id}/balances")
async def get_balances(principal: Reader, rows: Rows, account_id: RowId) -> BalanceList:
    """Balances as the venue last reported them."""
    async with rows.read() as unit:
        found = await balances.of_account(unit, principal.scope, account_id)
    return BalanceList(items=[BalanceOut.model_validate(balance) for balance in found])
