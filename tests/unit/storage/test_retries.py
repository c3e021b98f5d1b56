"""Which errors say that the database is away, and which are faults of ours."""

from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.storage.retries import is_away, is_worth_repeating


class DriverError(Exception):
    sqlstate: str | None = None
    sqlite_errorname: str | None = None


def wrapped(*arguments: Any, lost: bool = False, **attributes: str) -> sa.exc.DBAPIError:
    original = DriverError(*arguments)
    for name, value in attributes.items():
        setattr(original, name, value)
    return sa.exc.OperationalError("SELECT 1", None, original, connection_invalidated=lost)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        sa.exc.TimeoutError("every connection is in use"),
        wrapped("lost", lost=True),
        wrapped(2003, "Can't connect"),
        wrapped(2013, "Lost connection during query"),
        wrapped(sqlstate="57P01"),
        wrapped(sqlstate="08006"),
        wrapped(sqlstate="53300"),
        wrapped(sqlite_errorname="SQLITE_BUSY"),
    ],
    ids=repr,
)
def test_a_database_that_cannot_be_reached_is_away(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [wrapped(1146, "no such table"), wrapped(sqlstate="23505"), wrapped("x"), ValueError("ours")],
    ids=repr,
)
def test_a_fault_of_ours_is_not_taken_for_an_absence(error: Exception) -> None:
    assert not is_away(error)


def test_a_lost_connection_is_not_worth_repeating_for_its_commit_may_have_arrived() -> None:
    assert not is_worth_repeating(wrapped(1213, lost=True))
    assert is_worth_repeating(wrapped(1213))
