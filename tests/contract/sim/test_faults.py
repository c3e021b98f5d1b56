"""Each fault, and what the exchange's own truth says beside what the client was told."""

import asyncio
from pathlib import Path

import aiohttp
import ccxt.async_support as ccxt
import pytest

from fillbook.venues.sim.faults import KINDS, Faults

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
LIMIT = ("limit", "buy", 0.1, 50000)


async def test_an_accepted_order_whose_answer_is_lost_exists(futures, control):
    await control.post("faults", kind="accept_then_drop", method="POST", path="/fapi/v1/order$")
    with pytest.raises(ccxt.NetworkError):
        await futures.create_order(PERP, *LIMIT, {"clientOrderId": "lost"})
    assert (await futures.fetch_order(None, PERP, {"clientOrderId": "lost"}))["status"] == "open"
    request = (await control.get("requests"))[-2]
    assert (request["status"], request["faults"]) == (0, ["accept_then_drop"])


async def test_an_order_that_was_dropped_before_does_not_exist(futures, control):
    await control.post("faults", kind="drop_before_accept", method="POST", path="/fapi/v1/order$")
    with pytest.raises(ccxt.NetworkError):
        await futures.create_order(PERP, *LIMIT, {"clientOrderId": "lost"})
    with pytest.raises(ccxt.OrderNotFound):
        await futures.fetch_order(None, PERP, {"clientOrderId": "lost"})
    assert not await control.get("orders")


async def test_a_canceled_order_whose_answer_is_lost_is_sent_again_by_aiohttp(futures, control):
    made = await futures.create_order(PERP, *LIMIT)
    await control.post("faults", kind="accept_then_drop", method="DELETE")
    with pytest.raises(ccxt.OrderNotFound):
        await futures.cancel_order(made["id"], PERP)
    assert (await control.get("orders"))[0]["status"] == "CANCELED"


async def test_a_refusal_says_what_was_asked_for_and_n_times_only(spot, control):
    await control.post("faults", kind="refuse", n=2, path="/order$", status=400, code="-1015", msg="Too many")
    for _ in range(2):
        with pytest.raises(ccxt.RateLimitExceeded):
            await spot.create_order(SPOT, *LIMIT)
    assert (await spot.create_order(SPOT, *LIMIT))["status"] == "open"


async def test_an_unknown_error_may_hide_an_order_that_was_taken(spot, control):
    text = "Unknown error, please check your request or try again later."
    await control.post("faults", kind="accept_then_refuse", method="POST", status=503, msg=text)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await spot.create_order(SPOT, *LIMIT)
    assert len(await control.get("orders")) == 1


async def test_a_rate_limit_is_429_with_the_time_to_wait(spot, control):
    await control.post("faults", kind="rate_limit", api_key="key", retry_after_s=7)
    with pytest.raises(ccxt.DDoSProtection):
        await spot.fetch_balance()
    assert spot.last_response_headers["Retry-After"] == "7"


async def test_garbage_makes_an_order_without_an_id(spot, control):
    await control.post("faults", kind="garbage", method="POST", path="/order$")
    try:
        order = await spot.create_order(SPOT, *LIMIT)
    except ccxt.BaseError as error:
        assert not isinstance(error, ccxt.InvalidOrder)
    else:
        assert order["id"] is None
    assert len(await control.get("orders")) == 1


async def test_a_truncated_answer_is_no_refusal(spot, control):
    await control.post("faults", kind="truncate", method="POST", path="/order$")
    with pytest.raises(ccxt.BaseError) as error:
        await spot.create_order(SPOT, *LIMIT)
    assert type(error.value) in (ccxt.ExchangeError, ccxt.ExchangeNotAvailable, ccxt.NetworkError)
    assert len(await control.get("orders")) == 1


async def test_a_delay_holds_the_answer_back(make_client, control):
    async with make_client(ccxt.binance, timeout=200) as client:
        await client.load_markets()
        await control.post("faults", kind="delay", seconds=30, after=True, method="POST")
        with pytest.raises(ccxt.RequestTimeout):
            await client.create_order(SPOT, *LIMIT)
    assert len(await control.get("orders")) == 1


async def test_a_hidden_order_is_unknown_to_every_look_up_for_a_while(spot, control, sim):
    await control.post("faults", kind="hide_lookups", method="POST", seconds=60)
    made = await spot.create_order(SPOT, *LIMIT)
    with pytest.raises(ccxt.OrderNotFound):
        await spot.fetch_order(made["id"], SPOT)
    assert not await spot.fetch_open_orders(SPOT)
    assert not await spot.fetch_orders(SPOT)
    sim.exchange("binance").orders[int(made["id"])].hidden_until_ms = 0
    assert (await spot.fetch_order(made["id"], SPOT))["status"] == "open"


