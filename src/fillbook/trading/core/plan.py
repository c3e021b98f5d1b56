"""From one leg of a signal and what is known of one account to an order intent, or to the reason for none.

Pure: everything it needs is in `PlanContext`. Orders that are live or of unknown fate count at their worst
case: what they may still open is counted as opened, what they may still close as closed. Only `plan` makes an
`OrderIntent`, and only an intent becomes an order row.
"""

from decimal import ROUND_CEILING, Decimal

from fillbook.accounts.core import Account, PositionMode, PositionSide, TradingState
from fillbook.kernel.money import ZERO, divide, exact, to_text
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import Instrument, MarketType, Side, market_type_of
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.risk.core import (
    RESERVED,
    Denied,
    Sized,
    SizingStep,
    check_capital,
    effective_leverage,
    size_close,
    size_entry,
)
from fillbook.trading.core.protection import check_protection
from fillbook.trading.core.wishes import LiveOrder, OrderIntent, OrderWish, PlanContext


@exact
def plan(wish: OrderWish, context: PlanContext, source: TradeSource) -> OrderIntent | Denied:
    denied = _check_gate(wish, context)
    if denied:
        return denied
    instrument = context.instrument
    if instrument is None:
        return Denied(
            "unknown_symbol",
            f"{context.account.exchange} does not list {context.symbol}: check the symbol and the market type.",
        )
    if not instrument.is_active:
        return Denied(
            "symbol_not_trading", f"{context.symbol} is not trading at {context.account.exchange} now."
        )
    if wish.order_type is OrderType.MARKET:
        instrument = instrument.for_market_orders()
    sized = _size(wish, context, instrument)
    if isinstance(sized, Denied):
        return sized
    side, sized_quantity, reduces = sized
    reference = _reference_price(wish, context)
    denied = _check_instrument(instrument, sized_quantity.quantity, reference, reduces)
    if denied:
        return denied
    denied = check_protection(wish, instrument, side, reference, reduces)
    if denied:
        return denied
    leg = _leg_of(wish, context, side, reduces)
    opening = ZERO if reduces else _opening_quantity(context, side, leg, sized_quantity.quantity)
    leverage = effective_leverage(
        instrument.market_type, context.link.leverage if context.link else Decimal(1)
    )
    reserved = ZERO
    if opening and context.link is not None:
        if reference is None:
            return _no_price(context)
        denied = _check_opening(context, divide(opening * reference, leverage))
        if denied:
            return denied
        reserved = divide(opening * reference, leverage)
    steps = (*sized_quantity.steps, SizingStep("", RESERVED, to_text(reserved)))
    price = wish.price if wish.order_type.has_price else None
    return OrderIntent(
        symbol=context.symbol,
        side=side,
        position_side=leg,
        order_type=wish.order_type,
        quantity=sized_quantity.quantity,
        price=_passive(instrument, side, price),
        stop_price=_passive(instrument, side, wish.stop_price),
        time_in_force=wish.time_in_force or (TimeInForce.GTC if wish.order_type.has_price else None),
        reduce_only=_may_be_reduce_only(context, wish, side, sized_quantity.quantity, reduces),
        leverage=leverage,
        reserved=reserved,
        currency=instrument.settle,
        sizing=steps,
        exit_reason=wish.exit_reason or _exit_reason_of(source),
        trade_source=source,
        stop_loss_price=_passive(instrument, side.opposite, wish.stop_loss_price),
        take_profit_price=_passive(instrument, side.opposite, wish.take_profit_price),
    )


def _passive(instrument: Instrument, side: Side, price: Decimal | None) -> Decimal | None:
    return None if price is None else instrument.price_passive(side, price)


def _exit_reason_of(source: TradeSource) -> ExitReason:
    return ExitReason.SIGNAL_REVERSE if source is TradeSource.WEBHOOK else ExitReason.MANUAL


def _key_refusal(account: Account, market_type: MarketType) -> Denied | None:
    """Why the account's key, as it was last tested, cannot open anything. Closing is tried all the same."""
    may = account.permissions
    if may is None:
        return None
    if not may.can_read:
        return Denied(
            "credentials_refused",
            f"{account.exchange} refuses the key of {account.name}: see there that it exists and may be used from "
            "this server's address, then test it here.",
        )
    if not (may.can_trade_spot if market_type is MarketType.SPOT else may.can_trade_futures):
        return Denied(
            "key_cannot_trade",
            f"The key of {account.name} may not trade {market_type}: allow it at {account.exchange}, then test "
            "the key here.",
        )
    return None


