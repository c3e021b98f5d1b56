"""The booking door on a real database, without a venue: accounts, links and orders are rows, facts are given."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Account, Environment
from fillbook.fleet.events import EventSignal
from fillbook.kernel.ids import RowIds
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.ledger.service.booking import Ledger
from fillbook.ledger.tables import fills, positions, strategy_positions, trades
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, Owner
from fillbook.orders.store import rows
from fillbook.orders.tables import orders
from fillbook.storage.unit import Database
from fillbook.strategies.tables import strategy_capital
from fillbook.trading.booking import Booking
from fillbook.trading.bookkeeper import Bookkeeper
from fillbook.trading.facts import Booked, FillsSeen
from fillbook.trading.floor import Floor, InstrumentBoard, Ownership, market_key
from fillbook.trading.prices import PriceBoard
from support.audit import Audit
from support.trading import PERP, SENT, a_fill_report, an_instrument
from support.world import World

INSTRUMENTS = {PERP: an_instrument()}


class BookingDesk:
    """One account with two links, and the door through which facts about it are booked."""

    def __init__(self, db: Database, account: Account, link_ids: Sequence[tuple[int, int]]) -> None:
        self.db = db
        self.account = account
        self.links = link_ids
        self.floor = Floor(
            db=db,
            clock=db.clock,
            bookkeeper=Bookkeeper(lambda facts: self.booking.book(facts)),
            prices=PriceBoard(db.clock),
            instruments=InstrumentBoard(db.clock, _save_nothing),
            ownership=Ownership(db.clock),
            signal_moved=lambda signal_id: None,
            events=EventSignal(),
        )
        self.floor.accounts[account.id] = account
        self.floor.instruments.remember(market_key(account), INSTRUMENTS.values())
        self.booking = Booking(
            self.floor, Ledger(RowIds(db.clock, random.Random(3))), self.floor.events, {"test"}
        )

    @classmethod
    async def open(cls, db: Database) -> "BookingDesk":
        world = World(db, server=None)  # type: ignore[arg-type]
        world.user_id = await world.user()
        account = await world.account_row("acc")
        for _ in range(2):
            await world.strategy(account, capital="1000000")
        return cls(db, account, [(row.id, row.strategy_id) for row in await world.links()])

    async def order(self, exchange_order_id: str, side: Side, quantity: Decimal, link: int = 0) -> None:
        """An order of one of the links, which the venue knows as `exchange_order_id`."""
        link_id, strategy_id = self.links[link]
        row: dict[str, Any] = {
            "account_id": self.account.id,
            "user_id": self.account.user_id,
            "environment": Environment.DEMO,
            "currency": "USDT",
            "strategy_id": strategy_id,
            "strategy_account_id": link_id,
            "client_order_id": client_id_of(exchange_order_id),
            "symbol": PERP,
            "market_type": MarketType.FUTURES,
            "side": side,
            "order_type": OrderType.MARKET,
            "quantity": quantity,
            "status": OrderStatus.PENDING_NEW,
            "owner": Owner.OURS,
            "origin": "strategy",
            "leverage": Decimal(2),
            "sizing": [],
        }
        await self.db.run(lambda unit: rows.insert_orders(unit, [row]))

    async def book(
        self, *reports: FillReport, source: FillSource = FillSource.REST, adopt: bool = False
    ) -> Booked:
        (booked,) = await self.booking.book([FillsSeen(self.account.id, reports, source, adopt=adopt)])
        return booked

    async def infer(self, report: FillReport) -> Booked:
        return await self.book(report, source=FillSource.INFERRED)

    async def rows(self, table: sa.Table, **where: Any) -> list[Any]:
        async with self.db.read() as unit:
            select = sa.select(table).order_by(table.c.id)
            for name, value in where.items():
                select = select.where(table.c[name] == value)
            return list(await unit.all(select))

    async def faults(self) -> list[str]:
        return (await Audit.read(self.db, INSTRUMENTS)).faults()

    async def outcome(self) -> dict[str, Any]:
        """What the books say, with fills named as the venue names them: equal for equal fills."""
        names = {row.id: (row.exchange_order_id, row.venue_fill_id) for row in await self.rows(fills)}
        return {
            "orders": [
                (o.client_order_id, o.status, o.filled_quantity, o.cost, o.average_price, o.reserved)
                for o in await self.rows(orders)
            ],
            "net": [_book(row) for row in await self.rows(positions)],
            "books": sorted((row.owner_key, *_book(row)) for row in await self.rows(strategy_positions)),
            "trades": sorted(
                (
                    trade.owner_key,
                    names[trade.opening_fill_id],
                    trade.opening_part,
                    *(trade.quantity, trade.entry_price, trade.exit_price, trade.pnl, trade.fees),
                    trade.opened_at,
                    trade.closed_at,
                )
                for trade in await self.rows(trades)
            ),
            "capital": [(c.used_capital, c.reserved_capital) for c in await self.rows(strategy_capital)],
        }


def _book(row: Any) -> tuple[Any, ...]:
    state = (row.quantity, row.cost, row.capital_used, row.realized_pnl, row.fees)
    return (*state, row.dust_quantity, row.dust_cost, row.last_fill_at, row.last_fill_id, row.is_open)


async def _save_nothing(environment: object, instruments: object) -> None:
    """Rules are not what these tests are about."""


def client_id_of(exchange_order_id: str) -> str:
    return f"fb{exchange_order_id}"


def at(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


def a_fill_of(order_id: str, side: Side, quantity: str | Decimal, fill_id: str, **changes: Any) -> FillReport:
    """A real fill of an order, as a venue reports it."""
    given: dict[str, Any] = {"client_order_id": client_id_of(order_id), "exchange_order_id": order_id}
    return a_fill_report(str(quantity), fill_id, side=side, **{**given, **changes})


def an_inference(
    order_id: str, side: Side, quantity: str | Decimal, upto: str | Decimal, **changes: Any
) -> FillReport:
    """What stands for the last `quantity` of what the venue says that the order has filled."""
    return a_fill_of(order_id, side, quantity, "", cumulative_quantity=Decimal(upto), **changes)
