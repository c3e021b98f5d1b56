"""Binance's public REST pages of both markets: exchange info, time, tickers, depth, trades, candles."""

from typing import Any

from fillbook.kernel.money import ZERO, divide
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.candles import Candle
from fillbook.venues.sim.core.market import Market, next_funding_ms
from fillbook.venues.sim.wire.binance.context import Context, Endpoint, Route, Routes, Security
from fillbook.venues.sim.wire.binance.errors import BinanceError
from fillbook.venues.sim.wire.binance.exchange_info import futures_info, spot_info
from fillbook.venues.sim.wire.binance.text import Params, integer, json_list, required
from fillbook.venues.sim.wire.binance.windows import limit_of
from fillbook.venues.sim.wire.numbers import fixed

_DAY_MS = 86_400_000
INTERVALS_MS = {
    "1s": 1_000,
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": _DAY_MS,
    "3d": 3 * _DAY_MS,
    "1w": 7 * _DAY_MS,
}


def ping(context: Context, account: Account, params: Params) -> Any:
    return {}


def time(context: Context, account: Account, params: Params) -> Any:
    return {"serverTime": context.now_ms()}


def _of(market_type: MarketType, row: Any) -> Endpoint:
    """One row when `symbol` is given, else a list: of `symbols`, or of all."""

    def answer(context: Context, account: Account, params: Params) -> Any:
        if params.get("symbol"):
            return row(context, context.market_of(market_type, params))
        if params.get("symbols"):
            names = json_list(params["symbols"], "symbols")
            return [row(context, context.market(market_type, name)) for name in names]
        return [row(context, market) for market in context.markets(market_type)]

    return answer


def ticker(context: Context, market: Market) -> dict[str, Any]:
    now_ms = context.now_ms()
    change = market.price - market.day_open
    row: dict[str, Any] = {
        "symbol": context.wire_ids[market.symbol],
        "priceChange": fixed(change),
        "priceChangePercent": fixed(divide(change * 100, market.day_open), 3),
        "weightedAvgPrice": fixed(market.price),
        "lastPrice": fixed(market.price),
        "lastQty": fixed(market.trades[-1].quantity if market.trades else ZERO),
        "openPrice": fixed(market.day_open),
        "highPrice": fixed(market.day_high),
        "lowPrice": fixed(market.day_low),
        "volume": fixed(market.volume),
        "quoteVolume": fixed(market.quote_volume),
        "openTime": now_ms - _DAY_MS,
        "closeTime": now_ms,
        "firstId": market.first_trade_id + 1 if market.trades else -1,
        "lastId": market.last_trade_id if market.trades else -1,
        "count": market.last_trade_id - market.first_trade_id,
    }
    if market.listing.market_type is MarketType.SPOT:
        row |= {"prevClosePrice": fixed(market.day_open), **_best(market)}
    return row


def _best(market: Market) -> dict[str, str]:
    bids, asks = market.book.depth(Side.BUY, 1), market.book.depth(Side.SELL, 1)
    bid, ask = bids[0] if bids else (ZERO, ZERO), asks[0] if asks else (ZERO, ZERO)
    return {
        "bidPrice": fixed(bid[0]),
        "bidQty": fixed(bid[1]),
        "askPrice": fixed(ask[0]),
        "askQty": fixed(ask[1]),
    }


def book_ticker(context: Context, market: Market) -> dict[str, Any]:
    row: dict[str, Any] = {"symbol": context.wire_ids[market.symbol], **_best(market)}
    if market.listing.market_type is MarketType.FUTURES:
        row |= {"time": context.now_ms(), "lastUpdateId": market.update_id}
    return row


def price(context: Context, market: Market) -> dict[str, Any]:
    row: dict[str, Any] = {"symbol": context.wire_ids[market.symbol], "price": fixed(market.price)}
    if market.listing.market_type is MarketType.FUTURES:
        row["time"] = context.now_ms()
    return row


def average_price(context: Context, market: Market) -> dict[str, Any]:
    return {"mins": 5, "price": fixed(market.price), "closeTime": context.now_ms()}


