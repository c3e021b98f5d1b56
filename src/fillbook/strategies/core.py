"""A strategy, its links to accounts, and what a link may spend."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fillbook.accounts.core import Environment
from fillbook.kernel.money import ZERO, exact, share
from fillbook.market.core import MarketType


class StrategyKind(StrEnum):
    WEBHOOK = "webhook"
    RULE = "rule"
    PYTHON = "python"
    AI = "ai"


class SettingsSubject(StrEnum):
    """What a version of `settings_history` describes."""

    STRATEGY = "strategy"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A row of `strategies`. `user_id` None: built in, readable by all. The webhook key is not here."""

    id: int
    code6: str
    user_id: int | None
    name: str
    group_name: str
    market_type: MarketType
    kind: StrategyKind
    max_positions: int
    webhook_key_prefix: str | None
    is_public: bool
    is_active: bool
    settings_version: int
    version: int
    created_at: datetime
    description: str | None = None
    code: str | None = None
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StrategyLink:
    """A row of `strategy_accounts`. `weight` divides an account's balance into capitals; `max_qty_per` is the
    largest percentage of the capital that one alert may ask for."""

    id: int
    strategy_id: int
    account_id: int
    user_id: int
    environment: Environment
    weight: Decimal
    leverage: Decimal
    max_symbols: int
    max_qty_per: Decimal
    is_active: bool
    settings_version: int
    version: int
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class CodedLink:
    """A link as an order's client id names it: by its account, and by its strategy's code. `leverages` are those
    that it had, each with the moment from which on, oldest first."""

    strategy_account_id: int
    strategy_id: int
    account_id: int
    code: str
    leverage: Decimal
    leverages: tuple[tuple[datetime, Decimal], ...] = ()

    def leverage_at(self, at: datetime) -> Decimal:
        """The leverage that the link had then: the oldest that is known for what is older."""
        if not self.leverages:
            return self.leverage
        return next((value for since, value in reversed(self.leverages) if since <= at), self.leverages[0][1])


@dataclass(frozen=True, slots=True)
class LinkCapital:
    """A link's capital in one currency. No intent raises used + reserved above total; facts always book."""

    strategy_id: int
    account_id: int
    currency: str
    total_capital: Decimal
    used_capital: Decimal = ZERO
    reserved_capital: Decimal = ZERO

    @property
    @exact
    def available(self) -> Decimal:
        """What new intents may use; never below zero."""
        return max(self.total_capital - self.used_capital - self.reserved_capital, ZERO)


DEFAULT_MAX_QTY_PER = Decimal(100)


@exact
def capital_by_weight(balance: Decimal, weight: Decimal, all_weights: Iterable[Decimal]) -> Decimal:
    """A link's part of an account's balance: its weight in the weights of all of the account's active links."""
    whole = sum(all_weights, ZERO)
    if weight <= 0 or whole < weight:
        raise ValueError("a link's weight is above zero and among the weights of its account")
    return share(max(balance, ZERO), weight, whole)
