import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.errors import InvalidInput
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.symbols import QUOTES, SymbolOfOtherMarket, UnknownSymbol, unify_symbol

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES

CHART_NAMES = [
    "BTC/USDT",
    "BTCUSDT",
    "btcusdt",
    " BTCUSDT ",
    "BTCUSDT.P",
    "BINANCE:BTCUSDT",
    "BINANCE:BTCUSDT.P",
    "binance:btcusdt.p",
    "OKX:BTCUSDT.P",
    "BTC-USDT",
    "BTC_USDT",
    "BTCUSDTPERP",
    "BTC_USDT_PERP",
    "BYBIT:BTC/USDT",
]
FUTURES_IDS = [
    "BTC/USDT:USDT",
    "btc/usdt:usdt",
    "BINANCE:BTC/USDT:USDT",
    "BTC-USDT-SWAP",
    "OKX:BTC-USDT-SWAP",
]


@pytest.mark.parametrize("text", CHART_NAMES)
def test_a_charts_name_is_translated_by_the_strategys_market(text: str) -> None:
    assert unify_symbol(text, SPOT) == "BTC/USDT"
    assert unify_symbol(text, FUTURES) == "BTC/USDT:USDT"


@pytest.mark.parametrize("text", FUTURES_IDS)
def test_an_id_of_futures_is_taken_on_futures_and_refused_on_spot(text: str) -> None:
    assert unify_symbol(text, FUTURES) == "BTC/USDT:USDT"
    with pytest.raises(SymbolOfOtherMarket) as refused:
        unify_symbol(text, SPOT)
    assert refused.value.code == "symbol_of_other_market"
    assert "spot" in refused.value.detail


@pytest.mark.parametrize(
    ("text", "unified"),
    [
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        ("1000PEPEUSDT.P", "1000PEPE/USDT:USDT"),
        ("1INCHUSDT", "1INCH/USDT:USDT"),
        ("BTCUSDC", "BTC/USDC:USDC"),
        ("FDUSDUSDT", "FDUSD/USDT:USDT"),
        ("BTCFDUSD", "BTC/FDUSD:FDUSD"),
        ("PERPUSDT", "PERP/USDT:USDT"),
        ("USDCUSDT", "USDC/USDT:USDT"),
    ],
)
def test_the_longest_quote_cuts_a_pair_without_separator(text: str, unified: str) -> None:
    assert unify_symbol(text, FUTURES) == unified


def test_a_known_symbol_decides_how_a_pair_is_cut() -> None:
    assert unify_symbol("AFDUSD", SPOT) == "A/FDUSD"
    assert unify_symbol("AFDUSD", SPOT, {"AFD/USD", "BTC/USDT"}) == "AFD/USD"
    assert unify_symbol("BTCPLN", SPOT, {"BTC/PLN"}) == "BTC/PLN"


def test_of_two_known_ways_to_cut_the_longer_quote_is_taken() -> None:
    assert unify_symbol("AFDUSD", SPOT, {"AFD/USD", "A/FDUSD"}) == "A/FDUSD"


def test_a_known_symbol_of_the_other_market_does_not_decide() -> None:
    assert unify_symbol("BTCUSDT", FUTURES, {"BTC/USDT"}) == "BTC/USDT:USDT"
    assert unify_symbol("BTCUSDT", SPOT, {"BTC/USDT:USDT"}) == "BTC/USDT"


def test_an_unusual_settlement_is_taken_where_the_venue_lists_it() -> None:
    with pytest.raises(UnknownSymbol):
        unify_symbol("BTC/USD:USDC", FUTURES)
    assert unify_symbol("BTC/USD:USDC", FUTURES, {"BTC/USD:USDC"}) == "BTC/USD:USDC"


@pytest.mark.parametrize("text", ["BTCUSD", "BTC/USD:BTC", "BTC-USD-SWAP", "ETHBTC", "BTC/USDT:USDC"])
def test_what_is_no_linear_perpetual_is_refused_on_futures(text: str) -> None:
    with pytest.raises(UnknownSymbol, match="linear") as refused:
        unify_symbol(text, FUTURES)
    assert refused.value.code == "unknown_symbol"


def test_an_inverse_perpetual_is_refused_even_where_the_venue_lists_it() -> None:
    with pytest.raises(UnknownSymbol, match="linear"):
        unify_symbol("BTC/USD:BTC", FUTURES, {"BTC/USD:BTC"})


def test_coins_and_fiat_quote_pairs_on_spot() -> None:
    assert unify_symbol("ETHBTC", SPOT) == "ETH/BTC"
    assert unify_symbol("BTCEUR", SPOT) == "BTC/EUR"
    assert unify_symbol("BTCUSD", SPOT) == "BTC/USD"


@pytest.mark.parametrize("market", [SPOT, FUTURES])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "BTC",
        "USDT",
        ".P",
        "BTC/USDT/ETH",
        "BTC/USDT:USDT-261225",
        "{{ticker}}",
        "BTC USDT",
        "/USDT",
        "BTC/",
        "B" * 65,
        "BTC/USDT; DROP TABLE orders",
        "ＢＴＣ/USDT",
    ],
)
def test_what_is_no_symbol_is_refused_with_a_sentence(text: str, market: MarketType) -> None:
    with pytest.raises(UnknownSymbol) as refused:
        unify_symbol(text, market)
    assert isinstance(refused.value, InvalidInput)
    assert (refused.value.code, refused.value.status) == ("unknown_symbol", 422)
    assert "BTC/USDT" in refused.value.detail


@given(text=st.text(max_size=70), market=st.sampled_from(MarketType))
def test_any_text_becomes_a_symbol_of_the_market_or_one_clear_error(text: str, market: MarketType) -> None:
    try:
        unified = unify_symbol(text, market)
    except UnknownSymbol:
        return
    assert market_type_of(unified) is market
    assert unify_symbol(unified, market) == unified


@given(
    base=st.from_regex(r"[A-Z]{2,6}", fullmatch=True),
    quote=st.sampled_from(QUOTES),
    form=st.sampled_from(["{}{}", "{}/{}", "{}-{}", "{}_{}", "BYBIT:{}{}", "{}{}.P"]),
)
def test_every_spelling_of_a_known_symbol_finds_it(base: str, quote: str, form: str) -> None:
    symbol = f"{base}/{quote}"

    assert unify_symbol(form.format(base, quote), SPOT, {symbol}) == symbol
