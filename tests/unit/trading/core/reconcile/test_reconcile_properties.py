"""What holds of reconciliation whatever was lost: the books end as the venue's, once, and unread parts do no harm."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import Side
from fillbook.orders.core.client_ids import Origin, make_client_order_id
from fillbook.orders.core.order import LIVE_STATUSES, OrderStatus
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core.reconcile import Case, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.fills import missing_fills
from fillbook.trading.core.reconcile.positions import RESIDUAL
from fillbook.trading.core.reconcile.repairs import EndVanished, InferFill, ReadFills
from fillbook.trading.core.reconcile.snapshots import FillId, Misses, Unread
from support.trading import a_fill_report, a_report, after
from support.two_sides import LINK, NOW, Books, Truth, net

lots = st.integers(1, 9).map(lambda count: Decimal(count) / 10)


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Some orders, ours and others', with their fills, in any state that a venue may show."""
    truth = Truth()
    rng = random.Random(draw(st.integers(0, 99)))
    for number in range(1, draw(st.integers(1, 4)) + 1):
        side = draw(st.sampled_from(Side))
        parts = draw(st.lists(lots, max_size=3))
        filled = sum(parts, Decimal(0))
        is_full = bool(parts) and draw(st.booleans())
        ended = st.sampled_from([OrderStatus.CANCELED, OrderStatus.EXPIRED])
        open_status = OrderStatus.PARTIALLY_FILLED if parts else OrderStatus.NEW
        status = OrderStatus.FILLED if is_full else draw(ended | st.just(open_status))
        client_id = str(make_client_order_id("test", Origin.STRATEGY, LINK.code, "1", rng))
        truth.orders.append(
            a_report(
                status,
                str(filled),
                client_order_id=client_id if draw(st.booleans()) else f"person-{number}",
                exchange_order_id=str(900 + number),
                side=side,
                quantity=filled if is_full else filled + 1,
                cost=filled * 100,
            )
        )
        truth.fills += [
            a_fill_report(
                str(quantity),
                f"{number}{place}",
                side=side,
                exchange_order_id=str(900 + number),
                exchange_at=after(10 * number + place),
            )
            for place, quantity in enumerate(parts)
        ]
    return truth


@st.composite
def kept_of(draw: st.DrawFn, truth: Truth) -> Books:
    """Books that know any part of it: some orders, some of their fills, as they were at some moment."""
    books = Books()
    for number, report in enumerate(truth.orders):
        if not draw(st.booleans()):
            continue
        early = replace(report, status=OrderStatus.NEW, filled_quantity=Decimal(0))
        books._take(early, Truth())
        for fill in _fills_of(truth, report):
            if draw(st.booleans()):
                books._book(fill)
        if draw(st.booleans()):
            name = report.client_order_id or ""
            books.orders[name] = replace(books.orders[name], cancel_wanted=True)
        assert number < 9
    return books


def _fills_of(truth: Truth, report: OrderReport) -> list[FillReport]:
    return [fill for fill in truth.fills if fill.exchange_order_id == report.exchange_order_id]


def assert_agrees(books: Books, truth: Truth) -> None:
    assert books.fills == {FillId.of(fill): fill for fill in truth.fills}
    for report in truth.orders:
        order = books.orders.get(report.client_order_id or "")
        if order is None:
            assert not report.status.is_live and not report.filled_quantity
            continue
        assert order.filled_quantity == report.filled_quantity
        assert (order.status in LIVE_STATUSES) is (report.status in LIVE_STATUSES)


@given(data=st.data(), truth=truths())
def test_whatever_the_books_lack_they_end_as_the_venues_and_a_second_run_finds_nothing(
    data: st.DataObject, truth: Truth
) -> None:
    books = data.draw(kept_of(truth))
    books.reconcile(truth)
    assert_agrees(books, truth)
    assert books.inferred == []
    (again,) = books.reconcile(truth)
    assert [one for one in again.findings if one.case is not Case.OVERFILLED] == []


@given(truth=truths(), data=st.data())
def test_fills_that_come_shuffled_and_repeated_make_the_same_books(truth: Truth, data: st.DataObject) -> None:
    known = frozenset(FillId.of(fill) for fill in truth.fills if data.draw(st.booleans()))
    seen = data.draw(st.permutations([*truth.fills, *truth.fills]))
    wanted = [fill for fill in truth.fills if FillId.of(fill) not in known]
    assert missing_fills(seen, known) == tuple(sorted(wanted, key=lambda fill: fill.canonical_key))


