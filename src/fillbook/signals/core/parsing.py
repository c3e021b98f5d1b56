"""The users' present alert format: a JSON object to an `Alert`, or one refusal that says what to do.

Field names are read in any case; numbers may be numeric strings; what is not known is kept as a note, never
refused: alerts carry whatever their author found useful.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillbook.kernel.money import STORED_PLACES, plain
from fillbook.market.core import Side
from fillbook.signals.core.alert import MAX_LEGS, Alert, Leg, LegKind, leg_code
from fillbook.signals.core.errors import (
    AlertRefused,
    EmptyBatch,
    InvalidField,
    InvalidOrderType,
    InvalidPrice,
    InvalidQuantity,
    InvalidSide,
    Loc,
    MissingField,
    MixedSymbols,
    PriceRequired,
    StopPriceRequired,
    TooManyOrders,
)
from fillbook.signals.core.fingerprint import fingerprint_of, names_its_moment
from fillbook.signals.core.reading import decimal_from, token_in

MAX_SYMBOL_LENGTH = 50
MAX_NOTE_LENGTH = 500
MAX_NOTES = 40

_SIDES = {"buy": Side.BUY, "long": Side.BUY, "sell": Side.SELL, "short": Side.SELL}
_KINDS = {kind.value: kind for kind in LegKind} | {
    "CANCEL_ALL": LegKind.CANCEL_ALL_ORDER,
    "CANCEL_ALL_ORDERS": LegKind.CANCEL_ALL_ORDER,
}
_UNDERSTOOD = frozenset(
    {
        *("token", "group_name", "symbol", "orders", "order_type", "side", "price", "stop_price", "qty_per"),
        *("reason", "comment", "interval", "timeframe", "indicators", "confidence"),
    }
)
_MOST_CLOSED = Decimal(-100)


def parse_alert(document: Mapping[str, Any]) -> Alert:
    """The alert in a body that `reading.read_body` has read. Raises an `AlertRefused` at the first fault."""
    fields = {name.lower(): value for name, value in document.items()}
    group_name = _text(fields, "group_name", ())
    legs, symbol = _legs(fields)
    notes = {name: value for name, value in fields.items() if name not in _UNDERSTOOD}
    return Alert(
        token=token_in(dict(document)),
        group_name=group_name,
        symbol=symbol,
        legs=legs,
        sent_at=_moment(fields.get("timenow")) or _moment(fields.get("timestamp")),
        is_timed=names_its_moment(document),
        fingerprint=fingerprint_of(document),
        reason=_note(fields.get("reason")) or _note(fields.get("comment")),
        timeframe=_timeframe(fields.get("interval", fields.get("timeframe"))),
        confidence=_confidence(fields.get("confidence")),
        indicators=_indicators(fields.get("indicators")),
        meta={name[:MAX_SYMBOL_LENGTH]: _kept(value) for name, value in list(notes.items())[:MAX_NOTES]},
    )


def _legs(fields: Mapping[str, Any]) -> tuple[tuple[Leg, ...], str]:
    """The legs in the order in which they run, and the one symbol they all name."""
    if fields.get("orders") is None:
        return (_leg(fields, 0, ()),), _symbol(fields, ())
    orders = fields["orders"]
    if not isinstance(orders, list):
        raise InvalidField("`orders` must be a list of orders: [ {...}, {...} ].", ("orders",))
    if not orders:
        raise EmptyBatch(
            "`orders` is an empty list. Put at least one order into it, or leave it out.", ("orders",)
        )
    if len(orders) > MAX_LEGS:
        raise TooManyOrders(
            f"`orders` has {len(orders)} orders; one alert may have {MAX_LEGS}. Split it.",
            ("orders",),
        )
    read: list[Leg] = []
    symbols: dict[str, int] = {}
    for position, order in enumerate(orders):
        loc: Loc = ("orders", position)
        if not isinstance(order, dict):
            raise InvalidField(f"Order {position + 1} of the batch must be an object with its fields.", loc)
        named = {name.lower(): value for name, value in order.items()}
        named.setdefault("symbol", fields.get("symbol"))
        read.append(_leg(named, position, loc))
        symbols.setdefault(_symbol(named, loc), position)
    if len(symbols) > 1:
        raise MixedSymbols(
            f"One alert is about one symbol; this batch names {', '.join(list(symbols)[:3])}.",
            ("orders", max(symbols.values()), "symbol"),
        )
    return _in_execution_order(read), next(iter(symbols))


def _in_execution_order(legs: list[Leg]) -> tuple[Leg, ...]:
    ordered = sorted(legs, key=lambda leg: (leg.kind.rank, leg.position))
    return tuple(replace(leg, leg=leg_code(turn)) for turn, leg in enumerate(ordered))


def _leg(fields: Mapping[str, Any], position: int, loc: Loc) -> Leg:
    kind = _order_kind(fields, loc)
    side = _side(fields, loc)
    if kind is LegKind.CANCEL_ALL_ORDER:
        return Leg(leg_code(position), position, kind, side, None)
    qty_per = _qty_per(fields, loc)
    if qty_per > 0 and side is None:
        raise MissingField("`side` is missing: say buy or sell (or long, short).", (*loc, "side"))
    price = _price(fields, "price", loc)
    stop_price = _price(fields, "stop_price", loc)
    order_type = kind.order_type
    assert order_type is not None
    if order_type.has_price and price is None:
        raise PriceRequired(f"A {kind} order needs `price`.", (*loc, "price"))
    if order_type.has_stop_price and stop_price is None:
        raise StopPriceRequired(f"A {kind} order needs `stop_price`.", (*loc, "stop_price"))
    return Leg(
        leg=leg_code(position),
        position=position,
        kind=kind,
        side=side,
        qty_per=qty_per,
        price=price if order_type.has_price else None,
        stop_price=stop_price if order_type.has_stop_price else None,
        stop_loss=_price(fields, "stop_loss", loc) if qty_per > 0 else None,
        take_profit=_price(fields, "take_profit", loc) if qty_per > 0 else None,
    )


def _order_kind(fields: Mapping[str, Any], loc: Loc) -> LegKind:
    text = _text(fields, "order_type", loc)
    kind = _KINDS.get(text.upper().replace(" ", "_").replace("-", "_"))
    if kind is None:
        raise InvalidOrderType(
            f"`order_type` is {text[:40]!r}; it must be one of {', '.join(LegKind)}.", (*loc, "order_type")
        )
    return kind


def _side(fields: Mapping[str, Any], loc: Loc) -> Side | None:
    value = fields.get("side")
    if value is None or value == "":
        return None
    side = _SIDES.get(value.strip().lower()) if isinstance(value, str) else None
    if side is None:
        hint = " The placeholder was not filled in." if "{{" in str(value) else ""
        raise InvalidSide(
            f"`side` is {str(value)[:40]!r}; it must be buy or sell (or long, short).{hint}", (*loc, "side")
        )
    return side


def _qty_per(fields: Mapping[str, Any], loc: Loc) -> Decimal:
    where = (*loc, "qty_per")
    if fields.get("qty_per") in (None, ""):
        raise MissingField(
            "`qty_per` is missing: percent of the strategy's capital, or -100 to close the position.", where
        )
    amount = _stored(decimal_from(fields["qty_per"], InvalidQuantity, where), InvalidQuantity, where)
    if not amount:
        raise InvalidQuantity("`qty_per` is 0, which orders nothing. Leave the order out instead.", where)
    if amount < _MOST_CLOSED:
        raise InvalidQuantity(
            f"`qty_per` is {amount}; below zero it closes a part of the position, at most -100 (all of it).",
            where,
        )
    return amount


def _price(fields: Mapping[str, Any], name: str, loc: Loc) -> Decimal | None:
    if fields.get(name) in (None, ""):
        return None
    where = (*loc, name)
    amount = _stored(decimal_from(fields[name], InvalidPrice, where), InvalidPrice, where)
    if amount <= 0:
        raise InvalidPrice(f"`{name}` is {amount}; a price is above zero.", where)
    return amount


def _stored(amount: Decimal, refusal: type[AlertRefused], where: Loc) -> Decimal:
    amount = plain(amount)
    if -int(amount.as_tuple().exponent) > STORED_PLACES:
        raise refusal(f"`{where[-1]}` has more than {STORED_PLACES} decimal places.", where)
    return amount


def _symbol(fields: Mapping[str, Any], loc: Loc) -> str:
    symbol = _text(fields, "symbol", loc)
    if len(symbol) > MAX_SYMBOL_LENGTH:
        raise InvalidField(f"`symbol` has {len(symbol)} characters; it may have 50.", (*loc, "symbol"))
    return symbol


def _text(fields: Mapping[str, Any], name: str, loc: Loc) -> str:
    value = fields.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise MissingField(f"`{name}` is missing. Add it to the alert.", (*loc, name))
    if not isinstance(value, str):
        raise InvalidField(f'`{name}` must be text in double quotes, as in "{name}": "...".', (*loc, name))
    return value.strip()


def _moment(value: Any) -> datetime | None:
    """A time as TradingView and others write it: RFC 3339, or seconds or milliseconds since 1970."""
    try:
        number = (
            Decimal(value) if isinstance(value, Decimal | str) and str(value).strip().isdecimal() else None
        )
        if number is not None:
            seconds = number / 1000 if number >= 10**11 else number
            return datetime.fromtimestamp(float(seconds), UTC)
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None


def _note(value: Any) -> str | None:
    return value.strip()[:MAX_NOTE_LENGTH] or None if isinstance(value, str) else None


def _timeframe(value: Any) -> str | None:
    text = str(value).strip() if isinstance(value, str | Decimal) else ""
    return text[:10] or None


def _confidence(value: Any) -> Decimal | None:
    """Confidence never decides about an order here, so that an odd one is dropped, not refused."""
    try:
        amount = decimal_from(value, InvalidField, ("confidence",))
    except InvalidField:
        return None
    return amount if 0 <= amount <= 1 else None


def _indicators(value: Any) -> Mapping[str, Any]:
    return _kept(value) if isinstance(value, dict) else {}


def _kept(value: Any) -> Any:
    """A note as JSON keeps it: decimals become text, long text is cut."""
    match value:
        case Decimal():
            return str(value)
        case str():
            return value[:MAX_NOTE_LENGTH]
        case dict():
            return {name[:MAX_SYMBOL_LENGTH]: _kept(child) for name, child in list(value.items())[:MAX_NOTES]}
        case list():
            return [_kept(child) for child in value[:MAX_NOTES]]
    return value
