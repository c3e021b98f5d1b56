"""Who listens to what: the clients of private topics, by account.

A topic is whatever a venue subscribes by, as long as it can be a key. One client that subscribes in two ways is
told twice, as venues do.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from fillbook.venues.sim.wire.ports import PassOn
from fillbook.venues.sim.wire.sockets import Outlet

T = TypeVar("T", bound=Hashable)


class PrivateTopics(Generic[T]):
    """Messages go out through `pass_on`, where faults may hold them back."""

    def __init__(self, pass_on: PassOn) -> None:
        self._pass_on = pass_on
        self._listening: dict[str, dict[tuple[T, Outlet], None]] = {}

    def subscribe(self, account: str, topic: T, outlet: Outlet) -> bool:
        """False when the client listens to it already."""
        listening = self._listening.setdefault(account, {})
        if (topic, outlet) in listening:
            return False
        listening[(topic, outlet)] = None
        return True

    def unsubscribe(self, account: str, topic: T, outlet: Outlet) -> None:
        self._listening.get(account, {}).pop((topic, outlet), None)

    def forget(self, outlet: Outlet) -> None:
        for listening in self._listening.values():
            for key in [key for key in listening if key[1] is outlet]:
                del listening[key]

    def outlets(self, account: str | None) -> list[Outlet]:
        """Clients with at least one subscription, of one account or of all, each once."""
        found = {
            outlet: None
            for owner, listening in self._listening.items()
            if account in (None, owner)
            for _, outlet in listening
        }
        return list(found)

    def tell(
        self, account: str, wants: Callable[[T], bool], write: Callable[[T], Iterable[str]], *, is_fill: bool
    ) -> None:
        """Write the messages of an event for each subscription that wants it; nothing is written for nobody."""
        texts = [
            (outlet, text)
            for topic, outlet in self._listening.get(account, {})
            if wants(topic)
            for text in write(topic)
        ]
        if texts:
            self._pass_on(account, is_fill, lambda: _send(texts))


def _send(texts: list[tuple[Outlet, str]]) -> None:
    for outlet, text in texts:
        outlet.send(text)
