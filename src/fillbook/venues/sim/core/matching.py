"""Matching: takers against the book, the moving price against resting and conditional orders, liquidation.

A conditional order in the normal book starts to work in place; one in the conditional book stays behind as a
record (status FILLED, `child_id` set) and a new order goes to market in its stead.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.kernel.money import ZERO, divide, floor_to
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.book import crosses
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.modes import is_closing
from fillbook.venues.sim.core.vocabulary import (
    Execution,
    NewOrder,
    OrderEvent,
    PriceEvent,
    Refused,
    SimFill,
    SimOrder,
    TradeEvent,
    WalletCause,
    WalletEvent,
)

if TYPE_CHECKING:
    from fillbook.venues.sim.core.exchange import Exchange

_STOPS = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})
_ENDED = {
    Execution.CANCELED: OrderStatus.CANCELED,
    Execution.EXPIRED: OrderStatus.EXPIRED,
    Execution.REJECTED: OrderStatus.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What differs between venues: whether a stop that would trigger at once, a FOK that cannot fill, or a
    post-only order that would take is refused or accepted (and then expires); whether a conditional order of the
    normal book ties up funds before it triggers; whether spot and futures share one wallet."""

    refuses_immediate_trigger: bool = True
    refuses_unfillable_fok: frozenset[MarketType] = frozenset()
    refuses_taking_post_only: bool = True
    reserves_conditionals: bool = True
    has_unified_wallet: bool = False


