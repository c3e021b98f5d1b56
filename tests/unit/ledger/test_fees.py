from decimal import Decimal

import pytest

from fillbook.ledger.core.fees import FeeInQuote, FeeRateSource, NeedsRate, fee_in_quote

RATES = {"BNB": Decimal("612.5")}


@pytest.mark.parametrize(
    ("fee", "asset", "worth"),
    [
        # Bybit Help Center, "Trading fee calculation": 0.055 % taker on 0.4 BTC at 6,000 is 1.32 USDT.
        ("1.32", "USDT", FeeInQuote(Decimal("1.32"), Decimal(1), FeeRateSource.QUOTE)),
        ("0.00022", "BTC", FeeInQuote(Decimal("1.32"), Decimal(6000), FeeRateSource.FILL_PRICE)),
        ("0.002", "BNB", FeeInQuote(Decimal("1.225"), Decimal("612.5"), FeeRateSource.MARKET)),
        ("-0.5", "USDT", FeeInQuote(Decimal("-0.5"), Decimal(1), FeeRateSource.QUOTE)),
        ("0", None, FeeInQuote(Decimal(0), Decimal(0), FeeRateSource.NONE)),
        ("0", "BGB", FeeInQuote(Decimal(0), Decimal(0), FeeRateSource.NONE)),
        ("0.7", None, FeeInQuote(Decimal("0.7"), Decimal(1), FeeRateSource.QUOTE)),
    ],
)
def test_a_fee_is_worth_its_rate(fee: str, asset: str | None, worth: FeeInQuote) -> None:
    assert fee_in_quote(Decimal(fee), asset, "BTC", "USDT", Decimal(6000), RATES) == worth


def test_a_third_asset_without_a_rate_is_asked_for_and_never_taken_for_nothing() -> None:
    assert fee_in_quote(Decimal("0.1"), "BGB", "BTC", "USDT", Decimal(6000), RATES) == NeedsRate(
        "BGB", "USDT"
    )


def test_a_fee_in_quote_keeps_the_places_that_are_stored() -> None:
    worth = fee_in_quote(Decimal("0.000000000000000003"), "BTC", "BTC", "USDT", Decimal("0.5"), {})

    assert isinstance(worth, FeeInQuote)
    assert worth.fee_quote == Decimal("0.000000000000000002")
