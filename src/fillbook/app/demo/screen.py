"""What a person sees: alert by alert, and account by account what it caused. Works on 80 columns and more.

Amounts are rounded for reading; the comparison is not. Colours and lines are rich's business: it leaves the
colours out where there is no terminal or NO_COLOR is set.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fillbook.app.demo.books import Books, amount
from fillbook.app.demo.cast import Cast, Strategy
from fillbook.app.demo.clients import AlertAnswer, Row
from fillbook.app.demo.comparison import Check
from fillbook.kernel.money import ZERO, divide, exact

WIDE = 100
SHOWN_DIFFERENCES = 20
STATES = {
    "FILLED": ("filled", "green"),
    "NEW": ("open", "cyan"),
    "PARTIALLY_FILLED": ("partly filled", "cyan"),
    "CANCELED": ("canceled", "bright_black"),
    "PENDING_CANCEL": ("canceling", "yellow"),
    "PENDING_NEW": ("sending", "yellow"),
    "REJECTED": ("rejected", "red"),
    "EXPIRED": ("expired", "bright_black"),
}
_TYPES = {"MARKET": "", "LIMIT": "limit ", "STOP_MARKET": "stop ", "STOP_LIMIT": "stop-limit "}


class Screen:
    """Prints; decides nothing."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style))

    def opening(self) -> None:
        self.console.print()
        self.console.print(
            Text.assemble(
                ("Fillbook", "bold cyan"), "  one alert, every account, books that agree with the exchange"
            )
        )

    def cast(self, cast: Cast, books: Books) -> None:
        """Who plays, with how much."""
        names = {strategy.number: name for name, strategy in cast.strategies.items()}
        table = _table(["account", "at", "wallet", "strategy"], ["leverage", "weight", "capital"], 2)
        for member in cast.members:
            links = [link for link in books.links if link["account_id"] == member.account_id]
            for turn, link in enumerate(links):
                capital = link["capital"][0]
                table.add_row(
                    Text("" if turn else member.name, "bold"),
                    "" if turn else member.role.exchange,
                    "" if turn else f"{money(amount(member.role.balance))} USDT",
                    names[link["strategy_id"]],
                    f"{link['leverage']}×",
                    link["weight"],
                    f"{money(amount(capital['total_capital']))} {capital['currency']}",
                )
        self.console.print(Padding(table, (1, 0, 0, 2)))

    def step(self, number: int | str, title: str, prices: Mapping[str, str]) -> None:
        coins = {symbol.split("/")[0]: price(amount(set_to)) for symbol, set_to in prices.items()}
        moved = "  ".join(f"{coin} {set_to}" for coin, set_to in coins.items())
        self.console.print()
        self.console.print(Text.assemble((f"{number:>2}  ", "bold cyan"), (title, "bold")))
        if moved:
            self.console.print(Text(f"    {moved}", "yellow"))

    def alert(self, text: str) -> None:
        self.console.print(Padding(Text(text, "bright_black"), (0, 0, 0, 4)))

    def answer(self, answer: AlertAnswer) -> None:
        document = answer.document
        took = f"answered in {answer.took_ms:.0f} ms"
        if answer.status >= 400:
            line = Text.assemble((f"{answer.status} {document['code']}", "red"), f"  {document['detail']}")
        elif document["status"] == "duplicate":
            line = Text.assemble(("duplicate", "yellow"), f" of signal {document['duplicate_of']}, {took}")
        else:
            line = Text.assemble((document["status"], "green"), f" as signal {document['signal_id']}, {took}")
        self.console.print(Padding(line, (0, 0, 0, 4)))

    def agreement(self, checks: Sequence[Check]) -> None:
        """Whether the books agree with the exchange after a step."""
        differing = [check.name for check in checks if not check.agrees]
        if differing:
            self.say(f"    checked: the books differ from the exchange in {'; '.join(differing)}", "red")
        else:
            self.say("    checked: the books agree with the exchange", "bright_black")

    def accounts(
        self,
        cast: Cast,
        before: Books,
        after: Books,
        strategy: str,
        symbol: str,
        logs: list[Row],
        signal_id: int | None = None,
    ) -> None:
        """What the last step changed, and where each account stands in this strategy and symbol."""
        is_wide = self.console.width >= WIDE
        table = _table(["account", "order"], ["position", "realised", "fees", "used"], 2 if is_wide else 1)
        denials: dict[str, str] = {}
        for member in cast.members:
            link = next(
                (
                    link
                    for link in after.links
                    if link["account_id"] == member.account_id
                    and link["strategy_id"] == cast.strategies[strategy].number
                ),
                None,
            )
            if link is None:
                continue
            orders = _changed_orders(before, after, link["id"], signal_id)
            for result in (log["execution_results"].get(f"account_{member.account_id}", {}) for log in logs):
                if result.get("error_code"):
                    orders.append(Text(f"none: {result['error_code']}", "red"))
                    denials.setdefault(result["error_code"], f"{member.name}: {result['error']}")
            table.add_row(
                Text(member.name, "bold"), Text("\n").join(orders), *_standing(after, link, symbol, is_wide)
            )
        self.console.print(Padding(table, (0, 0, 0, 4)))
        for reason in denials.values():
            self.console.print(Padding(Text(reason, "red"), (0, 0, 0, 4)))

    def message(self, row: Row) -> None:
        """A message that somebody sent, as it was written down: without its key."""
        self.step(">", "An alert came in", {})
        self.alert(" ".join(row["request_data"].split()))
        if row["error_code"]:
            line = Text.assemble(
                (f"{row['status_code']} {row['error_code']}", "red"), f"  {row['error_message']}"
            )
        else:
            line = Text(row["status"], "green" if row["status"] == "accepted" else "yellow")
        self.console.print(Padding(line, (0, 0, 0, 4)))

    def comparison(self, checks: Sequence[Check]) -> None:
        table = _table(["the books against the exchange"], ["compared", "differ"], 2)
        for check in checks:
            differ = Text("none", "green") if check.agrees else Text(str(len(check.differences)), "bold red")
            table.add_row(check.name, str(check.compared), differ)
        self.console.print()
        self.console.print(Padding(table, (0, 0, 0, 4)))
        differences = [difference for check in checks for difference in check.differences]
        for difference in differences[:SHOWN_DIFFERENCES]:
            self.console.print(Padding(Text(difference, "red"), (0, 0, 0, 4)))
        if len(differences) > SHOWN_DIFFERENCES:
            self.say(f"    and {len(differences) - SHOWN_DIFFERENCES} more", "red")
        if not differences:
            self.say("    The books agree with the exchange to the last digit.", "bold green")


