"""Bybit's account: the unified wallet, positions, leverage and modes, the key's permissions, the transaction log."""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.margin import (
    initial_margin,
    liquidation_price,
    maintenance_margin,
    margin_state,
)
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.modes import set_leverage, set_position_mode
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, Refused
from fillbook.venues.sim.wire.bybit.context import Context, Route, Routes, page_of, window_of
from fillbook.venues.sim.wire.bybit.errors import BybitError, from_refusal, illegal
from fillbook.venues.sim.wire.bybit.text import (
    Params,
    category_name,
    leg_number,
    required,
    required_amount,
)
from fillbook.venues.sim.wire.numbers import fixed, places_of, short

FUTURES = MarketType.FUTURES
_MARGIN_MODES = {
    "REGULAR_MARGIN": MarginMode.CROSS,
    "ISOLATED_MARGIN": MarginMode.ISOLATED,
}
_LOG_TYPES = {
    LedgerKind.FUNDING: "SETTLEMENT",
    LedgerKind.DEPOSIT: "TRANSFER_IN",
    LedgerKind.WITHDRAWAL: "TRANSFER_OUT",
    LedgerKind.REALIZED_PNL: "TRADE",
    LedgerKind.COMMISSION: "TRADE",
    LedgerKind.INSURANCE: "BONUS",
}


def wallet_balance(context: Context, account: Account, params: Params) -> Any:
    if required(params, "accountType") != "UNIFIED":
        raise illegal("accountType")
    wanted = params.get("coin")
    coins = [coin_row(context, account, asset) for asset in account.wallet if wanted in (None, "", asset)]
    return {"list": [wallet_totals(context, account) | {"accountType": "UNIFIED", "coin": coins}]}


def wallet_totals(context: Context, account: Account) -> dict[str, Any]:
    """In dollars, of USDT only: nothing else is margin here."""
    state = margin_state(account, context.exchange.markets, "USDT")
    return {
        "accountIMRate": "0",
        "accountMMRate": "0",
        "accountLTV": "0",
        "totalEquity": short(state.margin_balance),
        "totalWalletBalance": short(state.wallet),
        "totalMarginBalance": short(state.margin_balance),
        "totalAvailableBalance": short(state.available),
        "totalPerpUPL": short(state.unrealized),
        "totalInitialMargin": short(state.position_margin + state.order_margin),
        "totalMaintenanceMargin": short(state.maintenance),
    }


def coin_row(context: Context, account: Account, asset: str) -> dict[str, Any]:
    state = margin_state(account, context.exchange.markets, asset)
    return {
        "coin": asset,
        "equity": short(state.margin_balance),
        "usdValue": short(state.margin_balance),
        "walletBalance": short(state.wallet),
        "locked": short(account.purse(asset).locked),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "spotBorrow": "0",
        "availableToBorrow": "0",
        "availableToWithdraw": "",
        "accruedInterest": "0",
        "totalOrderIM": short(state.order_margin),
        "totalPositionIM": short(state.position_margin),
        "totalPositionMM": short(state.maintenance),
        "unrealisedPnl": short(state.unrealized),
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": asset == "USDT",
    }


