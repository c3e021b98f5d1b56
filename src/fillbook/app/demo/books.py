"""What Fillbook's API says, and what the simulated exchange knows to be true, read at one moment each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fillbook.app.demo.cast import Cast
from fillbook.app.demo.clients import Exchanges, FillbookClient, Row
from fillbook.kernel.money import ZERO, parse_amount


@dataclass(frozen=True, slots=True)
class Books:
    """Rows of the API. `balances` is keyed by the number of the account; `links` carry their capital."""

    orders: Sequence[Row]
    fills: Sequence[Row]
    positions: Sequence[Row]
    account_positions: Sequence[Row]
    balances: Mapping[int, Sequence[Row]]
    links: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Truth:
    """The exchanges' own record: `/_sim/orders`, `fills`, `positions`, `balances`."""

    orders: Sequence[Row]
    fills: Sequence[Row]
    positions: Sequence[Row]
    balances: Mapping[str, Any]


def amount(value: str | None) -> Decimal:
    """An amount as both sides write it; nothing is zero."""
    return ZERO if value is None else parse_amount(value)


async def read_books(api: FillbookClient, cast: Cast) -> Books:
    """Capital is read last, so that it is never older than the orders and fills that changed it."""
    books = Books(
        orders=await api.rows("/orders"),
        fills=await api.rows("/fills"),
        positions=await api.rows("/positions"),
        account_positions=await api.rows("/account-positions"),
        balances={
            member.account_id: (await api.call("GET", f"/accounts/{member.account_id}/balances"))["items"]
            for member in cast.members
        },
        links=[],
    )
    links: list[Row] = []
    for strategy in cast.strategies.values():
        links += (await api.call("GET", f"/strategies/{strategy.number}/accounts"))["items"]
    return replace(books, links=links)


async def read_truth(exchanges: Exchanges) -> Truth:
    return Truth(
        orders=await exchanges.rows("orders"),
        fills=await exchanges.rows("fills"),
        positions=await exchanges.rows("positions"),
        balances=await exchanges.balances(),
    )
