"""The table of fates, case by case: the documentation of what an answer means is this list."""

from dataclasses import replace

import pytest

from fillbook.market.core import VenueName
from fillbook.orders.core.outcomes import Rejected, Unknown
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.outcomes import OUTCOME_TABLE, outcome_of

UNKNOWN = {
    VenueName.BINANCE: [
        ("-2010", "Duplicate order sent.", errors.InvalidOrder),
        ("-4116", "ClientOrderId is duplicated.", errors.InvalidOrder),
        ("-1000", "An unknown error occurred while processing the request.", errors.OperationFailed),
        ("-1001", "Internal error; unable to process your request.", errors.OperationFailed),
        ("-1006", "An unexpected response was received.", errors.OperationFailed),
        ("-1007", "Timeout waiting for response from backend server.", errors.RequestTimeout),
        ("-1008", "Server is currently overloaded.", errors.OperationFailed),
        ("-1008", "Server is currently overloaded.", errors.ExchangeError),
        ("-5027", "No need to modify the order.", errors.OperationRejected),
        ("-2021", "Order cancel-replace partially failed.", errors.BadResponse),
        ("http_503", "HTTP 503", errors.ExchangeNotAvailable),
        ("RequestTimeout", "", errors.RequestTimeout),
        ("ExchangeNotAvailable", "", errors.ExchangeNotAvailable),
        ("BadResponse", "", errors.BadResponse),
        ("-99999", "a code nobody knows", errors.ExchangeError),
        ("BaseError", "", errors.BaseError),
    ],
    VenueName.BYBIT: [
        ("110072", "OrderLinkedID is duplicate", errors.InvalidOrder),
        ("170141", "Duplicate clientOrderId", errors.InvalidOrder),
        ("110030", "Duplicate orderId", errors.InvalidOrder),
        ("10014", "Invalid duplicate request.", errors.BadRequest),
        ("429", "The trading service is experiencing a high server load.", errors.ExchangeError),
        ("10000", "Server Timeout", errors.ExchangeError),
        ("10016", "Internal server error", errors.ExchangeError),
        ("10016", "Service is restarting", errors.OnMaintenance),
        ("10429", "System level frequency protection", errors.ExchangeError),
        ("170007", "Timeout waiting for response from backend server.", errors.RequestTimeout),
        ("170146", "Order creation timeout", errors.InvalidOrder),
        ("170147", "Order cancellation timeout", errors.InvalidOrder),
        (
            "110079",
            "The order is processing and can not be operated, please try again later",
            errors.InvalidOrder,
        ),
        ("http_502", "HTTP 502", errors.ExchangeNotAvailable),
        ("98765", "a code nobody knows", errors.ExchangeError),
    ],
    VenueName.OKX: [
        ("51016", "Client order ID already exists.", errors.InvalidOrder),
        ("50004", "API endpoint request timeout", errors.RequestTimeout),
        ("50013", "System is busy, please try again later.", errors.ExchangeNotAvailable),
        ("50026", "System error, please try again later.", errors.ExchangeNotAvailable),
        ("51149", "Order timed out. Please try again later.", errors.ExchangeError),
        (
            "51410",
            "Cancellation failed as the order is already under cancelling status",
            errors.CancelPending,
        ),
        ("50001", "Service temporarily unavailable. Try again later", errors.OnMaintenance),
        ("59999", "a code nobody knows", errors.ExchangeError),
    ],
    VenueName.BITGET: [
        ("40786", "Duplicate clientOid", errors.ExchangeError),
        ("43118", "clientOrderId duplicate", errors.ExchangeError),
        ("45034", "clientOid duplicate", errors.ExchangeError),
        ("50060", "Duplicated clientOid", errors.ExchangeError),
        ("40500", "Client_oid check error", errors.InvalidOrder),
        ("40708", "Parameter verification is abnormal", errors.BadRequest),
        ("40010", "Request timed out", errors.AuthenticationError),
        ("40015", "System is abnormal, please try again later", errors.ExchangeError),
        ("40725", "service return an error", errors.ExchangeError),
        ("45001", "Unknown error", errors.ExchangeError),
        ("40808", "Parameter verification exception", errors.InvalidOrder),
        ("40200", "Server upgrade, please try again later", errors.OnMaintenance),
        ("http_504", "HTTP 504", errors.RequestTimeout),
        ("43002", "Pending order failed", errors.ExchangeError),
        ("99999", "a code nobody knows", errors.ExchangeError),
    ],
}
NOT_DONE = {
    VenueName.BINANCE: [
        ("-2010", "Account has insufficient balance for requested action.", errors.InsufficientFunds),
        ("-2010", "Order would immediately match and take.", errors.OrderImmediatelyFillable),
        ("-1013", "Filter failure: NOTIONAL", errors.BadRequest),
        ("-2011", "Unknown order sent.", errors.OrderNotFound),
        ("-2019", "Margin is insufficient.", errors.InsufficientFunds),
        ("-2021", "Order would immediately trigger.", errors.OrderImmediatelyFillable),
        ("-2022", "ReduceOnly Order is rejected.", errors.InvalidOrder),
        ("-2022", "Order cancel-replace failed.", errors.BadResponse),
        ("-2015", "Invalid API-key, IP, or permissions for action.", errors.AuthenticationError),
        ("-2015", "Invalid API-key, IP, or permissions for action.", errors.DDoSProtection),
        ("-1021", "Timestamp for this request is outside of the recvWindow.", errors.InvalidNonce),
        ("-1003", "Too many requests.", errors.RateLimitExceeded),
        ("-1015", "Too many new orders.", errors.RateLimitExceeded),
        ("-1003", "Way too many requests; IP banned.", errors.DDoSProtection),
        ("-1121", "Invalid symbol.", errors.BadSymbol),
        ("-5022", "Post only order will be rejected.", errors.OrderNotFillable),
    ],
    VenueName.BYBIT: [
        ("110007", "ab not enough for new order", errors.InsufficientFunds),
        ("170131", "Insufficient balance.", errors.InsufficientFunds),
        ("110001", "order not exists or too late to cancel", errors.OrderNotFound),
        ("170213", "Order does not exist.", errors.OrderNotFound),
        ("110017", "current position is zero", errors.InvalidOrder),
        ("10001", "params error", errors.BadRequest),
        ("10003", "API key is invalid.", errors.AuthenticationError),
        ("10006", "Too many visits.", errors.RateLimitExceeded),
        ("170005", "Too many new orders", errors.InvalidOrder),
        ("10009", "IP has been banned.", errors.AuthenticationError),
        ("110063", "Settlement in progress!", errors.ExchangeError),
        ("110066", "No trading is allowed at the current time", errors.ExchangeError),
        ("110064", "The modified quantity is not above the filled one", errors.InvalidOrder),
        ("http_403", "HTTP 403", errors.RateLimitExceeded),
        ("10002", "invalid request, please check your timestamp", errors.InvalidNonce),
    ],
    VenueName.OKX: [
        ("51008", "Order failed. Your available balance is insufficient.", errors.InsufficientFunds),
        ("51000", "Parameter posSide error", errors.BadRequest),
        ("51400", "Cancellation failed as the order does not exist.", errors.OrderNotFound),
        ("51401", "Cancellation failed as the order is already canceled.", errors.OrderNotFound),
        ("51402", "Cancellation failed as the order is already completed.", errors.OrderNotFound),
        ("51169", "You don't have any positions in this direction.", errors.ExchangeError),
        ("51170", "A reduce-only order can't be of this side.", errors.ExchangeError),
        ("51506", "Order modification unavailable for the order type.", errors.ExchangeError),
        ("51510", "Modification failed as the order has been completed.", errors.ExchangeError),
        ("50113", "Invalid Sign", errors.AuthenticationError),
        ("50119", "API key doesn't exist", errors.ExchangeError),
        ("50120", "This API key doesn't have permission to use this function.", errors.ExchangeError),
        ("50011", "Too Many Requests", errors.RateLimitExceeded),
        ("50061", "Order rate limit reached.", errors.ExchangeError),
        ("51023", "Position does not exist.", errors.ExchangeError),
        ("51025", "Order count exceeds the limit.", errors.ExchangeError),
        ("51033", "The total amount per order has reached the limit.", errors.ExchangeError),
        ("51037", "Only IOC orders that reduce risk are supported now.", errors.ExchangeError),
        ("51038", "There is such an IOC order already.", errors.ExchangeError),
        ("51058", "No position.", errors.ExchangeError),
        ("51148", "ReduceOnly cannot increase the position quantity.", errors.ExchangeError),
        ("51150", "The precision of the size or the price exceeds the limit.", errors.ExchangeError),
        ("51206", "Cancel the reduce-only order first.", errors.ExchangeError),
        ("51299", "You can hold maximum {0} orders of this type.", errors.ExchangeError),
        ("51412", "The order has been triggered and cannot be cancelled.", errors.ExchangeError),
        ("51508", "Orders cannot be modified during the call auction.", errors.ExchangeError),
        ("51511", "The order price did not meet the requirement for post only.", errors.ExchangeError),
        ("51513", "Too many modification requests are in progress.", errors.ExchangeError),
        ("50017", "The position is frozen due to ADL.", errors.ExchangeError),
        ("50018", "The currency is frozen due to ADL.", errors.ExchangeError),
        ("50019", "The account is frozen due to ADL.", errors.ExchangeError),
        ("50020", "The position is frozen due to liquidation.", errors.ExchangeError),
        ("50021", "The currency is frozen due to liquidation.", errors.ExchangeError),
        ("50022", "The account is frozen due to liquidation.", errors.ExchangeError),
        ("50023", "Funding fee frozen.", errors.ExchangeError),
        ("51032", "Closing all positions at market price.", errors.ExchangeError),
        ("50102", "Timestamp request expired", errors.InvalidNonce),
    ],
    VenueName.BITGET: [
        ("403", "Access prohibited", errors.PermissionDenied),
        ("40754", "balance not enough", errors.ExchangeError),
        ("40755", "Not enough open positions are available.", errors.ExchangeError),
        ("40756", "The balance lock is insufficient.", errors.ExchangeError),
        ("40757", "Not enough position is available.", errors.ExchangeError),
        ("22002", "No position to close", errors.ExchangeError),
        ("22006", "limit price > risk price", errors.ExchangeError),
        ("22007", "limit price < risk price", errors.ExchangeError),
        ("22008", "market price > risk price", errors.ExchangeError),
        ("22009", "market price < risk price", errors.ExchangeError),
        ("22034", "Less than the minimum order amount", errors.ExchangeError),
        ("22038", "Please enter the quantity as an integral multiple", errors.ExchangeError),
        ("22042", "trigger order cannot only reduce positions", errors.ExchangeError),
        ("25213", "reduce only", errors.ExchangeError),
        ("43023", "Insufficient position", errors.ExchangeError),
        ("43008", "The price is too low", errors.ExchangeError),
        ("43009", "The price is too high", errors.ExchangeError),
        ("43028", "Please enter an integer multiple for price", errors.ExchangeError),
        ("43037", "The minimum order quantity", errors.ExchangeError),
        ("43038", "The maximum order quantity", errors.ExchangeError),
        ("43039", "Maximum price limit exceeded", errors.ExchangeError),
        ("43040", "Minimum price limit exceeded", errors.ExchangeError),
        ("45111", "less than the minimum order quantity", errors.ExchangeError),
        ("45112", "more than the maximum order quantity", errors.ExchangeError),
        ("45113", "Maximum order value limit triggered", errors.ExchangeError),
        ("45115", "The price you enter should be a multiple", errors.ExchangeError),
        ("22001", "No order to cancel", errors.ExchangeError),
        ("25204", "Order does not exist", errors.ExchangeError),
        ("43004", "There is no order to cancel", errors.ExchangeError),
        ("43012", "Insufficient balance", errors.InsufficientFunds),
        ("40762", "The order amount exceeds the balance", errors.InsufficientFunds),
        ("45110", "less than the minimum amount 5 USDT", errors.InvalidOrder),
        ("40768", "Order does not exist", errors.OrderNotFound),
        ("43001", "The order does not exist", errors.OrderNotFound),
        ("40109", "The data of the order cannot be found", errors.OrderNotFound),
        ("43025", "Plan order does not exist", errors.InvalidOrder),
        ("40009", "sign signature error", errors.AuthenticationError),
        ("429", "Too many requests", errors.DDoSProtection),
        ("http_429", "HTTP 429", errors.RateLimitExceeded),
        ("40008", "Request timestamp expired", errors.InvalidNonce),
    ],
}


