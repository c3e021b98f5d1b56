import inspect
import logging
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import Environment, LedgerEntryKind, MarginMode, PositionMode, PositionSide
from fillbook.kernel.clock import SystemClock
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, Side, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.orders.core.order import Book, OrderRef, OrderStatus, OrderType
from fillbook.trading.ports import Venue

PERP = "BTC/USDT:USDT"


def since(minutes=5):
    return datetime.now(UTC) - timedelta(minutes=minutes)


PORT_METHODS = [name for name, value in vars(Venue).items() if inspect.isfunction(value) and name[0] != "_"]


@pytest.mark.parametrize("name", PORT_METHODS)
async def test_the_adapter_has_the_ports_methods_with_the_ports_parameters(desk, name):
    wanted, found = (
        inspect.signature(getattr(Venue, name)),
        inspect.signature(getattr(type(desk.venue), name)),
    )
    assert [each.replace(annotation="") for each in found.parameters.values()] == [
        each.replace(annotation="") for each in wanted.parameters.values()
    ]
    assert inspect.iscoroutinefunction(getattr(desk.venue, name)) == inspect.iscoroutinefunction(
        getattr(Venue, name)
    )


@pytest.mark.parametrize("market_type", list(MarketType))
async def test_instruments_are_the_exchanges_own(desk, market_type):
    found = {row.symbol: row for row in await desk.venue.instruments(market_type)}
    listed = {
        symbol: market.listing.instrument
        for symbol, market in desk.exchange.markets.items()
        if market.listing.market_type is market_type
    }
    assert found.keys() == listed.keys()
    for symbol, instrument in listed.items():
        for rule in ("tick", "lot", "min_quantity", "min_notional", "base", "quote", "settle", "venue"):
            assert getattr(found[symbol], rule) == getattr(instrument, rule), (symbol, rule)


@pytest.mark.wire
async def test_accounts_share_one_list_of_instruments(desk):
    other = desk.open(desk.credentials())
    await desk.venue.instruments(MarketType.SPOT)
    await other.instruments(MarketType.SPOT)
    assert len(desk.asked(desk.wire.instruments)) == 1


async def test_an_unknown_order_is_none_and_not_an_error(desk, symbol):
    for book in desk.traits.books(market_type_of(symbol)):
        for exchange_id in (None, "999"):
            assert await desk.venue.find_order(OrderRef(symbol, "fbnever", exchange_id, book)) is None


@pytest.mark.parametrize("kind", ["drop_before_accept", "garbage", "rate_limit"])
async def test_a_failed_look_up_raises_instead_of_saying_not_found(desk, symbol, kind):
    ref = await desk.rest(symbol)
    desk.fault(kind, desk.wire.find, n=4)
    with pytest.raises(ReadFailed) as failed:
        await desk.venue.find_order(ref)
    assert not isinstance(failed.value, CredentialsRefused)


async def test_open_orders_are_all_that_rest(desk, symbol):
    refs = [await desk.rest(symbol) for _ in range(3)]
    live = await desk.venue.open_orders(market_type_of(symbol), Book.NORMAL)
    assert {row.exchange_order_id for row in live} == {ref.exchange_order_id for ref in refs}
    assert {(row.symbol, row.status) for row in live} == {(symbol, OrderStatus.NEW)}


async def test_orders_since_hold_ended_orders_too(desk, symbol, new_order):
    kept = await desk.rest(symbol)
    ended = await desk.rest(symbol)
    await desk.venue.cancel(ended)
    found = {
        row.exchange_order_id: row for row in await desk.venue.orders_since(symbol, since(), Book.NORMAL)
    }
    assert found[kept.exchange_order_id].status is OrderStatus.NEW
    assert found[ended.exchange_order_id].status is OrderStatus.CANCELED
    assert found[ended.exchange_order_id].client_order_id == ended.client_order_id


async def test_fills_since_a_time_and_after_an_id(desk, symbol, new_order):
    for _ in range(3):
        await desk.venue.place(new_order(symbol, order_type=OrderType.MARKET))
    page = await desk.venue.fills_since(symbol, since())
    assert page.complete
    assert len(page.fills) == len(desk.account.fills)
    rest = await desk.venue.fills_since(symbol, since(), page.fills[0].venue_fill_id)
    assert all(fill in rest.fills for fill in page.fills[1:])
    end = await desk.venue.fills_since(symbol, since(), page.fills[-1].venue_fill_id)
    if desk.wire.reads_on_by_id:
        assert (rest.fills, end.fills) == (page.fills[1:], ())


