"""Every row of an answer is read by itself, whatever the code above it says."""

import random

import pytest

from fillbook.accounts.core import Credentials, Environment
from fillbook.orders.core.outcomes import Rejected, Unknown
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.okx.answers import acted_rows, failure_of, only_row, rows_of
from fillbook.venues.ccxt.okx.endpoints import PROFILE, has_rows
from fillbook.venues.ccxt.site import Site


def answer(*rows, code="0"):
    return {"code": code, "msg": "", "data": list(rows)}


DONE = {"ordId": "7", "clOrdId": "a", "sCode": "0", "sMsg": ""}


def refused(code):
    return {"ordId": "", "clOrdId": "a", "sCode": code, "sMsg": "because"}


@pytest.mark.parametrize("code", ["0", "1", "2"])
async def test_a_refused_row_is_a_refusal_under_any_top_code(link, code):
    assert only_row(answer(refused("51008"), code=code), link.client) == Rejected("51008", "because")
    assert only_row(answer(refused("51149"), code=code), link.client) == Unknown("51149", "because")
    assert only_row(answer(DONE, code=code), link.client) == DONE


@pytest.mark.parametrize("broken", [None, "<html>", [], {}, {"code": "0"}, answer(), answer(DONE, DONE)])
async def test_an_answer_that_names_not_just_what_was_asked_for_proves_nothing(link, broken):
    assert isinstance(only_row(broken, link.client), Unknown)


async def test_a_row_has_the_class_that_ccxt_would_give_it(link):
    assert failure_of(refused("51400"), link.client).kind is errors.OrderNotFound
    assert failure_of(refused("51008"), link.client).kind is errors.InsufficientFunds
    assert failure_of(refused("98765"), link.client).kind is errors.ExchangeError
    assert failure_of(DONE, link.client) is None


async def test_a_refusal_shows_no_secret(link):
    row = {"sCode": "51000", "sMsg": "bad key the-key with the-secret"}
    assert "the-" not in failure_of(row, link.client).message


def test_rows_without_a_code_of_their_own_are_no_answer_to_an_act():
    assert not has_rows(answer({"ordId": "7"}))
    assert not has_rows(answer())
    assert acted_rows(answer(DONE, {"ordId": "8"})) == []


@pytest.mark.parametrize("broken", [None, "text", {"code": "0"}, {"data": {}}])
def test_a_read_without_data_cannot_be_understood(broken):
    with pytest.raises(TypeError):
        rows_of(broken)


def raised(exchange, body, status=200):
    try:
        exchange.handle_errors(status, "", "https://x", "POST", {}, "", body, {}, "")
    except errors.BaseError as error:
        return type(error), error.venue_code
    return None


async def test_the_transport_raises_for_whole_requests_and_leaves_rows_to_us(clock):
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    exchange = site.client(None, Credentials("k", "s", "p")).exchange
    assert raised(exchange, answer(DONE, refused("51400"), code="2")) is None
    assert raised(exchange, answer(refused("51008"), code="1")) is None
    assert raised(exchange, {"code": "50113", "msg": "Invalid Sign", "data": []}, 401) == (
        errors.AuthenticationError,
        "50113",
    )
    assert raised(exchange, {"code": "51000", "msg": "Parameter error", "data": []}) == (
        errors.BadRequest,
        "51000",
    )
    assert raised(exchange, answer(refused("51008"), code="1"), 500) is not None
    await site.close()


async def test_every_request_of_a_demo_account_says_that_it_is_one(clock):
    for environment, expected in ((Environment.DEMO, "1"), (Environment.LIVE, None)):
        site = Site(PROFILE, environment, None, clock, random.Random(1))
        exchange = site.client(None, Credentials("k", "s", "p")).exchange
        assert exchange.headers.get("x-simulated-trading") == expected
        assert ("wspap" in site.stream_urls["private"]) is (environment is Environment.DEMO)
        await site.close()
