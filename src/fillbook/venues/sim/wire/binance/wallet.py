"""Binance's `/sapi` pages that an account needs: what its key may do, deposits, withdrawals, coins."""

from datetime import UTC
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes
from fillbook.venues.sim.wire.binance.text import Params, integer
from fillbook.venues.sim.wire.numbers import fixed


def api_restrictions(context: Context, account: Account, params: Params) -> Any:
    allowed = account.permissions
    return {
        "ipRestrict": bool(allowed.ip_restricted),
        "createTime": 1_700_000_000_000,
        "enableReading": allowed.can_read,
        "enableSpotAndMarginTrading": allowed.can_trade_spot,
        "enableWithdrawals": bool(allowed.can_withdraw),
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": allowed.can_trade_futures,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enablePortfolioMarginTrading": False,
    }


def _entries(account: Account, kind: LedgerKind, params: Params) -> list[LedgerEntry]:
    start, end, coin = integer(params, "startTime"), integer(params, "endTime"), params.get("coin")
    return [
        entry
        for entry in account.ledger
        if entry.kind is kind
        and entry.market_type is MarketType.SPOT
        and (coin is None or entry.asset == coin)
        and (start is None or entry.at_ms >= start)
        and (end is None or entry.at_ms <= end)
    ]


def deposits(context: Context, account: Account, params: Params) -> Any:
    return [
        {
            "id": str(entry.entry_id),
            "amount": fixed(entry.amount),
            "coin": entry.asset,
            "network": entry.asset,
            "status": 1,
            "address": "simulated",
            "addressTag": "",
            "txId": f"deposit{entry.entry_id}",
            "insertTime": entry.at_ms,
            "completeTime": entry.at_ms,
            "transferType": 0,
            "confirmTimes": "1/1",
            "unlockConfirm": 0,
            "walletType": 0,
        }
        for entry in reversed(_entries(account, LedgerKind.DEPOSIT, params))
    ]


def withdrawals(context: Context, account: Account, params: Params) -> Any:
    return [
        {
            "id": str(entry.entry_id),
            "amount": fixed(-entry.amount),
            "transactionFee": "0",
            "coin": entry.asset,
            "status": 6,
            "address": "simulated",
            "txId": f"withdrawal{entry.entry_id}",
            "applyTime": _text_time(entry.at_ms),
            "network": entry.asset,
            "transferType": 0,
            "withdrawOrderId": "",
            "info": "",
            "confirmNo": 1,
            "walletType": 0,
            "txKey": "",
            "completeTime": _text_time(entry.at_ms),
        }
        for entry in reversed(_entries(account, LedgerKind.WITHDRAWAL, params))
    ]


def _text_time(at_ms: int) -> str:
    return from_ms(at_ms).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def coins(context: Context, account: Account, params: Params) -> Any:
    assets = {m.listing.instrument.base for m in context.markets(MarketType.SPOT)} | {"USDT"}
    return [
        {
            "coin": asset,
            "name": asset,
            "free": fixed(account.purse(asset).free),
            "locked": fixed(account.purse(asset).locked),
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "networkList": [],
        }
        for asset in sorted(assets)
    ]


def transfers(context: Context, account: Account, params: Params) -> Any:
    """Between the wallets: deposits go straight to where they are wanted, so nothing is ever moved."""
    return {"total": 0, "rows": []}


def nothing(context: Context, account: Account, params: Params) -> Any:
    """Margin pairs: there are none."""
    return []


ROUTES: Routes = {
    ("GET", "/sapi/v1/account/apiRestrictions"): Route(api_restrictions),
    ("GET", "/sapi/v1/capital/deposit/hisrec"): Route(deposits),
    ("GET", "/sapi/v1/capital/withdraw/history"): Route(withdrawals, weight=18),
    ("GET", "/sapi/v1/capital/config/getall"): Route(coins, weight=10),
    ("GET", "/sapi/v1/asset/transfer"): Route(transfers),
    ("GET", "/sapi/v1/margin/allPairs"): Route(nothing),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): Route(nothing, weight=10),
}
