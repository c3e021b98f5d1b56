"""What goes on the wire for each kind of order, and what the answers come to."""

import asyncio
from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderStatus, OrderType, TimeInForce
from fillbook.orders.core.outcomes import Acknowledged, CancelAccepted, Rejected, Unknown
from fillbook.venues.ccxt.bybit import acts, requests
from fillbook.venues.ccxt.bybit.acts import Acts
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from support.bybit import failed, order

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
REF = OrderRef(PERP, "fb1", None, Book.NORMAL)


def asked(symbol=PERP, order_type=OrderType.LIMIT, **changes):
    terms = {"price": Decimal("10.50")} if order_type.has_price else {}
    if order_type.has_stop_price:
        terms["stop_price"] = Decimal(11)
    return OrderRequest(
        "fb1", symbol, changes.pop("side", Side.BUY), order_type, Decimal("0.020"), **terms | changes
    )


COMMON = {"symbol": "BTCUSDT", "side": "Buy", "qty": "0.02", "orderLinkId": "fb1"}
LINEAR = COMMON | {"category": "linear", "positionIdx": 0}
SPOT_BODY = COMMON | {"category": "spot", "isLeverage": 0}
LIMIT = {"orderType": "Limit", "price": "10.5", "timeInForce": "GTC"}

BODIES = [
    (asked(), LINEAR | LIMIT),
    (asked(time_in_force=TimeInForce.POST_ONLY), LINEAR | LIMIT | {"timeInForce": "PostOnly"}),
    (asked(time_in_force=TimeInForce.FOK), LINEAR | LIMIT | {"timeInForce": "FOK"}),
    (asked(order_type=OrderType.MARKET), LINEAR | {"orderType": "Market"}),
    (asked(order_type=OrderType.MARKET, price=Decimal(9)), LINEAR | {"orderType": "Market"}),
    (asked(reduce_only=True), LINEAR | LIMIT | {"reduceOnly": True}),
    (asked(reduce_only=True, position_side=PositionSide.SHORT), LINEAR | LIMIT | {"positionIdx": 2}),
    (
        asked(order_type=OrderType.STOP_MARKET),
        LINEAR
        | {"orderType": "Market", "triggerPrice": "11", "triggerDirection": 1, "triggerBy": "LastPrice"},
    ),
    (
        asked(order_type=OrderType.TAKE_PROFIT_LIMIT),
        LINEAR | LIMIT | {"triggerPrice": "11", "triggerDirection": 2, "triggerBy": "LastPrice"},
    ),
    (
        asked(order_type=OrderType.STOP_MARKET, side=Side.SELL),
        LINEAR
        | {"side": "Sell", "orderType": "Market", "triggerPrice": "11", "triggerDirection": 2}
        | {"triggerBy": "LastPrice"},
    ),
    (asked(SPOT), SPOT_BODY | LIMIT),
    (asked(SPOT, OrderType.MARKET), SPOT_BODY | {"orderType": "Market", "marketUnit": "baseCoin"}),
    (asked(SPOT, reduce_only=True), SPOT_BODY | LIMIT),
    (
        asked(SPOT, OrderType.STOP_MARKET, side=Side.SELL),
        SPOT_BODY | {"side": "Sell", "orderType": "Market", "triggerPrice": "11", "orderFilter": "StopOrder"},
    ),
    (
        asked(SPOT, OrderType.STOP_LIMIT),
        SPOT_BODY | LIMIT | {"triggerPrice": "11", "orderFilter": "StopOrder"},
    ),
]


@pytest.mark.parametrize(("request_", "body"), BODIES)
def test_an_order_in_the_venues_words(request_, body):
    assert requests.place(request_, "BTCUSDT") == body


@pytest.mark.parametrize("order_type", [OrderType.LIMIT, OrderType.STOP_LIMIT])
def test_an_order_without_what_its_type_needs_is_not_sent(order_type):
    with pytest.raises(ValueError, match="price"):
        requests.place(asked(order_type=order_type, price=None), "BTCUSDT")


@pytest.mark.parametrize("order_type", [OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET])
async def test_a_spot_stop_that_buys_at_market_is_not_sent(link, order_type):
    outcome = await Acts(link).place(asked(SPOT, order_type))
    assert (type(outcome), outcome.code) == (Rejected, "unsupported")
    assert link.asked == []


def test_an_order_is_named_by_one_id_and_never_by_both():
    assert requests.name(REF, "BTCUSDT") == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "fb1"}
    known = OrderRef(SPOT, "fb1", "o1", Book.NORMAL)
    assert requests.name(known, "BTCUSDT") == {"category": "spot", "symbol": "BTCUSDT", "orderId": "o1"}


async def test_a_resting_order_is_acknowledged_as_it_was_asked_and_not_looked_up(link):
    link.answers["order/create"] = {"orderId": "o1", "orderLinkId": "fb1"}
    outcome = await Acts(link).place(asked())
    assert (outcome.report.exchange_order_id, outcome.report.status) == ("o1", OrderStatus.NEW)
    assert link.asked_for("order/realtime") == []


