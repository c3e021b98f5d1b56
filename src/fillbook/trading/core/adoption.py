"""Whose order it is that a venue shows and the books do not have, and the row that it gets. Pure.

Its client id says it: made by one of our installations, it names the strategy whose order it was, and with the
account the link. An order of ours without a strategy is a person's own. Everything else is external: a person's
at the venue, or another program's. What an id does not carry is derived and marked (`LEVERAGE_ESTIMATED`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from fillbook.accounts.core import Account, PositionSide
from fillbook.kernel.money import ONE, ZERO, divide, exact, to_text
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import market_type_of
from fillbook.orders.core.client_ids import MANUAL_CODE, ClientOrderId, Origin, parse_client_order_id
from fillbook.orders.core.order import OrderStatus, Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.risk.core import RESERVED, SizingStep, effective_leverage
from fillbook.strategies.core import CodedLink
from fillbook.trading.core.follow_ups import FollowKind

LEVERAGE_ESTIMATED: Final = "leverage_estimated"
"""The label of the step that says: this leverage is the link's of that time, not known to be that of the order."""

Links = Mapping[tuple[int, str], CodedLink]
"""By account and the strategy's code."""

_WORDS: Final = {
    Origin.STRATEGY: "strategy",
    Origin.GRID: "grid",
    Origin.TREND: "trend",
    Origin.MANUAL: "manual",
    Origin.RISK: "risk",
}
_SOURCES: Final = {
    Origin.STRATEGY: TradeSource.WEBHOOK,
    Origin.GRID: TradeSource.GRID_BOT,
    Origin.TREND: TradeSource.AI_BOT,
    Origin.MANUAL: TradeSource.MANUAL,
    Origin.RISK: TradeSource.WEBHOOK,
}
_FOLLOW_KINDS: Final = frozenset(FollowKind)


@dataclass(frozen=True, slots=True)
class Adoption:
    """Whose an order is. `named` is what its client id says, None for an external one; `link` is None for an
    order that a person placed without a strategy, and for an external one."""

    owner: Owner
    named: ClientOrderId | None = None
    link: CodedLink | None = None


EXTERNAL: Final = Adoption(Owner.EXTERNAL)


def named_by_us(client_order_id: str | None, installations: Collection[str]) -> ClientOrderId | None:
    """What an id of one of these installations says; None for every other."""
    named = parse_client_order_id(client_order_id)
    return named if named is not None and named.installation in installations else None


def adoption_of(
    account_id: int, client_order_id: str | None, installations: Collection[str], links: Links
) -> Adoption:
    """Whose order this is. A code that is not known on the account makes no order ours: nobody could say whose
    position it moves."""
    named = named_by_us(client_order_id, installations)
    if named is None:
        return EXTERNAL
    link = links.get((account_id, named.code))
    if link is not None or (named.origin is Origin.MANUAL and named.code == MANUAL_CODE):
        return Adoption(Owner.OURS, named, link)
    return EXTERNAL


def adopted_row(
    account: Account,
    report: OrderReport,
    adoption: Adoption,
    now: datetime,
    *,
    held: Decimal = ZERO,
    is_name_taken: bool = False,
) -> dict[str, Any]:
    """The row of an order that was found at the venue, without any of its fills.

    `held` is what its link holds of the symbol, signed base units: what the order would close reserves nothing.
    `is_name_taken`: an order with this client id is booked already; venues accept the id of a finished order.
    """
    market_type = market_type_of(report.symbol)
    link = adoption.link
    leverage = effective_leverage(market_type, link.leverage_at(report.exchange_at)) if link else ONE
    reserved = _reserved(report, adoption, leverage, held)
    venue_name = f"venue:{report.book}:{report.exchange_order_id}"
    return {
        "account_id": account.id,
        "user_id": account.user_id,
        "environment": account.environment,
        "currency": _settled_in(report.symbol),
        "strategy_id": adoption.link.strategy_id if adoption.link else None,
        "strategy_account_id": adoption.link.strategy_account_id if adoption.link else None,
        "leg": _leg(adoption.named),
        "client_order_id": venue_name if is_name_taken else report.client_order_id or venue_name,
        "exchange_order_id": report.exchange_order_id,
        "book": report.book,
        "symbol": report.symbol,
        "market_type": market_type,
        "side": report.side,
        "position_side": report.position_side,
        "order_type": report.order_type,
        # Venues name one for market orders too, where it says nothing.
        "time_in_force": report.time_in_force if report.order_type.has_price else None,
        "reduce_only": report.reduce_only,
        "quantity": report.quantity,
        "price": report.price,
        "stop_price": report.stop_price,
        "status": OrderStatus.NEW,
        "owner": adoption.owner,
        "origin": _WORDS[adoption.named.origin] if adoption.named else None,
        "leverage": leverage,
        "reserved": reserved,
        "sizing": [asdict(step) for step in _steps(adoption, leverage, reserved)],
        "exit_reason": _exit_reason(adoption.named),
        "trade_source": _SOURCES[adoption.named.origin] if adoption.named else TradeSource.MANUAL,
        "acknowledged_at": now,
        "exchange_at": report.exchange_at,
        "raw": dict(report.raw),
    }


@exact
def _reserved(report: OrderReport, adoption: Adoption, leverage: Decimal, held: Decimal) -> Decimal:
    """The capital that the whole order held when it was placed, as far as its record shows."""
    price = report.price or report.stop_price
    closes_leg = (report.position_side, report.side.sign) in (
        (PositionSide.LONG, -1),
        (PositionSide.SHORT, 1),
    )
    if adoption.link is None or price is None or report.reduce_only or closes_leg:
        return ZERO
    if ":" not in report.symbol and report.side.sign < 0:
        return ZERO  # spot cannot be short: a sale opens nothing
    closable = max(-report.side.sign * held, ZERO)
    return divide(max(report.quantity - closable, ZERO) * price, leverage)


def _steps(adoption: Adoption, leverage: Decimal, reserved: Decimal) -> Sequence[SizingStep]:
    if adoption.link is None:
        return ()
    known = (SizingStep("", RESERVED, to_text(reserved)),)
    return known if leverage == ONE else (SizingStep("", LEVERAGE_ESTIMATED, to_text(leverage)), *known)


def _exit_reason(named: ClientOrderId | None) -> ExitReason:
    """Why such an order would end a position, as far as its id tells."""
    kind = _follow_kind(named)
    if kind is not None:
        return kind.exit_reason
    match named.origin if named else Origin.MANUAL:
        case Origin.MANUAL:
            return ExitReason.MANUAL
        case Origin.GRID:
            return ExitReason.GRID
        case Origin.RISK:
            return ExitReason.KILL_SWITCH
        case Origin.STRATEGY | Origin.TREND:
            return ExitReason.SIGNAL_REVERSE


def _leg(named: ClientOrderId | None) -> str:
    """The leg of an alert, or what the order follows up; an order that a person placed has none."""
    kind = _follow_kind(named)
    if kind is not None:
        return kind.value
    return "" if named is None or named.origin is Origin.MANUAL else named.leg


def _follow_kind(named: ClientOrderId | None) -> FollowKind | None:
    word = "" if named is None else named.leg.lstrip("0")
    return FollowKind(word) if word in _FOLLOW_KINDS else None


def _settled_in(symbol: str) -> str:
    pair, _, settle = symbol.partition(":")
    return settle.partition("-")[0] or pair.partition("/")[2]
