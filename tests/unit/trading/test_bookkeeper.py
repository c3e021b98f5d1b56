"""The one writer of facts: in order, in batches, and a fact that cannot be booked holds up no other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from fillbook.trading.bookkeeper import BATCH_LIMIT, Bookkeeper
from fillbook.trading.facts import Booked, Fact, LookedUp
from support.trading import SENT, an_order


def fact(number: int) -> LookedUp:
    return LookedUp(an_order(id=number), clean=True, at=SENT + timedelta(seconds=number))


class Books:
    """Books what it is given, all of a batch or nothing; some facts it never can."""

    def __init__(self, *unbookable: int) -> None:
        self.unbookable = set(unbookable)
        self.batches: list[list[int]] = []
        self.booked: list[int] = []

    async def book(self, facts: Sequence[Fact]) -> list[Booked]:
        numbers = [one.order.id for one in facts if isinstance(one, LookedUp)]
        self.batches.append(numbers)
        await asyncio.sleep(0)
        if self.unbookable & set(numbers):
            raise ValueError("it does not add up")
        self.booked += numbers
        return [Booked(one.order) for one in facts if isinstance(one, LookedUp)]


@asynccontextmanager
async def keeping(books: Books) -> AsyncIterator[Bookkeeper]:
    bookkeeper = Bookkeeper(books.book)
    task = asyncio.create_task(bookkeeper.run())
    yield bookkeeper
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_facts_are_booked_in_the_order_of_their_arrival_and_each_sender_gets_its_own_answer() -> None:
    books = Books()
    async with keeping(books) as bookkeeper:
        answers = await asyncio.gather(*(bookkeeper.submit(fact(number)) for number in range(1, 21)))
    assert books.booked == list(range(1, 21))
    assert [answer.order.id for answer in answers if answer.order] == list(range(1, 21))


async def test_what_waits_together_is_booked_in_one_transaction_of_bounded_size() -> None:
    books = Books()
    bookkeeper = Bookkeeper(books.book)
    waiting = [await bookkeeper.enqueue(fact(number)) for number in range(BATCH_LIMIT + 3)]
    task = asyncio.create_task(bookkeeper.run())
    await asyncio.gather(*waiting)
    task.cancel()
    assert [len(batch) for batch in books.batches] == [BATCH_LIMIT, 3]


async def test_a_fact_that_cannot_be_booked_holds_up_no_other_and_its_sender_is_told() -> None:
    books = Books(3)
    bookkeeper = Bookkeeper(books.book)
    waiting = [await bookkeeper.enqueue(fact(number)) for number in range(1, 6)]
    task = asyncio.create_task(bookkeeper.run())
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    task.cancel()
    assert books.booked == [1, 2, 4, 5]
    assert [isinstance(answer, ValueError) for answer in answers] == [False, False, True, False, False]


async def test_the_bookkeeper_goes_on_after_a_fact_that_cannot_be_booked() -> None:
    async with keeping(Books(1)) as bookkeeper:
        with pytest.raises(ValueError, match="add up"):
            await bookkeeper.submit(fact(1))
        assert (await bookkeeper.submit(fact(2))).order == an_order(id=2)


async def test_a_sender_that_has_gone_does_not_stop_its_fact_from_being_booked() -> None:
    books = Books()
    bookkeeper = Bookkeeper(books.book)
    gone = await bookkeeper.enqueue(fact(1))
    gone.cancel()
    task = asyncio.create_task(bookkeeper.run())
    await bookkeeper.submit(fact(2))
    task.cancel()
    assert books.booked == [1, 2]


async def test_draining_waits_until_everything_is_booked() -> None:
    books = Books(2)
    async with keeping(books) as bookkeeper:
        for number in range(1, 5):
            await bookkeeper.enqueue(fact(number))
        await bookkeeper.drain()
        assert books.booked == [1, 3, 4]
