"""The exchange's own orders, fills and wallets as the reports of trading's port. Pure.

An order is copied as it is at that moment: the exchange changes its orders in place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from fillbook.accounts.core import (
    BalanceReport,
    LedgerEntryKind,
    LedgerEntryReport,
    PositionReport,
    PositionSide,
)
from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType, Price
from fillbook.orders.core.reports import OrderReport, StreamEvent
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.margin import liquidation_price, margin_state
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import (
    LedgerKind,
    OrderEvent,
    SimFill,
    SimOrder,
    WalletEvent,
)

_ENTRIES = {
    LedgerKind.FUNDING: LedgerEntryKind.FUNDING,
    LedgerKind.TRANSFER: LedgerEntryKind.TRANSFER,
    LedgerKind.DEPOSIT: LedgerEntryKind.DEPOSIT,
    LedgerKind.WITHDRAWAL: LedgerEntryKind.WITHDRAWAL,
    LedgerKind.INSURANCE: LedgerEntryKind.ADJUSTMENT,
}


def order_report(order: SimOrder, account: Account) -> OrderReport:
    """An order as it stands; a conditional one that has triggered, with the fate of what it made."""
    report = _report(order)
    if order.child_id is None:
        return report
    made = account.orders[order.child_id]
    return replace(
        report,
        status=made.status,
        filled_quantity=made.filled,
        cost=made.cost,
        triggered_order_id=str(made.order_id),
        exchange_at=from_ms(max(order.updated_ms, made.updated_ms)),
    )


def _report(order: SimOrder) -> OrderReport:
    return OrderReport(
        symbol=order.symbol,
        exchange_order_id=str(order.order_id),
        client_order_id=order.client_order_id,
        book=order.book,
        side=order.side,
        order_type=order.order_type,
        status=order.status,
        quantity=order.quantity,
        filled_quantity=order.filled,
        cost=order.cost,
        price=order.price,
        stop_price=order.stop_price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        position_side=order.position_side,
        exchange_at=from_ms(order.updated_ms),
    )


def fill_report(fill: SimFill, *, names_client_id: bool) -> FillReport:
    """A fill; venues name the client's id in streams, and not in their lists of fills."""
    return FillReport(
        symbol=fill.symbol,
        exchange_order_id=str(fill.order_id),
        client_order_id=fill.client_order_id if names_client_id else None,
        venue_fill_id=str(fill.trade_id),
        side=fill.side,
        position_side=fill.position_side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        liquidity=fill.liquidity,
        kind=fill.kind,
        exchange_at=from_ms(fill.at_ms),
        venue_realized_pnl=fill.realized_pnl,
    )


def stream_events(exchange: Exchange, event: OrderEvent | WalletEvent) -> Iterator[StreamEvent]:
    """What an account is told of something that happened: a fill before its order, balances, positions."""
    match event:
        case OrderEvent(order=order, fill=fill):
            if fill is not None:
                yield fill_report(fill, names_client_id=True)
            yield order_report(order, exchange.accounts[order.account])
        case WalletEvent(account=key, market_type=MarketType.SPOT, assets=assets, at_ms=at_ms):
            yield from spot_balances(exchange.accounts[key], assets, from_ms(at_ms))
        case WalletEvent(account=key, positions=positions):
            account = exchange.accounts[key]
            for symbol, leg in positions:
                yield position_report(exchange, account, account.position(symbol, leg))


def market_of(event: OrderEvent | WalletEvent) -> MarketType:
    return event.order.market_type if isinstance(event, OrderEvent) else event.market_type


def spot_balances(account: Account, assets: Iterable[str], at: datetime) -> Iterator[BalanceReport]:
    for asset in assets:
        purse = account.purse(asset)
        yield BalanceReport(MarketType.SPOT, asset, purse.free, purse.locked, at)


@exact
def futures_balances(exchange: Exchange, account: Account, at: datetime) -> list[BalanceReport]:
    reports = []
    for asset in sorted(account.wallet):
        state = margin_state(account, exchange.markets, asset)
        free = min(state.available, state.wallet)
        reports.append(BalanceReport(MarketType.FUTURES, asset, free, state.wallet - free, at))
    return reports


@exact
def position_report(exchange: Exchange, account: Account, position: Position) -> PositionReport:
    market = exchange.markets[position.symbol]
    state = margin_state(account, exchange.markets, market.listing.instrument.settle)
    return PositionReport(
        symbol=position.symbol,
        position_side=position.side,
        quantity=position.quantity,
        entry_price=position.entry_price,
        mark_price=market.mark,
        unrealized_pnl=position.unrealized(market.mark),
        liquidation_price=liquidation_price(account, position, market, state) or None,
        leverage=account.leverage(position.symbol),
        margin_mode=account.margin_mode(position.symbol),
        at=from_ms(position.updated_ms or exchange.now_ms()),
    )


@exact
def positions_at(fills: Iterable[SimFill], at_ms: int) -> dict[tuple[str, PositionSide], Decimal]:
    """The signed quantities that an account held at a moment of the past."""
    held: dict[tuple[str, PositionSide], Decimal] = {}
    for fill in fills:
        if fill.at_ms <= at_ms and ":" in fill.symbol:
            key = (fill.symbol, fill.position_side)
            held[key] = held.get(key, ZERO) + fill.side.sign * fill.quantity
    return held


def ledger_entries(account: Account, since_ms: int) -> list[LedgerEntryReport]:
    """Funding, transfers and the like; fees and profits are told by the fills."""
    return [
        LedgerEntryReport(
            kind=_ENTRIES[entry.kind],
            asset=entry.asset,
            amount=entry.amount,
            venue_id=str(entry.entry_id),
            at=from_ms(entry.at_ms),
            symbol=entry.symbol or None,
        )
        for entry in account.ledger
        if entry.kind in _ENTRIES and entry.at_ms >= since_ms
    ]


def price_of(market: Market, at: datetime) -> Price:
    best = {side: quotes[0].price for side, quotes in market.book.maker.quotes.items() if quotes}
    bid, ask = (best.get(side) for side in market.book.maker.quotes)
    return Price(market.symbol, market.price, at, bid, ask, market.mark)
