"""People and their API tokens. A token is shown once; what is kept is its hash and a prefix to know it by."""

import random
import re
from collections.abc import Iterable
from datetime import datetime

from fillbook.identity import store
from fillbook.identity.core import ApiToken, Principal, Role, TokenScope, User
from fillbook.identity.passwords import hash_password, needs_rehash, password_fits
from fillbook.kernel.errors import Conflict, InvalidInput, NotFound
from fillbook.kernel.scope import Scope
from fillbook.kernel.tokens import hash_token, new_token, visible_prefix
from fillbook.storage.unit import Unit

TOKEN_START = "fbk_"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost")
_USERNAME = re.compile(r"[\w.\-]{2,80}")


class LoginTaken(Conflict):
    code = "login_taken"


class InvalidUser(InvalidInput):
    code = "invalid_user"


class InvalidToken(InvalidInput):
    code = "invalid_token_request"


async def create_user(
    unit: Unit,
    *,
    email: str,
    username: str,
    password: str | None,
    role: Role = Role.USER,
    name: str | None = None,
    is_active: bool = True,
    must_change_password: bool = False,
) -> User:
    """A new person. `password` None: signs in by other means. Raises `InvalidUser`, `LoginTaken`."""
    email = email.strip().lower()
    if len(email) > 255 or not _EMAIL.fullmatch(email):
        raise InvalidUser("That is not an email address.")
    if not _USERNAME.fullmatch(username):
        raise InvalidUser("A username has 2 to 80 letters, digits, dots, hyphens or underscores.")
    if await store.login_is_taken(unit, email, username):
        raise LoginTaken("This email or username is taken: sign in, or choose another.")
    row = {
        "email": email,
        "username": username,
        "password_hash": None if password is None else hash_password(password),
        "role": role,
        "name": name,
        "is_active": is_active,
        "must_change_password": must_change_password,
    }
    return await get_user(unit, await store.insert_user(unit, row))


async def get_user(unit: Unit, user_id: int) -> User:
    user = await store.user_by_id(unit, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user


async def find_user(unit: Unit, login: str) -> User | None:
    """The user whose email or username this is."""
    found = await store.user_by_login(unit, login)
    return None if found is None else found[0]


async def list_users(unit: Unit) -> list[User]:
    return await store.list_users(unit)


async def check_password(unit: Unit, login: str, password: str) -> User | None:
    """The user, when the password is theirs; an outdated hash is replaced. Takes as long when it is not."""
    found = await store.user_by_login(unit, login)
    stored = None if found is None else found[1]
    if not password_fits(stored, password) or found is None:
        return None
    if stored is not None and needs_rehash(stored):
        await store.update_user(unit, found[0].id, {"password_hash": hash_password(password)})
    return found[0]


async def set_password(unit: Unit, user_id: int, password: str) -> None:
    changes = {"password_hash": hash_password(password), "must_change_password": False}
    if not await store.update_user(unit, user_id, changes):
        raise NotFound("There is no such user.")


async def set_active(unit: Unit, user_id: int, is_active: bool) -> User:
    """Approve or suspend a person. Suspending ends their API tokens' use at once."""
    changes = {"is_active": is_active, "suspended_at": None if is_active else unit.now}
    if not await store.update_user(unit, user_id, changes):
        raise NotFound("There is no such user.")
    return await get_user(unit, user_id)


async def create_token(
    unit: Unit,
    user: User,
    *,
    name: str,
    scopes: Iterable[TokenScope],
    expires_at: datetime | None = None,
    rng: random.Random,
) -> tuple[ApiToken, str]:
    """A new token as a row and in the clear: the second is never seen again. Raises `InvalidToken`."""
    wanted = frozenset(scopes)
    if not wanted:
        raise InvalidToken("A token needs at least one scope: read, trade or admin.")
    if TokenScope.ADMIN in wanted and user.role is not Role.ADMIN:
        raise InvalidToken("Only an administrator's token can have the scope admin.")
    if expires_at is not None and expires_at <= unit.now:
        raise InvalidToken("That moment has passed: give an expiry in the future, or none.")
    token = TOKEN_START + new_token(rng)
    row = {
        "user_id": user.id,
        "name": name[:100],
        "prefix": visible_prefix(token.removeprefix(TOKEN_START)),
        "token_hash": hash_token(token),
        "scopes": ",".join(sorted(wanted)),
        "expires_at": expires_at,
    }
    number = await store.insert_token(unit, row)
    made = ApiToken(number, user.id, row["name"], row["prefix"], wanted, expires_at, None, unit.now)  # type: ignore[arg-type]
    return made, token


async def authenticate_token(unit: Unit, token: str) -> Principal | None:
    """Whose token it is; None when it is nobody's, expired, revoked, or its owner may not enter. One query."""
    if not token.startswith(TOKEN_START):
        return None
    return await store.principal_of_token(unit, hash_token(token), unit.now)


async def note_token_use(unit: Unit, token_ids: Iterable[int]) -> None:
    """Set `last_used_at`; called now and then for many, not at every request."""
    await store.touch_tokens(unit, list(token_ids))


async def list_tokens(unit: Unit, scope: Scope) -> list[ApiToken]:
    return await store.list_tokens(unit, scope)


async def revoke_token(unit: Unit, scope: Scope, token_id: int) -> None:
    if not await store.revoke_token(unit, scope, token_id):
        raise NotFound("There is no such token.")


async def installation_id(unit: Unit, rng: random.Random) -> str:
    """This installation's 4 random characters, drawn at the first call and the same ever after."""
    found = await store.read_installation_id(unit)
    if found is None:
        await store.insert_installation_id(unit, new_token(rng, 4))
        found = await store.read_installation_id(unit)
    assert found is not None
    return found


async def find_installation_id(unit: Unit) -> str | None:
    """The installation's id, if one was drawn already."""
    return await store.read_installation_id(unit)
