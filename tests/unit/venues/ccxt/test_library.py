import subprocess
import sys

LEAN = """
import sys
from fillbook.venues.ccxt.library import errors, exchange_class
binance = exchange_class("binance")
loaded = [name for name in sys.modules if name.startswith("ccxt.async_support.") and "base" not in name]
assert loaded == ["ccxt.async_support.binance"], loaded
"""
ORDINARY_AFTERWARDS = (
    LEAN
    + """
import ccxt, ccxt.async_support
assert ccxt.RequestTimeout is errors.RequestTimeout
assert ccxt.async_support.binance is binance
assert ccxt.async_support.okx({}).id == "okx"
"""
)
ONE_AFTER_ANOTHER = (
    LEAN
    + """
exchange_class("bybit")
loaded = [name for name in sys.modules if name.startswith("ccxt.async_support.") and "base" not in name]
assert loaded == ["ccxt.async_support.binance", "ccxt.async_support.bybit"], loaded
assert sys.modules["ccxt.async_support.bybit"].RateLimitExceeded is errors.RateLimitExceeded
"""
)
ORDINARY_BEFORE = """
import ccxt.async_support
from fillbook.venues.ccxt.library import errors, exchange_class
binance = exchange_class("binance")
assert ccxt.async_support.binance is binance
assert ccxt.RequestTimeout is errors.RequestTimeout
"""


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_the_exchanges_that_we_trade_on_are_loaded():
    run(LEAN)


def test_a_second_exchange_is_loaded_beside_the_first_and_shares_its_errors():
    run(ONE_AFTER_ANOTHER)


def test_an_ordinary_import_of_ccxt_still_works_and_shares_its_classes():
    run(ORDINARY_AFTERWARDS)


def test_a_ccxt_that_is_loaded_already_is_used_as_it_is():
    run(ORDINARY_BEFORE)
