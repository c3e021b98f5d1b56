"""One listed symbol at work: its book, its conditional orders, its reference and mark price, its candles' seed."""

from dataclasses import dataclass, field
from decimal import Decimal

from fillbook.kernel.money import ZERO
from fillbook.venues.sim.core.book import OrderBook
from fillbook.venues.sim.core.listings import Listing
from fillbook.venues.sim.core.vocabulary import SimOrder, TradeEvent, TriggerPrice

MAX_TRADES_KEPT = 1000
FUNDING_RATE = Decimal("0.0001")
_FUNDING_EVERY_MS = 8 * 3_600_000


def next_funding_ms(now_ms: int) -> int:
    """The next of 00:00, 08:00 and 16:00 UTC."""
    return (now_ms // _FUNDING_EVERY_MS + 1) * _FUNDING_EVERY_MS


@dataclass(slots=True, eq=False)
class Market:
    """`holders` are the accounts with a position, `trades` the latest public ones. What is no longer listed is
    kept for the records of its past."""

    listing: Listing
    book: OrderBook
    price: Decimal
    mark: Decimal
    conditionals: dict[int, SimOrder] = field(default_factory=dict)
    holders: set[str] = field(default_factory=set)
    first_trade_id: int = 0
    last_trade_id: int = 0
    update_id: int = 1
    trades: list[TradeEvent] = field(default_factory=list)
    funding_rate: Decimal = FUNDING_RATE
    day_open: Decimal = ZERO
    day_high: Decimal = ZERO
    day_low: Decimal = ZERO
    is_listed: bool = True
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO

    @property
    def symbol(self) -> str:
        return self.listing.symbol

    def price_for(self, trigger_on: TriggerPrice) -> Decimal:
        return self.mark if trigger_on is TriggerPrice.MARK else self.price

    def keep_trade(self, trade: TradeEvent) -> None:
        self.trades.append(trade)
        if len(self.trades) > MAX_TRADES_KEPT:
            del self.trades[: MAX_TRADES_KEPT // 2]
        self.volume += trade.quantity
        self.quote_volume += trade.quantity * trade.price
