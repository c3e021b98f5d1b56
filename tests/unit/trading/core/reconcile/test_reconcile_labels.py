"""An order's id says whose it is and whether a signal asked for it; a database that went back in time shows in them."""

import random
from dataclasses import replace
from typing import Any

import pytest

from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.client_ids import MANUAL_CODE, Origin, make_client_order_id
from fillbook.orders.core.order import Book, Order, OrderStatus
from fillbook.trading.core.reconcile import Case, LocalSnapshot, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.repairs import Relabel
from fillbook.trading.core.reconcile.snapshots import Link
from support.trading import a_report, after, an_order

LINK = Link("abc123", strategy_id=4, strategy_account_id=3)
NOW = after(3600)


def name(origin: Origin = Origin.STRATEGY, code: str = LINK.code, leg: str = "1", by: str = "test") -> str:
    return str(make_client_order_id(by, origin, code, leg, random.Random(5)))


def books(*orders: Order, **changes: Any) -> LocalSnapshot:
    given = {"links": {LINK.code: LINK}, "newest_order_at": after(100), "catching_up_since": NOW, **changes}
    return LocalSnapshot(VenueName.BINANCE, frozenset({"test"}), NOW, orders=orders, **given)


@pytest.mark.parametrize(
    ("client_id", "changes", "is_relabelled"),
    [
        (name(), {}, False),
        (name(), {"signal_id": None}, True),
        (name(), {"strategy_account_id": None}, True),
        (name(Origin.MANUAL), {"signal_id": None}, False),
        (name(Origin.MANUAL), {"strategy_account_id": None, "signal_id": None}, True),
        (name(Origin.MANUAL, MANUAL_CODE), {"strategy_account_id": None, "signal_id": None}, False),
        (name(leg="sl"), {"signal_id": None}, False),
        (name(leg="late"), {"signal_id": None}, False),
        (name(code="zzzzzz"), {"strategy_account_id": None}, False),
        (name(by="othr"), {"strategy_account_id": None}, False),
        ("somebody-elses", {"strategy_account_id": None}, False),
    ],
    ids=[
        "whole",
        "without its signal",
        "without its strategy",
        "a person's close has no signal",
        "a person's close of a strategy's position",
        "a person's own",
        "protection has no signal",
        "a late close has no signal",
        "of no strategy of this account",
        "of another installation",
        "another program's",
    ],
)
def test_an_order_gets_back_what_its_id_says_and_no_more(
    client_id: str, changes: dict[str, Any], is_relabelled: bool
) -> None:
    order = an_order(client_order_id=client_id, status=OrderStatus.FILLED, **changes)
    plan = reconcile(books(order), VenueSnapshot(NOW))
    assert plan.repairs == ((Relabel(order, LINK),) if is_relabelled else ())
    assert [finding.case for finding in plan.findings] == [Case.LABEL_MISSING] * is_relabelled


def shown(client_id: str, at: float) -> VenueSnapshot:
    report = replace(a_report(OrderStatus.NEW), client_order_id=client_id, exchange_at=after(at))
    return VenueSnapshot(NOW, open_orders={(MarketType.FUTURES, Book.NORMAL): (report,)})


@pytest.mark.parametrize(
    ("client_id", "at", "cases"),
    [
        (name(), 200, [Case.BACKUP_RESTORED, Case.ORDER_MISSING]),
        (name(), 50, [Case.ORDER_MISSING]),
        (name(by="othr"), 200, [Case.EXTERNAL_ORDER]),
    ],
    ids=["younger than every row", "older than the youngest row", "of another installation"],
)
def test_orders_of_ours_that_are_younger_than_every_row_tell_of_an_older_database(
    client_id: str, at: float, cases: list[Case]
) -> None:
    plan = reconcile(books(), shown(client_id, at))
    assert [finding.case for finding in plan.findings] == cases
