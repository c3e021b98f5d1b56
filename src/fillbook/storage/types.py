"""Column types that mean the same on SQLite, PostgreSQL and MariaDB/MySQL.

An amount is NUMERIC(38, 18) on the servers and canonical text on SQLite, where text would compare and add up
wrongly: `<`, `>` and friends compile to functions that our connections register, `amount_sum` and
`amount_order` replace SUM and ORDER BY, and arithmetic in SQL is refused. An instant is aware UTC with
microseconds everywhere; on SQLite it is fixed-width text that sorts as time does.
"""

import operator
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from fillbook.kernel.money import plain, quantise, stored_text


class Amount(TypeDecorator[Decimal]):
    """An exact amount, stored with at most 18 places (half even). Refuses floats."""

    impl = sa.Numeric
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(38, 18)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Text())
        return dialect.type_descriptor(sa.Numeric(38, 18))

    # Processors are made once a statement; those of the base class would ask for the dialect at every value.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        return _amount_text if dialect.name == "sqlite" else _stored_amount

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        return _amount_of_text if dialect.name == "sqlite" else _amount_of_number

    class Comparator(TypeDecorator.Comparator[Decimal]):
        def operate(self, op: Callable[..., Any], *other: Any, **kwargs: Any) -> Any:
            comparison = _COMPARISONS.get(op)
            if comparison is not None:
                return comparison(self.expr, _amount_operand(other[0]))
            if op in _ARITHMETIC:
                raise TypeError("amounts are not computed in SQL: SQLite would turn them into floats")
            return super().operate(op, *other, **kwargs)

        def reverse_operate(self, op: Callable[..., Any], other: Any, **kwargs: Any) -> Any:
            if op in _ARITHMETIC:
                raise TypeError("amounts are not computed in SQL: SQLite would turn them into floats")
            return super().reverse_operate(op, other, **kwargs)

    comparator_factory = Comparator


def _stored_amount(value: Any) -> Decimal | None:
    return None if value is None else quantise(_decimal(value))


def _amount_text(value: Any) -> str | None:
    if type(value) is Decimal:
        return stored_text(value)
    return None if value is None else stored_text(_decimal(value))


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    raise TypeError(f"an amount is a Decimal, not {type(value).__name__}")


def _amount_of_text(text: Any) -> Decimal | None:
    if text is None:
        return None
    if isinstance(text, float):
        raise TypeError("SQLite computed an amount as a float: use amount_sum, not SUM")
    return Decimal(text)


def _amount_of_number(value: Any) -> Decimal | None:
    return None if value is None else plain(Decimal(value))


def _amount_operand(value: Any) -> Any:
    return value if isinstance(value, sa.ColumnElement) else sa.literal(value, Amount())


class _AmountComparison(FunctionElement[bool]):
    type = sa.Boolean()
    inherit_cache = True
    sign: str


class _AmountLess(_AmountComparison):
    inherit_cache = True
    sign = "<"


class _AmountAtMost(_AmountComparison):
    inherit_cache = True
    sign = "<="


class _AmountGreater(_AmountComparison):
    inherit_cache = True
    sign = ">"


class _AmountAtLeast(_AmountComparison):
    inherit_cache = True
    sign = ">="


@compiles(_AmountComparison)
def _compare_natively(element: _AmountComparison, compiler: Any, **kwargs: Any) -> str:
    left, right = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"({left} {element.sign} {right})"


@compiles(_AmountComparison, "sqlite")
def _compare_on_sqlite(element: _AmountComparison, compiler: Any, **kwargs: Any) -> str:
    return f"(decimal_cmp({compiler.process(element.clauses, **kwargs)}) {element.sign} 0)"


_COMPARISONS: dict[Callable[..., Any], type[_AmountComparison]] = {
    operator.lt: _AmountLess,
    operator.le: _AmountAtMost,
    operator.gt: _AmountGreater,
    operator.ge: _AmountAtLeast,
}
_ARITHMETIC = frozenset(
    {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.mod}
)


class amount_sum(FunctionElement[Decimal]):  # noqa: N801 - reads as the SQL function that it stands for
    """SUM of an amount column, exact on all three databases; NULL when there are no rows."""

    type = Amount()
    inherit_cache = True


@compiles(amount_sum)
def _sum_natively(element: amount_sum, compiler: Any, **kwargs: Any) -> str:
    return f"SUM({compiler.process(element.clauses, **kwargs)})"


@compiles(amount_sum, "sqlite")
def _sum_on_sqlite(element: amount_sum, compiler: Any, **kwargs: Any) -> str:
    return f"decimal_sum({compiler.process(element.clauses, **kwargs)})"


