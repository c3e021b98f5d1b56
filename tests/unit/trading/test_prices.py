"""One read of a price for however many ask, and a price that is not fresh is read again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Environment
from fillbook.market.core import Price, VenueName
from fillbook.market.errors import ReadFailed
from fillbook.trading.prices import FRESH_S, PriceBoard
from support.trading import PERP, SENT

KEY = (VenueName.BINANCE, Environment.DEMO)
LIVE = (VenueName.BINANCE, Environment.LIVE)


class Market:
    """A venue whose price rises by one at each read, and whose stream tells what it is given."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_down = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.told: asyncio.Queue[Price | None] = asyncio.Queue()
        self.followed: list[tuple[str, ...]] = []

    async def price(self, symbol: str) -> Price:
        self.reads += 1
        number = self.reads
        await self.may_answer.wait()
        if self.is_down:
            raise ReadFailed("no answer")
        return Price(symbol, Decimal(number), SENT)

    async def prices(self, symbols: Sequence[str]) -> AsyncIterator[Price]:
        self.followed.append(tuple(symbols))
        while (price := await self.told.get()) is not None:
            yield price
        raise ReadFailed("the stream has ended")


async def until(holds: Callable[[], object]) -> None:
    """Let the other tasks run until something holds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


async def last(board: PriceBoard, market: Any, key: Any = KEY, symbol: str = PERP) -> Decimal:
    return (await board.get(key, symbol, market)).last


async def test_many_who_ask_at_once_cost_one_read(clock: Any) -> None:
    board, market = PriceBoard(clock, follow=False), Market()
    market.may_answer.clear()
    asked = [asyncio.create_task(last(board, market)) for _ in range(50)]
    await until(lambda: market.reads)
    market.may_answer.set()
    assert set(await asyncio.gather(*asked)) == {Decimal(1)}
    assert market.reads == 1


async def test_a_fresh_price_is_not_read_again_and_an_old_one_is(clock: Any) -> None:
    board, market = PriceBoard(clock, follow=False), Market()
    assert await last(board, market) == 1
    clock.advance(FRESH_S)
    assert await last(board, market) == 1
    clock.advance(0.001)
    assert board.fresh(KEY, PERP) is None and board.latest(KEY, PERP) is not None
    assert await last(board, market) == 2


async def test_environments_do_not_share_prices(clock: Any) -> None:
    board, market = PriceBoard(clock, follow=False), Market()
    assert [await last(board, market), await last(board, market, LIVE)] == [1, 2]
    assert await last(board, market, symbol="ETH/USDT:USDT") == 3


async def test_one_who_stops_waiting_does_not_take_the_price_from_the_others(clock: Any) -> None:
    board, market = PriceBoard(clock, follow=False), Market()
    market.may_answer.clear()
    gone, stays = (asyncio.create_task(last(board, market)) for _ in range(2))
    await until(lambda: market.reads)
    gone.cancel()
    market.may_answer.set()
    assert await stays == 1


async def test_a_read_that_fails_is_told_to_all_and_made_anew_at_the_next_need(clock: Any) -> None:
    board, market = PriceBoard(clock, follow=False), Market()
    market.is_down = True
    for _ in range(2):
        with pytest.raises(ReadFailed):
            await last(board, market)
    market.is_down = False
    assert await last(board, market) == 3


async def test_the_stream_keeps_a_price_fresh_without_reads(clock: Any) -> None:
    board, market = PriceBoard(clock), Market()
    async with aclosing(_Closing(board)):
        await last(board, market)
        clock.advance(FRESH_S + 1)
        market.told.put_nowait(Price(PERP, Decimal(77), SENT))
        await until(lambda: board.fresh(KEY, PERP))
        assert await last(board, market) == 77
        assert (market.reads, market.followed) == (1, [(PERP,)])


async def test_a_stream_that_fell_silent_or_ended_leads_back_to_reads(clock: Any) -> None:
    board, market = PriceBoard(clock), Market()
    async with aclosing(_Closing(board)):
        await last(board, market)
        await until(lambda: market.followed)
        market.told.put_nowait(None)
        clock.advance(FRESH_S + 1)
        assert await last(board, market) == 2
        await until(lambda: len(market.followed) == 2)


class _Closing:
    def __init__(self, board: PriceBoard) -> None:
        self._board = board

    async def aclose(self) -> None:
        await self._board.close()
