from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.kernel.clock import SystemClock
from fillbook.market.core import Side, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.orders.core.outcomes import Acknowledged, CancelAccepted, Rejected, Unknown
from fillbook.venues.sim.core.book import Depth

PERP = "BTC/USDT:USDT"


async def test_a_resting_order_is_acknowledged_as_it_was_asked(desk, symbol, new_order):
    request = new_order(symbol)
    outcome = await desk.venue.place(request)
    assert isinstance(outcome, Acknowledged)
    report = outcome.report
    assert (report.client_order_id, report.status, report.side) == (
        request.client_order_id,
        OrderStatus.NEW,
        Side.BUY,
    )
    assert (report.quantity, report.price, report.filled_quantity) == (request.quantity, request.price, 0)
    assert [report.exchange_order_id] == [desk.wire.order_id(known) for known in desk.account.orders.values()]


async def test_a_market_order_fills_and_its_fills_add_up(desk, symbol, new_order):
    request = new_order(symbol, order_type=OrderType.MARKET)
    outcome = await desk.venue.place(request)
    found = await desk.found(request)
    assert (found.status, found.exchange_order_id) == (
        OrderStatus.FILLED,
        outcome.report.exchange_order_id,
    )
    page = await desk.venue.fills_of_order(symbol, found.exchange_order_id)
    assert page.complete
    assert sum(fill.quantity for fill in page.fills) == request.quantity
    assert found.cost in (None, sum(fill.price * fill.quantity for fill in page.fills))


async def test_fills_in_the_answer_are_the_fills_of_the_record(desk, new_order):
    outcome = await desk.venue.place(new_order("BTC/USDT", order_type=OrderType.MARKET))
    page = await desk.venue.fills_of_order("BTC/USDT", outcome.report.exchange_order_id)
    if not desk.wire.answers_with_fills:
        assert not outcome.fills
        return
    assert outcome.fills

    def essence(fill):
        return (
            fill.venue_fill_id,
            fill.price,
            fill.quantity,
            fill.fee,
            fill.fee_asset,
            fill.exchange_at,
            fill.side,
        )

    assert [essence(fill) for fill in outcome.fills] == [essence(fill) for fill in page.fills]


@pytest.mark.parametrize(
    ("time_in_force", "status"),
    [(TimeInForce.IOC, OrderStatus.EXPIRED), (TimeInForce.POST_ONLY, OrderStatus.NEW)],
)
async def test_times_in_force_reach_the_venue(desk, symbol, new_order, time_in_force, status):
    request = new_order(symbol, time_in_force=time_in_force)
    await desk.venue.place(request)
    found = await desk.found(request)
    if market_type_of(symbol) in desk.wire.hides_time_in_force:
        is_live = time_in_force is TimeInForce.POST_ONLY
        assert (found.status, found.time_in_force) == (status if is_live else OrderStatus.CANCELED, None)
        return
    assert (found.status, found.time_in_force) == (status, time_in_force)


async def test_a_post_only_order_that_would_take_is_rejected(desk, symbol, new_order):
    request = new_order(symbol, price=Decimal(70_000), time_in_force=TimeInForce.POST_ONLY)
    outcome = await desk.venue.place(request)
    refused = isinstance(outcome, Rejected)
    # A record may not tell who cancelled it.
    assert refused or (await desk.found(request)).status in (OrderStatus.EXPIRED, OrderStatus.CANCELED)
    assert not desk.account.fills


async def test_a_refusal_is_rejected_with_the_venues_code(desk, symbol, new_order):
    outcome = await desk.venue.place(new_order(symbol, quantity=Decimal(900)))
    assert isinstance(outcome, Rejected)
    assert outcome.code
    assert outcome.message
    assert await desk.venue.find_order(desk.ref(new_order(symbol))) is None


async def test_an_order_of_an_unlisted_symbol_is_rejected_before_it_is_sent(desk, new_order):
    outcome = await desk.venue.place(new_order("NOPE/USDT"))
    assert outcome == Rejected("unknown_symbol", outcome.message)


