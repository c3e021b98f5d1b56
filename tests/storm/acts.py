"""What people, other programs and the market do during a storm: one act after another, as the seed has it."""

import asyncio
import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account, PositionMode, PositionSide
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import ZERO, ceil_to, floor_to
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderType
from fillbook.signals.service import RawAlert
from fillbook.trading.desk_port import ManualOrder
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused
from storm import weather
from storm.process import Process
from storm.sql import is_of_the_disk
from storm.world import BASES, CLOCK_SET_BY, World

RETRIES = 3


class Acts:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = random.Random(world.rng.getrandbits(64))
        self._sent = 0
        self._by_hand = 0
        rng = self._rng
        self._plan: list[tuple[Callable[[], None], int]] = [
            (self.alert, 40),
            (self.manual_order, 6),
            (self.cancel_something, 8),
            (self.close_something, 4),
            (self.amend_something, 4),
            (self.cancel_all, 1),
            (self.trade_by_hand, rng.choice([0, 5])),
            (self.cancel_by_hand, rng.choice([0, 4])),
            (self.deleverage, rng.choice([0, 2])),
            (self.overfill, rng.choice([0, 0, 3])),
            (self.jump, 3),
            (self.strike, rng.choice([0, 3, 10])),
            (self.kill, rng.choice([0, 2, 5])),
            (self.pause, rng.choice([0, 0, 2])),
            (self.restart, rng.choice([0, 1])),
            (self.set_clock, rng.choice([0, 0, 1])),
            (self.fail_disk, rng.choice([0, 0, 0, 2])),
        ]

    async def run(self, count: int) -> None:
        acts, weights = zip(*self._plan, strict=True)
        pace_s = self._rng.choice([0.3, 1.0, 2.5])
        for _ in range(count):
            await asyncio.sleep(self._rng.expovariate(1 / pace_s))
            (act,) = self._rng.choices(acts, weights)
            act()

    async def walk_prices(self, longest_pause_s: float = 2.0) -> None:
        rng = self._rng
        spread = rng.choice([0.0005, 0.002, 0.006])
        while True:
            await asyncio.sleep(rng.uniform(0.2, 1.0) * longest_pause_s)
            for site in self._world.sites.values():
                symbol = rng.choice(sorted(site.exchange.markets))
                self._world.move_price(site, symbol, rng.gauss(0, spread))

    # Through the application

    def alert(self) -> None:
        rng = self._rng
        strategy = rng.choice(self._world.strategies)
        self._sent += 1
        body: dict[str, Any] = {
            "group_name": strategy.group_name,
            "token": strategy.key,
            "symbol": f"{rng.choice(BASES)}USDT",
            "number": self._sent,
        }
        price = self._price_near(strategy.market_type, str(body["symbol"]))
        if rng.random() < 0.2:
            body["orders"] = [self._leg(price) for _ in range(rng.randint(2, 4))]
        else:
            body |= self._leg(price)
        told = {name: value for name, value in body.items() if name != "token"}
        self._world.story.tell("alert", json.dumps(told, default=str))
        raw = json.dumps(body, default=str).encode()
        for _ in range(2 if rng.random() < 0.1 else 1):
            self._deliver(raw, RETRIES)

    def _deliver(self, raw: bytes, retries: int) -> None:
        """Senders send again when nobody answers."""
        process = self._any_process()
        if process is None:
            if retries:
                self._world.outside.later(2.0, lambda: self._deliver(raw, retries - 1))
            return
        task = process.spawn(process.intake.accept(RawAlert(raw, len(raw), "127.0.0.1")))
        self._world.outside.when_done(task, lambda done: self._note("alert", done))
        if retries:
            self._world.outside.later(5.0, lambda: None if task.done() else self._deliver(raw, retries - 1))

    def _leg(self, price: Decimal) -> dict[str, Any]:
        rng = self._rng
        side = rng.choice(["buy", "sell"])
        away = Decimal(str(round(1 + rng.choice([-1, 1]) * rng.uniform(0.0005, 0.01), 5)))
        near = (price * away).quantize(Decimal("0.1"))
        size = rng.choice([10, 25, 40, 70])
        match rng.choices(
            ["market", "close", "limit", "stop", "stop_limit", "cancel"], [30, 22, 24, 8, 6, 10]
        )[0]:
            case "market":
                return {
                    "order_type": "MARKET",
                    "side": side,
                    "qty_per": size,
                    **self._protection(side, price),
                }
            case "close":
                named = {"side": side} if rng.random() < 0.5 else {}
                return {"order_type": "MARKET", "qty_per": rng.choice([-100, -100, -50]), **named}
            case "limit":
                resting = {"price": str(near), **self._protection(side, near)}
                return {"order_type": "LIMIT", "side": side, "qty_per": size, **resting}
            case "stop":
                share = rng.choice([size, -100])
                return {"order_type": "STOP_MARKET", "side": side, "stop_price": str(near), "qty_per": share}
            case "stop_limit":
                stop = {"stop_price": str(near), "price": str(near)}
                return {"order_type": "STOP_LIMIT", "side": side, "qty_per": size, **stop}
        named = {"side": side} if rng.random() < 0.3 else {}
        return {"order_type": "CANCEL_ALL_ORDER", **named}

    def _protection(self, side: str, price: Decimal) -> dict[str, str]:
        """Now and then a stop loss and a take profit, near enough to be met."""
        rng = self._rng
        away = Decimal(str(round(rng.uniform(0.002, 0.02), 4))) * (1 if side == "buy" else -1)
        wanted = {"stop_loss": price * (1 - away), "take_profit": price * (1 + away)}
        chosen = rng.choices([[], ["stop_loss"], ["take_profit"], list(wanted)], [75, 10, 5, 10])[0]
        return {name: str(wanted[name].quantize(Decimal("0.1"))) for name in chosen}

    def manual_order(self) -> None:
        rng = self._rng
        account, symbol = self._some_symbol()
        price = self._world.sites[account.exchange].exchange.markets[symbol].price
        side = rng.choice(list(Side))
        order_type = rng.choice([OrderType.MARKET, OrderType.LIMIT])
        limit = floor_to(price * Decimal(str(round(rng.uniform(0.995, 1.005), 4))), Decimal("0.1"))
        order = ManualOrder(
            account.id,
            symbol,
            side,
            order_type,
            self._quantity(account, symbol),
            price=limit if order_type is OrderType.LIMIT else None,
            position_side=self._leg_of(account, symbol, side),
        )
        self._ask(
            "manual",
            f"{account.name} {symbol} {side} {order.quantity} {order_type}",
            lambda process: process.desk.place_manual_order(self._world.principal(account.user_id), order),
        )

    def cancel_something(self) -> None:
        found = self._row("orders", "status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL')")
        if found is not None:
            number, user_id = found
            self._ask(
                "cancel",
                f"order {number}",
                lambda process: process.desk.cancel_order(self._world.principal(user_id), number),
            )

    def close_something(self) -> None:
        found = self._row("strategy_positions", "is_open = 1")
        if found is not None:
            number, user_id = found
            self._ask(
                "close",
                f"position {number}",
                lambda process: process.desk.close_position(self._world.principal(user_id), number),
            )

    def amend_something(self) -> None:
        rows = self._world.rows(
            "SELECT id, user_id, price, quantity FROM orders WHERE order_type = 'LIMIT'"
            " AND status IN ('NEW', 'PARTIALLY_FILLED') ORDER BY id"
        )
        if not rows:
            return
        number, user_id, price, quantity = self._rng.choice(rows)
        away = Decimal(str(round(self._rng.uniform(0.995, 1.005), 4)))
        new_price = (Decimal(price) * away).quantize(Decimal("0.1"))
        new_quantity = Decimal(quantity) * self._rng.choice([1, 1, 2])
        self._ask(
            "amend",
            f"order {number} to {new_quantity} @ {new_price}",
            lambda process: process.desk.amend_order(
                self._world.principal(user_id), number, new_price, new_quantity
            ),
        )

    def cancel_all(self) -> None:
        account = self._rng.choice(self._world.accounts)
        self._ask(
            "cancel all",
            f"orders of {account.name}",
            lambda process: process.desk.cancel_all(
                self._world.principal(account.user_id), account.id, None, None
            ),
        )

    def _row(self, table: str, where: str) -> tuple[int, int] | None:
        found = self._world.rows(f"SELECT id, user_id FROM {table} WHERE {where} ORDER BY id")  # noqa: S608
        return self._rng.choice(found) if found else None

    def _ask(self, what: str, told: str, act: Callable[[Process], Any]) -> None:
        process = self._any_process()
        if process is None:
            return
        self._world.story.tell("person", f"{what} {told}")
        task = process.spawn(act(process))
        self._world.outside.when_done(task, lambda done: self._note(what, done))

    def _note(self, what: str, done: "asyncio.Task[Any]") -> None:
        if done.cancelled():
            self._world.story.tell("answer", f"{what}: cancelled")
        elif (error := done.exception()) is None:
            self._world.story.tell("answer", f"{what}: {_brief(done.result())}")
        elif isinstance(error, FillbookError) or is_of_the_disk(error):
            self._world.story.tell("answer", f"{what}: {error!r}")
        else:
            self._world.violations.append(f"{what} raised {error!r}")

    # At the exchange, by hand

    def trade_by_hand(self) -> None:
        account, symbol = self._some_symbol()
        if ":" not in symbol and not self._is_followed(account, symbol):
            return  # a person's own coins, of which no exchange keeps a position: none of ours
        site = self._world.sites[account.exchange]
        side = self._rng.choice(list(Side))
        price = site.exchange.markets[symbol].price
        is_limit = self._rng.random() < 0.5
        away = Decimal(str(round(self._rng.uniform(0.99, 1.01), 4)))
        self._by_hand += 1
        new = NewOrder(
            symbol,
            side,
            OrderType.LIMIT if is_limit else OrderType.MARKET,
            self._quantity(account, symbol),
            price=floor_to(price * away, Decimal("0.1")) if is_limit else None,
            client_order_id=f"hand{self._by_hand}",
            position_side=self._leg_of(account, symbol, side),
        )
        self._at_venue(
            f"{account.name} {symbol} {side} {new.quantity} @ {new.price}",
            lambda: site.exchange.place(self._world.at_venue(account), new),
        )

    def _is_followed(self, account: Account, symbol: str) -> bool:
        return bool(
            self._world.rows("SELECT 1 FROM orders WHERE account_id = ? AND symbol = ?", account.id, symbol)
        )

    def cancel_by_hand(self) -> None:
        account = self._rng.choice(self._world.accounts)
        at_venue = self._world.at_venue(account)
        if at_venue.open_orders:
            order = self._rng.choice(list(at_venue.open_orders.values()))
            exchange = self._world.sites[account.exchange].exchange
            self._at_venue(
                f"{account.name} cancels {order.client_order_id}", lambda: exchange.cancel(at_venue, order)
            )

    def deleverage(self) -> None:
        account = self._rng.choice(self._world.accounts)
        held = [one for one in self._world.at_venue(account).positions.values() if one.quantity]
        if held:
            position = self._rng.choice(held)
            exchange = self._world.sites[account.exchange].exchange
            lot = exchange.markets[position.symbol].listing.instrument.lot
            quantity = max(floor_to(abs(position.quantity) / 2, lot), lot)
            self._at_venue(
                f"{account.name} {position.symbol} is deleveraged by {quantity}",
                lambda: exchange.deleverage(
                    self._world.at_venue(account), position.symbol, position.side, quantity
                ),
            )

    def overfill(self) -> None:
        """An order fills beyond its size, as engines have done."""
        account = self._rng.choice(self._world.accounts)
        exchange = self._world.sites[account.exchange].exchange
        ours = [
            one
            for one in self._world.at_venue(account).orders.values()
            if one.child_id is None and one.filled
        ]
        if ours:
            order = self._rng.choice(ours[-5:])
            lot = exchange.markets[order.symbol].listing.instrument.lot
            self._at_venue(
                f"{account.name} {order.client_order_id} fills {lot} too much",
                lambda: exchange.fill_anyway(order, max(order.remaining, ZERO) + lot),
            )

    def _at_venue(self, told: str, act: Callable[[], Any]) -> None:
        try:
            act()
        except (Refused, FillbookError) as refused:
            self._world.story.tell("hand", f"{told}: refused ({refused})")
        else:
            self._world.story.tell("hand", told)

    # The market, and fate

    def jump(self) -> None:
        for site in self._world.sites.values():
            for symbol in sorted(site.exchange.markets):
                self._world.move_price(site, symbol, self._rng.gauss(0, 0.03))
        self._world.story.tell("market", "prices jump")

    def strike(self) -> None:
        site = self._rng.choice(list(self._world.sites.values()))
        self._world.story.tell("fault", weather.strike(self._rng, site))

    def kill(self) -> None:
        """At some await soon; another process follows after a while, alone or as a second holder."""
        process = self._any_process()
        if process is not None:
            self._end_soon(process, process.kill)

    def pause(self) -> None:
        """A process stands still at some await, as a suspended machine does, perhaps for longer than its leases
        live; another is there to take over."""
        process = self._any_process()
        if process is None or process.owns_directory:
            return
        if len(self._world.up()) == 1:
            self._world.start_process(owns_directory=False)
        seconds = self._rng.uniform(5, 60)
        self._end_soon(process, lambda: self._stand_still(process, seconds))

    def _stand_still(self, process: Process, seconds: float) -> None:
        process.life.is_paused = True
        self._world.story.tell("pause", f"{process.name} stands still for {seconds:.1f} s")
        self._world.outside.later(seconds, lambda: self._world.loop.resume(process.life))

    def _end_soon(self, process: Process, end: Callable[[], None]) -> None:
        process.life.on_end = end
        process.life.ends_at_step = process.life.steps + self._rng.randint(1, 300)

    def restart(self) -> None:
        process = self._any_process()
        if process is not None:
            self._world.story.tell("process", f"{process.name} is stopped")
            process.is_started = False
            process.spawn(process.stop())

    def set_clock(self) -> None:
        """The wall clock is corrected, forwards or backwards."""
        most_s = CLOCK_SET_BY.total_seconds()
        self._world.clock.set_by_s = round(self._rng.uniform(-most_s, most_s) / 2, 3)
        self._world.story.tell("clock", f"set by {self._world.clock.set_by_s} s")

    def fail_disk(self) -> None:
        """For some seconds commits fail, now and then or all of them."""
        disk = self._world.disk
        disk.fails = self._rng.choice([0.05, 0.3, 1.0])
        seconds = self._rng.uniform(0.5, 8)
        self._world.story.tell("disk", f"fails {disk.fails:.0%} of commits for {seconds:.1f} s")
        self._world.outside.later(seconds, disk.mend)

    def _any_process(self) -> Process | None:
        up = self._world.up()
        return self._rng.choice(up) if up else None

    def _some_symbol(self) -> tuple[Account, str]:
        account = self._rng.choice(self._world.accounts)
        return account, self._rng.choice(sorted(self._world.sites[account.exchange].exchange.markets))

    def _price_near(self, market_type: MarketType, symbol: str) -> Decimal:
        base = symbol.removesuffix("USDT")
        unified = f"{base}/USDT" + (":USDT" if market_type is MarketType.FUTURES else "")
        site = self._rng.choice(list(self._world.sites.values()))
        price: Decimal = site.exchange.markets[unified].price
        return price

    def _quantity(self, account: Account, symbol: str) -> Decimal:
        market = self._world.sites[account.exchange].exchange.markets[symbol]
        instrument = market.listing.instrument
        wanted = max(instrument.min_notional, Decimal(20)) * self._rng.choice([1, 3, 8])
        return ceil_to(wanted * Decimal("1.05") / market.price, instrument.lot)

    def _leg_of(self, account: Account, symbol: str, side: Side) -> PositionSide:
        is_hedged = self._world.at_venue(account).position_mode is PositionMode.HEDGE
        if ":" not in symbol or not is_hedged:
            return PositionSide.NET
        return self._rng.choice([PositionSide.LONG, PositionSide.SHORT])


def _brief(answer: Any) -> str:
    status = getattr(answer, "status", "")
    return f"{type(answer).__name__} {getattr(answer, 'id', getattr(answer, 'signal_id', answer))} {status}"
