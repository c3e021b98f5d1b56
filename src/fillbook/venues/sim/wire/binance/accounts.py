"""Binance account reads: balances and margin of both wallets, positions with their risk."""

from typing import Any

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.margin import (
    MarginState,
    initial_margin,
    liquidation_price,
    maintenance_margin,
    margin_state,
)
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes
from fillbook.venues.sim.wire.binance.text import Params, flag, leg_name
from fillbook.venues.sim.wire.numbers import fixed, places_of

FUTURES = MarketType.FUTURES
_LEG_ORDER = (PositionSide.NET, PositionSide.LONG, PositionSide.SHORT)
_MAX_NOTIONAL = "50000000"


def spot_account(context: Context, account: Account, params: Params) -> Any:
    listed = {m.listing.instrument.base for m in context.markets(MarketType.SPOT)} | {"USDT"}
    skips_zero = flag(params, "omitZeroBalances")
    balances = []
    for asset in sorted(listed | account.spot.keys()):
        purse = account.spot.get(asset)
        free, locked = (purse.free, purse.locked) if purse is not None else (ZERO, ZERO)
        if free or locked or not skips_zero:
            balances.append({"asset": asset, "free": fixed(free), "locked": fixed(locked)})
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.00100000",
            "taker": "0.00100000",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": account.permissions.can_trade_spot,
        "canWithdraw": bool(account.permissions.can_withdraw),
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated_ms,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": account.uid,
    }


def _states(context: Context, account: Account) -> dict[str, MarginState]:
    assets = {"USDT", *account.wallet}
    return {asset: margin_state(account, context.exchange.markets, asset) for asset in sorted(assets)}


def _asset_row(account: Account, asset: str, state: MarginState) -> dict[str, Any]:
    return {
        "asset": asset,
        "walletBalance": fixed(state.wallet),
        "unrealizedProfit": fixed(state.unrealized),
        "marginBalance": fixed(state.margin_balance),
        "maintMargin": fixed(state.maintenance),
        "initialMargin": fixed(state.position_margin + state.order_margin),
        "positionInitialMargin": fixed(state.position_margin),
        "openOrderInitialMargin": fixed(state.order_margin),
        "crossWalletBalance": fixed(state.cross_wallet),
        "crossUnPnl": fixed(state.cross_unrealized),
        "availableBalance": fixed(state.available),
        "maxWithdrawAmount": fixed(state.available),
        "marginAvailable": True,
        "updateTime": account.updated_ms,
    }


def _totals(state: MarginState) -> dict[str, str]:
    return {
        "totalInitialMargin": fixed(state.position_margin + state.order_margin),
        "totalMaintMargin": fixed(state.maintenance),
        "totalWalletBalance": fixed(state.wallet),
        "totalUnrealizedProfit": fixed(state.unrealized),
        "totalMarginBalance": fixed(state.margin_balance),
        "totalPositionInitialMargin": fixed(state.position_margin),
        "totalOpenOrderInitialMargin": fixed(state.order_margin),
        "totalCrossWalletBalance": fixed(state.cross_wallet),
        "totalCrossUnPnl": fixed(state.cross_unrealized),
        "availableBalance": fixed(state.available),
        "maxWithdrawAmount": fixed(state.available),
    }


def account_v2(context: Context, account: Account, params: Params) -> Any:
    states = _states(context, account)
    positions = []
    for market in context.markets(FUTURES):
        for position in legs(account, market):
            margin = initial_margin(account, position, market)
            positions.append(
                {
                    "symbol": context.wire_ids[market.symbol],
                    "initialMargin": fixed(margin),
                    "maintMargin": fixed(maintenance_margin(position, market)),
                    "unrealizedProfit": fixed(position.unrealized(market.mark)),
                    "positionInitialMargin": fixed(margin),
                    "openOrderInitialMargin": "0",
                    "leverage": str(account.leverage(market.symbol)),
                    "isolated": account.is_isolated(market.symbol),
                    "entryPrice": fixed(position.entry_price),
                    "maxNotional": _MAX_NOTIONAL,
                    "bidNotional": "0",
                    "askNotional": "0",
                    "positionSide": leg_name(position.side),
                    "positionAmt": fixed(position.quantity, places_of(market.listing.instrument.lot)),
                    "updateTime": position.updated_ms,
                }
            )
    return {
        "feeTier": 0,
        "canTrade": account.permissions.can_trade_futures,
        "canDeposit": True,
        "canWithdraw": bool(account.permissions.can_withdraw),
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **_totals(states["USDT"]),
        "assets": [_asset_row(account, asset, state) for asset, state in states.items()],
        "positions": positions,
    }


