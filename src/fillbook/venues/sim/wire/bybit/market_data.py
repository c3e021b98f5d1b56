"""Bybit's public REST pages: time, instruments, tickers, order book, trades, candles, past funding rates."""

from typing import Any

from fillbook.kernel.money import ZERO, divide
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market, next_funding_ms
from fillbook.venues.sim.wire.bybit.context import Context, Route, Routes
from fillbook.venues.sim.wire.bybit.errors import illegal
from fillbook.venues.sim.wire.bybit.text import Params, category_name, exec_name, integer, required
from fillbook.venues.sim.wire.numbers import fixed, places_of, short

INTERVALS_MS = {
    "1": 60_000,
    "3": 180_000,
    "5": 300_000,
    "15": 900_000,
    "30": 1_800_000,
    "60": 3_600_000,
    "120": 7_200_000,
    "240": 14_400_000,
    "360": 21_600_000,
    "720": 43_200_000,
    "D": 86_400_000,
    "W": 7 * 86_400_000,
}
_PAGE = 500


def server_time(context: Context, account: Account, params: Params) -> Any:
    now_ms = context.now_ms()
    return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}


def instruments_info(context: Context, account: Account, params: Params) -> Any:
    """Spot in one page, linear in pages; no listing waits for its launch."""
    market_type = context.category(params)
    category = category_name(market_type)
    markets = [market for market in context.markets(market_type) if market.is_listed]
    if params.get("symbol"):
        markets = [context.market(market_type, params["symbol"])]
    if params.get("status") not in (None, "", "Trading"):
        markets = []
    if market_type is MarketType.SPOT:
        rows = [_spot_row(context, market) for market in markets]
        return {"category": category, "list": rows, "nextPageCursor": ""}
    limit = min(integer(params, "limit") or _PAGE, 1000)
    first = int(params["cursor"]) if params.get("cursor", "").isdecimal() else 0
    page = markets[first : first + limit]
    return {
        "category": category,
        "list": [_linear_row(context, market) for market in page],
        "nextPageCursor": str(first + limit) if first + limit < len(markets) else "",
    }


def _spot_row(context: Context, market: Market) -> dict[str, Any]:
    instrument = market.listing.instrument
    return {
        "symbol": context.wire_ids[market.symbol],
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "lotSizeFilter": {
            "basePrecision": short(instrument.lot),
            "quotePrecision": "0.00000001",
            "minOrderQty": short(instrument.min_quantity),
            "maxOrderQty": short(instrument.max_quantity),
            "minOrderAmt": short(instrument.min_notional),
            "maxOrderAmt": "4000000",
            "maxLimitOrderQty": short(instrument.max_quantity),
            "maxMarketOrderQty": short(instrument.max_market_quantity),
        },
        "priceFilter": {"tickSize": short(instrument.tick)},
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
    }


