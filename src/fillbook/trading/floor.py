"""What the desks of all accounts share: the books' door, prices, trading rules, and which accounts are ours."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from fillbook.accounts.core import Account, Environment
from fillbook.fleet.events import EventSignal
from fillbook.fleet.leases import Lease
from fillbook.kernel.bell import Bell
from fillbook.kernel.clock import Clock
from fillbook.market.core import Instrument, MarketType, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Order
from fillbook.storage.unit import Database
from fillbook.trading.bookkeeper import Bookkeeper
from fillbook.trading.ports import Venue
from fillbook.trading.prices import MarketKey, PriceBoard
from fillbook.trading.reconciliation.ages import Ages
from fillbook.trading.reconciliation.turns import Turns

INSTRUMENTS_FRESH_S: Final = 3600.0
LEASE_MARGIN_S: Final = 2.0


def market_key(account: Account) -> MarketKey:
    return (account.exchange, account.environment)


class Ownership:
    """The accounts whose leases this process holds, each until a moment on the clock that counts sleep."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[int, tuple[Lease, float]] = {}

    def hold(self, account_id: int, lease: Lease, deadline_s: float) -> None:
        self._held[account_id] = (lease, deadline_s)

    def lose(self, account_id: int) -> None:
        self._held.pop(account_id, None)

    def lease_of(self, account_id: int) -> Lease | None:
        held = self._held.get(account_id)
        return None if held is None else held[0]

    def leases(self) -> dict[int, Lease]:
        return {account_id: lease for account_id, (lease, _) in self._held.items()}

    def may_send(self, account_id: int, epoch: int) -> bool:
        """Whether a request may still leave under this epoch: the lease must outlive it by a margin."""
        if account_id not in self._held:
            return False
        lease, deadline_s = self._held[account_id]
        return lease.epoch == epoch and self._clock.elapsed_s() < deadline_s - LEASE_MARGIN_S

    def __contains__(self, account_id: object) -> bool:
        return account_id in self._held


SaveInstruments = Callable[[Environment, Iterable[Instrument]], Awaitable[None]]


class InstrumentBoard:
    """The trading rules in force per venue and environment, read once for all accounts there.

    What a venue no longer lists keeps its last rules, inactive: fills of it may still come.
    """

    def __init__(self, clock: Clock, save: SaveInstruments) -> None:
        self._clock = clock
        self._save = save
        self._known: dict[tuple[MarketKey, MarketType], dict[str, Instrument]] = {}
        self._read_at: dict[tuple[MarketKey, MarketType], float] = {}
        self._gone: dict[tuple[MarketKey, MarketType], frozenset[str]] = {}
        self._locks: dict[tuple[MarketKey, MarketType], asyncio.Lock] = {}

    def remember(self, key: MarketKey, instruments: Iterable[Instrument]) -> None:
        """Rules from the database, good until the venue is read."""
        for instrument in instruments:
            self._known.setdefault((key, instrument.market_type), {})[instrument.symbol] = instrument

    def knows(self, key: MarketKey, market_type: MarketType) -> bool:
        return (key, market_type) in self._known

    def get(self, key: MarketKey, symbol: str) -> Instrument | None:
        return self._known.get((key, market_type_of(symbol)), {}).get(symbol)

    def is_delisted(self, key: MarketKey, symbol: str) -> bool:
        """Whether the venue listed a symbol once, and did not when it was last read."""
        return symbol in self._gone.get((key, market_type_of(symbol)), ())

    def is_fresh(self, key: MarketKey, market_type: MarketType) -> bool:
        read_at = self._read_at.get((key, market_type))
        return read_at is not None and self._clock.elapsed_s() - read_at < INSTRUMENTS_FRESH_S

    async def refresh(self, key: MarketKey, market_type: MarketType, venue: Venue) -> None:
        """Read the venue's rules unless they are fresh. Raises `ReadFailed` when there are none to go by."""
        where = (key, market_type)
        async with self._locks.setdefault(where, asyncio.Lock()):
            if self.is_fresh(key, market_type):
                return
            try:
                instruments = await venue.instruments(market_type)
            except ReadFailed:
                if where not in self._known:
                    raise
                return
            listed = {instrument.symbol: instrument for instrument in instruments}
            if not listed and self._known.get(where):
                return  # no venue ends everything at once: it is in trouble
            gone = {
                symbol: replace(known, is_active=False)
                for symbol, known in self._known.get(where, {}).items()
                if symbol not in listed
            }
            self._known[where], self._gone[where] = listed | gone, frozenset(gone)
            self._read_at[where] = self._clock.elapsed_s()
            await self._save(key[1], [*instruments, *gone.values()])

    def symbols_of(self, key: MarketKey, market_type: MarketType) -> set[str]:
        """What one venue lists."""
        return set(self._known.get((key, market_type), ()))

    def symbols(self, market_type: MarketType) -> set[str]:
        return {symbol for (_, kind), known in self._known.items() if kind is market_type for symbol in known}


@dataclass(slots=True)
class OrderWatch:
    """An order that somebody waits for: as it was last booked, and what rings at its next change."""

    order: Order
    changed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Floor:
    db: Database
    clock: Clock
    bookkeeper: Bookkeeper
    prices: PriceBoard
    instruments: InstrumentBoard
    ownership: Ownership
    signal_moved: Callable[[int], None]
    events: EventSignal
    installations: frozenset[str] = frozenset()
    """Whose client order ids are ours: this installation's, and those whose books these are."""
    accounts: dict[int, Account] = field(default_factory=dict)
    watched: dict[int, OrderWatch] = field(default_factory=dict)
    followed: set[tuple[int, str]] = field(default_factory=set)
    """The (account, symbol) pairs whose fills may call for orders of their own."""
    follow_bell: Bell = field(default_factory=Bell)
    bookings: Counter[int] = field(default_factory=Counter)
    """How often something was booked for an account: while it stays, its books are as they were read."""
    turns: Turns = field(init=False)
    ages: Ages = field(init=False)

    def __post_init__(self) -> None:
        self.turns = Turns(self.clock)
        self.ages = Ages(self.db, self.clock)

    def instrument_of(self, account_id: int, symbol: str) -> Instrument:
        """The trading rules of a symbol on an account; raises `ReadFailed` when nobody knows them yet."""
        account = self.accounts[account_id]
        instrument = self.instruments.get(market_key(account), symbol)
        if instrument is None:
            raise ReadFailed(f"the trading rules of {symbol} at {account.exchange} are not known yet")
        return instrument

    def rates_of(self, account_id: int, quote: str) -> Mapping[str, Decimal]:
        """What one unit of an asset is worth in `quote`, as far as prices were heard of."""
        return _Rates(self.prices, market_key(self.accounts[account_id]), quote)


class _Rates(dict[str, Decimal]):
    """Looks a rate up on the board when it is asked for."""

    def __init__(self, prices: PriceBoard, key: MarketKey, quote: str) -> None:
        super().__init__()
        self._prices, self._key, self._quote = prices, key, quote

    def get(self, asset: str, default: Decimal | None = None) -> Decimal | None:  # type: ignore[override]
        price = self._prices.latest(self._key, f"{asset}/{self._quote}")
        return default if price is None else price.last
