"""What an account holds at Bybit and how it is set up: balances, positions, modes, permissions.

One wallet serves spot and futures. Margin mode belongs to the account, position mode to each symbol.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import (
    BalanceReport,
    Environment,
    KeyPermissions,
    LedgerEntryReport,
    MarginMode,
    PositionMode,
    PositionReport,
    PositionSide,
    SymbolModes,
)
from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import to_text
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit.entries import read_entries
from fillbook.venues.ccxt.bybit.link import FAILURES, BybitLink
from fillbook.venues.ccxt.bybit.lookups import Lookups
from fillbook.venues.ccxt.bybit.reports import balance_report, position_report
from fillbook.venues.ccxt.bybit.words import CATEGORIES, MARGIN_MODES, MARGIN_WORDS, leg_of
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.values import UNREADABLE, positive

_LINEAR = CATEGORIES[MarketType.FUTURES]
_POSITIONS_PAGE = 200
# "leverage not modified" and "Position mode is not modified".
_LEVERAGE_UNCHANGED = frozenset({"110043", "34036"})
_MODE_UNCHANGED = frozenset({"110025"})
_MARGIN_MODE_UNCHANGED = frozenset({"110026", "34040"})
_MODE_NUMBERS = {PositionMode.ONE_WAY: 0, PositionMode.HEDGE: 3}
_MODE_COIN, _MODE_SYMBOL = "USDT", "BTC/USDT:USDT"


class Wallet(Lookups):
    """The reads and settings of one account."""

    _link: BybitLink
    _environment: Environment

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        now = self._link.site.clock.now()
        result = await self._link.result(at.WALLET, {"accountType": "UNIFIED"})
        try:
            coins = result["list"][0]["coin"] if result["list"] else []
            reports = [balance_report(coin, market_type, now) for coin in coins]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "balances") from None
        return [report for report in reports if report.total or report.borrowed]

    async def positions(self) -> Sequence[PositionReport]:
        """Open futures positions; those of zero are left out."""
        if MarketType.FUTURES not in self._link.market_types:
            return ()
        reports = []
        for coin in await self._settlement_coins():
            params = {"category": _LINEAR, "settleCoin": coin, "limit": _POSITIONS_PAGE}
            for row in await self._link.pages(at.POSITIONS, params):
                symbol = await self._symbol(row, MarketType.FUTURES)
                reports.append(self._position(row, symbol))
        return [report for report in reports if report.quantity]

    def _position(self, row: Mapping[str, Any], symbol: str) -> PositionReport:
        """A unified account's margin mode is not the position's to say (`tradeMode` is always 0 there)."""
        try:
            report = position_report(row, symbol, None)
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "positions") from None
        self._link.note_leg(symbol, report.position_side)
        return report

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        """Leverage, margin mode and position mode as the venue states them now; spot has none of them."""
        if market_type_of(symbol) is MarketType.SPOT:
            return SymbolModes(symbol, None, None, None)
        leverage, position_mode = await self._symbol_config(symbol)
        return SymbolModes(symbol, leverage, await self._margin_mode(), position_mode)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set, then read back. Raises `SettingRefused`, or `ReadFailed` when nothing says."""
        text = to_text(leverage)
        params = {
            "category": _LINEAR,
            "symbol": await self._link.readable_id(symbol),
            "buyLeverage": text,
            "sellLeverage": text,
        }
        await self._link.change_setting(at.SET_LEVERAGE, params, _LEVERAGE_UNCHANGED)
        found, _ = await self._symbol_config(symbol)
        if found != leverage:
            raise FAILURES.not_taken(f"leverage {text} for {symbol}", found)

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        """Of the whole account: Bybit knows no margin mode of a symbol."""
        params = {"setMarginMode": MARGIN_WORDS[mode]}
        await self._link.change_setting(at.SET_MARGIN_MODE, params, _MARGIN_MODE_UNCHANGED)
        found = await self._margin_mode()
        if found is not mode:
            raise FAILURES.not_taken(f"margin mode {mode}", found)

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Of every symbol settled in USDT that has neither position nor order."""
        params = {"category": _LINEAR, "coin": _MODE_COIN, "mode": _MODE_NUMBERS[mode]}
        await self._link.change_setting(at.SET_POSITION_MODE, params, _MODE_UNCHANGED)
        self._link.forget_legs()
        found = await self.position_mode()
        if found is not mode:
            raise FAILURES.not_taken(f"position mode {mode}", found)

    async def position_mode(self) -> PositionMode:
        """As one symbol has it: we set it for all of them together."""
        _, mode = await self._symbol_config(_MODE_SYMBOL)
        return mode

    async def _symbol_config(self, symbol: str) -> tuple[Decimal | None, PositionMode]:
        """Leverage and position mode of a futures symbol; legs of different leverage have none in common."""
        rows = await self._link.position_rows(symbol)
        try:
            legs = {leg_of(row["positionIdx"]): positive(row["leverage"]) for row in rows}
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"the modes of {symbol}") from None
        if not legs:
            raise FAILURES.unreadable(ValueError(), f"the modes of {symbol}")
        leverages = set(legs.values())
        mode = PositionMode.ONE_WAY if PositionSide.NET in legs else PositionMode.HEDGE
        return (leverages.pop() if len(leverages) == 1 else None), mode

    async def _margin_mode(self) -> MarginMode:
        result = await self._link.result(at.ACCOUNT, {})
        try:
            return MARGIN_MODES[result["marginMode"]]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "the margin mode") from None

    async def key_permissions(self) -> KeyPermissions:
        """What the venue says that the key may do. The demo venue has no such page: there, reading is the proof."""
        if self._environment is Environment.DEMO:
            return await self._permissions_by_trial()
        result = await self._link.result(at.KEY_PERMISSIONS, {})
        try:
            granted = result["permissions"]
            may_write = int(result["readOnly"]) == 0
            return KeyPermissions(
                can_read=True,
                can_trade_spot=may_write and "SpotTrade" in (granted.get("Spot") or ()),
                can_trade_futures=may_write and "Order" in (granted.get("ContractTrade") or ()),
                can_withdraw=may_write and "Withdraw" in (granted.get("Wallet") or ()),
                ip_restricted=bool(result["ips"]) and "*" not in result["ips"],
            )
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "the key's permissions") from None

    async def _permissions_by_trial(self) -> KeyPermissions:
        await self.balances(MarketType.SPOT)
        can_trade_futures = MarketType.FUTURES in self._link.market_types
        if can_trade_futures:
            try:
                await self.positions()
            except CredentialsRefused:
                can_trade_futures = False
        can_trade_spot = MarketType.SPOT in self._link.market_types
        return KeyPermissions(True, can_trade_spot, can_trade_futures, None, None)

    async def server_time(self) -> datetime:
        """The venue's clock; signatures are corrected by its distance from ours."""
        error: ReadFailed
        try:
            return from_ms(await self._link.measure_clock(MarketType.SPOT))
        except CallFailed as failure:
            error = FAILURES.read_failure(failure)
        except UNREADABLE as failure:
            error = FAILURES.unreadable(failure, "its clock")
        raise error

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return await read_entries(self._link, since)
