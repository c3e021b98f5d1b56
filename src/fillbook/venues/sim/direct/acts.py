"""What a request does at the exchange, in its venue's manner. Raises `Refused` when nothing is done."""

from decimal import Decimal
from typing import TYPE_CHECKING

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.market.core import MarketType, market_type_of
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, TimeInForce
from fillbook.orders.core.outcomes import Acknowledged, CancelAccepted
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.venues.sim.core import modes
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused
from fillbook.venues.sim.direct.reads import order_of
from fillbook.venues.sim.direct.reports import fill_report, order_report

if TYPE_CHECKING:
    from fillbook.venues.sim.direct.site import SimSite


def place(site: "SimSite", account: Account, request: OrderRequest) -> Acknowledged:
    market_type = market_type_of(request.symbol)
    book = TRAITS[site.name].book_of(market_type, request.order_type)
    if not site.manner.reuses_client_ids:
        for known in Book:
            if (request.symbol, known, request.client_order_id) in account.by_client_id:
                raise Refused(Refusal.DUPLICATE_CLIENT_ID)
    # Spot has no positions to reduce; in hedge mode the leg says what an order closes.
    names_leg = request.position_side is not PositionSide.NET
    order = site.exchange.place(
        account,
        NewOrder(
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            quantity=request.quantity,
            price=request.price,
            stop_price=request.stop_price,
            time_in_force=request.time_in_force or TimeInForce.GTC,
            client_order_id=request.client_order_id,
            reduce_only=request.reduce_only and market_type is MarketType.FUTURES and not names_leg,
            position_side=request.position_side,
            book=book,
        ),
    )
    fills = order.fills if market_type is MarketType.SPOT else ()
    return Acknowledged(
        order_report(order, account), tuple(fill_report(fill, names_client_id=True) for fill in fills)
    )


def amend(site: "SimSite", account: Account, ref: OrderRef, request: OrderRequest) -> Acknowledged:
    order = order_of(site, account, ref)
    if request.price is None:
        raise Refused(Refusal.NOTHING_TO_AMEND)
    if market_type_of(ref.symbol) in TRAITS[site.name].amends:
        site.exchange.amend(account, order, request.quantity, request.price)
        return Acknowledged(order_report(order, account))
    site.exchange.cancel(account, order)
    return place(site, account, request)


def cancel(site: "SimSite", account: Account, ref: OrderRef) -> CancelAccepted:
    """Of a conditional order that has triggered, the order that came of it."""
    order = order_of(site, account, ref)
    if order.child_id is not None:
        site.exchange.cancel(account, site.exchange.orders[order.child_id])
    else:
        site.exchange.cancel(account, order)
    return CancelAccepted(str(order.order_id))


def cancel_all(site: "SimSite", account: Account, symbol: str, book: Book) -> CancelAccepted:
    site.exchange.market(symbol)
    site.exchange.cancel_all(account, symbol, book)
    return CancelAccepted(None)


def set_leverage(site: "SimSite", account: Account, symbol: str, leverage: Decimal) -> None:
    exchange = site.exchange
    modes.set_leverage(account, exchange.market(symbol), leverage, exchange.markets)


def set_margin_mode(site: "SimSite", account: Account, symbol: str, mode: MarginMode) -> None:
    modes.set_margin_mode(account, site.exchange.market(symbol), mode)


def set_position_mode(account: Account, mode: PositionMode) -> None:
    modes.set_position_mode(account, mode)
