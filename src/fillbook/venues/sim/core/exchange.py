"""The exchange: accounts place, cancel and amend orders; the price moves; everything that happened is kept.

Deterministic: time comes from `now_ms`, nothing is random here, and the same calls give the same events.
Orders of one price trade in the order of arrival; the reference price moves only when it is set.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from fillbook.accounts.core import KeyPermissions, PositionSide
from fillbook.kernel.errors import Conflict, NotFound
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.book import Depth, OrderBook, crosses
from fillbook.venues.sim.core.candles import Candles
from fillbook.venues.sim.core.liquidation import Liquidation
from fillbook.venues.sim.core.listings import Listing
from fillbook.venues.sim.core.market import Market, next_funding_ms
from fillbook.venues.sim.core.matching import Matching, Policy
from fillbook.venues.sim.core.modes import check_leg
from fillbook.venues.sim.core.rules import check_price, check_quantity, check_rules
from fillbook.venues.sim.core.settlement import Settlement
from fillbook.venues.sim.core.vocabulary import (
    Event,
    Execution,
    FundingPayment,
    NewOrder,
    OrderEvent,
    Refusal,
    Refused,
    SimFill,
    SimOrder,
    WalletCause,
    WalletEvent,
)

FULL_PERMISSIONS = KeyPermissions(
    can_read=True, can_trade_spot=True, can_trade_futures=True, can_withdraw=False, ip_restricted=True
)
_IDS_PER_MS = 100


class Exchange:
    """Ids of orders, trades and ledger entries start from the clock, so that an exchange that was started anew
    never repeats an id of its past."""

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        now_ms: Callable[[], int],
        policy: Policy | None = None,
        depth: Depth | None = None,
    ) -> None:
        self.now_ms = now_ms
        first_id = now_ms() * _IDS_PER_MS
        self.policy = policy or Policy()
        self.markets: dict[str, Market] = {}
        for listing in listings:
            instrument = listing.instrument
            book = OrderBook(instrument.tick, instrument.lot, depth or Depth())
            self.markets[listing.symbol] = market = Market(
                listing, book, listing.first_price, listing.first_price
            )
            exact(book.maker.requote)(listing.first_price)
            market.last_trade_id = market.first_trade_id = first_id
            market.day_open = market.day_high = market.day_low = listing.first_price
        self.accounts: dict[str, Account] = {}
        self.orders: dict[int, SimOrder] = {}
        self._subscribers: list[Callable[[Event], None]] = []
        self.tell_fill: Callable[[SimFill], SimFill] = _as_it_is
        self.last_order_id = first_id
        self.settlement = Settlement(self.markets, first_id)
        self.matching = Matching(self)
        self.liquidation = Liquidation(self)
        self.candles = Candles()
        for market in self.markets.values():
            self.candles.note(market, market.price, ZERO, now_ms())
        self._next_funding_ms = next_funding_ms(now_ms())
        self.funding_payments: list[FundingPayment] = []

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Call `subscriber` with every event, at once, in order."""
        self._subscribers.append(subscriber)

    def emit(self, event: Event) -> None:
        if isinstance(event, OrderEvent) and event.fill is not None:
            event = replace(event, fill=self.tell_fill(event.fill))
        for subscriber in self._subscribers:
            subscriber(event)

    @contextmanager
    def watched(self, subscriber: Callable[[Event], None]) -> Iterator[None]:
        """Subscribe for the length of a block."""
        self._subscribers.append(subscriber)
        try:
            yield
        finally:
            self._subscribers.remove(subscriber)

    def next_order_id(self) -> int:
        self.last_order_id += 1
        return self.last_order_id

    def market(self, symbol: str) -> Market:
        market = self.markets.get(symbol)
        if market is None or not market.is_listed:
            raise Refused(Refusal.UNKNOWN_SYMBOL, f"{symbol} is not listed.")
        return market

    # Accounts

    def open_account(
        self,
        key: str,
        secret: str,
        *,
        passphrase: str | None = None,
        permissions: KeyPermissions = FULL_PERMISSIONS,
    ) -> Account:
        """A new account; the same key again only renews secret and permissions."""
        known = self.accounts.get(key)
        if known is not None:
            known.secret, known.passphrase, known.permissions = secret, passphrase, permissions
            return known
        account = Account(key, secret, 100_000 + len(self.accounts), passphrase, permissions)
        account.updated_ms = self.now_ms()
        if self.policy.has_unified_wallet:
            account.unify_wallets()
        self.accounts[key] = account
        return account

    def account(self, key: str) -> Account:
        account = self.accounts.get(key)
        if account is None:
            raise NotFound("There is no account with this key at the simulated exchange.")
        return account

    @exact
    def deposit(self, account: Account, market_type: MarketType, asset: str, amount: Decimal) -> None:
        """Bring an amount into a wallet (below zero: take it out)."""
        at_ms = self.now_ms()
        self.settlement.deposit(account, market_type, asset, amount, at_ms)
        cause = WalletCause.DEPOSIT if amount >= 0 else WalletCause.WITHDRAWAL
        self.emit(WalletEvent(account.key, market_type, (asset,), cause, at_ms, amount=amount))

    # Orders

    @exact
    def place(self, account: Account, new: NewOrder) -> SimOrder:
        """Accept an order and match it; raises `Refused` and changes nothing when it may not be placed."""
        market = self.market(new.symbol)
        check_rules(market, new)
        check_leg(account, market, new)
        at_ms = self.now_ms()
        client_id = new.client_order_id
        if client_id is not None:
            known = account.by_client_id.get((new.symbol, new.book, client_id))
            if known is not None and known.is_open:
                raise Refused(Refusal.DUPLICATE_CLIENT_ID)
        order = self._make(account, market, new, at_ms)
        if order.order_type.has_stop_price:
            self._check_trigger(market, order)
            if order.book is Book.NORMAL and self.policy.reserves_conditionals:
                self.settlement.reserve(account, order, market)
            self._register(account, order)
            market.conditionals[order.order_id] = order
            self._announce_new(account, order, market)
            return order
        self._check_taking(market, order)
        self.settlement.reserve(account, order, market)
        self._register(account, order)
        self._announce_new(account, order, market)
        self.matching.execute(account, order, market)
        return order

    def _make(self, account: Account, market: Market, new: NewOrder, at_ms: int) -> SimOrder:
        order_id = self.next_order_id()
        is_stop = new.order_type.has_stop_price
        return SimOrder(
            order_id=order_id,
            account=account.key,
            client_order_id=new.client_order_id or f"sim{order_id}",
            symbol=new.symbol,
            market_type=market.listing.market_type,
            side=new.side,
            order_type=new.order_type,
            quantity=new.quantity,
            price=new.price if new.order_type.has_price else None,
            stop_price=new.stop_price,
            time_in_force=new.time_in_force,
            quote_quantity=new.quote_quantity,
            reduce_only=new.reduce_only,
            close_position=new.close_position,
            position_side=new.position_side,
            book=new.book,
            trigger_on=new.trigger_on,
            created_ms=at_ms,
            updated_ms=at_ms,
            is_working=not is_stop,
            working_ms=0 if is_stop else at_ms,
        )

    def _check_trigger(self, market: Market, order: SimOrder) -> None:
        if self.policy.refuses_immediate_trigger and self.matching.is_triggered(order, market):
            raise Refused(Refusal.WOULD_TRIGGER)

    def _check_taking(self, market: Market, order: SimOrder) -> None:
        """Where the venue does so, refuse a post-only order that would take and a FOK that cannot fill."""
        refuses = self.policy.refuses_taking_post_only
        if (
            order.time_in_force is TimeInForce.POST_ONLY
            and refuses
            and self.matching.would_take(order, market)
        ):
            raise Refused(Refusal.WOULD_TAKE)
        refuses = market.listing.market_type in self.policy.refuses_unfillable_fok
        if order.time_in_force is TimeInForce.FOK and refuses and not self.matching.can_fill(order, market):
            raise Refused(Refusal.FOK_UNFILLABLE)

    def _register(self, account: Account, order: SimOrder) -> None:
        self.orders[order.order_id] = order
        account.orders[order.order_id] = order
        account.open_orders[order.order_id] = order
        account.by_client_id[(order.symbol, order.book, order.client_order_id)] = order

    def _announce_new(self, account: Account, order: SimOrder, market: Market) -> None:
        at_ms = order.updated_ms
        self.emit(OrderEvent(order, Execution.NEW, at_ms))
        if order.locked and order.market_type is MarketType.SPOT:
            self.matching.announce_wallet(account, market, at_ms)

    def place_child(
        self, account: Account, parent: SimOrder, new: NewOrder, market: Market, at_ms: int
    ) -> None:
        """Place the order that a triggered conditional order stands for; a refusal ends the conditional one."""
        account.open_orders.pop(parent.order_id)
        try:
            check_leg(account, market, new)
            child = self._make(account, market, new, at_ms)
            self._check_taking(market, child)
            self.settlement.reserve(account, child, market)
        except Refused as refused:
            self.matching.end(account, parent, market, Execution.REJECTED, refused.reason.value)
            return
        parent.child_id, child.parent_id = child.order_id, parent.order_id
        parent.status = OrderStatus.FILLED
        self._register(account, child)
        self.emit(OrderEvent(parent, Execution.TRIGGERED, at_ms))
        self._announce_new(account, child, market)
        self.matching.execute(account, child, market)

    def register_own(self, account: Account, market: Market, new: NewOrder) -> SimOrder:
        """The exchange's own order against an account; it needs no margin and passes no rule."""
        order = self._make(account, market, new, self.now_ms())
        self._register(account, order)
        return order

    def find(
        self,
        account: Account,
        symbol: str,
        book: Book,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
    ) -> SimOrder:
        """One order of an account, by the exchange's id or the latest with a client id."""
        order = None
        if order_id is not None:
            order = account.orders.get(order_id)
        elif client_order_id is not None:
            order = account.by_client_id.get((symbol, book, client_order_id))
        if order is None or order.symbol != symbol or order.book is not book:
            raise Refused(Refusal.UNKNOWN_ORDER)
        return order

    def hide_orders_of(self, account: Account, until_ms: int) -> int:
        """Every order of an account is unknown to look-ups for a while (a fault); how many there were."""
        for order in account.orders.values():
            order.hidden_until_ms = until_ms
        return len(account.orders)

    def hide_orders_after(self, order_id: int, until_ms: int) -> None:
        """Orders made after this one are unknown to look-ups for a while (a fault)."""
        for made_id in range(order_id + 1, self.last_order_id + 1):
            if made_id in self.orders:
                self.orders[made_id].hidden_until_ms = until_ms

    @exact
    def cancel(self, account: Account, order: SimOrder, cancel_id: str = "") -> SimOrder:
        """Cancel an open order; one that has ended raises `Refused(unknown_order)`."""
        if not order.is_open:
            raise Refused(Refusal.UNKNOWN_ORDER)
        order.cancel_id = cancel_id
        self.matching.end(account, order, self.market(order.symbol), Execution.CANCELED, "canceled")
        return order

    def cancel_all(self, account: Account, symbol: str, book: Book, cancel_id: str = "") -> list[SimOrder]:
        """Cancel every open order of a symbol in one book."""
        return [self.cancel(account, order, cancel_id) for order in account.orders_of(symbol, book)]

    @exact
    def fill_late(self, order: SimOrder, fraction: Decimal) -> None:
        """Fill a part of what an ended order left, as a venue does whose cancel and fill crossed (a fault). The
        order stays canceled. Nothing happens when the account can no longer pay."""
        self.matching.fill_late(self.accounts[order.account], order, self.market(order.symbol), fraction)

    @exact
    def fill_anyway(self, order: SimOrder, quantity: Decimal) -> None:
        """Fill an order by a quantity, whatever its status and its size (a fault): one that has ended stays ended,
        and a live one ends when it is full or more than full."""
        self.matching.fill_anyway(self.accounts[order.account], order, self.market(order.symbol), quantity)

    @exact
    def amend(self, account: Account, order: SimOrder, quantity: Decimal, price: Decimal) -> SimOrder:
        """Change price and quantity of an open limit order; it keeps its id and loses its place in the queue."""
        market = self.market(order.symbol)
        if not order.is_open:
            raise Refused(Refusal.UNKNOWN_ORDER)
        if order.order_type is not OrderType.LIMIT:
            raise Conflict("Only limit orders can be amended.")
        if quantity == order.quantity and price == order.price:
            raise Refused(Refusal.NOTHING_TO_AMEND)
        if quantity <= order.filled:
            raise Refused(Refusal.AMEND_BELOW_FILLED)
        check_price(market, price)
        check_quantity(market, quantity, is_market=False)
        best = market.book.best_price(order.side.opposite)
        if order.time_in_force is TimeInForce.POST_ONLY and best and crosses(order.side, price, best):
            raise Refused(Refusal.WOULD_TAKE)
        before = (order.quantity, order.price, order.locked)
        resting = market.book.resting[order.side]
        resting.remove(order)
        self.settlement.release(account, order, market)
        order.quantity, order.price = quantity, price
        try:
            self.settlement.reserve(account, order, market)
        except Refused:
            order.quantity, order.price = before[0], before[1]
            self.settlement.reserve(account, order, market)
            resting.add(order)
            raise
        order.updated_ms = self.now_ms()
        self.emit(OrderEvent(order, Execution.AMENDED, order.updated_ms))
        self.matching.execute(account, order, market)
        return order

    # Prices

    @exact
    def set_price(self, symbol: str, price: Decimal, mark: Decimal | None = None) -> None:
        """The market trades at this price: quotes move, resting orders that it touches fill, stops trigger,
        positions that it ruins are liquidated."""
        self.matching.move_price(self.market(symbol), price, price if mark is None else mark)

    def set_depth(self, symbol: str, depth: Depth) -> None:
        """Give a symbol's market maker another shape, at once."""
        market = self.market(symbol)
        market.book.maker.depth = depth
        exact(market.book.maker.requote)(market.price)

    @exact
    def delist(self, symbol: str) -> None:
        """End a symbol as venues do: its orders are cancelled, its positions settled at the mark price, and then
        nobody knows it any more."""
        market = self.market(symbol)
        for account in self.accounts.values():
            for book in Book:
                self.cancel_all(account, symbol, book)
            for position in [p for p in account.positions.values() if p.symbol == symbol and p.quantity]:
                self.liquidation.close(account, position, market, abs(position.quantity), FillKind.SETTLEMENT)
        market.is_listed = False

    @exact
    def fund(self, symbol: str, rate: Decimal) -> None:
        """Settle funding: longs pay mark x quantity x rate to shorts (the house takes what is left over)."""
        market = self.market(symbol)
        at_ms = self.now_ms()
        self.funding_payments.append(FundingPayment(symbol, rate, market.mark, at_ms))
        for key in sorted(market.holders):
            account = self.accounts[key]
            legs = [p for p in account.positions.values() if p.symbol == symbol and p.quantity]
            for position in legs:
                amount = -position.quantity * market.mark * rate
                self.settlement.fund(account, market, amount, at_ms)
                self.emit(
                    WalletEvent(
                        key,
                        MarketType.FUTURES,
                        (market.listing.instrument.settle,),
                        WalletCause.FUNDING,
                        at_ms,
                        positions=((symbol, position.side),),
                        amount=amount,
                    )
                )

    @exact
    def deleverage(self, account: Account, symbol: str, leg: PositionSide, quantity: Decimal) -> SimOrder:
        """Reduce a position against its owner's will, as auto-deleveraging does; at most all of it."""
        market, position = self.market(symbol), account.position(symbol, leg)
        if not 0 < quantity <= abs(position.quantity):
            raise Refused(Refusal.REDUCE_ONLY, "There is no position of that size to deleverage.")
        return self.liquidation.close(account, position, market, quantity, FillKind.ADL)

    def settle_due_funding(self) -> None:
        """Settle every symbol's funding when the clock has passed one of the day's three moments."""
        if self.now_ms() < self._next_funding_ms:
            return
        self._next_funding_ms = next_funding_ms(self.now_ms())
        for market in self.markets.values():
            if market.listing.market_type is MarketType.FUTURES:
                self.fund(market.symbol, market.funding_rate)

    def totals(self) -> Mapping[str, Decimal]:
        """Each asset's sum over all spot purses, futures wallets, the house and the fees."""
        sums: dict[str, Decimal] = {}
        parts: list[tuple[str, Decimal]] = [*self.settlement.house.items(), *self.settlement.fees.items()]
        for account in self.accounts.values():
            parts += [(asset, purse.free + purse.locked) for asset, purse in account.spot.items()]
            parts += [] if account.is_unified else account.wallet.items()
        for asset, amount in parts:
            sums[asset] = sums.get(asset, ZERO) + amount
        return sums


def _as_it_is(fill: SimFill) -> SimFill:
    return fill
