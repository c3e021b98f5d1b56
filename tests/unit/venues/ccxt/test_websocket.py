import asyncio
import random
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from fillbook.kernel.clock import SystemClock
from fillbook.market.errors import CredentialsRefused
from fillbook.orders.core.reports import StreamChange, StreamState
from fillbook.venues.ccxt.limits import ConnectionPace
from fillbook.venues.ccxt.websocket import (
    LONGEST_BACKOFF_S,
    EventQueue,
    LiveSocket,
    StreamLost,
    merged,
)

CLOSED = SimpleNamespace(type=aiohttp.WSMsgType.CLOSED, data=None)


def text(data):
    return SimpleNamespace(type=aiohttp.WSMsgType.TEXT, data=data)


class FakeSocket:
    """Answers with a script, then stays silent for ever."""

    def __init__(self, script):
        self.script = list(script)
        self.sent = []
        self.is_closed = False
        self.close_code = 1006

    async def receive(self):
        if not self.script:
            await asyncio.Event().wait()
        return self.script.pop(0)

    async def send_str(self, message):
        self.sent.append(message)

    async def close(self):
        self.is_closed = True

    def exception(self):
        return OSError()


class FakeSession:
    """Hands out sockets in order; an exception in the list is raised instead. Then it never answers."""

    def __init__(self, *sockets):
        self.sockets = list(sockets)
        self.connected = []

    async def ws_connect(self, address, **_):
        if not self.sockets:
            await asyncio.Event().wait()
        socket = self.sockets.pop(0)
        if isinstance(socket, Exception):
            raise socket
        self.connected.append(address)
        return socket


class EchoDialogue:
    name = "spot"

    def __init__(self, renew_every_s=None, greeting=None, ping=None):
        self.ping = ping
        self.renew_every_s = renew_every_s
        self._greeting = greeting
        self.renewals = 0

    async def address(self):
        return "ws://somewhere"

    def greeting(self):
        return self._greeting

    def acknowledges(self, message):
        if message == "refused":
            raise StreamLost("the subscription was refused")
        return "subscribe" if message == "logged in" else message == "ok"

    async def events(self, message):
        if message == "end":
            raise StreamLost("ended by the venue")
        return [message]

    async def renew(self):
        self.renewals += 1
        if self.renewals == 3:
            raise StreamLost("the key is dead")


UP = StreamChange(StreamState.CONNECTED, "spot")


def down(reason):
    return StreamChange(StreamState.DISCONNECTED, f"spot: {reason}")


def events_of(clock, session, dialogue, queue=None):
    queue = queue or EventQueue()
    socket = LiveSocket(
        dialogue, queue, lambda: session, clock, random.Random(1), ConnectionPace(clock, 100, 60)
    )
    return merged([socket], queue)


async def take(stream, count):
    found = []
    async with asyncio.timeout(5):
        async for event in stream:
            found.append(event)
            if len(found) == count:
                break
    await stream.aclose()
    return found


async def test_events_follow_the_connection_and_a_loss_is_told_before_the_next_connection(clock):
    session = FakeSession(FakeSocket([text('"a"'), text('"b"'), CLOSED]), FakeSocket([text('"c"')]))
    found = await take(events_of(clock, session, EchoDialogue()), 6)
    assert found == [UP, "a", "b", down("closed with code 1006"), UP, "c"]


async def test_connected_is_said_only_once_the_subscription_is_acknowledged(clock):
    socket = FakeSocket([text('"noise"'), text('"ok"'), text('"a"')])
    session = FakeSession(FakeSocket([text('"refused"')]), socket)
    found = await take(events_of(clock, session, EchoDialogue(greeting="hello")), 3)
    assert found == [down("the subscription was refused"), UP, "a"]
    assert socket.sent == ["hello"]


async def test_an_end_by_the_venue_closes_the_socket_and_begins_again(clock):
    first = FakeSocket([text('"end"')])
    found = await take(events_of(clock, FakeSession(first, FakeSocket([])), EchoDialogue()), 3)
    assert found == [UP, down("ended by the venue"), UP]
    assert first.is_closed


async def test_a_message_that_is_not_json_is_a_loss_not_a_silence(clock):
    found = await take(events_of(clock, FakeSession(FakeSocket([text("{half")])), EchoDialogue()), 2)
    assert found == [UP, down("a message is not JSON")]


async def test_a_full_queue_is_a_loss_and_what_was_queued_still_arrives(clock):
    queue = EventQueue(size=3)
    session = FakeSession(FakeSocket([text('"a"'), text('"b"'), text('"c"'), text('"d"')]), FakeSocket([]))
    stream = events_of(clock, session, EchoDialogue(), queue)
    found = [await anext(stream)]
    for _ in range(20):
        await asyncio.sleep(0)
    found += await take(stream, 5)
    assert found == [UP, "a", "b", "c", down("events came faster than they were taken"), UP]


