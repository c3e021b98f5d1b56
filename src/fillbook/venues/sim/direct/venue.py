"""One account's way to the simulated exchange: trading's port `Venue`, without a wire in between.

Acts return outcomes, reads raise `ReadFailed`, by the same rules as the real adapters: a refusal proves that
nothing was done, a duplicate client id proves that an order exists, anything else proves nothing.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from fillbook.accounts.core import (
    Account,
    BalanceReport,
    Credentials,
    KeyPermissions,
    LedgerEntryReport,
    MarginMode,
    PositionMode,
    PositionReport,
    SymbolModes,
)
from fillbook.kernel.clock import to_ms
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import to_text
from fillbook.market.core import Instrument, MarketType, Price, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.orders.core.order import Book, OrderRef, OrderRequest
from fillbook.orders.core.outcomes import (
    Acknowledged,
    CancelAccepted,
    CancelOutcome,
    PlaceOutcome,
    Rejected,
    Unknown,
)
from fillbook.orders.core.reports import FillsPage, OrderReport, StreamEvent
from fillbook.venues.sim.core.accounts import Account as SimAccount
from fillbook.venues.sim.core.vocabulary import Refusal, Refused
from fillbook.venues.sim.direct import acts, reads
from fillbook.venues.sim.direct.line import KeyRefused, NoAnswer, NotAccepted, Terms
from fillbook.venues.sim.direct.prices import followed
from fillbook.venues.sim.direct.reports import futures_balances, ledger_entries, price_of, spot_balances
from fillbook.venues.sim.direct.stream import Connection

if TYPE_CHECKING:
    from fillbook.venues.sim.direct.site import SimSite

T = TypeVar("T")

_UNCHANGED = frozenset({Refusal.MODE_UNCHANGED, Refusal.MARGIN_MODE_UNCHANGED})
_Failed = (NoAnswer, NotAccepted, Refused)


class SimVenue:
    """Satisfies `trading.ports.Venue`."""

    def __init__(self, site: "SimSite", account: Account, credentials: Credentials) -> None:
        self.name = site.name
        self._site = site
        self._market_types = account.market_types
        self._key = credentials.api_key
        self._secret = credentials.secret
        self._connections: list[Connection] = []

    # Acts

    async def place(self, request: OrderRequest) -> PlaceOutcome:
        subject = f"{request.symbol} {request.client_order_id}"
        return await self._order_act(
            "place", subject, lambda account: acts.place(self._site, account, request)
        )

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome:
        """Where the venue does not amend in place, the order is replaced: its successor bears the new id."""
        return await self._order_act(
            "amend", request.symbol, lambda account: acts.amend(self._site, account, ref, request)
        )

    async def cancel(self, ref: OrderRef) -> CancelOutcome:
        return await self._cancel_act(
            "cancel", ref.symbol, lambda account: acts.cancel(self._site, account, ref)
        )

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        return await self._cancel_act(
            "cancel_all", symbol, lambda account: acts.cancel_all(self._site, account, symbol, book)
        )

    async def _order_act(
        self, name: str, symbol: str, work: Callable[[SimAccount], Acknowledged]
    ) -> PlaceOutcome:
        try:
            return await self._ask(name, symbol, lambda account, _: work(account), is_act=True)
        except _Failed as failure:
            return _outcome(failure)

    async def _cancel_act(
        self, name: str, symbol: str, work: Callable[[SimAccount], CancelAccepted]
    ) -> CancelOutcome:
        try:
            return await self._ask(name, symbol, lambda account, _: work(account), is_act=True)
        except _Failed as failure:
            return _outcome(failure)

    # Orders and fills

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        return await self._read("find_order", ref.symbol, lambda a, t: reads.find(self._site, a, ref, t))

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        return await self._read(
            "open_orders", market_type, lambda a, t: reads.open_orders(self._site, a, market_type, book, t)
        )

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        return await self._read(
            "orders_since", symbol, lambda a, t: reads.orders_since(self._site, a, symbol, since, book, t)
        )

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        return await self._read(
            "fills_since", symbol, lambda a, t: reads.fills_since(self._site, a, symbol, since, from_id, t)
        )

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage:
        return await self._read(
            "fills_of_order", symbol, lambda a, t: reads.fills_of_order(self._site, a, exchange_order_id, t)
        )

    # What the account holds

    async def positions(self) -> Sequence[PositionReport]:
        if MarketType.FUTURES not in self._market_types:
            return ()
        return await self._read("positions", "", lambda a, t: reads.positions(self._site, a, t))

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        def read(account: SimAccount, _: Terms) -> Sequence[BalanceReport]:
            if market_type is MarketType.SPOT:
                return list(spot_balances(account, sorted(account.spot), self._site.now()))
            return futures_balances(self._site.exchange, account, self._site.now())

        return await self._read("balances", market_type, read)

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return await self._read("ledger_entries", "", lambda a, _: ledger_entries(a, to_ms(since)))

    # The market

    async def instruments(self, market_type: MarketType) -> Sequence[Instrument]:
        markets = self._site.exchange.markets.values()
        return await self._read(
            "instruments",
            market_type,
            lambda *_: [
                m.listing.instrument for m in markets if m.listing.market_type is market_type and m.is_listed
            ],
            is_public=True,
        )

    async def price(self, symbol: str) -> Price:
        return await self._read(
            "price",
            symbol,
            lambda *_: price_of(self._site.exchange.market(symbol), self._site.now()),
            is_public=True,
        )

    def prices(self, symbols: Sequence[str]) -> AsyncIterator[Price]:
        return followed(self._site.exchange, symbols)

    async def server_time(self) -> datetime:
        return await self._read("server_time", "", lambda *_: self._site.now(), is_public=True)

    # Settings

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        if market_type_of(symbol) is MarketType.SPOT:
            return SymbolModes(symbol, None, None, None)
        return await self._read(
            "symbol_modes",
            symbol,
            lambda a, _: SymbolModes(symbol, a.leverage(symbol), a.margin_mode(symbol), a.position_mode),
        )

    async def position_mode(self) -> PositionMode:
        return await self._read("position_mode", "", lambda a, _: a.position_mode)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        what = f"leverage {to_text(leverage)} for {symbol}"
        await self._set("set_leverage", what, lambda a: acts.set_leverage(self._site, a, symbol, leverage))

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        what = f"margin mode {mode} for {symbol}"
        await self._set("set_margin_mode", what, lambda a: acts.set_margin_mode(self._site, a, symbol, mode))

    async def set_position_mode(self, mode: PositionMode) -> None:
        what = f"position mode {mode}"
        await self._set("set_position_mode", what, lambda a: acts.set_position_mode(a, mode))

    async def key_permissions(self) -> KeyPermissions:
        return await self._read("key_permissions", "", lambda a, _: a.permissions)

    # Streams

    async def stream(self) -> AsyncIterator[StreamEvent]:
        connection = Connection(self._market_types, self._site.manner.feeds)
        try:
            self._account()
        except KeyRefused as refusal:
            connection.refuse(str(refusal))
        else:
            self._site.streams.connect(self._key, connection)
        self._connections.append(connection)
        try:
            async for event in connection.events():
                yield event
        finally:
            self._site.streams.drop(self._key, connection)

    async def close(self) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Drop the streams, as the end of a process does."""
        for connection in self._connections:
            self._site.streams.drop(self._key, connection)

    # The way there

    def _account(self) -> SimAccount:
        account = self._site.exchange.accounts.get(self._key)
        if account is None or account.secret != self._secret:
            raise KeyRefused("credentials", "The key was refused: it is unknown, or its secret is another.")
        return account

    async def _ask(
        self, name: str, subject: str, work: Callable[[SimAccount, Terms], T], *, is_act: bool
    ) -> T:
        return await self._site.line.ask(
            self._key, name, subject, is_act, lambda terms: work(self._account(), terms)
        )

    async def _read(
        self,
        name: str,
        subject: str,
        work: Callable[[SimAccount, Terms], T],
        *,
        is_public: bool = False,
    ) -> T:
        """Read something. Raises `ReadFailed`; the chain of causes ends here, so that it tells no more."""
        failed: FillbookError
        try:
            if is_public:
                nobody = SimAccount("", "", 0, None, KeyPermissions(True, False, False, None, None))
                return await self._site.line.ask(self._key, name, subject, False, lambda t: work(nobody, t))
            return await self._ask(name, subject, work, is_act=False)
        except KeyRefused as refusal:
            failed = CredentialsRefused(refusal.message)
        except (NoAnswer, NotAccepted) as failure:
            failed = ReadFailed(f"{self.name} could not be read ({failure.code}): {failure.message}")
        except Refused as refused:
            failed = ReadFailed(f"{self.name} refuses ({refused.reason}): {refused.detail}")
        raise failed

    async def _set(self, name: str, what: str, work: Callable[[SimAccount], None]) -> None:
        try:
            await self._ask(name, what, lambda account, _: work(account), is_act=True)
        except KeyRefused as refusal:
            raise CredentialsRefused(refusal.message) from None
        except Refused as refused:
            if refused.reason in _UNCHANGED:
                return
            raise SettingRefused(f"{self.name} did not take {what} ({refused.reason}).") from None
        except NotAccepted as refusal:
            raise SettingRefused(f"{self.name} did not take {what} ({refusal.code}).") from None
        except NoAnswer as failure:
            raise ReadFailed(f"{self.name} does not say whether it took {what}: {failure.message}") from None


def _outcome(failure: NoAnswer | NotAccepted | Refused) -> Rejected | Unknown:
    if isinstance(failure, NoAnswer):
        return Unknown(failure.code, failure.message)
    if isinstance(failure, NotAccepted):
        return Rejected(failure.code, failure.message, for_now=failure.for_now)
    if failure.reason is Refusal.DUPLICATE_CLIENT_ID:
        return Unknown(failure.reason, "An order with this client order id exists.")
    return Rejected(failure.reason, failure.detail)
