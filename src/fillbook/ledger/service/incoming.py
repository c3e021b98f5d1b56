"""A fill on its way into the ledger, and one that has just arrived there."""

from dataclasses import dataclass
from decimal import Decimal

from fillbook.accounts.core import Environment
from fillbook.kernel.money import ONE
from fillbook.ledger.core.books import Owner
from fillbook.ledger.core.fill import Fill, FillKey, FillReport, FillSource, OrderKey
from fillbook.ledger.core.round_trip import ExitReason, TradeSource


@dataclass(frozen=True, slots=True)
class OwnerTerms:
    """Who takes a fill, and on which terms: what the order that caused it was placed with."""

    owner: Owner
    leverage: Decimal = ONE
    exit_reason: ExitReason = ExitReason.MANUAL
    trade_source: TradeSource = TradeSource.MANUAL


@dataclass(frozen=True, slots=True)
class FillToBook:
    """A report on its way into the ledger. `terms` is None when no order of ours asked for it."""

    account_id: int
    user_id: int
    environment: Environment
    report: FillReport
    source: FillSource
    order_id: int | None
    terms: OwnerTerms | None

    @property
    def key(self) -> FillKey:
        report = self.report
        return (self.account_id, report.symbol, report.exchange_order_id, report.venue_fill_id)

    @property
    def order_key(self) -> OrderKey:
        return (self.account_id, self.report.symbol, self.report.exchange_order_id)


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill that is new in the books, and the report that it came from."""

    fill: Fill
    wanted: FillToBook
