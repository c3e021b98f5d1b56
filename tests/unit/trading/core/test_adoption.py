"""Whose order it is that a venue shows and nobody wrote down."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import Side
from fillbook.orders.core.client_ids import MANUAL_CODE, Origin, make_client_order_id
from fillbook.orders.core.order import Book, OrderStatus, OrderType, Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.risk.core import RESERVED
from fillbook.strategies.core import CodedLink
from fillbook.trading.core.adoption import EXTERNAL, LEVERAGE_ESTIMATED, adopted_row, adoption_of
from fillbook.trading.facts import OrderSeen
from fillbook.trading.named_orders import NamedOrders
from support.trading import PERP, SENT, SPOT, a_report, after, an_account, an_order

LINK = CodedLink(strategy_account_id=3, strategy_id=9, account_id=1, code="abc123", leverage=Decimal(4))
LINKS = {(1, "abc123"): LINK}
OURS = {"inst"}


def name_of(
    origin: Origin = Origin.STRATEGY, code: str = "abc123", installation: str = "inst", leg: str = "0002"
) -> str:
    return str(make_client_order_id(installation, origin, code, leg, random.Random(1)))


def adopted(report: OrderReport, held: str = "0") -> dict[str, Any]:
    adoption = adoption_of(1, report.client_order_id, OURS, LINKS)
    return adopted_row(an_account(), report, adoption, SENT, held=Decimal(held))


def waiting(**changes: Any) -> OrderReport:
    return a_report(OrderStatus.NEW, **{"client_order_id": name_of(), **changes})


def test_an_id_of_ours_names_the_link_by_account_and_code() -> None:
    row = adopted(waiting())
    assert (row["owner"], row["strategy_id"], row["strategy_account_id"]) == (Owner.OURS, 9, 3)
    assert (row["origin"], row["leg"], row["trade_source"]) == ("strategy", "0002", TradeSource.WEBHOOK)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "web_1234",
        name_of()[:-1] + ("0" if name_of()[-1] != "0" else "1"),
        name_of(installation="othr"),
        name_of(code="nobody"),
    ],
    ids=["none", "foreign", "damaged", "another installation's", "a code nobody knows"],
)
def test_every_other_id_makes_an_order_external(name: str | None) -> None:
    assert adoption_of(1, name, OURS, LINKS) == EXTERNAL


def test_a_code_counts_on_the_accounts_that_its_strategy_is_linked_to() -> None:
    assert adoption_of(2, name_of(), OURS, LINKS) == EXTERNAL


def test_an_order_that_a_person_placed_here_is_ours_without_a_strategy() -> None:
    row = adopted(waiting(client_order_id=name_of(Origin.MANUAL, MANUAL_CODE)))
    assert (row["owner"], row["strategy_id"], row["leg"]) == (Owner.OURS, None, "")
    assert (row["exit_reason"], row["reserved"]) == (ExitReason.MANUAL, 0)


def test_a_persons_close_of_a_strategys_position_is_the_strategys_and_by_hand() -> None:
    row = adopted(waiting(client_order_id=name_of(Origin.MANUAL)))
    assert (row["strategy_account_id"], row["exit_reason"]) == (3, ExitReason.MANUAL)


@pytest.mark.parametrize(
    ("origin", "leg", "reason", "booked_leg"),
    [
        (Origin.STRATEGY, "0002", ExitReason.SIGNAL_REVERSE, "0002"),
        (Origin.STRATEGY, "sl", ExitReason.STOP_LOSS, "sl"),
        (Origin.MANUAL, "tp", ExitReason.TAKE_PROFIT, "tp"),
        (Origin.STRATEGY, "late", ExitReason.SIGNAL_REVERSE, "late"),
        (Origin.GRID, "0101", ExitReason.GRID, "0101"),
        (Origin.RISK, "0", ExitReason.KILL_SWITCH, "0000"),
    ],
)
def test_the_exit_reason_is_derived_from_who_wanted_the_order_and_as_what(
    origin: Origin, leg: str, reason: ExitReason, booked_leg: str
) -> None:
    row = adopted(waiting(client_order_id=name_of(origin, leg=leg)))
    assert (row["exit_reason"], row["leg"]) == (reason, booked_leg)


def test_the_links_leverage_stands_in_for_the_orders_and_is_marked() -> None:
    row = adopted(waiting())
    assert row["leverage"] == 4
    assert {"op": "", "label": LEVERAGE_ESTIMATED, "value": "4"} in row["sizing"]


@pytest.mark.parametrize(("second", "leverage"), [(-5, 2), (1, 2), (10, 3), (99, 4)])
def test_the_leverage_is_the_links_of_that_time(second: int, leverage: int) -> None:
    had = ((SENT, Decimal(2)), (after(10), Decimal(3)), (after(20), Decimal(4)))
    assert replace(LINK, leverages=had).leverage_at(after(second)) == leverage


def test_spot_has_no_leverage_to_estimate() -> None:
    row = adopted(waiting(symbol=SPOT))
    assert row["leverage"] == 1
    assert [step["label"] for step in row["sizing"]] == [RESERVED]


@pytest.mark.parametrize(
    ("changes", "held", "reserved"),
    [
        ({}, "0", "25"),
        ({}, "-0.6", "10"),
        ({}, "-2", "0"),
        ({}, "3", "25"),
        ({"reduce_only": True}, "0", "0"),
        ({"side": Side.SELL, "position_side": PositionSide.LONG}, "0", "0"),
        ({"side": Side.SELL, "symbol": SPOT}, "0", "0"),
        ({"symbol": SPOT}, "0", "100"),
        ({"price": None}, "0", "0"),
    ],
    ids=[
        "opens",
        "opens what is beyond the close",
        "closes",
        "adds",
        "reduce-only",
        "closes a leg",
        "sells spot",
        "buys spot",
        "has no price",
    ],
)
def test_a_waiting_order_reserves_what_it_would_open(
    changes: dict[str, Any], held: str, reserved: str
) -> None:
    assert adopted(waiting(**changes), held)["reserved"] == Decimal(reserved)


# Orders of others may bear the name of one that is over.


def unknown(orders: NamedOrders, *reports: OrderReport) -> list[tuple[str, bool]]:
    found = orders.unknown_of([OrderSeen(1, report) for report in reports])
    return [(one.report.exchange_order_id, one.is_name_taken) for one in found]


def theirs(number: str, **changes: Any) -> OrderReport:
    return a_report(OrderStatus.NEW, **{"client_order_id": "tp1", "exchange_order_id": number, **changes})


def test_an_order_of_others_that_takes_a_finished_ones_name_is_another_order() -> None:
    orders = NamedOrders()
    orders.add(an_order(client_order_id="tp1", exchange_order_id="1", owner=Owner.EXTERNAL))
    assert unknown(orders, theirs("1"), theirs("2")) == [("2", True)]


def test_two_orders_of_others_with_one_name_are_two() -> None:
    assert unknown(NamedOrders(), theirs("1"), theirs("1"), theirs("2")) == [("1", False), ("2", True)]


def test_a_conditional_order_and_what_came_of_it_are_one() -> None:
    conditional = theirs("c1", book=Book.CONDITIONAL, order_type=OrderType.STOP_MARKET)
    assert unknown(NamedOrders(), conditional, theirs("5")) == [("c1", False)]
    triggered = replace(conditional, client_order_id=None, triggered_order_id="5")
    assert unknown(NamedOrders(), triggered, replace(theirs("5"), client_order_id=None)) == [("c1", False)]


def test_orders_of_two_symbols_with_one_name_are_two() -> None:
    conditional = theirs("c1", book=Book.CONDITIONAL, symbol=SPOT)
    assert unknown(NamedOrders(), theirs("1", symbol=PERP), conditional) == [("1", False), ("c1", True)]


def test_a_name_of_ours_is_one_order_whatever_the_venue_numbers_it() -> None:
    orders = NamedOrders()
    orders.add(an_order(client_order_id=name_of(), exchange_order_id="1"))
    assert unknown(orders, waiting(exchange_order_id="2")) == []