def invitation(url: str, token: str, strategy: Strategy) -> Text:
    """What to paste to send an alert; each line is short, so that no terminal breaks it."""
    return Text.assemble(
        ("\nNow you. Paste this to send an alert of your own; Ctrl-C ends the demo.\n\n", "bold"),
        f"curl -s '{url}/api/webhook?wait=1' -d '\n",
        f'  {{"group_name": "{strategy.group_name}", "token": "{strategy.webhook_key}",\n',
        '   "symbol": "BTCUSDT.P", "order_type": "MARKET", "side": "buy", "qty_per": 10}\'\n\n',
        ("The same text again within 30 s is a duplicate. The API, and its token:\n", "bright_black"),
        f"{url}/api/docs\n{token}\n",
    )


@exact
def standings(cast: Cast, books: Books, prices: Mapping[str, Decimal]) -> Table:
    """Where the accounts stand at these prices, all strategies together."""
    table = _table(["account", "positions"], ["unrealised", "realised", "fees"], 2)
    for member in cast.members:
        owned = [row for row in books.positions if row["account_id"] == member.account_id]
        held = [row for row in owned if row["is_open"] and row["symbol"] in prices]
        unrealised = sum(
            (
                abs(amount(row["quantity"]))
                * (prices[row["symbol"]] - amount(row["entry_price"]))
                * (1 if row["direction"] == "LONG" else -1)
                for row in held
            ),
            ZERO,
        )
        lines = [
            Text.assemble(f"{row['symbol'].split('/')[0]} ", position_text(row, is_wide=True)) for row in held
        ]
        table.add_row(
            Text(member.name, "bold"),
            Text("\n").join(lines) if lines else Text("flat", "bright_black"),
            profit_text(unrealised),
            profit_text(sum((amount(row["realized_pnl"]) for row in owned), ZERO)),
            Text(f"{sum((amount(row['fees']) for row in owned), ZERO):,.2f}"),
        )
    now = "  ".join(f"{symbol.split(':')[0]} {price(at)}" for symbol, at in prices.items() if ":" in symbol)
    table.title, table.title_justify, table.title_style = f"\n{now}", "left", "yellow"
    return table


