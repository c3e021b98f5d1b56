"""What an account holds at OKX and how it is set up: balances, positions, modes, permissions, ledger entries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import (
    BalanceReport,
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
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx.entries import read_entries
from fillbook.venues.ccxt.okx.link import FAILURES, OkxLink
from fillbook.venues.ccxt.okx.reports import balance_report, one_per_leg, position_report
from fillbook.venues.ccxt.okx.words import INSTRUMENT_TYPES
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment, positive

_POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
_POSITION_WORDS = {mode: word for word, mode in _POSITION_MODES.items()}
CLOCK_FRESH_S = 10.0
_SPOT_ONLY = "1"
"""The account level without derivatives."""


class Wallet:
    """The reads and settings of one account."""

    def __init__(self, link: OkxLink) -> None:
        self._link = link

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        """Every currency of the one wallet of which there is some, in the name of a market."""
        rows = await self._link.rows(at.BALANCE)
        try:
            now = moment(rows[0]["uTime"])
            reports = [balance_report(detail, market_type, now) for detail in rows[0]["details"]]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "balances") from None
        return [report for report in reports if report.total]

    async def positions(self) -> Sequence[PositionReport]:
        """Open swap positions; those of zero are left out."""
        if MarketType.FUTURES not in self._link.market_types:
            return ()
        reports = []
        try:
            for row in await self._link.rows(
                at.POSITIONS, {"instType": INSTRUMENT_TYPES[MarketType.FUTURES]}
            ):
                instrument = await self._link.instrument_of(row) if amount(row["pos"]) else None
                if instrument is not None:
                    reports.append(position_report(row, instrument))
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "positions") from None
        return [report for report in one_per_leg(reports) if report.quantity]

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        """Leverage and position mode as OKX states them now, and the margin mode that orders name; spot has none."""
        if market_type_of(symbol) is MarketType.SPOT:
            return SymbolModes(symbol, None, None, None)
        mode = await self._link.margin_mode(symbol)
        leverages = await self._leverages(symbol, mode)
        # Legs of an isolated symbol may differ: then none is the symbol's.
        leverage = leverages.pop() if len(leverages) == 1 else None
        return SymbolModes(symbol, leverage, mode, await self.position_mode())

    async def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set in the margin mode that orders name, and read back. Raises `SettingRefused` or `ReadFailed`."""
        venue_id = await self._link.readable_id(symbol)
        mode = await self._link.margin_mode(symbol)
        params = {"instId": venue_id, "lever": to_text(leverage), "mgnMode": mode.value}
        is_split = mode is MarginMode.ISOLATED and await self.position_mode() is PositionMode.HEDGE
        for leg in ({"posSide": "long"}, {"posSide": "short"}) if is_split else ({},):
            await self._change(at.SET_LEVERAGE, params | leg)
        found = await self._leverages(symbol, mode)
        if found != {leverage}:
            shown = ", ".join(sorted(to_text(one) for one in found)) or "none"
            raise FAILURES.not_taken(f"leverage {to_text(leverage)} for {symbol}", shown)

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        """What the symbol's next orders name: OKX keeps none of a symbol. A position keeps the one it has."""
        held = {position.margin_mode for position in await self.positions() if position.symbol == symbol}
        if held - {mode}:
            raise FAILURES.not_taken(f"margin mode {mode} for {symbol}", "a position in another mode")
        self._link.keep_margin_mode(symbol, mode)

    async def set_position_mode(self, mode: PositionMode) -> None:
        await self._change(at.SET_POSITION_MODE, {"posMode": _POSITION_WORDS[mode]})
        found = await self.position_mode()
        if found is not mode:
            raise FAILURES.not_taken(f"position mode {mode}", found)

    async def position_mode(self) -> PositionMode:
        """One-way or hedge, as OKX has it for the whole account now."""
        row = await self._config()
        try:
            return _POSITION_MODES[row["posMode"]]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "the position mode") from None

    async def key_permissions(self) -> KeyPermissions:
        row = await self._config()
        try:
            rights = row["perm"].split(",")
            return KeyPermissions(
                can_read="read_only" in rights,
                can_trade_spot="trade" in rights,
                can_trade_futures="trade" in rights and row["acctLv"] != _SPOT_ONLY,
                can_withdraw="withdraw" in rights,
                ip_restricted=bool(row["ip"]),
            )
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "the key's permissions") from None

    async def server_time(self) -> datetime:
        """The venue's clock; signatures are corrected by its distance from ours.

        OKX tells an address the time ten times in two seconds, and every reading of fills begins with it.
        """
        market_type = self._link.market_types[0]
        try:
            return from_ms(
                await self._link.site.venue_ms(lambda: self._link.measure_clock(market_type), CLOCK_FRESH_S)
            )
        except CallFailed as failure:
            error = FAILURES.read_failure(failure)
        except UNREADABLE as failure:
            error = FAILURES.unreadable(failure, "its clock")
        raise error

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return await read_entries(self._link, since)

    async def _change(self, endpoint: Any, params: Mapping[str, str]) -> None:
        await self._link.change_setting(endpoint, params)

    async def _config(self) -> Mapping[str, Any]:
        rows = await self._link.rows(at.CONFIG)
        if not rows:
            raise FAILURES.unreadable(IndexError(), "the account's configuration")
        return rows[0]

    async def _leverages(self, symbol: str, mode: MarginMode) -> set[Decimal]:
        """The leverage of each leg."""
        venue_id = await self._link.readable_id(symbol)
        rows = await self._link.rows(at.LEVERAGE, {"instId": venue_id, "mgnMode": mode.value})
        try:
            found = {positive(row["lever"]) for row in rows if row["instId"] == venue_id}
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"the leverage of {symbol}") from None
        return {leverage for leverage in found if leverage is not None}
