"""Why a strategy, a link or a capital is refused."""

from fillbook.kernel.errors import Conflict, InvalidInput


class InvalidStrategy(InvalidInput):
    code = "invalid_strategy"


class InvalidLink(InvalidInput):
    code = "invalid_link"


class SpotHasNoLeverage(InvalidInput):
    code = "spot_has_no_leverage"


class MarketNotTraded(InvalidInput):
    code = "market_not_traded"


class AlreadyLinked(Conflict):
    code = "already_linked"


class InvalidCapital(InvalidInput):
    code = "invalid_capital"
