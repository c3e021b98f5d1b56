"""Which database errors mean: nothing was done, try the whole unit again; and which: the database is away.

A lost connection is not worth repeating: whether the commit arrived is unknown then.
"""

import sqlalchemy as sa

# serialisation failure, deadlock, lock not available
_POSTGRES_STATES = frozenset({"40001", "40P01", "55P03"})
# lock wait timeout, deadlock, row changed since last read
_MYSQL_NUMBERS = frozenset({1205, 1213, 1020})
# cannot connect, server gone, lost during a query, refused by the socket, shutting down
_MYSQL_AWAY = frozenset({2002, 2003, 2006, 2013, 2055, 1053, 1040})
# connection exceptions; shut down by the administrator or a crash, starting up, too many connections
_POSTGRES_AWAY = ("08", "57P0", "53300")
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


def is_away(error: Exception) -> bool:
    """Whether the database cannot be reached, or is so busy that a unit was given up after its repetitions."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, (OSError, sa.exc.TimeoutError))
    original = error.orig
    number = original.args[0] if original is not None and original.args else None
    return (
        error.connection_invalidated
        or is_worth_repeating(error)
        or str(getattr(original, "sqlstate", "")).startswith(_POSTGRES_AWAY)
        or (isinstance(number, int) and number in _MYSQL_AWAY)
    )
