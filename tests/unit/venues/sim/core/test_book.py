"""The synthetic market maker's ladder and the merged view of the book."""

from decimal import Decimal

from fillbook.market.core import Side
from fillbook.venues.sim.core.book import Depth


def test_the_ladder_is_shaped_as_told(new_floor):
    depth = Depth(levels=3, half_spread_ticks=5, step_ticks=2, level_quantity=Decimal(1))
    book = new_floor(depth).exchange.markets["BTC/USDT"].book
    assert [price for price, _ in book.depth(Side.BUY, 10)] == [
        Decimal("59999.95"),
        Decimal("59999.93"),
        Decimal("59999.91"),
    ]
    assert [price for price, _ in book.depth(Side.SELL, 10)] == [
        Decimal("60000.05"),
        Decimal("60000.07"),
        Decimal("60000.09"),
    ]


def test_depth_merges_orders_and_quotes_of_one_price(floor):
    floor.order(floor.alice, Side.BUY, "1", "59999.99")
    floor.order(floor.alice, Side.BUY, "2", "60000")
    price, quantity = floor.exchange.markets["BTC/USDT"].book.depth(Side.BUY, 2)[1]
    assert (price, quantity) == (Decimal("59999.99"), Decimal("17.66666"))


def test_quotes_that_were_taken_come_back_only_where_they_refill(new_floor, thin_floor):
    for floor, left in ((new_floor(None), "16.66666"), (thin_floor("0.5"), None)):
        floor.order(floor.alice, Side.BUY, "0.5")
        asks = floor.exchange.markets["BTC/USDT"].book.depth(Side.SELL, 1)
        assert [str(quantity) for _, quantity in asks] == ([left] if left else [])
