"""Exact decimal amounts.

Money is computed in one context: 76 digits, and a result that does not fit raises (`Inexact` is trapped).
Only `divide` and `quantise` may round: half even, to the 18 places that the databases store, once.
Functions that do arithmetic on amounts carry `@exact`.
"""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STORED_PLACES = 18
ZERO = Decimal(0)
ONE = Decimal(1)

_TRAPS = [InvalidOperation, DivisionByZero, Overflow]
EXACT = Context(prec=76, rounding=ROUND_HALF_EVEN, traps=[*_TRAPS, Inexact])
_ROUNDED = Context(prec=76, rounding=ROUND_HALF_EVEN, traps=_TRAPS)
_STORED_DIGITS = 38
_STORED = Context(prec=_STORED_DIGITS, rounding=ROUND_HALF_EVEN, traps=_TRAPS)
_STORED_UNIT = Decimal(1).scaleb(-STORED_PLACES)
_WHOLE_DIGITS = _STORED_DIGITS - STORED_PLACES
_DIGITS = frozenset("0123456789")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function in the exact context: sums and products are exact or raise `decimal.Inexact`."""

    @wraps(function)
    def in_exact_context(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return in_exact_context


def quantise(amount: Decimal) -> Decimal:
    """The amount as it is stored: at most 18 places, half even. Raises `OverflowError` beyond 20 digits."""
    return plain(_rounded_to_store(amount)) if amount else ZERO


def stored_text(amount: Decimal) -> str:
    """Canonical text of the amount as it is stored: `to_text(quantise(amount))` in one go."""
    if not amount:
        return "0"
    text = str(amount)
    whole, _, places = text.partition(".")
    # The usual amount fits as it is written; an exponent, a NaN and whatever is long go the long way.
    if (
        len(places) <= STORED_PLACES
        and len(whole) <= _WHOLE_DIGITS
        and text[-1] in _DIGITS
        and "E" not in text
    ):
        return text.rstrip("0").rstrip(".") if places else text
    stored = _rounded_to_store(amount)
    return format(stored.normalize(_ROUNDED), "f") if stored else "0"


def _rounded_to_store(amount: Decimal) -> Decimal:
    try:
        stored = amount.quantize(_STORED_UNIT, context=_STORED)
    except InvalidOperation as error:
        raise OverflowError(f"{amount} does not fit NUMERIC({_STORED_DIGITS}, {STORED_PLACES})") from error
    if not stored.is_finite():
        raise InvalidOperation(f"{amount} is no amount")
    return stored


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The quotient, rounded once to the stored 18 places."""
    return quantise(_ROUNDED.divide(dividend, divisor))


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`amount * part / whole`, rounded once to the stored 18 places."""
    return quantise(_ROUNDED.divide(EXACT.multiply(amount, part), whole))


def floor_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`."""
    return plain(EXACT.multiply(_steps(amount, step, ROUND_FLOOR), step))


def ceil_to(amount: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `amount`."""
    return plain(EXACT.multiply(_steps(amount, step, ROUND_CEILING), step))


def is_multiple(amount: Decimal, step: Decimal) -> bool:
    """Whether `amount` is a whole number of steps."""
    return floor_to(amount, step) == amount


def _steps(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    if step <= 0:
        raise ValueError(f"a step must be above zero, not {step}")
    return _ROUNDED.divide(amount, step).to_integral_value(rounding=rounding)


def plain(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros or exponent, so that equal amounts print alike."""
    # Adding zero takes the exponent of 6E+4 away, and the sign of -0.
    return EXACT.add(amount.normalize(_ROUNDED), ZERO)


def to_text(amount: Decimal) -> str:
    """Canonical text: no exponent, no trailing zeros, `0` for zero."""
    if not amount:
        return "0"
    text = str(amount)
    if "E" in text:
        return format(amount.normalize(_ROUNDED), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_amount(text: str | int | Decimal) -> Decimal:
    """A finite decimal from text; raises `ValueError` for anything else, floats included."""
    if isinstance(text, float):
        raise ValueError("an amount is never a float")
    try:
        amount = Decimal(text)
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"{text!r} is not a decimal number") from error
    if not amount.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return plain(amount)