def _linear_row(context: Context, market: Market) -> dict[str, Any]:
    instrument = market.listing.instrument
    return {
        "symbol": context.wire_ids[market.symbol],
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(places_of(instrument.tick)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": fixed(market.listing.max_leverage, 2),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": short(instrument.tick),
            "maxPrice": short(instrument.tick * 10**9),
            "tickSize": short(instrument.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": short(instrument.max_quantity),
            "minOrderQty": short(instrument.min_quantity),
            "qtyStep": short(instrument.lot),
            "postOnlyMaxOrderQty": short(instrument.max_quantity),
            "maxMktOrderQty": short(instrument.max_market_quantity),
            "minNotionalValue": short(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": instrument.settle,
        "copyTrading": "both",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
    }


def tickers(context: Context, account: Account, params: Params) -> Any:
    market_type = context.category(params)
    markets = context.markets(market_type)
    if params.get("symbol"):
        markets = [context.market(market_type, params["symbol"])]
    return {"category": category_name(market_type), "list": [ticker(context, one) for one in markets]}


def ticker(context: Context, market: Market) -> dict[str, Any]:
    places = places_of(market.listing.instrument.tick)
    row = {"symbol": context.wire_ids[market.symbol]}
    for side, name in ((Side.BUY, "bid1"), (Side.SELL, "ask1")):
        best = market.book.depth(side, 1)
        price, size = best[0] if best else (ZERO, ZERO)
        row |= {f"{name}Price": fixed(price, places), f"{name}Size": short(size)}
    row |= {
        "lastPrice": fixed(market.price, places),
        "prevPrice24h": fixed(market.day_open, places),
        "price24hPcnt": fixed(divide(market.price - market.day_open, market.day_open), 6),
        "highPrice24h": fixed(market.day_high, places),
        "lowPrice24h": fixed(market.day_low, places),
        "turnover24h": short(market.quote_volume),
        "volume24h": short(market.volume),
    }
    if market.listing.market_type is MarketType.SPOT:
        return row | {"usdIndexPrice": fixed(market.price, places)}
    return row | {
        "indexPrice": fixed(market.price, places),
        "markPrice": fixed(market.mark, places),
        "prevPrice1h": fixed(market.day_open, places),
        "openInterest": "0",
        "openInterestValue": "0",
        "fundingRate": short(market.funding_rate),
        "nextFundingTime": str(next_funding_ms(context.now_ms())),
        "fundingIntervalHour": "8",
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "basis": "",
    }


def orderbook(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(params)
    limit = integer(params, "limit") or (25 if ":" in market.symbol else 1)
    now_ms = context.now_ms()
    return {
        "s": context.wire_ids[market.symbol],
        "b": _levels(market, Side.BUY, limit),
        "a": _levels(market, Side.SELL, limit),
        "ts": now_ms,
        "u": market.update_id,
        "seq": market.update_id,
        "cts": now_ms,
    }


def _levels(market: Market, side: Side, limit: int) -> list[list[str]]:
    places = places_of(market.listing.instrument.tick)
    return [[fixed(price, places), short(size)] for price, size in market.book.depth(side, min(limit, 1000))]


def recent_trades(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(params)
    limit = min(integer(params, "limit") or 60, 1000)
    return {
        "category": params["category"],
        "list": [
            {
                "execId": exec_name(market.symbol, trade.trade_id),
                "symbol": context.wire_ids[market.symbol],
                "price": short(trade.price),
                "size": short(trade.quantity),
                "side": "Sell" if trade.buyer_is_maker else "Buy",
                "time": str(trade.at_ms),
                "isBlockTrade": False,
                "isRPITrade": False,
            }
            for trade in reversed(market.trades[-limit:])
        ],
    }


def kline(context: Context, account: Account, params: Params) -> Any:
    """Newest first."""
    market = context.market_of(params)
    interval = required(params, "interval")
    if interval not in INTERVALS_MS:
        raise illegal("interval")
    limit = min(integer(params, "limit") or 200, 1000)
    candles = context.exchange.candles.between(
        market,
        INTERVALS_MS[interval],
        integer(params, "start"),
        integer(params, "end"),
        limit,
        context.now_ms(),
    )
    return {
        "category": params["category"],
        "symbol": context.wire_ids[market.symbol],
        "list": [
            [
                str(one.open_ms),
                short(one.open),
                short(one.high),
                short(one.low),
                short(one.close),
                short(one.volume),
                short(one.volume * one.close),
            ]
            for one in reversed(candles)
        ],
    }


def funding_history(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(params)
    start, end = integer(params, "startTime"), integer(params, "endTime")
    found = [
        payment
        for payment in context.exchange.funding_payments
        if payment.symbol == market.symbol
        and (start is None or payment.at_ms >= start)
        and (end is None or payment.at_ms <= end)
    ]
    limit = min(integer(params, "limit") or 200, 200)
    return {
        "category": params["category"],
        "list": [
            {
                "symbol": context.wire_ids[market.symbol],
                "fundingRate": short(payment.rate),
                "fundingRateTimestamp": str(payment.at_ms),
            }
            for payment in reversed(found[-limit:])
        ],
    }


ROUTES: Routes = {
    ("GET", "/v5/market/time"): Route(server_time, is_signed=False),
    ("GET", "/v5/market/instruments-info"): Route(instruments_info, is_signed=False),
    ("GET", "/v5/market/tickers"): Route(tickers, is_signed=False),
    ("GET", "/v5/market/orderbook"): Route(orderbook, is_signed=False),
    ("GET", "/v5/market/recent-trade"): Route(recent_trades, is_signed=False),
    ("GET", "/v5/market/kline"): Route(kline, is_signed=False),
    ("GET", "/v5/market/funding/history"): Route(funding_history, is_signed=False),
}
