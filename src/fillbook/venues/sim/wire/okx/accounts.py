"""OKX's account pages: the one wallet, positions, configuration, leverage and position mode."""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.kernel.money import ZERO, divide
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
from fillbook.venues.sim.core.vocabulary import LeverageEvent, Refusal, Refused
from fillbook.venues.sim.wire.numbers import short
from fillbook.venues.sim.wire.okx.context import Context, Route, Routes, contracts
from fillbook.venues.sim.wire.okx.errors import OkxError, from_refusal, wrong
from fillbook.venues.sim.wire.okx.orders import as_row
from fillbook.venues.sim.wire.okx.rows import margin_mode_name
from fillbook.venues.sim.wire.okx.text import (
    LEGS,
    POSITION_SIDES,
    Params,
    market_type_of,
    optional,
    required,
    required_amount,
    unused,
)

FUTURES = MarketType.FUTURES
_MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
_UNUSED_DETAILS = {
    **unused(
        "accAvgPx borrowFroz clSpotInUseAmt crossLiab interest isoLiab liab maxLoan "
        "maxSpotInUseAmt mgnRatio openAvgPx spotBal spotUpl spotUplRatio totalPnl totalPnlRatio "
        "uplLiab"
    ),
    **unused(
        "colBorrAutoConversion fixedBal imr mmr notionalLever rewardBal smtSyncEq "
        "spotCopyTradingEq spotInUseAmt spotIsoBal stgyEq twap",
        value="0",
    ),
    "collateralEnabled": False,
    "collateralRestrict": False,
}
_UNUSED_TOTALS = unused(
    "adjEq availEq borrowFroz imr mgnRatio mmr notionalUsd notionalUsdForBorrow "
    "notionalUsdForFutures notionalUsdForOption notionalUsdForSwap ordFroz upl"
)


def balance_row(context: Context, account: Account, assets: list[str] | None = None) -> dict[str, Any]:
    """The whole wallet, or some of its currencies as the stream tells them."""
    names = sorted(name for name, purse in account.spot.items() if purse.free or purse.locked)
    details = [_detail(context, account, name) for name in (names if assets is None else assets)]
    return _UNUSED_TOTALS | {
        "details": details,
        "isoEq": "0",
        "totalEq": short(sum((_dollars(context, account, name) for name in names), ZERO)),
        "uTime": str(account.updated_ms),
    }


def _detail(context: Context, account: Account, asset: str) -> dict[str, Any]:
    state = margin_state(account, context.exchange.markets, asset)
    purse = account.purse(asset)
    isolated = sum(
        (held.isolated_wallet for held in account.positions.values() if account.is_isolated(held.symbol)),
        ZERO,
    )
    in_isolated = isolated if asset == "USDT" else ZERO
    equity = state.wallet + state.unrealized
    price = _dollar_price(context, asset)
    return _UNUSED_DETAILS | {
        "availBal": short(state.available),
        "availEq": short(state.available),
        "cashBal": short(state.wallet),
        "ccy": asset,
        "coinUsdPrice": short(price),
        "disEq": short(equity * price),
        "eq": short(equity),
        "eqUsd": short(equity * price),
        "frozenBal": short(max(equity - state.available, ZERO)),
        "isoEq": short(in_isolated),
        "isoUpl": "0",
        "ordFrozen": short(purse.locked + state.order_margin),
        "uTime": str(account.updated_ms),
        "upl": short(state.unrealized),
    }


def _dollar_price(context: Context, asset: str) -> Any:
    market = context.exchange.markets.get(f"{asset}/USDT")
    return market.price if market is not None else Decimal(1)


def _dollars(context: Context, account: Account, asset: str) -> Any:
    state = margin_state(account, context.exchange.markets, asset)
    return state.margin_balance * _dollar_price(context, asset)


def balance(context: Context, account: Account, params: Params) -> list[Any]:
    names = optional(params, "ccy")
    return [balance_row(context, account, names.split(",") if names else None)]


