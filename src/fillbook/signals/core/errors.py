"""Why an alert is refused. One class per code; every sentence says what to change in the alert.

`loc` is the path to the field at fault inside the body, as in `("orders", 2, "price")`. A refusal is never a
5xx: TradingView would send the alert again.
"""

from fillbook.kernel.errors import FillbookError

Loc = tuple[str | int, ...]


class AlertRefused(FillbookError):
    """The alert cannot be used as it is."""

    code = "invalid_alert"
    status = 422


class InvalidWebhookKey(AlertRefused):
    code = "invalid_webhook_key"
    status = 401


class BodyTooLarge(AlertRefused):
    code = "body_too_large"
    status = 413


class MalformedJson(AlertRefused):
    code = "malformed_json"
    status = 400


class MissingField(AlertRefused):
    code = "missing_field"


class InvalidField(AlertRefused):
    code = "invalid_field"


class InvalidSide(AlertRefused):
    code = "invalid_side"


class InvalidOrderType(AlertRefused):
    code = "invalid_order_type"


class PriceRequired(AlertRefused):
    code = "price_required"


class StopPriceRequired(AlertRefused):
    code = "stop_price_required"


class InvalidPrice(AlertRefused):
    code = "invalid_price"


class InvalidQuantity(AlertRefused):
    code = "invalid_quantity"


class EmptyBatch(AlertRefused):
    code = "empty_batch"


class TooManyOrders(AlertRefused):
    code = "too_many_orders"


class MixedSymbols(AlertRefused):
    code = "mixed_symbols"


class UnknownSymbol(AlertRefused):
    code = "unknown_symbol"


class SymbolOfOtherMarket(AlertRefused):
    code = "symbol_of_other_market"


class GroupMismatch(AlertRefused):
    code = "group_mismatch"


class StrategyInactive(AlertRefused):
    code = "strategy_inactive"


class OwnerInactive(AlertRefused):
    code = "owner_inactive"
