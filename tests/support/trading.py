"""Small makers of what the trading cores work on; every argument that a test does not name has a plain value."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account, Environment, PositionMode, PositionSide, TradingState
from fillbook.ledger.core.fill import Fill, FillKind, FillReport
from fillbook.market.core import Instrument, MarketType, Price, Side, VenueName, market_type_of
from fillbook.orders.core.order import Book, Order, OrderStatus, OrderType, Owner, TimeInForce
from fillbook.orders.core.reports import OrderReport
from fillbook.risk.core import RESERVED, Capital
from fillbook.trading.core.wishes import LinkTerms, PlanContext

PERP = "BTC/USDT:USDT"
SPOT = "BTC/USDT"
SENT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


def an_instrument(symbol: str = PERP, **changes: Any) -> Instrument:
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    given = {
        "tick": Decimal("0.1"),
        "lot": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional": Decimal(5),
        **changes,
    }
    return Instrument(
        VenueName.BINANCE, symbol, market_type_of(symbol), base, quote, settle or quote, **given
    )


def an_account(**changes: Any) -> Account:
    given: dict[str, Any] = {
        "id": 1,
        "uid": "u1",
        "user_id": 7,
        "name": "main",
        "exchange": VenueName.BINANCE,
        "environment": Environment.DEMO,
        "market_types": (MarketType.SPOT, MarketType.FUTURES),
        "position_mode": PositionMode.ONE_WAY,
        "trading_state": TradingState.ACTIVE,
        "trading_state_reason": None,
        "is_active": True,
        **changes,
    }
    return Account(**given)


def a_link(**changes: Any) -> LinkTerms:
    given: dict[str, Any] = {
        "strategy_account_id": 3,
        "leverage": Decimal(2),
        "max_symbols": 5,
        "max_qty_per": Decimal(100),
        "max_positions": 5,
        "is_active": True,
        "strategy_is_active": True,
        **changes,
    }
    return LinkTerms(**given)


def capital_of(total: str | Decimal, used: str | Decimal = "0", reserved: str | Decimal = "0") -> Capital:
    return Capital("USDT", Decimal(total), Decimal(used), Decimal(reserved))


def a_context(symbol: str = PERP, **changes: Any) -> PlanContext:
    """An empty link with 1000 USDT at leverage 2, and a price of 50000."""
    given: dict[str, Any] = {
        "account": an_account(),
        "link": a_link(),
        "capital": capital_of("1000"),
        "instrument": an_instrument(symbol),
        "price": Price(symbol, Decimal(50000), SENT),
        **changes,
    }
    return PlanContext(symbol=symbol, **given)


def an_order(**changes: Any) -> Order:
    """A limit buy of 1 at 100 that holds 100 of capital, written down and not yet answered."""
    given: dict[str, Any] = {
        "id": 1,
        "user_id": 7,
        "account_id": 1,
        "strategy_account_id": 3,
        "signal_id": 5,
        "leg": "1",
        "attempt": 1,
        "client_order_id": "fbtest",
        "exchange_order_id": None,
        "book": Book.NORMAL,
        "symbol": PERP,
        "market_type": MarketType.FUTURES,
        "side": Side.BUY,
        "position_side": PositionSide.NET,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "quantity": Decimal(1),
        "price": Decimal(100),
        "stop_price": None,
        "status": OrderStatus.PENDING_NEW,
        "owner": Owner.OURS,
        "created_at": SENT,
        "currency": "USDT",
        "reserved": Decimal(100),
        "sizing": ({"op": "", "label": RESERVED, "value": "100"},),
        **changes,
    }
    return Order(**given)


def a_report(status: OrderStatus, filled: str = "0", **changes: Any) -> OrderReport:
    given: dict[str, Any] = {
        "symbol": PERP,
        "exchange_order_id": "900",
        "client_order_id": "fbtest",
        "book": Book.NORMAL,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "status": status,
        "quantity": Decimal(1),
        "filled_quantity": Decimal(filled),
        "cost": None,
        "price": Decimal(100),
        "stop_price": None,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "position_side": PositionSide.NET,
        "exchange_at": after(1),
        **changes,
    }
    return OrderReport(**given)


def a_fill(quantity: str, number: int = 1, **changes: Any) -> Fill:
    given: dict[str, Any] = {
        "id": number,
        "account_id": 1,
        "symbol": PERP,
        "exchange_order_id": "900",
        "venue_fill_id": str(number),
        "side": Side.BUY,
        "position_side": PositionSide.NET,
        "price": Decimal(100),
        "quantity": Decimal(quantity),
        "cost": Decimal(quantity) * 100,
        "market_type": MarketType.FUTURES,
        "exchange_at": after(1),
        "order_id": 1,
        **changes,
    }
    return Fill(**given)


def a_fill_report(quantity: str = "1", venue_fill_id: str = "1", **changes: Any) -> FillReport:
    given: dict[str, Any] = {
        "symbol": PERP,
        "exchange_order_id": "900",
        "client_order_id": None,
        "venue_fill_id": venue_fill_id,
        "side": Side.BUY,
        "position_side": PositionSide.NET,
        "price": Decimal(100),
        "quantity": Decimal(quantity),
        "fee": Decimal(0),
        "fee_asset": "USDT",
        "liquidity": None,
        "kind": FillKind.TRADE,
        "exchange_at": after(1),
        **changes,
    }
    return FillReport(**given)
