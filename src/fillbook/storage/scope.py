"""The one helper through which every query on people's rows goes."""

from typing import Any, TypeVar

import sqlalchemy as sa

from fillbook.kernel.scope import EVERYONE, Scope

__all__ = ["EVERYONE", "Scope", "owned"]

S = TypeVar("S", bound="sa.Select[Any] | sa.Update | sa.Delete")


def owned(statement: S, table: sa.Table, scope: Scope) -> S:
    """The statement, limited to the rows of `table` that the scope allows."""
    if scope.user_id is None:
        return statement
    return statement.where(table.c.user_id == scope.user_id)  # type: ignore[return-value]
