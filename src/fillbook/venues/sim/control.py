"""The exchange's own control under `/_sim/`: accounts, prices, faults, and the truth for tests.

Unsigned on purpose: this exchange holds nobody's money.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from fillbook.accounts.core import KeyPermissions, PositionSide
from fillbook.kernel.errors import FillbookError, InvalidInput, NotFound
from fillbook.kernel.money import parse_amount, to_text
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.exchange import FULL_PERMISSIONS

if TYPE_CHECKING:
    from fillbook.venues.sim.gateway import Gateway

Body = Mapping[str, Any]


class Control:
    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._exchange = gateway.exchange
        self._pages: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("POST", "accounts"): self._add_account,
            ("POST", "deposits"): self._deposit,
            ("POST", "price"): self._set_price,
            ("POST", "depth"): self._set_depth,
            ("POST", "delist"): self._delist,
            ("POST", "funding"): self._fund,
            ("POST", "deleverage"): self._deleverage,
            ("POST", "faults"): self._add_fault,
            ("GET", "faults"): lambda _: [fault.as_row() for fault in gateway.faults.in_force()],
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "orders"): self._orders,
            ("GET", "fills"): self._fills,
            ("GET", "requests"): self._requests,
            ("GET", "balances"): self._balances,
            ("GET", "positions"): self._positions,
            ("GET", "prices"): self._prices,
            ("GET", "streams"): self._streams,
        }

    async def answer(self, request: web.BaseRequest) -> web.Response:
        page = self._pages.get((request.method, request.path.removeprefix("/_sim/")))
        try:
            if page is None:
                raise NotFound(f"There is no {request.method} {request.path}.")
            body: Body = dict(request.query)
            if request.can_read_body and (text := await request.read()):
                body = orjson.loads(text)
            answer = page(body)
        except orjson.JSONDecodeError as error:
            return _json({"code": "invalid", "detail": f"The body is not JSON: {error}"}, 422)
        except FillbookError as error:
            return _json({"code": error.code, "detail": error.detail}, error.status)
        return _json(answer, 200)

    # Accounts

    def _add_account(self, body: Body) -> Any:
        granted = dict.fromkeys(("can_read",), True) | (body.get("permissions") or {})
        permissions = KeyPermissions(
            **{
                field.name: bool(granted.get(field.name, getattr(FULL_PERMISSIONS, field.name)))
                for field in dataclasses.fields(KeyPermissions)
            }
        )
        account = self._exchange.open_account(
            _text_of(body, "api_key"),
            _text_of(body, "api_secret"),
            passphrase=body.get("passphrase"),
            permissions=permissions,
        )
        spot = body.get("balances") or {}
        futures = body.get("futures_balances")
        if futures is None:
            futures = {} if account.is_unified else spot
        for market_type, balances in ((MarketType.SPOT, spot), (MarketType.FUTURES, futures)):
            for asset, amount in balances.items():
                self._exchange.deposit(account, market_type, asset, _amount(amount))
        return {"api_key": account.key, "uid": account.uid}

    def _deposit(self, body: Body) -> Any:
        account = self._exchange.account(_text_of(body, "api_key"))
        market_type = MarketType(body.get("market_type", "spot"))
        self._exchange.deposit(account, market_type, _text_of(body, "asset"), _amount(body.get("amount")))
        return {}

    # Market

    def _set_price(self, body: Body) -> Any:
        mark = body.get("mark")
        self._exchange.set_price(
            _text_of(body, "symbol"), _amount(body.get("price")), _amount(mark) if mark is not None else None
        )
        return {}

    def _set_depth(self, body: Body) -> Any:
        quantity = body.get("level_quantity")
        known = Depth()
        depth = Depth(
            levels=int(body.get("levels", known.levels)),
            half_spread_ticks=int(body.get("half_spread_ticks", known.half_spread_ticks)),
            step_ticks=int(body.get("step_ticks", known.step_ticks)),
            level_notional=_amount(body.get("level_notional", known.level_notional)),
            level_quantity=_amount(quantity) if quantity is not None else None,
            refills=bool(body.get("refills", known.refills)),
        )
        self._exchange.set_depth(_text_of(body, "symbol"), depth)
        return {}

    def _delist(self, body: Body) -> Any:
        self._exchange.delist(_text_of(body, "symbol"))
        return {}

    def _fund(self, body: Body) -> Any:
        self._exchange.fund(_text_of(body, "symbol"), _amount(body.get("rate")))
        return {}

    def _deleverage(self, body: Body) -> Any:
        account = self._exchange.account(_text_of(body, "api_key"))
        leg = PositionSide(body.get("position_side", "net"))
        symbol, quantity = _text_of(body, "symbol"), _amount(body.get("quantity"))
        return {"order_id": self._exchange.deleverage(account, symbol, leg, quantity).order_id}

    def _prices(self, body: Body) -> Any:
        return {symbol: market.price for symbol, market in self._exchange.markets.items()}

    # Faults

    def _add_fault(self, body: Body) -> Any:
        fault, met = self._gateway.add_fault(body)
        return {"id": fault.id, "met": met}

    def _clear_faults(self, body: Body) -> Any:
        self._gateway.faults.clear()
        return {}

    # Truth

    def _accounts(self, body: Body) -> list[Account]:
        if body.get("api_key"):
            return [self._exchange.account(str(body["api_key"]))]
        return list(self._exchange.accounts.values())

    def _orders(self, body: Body) -> Any:
        accounts = self._accounts(body)
        orders = [order for account in accounts for order in account.orders.values()]
        return _latest(sorted(orders, key=lambda order: order.order_id), body)

    def _fills(self, body: Body) -> Any:
        fills = [fill for account in self._accounts(body) for fill in account.fills]
        ordered = sorted(fills, key=lambda fill: (fill.at_ms, fill.symbol, fill.trade_id))
        return _latest(ordered, body)

    def _requests(self, body: Body) -> Any:
        key = body.get("api_key")
        return _latest([one for one in self._gateway.requests if key is None or one.api_key == key], body)

    def _balances(self, body: Body) -> Any:
        return {
            account.key: {
                "spot": {
                    asset: {"free": purse.free, "locked": purse.locked}
                    for asset, purse in account.spot.items()
                },
                "futures": dict(account.wallet),
                "is_unified": account.is_unified,
            }
            for account in self._accounts(body)
        }

    def _streams(self, body: Body) -> Any:
        return {account.key: self._gateway.wire.listeners(account.key) for account in self._accounts(body)}

    def _positions(self, body: Body) -> Any:
        return [
            {
                "api_key": account.key,
                "symbol": position.symbol,
                "position_side": position.side,
                "quantity": position.quantity,
                "entry_price": position.entry_price,
                "realized_pnl": position.realized,
            }
            for account in self._accounts(body)
            for position in account.positions.values()
            if position.quantity or position.realized
        ]


def _row(one: Any) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


def _latest(rows: Sequence[Any], body: Body) -> list[dict[str, Any]]:
    """The rows, or the last `limit` of them."""
    limit = str(body.get("limit", ""))
    return [_row(one) for one in (rows[-int(limit) :] if limit.isdecimal() and int(limit) else rows)]


def _text_of(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{name} is missing.")
    return value


def _amount(value: Any) -> Decimal:
    try:
        return parse_amount(str(value))
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return to_text(value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(type(value).__name__)


def _json(body: Any, status: int) -> web.Response:
    text = orjson.dumps(body, default=_plain)
    return web.Response(status=status, body=text, content_type="application/json")
