"""People for the domains' contract tests."""

import random
from collections.abc import Awaitable, Callable

import pytest
from cryptography.fernet import Fernet

from fillbook.accounts.vault import Vault
from fillbook.identity.core import Role, User
from fillbook.identity.service import create_user
from fillbook.storage.unit import Database

Person = Callable[..., Awaitable[User]]


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20260102)


@pytest.fixture
def master_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def vault(master_key: str) -> Vault:
    return Vault([master_key])


@pytest.fixture
def person(database: Database) -> Person:
    async def make(name: str, role: Role = Role.USER) -> User:
        async with database.unit() as unit:
            return await create_user(
                unit, email=f"{name}@example.org", username=name, password=None, role=role
            )

    return make
