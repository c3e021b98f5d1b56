"""What each venue's matching engine does its own way, with or without a wire in front of it."""

from collections.abc import Mapping
from types import MappingProxyType

from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.matching import Policy

POLICIES: Mapping[VenueName, Policy] = MappingProxyType(
    {
        VenueName.BINANCE: Policy(refuses_unfillable_fok=frozenset({MarketType.FUTURES})),
        VenueName.BYBIT: Policy(
            refuses_taking_post_only=False, reserves_conditionals=False, has_unified_wallet=True
        ),
        VenueName.OKX: Policy(refuses_taking_post_only=False, has_unified_wallet=True),
        VenueName.BITGET: Policy(refuses_taking_post_only=False),
    }
)