class amount_order(FunctionElement[str]):  # noqa: N801 - reads as the SQL function that it stands for
    """What to ORDER BY, to sort by an amount column."""

    type = sa.Text()
    inherit_cache = True


@compiles(amount_order)
def _order_natively(element: amount_order, compiler: Any, **kwargs: Any) -> str:
    return str(compiler.process(element.clauses, **kwargs))


@compiles(amount_order, "sqlite")
def _order_on_sqlite(element: amount_order, compiler: Any, **kwargs: Any) -> str:
    return f"decimal_key({compiler.process(element.clauses, **kwargs)})"


class Instant(TypeDecorator[datetime]):
    """A moment: aware UTC with microseconds. Refuses naive datetimes."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        match dialect.name:
            case "sqlite":
                return dialect.type_descriptor(sa.String(27))
            case "mysql" | "mariadb":
                return dialect.type_descriptor(mysql.DATETIME(fsp=6))
            case _:
                return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        match dialect.name:
            case "sqlite":
                return _instant_text
            case "mysql" | "mariadb":
                return _naive_instant
            case _:
                return _instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _instant_of_text if dialect.name == "sqlite" else _instant_of_datetime


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"an instant is an aware datetime, not {value!r}")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _naive_instant(value: Any) -> datetime | None:
    moment = _instant(value)
    return None if moment is None else moment.replace(tzinfo=None)


def _instant_text(value: Any) -> str | None:
    moment = _instant(value)
    return None if moment is None else f"{moment.isoformat(timespec='microseconds')[:26]}Z"


def _instant_of_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _instant_of_datetime(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


BigId = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A row's number. SQLite numbers rows by itself only when the key is declared INTEGER."""

Json = sa.JSON(none_as_null=True)
"""A document. MariaDB keeps it as text: compare what is parsed, never in SQL."""


def unit_now(context: Any) -> datetime:
    """Default of `created_at` and `updated_at`: the moment that the unit of work read from the database."""
    moment = context.execution_options.get("fillbook_now")
    if moment is None:
        raise RuntimeError("rows are written inside a unit of work, which knows the time")
    assert isinstance(moment, datetime)
    return moment


def row_id() -> sa.Column[int]:
    """The numbered primary key of a table; growing tables also carry `sqlite_autoincrement`."""
    return sa.Column("id", BigId, primary_key=True, autoincrement=True)


def reference(
    name: str, target: str, *, nullable: bool = False, index: bool = False, ondelete: str | None = None
) -> sa.Column[int]:
    """A foreign key to `table.column`, named as text because it may point to a domain above."""
    return sa.Column(
        name, BigId, sa.ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index or None
    )


def amount(name: str, *, nullable: bool = False, default: Decimal | None = None) -> sa.Column[Decimal]:
    return sa.Column(name, Amount(), nullable=nullable, default=default)


def instant(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Instant(), nullable=nullable, index=index or None)


def created_at(*, index: bool = False) -> sa.Column[datetime]:
    return sa.Column("created_at", Instant(), nullable=False, default=unit_now, index=index or None)


def updated_at(name: str = "updated_at") -> sa.Column[datetime]:
    """Set by every insert and update that goes through a unit of work."""
    return sa.Column(name, Instant(), nullable=False, default=unit_now, onupdate=unit_now)


def flag(name: str, default: bool, *, index: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, default=default, index=index or None)


def word(
    name: str,
    allowed: Iterable[str],
    *,
    length: int = 20,
    nullable: bool = False,
    default: str | None = None,
    index: bool = False,
) -> sa.Column[str]:
    """One of a few words: a string with a CHECK, so that three databases agree. `allowed` may be a StrEnum.

    `storage.metadata.table` makes the CHECK: MariaDB takes a named one only from the table, not the column.
    """
    words = [str(value) for value in allowed]
    assert words and all(len(value) <= length and "'" not in value for value in words)
    listed = ", ".join(f"'{value}'" for value in words)
    return sa.Column(
        name,
        sa.String(length),
        nullable=nullable,
        default=None if default is None else str(default),
        index=index or None,
        info={"check": f"{name} IN ({listed})"},
    )


def amount_check(column: str, condition: str, name: str) -> sa.CheckConstraint:
    """A CHECK on an amount, as in `amount_check("quantity", "> 0", "quantity_positive")`.

    `+ 0` makes SQLite compare a number; text is greater than every number.
    """
    return sa.CheckConstraint(f"{column} + 0 {condition}", name=name)
