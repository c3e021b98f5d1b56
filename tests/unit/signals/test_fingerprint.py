"""When two alerts are one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillbook.signals.core.fingerprint import Verdict, fingerprint_of, judge, names_its_moment

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_order_of_fields_the_key_and_the_spelling_of_numbers_do_not_matter() -> None:
    first = fingerprint_of({"symbol": "A", "token": "one", "qty_per": Decimal("10.0")})
    assert first == fingerprint_of({"qty_per": Decimal(10), "symbol": "A", "Token": "two"})
    assert len(first) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"a": Decimal(100)},
        {"a": "10"},
        {"a": Decimal(-10)},
        {"a": Decimal(10), "b": None},
        {"a": [Decimal(10)]},
    ],
)
def test_another_body_has_another_fingerprint(other: dict[str, Any]) -> None:
    assert fingerprint_of({"a": Decimal(10)}) != fingerprint_of(other)


def test_an_absurd_exponent_costs_nothing() -> None:
    assert fingerprint_of({"a": Decimal("1e999")}) != fingerprint_of({"a": Decimal("1e998")})


def verdict(**changes: Any) -> Verdict:
    terms: dict[str, Any] = {
        "now": NOW,
        "sent_at": None,
        "max_age_s": None,
        "is_timed": False,
        "first_seen_at": None,
        "window_s": 30,
    }
    return judge(**{**terms, **changes})


def test_the_first_of_its_kind_is_accepted() -> None:
    assert verdict() is Verdict.ACCEPTED


def test_an_equal_body_within_the_window_is_a_repeat_and_after_it_is_meant() -> None:
    assert verdict(first_seen_at=NOW - timedelta(seconds=29)) is Verdict.DUPLICATE
    assert verdict(first_seen_at=NOW - timedelta(seconds=30)) is Verdict.ACCEPTED


def test_an_equal_body_with_its_own_time_is_a_repeat_however_late() -> None:
    assert verdict(first_seen_at=NOW - timedelta(days=3), is_timed=True) is Verdict.DUPLICATE


def test_an_alert_older_than_the_strategy_allows_is_stale() -> None:
    old = NOW - timedelta(seconds=61)
    assert verdict(sent_at=old, max_age_s=60) is Verdict.STALE
    assert verdict(sent_at=old, max_age_s=None) is Verdict.ACCEPTED
    assert verdict(sent_at=old, max_age_s=60, first_seen_at=old, is_timed=True) is Verdict.DUPLICATE


def test_an_empty_time_names_no_moment() -> None:
    assert names_its_moment({"TimeNow": "x"})
    assert not names_its_moment({"timenow": "", "time": None})
