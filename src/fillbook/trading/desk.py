"""The acts of a person on accounts that this process trades: place, cancel, close."""

import asyncio
from decimal import Decimal

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, PositionSide
from fillbook.identity.core import Principal
from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import Conflict, NotFound
from fillbook.ledger.core.books import EXTERNAL, BookRow
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.ledger.service.open_books import book_of, books_of
from fillbook.market.core import MarketType, Side, market_type_of
from fillbook.market.symbols import unify_symbol
from fillbook.orders.core.client_ids import MANUAL_CODE
from fillbook.orders.core.order import Order, OrderType
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import cancels, rows
from fillbook.risk.core import Denied
from fillbook.storage.unit import Database, Unit
from fillbook.strategies.terms import load_terms
from fillbook.trading.core.amending import check_amend
from fillbook.trading.core.settle import with_amend
from fillbook.trading.core.wishes import OrderWish
from fillbook.trading.deciding import request_cancels
from fillbook.trading.desk_port import ManualOrder, OrderDenied
from fillbook.trading.engine import Engine
from fillbook.trading.work import LegWork

ANSWER_WITHIN_S = 30.0


class NotTradingHere(Conflict):
    code = "not_trading_here"


class OrderHasEnded(Conflict):
    code = "order_has_ended"


class EngineDesk:
    """Implements `desk_port.TradingDesk` on the engine of this process."""

    def __init__(self, db: Database, clock: Clock, engine: Engine) -> None:
        self._db = db
        self._clock = clock
        self._engine = engine

    async def place_manual_order(self, principal: Principal, order: ManualOrder) -> Order:
        async with self._db.read() as unit:
            account = await accounts.get_account(unit, principal.scope, order.account_id)
        wish = OrderWish(
            order_type=order.order_type,
            side=order.side,
            price=order.price,
            stop_price=order.stop_price,
            stop_loss_price=order.stop_loss_price,
            take_profit_price=order.take_profit_price,
            quantity=order.quantity,
            reduce_only=order.reduce_only,
            time_in_force=order.time_in_force,
            position_side=order.position_side,
        )
        return await self._plan(self._work(account, self._unify(account, order.symbol), wish))

    async def cancel_order(self, principal: Principal, order_id: int) -> int:
        order, item_id = await self._db.run(lambda unit: _request_cancel(unit, principal, order_id))
        runner = self._engine.runners.get(order.account_id)
        if runner is not None:
            runner.cancels.wake()
        return item_id

    async def amend_order(
        self, principal: Principal, order_id: int, price: Decimal | None, quantity: Decimal | None
    ) -> None:
        order = await self._db.run(lambda unit: self._write_amend(unit, principal, order_id, price, quantity))
        self._engine.runners[order.account_id].amend_soon(order)

    async def _write_amend(
        self,
        unit: Unit,
        principal: Principal,
        order_id: int,
        price: Decimal | None,
        quantity: Decimal | None,
    ) -> Order:
        owned = await rows.owned_order(unit, principal.scope, order_id)
        if owned is None:
            raise NotFound(f"There is no order {order_id}.")
        if owned.account_id not in self._engine.runners:
            raise NotTradingHere("This server does not trade this account now: ask the one that does.")
        (order,) = await rows.locked(unit, [owned.id])
        floor = self._engine.floor
        amend = check_amend(
            order,
            floor.instrument_of(order.account_id, order.symbol),
            TRAITS[floor.accounts[order.account_id].exchange],
            price,
            quantity,
            unit.now,
        )
        if isinstance(amend, Denied):
            raise OrderDenied(amend.code, amend.reason)
        changed = with_amend(order, amend)
        await rows.save_orders(unit, [changed])
        return changed

    async def cancel_all(
        self, principal: Principal, account_id: int, symbol: str | None, side: Side | None
    ) -> int:
        async with self._db.read() as unit:
            account = await accounts.get_account(unit, principal.scope, account_id)
        wanted = None if symbol is None else self._unify(account, symbol)
        runner = self._engine.runners.get(account.id)
        if runner is not None:
            await (
                runner.reconciler.sweep()
            )  # what the venue has and the books have not is to be cancelled too
        count = await self._db.run(lambda unit: _request_cancels(unit, account, wanted, side))
        if runner is not None:
            runner.cancels.wake()
        return count

    async def close_position(self, principal: Principal, position_id: int) -> Order:
        async with self._db.read() as unit:
            row = await book_of(unit, principal.scope, position_id)
            if row is None:
                raise NotFound(f"There is no position {position_id}.")
            account = await accounts.get_account(unit, principal.scope, row.key.account_id)
            link = row.owner.strategy_account_id
            terms = None if link is None else (await load_terms(unit, [link], lock=False)).get(link)
        if row.owner.key == EXTERNAL.key:
            raise OrderDenied(
                "external_position",
                "This position was not opened by Fillbook: place an order of that size yourself to reduce it.",
            )
        work = self._work(account, row.key.symbol, _closing_wish(row))
        if terms is not None:
            work.strategy_code = terms.strategy_code
            work.strategy_id = terms.strategy_id
            work.strategy_account_id = terms.strategy_account_id
            work.leverage = terms.leverage
        return await self._plan(work)

    def _unify(self, account: Account, symbol: str) -> str:
        """A manual order says spot or futures by its spelling; where only one market is open, that one."""
        market_type = market_type_of(symbol)
        if account.market_types == (MarketType.FUTURES,) or symbol.upper().endswith((".P", "PERP", "-SWAP")):
            market_type = MarketType.FUTURES
        return unify_symbol(symbol, market_type, self._engine.floor.instruments.symbols(market_type))

    def _work(self, account: Account, symbol: str, wish: OrderWish) -> LegWork:
        return LegWork(
            account_id=account.id,
            symbol=symbol,
            user_id=account.user_id,
            environment=account.environment,
            wish=wish,
            leg="",
            leg_count=1,
            is_last_leg=True,
            trade_source=TradeSource.MANUAL,
            strategy_code=MANUAL_CODE,
            received_at=self._clock.now(),
            planned=asyncio.get_running_loop().create_future(),
        )

    async def _plan(self, work: LegWork) -> Order:
        """Queue work and wait until it is written down, or denied."""
        if work.account_id not in self._engine.floor.ownership:
            raise NotTradingHere(
                "This server does not trade this account now: ask the one that does, or wait for it."
            )
        assert work.planned is not None
        self._engine.dispatcher.add(work)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await work.planned
        except TimeoutError as error:
            raise NotTradingHere(
                "Orders of this symbol are still being placed: look at the orders before trying again."
            ) from error
        if isinstance(answer, Denied):
            raise OrderDenied(answer.code, answer.reason)
        return answer


