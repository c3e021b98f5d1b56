"""The alert format: what is understood, and the one clear answer to everything else."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fillbook.market.core import Side
from fillbook.signals.core.alert import Alert, LegKind, SignalType, leg_code, legs_from_json, legs_to_json
from fillbook.signals.core.errors import AlertRefused
from fillbook.signals.core.parsing import parse_alert
from fillbook.signals.core.reading import MAX_BODY_BYTES, read_body, token_in_text

MARKET_BUY = {
    "token": "whk_abc",
    "group_name": "trend",
    "symbol": "BTC/USDT",
    "order_type": "MARKET",
    "side": "buy",
    "qty_per": 10,
}


def parse(**changes: Any) -> Alert:
    return parse_alert(read_body(json.dumps({**MARKET_BUY, **changes}).encode()))


def refusal(**changes: Any) -> AlertRefused:
    with pytest.raises(AlertRefused) as caught:
        parse(**changes)
    return caught.value


def test_a_market_order_is_one_leg() -> None:
    alert = parse()
    assert (alert.token, alert.group_name, alert.symbol) == ("whk_abc", "trend", "BTC/USDT")
    (leg,) = alert.legs
    assert (leg.leg, leg.kind, leg.side, leg.qty_per) == ("0000", LegKind.MARKET, Side.BUY, Decimal(10))
    assert alert.signal_type is SignalType.BUY


@pytest.mark.parametrize(
    ("spelt", "side"), [("BUY", Side.BUY), ("Long", Side.BUY), ("sell", Side.SELL), ("SHORT", Side.SELL)]
)
def test_sides_are_read_in_any_case(spelt: str, side: Side) -> None:
    assert parse(side=spelt).legs[0].side is side


def test_numbers_may_be_numeric_strings_and_stay_exact() -> None:
    alert = parse(order_type="limit", price="67000.123456789012345678", qty_per=" 0.1 ")
    assert alert.legs[0].price == Decimal("67000.123456789012345678")
    assert alert.legs[0].qty_per == Decimal("0.1")


def test_a_json_number_never_passes_through_a_float() -> None:
    body = json.dumps(MARKET_BUY).replace("10}", "0.100000000000000005}").encode()
    assert parse_alert(read_body(body)).legs[0].qty_per == Decimal("0.100000000000000005")


def test_field_names_are_read_in_any_case_and_unknown_ones_are_kept_as_notes() -> None:
    alert = parse(Comment="breakout", interval="60", confidence="0.7", indicators={"rsi": 61.5}, bar=3)
    assert (alert.reason, alert.timeframe, alert.confidence) == ("breakout", "60", Decimal("0.7"))
    assert alert.indicators == {"rsi": "61.5"}
    assert alert.meta == {"bar": "3"}


def test_below_zero_closes_and_needs_no_side() -> None:
    alert = parse(side=None, qty_per=-50)
    assert alert.legs[0].closes
    assert alert.legs[0].log_side == "close"
    assert alert.signal_type is SignalType.CLOSE


def test_a_cancel_needs_neither_side_nor_quantity() -> None:
    alert = parse(order_type="CANCEL_ALL_ORDER", side=None, qty_per=None)
    assert (alert.legs[0].kind, alert.legs[0].log_side) == (LegKind.CANCEL_ALL_ORDER, "all")
    assert alert.signal_type is SignalType.CANCEL


def test_a_batch_runs_by_kind_and_stays_in_order_within_a_kind() -> None:
    orders = [
        {"order_type": "STOP_LIMIT", "side": "sell", "qty_per": 1, "price": 1, "stop_price": 2},
        {"order_type": "LIMIT", "side": "buy", "qty_per": 2, "price": 1},
        {"order_type": "CANCEL_ALL_ORDER"},
        {"order_type": "STOP_MARKET", "side": "sell", "qty_per": 3, "stop_price": 2},
        {"order_type": "MARKET", "side": "buy", "qty_per": 4},
        {"order_type": "LIMIT", "side": "buy", "qty_per": 5, "price": 1},
    ]
    alert = parse(orders=orders)
    assert [(leg.leg, leg.position, leg.kind.value) for leg in alert.legs] == [
        ("0000", 2, "CANCEL_ALL_ORDER"),
        ("0001", 4, "MARKET"),
        ("0002", 1, "LIMIT"),
        ("0003", 5, "LIMIT"),
        ("0004", 3, "STOP_MARKET"),
        ("0005", 0, "STOP_LIMIT"),
    ]
    assert alert.signal_type is SignalType.BUY


def test_a_batch_may_name_its_symbol_in_each_order() -> None:
    order = {"order_type": "MARKET", "side": "buy", "qty_per": 1, "symbol": "ETHUSDT"}
    assert parse(symbol=None, orders=[order, order]).symbol == "ETHUSDT"


ORDER = {"order_type": "MARKET", "side": "buy", "qty_per": 1}


@pytest.mark.parametrize(
    ("changes", "code", "loc"),
    [
        ({"symbol": None}, "missing_field", ("symbol",)),
        ({"group_name": " "}, "missing_field", ("group_name",)),
        ({"order_type": None}, "missing_field", ("order_type",)),
        ({"qty_per": None}, "missing_field", ("qty_per",)),
        ({"side": None}, "missing_field", ("side",)),
        ({"side": "up"}, "invalid_side", ("side",)),
        ({"side": True}, "invalid_side", ("side",)),
        ({"side": "{{strategy.order.action}}"}, "invalid_side", ("side",)),
        ({"order_type": "ICEBERG"}, "invalid_order_type", ("order_type",)),
        ({"order_type": "LIMIT"}, "price_required", ("price",)),
        ({"order_type": "STOP_LIMIT", "price": 1}, "stop_price_required", ("stop_price",)),
        ({"order_type": "STOP_MARKET"}, "stop_price_required", ("stop_price",)),
        ({"order_type": "LIMIT", "price": 0}, "invalid_price", ("price",)),
        ({"order_type": "LIMIT", "price": "-1"}, "invalid_price", ("price",)),
        ({"order_type": "LIMIT", "price": "{{close}}"}, "invalid_price", ("price",)),
        ({"qty_per": 0}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "0.00"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": -101}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "1_000"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "NaN"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "１０"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "1e999"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "1e-30"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": "0.1234567890123456789"}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": [1]}, "invalid_quantity", ("qty_per",)),
        ({"qty_per": True}, "invalid_quantity", ("qty_per",)),
        ({"orders": []}, "empty_batch", ("orders",)),
        ({"orders": "x"}, "invalid_field", ("orders",)),
        ({"orders": [1]}, "invalid_field", ("orders", 0)),
        ({"orders": [ORDER] * 31}, "too_many_orders", ("orders",)),
        ({"orders": [ORDER, {**ORDER, "symbol": "ETH/USDT"}]}, "mixed_symbols", ("orders", 1, "symbol")),
        ({"orders": [ORDER, {**ORDER, "order_type": "LIMIT"}]}, "price_required", ("orders", 1, "price")),
        ({"symbol": "X" * 51}, "invalid_field", ("symbol",)),
        ({"symbol": 5}, "invalid_field", ("symbol",)),
    ],
)
def test_each_fault_has_its_code_and_its_place(
    changes: dict[str, Any], code: str, loc: tuple[Any, ...]
) -> None:
    error = refusal(**changes)
    assert (error.code, error.loc) == (code, loc)
    assert error.status == 422


def test_thirty_orders_are_taken_and_above_a_hundred_percent_is_left_to_the_link() -> None:
    assert len(parse(orders=[ORDER] * 30).legs) == 30
    assert parse(qty_per=250).legs[0].qty_per == Decimal(250)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"BTCUSDT buy",
        b"[1]",
        b'{"a": }',
        b"{'symbol': 'BTC/USDT'}",
        b'{"qty_per": NaN}',
        b'{"qty_per": Infinity}',
        b'{"side": "buy", "side": "sell"}',
        b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}",
        b"[" * 60_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a\\u0000": 1}',
        b"\xff\xfe{}",
    ],
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(AlertRefused) as caught:
        parse_alert(read_body(body))
    assert (caught.value.code, caught.value.status) == ("malformed_json", 400)


def test_the_place_of_a_json_fault_is_named() -> None:
    with pytest.raises(AlertRefused, match="line 2, column 10"):
        read_body(b'{"a": 1,\n "side": buy}')


@pytest.mark.parametrize(
    "body", [b'{"token": whk-12345678}', b'{"a": 1 "secret": "s3cr3t"}', b'{"a": 1\x00}']
)
def test_a_json_fault_near_a_key_quotes_nothing_of_it(body: bytes) -> None:
    with pytest.raises(AlertRefused) as caught:
        read_body(body)
    assert not any(text in caught.value.detail for text in ("whk-", "s3cr3t", "\x00"))


def test_a_body_above_the_limit_is_too_large() -> None:
    with pytest.raises(AlertRefused) as caught:
        read_body(b" " * (MAX_BODY_BYTES + 1))
    assert (caught.value.code, caught.value.status) == ("body_too_large", 413)


def test_the_key_is_found_in_a_body_that_is_not_json() -> None:
    assert token_in_text(b'{"token": "whk_0123456789abcdef", "side": buy}') == "whk_0123456789abcdef"
    assert token_in_text(b"hello") is None


def test_legs_survive_their_column() -> None:
    legs = parse(
        orders=[ORDER, {"order_type": "LIMIT", "side": "sell", "qty_per": "0.5", "price": "1e-8"}]
    ).legs
    assert legs_from_json(json.loads(json.dumps(legs_to_json(legs)))) == legs


def test_leg_codes_sort_like_their_numbers() -> None:
    codes = [leg_code(number) for number in range(100)]
    assert codes == sorted(codes)
    assert codes[35:37] == ["000z", "0010"]


@pytest.mark.parametrize("moment", ["2026-11-20T11:00:00Z", 1795172400, "1795172400000"])
def test_the_time_of_sending_is_read_in_every_spelling(moment: Any) -> None:
    sent_at = parse(timenow=moment).sent_at
    assert sent_at is not None
    assert sent_at.isoformat() == "2026-11-20T11:00:00+00:00"


def test_the_time_of_the_bar_says_nothing_about_when_the_alert_was_sent() -> None:
    alert = parse(time="2026-11-20T10:00:00Z")
    assert alert.sent_at is None
    assert alert.is_timed


json_values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8) | st.integers() | st.floats(),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=5), child, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["symbol", "group_name", "order_type", "side", "price", "stop_price", "qty_per", "orders"]
        ),
        json_values | st.sampled_from(["MARKET", "LIMIT", "buy", "BTC/USDT", "1", -100]),
    )
)
def test_any_object_is_understood_or_refused(document: dict[str, Any]) -> None:
    try:
        alert = parse_alert(read_body(json.dumps(document).encode()))
    except AlertRefused as error:
        assert error.detail
        assert 400 <= error.status < 500
    else:
        assert alert.legs
