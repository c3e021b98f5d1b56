"""What orders depend on, and what the answers to them come to."""

import asyncio
from decimal import Decimal

import pytest

from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderStatus, OrderType
from fillbook.orders.core.outcomes import Acknowledged, CancelAccepted, Rejected, Unknown
from fillbook.venues.ccxt.bitget import acts
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from support.bitget import failed, mix_order, mix_plan, spot_order, spot_plan

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
STOP = OrderRef(PERP, "fb1", "1", Book.CONDITIONAL)
SPOT_STOP = OrderRef(SPOT, "fb1", "1", Book.CONDITIONAL)


def asked(symbol=PERP, order_type=OrderType.LIMIT, **changes):
    terms = {"price": Decimal(10)} if order_type.has_price else {}
    if order_type.has_stop_price:
        terms["stop_price"] = Decimal(11)
    side = changes.pop("side", Side.BUY)
    return OrderRequest("fb1", symbol, side, order_type, Decimal("0.02"), **terms | changes)


@pytest.fixture
def subject(link, venue):
    for path in ("spot/trade", "mix/order"):
        for act in ("place-order", "place-plan-order"):
            link.answers[f"{path}/{act}"] = {"orderId": "7", "clientOid": "fb1"}
    return venue


async def test_an_order_is_acknowledged_as_it_was_asked(subject, link):
    outcome = await subject.place(asked())
    assert (outcome.report.exchange_order_id, outcome.report.status) == ("7", OrderStatus.NEW)
    assert (outcome.report.quantity, outcome.report.price) == (Decimal("0.02"), 10)
    assert outcome.report.exchange_at == link.site.clock.now()


@pytest.mark.parametrize("answer", [{}, {"orderId": ""}, {"orderId": None}, None, []])
async def test_an_answer_that_names_no_order_proves_nothing(subject, link, answer):
    link.answers["mix/order/place-order"] = answer
    assert isinstance(await subject.place(asked()), Unknown)


async def test_a_spot_market_buy_takes_its_price_from_the_best_ask(subject, link):
    outcome = await subject.place(asked(SPOT, OrderType.MARKET))
    assert isinstance(outcome, Acknowledged)
    (sent,) = link.asked_for("spot/trade/place-order")
    assert (sent["orderType"], sent["force"], sent["price"], sent["size"]) == ("limit", "ioc", "10.2", "0.02")


@pytest.mark.parametrize("answer", [failed("40015"), [], [{"lastPr": "none"}]])
async def test_nothing_is_sent_while_what_it_depends_on_cannot_be_read(subject, link, answer):
    link.answers["spot/market/tickers"] = link.answers["mix/market/ticker"] = answer
    for order in (asked(SPOT, OrderType.MARKET), asked(order_type=OrderType.STOP_MARKET)):
        outcome = await subject.place(order)
        assert (type(outcome), outcome.code, outcome.for_now) == (Rejected, "unreadable", True)
    assert not [path for path, _ in link.asked if "place" in path]


async def test_an_order_is_not_sent_much_later_than_it_was_decided(subject, link, monkeypatch):
    monkeypatch.setattr(acts, "PREPARATION_S", 0.01)
    monkeypatch.setattr(link, "page_at_once", lambda *_: asyncio.Event().wait())
    outcome = await subject.place(asked())
    assert (type(outcome), outcome.code, outcome.for_now) == (Rejected, "unreadable", True)


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize(
    ("side", "order_type", "stop_price", "is_sent"),
    [
        (Side.BUY, OrderType.STOP_LIMIT, "10.1", True),
        (Side.BUY, OrderType.STOP_LIMIT, "10", False),
        (Side.SELL, OrderType.STOP_MARKET, "9.9", True),
        (Side.SELL, OrderType.STOP_MARKET, "10", False),
        (Side.SELL, OrderType.TAKE_PROFIT_MARKET, "10.1", True),
        (Side.SELL, OrderType.TAKE_PROFIT_MARKET, "9.9", False),
        (Side.BUY, OrderType.TAKE_PROFIT_LIMIT, "9.9", True),
        (Side.BUY, OrderType.TAKE_PROFIT_LIMIT, "10.1", False),
    ],
)
async def test_a_stop_behind_the_price_is_refused_because_it_would_wait_for_it(
    subject, symbol, side, order_type, stop_price, is_sent
):
    outcome = await subject.place(asked(symbol, order_type, side=side, stop_price=Decimal(stop_price)))
    if is_sent:
        assert (outcome.report.book, outcome.report.exchange_order_id) == (Book.CONDITIONAL, "7")
    else:
        assert (type(outcome), outcome.code, outcome.for_now) == (Rejected, "would_trigger", False)


async def test_a_spot_stop_that_would_buy_at_market_is_refused(subject, link):
    outcome = await subject.place(asked(SPOT, OrderType.STOP_MARKET))
    assert (type(outcome), outcome.code) == (Rejected, "unsupported")
    assert link.asked == []