class Matching:
    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._settlement = exchange.settlement

    # Takers

    def can_fill(self, order: SimOrder, market: Market) -> bool:
        found, _ = market.book.walk(order.side, order.remaining, order.price)
        return found >= order.remaining

    def would_take(self, order: SimOrder, market: Market) -> bool:
        best = market.book.best_price(order.side.opposite)
        return best is not None and crosses(order.side, order.price, best)

    def execute(self, account: Account, order: SimOrder, market: Market) -> None:
        """Match a working order; what is left rests, or ends when it may not."""
        if order.time_in_force is TimeInForce.FOK and not self.can_fill(order, market):
            self.end(account, order, market, Execution.EXPIRED, "fok")
            return
        if order.time_in_force is TimeInForce.POST_ONLY and self.would_take(order, market):
            self.end(account, order, market, Execution.EXPIRED, "would_take")
            return
        while order.is_open and self._take_best(account, order, market):
            pass
        market.book.maker.refill()
        if not order.is_open:
            return
        if order.price is None or order.time_in_force is TimeInForce.IOC:
            self.end(account, order, market, Execution.EXPIRED, "no_liquidity")
        elif reduces(order) and not self._tradable(account, order):
            self.end(account, order, market, Execution.EXPIRED, "reduce_only")
        else:
            market.book.resting[order.side].add(order)

    def _take_best(self, account: Account, order: SimOrder, market: Market) -> bool:
        """One trade with the best counterpart; False when there is none."""
        book, counter_side = market.book, order.side.opposite
        price = book.best_price(counter_side)
        if price is None or not crosses(order.side, order.price, price):
            return False
        wanted = self._tradable(account, order)
        if order.quote_quantity is not None:
            wanted = _affordable(order, market, price)
        if wanted <= 0:
            return False
        resting = book.resting[counter_side].best()
        if resting is not None and resting.price == price:
            owner = self._exchange.accounts[resting.account]
            offered = self._tradable(owner, resting)
            if offered <= 0:
                self.end(owner, resting, market, Execution.EXPIRED, "reduce_only")
                return True
            self._trade(market, price, min(wanted, offered), (account, order), (owner, resting))
            return True
        quantity = min(wanted, book.maker.quotes[counter_side][0].quantity)
        book.maker.take(counter_side, quantity)
        self._trade(market, price, quantity, (account, order), None)
        return True

    def _tradable(self, account: Account, order: SimOrder) -> Decimal:
        """What is left of an order; of a reducing one no more than the position."""
        if not reduces(order):
            return order.remaining
        held = account.position(order.symbol, order.position_side).quantity
        if held * order.side.sign >= 0:
            return ZERO
        return min(order.remaining, abs(held))

    def _trade(
        self,
        market: Market,
        price: Decimal,
        quantity: Decimal,
        taker: tuple[Account, SimOrder] | None,
        maker: tuple[Account, SimOrder] | None,
        kind: FillKind = FillKind.TRADE,
        keeps_status: OrderStatus | None = None,
    ) -> None:
        """One trade; a missing side is the market maker's. `keeps_status` is for orders that have ended."""
        exchange = self._exchange
        at_ms = exchange.now_ms()
        market.last_trade_id += 1
        market.update_id += 1
        trade_id = market.last_trade_id
        if taker is None or maker is None:
            party = taker or maker
            assert party is not None
            self._settlement.house_trade(market, party[1].side.opposite, price, quantity)
        fills: list[tuple[Account, SimOrder, SimFill]] = []
        for party, liquidity in ((maker, Liquidity.MAKER), (taker, Liquidity.TAKER)):
            if party is None:
                continue
            account, order = party
            if order.quote_quantity is not None:
                order.quantity = order.filled + quantity
            fill = self._settlement.fill(
                account, order, market, price, quantity, liquidity, trade_id, at_ms, kind
            )
            if keeps_status is not None:
                order.status = keeps_status
            elif _is_unfinished(order, market, price):
                order.status = OrderStatus.PARTIALLY_FILLED
            else:
                self._finish(account, order)
                if order in market.book.resting[order.side]:
                    market.book.resting[order.side].remove(order)
                self._settlement.release(account, order, market)
            fills.append((account, order, fill))
        buyer_is_maker = (
            maker[1].side is Side.BUY if maker else taker is not None and taker[1].side is Side.SELL
        )
        trade = TradeEvent(market.symbol, trade_id, price, quantity, buyer_is_maker, at_ms)
        market.keep_trade(trade)
        exchange.candles.note(market, market.price, quantity, at_ms)
        exchange.emit(trade)
        for account, order, fill in fills:
            self._announce_fill(account, order, market, fill)

    def _announce_fill(self, account: Account, order: SimOrder, market: Market, fill: SimFill) -> None:
        event = OrderEvent(order, Execution.TRADE, fill.at_ms, fill)
        if order.market_type is MarketType.SPOT:
            self._exchange.emit(event)
            self.announce_wallet(account, market, fill.at_ms)
            self._announce_parent(account, order, fill.at_ms)
            return
        self.announce_wallet(account, market, fill.at_ms, order.position_side)
        self._exchange.emit(event)
        self._announce_parent(account, order, fill.at_ms)
        if not account.position(order.symbol, order.position_side).quantity:
            self._expire_reducing(account, order, market)

    def _expire_reducing(self, account: Account, closer: SimOrder, market: Market) -> None:
        """A closed position leaves nothing to reduce."""
        for order in account.orders_of(market.symbol, Book.NORMAL):
            if order is closer or order.position_side is not closer.position_side:
                continue
            if reduces(order) and order in market.book.resting[order.side]:
                self.end(account, order, market, Execution.EXPIRED, "reduce_only")

    def announce_wallet(
        self, account: Account, market: Market, at_ms: int, leg: PositionSide | None = None
    ) -> None:
        instrument = market.listing.instrument
        is_spot = market.listing.market_type is MarketType.SPOT
        assets = (instrument.base, instrument.quote) if is_spot else (instrument.settle,)
        positions = ((market.symbol, leg),) if leg is not None else ()
        self._exchange.emit(
            WalletEvent(
                account.key, market.listing.market_type, assets, WalletCause.ORDER, at_ms, positions=positions
            )
        )

    # Ends

    def _finish(self, account: Account, order: SimOrder) -> None:
        order.status = OrderStatus.FILLED
        account.open_orders.pop(order.order_id, None)

    def end(
        self, account: Account, order: SimOrder, market: Market, execution: Execution, reason: str
    ) -> None:
        """Take an order out of the market without a fill and give back what it locks."""
        resting = market.book.resting[order.side]
        if order in resting:
            resting.remove(order)
        market.conditionals.pop(order.order_id, None)
        account.open_orders.pop(order.order_id, None)
        had_lock = bool(order.locked)
        self._settlement.release(account, order, market)
        order.status = _ENDED[execution]
        order.end_reason = reason
        order.updated_ms = self._exchange.now_ms()
        market.update_id += 1
        self._exchange.emit(OrderEvent(order, execution, order.updated_ms))
        if had_lock and order.market_type is MarketType.SPOT:
            self.announce_wallet(account, market, order.updated_ms)
        self._announce_parent(account, order, order.updated_ms)

    def _announce_parent(self, account: Account, order: SimOrder, at_ms: int) -> None:
        """A conditional order is finished when the order that it placed has ended."""
        if order.parent_id is not None and not order.is_open:
            parent = account.orders[order.parent_id]
            parent.updated_ms = at_ms
            self._exchange.emit(OrderEvent(parent, Execution.FINISHED, at_ms))

    # The moving price

    def is_triggered(self, order: SimOrder, market: Market) -> bool:
        price, stop = market.price_for(order.trigger_on), order.stop_price
        assert stop is not None
        rises = (order.order_type in _STOPS) is (order.side is Side.BUY)
        return price >= stop if rises else price <= stop

    def move_price(self, market: Market, price: Decimal, mark: Decimal) -> None:
        market.price, market.mark = price, mark
        market.day_high, market.day_low = max(market.day_high, price), min(market.day_low, price)
        market.update_id += 1
        market.book.maker.requote(price)
        at_ms = self._exchange.now_ms()
        self._exchange.candles.note(market, price, ZERO, at_ms)
        self._exchange.emit(PriceEvent(market.symbol, at_ms))
        for side in Side:
            self._fill_touched(market, side, price)
        market.book.maker.refill()
        for order in list(market.conditionals.values()):
            if order.is_open and self.is_triggered(order, market):
                self._trigger(self._exchange.accounts[order.account], order, market)
        if market.holders:
            self._exchange.liquidation.check(market)

    def _fill_touched(self, market: Market, side: Side, price: Decimal) -> None:
        """Resting orders at the price or beyond trade with the market maker, at their own price, as far as it
        quotes."""
        resting, quotes = market.book.resting[side], market.book.maker.quotes[side.opposite]
        while (order := resting.best()) is not None:
            assert order.price is not None
            if not crosses(side, order.price, price) or not quotes:
                return
            account = self._exchange.accounts[order.account]
            offered = self._tradable(account, order)
            if offered <= 0:
                self.end(account, order, market, Execution.EXPIRED, "reduce_only")
                continue
            quantity = min(offered, quotes[0].quantity)
            market.book.maker.take(side.opposite, quantity)
            self._trade(market, order.price, quantity, None, (account, order))

    def _trigger(self, account: Account, order: SimOrder, market: Market) -> None:
        at_ms = self._exchange.now_ms()
        del market.conditionals[order.order_id]
        order.triggered_ms = order.updated_ms = at_ms
        if order.book is Book.CONDITIONAL:
            self._place_child(account, order, market, at_ms)
            return
        self._settlement.release(account, order, market)
        order.is_working, order.working_ms = True, at_ms
        try:
            self._settlement.reserve(account, order, market)
        except Refused as refused:
            self.end(account, order, market, Execution.EXPIRED, refused.reason.value)
            return
        self._exchange.emit(OrderEvent(order, Execution.TRIGGERED, at_ms))
        self.execute(account, order, market)

    def _place_child(self, account: Account, parent: SimOrder, market: Market, at_ms: int) -> None:
        held = abs(account.position(parent.symbol, parent.position_side).quantity)
        is_net = account.position_mode is PositionMode.ONE_WAY
        new = NewOrder(
            symbol=parent.symbol,
            side=parent.side,
            order_type=OrderType.LIMIT if parent.order_type.has_price else OrderType.MARKET,
            quantity=held if parent.close_position else parent.quantity,
            price=parent.price,
            time_in_force=parent.time_in_force,
            client_order_id=parent.client_order_id,
            quote_quantity=parent.quote_quantity,
            reduce_only=(parent.reduce_only or parent.close_position) and is_net,
            position_side=parent.position_side,
        )
        self._exchange.place_child(account, parent, new, market, at_ms)

    def fill_late(self, account: Account, order: SimOrder, market: Market, fraction: Decimal) -> None:
        if order.book is Book.CONDITIONAL:
            return  # it never fills itself: what it triggers does
        lot = market.listing.instrument.lot
        quantity = floor_to(order.remaining * fraction, lot)
        price = order.price if order.price is not None else market.price
        if quantity <= 0 or not self._settlement.can_pay(account, order, market, price * quantity, quantity):
            return
        self.fill_anyway(account, order, market, quantity)

    def fill_anyway(self, account: Account, order: SimOrder, market: Market, quantity: Decimal) -> None:
        price = order.price if order.price is not None else market.price
        ended = None if order.is_open else order.status
        self._trade(market, price, quantity, None, (account, order), keeps_status=ended)

    def close_with_house(self, account: Account, order: SimOrder, market: Market, kind: FillKind) -> None:
        """Fill an order of the exchange's own (liquidation, deleveraging) at the mark price."""
        self._trade(market, market.mark, order.quantity, (account, order), None, kind)


def reduces(order: SimOrder) -> bool:
    """Whether an order may only reduce: by its flag, or because it closes its leg in hedge mode."""
    if order.reduce_only or order.close_position:
        return True
    return order.position_side is not PositionSide.NET and is_closing(order.position_side, order.side)


def _is_unfinished(order: SimOrder, market: Market, price: Decimal) -> bool:
    if order.quote_quantity is not None:
        return _affordable(order, market, price) > 0
    return order.remaining > 0


def _affordable(order: SimOrder, market: Market, price: Decimal) -> Decimal:
    """What the rest of a market order by cost buys (or sells for) at a price, on the lot."""
    assert order.quote_quantity is not None
    return floor_to(divide(order.quote_quantity - order.cost, price), market.listing.instrument.lot)