def position_row(context: Context, account: Account, market: Market, position: Position) -> dict[str, Any]:
    instrument = market.listing.instrument
    state = margin_state(account, context.exchange.markets, instrument.settle)
    isolated = account.is_isolated(market.symbol)
    quantity = contracts(market, position.quantity)
    size = quantity if position.side is PositionSide.NET else abs(quantity)
    profit, margin = position.unrealized(market.mark), initial_margin(account, position, market)
    kept = maintenance_margin(position, market)
    last_trade = next((fill for fill in reversed(account.fills) if fill.symbol == market.symbol), None)
    liquidation = liquidation_price(account, position, market, state)
    row = unused(
        "baseBal baseBorrowed baseInterest bizRefId bizRefType deltaBS deltaPA gammaBS gammaPA "
        "liab liabCcy optVal pendingCloseOrdLiabVal posCcy quoteBal quoteBorrowed quoteInterest "
        "spotInUseAmt spotInUseCcy thetaBS thetaPA vegaBS vegaPA"
    )
    return row | {
        "adl": "1",
        "availPos": short(abs(quantity)),
        "avgPx": short(position.entry_price) if position.quantity else "",
        "bePx": short(position.entry_price) if position.quantity else "",
        "cTime": str(position.updated_ms),
        "ccy": instrument.settle,
        "closeOrderAlgo": [],
        "fee": short(-sum((fill.fee for fill in account.fills if fill.symbol == market.symbol), ZERO)),
        "fundingFee": "0",
        "idxPx": short(market.price),
        "imr": "" if isolated else short(margin),
        "instId": context.ids[market.symbol],
        "instType": "SWAP",
        "interest": "",
        "last": short(market.price),
        "lever": short(account.leverage(market.symbol)),
        "liqPenalty": "0",
        "liqPx": short(liquidation) if liquidation else "",
        "margin": short(position.isolated_wallet) if isolated else "",
        "markPx": short(market.mark),
        "mgnMode": margin_mode_name(account, market),
        "mgnRatio": short(divide(state.margin_balance, kept)) if kept else "",
        "mmr": short(kept),
        "notionalUsd": short(abs(position.quantity) * market.mark),
        "pnl": short(position.realized),
        "pos": short(size),
        "posId": str(context.first_bill_id + sorted(context.ids).index(market.symbol)),
        "posSide": LEGS[position.side],
        "realizedPnl": short(position.realized),
        "tradeId": str(last_trade.trade_id) if last_trade else "",
        "uTime": str(position.updated_ms),
        "upl": short(profit),
        "uplLastPx": short(position.unrealized(market.price)),
        "uplRatio": short(divide(profit, margin)) if margin else "0",
        "uplRatioLastPx": short(divide(position.unrealized(market.price), margin)) if margin else "0",
        "usdPx": "1",
    }


def positions(context: Context, account: Account, params: Params) -> list[Any]:
    """Open ones only."""
    names = optional(params, "instId")
    wanted = None if names is None else {context.market(name).symbol for name in names.split(",")}
    if optional(params, "instType") and market_type_of(params) is not FUTURES:
        return []
    return [
        position_row(context, account, context.market_of_symbol(held.symbol), held)
        for held in account.positions.values()
        if held.quantity and (wanted is None or held.symbol in wanted)
    ]


def config(context: Context, account: Account, params: Params) -> list[Any]:
    allowed = account.permissions
    can_trade = allowed.can_trade_spot or allowed.can_trade_futures
    rights = (
        ["read_only"] * allowed.can_read + ["trade"] * can_trade + ["withdraw"] * bool(allowed.can_withdraw)
    )
    return [
        {
            "acctLv": "2" if allowed.can_trade_futures else "1",
            "acctStpMode": "cancel_maker",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "greeksType": "PA",
            "ip": "127.0.0.1" if allowed.ip_restricted else "",
            "kycLv": "3",
            "label": "simulated",
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": str(account.uid),
            "mgnIsoMode": "automatic",
            "opAuth": "1",
            "perm": ",".join(rights),
            "posMode": _position_mode_name(account),
            "roleType": "0",
            "spotBorrowAutoRepay": False,
            "spotOffsetType": "",
            "spotRoleType": "0",
            "spotTraderInsts": [],
            "traderInsts": [],
            "type": "0",
            "uid": str(account.uid),
        }
    ]


def _position_mode_name(account: Account) -> str:
    return "long_short_mode" if account.position_mode is PositionMode.HEDGE else "net_mode"


