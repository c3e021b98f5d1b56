"""One leg of a signal becomes an intent, or the one reason for none."""

from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import PositionMode, PositionSide, TradingState
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.risk.core import RESERVED, Denied
from fillbook.trading.core.plan import plan, venue_leverage
from fillbook.trading.core.wishes import Holding, LiveOrder, OrderIntent, OrderWish, PlanContext
from support.trading import PERP, SPOT, a_context, a_link, an_account, an_instrument, capital_of

D = Decimal
ETH = "ETH/USDT:USDT"
NET, LONG, SHORT = PositionSide.NET, PositionSide.LONG, PositionSide.SHORT
HEDGE = an_account(position_mode=PositionMode.HEDGE)


def entry(side: Side = Side.BUY, qty_per: str = "50", **changes: Any) -> OrderWish:
    return OrderWish(**{"order_type": OrderType.MARKET, "side": side, "qty_per": D(qty_per), **changes})


def limit(side: Side, price: str, qty_per: str = "50", **changes: Any) -> OrderWish:
    return entry(side, qty_per, order_type=OrderType.LIMIT, price=D(price), **changes)


def close(qty_per: str = "-100", side: Side | None = None, **changes: Any) -> OrderWish:
    return entry(side, qty_per, **changes)  # type: ignore[arg-type]


def manual(side: Side, quantity: str, **changes: Any) -> OrderWish:
    return OrderWish(**{"order_type": OrderType.MARKET, "side": side, "quantity": D(quantity), **changes})


def held(quantity: str, side: PositionSide = NET, symbol: str = PERP) -> Holding:
    return Holding(symbol, side, D(quantity))


def live(side: Side, remaining: str, leg: PositionSide = NET, symbol: str = PERP) -> LiveOrder:
    return LiveOrder(symbol, side, leg, D(remaining), reduces=False)


def planned(wish: OrderWish, context: PlanContext) -> OrderIntent:
    outcome = plan(wish, context, TradeSource.WEBHOOK)
    assert isinstance(outcome, OrderIntent), outcome
    return outcome


def refusal(wish: OrderWish, context: PlanContext) -> Denied:
    outcome = plan(wish, context, TradeSource.WEBHOOK)
    assert isinstance(outcome, Denied), outcome
    return outcome


DENIALS: dict[str, tuple[OrderWish, PlanContext]] = {
    "account_inactive": (entry(), a_context(account=an_account(is_active=False))),
    "account_halted": (close(), a_context(account=an_account(trading_state=TradingState.HALTED))),
    "account_reduce_only": (
        entry(),
        a_context(account=an_account(trading_state=TradingState.REDUCE_ONLY)),
    ),
    "link_inactive": (entry(), a_context(link=a_link(is_active=False))),
    "leverage_conflict": (entry(), a_context(conflicting_leverage=D(3))),
    "unknown_symbol": (entry(), a_context(instrument=None)),
    "symbol_not_trading": (entry(), a_context(instrument=an_instrument(is_active=False))),
    "missing_side": (entry(None), a_context()),  # type: ignore[arg-type]
    "no_capital": (entry(), a_context(capital=None)),
    "no_price": (entry(), a_context(price=None)),
    "no_position": (close(), a_context()),
    "side_required": (
        close(),
        a_context(account=HEDGE, holdings=(held("1", LONG), held("-1", SHORT))),
    ),
    "already_closing": (
        close(),
        a_context(holdings=(held("0.01"),), live_orders=(live(Side.SELL, "0.01"),)),
    ),
    "quantity_rounds_to_zero": (entry(qty_per="1"), a_context()),
    "below_min_quantity": (
        entry(),
        a_context(instrument=an_instrument(min_quantity=D("0.1"))),
    ),
    "above_max_quantity": (
        entry(),
        a_context(instrument=an_instrument(max_quantity=D("0.019"))),
    ),
    "below_min_notional": (
        entry(),
        a_context(instrument=an_instrument(min_notional=D("1000.01"))),
    ),
    "max_symbols": (
        entry(),
        a_context(link=a_link(max_symbols=1), holdings=(held("1", symbol=ETH),)),
    ),
    "max_positions": (
        entry(),
        a_context(link=a_link(max_positions=1), holdings=(held("1", symbol=ETH),)),
    ),
    "insufficient_capital": (entry(), a_context(capital=capital_of("1000", "300", "200.1"))),
}


@pytest.mark.parametrize("code", DENIALS)
def test_each_denial_has_its_code_and_tells_the_person_why(code: str) -> None:
    wish, context = DENIALS[code]
    denied = refusal(wish, context)
    assert denied.code == code
    assert denied.reason.endswith(".") and len(denied.reason) > 20


