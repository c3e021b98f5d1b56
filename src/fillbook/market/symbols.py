"""Every spelling of a symbol, translated to ccxt's unified id by the strategy's market type.

A bare pair (`BTCUSDT`, `BTC/USDT`, `BINANCE:BTCUSDT.P`) names a chart, and the strategy decides which market
is traded on it: a strategy on spot that listens to a perpetual's chart trades spot. An id that can only mean
one market (`BTC/USDT:USDT`, `BTC-USDT-SWAP`) on a strategy of the other is refused, never translated.
"""

import re
from collections.abc import Container
from dataclasses import dataclass

from fillbook.kernel.errors import InvalidInput
from fillbook.market.core import MarketType

QUOTES = (
    *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDE", "USD1", "RLUSD", "PYUSD", "DAI", "USD"),
    *("EUR", "TRY", "BRL", "GBP", "JPY", "AUD", "KRW", "BTC", "ETH", "BNB"),
)
_QUOTES_LONGEST_FIRST = tuple(sorted(QUOTES, key=len, reverse=True))
_LINEAR_SETTLEMENTS = frozenset({"USDT", "USDC", "FDUSD", "BUSD", "USDE"})
_LONGEST_TEXT = 64

_CHART_MARKS = re.compile(r"(\.P|[-_/]?PERP)$")
_SWAP_MARK = re.compile(r"[-_/](SWAP|UMCBL)$")
_ASSET = re.compile(r"[A-Z0-9]{1,20}")


class UnknownSymbol(InvalidInput):
    """A symbol that cannot be read."""

    code = "unknown_symbol"


class SymbolOfOtherMarket(UnknownSymbol):
    """A symbol that names one market, sent to a strategy of the other."""

    code = "symbol_of_other_market"


@dataclass(frozen=True, slots=True)
class _Spelling:
    """`pair` without exchange and marks; `settle` and `says_futures` where the text names the market."""

    pair: str
    settle: str | None
    says_futures: bool


def unify_symbol(text: str, market_type: MarketType, known: Container[str] = ()) -> str:
    """The unified id, e.g. `BTC/USDT` on spot and `BTC/USDT:USDT` on futures.

    `known` are the unified ids of the venue (a set): where one of them fits it is taken (of several the one with
    the longest quote), else a pair without separator is cut at the longest of `QUOTES`.
    Raises `UnknownSymbol` or `SymbolOfOtherMarket`.
    """
    spelling = _read(text)
    if spelling.says_futures and market_type is MarketType.SPOT:
        raise SymbolOfOtherMarket(
            f"'{text}' is a futures symbol, but the strategy trades spot: send {spelling.pair} instead."
        )
    for base, quote in _cuts(spelling.pair):
        symbol = _join(base, quote, spelling, market_type)
        if symbol in known and spelling.settle != base:  # settled in the base is inverse, listed or not
            return symbol
    base, quote = _split_pair(spelling.pair, text)
    if market_type is MarketType.FUTURES and (spelling.settle or quote) not in (
        {quote} & _LINEAR_SETTLEMENTS
    ):
        raise UnknownSymbol(
            f"'{text}' is no linear perpetual: use a pair that is quoted and settled in a stablecoin, "
            f"such as {base}/USDT."
        )
    return _join(base, quote, spelling, market_type)


def _join(base: str, quote: str, spelling: _Spelling, market_type: MarketType) -> str:
    if market_type is MarketType.SPOT:
        return f"{base}/{quote}"
    return f"{base}/{quote}:{spelling.settle or quote}"


def _cuts(pair: str) -> list[tuple[str, str]]:
    """Every way to read a pair as base and quote, longest quote first; one way if it has a separator."""
    parts = re.split(r"[-_/]", pair)
    if len(parts) == 1:
        return [(pair[:at], pair[at:]) for at in range(1, len(pair))]
    return [(parts[0], parts[1])] if len(parts) == 2 else []


def _read(text: str) -> _Spelling:
    """The spelling without its decoration. Raises `UnknownSymbol` for what is no symbol at all."""
    symbol = text.strip().upper()
    if not symbol or len(symbol) > _LONGEST_TEXT:
        raise UnknownSymbol("The symbol is missing or too long: send one such as BTC/USDT.")
    head, colon, tail = symbol.partition(":")
    settle = None
    if colon and re.search(r"[-_/]", head) and _ASSET.fullmatch(tail):
        symbol, settle = head, tail
    elif colon and not re.search(r"[-_/]", head):
        symbol = tail
        inner, inner_colon, inner_settle = tail.partition(":")
        if inner_colon:
            symbol, settle = inner, inner_settle
    pair = _SWAP_MARK.sub("", symbol)
    says_futures = settle is not None or pair != symbol
    return _Spelling(_CHART_MARKS.sub("", pair), settle, says_futures)


def _split_pair(pair: str, text: str) -> tuple[str, str]:
    """Base and quote. Raises `UnknownSymbol` when the text cannot be cut."""
    parts = re.split(r"[-_/]", pair)
    if len(parts) == 1:
        quote = next((q for q in _QUOTES_LONGEST_FIRST if pair.endswith(q) and len(pair) > len(q)), None)
        parts = [pair.removesuffix(quote), quote] if quote else parts
    if len(parts) != 2 or not all(_ASSET.fullmatch(part) for part in parts):
        raise UnknownSymbol(f"'{text}' cannot be read as a symbol: write it as BTC/USDT.")
    return parts[0], parts[1]