async def test_a_margin_mode_is_read_once_and_anew_after_a_refusal(subject, link):
    await subject.place(asked())
    await subject.place(asked())
    assert len(link.asked_for("mix/account/account")) == 1
    link.answers["mix/order/place-order"] = failed("40762", errors.InsufficientFunds)
    assert isinstance(await subject.place(asked()), Rejected)
    link.answers["mix/account/account"] = {"marginMode": "isolated", "posMode": "one_way_mode"}
    await subject.place(asked())
    assert link.asked_for("mix/order/place-order")[-1]["marginMode"] == "isolated"


async def test_a_resting_order_is_not_changed_in_place(subject, link):
    outcome = await subject.amend(OrderRef(PERP, "fb1", "1", Book.NORMAL), asked())
    assert (type(outcome), outcome.code) == (Rejected, "unsupported")
    assert link.asked == []


async def test_a_spot_plan_is_cancelled_only_where_the_answer_says_so(subject, link):
    link.answers["spot/trade/cancel-plan-order"] = {"result": "success"}
    assert await subject.cancel(SPOT_STOP) == CancelAccepted("1")
    link.answers["spot/trade/cancel-plan-order"] = {"result": "failure"}
    assert isinstance(await subject.cancel(SPOT_STOP), Rejected)


async def test_a_futures_plan_is_cancelled_only_where_it_is_among_the_successes(subject, link):
    path = "mix/order/cancel-plan-order"
    done, missed = {"orderId": "1"}, {"orderId": "1", "errorCode": "43025", "errorMsg": "a sentence"}
    link.answers[path] = {"successList": [done], "failureList": []}
    assert await subject.cancel(STOP) == CancelAccepted("1")
    link.answers[path] = {"successList": [], "failureList": [missed]}
    outcome = await subject.cancel(STOP)
    assert (type(outcome), outcome.code) == (Rejected, "43025")
    link.answers[path] = {"successList": [], "failureList": [missed | {"errorCode": "40725"}]}
    assert isinstance(await subject.cancel(STOP), Unknown)


@pytest.mark.parametrize("answer", [None, {}, {"successList": [], "failureList": []}, {"successList": None}])
async def test_a_cancel_whose_answer_says_nothing_is_unknown(subject, link, answer):
    link.answers["mix/order/cancel-plan-order"] = answer
    assert isinstance(await subject.cancel(STOP), Unknown)
    link.answers["mix/order/cancel-order"] = answer
    assert isinstance(await subject.cancel(OrderRef(PERP, "fb1", "1", Book.NORMAL)), Unknown)


async def test_cancelling_a_stop_that_triggered_cancels_what_came_of_it(subject, link):
    link.answers |= {
        "spot/trade/cancel-plan-order": failed("43025", errors.OrderNotFound),
        "spot/trade/history-plan-order": {"orderList": [spot_plan(1, status="executed")]},
        "spot/trade/plan-sub-order": [{"orderId": "5"}],
        "spot/trade/orderInfo": [spot_order(5)],
        "spot/trade/cancel-order": {"orderId": "5", "clientOid": ""},
    }
    link.answers["spot/trade/current-plan-order"] = {"orderList": []}
    assert await subject.cancel(SPOT_STOP) == CancelAccepted("1")
    assert link.asked_for("spot/trade/cancel-order") == [{"symbol": "BTCUSDT", "orderId": "5"}]


async def test_a_stop_that_ended_is_refused_with_the_venues_code(subject, link):
    missed = {"orderId": "1", "errorCode": "43025", "errorMsg": "a sentence"}
    link.answers |= {
        "mix/order/cancel-plan-order": {"successList": [], "failureList": [missed]},
        "mix/order/orders-plan-pending": {"entrustedList": None},
        "mix/order/orders-plan-history": {"entrustedList": [mix_plan(1, planStatus="executed")]},
        "mix/order/plan-sub-order": [{"orderId": "5"}],
        "mix/order/detail": mix_order(5, filled="9", status="filled"),
    }
    outcome = await subject.cancel(STOP)
    assert (type(outcome), outcome.code) == (Rejected, "43025")
    assert link.asked_for("mix/order/cancel-order") == []


async def test_a_cancel_of_unknown_fate_stays_unknown(subject, link):
    link.answers["mix/order/cancel-plan-order"] = CallFailed(errors.RequestTimeout, "RequestTimeout", "")
    assert isinstance(await subject.cancel(STOP), Unknown)
    assert len(link.asked) == 1


async def test_cancelling_all_is_as_sure_as_its_least_sure_order(subject, link):
    path = "mix/order/cancel-plan-order"
    gone = {"orderId": "1", "errorCode": "43025", "errorMsg": "a sentence"}
    link.answers[path] = {"successList": [], "failureList": [gone]}
    assert await subject.cancel_all(PERP, Book.CONDITIONAL) == CancelAccepted(None)
    link.answers[path] = {"successList": [], "failureList": [gone, gone | {"errorCode": "40725"}]}
    assert isinstance(await subject.cancel_all(PERP, Book.CONDITIONAL), Unknown)
    link.answers[path] = failed("22001")
    assert await subject.cancel_all(PERP, Book.CONDITIONAL) == CancelAccepted(None)
    for answer in (None, "gone", 7):
        link.answers[path] = answer
        assert isinstance(await subject.cancel_all(PERP, Book.CONDITIONAL), Unknown)