def test_every_case_but_for_its_one_fault_would_be_planned() -> None:
    assert planned(entry(), a_context()).quantity == D("0.02")
    assert planned(close(), a_context(holdings=(held("0.02"),))).quantity == D("0.02")


def test_an_inactive_strategy_is_as_inactive_as_an_inactive_link() -> None:
    assert refusal(entry(), a_context(link=a_link(strategy_is_active=False))).code == "link_inactive"


def test_capital_of_zero_is_no_capital() -> None:
    assert refusal(entry(), a_context(capital=capital_of("0"))).code == "no_capital"


# Gates that let closes pass.


def test_an_account_that_may_only_reduce_closes_and_opens_nothing() -> None:
    context = a_context(account=an_account(trading_state=TradingState.REDUCE_ONLY), holdings=(held("0.02"),))
    assert planned(close(), context).side is Side.SELL
    assert planned(manual(Side.SELL, "0.01", reduce_only=True), context).reduce_only
    assert refusal(entry(Side.SELL), context).code == "account_reduce_only"


def test_a_leverage_conflict_does_not_keep_a_position_from_being_closed() -> None:
    assert planned(close(), a_context(conflicting_leverage=D(3), holdings=(held("0.02"),)))


def test_limits_of_symbols_and_positions_do_not_stop_an_addition_to_what_is_open() -> None:
    context = a_context(link=a_link(max_symbols=1, max_positions=1), holdings=(held("0.001"),))
    assert planned(entry(), context)


def test_an_opening_order_in_flight_counts_as_a_symbol_and_a_closing_one_does_not() -> None:
    link = a_link(max_symbols=1)
    opening = LiveOrder(ETH, Side.BUY, NET, D(1), reduces=False)
    closing = LiveOrder(ETH, Side.SELL, NET, D(1), reduces=True)
    assert refusal(entry(), a_context(link=link, live_orders=(opening,))).code == "max_symbols"
    assert planned(entry(), a_context(link=link, live_orders=(closing,)))


# Closes.


@pytest.mark.parametrize(
    ("holding", "qty_per", "side", "quantity"),
    [
        ("0.020", "-100", Side.SELL, "0.020"),
        ("0.020", "-50", Side.SELL, "0.010"),
        ("0.021", "-50", Side.SELL, "0.010"),
        ("-0.020", "-100", Side.BUY, "0.020"),
        ("-0.020", "-50", Side.BUY, "0.010"),
    ],
)
def test_a_close_takes_its_part_of_a_long_or_a_short(
    holding: str, qty_per: str, side: Side, quantity: str
) -> None:
    intent = planned(close(qty_per), a_context(holdings=(held(holding),)))
    assert (intent.side, intent.quantity, intent.position_side) == (side, D(quantity), NET)
    assert intent.reserved == 0


@pytest.mark.parametrize("said", [Side.BUY, Side.SELL])
def test_the_position_and_not_the_alert_says_which_side_closes_a_lone_position(said: Side) -> None:
    assert planned(close(side=said), a_context(holdings=(held("0.02"),))).side is Side.SELL


@pytest.mark.parametrize(
    ("said", "leg", "quantity"), [(Side.SELL, LONG, "0.020"), (Side.BUY, SHORT, "0.030")]
)
def test_in_hedge_mode_the_side_names_the_leg_that_closes(
    said: Side, leg: PositionSide, quantity: str
) -> None:
    context = a_context(account=HEDGE, holdings=(held("0.02", LONG), held("-0.03", SHORT)))
    intent = planned(close(side=said), context)
    assert (intent.side, intent.position_side, intent.quantity) == (said, leg, D(quantity))


@pytest.mark.parametrize(("side", "leg"), [(Side.BUY, LONG), (Side.SELL, SHORT)])
def test_in_hedge_mode_an_entry_opens_the_leg_of_its_side(side: Side, leg: PositionSide) -> None:
    assert planned(entry(side), a_context(account=HEDGE)).position_side is leg


def test_in_hedge_mode_spot_has_no_legs() -> None:
    assert planned(entry(), a_context(SPOT, account=HEDGE)).position_side is NET


def test_in_hedge_mode_a_close_of_one_leg_in_flight_leaves_the_other_alone() -> None:
    context = a_context(
        account=HEDGE,
        holdings=(held("0.02", LONG), held("-0.03", SHORT)),
        live_orders=(live(Side.SELL, "0.02", LONG),),
    )
    assert refusal(close(side=Side.SELL), context).code == "already_closing"
    assert planned(close(side=Side.BUY), context).quantity == D("0.030")