async def test_an_accepted_order_whose_answer_is_lost_is_unknown_and_can_be_found(desk, symbol, new_order):
    request = new_order(symbol)
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("accept_then_drop", desk.wire.place)
    assert isinstance(await desk.venue.place(request), Unknown)
    found = await desk.venue.find_order(desk.ref(request))
    assert (found.client_order_id, found.status) == (request.client_order_id, OrderStatus.NEW)


async def test_an_order_that_was_lost_on_the_way_is_unknown_and_cannot_be_found(desk, symbol, new_order):
    request = new_order(symbol)
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("drop_before_accept", desk.wire.place)
    assert isinstance(await desk.venue.place(request), Unknown)
    assert await desk.venue.find_order(desk.ref(request)) is None


@pytest.mark.parametrize("kind", ["garbage", "truncate"])
async def test_an_answer_that_cannot_be_read_is_unknown(desk, symbol, new_order, kind):
    request = new_order(symbol)
    desk.fault(kind, desk.wire.place)
    assert isinstance(await desk.venue.place(request), Unknown)
    assert (await desk.venue.find_order(desk.ref(request))).status is OrderStatus.NEW


async def test_a_duplicate_client_order_id_is_unknown_because_it_proves_an_order(desk, symbol, new_order):
    request = new_order(symbol)
    await desk.venue.place(request)
    assert isinstance(await desk.venue.place(request), Unknown)
    assert len(desk.account.orders) == 1


async def test_a_rate_limit_is_rejected_and_holds_the_next_order_back_unsent(desk, symbol, new_order):
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("rate_limit", desk.wire.place, retry_after_s=60)
    assert isinstance(await desk.venue.place(new_order(symbol)), Rejected)
    sent = len(desk.requests())
    assert (await desk.venue.place(new_order(symbol))).code == "rate_limited"
    assert len(desk.requests()) == sent


@pytest.mark.wire
async def test_a_banned_address_is_refused_for_now_and_places_nothing_more(desk, symbol, new_order):
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("ban", seconds=60)
    outcome = await desk.venue.place(new_order(symbol))
    assert isinstance(outcome, Rejected)
    assert outcome.for_now
    sent = len(desk.asked(desk.wire.place))
    again = await desk.venue.place(new_order(symbol))
    assert (type(again), again.for_now) == (Rejected, True)
    assert len(desk.asked(desk.wire.place)) == sent


@pytest.mark.wire
async def test_an_order_that_meets_maintenance_is_not_taken_for_placed(desk, symbol, new_order):
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("maintenance")
    assert isinstance(await desk.venue.place(new_order(symbol)), Unknown | Rejected)
    with pytest.raises(ReadFailed):
        await desk.venue.find_order(desk.ref(new_order(symbol)))


async def test_a_resting_order_is_cancelled_by_either_of_its_names(desk, symbol, new_order):
    first, second = await desk.rest(symbol), await desk.rest(symbol)
    assert await desk.venue.cancel(first) == CancelAccepted(first.exchange_order_id)
    by_client_id = replace(second, exchange_order_id=None)
    assert await desk.venue.cancel(by_client_id) == CancelAccepted(second.exchange_order_id)
    found = await desk.venue.find_order(by_client_id)
    assert (found.status, found.client_order_id) == (OrderStatus.CANCELED, second.client_order_id)


async def test_cancelling_what_has_ended_is_rejected(desk, symbol):
    ref = await desk.rest(symbol)
    await desk.venue.cancel(ref)
    assert isinstance(await desk.venue.cancel(ref), Rejected)


async def test_a_cancel_whose_answer_is_lost_is_never_accepted_without_proof(desk, symbol):
    ref = await desk.rest(symbol)
    desk.fault("accept_then_drop", desk.wire.cancel, n=2)
    assert isinstance(await desk.venue.cancel(ref), Unknown | Rejected)
    assert (await desk.venue.find_order(ref)).status is OrderStatus.CANCELED


async def test_cancelling_all_orders_of_a_symbol_leaves_none_and_may_be_repeated(desk, symbol):
    await desk.rest(symbol)
    await desk.rest(symbol)
    for _ in range(2):
        assert isinstance(await desk.venue.cancel_all(symbol, Book.NORMAL), CancelAccepted)
        assert await desk.venue.open_orders(market_type_of(symbol), Book.NORMAL) == []


