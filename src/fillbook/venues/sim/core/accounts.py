"""An account at the exchange: spot purses, a futures wallet per settlement asset, positions, orders, fills.

Where a venue has one wallet for all (`UnifiedWallet`), the futures wallet is the same purses seen as balances.
A position keeps its signed quantity and its exact signed cost; the average is derived, so that what a
position cost always equals what was paid, to the last digit.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from decimal import Decimal

from fillbook.accounts.core import KeyPermissions, MarginMode, PositionMode, PositionSide
from fillbook.kernel.money import ZERO, divide, share
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.vocabulary import LedgerEntry, SimFill, SimOrder

DEFAULT_LEVERAGE = Decimal(20)

PositionKey = tuple[str, PositionSide]


@dataclass(slots=True)
class Purse:
    free: Decimal = ZERO
    locked: Decimal = ZERO


class UnifiedWallet(MutableMapping[str, Decimal]):
    """Balances kept in the spot purses: what is set here changes what is free there."""

    def __init__(self, purses: dict[str, Purse]) -> None:
        self._purses = purses

    def __getitem__(self, asset: str) -> Decimal:
        purse = self._purses[asset]
        return purse.free + purse.locked

    def __setitem__(self, asset: str, balance: Decimal) -> None:
        purse = self._purses.setdefault(asset, Purse())
        purse.free = balance - purse.locked

    def __delitem__(self, asset: str) -> None:
        del self._purses[asset]

    def __iter__(self) -> Iterator[str]:
        return iter(self._purses)

    def __len__(self) -> int:
        return len(self._purses)


@dataclass(slots=True)
class Position:
    """`quantity` is signed, `cost` = sum of signed quantity x price of what is open."""

    symbol: str
    side: PositionSide
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    isolated_wallet: Decimal = ZERO
    realized: Decimal = ZERO
    updated_ms: int = 0

    @property
    def entry_price(self) -> Decimal:
        return divide(self.cost, self.quantity) if self.quantity else ZERO

    def unrealized(self, mark: Decimal) -> Decimal:
        return self.quantity * mark - self.cost

    def apply(self, signed_quantity: Decimal, price: Decimal) -> Decimal:
        """Add a fill; returns the realised profit of what it closed."""
        if self.quantity * signed_quantity >= 0:
            self.quantity += signed_quantity
            self.cost += signed_quantity * price
            return ZERO
        size = abs(self.quantity)
        closing = min(abs(signed_quantity), size)
        removed = self.cost if closing == size else share(self.cost, closing, size)
        closed = closing if signed_quantity > 0 else -closing
        released = self.isolated_wallet if closing == size else share(self.isolated_wallet, closing, size)
        self.isolated_wallet -= released
        self.quantity += closed
        self.cost -= removed
        opened = signed_quantity - closed
        self.quantity += opened
        self.cost += opened * price
        profit = -closed * price - removed
        self.realized += profit
        return profit


@dataclass(slots=True)
class Account:
    key: str
    secret: str
    uid: int
    passphrase: str | None
    permissions: KeyPermissions
    updated_ms: int = 0
    spot: dict[str, Purse] = field(default_factory=dict)
    wallet: MutableMapping[str, Decimal] = field(default_factory=dict)
    reserved: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    position_mode: PositionMode = PositionMode.ONE_WAY
    leverages: dict[str, Decimal] = field(default_factory=dict)
    margin_modes: dict[str, MarginMode] = field(default_factory=dict)
    orders: dict[int, SimOrder] = field(default_factory=dict)
    open_orders: dict[int, SimOrder] = field(default_factory=dict)
    by_client_id: dict[tuple[str, Book, str], SimOrder] = field(default_factory=dict)
    fills: list[SimFill] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)

    def unify_wallets(self) -> None:
        """One wallet for spot and futures, from the account's first day on."""
        assert not self.spot and not self.wallet, "wallets are unified before anything is in them"
        self.wallet = UnifiedWallet(self.spot)

    @property
    def is_unified(self) -> bool:
        return isinstance(self.wallet, UnifiedWallet)

    def purse(self, asset: str) -> Purse:
        purse = self.spot.get(asset)
        if purse is None:
            purse = self.spot[asset] = Purse()
        return purse

    def position(self, symbol: str, side: PositionSide) -> Position:
        position = self.positions.get((symbol, side))
        if position is None:
            position = self.positions[(symbol, side)] = Position(symbol, side)
        return position

    def leverage(self, symbol: str) -> Decimal:
        return self.leverages.get(symbol, DEFAULT_LEVERAGE)

    def margin_mode(self, symbol: str) -> MarginMode:
        return self.margin_modes.get(symbol, MarginMode.CROSS)

    def is_isolated(self, symbol: str) -> bool:
        return self.margin_modes.get(symbol) is MarginMode.ISOLATED

    def orders_of(self, symbol: str, book: Book) -> list[SimOrder]:
        return [order for order in self.open_orders.values() if order.symbol == symbol and order.book is book]
