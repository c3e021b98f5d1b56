from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.market.core import (
    InexactQuantity,
    Instrument,
    MarketType,
    Side,
    VenueName,
    from_contracts,
    market_type_of,
    to_contracts,
)

BTC = Instrument(
    venue=VenueName.BINANCE,
    symbol="BTC/USDT:USDT",
    market_type=MarketType.FUTURES,
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick=Decimal("0.10"),
    lot=Decimal("0.001"),
    min_quantity=Decimal("0.002"),
    max_quantity=Decimal(1000),
    max_market_quantity=Decimal(120),
    market_lot=Decimal("0.01"),
    min_notional=Decimal(100),
)
# OKX: one contract of BTC-USDT-SWAP is 0.01 BTC, and 0.01 contracts are the least.
OKX_BTC = replace(
    BTC, venue=VenueName.OKX, lot=Decimal("0.0001"), contract_size=Decimal("0.01"), market_lot=None
)


def test_base_units_convert_to_contracts_and_back() -> None:
    assert to_contracts(OKX_BTC, Decimal("0.0253")) == Decimal("2.53")
    assert from_contracts(OKX_BTC, Decimal("2.53")) == Decimal("0.0253")
    assert to_contracts(BTC, Decimal("0.025")) == Decimal("0.025")


def test_what_is_no_whole_number_of_lots_is_refused_and_not_rounded() -> None:
    with pytest.raises(InexactQuantity) as refused:
        to_contracts(OKX_BTC, Decimal("0.02535"))
    assert (refused.value.code, refused.value.status) == ("inexact_quantity", 422)


def test_contracts_that_do_not_come_out_even_are_refused() -> None:
    odd = replace(OKX_BTC, contract_size=Decimal(3), lot=Decimal(1))

    assert to_contracts(odd, Decimal(6)) == 2
    with pytest.raises(InexactQuantity):
        to_contracts(odd, Decimal(1))


@given(lots=st.integers(0, 10**9))
def test_contracts_and_base_units_are_inverse(lots: int) -> None:
    quantity = lots * OKX_BTC.lot

    assert from_contracts(OKX_BTC, to_contracts(OKX_BTC, quantity)) == quantity


def test_prices_round_to_the_side_that_is_never_worse() -> None:
    assert BTC.price_passive(Side.BUY, Decimal("100.19")) == Decimal("100.1")
    assert BTC.price_passive(Side.SELL, Decimal("100.11")) == Decimal("100.2")
    assert BTC.price_passive(Side.SELL, Decimal("100.1")) == Decimal("100.1")


def test_a_symbol_with_a_settlement_is_futures() -> None:
    assert market_type_of("BTC/USDT:USDT") is MarketType.FUTURES
    assert market_type_of("BTC/USDT") is MarketType.SPOT


def test_sides_have_opposites_and_signs() -> None:
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
