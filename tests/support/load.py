"""A seeded load on a server: alerts of every kind, closes and cancels, while the price moves.

Each sender waits for the outcome of its alert, so the server sets the pace. A server that dies answers nobody:
what was not accepted is not counted as accepted.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from support.process import Process
from support.world import PERP, SPOT, Strategy, World

WAIT_S = 15


def moderate_faults(world: World) -> list[dict[str, Any]]:
    """What an exchange does wrong on a bad day, to orders, cancels, reads and streams."""
    (method, path), (cancel_method, cancel_path) = world.wire.place, world.wire.cancel
    place = {"method": method, "path": path}
    cancel = {"method": cancel_method, "path": cancel_path}
    return [
        {"kind": "accept_then_drop", **place, "probability": 0.06},
        {"kind": "drop_before_accept", **place, "probability": 0.02},
        {"kind": "garbage", **place, "probability": 0.03},
        {"kind": "truncate", **place, "probability": 0.03},
        {"kind": "error_page", "status": 502, "probability": 0.02},
        {"kind": "rate_limit", **place, "probability": 0.003, "retry_after_s": 1},
        {"kind": "delay", "seconds": 0.2, "probability": 0.1},
        {"kind": "delay", **place, "seconds": 0.2, "after": True, "probability": 0.1},
        {"kind": "hide_lookups", **place, "seconds": 1, "probability": 0.1},
        {"kind": "late_fill", **cancel, "fraction": "0.5", "seconds": 0.3, "probability": 0.1},
        {"kind": "accept_then_drop", **cancel, "probability": 0.1},
        {"kind": "hide_fills", "probability": 0.1},
        {"kind": "duplicate", "probability": 0.1},
        {"kind": "reorder", "probability": 0.1},
        {"kind": "late_message", "seconds": 0.3, "probability": 0.1},
    ]


@dataclass
class Load:
    process: Process
    strategies: list[Strategy]
    rng: random.Random
    accepted: list[int] = field(default_factory=list)
    _is_over: bool = False

    @property
    def requests(self) -> int:
        """How many requests the exchange has had: the load's progress, whatever the machine's speed."""
        world = self.process.world
        return len(world.server.gateway(world.venue).requests)

    async def advances(self, requests: int) -> None:
        """Wait until the exchange has had so many requests more."""
        aim = self.requests + requests
        await self.process.world.until(lambda: self.requests >= aim, 60)

    async def send(self, strategy: Strategy) -> None:
        """Alerts for one strategy, one after the other."""
        async with httpx.AsyncClient(timeout=WAIT_S) as client:
            while not self._is_over:
                body = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
                try:
                    answer = await client.post(
                        f"{self.process.url}/api/webhook?wait=1", json={**body, **self._alert()}
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.05)  # nobody listens until the server is started again
                    continue
                if answer.status_code == 200 and answer.json()["status"] == "accepted":
                    self.accepted.append(answer.json()["signal_id"])
                self._move_price()

    def _alert(self) -> dict[str, Any]:
        """No alert is a repetition of another."""
        size = f"{self.rng.uniform(4, 9):.6f}"
        side = self.rng.choice(("buy", "sell"))
        price = self._price() * Decimal(str(round(self.rng.uniform(0.995, 1.005), 4)))
        limit = {"order_type": "LIMIT", "side": side, "price": str(round(price, 1)), "qty_per": size}
        market = {"order_type": "MARKET", "side": side, "qty_per": size}
        stop = {
            "order_type": "STOP_MARKET",
            "side": side,
            "stop_price": str(round(price, 1)),
            "qty_per": -100,
        }
        close = {"order_type": "MARKET", "side": self.rng.choice(("buy", "sell")), "qty_per": -100}
        cancel = {"order_type": "CANCEL_ALL_ORDER"}
        batch = {"orders": [limit, market]}
        chosen = self.rng.choice((market, market, limit, limit, close, stop, cancel, batch))
        return {**chosen, "comment": f"{self.rng.getrandbits(40):x}"}

    def _price(self) -> Decimal:
        price: Decimal = self.process.world.exchange.markets[PERP].price
        return price

    def _move_price(self) -> None:
        step = Decimal(self.rng.randrange(-20, 21)) * 10
        price = min(max(self._price() + step, Decimal(50000)), Decimal(70000))
        for symbol in (PERP, SPOT):
            self.process.world.exchange.set_price(symbol, price)

    def end(self) -> None:
        self._is_over = True


@asynccontextmanager
async def under_load(process: Process, strategies: list[Strategy], seed: int) -> AsyncIterator[Load]:
    """Load and moderate faults while the block runs; both have ended after it."""
    load = Load(process, strategies, random.Random(seed))
    for number, fault in enumerate(moderate_faults(process.world)):
        process.world.fault(**{"n": 0, "seed": seed * 100 + number, **fault})
    senders = [asyncio.create_task(load.send(strategy)) for strategy in strategies]
    try:
        yield load
    finally:
        load.end()
        await asyncio.gather(*senders)
        process.world.calm()
