"""Exchange accounts as clients see them. Keys go in and never come out."""

from pydantic import Field, SecretStr

from fillbook.accounts.core import Credentials, Environment, PositionMode, TradingState
from fillbook.http.fields import Amount, Asked, Moment, Schema
from fillbook.market.core import MarketType, VenueName


class PermissionsOut(Schema):
    """What the venue says that the key may do; null where it does not tell."""

    can_read: bool
    can_trade_spot: bool
    can_trade_futures: bool
    can_withdraw: bool | None
    ip_restricted: bool | None


class AccountOut(Schema):
    id: int
    name: str
    exchange: VenueName
    environment: Environment
    market_types: list[MarketType]
    key_fingerprint: str | None
    permissions: PermissionsOut | None
    position_mode: PositionMode | None
    trading_state: TradingState
    trading_state_reason: str | None
    egress: str | None
    is_active: bool
    version: int
    created_at: Moment | None


class KeyAsked(Asked):
    api_key: SecretStr | None = Field(None, min_length=1, max_length=500)
    api_secret: SecretStr | None = Field(None, min_length=1, max_length=5000)
    passphrase: SecretStr | None = Field(None, min_length=1, max_length=200)

    @property
    def credentials(self) -> Credentials | None:
        """The key that was given, if any part of one was."""
        if self.api_key is None and self.api_secret is None and self.passphrase is None:
            return None
        return Credentials(
            api_key=self.api_key.get_secret_value() if self.api_key else "",
            secret=self.api_secret.get_secret_value() if self.api_secret else "",
            passphrase=self.passphrase.get_secret_value() if self.passphrase else None,
        )


class AccountAsked(KeyAsked):
    """A new account. `paper` takes no keys; a key that may withdraw is refused."""

    name: str = Field(min_length=1, max_length=100, examples=["Binance main"])
    exchange: VenueName
    environment: Environment = Field(examples=["paper"])
    market_types: list[MarketType] | None = None
    egress: str | None = Field(None, max_length=255)


class AccountChange(KeyAsked):
    """What is not given stays as it is; a new key replaces the old one whole."""

    name: str | None = Field(None, min_length=1, max_length=100)
    is_active: bool | None = None
    market_types: list[MarketType] | None = None
    egress: str | None = Field(None, max_length=255)


class BalanceOut(Schema):
    """One asset in one wallet, as the venue last reported it."""

    market_type: MarketType
    asset: str
    free: Amount
    locked: Amount
    borrowed: Amount
    total: Amount
    at: Moment
