"""Master keys that the operator keeps: in the environment, or in a file that only the server can read.

They are written `id:base64`, 32 bytes each, the newest first. The first seals, all open. To change the key, put a
new one in front, start all processes with it, wrap the stored data keys anew (`Secrets.rewrap`), and take the old
one away.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretBytes, SecretStr

from plugbay.auth.private_file import read_private
from plugbay.disk import sync_directory
from plugbay.errors import ConfigurationError
from plugbay.server.vault import KEY_BYTES, SealError, Wrapped, decrypt, encrypt

__all__ = ["ENVIRONMENT", "StaticKeys", "read_key_file"]

ENVIRONMENT = "PLUGBAY_MASTER_KEYS"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORM = "Write id:base64,id:base64 with 32 bytes each, the newest first; an id has letters, digits, '.', '_' and '-'."


class StaticKeys:
    """Key-encryption keys held in memory.

    Args:
        keys: 32 bytes by id, the newest first.

    Raises:
        ConfigurationError: There is none, or one has an id or a length that does not fit.
    """

    __slots__ = ("_keys", "_newest")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        for identifier, key in keys.items():
            if not _ID.fullmatch(identifier) or len(key) != KEY_BYTES:
                raise ConfigurationError("A master key is not of the form that is needed.", hint=_FORM)
        if not keys:
            raise ConfigurationError("No master key is given.", hint=_FORM)
        self._keys = dict(keys)
        self._newest = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"StaticKeys({list(self._keys)})"

    def __reduce__(self) -> str:
        raise TypeError("Master keys are not pickled.")

    @classmethod
    def parse(cls, text: SecretStr) -> StaticKeys:
        """The keys of a text: `id:base64`, separated by commas or line ends; lines that begin with `#` are left out.

        Raises:
            ConfigurationError: The text has another form, or an id twice; the message does not quote it.
        """
        keys: dict[str, bytes] = {}
        lines = [line for line in text.get_secret_value().splitlines() if not line.strip().startswith("#")]
        for part in ",".join(lines).split(","):
            if not part.strip():
                continue
            identifier, _, encoded = (piece.strip() for piece in part.partition(":"))
            if identifier in keys:
                raise ConfigurationError("Two master keys have the same id.", hint=_FORM)
            keys[identifier] = _decoded(encoded)
        return cls(keys)

    @classmethod
    def random(cls) -> StaticKeys:
        """A new key that nobody else has, for what ends with this process."""
        return cls({"memory": secrets.token_bytes(KEY_BYTES)})

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """The data key under the newest key, bound to `context`."""
        return Wrapped(self._newest, encrypt(self._keys[self._newest], data_key, _bound(self._newest, context)))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """The data key that was wrapped for `context`.

        Raises:
            SealError: The key is not at hand, or this is not what it wrapped for `context`.
        """
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise SealError
        return decrypt(key, wrapped.blob, _bound(wrapped.key_id, context))


def read_key_file(path: Path, *, create: bool) -> StaticKeys:
    """The keys of a file that only its owner can read.

    Args:
        path: The file; a key in each line.
        create: Whether to make it with a new key if it is not there. Of several processes at once, one does.

    Raises:
        ConfigurationError: The file is missing, is not private, or holds something else.
    """
    try:
        content = _read(path)
        if content is None and create:
            _create(path)
            content = _read(path)
    except OSError as error:
        raise ConfigurationError(f"The key file {path} cannot be used: {error.strerror}.") from error
    if content is None:
        raise ConfigurationError(
            f"The key file {path} is missing.", hint=f"Put it back from its backup, or set {ENVIRONMENT}."
        )
    try:
        return StaticKeys.parse(SecretStr(content.get_secret_value().decode()))
    except UnicodeDecodeError:
        raise ConfigurationError(f"The key file {path} is not text.", hint=_FORM) from None


def _read(path: Path) -> SecretBytes | None:
    return read_private(path, what="keys", remedy="rotate the keys as well")


def _create(path: Path) -> None:
    """Makes the file whole in one step, unless another process was first."""
    line = f"{time.strftime('%Y-%m-%d', time.gmtime())}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(line)
            file.flush()
            os.fsync(descriptor)
        # A link, unlike a renaming, does not replace what is there.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    sync_directory(path.parent)


def _bound(key_id: str, context: str) -> str:
    return f"kek|{key_id}|{context}"


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError("A master key is not base64.", hint=_FORM) from None
