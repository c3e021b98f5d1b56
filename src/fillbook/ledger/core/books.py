"""Which books there are: one per owner on one (account, symbol, position side).

The owner `account` is the venue's own view of the account, over all fills; the other owners divide the same
fills among strategies, bots, manual orders and `external`, so their quantities add up to the account's.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import ONE
from fillbook.ledger.core.position import EMPTY, PositionBook


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose book it is. `key` is `link:{id}`, `bot:{id}`, `manual`, `external` or `account`."""

    key: str
    strategy_account_id: int | None = None
    strategy_id: int | None = None
    bot_instance_id: int | None = None

    @classmethod
    def of_link(cls, strategy_account_id: int, strategy_id: int) -> "Owner":
        return cls(f"link:{strategy_account_id}", strategy_account_id, strategy_id)


ACCOUNT = Owner("account")
MANUAL = Owner("manual")
EXTERNAL = Owner("external")


class BookKey(NamedTuple):
    account_id: int
    symbol: str
    position_side: PositionSide
    owner_key: str


@dataclass(slots=True)
class BookRow:
    """A book as it is stored: the fold's state now (`book`), and when it was last flat (`flat`).

    `last_price` is that of the last fill: what the position is valued at until a newer price is heard.
    """

    key: BookKey
    owner: Owner
    user_id: int
    environment: Environment
    currency: str
    book: PositionBook = EMPTY
    flat: PositionBook = EMPTY
    leverage: Decimal = ONE
    id: int | None = None
    last_price: Decimal | None = None

    @classmethod
    def new(
        cls, key: BookKey, owner: Owner, user_id: int, environment: Environment, currency: str
    ) -> "BookRow":
        return cls(key, owner, user_id, environment, currency)
