"""What holds whatever accounts do: nothing is made or lost, nobody owes, and the same acts tell the same story."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from fillbook.kernel.money import EXACT
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.vocabulary import OrderEvent, Refused, TradeEvent

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
THIN = Depth(levels=3, level_quantity=Decimal("0.4"), refills=False)

acts = st.one_of(
    st.tuples(
        st.just("place"),
        st.integers(0, 1),
        st.sampled_from([SPOT, PERP]),
        st.sampled_from(list(Side)),
        st.integers(1, 3000),
        st.one_of(st.none(), st.integers(-50, 50)),
        st.sampled_from(list(TimeInForce)),
    ),
    st.tuples(
        st.just("stop"),
        st.integers(0, 1),
        st.sampled_from([SPOT, PERP]),
        st.sampled_from(list(Side)),
        st.integers(1, 3000),
        st.integers(-50, 50),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 1), st.integers(0, 20)),
    st.tuples(st.just("price"), st.sampled_from([SPOT, PERP]), st.integers(-60, 60)),
    st.tuples(st.just("fund"), st.integers(-10, 10)),
)


def _price(steps):
    return Decimal(60000) + steps * Decimal(10)


def _play(floor, script):
    for act in script:
        try:
            _do(floor, act)
        except Refused:
            continue


def _do(floor, act):
    accounts = (floor.alice, floor.bob)
    match act:
        case ("place", who, symbol, side, quantity, steps, in_force):
            price = None if steps is None else str(_price(steps))
            size = str(Decimal(quantity) / 1000)
            floor.order(accounts[who], side, size, price, symbol=symbol, time_in_force=in_force)
        case ("stop", who, symbol, side, quantity, steps):
            floor.order(
                accounts[who],
                side,
                str(Decimal(quantity) / 1000),
                symbol=symbol,
                order_type=OrderType.STOP_MARKET,
                stop_price=_price(steps),
                book=Book.NORMAL if symbol == SPOT else Book.CONDITIONAL,
            )
        case ("cancel", who, index):
            live = list(accounts[who].open_orders.values())
            if live:
                floor.exchange.cancel(accounts[who], live[index % len(live)])
        case ("price", symbol, steps):
            floor.exchange.set_price(symbol, _price(steps))
        case ("fund", rate):
            floor.exchange.fund(PERP, Decimal(rate) / 10_000)


scripts = st.lists(acts, max_size=40)


@settings(max_examples=60, deadline=None)
@given(script=scripts)
def test_no_asset_is_made_or_lost(new_floor, script):
    floor = new_floor(THIN)
    before = floor.exchange.totals()
    _play(floor, script)
    after = floor.exchange.totals()
    open_cost, open_size = Decimal(0), Decimal(0)
    for account in (floor.alice, floor.bob):
        for position in account.positions.values():
            open_cost = EXACT.add(open_cost, position.cost)
            open_size = EXACT.add(open_size, position.quantity)
    assert after["BTC"] == before["BTC"]
    assert EXACT.subtract(after["USDT"], open_cost) == before["USDT"]
    assert EXACT.add(after.get(PERP, Decimal(0)), open_size) == 0


@settings(max_examples=60, deadline=None)
@given(script=scripts)
def test_nobody_owes_and_every_lock_belongs_to_an_open_order(new_floor, script):
    floor = new_floor(THIN)
    _play(floor, script)
    for account in (floor.alice, floor.bob):
        locked = {}
        for order in account.open_orders.values():
            assert order.is_open
            if order.symbol == SPOT:
                asset = "USDT" if order.side is Side.BUY else "BTC"
                locked[asset] = locked.get(asset, Decimal(0)) + order.locked
        for asset, purse in account.spot.items():
            assert purse.free >= 0
            assert purse.locked == locked.get(asset, 0)
        reserved = sum(o.locked for o in account.open_orders.values() if o.symbol == PERP)
        assert account.reserved.get("USDT", Decimal(0)) == reserved
        assert account.wallet["USDT"] >= 0


@settings(max_examples=60, deadline=None)
@given(script=scripts)
def test_an_order_has_filled_what_its_fills_say(new_floor, script):
    floor = new_floor(THIN)
    _play(floor, script)
    for order in floor.exchange.orders.values():
        assert order.filled == sum((fill.quantity for fill in order.fills), Decimal(0))
        assert order.cost == sum((fill.quantity * fill.price for fill in order.fills), Decimal(0))
        assert order.filled <= order.quantity


@settings(max_examples=60, deadline=None)
@given(script=scripts)
def test_the_book_is_never_crossed(new_floor, script):
    floor = new_floor(THIN)
    _play(floor, script)
    for market in floor.exchange.markets.values():
        bid, ask = market.book.resting[Side.BUY].best(), market.book.resting[Side.SELL].best()
        assert bid is None or ask is None or bid.price < ask.price


@settings(max_examples=30, deadline=None)
@given(script=scripts)
def test_the_same_acts_tell_the_same_story(new_floor, script):
    stories = []
    for _ in range(2):
        floor = new_floor(THIN)
        _play(floor, script)
        stories.append([_told(event) for event in floor.events])
    assert stories[0] == stories[1]


def _told(event):
    if isinstance(event, OrderEvent):
        return (event.execution, event.order.order_id, event.order.status, event.fill)
    if isinstance(event, TradeEvent):
        return event
    return repr(event)
