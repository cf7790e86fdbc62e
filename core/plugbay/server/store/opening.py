"""The vault of a database: which keys it is opened with, and whether they are the right ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.database import Database
from plugbay.server.keys import ENVIRONMENT, StaticKeys, read_key_file
from plugbay.server.store.secrets import Secrets
from plugbay.server.vault import KeyProvider, Vault

__all__ = ["open_vault"]


async def open_vault(
    database: Database, *, keys: KeyProvider | SecretStr | None = None, key_file: Path | str | None = None
) -> Vault:
    """The vault of a database that has its tables, after a look whether the keys open what is stored.

    Args:
        database: The database.
        keys: Master keys, `id:base64,id:base64` with the newest first, or who keeps them.
        key_file: A file of such keys. Without both, `<database>.key` beside an SQLite file, which is made when nothing
            was ever stored.

    Raises:
        ConfigurationError: There are no keys, or they are not those that sealed what is stored.
    """
    vault = Vault(await _provider(database, keys, key_file))
    await Secrets(database, vault).check_keys()
    return vault


async def _provider(
    database: Database, keys: KeyProvider | SecretStr | None, key_file: Path | str | None
) -> KeyProvider:
    if isinstance(keys, SecretStr):
        return StaticKeys.parse(keys)
    if keys is not None:
        return keys
    if key_file is not None:
        return read_key_file(Path(key_file), create=False)
    if database.is_memory:
        return StaticKeys.random()
    if database.path is None:
        raise ConfigurationError(
            "A PostgreSQL database needs master keys.", hint=f"Set {ENVIRONMENT} or name a key file."
        )
    # A key that replaced a lost one would hide the loss until somebody misses a secret.
    is_new = await Secrets.is_empty(database)
    return read_key_file(database.path.with_name(f"{database.path.name}.key"), create=is_new)
