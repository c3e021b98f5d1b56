"""Bitget's public REST pages of both markets: time, listings, tickers, order books, trades, candles."""

from typing import Any

from fillbook.kernel.money import ZERO, divide
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.candles import Candle
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.wire.bitget.context import PRODUCT_TYPE, Context, Endpoint, Route, Routes
from fillbook.venues.sim.wire.bitget.errors import wrong
from fillbook.venues.sim.wire.bitget.mix_orders import check_product
from fillbook.venues.sim.wire.bitget.words import Params, integer, required
from fillbook.venues.sim.wire.numbers import places_of, short

_MINUTE_MS = 60_000
_LENGTHS_MS = {
    "1m": _MINUTE_MS,
    "3m": 3 * _MINUTE_MS,
    "5m": 5 * _MINUTE_MS,
    "15m": 15 * _MINUTE_MS,
    "30m": 30 * _MINUTE_MS,
    "1h": 60 * _MINUTE_MS,
    "2h": 120 * _MINUTE_MS,
    "4h": 240 * _MINUTE_MS,
    "6h": 360 * _MINUTE_MS,
    "12h": 720 * _MINUTE_MS,
    "1d": 1440 * _MINUTE_MS,
    "3d": 4320 * _MINUTE_MS,
    "1w": 10080 * _MINUTE_MS,
}
_PRODUCT_TYPES = frozenset(
    f"{prefix}{coin}-FUTURES" for prefix in ("", "S") for coin in ("USDT", "COIN", "USDC")
)


def length_ms(word: str) -> int:
    """The length of a candle: `1min`, `1h`, `1day` on spot, `1m`, `1H`, `1D` on futures and streams."""
    plain = word.lower().removesuffix("utc").replace("min", "m").replace("day", "d").replace("week", "w")
    if plain not in _LENGTHS_MS:
        raise wrong("granularity")
    return _LENGTHS_MS[plain]


def server_time(context: Context, account: Account, params: Params) -> Any:
    return {"serverTime": str(context.now_ms())}


def spot_symbols(context: Context, account: Account, params: Params) -> Any:
    wanted = context.optional_market(MarketType.SPOT, params)
    return [
        _spot_listing(context, market)
        for market in context.markets(MarketType.SPOT)
        if market.is_listed and wanted in (None, market)
    ]


def _spot_listing(context: Context, market: Market) -> dict[str, Any]:
    listing, instrument = market.listing, market.listing.instrument
    return {
        "symbol": context.wire_ids[market.symbol],
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": short(instrument.max_quantity),
        "takerFeeRate": short(listing.taker_rate),
        "makerFeeRate": short(listing.maker_rate),
        "pricePrecision": str(places_of(instrument.tick)),
        "quantityPrecision": str(places_of(instrument.lot)),
        "quotePrecision": "8",
        "status": "online",
        "minTradeUSDT": short(instrument.min_notional),
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
    }


def margin_currencies(context: Context, account: Account, params: Params) -> Any:
    """Margin borrowing is not simulated: no pair can be borrowed for."""
    return []


def contracts(context: Context, account: Account, params: Params) -> Any:
    product = required(params, "productType").upper()
    if product not in _PRODUCT_TYPES:
        raise wrong("productType")
    if product != PRODUCT_TYPE:
        return []
    wanted = context.optional_market(MarketType.FUTURES, params)
    return [
        _contract(context, market)
        for market in context.markets(MarketType.FUTURES)
        if market.is_listed and wanted in (None, market)
    ]


def _contract(context: Context, market: Market) -> dict[str, Any]:
    listing, instrument = market.listing, market.listing.instrument
    places = places_of(instrument.tick)
    return {
        "symbol": context.wire_ids[market.symbol],
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "feeRateUpRatio": "0.005",
        "makerFeeRate": short(listing.maker_rate),
        "takerFeeRate": short(listing.taker_rate),
        "openCostUpRatio": "0.01",
        "supportMarginCoins": [instrument.settle],
        "minTradeNum": short(instrument.min_quantity),
        "priceEndStep": short(instrument.tick.scaleb(places)),
        "volumePlace": str(places_of(instrument.lot)),
        "pricePlace": str(places),
        "sizeMultiplier": short(instrument.lot),
        "symbolType": "perpetual",
        "minTradeUSDT": short(instrument.min_notional),
        "maxMarketOrderQty": short(instrument.max_market_quantity),
        "maxOrderQty": short(instrument.max_quantity),
        "maxSymbolOrderNum": "200",
        "maxProductOrderNum": "400",
        "maxPositionNum": "150",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": short(listing.max_leverage),
        "posLimit": "0.05",
        "maintainTime": "",
    }


def _best(market: Market) -> dict[str, str]:
    bids, asks = market.book.depth(Side.BUY, 1), market.book.depth(Side.SELL, 1)
    bid, ask = bids[0] if bids else (ZERO, ZERO), asks[0] if asks else (ZERO, ZERO)
    return {"bidPr": short(bid[0]), "askPr": short(ask[0]), "bidSz": short(bid[1]), "askSz": short(ask[1])}