def account_info(context: Context, account: Account, params: Params) -> Any:
    return {
        "marginMode": _margin_mode_name(context, account),
        "updatedTime": str(account.updated_ms),
        "unifiedMarginStatus": 6,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def _margin_mode_name(context: Context, account: Account) -> str:
    """Of the whole account: every symbol has the same."""
    first = context.markets(FUTURES)[0]
    return "ISOLATED_MARGIN" if account.is_isolated(first.symbol) else "REGULAR_MARGIN"


def change_margin_mode(context: Context, account: Account, params: Params) -> Any:
    name = required(params, "setMarginMode")
    if name not in _MARGIN_MODES:
        raise illegal("setMarginMode")
    mode = _MARGIN_MODES[name]
    if mode is not account.margin_mode(context.markets(FUTURES)[0].symbol):
        if any(position.quantity for position in account.positions.values()):
            raise BybitError(3400045, "Set margin mode failed")
        for market in context.markets(FUTURES):
            account.margin_modes[market.symbol] = mode
    return {"reasons": []}


def query_api(context: Context, account: Account, params: Params) -> Any:
    allowed = account.permissions
    trades = allowed.can_trade_spot or allowed.can_trade_futures
    return {
        "id": str(account.uid),
        "note": "simulated",
        "apiKey": account.key,
        "readOnly": 0 if trades or allowed.can_withdraw else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"] if allowed.can_trade_futures else [],
            "Spot": ["SpotTrade"] if allowed.can_trade_spot else [],
            "Wallet": ["AccountTransfer", "Withdraw"] if allowed.can_withdraw else ["AccountTransfer"],
            "Options": [],
            "Derivatives": ["DerivativesTrade"] if allowed.can_trade_futures else [],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
        },
        "ips": ["127.0.0.1"] if allowed.ip_restricted else ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2026-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": account.uid,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
    }


def fee_rate(context: Context, account: Account, params: Params) -> Any:
    return {
        "category": params["category"],
        "list": [
            {
                "symbol": context.wire_ids[market.symbol],
                "baseCoin": market.listing.instrument.base,
                "takerFeeRate": short(market.listing.taker_rate),
                "makerFeeRate": short(market.listing.maker_rate),
            }
            for market in context.markets_of(params)
        ],
    }


# Positions


def position_list(context: Context, account: Account, params: Params) -> Any:
    """Every leg of the symbol that is named, empty ones too; of all symbols, the open ones."""
    if context.category(params) is not FUTURES:
        raise illegal("category")
    is_named = bool(params.get("symbol"))
    rows = [
        position_row(context, account, market, position)
        for market in context.markets_of(params)
        for position in legs(account, market)
        if is_named or position.quantity
    ]
    return {"list": rows, "nextPageCursor": "", "category": "linear"}


def legs(account: Account, market: Market) -> list[Position]:
    hedged = account.position_mode is PositionMode.HEDGE
    sides = (PositionSide.LONG, PositionSide.SHORT) if hedged else (PositionSide.NET,)
    return [account.positions.get((market.symbol, side)) or Position(market.symbol, side) for side in sides]


def position_row(context: Context, account: Account, market: Market, position: Position) -> dict[str, Any]:
    instrument = market.listing.instrument
    state = margin_state(account, context.exchange.markets, instrument.settle)
    is_isolated = account.is_isolated(market.symbol)
    liquidation = liquidation_price(account, position, market, state)
    return {
        "positionIdx": leg_number(position.side),
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": context.wire_ids[market.symbol],
        "side": _direction(position),
        "size": fixed(abs(position.quantity), places_of(instrument.lot)),
        "avgPrice": short(position.entry_price),
        "positionValue": short(abs(position.cost)),
        "tradeMode": 1 if is_isolated else 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if position.quantity else 0,
        "leverage": short(account.leverage(market.symbol)),
        "positionBalance": short(position.isolated_wallet),
        "markPrice": short(market.mark),
        "liqPrice": short(liquidation) if liquidation else "",
        "bustPrice": "",
        "positionMM": short(maintenance_margin(position, market)),
        "positionIM": short(initial_margin(account, position, market)),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": short(position.unrealized(market.mark)),
        "curRealisedPnl": short(position.realized),
        "cumRealisedPnl": short(position.realized),
        "seq": market.update_id,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(position.updated_ms),
        "updatedTime": str(position.updated_ms),
    }


def _direction(position: Position) -> str:
    if not position.quantity:
        return ""
    return "Buy" if position.quantity > 0 else "Sell"


def switch_mode(context: Context, account: Account, params: Params) -> Any:
    if not params.get("symbol") and not params.get("coin"):
        raise BybitError(10001, "params error: symbol or coin is required")
    number = required(params, "mode")
    if number not in ("0", "3"):
        raise illegal("mode")
    try:
        set_position_mode(account, PositionMode.HEDGE if number == "3" else PositionMode.ONE_WAY)
    except Refused as refused:
        raise from_refusal(refused.reason, FUTURES) from refused
    return {}