async def test_an_amended_order_has_the_new_terms(desk, symbol, new_order):
    ref = await desk.rest(symbol)
    outcome = await desk.venue.amend(ref, new_order(symbol, price=Decimal(51_000), quantity=Decimal("0.02")))
    if market_type_of(symbol) not in desk.traits.amends and not desk.wire.replaces:
        assert outcome == Rejected("unsupported", outcome.message)
        assert (await desk.venue.find_order(ref)).price == 50_000
        return
    assert (outcome.report.price, outcome.report.quantity) == (51_000, Decimal("0.02"))
    live = await desk.venue.open_orders(market_type_of(symbol), Book.NORMAL)
    assert [report.price for report in live] == [51_000]


async def test_an_order_that_is_amended_in_place_keeps_its_ids(desk, symbol, new_order):
    ref = await desk.rest(symbol)
    if market_type_of(symbol) not in desk.traits.amends:
        return
    terms = new_order(
        symbol, client_order_id=ref.client_order_id, price=Decimal(51_000), quantity=Decimal("0.02")
    )
    for name in (replace(ref, exchange_order_id=None), ref):
        terms = replace(terms, price=terms.price + 1_000)
        outcome = await desk.venue.amend(name, terms)
        assert isinstance(outcome, Acknowledged)
        found = await desk.venue.find_order(ref)
        assert (found.exchange_order_id, found.client_order_id) == (
            ref.exchange_order_id,
            ref.client_order_id,
        )
        assert (found.price, found.quantity, found.status) == (terms.price, terms.quantity, OrderStatus.NEW)
    assert len(desk.account.orders) == 1


async def test_an_amend_of_what_has_ended_is_rejected_and_leaves_it_as_it_was(desk, symbol, new_order):
    ref = await desk.rest(symbol)
    await desk.venue.cancel(ref)
    outcome = await desk.venue.amend(ref, new_order(symbol, price=Decimal(51_000)))
    assert isinstance(outcome, Rejected)
    assert (await desk.venue.find_order(ref)).price == 50_000


async def test_an_amend_whose_answer_is_lost_is_unknown_and_the_record_tells(desk, symbol, new_order):
    ref = await desk.rest(symbol)
    if market_type_of(symbol) not in desk.traits.amends:
        return
    desk.fault("accept_then_drop", desk.wire.amend, n=2)
    terms = new_order(symbol, client_order_id=ref.client_order_id, price=Decimal(51_000))
    assert isinstance(await desk.venue.amend(ref, terms), Unknown)
    assert (await desk.venue.find_order(ref)).price == 51_000


@pytest.mark.parametrize("order_type", [OrderType.STOP_MARKET, OrderType.STOP_LIMIT])
async def test_a_stop_order_rests_in_its_book_and_is_cancelled_there(desk, symbol, new_stop, order_type):
    request = new_stop(symbol, order_type=order_type)
    outcome = await desk.venue.place(request)
    assert (outcome.report.status, outcome.report.stop_price) == (OrderStatus.NEW, request.stop_price)
    assert outcome.report.client_order_id == request.client_order_id
    ref = desk.ref(request)
    found = await desk.venue.find_order(ref)
    assert (found.order_type, found.exchange_order_id) == (order_type, outcome.report.exchange_order_id)
    live = await desk.venue.open_orders(market_type_of(symbol), outcome.report.book)
    assert [report.client_order_id for report in live] == [request.client_order_id]
    assert isinstance(await desk.venue.cancel(ref), CancelAccepted)
    assert (await desk.venue.find_order(ref)).status is OrderStatus.CANCELED


async def test_conditional_orders_are_swept_by_the_cancel_all_of_their_book(desk, symbol, new_stop):
    market_type = market_type_of(symbol)
    request = new_stop(symbol)
    outcome = await desk.venue.place(request)
    assert outcome.report.book is desk.ref(request).book
    await desk.rest(symbol)
    for book in desk.traits.books(market_type):
        assert len(await desk.venue.open_orders(market_type, book)) == 3 - len(desk.traits.books(market_type))
        await desk.venue.cancel_all(symbol, book)
        assert await desk.venue.open_orders(market_type, book) == []


