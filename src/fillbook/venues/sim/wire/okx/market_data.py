"""OKX's public pages: time, instruments, tickers, books, trades, candles, mark prices, funding."""

from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.candles import Candle
from fillbook.venues.sim.core.listings import Listing
from fillbook.venues.sim.core.market import Market, next_funding_ms
from fillbook.venues.sim.core.vocabulary import TradeEvent
from fillbook.venues.sim.wire.numbers import short
from fillbook.venues.sim.wire.okx.context import Context, Endpoint, Route, Routes, contracts
from fillbook.venues.sim.wire.okx.errors import wrong
from fillbook.venues.sim.wire.okx.text import (
    INSTRUMENT_TYPES,
    Params,
    integer,
    market_type_of,
    optional,
    required,
    unused,
)

_LISTED_MS = 1_573_557_408_000
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
BARS_MS = {
    "1m": _MINUTE_MS,
    "3m": 3 * _MINUTE_MS,
    "5m": 5 * _MINUTE_MS,
    "15m": 15 * _MINUTE_MS,
    "30m": 30 * _MINUTE_MS,
    "1H": _HOUR_MS,
    "2H": 2 * _HOUR_MS,
    "4H": 4 * _HOUR_MS,
    "6Hutc": 6 * _HOUR_MS,
    "12Hutc": 12 * _HOUR_MS,
    "1Dutc": _DAY_MS,
    "1D": _DAY_MS,
    "1Wutc": 7 * _DAY_MS,
}


def time(context: Context, account: Account, params: Params) -> list[Any]:
    return [{"ts": str(context.now_ms())}]


def instruments(context: Context, account: Account, params: Params) -> list[Any]:
    name = optional(params, "instId")
    rows = [_instrument(context, number, market.listing) for number, market in _listed(context, params)]
    return [row for row in rows if name in (None, row["instId"])]


def _listed(context: Context, params: Params) -> list[tuple[int, Market]]:
    market_type = market_type_of(params)
    numbered = enumerate(context.exchange.markets.values(), 10_000)
    return [
        (number, market)
        for number, market in numbered
        if market.listing.market_type is market_type and market.is_listed
    ]


def _instrument(context: Context, number: int, listing: Listing) -> dict[str, Any]:
    instrument = listing.instrument
    is_spot = listing.market_type is MarketType.SPOT
    size = instrument.contract_size
    largest = short((instrument.max_quantity or ZERO) / size)
    pair = f"{instrument.base}-{instrument.quote}"
    row: dict[str, Any] = unused(
        "alias auctionEndTime contTdSwTime expTime maxMktAmt maxPlatOILmt openType optType "
        "posLmtAmt posLmtPct preMktSwTime stk"
    )
    row |= dict.fromkeys(
        ("maxIcebergSz", "maxLmtSz", "maxMktSz", "maxStopSz", "maxTriggerSz", "maxTwapSz"), largest
    )
    return row | {
        "baseCcy": instrument.base if is_spot else "",
        "category": "1",
        "ctMult": "" if is_spot else "1",
        "ctType": "" if is_spot else "linear",
        "ctVal": "" if is_spot else short(size),
        "ctValCcy": "" if is_spot else instrument.base,
        "futureSettlement": False,
        "instFamily": "" if is_spot else pair,
        "instId": context.ids[listing.symbol],
        "instIdCode": number,
        "instType": INSTRUMENT_TYPES[listing.market_type],
        "lever": "" if is_spot else short(listing.max_leverage),
        "listTime": str(_LISTED_MS),
        "lotSz": short(instrument.lot / size),
        "maxLmtAmt": "20000000",
        "minSz": short(instrument.min_quantity / size),
        "quoteCcy": instrument.quote if is_spot else "",
        "ruleType": "normal",
        "settleCcy": "" if is_spot else instrument.settle,
        "state": "live" if instrument.is_active else "suspend",
        "tickSz": short(instrument.tick),
        "tradeQuoteCcyList": [instrument.quote] if is_spot else [],
        "uly": "" if is_spot else pair,
    }


def ticker_row(context: Context, market: Market) -> dict[str, Any]:
    bids, asks = market.book.depth(Side.BUY, 1), market.book.depth(Side.SELL, 1)
    bid, ask = bids[0] if bids else (ZERO, ZERO), asks[0] if asks else (ZERO, ZERO)
    is_spot = market.listing.market_type is MarketType.SPOT
    return {
        "instType": INSTRUMENT_TYPES[market.listing.market_type],
        "instId": context.ids[market.symbol],
        "last": short(market.price),
        "lastSz": short(contracts(market, market.trades[-1].quantity)) if market.trades else "0",
        "askPx": short(ask[0]),
        "askSz": short(contracts(market, ask[1])),
        "bidPx": short(bid[0]),
        "bidSz": short(contracts(market, bid[1])),
        "open24h": short(market.day_open),
        "high24h": short(market.day_high),
        "low24h": short(market.day_low),
        "volCcy24h": short(market.quote_volume if is_spot else market.volume),
        "vol24h": short(contracts(market, market.volume)),
        "ts": str(context.now_ms()),
        "sodUtc0": short(market.day_open),
        "sodUtc8": short(market.day_open),
    }