def _check_gate(wish: OrderWish, context: PlanContext) -> Denied | None:
    account, link = context.account, context.link
    if not account.is_active:
        return Denied(
            "account_inactive", f"The account {account.name} is switched off: switch it on to trade."
        )
    if account.trading_state is TradingState.HALTED:
        return Denied(
            "account_halted", f"Trading is halted: {account.trading_state_reason or 'by its owner'}."
        )
    reduces = wish.reduces
    if account.trading_state is TradingState.REDUCE_ONLY and not reduces:
        return Denied(
            "account_reduce_only",
            f"The account may only reduce positions: {account.trading_state_reason or 'set by its owner'}.",
        )
    if not reduces and (refusal := _key_refusal(account, market_type_of(context.symbol))):
        return refusal
    if link is not None and not (link.is_active and link.strategy_is_active) and not wish.follows:
        return Denied(
            "link_inactive", "The strategy is not active on this account: activate the link to trade."
        )
    if context.conflicting_leverage is not None and not reduces:
        return Denied(
            "leverage_conflict",
            f"Another strategy holds {context.symbol} here with leverage {to_text(context.conflicting_leverage)}: "
            "the venue keeps one leverage for a symbol, so set both links to the same.",
        )
    return None


def _size(wish: OrderWish, context: PlanContext, instrument: Instrument) -> tuple[Side, Sized, bool] | Denied:
    """Side, size, and whether the order only reduces what its owner holds."""
    if wish.is_close:
        return _size_close(wish, context, instrument)
    if wish.side is None:
        return Denied("missing_side", "The order has no side: say buy or sell.")
    if wish.quantity is not None:
        return _size_exact(wish, wish.side, context, instrument)
    if context.link is None or context.capital is None or context.capital.total <= 0:
        return Denied(
            "no_capital", "The strategy has no capital on this account: set the link's capital first."
        )
    reference = _reference_price(wish, context)
    if reference is None:
        return _no_price(context)
    assert wish.qty_per is not None, "a wish has a quantity or a percentage"
    sized = size_entry(
        context.capital, wish.qty_per, context.link.max_qty_per, context.link.leverage, reference, instrument
    )
    if instrument.market_type is MarketType.SPOT and wish.side is Side.SELL:
        return _bound_spot_sell(sized, context, instrument)
    return wish.side, sized, False


def _size_close(
    wish: OrderWish, context: PlanContext, instrument: Instrument
) -> tuple[Side, Sized, bool] | Denied:
    assert wish.qty_per is not None
    held = [h for h in context.holdings if h.symbol == context.symbol and h.quantity]
    if wish.side is not None and len(held) > 1:
        held = [h for h in held if (h.quantity > 0) == (wish.side is Side.SELL)]
    if not held:
        return Denied("no_position", f"There is no open {context.symbol} position of this strategy to close.")
    if len(held) > 1:
        return Denied(
            "side_required",
            "Both a long and a short are open: say sell to close the long, buy for the short.",
        )
    holding = held[0]
    side = Side.SELL if holding.quantity > 0 else Side.BUY
    free = abs(holding.quantity) - _closing_in_flight(
        context.live_orders, context.symbol, side, holding.position_side
    )
    if free <= 0:
        return Denied(
            "already_closing", f"Orders under way already close the whole {context.symbol} position."
        )
    sized = size_close(abs(holding.quantity), wish.qty_per, instrument)
    if sized.quantity > free:
        bounded = instrument.quantity_down(free)
        sized = Sized(bounded, (*sized.steps, SizingStep("≤", "not_yet_closing", to_text(bounded))))
    return side, sized, True


def _size_exact(
    wish: OrderWish, side: Side, context: PlanContext, instrument: Instrument
) -> tuple[Side, Sized, bool] | Denied:
    assert wish.quantity is not None
    quantity = instrument.quantity_down(wish.quantity)
    steps = (
        SizingStep("", "quantity", f"{to_text(wish.quantity)} {instrument.base}"),
        SizingStep("⌊⌋", "lot", f"{to_text(instrument.lot)} {instrument.base}"),
        SizingStep("=", "quantity", f"{to_text(quantity)} {instrument.base}"),
    )
    return side, Sized(quantity, steps), wish.reduces


def _bound_spot_sell(
    sized: Sized, context: PlanContext, instrument: Instrument
) -> tuple[Side, Sized, bool] | Denied:
    """Spot has no short side: a sell can only give back what this strategy bought."""
    held = sum((h.quantity for h in context.holdings if h.symbol == context.symbol), ZERO)
    free = held - _closing_in_flight(context.live_orders, context.symbol, Side.SELL, PositionSide.NET)
    if free <= 0:
        return Denied("no_position", f"There is no {context.symbol} holding of this strategy to sell.")
    if sized.quantity > free:
        bounded = instrument.quantity_down(free)
        sized = Sized(bounded, (*sized.steps, SizingStep("≤", "held", to_text(bounded))))
    return Side.SELL, sized, True