class OpenOrdersAndPositions:
    """Implements `accounts.ports.OpenBusiness` on the books."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, account_id: int) -> str | None:
        async with self._db.read() as unit:
            live = await rows.live_of(unit, [account_id])
            held = {row.key.symbol for row in await books_of(unit, [account_id])}
        if not live and not held:
            return None
        return f"{len(live)} live orders and positions in {len(held)} symbols"


def _closing_wish(row: BookRow) -> OrderWish:
    side = None
    if row.key.position_side is not PositionSide.NET:
        side = Side.SELL if row.book.quantity > 0 else Side.BUY
    return OrderWish(OrderType.MARKET, side=side, qty_per=Decimal(-100))


async def _request_cancels(unit: Unit, account: Account, symbol: str | None, side: Side | None) -> int:
    live = [
        order
        for order in await rows.live_of(unit, [account.id])
        if symbol in (None, order.symbol) and side in (None, order.side)
    ]
    await request_cancels(unit, live)
    return len(live)


async def _request_cancel(unit: Unit, principal: Principal, order_id: int) -> tuple[Order, int]:
    order = await rows.owned_order(unit, principal.scope, order_id)
    if order is None:
        raise NotFound(f"There is no order {order_id}.")
    if not order.status.is_live:
        raise OrderHasEnded(f"The order has ended ({order.status}): there is nothing to cancel.")
    await request_cancels(unit, [order])
    item_id = await cancels.live_item_of(unit, order.id)
    if item_id is None:
        raise OrderHasEnded("The order has ended in this moment: there is nothing to cancel.")
    return order, item_id
