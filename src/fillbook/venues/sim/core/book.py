"""One symbol's resting orders in price-time priority, and the synthetic market maker's quotes beside them.

Prices are kept sorted, orders of one price in the order of arrival. The market maker quotes a ladder around
the reference price; at an equal price its quotes come after every account's orders.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from fillbook.kernel.money import ZERO, ceil_to, divide, floor_to
from fillbook.market.core import Side
from fillbook.venues.sim.core.vocabulary import SimOrder


@dataclass(frozen=True, slots=True)
class Depth:
    """The market maker's shape: `levels` quotes a side, the first `half_spread_ticks` away from the price,
    the rest `step_ticks` apart, each worth `level_notional` of quote, or of `level_quantity` when that is
    given. With `refills` a level that was taken is quoted again after each order; without, only when the price
    is set."""

    levels: int = 20
    half_spread_ticks: int = 1
    step_ticks: int = 1
    level_notional: Decimal = Decimal(1_000_000)
    level_quantity: Decimal | None = None
    refills: bool = True


@dataclass(slots=True)
class Quote:
    price: Decimal
    quantity: Decimal


class MakerQuotes:
    """The ladder of both sides, best first."""

    def __init__(self, tick: Decimal, lot: Decimal, depth: Depth) -> None:
        self._tick = tick
        self._lot = lot
        self._full_quantity = ZERO
        self._is_touched = False
        self.depth = depth
        self.quotes: dict[Side, list[Quote]] = {Side.BUY: [], Side.SELL: []}
        self._used_up: dict[Side, list[Quote]] = {Side.BUY: [], Side.SELL: []}

    def requote(self, price: Decimal) -> None:
        """Quote anew around a price that is not necessarily on the tick."""
        self._is_touched = False
        depth, tick = self.depth, self._tick
        bid = floor_to(price, tick) - tick * depth.half_spread_ticks
        ask = ceil_to(price, tick) + tick * depth.half_spread_ticks
        step = tick * depth.step_ticks
        quantity = depth.level_quantity
        if quantity is None:
            quantity = max(floor_to(divide(depth.level_notional, price), self._lot), self._lot)
        self._full_quantity = quantity
        for used_up in self._used_up.values():
            used_up.clear()
        self.quotes[Side.BUY] = [
            Quote(bid - step * n, quantity) for n in range(depth.levels) if bid - step * n > 0
        ]
        self.quotes[Side.SELL] = [Quote(ask + step * n, quantity) for n in range(depth.levels)]

    def take(self, side: Side, quantity: Decimal) -> None:
        """Consume from the best quotes of a side."""
        quotes, used_up = self.quotes[side], self._used_up[side]
        self._is_touched = True
        while quantity > 0 and quotes:
            best = quotes[0]
            taken = min(quantity, best.quantity)
            best.quantity -= taken
            quantity -= taken
            if not best.quantity:
                used_up.append(quotes.pop(0))

    def refill(self) -> None:
        """Quote again what was taken, where the shape says so."""
        if not self._is_touched or not self.depth.refills:
            return
        self._is_touched = False
        for side, quotes in self.quotes.items():
            used_up = self._used_up[side]
            touched = len(used_up) + 1
            quotes[:0] = used_up
            used_up.clear()
            for quote in quotes[:touched]:
                quote.quantity = self._full_quantity


class RestingOrders:
    """One side of the book. The best price is the highest bid or the lowest ask."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._prices: list[Decimal] = []  # ascending
        self._levels: dict[Decimal, dict[int, SimOrder]] = {}

    def __bool__(self) -> bool:
        return bool(self._prices)

    def add(self, order: SimOrder) -> None:
        assert order.price is not None
        level = self._levels.get(order.price)
        if level is None:
            insort(self._prices, order.price)
            self._levels[order.price] = {order.order_id: order}
        else:
            level[order.order_id] = order

    def remove(self, order: SimOrder) -> None:
        """Take an order out; one that is not in the book is a fault of the caller."""
        assert order.price is not None
        level = self._levels[order.price]
        del level[order.order_id]
        if not level:
            del self._levels[order.price]
            del self._prices[bisect_left(self._prices, order.price)]

    def __contains__(self, order: SimOrder) -> bool:
        return order.price is not None and order.order_id in self._levels.get(order.price, {})

    def best(self) -> SimOrder | None:
        if not self._prices:
            return None
        price = self._prices[-1] if self._side is Side.BUY else self._prices[0]
        return next(iter(self._levels[price].values()))

    def in_priority(self) -> Iterator[SimOrder]:
        prices = reversed(self._prices) if self._side is Side.BUY else iter(self._prices)
        for price in prices:
            yield from self._levels[price].values()


def is_better_or_equal(side: Side, price: Decimal, than: Decimal) -> bool:
    """Whether a resting order of `side` at `price` comes before (or with) one at `than`."""
    return price >= than if side is Side.BUY else price <= than


def crosses(taker_side: Side, limit: Decimal | None, resting_price: Decimal) -> bool:
    """Whether a taker with this limit (None: market) would trade at the resting price."""
    if limit is None:
        return True
    return limit >= resting_price if taker_side is Side.BUY else limit <= resting_price


class OrderBook:
    def __init__(self, tick: Decimal, lot: Decimal, depth: Depth) -> None:
        self.resting: dict[Side, RestingOrders] = {side: RestingOrders(side) for side in Side}
        self.maker = MakerQuotes(tick, lot, depth)

    def best_price(self, side: Side) -> Decimal | None:
        """The best resting price of a side, the market maker's included."""
        order = self.resting[side].best()
        quotes = self.maker.quotes[side]
        if order is None or order.price is None:
            return quotes[0].price if quotes else None
        if quotes and not is_better_or_equal(side, order.price, quotes[0].price):
            return quotes[0].price
        return order.price

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """(price, quantity) from the best on; one price may come more than once."""
        quotes = iter(self.maker.quotes[side])
        quote = next(quotes, None)
        for order in self.resting[side].in_priority():
            assert order.price is not None
            while quote is not None and not is_better_or_equal(side, order.price, quote.price):
                yield quote.price, quote.quantity
                quote = next(quotes, None)
            yield order.price, order.remaining
        while quote is not None:
            yield quote.price, quote.quantity
            quote = next(quotes, None)

    def depth(self, side: Side, limit: int) -> list[tuple[Decimal, Decimal]]:
        """At most `limit` price levels, each price once."""
        merged: list[tuple[Decimal, Decimal]] = []
        for price, quantity in self.levels(side):
            if merged and merged[-1][0] == price:
                merged[-1] = (price, merged[-1][1] + quantity)
            elif len(merged) == limit:
                break
            else:
                merged.append((price, quantity))
        return merged

    def walk(self, taker_side: Side, quantity: Decimal, limit: Decimal | None) -> tuple[Decimal, Decimal]:
        """(quantity, cost) that a taker could trade now, up to the quantity and within its limit."""
        found, cost = ZERO, ZERO
        for price, available in self.levels(taker_side.opposite):
            if found >= quantity or not crosses(taker_side, limit, price):
                break
            part = min(available, quantity - found)
            found += part
            cost += part * price
        return found, cost
