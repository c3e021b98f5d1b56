"""The demo's comparison: whatever the exchange and the books disagree about, it finds and names."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fillbook.app.demo.books import Books, Truth
from fillbook.app.demo.cast import FUTURES, SPOT, Link, Member, Role
from fillbook.app.demo.comparison import compare
from fillbook.market.core import VenueName

PERP, COIN = "BTC/USDT:USDT", "ETH/USDT"
MEMBER = Member(1, "key-1", Role("main", VenueName.BINANCE, "10000", {FUTURES: Link("1"), SPOT: Link("1")}))

ORDER = {
    "id": 11,
    "account_id": 1,
    "account": "key-1",
    "symbol": PERP,
    "client_order_id": "fb1",
    "exchange_order_id": "11",
    "order_id": 11,
    "parent_id": None,
    "child_id": None,
    "status": "FILLED",
    "side": "buy",
    "order_type": "MARKET",
    "quantity": "0.01",
    "price": None,
    "stop_price": None,
    "filled": "0.01",
    "filled_quantity": "0.01",
}
FILL = {
    "account_id": 1,
    "account": "key-1",
    "client_order_id": "fb1",
    "symbol": PERP,
    "venue_fill_id": "7",
    "trade_id": 7,
    "exchange_order_id": "11",
    "order_id": 11,
    "side": "buy",
    "price": "60000",
    "quantity": "0.01",
    "fee": "0.3",
    "fee_asset": "USDT",
    "superseded_by_id": None,
}
COIN_FILL = FILL | {
    "client_order_id": "fb2",
    "symbol": COIN,
    "venue_fill_id": "8",
    "trade_id": 8,
    "exchange_order_id": "12",
    "order_id": 12,
    "price": "3000",
    "quantity": "1",
    "fee": "0.001",
    "fee_asset": "ETH",
}
COIN_ORDER = ORDER | {
    "id": 12,
    "symbol": COIN,
    "client_order_id": "fb2",
    "exchange_order_id": "12",
    "order_id": 12,
    "quantity": "1",
    "filled": "1",
    "filled_quantity": "1",
}
POSITION = {
    "account_id": 1,
    "api_key": "key-1",
    "symbol": PERP,
    "side": "long",
    "quantity": "0.010",
    "avg_entry": "60000",
    "entry_price": "60000",
    "realized_pnl": "0",
    "fees": "0.3",
}


def both() -> tuple[Books, Truth]:
    """Two sides that agree, each with rows of its own."""
    rows: dict[str, Any] = {"orders": [ORDER, COIN_ORDER], "fills": [FILL, COIN_FILL]}
    ours, theirs = copy.deepcopy(rows), copy.deepcopy(rows)
    spot = [
        {"market_type": "spot", "asset": "USDT", "free": "7000", "locked": "0"},
        {"market_type": "spot", "asset": "ETH", "free": "0.999", "locked": "0"},
    ]
    purses = {"USDT": {"free": "7000", "locked": "0"}, "ETH": {"free": "0.9990", "locked": "0"}}
    return (
        Books(positions=[], account_positions=[dict(POSITION)], balances={1: spot}, links=[], **ours),
        Truth(
            positions=[dict(POSITION)],
            balances={"key-1": {"is_unified": False, "futures": {"USDT": "9999.7"}, "spot": purses}},
            **theirs,
        ),
    )


def differences(books: Books, truth: Truth) -> list[str]:
    return [difference for check in compare(books, truth, [MEMBER]) for difference in check.differences]


def test_two_sides_that_say_the_same_agree_however_they_write_their_numbers() -> None:
    books, truth = both()
    assert differences(books, truth) == []
    assert all(check.compared for check in compare(books, truth, [MEMBER]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda b, t: b.fills[0].update(price="60000.000000000000000001"),
            "main BTC/USDT:USDT fb1 fill 1: price",
        ),
        (
            lambda b, t: b.fills[0].update(fee="0.29"),
            "fill 1: fee is 0.29 USDT here, 0.3 USDT at the exchange",
        ),
        (lambda b, t: b.fills.pop(0), "fb1 fill 1: only at the exchange"),
        (lambda b, t: t.fills.pop(0), "fb1 fill 1: only in the books"),
        (
            lambda b, t: b.orders[0].update(status="NEW"),
            "order fb1: status is NEW here, FILLED at the exchange",
        ),
        (lambda b, t: b.orders[0].update(filled_quantity="0"), "order fb1: filled is 0 here, 0.01"),
        (lambda b, t: t.orders.append(ORDER | {"client_order_id": "fb9"}), "order fb9: only at the exchange"),
        (lambda b, t: b.account_positions[0].update(side="short"), "quantity is -0.01 here, 0.01"),
        (lambda b, t: b.account_positions[0].update(avg_entry="60000.1"), "entry is 60000.1 here, 60000"),
        (lambda b, t: b.account_positions.clear(), "main BTC/USDT:USDT: only at the exchange"),
        (lambda b, t: b.account_positions[0].update(fees="0.4"), "main USDT: wallet is 9999.6 here, 9999.7"),
        (
            lambda b, t: b.fills[1].update(fee="0.002"),
            "main ETH: wallet is 0.998 here, 0.999 at the exchange",
        ),
        (
            lambda b, t: b.balances[1][1].update(locked="0.5"),
            "main ETH: locked is 0.5 here, 0 at the exchange",
        ),
    ],
)
def test_every_disagreement_is_named(spoil: Callable[[Books, Truth], object], said: str) -> None:
    books, truth = both()
    spoil(books, truth)
    assert any(said in difference for difference in differences(books, truth)), differences(books, truth)


def test_a_triggered_conditional_order_is_compared_with_the_order_that_it_became() -> None:
    books, truth = both()
    stop = {"order_type": "STOP_MARKET", "stop_price": "60000"}
    books.orders[0].update(stop)
    truth.orders[0].update(stop | {"child_id": 21, "filled": "0"})
    truth.orders.append(ORDER | {"order_id": 21, "parent_id": 11, "client_order_id": "fb1"})
    assert differences(books, truth) == []
    truth.orders[-1].update(status="CANCELED", filled="0.005")
    assert any("status is FILLED here, CANCELED at the exchange" in one for one in differences(books, truth))


def test_an_order_that_was_refused_before_it_reached_the_exchange_is_no_difference() -> None:
    books, truth = both()
    books.orders.append(
        ORDER | {"id": 13, "client_order_id": "fb3", "exchange_order_id": None, "status": "REJECTED"}
    )
    assert differences(books, truth) == []


def test_a_fill_without_its_profit_in_the_wallet_is_found() -> None:
    books, truth = both()
    for side in (books.account_positions, truth.positions):
        side[0].update(realized_pnl="5")
    assert differences(books, truth) == ["main USDT: wallet is 10004.7 here, 9999.7 at the exchange"]