async def test_the_fills_of_a_liquidation_are_of_its_kind(desk, new_order):
    await desk.venue.set_leverage(PERP, Decimal(100))
    await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET, quantity=Decimal(50)))
    desk.exchange.set_price(PERP, Decimal(40_000))
    forced = next(fill for fill in desk.account.fills if fill.kind is FillKind.LIQUIDATION)
    page = await desk.venue.fills_of_order(PERP, desk.wire.order_id(desk.exchange.orders[forced.order_id]))
    assert {fill.kind for fill in page.fills} == {FillKind.LIQUIDATION}
    assert page.complete


async def test_what_the_venue_forces_is_among_the_fills(desk, new_order):
    await desk.venue.set_leverage(PERP, Decimal(100))
    await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET, quantity=Decimal(50)))
    desk.exchange.deleverage(desk.account, PERP, PositionSide.NET, Decimal(1))
    desk.exchange.set_price(PERP, Decimal(40_000))
    assert {fill.kind for fill in desk.account.fills} == {FillKind.TRADE, FillKind.ADL, FillKind.LIQUIDATION}
    page = await desk.venue.fills_since(PERP, since())
    assert {fill.venue_fill_id for fill in page.fills} == {
        desk.wire.fill_id(fill) for fill in desk.account.fills
    }


async def test_an_old_window_without_fills_points_to_the_next(desk, symbol, new_order):
    await desk.venue.place(new_order(symbol, order_type=OrderType.MARKET))
    cursor, found = since(minutes=20 * 24 * 60), set()
    for _ in range(30):
        page = await desk.venue.fills_since(symbol, cursor)
        found |= {fill.venue_fill_id for fill in page.fills}
        if page.complete:
            break
        assert page.next_since > cursor
        cursor = page.next_since
    assert page.complete
    assert found == {desk.wire.fill_id(fill) for fill in desk.account.fills}


@pytest.mark.wire
async def test_more_fills_than_a_page_are_all_read_though_they_share_a_millisecond(
    desk, symbol, new_order, monkeypatch
):
    for page_size in desk.wire.page_sizes:
        monkeypatch.setattr(page_size, 4)
    monkeypatch.setattr(desk.exchange, "now_ms", lambda stopped=desk.exchange.now_ms(): stopped)
    for _ in range(11):
        await desk.venue.place(new_order(symbol, order_type=OrderType.MARKET))
    page = await desk.venue.fills_since(symbol, since())
    found = {fill.venue_fill_id for fill in page.fills}
    for _ in range(20):
        if page.complete:
            break
        page = await desk.venue.fills_since(symbol, since(), page.next_from_id)
        found |= {fill.venue_fill_id for fill in page.fills}
    assert page.complete
    assert found == {desk.wire.fill_id(fill) for fill in desk.account.fills}


async def test_balances_are_what_the_venue_holds(desk, symbol):
    deposited = 200_000 if desk.wire.shares_one_wallet else 100_000
    balances = {row.asset: row for row in await desk.venue.balances(market_type_of(symbol))}
    assert balances["USDT"].total == deposited
    await desk.rest(symbol)
    balances = {row.asset: row for row in await desk.venue.balances(market_type_of(symbol))}
    assert balances["USDT"].total == deposited
    assert balances["USDT"].locked > 0


async def test_positions_are_signed_and_absent_when_flat(desk, new_order):
    assert await desk.venue.positions() == []
    await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET, side=Side.SELL))
    (position,) = await desk.venue.positions()
    assert (position.symbol, position.quantity) == (PERP, Decimal("-0.01"))
    assert position.entry_price > 0


async def test_modes_are_set_and_read_back_and_setting_them_again_is_no_error(desk):
    for _ in range(2):
        await desk.venue.set_leverage(PERP, Decimal(7))
        await desk.venue.set_margin_mode(PERP, MarginMode.ISOLATED)
        await desk.venue.set_position_mode(PositionMode.HEDGE)
    modes = await desk.venue.symbol_modes(PERP)
    assert (modes.leverage, modes.margin_mode, modes.position_mode) == (
        7,
        MarginMode.ISOLATED,
        PositionMode.HEDGE,
    )


