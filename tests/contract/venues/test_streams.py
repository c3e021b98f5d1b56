import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from fillbook.accounts.core import BalanceReport, PositionReport
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, market_type_of
from fillbook.orders.core.order import OrderStatus, OrderType
from fillbook.orders.core.reports import FillReport, OrderReport, StreamChange, StreamState

PERP = "BTC/USDT:USDT"
CONNECTED, DISCONNECTED = StreamState.CONNECTED, StreamState.DISCONNECTED


class Listener:
    """Reads a stream until something has been said."""

    def __init__(self, stream):
        self._stream = stream
        self.seen = []

    async def until(self, said):
        async with asyncio.timeout(10):
            while not said(self.seen):
                self.seen.append(await anext(self._stream))
        return self.seen

    def changes(self):
        return [(event.state, event.reason) for event in self.seen if isinstance(event, StreamChange)]

    def of(self, kind):
        return [event for event in self.seen if isinstance(event, kind)]


@asynccontextmanager
async def listening(desk):
    stream = desk.venue.stream()
    listener = Listener(stream)
    wanted = {(CONNECTED, feed) for feed in desk.wire.feeds}
    try:
        await listener.until(lambda _: wanted <= set(listener.changes()))
        yield listener
    finally:
        await stream.aclose()


def has_order(client_order_id, status):
    return lambda seen: any(
        isinstance(event, OrderReport) and event.client_order_id == client_order_id and event.status is status
        for event in seen
    )


async def test_each_feed_says_that_it_is_connected_before_anything_else(desk):
    async with listening(desk) as listener:
        assert sorted(listener.changes()) == [(CONNECTED, feed) for feed in sorted(desk.wire.feeds)]
        names = {event.feed for event in listener.seen if isinstance(event, StreamChange)}
        assert names == desk.wire.feeds


async def test_an_order_and_its_fills_arrive_fill_first_and_as_rest_tells_them(desk, symbol, new_order):
    async with listening(desk) as listener:
        request = new_order(symbol, order_type=OrderType.MARKET)
        await desk.venue.place(request)
        await listener.until(has_order(request.client_order_id, OrderStatus.FILLED))
        fills = listener.of(FillReport)
        assert sum(fill.quantity for fill in fills) == request.quantity
        assert {fill.client_order_id for fill in fills} == {request.client_order_id}
        page = await desk.venue.fills_since(symbol, fills[0].exchange_at)

    def essence(fill):
        return (
            fill.symbol, fill.exchange_order_id, fill.venue_fill_id, fill.side, fill.position_side, fill.price,
            fill.quantity, fill.fee, fill.fee_asset, fill.liquidity, fill.exchange_at,
        )  # fmt: skip

    assert [essence(fill) for fill in fills] == [essence(fill) for fill in page.fills]
    first_filled = next(
        index for index, event in enumerate(listener.seen)
        if isinstance(event, OrderReport) and event.filled_quantity
    )  # fmt: skip
    assert any(isinstance(event, FillReport) for event in listener.seen[:first_filled])


async def test_no_fill_of_a_burst_is_lost_while_nobody_listens(desk, new_order):
    async with listening(desk) as listener:
        for _ in range(40):
            await desk.venue.place(
                new_order("BTC/USDT", order_type=OrderType.MARKET, quantity=Decimal("0.001"))
            )
        expected = {desk.wire.fill_id(fill) for fill in desk.account.fills}
        await listener.until(
            lambda seen: expected <= {event.venue_fill_id for event in seen if isinstance(event, FillReport)}
        )
        assert len(listener.of(FillReport)) == len(expected)


async def test_a_cancel_is_told_under_our_client_id(desk, symbol):
    async with listening(desk) as listener:
        ref = await desk.rest(symbol)
        await desk.venue.cancel(ref)
        await listener.until(has_order(ref.client_order_id, OrderStatus.CANCELED))


