"""What the documents name exists, and what exists and must be documented is: settings, codes, commands, links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fillbook.app.cli.main import app as command_line
from fillbook.app.settings import Settings
from fillbook.app.web.application import create_app
from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.orders.core.transitions import STATUS_TRANSITIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
# What a person gets for an order by hand, and never for an alert.
BY_HAND = {
    "external_position",
    "amend_not_supported",
    "amend_under_way",
    "amend_grows",
    "amend_below_filled",
    "not_resting",
    "nothing_to_amend",
}
INSIDE = {"nothing_due"}  # never reaches an account


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def section(document: Path, title: str) -> str:
    """The text under a heading, to the next one of its level."""
    _, found = document.read_text().split(f"\n## {title}\n", 1)
    return found.split("\n## ", 1)[0]


def rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def shell_lines(document: Path) -> list[str]:
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    local = [target for target in targets if not target.startswith(("http://", "https://", "mailto:"))]
    assert [target for target in local if not (document.parent / target.split("#")[0]).exists()] == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in seen or document.suffix != ".md":
            continue
        seen.add(document)
        targets = re.findall(r"\]\(([^)\s#]+)[^)]*\)", document.read_text())
        waiting += [(document.parent / target).resolve() for target in targets if "://" not in target]
    assert set(DOCUMENTS) - seen == set()


def test_every_setting_is_documented_with_its_default_and_no_other_is() -> None:
    documented = {
        cells[0].strip("`"): cells[1].strip("`")
        for cells in rows((DOCS / "operating/settings.md").read_text())
    }
    defaults = {f"FILLBOOK_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert documented.keys() == defaults.keys()
    for name, default in defaults.items():
        match default:
            case bool() | int():
                assert documented[name] == str(default).lower()
            case str() if default:
                assert documented[name] == default
            case tuple() if default:
                assert documented[name] == ",".join(default)


def test_no_document_names_a_setting_that_does_not_exist() -> None:
    known = {f"FILLBOOK_{name.upper()}" for name in Settings.model_fields}
    known |= {"FILLBOOK_TEST_POSTGRES_URL", "FILLBOOK_TEST_MYSQL_URL"}
    named = {name for document in DOCUMENTS for name in re.findall(r"FILLBOOK_[A-Z_]+", document.read_text())}
    assert named - known == set()


def denial_codes() -> set[str]:
    """The first argument of every `Denied(...)` in the code, and what preparing an account may raise."""
    found = {error.code for error in (ReadFailed, CredentialsRefused, SettingRefused)}
    for path in (ROOT / "src" / "fillbook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_denial = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Denied"
            )
            if is_denial and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                found.add(node.args[0].value)  # type: ignore[attr-defined]
    return found


def test_every_reason_for_no_order_is_documented_and_no_other_is() -> None:
    text = section(DOCS / "guides/alerts.md", "When an account gets no order")
    documented = {code for cells in rows(text) for code in re.findall(r"`([a-z_]+)`", cells[0])}
    assert documented == denial_codes() - BY_HAND - INSIDE


def test_the_table_of_states_is_the_codes() -> None:
    text = section(DOCS / "concepts/path-of-an-order.md", "The states")
    documented = {
        cells[0].strip("`"): set(re.findall(r"`([A-Z_]+)`", "".join(cells[1:]))) for cells in rows(text)
    }
    assert documented == {
        status.value: {after.value for after in following} for status, following in STATUS_TRANSITIONS.items()
    }


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by its words; groups hold the others."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(command_line)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_that_is_shown_exists_with_its_options(document: Path) -> None:
    inline = re.findall(r"`((?:\.venv/bin/)?fillbook [^`]+)`", document.read_text())
    for line in [*shell_lines(document), *inline]:
        words = line.removeprefix(".venv/bin/").split()
        if words[:1] != ["fillbook"]:
            continue
        path = next((key for size in (2, 1) if (key := tuple(words[1 : size + 1])) in COMMANDS), None)
        assert path is not None, line
        known = {option for parameter in COMMANDS[path].params for option in parameter.opts}
        assert {word.strip("[]") for word in words if word.strip("[").startswith("--")} <= known, line


def test_every_command_is_in_the_operators_table() -> None:
    text = section(DOCS / "operating/running.md", "The commands")
    assert {cells[0].strip("`") for cells in rows(text)} == {
        f"fillbook {' '.join(path)}" for path in COMMANDS
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_shown_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {line.split()[1] for line in shell_lines(document) if line.startswith("make ")}
    shown |= set(re.findall(r"`make ([a-z-]+)", document.read_text()))
    assert shown <= targets


def test_every_path_of_the_api_that_is_shown_exists() -> None:
    paths = create_app({}).openapi()["paths"]
    known = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
        for path, methods in paths.items()
        for method in methods
    }
    for document in DOCUMENTS:
        for method, path in re.findall(r"(GET|POST|PUT|PATCH|DELETE) (/api/[^\s`?)]*)", document.read_text()):
            assert (method, re.sub(r"\{[^}]*\}", "{}", path)) in known, (
                f"{name_of(document)}: {method} {path}"
            )
        for method, path in re.findall(r"^api (GET|POST|PUT) (\S+)", document.read_text(), re.MULTILINE):
            assert (method, re.sub(r"/\d+", "/{}", f"/api/v1{path}")) in known, f"{name_of(document)}: {path}"


def test_both_readmes_show_the_same_commands() -> None:
    english, korean = (
        re.findall(r"```.*?```", (ROOT / name).read_text(), re.DOTALL)
        for name in ("README.md", "README.ko.md")
    )
    assert english == korean
    assert english


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions/README.md").read_text()
    pages = [path.name for path in (DOCS / "decisions").glob("[0-9]*.md")]
    assert [page for page in pages if f"({page})" not in index] == []


@pytest.mark.parametrize("picture", sorted((DOCS / "images").glob("*.svg")), ids=name_of)
def test_a_picture_fetches_nothing(picture: Path) -> None:
    assert re.findall(r"url\(\W*http|href=|@font-face|@import|<script", picture.read_text()) == []
