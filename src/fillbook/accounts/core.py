"""An exchange account and what the venue reports of it: balances, positions, permissions, modes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import MarketType, VenueName


class Environment(StrEnum):
    LIVE = "live"
    DEMO = "demo"
    PAPER = "paper"


class TradingState(StrEnum):
    """The one gate of an account: kill switch, suspension, a bad key and a lost lease all use it."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class PositionSide(StrEnum):
    """The leg that a fill or an order belongs to: NET in one-way mode and on spot."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An exchange key in the clear. Lives in memory only; its repr shows nothing."""

    api_key: str
    secret: str
    passphrase: str | None = None

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What the venue says a key may do. `None` means that the venue does not tell."""

    can_read: bool
    can_trade_spot: bool
    can_trade_futures: bool
    can_withdraw: bool | None
    ip_restricted: bool | None


@dataclass(frozen=True, slots=True)
class Account:
    """A row of `accounts`, without its keys. `uid` is random and the context of its ciphertexts."""

    id: int
    uid: str
    user_id: int
    name: str
    exchange: VenueName
    environment: Environment
    market_types: tuple[MarketType, ...]
    position_mode: PositionMode | None
    trading_state: TradingState
    trading_state_reason: str | None
    is_active: bool
    egress: str | None = None
    key_fingerprint: str | None = None
    permissions: KeyPermissions | None = None
    version: int = 1
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """Amounts of one asset on the venue; `market_type` names the wallet."""

    market_type: MarketType
    asset: str
    free: Decimal
    locked: Decimal
    at: datetime
    borrowed: Decimal = ZERO

    @property
    @exact
    def total(self) -> Decimal:
        return self.free + self.locked


@dataclass(frozen=True, slots=True)
class PositionReport:
    """A futures position as the venue states it. `quantity` is signed base units: below zero is short."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal | None
    unrealized_pnl: Decimal | None
    liquidation_price: Decimal | None
    leverage: Decimal | None
    margin_mode: MarginMode | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SymbolModes:
    """Leverage and margin mode of one symbol, read back from the venue."""

    symbol: str
    leverage: Decimal | None
    margin_mode: MarginMode | None
    position_mode: PositionMode | None


@dataclass(frozen=True, slots=True)
class VerifiedModes:
    """Modes as they were last verified at the venue."""

    account_id: int
    modes: SymbolModes
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """Up to where the venue's history of a symbol was read; `kind` is fills, orders or ledger.

    `complete_since` is the moment from which nothing is missing.
    """

    symbol: str
    kind: str
    last_sync_at: datetime
    last_trade_id: str | None
    complete_since: datetime | None


class LedgerEntryKind(StrEnum):
    FUNDING = "funding"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    DUST = "dust"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class LedgerEntryReport:
    """An amount that came or went without a fill. `amount` is signed, in `asset`."""

    kind: LedgerEntryKind
    asset: str
    amount: Decimal
    venue_id: str
    at: datetime
    symbol: str | None = None
