"""Books for a benchmark: people, accounts, links and orders as rows, and the reports that a venue would send."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Environment, PositionSide
from fillbook.accounts.tables import accounts as account_rows
from fillbook.fleet.events import EventSignal
from fillbook.identity.tables import users
from fillbook.kernel.clock import SystemClock
from fillbook.kernel.ids import RowIds
from fillbook.kernel.scope import EVERYONE
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.ledger.service.booking import Ledger
from fillbook.market.core import Instrument, MarketType, Side, VenueName
from fillbook.orders.core.order import Book, OrderStatus, OrderType, Owner
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.orders.store import rows
from fillbook.storage.unit import Database, Unit
from fillbook.strategies.tables import strategies, strategy_accounts, strategy_capital
from fillbook.trading.booking import Booking
from fillbook.trading.bookkeeper import Bookkeeper
from fillbook.trading.floor import Floor, InstrumentBoard, Ownership, market_key
from fillbook.trading.prices import PriceBoard

SYMBOL = "BTC/USDT:USDT"
BEGUN = datetime(2026, 1, 5, tzinfo=UTC)
INSTRUMENT = Instrument(
    venue=VenueName.BINANCE,
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    settle="USDT",
    market_type=MarketType.FUTURES,
    tick=Decimal("0.1"),
    lot=Decimal("0.001"),
)
QUANTITY = Decimal("0.010")


@dataclass(slots=True)
class Books:
    """Empty books of `account_ids`, each linked to one strategy, and the door to them."""

    database: Database
    floor: Floor
    booking: Booking
    account_ids: Sequence[int]
    link_ids: Sequence[int]
    user_id: int = 1


async def open_books(url: str, count: int) -> Books:
    clock, rng = SystemClock(), random.Random(7)
    database = Database.connect(url, clock)
    account_ids, link_ids = await database.run(lambda unit: _people(unit, count))
    floor = Floor(
        db=database,
        clock=clock,
        bookkeeper=Bookkeeper(lambda facts: booking.book(facts)),
        prices=PriceBoard(clock),
        instruments=InstrumentBoard(clock, _save_nothing),
        ownership=Ownership(clock),
        signal_moved=lambda signal_id: None,
        events=EventSignal(),
    )
    booking = Booking(floor, Ledger(RowIds(clock, rng)), floor.events, {"test"})
    async with database.read() as unit:
        for account in await accounts.list_accounts(unit, EVERYONE):
            floor.accounts[account.id] = account
    floor.instruments.remember(market_key(floor.accounts[account_ids[0]]), [INSTRUMENT])
    return Books(database, floor, booking, account_ids, link_ids)


async def _save_nothing(environment: object, instruments: object) -> None:
    """Rules are not what is measured."""


async def _people(unit: Unit, count: int) -> tuple[list[int], list[int]]:
    user_id = await unit.insert(users, {"email": "bench@example.com", "username": "bench"})
    strategy_id = await unit.insert(
        strategies,
        {"code6": "bench1", "user_id": user_id, "name": "bench", "group_name": "b", "market_type": "futures"},
    )
    owned = {"user_id": user_id, "environment": Environment.DEMO}
    account_ids, link_ids = [], []
    for number in range(count):
        account_id = await unit.insert(
            account_rows,
            {
                **owned,
                "uid": f"bench{number}",
                "name": f"account {number}",
                "exchange": VenueName.BINANCE,
                "market_types": ["futures"],
                "position_mode": "one_way",
            },
        )
        link = {**owned, "strategy_id": strategy_id, "account_id": account_id}
        link_ids.append(await unit.insert(strategy_accounts, link))
        capital = {"currency": "USDT", "total_capital": Decimal(1_000_000)}
        await unit.insert(strategy_capital, {**link, **capital})
        account_ids.append(account_id)
    return account_ids, link_ids


@dataclass(frozen=True, slots=True)
class Bought:
    """An order of the books, and what the venue says of it, one report and one fill at a time."""

    account_id: int
    fills: tuple[FillReport, ...]
    reports: tuple[OrderReport, ...]


async def place_orders(books: Books, count: int, fills_each: int, first: int = 0) -> list[Bought]:
    """`count` orders, dealt out to the accounts, each with `fills_each` fills to come; sides take turns, so
    that every second order closes what the one before it opened."""
    made = [_bought(books, first + number, fills_each) for number in range(count)]
    for start in range(0, count, 500):
        await books.database.run(
            lambda unit, start=start: rows.insert_orders(  # type: ignore[misc]
                unit, [row for _, row in made[start : start + 500]]
            )
        )
    return [bought for bought, _ in made]


def _bought(books: Books, number: int, fills_each: int) -> tuple[Bought, dict[str, Any]]:
    turn, place = divmod(number, len(books.account_ids))
    account_id = books.account_ids[place]
    fills, reports = executions(number, fills_each, turn)
    last = reports[-1]
    row = _order_row(
        books, account_id, books.link_ids[place], str(last.client_order_id), last.side, last.quantity
    )
    return Bought(account_id, tuple(fills), tuple(reports)), row


def executions(number: int, fills_each: int, turn: int) -> tuple[list[FillReport], list[OrderReport]]:
    """What a venue says of one order, one fill and one report at a time; every second turn sells."""
    side = Side.BUY if turn % 2 == 0 else Side.SELL
    client_id, exchange_id = f"bench{number:010d}", str(1_000_000 + number)
    quantity = QUANTITY * fills_each
    price = Decimal(60_000) + number % 97
    at = BEGUN + timedelta(milliseconds=10 * fills_each * number)
    fills, reports = [], []
    for part in range(fills_each):
        moment = at + timedelta(milliseconds=10 * part)
        raw = _message(number, part)
        fill = FillReport(
            symbol=SYMBOL,
            exchange_order_id=exchange_id,
            client_order_id=client_id,
            venue_fill_id=str(number * 1000 + part + 1),
            side=side,
            position_side=PositionSide.NET,
            price=price + part % 3,
            quantity=QUANTITY,
            fee=Decimal("0.2404"),
            fee_asset="USDT",
            liquidity=Liquidity.TAKER,
            kind=FillKind.TRADE,
            exchange_at=moment,
            venue_realized_pnl=Decimal(0),
            raw=raw,
        )
        is_last = part == fills_each - 1
        report = OrderReport(
            symbol=SYMBOL,
            exchange_order_id=exchange_id,
            client_order_id=client_id,
            book=Book.NORMAL,
            side=side,
            order_type=OrderType.MARKET,
            status=OrderStatus.FILLED if is_last else OrderStatus.PARTIALLY_FILLED,
            quantity=quantity,
            filled_quantity=QUANTITY * (part + 1),
            cost=None,
            price=None,
            stop_price=None,
            time_in_force=None,
            reduce_only=False,
            position_side=PositionSide.NET,
            exchange_at=moment,
            raw=raw,
        )
        fills.append(fill)
        reports.append(report)
    return fills, reports


def _message(number: int, part: int) -> dict[str, Any]:
    """As long as a futures execution on the wire."""
    body = dict.fromkeys(("s", "c", "S", "o", "f", "q", "p", "ap", "sp", "x", "X", "i"), f"{number}.{part}")
    more = dict.fromkeys(("l", "z", "L", "N", "n", "T", "t", "b", "a", "m", "R", "wt", "ot", "ps"), part)
    return {"e": "ORDER_TRADE_UPDATE", "T": number, "E": number, "o": {**body, **more}}


def _order_row(
    books: Books, account_id: int, link_id: int, client_id: str, side: Side, quantity: Decimal
) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "user_id": books.user_id,
        "environment": Environment.DEMO,
        "currency": "USDT",
        "strategy_id": 1,
        "strategy_account_id": link_id,
        "client_order_id": client_id,
        "symbol": SYMBOL,
        "market_type": MarketType.FUTURES,
        "side": side,
        "order_type": OrderType.MARKET,
        "quantity": quantity,
        "status": OrderStatus.PENDING_NEW,
        "owner": Owner.OURS,
        "origin": "strategy",
        "leverage": Decimal(1),
        "sizing": [],
    }
