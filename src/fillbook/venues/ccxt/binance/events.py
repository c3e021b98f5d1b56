"""Binance's private stream messages as our reports. Pure.

An execution yields its fill before its order's state, so that the order never seems to have filled more than
its fills. TRADE_LITE is left alone: ORDER_TRADE_UPDATE says the same and more. ACCOUNT_UPDATE names wallet
balances without what is free, which a balance report must not guess: positions are taken from it, balances not.
"""

from collections.abc import Mapping
from typing import Any

from fillbook.accounts.core import BalanceReport, PositionReport
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.binance.reports import triggered_order_id
from fillbook.venues.ccxt.binance.words import (
    MARGIN_MODES,
    algo_status_of,
    fill_kind_of,
    order_type_of,
    position_side_of,
    side_of,
    status_of,
    time_in_force_of,
)
from fillbook.venues.ccxt.values import amount, fill_id, moment, positive

Raw = Mapping[str, Any]
_EXECUTIONS = frozenset({"TRADE", "CALCULATED"})
_NO_CLIENT_ID = frozenset({"", "null"})


def spot_execution(message: Raw, symbol: str) -> list[FillReport | OrderReport]:
    """An `executionReport`: the fill, if it is one, then the order."""
    original = message.get("C")
    client_id = message["c"] if original is None or original in _NO_CLIENT_ID else original
    quantity, filled = amount(message["q"]), amount(message["z"])
    venue_type = message["o"]
    order = OrderReport(
        symbol=symbol,
        exchange_order_id=str(message["i"]),
        client_order_id=client_id,
        book=Book.NORMAL,
        side=side_of(message["S"]),
        order_type=order_type_of(venue_type, MarketType.SPOT),
        status=status_of(message["X"], quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        cost=amount(message["Z"]) if "Z" in message else None,
        price=positive(message.get("p")),
        stop_price=positive(message.get("P")),
        time_in_force=time_in_force_of(message.get("f"), venue_type),
        reduce_only=False,
        position_side=position_side_of(None),
        exchange_at=moment(message["T"]),
        raw=message,
    )
    fill = _fill(message, message, order, venue_type)
    return [order] if fill is None else [fill, order]


def futures_execution(message: Raw, symbol: str) -> list[FillReport | OrderReport]:
    """An `ORDER_TRADE_UPDATE`: the fill, if it is one (forced ones too), then the order.

    Its average price is rounded, so it states no cost: the fills do.
    """
    body = message["o"]
    quantity, filled = amount(body["q"]), amount(body["z"])
    venue_type = body.get("ot") or body["o"]
    order = OrderReport(
        symbol=symbol,
        exchange_order_id=str(body["i"]),
        client_order_id=body["c"],
        book=Book.NORMAL,
        side=side_of(body["S"]),
        order_type=order_type_of(venue_type, MarketType.FUTURES),
        status=status_of(body["X"], quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        cost=None if filled else filled,
        price=positive(body.get("p")),
        stop_price=positive(body.get("sp")),
        time_in_force=time_in_force_of(body.get("f"), venue_type),
        reduce_only=bool(body.get("R", False)),
        position_side=position_side_of(body.get("ps")),
        exchange_at=moment(body["T"]),
        raw=message,
    )
    fill = _fill(body, message, order, body["o"])
    return [order] if fill is None else [fill, order]


def algo_update(message: Raw, symbol: str) -> OrderReport:
    """An `ALGO_UPDATE`: a conditional order, with the order that it triggered once there is one."""
    body = message["o"]
    quantity, filled = amount(body["q"]), amount(body.get("aq"))
    return OrderReport(
        symbol=symbol,
        exchange_order_id=str(body["aid"]),
        client_order_id=body.get("caid"),
        book=Book.CONDITIONAL,
        side=side_of(body["S"]),
        order_type=order_type_of(body["o"], MarketType.FUTURES),
        status=algo_status_of(body["X"], quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        cost=None,
        price=positive(body.get("p")),
        stop_price=positive(body.get("tp")),
        time_in_force=time_in_force_of(body.get("f"), body["o"]),
        reduce_only=bool(body.get("R", False)),
        position_side=position_side_of(body.get("ps")),
        exchange_at=moment(message["T"]),
        triggered_order_id=triggered_order_id(body.get("ai")),
        raw=message,
    )


def spot_balances(message: Raw) -> list[BalanceReport]:
    """An `outboundAccountPosition`: the assets that may have changed, zero included."""
    at = moment(message.get("u") or message["E"])
    return [
        BalanceReport(MarketType.SPOT, part["a"], amount(part["f"]), amount(part["l"]), at)
        for part in message["B"]
    ]


def position_update(part: Raw, at_ms: Any, symbol: str) -> PositionReport:
    """A row of `ACCOUNT_UPDATE`'s positions; quantity zero says that it is closed."""
    return PositionReport(
        symbol=symbol,
        position_side=position_side_of(part.get("ps")),
        quantity=amount(part["pa"]),
        entry_price=amount(part["ep"]),
        mark_price=None,
        unrealized_pnl=amount(part.get("up")),
        liquidation_price=None,
        leverage=None,
        margin_mode=MARGIN_MODES[part["mt"].upper()] if part.get("mt") else None,
        at=moment(at_ms),
    )


def _fill(body: Raw, message: Raw, order: OrderReport, venue_type: str) -> FillReport | None:
    """The execution in an update, if there is one: spot and futures spell it alike."""
    quantity = amount(body["l"])
    if body["x"] not in _EXECUTIONS or not quantity:
        return None
    realized = body.get("rp")
    return FillReport(
        symbol=order.symbol,
        exchange_order_id=order.exchange_order_id,
        client_order_id=order.client_order_id,
        venue_fill_id=fill_id(body.get("t"), order.exchange_order_id, order.filled_quantity),
        side=order.side,
        position_side=order.position_side,
        price=amount(body["L"]),
        quantity=quantity,
        fee=amount(body.get("n")),
        fee_asset=body.get("N") or None,
        liquidity=Liquidity.MAKER if body["m"] else Liquidity.TAKER,
        kind=fill_kind_of(order.client_order_id or "", venue_type),
        exchange_at=order.exchange_at,
        venue_realized_pnl=None if realized is None else amount(realized),
        raw=message,
    )