async def test_conditional_orders_are_told_from_placing_to_the_fill_they_cause(desk, symbol, new_stop):
    async with listening(desk) as listener:
        request = new_stop(symbol)
        await desk.venue.place(request)
        desk.trigger(request)
        book = desk.ref(request).book

        def finished(seen):
            return any(
                isinstance(event, OrderReport) and event.book is book and event.status is OrderStatus.FILLED
                for event in seen
            )

        await listener.until(finished)
        told = [event for event in listener.of(OrderReport) if event.book is book]
        assert told[0].status is OrderStatus.NEW
        assert told[-1].client_order_id == request.client_order_id
        (fill,) = listener.of(FillReport)
        assert fill.exchange_order_id == (told[-1].triggered_order_id or told[-1].exchange_order_id)


async def test_balances_and_positions_are_told(desk, new_order):
    async with listening(desk) as listener:
        await desk.venue.place(new_order("BTC/USDT", order_type=OrderType.MARKET))
        await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET))
        await listener.until(
            lambda seen: (
                any(isinstance(event, PositionReport) for event in seen)
                and any(isinstance(event, BalanceReport) and event.asset == "BTC" for event in seen)
            )
        )
        assert listener.of(PositionReport)[-1].quantity == Decimal("0.01")


async def test_a_liquidation_is_a_fill_of_its_kind(desk, new_order):
    await desk.venue.set_leverage(PERP, Decimal(100))
    await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET, quantity=Decimal(100)))
    async with listening(desk) as listener:
        desk.exchange.set_price(PERP, Decimal(40_000))
        await listener.until(
            lambda seen: any(
                isinstance(event, FillReport) and event.kind is FillKind.LIQUIDATION for event in seen
            )
        )


async def test_a_lost_connection_is_told_and_followed_by_a_new_one(desk):
    async with listening(desk) as listener:
        desk.fault("disconnect")
        feeds = desk.wire.feeds
        await listener.until(
            lambda seen: len([e for e in seen if isinstance(e, StreamChange)]) >= 3 * len(feeds)
        )
        lost = {reason.split(":")[0] for state, reason in listener.changes() if state is DISCONNECTED}
        assert lost == feeds
        assert len([state for state, _ in listener.changes() if state is CONNECTED]) == 2 * len(feeds)


@pytest.mark.wire
async def test_an_expired_listen_key_is_a_loss_and_the_next_key_works(desk, new_order):
    if not desk.wire.has_listen_keys:
        return
    async with listening(desk) as listener:
        desk.fault("expire_listen_key")
        await listener.until(lambda seen: listener.changes().count((CONNECTED, "futures")) == 2)
        request = new_order(PERP)
        await desk.venue.place(request)
        await listener.until(has_order(request.client_order_id, OrderStatus.NEW))


async def test_a_key_that_is_refused_is_told_by_the_stream(desk):
    refused = desk.credentials(secret="wrong" * 12)
    stream = desk.open(refused, market_types=(MarketType.SPOT,)).stream()
    change = await anext(stream)
    await stream.aclose()
    assert change.state is DISCONNECTED
    assert "refused" in change.reason


@pytest.mark.parametrize("symbols", [["BTC/USDT"], [PERP], ["BTC/USDT", PERP, "ETH/USDT"]])
async def test_prices_arrive_by_stream(desk, symbols):
    prices = desk.venue.prices(symbols)
    newest = {}

    async def move():
        step = 0
        while True:
            step += 1
            for each in symbols:
                base = 3_000 if each.startswith("ETH") else 60_000
                desk.exchange.set_price(each, Decimal(base + step))
            await asyncio.sleep(0.05)

    mover = asyncio.create_task(move())
    try:
        async with asyncio.timeout(10):
            async for price in prices:
                newest[price.symbol] = price.last
                if newest.keys() == set(symbols):
                    break
    finally:
        mover.cancel()
        await prices.aclose()
    assert {market_type_of(each) for each in newest} == {market_type_of(each) for each in symbols}