def account_v3(context: Context, account: Account, params: Params) -> Any:
    states = _states(context, account)
    return {
        **_totals(states["USDT"]),
        "assets": [_asset_row(account, asset, state) for asset, state in states.items()],
        "positions": [
            {
                "symbol": row["symbol"],
                "positionSide": row["positionSide"],
                "positionAmt": row["positionAmt"],
                "unrealizedProfit": row["unRealizedProfit"],
                "isolatedMargin": row["isolatedMargin"],
                "notional": row["notional"],
                "isolatedWallet": row["isolatedWallet"],
                "initialMargin": row["initialMargin"],
                "maintMargin": row["maintMargin"],
                "updateTime": row["updateTime"],
            }
            for row in position_risk_v3(context, account, {})
        ],
    }


def futures_balance(context: Context, account: Account, params: Params) -> Any:
    return [
        {
            "accountAlias": "SgsR",
            "asset": asset,
            "balance": fixed(state.wallet),
            "crossWalletBalance": fixed(state.cross_wallet),
            "crossUnPnl": fixed(state.cross_unrealized),
            "availableBalance": fixed(state.available),
            "maxWithdrawAmount": fixed(state.available),
            "marginAvailable": True,
            "updateTime": account.updated_ms,
        }
        for asset, state in _states(context, account).items()
    ]


def legs(account: Account, market: Market) -> list[Position]:
    """The legs of a symbol that the venue would list in the account's position mode, empty ones included."""
    hedged = account.position_mode is PositionMode.HEDGE
    names = [leg for leg in _LEG_ORDER if (leg.value != "net") is hedged]
    return [account.positions.get((market.symbol, leg)) or Position(market.symbol, leg) for leg in names]


def _risk_row(context: Context, account: Account, market: Market, position: Position) -> dict[str, Any]:
    instrument = market.listing.instrument
    state = margin_state(account, context.exchange.markets, instrument.settle)
    margin = initial_margin(account, position, market)
    isolated = account.is_isolated(market.symbol)
    unrealized = position.unrealized(market.mark)
    return {
        "symbol": context.wire_ids[market.symbol],
        "positionSide": leg_name(position.side),
        "positionAmt": fixed(position.quantity, places_of(instrument.lot)),
        "entryPrice": fixed(position.entry_price),
        "breakEvenPrice": fixed(position.entry_price),
        "markPrice": fixed(market.mark),
        "unRealizedProfit": fixed(unrealized),
        "liquidationPrice": fixed(liquidation_price(account, position, market, state)),
        "isolatedMargin": fixed(position.isolated_wallet + unrealized if isolated else ZERO),
        "notional": fixed(position.quantity * market.mark),
        "marginAsset": instrument.settle,
        "isolatedWallet": fixed(position.isolated_wallet),
        "initialMargin": fixed(margin),
        "maintMargin": fixed(maintenance_margin(position, market)),
        "positionInitialMargin": fixed(margin),
        "openOrderInitialMargin": "0",
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ms,
    }


def position_risk_v3(context: Context, account: Account, params: Params) -> Any:
    """Only symbols with a position (or an open order) are listed."""
    wanted = context.optional_market(FUTURES, params)
    busy = {order.symbol for order in account.open_orders.values()}
    rows = []
    for market in context.markets(FUTURES):
        if wanted is None or market is wanted:
            rows += [
                _risk_row(context, account, market, position)
                for position in legs(account, market)
                if position.quantity or market.symbol in busy
            ]
    return rows


def position_risk_v2(context: Context, account: Account, params: Params) -> Any:
    """Every symbol, with leverage and margin type."""
    wanted = context.optional_market(FUTURES, params)
    rows = []
    for market in context.markets(FUTURES):
        if wanted is not None and market is not wanted:
            continue
        isolated = account.is_isolated(market.symbol)
        for position in legs(account, market):
            rows.append(
                _risk_row(context, account, market, position)
                | {
                    "leverage": str(account.leverage(market.symbol)),
                    "maxNotionalValue": _MAX_NOTIONAL,
                    "marginType": "isolated" if isolated else "cross",
                    "isAutoAddMargin": "false",
                }
            )
    return rows


ROUTES: Routes = {
    ("GET", "/api/v3/account"): Route(spot_account, weight=20),
    ("GET", "/fapi/v2/account"): Route(account_v2, weight=5),
    ("GET", "/fapi/v3/account"): Route(account_v3, weight=5),
    ("GET", "/fapi/v2/balance"): Route(futures_balance, weight=5),
    ("GET", "/fapi/v3/balance"): Route(futures_balance, weight=5),
    ("GET", "/fapi/v2/positionRisk"): Route(position_risk_v2, weight=5),
    ("GET", "/fapi/v3/positionRisk"): Route(position_risk_v3, weight=5),
}