async def test_a_leverage_that_the_venue_refuses_is_an_error_with_its_reason(desk):
    with pytest.raises(SettingRefused, match=desk.wire.leverage_refusal):
        await desk.venue.set_leverage(PERP, Decimal(500))


async def test_funding_and_deposits_are_ledger_entries(desk, new_order):
    await desk.venue.place(new_order(PERP, order_type=OrderType.MARKET))
    desk.exchange.fund(PERP, Decimal("0.0001"))
    entries = await desk.venue.ledger_entries_since(since())
    (funding,) = [entry for entry in entries if entry.kind is LedgerEntryKind.FUNDING]
    assert (funding.symbol, funding.asset) == (PERP, "USDT")
    assert funding.amount < 0
    arrived = [
        entry for entry in entries if entry.kind in (LedgerEntryKind.DEPOSIT, LedgerEntryKind.TRANSFER)
    ]
    assert {(entry.asset, entry.amount) for entry in arrived} >= {("BTC", 1), ("USDT", 100_000)}


async def test_what_a_key_may_do_is_read(desk):
    permissions = await desk.venue.key_permissions()
    assert permissions.can_trade_spot
    assert permissions.can_trade_futures
    assert permissions.can_withdraw is False


async def test_the_venues_clock_is_read(desk):
    assert abs(await desk.venue.server_time() - datetime.now(UTC)) < timedelta(seconds=5)


async def test_a_price_is_read_for_both_markets(desk, symbol):
    price = await desk.venue.price(symbol)
    assert price.symbol == symbol
    assert abs(price.last - 60_000) < 100


@pytest.mark.parametrize(
    ("api_key", "secret"), [("k" * 64, "wrong" * 12), ("unknown" * 9, "s" * 64)], ids=["secret", "key"]
)
async def test_a_refused_key_says_so_and_shows_no_secret(desk, symbol, api_key, secret, caplog):
    credentials = desk.credentials(api_key, secret)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "aiohttp.access")  # the simulated exchange's own log
    with pytest.raises(CredentialsRefused) as refused:
        await desk.open(credentials).balances(market_type_of(symbol))
    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    for secret in (credentials.api_key, credentials.secret, "signature="):
        assert secret not in told


async def test_no_secret_is_in_any_trace_of_a_failed_request(desk, symbol, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "aiohttp.access")  # the simulated exchange's own log
    await desk.venue.instruments(market_type_of(symbol))
    desk.fault("drop_before_accept", n=4)
    with pytest.raises(ReadFailed) as failed:
        await desk.venue.balances(market_type_of(symbol))
    chain, error = [], failed.value
    while error is not None:
        chain.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    for secret in ("k" * 64, "s" * 64, "signature="):
        assert secret not in "".join(chain) + caplog.text


@pytest.mark.wire
async def test_a_wrong_clock_is_corrected_and_the_read_goes_through(desk, symbol):
    desk.refuse_the_clock(desk.wire.balances)
    balances = await desk.venue.balances(market_type_of(symbol))
    assert balances
    assert desk.asked(desk.wire.clock)


async def test_one_account_has_only_its_market_types(desk):
    spot_only = desk.open(desk.credentials(), market_types=(MarketType.SPOT,))
    assert await spot_only.positions() == ()


@pytest.mark.wire
async def test_a_demo_key_is_tried_where_its_venue_has_no_page_of_permissions(desk):
    if Environment.DEMO in desk.wire.has_wallet_pages:
        return
    demo = desk.elsewhere(SystemClock(), environment=Environment.DEMO)
    permissions = await demo.venue.key_permissions()
    assert (permissions.can_trade_spot, permissions.can_trade_futures) == (True, True)
    assert permissions.can_withdraw is None
    assert not any(one.path.startswith("/sapi/") for one in desk.requests())
    with pytest.raises(CredentialsRefused):
        await demo.open(desk.credentials("unknown" * 9)).key_permissions()
    await demo.venues.close()


@pytest.mark.wire
async def test_a_live_account_behind_a_stand_in_reads_its_ledger_too(desk):
    live = desk.elsewhere(SystemClock(), environment=Environment.LIVE)
    entries = await live.venue.ledger_entries_since(since())
    assert {entry.kind for entry in entries} & {LedgerEntryKind.DEPOSIT, LedgerEntryKind.TRANSFER}
    await live.venues.close()