async def test_a_late_fill_comes_after_the_cancel(futures, control, listening):
    tap = await listening(futures)
    made = await futures.create_order(PERP, *LIMIT)
    await control.post("faults", kind="late_fill", method="DELETE", seconds=0, fraction="0.5")
    canceled = await futures.cancel_order(made["id"], PERP)
    assert (canceled["status"], canceled["filled"]) == ("canceled", 0)
    seen = await tap.until(lambda message: message.get("o", {}).get("x") == "TRADE")
    assert [m["o"]["x"] for m in seen if m["e"] == "ORDER_TRADE_UPDATE"] == ["NEW", "CANCELED", "TRADE"]
    order = await futures.fetch_order(made["id"], PERP)
    assert (order["status"], order["filled"]) == ("canceled", 0.05)


async def test_hidden_fills_are_in_the_history_but_not_in_the_stream(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="hide_fills", n=1)
    hidden = await futures.create_order(PERP, "market", "buy", 0.1)
    shown = await futures.create_order(PERP, "market", "buy", 0.2)
    seen = await tap.until(lambda message: message.get("o", {}).get("x") == "TRADE")
    assert str(seen[-1]["o"]["i"]) == shown["id"]
    trades = await futures.fetch_my_trades(PERP)
    assert [trade["order"] for trade in trades] == [hidden["id"], shown["id"]]


async def test_a_muted_stream_says_nothing_until_the_fault_is_cleared(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="mute_stream", n=0, api_key="key")
    await futures.create_order(PERP, "market", "buy", 0.1)
    await control.delete("faults")
    shown = await futures.create_order(PERP, *LIMIT)
    assert str((await tap.until(bool))[0]["o"]["i"]) == shown["id"]


async def test_duplicates_and_disorder_of_stream_messages(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="duplicate", n=1)
    first = await futures.create_order(PERP, *LIMIT)
    seen = [(await tap.until(bool))[0]["o"]["i"] for _ in range(2)]
    assert [str(one) for one in seen] == [first["id"], first["id"]]
    await control.post("faults", kind="reorder", n=1)
    second = await futures.create_order(PERP, *LIMIT)
    third = await futures.create_order(PERP, *LIMIT)
    seen = [(await tap.until(bool))[0]["o"]["i"] for _ in range(2)]
    assert [str(one) for one in seen] == [third["id"], second["id"]]


async def test_a_disconnect_reaches_the_one_who_waits(spot, control, listening):
    await listening(spot)
    waiting = asyncio.create_task(spot.watch_orders())
    await asyncio.sleep(0)
    assert (await control.post("faults", kind="disconnect", api_key="key"))["met"] == 1
    with pytest.raises(ccxt.NetworkError):
        async with asyncio.timeout(5):
            await waiting


async def test_an_expired_listen_key_ends_the_stream_in_silence(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="expire_listen_key")
    assert (await tap.until(bool))[0]["e"] == "listenKeyExpired"
    await futures.create_order(PERP, *LIMIT)
    with pytest.raises(ccxt.AuthenticationError):
        await futures.fapiPrivatePutListenKey()
    assert tap.messages.empty()


async def test_probability_is_repeatable(spot, control):
    met = []
    for _ in range(2):
        await control.post("faults", kind="refuse", n=0, path="/time$", probability=0.5, seed=3, code="-1003")
        row = ""
        for _ in range(12):
            try:
                await spot.fetch_time()
                row += "."
            except ccxt.BaseError:
                row += "x"
        met.append(row)
        await control.delete("faults")
    assert met[0] == met[1]
    assert set(met[0]) == {".", "x"}


async def test_a_proxys_page_says_nothing_of_what_happened(spot, control):
    for after, made in ((False, 0), (True, 1)):
        await control.post("faults", kind="error_page", status=502, after=after, method="POST")
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await spot.create_order(SPOT, *LIMIT)
        assert len(await control.get("orders")) == made


async def test_a_ban_refuses_everything_until_its_time_is_over(spot, control):
    await control.post("faults", kind="ban", for_s=30)
    for read in (spot.fetch_balance, spot.fetch_time):
        with pytest.raises(ccxt.DDoSProtection, match="banned"):
            await read()
    assert 25 <= int(spot.last_response_headers["Retry-After"]) <= 30
    await control.delete("faults")
    assert await spot.fetch_time()


