"""What must hold when the storm is over: the invariants, and books equal to the exchange's own.

Each check answers with sentences about what it found wrong.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.market import service as market
from fillbook.orders.core.client_ids import PREFIX
from fillbook.orders.core.order import LIVE_STATUSES, OrderStatus
from fillbook.orders.tables import cancel_queue, orders
from fillbook.storage.unit import Database
from fillbook.venues.sim.core.vocabulary import SimOrder
from storm.world import World
from support.audit import Audit

LIVE = frozenset(status.value for status in LIVE_STATUSES)


async def findings(world: World, db: Database) -> list[str]:
    """Everything that is wrong now."""
    found = [*world.violations, *world.story.unexpected, *world.loop.errors]
    found += await _books(world, db)
    async with db.read() as unit:
        rows = list(await unit.all(sa.select(orders)))
        cancels = list(await unit.all(sa.select(cancel_queue)))
    by_account: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_account[row.account_id].append(row)
    for account in world.accounts:
        at_venue = world.at_venue(account)
        found += _orders(account, by_account[account.id], at_venue)
        found += _positions(world, account, at_venue)
    found += fills_differ(world)
    found += _doubles(world, rows)
    found += _cancels(cancels, {row.id: row for row in rows})
    found += _signals(world)
    found += _secrets(world)
    return found


async def _books(world: World, db: Database) -> list[str]:
    """Stored is the fold of the fills (5), sums are sums (4), capital is what books and orders hold.

    Venue by venue, for each has trading rules of its own.
    """
    found = []
    for name in world.sites:
        mine = [account for account in world.accounts if account.exchange is name]
        if mine:
            async with db.read() as unit:
                rules = await market.instruments_in_force(unit, name, mine[0].environment)
            found += (await Audit.read(db, rules, {account.id for account in mine})).faults()
    return found


def _orders(account: Account, rows: list[Any], at_venue: Any) -> Iterator[str]:
    """Every order of the venue is known here and has the venue's end (7); what is known as live, lives."""
    # What came of a trigger bears its conditional order's name, and is one order with it.
    theirs = {order.client_order_id: order for order in at_venue.orders.values() if order.parent_id is None}
    ours = {row.client_order_id: row for row in rows}
    for key, row in ours.items():
        there = theirs.get(key)
        if row.unknown_since is not None and row.watch_until is None:
            yield f"{account.name}: order {row.id} is of unknown fate"
        if there is None:
            if row.status != OrderStatus.REJECTED:
                yield f"{account.name}: order {row.id} {row.client_order_id} is {row.status}, never placed"
            continue
        status, filled = _truth(there, at_venue)
        if row.filled_quantity != filled:
            yield f"{account.name}: order {row.id} filled {row.filled_quantity}, at the venue {filled}"
        if not _same(row, status, filled):
            yield f"{account.name}: order {row.id} {row.client_order_id} is {row.status}, at the venue {status}"
    for key, there in theirs.items():
        # A person's order that is over need not have a row: its fills are in the books.
        if key not in ours and (there.is_open or key.startswith(PREFIX)):
            yield f"{account.name}: {key} ({there.status}, filled {there.filled}) is not known here"


def _truth(order: SimOrder, at_venue: Any) -> tuple[str, Decimal]:
    if order.child_id is not None:
        order = at_venue.orders[order.child_id]
    return order.status.value, order.filled


def _same(row: Any, status: str, filled: Decimal) -> bool:
    if row.status == status:
        return True
    # All that was ordered has filled, although the venue's record says that the order ended otherwise.
    if row.status == OrderStatus.FILLED and filled >= row.quantity:
        return True
    # A cancel is under way, or the venue's order is open and so is ours.
    return status in LIVE and row.status in LIVE and row.status != OrderStatus.PENDING_NEW


def fills_differ(world: World) -> list[str]:
    return [line for account in world.accounts for line in _fills(world, account, world.at_venue(account))]


