import pytest

from fillbook.venues.ccxt.calls import MESSAGE_LIMIT, describe_failure, without_secrets
from fillbook.venues.ccxt.library import errors

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.binance.com/api/v3/order?timestamp=1&signature={'a1' * 32}",
        f"key {KEY} was refused",
        f"apiKey={KEY[:20]}&secret={SECRET[:20]}",
        f'{{"apiKey": "{KEY}", "signature": "{"b2" * 32}"}}',
        f"wss://fstream.binance.com/private/ws?listenKey={'pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1'}",
    ],
)
def test_no_key_signature_or_address_survives(text):
    cleaned = without_secrets(text, (KEY, SECRET))
    for planted in (KEY, KEY[:20], SECRET, SECRET[:20], "a1" * 32, "b2" * 32, "https://", "pqia91ma"):
        assert planted not in cleaned


def test_a_short_secret_is_removed_too():
    assert "pass1" not in without_secrets("the passphrase pass1 is wrong", ("pass1",))


def test_an_ordinary_sentence_stays_as_it_is():
    sentence = "Account has insufficient balance for requested action."
    assert without_secrets(sentence, (KEY,)) == sentence


def test_a_page_of_html_is_cut():
    assert len(without_secrets("<p>busy</p> " * 1000)) == MESSAGE_LIMIT


def test_a_transport_failure_tells_its_class_and_never_ccxts_message():
    error = errors.RequestTimeout(f"binance POST https://api.binance.com/api/v3/order?signature={'c3' * 32}")
    failure = describe_failure(error, (KEY,))
    assert failure.code == "RequestTimeout"
    assert "c3" not in str(failure)
