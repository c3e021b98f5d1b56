from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.money import floor_to
from fillbook.market.core import (
    InexactQuantity,
    Instrument,
    MarketType,
    Side,
    Sized,
    SizeDenial,
    SizeDenied,
    VenueName,
    from_contracts,
    market_type_of,
    notional,
    size_order,
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
PRICE = Decimal(60000)


def _size(
    quantity: str, instrument: Instrument = BTC, *, market: bool = False, reduces: bool = False
) -> object:
    result = size_order(instrument, Decimal(quantity), PRICE, is_market=market, reduces=reduces)
    return result.code if isinstance(result, SizeDenied) else result


def test_a_quantity_rounds_down_to_the_lot_and_its_value_follows() -> None:
    assert _size("0.0129999") == Sized(Decimal("0.012"), Decimal(720))


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", SizeDenial.ROUNDS_TO_ZERO),
        ("-1", SizeDenial.ROUNDS_TO_ZERO),
        ("0.0009", SizeDenial.ROUNDS_TO_ZERO),
        ("0.001", SizeDenial.BELOW_MIN_QUANTITY),
        ("1000.001", SizeDenial.ABOVE_MAX_QUANTITY),
    ],
)
def test_a_quantity_outside_the_limits_is_denied_by_name(quantity: str, code: SizeDenial) -> None:
    assert _size(quantity) is code


def test_the_limits_themselves_are_allowed() -> None:
    assert isinstance(_size("0.002"), Sized)
    assert isinstance(_size("1000"), Sized)
    least = replace(BTC, min_notional=Decimal(120))
    assert isinstance(_size("0.002", least), Sized)
    assert _size("0.002", replace(BTC, min_notional=Decimal("120.01"))) is SizeDenial.BELOW_MIN_NOTIONAL


def test_market_orders_have_limits_of_their_own() -> None:
    assert _size("0.019", market=True) == Sized(Decimal("0.01"), Decimal(600))
    assert _size("121", market=True) is SizeDenial.ABOVE_MAX_QUANTITY
    assert isinstance(_size("121"), Sized)
    assert isinstance(_size("121", OKX_BTC, market=True), SizeDenial)
    assert isinstance(_size("121", replace(OKX_BTC, max_market_quantity=None), market=True), Sized)


def test_a_reduction_may_be_worth_less_than_the_minimum_on_futures_alone() -> None:
    dear = replace(BTC, min_notional=Decimal(1000))
    spot = replace(dear, market_type=MarketType.SPOT, symbol="BTC/USDT")

    assert isinstance(_size("0.01", dear, reduces=True), Sized)
    assert _size("0.01", dear) is SizeDenial.BELOW_MIN_NOTIONAL
    assert _size("0.01", spot, reduces=True) is SizeDenial.BELOW_MIN_NOTIONAL


def test_a_denial_names_the_limit() -> None:
    denied = size_order(BTC, Decimal(2000), PRICE)

    assert denied == SizeDenied(SizeDenial.ABOVE_MAX_QUANTITY, "2000 BTC is too much: the limit is 1000 BTC.")


@given(quantity=st.decimals(0, 2000, places=9))
def test_a_sized_quantity_is_tradable_and_never_more_than_wanted(quantity: Decimal) -> None:
    result = size_order(BTC, quantity, PRICE)
    if isinstance(result, Sized):
        assert quantity - BTC.lot < result.quantity <= quantity
        assert floor_to(result.quantity, BTC.lot) == result.quantity
        assert result.notional == notional(result.quantity, PRICE) >= BTC.min_notional


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