def test_a_close_asks_only_for_what_closes_in_flight_leave() -> None:
    context = a_context(holdings=(held("0.020"),), live_orders=(live(Side.SELL, "0.015"),))
    intent = planned(close(), context)
    assert intent.quantity == D("0.005")
    assert [step.label for step in intent.sizing][-2:] == ["not_yet_closing", RESERVED]


def test_a_close_passes_beside_what_only_waits() -> None:
    waiting = LiveOrder(PERP, Side.SELL, NET, D("0.02"), reduces=True, is_imminent=False)
    context = a_context(
        holdings=(held("0.02"),),
        live_orders=(waiting,),
        net_positions=(held("0.02"),),
        net_live_orders=(waiting,),
    )
    intent = planned(close(), context)
    assert (intent.quantity, intent.reserved, intent.reduce_only) == (D("0.02"), 0, True)


def test_orders_of_the_other_side_and_of_other_symbols_do_not_bound_a_close() -> None:
    others = (live(Side.BUY, "0.02"), live(Side.SELL, "0.02", symbol=ETH))
    assert planned(close(), a_context(holdings=(held("0.02"),), live_orders=others)).quantity == D("0.02")


# Spot.


def test_a_spot_sell_gives_back_only_what_the_strategy_holds() -> None:
    context = a_context(SPOT, holdings=(held("0.004", symbol=SPOT),))
    intent = planned(entry(Side.SELL), context)
    assert (intent.quantity, intent.reserved, intent.reduce_only) == (D("0.004"), D(0), False)


def test_a_spot_sell_counts_the_sells_in_flight() -> None:
    selling = (live(Side.SELL, "0.003", symbol=SPOT),)
    context = a_context(SPOT, holdings=(held("0.004", symbol=SPOT),), live_orders=selling)
    assert planned(entry(Side.SELL), context).quantity == D("0.001")
    assert planned(close(), context).quantity == D("0.001")


def test_a_spot_sell_without_a_holding_is_denied() -> None:
    assert refusal(entry(Side.SELL), a_context(SPOT)).code == "no_position"


# Reservation.


@pytest.mark.parametrize(
    ("leverage", "symbol", "quantity", "reserved"),
    [
        (2, PERP, "0.020", "500"),
        (10, PERP, "0.100", "500"),
        (3, PERP, "0.030", "500"),
        (9, SPOT, "0.010", "500"),
    ],
)
def test_an_entry_reserves_its_notional_over_leverage(
    leverage: int, symbol: str, quantity: str, reserved: str
) -> None:
    intent = planned(entry(), a_context(symbol, link=a_link(leverage=D(leverage))))
    assert (intent.quantity, intent.reserved) == (D(quantity), D(reserved))
    assert intent.sizing[-1].label == RESERVED and D(intent.sizing[-1].value) == intent.reserved


def test_only_the_part_of_a_flip_that_opens_reserves_capital() -> None:
    intent = planned(entry(Side.SELL), a_context(holdings=(held("0.015"),)))
    assert (intent.quantity, intent.reserved) == (D("0.020"), D("0.005") * 50000 / 2)


def test_what_orders_in_flight_may_already_close_is_not_closed_again() -> None:
    context = a_context(holdings=(held("0.015"),), live_orders=(live(Side.SELL, "0.010"),))
    assert planned(entry(Side.SELL), context).reserved == D("0.015") * 50000 / 2


def test_an_order_of_the_other_side_may_never_fill_so_it_offers_nothing_to_close() -> None:
    context = a_context(live_orders=(live(Side.BUY, "0.020"),))
    assert planned(entry(Side.SELL), context).reserved == D("0.020") * 50000 / 2


def test_a_limit_order_is_sized_and_reserved_by_its_own_price() -> None:
    intent = planned(limit(Side.BUY, "40000"), a_context(price=None))
    assert (intent.quantity, intent.reserved) == (D("0.025"), D(500))


def test_a_stop_order_is_sized_by_its_trigger() -> None:
    wish = entry(order_type=OrderType.STOP_MARKET, stop_price=D(62500))
    intent = planned(wish, a_context(price=None))
    assert (intent.quantity, intent.stop_price, intent.price) == (D("0.016"), D(62500), None)


def test_a_manual_order_has_no_link_and_reserves_nothing() -> None:
    context = a_context(link=None, capital=None)
    intent = planned(manual(Side.BUY, "0.0109"), context)
    assert (intent.quantity, intent.reserved, intent.leverage) == (D("0.010"), D(0), D(1))


# Prices.


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "40000.1"), (Side.SELL, "40000.2")])
def test_prices_round_to_the_passive_side(side: Side, price: str) -> None:
    assert planned(limit(side, "40000.15"), a_context()).price == D(price)


