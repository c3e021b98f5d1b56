"""Users, tokens, the installation's id and kept answers, on each database."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fillbook.identity import idempotency, service
from fillbook.identity.core import Role, TokenScope, User
from fillbook.identity.idempotency import KeptAnswer, KeyReused, StillRunning
from fillbook.identity.service import InvalidToken, InvalidUser, LoginTaken
from fillbook.identity.tables import api_tokens
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import EVERYONE
from fillbook.storage.unit import Database

Person = Callable[..., Awaitable[User]]
TRADE = (TokenScope.READ, TokenScope.TRADE)


async def new_token(database: Database, user: User, rng: random.Random, lifetime_s: int | None = None) -> str:
    async with database.unit() as unit:
        expires_at = None if lifetime_s is None else unit.now + timedelta(seconds=lifetime_s)
        _, token = await service.create_token(
            unit, user, name="script", scopes=TRADE, expires_at=expires_at, rng=rng
        )
    return token


async def test_a_login_is_found_by_email_and_username_and_is_nobodys_twice(
    database: Database, person: Person
) -> None:
    ann = await person("ann")
    async with database.read() as unit:
        assert await service.find_user(unit, "ANN@example.org") == ann
        assert await service.find_user(unit, "ann") == ann
        assert await service.find_user(unit, "bea") is None
    with pytest.raises(LoginTaken):
        await person("ann")


@pytest.mark.parametrize(("email", "username"), [("nobody", "ann"), ("a@b.cc", "a b"), ("a@b.cc", "")])
async def test_impossible_people_are_refused(sqlite_database: Database, email: str, username: str) -> None:
    with pytest.raises(InvalidUser):
        async with sqlite_database.unit() as unit:
            await service.create_user(unit, email=email, username=username, password=None)


async def test_a_password_is_checked_and_can_be_changed(sqlite_database: Database) -> None:
    async with sqlite_database.unit() as unit:
        user = await service.create_user(
            unit, email="a@b.cc", username="ann", password="first password", must_change_password=True
        )
        assert await service.check_password(unit, "ann", "wrong password") is None
        assert await service.check_password(unit, "bea", "first password") is None
        await service.set_password(unit, user.id, "second password")
        found = await service.check_password(unit, "ann", "second password")
    assert found is not None
    assert not found.must_change_password


async def test_a_token_names_its_owner_and_is_kept_as_a_hash(
    database: Database, person: Person, rng: random.Random
) -> None:
    ann = await person("ann")
    token = await new_token(database, ann, rng)
    async with database.read() as unit:
        principal = await service.authenticate_token(unit, token)
        row = (await unit.all(sa.select(api_tokens)))[0]
    assert principal is not None
    assert (principal.user_id, principal.scopes) == (ann.id, frozenset(TRADE))
    assert token.startswith("fbk_")
    assert token not in str(row)
    assert token.removeprefix("fbk_").startswith(row.prefix)


async def test_a_strangers_expired_revoked_or_suspended_token_opens_nothing(
    sqlite_database: Database, rng: random.Random, clock: object
) -> None:
    database = sqlite_database
    async with database.unit() as unit:
        ann = await service.create_user(unit, email="a@b.cc", username="ann", password=None)
        bea = await service.create_user(unit, email="b@b.cc", username="bea", password=None)
    expiring = await new_token(database, ann, rng, lifetime_s=60)
    revoked = await new_token(database, ann, rng)
    suspended = await new_token(database, bea, rng)
    async with database.unit() as unit:
        assert await service.authenticate_token(unit, expiring) is not None
        number = (await service.list_tokens(unit, ann_scope := service.Scope.of(ann.id)))[1].id
        with pytest.raises(NotFound):
            await service.revoke_token(unit, service.Scope.of(bea.id), number)
        await service.revoke_token(unit, ann_scope, number)
        await service.set_active(unit, bea.id, False)
    clock.advance(60)  # type: ignore[attr-defined]
    async with database.read() as unit:
        for token in (expiring, revoked, suspended, "fbk_" + "a" * 40, "", "bearer"):
            assert await service.authenticate_token(unit, token) is None


async def test_only_an_administrator_gets_the_scope_admin(
    sqlite_database: Database, rng: random.Random
) -> None:
    async with sqlite_database.unit() as unit:
        user = await service.create_user(unit, email="a@b.cc", username="ann", password=None)
        with pytest.raises(InvalidToken):
            await service.create_token(unit, user, name="t", scopes=[TokenScope.ADMIN], rng=rng)
        with pytest.raises(InvalidToken):
            await service.create_token(unit, user, name="t", scopes=[], rng=rng)
        admin = await service.create_user(
            unit, email="c@b.cc", username="cleo", password=None, role=Role.ADMIN
        )
        _, token = await service.create_token(unit, admin, name="t", scopes=[TokenScope.ADMIN], rng=rng)
        principal = await service.authenticate_token(unit, token)
    assert principal is not None
    assert principal.everyone == EVERYONE
    assert principal.scope.user_id == admin.id


async def test_the_installation_is_named_once(database: Database, rng: random.Random) -> None:
    async with database.unit() as unit:
        first = await service.installation_id(unit, rng)
    async with database.unit() as unit:
        assert await service.installation_id(unit, random.Random(99)) == first
    assert len(first) == 4


async def test_a_repeated_request_gets_the_first_answer(database: Database, person: Person) -> None:
    user_id = (await person("ann")).id
    answer = KeptAnswer(201, {"id": 7, "price": "1.10"})
    assert await database.run(lambda unit: idempotency.claim(unit, user_id, "k", "hash")) is None
    with pytest.raises(StillRunning):
        await database.run(lambda unit: idempotency.claim(unit, user_id, "k", "hash"))
    await database.run(lambda unit: idempotency.keep(unit, user_id, "k", answer))
    assert await database.run(lambda unit: idempotency.claim(unit, user_id, "k", "hash")) == answer
    with pytest.raises(KeyReused):
        await database.run(lambda unit: idempotency.claim(unit, user_id, "k", "another"))


async def test_a_key_is_its_owners_own_and_is_free_again_when_nothing_was_done(
    database: Database, person: Person
) -> None:
    ann, bea = (await person("ann")).id, (await person("bea")).id
    for user_id in (ann, bea, ann):
        assert await database.run(lambda unit, u=user_id: idempotency.claim(unit, u, "k", "hash")) is None  # type: ignore[misc]
        await database.run(lambda unit, u=user_id: idempotency.forget(unit, u, "k"))  # type: ignore[misc]
