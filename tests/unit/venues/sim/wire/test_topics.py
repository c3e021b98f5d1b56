"""Private topics: each subscription is told by itself, faults stand between, and a client that left hears nothing."""

from fillbook.venues.sim.wire.topics import PrivateTopics


class Outlet:
    def __init__(self):
        self.heard = []

    def send(self, text):
        self.heard.append(text)


def test_a_client_that_listens_in_two_ways_is_told_twice():
    topics, client = PrivateTopics(lambda key, is_fill, send: send()), Outlet()
    assert topics.subscribe("alice", "all", client)
    assert topics.subscribe("alice", "BTC", client)
    assert not topics.subscribe("alice", "BTC", client)
    topics.tell("alice", lambda topic: topic in ("all", "BTC"), lambda topic: [topic], is_fill=False)
    assert client.heard == ["all", "BTC"]


def test_nobody_elses_events_are_heard():
    topics, alice, bob = PrivateTopics(lambda key, is_fill, send: send()), Outlet(), Outlet()
    topics.subscribe("alice", "all", alice)
    topics.subscribe("bob", "all", bob)
    topics.tell("alice", lambda topic: True, lambda topic: ["for alice"], is_fill=True)
    assert (alice.heard, bob.heard) == (["for alice"], [])
    assert topics.outlets("bob") == [bob]
    assert topics.outlets(None) == [alice, bob]


def test_messages_pass_the_faults_once_an_event_and_never_for_nobody():
    passed = []
    topics, client = PrivateTopics(lambda key, is_fill, send: passed.append((key, is_fill))), Outlet()
    topics.subscribe("alice", "all", client)
    topics.tell("alice", lambda topic: True, lambda topic: ["one", "two"], is_fill=True)
    topics.tell("alice", lambda topic: False, lambda topic: ["three"], is_fill=True)
    topics.forget(client)
    topics.tell("alice", lambda topic: True, lambda topic: ["four"], is_fill=True)
    assert passed == [("alice", True)]
    assert client.heard == []