def _fills(world: World, account: Account, at_venue: Any) -> Iterator[str]:
    """Every fill is booked, exactly once (3)."""
    theirs = {
        (fill.symbol, str(fill.order_id), str(fill.trade_id)): (
            fill.price.normalize(),
            fill.quantity.normalize(),
            fill.fee.normalize(),
        )
        for fill in at_venue.fills
    }
    ours: dict[tuple[str, str, str], Any] = {}
    for symbol, order_id, fill_id, *amounts in world.rows(
        "SELECT symbol, exchange_order_id, venue_fill_id, price, quantity, fee FROM fills"
        " WHERE account_id = ? AND superseded_by_id IS NULL",
        account.id,
    ):
        key = (symbol, order_id, fill_id)
        if key in ours:
            yield f"{account.name}: fill {key} is booked twice"
        ours[key] = tuple(Decimal(amount).normalize() for amount in amounts)
    for key in sorted(theirs.keys() | ours.keys()):
        if theirs.get(key) != ours.get(key):
            yield f"{account.name}: fill {key}: exchange {theirs.get(key)}, books {ours.get(key)}"


def _positions(world: World, account: Account, at_venue: Any) -> Iterator[str]:
    held = {
        (symbol, side): Decimal(quantity).normalize()
        for symbol, side, quantity in world.rows(
            "SELECT symbol, position_side, quantity FROM positions WHERE account_id = ?", account.id
        )
        if ":" in symbol and Decimal(quantity)
    }
    theirs = {
        (one.symbol, one.side.value): one.quantity.normalize()
        for one in at_venue.positions.values()
        if one.quantity
    }
    if held != theirs:
        yield f"{account.name}: positions: exchange {theirs}, books {held}"


def _doubles(world: World, rows: list[Any]) -> Iterator[str]:
    """At most one order per (signal, account, leg, attempt), and per client id (2)."""
    placed: dict[tuple[str, str], int] = defaultdict(int)
    for site in world.sites.values():
        for order in site.exchange.orders.values():
            if order.parent_id is None:
                placed[(order.account, order.client_order_id)] += 1
    yield from (f"{key} was placed {count} times" for key, count in placed.items() if count > 1)
    legs: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in rows:
        if row.signal_id is not None and row.parent_order_id is None:
            legs[(row.signal_id, row.account_id, row.leg, row.attempt)].append(row.id)
    yield from (f"{key} has the orders {ids}" for key, ids in legs.items() if len(ids) > 1)


def _cancels(items: list[Any], by_id: dict[int, Any]) -> Iterator[str]:
    """A cancel that was wanted has ended in the venue's own record (6)."""
    for item in items:
        order = by_id[item.order_id]
        if item.status in ("PENDING", "PROCESSING"):
            yield f"cancel {item.id} of order {order.id} ({order.status}) is still {item.status}"
        elif item.status == "SUCCESS" and order.status not in (OrderStatus.CANCELED, OrderStatus.FILLED):
            yield f"cancel {item.id} succeeded, but order {order.id} is {order.status}"
    for order in by_id.values():
        if order.cancel_wanted and order.status in LIVE:
            yield f"order {order.id} lives ({order.status}) although its cancel is wanted"


def _signals(world: World) -> Iterator[str]:
    """What was accepted has come to an end that is written down."""
    for number, status in world.rows(
        "SELECT id, state FROM signal_deliveries WHERE state IN ('new', 'claimed')"
    ):
        yield f"delivery {number} is still {status}"
    for number, status in world.rows(
        "SELECT id, status FROM strategy_order_logs WHERE status = 'PROCESSING'"
    ):
        yield f"order log {number} is still {status}"


def _secrets(world: World) -> Iterator[str]:
    """No secret is in what was logged or told (10)."""
    told = "\n".join(world.story.lines)
    told += "\n".join(str(row) for row in world.rows("SELECT * FROM events"))
    told += "\n".join(str(row) for row in world.rows("SELECT error_message FROM orders"))
    for secret in world.secrets:
        if secret in told:
            yield f"a secret is told: {secret[:8]}..."