# Refused at the door, though ccxt has no class for it.
DOOR_CODES = {
    "170005",
    "50061",
    "403",
    "10009",
    "50017",
    "50018",
    "50019",
    "50020",
    "50021",
    "50022",
    "50023",
    "51032",
}


def flat(table):
    return [(venue, *case) for venue, cases in table.items() for case in cases]


@pytest.mark.parametrize(("venue", "code", "message", "kind"), flat(UNKNOWN))
def test_what_proves_nothing_is_unknown(venue, code, message, kind):
    assert outcome_of(venue, CallFailed(kind, code, message)) == Unknown(code, message)


@pytest.mark.parametrize(("venue", "code", "message", "kind"), flat(NOT_DONE))
def test_a_strict_refusal_is_rejected_with_the_venues_code(venue, code, message, kind):
    outcome = outcome_of(venue, CallFailed(kind, code, message))
    at_the_door = issubclass(kind, (errors.RateLimitExceeded, errors.DDoSProtection, errors.InvalidNonce))
    assert isinstance(outcome, Rejected)
    assert replace(outcome, doubts_key=False) == Rejected(
        code, message, for_now=at_the_door or code in DOOR_CODES
    )


def test_what_was_never_sent_is_rejected_whatever_its_class():
    failure = CallFailed(errors.RequestTimeout, "rate_limited", "Not sent.", sent=False)
    assert outcome_of(VenueName.BINANCE, failure) == Rejected("rate_limited", "Not sent.", for_now=True)


