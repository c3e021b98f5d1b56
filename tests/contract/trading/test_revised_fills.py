"""Inferred fills give way to real ones, and a venue's corrections to what they correct, on every database."""

import asyncio
import itertools
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import ManualClock, open_database
from fillbook.ledger.core.fill import FillAmendment, FillReport, FillSource
from fillbook.ledger.core.revision import Cause
from fillbook.ledger.tables import fill_allocations, fills, positions, strategy_positions, trades
from fillbook.market.core import Side
from fillbook.orders.tables import orders
from fillbook.storage.unit import Database
from support.booking import BookingDesk, a_fill_of, an_inference, at

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
async def desk(database: Database) -> BookingDesk:
    return await BookingDesk.open(database)


async def test_an_inferred_fill_counts_until_the_real_one_comes(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(2))
    await desk.infer(an_inference("900", BUY, 2, 2, price=Decimal(101)))
    (order,) = await desk.rows(orders)
    assert (order.filled_quantity, order.cost, order.status) == (2, 202, "FILLED")
    assert await desk.faults() == []

    await desk.book(a_fill_of("900", BUY, 2, "7"))

    inferred, real = await desk.rows(fills)
    assert (inferred.source, inferred.superseded_by_id, real.superseded_by_id) == ("inferred", real.id, None)
    (order,) = await desk.rows(orders)
    assert (order.filled_quantity, order.cost) == (2, 200)
    assert [row.fill_id for row in await desk.rows(fill_allocations)] == [real.id]
    (trade,) = await desk.rows(trades)
    assert (trade.opening_fill_id, trade.entry_price) == (real.id, 100)
    assert await desk.faults() == []


async def test_a_real_fill_that_explains_a_part_leaves_a_smaller_inferred_one(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(2))
    await desk.infer(an_inference("900", BUY, 2, 2, price=Decimal(101), fee=Decimal("0.2")))

    await desk.book(a_fill_of("900", BUY, "0.5", "7"))

    inferred, *rest = await desk.rows(fills)
    real, remainder = sorted(rest, key=lambda row: row.source != "rest")
    assert (inferred.superseded_by_id, real.superseded_by_id) == (real.id, None)
    assert (remainder.source, remainder.superseded_by_id) == ("inferred", None)
    assert (remainder.quantity, remainder.price, remainder.fee) == (Decimal("1.5"), 101, Decimal("0.15"))
    (order,) = await desk.rows(orders)
    assert (order.filled_quantity, order.cost) == (2, Decimal("201.5"))
    assert await desk.faults() == []


async def test_an_inference_that_comes_too_late_or_twice_changes_nothing(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(2))
    inference = an_inference("900", BUY, 1, 1)
    await desk.infer(inference)
    await desk.infer(inference)
    assert len(await desk.rows(fills)) == 1
    await desk.book(a_fill_of("900", BUY, 1, "7"))
    await desk.infer(inference)
    counting = [row for row in await desk.rows(fills) if row.superseded_by_id is None]
    assert [row.venue_fill_id for row in counting] == ["7"]
    assert await desk.faults() == []


async def test_a_second_inference_stands_for_what_the_first_does_not(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(3))
    await desk.infer(an_inference("900", BUY, 1, 1))
    await desk.infer(an_inference("900", BUY, 2, 3, exchange_at=at(9)))
    (order,) = await desk.rows(orders)
    assert order.filled_quantity == 3
    # Real fills explain an order from its beginning: one and a half of them leave half of the second.
    await desk.book(a_fill_of("900", BUY, "1.5", "7"))
    counting = {row.source: row.quantity for row in await desk.rows(fills) if row.superseded_by_id is None}
    assert counting == {"rest": Decimal("1.5"), "inferred": Decimal("1.5")}
    assert await desk.faults() == []


async def test_an_inferred_fill_that_says_no_cumulative_quantity_is_refused(desk: BookingDesk) -> None:
    with pytest.raises(ValueError, match="up to which quantity"):
        await desk.infer(a_fill_of("900", BUY, 1, "x"))


