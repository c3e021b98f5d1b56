"""Binance's `exchangeInfo` of both markets, from the listings."""

from typing import Any

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.listings import Listing
from fillbook.venues.sim.wire.binance.context import Context
from fillbook.venues.sim.wire.binance.text import FUTURES_TYPES, SPOT_TYPES, Params
from fillbook.venues.sim.wire.numbers import fixed, places_of

_ONBOARD_MS = 1_569_398_400_000
_NEVER_MS = 4_133_404_800_000
SPOT_WEIGHT_PER_MINUTE = 6000
FUTURES_WEIGHT_PER_MINUTE = 2400


def _weight_limit(limit: int) -> list[dict[str, Any]]:
    return [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}]


def _filters(listing: Listing) -> list[dict[str, Any]]:
    instrument = listing.instrument
    price = {
        "filterType": "PRICE_FILTER",
        "minPrice": fixed(instrument.tick),
        "maxPrice": fixed(instrument.tick * 10**9),
        "tickSize": fixed(instrument.tick),
    }
    lot = {
        "minQty": fixed(instrument.min_quantity),
        "maxQty": fixed(instrument.max_quantity),
        "stepSize": fixed(instrument.lot),
    }
    market_lot = lot | {"maxQty": fixed(instrument.max_market_quantity)}
    return [price, {"filterType": "LOT_SIZE", **lot}, {"filterType": "MARKET_LOT_SIZE", **market_lot}]


def _spot_symbol(context: Context, listing: Listing) -> dict[str, Any]:
    instrument = listing.instrument
    notional = {
        "filterType": "NOTIONAL",
        "minNotional": fixed(instrument.min_notional),
        "applyMinToMarket": True,
        "maxNotional": "9000000.00000000",
        "applyMaxToMarket": False,
        "avgPriceMins": 5,
    }
    return {
        "symbol": context.wire_ids[listing.symbol],
        "status": "TRADING" if instrument.is_active else "BREAK",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(SPOT_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [*_filters(listing), notional],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def spot_info(context: Context, account: Account, params: Params) -> Any:
    return {
        "timezone": "UTC",
        "serverTime": context.now_ms(),
        "rateLimits": _weight_limit(SPOT_WEIGHT_PER_MINUTE),
        "exchangeFilters": [],
        "symbols": [
            _spot_symbol(context, market.listing)
            for market in context.markets(MarketType.SPOT)
            if market.is_listed
        ],
        "sors": [],
    }


def _futures_symbol(context: Context, listing: Listing) -> dict[str, Any]:
    instrument = listing.instrument
    return {
        "symbol": context.wire_ids[listing.symbol],
        "pair": context.wire_ids[listing.symbol],
        "contractType": "PERPETUAL",
        "deliveryDate": _NEVER_MS,
        "onboardDate": _ONBOARD_MS,
        "status": "TRADING" if instrument.is_active else "SETTLING",
        "maintMarginPercent": fixed(listing.maintenance_rate * 100, 4),
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.settle,
        "pricePrecision": places_of(instrument.tick),
        "quantityPrecision": places_of(instrument.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            *_filters(listing),
            {"filterType": "MIN_NOTIONAL", "notional": f"{instrument.min_notional}"},
        ],
        "orderTypes": [*FUTURES_TYPES, "TRAILING_STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def futures_info(context: Context, account: Account, params: Params) -> Any:
    return {
        "timezone": "UTC",
        "serverTime": context.now_ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": _weight_limit(FUTURES_WEIGHT_PER_MINUTE),
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [
            _futures_symbol(context, market.listing)
            for market in context.markets(MarketType.FUTURES)
            if market.is_listed
        ],
    }