def change_position_mode(context: Context, account: Account, body: Any) -> list[Any]:
    """Setting what is set already is no error."""
    name = required(as_row(body), "posMode")
    if name not in _POSITION_MODES:
        raise wrong("posMode")
    try:
        set_position_mode(account, _POSITION_MODES[name])
    except Refused as refused:
        if refused.reason is not Refusal.MODE_UNCHANGED:
            raise _top(refused) from refused
    return [{"posMode": name}]


def _top(refused: Refused) -> OkxError:
    """A setting has no rows: its refusal is the request's."""
    row = from_refusal(refused.reason)
    return OkxError(row.code, row.message)


def _margin_mode_of(params: Params) -> MarginMode:
    name = required(params, "mgnMode")
    if name not in _MARGIN_MODES:
        raise wrong("mgnMode")
    return _MARGIN_MODES[name]


def change_leverage(context: Context, account: Account, body: Any) -> list[Any]:
    """Of an instrument in one margin mode, both legs at once."""
    params = as_row(body)
    market, mode = context.market_of(params), _margin_mode_of(params)
    wanted = required_amount(params, "lever")
    if not 1 <= wanted <= market.listing.max_leverage or wanted % 1:
        raise _top(Refused(Refusal.LEVERAGE_RANGE))
    if mode is account.margin_mode(market.symbol):
        try:
            set_leverage(account, market, wanted, context.exchange.markets)
        except Refused as refused:
            raise _top(refused) from refused
        context.exchange.emit(LeverageEvent(account.key, market.symbol, wanted, context.now_ms()))
    else:
        context.keep_leverage(account, market, mode, wanted)
    leg = optional(params, "posSide") or "net"
    if leg not in POSITION_SIDES:
        raise wrong("posSide")
    return [
        {"instId": context.ids[market.symbol], "lever": short(wanted), "mgnMode": mode.value, "posSide": leg}
    ]


def leverage_info(context: Context, account: Account, params: Params) -> list[Any]:
    """Of one or several instruments; in long-short mode isolated leverage has a row for each leg."""
    mode = _margin_mode_of(params)
    is_split = account.position_mode is PositionMode.HEDGE and mode is MarginMode.ISOLATED
    return [
        {
            "ccy": "",
            "instId": name,
            "lever": short(context.leverage(account, context.market(name), mode)),
            "mgnMode": mode.value,
            "posSide": leg,
        }
        for name in required(params, "instId").split(",")
        for leg in (("long", "short") if is_split else ("net",))
    ]


def currencies(context: Context, account: Account, params: Params) -> list[Any]:
    assets = {market.listing.instrument.base for market in context.markets(MarketType.SPOT)} | {"USDT"}
    return [
        {
            "ccy": asset,
            "name": asset,
            "chain": f"{asset}-Simulated",
            "canDep": True,
            "canWd": True,
            "canInternal": True,
            "minWd": "0",
            "maxWd": "",
            "minFee": "0",
            "maxFee": "0",
            "wdTickSz": "8",
            "mainNet": True,
        }
        for asset in sorted(assets)
    ]


def trade_fee(context: Context, account: Account, params: Params) -> list[Any]:
    market_type = market_type_of(params)
    listing = next(iter(context.markets(market_type))).listing
    names = ("maker", "taker") if market_type is MarketType.SPOT else ("makerU", "takerU")
    fees = dict.fromkeys(
        ("maker", "taker", "makerU", "takerU", "makerUSDC", "takerUSDC", "delivery", "exercise"), ""
    )
    fees |= {names[0]: short(-listing.maker_rate), names[1]: short(-listing.taker_rate)}
    return [
        {
            **fees,
            "category": "1",
            "instType": required(params, "instType"),
            "level": "Lv1",
            "ts": str(context.now_ms()),
        }
    ]


ROUTES: Routes = {
    ("GET", "/api/v5/account/balance"): Route(balance),
    ("GET", "/api/v5/account/positions"): Route(positions),
    ("GET", "/api/v5/account/config"): Route(config),
    ("POST", "/api/v5/account/set-position-mode"): Route(change_position_mode, trades=True),
    ("POST", "/api/v5/account/set-leverage"): Route(change_leverage, trades=True),
    ("GET", "/api/v5/account/leverage-info"): Route(leverage_info),
    ("GET", "/api/v5/account/trade-fee"): Route(trade_fee),
    ("GET", "/api/v5/asset/currencies"): Route(currencies),
}