async def test_a_record_with_another_content_is_booked_as_a_correction(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(1))
    await desk.order("901", SELL, Decimal(1))
    await desk.book(a_fill_of("900", BUY, 1, "7"), source=FillSource.STREAM)
    await desk.book(a_fill_of("901", SELL, 1, "8", price=Decimal(110), exchange_at=at(5)))

    corrected = a_fill_of("900", BUY, 1, "7", price=Decimal(99), fee=Decimal("0.1"))
    booked = await desk.book(corrected)

    first, _, correcting = await desk.rows(fills)
    assert (correcting.corrects_id, first.superseded_by_id) == (first.id, correcting.id)
    assert [(one.fill.id, one.by_id, one.cause) for one in booked.amended] == [
        (first.id, correcting.id, Cause.CORRECTED)
    ]
    (trade,) = await desk.rows(trades)
    assert (trade.entry_price, trade.realized_pnl, trade.fees) == (99, 11, Decimal("0.1"))
    assert (await desk.rows(orders))[0].cost == 99
    assert await desk.faults() == []
    assert (await desk.book(corrected)).amended == ()
    assert len(await desk.rows(fills)) == 3


async def test_what_a_stream_repeats_never_corrects_what_is_booked(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(1))
    await desk.book(a_fill_of("900", BUY, 1, "7"))
    booked = await desk.book(a_fill_of("900", BUY, 1, "7", price=Decimal(98)), source=FillSource.STREAM)
    assert booked.amended == ()
    assert len(await desk.rows(fills)) == 1


async def test_a_trade_that_the_venue_takes_back_counts_for_nothing(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(1))
    await desk.book(a_fill_of("900", BUY, 1, "7"))

    bust = a_fill_of("900", BUY, 1, "7", amendment=FillAmendment.BUSTED)
    booked = await desk.book(bust, source=FillSource.STREAM)

    assert [one.cause for one in booked.amended] == [Cause.BUSTED]
    first, busted = await desk.rows(fills)
    assert (busted.corrects_id, first.superseded_by_id, busted.superseded_by_id) == (
        first.id,
        busted.id,
        busted.id,
    )
    assert [row.quantity for row in await desk.rows(positions)] == [0]
    assert [row.quantity for row in await desk.rows(strategy_positions)] == [0]
    assert await desk.rows(trades) == []
    assert (await desk.rows(orders))[0].filled_quantity == 0
    assert await desk.faults() == []
    # The venue's list may still show it for a while, and the word may be heard twice.
    await desk.book(a_fill_of("900", BUY, 1, "7"))
    await desk.book(bust, source=FillSource.STREAM)
    assert len(await desk.rows(fills)) == 2


async def test_a_bust_that_is_heard_before_its_trade_keeps_the_trade_out(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(1))
    await desk.book(
        a_fill_of("900", BUY, 1, "7", amendment=FillAmendment.BUSTED), a_fill_of("900", BUY, 1, "7")
    )
    await desk.book(a_fill_of("900", BUY, 1, "7"))
    assert [row.superseded_by_id == row.id for row in await desk.rows(fills)] == [True]
    assert await desk.faults() == []


async def test_what_was_taken_back_may_be_inferred_again(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(1))
    for _ in range(2):
        await desk.infer(an_inference("900", BUY, 1, 1))
        await desk.book(a_fill_of("900", BUY, 1, "7", amendment=FillAmendment.CORRECTED))
        await desk.book(a_fill_of("900", BUY, 1, "7", amendment=FillAmendment.BUSTED))
    await desk.infer(an_inference("900", BUY, 1, 1))
    counting = [row.source for row in await desk.rows(fills) if row.superseded_by_id is None]
    assert counting == ["inferred"]
    assert await desk.faults() == []


