"""The metadata with every domain's tables on it: what the migrations are compared with."""

import importlib
import importlib.util
import pkgutil

import sqlalchemy as sa

import fillbook
from fillbook.storage.metadata import metadata


def load_metadata() -> sa.MetaData:
    """Import `tables` of every domain that has one, and return the one metadata."""
    for module in pkgutil.iter_modules(fillbook.__path__):
        if module.ispkg and importlib.util.find_spec(f"fillbook.{module.name}.tables") is not None:
            importlib.import_module(f"fillbook.{module.name}.tables")
    return metadata