async def test_a_triggered_order_is_reported_with_the_fate_of_what_it_made(desk, symbol, new_stop):
    request = new_stop(symbol)
    await desk.venue.place(request)
    desk.trigger(request)
    found = await desk.found(request)
    assert (found.status, found.filled_quantity, found.book) == (
        OrderStatus.FILLED,
        request.quantity,
        desk.ref(request).book,
    )
    page = await desk.venue.fills_of_order(symbol, found.triggered_order_id or found.exchange_order_id)
    assert sum(fill.quantity for fill in page.fills) == request.quantity


async def test_what_came_of_a_triggered_order_is_cancelled_with_it(desk, symbol, new_order):
    desk.exchange.set_depth(symbol, Depth(levels=1, level_quantity=Decimal("0.001"), refills=False))
    request = new_order(
        symbol, order_type=OrderType.STOP_LIMIT, stop_price=Decimal(65_000), price=Decimal(64_000)
    )
    placed = await desk.venue.place(request)
    desk.exchange.set_price(symbol, Decimal(65_500))
    resting = await desk.found(request)
    assert resting.status.is_live
    names = replace(desk.ref(request), exchange_order_id=placed.report.exchange_order_id)
    assert isinstance(await desk.venue.cancel(names), CancelAccepted)
    assert not (await desk.found(request)).status.is_live
    assert not desk.account.open_orders


async def test_a_hedged_close_names_its_leg(desk, new_order):
    await desk.venue.set_position_mode(PositionMode.HEDGE)
    opening = new_order(PERP, order_type=OrderType.MARKET, position_side=PositionSide.LONG)
    await desk.venue.place(opening)
    assert (await desk.found(opening)).position_side is PositionSide.LONG
    (position,) = await desk.venue.positions()
    assert (position.position_side, position.quantity) == (PositionSide.LONG, opening.quantity)
    closing = new_order(
        PERP, order_type=OrderType.MARKET, side=Side.SELL, position_side=PositionSide.LONG, reduce_only=True
    )
    await desk.venue.place(closing)
    assert (await desk.found(closing)).status is OrderStatus.FILLED
    assert await desk.venue.positions() == []


async def test_reduce_only_without_a_position_is_rejected_on_futures(desk, new_order):
    request = new_order(PERP, order_type=OrderType.MARKET, side=Side.SELL, reduce_only=True)
    assert isinstance(await desk.venue.place(request), Rejected)


async def test_reduce_only_is_kept_from_spot(desk, new_order):
    request = new_order("BTC/USDT", order_type=OrderType.MARKET, side=Side.SELL, reduce_only=True)
    await desk.venue.place(request)
    assert (await desk.found(request)).status is OrderStatus.FILLED


@pytest.mark.parametrize(("api_key", "secret"), [("k" * 64, "wrong" * 12), ("unknown" * 9, "s" * 64)])
async def test_a_refused_key_rejects_orders_and_shows_no_secret(desk, symbol, new_order, api_key, secret):
    credentials = desk.credentials(api_key, secret)
    outcome = await desk.open(credentials).place(new_order(symbol))
    assert isinstance(outcome, Rejected)
    assert api_key not in outcome.message
    assert secret not in outcome.message


class SkewedClock(SystemClock):
    """A machine whose clock is wrong by some seconds."""

    def __init__(self, seconds):
        self._skew = timedelta(seconds=seconds)

    def now(self):
        return super().now() + self._skew


@pytest.mark.wire
@pytest.mark.parametrize("seconds", [-60, 60])
async def test_a_machine_with_a_wrong_clock_can_trade(desk, symbol, new_order, seconds):
    other = desk.elsewhere(SkewedClock(seconds))
    assert await other.venue.balances(market_type_of(symbol))
    assert isinstance(await other.venue.place(new_order(symbol)), Acknowledged)
    await other.venues.close()


async def test_an_order_that_a_wrong_clock_refuses_is_rejected_and_the_next_one_passes(
    desk, symbol, new_order
):
    await desk.venue.instruments(market_type_of(symbol))
    code = desk.refuse_the_clock(desk.wire.place)
    assert (await desk.venue.place(new_order(symbol))).code == code
    assert isinstance(await desk.venue.place(new_order(symbol)), Acknowledged)
