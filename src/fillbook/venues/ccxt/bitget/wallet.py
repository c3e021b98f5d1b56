"""What an account holds at Bitget and how it is set up: balances, positions, modes, permissions, money moved."""

from collections.abc import Sequence
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
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.entries import read_entries
from fillbook.venues.ccxt.bitget.link import FUTURES_PAGE, BitgetLink
from fillbook.venues.ccxt.bitget.reports import futures_balance, position_report, spot_balance
from fillbook.venues.ccxt.bitget.words import MARGIN_WORDS, MODE_WORDS, POSITION_MODES, Raw
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.permissions import permissions_by_trial
from fillbook.venues.ccxt.values import UNREADABLE, amount

_UNCHANGED = frozenset({"40814", "45054"})
_SPOT_RIGHTS = frozenset({"stow", "trade"})
_FUTURES_RIGHTS = frozenset({"coow", "trade"})
_WITHDRAWAL_RIGHT = "wwow"
_LEGS = ("long", "short")


class Wallet:
    """The reads and settings of one account."""

    _link: BitgetLink
    _environment: Environment

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        now = self._link.site.clock.now()
        try:
            if market_type is MarketType.SPOT:
                found = [spot_balance(row, now) for row in await self._link.page(at.SPOT_ASSETS)]
            else:
                rows = await self._link.page(at.MIX_ACCOUNTS, FUTURES_PAGE)
                found = [futures_balance(row, now) for row in rows]
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "balances") from None
        return [report for report in found if report.total]

    async def positions(self) -> Sequence[PositionReport]:
        """Open futures positions; those of zero are left out."""
        if MarketType.FUTURES not in self._link.market_types:
            return ()
        rows = await self._link.page(at.MIX_POSITIONS, {**FUTURES_PAGE, "marginCoin": "USDT"})
        reports = []
        try:
            for row in rows or ():
                if amount(row["total"]):
                    symbol = await self._link.symbol(row["symbol"].upper(), MarketType.FUTURES)
                    reports.append(position_report(row, symbol))
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "positions") from None
        return reports

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        """Leverage, margin mode and position mode as the venue states them now; spot has none of them."""
        if market_type_of(symbol) is MarketType.SPOT:
            return SymbolModes(symbol, None, None, None)
        row, margin_mode = await self._modes(symbol)
        return SymbolModes(symbol, self._leverage(row, symbol), margin_mode, POSITION_MODES[row["posMode"]])

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set and read back; in isolated hedge mode each leg has its own. Raises `SettingRefused`."""
        row, margin_mode = await self._modes(symbol)
        params = {**await self._named(symbol), "leverage": to_text(leverage)}
        is_hedged = POSITION_MODES[row["posMode"]] is PositionMode.HEDGE
        legs: tuple[str | None, ...] = (None,)
        if is_hedged and margin_mode is MarginMode.ISOLATED:
            legs = _LEGS
        for leg in legs:
            of_leg = {} if leg is None else {"holdSide": leg}
            await self._link.change_setting(at.SET_LEVERAGE, {**params, **of_leg}, _UNCHANGED)
        row, _ = await self._modes(symbol)
        found = self._leverage(row, symbol)
        if found != leverage:
            raise self._link.failures.not_taken(f"leverage {to_text(leverage)} for {symbol}", found)

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        params = {**await self._named(symbol), "marginMode": MARGIN_WORDS[mode]}
        await self._link.change_setting(at.SET_MARGIN_MODE, params, _UNCHANGED)
        _, found = await self._modes(symbol)
        if found is not mode:
            raise self._link.failures.not_taken(f"margin mode {mode} for {symbol}", found)

    async def set_position_mode(self, mode: PositionMode) -> None:
        params = {**FUTURES_PAGE, "posMode": MODE_WORDS[mode]}
        await self._link.change_setting(at.SET_POSITION_MODE, params, _UNCHANGED)
        found = await self.position_mode()
        if found is not mode:
            raise self._link.failures.not_taken(f"position mode {mode}", found)

    async def position_mode(self) -> PositionMode:
        """One-way or hedge, of the whole futures account: any symbol's page tells it."""
        symbols = (await self._link.catalogue(MarketType.FUTURES)).venue_ids
        symbol = next(iter(symbols), None)
        if symbol is None:
            raise ReadFailed("Bitget lists no futures, so that the position mode cannot be read.")
        row, _ = await self._modes(symbol)
        return POSITION_MODES[row["posMode"]]

    async def key_permissions(self) -> KeyPermissions:
        """What the venue says that the key may do. Demo keys have no such page: there, reading is the proof."""
        if self._environment is Environment.DEMO:
            return await permissions_by_trial(self._link.market_types, self.balances)
        row = await self._link.page(at.KEY_PERMISSIONS)
        try:
            rights = frozenset(row["authorities"])
            return KeyPermissions(
                can_read=True,
                can_trade_spot=bool(rights & _SPOT_RIGHTS),
                can_trade_futures=bool(rights & _FUTURES_RIGHTS),
                can_withdraw=_WITHDRAWAL_RIGHT in rights,
                ip_restricted=bool(row["ips"]),
            )
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, "the key's permissions") from None

    async def server_time(self) -> datetime:
        """The venue's clock; signatures are corrected by its distance from ours."""
        try:
            return from_ms(await self._link.measure_clock(self._link.market_types[0]))
        except CallFailed as failure:
            error = self._link.failures.read_failure(failure)
        except UNREADABLE as failure:
            error = self._link.failures.unreadable(failure, "its clock")
        raise error

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return await read_entries(self._link, self._environment, since)

    async def _named(self, symbol: str) -> dict[str, Any]:
        venue_id = await self._link.readable_id(symbol)
        return {**FUTURES_PAGE, "symbol": venue_id, "marginCoin": symbol.rpartition(":")[2]}

    async def _modes(self, symbol: str) -> tuple[Raw, MarginMode]:
        return await self._link.modes(symbol, await self._link.readable_id(symbol))

    def _leverage(self, row: Raw, symbol: str) -> Decimal | None:
        """The one leverage in force; None where the two legs differ."""
        names = ("isolatedLongLever", "isolatedShortLever")
        if row["marginMode"] != MARGIN_WORDS[MarginMode.ISOLATED]:
            names = ("crossedMarginLeverage", "crossedMarginLeverage")
        try:
            first, second = (amount(str(row[name])) for name in names)
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, f"the leverage of {symbol}") from None
        return first if first == second else None
