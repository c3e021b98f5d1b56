"""Which database errors mean: nothing was done, try the whole unit again.

A lost connection is not among them: whether the commit arrived is unknown then.
"""

import sqlalchemy as sa

# serialisation failure, deadlock, lock not available
_POSTGRES_STATES = frozenset({"40001", "40P01", "55P03"})
# lock wait timeout, deadlock, row changed since last read
_MYSQL_NUMBERS = frozenset({1205, 1213, 1020})
_SQLITE_NAMES = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT"})


def is_worth_repeating(error: sa.exc.DBAPIError) -> bool:
    original = error.orig
    if original is None or error.connection_invalidated:
        return False
    if getattr(original, "sqlstate", None) in _POSTGRES_STATES:
        return True
    if getattr(original, "sqlite_errorname", None) in _SQLITE_NAMES:
        return True
    number = original.args[0] if original.args else None
    return isinstance(number, int) and number in _MYSQL_NUMBERS
