"""`fillbook db ...`: the schema of the configured database."""

import asyncio
from typing import Annotated

import typer

from fillbook.app.cli.settings import load
from fillbook.storage import migrate

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


def _url() -> str:
    return load()[0].resolved_database_url


@app.command()
def upgrade(revision: Annotated[str, typer.Argument()] = "head") -> None:
    """Bring the database to this version's schema."""
    asyncio.run(migrate.upgrade(_url(), revision))
    typer.echo(f"at {asyncio.run(migrate.current(_url()))}")


@app.command()
def downgrade(revision: Annotated[str, typer.Argument(help="A revision, or `base`.")]) -> None:
    """Take the schema back. Rows of dropped tables are lost: back up first."""
    asyncio.run(migrate.downgrade(_url(), revision))
    typer.echo(f"at {asyncio.run(migrate.current(_url()))}")


@app.command()
def current() -> None:
    """Print the revision that the database is at."""
    typer.echo(asyncio.run(migrate.current(_url())) or "no schema")


@app.command()
def check() -> None:
    """Compare the database with this version's tables; exit 1 when they differ."""
    differences = asyncio.run(migrate.check(_url()))
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(1)
    typer.echo("the schema is as it should be")
