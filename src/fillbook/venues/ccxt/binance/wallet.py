"""What an account holds at Binance and how it is set up: balances, positions, modes, permissions, funding."""

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
    SymbolModes,
)
from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import to_text
from fillbook.market.core import MarketType, market_type_of
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.entries import read_entries
from fillbook.venues.ccxt.binance.reports import futures_balances, position_report, spot_balances
from fillbook.venues.ccxt.binance.words import MARGIN_MODES
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.permissions import permissions_by_trial
from fillbook.venues.ccxt.values import UNREADABLE, amount, positive

# "No need to change margin type." and "No need to change position side."
_UNCHANGED = frozenset({"-4046", "-4059"})
_MARGIN_WORDS = {MarginMode.ISOLATED: "ISOLATED", MarginMode.CROSS: "CROSSED"}


class Wallet:
    """The reads and settings of one account."""

    def __init__(self, link: Link, environment: Environment) -> None:
        self._link = link
        self._environment = environment

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        now = self._link.site.clock.now()
        try:
            if market_type is MarketType.SPOT:
                answer = await self._link.read(at.SPOT_ACCOUNT, {"omitZeroBalances": "true"})
                return spot_balances(answer, now)
            return futures_balances(await self._link.read(at.FUTURES_ACCOUNT), now)
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "balances") from None

    async def positions(self) -> Sequence[PositionReport]:
        """Open futures positions; those of zero are left out."""
        if MarketType.FUTURES not in self._link.market_types:
            return ()
        rows = await self._link.read(at.FUTURES_POSITIONS)
        reports = []
        try:
            for row in rows:
                if amount(row["positionAmt"]):
                    symbol = await self._link.symbol(row["symbol"], MarketType.FUTURES)
                    reports.append(position_report(row, symbol))
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "positions") from None
        return reports

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        """Leverage, margin mode and position mode as the venue states them now; spot has none of them."""
        if market_type_of(symbol) is MarketType.SPOT:
            return SymbolModes(symbol, None, None, None)
        leverage, margin_mode = await self._symbol_config(symbol)
        return SymbolModes(symbol, leverage, margin_mode, await self.position_mode())

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set, and see in the venue's answer what it now has; read back where the answer does not say.

        Raises `SettingRefused`, or `ReadFailed` when nothing says.
        """
        venue_id = await self._link.readable_id(symbol)
        answer = await self._link.change_setting(
            at.SET_LEVERAGE, {"symbol": venue_id, "leverage": to_text(leverage)}, _UNCHANGED
        )
        try:
            found = positive(answer["leverage"])
        except (*UNREADABLE, TypeError):
            found, _ = await self._symbol_config(symbol)
        if found != leverage:
            raise self._link.failures.not_taken(f"leverage {to_text(leverage)} for {symbol}", found)

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        venue_id = await self._link.readable_id(symbol)
        await self._link.change_setting(
            at.SET_MARGIN_MODE, {"symbol": venue_id, "marginType": _MARGIN_WORDS[mode]}, _UNCHANGED
        )
        _, found = await self._symbol_config(symbol)
        if found is not mode:
            raise self._link.failures.not_taken(f"margin mode {mode} for {symbol}", found)

    async def set_position_mode(self, mode: PositionMode) -> None:
        word = "true" if mode is PositionMode.HEDGE else "false"
        await self._link.change_setting(at.SET_POSITION_MODE, {"dualSidePosition": word}, _UNCHANGED)
        found = await self.position_mode()
        if found is not mode:
            raise self._link.failures.not_taken(f"position mode {mode}", found)

    async def key_permissions(self) -> KeyPermissions:
        """What the venue says that the key may do. Demo keys have no such page: there, reading is the proof."""
        if self._environment is Environment.DEMO:
            return await permissions_by_trial(self._link.market_types, self.balances)
        row = await self._link.read(at.KEY_PERMISSIONS)
        try:
            return KeyPermissions(
                can_read=_flag(row, "enableReading"),
                can_trade_spot=_flag(row, "enableSpotAndMarginTrading"),
                can_trade_futures=_flag(row, "enableFutures"),
                can_withdraw=_flag(row, "enableWithdrawals"),
                ip_restricted=_flag(row, "ipRestrict"),
            )
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "the key's permissions") from None

    async def server_time(self) -> datetime:
        """The venue's clock; signatures are corrected by its distance from ours."""
        market_type = self._link.market_types[0]
        try:
            return from_ms(await self._link.measure_clock(market_type))
        except CallFailed as failure:
            error = self._link.failures.read_failure(failure)
        except UNREADABLE as failure:
            error = self._link.failures.unreadable(failure, "its clock")
        raise error

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return await read_entries(self._link, self._environment, since)

    async def _symbol_config(self, symbol: str) -> tuple[Decimal | None, MarginMode]:
        """Leverage and margin mode of a futures symbol."""
        venue_id = await self._link.readable_id(symbol)
        rows = await self._link.read(at.SYMBOL_MODES, {"symbol": venue_id})
        try:
            row = next(row for row in rows if row["symbol"] == venue_id)
            return positive(row["leverage"]), MARGIN_MODES[row["marginType"].upper()]
        except (*UNREADABLE, StopIteration) as error:
            raise self._link.failures.unreadable(error, f"the modes of {symbol}") from None

    async def position_mode(self) -> PositionMode:
        """One-way or hedge, as the venue has it for the whole futures account now."""
        row = await self._link.read(at.ACCOUNT_CONFIG)
        try:
            return PositionMode.HEDGE if _flag(row, "dualSidePosition") else PositionMode.ONE_WAY
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "the position mode") from None


def _flag(row: Mapping[str, Any], name: str) -> bool:
    value = row[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name} is not a truth value")
    return value
