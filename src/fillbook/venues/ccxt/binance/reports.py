"""Binance's REST answers as our reports: exact decimals from its strings, its own times.

Each function takes the raw object and our symbol for it; a missing field raises `KeyError`, a number that is
none `ValueError`, both of which mean that the answer cannot be read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fillbook.accounts.core import BalanceReport, MarginMode, PositionReport
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Price, Side, market_type_of
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import FillReport, OrderReport
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


def order_report(row: Raw, symbol: str) -> OrderReport:
    """An order of the normal book, from any answer that shows one."""
    market_type = market_type_of(symbol)
    quantity, filled = amount(row["origQty"]), amount(row["executedQty"])
    cost = row.get("cummulativeQuoteQty", row.get("cumQuote"))
    venue_type = row.get("origType") or row["type"]
    updated = row.get("updateTime") or row.get("transactTime") or row.get("time")
    return OrderReport(
        symbol=symbol,
        exchange_order_id=str(row["orderId"]),
        client_order_id=row.get("origClientOrderId") or row.get("clientOrderId"),
        book=Book.NORMAL,
        side=side_of(row["side"]),
        order_type=order_type_of(venue_type, market_type),
        status=status_of(row["status"], quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        # Binance writes a cost below zero where it has none on record.
        cost=None if cost is None or amount(cost) < 0 else amount(cost),
        price=positive(row.get("price")),
        stop_price=positive(row.get("stopPrice")),
        time_in_force=time_in_force_of(row.get("timeInForce"), venue_type),
        reduce_only=bool(row.get("reduceOnly", False)),
        position_side=position_side_of(row.get("positionSide")),
        exchange_at=moment(updated or 0),
        fills_kind=fill_kind_of(row.get("clientOrderId") or "", row.get("origType") or ""),
        raw=row,
    )


def algo_report(row: Raw, symbol: str) -> OrderReport:
    """A conditional futures order. Its fills are those of the order that it triggers."""
    quantity = amount(row["quantity"])
    venue_type = row.get("orderType") or row["type"]
    return OrderReport(
        symbol=symbol,
        exchange_order_id=str(row["algoId"]),
        client_order_id=row.get("clientAlgoId"),
        book=Book.CONDITIONAL,
        side=side_of(row["side"]),
        order_type=order_type_of(venue_type, MarketType.FUTURES),
        status=algo_status_of(row["algoStatus"], quantity, ZERO),
        quantity=quantity,
        filled_quantity=ZERO,
        cost=None,
        price=positive(row.get("price")),
        stop_price=positive(row.get("triggerPrice")),
        time_in_force=time_in_force_of(row.get("timeInForce"), venue_type),
        reduce_only=bool(row.get("reduceOnly", False)),
        position_side=position_side_of(row.get("positionSide")),
        exchange_at=moment(row.get("updateTime") or row.get("createTime") or 0),
        triggered_order_id=triggered_order_id(row.get("actualOrderId")),
        raw=row,
    )


def triggered_order_id(value: Any) -> str | None:
    return None if value in (None, "", 0, "0") else str(value)


@exact
def fills_of_answer(row: Raw, symbol: str) -> tuple[FillReport, ...]:
    """The fills in a spot order's own answer: it took them at once, so they are the taker's."""
    order_id = str(row["orderId"])
    filled = ZERO
    fills = []
    for part in row.get("fills") or ():
        quantity = amount(part["qty"])
        filled += quantity
        fills.append(
            FillReport(
                symbol=symbol,
                exchange_order_id=order_id,
                client_order_id=row.get("clientOrderId"),
                venue_fill_id=fill_id(part.get("tradeId"), order_id, filled),
                side=side_of(row["side"]),
                position_side=position_side_of(None),
                price=amount(part["price"]),
                quantity=quantity,
                fee=amount(part.get("commission")),
                fee_asset=part.get("commissionAsset") or None,
                liquidity=Liquidity.TAKER,
                kind=FillKind.TRADE,
                exchange_at=moment(row["transactTime"]),
                raw=part,
            )
        )
    return tuple(fills)


def fill_report(row: Raw, symbol: str) -> FillReport:
    """A row of `myTrades` or `userTrades`. Neither tells the client order id, nor whether it was forced."""
    is_spot = market_type_of(symbol) is MarketType.SPOT
    side = (Side.BUY if row["isBuyer"] else Side.SELL) if is_spot else side_of(row["side"])
    is_maker = row["isMaker"] if is_spot else row["maker"]
    order_id = str(row["orderId"])
    quantity = amount(row["qty"])
    return FillReport(
        symbol=symbol,
        exchange_order_id=order_id,
        client_order_id=None,
        venue_fill_id=fill_id(row["id"], order_id, quantity),
        side=side,
        position_side=position_side_of(row.get("positionSide")),
        price=amount(row["price"]),
        quantity=quantity,
        fee=amount(row.get("commission")),
        fee_asset=row.get("commissionAsset") or None,
        liquidity=Liquidity.MAKER if is_maker else Liquidity.TAKER,
        kind=FillKind.TRADE,
        exchange_at=moment(row["time"]),
        venue_realized_pnl=None if is_spot else amount(row.get("realizedPnl")),
        raw=row,
    )


def spot_balances(row: Raw, at: datetime) -> list[BalanceReport]:
    """Every asset of which there is some."""
    reports = [
        BalanceReport(MarketType.SPOT, part["asset"], amount(part["free"]), amount(part["locked"]), at)
        for part in row["balances"]
    ]
    return [report for report in reports if report.total]


@exact
def futures_balances(row: Raw, at: datetime) -> list[BalanceReport]:
    """The wallet balance of each asset, unrealised profit not counted; `free` is what may still be used of it.

    What Binance calls available counts unrealised profit and may exceed the wallet; the excess is not ours yet.
    """
    reports = []
    for part in row["assets"]:
        wallet = amount(part["walletBalance"])
        if not wallet:
            continue
        free = min(amount(part["availableBalance"]), wallet)
        reports.append(BalanceReport(MarketType.FUTURES, part["asset"], free, wallet - free, at))
    return reports


def position_report(row: Raw, symbol: str) -> PositionReport:
    """A row of `positionRisk`; version 3 tells neither leverage nor margin mode, but an isolated wallet does."""
    margin_word = row.get("marginType")
    if margin_word:
        margin_mode = MARGIN_MODES[str(margin_word).upper()]
    else:
        margin_mode = MarginMode.ISOLATED if amount(row.get("isolatedWallet")) else MarginMode.CROSS
    return PositionReport(
        symbol=symbol,
        position_side=position_side_of(row.get("positionSide")),
        quantity=amount(row["positionAmt"]),
        entry_price=amount(row["entryPrice"]),
        mark_price=positive(row.get("markPrice")),
        unrealized_pnl=amount(row.get("unRealizedProfit", row.get("unrealizedProfit"))),
        liquidation_price=positive(row.get("liquidationPrice")),
        leverage=positive(row.get("leverage")),
        margin_mode=margin_mode,
        at=moment(row.get("updateTime") or 0),
    )


def price_report(row: Raw, symbol: str) -> Price:
    """A row of `ticker/24hr`."""
    return Price(
        symbol=symbol,
        last=amount(row["lastPrice"]),
        at=moment(row["closeTime"]),
        bid=positive(row.get("bidPrice")),
        ask=positive(row.get("askPrice")),
    )