def ticker(context: Context, market: Market) -> dict[str, Any]:
    """Spot calls the open `open`, futures `open24h`."""
    change = short(divide(market.price - market.day_open, market.day_open))
    row = {
        "symbol": context.wire_ids[market.symbol],
        "lastPr": short(market.price),
        "high24h": short(market.day_high),
        "low24h": short(market.day_low),
        "baseVolume": short(market.volume),
        "quoteVolume": short(market.quote_volume),
        "usdtVolume": short(market.quote_volume),
        "openUtc": short(market.day_open),
        "change24h": change,
        "changeUtc24h": change,
        "ts": str(context.now_ms()),
        **_best(market),
    }
    if market.listing.market_type is MarketType.SPOT:
        return row | {"open": short(market.day_open)}
    return row | {
        "open24h": short(market.day_open),
        "indexPrice": short(market.price),
        "markPrice": short(market.mark),
        "fundingRate": short(market.funding_rate),
        "holdingAmount": "0",
        "deliveryStartTime": None,
        "deliveryTime": None,
        "deliveryStatus": "",
    }


def _of(market_type: MarketType, answer: Any) -> Endpoint:
    """A page of one market type; a futures page names its product."""

    def endpoint(context: Context, account: Account, params: Params) -> Any:
        if market_type is MarketType.FUTURES:
            check_product(params)
        return answer(context, market_type, params)

    return endpoint


def _tickers(context: Context, market_type: MarketType, params: Params) -> Any:
    wanted = context.optional_market(market_type, params)
    markets = context.markets(market_type) if wanted is None else [wanted]
    return [ticker(context, market) for market in markets]


def levels(market: Market, limit: int) -> dict[str, list[list[str]]]:
    return {
        name: [[short(price), short(size)] for price, size in market.book.depth(side, limit)]
        for name, side in (("asks", Side.SELL), ("bids", Side.BUY))
    }


def _order_book(context: Context, market_type: MarketType, params: Params) -> Any:
    limit = min(integer(params, "limit") or 150, 150)
    body: dict[str, Any] = dict(levels(context.market_of(market_type, params), limit))
    return body | {"ts": str(context.now_ms())}


def _trades(context: Context, market_type: MarketType, params: Params) -> Any:
    """Newest first."""
    market, limit = context.market_of(market_type, params), min(integer(params, "limit") or 500, 1000)
    return [
        {
            "tradeId": str(trade.trade_id),
            "price": short(trade.price),
            "size": short(trade.quantity),
            "side": "Sell" if trade.buyer_is_maker else "Buy",
            "ts": str(trade.at_ms),
            "symbol": context.wire_ids[market.symbol],
        }
        for trade in reversed(market.trades[-limit:])
    ]


def candle_row(candle: Candle) -> list[str]:
    turnover = short(candle.volume * candle.close)
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return [str(candle.open_ms), *(short(price) for price in prices), turnover]


def _candles(context: Context, market_type: MarketType, params: Params) -> Any:
    """Oldest first. Futures leave the second turnover out."""
    market = context.market_of(market_type, params)
    found = context.exchange.candles.between(
        market,
        length_ms(required(params, "granularity")),
        integer(params, "startTime"),
        integer(params, "endTime"),
        min(integer(params, "limit") or 100, 1000),
        context.now_ms(),
    )
    rows = [candle_row(candle) for candle in found]
    return rows if market_type is MarketType.FUTURES else [[*row, row[-1]] for row in rows]


_SPOT, _FUTURES = MarketType.SPOT, MarketType.FUTURES

ROUTES: Routes = {
    ("GET", "/api/v2/public/time"): Route(server_time, is_public=True),
    ("GET", "/api/v2/spot/public/symbols"): Route(spot_symbols, is_public=True),
    ("GET", "/api/v2/margin/currencies"): Route(margin_currencies, is_public=True),
    ("GET", "/api/v2/spot/market/tickers"): Route(_of(_SPOT, _tickers), is_public=True),
    ("GET", "/api/v2/spot/market/orderbook"): Route(_of(_SPOT, _order_book), is_public=True),
    ("GET", "/api/v2/spot/market/candles"): Route(_of(_SPOT, _candles), is_public=True),
    ("GET", "/api/v2/spot/market/history-candles"): Route(_of(_SPOT, _candles), is_public=True),
    ("GET", "/api/v2/spot/market/fills"): Route(_of(_SPOT, _trades), is_public=True),
    ("GET", "/api/v2/spot/market/fills-history"): Route(_of(_SPOT, _trades), is_public=True),
    ("GET", "/api/v2/mix/market/contracts"): Route(contracts, is_public=True),
    ("GET", "/api/v2/mix/market/ticker"): Route(_of(_FUTURES, _tickers), is_public=True),
    ("GET", "/api/v2/mix/market/tickers"): Route(_of(_FUTURES, _tickers), is_public=True),
    ("GET", "/api/v2/mix/market/merge-depth"): Route(_of(_FUTURES, _order_book), is_public=True),
    ("GET", "/api/v2/mix/market/candles"): Route(_of(_FUTURES, _candles), is_public=True),
    ("GET", "/api/v2/mix/market/history-candles"): Route(_of(_FUTURES, _candles), is_public=True),
    ("GET", "/api/v2/mix/market/fills"): Route(_of(_FUTURES, _trades), is_public=True),
    ("GET", "/api/v2/mix/market/fills-history"): Route(_of(_FUTURES, _trades), is_public=True),
}
