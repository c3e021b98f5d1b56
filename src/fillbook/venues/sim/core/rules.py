"""The checks that an order must pass before it touches anything: one rule a line, first failure wins."""

from decimal import Decimal

from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType
from fillbook.orders.core.order import OrderType
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused

_MAX_PRICE_TICKS = Decimal(10) ** 9


def check_rules(market: Market, new: NewOrder) -> None:
    """Raises `Refused` when the order breaks a trading rule of its symbol."""
    instrument = market.listing.instrument
    for price in (new.price, new.stop_price):
        if price is not None:
            check_price(market, price)
    if new.close_position:
        return
    if new.quote_quantity is not None:
        if new.quote_quantity <= 0:
            raise Refused(Refusal.QUANTITY_ZERO)
        if new.quote_quantity < instrument.min_notional:
            raise Refused(Refusal.MIN_NOTIONAL)
        return
    check_quantity(market, new.quantity, is_market=not new.order_type.has_price)
    reference = new.price or new.stop_price or market.price
    exempt = market.listing.market_type is MarketType.FUTURES and new.reduce_only
    if not exempt and new.quantity * reference < instrument.min_notional:
        raise Refused(Refusal.MIN_NOTIONAL)


def check_price(market: Market, price: Decimal) -> None:
    tick = market.listing.instrument.tick
    if price <= 0 or price > tick * _MAX_PRICE_TICKS:
        raise Refused(Refusal.PRICE_RANGE)
    if price % tick:
        raise Refused(Refusal.PRICE_TICK)


def check_quantity(market: Market, quantity: Decimal, *, is_market: bool) -> None:
    instrument = market.listing.instrument
    if quantity <= ZERO:
        raise Refused(Refusal.QUANTITY_ZERO)
    largest = instrument.max_market_quantity if is_market else instrument.max_quantity
    if quantity < instrument.min_quantity or (largest is not None and quantity > largest):
        raise Refused(Refusal.QUANTITY_RANGE)
    if quantity % instrument.lot:
        raise Refused(Refusal.QUANTITY_LOT)


def is_immediate(order_type: OrderType) -> bool:
    """Market orders and stops that become one: they never rest in the book."""
    return not order_type.has_price