def change_leverage(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(params)
    buy, sell = required_amount(params, "buyLeverage"), required_amount(params, "sellLeverage")
    if buy != sell and account.position_mode is PositionMode.ONE_WAY:
        raise illegal("buyLeverage")
    if account.leverage(market.symbol) == buy:
        raise BybitError(110043, "leverage not modified")
    try:
        set_leverage(account, market, buy, context.exchange.markets)
    except Refused as refused:
        raise from_refusal(refused.reason, FUTURES) from refused
    return {}


# The transaction log


def transaction_log(context: Context, account: Account, params: Params) -> Any:
    start, end = window_of(params, context.now_ms())
    wanted, coin = params.get("type"), params.get("currency")
    found = [
        entry
        for entry in account.ledger
        if start <= entry.at_ms <= end
        and wanted in (None, "", _log_type(entry))
        and coin in (None, "", entry.asset)
        and params.get("category") in (None, "", _log_category(entry))
    ]
    page, cursor = page_of(found, lambda entry: (entry.at_ms, entry.entry_id), params, 20, 50)
    return {"nextPageCursor": cursor, "list": [_log_row(context, account, entry) for entry in page]}


def _log_type(entry: LedgerEntry) -> str:
    if entry.kind is LedgerKind.TRANSFER:
        return "TRANSFER_IN" if entry.amount > 0 else "TRANSFER_OUT"
    return _LOG_TYPES[entry.kind]


def _log_category(entry: LedgerEntry) -> str:
    return category_name(FUTURES) if entry.symbol else ""


def _log_row(context: Context, account: Account, entry: LedgerEntry) -> dict[str, Any]:
    kind = _log_type(entry)
    is_funding, is_fee = kind == "SETTLEMENT", entry.kind is LedgerKind.COMMISSION
    return {
        "id": str(entry.entry_id),
        "symbol": context.wire_ids.get(entry.symbol, ""),
        "category": _log_category(entry),
        "side": "None",
        "transactionTime": str(entry.at_ms),
        "type": kind,
        "transSubType": "",
        "qty": "0",
        "size": "0",
        "currency": entry.asset,
        "tradePrice": "",
        "funding": short(entry.amount) if is_funding else "",
        "fee": short(-entry.amount) if is_fee else "0",
        "cashFlow": "0" if is_funding or is_fee else short(entry.amount),
        "change": short(entry.amount),
        "cashBalance": short(account.wallet.get(entry.asset, ZERO)),
        "feeRate": short(_rate(context, entry)) if is_funding else "",
        "bonusChange": "",
        "tradeId": str(entry.trade_id or ""),
        "orderId": "",
        "orderLinkId": "",
        "extraFees": "",
    }


def _rate(context: Context, entry: LedgerEntry) -> Decimal:
    for payment in context.exchange.funding_payments:
        if payment.symbol == entry.symbol and payment.at_ms == entry.at_ms:
            return payment.rate
    return ZERO


def nothing(context: Context, account: Account, params: Params) -> Any:
    """Deposits and withdrawals of the funding account, which is not simulated."""
    return {"rows": [], "nextPageCursor": ""}


ROUTES: Routes = {
    ("GET", "/v5/account/wallet-balance"): Route(wallet_balance),
    ("GET", "/v5/account/info"): Route(account_info),
    ("GET", "/v5/account/fee-rate"): Route(fee_rate),
    ("GET", "/v5/account/transaction-log"): Route(transaction_log),
    ("POST", "/v5/account/set-margin-mode"): Route(change_margin_mode),
    ("GET", "/v5/user/query-api"): Route(query_api),
    ("GET", "/v5/position/list"): Route(position_list),
    ("POST", "/v5/position/switch-mode"): Route(switch_mode),
    ("POST", "/v5/position/set-leverage"): Route(change_leverage),
    ("GET", "/v5/asset/deposit/query-record"): Route(nothing),
    ("GET", "/v5/asset/withdraw/query-record"): Route(nothing),
}
