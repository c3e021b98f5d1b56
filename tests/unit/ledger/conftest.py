from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ONE
from fillbook.ledger.core.fill import Fill
from fillbook.ledger.core.position import ExitReason, FillPart, TradeSource
from fillbook.market.core import Side, market_type_of

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
PERPETUAL = "BTC/USDT:USDT"


def make_part(
    number: int,
    side: str,
    quantity: str | Decimal,
    price: str | Decimal,
    *,
    fee: str | Decimal = "0",
    fee_asset: str | None = "USDT",
    fee_rate: str | Decimal | None = None,
    leverage: str | Decimal = ONE,
    symbol: str = PERPETUAL,
    second: int | None = None,
    cost: str | None = None,
    exit_reason: ExitReason = ExitReason.SIGNAL_REVERSE,
    trade_source: TradeSource = TradeSource.WEBHOOK,
) -> FillPart:
    """The whole of a fill: `number` is its row id and its id at the venue, `second` its time (else `number`)."""
    quantity, price, fee = Decimal(quantity), Decimal(price), Decimal(fee)
    rate = Decimal(fee_rate) if fee_rate is not None else (price if fee_asset == "BTC" else ONE)
    fill = Fill(
        id=number,
        account_id=1,
        symbol=symbol,
        exchange_order_id=f"o{number}",
        venue_fill_id=str(number),
        side=Side(side),
        position_side=PositionSide.NET,
        price=price,
        quantity=quantity,
        cost=price * quantity if cost is None else Decimal(cost),
        market_type=market_type_of(symbol),
        exchange_at=MIDNIGHT + timedelta(seconds=number if second is None else second),
        fee=fee,
        fee_asset=fee_asset,
        fee_quote=fee * rate,
    )
    return FillPart(
        fill, quantity, fill.cost, fee, fill.fee_quote, Decimal(leverage), exit_reason, trade_source
    )


@pytest.fixture(scope="session")
def part() -> Callable[..., FillPart]:
    return make_part
