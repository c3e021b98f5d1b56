"""How large an order becomes, step by step, and the reasons for which there is none.

notional = total capital x qty_per / 100 x leverage (spot: leverage 1); capital used = notional / leverage.
Every number on the way is kept as a `SizingStep`, so that a person can follow the sum.
"""

from dataclasses import dataclass
from decimal import Decimal

from fillbook.kernel.money import ONE, ZERO, divide, exact, share, to_text
from fillbook.market.core import Instrument, MarketType

HUNDRED = Decimal(100)
RESERVED = "reserved"
"""The label of the step that says how much capital an intent holds; its value is a bare amount in quote."""


@dataclass(frozen=True, slots=True)
class SizingStep:
    """One line of the sum: an operator, what it is applied to, and its value as text."""

    op: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Denied:
    """We refuse before anything is sent. `code` is stable; `reason` is for the person."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sized:
    """A quantity in base units on the lot, and how it came about."""

    quantity: Decimal
    steps: tuple[SizingStep, ...]


@dataclass(frozen=True, slots=True)
class Capital:
    """What a strategy may use on an account, in one currency."""

    currency: str
    total: Decimal
    used: Decimal = ZERO
    reserved: Decimal = ZERO


def effective_leverage(market_type: MarketType, leverage: Decimal) -> Decimal:
    return ONE if market_type is MarketType.SPOT else leverage


@exact
def size_entry(
    capital: Capital,
    qty_per: Decimal,
    max_qty_per: Decimal,
    leverage: Decimal,
    price: Decimal,
    instrument: Instrument,
) -> Sized:
    """The quantity that `qty_per` percent of the capital buys or sells at `price`, rounded down to the lot."""
    percent = min(qty_per, max_qty_per)
    leverage = effective_leverage(instrument.market_type, leverage)
    steps = [
        SizingStep("", "total_capital", f"{to_text(capital.total)} {capital.currency}"),
        SizingStep("×", "qty_per", f"{to_text(qty_per)} %"),
    ]
    if percent != qty_per:
        steps.append(SizingStep("≤", "max_qty_per", f"{to_text(max_qty_per)} %"))
    steps += [
        SizingStep("×", "leverage", to_text(leverage)),
        SizingStep("÷", "price", f"{to_text(price)} {instrument.quote}"),
    ]
    wanted = divide(divide(capital.total * percent * leverage, HUNDRED), price)
    quantity = instrument.quantity_down(wanted)
    steps += [
        SizingStep("⌊⌋", "lot", f"{to_text(instrument.lot)} {instrument.base}"),
        SizingStep("=", "quantity", f"{to_text(quantity)} {instrument.base}"),
    ]
    return Sized(quantity, tuple(steps))


@exact
def size_close(held: Decimal, qty_per: Decimal, instrument: Instrument) -> Sized:
    """The quantity that closes `-qty_per` percent of what is held (above zero), rounded down to the lot."""
    percent = min(-qty_per, HUNDRED)
    quantity = instrument.quantity_down(share(held, percent, HUNDRED))
    return Sized(
        quantity,
        (
            SizingStep("", "position", f"{to_text(held)} {instrument.base}"),
            SizingStep("×", "qty_per", f"{to_text(percent)} %"),
            SizingStep("⌊⌋", "lot", f"{to_text(instrument.lot)} {instrument.base}"),
            SizingStep("=", "quantity", f"{to_text(quantity)} {instrument.base}"),
        ),
    )


@exact
def check_capital(capital: Capital, wanted: Decimal, max_qty_per: Decimal) -> Denied | None:
    """No new intent raises used + reserved above the capital.

    A link whose `max_qty_per` is above 100 was allowed that much of its capital by its owner, no more.
    """
    ceiling = share(capital.total, max(max_qty_per, HUNDRED), HUNDRED)
    committed = capital.used + capital.reserved
    if committed + wanted <= ceiling:
        return None
    free = max(ceiling - committed, ZERO)
    return Denied(
        "insufficient_capital",
        f"This order needs {to_text(wanted)} {capital.currency}, but only {to_text(free)} of "
        f"{to_text(ceiling)} {capital.currency} is free: close something first or give the link more capital.",
    )
