"""One wallet for spot and futures: the same money margins positions and buys coins, and never both at once."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fillbook.kernel.money import EXACT
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import OrderType
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.listings import listings_for
from fillbook.venues.sim.core.margin import margin_state
from fillbook.venues.sim.core.matching import Policy
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def opened(deposit="60000"):
    exchange = Exchange(
        listings_for(VenueName.OKX), now_ms=lambda: 1_700_000_000_000, policy=Policy(has_unified_wallet=True)
    )
    account = exchange.open_account("alice", "secret")
    exchange.deposit(account, MarketType.FUTURES, "USDT", Decimal(deposit))
    return exchange, account


def market_order(symbol, quantity, side=Side.BUY):
    return NewOrder(symbol, side, OrderType.MARKET, Decimal(quantity))


def available(exchange, account):
    return margin_state(account, exchange.markets, "USDT").available


def test_a_deposit_is_in_both_wallets_because_there_is_one():
    _, account = opened()
    assert account.purse("USDT").free == account.wallet["USDT"] == 60_000


def test_coins_are_bought_from_what_margins_positions():
    exchange, account = opened()
    before = available(exchange, account)
    exchange.place(account, market_order(SPOT, "0.5"))
    assert available(exchange, account) < before - 30_000
    assert account.wallet["BTC"] == account.purse("BTC").free


def test_margin_in_use_cannot_buy_coins():
    exchange, account = opened()
    account.leverages[PERP] = Decimal(1)
    exchange.place(account, market_order(PERP, "0.6"))
    with pytest.raises(Refused) as refused:
        exchange.place(account, market_order(SPOT, "0.5"))
    assert refused.value.reason is Refusal.INSUFFICIENT_BALANCE


def test_what_a_spot_order_locks_cannot_margin_a_position():
    exchange, account = opened()
    account.leverages[PERP] = Decimal(1)
    exchange.place(account, NewOrder(SPOT, Side.BUY, OrderType.LIMIT, Decimal("0.6"), Decimal(50_000)))
    with pytest.raises(Refused) as refused:
        exchange.place(account, market_order(PERP, "0.6"))
    assert refused.value.reason is Refusal.INSUFFICIENT_MARGIN


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([SPOT, PERP]), st.sampled_from(list(Side)), st.integers(1, 500))))
def test_nothing_is_made_or_lost(script):
    exchange, account = opened()
    before = exchange.totals()["USDT"]
    for symbol, side, thousandths in script:
        try:
            exchange.place(account, market_order(symbol, str(Decimal(thousandths) / 1000), side))
        except Refused:
            continue
    open_cost = sum((position.cost for position in account.positions.values()), Decimal(0))
    assert EXACT.subtract(exchange.totals()["USDT"], open_cost) == before
