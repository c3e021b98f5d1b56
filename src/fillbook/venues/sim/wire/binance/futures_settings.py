"""Binance USD-M settings and income: leverage, margin and position mode, brackets, symbol configuration."""

from typing import Any

from fillbook.accounts.core import MarginMode, PositionMode
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.modes import set_leverage, set_margin_mode, set_position_mode
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, LeverageEvent, Refusal, Refused
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.binance.errors import BinanceError, from_refusal
from fillbook.venues.sim.wire.binance.text import Params, flag, integer, required, required_amount
from fillbook.venues.sim.wire.binance.windows import limit_of
from fillbook.venues.sim.wire.numbers import fixed

FUTURES = MarketType.FUTURES
_INCOME = {
    LedgerKind.FUNDING: "FUNDING_FEE",
    LedgerKind.REALIZED_PNL: "REALIZED_PNL",
    LedgerKind.COMMISSION: "COMMISSION",
    LedgerKind.TRANSFER: "TRANSFER",
    LedgerKind.INSURANCE: "INSURANCE_CLEAR",
}
_MAX_NOTIONAL = 50_000_000
_SUCCESS = {"code": 200, "msg": "success"}
_MARGIN_TYPES = {"ISOLATED": MarginMode.ISOLATED, "CROSSED": MarginMode.CROSS}


def leverage(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(FUTURES, params)
    wanted = required_amount(params, "leverage")
    try:
        set_leverage(account, market, wanted, context.exchange.markets)
    except Refused as refused:
        raise translated(refused, market, leverage=str(wanted)) from refused
    context.exchange.emit(LeverageEvent(account.key, market.symbol, wanted, context.now_ms()))
    return {
        "symbol": context.wire_ids[market.symbol],
        "leverage": int(wanted),
        "maxNotionalValue": str(_MAX_NOTIONAL),
    }


def margin_type(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(FUTURES, params)
    name = required(params, "marginType")
    if name not in _MARGIN_TYPES:
        raise BinanceError(-1130, "Data sent for parameter 'marginType' is not valid.")
    try:
        set_margin_mode(account, market, _MARGIN_TYPES[name])
    except Refused as refused:
        if refused.reason is Refusal.HAS_ORDERS:
            raise BinanceError(
                -4047, "Margin type cannot be changed if there exists open orders."
            ) from refused
        if refused.reason is Refusal.HAS_POSITIONS:
            raise BinanceError(-4048, "Margin type cannot be changed if there exists position.") from refused
        raise translated(refused, market) from refused
    return _SUCCESS


def position_mode(context: Context, account: Account, params: Params) -> Any:
    return {"dualSidePosition": account.position_mode is PositionMode.HEDGE}


def change_position_mode(context: Context, account: Account, params: Params) -> Any:
    required(params, "dualSidePosition")
    mode = PositionMode.HEDGE if flag(params, "dualSidePosition") else PositionMode.ONE_WAY
    try:
        set_position_mode(account, mode)
    except Refused as refused:
        if refused.reason is Refusal.HAS_ORDERS:
            raise BinanceError(
                -4067, "Position side cannot be changed if there exists open orders."
            ) from refused
        if refused.reason is Refusal.HAS_POSITIONS:
            raise BinanceError(
                -4068, "Position side cannot be changed if there exists position."
            ) from refused
        raise from_refusal(refused.reason, FUTURES) from refused
    return _SUCCESS


def multi_assets_mode(context: Context, account: Account, params: Params) -> Any:
    return {"multiAssetsMargin": False}


def leverage_bracket(context: Context, account: Account, params: Params) -> Any:
    wanted = context.optional_market(FUTURES, params)
    return [_bracket_row(context, market) for market in context.markets(FUTURES) if wanted in (None, market)]


def _bracket_row(context: Context, market: Market) -> dict[str, Any]:
    return {
        "symbol": context.wire_ids[market.symbol],
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": int(market.listing.max_leverage),
                "notionalCap": _MAX_NOTIONAL,
                "notionalFloor": 0,
                "maintMarginRatio": float(market.listing.maintenance_rate),
                "cum": 0,
            }
        ],
    }


def symbol_config(context: Context, account: Account, params: Params) -> Any:
    wanted = context.optional_market(FUTURES, params)
    return [
        {
            "symbol": context.wire_ids[market.symbol],
            "marginType": "ISOLATED" if account.is_isolated(market.symbol) else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": int(account.leverage(market.symbol)),
            "maxNotionalValue": str(_MAX_NOTIONAL),
        }
        for market in context.markets(FUTURES)
        if wanted in (None, market)
    ]


def account_config(context: Context, account: Account, params: Params) -> Any:
    return {
        "feeTier": 0,
        "canTrade": account.permissions.can_trade_futures,
        "canDeposit": True,
        "canWithdraw": bool(account.permissions.can_withdraw),
        "dualSidePosition": account.position_mode is PositionMode.HEDGE,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def commission_rate(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(FUTURES, params)
    return {
        "symbol": context.wire_ids[market.symbol],
        "makerCommissionRate": fixed(market.listing.maker_rate, 6),
        "takerCommissionRate": fixed(market.listing.taker_rate, 6),
    }


def income(context: Context, account: Account, params: Params) -> Any:
    """The latest 7 days without a window; oldest first."""
    kind, market = params.get("incomeType"), context.optional_market(FUTURES, params)
    start, end = integer(params, "startTime"), integer(params, "endTime")
    if start is None and end is None:
        start = context.now_ms() - 7 * 86_400_000
    found = [
        entry
        for entry in account.ledger
        if entry.market_type is FUTURES
        and (kind is None or _INCOME.get(entry.kind) == kind)
        and (market is None or entry.symbol == market.symbol)
        and (start is None or entry.at_ms >= start)
        and (end is None or entry.at_ms <= end)
    ]
    limit = limit_of(params, default=100)
    page = (integer(params, "page") or 1) - 1
    return [_income_row(context, entry) for entry in found[page * limit : (page + 1) * limit]]


def _income_row(context: Context, entry: LedgerEntry) -> dict[str, Any]:
    kind = _INCOME[entry.kind]
    return {
        "symbol": context.wire_ids.get(entry.symbol, ""),
        "incomeType": kind,
        "income": fixed(entry.amount),
        "asset": entry.asset,
        "info": str(entry.trade_id or "") if kind != "FUNDING_FEE" else "FUNDING_FEE",
        "time": entry.at_ms,
        "tranId": entry.entry_id,
        "tradeId": str(entry.trade_id or ""),
    }


ROUTES: Routes = {
    ("POST", "/fapi/v1/leverage"): Route(leverage),
    ("POST", "/fapi/v1/marginType"): Route(margin_type),
    ("GET", "/fapi/v1/positionSide/dual"): Route(position_mode, weight=30),
    ("POST", "/fapi/v1/positionSide/dual"): Route(change_position_mode),
    ("GET", "/fapi/v1/multiAssetsMargin"): Route(multi_assets_mode, weight=30),
    ("GET", "/fapi/v1/leverageBracket"): Route(leverage_bracket),
    ("GET", "/fapi/v2/leverageBracket"): Route(leverage_bracket),
    ("GET", "/fapi/v1/symbolConfig"): Route(symbol_config, weight=5),
    ("GET", "/fapi/v1/accountConfig"): Route(account_config, weight=5),
    ("GET", "/fapi/v1/commissionRate"): Route(commission_rate, weight=20),
    ("GET", "/fapi/v1/income"): Route(income, weight=30),
}