def premium_index(context: Context, market: Market) -> dict[str, Any]:
    now_ms = context.now_ms()
    return {
        "symbol": context.wire_ids[market.symbol],
        "markPrice": fixed(market.mark),
        "indexPrice": fixed(market.price),
        "estimatedSettlePrice": fixed(market.mark),
        "lastFundingRate": fixed(market.funding_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": next_funding_ms(now_ms),
        "time": now_ms,
    }


def _depth(market_type: MarketType) -> Endpoint:
    def answer(context: Context, account: Account, params: Params) -> Any:
        market = context.market_of(market_type, params)
        limit = limit_of(params, default=100, largest=5000)
        body: dict[str, Any] = {"lastUpdateId": market.update_id}
        if market_type is MarketType.FUTURES:
            body |= {"E": context.now_ms(), "T": context.now_ms()}
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL)):
            body[name] = [[fixed(p), fixed(q)] for p, q in market.book.depth(side, limit)]
        return body

    return answer


def _trades(market_type: MarketType) -> Endpoint:
    def answer(context: Context, account: Account, params: Params) -> Any:
        market = context.market_of(market_type, params)
        rows = []
        for trade in market.trades[-limit_of(params) :]:
            row: dict[str, Any] = {
                "id": trade.trade_id,
                "price": fixed(trade.price),
                "qty": fixed(trade.quantity),
                "quoteQty": fixed(trade.price * trade.quantity),
                "time": trade.at_ms,
                "isBuyerMaker": trade.buyer_is_maker,
            }
            if market_type is MarketType.SPOT:
                row["isBestMatch"] = True
            rows.append(row)
        return rows

    return answer


def _klines(market_type: MarketType) -> Endpoint:
    def answer(context: Context, account: Account, params: Params) -> Any:
        market = context.market_of(market_type, params)
        interval = required(params, "interval")
        if interval not in INTERVALS_MS:
            raise BinanceError(-1120, "Invalid interval.")
        length_ms = INTERVALS_MS[interval]
        candles = context.exchange.candles.between(
            market,
            length_ms,
            integer(params, "startTime"),
            integer(params, "endTime"),
            limit_of(params, default=500, largest=1500),
            context.now_ms(),
        )
        return [kline(candle, length_ms) for candle in candles]

    return answer


def kline(candle: Candle, length_ms: int) -> list[Any]:
    return [
        candle.open_ms,
        fixed(candle.open),
        fixed(candle.high),
        fixed(candle.low),
        fixed(candle.close),
        fixed(candle.volume),
        candle.open_ms + length_ms - 1,
        fixed(candle.volume * candle.close),
        0,
        "0",
        "0",
        "0",
    ]


def funding_rates(context: Context, account: Account, params: Params) -> Any:
    market = context.optional_market(MarketType.FUTURES, params)
    return [
        {
            "symbol": context.wire_ids[payment.symbol],
            "fundingRate": fixed(payment.rate),
            "fundingTime": payment.at_ms,
            "markPrice": fixed(payment.mark),
        }
        for payment in context.exchange.funding_payments
        if market is None or payment.symbol == market.symbol
    ]


def _routes() -> Routes:
    routes: Routes = {
        ("GET", "/api/v3/exchangeInfo"): Route(spot_info, Security.NONE, 20),
        ("GET", "/fapi/v1/exchangeInfo"): Route(futures_info, Security.NONE),
        ("GET", "/fapi/v1/premiumIndex"): Route(_of(MarketType.FUTURES, premium_index), Security.NONE),
        ("GET", "/fapi/v1/fundingRate"): Route(funding_rates, Security.NONE),
        ("GET", "/api/v3/avgPrice"): Route(_of(MarketType.SPOT, average_price), Security.NONE, 2),
    }
    for base, market_type in (("/api/v3", MarketType.SPOT), ("/fapi/v1", MarketType.FUTURES)):
        pages: dict[str, tuple[Endpoint, int, int | None]] = {
            "ping": (ping, 1, None),
            "time": (time, 1, None),
            "ticker/24hr": (_of(market_type, ticker), 2, 80 if market_type is MarketType.SPOT else 40),
            "ticker/bookTicker": (_of(market_type, book_ticker), 2, 4),
            "ticker/price": (_of(market_type, price), 2, 4),
            "depth": (_depth(market_type), 5, None),
            "trades": (_trades(market_type), 5, None),
            "klines": (_klines(market_type), 2, None),
        }
        for name, (endpoint, weight, weight_of_all) in pages.items():
            routes[("GET", f"{base}/{name}")] = Route(endpoint, Security.NONE, weight, weight_of_all)
    routes[("GET", "/fapi/v2/ticker/price")] = routes[("GET", "/fapi/v1/ticker/price")]
    return routes


ROUTES: Routes = _routes()