@exact
def _standing(books: Books, link: Row, symbol: str, is_wide: bool) -> list[Text]:
    """Position, realised profit, fees and capital of one link; the profit and the fees over all its symbols."""
    owned = [row for row in books.positions if row["strategy_account_id"] == link["id"]]
    here = next((row for row in owned if row["symbol"] == symbol and row["is_open"]), None)
    realised = sum((amount(row["realized_pnl"]) for row in owned), ZERO)
    fees = sum((amount(row["fees"]) for row in owned), ZERO)
    capital = link["capital"][0]
    total, used = amount(capital["total_capital"]), amount(capital["used_capital"])
    busy = used + amount(capital["reserved_capital"])
    committed = f"{busy:,.0f} of {total:,.0f}" if is_wide else f"{divide(busy * 100, total):.0f} %"
    return [position_text(here, is_wide), profit_text(realised), Text(f"{fees:,.2f}"), Text(committed)]


def position_text(row: Row | None, is_wide: bool) -> Text:
    """`long 0.055@60,933.1`, or `+0.055@60,933.1` where there is little room."""
    if row is None:
        return Text("flat", "bright_black")
    is_long = row["direction"] == "LONG"
    word = ("long " if is_long else "short ") if is_wide else ("+" if is_long else "-")
    held = quantity(abs(amount(row["quantity"])))
    return Text(f"{word}{held}@{price(amount(row['entry_price']))}", "green" if is_long else "magenta")


def profit_text(profit: Decimal) -> Text:
    text = f"{profit:+,.2f}"
    if text[1:] == "0.00":
        return Text("0.00")
    return Text(text, "green" if profit > 0 else "red")


def money(value: Decimal) -> str:
    """Two places, or none when there are none."""
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def price(value: Decimal) -> str:
    """As many digits as a large and a small price need to be told apart."""
    text = f"{value:,.1f}" if value >= 1000 else f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def quantity(value: Decimal) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _changed_orders(before: Books, after: Books, link_id: int, signal_id: int | None) -> list[Text]:
    known = {row["id"]: (row["status"], row["filled_quantity"]) for row in before.orders}
    return [
        _order_text(row)
        for row in sorted(after.orders, key=lambda row: int(row["id"]))
        if row["strategy_account_id"] == link_id
        and (
            (signal_id is not None and row["signal_id"] == signal_id)
            or known.get(row["id"]) != (row["status"], row["filled_quantity"])
        )
    ]


def _order_text(row: Row) -> Text:
    at = row["average_price"] or row["price"] or row["stop_price"]
    word, style = STATES[row["status"]]
    terms = f"{_TYPES.get(row['order_type'], '')}{row['side']} {quantity(amount(row['quantity']))}"
    return Text.assemble(f"{terms}@{price(amount(at))} " if at else f"{terms} ", (word, style))


def _table(left: Sequence[str], right: Sequence[str], gap: int) -> Table:
    """Without lines, so that it also reads well as plain text; the last columns are right-aligned."""
    table = Table(box=None, padding=(0, gap, 0, 0), header_style="bright_black", pad_edge=False)
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table
