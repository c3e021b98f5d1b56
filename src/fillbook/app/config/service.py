"""Configuration out of a database and into another: all of it in one unit of work, or nothing."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from fillbook.accounts.errors import MasterKeyLost, VaultError
from fillbook.accounts.vault import SecretContext, Vault
from fillbook.app.config import store
from fillbook.app.config.document import Document, DocumentRow
from fillbook.app.config.errors import ConfigDamaged, MasterKeyUnknown
from fillbook.app.config.sections import SECTIONS
from fillbook.identity.service import find_installation_id
from fillbook.kernel.errors import NotFound
from fillbook.storage.retries import is_worth_repeating
from fillbook.storage.unit import Unit

Sections = Mapping[str, Sequence[DocumentRow]]


async def export_config(unit: Unit, vault: Vault | None) -> Document:
    """Everything that a rebuilt database cannot learn from the exchanges. Ciphertexts go as they are.

    Raises `MasterKeyLost` for a key that the vault does not open: the export would be useless where it counts.
    """
    installation_id = await find_installation_id(unit)
    if installation_id is None:
        raise NotFound("No server has run on this database yet: there is nothing to export.")
    names: store.Names = {}
    sections = {section.name: await store.read_section(unit, section, names) for section in SECTIONS}
    return Document(installation_id, _keys_needed(sections, vault), sections)


async def import_config(unit: Unit, document: Document, vault: Vault | None) -> dict[str, int]:
    """Write a configuration into a database that has nothing of it; how many rows, by section.

    Raises `MasterKeyUnknown`, `ConfigDamaged`, `ConfigCollides`: then nothing is written.
    """
    strangers = document.sections.keys() - {section.name for section in SECTIONS}
    if strangers:
        raise ConfigDamaged(f"This configuration has parts that nobody here knows: {', '.join(strangers)}.")
    check_keys(document, vault)
    writer = store.Writer(unit)
    counts = {}
    try:
        await store.take_installation(unit, document.installation_id)
        for section in SECTIONS:
            rows = document.sections.get(section.name, ())
            await writer.write(section, rows)
            counts[section.name] = len(rows)
    except sa.exc.DBAPIError as error:
        if is_worth_repeating(error):
            raise
        raise ConfigDamaged(
            "The database refuses a value of this configuration. Nothing was changed."
        ) from error
    return counts


def check_keys(document: Document, vault: Vault | None) -> None:
    """Whether every exchange key of a configuration opens here, in its own account."""
    known = () if vault is None else vault.fingerprints
    missing = [mark for mark in document.master_keys if mark not in known]
    if missing:
        raise MasterKeyUnknown(
            f"The exchange keys in this configuration need the master key {', '.join(missing)}, and this server "
            f"has {', '.join(known) or 'none'}: bring the old key back into FILLBOOK_MASTER_KEYS or the key file."
        )
    try:
        _keys_needed(document.sections, vault)
    except VaultError as error:
        raise ConfigDamaged(f"This configuration's keys cannot be used: {error.detail}") from error


def _keys_needed(sections: Sections, vault: Vault | None) -> tuple[str, ...]:
    """Fingerprints of the master keys under which the ciphertexts stand; opens each of them."""
    needed = {
        _key_of(row, field, vault)
        for section in SECTIONS
        for field in section.secrets
        for row in sections.get(section.name, ())
        if row.get(field) is not None
    }
    return tuple(sorted(needed))


def _key_of(row: DocumentRow, field: str, vault: Vault | None) -> str:
    if vault is None:
        raise MasterKeyLost(
            "There is no master key here: set FILLBOOK_MASTER_KEYS or bring the key file back."
        )
    try:
        return vault.key_of(str(row[field]), SecretContext(str(row["uid"]), field))
    except VaultError as error:
        raise type(error)(f"The account {row.get('name')}: {error.detail}") from None
