"""Acts whose answers come row by row, the margin mode that orders name, and what came of a triggered order."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode
from fillbook.market.core import Side
from fillbook.market.errors import ReadFailed, SettingRefused
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderStatus, OrderType
from fillbook.orders.core.outcomes import Acknowledged, CancelAccepted, Rejected, Unknown
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.okx.acts import Acts
from fillbook.venues.ccxt.okx.wallet import Wallet

PERP = "BTC/USDT:USDT"
LOST = CallFailed(errors.RequestTimeout, "RequestTimeout", "no answer")


def rows(*codes, key="ordId", top="0"):
    data = [
        {key: str(number), "clOrdId": "", "sCode": code, "sMsg": "x"} for number, code in enumerate(codes, 1)
    ]
    return {"code": top, "msg": "", "data": data}


def waiting(count):
    return [{"ordId": str(number), "instId": "BTC-USDT-SWAP"} for number in range(1, count + 1)]


def request(**changes):
    terms = {"order_type": OrderType.LIMIT, "price": Decimal(50_000), "quantity": Decimal("0.01")}
    return OrderRequest(client_order_id="fbmine", symbol=PERP, side=Side.BUY, **(terms | changes))


def page(data):
    return {"code": "0", "msg": "", "data": data}


def held(mode, size="1"):
    return [{"mgnMode": mode, "pos": size, "instId": "BTC-USDT-SWAP"}]


@pytest.mark.parametrize(
    ("codes", "top", "outcome"),
    [
        (("0", "0", "0"), "0", CancelAccepted(None)),
        (("0", "51400", "51402"), "2", CancelAccepted(None)),
        (("51401", "51400", "51402"), "1", CancelAccepted(None)),
        (("51400", "50013", "0"), "2", Unknown("50013", "x")),
        (("51400", "51410", "51400"), "1", Unknown("51410", "x")),
        (("0", "50120", "0"), "2", Rejected("50120", "x", doubts_key=True)),
    ],
)
async def test_each_row_of_a_batch_of_cancels_counts(link, codes, top, outcome):
    link.script, link.answers = [waiting(3)], [rows(*codes, top=top)]
    assert await Acts(link).cancel_all(PERP, Book.NORMAL) == outcome


async def test_many_orders_are_cancelled_twenty_at_a_time(link):
    link.script = [waiting(45)]
    link.answers = [rows(*["0"] * size) for size in (20, 20, 5)]
    assert await Acts(link).cancel_all(PERP, Book.NORMAL) == CancelAccepted(None)
    assert [len(params) for _, params in link.sent] == [20, 20, 5]


async def test_a_batch_that_answers_for_fewer_than_it_was_asked_proves_nothing(link):
    link.script, link.answers = [waiting(3)], [rows("0", "0")]
    assert isinstance(await Acts(link).cancel_all(PERP, Book.NORMAL), Unknown)


async def test_a_lost_batch_does_not_keep_the_next_from_being_sent(link):
    link.script, link.answers = [waiting(21)], [LOST, rows("0")]
    assert isinstance(await Acts(link).cancel_all(PERP, Book.NORMAL), Unknown)
    assert len(link.sent) == 2


async def test_what_waits_and_cannot_be_read_is_not_cancelled_for_now(link):
    link.script = [LOST]
    outcome = await Acts(link).cancel_all(PERP, Book.NORMAL)
    assert (outcome.code, outcome.for_now, link.sent) == ("orders_unreadable", True, [])


def told(link):
    """The margin modes that orders named."""
    return [params["tdMode"] for path, params in link.sent if path == "trade/order"]


async def test_an_order_names_the_margin_mode_of_the_position_that_is_there(link):
    link.answers = [page(held("isolated")), rows("0"), rows("0")]
    for _ in range(2):
        assert isinstance(await Acts(link).place(request()), Acknowledged)
    assert told(link) == ["isolated", "isolated"]
    assert [path for path, _ in link.sent].count("account/positions") == 1


@pytest.mark.parametrize("positions", [[], held("isolated", "0")])
async def test_without_a_position_an_order_is_on_cross_margin(link, positions):
    link.answers = [page(positions), rows("0")]
    await Acts(link).place(request())
    assert told(link) == ["cross"]


async def test_while_the_margin_mode_cannot_be_read_nothing_is_sent(link):
    link.answers = [LOST]
    outcome = await Acts(link).place(request())
    assert (outcome.code, outcome.for_now, told(link)) == ("margin_mode_unreadable", True, [])


async def test_a_refused_order_has_the_margin_mode_read_anew_for_the_next(link):
    link.answers = [page(held("cross")), rows("51000"), page(held("isolated")), rows("0")]
    for _ in range(2):
        await Acts(link).place(request())
    assert told(link) == ["cross", "isolated"]


async def test_a_chosen_margin_mode_outlives_a_refusal(link):
    link.script = [[]]
    link.answers = [rows("51008"), page([]), rows("0")]
    await Wallet(link).set_margin_mode(PERP, MarginMode.ISOLATED)
    for _ in range(2):
        await Acts(link).place(request())
    assert told(link) == ["isolated", "isolated"]


async def test_a_margin_mode_that_was_set_is_named_from_then_on(link):
    link.script, link.answers = [[]], [rows("0")]
    await Wallet(link).set_margin_mode(PERP, MarginMode.ISOLATED)
    await Acts(link).place(request())
    assert link.sent[0][1]["tdMode"] == "isolated"


async def test_a_position_keeps_the_margin_mode_that_it_has(link):
    position = {"instType": "SWAP", "posSide": "net", "avgPx": "1", "uTime": "1"}
    link.script = [[held("cross")[0] | position]]
    with pytest.raises(SettingRefused, match="position in another mode"):
        await Wallet(link).set_margin_mode(PERP, MarginMode.ISOLATED)


async def test_a_quantity_that_is_no_whole_lots_is_refused_unsent(link):
    link.answers = [page([])]
    outcome = await Acts(link).place(request(quantity=Decimal("0.00015")))
    assert (outcome.code, told(link)) == ("inexact_quantity", [])


async def test_a_conditional_orders_refusal_under_a_good_top_code_is_a_refusal(link):
    link.answers = [page([]), rows("51280", key="algoId")]
    outcome = await Acts(link).place(
        request(order_type=OrderType.STOP_MARKET, price=None, stop_price=Decimal(60_000))
    )
    assert outcome == Rejected("51280", "x")


@pytest.mark.parametrize("order_id", ["", None])
async def test_an_accepted_row_without_an_id_proves_nothing(link, order_id):
    answer = rows("0")
    answer["data"][0]["ordId"] = order_id
    link.answers = [page([]), answer]
    assert isinstance(await Acts(link).place(request()), Unknown)


ALGO = {
    "algoId": "900", "algoClOrdId": "fbmine", "instId": "BTC-USDT-SWAP", "instType": "SWAP", "side": "sell",
    "ordType": "conditional", "state": "effective", "ordId": "7", "sz": "1", "slTriggerPx": "9", "slOrdPx": "8",
    "cTime": "1", "uTime": "1", "triggerTime": "1", "posSide": "net",
}  # fmt: skip
CHILD = {
    "ordId": "7", "clOrdId": "900_0", "algoId": "900", "algoClOrdId": "fbmine", "instId": "BTC-USDT-SWAP",
    "instType": "SWAP", "side": "sell", "ordType": "limit", "px": "8", "sz": "1", "accFillSz": "0", "uTime": "1",
    "cTime": "1", "posSide": "net",
}  # fmt: skip
CONDITION = OrderRef(PERP, "fbmine", "900", Book.CONDITIONAL)


@pytest.mark.parametrize("code", ["51400", "51412"])
async def test_a_cancel_of_a_triggered_order_goes_to_what_it_placed(link, code):
    link.answers = [rows(code, key="algoId"), rows("0")]
    link.script = [[ALGO], [CHILD | {"state": "live"}]]
    assert await Acts(link).cancel(CONDITION) == CancelAccepted("900")
    assert [path for path, _ in link.sent] == ["trade/cancel-algos", "trade/cancel-order"]
    assert link.sent[1][1] == {"instId": "BTC-USDT-SWAP", "ordId": "7"}


@pytest.mark.parametrize(
    "looked_up", [[[ALGO], [CHILD | {"state": "filled", "accFillSz": "1"}]], [LOST], [[]]]
)
async def test_where_nothing_lives_or_is_known_the_refusal_stands(link, looked_up):
    link.answers, link.script = [rows("51400", key="algoId")], looked_up
    outcome = await Acts(link).cancel(CONDITION)
    assert isinstance(outcome, Rejected)
    assert len(link.sent) == 1


async def test_an_amendment_tells_the_new_terms_and_what_had_filled(link):
    link.answers = [rows("0")]
    link.script = [[CHILD | {"state": "partially_filled", "accFillSz": "0.5", "sz": "1", "px": "8"}]]
    outcome = await Acts(link).amend(OrderRef(PERP, "fbmine", "7", Book.NORMAL), request())
    report = outcome.report
    assert (report.price, report.quantity, report.filled_quantity) == (
        50_000,
        Decimal("0.01"),
        Decimal("0.005"),
    )
    assert report.status is OrderStatus.PARTIALLY_FILLED


async def test_an_order_that_ends_at_once_is_told_as_its_record_has_it(link):
    link.answers = [page([]), rows("0")]
    filled = CHILD | {
        "state": "filled",
        "accFillSz": "1",
        "algoId": "",
        "algoClOrdId": "",
        "clOrdId": "fbmine",
    }
    link.script = [[filled]]
    outcome = await Acts(link).place(request(order_type=OrderType.MARKET, price=None))
    assert (outcome.report.status, outcome.report.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))


async def test_while_its_record_cannot_be_read_it_is_told_as_accepted(link):
    link.answers, link.script = [page([]), rows("0")], [LOST]
    outcome = await Acts(link).place(request(order_type=OrderType.MARKET, price=None))
    assert (outcome.report.status, outcome.report.exchange_order_id) == (OrderStatus.NEW, "1")


async def test_leverage_of_isolated_legs_is_set_and_read_back_on_both(link):
    hedged = [{"posMode": "long_short_mode"}]
    both = [{"instId": "BTC-USDT-SWAP", "lever": "5", "posSide": leg} for leg in ("long", "short")]
    link.script = [held("isolated"), hedged, both]
    link.answers = [{"code": "0", "data": []}] * 2
    await Wallet(link).set_leverage(PERP, Decimal(5))
    assert [params["posSide"] for _, params in link.sent] == ["long", "short"]


async def test_leverage_that_one_leg_did_not_take_is_refused(link):
    hedged = [{"posMode": "long_short_mode"}]
    both = [{"instId": "BTC-USDT-SWAP", "lever": lever} for lever in ("5", "3")]
    link.script, link.answers = [held("isolated"), hedged, both], [{"code": "0", "data": []}] * 2
    with pytest.raises(SettingRefused, match="3, 5"):
        await Wallet(link).set_leverage(PERP, Decimal(5))


@pytest.mark.parametrize(
    ("config", "spot", "futures", "withdraw", "bound"),
    [
        ({"perm": "read_only,trade", "acctLv": "2", "ip": "1.2.3.4"}, True, True, False, True),
        ({"perm": "read_only,trade", "acctLv": "1", "ip": ""}, True, False, False, False),
        ({"perm": "read_only", "acctLv": "3", "ip": ""}, False, False, False, False),
        ({"perm": "read_only,trade,withdraw", "acctLv": "2", "ip": ""}, True, True, True, False),
    ],
)
async def test_what_a_key_may_do_is_in_the_configuration(link, config, spot, futures, withdraw, bound):
    link.script = [[config]]
    found = await Wallet(link).key_permissions()
    assert (found.can_trade_spot, found.can_trade_futures) == (spot, futures)
    assert (found.can_withdraw, found.ip_restricted) == (withdraw, bound)


@pytest.mark.parametrize("config", [[], [{}], [{"perm": None, "acctLv": "2", "ip": ""}]])
async def test_a_configuration_that_cannot_be_understood_is_no_permission(link, config):
    link.script = [config]
    with pytest.raises(ReadFailed):
        await Wallet(link).key_permissions()