@pytest.mark.parametrize(
    "request_", [asked(order_type=OrderType.MARKET), asked(time_in_force=TimeInForce.IOC)]
)
async def test_an_order_that_ends_at_once_is_told_with_what_it_filled(link, request_):
    link.answers["order/create"] = {"orderId": "o1", "orderLinkId": "fb1"}
    link.answers["order/realtime"] = {"list": [order(1, 1, "9", orderStatus="Filled")]}
    outcome = await Acts(link).place(request_)
    assert (outcome.report.status, outcome.report.filled_quantity) == (OrderStatus.FILLED, 9)


@pytest.mark.parametrize("record", [{"list": []}, failed("10016"), {"list": [{}]}])
async def test_an_accepted_order_stays_accepted_while_its_record_cannot_be_read(link, record):
    link.answers["order/create"] = {"orderId": "o1", "orderLinkId": "fb1"}
    link.answers["order/realtime"] = record
    outcome = await Acts(link).place(asked(order_type=OrderType.MARKET))
    assert isinstance(outcome, Acknowledged)
    assert (outcome.report.exchange_order_id, outcome.report.filled_quantity) == ("o1", 0)


async def test_nobody_waits_long_for_a_record(link, monkeypatch):
    monkeypatch.setattr(acts, "RECORD_PATIENCE_S", 0.01)
    link.answers["order/create"] = {"orderId": "o1", "orderLinkId": "fb1"}
    subject = Acts(link)
    monkeypatch.setattr(subject, "find_live_order", lambda ref: asyncio.Event().wait())
    assert isinstance(await subject.place(asked(order_type=OrderType.MARKET)), Acknowledged)


@pytest.mark.parametrize("answer", [{}, {"orderId": ""}, {"orderId": None}, None])
async def test_an_answer_that_names_no_order_proves_nothing(link, answer):
    link.answers["order/create"] = answer
    link.answers["order/cancel"] = answer
    assert isinstance(await Acts(link).place(asked()), Unknown)
    assert isinstance(await Acts(link).cancel(REF), Unknown)


async def test_an_amend_is_told_by_the_record_and_unknown_until_it_shows(link):
    link.answers["order/amend"] = {"orderId": "o1", "orderLinkId": "fb1"}
    link.answers["order/realtime"] = {"list": []}
    assert isinstance(await Acts(link).amend(REF, asked()), Unknown)
    link.answers["order/realtime"] = {"list": [order(1, 1, "4", orderStatus="PartiallyFilled", price="10.5")]}
    outcome = await Acts(link).amend(REF, asked())
    assert (outcome.report.price, outcome.report.filled_quantity) == (Decimal("10.5"), 4)
    sent = link.asked_for("order/amend")[0]
    assert sent == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderLinkId": "fb1",
        "qty": "0.02",
        "price": "10.5",
    }


async def test_only_limit_orders_are_amended(link):
    for request in (asked(order_type=OrderType.MARKET), asked(order_type=OrderType.STOP_LIMIT)):
        assert isinstance(await Acts(link).amend(REF, request), Rejected)
    assert link.asked == []


def only(kind, refusal="170213"):
    """A spot whose order is of one kind."""

    def answer(params):
        return {"orderId": "o1"} if params["orderFilter"] == kind else failed(refusal, errors.OrderNotFound)

    return answer


@pytest.mark.parametrize("kind", requests.SPOT_FILTERS)
async def test_a_spot_order_is_cancelled_whatever_kind_it_is(link, kind):
    link.answers["order/cancel"] = only(kind)
    outcome = await Acts(link).cancel(OrderRef(SPOT, "fb1", "o1", Book.NORMAL))
    assert outcome == CancelAccepted("o1")


async def test_a_spot_order_of_no_kind_is_refused_with_the_venues_code(link):
    link.answers["order/cancel"] = only("none of them")
    outcome = await Acts(link).cancel(OrderRef(SPOT, "fb1", "o1", Book.NORMAL))
    assert (type(outcome), outcome.code) == (Rejected, "170213")


async def test_a_cancel_of_unknown_fate_is_not_followed_by_another(link):
    link.answers["order/cancel"] = CallFailed(errors.RequestTimeout, "RequestTimeout", "")
    outcome = await Acts(link).cancel(OrderRef(SPOT, "fb1", "o1", Book.NORMAL))
    assert isinstance(outcome, Unknown)
    assert len(link.asked_for("order/cancel")) == 1


async def test_cancelling_all_on_spot_is_as_sure_as_its_least_sure_part(link):
    fates = {
        "Order": {"list": []},
        "StopOrder": failed("10016", errors.ExchangeError),
        "tpslOrder": {"list": []},
    }
    link.answers["order/cancel-all"] = lambda params: fates[params["orderFilter"]]
    assert isinstance(await Acts(link).cancel_all(SPOT, Book.NORMAL), Unknown)
    fates["StopOrder"] = failed("10001", errors.BadRequest)
    assert isinstance(await Acts(link).cancel_all(SPOT, Book.NORMAL), Rejected)
    fates["StopOrder"] = {"list": []}
    assert await Acts(link).cancel_all(SPOT, Book.NORMAL) == CancelAccepted(None)


async def test_futures_need_one_request_for_every_kind(link):
    await Acts(link).cancel_all(PERP, Book.NORMAL)
    assert link.asked_for("order/cancel-all") == [{"category": "linear", "symbol": "BTCUSDT"}]
    assert await Acts(link).cancel_all(PERP, Book.CONDITIONAL) == CancelAccepted(None)
