"""Rows as Bitget sends them, and its rules on asking for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors

DAY_MS = 86_400_000

Row = dict[str, Any]


def failed(code: str, kind: Any = errors.ExchangeError) -> CallFailed:
    return CallFailed(kind, code, "a sentence")


def spot_order(number: int, at_ms: int = 1, filled: str = "0", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "orderId": str(number), "clientOid": f"fb{number}", "price": "10", "size": "9",
        "orderType": "limit", "side": "buy", "status": "live", "priceAvg": "0", "baseVolume": filled,
        "quoteVolume": "0", "cTime": str(at_ms), "uTime": str(at_ms),
    }  # fmt: skip
    return row | changes


def mix_order(number: int, at_ms: int = 1, filled: str = "0", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "orderId": str(number), "clientOid": f"fb{number}", "price": "10", "size": "9",
        "orderType": "limit", "side": "buy", "posSide": "net", "tradeSide": "buy_single",
        "posMode": "one_way_mode", "reduceOnly": "NO", "status": "live", "force": "gtc",
        "baseVolume": filled, "quoteVolume": "0", "cTime": str(at_ms), "uTime": str(at_ms),
    }  # fmt: skip
    return row | changes


def hedged(side: str, leg: str, trade_side: str) -> Row:
    return {"posMode": "hedge_mode", "side": side, "posSide": leg, "tradeSide": trade_side}


def mix_plan(number: int, at_ms: int = 1, **changes: Any) -> Row:
    row = mix_order(number, at_ms, planStatus="live", planType="normal_plan", triggerPrice="11", price="0")
    del row["status"]
    return row | {"executePrice": "0", "orderType": "market"} | changes


def spot_plan(number: int, at_ms: int = 1, **changes: Any) -> Row:
    row = spot_order(number, at_ms, triggerPrice="11", executePrice="0", orderType="market")
    del row["price"]
    return row | changes


def spot_fill(number: int, at_ms: int = 1, quantity: str = "1", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "orderId": "1", "tradeId": str(number), "orderType": "limit", "side": "buy",
        "priceAvg": "10", "size": quantity, "tradeScope": "taker", "cTime": str(at_ms),
        "feeDetail": {"feeCoin": "BTC", "totalFee": "-0.001"},
    }  # fmt: skip
    return row | changes


def mix_fill(number: int, at_ms: int = 1, quantity: str = "1", **changes: Any) -> Row:
    row: Row = {
        "symbol": "BTCUSDT", "orderId": "1", "tradeId": str(number), "price": "10", "baseVolume": quantity,
        "side": "buy", "tradeSide": "buy_single", "posMode": "one_way_mode", "profit": "0",
        "tradeScope": "maker", "cTime": str(at_ms), "feeDetail": [{"feeCoin": "USDT", "totalFee": "-0.01"}],
    }  # fmt: skip
    return row | changes


def order_told(number: int, filled: str = "0", is_spot: bool = False, **changes: Any) -> Row:
    """A row of the `orders` stream."""
    row: Row = {
        "instId": "BTCUSDT", "orderId": str(number), "clientOid": f"fb{number}", "price": "10", "side": "buy",
        "orderType": "limit", "force": "gtc", "status": "live", "accBaseVolume": filled, "cTime": "1",
        "uTime": "1",
    }  # fmt: skip
    if is_spot:
        return row | {"newSize": "9", "size": "9"} | changes
    futures = {"size": "9", "posMode": "one_way_mode", "posSide": "net", "tradeSide": "buy_single"}
    return row | futures | {"reduceOnly": "no"} | changes


def latest(number: int, quantity: str = "1", fee: str = "-0.01") -> Row:
    """What a row of the `orders` stream says of the latest fill."""
    return {
        "tradeId": str(number), "fillPrice": "10", "baseVolume": quantity, "fillTime": "1", "fillFee": fee,
        "fillFeeCoin": "USDT", "tradeScope": "T", "status": "partially_filled",
    }  # fmt: skip


def plan_told(number: int, **changes: Any) -> Row:
    """A row of the futures `orders-algo` stream, whose price repeats the trigger price."""
    row = mix_plan(number, price="11", status="live") | {"instId": "BTCUSDT"}
    del row["planStatus"], row["symbol"]
    return row | changes


def position_told(leg: str = "long", total: str = "2", **changes: Any) -> Row:
    row: Row = {
        "instId": "BTCUSDT", "holdSide": leg, "posMode": "one_way_mode", "total": total, "leverage": 10,
        "openPriceAvg": "10", "marginMode": "crossed", "unrealizedPL": "1", "liquidationPrice": "5",
        "markPrice": "11", "cTime": "1", "uTime": "2",
    }  # fmt: skip
    return row | changes


def paged(
    rows: Sequence[Row], id_name: str, params: Mapping[str, Any], most_days: int | None = None
) -> list[Row] | CallFailed:
    """Bitget's rules: newest first, those below an id, a span of so many days at most."""
    start, end = int(params.get("startTime", 0)), int(params.get("endTime", 2**62))
    if most_days is not None and "startTime" in params and end - start > most_days * DAY_MS:
        return failed("40704")
    below = int(params.get("idLessThan", 2**62))
    found = [row for row in rows if start <= int(row["cTime"]) <= end and int(row[id_name]) < below]
    found.sort(key=lambda row: int(row[id_name]), reverse=True)
    return found[: min(int(params.get("limit", 100)), 100)]
