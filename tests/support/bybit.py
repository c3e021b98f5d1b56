"""Rows as Bybit sends them, and its rules on asking for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors

DAY_MS = 86_400_000

Row = dict[str, Any]


def failed(code: str, kind: Any = errors.InvalidOrder) -> CallFailed:
    return CallFailed(kind, code, "a sentence")


def execution(number: int, at_ms: int, quantity: str = "1", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "category": "linear", "orderId": "o1", "orderLinkId": "fb1", "side": "Buy",
        "execId": f"e{number}", "execPrice": "10", "execQty": quantity, "execType": "Trade", "execFee": "0.1",
        "execTime": str(at_ms), "isMaker": False, "closedSize": "0", "seq": number,
    }  # fmt: skip
    return row | changes


def order(number: int, at_ms: int, filled: str = "0", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "category": "linear", "orderId": f"o{number}", "orderLinkId": f"fb{number}",
        "side": "Buy", "orderType": "Limit", "price": "10", "qty": "9", "cumExecQty": filled,
        "cumExecValue": "0", "orderStatus": "New", "rejectReason": "EC_NoError", "timeInForce": "GTC",
        "stopOrderType": "", "triggerPrice": "", "positionIdx": 0, "reduceOnly": False,
        "createdTime": str(at_ms), "updatedTime": str(at_ms),
    }  # fmt: skip
    return row | changes


def paged(rows: Sequence[Row], time_key: str, params: Mapping[str, Any], now_ms: int) -> Row | CallFailed:
    """Bybit's rules: seven days at most and by default, newest first, a cursor that names the last row."""
    start, end = params.get("startTime"), params.get("endTime")
    if start is None and end is None:
        start, end = now_ms - 7 * DAY_MS, now_ms
    assert start is not None, "we always name the beginning"
    end = start + 7 * DAY_MS if end is None else end
    if end - start > 7 * DAY_MS:
        return failed("10001", errors.BadRequest)
    limit = min(int(params.get("limit", 20)), 100)
    found = sorted(
        (row for row in rows if start <= int(row[time_key]) <= end),
        key=lambda row: (int(row[time_key]), row.get("seq", 0)),
        reverse=True,
    )
    first = int(params.get("cursor") or 0)
    page = found[first : first + limit]
    more = first + limit < len(found)
    return {"list": page, "nextPageCursor": str(first + limit) if more else ""}
