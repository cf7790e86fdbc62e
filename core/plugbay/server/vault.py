"""Sealing: what is stored can be read only with a key that is not in the database, and only in its own place.

Each record has a data key of its own, which a key-encryption key wraps: that one can be changed without touching
the records, and lives with whoever keeps keys. AES-256-GCM (NIST SP 800-38D) with the record's place as associated
data: a ciphertext that was moved to another place, or put back in place of a newer one, does not open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plugbay.errors import ServiceError

__all__ = ["KEY_BYTES", "Envelope", "KeyProvider", "SealError", "Sealed", "Vault", "Wrapped", "decrypt", "encrypt"]

KEY_BYTES = 32
NONCE_BYTES = 12


class SealError(ServiceError):
    """A sealed record does not open: it was changed or moved, or its key is not at hand."""

    retryable_by_default = False

    def __init__(self, message: str = "A stored secret cannot be opened.") -> None:
        super().__init__(message, hint="Check the master keys, and that the database was not tampered with.")


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key under a key-encryption key.

    Attributes:
        key_id: Which key-encryption key.
        blob: The wrapped data key, as its provider made it.
    """

    key_id: str
    blob: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record that opens only in its place.

    Attributes:
        key: Its data key, wrapped.
        ciphertext: The nonce, and what was encrypted, with its tag.
    """

    key: Wrapped
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A fresh data key for one record: to seal that now takes neither time nor luck.

    Attributes:
        key: The data key, wrapped.
        context: The record's place.
    """

    key: Wrapped
    context: str
    _data_key: bytes = field(repr=False)

    def seal(self, plaintext: bytes) -> Sealed:
        """What only `Vault.open` with the same context reads."""
        return Sealed(self.key, encrypt(self._data_key, plaintext, self.context))


class KeyProvider(Protocol):
    """Whoever keeps the key-encryption keys; a cloud's key service can be one.

    Both methods raise `SealError` for what cannot be done, and tell nothing of keys or contents.
    """

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """The data key under the newest key-encryption key, bound to `context`."""
        ...

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """The data key that was wrapped for `context`."""
        ...


class Vault:
    """Seals and opens.

    Args:
        keys: Whoever keeps the key-encryption keys.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: KeyProvider) -> None:
        self._keys = keys

    async def seal(self, plaintext: bytes, context: str) -> Sealed:
        """What only `open` with the same `context` reads.

        Args:
            plaintext: What to seal.
            context: Its place: what it is, whose, which version.

        Raises:
            SealError: The data key cannot be wrapped.
        """
        return (await self.envelope(context)).seal(plaintext)

    async def envelope(self, context: str) -> Envelope:
        """What seals a record that is not known yet, once it is.

        Args:
            context: Its place: what it is, whose, which version.

        Raises:
            SealError: The data key cannot be wrapped.
        """
        data_key = AESGCM.generate_key(8 * KEY_BYTES)
        return Envelope(await self._keys.wrap(data_key, context), context, data_key)

    async def open(self, sealed: Sealed, context: str) -> bytes:
        """What was sealed for `context`.

        Raises:
            SealError: It was changed, belongs elsewhere, or its key is not at hand.
        """
        return decrypt(await self._keys.unwrap(sealed.key, context), sealed.ciphertext, context)

    async def rewrap(self, key: Wrapped, context: str) -> Wrapped:
        """The same data key under the newest key-encryption key.

        Raises:
            SealError: It does not open.
        """
        return await self._keys.wrap(await self._keys.unwrap(key, context), context)

    async def newest(self) -> str:
        """The id of the key-encryption key that is used now.

        Raises:
            SealError: There is none.
        """
        return (await self._keys.wrap(AESGCM.generate_key(8 * KEY_BYTES), "vault/v1|probe")).key_id


def encrypt(key: bytes, plaintext: bytes, context: str) -> bytes:
    """The nonce and the ciphertext. A key seals so few records that random nonces do not meet."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def decrypt(key: bytes, ciphertext: bytes, context: str) -> bytes:
    """What `encrypt` was given.

    Raises:
        SealError: It is not what `encrypt` made with this key for this context.
    """
    try:
        return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        raise SealError from None
