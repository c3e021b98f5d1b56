"""The root of the command line, and how its errors look: one sentence and exit code 1, never a traceback."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from fillbook.app.cli import admin, config, db, rebuild, reconcile
from fillbook.kernel.errors import FillbookError
from fillbook.market.core import VenueName

app = typer.Typer(
    name="fillbook",
    help="Self-hosted automatic trading for many exchange accounts, where the fills are the truth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(admin.app, name="admin")
app.add_typer(db.app, name="db")
app.add_typer(config.app, name="config")
app.command()(rebuild.rebuild)
app.command()(reconcile.reconcile)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FILLBOOK_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (FILLBOOK_PORT).")] = None,
    migrate: Annotated[bool, typer.Option(help="Bring a server database to this version's schema.")] = False,
) -> None:
    """Start the server: the web interface, and trading."""
    from fillbook.app.cli.settings import load
    from fillbook.app.server import run_loop
    from fillbook.app.server import serve as serve_until_interrupted

    settings, redactor = load(host=host, port=port)
    run_loop(serve_until_interrupted(settings, redactor, migrate_servers=migrate))


@app.command()
def sim(
    venue: Annotated[list[VenueName], typer.Option(help="Venue to simulate; may be repeated.")],
    port: Annotated[list[int], typer.Option(help="Its port; one for each --venue.")],
    seed: Annotated[int | None, typer.Option(help="Move prices by a random walk with this seed.")] = None,
    candles: Annotated[Path | None, typer.Option(help="Replay this CSV file of candles.")] = None,
    speed: Annotated[float, typer.Option(help="How much faster than real time.")] = 1.0,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
) -> None:
    """Start the simulated exchange."""
    from fillbook.venues.sim.server import run

    if len(venue) != len(port):
        raise typer.BadParameter("give one --port for each --venue")
    pairs = dict(zip(venue, port, strict=True))
    run(pairs, seed=seed, candles=candles, speed=Decimal(str(speed)), host=host, say=typer.echo)


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the script; exit 0 only if the books agree.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the demo's server; 0 picks one.")] = 0,
) -> None:
    """Simulated exchange, server, accounts and a strategy on a throw-away database: alert by alert."""
    from fillbook.app.demo.demo import run_demo

    raise typer.Exit(run_demo(once=once, port=port))


def main() -> None:
    try:
        app()
    except FillbookError as error:
        sys.stderr.write(f"fillbook: {error.detail}\n")
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            sys.stderr.write(f"fillbook: {problem['msg'].removeprefix('Value error, ')}\n")
        sys.exit(1)
