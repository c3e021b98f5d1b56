"""Positions and balances: the fold of our fills beside what the venue holds.

A difference is first looked at again (fills may be on their way), then explained by reading fills on, then by
reading all that the venue still keeps; only what nothing explains is booked as an inferred fill.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from fillbook.accounts.core import PositionReport
from fillbook.kernel.money import ZERO, divide, exact, quantise, to_text
from fillbook.ledger.core.fill import FillKind, FillReport
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.orders import INFER_AFTER, Step
from fillbook.trading.core.reconcile.repairs import (
    InferFill,
    MarkPosition,
    ReadFills,
    ReadHistory,
    TakeBack,
)
from fillbook.trading.core.reconcile.snapshots import (
    Leg,
    LocalPosition,
    LocalSnapshot,
    Residual,
    Unread,
    VenueSnapshot,
)

RESIDUAL = "residual"
"""Begins the order ids of fills that were inferred from positions."""
OK, MISMATCH, REPAIRING = "ok", "mismatch", "repairing"
_NOTHING = LocalPosition(ZERO)


def differences(local: LocalSnapshot, venue: VenueSnapshot) -> Mapping[Leg, tuple[Decimal, Decimal]]:
    """Positions that differ, as (here, there); none while the venue's positions are not read."""
    if venue.positions is None or isinstance(venue.positions, Unread):
        return {}
    there = {Leg(one.symbol, one.position_side): one.quantity for one in venue.positions}
    legs = {leg: None for leg in (*there, *local.positions) if ":" in leg.symbol}
    pairs = {leg: (local.positions.get(leg, _NOTHING).quantity, there.get(leg, ZERO)) for leg in legs}
    return {leg: pair for leg, pair in pairs.items() if pair[0] != pair[1]}


def plan_positions(local: LocalSnapshot, venue: VenueSnapshot, moving: Collection[str] = ()) -> Step:
    """What is to be done about each position that differs, and about each mark of one that no longer does.

    `moving` are symbols whose fills are just being repaired, or lacking: they are compared when they are booked.
    """
    step = Step()
    if venue.positions is None or isinstance(venue.positions, Unread):
        return step
    differing = differences(local, venue)
    for leg, position in local.positions.items():
        if leg not in differing:
            _mark(step, leg, position, OK)
    reports = {Leg(one.symbol, one.position_side): one for one in venue.positions}
    for leg, pair in differing.items():
        if leg.symbol not in moving and is_believed(local, venue, leg, pair):
            _plan_difference(step, local, venue, leg, reports.get(leg))
    return step


def is_believed(local: LocalSnapshot, venue: VenueSnapshot, leg: Leg, pair: tuple[Decimal, Decimal]) -> bool:
    """Whether a difference is more than facts on their way: it was the same at the look before, or nothing came
    by a stream until now. A fill of the last moments says that the position still moves."""
    last_fill_at = local.positions.get(leg, _NOTHING).last_fill_at
    if last_fill_at is not None and last_fill_at >= local.settled_by(venue.positions_at or venue.at):
        return False
    return local.catching_up_since is not None or local.suspected.get(leg) == pair


def _plan_difference(
    step: Step, local: LocalSnapshot, venue: VenueSnapshot, leg: Leg, report: PositionReport | None
) -> None:
    here = local.positions.get(leg, _NOTHING)
    there = ZERO if report is None else report.quantity
    case = _case(here.quantity, there)
    before = {"books": to_text(here.quantity), "venue": to_text(there)}
    after = {"books": to_text(there), "venue": to_text(there)}

    def finding(cause: str, repair: RepairKind | None) -> Finding:
        return Finding(case, f"position {leg}", cause, before, after if repair else {}, repair, leg.symbol)

    status = REPAIRING
    overtaken = overtaken_residual(local, leg, here.quantity, there)
    if overtaken is not None:
        cause = "What had been inferred for it is explained by real fills that have come since."
        step.add(finding(cause, RepairKind.TAKE_BACK), TakeBack(overtaken))
    elif leg.symbol in venue.unread_fills:
        step.add(finding("It differs, and the fills that may explain it could not be read.", None))
        status = MISMATCH
    elif leg.symbol not in venue.fills_read:
        step.add(finding(_CAUSES[case], RepairKind.READ_FILLS), ReadFills(leg.symbol))
    elif leg.symbol not in venue.exhausted:
        step.add(finding(_CAUSES[case], RepairKind.READ_FILLS), ReadHistory(leg.symbol))
    elif not may_infer(local, venue, leg):
        step.add(finding(_CAUSES[case], None))
    else:
        fill, words = inferred_residual(leg, here, report, venue)
        cause = f"{_CAUSES[case]} No record that the venue still keeps explains it. {words}"
        if fill is not None:
            step.add(finding(cause, RepairKind.INFER_FILL), InferFill(fill, record_of(fill)))
        else:
            step.add(finding(cause, None))
            status = MISMATCH
    _mark(step, leg, here, status)


