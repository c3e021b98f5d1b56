"""Each refusal reaches ccxt as the class that the real venue's does, and row refusals stand in their rows."""

import ccxt.async_support as ccxt
import pytest

from fillbook.venues.sim.wire.okx.errors import CANCEL_CANCELED, CANCEL_FILLED, CANCEL_UNKNOWN

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def order(symbol, kind, side, amount, price=None, **params):
    return lambda client: client.create_order(symbol, kind, side, amount, price, params)


def raw(**row):
    terms = {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "limit"}
    return lambda client: client.privatePostTradeOrder(terms | {"sz": "1", "px": "50000"} | row)


ROWS = [
    (order(SPOT, "market", "buy", 1000), ccxt.InsufficientFunds, "51008"),
    (order(PERP, "market", "buy", 1_000_000), ccxt.InsufficientFunds, "51008"),
    (raw(sz="0.01"), ccxt.InvalidOrder, "51020"),
    (raw(sz="0.15"), ccxt.InvalidOrder, "51121"),
    (raw(px="50000.01"), ccxt.BadRequest, "51000"),
    (raw(px="-1"), ccxt.BadRequest, "51000"),
    (raw(tdMode="cash"), ccxt.BadRequest, "51000"),
    (raw(posSide="long"), ccxt.BadRequest, "51000"),
    (raw(clOrdId="has-dash"), ccxt.BadRequest, "51000"),
    (raw(clOrdId="a" * 33), ccxt.BadRequest, "51000"),
    (raw(instId="NONE-USDT"), ccxt.BadSymbol, "51001"),
    (order(PERP, "market", "sell", 1, reduceOnly=True), ccxt.ExchangeError, "51169"),
    (lambda client: client.fetch_order("1", SPOT), ccxt.OrderNotFound, "51603"),
    (lambda client: client.cancel_order("1", SPOT), ccxt.OrderNotFound, "51400"),
    (lambda client: client.cancel_order("1", PERP, {"trigger": True}), ccxt.OrderNotFound, "51400"),
    (lambda client: client.edit_order("1", PERP, "limit", "buy", 1, 50000), ccxt.OrderNotFound, "51503"),
    (lambda client: client.privateGetTradeFillsHistory(), ccxt.BadRequest, "50014"),
]


@pytest.mark.parametrize(("act", "kind", "code"), ROWS)
async def test_a_refusal_has_its_class_and_code(client, act, kind, code):
    with pytest.raises(ccxt.BaseError) as raised:
        await act(client)
    assert type(raised.value) is kind
    assert f'"{code}"' in str(raised.value)


@pytest.mark.parametrize(
    ("side", "params", "code"),
    [
        ("sell", {"stopLossPrice": 61000}, "51280"),
        ("sell", {"takeProfitPrice": 59000}, "51279"),
        ("buy", {"stopLossPrice": 59000}, "51278"),
        ("buy", {"takeProfitPrice": 61000}, "51277"),
    ],
)
async def test_a_refused_conditional_order_says_so_in_its_row_only(client, exchange, side, params, code):
    made = await client.create_order(PERP, "market", side, 1, None, params)
    assert (made["id"] or None, made["info"]["sCode"]) == (None, code)
    assert not exchange.orders


async def test_a_cancel_names_what_became_of_the_order(client):
    filled = await client.create_order(PERP, "market", "buy", 1)
    canceled = await client.create_order(PERP, "limit", "buy", 1, 50000)
    await client.cancel_order(canceled["id"], PERP)
    for order_id, refusal in (
        (filled["id"], CANCEL_FILLED),
        (canceled["id"], CANCEL_CANCELED),
        ("1", CANCEL_UNKNOWN),
    ):
        with pytest.raises(ccxt.OrderNotFound, match=refusal[0]):
            await client.cancel_order(order_id, PERP)


async def test_a_client_id_in_use_is_refused(client):
    await client.create_order(SPOT, "limit", "buy", 1, 50000, {"clientOrderId": "same"})
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await client.create_order(SPOT, "limit", "buy", 1, 50000, {"clientOrderId": "same"})


@pytest.mark.parametrize(
    ("name", "value", "kind", "code"),
    [
        ("secret", "wrong", ccxt.AuthenticationError, "50113"),
        ("password", "wrong", ccxt.AuthenticationError, "50105"),
        ("apiKey", "nobody", ccxt.ExchangeError, "50119"),
    ],
)
async def test_keys_passphrases_and_signatures_are_checked(client, name, value, kind, code):
    await client.fetch_balance()
    setattr(client, name, value)
    with pytest.raises(kind, match=code) as raised:
        await client.fetch_balance()
    assert type(raised.value) is kind


@pytest.mark.parametrize("offset_ms", [31_000, -31_000])
async def test_a_clock_that_is_thirty_seconds_off_is_refused(client, offset_ms):
    right = client.nonce
    client.nonce = lambda: right() + offset_ms
    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        await client.fetch_balance()


async def test_a_key_that_may_only_read_places_nothing(client, exchange):
    account = exchange.accounts["key"]
    rights = {"can_trade_spot": False, "can_trade_futures": False}
    permissions = type(account.permissions)(True, **rights, can_withdraw=False, ip_restricted=True)
    exchange.open_account("key", account.secret, passphrase=account.passphrase, permissions=permissions)
    with pytest.raises(ccxt.ExchangeError, match="50120"):
        await client.create_order(SPOT, "limit", "buy", 1, 50000)
    assert (await client.privateGetAccountConfig())["data"][0]["perm"] == "read_only"


async def test_faults_are_told_in_the_venues_form(client, sim):
    faults = sim.gateway("okx").faults
    faults.add({"kind": "rate_limit", "method": "POST"})
    with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
        await client.create_order(SPOT, "limit", "buy", 1, 50000)
    faults.add(
        {"kind": "refuse", "method": "POST", "code": "51149", "msg": "Order timed out.", "status": 200}
    )
    with pytest.raises(ccxt.ExchangeError, match='"sCode":"51149"'):
        await client.create_order(SPOT, "limit", "buy", 1, 50000)
    faults.add({"kind": "maintenance", "n": 1})
    with pytest.raises(ccxt.OnMaintenance, match="50001"):
        await client.fetch_balance()
