"""The command line: `fillbook serve`, `sim`, `demo`, `db ...`, `config ...`, `rebuild`, `admin ...`."""

from fillbook.app.cli.main import main

__all__ = ["main"]
