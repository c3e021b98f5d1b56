"""`python -m benchmarks [name ...]`: run the named benchmarks, or all; `--quick` measures a tenth as long.

A number by itself says little on another machine: each table has a floor, and the ratio to it is what to
compare. `--database` restricts to `sqlite` or `postgresql` (FILLBOOK_TEST_POSTGRES_URL says where that is).
"""

import argparse
from collections.abc import Callable

from benchmarks import alert_path, backfill, ledger_book, rebuild, reconcile, start_up
from benchmarks.databases import KINDS
from benchmarks.machine import describe_machine
from benchmarks.plan import Plan

BENCHMARKS: dict[str, Callable[[Plan], None]] = {
    "ledger_book": ledger_book.run,
    "backfill": backfill.run,
    "alert_path": alert_path.run,
    "start_up": start_up.run,
    "reconcile": reconcile.run,
    "rebuild": rebuild.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--database", action="append", choices=KINDS)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    if unknown := set(chosen.name) - BENCHMARKS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    plan = Plan(tuple(chosen.database or KINDS), chosen.quick)
    print(describe_machine())
    for name in chosen.name or BENCHMARKS:
        BENCHMARKS[name](plan)


if __name__ == "__main__":
    main()
