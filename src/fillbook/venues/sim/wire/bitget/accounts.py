"""What an account holds at Bitget and how it is set up: assets, positions, modes, bills, transfers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionMode
from fillbook.kernel.money import ONE, ZERO, divide
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.margin import MarginState, initial_margin, liquidation_price, margin_state
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.modes import set_leverage, set_margin_mode, set_position_mode
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, LeverageEvent, Refusal, Refused
from fillbook.venues.sim.wire.bitget.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.bitget.errors import BitgetError, wrong
from fillbook.venues.sim.wire.bitget.mix_orders import check_product
from fillbook.venues.sim.wire.bitget.paging import page
from fillbook.venues.sim.wire.bitget.rows import margin_word
from fillbook.venues.sim.wire.bitget.words import (
    POSITION_MODES,
    Params,
    mode_word,
    required,
    required_amount,
)
from fillbook.venues.sim.wire.numbers import short

FUTURES = MarketType.FUTURES
_BILL_WINDOW_DAYS = 90
_READ_AUTHORITIES = ["coor", "cpor", "stor", "wtor"]
_MARGIN_MODES = {"crossed": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_BUSINESS = {
    LedgerKind.FUNDING: "contract_settle_fee",
    LedgerKind.INSURANCE: "risk_captital_user_transfer",
}
_SPOT_BUSINESS = {
    LedgerKind.DEPOSIT: ("deposit", "DEPOSIT"),
    LedgerKind.WITHDRAWAL: ("withdraw", "WITHDRAW"),
}


def info(context: Context, account: Account, params: Params) -> Any:
    may = account.permissions
    authorities = [*_READ_AUTHORITIES] if may.can_read else []
    authorities += ["coow", "cpow"] if may.can_trade_futures else []
    authorities += ["stow"] if may.can_trade_spot else []
    authorities += ["wwow"] if may.can_withdraw else []
    return {
        "userId": str(account.uid),
        "inviterId": "0",
        "ips": "127.0.0.1" if may.ip_restricted else "",
        "authorities": authorities,
        "parentId": account.uid,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": "1700000000000",
    }


def assets(context: Context, account: Account, params: Params) -> Any:
    wanted = params.get("coin")
    return [
        asset_row(account, asset)
        for asset, purse in account.spot.items()
        if (purse.free or purse.locked) and wanted in (None, "", asset)
    ]


def asset_row(account: Account, asset: str) -> dict[str, Any]:
    purse = account.purse(asset)
    return {
        "coin": asset,
        "available": short(purse.free),
        "limitAvailable": "0",
        "frozen": short(purse.locked),
        "locked": "0",
        "uTime": str(account.updated_ms),
    }


def _futures_row(account: Account, asset: str, state: MarginState) -> dict[str, Any]:
    """`available` is the wallet, margin included; what orders may use is `crossedMaxAvailable`."""
    return {
        "marginCoin": asset,
        "locked": short(state.order_margin),
        "available": short(state.wallet),
        "crossedMaxAvailable": short(state.available),
        "isolatedMaxAvailable": short(state.available),
        "maxTransferOut": short(state.available),
        "accountEquity": short(state.margin_balance),
        "usdtEquity": short(state.margin_balance),
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "unrealizedPL": short(state.unrealized),
        "coupon": "0",
        "crossedUnrealizedPL": short(state.cross_unrealized),
        "isolatedUnrealizedPL": short(state.unrealized - state.cross_unrealized),
    }


def futures_accounts(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    coins = ["USDT", *(coin for coin in account.wallet if coin != "USDT")]
    return [
        _futures_row(account, coin, margin_state(account, context.exchange.markets, coin)) for coin in coins
    ]


def futures_account(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    market = context.market_of(FUTURES, params)
    coin = required(params, "marginCoin").upper()
    leverage = int(account.leverage(market.symbol))
    hedged = account.position_mode is PositionMode.HEDGE
    return _futures_row(account, coin, margin_state(account, context.exchange.markets, coin)) | {
        "crossedMarginLeverage": leverage,
        "isolatedLongLever": leverage,
        "isolatedShortLever": leverage,
        "marginMode": margin_word(account, market.symbol),
        "posMode": "hedge_mode" if hedged else "one_way_mode",
    }


# Positions


def positions(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    market = context.optional_market(FUTURES, params)
    return [
        position_row(context, account, held)
        for held in account.positions.values()
        if held.quantity and ":" in held.symbol and (market is None or held.symbol == market.symbol)
    ]


def position_row(context: Context, account: Account, held: Position) -> dict[str, Any]:
    market = context.exchange.markets[held.symbol]
    size, settle = abs(held.quantity), market.listing.instrument.settle
    state = margin_state(account, context.exchange.markets, settle)
    margin = (
        held.isolated_wallet if account.is_isolated(held.symbol) else initial_margin(account, held, market)
    )
    return {
        "marginCoin": settle,
        "symbol": context.wire_ids[held.symbol],
        "holdSide": "long" if held.quantity > 0 else "short",
        "openDelegateSize": short(_resting(account, market)),
        "marginSize": short(margin),
        "available": short(size),
        "locked": "0",
        "total": short(size),
        "leverage": short(account.leverage(held.symbol)),
        "achievedProfits": short(held.realized),
        "openPriceAvg": short(held.entry_price),
        "marginMode": margin_word(account, held.symbol),
        "posMode": mode_word(held.side),
        "unrealizedPL": short(held.unrealized(market.mark)),
        "liquidationPrice": short(liquidation_price(account, held, market, state)),
        "keepMarginRate": short(market.listing.maintenance_rate),
        "markPrice": short(market.mark),
        "marginRatio": short(_margin_ratio(state)),
        "cTime": str(held.updated_ms),
        "uTime": str(held.updated_ms),
    }


def _margin_ratio(state: MarginState) -> Decimal:
    """Maintenance over margin; 1 is liquidation."""
    return divide(state.maintenance, state.margin_balance) if state.margin_balance > 0 else ONE


def _resting(account: Account, market: Market) -> Decimal:
    return sum((order.remaining for order in account.orders_of(market.symbol, Book.NORMAL)), ZERO)


# Settings


def change_leverage(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    market, wanted = context.market_of(FUTURES, params), required_amount(params, "leverage")
    try:
        set_leverage(account, market, wanted, context.exchange.markets)
    except Refused as refused:
        raise translated(refused, market) from refused
    context.exchange.emit(LeverageEvent(account.key, market.symbol, wanted, context.now_ms()))
    return _modes_row(context, account, market) | {"crossMarginLeverage": short(wanted)}


def _modes_row(context: Context, account: Account, market: Market) -> dict[str, Any]:
    leverage = short(account.leverage(market.symbol))
    return {
        "symbol": context.wire_ids[market.symbol],
        "marginCoin": market.listing.instrument.settle,
        "longLeverage": leverage,
        "shortLeverage": leverage,
        "marginMode": margin_word(account, market.symbol),
    }


def change_margin_mode(context: Context, account: Account, params: Params) -> Any:
    """Asking for the mode that is set already is no error."""
    check_product(params)
    market, word = context.market_of(FUTURES, params), required(params, "marginMode")
    if word not in _MARGIN_MODES:
        raise wrong("marginMode")
    try:
        set_margin_mode(account, market, _MARGIN_MODES[word])
    except Refused as refused:
        if refused.reason is not Refusal.MARGIN_MODE_UNCHANGED:
            sentence = "Currently holding positions or orders, the margin mode cannot be adjusted"
            raise BitgetError("45117", sentence) from refused
    return _modes_row(context, account, market)


def change_position_mode(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    word = required(params, "posMode")
    if word not in POSITION_MODES:
        raise wrong("posMode")
    try:
        set_position_mode(account, POSITION_MODES[word])
    except Refused as refused:
        if refused.reason is not Refusal.MODE_UNCHANGED:
            sentence = "Position or order exists, the position mode cannot be switched"
            raise BitgetError("40920", sentence) from refused
    return {"posMode": word}


# Money that came and went


def _entries(account: Account, market_type: MarketType, params: Params) -> Sequence[LedgerEntry]:
    coin = params.get("coin")
    return [
        entry
        for entry in account.ledger
        if entry.market_type is market_type and coin in (None, "", entry.asset)
    ]


def futures_bills(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    market, wanted = context.optional_market(FUTURES, params), params.get("businessType")
    rows = [
        entry
        for entry in _entries(account, FUTURES, params)
        if (market is None or entry.symbol == market.symbol) and wanted in (None, "", _business(entry))
    ]
    found = page(rows, params, lambda e: e.entry_id, lambda e: e.at_ms, _BILL_WINDOW_DAYS)
    return {
        "bills": [_bill(context, entry) for entry in found],
        "endId": str(found[-1].entry_id) if found else None,
    }


def _business(entry: LedgerEntry) -> str:
    match entry.kind:
        case LedgerKind.TRANSFER:
            return "trans_from_exchange" if entry.amount > 0 else "trans_to_exchange"
        case LedgerKind.COMMISSION | LedgerKind.REALIZED_PNL:
            return "buy" if entry.amount > 0 else "sell"
        case kind:
            return _BUSINESS[kind]


def _bill(context: Context, entry: LedgerEntry) -> dict[str, Any]:
    is_fee = entry.kind is LedgerKind.COMMISSION
    return {
        "billId": str(entry.entry_id),
        "symbol": context.wire_ids.get(entry.symbol, ""),
        "amount": "0" if is_fee else short(entry.amount),
        "fee": short(entry.amount) if is_fee else "0",
        "feeByCoupon": "",
        "businessType": _business(entry),
        "coin": entry.asset,
        "balance": "0",
        "cTime": str(entry.at_ms),
    }


def spot_bills(context: Context, account: Account, params: Params) -> Any:
    group, business = params.get("groupType"), params.get("businessType")
    rows = [
        entry
        for entry in _entries(account, MarketType.SPOT, params)
        if group in (None, "", _SPOT_BUSINESS[entry.kind][0])
        and business in (None, "", _SPOT_BUSINESS[entry.kind][1])
    ]
    found = page(rows, params, lambda e: e.entry_id, lambda e: e.at_ms, _BILL_WINDOW_DAYS, largest_limit=500)
    return [
        {
            "billId": str(entry.entry_id),
            "coin": entry.asset,
            "groupType": _SPOT_BUSINESS[entry.kind][0],
            "businessType": _SPOT_BUSINESS[entry.kind][1],
            "size": short(entry.amount),
            "balance": "0",
            "fees": "0",
            "cTime": str(entry.at_ms),
        }
        for entry in found
    ]


def transfer_records(context: Context, account: Account, params: Params) -> Any:
    """Between wallets: deposits go straight to where they are wanted, so nothing is ever moved."""
    required(params, "coin")
    return []


ROUTES: Routes = {
    ("GET", "/api/v2/spot/account/info"): Route(info),
    ("GET", "/api/v2/spot/account/assets"): Route(assets),
    ("GET", "/api/v2/spot/account/bills"): Route(spot_bills),
    ("GET", "/api/v2/spot/account/transferRecords"): Route(transfer_records),
    ("GET", "/api/v2/mix/account/accounts"): Route(futures_accounts),
    ("GET", "/api/v2/mix/account/account"): Route(futures_account),
    ("GET", "/api/v2/mix/account/bill"): Route(futures_bills),
    ("GET", "/api/v2/mix/position/all-position"): Route(positions),
    ("GET", "/api/v2/mix/position/single-position"): Route(positions),
    ("POST", "/api/v2/mix/account/set-leverage"): Route(change_leverage),
    ("POST", "/api/v2/mix/account/set-margin-mode"): Route(change_margin_mode),
    ("POST", "/api/v2/mix/account/set-position-mode"): Route(change_position_mode),
}
