"""Loads what planning needs of many accounts at once, and keeps it current while a batch is being planned."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from fillbook.accounts.core import Account, PositionSide
from fillbook.accounts.service import accounts_by_ids
from fillbook.kernel.money import exact
from fillbook.ledger.core.books import ACCOUNT, BookRow
from fillbook.ledger.service.open_books import books_of
from fillbook.market.core import MarketType, Side, market_type_of
from fillbook.orders.core.order import Order, OrderType
from fillbook.orders.store import rows
from fillbook.risk.core import Capital
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import Terms, load_terms
from fillbook.trading.core.wishes import Holding, LinkTerms, LiveOrder, OrderIntent, PlanContext
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.work import LegWork


@dataclass(slots=True)
class PlanBoard:
    """The state of the accounts of a batch: as loaded, and as earlier intents of the batch have left it."""

    floor: Floor
    terms: dict[int, Terms]
    capitals: dict[tuple[int, str], Capital]
    books: dict[int, list[BookRow]]
    live: dict[int, list[Order]]
    planned: dict[int, list[tuple[int | None, LiveOrder]]]
    accounts: dict[int, Account]

    @classmethod
    async def load(cls, unit: Unit, floor: Floor, works: Iterable[LegWork]) -> "PlanBoard":
        batch = list(works)
        account_ids = {work.account_id for work in batch}
        links = {work.strategy_account_id for work in batch if work.strategy_account_id is not None}
        terms = await load_terms(unit, links) if links else {}
        books: dict[int, list[BookRow]] = defaultdict(list)
        for row in await books_of(unit, account_ids):
            books[row.key.account_id].append(row)
        live: dict[int, list[Order]] = defaultdict(list)
        for order in await rows.live_of(unit, account_ids):
            live[order.account_id].append(order)
        capitals = {
            (link, currency): capital
            for link, found in terms.items()
            for currency, capital in found.capitals.items()
        }
        accounts = {account.id: account for account in await accounts_by_ids(unit, account_ids)}
        return cls(floor, terms, capitals, books, live, defaultdict(list), accounts)

    def context(self, work: LegWork) -> PlanContext:
        """What is known for one leg of work now."""
        account = self.accounts[work.account_id]
        key = market_key(account)
        instrument = self.floor.instruments.get(key, work.symbol)
        link = work.strategy_account_id
        terms = None if link is None else self.terms.get(link)
        currency = instrument.settle if instrument else ""
        owner_key = "manual" if link is None else f"link:{link}"
        books = self.books.get(work.account_id, [])
        live = self.live.get(work.account_id, [])
        planned = self.planned.get(work.account_id, [])
        return PlanContext(
            account=account,
            symbol=work.symbol,
            link=None if terms is None else _link_terms(terms),
            capital=None if link is None else self.capitals.get((link, currency)),
            instrument=instrument,
            price=self.floor.prices.fresh(key, work.symbol),
            holdings=tuple(_holding(row) for row in books if row.key.owner_key == owner_key),
            live_orders=tuple(
                [_live(order) for order in live if order.strategy_account_id == link]
                + [order for owner, order in planned if owner == link]
            ),
            net_positions=tuple(_holding(row) for row in books if row.owner == ACCOUNT),
            net_live_orders=tuple([_live(order) for order in live] + [order for _, order in planned]),
            conflicting_leverage=_conflicting_leverage(account, work, terms, books, live),
        )

    @exact
    def add(self, work: LegWork, intent: OrderIntent) -> None:
        """An intent of this batch counts for those that are planned after it."""
        reduces = not intent.reserved
        order = LiveOrder(intent.symbol, intent.side, intent.position_side, intent.quantity, reduces)
        self.planned[work.account_id].append((work.strategy_account_id, order))
        if work.strategy_account_id is not None and intent.reserved:
            key = (work.strategy_account_id, intent.currency)
            capital = self.capitals[key]
            self.capitals[key] = replace(capital, reserved=capital.reserved + intent.reserved)

    def live_of_link(self, work: LegWork, side: Side | None) -> list[Order]:
        """The live orders of a link on a symbol, of one side if it is given."""
        return [
            order
            for order in self.live.get(work.account_id, [])
            if order.strategy_account_id == work.strategy_account_id
            and order.symbol == work.symbol
            and side in (None, order.side)
        ]

    def locked_by_protection(self, work: LegWork) -> list[Order]:
        """Stops and take-profits that a close cannot pass beside: on spot they hold the coins that it would sell,
        and without reduce-only they could open the other way after it."""
        return [
            order
            for order in self.live_of_link(work, None)
            if order.parent_order_id is not None and not order.reduce_only and order.order_type.has_stop_price
        ]

    def unknown_openings(self, work: LegWork) -> list[Order]:
        """Orders of the link that may have opened a position, though nobody can say that they arrived."""
        return [
            order
            for order in self.live_of_link(work, None)
            if order.unknown_since is not None and not order.reduce_only
        ]


def _link_terms(terms: Terms) -> LinkTerms:
    return LinkTerms(
        strategy_account_id=terms.strategy_account_id,
        leverage=terms.leverage,
        max_symbols=terms.max_symbols,
        max_qty_per=terms.max_qty_per,
        max_positions=terms.max_positions,
        is_active=terms.link_is_active,
        strategy_is_active=terms.strategy_is_active,
    )


def _holding(row: BookRow) -> Holding:
    return Holding(row.key.symbol, row.key.position_side, row.book.quantity)


def _live(order: Order) -> LiveOrder:
    closes_leg = (order.position_side is PositionSide.LONG and order.side is Side.SELL) or (
        order.position_side is PositionSide.SHORT and order.side is Side.BUY
    )
    reduces = order.reduce_only or closes_leg or not order.reserved
    return LiveOrder(
        order.symbol, order.side, order.position_side, order.remaining, reduces, _is_imminent(order)
    )


def _is_imminent(order: Order) -> bool:
    """Whether an order is about to execute, or holds the coins that it would sell; see `LiveOrder`."""
    if order.order_type is OrderType.MARKET or order.market_type is MarketType.SPOT:
        return True
    if not order.reduce_only:
        return True  # it could open the other way, once the position is gone
    return order.acknowledged_at is None and not order.order_type.has_stop_price


def _conflicting_leverage(
    account: Account, work: LegWork, terms: Terms | None, books: Iterable[BookRow], live: Iterable[Order]
) -> Decimal | None:
    """Another link's leverage on the same symbol of the account, when it is open and differs."""
    if terms is None or market_type_of(work.symbol) is MarketType.SPOT:
        return None
    others = [
        row.leverage
        for row in books
        if row.key.symbol == work.symbol
        and row.owner.strategy_account_id not in (None, terms.strategy_account_id)
    ]
    others += [
        order.leverage
        for order in live
        if order.symbol == work.symbol
        and order.strategy_account_id not in (None, terms.strategy_account_id)
        and order.reserved
    ]
    return next((leverage for leverage in others if leverage != terms.leverage), None)
