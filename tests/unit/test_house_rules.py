"""House rules that neither the type checker nor the import rules can say."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fillbook"
LONGEST_FILE = 500
MONEY = (
    "kernel/money.py",
    "market/core.py",
    "ledger",
    "orders/core",
    "risk",
    "trading/core",
    "strategies/terms.py",
)
MAY_USE_FLOATS = {"orders/core/order_log.py", "orders/core/lookup_policy.py"}
MAY_COMMIT = {"storage/unit.py", "storage/migrate.py"}


def modules(*under: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not under or any(name == one or name.startswith(f"{one}/") for one in under):
            yield name, ast.parse(path.read_text())


def test_no_float_touches_money() -> None:
    offences = [
        f"{name}:{node.lineno}"
        for name, tree in modules(*MONEY)
        if name not in MAY_USE_FLOATS
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")
    ]
    assert offences == []


def test_only_the_unit_of_work_commits() -> None:
    offences = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        if name not in MAY_COMMIT and not name.startswith("venues/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert offences == []


def test_every_question_of_a_person_goes_through_the_owner_scope() -> None:
    """The queries behind the web interface are the functions of `reading.py` that take a unit: each takes a
    scope too, and uses it."""
    offences = []
    for name, tree in modules():
        if not name.endswith("/reading.py"):
            continue
        for function in tree.body:
            if not isinstance(function, ast.AsyncFunctionDef) or function.name.startswith("_"):
                continue
            arguments = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
            used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            if "scope" not in arguments & used and "viewer" not in arguments & used:
                offences.append(f"{name}: {function.name}")
    assert offences == []


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_file_outgrows_what_one_can_hold_in_mind(folder: str) -> None:
    root = SOURCE.parents[1] / folder
    long = {
        path.relative_to(root).as_posix(): count
        for path in root.rglob("*.py")
        if (count := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}
