"""Strategies, their links to accounts, and capital, as clients see them."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from fillbook.accounts.core import Environment
from fillbook.http.fields import Amount, Asked, Document, Moment, RowId, Schema
from fillbook.market.core import MarketType
from fillbook.strategies.core import StrategyKind

LONGEST_WINDOW_S = 86_400
_SECONDS = ("dedupe_window_s", "max_age_s")


def _check_params(params: dict[str, Any] | None) -> dict[str, Any] | None:
    for name in _SECONDS:
        value = (params or {}).get(name)
        is_seconds = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_WINDOW_S
        if value is not None and not is_seconds:
            raise ValueError(f"{name} is a whole number of seconds, 0 to {LONGEST_WINDOW_S}")
    return params


class StrategyOut(Schema):
    id: int
    name: str
    description: str | None
    group_name: str
    market_type: MarketType
    kind: StrategyKind
    max_positions: int
    webhook_key_prefix: str | None
    params: Document
    code: str | None
    is_public: bool
    is_active: bool
    settings_version: int
    version: int
    created_at: Moment


class NewStrategyOut(StrategyOut):
    """`webhook_key` is shown this once."""

    webhook_key: str


class WebhookKeyOut(Schema):
    webhook_key: str


class StrategyAsked(Asked):
    """`params` may hold `dedupe_window_s` (default 30) and `max_age_s` (default: no alert is too old)."""

    name: str = Field(min_length=1, max_length=100, examples=["Trend"])
    group_name: str = Field(min_length=1, max_length=100, examples=["trend"])
    market_type: MarketType
    kind: StrategyKind = StrategyKind.WEBHOOK
    max_positions: int = Field(5, ge=1)
    description: str | None = Field(None, max_length=5000)
    code: str | None = Field(None, max_length=100_000)
    params: dict[str, Any] | None = None
    is_public: bool = False

    _params = field_validator("params")(_check_params)


class StrategyChange(Asked):
    """What is not given stays as it is; market type and kind are fixed at creation."""

    name: str | None = Field(None, min_length=1, max_length=100)
    group_name: str | None = Field(None, min_length=1, max_length=100)
    description: str | None = Field(None, max_length=5000)
    max_positions: int | None = Field(None, ge=1)
    code: str | None = Field(None, max_length=100_000)
    params: dict[str, Any] | None = None
    is_public: bool | None = None
    is_active: bool | None = None

    _params = field_validator("params")(_check_params)


class CapitalOut(Schema):
    currency: str
    total_capital: Amount
    used_capital: Amount
    reserved_capital: Amount


class LinkOut(Schema):
    """A strategy on an account. `weight` divides the account's balance; `capital` is what it may use."""

    id: int
    strategy_id: int
    account_id: int
    environment: Environment
    weight: Amount
    leverage: Amount
    max_symbols: int
    max_qty_per: Amount
    is_active: bool
    settings_version: int
    version: int
    capital: list[CapitalOut]


class LinkAsked(Asked):
    account_id: RowId
    weight: Amount = Field("1", validate_default=True, gt=0)
    leverage: Amount = Field("1", validate_default=True, ge=1)
    max_symbols: int = Field(10, ge=1)
    max_qty_per: Amount = Field("100", validate_default=True, gt=0)


class LinkChange(Asked):
    weight: Amount | None = Field(None, gt=0)
    leverage: Amount | None = Field(None, ge=1)
    max_symbols: int | None = Field(None, ge=1)
    max_qty_per: Amount | None = Field(None, gt=0)
    is_active: bool | None = None


class CapitalAsked(Asked):
    """Either `total_capital`, or `{"mode": "balance"}`: by weight from the account's balance."""

    total_capital: Amount | None = Field(None, ge=0, examples=["1000"])
    mode: Literal["fixed", "balance"] = "fixed"
    currency: str = Field("USDT", min_length=1, max_length=30)

    @model_validator(mode="after")
    def _one_of_both(self) -> "CapitalAsked":
        if (self.mode == "fixed") != (self.total_capital is not None):
            raise ValueError('give either total_capital, or {"mode": "balance"}')
        return self