async def test_a_dead_subscription_is_noticed_by_its_renewal(clock):
    dialogue = EchoDialogue(renew_every_s=1200)
    found = await take(events_of(clock, FakeSession(FakeSocket([]), FakeSocket([])), dialogue), 3)
    assert found == [UP, down("the key is dead"), UP]
    assert clock.slept[:3] == [1200, 1200, 1200]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (aiohttp.ClientConnectionError("wss://x?listenKey=secret"), "cannot connect (ClientConnectionError)"),
        (OSError("refused"), "cannot connect (OSError)"),
    ],
)
async def test_a_connection_that_fails_tells_its_kind_and_no_address(clock, error, reason):
    found = await take(events_of(clock, FakeSession(error, FakeSocket([])), EchoDialogue()), 2)
    assert found == [down(reason), UP]


async def test_refused_credentials_are_told_as_such(clock):
    class Refused(EchoDialogue):
        async def address(self):
            raise CredentialsRefused("Binance refuses this API key.")

    (found,) = await take(events_of(clock, FakeSession(), Refused()), 1)
    assert found == down("credentials refused: Binance refuses this API key.")


async def test_the_pause_between_attempts_grows_to_a_bound(clock):
    failures = [OSError() for _ in range(12)]
    await take(events_of(clock, FakeSession(*failures, FakeSocket([])), EchoDialogue()), 13)
    assert all(pause <= LONGEST_BACKOFF_S for pause in clock.slept)
    assert clock.slept[0] <= 1 < clock.slept[5]
    assert max(clock.slept) > LONGEST_BACKOFF_S / 2


async def test_closing_the_iterator_closes_the_sockets(clock):
    socket = FakeSocket([text('"a"')])
    await take(events_of(clock, FakeSession(socket), EchoDialogue()), 2)
    assert socket.is_closed


async def test_an_error_that_nobody_expects_ends_the_iterator(clock):
    class Broken(EchoDialogue):
        async def events(self, message):
            raise ZeroDivisionError

    stream = events_of(clock, FakeSession(FakeSocket([text('"a"')])), Broken())
    assert await anext(stream) == UP
    with pytest.raises(ZeroDivisionError):
        await anext(stream)


class RealDialogue(EchoDialogue):
    def __init__(self, url):
        super().__init__()
        self._url = url

    async def address(self):
        return self._url


@pytest.mark.parametrize("answers_pings", [False, True])
async def test_a_peer_that_answers_no_ping_is_left_within_a_heartbeat_and_a_half(monkeypatch, answers_pings):
    monkeypatch.setattr("fillbook.venues.ccxt.websocket.HEARTBEAT_S", 0.2)
    release = asyncio.Event()

    async def serve(request):
        socket = web.WebSocketResponse(autoping=answers_pings)
        await socket.prepare(request)
        reading = asyncio.create_task(anext(aiter(socket), None)) if answers_pings else None
        await release.wait()
        if reading is not None:
            reading.cancel()
        return socket

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    queue = EventQueue()
    async with aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        clock = SystemClock()
        pace = ConnectionPace(clock, 100, 60)
        socket = LiveSocket(RealDialogue(url), queue, lambda: session, clock, random.Random(1), pace)
        stream = merged([socket], queue)
        assert await anext(stream) == UP
        ended = asyncio.ensure_future(anext(stream))
        await asyncio.wait([ended], timeout=1)
        assert ended.done() is not answers_pings
        if ended.done():
            assert ended.result().state is StreamState.DISCONNECTED
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        await stream.aclose()
    release.set()
    await runner.cleanup()


async def test_a_login_is_followed_by_the_subscription_and_only_that_is_connected():
    socket = FakeSocket([text('"logged in"'), text('"ok"'), text('"an event"')])
    stream = events_of(SystemClock(), FakeSession(socket), EchoDialogue(greeting="login"))
    assert [await anext(stream), await anext(stream)] == [UP, "an event"]
    await stream.aclose()
    assert socket.sent == ["login", "subscribe"]


async def test_a_venues_own_ping_is_sent_and_its_bare_pong_is_no_event(monkeypatch):
    monkeypatch.setattr("fillbook.venues.ccxt.websocket.HEARTBEAT_S", 0.01)
    socket = FakeSocket([text("pong"), text('"an event"')])
    stream = events_of(SystemClock(), FakeSession(socket), EchoDialogue(ping="ping"))
    assert [await anext(stream), await anext(stream)] == [UP, "an event"]
    assert await anext(stream) == down("no answer to pings")
    await stream.aclose()
    assert socket.sent[0] == "ping"
