"""What a trade and an order's reservation do to wallets and positions.

Fees are rounded down to 8 places when charged: spot in the asset received, futures in the settlement asset.
The house is the other side of every trade with the market maker, so that each asset's sum over accounts,
house and fees never changes.
"""

from collections.abc import Mapping
from decimal import Decimal

from fillbook.kernel.money import ZERO, divide, floor_to, share
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.margin import increasing_quantity, margin_state
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, Refusal, Refused, SimFill, SimOrder

_FEE_STEP = Decimal("0.00000001")


class Settlement:
    def __init__(self, markets: Mapping[str, Market], first_entry_id: int) -> None:
        self._markets = markets
        self._last_entry_id = first_entry_id
        self.house: dict[str, Decimal] = {}
        self.fees: dict[str, Decimal] = {}

    def reserve(self, account: Account, order: SimOrder, market: Market) -> None:
        """Lock what the order needs; raises `Refused` when the account does not have it."""
        if market.listing.market_type is MarketType.SPOT:
            self._reserve_spot(account, order, market)
        else:
            self._reserve_margin(account, order, market)

    def _reserve_spot(self, account: Account, order: SimOrder, market: Market) -> None:
        asset = locked_asset(order, market)
        if order.side is Side.SELL:
            needed = order.quantity - order.filled
        elif order.quote_quantity is not None:
            needed = order.quote_quantity
        elif order.price is not None:
            needed = order.remaining * order.price
        elif not order.is_working:
            assert order.stop_price is not None
            needed = order.remaining * order.stop_price
        else:
            _, needed = market.book.walk(order.side, order.remaining, None)
        purse = account.purse(asset)
        if purse.free < needed or (account.is_unified and self._spendable(account, asset) < needed):
            raise Refused(Refusal.INSUFFICIENT_BALANCE)
        purse.free -= needed
        purse.locked += needed
        order.locked = needed

    def _reserve_margin(self, account: Account, order: SimOrder, market: Market) -> None:
        if order.reduce_only or order.close_position:
            return
        asset = market.listing.instrument.settle
        position = account.position(order.symbol, order.position_side)
        opening = increasing_quantity(account, order.symbol, order.remaining * order.side.sign, position)
        price = order.price if order.price is not None else market.book.best_price(order.side.opposite)
        margin = divide(opening * (price or market.mark), account.leverage(order.symbol))
        fee = opening * (price or market.mark) * market.listing.taker_rate
        if margin and margin + fee > margin_state(account, self._markets, asset).available:
            raise Refused(Refusal.INSUFFICIENT_MARGIN)
        order.locked = margin
        account.reserved[asset] = account.reserved.get(asset, ZERO) + margin

    def _spendable(self, account: Account, asset: str) -> Decimal:
        """What of a unified wallet is not tied up as margin."""
        return margin_state(account, self._markets, asset).available

    def can_pay(
        self, account: Account, order: SimOrder, market: Market, cost: Decimal, quantity: Decimal
    ) -> bool:
        """Whether an order without a reservation could be settled on spot; futures always can."""
        if market.listing.market_type is MarketType.FUTURES:
            return True
        needed = cost if order.side is Side.BUY else quantity
        return account.purse(locked_asset(order, market)).free >= needed

    def release(
        self, account: Account, order: SimOrder, market: Market, amount: Decimal | None = None
    ) -> None:
        """Give back what an order still locks, or a part of it."""
        part = order.locked if amount is None else min(amount, order.locked)
        if not part:
            return
        order.locked -= part
        if market.listing.market_type is MarketType.SPOT:
            purse = account.purse(locked_asset(order, market))
            purse.locked -= part
            purse.free += part
        else:
            account.reserved[market.listing.instrument.settle] -= part

    def fill(
        self,
        account: Account,
        order: SimOrder,
        market: Market,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
        trade_id: int,
        at_ms: int,
        kind: FillKind = FillKind.TRADE,
    ) -> SimFill:
        """Book one side of a trade on its account and its order."""
        listing = market.listing
        rate = listing.maker_rate if liquidity is Liquidity.MAKER else listing.taker_rate
        if listing.market_type is MarketType.SPOT:
            fee, fee_asset, realized = self._fill_spot(account, order, market, price, quantity, rate)
        else:
            fee, fee_asset, realized = self._fill_futures(
                account, order, market, price, quantity, rate, at_ms
            )
            self._enter(account, LedgerKind.COMMISSION, fee_asset, -fee, at_ms, order.symbol, trade_id)
            if realized:
                self._enter(
                    account, LedgerKind.REALIZED_PNL, fee_asset, realized, at_ms, order.symbol, trade_id
                )
        self.fees[fee_asset] = self.fees.get(fee_asset, ZERO) + fee
        order.filled += quantity
        order.cost += quantity * price
        order.updated_ms = account.updated_ms = at_ms
        fill = SimFill(
            account.key,
            trade_id,
            order.order_id,
            order.client_order_id,
            order.symbol,
            order.side,
            order.position_side,
            price,
            quantity,
            fee,
            fee_asset,
            liquidity,
            kind,
            realized,
            at_ms,
        )
        order.fills.append(fill)
        account.fills.append(fill)
        return fill

    def _fill_spot(
        self,
        account: Account,
        order: SimOrder,
        market: Market,
        price: Decimal,
        quantity: Decimal,
        rate: Decimal,
    ) -> tuple[Decimal, str, Decimal]:
        instrument = market.listing.instrument
        base, quote = account.purse(instrument.base), account.purse(instrument.quote)
        cost = price * quantity
        if order.side is Side.BUY:
            held = cost if order.price is None else quantity * order.price
            self.release(account, order, market, held)
            quote.free -= cost
            fee = floor_to(quantity * rate, _FEE_STEP)
            base.free += quantity - fee
            return fee, instrument.base, ZERO
        self.release(account, order, market, quantity)
        base.free -= quantity
        fee = floor_to(cost * rate, _FEE_STEP)
        quote.free += cost - fee
        return fee, instrument.quote, ZERO

    def _fill_futures(
        self,
        account: Account,
        order: SimOrder,
        market: Market,
        price: Decimal,
        quantity: Decimal,
        rate: Decimal,
        at_ms: int,
    ) -> tuple[Decimal, str, Decimal]:
        settle = market.listing.instrument.settle
        if order.locked:
            self.release(account, order, market, share(order.locked, quantity, order.remaining))
        position = account.position(order.symbol, order.position_side)
        before = abs(position.quantity)
        realized = position.apply(quantity * order.side.sign, price)
        position.updated_ms = at_ms
        if account.is_isolated(order.symbol) and abs(position.quantity) > before:
            opened = abs(position.quantity) - before
            position.isolated_wallet += divide(opened * price, account.leverage(order.symbol))
        elif account.is_isolated(order.symbol) and position.quantity and not position.isolated_wallet:
            position.isolated_wallet = divide(abs(position.cost), account.leverage(order.symbol))
        fee = floor_to(price * quantity * rate, _FEE_STEP)
        account.wallet[settle] = account.wallet.get(settle, ZERO) + realized - fee
        if position.quantity:
            market.holders.add(account.key)
        elif not any(held.quantity for held in account.positions.values() if held.symbol == order.symbol):
            market.holders.discard(account.key)
        return fee, settle, realized

    def house_trade(self, market: Market, side: Side, price: Decimal, quantity: Decimal) -> None:
        """The market maker trades; `side` is its own."""
        instrument = market.listing.instrument
        base = instrument.base if market.listing.market_type is MarketType.SPOT else market.symbol
        self.house[base] = self.house.get(base, ZERO) + quantity * side.sign
        self.house[instrument.quote] = self.house.get(instrument.quote, ZERO) - price * quantity * side.sign

    def cover_deficit(self, account: Account, asset: str, at_ms: int) -> None:
        """The insurance fund makes a wallet whole that a liquidation left below zero."""
        deficit = -account.wallet.get(asset, ZERO)
        if deficit > 0:
            account.wallet[asset] = ZERO
            self.house[asset] = self.house.get(asset, ZERO) - deficit
            self._enter(account, LedgerKind.INSURANCE, asset, deficit, at_ms)

    def deposit(
        self, account: Account, market_type: MarketType, asset: str, amount: Decimal, at_ms: int
    ) -> None:
        """Bring an amount in, or take it out when it is below zero."""
        if market_type is MarketType.SPOT:
            purse = account.purse(asset)
            if purse.free + amount < 0:
                raise Refused(Refusal.INSUFFICIENT_BALANCE)
            purse.free += amount
        else:
            if account.wallet.get(asset, ZERO) + amount < 0:
                raise Refused(Refusal.INSUFFICIENT_BALANCE)
            account.wallet[asset] = account.wallet.get(asset, ZERO) + amount
        account.updated_ms = at_ms
        kind = LedgerKind.DEPOSIT if amount > 0 else LedgerKind.WITHDRAWAL
        if market_type is MarketType.FUTURES:
            kind = LedgerKind.TRANSFER
        self._enter(account, kind, asset, amount, at_ms, market_type=market_type)

    def fund(self, account: Account, market: Market, amount: Decimal, at_ms: int) -> None:
        """A funding payment: above zero is received. The house is the other side of all of them."""
        asset = market.listing.instrument.settle
        account.wallet[asset] = account.wallet.get(asset, ZERO) + amount
        account.updated_ms = at_ms
        self.house[asset] = self.house.get(asset, ZERO) - amount
        self._enter(account, LedgerKind.FUNDING, asset, amount, at_ms, market.symbol)

    def _enter(
        self,
        account: Account,
        kind: LedgerKind,
        asset: str,
        amount: Decimal,
        at_ms: int,
        symbol: str = "",
        trade_id: int | None = None,
        market_type: MarketType = MarketType.FUTURES,
    ) -> None:
        self._last_entry_id += 1
        account.ledger.append(
            LedgerEntry(self._last_entry_id, kind, market_type, asset, amount, at_ms, symbol, trade_id)
        )


def locked_asset(order: SimOrder, market: Market) -> str:
    instrument = market.listing.instrument
    return instrument.quote if order.side is Side.BUY else instrument.base
