"""Do the books agree with the exchange, to the last digit? One function a check, no tolerance anywhere.

Each check says how much it compared and, in words, every difference. A triggered conditional order is two
orders at the exchange and one here: the second one's fills and end belong to the first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fillbook.app.demo.books import Books, Truth, amount
from fillbook.app.demo.cast import Member
from fillbook.app.demo.clients import Row
from fillbook.kernel.money import ZERO, exact, to_text

_NEVER_AT_THE_EXCHANGE = ("PENDING_NEW", "REJECTED")


@dataclass(frozen=True, slots=True)
class Check:
    """What was compared, in how many places, and where the sides differ."""

    name: str
    compared: int
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


@exact
def compare(books: Books, truth: Truth, members: Sequence[Member]) -> list[Check]:
    """All checks, also those that agree."""
    return [
        _compare("fills: price, quantity, fee, side", *_fills(books, truth, members)),
        _compare("orders: state, filled, terms", *_orders(books, truth, members)),
        _compare("positions: size, entry, profit", *_positions(books, truth, members)),
        _compare("futures wallets: deposit + profit − fees", *_wallets(books, truth, members)),
        _compare("spot wallets: deposit + fills − fees", *_purses(books, truth, members)),
        _compare("spot balances, free and locked", *_balances(books, truth, members)),
    ]


Facts = dict[str, dict[str, str]]
"""By what a fact is about (for a person) to its fields as canonical text."""


def _compare(name: str, ours: Facts, theirs: Facts) -> Check:
    differences: list[str] = []
    for about in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(about), theirs.get(about)
        if here is None or there is None:
            differences.append(f"{about}: only {'at the exchange' if here is None else 'in the books'}")
            continue
        differences += [
            f"{about}: {field} is {here[field]} here, {there[field]} at the exchange"
            for field in here
            if here[field] != there[field]
        ]
    return Check(name, len(ours.keys() | theirs.keys()), tuple(differences))


def _fills(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    """By the id that we gave their order, and by their turn in it: each venue spells its own ids its own way."""
    by_id, by_key = _names(members)
    orders = {row["id"]: row["client_order_id"] for row in books.orders}
    ours = [
        (f"{by_id[row['account_id']]} {row['symbol']} {orders.get(row['order_id'], 'no order')}", row)
        for row in books.fills
        if row["superseded_by_id"] is None
    ]
    theirs = [
        (f"{by_key[row['account']]} {row['symbol']} {row['client_order_id']}", row) for row in truth.fills
    ]
    return _in_turn(ours), _in_turn(theirs)


def _in_turn(rows: Iterable[tuple[str, Row]]) -> Facts:
    by_order: dict[str, list[dict[str, str]]] = defaultdict(list)
    for order, row in rows:
        by_order[order].append(
            {
                "side": row["side"],
                "price": _text(row["price"]),
                "quantity": _text(row["quantity"]),
                "fee": f"{_text(row['fee'])} {row['fee_asset']}",
            }
        )
    return {
        f"{order} fill {turn}": facts
        for order, every in by_order.items()
        for turn, facts in enumerate(sorted(every, key=lambda facts: list(facts.values())), start=1)
    }


def _orders(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    by_id, by_key = _names(members)
    children = {row["order_id"]: row for row in truth.orders if row["parent_id"] is not None}
    ours = {
        f"{by_id[row['account_id']]} {row['symbol']} order {row['client_order_id']}": _order_facts(row, row)
        | {"filled": _text(row["filled_quantity"])}
        for row in books.orders
        if row["exchange_order_id"] is not None or row["status"] not in _NEVER_AT_THE_EXCHANGE
    }
    theirs: Facts = {}
    for row in truth.orders:
        if row["order_id"] in children:
            continue
        end = children.get(row["child_id"], row)
        about = f"{by_key[row['account']]} {row['symbol']} order {row['client_order_id']}"
        theirs[about] = _order_facts(row, end) | {"filled": _text(end["filled"])}
    return ours, theirs


def _order_facts(row: Row, end: Row) -> dict[str, str]:
    """`row` has the order's terms, `end` is where its fate stands."""
    return {
        "status": end["status"],
        "side": row["side"],
        "type": row["order_type"],
        "quantity": _text(row["quantity"]),
        "price": _text(row["price"]),
        "stop price": _text(row["stop_price"]),
    }


