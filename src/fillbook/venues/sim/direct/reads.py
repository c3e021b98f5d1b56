"""What the exchange shows of orders, fills and positions, in its venue's manner: pages, windows, short memories."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from fillbook.accounts.core import PositionReport
from fillbook.kernel.clock import from_ms, to_ms
from fillbook.market.core import MarketType, market_type_of
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import FillsPage, OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import Refusal, Refused, SimFill, SimOrder
from fillbook.venues.sim.direct.line import NoAnswer, Terms
from fillbook.venues.sim.direct.reports import fill_report, position_report, positions_at

if TYPE_CHECKING:
    from fillbook.venues.sim.direct.site import SimSite


def order_of(site: "SimSite", account: Account, ref: OrderRef) -> SimOrder:
    """An order by the venue's id, or the latest with a client id. Raises `Refused(unknown_order)`."""
    if ref.exchange_order_id is not None and not ref.exchange_order_id.isdecimal():
        raise Refused(Refusal.UNKNOWN_ORDER)
    order_id = None if ref.exchange_order_id is None else int(ref.exchange_order_id)
    return site.exchange.find(
        account, ref.symbol, ref.book, order_id=order_id, client_order_id=ref.client_order_id
    )


def find(site: "SimSite", account: Account, ref: OrderRef, terms: Terms) -> OrderReport | None:
    try:
        order = order_of(site, account, ref)
    except Refused:
        return None
    if _is_forgotten(site, order):
        return None
    made = account.orders.get(order.child_id or 0)
    if made is not None and made.hidden_until_ms > site.now_ms():
        raise NoAnswer("not_shown_yet", "The order that was triggered is not shown yet.")
    return site.report(account, order, terms.stale_ms)


def open_orders(
    site: "SimSite", account: Account, market_type: MarketType, book: Book, terms: Terms
) -> list[OrderReport]:
    return [
        report
        for order in account.orders.values()
        if order.book is book and order.market_type is market_type
        if (report := site.report(account, order, terms.stale_ms)) is not None
        if report.status.is_live and report.triggered_order_id is None
    ]


def orders_since(
    site: "SimSite", account: Account, symbol: str, since: datetime, book: Book, terms: Terms
) -> list[OrderReport]:
    return [
        report
        for order in account.orders.values()
        if order.symbol == symbol and order.book is book and order.created_ms >= to_ms(since)
        if not _is_forgotten(site, order)
        if (report := site.report(account, order, terms.stale_ms)) is not None
    ]


def fills_since(
    site: "SimSite", account: Account, symbol: str, since: datetime, from_id: str | None, terms: Terms
) -> FillsPage:
    """One page. The two halves of a self-trade have one id and are never parted."""
    now_ms = site.now_ms() - terms.stale_ms
    known = [fill for fill in _kept(site, account.fills, symbol) if fill.at_ms <= now_ms]
    next_since = None
    if from_id is not None and from_id.isdecimal():
        found = [fill for fill in known if fill.trade_id > int(from_id)]
    else:
        start_ms = to_ms(since)
        end_ms = start_ms + _window_ms(site, symbol)
        found = [fill for fill in known if start_ms <= fill.at_ms <= end_ms]
        next_since = from_ms(end_ms) if end_ms <= site.now_ms() else None
    size = terms.fills or site.manner.fills_page
    page = tuple(_whole_trades(found, size))
    reports = tuple(fill_report(fill, names_client_id=False) for fill in page)
    if len(page) < len(found):
        return FillsPage(reports, complete=False, next_from_id=reports[-1].venue_fill_id)
    return FillsPage(reports, complete=next_since is None, next_since=next_since)


def fills_of_order(site: "SimSite", account: Account, exchange_order_id: str, terms: Terms) -> FillsPage:
    """All fills of one order, named as the order is; incomplete while the order's record says more."""
    order = account.orders.get(int(exchange_order_id) if exchange_order_id.isdecimal() else 0)
    if order is None:
        return FillsPage((), complete=False)
    now_ms = site.now_ms() - terms.stale_ms
    shown = [fill for fill in order.fills if fill.at_ms <= now_ms]
    if terms.fills is not None:
        shown = shown[: terms.fills]
    reports = tuple(fill_report(fill, names_client_id=True) for fill in shown)
    return FillsPage(reports, complete=len(shown) == len(order.fills))


def positions(site: "SimSite", account: Account, terms: Terms) -> list[PositionReport]:
    """Open positions; from a stale replica, those of a while ago."""
    now_ms = site.now_ms()
    if not terms.stale_ms:
        held = {key: position.quantity for key, position in account.positions.items()}
    else:
        held = positions_at(account.fills, now_ms - terms.stale_ms)
    return [
        replace(position_report(site.exchange, account, account.position(symbol, leg)), quantity=quantity)
        for (symbol, leg), quantity in held.items()
        if quantity
    ]


def _window_ms(site: "SimSite", symbol: str) -> int:
    return round(site.manner.fills_window[market_type_of(symbol)].total_seconds() * 1000)


def _is_forgotten(site: "SimSite", order: SimOrder) -> bool:
    """Whether the venue no longer shows an order that ended without a fill."""
    kept = TRAITS[site.name].unfilled_kept.get(order.market_type)
    if kept is None or order.is_open or order.filled or order.child_id is not None:
        return False
    return order.updated_ms + kept.total_seconds() * 1000 < site.now_ms()


def _kept(site: "SimSite", fills: Iterable[SimFill], symbol: str) -> Iterator[SimFill]:
    kept = TRAITS[site.name].fills_kept.get(market_type_of(symbol))
    oldest_ms = 0 if kept is None else site.now_ms() - round(kept.total_seconds() * 1000)
    return (fill for fill in fills if fill.symbol == symbol and fill.at_ms >= oldest_ms)


def _whole_trades(fills: list[SimFill], size: int) -> list[SimFill]:
    page = fills[:size]
    for fill in fills[size:]:
        if fill.trade_id != page[-1].trade_id:
            break
        page.append(fill)
    return page