async def test_a_fault_ends_when_its_time_is_over(clock):
    faults = Faults(clock)
    faults.add({"kind": "refuse", "for_s": 5})
    faults.add({"kind": "clock_skew", "seconds": -2.5, "for_s": 5})
    assert (len(faults.for_request("GET", "/", "")), faults.skew_ms()) == (1, -2500)
    clock.advance(4.9)
    assert len(faults.for_request("GET", "/", "")) == 1
    clock.advance(0.2)
    assert (faults.for_request("GET", "/", ""), faults.skew_ms(), faults.in_force()) == ([], 0, [])


async def test_maintenance_closes_the_sockets_and_lets_nobody_in(spot, control, listening, sim):
    await listening(spot)
    waiting = asyncio.create_task(spot.watch_orders())
    assert (await control.post("faults", kind="maintenance"))["met"] >= 1
    with pytest.raises(ccxt.NetworkError):
        async with asyncio.timeout(5):
            await waiting
    with pytest.raises(ccxt.OnMaintenance):
        await spot.create_order(SPOT, *LIMIT)
    url = f"ws://127.0.0.1:{sim.port('binance')}/ws-api/v3"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == 503
        await control.delete("faults")
        async with session.ws_connect(url) as socket:
            await socket.send_json({"method": "ping", "id": 1})
            assert (await socket.receive_json())["status"] == 200


async def test_a_half_open_socket_is_silent_and_answers_no_ping(control, sim):
    url = f"ws://127.0.0.1:{sim.port('binance')}/ws-api/v3"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"method": "ping", "id": 1})
        assert (await socket.receive_json())["status"] == 200
        assert (await control.post("faults", kind="half_open"))["met"] == 1
        await socket.send_json({"method": "ping", "id": 2})
        await socket.ping()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.3)
        assert not socket.closed
        async with session.ws_connect(url) as another:
            await another.send_json({"method": "ping", "id": 3})
            assert (await another.receive_json())["status"] == 200


async def test_a_late_message_is_overtaken_by_those_that_follow(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="late_message", seconds=0.3)
    first = await futures.create_order(PERP, *LIMIT)
    second = await futures.create_order(PERP, *LIMIT)
    seen = [(await tap.until(bool))[0]["o"]["i"] for _ in range(2)]
    assert [str(one) for one in seen] == [second["id"], first["id"]]


async def test_a_fill_is_told_with_another_fee_than_the_history_has(futures, control, listening):
    tap = await listening(futures)
    await control.post("faults", kind="correct_fill", fee="0.5")
    await futures.create_order(PERP, "market", "buy", 0.1)
    told = (await tap.until(lambda message: message.get("o", {}).get("x") == "TRADE"))[-1]["o"]
    (trade,) = await futures.fetch_my_trades(PERP)
    assert (float(told["n"]), str(told["t"])) == (0.5, trade["id"])
    assert trade["fee"]["cost"] == pytest.approx(0.1 * trade["price"] * 0.0005)


async def test_a_venue_whose_clock_goes_ahead_refuses_what_comes_too_late(spot, control):
    await control.post("faults", kind="clock_skew", n=0, seconds=20)
    with pytest.raises(ccxt.InvalidNonce):
        await spot.create_order(SPOT, *LIMIT)
    assert await spot.fetch_time() > spot.milliseconds() + 15_000
    await spot.load_time_difference()
    assert (await spot.create_order(SPOT, *LIMIT))["status"] == "open"


async def test_orders_that_rest_already_can_be_hidden(spot, control):
    made = await spot.create_order(SPOT, *LIMIT)
    assert (await control.post("faults", kind="hide_orders", seconds=60))["met"] == 1
    with pytest.raises(ccxt.OrderNotFound):
        await spot.fetch_order(made["id"], SPOT)
    assert not await spot.fetch_open_orders(SPOT)
    assert (await control.get("orders"))[0]["status"] == "NEW"


async def test_an_order_can_be_filled_whatever_its_state_and_size(futures, control):
    made = await futures.create_order(PERP, *LIMIT)
    await control.post("faults", kind="fill", order_id=made["id"], quantity="0.15")
    order = await futures.fetch_order(made["id"], PERP)
    assert (order["status"], order["amount"], order["filled"]) == ("closed", 0.1, 0.15)
    canceled = await futures.create_order(PERP, *LIMIT, {"clientOrderId": "late"})
    await futures.cancel_order(canceled["id"], PERP)
    await control.post("faults", kind="fill", api_key="key", client_order_id="late", quantity="0.1")
    order = await futures.fetch_order(canceled["id"], PERP)
    assert (order["status"], order["filled"]) == ("canceled", 0.1)


def test_every_kind_of_fault_has_a_test():
    source = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'kind="{kind}"' not in source] == []