def _positions(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    """Futures positions of whole accounts. A side that never was at all counts as flat with no profit."""
    by_id, by_key = _names(members)
    ours: Facts = {}
    for row in books.account_positions:
        if ":" not in row["symbol"]:
            continue
        sign = -1 if row["side"] == "short" else 1
        ours[f"{by_id[row['account_id']]} {row['symbol']}"] = {
            "quantity": to_text(abs(amount(row["quantity"])) * sign),
            "entry": _text(row["avg_entry"]),
            "realised profit": _text(row["realized_pnl"]),
        }
    theirs = {
        f"{by_key[row['api_key']]} {row['symbol']}": {
            "quantity": _text(row["quantity"]),
            "entry": _text(row["entry_price"]),
            "realised profit": _text(row["realized_pnl"]),
        }
        for row in truth.positions
    }
    flat = {"quantity": "0", "entry": "0", "realised profit": "0"}
    return ours, dict.fromkeys(ours, flat) | theirs


def _wallets(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    """The money itself: what was paid in, plus every profit, less every fee that the books know."""
    ours: Facts = {}
    theirs: Facts = {}
    for member in members:
        if truth.balances[member.api_key]["is_unified"]:
            continue  # one wallet for everything: it is compared with the coins
        booked = amount(member.role.balance) + _earned(books, member)
        ours[f"{member.name} USDT"] = {"wallet": to_text(booked)}
        theirs[f"{member.name} USDT"] = {"wallet": _text(truth.balances[member.api_key]["futures"]["USDT"])}
    return ours, theirs


def _earned(books: Books, member: Member) -> Decimal:
    """What futures brought and took, in USDT."""
    return sum(
        (
            amount(row["realized_pnl"]) - amount(row["fees"])
            for row in books.account_positions
            if row["account_id"] == member.account_id and ":" in row["symbol"]
        ),
        ZERO,
    )


def _purses(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    """Every coin, from the fills alone: what was bought and sold, less fees in their own coin. Where one wallet serves
    futures too, what they brought and took is in it."""
    ours: Facts = {}
    theirs: Facts = {}
    for member in members:
        held = {"USDT": amount(member.role.balance)}
        if truth.balances[member.api_key]["is_unified"]:
            held["USDT"] += _earned(books, member)
        for row in books.fills:
            if row["account_id"] == member.account_id and ":" not in row["symbol"]:
                _add_spot_fill(held, row)
        ours |= {f"{member.name} {asset}": {"wallet": to_text(total)} for asset, total in held.items()}
        theirs |= {
            f"{member.name} {asset}": {"wallet": to_text(_total(purse))}
            for asset, purse in truth.balances[member.api_key]["spot"].items()
            if _total(purse) or asset in held
        }
    return ours, theirs


def _add_spot_fill(held: dict[str, Decimal], row: Row) -> None:
    base, quote = row["symbol"].split("/")
    sign = 1 if row["side"] == "buy" else -1
    held[base] = held.get(base, ZERO) + sign * amount(row["quantity"])
    held[quote] = held.get(quote, ZERO) - sign * amount(row["quantity"]) * amount(row["price"])
    held[row["fee_asset"]] = held.get(row["fee_asset"], ZERO) - amount(row["fee"])


def _balances(books: Books, truth: Truth, members: Sequence[Member]) -> tuple[Facts, Facts]:
    """Spot balances as they are shown. Futures balances are read at intervals, so they may be minutes old; of a
    wallet that serves both, margin moves with the price, so that only the whole is compared."""
    ours: Facts = {}
    theirs: Facts = {}
    for member in members:
        shown = {
            row["asset"]: row for row in books.balances[member.account_id] if row["market_type"] == "spot"
        }
        facts = _whole if truth.balances[member.api_key]["is_unified"] else _purse
        ours |= {f"{member.name} {asset}": facts(row) for asset, row in shown.items()}
        theirs |= {
            f"{member.name} {asset}": facts(purse)
            for asset, purse in truth.balances[member.api_key]["spot"].items()
            if _total(purse) or asset in shown
        }
    return ours, theirs


def _purse(row: Mapping[str, Any]) -> dict[str, str]:
    return {"free": _text(row["free"]), "locked": _text(row["locked"])}


def _whole(row: Mapping[str, Any]) -> dict[str, str]:
    return {"free and locked": to_text(_total(row))}


def _names(members: Iterable[Member]) -> tuple[dict[int, str], dict[str, str]]:
    """The accounts' names by number here and by key there."""
    pairs = list(members)
    return {m.account_id: m.name for m in pairs}, {m.api_key: m.name for m in pairs}


def _total(purse: Mapping[str, Any]) -> Decimal:
    return amount(purse["free"]) + amount(purse["locked"])


def _text(value: str | None) -> str:
    return to_text(amount(value))