def test_a_stop_limit_has_both_prices_on_the_tick_and_a_market_order_neither() -> None:
    wish = entry(order_type=OrderType.STOP_LIMIT, price=D("60000.17"), stop_price=D("59999.99"))
    intent = planned(wish, a_context())
    assert (intent.price, intent.stop_price) == (D("60000.1"), D("59999.9"))
    assert planned(entry(price=D(1)), a_context()).price is None


def test_what_rests_is_good_till_cancelled_unless_said_otherwise() -> None:
    assert planned(limit(Side.BUY, "40000"), a_context()).time_in_force is TimeInForce.GTC
    wish = limit(Side.BUY, "40000", time_in_force=TimeInForce.IOC)
    assert planned(wish, a_context()).time_in_force is TimeInForce.IOC
    assert planned(entry(), a_context()).time_in_force is None


# The venue's limits.


def test_a_market_order_has_a_largest_quantity_of_its_own() -> None:
    instrument = an_instrument(max_quantity=D(1), max_market_quantity=D("0.01"))
    assert refusal(entry(), a_context(instrument=instrument)).code == "above_max_quantity"
    assert planned(limit(Side.BUY, "50000"), a_context(instrument=instrument))


def test_a_market_order_is_on_the_lot_of_market_orders() -> None:
    context = a_context(instrument=an_instrument(market_lot=D("0.015")), holdings=(held("0.02"),))
    assert planned(entry(), context).quantity == D("0.015")
    assert planned(close(), context).quantity == D("0.015")
    assert planned(limit(Side.BUY, "50000"), context).quantity == D("0.02")


def test_a_futures_close_is_free_of_the_minimum_notional_and_a_spot_sell_is_not() -> None:
    tiny = D("0.001")
    futures = a_context(instrument=an_instrument(min_notional=D(100)), holdings=(held(str(tiny)),))
    assert planned(close(), futures).quantity == tiny
    spot = a_context(
        SPOT,
        instrument=an_instrument(SPOT, min_notional=D(100)),
        holdings=(held(str(tiny), symbol=SPOT),),
    )
    assert refusal(close(), spot).code == "below_min_notional"


# reduceOnly.


@pytest.mark.parametrize(
    ("net", "in_flight", "is_sent"),
    [
        ("0.02", "0", True),
        ("0.05", "0", True),
        ("0.019", "0", False),  # another strategy is short: the venue's net is smaller
        ("0", "0", False),
        ("-0.02", "0", False),
        ("0.03", "0.01", True),
        ("0.03", "0.011", False),  # somebody else's close takes it first
    ],
)
def test_reduce_only_is_asked_only_where_the_venues_net_has_direction_and_size(
    net: str, in_flight: str, is_sent: bool
) -> None:
    context = a_context(
        holdings=(held("0.02"),),
        net_positions=(held(net),),
        net_live_orders=(live(Side.SELL, in_flight),),
    )
    assert planned(close(), context).reduce_only is is_sent


def test_reduce_only_is_asked_of_a_short_as_of_a_long() -> None:
    context = a_context(holdings=(held("-0.02"),), net_positions=(held("-0.02"),))
    assert planned(close(), context).reduce_only


def test_an_entry_and_anything_on_spot_never_ask_for_reduce_only() -> None:
    net = (held("0.05"),)
    assert not planned(entry(Side.SELL), a_context(holdings=net, net_positions=net)).reduce_only
    spot = (held("0.05", symbol=SPOT),)
    assert not planned(close(), a_context(SPOT, holdings=spot, net_positions=spot)).reduce_only


def test_in_hedge_mode_reduce_only_is_measured_on_the_leg() -> None:
    holdings = (held("0.02", LONG),)
    big_short = a_context(account=HEDGE, holdings=holdings, net_positions=(held("-1", SHORT), *holdings))
    assert planned(close(), big_short).reduce_only
    wrong_leg = a_context(account=HEDGE, holdings=holdings, net_positions=(held("0.02", SHORT),))
    assert not planned(close(), wrong_leg).reduce_only


# What is written on the intent.


def test_an_intent_says_why_the_position_will_have_ended() -> None:
    context = a_context(holdings=(held("0.02"),))
    by_alert = plan(close(), context, TradeSource.WEBHOOK)
    by_hand = plan(close(), context, TradeSource.MANUAL)
    assert isinstance(by_alert, OrderIntent) and isinstance(by_hand, OrderIntent)
    assert (by_alert.exit_reason, by_hand.exit_reason) == (ExitReason.SIGNAL_REVERSE, ExitReason.MANUAL)


@pytest.mark.parametrize(("leverage", "at_venue"), [("1", 1), ("2.1", 3), ("3", 3)])
def test_a_venue_is_given_the_next_whole_leverage(leverage: str, at_venue: int) -> None:
    assert venue_leverage(D(leverage)) == at_venue
