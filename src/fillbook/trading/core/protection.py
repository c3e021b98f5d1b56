"""Stop-loss and take-profit prices that are attached to an order.

They become linked orders of ours once the order has filled, at every venue alike: what a venue attaches by itself
carries no id of ours, so that nobody could say whose position it has closed. See docs/concepts/follow-ups.md.
"""

from decimal import Decimal

from fillbook.kernel.money import to_text
from fillbook.market.core import Instrument, MarketType, Side
from fillbook.risk.core import Denied
from fillbook.trading.core.wishes import OrderWish


def check_protection(
    wish: OrderWish, instrument: Instrument, side: Side, reference: Decimal | None, reduces: bool
) -> Denied | None:
    """Why an order may not carry the protection that it asks for; None: it may, or asks for none."""
    stop, profit = wish.stop_loss_price, wish.take_profit_price
    if stop is None and profit is None:
        return None
    if reduces:
        return Denied(
            "nothing_to_protect",
            "The order only reduces a position: leave its stop-loss and take-profit prices out.",
        )
    if stop is not None and profit is not None and instrument.market_type is MarketType.SPOT:
        return Denied(
            "one_protection_on_spot",
            "On spot one order holds the coins that it would sell: give a stop-loss or a take-profit, not both.",
        )
    if reference is None:
        return None
    for name, price, is_beyond in (("stop-loss", stop, -1), ("take-profit", profit, 1)):
        if price is not None and (price - reference) * side.sign * is_beyond <= 0:
            where = "above" if is_beyond * side.sign > 0 else "below"
            return Denied(
                "protection_on_wrong_side",
                f"The {name} price of a {side} at {to_text(reference)} must be {where} it, not {to_text(price)}.",
            )
    return None
