"""What is new among fills that arrive, and what they put out of force.

A fill whose key is booked changes nothing, unless the venue's record (REST) or its explicit word has another
content: that is booked as a correction. What a stream or an answer repeats is never believed against a record.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import Fill, FillAmendment, FillKey, FillSource, OrderKey
from fillbook.ledger.core.fill_ids import is_inferred_id
from fillbook.ledger.core.revision import (
    Inferred,
    newly_inferred,
    part_of_inferred,
    report_of,
    says_otherwise,
    still_unexplained,
)
from fillbook.ledger.service.incoming import FillToBook
from fillbook.ledger.store import facts
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Amending:
    """A report that takes the place of what is booked under its key; `booked` is None where that no longer
    counts, or was never booked."""

    wanted: FillToBook
    booked: Fill | None

    @property
    def is_bust(self) -> bool:
        return self.wanted.report.amendment is FillAmendment.BUSTED


@dataclass(slots=True)
class News:
    """What a batch brings. `standing` are the ids of inferred fills of its orders; `explained` are those that
    count no more, each with what explains it."""

    fresh: list[FillToBook] = field(default_factory=list)
    amending: list[Amending] = field(default_factory=list)
    inferred: list[FillToBook] = field(default_factory=list)
    standing: list[int] = field(default_factory=list)
    explained: list[tuple[Inferred, FillToBook]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fresh or self.amending or self.inferred)

    @property
    def every(self) -> list[FillToBook]:
        return [*self.fresh, *(one.wanted for one in self.amending), *self.inferred]

    @property
    def real(self) -> list[FillToBook]:
        """What counts of the reports of a venue."""
        return [*self.fresh, *(one.wanted for one in self.amending if not one.is_bust)]


async def what_is_new(unit: Unit, wanted: Iterable[FillToBook]) -> News:
    """Those reports that the books do not have yet, or have with another content.

    The caller has locked the books that they touch, so that nobody else books meanwhile.
    """
    news = News()
    by_key: dict[FillKey, FillToBook] = {}
    for one in wanted:
        key = one.key
        if one.source is FillSource.INFERRED:
            news.inferred.append(one)
        elif key not in by_key or by_key[key].report.amendment is None or one.report.amendment is not None:
            by_key[key] = one
    booked = await facts.booked_of(unit, [*by_key, *(one.key for one in news.inferred)])
    news.standing = [fill_id for key, fill_id in booked.items() if is_inferred_id(key[3])]
    asserted: dict[int, FillToBook] = {}
    for key, one in by_key.items():
        if key not in booked:
            if one.report.amendment is FillAmendment.BUSTED:
                news.amending.append(Amending(one, None))
            else:
                news.fresh.append(one)
        elif one.source is FillSource.REST or one.report.amendment is not None:
            asserted[booked[key]] = one
    if asserted:
        news.amending += await _amending(unit, asserted)
    if news.standing or news.inferred:
        await _weigh_inferences(unit, news)
    return news


async def _amending(unit: Unit, asserted: dict[int, FillToBook]) -> list[Amending]:
    """Of reports of booked fills (by the ids of these), those that change something."""
    changes = []
    for booked, counts in await facts.fills_in_force(unit, asserted):
        one = asserted[booked.id]
        match one.report.amendment:
            case FillAmendment.BUSTED:
                is_change = counts
            case FillAmendment.CORRECTED:
                is_change = not counts or says_otherwise(one.report, booked)
            case None:
                is_change = says_otherwise(one.report, booked) or finds_its_order(one, booked)
        if is_change:
            changes.append(Amending(one, booked if counts else None))
    return changes


def finds_its_order(one: FillToBook, booked: Fill) -> bool:
    """Whether a fill that was booked as nobody's turns out to be of an order: it is booked anew, as that order's."""
    return booked.order_id is None and one.order_id is not None


async def _weigh_inferences(unit: Unit, news: News) -> None:
    """Find what the batch leaves of the inferred fills that count, and of those that it brings."""
    wanted, news.inferred = news.inferred, []
    standing: dict[OrderKey, list[Inferred]] = defaultdict(list)
    for inferred in await facts.inferred_by_id(unit, news.standing):
        standing[inferred.fill.key[:3]].append(inferred)
    concerned = {*standing, *(one.order_key for one in wanted)}
    real = _real_quantities(await facts.real_fills_of(unit, concerned), news)
    by_order: dict[OrderKey, FillToBook] = {}
    for one in sorted(news.real, key=lambda one: one.report.canonical_key):
        by_order.setdefault(one.order_key, one)
    for key, inferences in standing.items():
        if key in by_order:
            _explain(news, inferences, real.get(key, ZERO), by_order[key])
    upto = {key: max(inferred.upto for inferred in inferences) for key, inferences in standing.items()}
    for one in sorted(wanted, key=_upto):
        explained = max(real.get(one.order_key, ZERO), upto.get(one.order_key, ZERO))
        report = newly_inferred(one.report, explained)
        if report is not None:
            news.inferred.append(replace(one, report=report))
            upto[one.order_key] = _upto(one)


def _explain(news: News, standing: Sequence[Inferred], real: Decimal, explanation: FillToBook) -> None:
    for inferred in standing:
        left = still_unexplained(inferred, real)
        if left == inferred.fill.quantity:
            continue
        news.explained.append((inferred, explanation))
        if left:
            rest = part_of_inferred(report_of(inferred), left)
            news.inferred.append(
                replace(explanation, report=rest, source=FillSource.INFERRED, order_id=inferred.fill.order_id)
            )


@exact
def _real_quantities(booked: Iterable[Fill], news: News) -> dict[OrderKey, Decimal]:
    """What the real fills of orders add up to, once the batch is booked."""
    sums: dict[OrderKey, Decimal] = {}
    put_out = {one.booked.id for one in news.amending if one.booked is not None}
    for fill in booked:
        if fill.id not in put_out:
            key = (fill.account_id, fill.symbol, fill.exchange_order_id)
            sums[key] = sums.get(key, ZERO) + fill.quantity
    for one in news.real:
        sums[one.order_key] = sums.get(one.order_key, ZERO) + one.report.quantity
    return sums


def _upto(one: FillToBook) -> Decimal:
    upto = one.report.cumulative_quantity
    if upto is None:
        raise ValueError("an inferred fill says up to which quantity of its order the venue has filled")
    return upto