def may_infer(local: LocalSnapshot, venue: VenueSnapshot, leg: Leg) -> bool:
    """Whether what no record explains may be booked as inferred: not while an order of ours may be what moved the
    position, nor before a venue has had its time to show the fills."""
    since = local.differing_since.get(leg)
    if since is None or venue.at - since < INFER_AFTER:
        return False
    unsure = venue.not_found | venue.unread_orders.keys()
    return not any(
        order.symbol == leg.symbol and (order.status is OrderStatus.PENDING_NEW or order.id in unsure)
        for order in local.orders
    )


def _mark(step: Step, leg: Leg, here: LocalPosition, status: str) -> None:
    if here is not _NOTHING and here.status != status:
        step.add(None, MarkPosition(leg, status))


@exact
def overtaken_residual(local: LocalSnapshot, leg: Leg, here: Decimal, there: Decimal) -> Residual | None:
    """What was inferred and is counted twice now: the books are beyond the venue by its quantity, and real fills of
    just that quantity have come since."""
    for residual in local.residuals.get(leg, ()):
        came = sum((fill.quantity for fill in residual.since), ZERO)
        if residual.fill.quantity == came and residual.fill.side.sign * came == here - there:
            return residual
    return None


_CAUSES = {
    Case.POSITION_UNRECORDED: "The venue holds a position that the books do not have.",
    Case.CLOSE_MISSING: "The position is closed at the venue and open in the books.",
    Case.POSITION_DIFFERS: "The venue holds another quantity than the fills in the books add up to.",
}


def _case(here: Decimal, there: Decimal) -> Case:
    if not here:
        return Case.POSITION_UNRECORDED
    return Case.POSITION_DIFFERS if there else Case.CLOSE_MISSING


@exact
def inferred_residual(
    leg: Leg, here: LocalPosition, report: PositionReport | None, venue: VenueSnapshot
) -> tuple[FillReport | None, str]:
    """One fill that leads from our position to the venue's, and in words where its price is from."""
    there = ZERO if report is None else report.quantity
    moved = there - here.quantity
    price, words = _price(here, report, moved, venue.marks.get(leg.symbol))
    if price is None:
        return None, "No price is known for it, so nothing is booked."
    side = Side.BUY if moved > 0 else Side.SELL
    number = f"{RESIDUAL}-{leg.side}-{here.last_fill_id or 'first'}-{to_text(there)}"
    fill = FillReport(
        symbol=leg.symbol,
        exchange_order_id=number,
        client_order_id=None,
        venue_fill_id="",
        side=side,
        position_side=leg.side,
        price=price,
        quantity=abs(moved),
        fee=ZERO,
        fee_asset=None,
        liquidity=None,
        kind=FillKind.TRADE,
        exchange_at=venue.at,
        cumulative_quantity=abs(moved),
    )
    return fill, words


@exact
def _price(
    here: LocalPosition, report: PositionReport | None, moved: Decimal, mark: Decimal | None
) -> tuple[Decimal | None, str]:
    if report is not None and report.entry_price > 0 and here.quantity * moved >= 0:
        # It opened or grew: the venue's average entry says what was paid for the rest.
        paid = quantise(report.entry_price * abs(report.quantity)) - here.cost
        if paid > 0:
            return divide(paid, abs(moved)), "Inferred at the price that leads to the venue's average entry."
    latest = mark or (report.mark_price if report is not None else None)
    if latest is None:
        return None, ""
    return latest, f"Inferred at the mark price of this moment, {to_text(latest)}: an estimate."


def record_of(fill: FillReport) -> OrderReport:
    """The order that stands for an inferred fill, so that the fill has one."""
    return OrderReport(
        symbol=fill.symbol,
        exchange_order_id=fill.exchange_order_id,
        client_order_id=None,
        book=Book.NORMAL,
        side=fill.side,
        order_type=OrderType.MARKET,
        status=OrderStatus.FILLED,
        quantity=fill.quantity,
        filled_quantity=fill.quantity,
        cost=quantise(fill.price * fill.quantity),
        price=None,
        stop_price=None,
        time_in_force=None,
        reduce_only=False,
        position_side=fill.position_side,
        exchange_at=fill.exchange_at,
    )


@exact
def plan_balances(local: LocalSnapshot, venue: VenueSnapshot) -> Step:
    """Spot: the wallet must hold at least what the positions say. What it holds beyond that is the owner's own."""
    step = Step()
    wallet = venue.balances.get(MarketType.SPOT)
    if wallet is None or isinstance(wallet, Unread):
        return step
    held = {report.asset: report.total for report in wallet}
    for asset, quantity in local.holdings.items():
        lacking = quantity - held.get(asset, ZERO)
        if lacking > local.lots.get(asset, ZERO):
            step.add(
                Finding(
                    Case.BALANCE_BELOW,
                    f"{asset} on spot",
                    "The wallet holds less than the positions: it was withdrawn, moved or sold elsewhere. A close "
                    "can only sell what is there.",
                    {"positions": to_text(quantity), "wallet": to_text(held.get(asset, ZERO))},
                )
            )
    return step