async def test_an_inferred_close_that_nobody_ordered_gives_back_what_it_took(desk: BookingDesk) -> None:
    await desk.order("900", BUY, Decimal(2))
    await desk.order("901", BUY, Decimal(1), link=1)
    await desk.book(a_fill_of("900", BUY, 2, "1"), a_fill_of("901", BUY, 1, "2", exchange_at=at(2)))
    inferred = an_inference("950", SELL, 3, 3, client_order_id=None, exchange_at=at(5))
    await desk.book(inferred, source=FillSource.INFERRED, adopt=True)
    assert [row.quantity for row in await desk.rows(strategy_positions)] == [0, 0]

    real = a_fill_of("950", SELL, 3, "3", client_order_id=None, price=Decimal(105), exchange_at=at(4))
    await desk.book(real, adopt=True)

    assert [(row.quantity, row.realized_pnl) for row in await desk.rows(strategy_positions)] == [
        (0, 10),
        (0, 5),
    ]
    assert await desk.faults() == []


# Orders of two links by turns: (side, fills as (thousandths, price, seconds, fee in tenths)).
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.integers(0, 1),
        st.lists(
            st.tuples(st.integers(1, 3000), st.integers(90, 110), st.integers(0, 30), st.integers(0, 3)),
            min_size=1,
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=3,
)
History = list[tuple[Side, int, list[tuple[int, int, int, int]]]]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORIES, data=st.data())
def test_whatever_is_inferred_meanwhile_the_real_fills_decide(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, history: History, data: st.DataObject
) -> None:
    real = _real_fills(history)
    inferences = [
        an_inference(
            order_id,
            reports[0].side,
            data.draw(st.sampled_from([upto, upto / 2])),
            upto,
            price=Decimal(data.draw(st.integers(90, 110))),
            exchange_at=at(data.draw(st.integers(0, 40))),
        )
        for order_id, reports in real.items()
        for upto in data.draw(st.lists(st.sampled_from(_cumulative(reports)), max_size=3))
    ]
    every = list(itertools.chain.from_iterable(real.values()))
    arrivals = data.draw(st.permutations([*every, *inferences]))
    size = data.draw(st.integers(1, 3))

    async def both() -> None:
        directory = tmp_path_factory.mktemp("revised")
        outcomes = []
        for name, reports in (("real", every), ("mixed", arrivals)):
            path = directory / f"{name}.db"
            shutil.copy(sqlite_template, path)
            async with open_database(f"sqlite:///{path}", ManualClock(at(60))) as database:
                desk = await BookingDesk.open(database)
                for number, (side, link, parts) in enumerate(history):
                    quantity = sum((Decimal(part[0]) for part in parts), Decimal(0)) / 1000
                    await desk.order(str(900 + number), side, quantity, link)
                for start in range(0, len(reports), size):
                    await _deliver(desk, reports[start : start + size])
                    assert await desk.faults() == []
                outcomes.append(await desk.outcome())
        assert outcomes[0] == outcomes[1]

    asyncio.run(both())


async def _deliver(desk: BookingDesk, reports: list[FillReport]) -> None:
    inferred = [report for report in reports if report.cumulative_quantity is not None]
    await desk.book(*(report for report in reports if report.cumulative_quantity is None))
    if inferred:
        await desk.book(*inferred, source=FillSource.INFERRED)


def _real_fills(history: History) -> dict[str, list[FillReport]]:
    numbers = itertools.count(1)
    return {
        str(900 + number): [
            a_fill_of(
                str(900 + number),
                side,
                Decimal(thousandths) / 1000,
                str(next(numbers)),
                price=Decimal(price),
                fee=Decimal(fee) / 10,
                exchange_at=at(seconds),
            )
            for thousandths, price, seconds, fee in parts
        ]
        for number, (side, _, parts) in enumerate(history)
    }


def _cumulative(reports: list[FillReport]) -> list[Decimal]:
    return list(itertools.accumulate(report.quantity for report in reports))
