"""Rules of the house that no linter knows: pure cores, one place that commits, no float in money."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fillbook"
IMPURE = frozenset({"sqlalchemy", "fastapi", "pydantic", "ccxt", "httpx", "aiohttp", "asyncio"})
# The unit of work, the migrations, and a driver, whose `commit` the unit of work calls.
MAY_COMMIT = frozenset({"storage/unit.py", "storage/migrate.py", "storage/sqlite_async.py"})
QUERIES = frozenset({"select", "update", "delete"})
MONEY = ("kernel/money.py", "ledger/core/", "orders/core/", "risk/core", "market/core", "strategies/core")
# Shown to people, never computed with.
STATISTICS = frozenset({"success_rate"})


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text())


def is_core(name: str) -> bool:
    return name.endswith("/core.py") or "/core/" in name


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def floats(tree: ast.Module) -> Iterator[int]:
    """Lines on which a float is written or made, outside statistics."""
    allowed = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in STATISTICS
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            made = True
        else:
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        if made and node.lineno not in allowed:  # type: ignore[attr-defined]
            yield node.lineno  # type: ignore[attr-defined]


def unscoped(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Functions that query and never look at a scope."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        names |= {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
        queries = any(
            isinstance(inner, ast.Attribute)
            and inner.attr in QUERIES
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "sa"
            for inner in ast.walk(node)
        )
        if queries and not any("scope" in name or name == "owned" for name in names):
            yield node.lineno, node.name


def test_what_answers_people_asks_for_their_own_rows_alone() -> None:
    wrong = [
        f"{name}:{line} {function}"
        for name, tree in modules()
        if name.endswith(("/api.py", "/reading.py")) and name != "market/api.py"
        for line, function in unscoped(tree)
    ]
    assert wrong == []


def test_a_query_without_a_scope_would_be_found() -> None:
    bare = "async def rows(unit):\n    return await unit.all(sa.select(orders))"
    scoped = (
        "async def rows(unit, scope):\n    return await unit.all(owned(sa.select(orders), orders, scope))"
    )
    assert list(unscoped(ast.parse(bare))) == [(1, "rows")]
    assert list(unscoped(ast.parse(scoped))) == []


def test_a_core_decides_without_databases_networks_or_loops() -> None:
    wrong = [
        f"{name} imports {module}"
        for name, tree in modules()
        if is_core(name)
        for module in imported(tree)
        if module.partition(".")[0] in IMPURE or module.startswith("fillbook.storage")
    ]
    assert wrong == []


def test_the_kernel_needs_nothing_of_fillbook_but_itself() -> None:
    wrong = [
        f"{name} imports {module}"
        for name, tree in modules()
        if name.startswith("kernel/")
        for module in imported(tree)
        if module.startswith("fillbook") and not module.startswith("fillbook.kernel")
    ]
    assert wrong == []


def test_only_the_unit_of_work_commits() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        if name not in MAY_COMMIT and not name.startswith("venues/sim/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert wrong == []


def test_money_is_never_a_float() -> None:
    wrong = [
        f"{name}:{line}"
        for name, tree in modules()
        if name.startswith(MONEY) and name != "orders/core/lookup_policy.py"
        for line in floats(tree)
    ]
    assert wrong == []


@pytest.mark.parametrize("code", ["x = 1.5", "def f(x):\n    return float(x)"])
def test_a_float_would_be_found(code: str) -> None:
    assert list(floats(ast.parse(code)))


def test_statistics_may_be_floats() -> None:
    assert list(floats(ast.parse("def success_rate(x):\n    return float(x)"))) == []
