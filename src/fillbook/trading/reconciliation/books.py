"""The local side: what our books hold of one account, read in few statements."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from fillbook.accounts import cursors
from fillbook.accounts.core import Account
from fillbook.kernel.money import ZERO
from fillbook.ledger.service.held import held_futures, spot_holdings
from fillbook.market.core import MarketType
from fillbook.orders.core.client_ids import parse_client_order_id
from fillbook.orders.core.order import Book, Order
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.store import cancels, known
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import links_of_codes
from fillbook.trading.core.reconcile.snapshots import (
    Leg,
    Link,
    LocalPosition,
    LocalSnapshot,
    Misses,
)
from fillbook.trading.floor import Floor, market_key


@dataclass(slots=True)
class Memory:
    """What one account's looks remember from one to the next; a new process begins without it."""

    misses: dict[int, Misses] = field(default_factory=dict)
    suspected: Mapping[Leg, tuple[Decimal, Decimal]] = field(default_factory=dict)
    differing_since: dict[Leg, datetime] = field(default_factory=dict)
    exhausted: dict[Leg, datetime] = field(default_factory=dict)
    """When all of the venue's history was read for a difference that has stayed as it is, and did not explain it."""
    has_searched: bool = False
    """Whether coins of markets that nobody follows were looked into; once is enough."""
    quiet: tuple[int, LocalSnapshot] | None = None
    """The books as a quiet look found them, and how often something had been booked by then."""

    def note_differences(
        self, differing: Mapping[Leg, tuple[Decimal, Decimal]], exhausted: Collection[str], at: datetime
    ) -> None:
        """Remember what differs now; a difference that is another one than before begins anew."""
        stayed = {leg for leg, pair in differing.items() if self.suspected.get(leg) == pair}
        self.differing_since = {
            leg: self.differing_since.get(leg, at) if leg in stayed else at for leg in differing
        }
        self.exhausted = {leg: self.exhausted[leg] for leg in stayed & self.exhausted.keys()}
        self.exhausted |= {
            leg: at for leg in differing if leg.symbol in exhausted and leg not in self.exhausted
        }
        self.suspected = differing


async def read_books(
    unit: Unit,
    floor: Floor,
    account: Account,
    memory: Memory,
    *,
    catching_up_since: datetime | None,
    is_brief: bool,
    reports: Iterable[OrderReport] = (),
    with_labels: bool = False,
) -> LocalSnapshot:
    """What the books hold. `is_brief` leaves out what a quiet look does not compare; `reports` name orders that
    may have ended here."""
    live = {order.id: order for order in await known.live_of(unit, account.id)}
    held = {}
    if MarketType.FUTURES in account.market_types:
        held = {
            Leg(one.symbol, one.position_side): LocalPosition(
                one.quantity, one.cost, one.status, one.last_fill_at, one.last_fill_id
            )
            for one in await held_futures(unit, account.id)
        }
    holdings = await spot_holdings(unit, account.id) if MarketType.SPOT in account.market_types else {}
    local = LocalSnapshot(
        exchange=account.exchange,
        installations=floor.installations,
        at=floor.clock.now(),
        orders=tuple(live.values()),
        positions=held,
        holdings=holdings,
        lots=_lots(floor, account, holdings),
        misses=memory.misses,
        suspected=memory.suspected,
        differing_since=memory.differing_since,
        catching_up_since=catching_up_since,
    )
    if is_brief and not any(order.cancel_wanted for order in live.values()):
        return local
    return await _completed(unit, local, account, live, reports, with_labels)


async def _completed(
    unit: Unit,
    local: LocalSnapshot,
    account: Account,
    live: dict[int, Order],
    reports: Iterable[OrderReport],
    with_labels: bool,
) -> LocalSnapshot:
    orders = dict(live)
    for order in await _orders_of(unit, account.id, reports):
        orders.setdefault(order.id, order)
    if with_labels:
        for order in await known.orders_without_label(unit, account.id):
            orders.setdefault(order.id, order)
    wanted = [order.id for order in live.values() if order.cancel_wanted]
    return replace(
        local,
        orders=tuple(orders.values()),
        queued_cancels=await cancels.queued_of(unit, wanted),
        cursors={cursor.symbol: cursor for cursor in await cursors.of_account(unit, account.id)},
        links=await _links(unit, account.id, orders.values()) if with_labels else {},
        newest_order_at=await known.newest_order_at(unit, account.id),
    )


async def _orders_of(unit: Unit, account_id: int, reports: Iterable[OrderReport]) -> list[Order]:
    """The orders that reports speak of, by any of their names."""
    every = list(reports)
    clients = {report.client_order_id for report in every if report.client_order_id}
    numbers = {(report.symbol, report.book, report.exchange_order_id) for report in every}
    numbers |= {
        (report.symbol, Book.NORMAL, report.triggered_order_id)
        for report in every
        if report.triggered_order_id is not None
    }
    return await known.orders_named(unit, account_id, clients, numbers)


async def _links(unit: Unit, account_id: int, orders: Iterable[Order]) -> dict[str, Link]:
    named = [parse_client_order_id(order.client_order_id) for order in orders]
    links = await links_of_codes(unit, {(account_id, name.code) for name in named if name is not None})
    return {code: Link(code, link.strategy_id, link.strategy_account_id) for (_, code), link in links.items()}


def _lots(floor: Floor, account: Account, holdings: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """By asset, what is too little to be sold: the coarsest lot of its markets that we know."""
    if not holdings:
        return {}
    lots: dict[str, Decimal] = {}
    for symbol in floor.instruments.symbols(MarketType.SPOT):
        asset = symbol.partition("/")[0]
        if asset in holdings:
            instrument = floor.instruments.get(market_key(account), symbol)
            lots[asset] = max(lots.get(asset, ZERO), ZERO if instrument is None else instrument.lot)
    return lots
