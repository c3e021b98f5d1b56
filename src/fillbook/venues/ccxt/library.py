"""ccxt without its hundred other exchanges.

`import ccxt` loads every exchange twice (70 MB, half a second); one exchange needs 20 MB and a tenth of that.
While ours are imported, bare packages stand in for `ccxt` and `ccxt.async_support`; afterwards they are gone,
and an ordinary `import ccxt` elsewhere finds the same classes.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGES = ("ccxt", "ccxt.async_support")


def _bare_package(name: str, folder: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    return package


def _import_lean(module: str) -> Any:
    if "ccxt" in sys.modules:
        return importlib.import_module(module)
    found = importlib.util.find_spec("ccxt")
    if found is None or found.origin is None:
        raise ImportError("ccxt is not installed: run `make setup`")
    folder = Path(found.origin).parent
    top = _bare_package("ccxt", folder)
    sys.modules["ccxt"] = top
    sys.modules["ccxt.async_support"] = _bare_package("ccxt.async_support", folder / "async_support")
    try:
        top.__dict__.update(vars(importlib.import_module("ccxt.base.errors")))
        top.__dict__["Exchange"] = importlib.import_module("ccxt.base.exchange").Exchange
        return importlib.import_module(module)
    finally:
        for name in _PACKAGES:
            del sys.modules[name]


errors: Any = _import_lean("ccxt.base.errors")
"""ccxt's exception classes."""


def exchange_class(name: str) -> Any:
    """ccxt's class of one exchange, all its market types."""
    return getattr(_import_lean(f"ccxt.async_support.{name}"), name)
