"""The one writer of facts in a process: gathers what arrives and books it in batches, each one transaction.

Facts of one account are booked in the order of their arrival. A batch that fails is booked fact by fact, so
that a fact which cannot be booked holds up no other account: its sender gets the error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from fillbook.trading.facts import Booked, Fact

BATCH_LIMIT: Final = 500
QUEUE_LIMIT: Final = 50_000

log = structlog.get_logger(__name__)

BookFacts = Callable[[Sequence[Fact]], Awaitable[Sequence[Booked]]]


class Bookkeeper:
    def __init__(self, book: BookFacts) -> None:
        self._book = book
        self._queue: asyncio.Queue[tuple[Fact, asyncio.Future[Booked]]] = asyncio.Queue(QUEUE_LIMIT)

    async def submit(self, fact: Fact) -> Booked:
        """Book a fact; returns when it is committed. Raises what booking it raised."""
        return await (await self.enqueue(fact))

    async def enqueue(self, fact: Fact) -> "asyncio.Future[Booked]":
        """Put a fact in line; the future ends when it is committed. Waits while the queue is full."""
        booked: asyncio.Future[Booked] = asyncio.get_running_loop().create_future()
        await self._queue.put((fact, booked))
        return booked

    async def run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._book_batch(batch)
            for _ in batch:
                self._queue.task_done()

    async def drain(self) -> None:
        """Wait until everything submitted so far is booked."""
        await self._queue.join()

    async def _book_batch(self, batch: Sequence[tuple[Fact, "asyncio.Future[Booked]"]]) -> None:
        try:
            results = await self._book([fact for fact, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                log.error(
                    "fact_not_booked",
                    account_id=batch[0][0].account_id,
                    error=type(error).__name__,
                    exc_info=error,
                )
                _settle(batch[0][1], error)
                return
            for one in batch:
                await self._book_batch([one])
            return
        for (_, future), booked in zip(batch, results, strict=True):
            _settle(future, booked)


def _settle(future: "asyncio.Future[Booked]", result: Booked | Exception) -> None:
    if future.cancelled():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        future.exception()  # a sender that does not wait is told by the log
    else:
        future.set_result(result)
