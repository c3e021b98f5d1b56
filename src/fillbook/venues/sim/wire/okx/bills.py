"""OKX's own trades and bills: `/api/v5/trade/fills`, `/api/v5/account/bills`. Both are paged by `billId`."""

from collections.abc import Callable
from typing import Any

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, SimFill
from fillbook.venues.sim.wire.numbers import short
from fillbook.venues.sim.wire.okx.context import Context, Route, Routes
from fillbook.venues.sim.wire.okx.paging import page
from fillbook.venues.sim.wire.okx.rows import fill_row
from fillbook.venues.sim.wire.okx.text import (
    INSTRUMENT_TYPES,
    Params,
    market_type_of,
    optional,
    required,
)

_DAY_MS = 86_400_000
# Type and, for what comes and what goes, sub-type.
_TYPES = {
    LedgerKind.DEPOSIT: ("1", "11", "12"),
    LedgerKind.WITHDRAWAL: ("1", "11", "12"),
    LedgerKind.TRANSFER: ("1", "11", "12"),
    LedgerKind.REALIZED_PNL: ("2", "5", "5"),
    LedgerKind.COMMISSION: ("2", "5", "5"),
    LedgerKind.INSURANCE: ("5", "100", "100"),
    LedgerKind.FUNDING: ("8", "174", "173"),
}
_FUNDING_ACCOUNT, _TRADING_ACCOUNT = "6", "18"


def _fills(kept_ms: int, *, needs_type: bool) -> Callable[[Context, Account, Any], list[Any]]:
    def endpoint(context: Context, account: Account, params: Any) -> list[Any]:
        if needs_type:
            required(params, "instType")
        market_type = market_type_of(params) if optional(params, "instType") else None
        name, order_id = optional(params, "instId"), optional(params, "ordId")
        symbol = context.market(name).symbol if name else None
        numbered = [
            (context.first_bill_id + number, fill)
            for number, fill in enumerate(account.fills)
            if symbol in (None, fill.symbol)
            and (not optional(params, "instType") or _market_type(fill) is market_type)
            and order_id in (None, str(fill.order_id))
        ]
        found = page(
            numbered,
            params,
            id_of=lambda pair: pair[0],
            at_ms=lambda pair: pair[1].at_ms,
            kept_since_ms=context.now_ms() - kept_ms,
        )
        return [fill_row(context, fill, bill_id) for bill_id, fill in found]

    return endpoint


def _market_type(fill: SimFill) -> MarketType:
    return MarketType.FUTURES if ":" in fill.symbol else MarketType.SPOT


def _bills(kept_ms: int) -> Callable[[Context, Account, Any], list[Any]]:
    def endpoint(context: Context, account: Account, params: Any) -> list[Any]:
        entries = [entry for entry in account.ledger if _is_wanted(entry, params)]
        found = page(
            entries,
            params,
            id_of=lambda entry: entry.entry_id,
            at_ms=lambda entry: entry.at_ms,
            kept_since_ms=context.now_ms() - kept_ms,
        )
        return [_bill_row(context, entry) for entry in found]

    return endpoint


def _is_wanted(entry: LedgerEntry, params: Params) -> bool:
    row = {"type": _TYPES[entry.kind][0], "ccy": entry.asset, "instType": _instrument_type(entry)}
    return all(optional(params, name) in (None, value) for name, value in row.items())


def _instrument_type(entry: LedgerEntry) -> str:
    return (
        INSTRUMENT_TYPES[MarketType.FUTURES if ":" in entry.symbol else MarketType.SPOT]
        if entry.symbol
        else ""
    )


def _bill_row(context: Context, entry: LedgerEntry) -> dict[str, Any]:
    kind, gained, lost = _TYPES[entry.kind]
    is_gain = entry.amount >= 0
    is_transfer = kind == "1"
    ways = (_FUNDING_ACCOUNT, _TRADING_ACCOUNT) if is_gain else (_TRADING_ACCOUNT, _FUNDING_ACCOUNT)
    pnl = short(entry.amount) if entry.kind in (LedgerKind.FUNDING, LedgerKind.REALIZED_PNL) else "0"
    return {
        "bal": "0",
        "balChg": short(entry.amount),
        "billId": str(entry.entry_id),
        "ccy": entry.asset,
        "clOrdId": "",
        "execType": "",
        "fee": short(entry.amount) if entry.kind is LedgerKind.COMMISSION else "0",
        "fillTime": str(entry.at_ms) if entry.trade_id else "",
        "from": ways[0] if is_transfer else "",
        "instId": context.ids.get(entry.symbol, ""),
        "instType": _instrument_type(entry),
        "interest": "0",
        "mgnMode": "cross" if entry.symbol else "",
        "notes": "",
        "ordId": "",
        "pnl": pnl,
        "posBal": "0",
        "posBalChg": "0",
        "px": "",
        "subType": gained if is_gain else lost,
        "sz": short(abs(entry.amount)),
        "tag": "",
        "to": ways[1] if is_transfer else "",
        "tradeId": str(entry.trade_id or ""),
        "ts": str(entry.at_ms),
        "type": kind,
    }


ROUTES: Routes = {
    ("GET", "/api/v5/trade/fills"): Route(_fills(3 * _DAY_MS, needs_type=False)),
    ("GET", "/api/v5/trade/fills-history"): Route(_fills(90 * _DAY_MS, needs_type=True)),
    ("GET", "/api/v5/account/bills"): Route(_bills(7 * _DAY_MS)),
    ("GET", "/api/v5/account/bills-archive"): Route(_bills(90 * _DAY_MS)),
}