def test_binances_codes_mean_nothing_at_another_venue():
    failure = CallFailed(errors.InvalidOrder, "-4116", "something else")
    assert isinstance(outcome_of(VenueName.OKX, failure), Rejected)


@pytest.mark.parametrize("row", OUTCOME_TABLE, ids=range(len(OUTCOME_TABLE)))
def test_every_row_of_the_table_decides_some_case(row):
    cases = [
        (venue, CallFailed(kind, code, message))
        for venue, code, message, kind in flat(UNKNOWN) + flat(NOT_DONE)
    ]
    cases.append((VenueName.BINANCE, CallFailed(errors.DuplicateOrderId, "x", "")))
    decided = [
        next((each for each in OUTCOME_TABLE if each.matches(venue, failure)), None)
        for venue, failure in cases
    ]
    assert row in decided


@pytest.mark.parametrize(
    ("venue", "code", "kind", "doubts"),
    [
        (VenueName.BINANCE, "-2015", errors.AuthenticationError, True),
        (VenueName.BINANCE, "-2015", errors.DDoSProtection, True),
        (VenueName.OKX, "50120", errors.ExchangeError, True),
        (VenueName.BYBIT, "10005", errors.PermissionDenied, True),
        (VenueName.BINANCE, "-2019", errors.InsufficientFunds, False),
        (VenueName.BINANCE, "-1003", errors.RateLimitExceeded, False),
    ],
)
def test_a_refusal_that_may_be_of_the_key_says_so(venue, code, kind, doubts):
    outcome = outcome_of(venue, CallFailed(kind, code, "no"))
    assert isinstance(outcome, Rejected) and outcome.doubts_key is doubts
