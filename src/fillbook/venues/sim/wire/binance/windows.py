"""Binance's paging of history: time windows, `fromId`, `limit`, and what may not be combined."""

from collections.abc import Sequence

from fillbook.venues.sim.core.vocabulary import SimFill, SimOrder
from fillbook.venues.sim.wire.binance.errors import BinanceError
from fillbook.venues.sim.wire.binance.text import Params, integer

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000


def limit_of(params: Params, default: int = DEFAULT_LIMIT, largest: int = MAX_LIMIT) -> int:
    limit = integer(params, "limit")
    if limit is None:
        return default
    if limit < 1:
        raise BinanceError(
            -1100, "Illegal characters found in parameter 'limit'; legal range is '[1, 1000]'."
        )
    return min(limit, largest)


def trade_window(params: Params, longest_ms: int) -> None:
    """Raises when startTime and endTime are further apart than the venue answers in one request."""
    start, end = integer(params, "startTime"), integer(params, "endTime")
    if start is not None and end is not None:
        if end < start:
            raise BinanceError(-4090, "Start time is greater than end time.")
        if end - start > longest_ms:
            raise BinanceError(
                -1127, f"More than {longest_ms // 3_600_000} hours between startTime and endTime."
            )


def page_of_fills(
    fills: Sequence[SimFill], params: Params, window_ms: int | None = None, now_ms: int = 0
) -> list[SimFill]:
    """One page, oldest first. With `window_ms` (futures) a missing end of the window is put that far from the
    other, and without both the window is the latest one. Without fromId and startTime: the newest."""
    start, end = integer(params, "startTime"), integer(params, "endTime")
    from_id, order_id, limit = integer(params, "fromId"), integer(params, "orderId"), limit_of(params)
    if window_ms is not None and from_id is None and order_id is None:
        if start is None:
            start, newest = (end if end is not None else now_ms) - window_ms, True
        else:
            newest = False
        end = start + window_ms if end is None else end
    else:
        newest = start is None and from_id is None
    found = [
        fill
        for fill in fills
        if (start is None or fill.at_ms >= start)
        and (end is None or fill.at_ms <= end)
        and (from_id is None or fill.trade_id >= from_id)
        and (order_id is None or fill.order_id == order_id)
    ]
    found.sort(key=lambda fill: (fill.trade_id, fill.order_id))
    return found[-limit:] if newest else found[:limit]


def order_window(orders: Sequence[SimOrder], params: Params, longest_ms: int) -> list[SimOrder]:
    """Orders by id from `orderId` on, or created within the window; the newest without either."""
    start, end = integer(params, "startTime"), integer(params, "endTime")
    trade_window(params, longest_ms)
    order_id, limit = integer(params, "orderId"), limit_of(params)
    found = [
        order
        for order in orders
        if (order_id is None or order.order_id >= order_id)
        and (start is None or order.created_ms >= start)
        and (end is None or order.created_ms <= end)
    ]
    found.sort(key=lambda order: order.order_id)
    return found[:limit] if order_id is not None or start is not None else found[-limit:]
