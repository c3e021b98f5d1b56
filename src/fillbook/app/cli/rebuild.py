"""`fillbook rebuild`: the books of accounts, from what their exchanges still tell."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fillbook.accounts.core import Account
from fillbook.accounts.errors import MasterKeyLost
from fillbook.app.cli.config import alone, vault_of
from fillbook.app.cli.settings import load
from fillbook.app.settings import Settings
from fillbook.kernel.clock import SystemClock
from fillbook.storage import migrate
from fillbook.storage.unit import Database

if TYPE_CHECKING:
    from fillbook.app.rebuild import AccountResult
    from fillbook.trading.core.rebuild import RebuildFinding
    from fillbook.trading.rebuild import RebuildAsked, Rebuilt


def rebuild(
    account: Annotated[
        list[str] | None, typer.Option(help="An account's name; may be repeated. Without it: all.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC), not from the first."),
    ] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(help="Only this symbol, as BTC/USDT:USDT; may be repeated.")
    ] = None,
    all_symbols: Annotated[
        bool, typer.Option("--all-symbols", help="Ask for every symbol that the exchange lists. Slow.")
    ] = False,
    installation: Annotated[
        list[str] | None,
        typer.Option(help="A former installation's id (4 characters), whose orders are ours."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fill the books of a new database from the exchanges' histories. No server may trade meanwhile."""
    from fillbook.trading.rebuild import RebuildAsked

    settings, _ = load()
    asked = RebuildAsked(
        symbols=frozenset(symbol or ()),
        all_symbols=all_symbols,
        since=None if since is None else since.replace(tzinfo=UTC),
    )
    if not yes:
        names = ", ".join(account) if account else "every account"
        typer.confirm(f"Read the histories of {names} and book what is missing?", abort=True)
    with alone(settings) as owns_directory:
        results = asyncio.run(_run(settings, account or (), asked, installation or (), owns_directory))
    _show(results)
    if not all(result.is_whole for result in results):
        raise typer.Exit(1)


async def _run(
    settings: Settings,
    names: Sequence[str],
    asked: "RebuildAsked",
    installations: Sequence[str],
    owns_directory: bool,
) -> "list[AccountResult]":
    from fillbook.app.rebuild import Rebuilder
    from fillbook.venues.ccxt.venues import CcxtVenues

    vault = vault_of(settings)
    if vault is None:
        raise MasterKeyLost(
            "There is no master key here: set FILLBOOK_MASTER_KEYS or bring the key file back."
        )
    clock, rng = SystemClock(), random.SystemRandom()
    database = Database.connect(settings.resolved_database_url, clock)
    venues = CcxtVenues(clock, rng, settings.base_urls)
    try:
        await migrate.require_head(database.engine)
        rebuilder = Rebuilder(
            database,
            clock,
            rng,
            vault,
            venues.open,
            owns_directory=owns_directory,
            installations=installations,
            on_symbol=_say,
        )
        return await rebuilder.run(await rebuilder.accounts(names), asked)
    finally:
        await venues.close()
        await database.close()


def _say(account: Account, rebuilt: "Rebuilt") -> None:
    typer.echo(f"{account.name} {rebuilt.symbol}: {rebuilt.fills} fills, {rebuilt.orders} orders", err=True)


def _show(results: "Sequence[AccountResult]") -> None:
    table = Table("account", "symbol", "complete since", "fills", "orders", "to know")
    for result in results:
        name = result.account.name
        if result.failure is not None:
            table.add_row(name, "", "not read", "", "", result.failure)
        for one in result.symbols:
            since = "not read" if one.complete_since is None else f"{one.complete_since:%Y-%m-%d}"
            notes = "\n".join(_note(finding) for finding in one.findings)
            table.add_row(name, one.symbol, since, str(one.fills), str(one.orders), notes)
    console = Console()
    # Narrower than this, in a pipe, nothing could be read.
    Console(width=max(console.width, 120)).print(table)


def _note(finding: "RebuildFinding") -> str:
    return f"{'' if finding.is_repaired else '! '}{finding.cause}"
