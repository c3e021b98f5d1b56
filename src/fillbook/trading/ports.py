"""The venue as trading sees it. One object is one account's way to its exchange.

Acts (`place`, `cancel`, `cancel_all`, `amend`) never raise for what a venue or a network does: they return an
outcome. Reads raise `ReadFailed` when they could not read; an empty answer means that there is nothing.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from fillbook.accounts.core import (
    BalanceReport,
    KeyPermissions,
    LedgerEntryReport,
    MarginMode,
    PositionMode,
    PositionReport,
    SymbolModes,
)
from fillbook.market.core import Instrument, MarketType, Price, VenueName
from fillbook.orders.core.order import Book, OrderRef, OrderRequest
from fillbook.orders.core.outcomes import CancelOutcome, PlaceOutcome
from fillbook.orders.core.reports import FillsPage, OrderReport, StreamEvent


class Venue(Protocol):
    name: VenueName

    async def place(self, request: OrderRequest) -> PlaceOutcome: ...

    async def cancel(self, ref: OrderRef) -> CancelOutcome: ...

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        """Cancel every order of a symbol in one book; nothing to cancel counts as accepted."""

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome: ...

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        """Look an order up by the venue's id if the ref has it, else by client id; None: not found."""

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        """Every live order of the account in one book, all symbols."""

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]: ...

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        """One page of fills, oldest first: from the id (exclusive) when it is given, else from the time.

        A venue that cannot read on by id reads from the time in either case: known fills come again.
        """

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage: ...

    async def positions(self) -> Sequence[PositionReport]: ...

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]: ...

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        """Funding and transfers, oldest first."""

    async def instruments(self, market_type: MarketType) -> Sequence[Instrument]: ...

    async def price(self, symbol: str) -> Price: ...

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[Price]:
        """Prices by stream, until the iterator is closed; reconnects by itself."""

    async def symbol_modes(self, symbol: str) -> SymbolModes: ...

    async def position_mode(self) -> PositionMode:
        """One-way or hedge, of the whole futures account."""

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set and read back. Raises `SettingRefused` when the venue keeps another value."""

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None: ...

    async def set_position_mode(self, mode: PositionMode) -> None: ...

    async def key_permissions(self) -> KeyPermissions: ...

    async def server_time(self) -> datetime: ...

    def stream(self) -> AsyncIterator[StreamEvent]:
        """The account's private events, until the iterator is closed; reconnects by itself.

        Every (re)connection yields `StreamChange(CONNECTED)` first: what happened in between is the caller's
        to fetch.
        """

    async def close(self) -> None: ...
