"""Changing orders in place, cancelling them all, and every kind of order."""

from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Account
from fillbook.kernel.errors import NotFound
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.trading.desk_port import ManualOrder, OrderDenied
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.world import PERP, World

AMEND = {"path": "/fapi/v1/order", "method": "PUT"}


async def place(world: World, account: Account, **terms: Any) -> Any:
    order = {
        "account_id": account.id,
        "symbol": PERP,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.01"),
    }
    if terms.get("order_type", OrderType.LIMIT).has_price:
        order["price"] = Decimal(50_000)
    placed = await world.desk.place_manual_order(world.principal(), ManualOrder(**(order | terms)))
    await world.quiet()
    return placed


async def amend(world: World, order: Any, price: int | None = None, quantity: str | None = None) -> None:
    await world.desk.amend_order(
        world.principal(),
        order.id,
        None if price is None else Decimal(price),
        None if quantity is None else Decimal(quantity),
    )


async def row_of(world: World, order: Any) -> Any:
    (row,) = await world.orders(id=order.id)
    return row


async def shows(world: World, order: Any, **wanted: Any) -> bool:
    row = await row_of(world, order)
    return all(getattr(row, name) == value for name, value in wanted.items())


async def test_a_resting_order_is_changed_in_place(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    await amend(world, order, price=51_000, quantity="0.02")
    await world.until(lambda: shows(world, order, price=51_000, quantity=Decimal("0.02"), amend=None))
    (at_venue,) = world.venue_account(account).orders.values()
    assert (at_venue.price, at_venue.quantity) == (51_000, Decimal("0.02"))
    await world.quiet()


async def test_a_change_is_written_down_before_the_venue_is_asked_and_asked_once(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    world.fault("accept_then_drop", n=0, **AMEND)
    world.fault("mute_stream", n=0)
    world.fault("refuse", path="/fapi/v1/order", method="GET", status=500, code=-1000, n=0)
    await amend(world, order, price=51_000)
    assert (await row_of(world, order)).amend["price"] == "51000"
    (at_venue,) = world.venue_account(account).orders.values()
    await world.until(lambda: at_venue.price == 51_000)
    assert await shows(world, order, price=50_000), "nobody can say yet"
    world.calm()
    await world.until(lambda: shows(world, order, price=51_000, amend=None))
    sent = [one for one in world.server.gateway(world.venue).requests if one.method == "PUT"]
    assert len(sent) <= 2, "the transport may repeat a PUT, trading never does"


async def test_a_change_that_the_venue_refuses_leaves_the_order_as_it_is(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    world.fault("refuse", status=400, code=-4016, msg="Too high.", **AMEND)
    await amend(world, order, price=51_000)
    await world.until(lambda: shows(world, order, amend=None, error_code="amend_refused:-4016"))
    assert await shows(world, order, price=50_000, status="NEW")
    await world.quiet()


async def test_what_a_person_changes_at_the_venue_is_followed(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    (at_venue,) = world.venue_account(account).orders.values()
    world.exchange.amend(world.venue_account(account), at_venue, Decimal("0.03"), Decimal(49_000))
    await world.until(lambda: shows(world, order, price=49_000, quantity=Decimal("0.03")))
    await world.quiet()


async def test_a_strategys_order_is_not_changed_beyond_what_it_was_granted(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50_000, qty_per=20)
    await world.quiet()
    (order,) = await world.orders()
    with pytest.raises(OrderDenied) as denied:
        await amend(world, order, quantity="0.02")
    assert denied.value.denial_code == "amend_grows"
    await amend(world, order, quantity="0.004")
    await world.until(lambda: shows(world, order, quantity=Decimal("0.004"), reserved=Decimal(100)))
    await world.quiet()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": 50_000}, "nothing_to_amend"),
        ({"quantity": "0.0001"}, "amend_below_filled"),
        ({"quantity": "0.001"}, "below_min_notional"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    world: World, change: dict[str, Any], code: str
) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    with pytest.raises(OrderDenied) as denied:
        await amend(world, order, **change)
    assert denied.value.denial_code == code
    assert await shows(world, order, amend=None, price=50_000)


async def test_a_stop_is_not_changed_in_place(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account, order_type=OrderType.STOP_MARKET, stop_price=Decimal(65_000))
    with pytest.raises(OrderDenied) as denied:
        await amend(world, order, quantity="0.02")
    assert denied.value.denial_code == "amend_not_supported"


async def test_cancelling_all_reaches_every_book_and_other_peoples_orders(world: World) -> None:
    account = await world.account("acc")
    await place(world, account)
    await place(world, account, symbol="ETH/USDT", price=Decimal(2_000), quantity=Decimal("0.1"))
    await place(world, account, order_type=OrderType.STOP_MARKET, stop_price=Decimal(65_000))
    world.fault("mute_stream", n=0)
    foreign = place_at_venue(world, account)
    count = await world.desk.cancel_all(world.principal(), account.id, None, None)
    world.calm()
    assert count == 4
    await world.until(lambda: not any(o.is_open for o in world.venue_account(account).orders.values()))
    assert not foreign.is_open
    await world.quiet()


def place_at_venue(world: World, account: Account) -> Any:
    return world.exchange.place(
        world.venue_account(account),
        NewOrder(PERP, Side.SELL, OrderType.LIMIT, Decimal("0.01"), price=Decimal(70_000)),
    )


async def test_cancelling_all_of_one_symbol_and_side_leaves_the_others(world: World) -> None:
    account = await world.account("acc")
    kept = await place(world, account, symbol="ETH/USDT:USDT", price=Decimal(2_000), quantity=Decimal("0.1"))
    sold = await place(world, account, side=Side.SELL, price=Decimal(70_000))
    bought = await place(world, account)
    assert await world.desk.cancel_all(world.principal(), account.id, "BTCUSDT.P", Side.SELL) == 1
    await world.until(lambda: shows(world, sold, status="CANCELED"))
    assert await shows(world, kept, status="NEW") and await shows(world, bought, status="NEW")


async def test_another_persons_orders_are_not_there(world: World) -> None:
    account = await world.account("acc")
    order = await place(world, account)
    stranger = world.principal(await world.user("mallory"))
    with pytest.raises(NotFound):
        await world.desk.amend_order(stranger, order.id, Decimal(1), None)
    with pytest.raises(NotFound):
        await world.desk.cancel_all(stranger, account.id, None, None)


KINDS = [
    ({"order_type": OrderType.STOP_MARKET, "stop_price": Decimal(61_000)}, 61_100, "FILLED"),
    (
        {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(61_000), "price": Decimal(61_500)},
        61_100,
        "FILLED",
    ),
    ({"order_type": OrderType.TAKE_PROFIT_MARKET, "stop_price": Decimal(59_000)}, 58_900, "FILLED"),
    (
        {"order_type": OrderType.TAKE_PROFIT_LIMIT, "stop_price": Decimal(59_000), "price": Decimal(59_100)},
        58_900,
        "FILLED",
    ),
    ({"price": Decimal(61_000), "time_in_force": TimeInForce.IOC}, None, "FILLED"),
    ({"price": Decimal(50_000), "time_in_force": TimeInForce.IOC}, None, "EXPIRED"),
    ({"price": Decimal(61_000), "time_in_force": TimeInForce.FOK}, None, "FILLED"),
    ({"price": Decimal(50_000), "time_in_force": TimeInForce.POST_ONLY}, None, "NEW"),
]


@pytest.mark.parametrize(("terms", "moved_to", "end"), KINDS)
async def test_every_kind_of_order_comes_to_its_end(
    world: World, terms: dict[str, Any], moved_to: int | None, end: str
) -> None:
    account = await world.account("acc")
    order = await place(world, account, **terms)
    if moved_to is not None:
        assert await shows(world, order, status="NEW")
        world.exchange.set_price(PERP, Decimal(moved_to))
    await world.until(lambda: shows(world, order, status=end))
    await world.quiet()


async def test_a_reduce_only_order_never_opens(world: World) -> None:
    account = await world.account("acc")
    await place(world, account, order_type=OrderType.MARKET)
    await place(
        world,
        account,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.03"),
        reduce_only=True,
    )
    await world.quiet()
    assert [row.quantity for row in await world.net_positions()] == [0]


async def test_an_order_by_hand_leaves_the_leverage_of_a_strategy_alone(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await place(world, account, order_type=OrderType.MARKET)
    assert world.venue_account(account).leverage(PERP) == 5
    await world.quiet()
