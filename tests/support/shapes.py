"""A message beside one that was recorded: does it have every key, with a value of the same kind and spelling?

Numbers in text stay text. An empty text stands for any text, where a venue writes it for what there is not.
"""

import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import orjson
import pytest

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
_NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?$", re.ASCII)
Enums = Mapping[str, Set[str]]


def recorded(venue: str, name: str) -> Any:
    path = RECORDED / venue / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded messages lie beside the checkout")
    return orjson.loads(path.read_bytes())


def differences(
    wanted: Any, made: Any, enums: Enums, skipped: Set[str] = frozenset(), at: str = ""
) -> list[str]:
    """How `made` falls short of `wanted`, as paths; empty when it does not. Of lists the first rows count."""
    if isinstance(wanted, dict):
        if not isinstance(made, dict):
            return [f"{at}: {type(made).__name__} instead of an object"]
        found = []
        for key, value in wanted.items():
            if key in skipped:
                continue
            if key not in made:
                found.append(f"{at}.{key}: missing")
                continue
            found += differences(value, made[key], enums, skipped, f"{at}.{key}")
            if key in enums and isinstance(value, str):
                found += [f"{at}.{key}: {made[key]}"] if made[key] not in enums[key] else []
        return found
    if isinstance(wanted, list):
        if not isinstance(made, list):
            return [f"{at}: {type(made).__name__} instead of a list"]
        return differences(wanted[0], made[0], enums, skipped, f"{at}[0]") if wanted and made else []
    if wanted is not None and made is not None and not _is_alike(wanted, made):
        return [f"{at}: {made!r} instead of {wanted!r}"]
    return []


def _is_alike(wanted: Any, made: Any) -> bool:
    if isinstance(wanted, str) and isinstance(made, str) and "" in (wanted, made):
        return True
    return _kind(wanted) == _kind(made)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "number in text" if _NUMBER.match(value) else "text"
    return type(value).__name__
