"""What holds of every plan, whatever came before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, is_multiple
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.market.core import Price, Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.core.plan import plan
from fillbook.trading.core.wishes import Holding, LiveOrder, OrderIntent, OrderWish, PlanContext
from support.trading import PERP, SENT, SPOT, a_context, a_link, an_instrument, capital_of

D = Decimal
sides = st.sampled_from(list(Side))
quantities = st.integers(1, 400).map(lambda lots: lots * D("0.001"))
prices = st.decimals("10000", "90000", places=3)


any_percent = st.integers(-120, 250).filter(lambda percent: percent != 0).map(Decimal)


@st.composite
def wishes(draw: st.DrawFn, percent: st.SearchStrategy[Decimal] = any_percent) -> OrderWish:
    order_type = draw(st.sampled_from(list(OrderType)))
    return OrderWish(
        order_type,
        draw(sides),
        draw(prices) if order_type.has_price else None,
        draw(prices) if order_type.has_stop_price else None,
        draw(percent),
    )


def live(side: Side, remaining: Decimal, symbol: str = PERP) -> LiveOrder:
    return LiveOrder(symbol, side, PositionSide.NET, remaining, reduces=False)


@given(
    st.sampled_from([PERP, SPOT]),
    st.sampled_from([Side.BUY, Side.SELL]),
    quantities,
    st.lists(st.tuples(sides, quantities), max_size=5),
    wishes(st.integers(-150, -1).map(Decimal)),
)
def test_a_close_is_never_more_than_what_is_held_less_what_is_being_closed(
    symbol: str, side: Side, quantity: Decimal, orders: list[tuple[Side, Decimal]], wish: OrderWish
) -> None:
    side = Side.BUY if symbol == SPOT else side
    context = a_context(
        symbol,
        holdings=(Holding(symbol, PositionSide.NET, side.sign * quantity),),
        live_orders=tuple(live(one, remaining, symbol) for one, remaining in orders),
    )
    intent = plan(wish, context, TradeSource.WEBHOOK)
    if isinstance(intent, OrderIntent):
        closing = sum((remaining for one, remaining in orders if one is not side), ZERO)
        assert intent.side is side.opposite
        assert ZERO < intent.quantity <= quantity - closing
        assert intent.reserved == 0


@given(st.lists(wishes(), min_size=2, max_size=6), quantities)
def test_any_number_of_closes_together_never_close_more_than_is_held(
    orders: list[OrderWish], quantity: Decimal
) -> None:
    context = a_context(holdings=(Holding(PERP, PositionSide.NET, quantity),))
    closed = ZERO
    for wish in orders:
        intent = plan(replace(wish, qty_per=D(-60)), context, TradeSource.WEBHOOK)
        if isinstance(intent, OrderIntent):
            closed += intent.quantity
            context = replace(context, live_orders=(*context.live_orders, live(intent.side, intent.quantity)))
    assert closed <= quantity


@given(wishes(), prices, st.sampled_from(["0.001", "0.004", "0.01"]), st.sampled_from(["0.1", "0.5", "5"]))
def test_a_quantity_is_on_the_lot_and_a_price_on_the_tick_and_never_worse_than_asked(
    wish: OrderWish, price: Decimal, market_lot: str, tick: str
) -> None:
    context = a_context(
        instrument=an_instrument(tick=D(tick), market_lot=D(market_lot)),
        price=Price(PERP, price, SENT),
        holdings=(Holding(PERP, PositionSide.NET, D("0.123")),),
        capital=capital_of("12345.67"),
    )
    intent = plan(wish, context, TradeSource.WEBHOOK)
    if not isinstance(intent, OrderIntent):
        return
    lot = D(market_lot) if wish.order_type is OrderType.MARKET else D("0.001")
    assert intent.quantity > 0 and is_multiple(intent.quantity, lot)
    for asked, given_price in ((wish.price, intent.price), (wish.stop_price, intent.stop_price)):
        assert (asked is None) is (given_price is None)
        if asked is not None and given_price is not None:
            assert is_multiple(given_price, D(tick))
            assert 0 <= (asked - given_price) * intent.side.sign < D(tick)


@dataclass
class Book:
    """A link whose orders may fill, wholly or partly, at any moment: reservations become use."""

    context: PlanContext
    reserved_by: list[tuple[LiveOrder, Decimal]]

    def place(self, intent: OrderIntent) -> None:
        order = LiveOrder(PERP, intent.side, intent.position_side, intent.quantity, not intent.reserved)
        self.reserved_by.append((order, intent.reserved))
        self._change(reserved=intent.reserved)

    def end(self, number: int, *, filled: bool) -> None:
        """One order in flight fills completely or is cancelled."""
        order, reserved = self.reserved_by.pop(number % len(self.reserved_by))
        self._change(reserved=-reserved)
        if filled:
            held = self.held + order.side.sign * order.remaining
            self.context = replace(self.context, holdings=(Holding(PERP, PositionSide.NET, held),))
            self._use()

    @property
    def held(self) -> Decimal:
        return sum((h.quantity for h in self.context.holdings), ZERO)

    @property
    def committed(self) -> Decimal:
        assert self.context.capital is not None
        return self.context.capital.used + self.context.capital.reserved

    def _change(self, reserved: Decimal) -> None:
        capital = self.context.capital
        assert capital is not None
        self.context = replace(
            self.context,
            capital=replace(capital, reserved=capital.reserved + reserved),
            live_orders=tuple(order for order, _ in self.reserved_by),
        )

    def _use(self) -> None:
        capital, link, price = self.context.capital, self.context.link, self.context.price
        assert capital is not None and link is not None and price is not None
        used = abs(self.held) * price.last / link.leverage
        self.context = replace(self.context, capital=replace(capital, used=used))


def _run(wanted: Sequence[OrderWish], ends: Sequence[tuple[int, bool]], max_qty_per: Decimal) -> None:
    context = a_context(link=a_link(max_qty_per=max_qty_per, leverage=D(3)))
    ceiling = D(1000) * max(max_qty_per, D(100)) / 100
    book = Book(context, [])
    for place, wish in enumerate(wanted):
        before = book.committed
        intent = plan(wish, book.context, TradeSource.WEBHOOK)
        if isinstance(intent, OrderIntent):
            book.place(intent)
            assert book.committed <= ceiling or book.committed == before
        if place < len(ends) and book.reserved_by:
            number, filled = ends[place]
            book.end(number, filled=filled)


market_orders = st.builds(
    OrderWish,
    st.just(OrderType.MARKET),
    sides,
    qty_per=any_percent,
)


@given(
    st.lists(market_orders, min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=12),
    st.sampled_from([D(30), D(100), D(170)]),
)
def test_no_intent_raises_used_and_reserved_above_the_ceiling_whatever_filled_before(
    wanted: list[OrderWish], ends: list[tuple[int, bool]], max_qty_per: Decimal
) -> None:
    _run(wanted, ends, max_qty_per)


@given(st.lists(wishes(), min_size=1, max_size=10))
def test_reservations_alone_never_rise_above_the_ceiling(wanted: list[OrderWish]) -> None:
    _run(wanted, (), D(100))