@given(truth=truths(), data=st.data())
def test_what_no_record_shows_is_inferred_once_and_leads_to_the_venues_position(
    truth: Truth, data: st.DataObject
) -> None:
    hidden = frozenset(FillId.of(fill) for fill in truth.fills if data.draw(st.booleans()))
    truth.hidden = hidden
    books = data.draw(kept_of(replace(truth, fills=list(truth.shown()))))
    books.reconcile(truth)
    assert net(list(books.fills.values())) == net(truth.fills)
    unseen = [fill.quantity for fill in truth.fills if FillId.of(fill) in hidden]
    assert sum(fill.quantity for fill in books.inferred) <= sum(unseen)
    (again,) = books.reconcile(truth)
    assert again.repairs == ()
    for report in truth.orders:
        order = books.orders.get(report.client_order_id or "")
        assert order is None or order.filled_quantity == report.filled_quantity


@given(truth=truths(), data=st.data())
def test_what_was_inferred_for_a_position_is_taken_back_when_the_real_fills_come(
    truth: Truth, data: st.DataObject
) -> None:
    """Of orders that nobody here knows, of one side: those of ours supersede their own inferred fills in the ledger,
    and what two sides hide together cannot be told apart."""
    side = data.draw(st.sampled_from(Side))
    one_side = [order for order in truth.orders if order.side is side]
    orders = {order.exchange_order_id for order in one_side if data.draw(st.booleans())}
    truth.orders = [
        order for order in truth.orders if order.exchange_order_id not in orders or not order.status.is_live
    ]
    truth.fills = _fills_of_all(truth)
    truth.hidden = frozenset(FillId.of(fill) for fill in truth.fills if fill.exchange_order_id in orders)
    books = Books()
    books.reconcile(truth)
    truth.hidden = frozenset()
    books.reconcile(truth)
    assert net(list(books.fills.values())) == net(truth.fills)
    standing = [fill for fill in books.inferred if fill.exchange_order_id.startswith(RESIDUAL)]
    assert standing == []


def _fills_of_all(truth: Truth) -> list[FillReport]:
    return [fill for report in truth.orders for fill in _fills_of(truth, report)]


@given(truth=truths(), data=st.data())
def test_what_could_not_be_read_leads_to_no_repair_and_no_finding(truth: Truth, data: st.DataObject) -> None:
    books = data.draw(kept_of(truth))
    whole = books.look(truth)
    unread = VenueSnapshot(
        NOW,
        open_orders={key: Unread("no answer") for key in whole.open_orders},
        unread_orders={
            order.id: Unread("no answer") for order in books.orders.values() if data.draw(st.booleans())
        },
        unread_fills={"BTC/USDT:USDT": Unread("no answer")},
        positions=Unread("no answer"),
    )
    plan = reconcile(replace(books.snapshot(), links={}), unread)
    assert plan.repairs == ()
    assert {finding.case for finding in plan.findings} <= {Case.OVERFILLED, Case.LABEL_MISSING}


@given(truth=truths(), data=st.data(), exhausted=st.booleans())
def test_nothing_is_invented_or_ended_while_a_part_is_unread(
    truth: Truth, data: st.DataObject, exhausted: bool
) -> None:
    """Fills unread: no inferred fill, no order vanishes, and they are not asked for again in the same run."""
    books = data.draw(kept_of(truth))
    books.asked = dict.fromkeys(order.id for order in books.orders.values())
    if exhausted:
        books.exhausted = {"BTC/USDT:USDT"}
    venue = replace(
        books.look(truth),
        fills=(),
        fills_read=frozenset(),
        unread_fills={"BTC/USDT:USDT": Unread("no answer")},
    )
    long_missed = {order.id: Misses(9, NOW - timedelta(days=9)) for order in books.orders.values()}
    venue = replace(venue, at=NOW + timedelta(days=30))
    plan = reconcile(replace(books.snapshot(), misses=long_missed), venue)
    assert not [repair for repair in plan.repairs if isinstance(repair, InferFill | EndVanished | ReadFills)]
