"""A vault is opened with the keys that were given, or with a file beside the SQLite database."""

from __future__ import annotations

import base64
import os

import pytest
from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.database import Database
from plugbay.server.keys import StaticKeys
from plugbay.server.store import open_vault

KEYS = SecretStr(f"one:{base64.b64encode(os.urandom(32)).decode()}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_key_is_made_beside_a_new_file(database, tmp_path):
    """On the first start of an SQLite database a key file is made, and the next start opens with it."""
    sealed = await (await open_vault(database)).seal(b"x", "place")
    assert True is (tmp_path / "plugbay.db.key").exists()
    assert b"x" == await (await open_vault(database)).open(sealed, "place")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_lost_key_is_not_replaced(database, tmp_path):
    """When the key file of a database that is in use is missing, no new one hides the loss."""
    await open_vault(database)
    (tmp_path / "plugbay.db.key").unlink()
    with pytest.raises(ConfigurationError, match=r"^The key file .*plugbay\.db\.key is missing\."):
        await open_vault(database)
    assert False is (tmp_path / "plugbay.db.key").exists()


async def test_given_keys_are_used_and_no_file_is_made(database, tmp_path):
    """With keys in hand nothing is made, and other keys are refused at the next start."""
    sealed = await (await open_vault(database, keys=KEYS)).seal(b"x", "place")
    file = tmp_path / "other.key"
    file.write_text(KEYS.get_secret_value())
    file.chmod(0o600)
    assert b"x" == await (await open_vault(database, key_file=file)).open(sealed, "place")
    assert False is (tmp_path / "plugbay.db.key").exists()
    with pytest.raises(ConfigurationError, match=r"^The master key 'one'"):
        await open_vault(database, keys=StaticKeys.random())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_needs_a_key(database):
    """A PostgreSQL database without keys is a ConfigurationError that says where to give them."""
    with pytest.raises(ConfigurationError, match=r"^A PostgreSQL database needs master keys\. Set PLUGBAY_MASTER_KEYS"):
        await open_vault(database)


async def test_a_database_in_memory_has_a_key_of_its_own():
    """A database in memory needs no key and leaves no file."""
    database = Database("sqlite://")
    await database.migrate()
    vault = await open_vault(database)
    assert b"x" == await vault.open(await vault.seal(b"x", "place"), "place")
    await database.close()
