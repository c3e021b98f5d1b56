"""Whether an order may be changed in place, and to what."""

from datetime import datetime
from decimal import Decimal

from fillbook.kernel.money import exact, to_text
from fillbook.market.core import Instrument
from fillbook.orders.core.amend import Amend
from fillbook.orders.core.order import Order, OrderStatus, OrderType, Owner
from fillbook.orders.core.venue_traits import VenueTraits
from fillbook.risk.core import Denied


@exact
def check_amend(
    order: Order,
    instrument: Instrument,
    traits: VenueTraits,
    price: Decimal | None,
    quantity: Decimal | None,
    now: datetime,
) -> Amend | Denied:
    """The change to ask of the venue, on tick and lot; None keeps what is. Never more than the order holds now:
    what an order was granted when it was planned is its limit."""
    if order.market_type not in traits.amends or order.order_type is not OrderType.LIMIT:
        return _not_in_place()
    if order.status not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED) or order.acknowledged_at is None:
        return Denied("not_resting", f"The order does not rest at the venue now ({order.status}).")
    if order.amend is not None:
        return Denied(
            "amend_under_way", "A change of this order is under way: wait until the order shows it."
        )
    assert order.price is not None, "a limit order has a price"
    wanted_price = order.price if price is None else instrument.price_passive(order.side, price)
    wanted = order.quantity if quantity is None else instrument.quantity_down(quantity)
    if (wanted_price, wanted) == (order.price, order.quantity):
        return Denied("nothing_to_amend", "The order has this price and quantity already.")
    if wanted <= order.filled_quantity:
        return Denied(
            "amend_below_filled",
            f"{to_text(order.filled_quantity)} {instrument.base} are filled already: cancel the order instead.",
        )
    if wanted < instrument.min_quantity or wanted * wanted_price < instrument.min_notional:
        return Denied(
            "below_min_notional", "The order would be below the venue's minimum: cancel it instead."
        )
    is_ours = order.owner is Owner.OURS and order.strategy_account_id is not None
    grows = (
        wanted * wanted_price > order.quantity * order.price if order.reserved else wanted > order.quantity
    )
    if is_ours and grows:
        return Denied(
            "amend_grows",
            "The change asks for more than the order was granted: cancel it and place a new one.",
        )
    return Amend(wanted_price, wanted, now)


def _not_in_place() -> Denied:
    return Denied(
        "amend_not_supported",
        "This venue does not change such an order in place: cancel it and place a new one.",
    )