def _check_instrument(
    instrument: Instrument, quantity: Decimal, reference: Decimal | None, reduces: bool
) -> Denied | None:
    if quantity <= 0:
        return Denied(
            "quantity_rounds_to_zero",
            f"The quantity rounds down to zero at the lot of {to_text(instrument.lot)} {instrument.base}: "
            "give the link more capital or raise qty_per.",
        )
    if quantity < instrument.min_quantity:
        return Denied(
            "below_min_quantity",
            f"{to_text(quantity)} {instrument.base} is below the venue's minimum of "
            f"{to_text(instrument.min_quantity)}: give the link more capital or raise qty_per.",
        )
    if instrument.max_quantity is not None and quantity > instrument.max_quantity:
        return Denied(
            "above_max_quantity",
            f"{to_text(quantity)} {instrument.base} is above the venue's maximum of "
            f"{to_text(instrument.max_quantity)} an order.",
        )
    exempt = reduces and instrument.market_type is MarketType.FUTURES
    if reference is not None and not exempt and quantity * reference < instrument.min_notional:
        return Denied(
            "below_min_notional",
            f"The order is worth {to_text(quantity * reference)} {instrument.quote}, below the venue's minimum of "
            f"{to_text(instrument.min_notional)}: give the link more capital or raise qty_per.",
        )
    return None


def _check_opening(context: PlanContext, wanted: Decimal) -> Denied | None:
    assert context.link is not None
    if context.capital is None:
        return Denied(
            "no_capital", "The strategy has no capital on this account: set the link's capital first."
        )
    open_here = {h.symbol for h in context.holdings if h.quantity}
    open_here |= {o.symbol for o in context.live_orders if not o.reduces}
    if context.symbol not in open_here:
        if len(open_here) >= context.link.max_symbols:
            return Denied(
                "max_symbols",
                f"The link holds as many symbols as it may ({context.link.max_symbols}): close one, or allow more.",
            )
        if len(open_here) >= context.link.max_positions:
            return Denied(
                "max_positions",
                f"The strategy holds as many positions as it may ({context.link.max_positions}): close one, "
                "or allow more.",
            )
    return check_capital(context.capital, wanted, context.link.max_qty_per)


def _opening_quantity(
    context: PlanContext, side: Side, position_side: PositionSide, quantity: Decimal
) -> Decimal:
    """What of the order opens, when everything that waits or is under way has closed before it."""
    held = sum(
        (
            h.quantity
            for h in context.holdings
            if h.symbol == context.symbol and h.position_side is position_side
        ),
        ZERO,
    )
    closable = max(-side.sign * held, ZERO)
    before_it = _on_side(context.live_orders, context.symbol, side, position_side)
    return max(quantity - max(closable - sum((o.remaining for o in before_it), ZERO), ZERO), ZERO)


def _on_side(
    orders: tuple[LiveOrder, ...], symbol: str, side: Side, position_side: PositionSide
) -> list[LiveOrder]:
    return [o for o in orders if o.symbol == symbol and o.side is side and o.position_side is position_side]


def _closing_in_flight(
    orders: tuple[LiveOrder, ...], symbol: str, side: Side, position_side: PositionSide
) -> Decimal:
    """Base units that orders about to execute will close."""
    on_side = _on_side(orders, symbol, side, position_side)
    return sum((o.remaining for o in on_side if o.is_imminent), ZERO)


def _leg_of(wish: OrderWish, context: PlanContext, side: Side, reduces: bool) -> PositionSide:
    """The venue's leg: NET in one-way mode and on spot; in hedge mode the leg that is opened or closed."""
    if context.account.position_mode is not PositionMode.HEDGE or ":" not in context.symbol:
        return PositionSide.NET
    if wish.position_side is not PositionSide.NET:
        return wish.position_side
    opens_long = (side is Side.BUY) != reduces
    return PositionSide.LONG if opens_long else PositionSide.SHORT


def _may_be_reduce_only(
    context: PlanContext, wish: OrderWish, side: Side, quantity: Decimal, reduces: bool
) -> bool:
    """`reduceOnly` is asked only where the venue's own net position has that direction and size."""
    if not reduces or ":" not in context.symbol:
        return False
    if wish.reduce_only:
        return True
    net = sum((p.quantity for p in context.net_positions if p.symbol == context.symbol), ZERO)
    if context.account.position_mode is PositionMode.HEDGE:
        leg = _leg_of(wish, context, side, reduces)
        net = sum(
            (
                p.quantity
                for p in context.net_positions
                if p.symbol == context.symbol and p.position_side is leg
            ),
            ZERO,
        )
    in_flight = sum(
        (
            o.remaining
            for o in context.net_live_orders
            if o.is_imminent and o.symbol == context.symbol and o.side is side
        ),
        ZERO,
    )
    return -side.sign * net - in_flight >= quantity


def _reference_price(wish: OrderWish, context: PlanContext) -> Decimal | None:
    """What a unit may cost: the order's own limit or trigger, else the venue's last price."""
    if wish.order_type.has_price:
        return wish.price
    if wish.order_type.has_stop_price:
        return wish.stop_price
    return None if context.price is None else context.price.last


def _no_price(context: PlanContext) -> Denied:
    return Denied(
        "no_price", f"{context.account.exchange} gave no recent price of {context.symbol}: nothing was sent."
    )


def venue_leverage(leverage: Decimal) -> Decimal:
    """The leverage to set at a venue, which takes whole numbers: the next one up, so that margin suffices."""
    return leverage.to_integral_value(rounding=ROUND_CEILING)