def ticker(context: Context, account: Account, params: Params) -> list[Any]:
    return [ticker_row(context, context.market_of(params))]


def tickers(context: Context, account: Account, params: Params) -> list[Any]:
    return [ticker_row(context, market) for market in context.markets(market_type_of(params))]


def levels(market: Market, side: Side, limit: int) -> list[list[str]]:
    return [level(market, price, quantity) for price, quantity in market.book.depth(side, limit)]


def level(market: Market, price: Any, quantity: Any) -> list[str]:
    """Price, size, a word of the past, number of orders."""
    return [short(price), short(contracts(market, quantity)), "0", "1" if quantity else "0"]


def books(context: Context, account: Account, params: Params) -> list[Any]:
    market, size = context.market_of(params), min(integer(params, "sz") or 1, 400)
    return [
        {
            "asks": levels(market, Side.SELL, size),
            "bids": levels(market, Side.BUY, size),
            "ts": str(context.now_ms()),
            "seqId": market.update_id,
        }
    ]


def trade_row(context: Context, market: Market, trade: TradeEvent) -> dict[str, Any]:
    return {
        "instId": context.ids[market.symbol],
        "side": "sell" if trade.buyer_is_maker else "buy",
        "sz": short(contracts(market, trade.quantity)),
        "px": short(trade.price),
        "tradeId": str(trade.trade_id),
        "ts": str(trade.at_ms),
    }


def trades(context: Context, account: Account, params: Params) -> list[Any]:
    market, limit = context.market_of(params), min(integer(params, "limit") or 100, 500)
    return [trade_row(context, market, trade) for trade in reversed(market.trades[-limit:])]


def candle_row(market: Market, candle: Candle, *, is_over: bool) -> list[str]:
    """Start, prices, volume in contracts, in base, in quote, and whether the candle is over."""
    return [
        str(candle.open_ms),
        short(candle.open),
        short(candle.high),
        short(candle.low),
        short(candle.close),
        short(contracts(market, candle.volume)),
        short(candle.volume),
        short(candle.volume * candle.close),
        "1" if is_over else "0",
    ]


def _candles(most: int) -> Endpoint:
    """Newest first: older than `after`, newer than `before`."""

    def answer(context: Context, account: Account, params: Any) -> list[Any]:
        market, bar = context.market_of(params), optional(params, "bar") or "1m"
        if bar not in BARS_MS:
            raise wrong("bar")
        length_ms, now_ms = BARS_MS[bar], context.now_ms()
        limit = min(integer(params, "limit") or 100, most)
        after, before = integer(params, "after"), integer(params, "before")
        end_ms = None if after is None else after - 1
        found = context.exchange.candles.between(market, length_ms, None, end_ms, limit, now_ms)
        return [
            candle_row(market, candle, is_over=candle.open_ms + length_ms <= now_ms)
            for candle in reversed(found)
            if before is None or candle.open_ms > before
        ]

    return answer


def mark_price_row(context: Context, market: Market) -> dict[str, Any]:
    return {
        "instType": INSTRUMENT_TYPES[market.listing.market_type],
        "instId": context.ids[market.symbol],
        "markPx": short(market.mark),
        "ts": str(context.now_ms()),
    }


def mark_prices(context: Context, account: Account, params: Params) -> list[Any]:
    name = optional(params, "instId")
    rows = [mark_price_row(context, market) for market in context.markets(market_type_of(params))]
    return [row for row in rows if name in (None, row["instId"])]


def funding_row(context: Context, market: Market) -> dict[str, Any]:
    due_ms = next_funding_ms(context.now_ms())
    return {
        "formulaType": "withRate",
        "fundingRate": short(market.funding_rate),
        "fundingTime": str(due_ms),
        "instId": context.ids[market.symbol],
        "instType": "SWAP",
        "method": "current_period",
        "nextFundingRate": "",
        "nextFundingTime": str(next_funding_ms(due_ms)),
        "premium": "0",
        "settFundingRate": short(market.funding_rate),
        "settState": "settled",
        "ts": str(context.now_ms()),
    }


def funding_rate(context: Context, account: Account, params: Params) -> list[Any]:
    return [funding_row(context, context.market_of(params))]


def funding_history(context: Context, account: Account, params: Params) -> list[Any]:
    market = context.market(required(params, "instId"))
    return [
        {
            "fundingRate": short(payment.rate),
            "fundingTime": str(payment.at_ms),
            "instId": context.ids[payment.symbol],
            "instType": "SWAP",
            "method": "current_period",
            "realizedRate": short(payment.rate),
        }
        for payment in reversed(context.exchange.funding_payments)
        if payment.symbol == market.symbol
    ]


ROUTES: Routes = {
    ("GET", f"/api/v5/{path}"): Route(endpoint, is_public=True)
    for path, endpoint in {
        "public/time": time,
        "public/instruments": instruments,
        "public/mark-price": mark_prices,
        "public/funding-rate": funding_rate,
        "public/funding-rate-history": funding_history,
        "market/ticker": ticker,
        "market/tickers": tickers,
        "market/books": books,
        "market/trades": trades,
        "market/candles": _candles(300),
        "market/history-candles": _candles(100),
    }.items()
}
