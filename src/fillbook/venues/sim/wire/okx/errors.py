"""OKX's refusals: code, sentence and HTTP status, and what each refusal of the core is called there.

What stands at the door (keys, limits, parameters) refuses the whole request; what an order meets is said in its
own row, `sCode` and `sMsg`, beside a top code of 1 (all rows failed) or 2 (some did).
"""

from fillbook.venues.sim.core.vocabulary import Refusal


class OkxError(Exception):
    """A refusal of the whole request, `{"code", "msg", "data": []}`, with its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


class RowRefused(OkxError):
    """What one order of a request met."""


def empty(name: str) -> OkxError:
    return OkxError("50014", f"Parameter {name} can not be empty.", 400)


def wrong(name: str) -> RowRefused:
    return RowRefused("51000", f"Parameter {name} error")


UNKNOWN_INSTRUMENT = ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
UNKNOWN_ORDER = ("51603", "Order does not exist")
CANCEL_UNKNOWN = ("51400", "Cancellation failed as the order has been filled, canceled or does not exist.")
CANCEL_CANCELED = ("51401", "Cancellation failed as the order is already canceled.")
CANCEL_FILLED = ("51402", "Cancellation failed as the order is already completed.")
CANCEL_TRIGGERED = ("51412", "The order has been triggered and cannot be cancelled.")
AMEND_UNKNOWN = ("51503", "Your order has already been filled, canceled or does not exist.")
AMEND_CANCELED = ("51509", "Modification failed as the order has been canceled.")
AMEND_FILLED = ("51510", "Modification failed as the order has been completed.")
NOT_PERMITTED = ("50120", "This API key doesn't have permission to use this function.", 401)
MODE_LOCKED = (
    "59000",
    "Setting failed. Cancel any open orders, close positions, and stop trading bots first.",
)

_REFUSALS: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_SYMBOL: UNKNOWN_INSTRUMENT,
    Refusal.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Refusal.DUPLICATE_CLIENT_ID: ("51016", "Client order ID already exists."),
    Refusal.INSUFFICIENT_BALANCE: ("51008", "Order failed. Your available balance is insufficient."),
    Refusal.INSUFFICIENT_MARGIN: ("51008", "Order failed. Your available margin is insufficient."),
    Refusal.PRICE_RANGE: ("51006", "Order price is not within the price limit."),
    Refusal.PRICE_TICK: ("51000", "Parameter px error"),
    Refusal.QUANTITY_ZERO: ("51000", "Parameter sz error"),
    Refusal.QUANTITY_RANGE: ("51020", "Your order should meet or exceed the minimum order amount."),
    Refusal.QUANTITY_LOT: ("51121", "Order quantity must be a multiple of the lot size."),
    Refusal.MIN_NOTIONAL: ("51020", "Your order should meet or exceed the minimum order amount."),
    Refusal.REDUCE_ONLY: (
        "51169",
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
    ),
    Refusal.POSITION_SIDE: ("51000", "Parameter posSide error"),
    Refusal.LEVERAGE_RANGE: ("59102", "Leverage exceeds the maximum limit. Please lower the leverage."),
    Refusal.LEVERAGE_NEEDS_MARGIN: (
        "59108",
        "Your account leverage is too low and has insufficient margin. Please increase the leverage.",
    ),
    Refusal.HAS_POSITIONS: MODE_LOCKED,
    Refusal.HAS_ORDERS: MODE_LOCKED,
    Refusal.AMEND_BELOW_FILLED: ("51506", "Order modification unavailable for the order type."),
    Refusal.NOTHING_TO_AMEND: ("51500", "You must enter a price, quantity, or TP/SL."),
}


def from_refusal(reason: Refusal) -> RowRefused:
    return RowRefused(*_REFUSALS[reason])
