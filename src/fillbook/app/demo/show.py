"""One step of the story after the other, each until the books agree with the exchange."""

import asyncio
import time
from dataclasses import dataclass, field

from fillbook.app.demo.books import Books, read_books, read_truth
from fillbook.app.demo.cast import Cast
from fillbook.app.demo.clients import AlertAnswer, Exchanges, FillbookClient, Row, UnexpectedAnswer
from fillbook.app.demo.comparison import Check, compare
from fillbook.app.demo.screen import Screen
from fillbook.app.demo.script import Step

AGREE_WITHIN_S = 10.0
LOOK_EVERY_S = 0.03
CUT_OFF = {"kind": "accept_then_drop", "n": 1, "method": "POST", "path": "/order"}


@dataclass(slots=True)
class Show:
    """What is on the stage, and the books as they were last shown."""

    screen: Screen
    api: FillbookClient
    exchanges: Exchanges
    cast: Cast
    books: Books = field(init=False)

    async def begin(self) -> None:
        self.books = await read_books(self.api, self.cast)
        self.screen.cast(self.cast, self.books)

    async def play(self, number: int, step: Step) -> None:
        """Raises `UnexpectedAnswer` when the webhook answers otherwise than the story wants."""
        self.screen.step(number, step.title, step.prices)
        if step.cut_off is not None:
            (member,) = [member for member in self.cast.members if member.name == step.cut_off]
            await self.exchanges.at(member.role.exchange).post(
                "faults", {**CUT_OFF, "api_key": member.api_key}
            )
        for symbol, price in step.prices.items():
            await self.exchanges.set_price(symbol, price)
        answer = None if step.alert is None else await self._send(step)
        if answer is None or answer.is_accepted:
            logs = answer.document["order_logs"] if answer else []
            await self.show_change(step.strategy, step.symbol, logs)
            self._check_orders(step, answer)

    def _check_orders(self, step: Step, answer: AlertAnswer | None) -> None:
        """Books without orders agree with an exchange without orders: the story must have happened, too."""
        signal_id = None if answer is None else answer.document["signal_id"]
        made = sum(1 for row in self.books.orders if signal_id is not None and row["signal_id"] == signal_id)
        if made != step.orders:
            raise UnexpectedAnswer(f"The alert should lead to {step.orders} orders; it led to {made}.")

    async def show_change(
        self, strategy: str, symbol: str, logs: list[Row], signal_id: int | None = None
    ) -> None:
        """Wait until the books agree, then show what has changed since the last time, and a signal's orders."""
        before = self.books
        self.screen.agreement(await self.agree())
        self.screen.accounts(self.cast, before, self.books, strategy, symbol, logs, signal_id)

    async def agree(self) -> list[Check]:
        """Compare until nothing differs, or until patience ends: then with what still differs."""
        deadline_s = time.perf_counter() + AGREE_WITHIN_S
        while True:
            self.books = await read_books(self.api, self.cast)
            checks = compare(self.books, await read_truth(self.exchanges), self.cast.members)
            if all(check.agrees for check in checks) or time.perf_counter() > deadline_s:
                return checks
            await asyncio.sleep(LOOK_EVERY_S)

    async def await_outcome(self, signal_id: int) -> None:
        """Until no leg of a signal is on its way any more."""
        deadline_s = time.perf_counter() + AGREE_WITHIN_S
        while time.perf_counter() < deadline_s:
            logs = await self.api.rows(f"/strategy-order-logs?signal_id={signal_id}")
            if logs and all(log["status"] != "PROCESSING" for log in logs):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _send(self, step: Step) -> AlertAnswer:
        self.screen.alert(step.shown())
        answer = await self.api.send_alert(step.body(self.cast.strategies[step.strategy].webhook_key))
        self.screen.answer(answer)
        told = answer.document.get("code") or answer.document.get("status")
        if told != step.expects:
            raise UnexpectedAnswer(f"The alert should be answered {step.expects}, not {told}.")
        return answer
