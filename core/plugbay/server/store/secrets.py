"""Sealed secrets: versions of one value for each subject, which nobody reads in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConfigurationError, ConflictError, NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import insert_or, now
from plugbay.server.tables import secrets
from plugbay.server.vault import Envelope, Sealed, SealError, Vault, Wrapped

if TYPE_CHECKING:
    from plugbay.server.store.leases import Lease

__all__ = ["Prepared", "Secret", "Secrets"]

_OWNERS = {"connector": "connector_id", "oauth_app": "oauth_app_id", "flow": "flow_hash"}
"""The column that binds a secret to its row, by what its subject begins with."""

_CHECK = ("", "vault/check")
"""The place of the record by which a wrong key is noticed before any secret is there."""

_MOST_CLASHES = 100


@dataclass(frozen=True, slots=True)
class Secret:
    """An opened secret.

    Attributes:
        version: Raised by one whenever it is put.
        value: JSON values.
    """

    version: int
    value: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An opened secret whose next version needs one statement only.

    Attributes:
        organization_id: Whose.
        subject: What it belongs to.
        secret: As it is now.
        envelope: What seals the next version.
    """

    organization_id: str
    subject: str
    secret: Secret
    envelope: Envelope


class Secrets:
    """The sealed secrets of a database.

    A subject is `connector/<id>`, `oauth_app/<id>` or `flow/<digest>`. The row it names must be there, and a secret
    goes with it.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(
        self,
        organization_id: str,
        subject: str,
        value: Mapping[str, Any],
        *,
        connection: AsyncConnection | None = None,
        expected_version: int | None = None,
        lease: Lease | None = None,
    ) -> int:
        """Seals a value as the subject's next version; durable when it returns, or when the transaction ends.

        Args:
            organization_id: Whose.
            subject: What it belongs to.
            value: JSON values, or `SecretStr`.
            connection: A transaction to do it in.
            expected_version: The version to replace, 0 for none; any if not given.
            lease: Refuse if this lease was lost to another holder.

        Returns:
            The new version.

        Raises:
            ConflictError: The version is another, or the lease was lost.
            NotFoundError: The organization has no row that the subject names.
        """
        plaintext = _text(value)
        async with self._database.begin(connection) as own:
            if lease is not None:
                await lease.confirm(own)
            return await self._put(own, organization_id, subject, plaintext, expected_version)

    async def _put(
        self,
        connection: AsyncConnection,
        organization_id: str,
        subject: str,
        plaintext: bytes,
        expected: int | None,
    ) -> int:
        query = select(secrets.c.version).where(*_is(organization_id, subject))
        for _ in range(_MOST_CLASHES):
            version = (await connection.execute(query)).scalar() or 0
            if expected not in (None, version):
                break
            sealed = await self._vault.seal(plaintext, _context(organization_id, subject, version + 1))
            # Nothing is locked between reading and writing, so another may have come first.
            if await _write(connection, organization_id, subject, version, sealed):
                return version + 1
        raise ConflictError("The secret was changed by somebody else.", retryable=True)

    async def prepare(self, organization_id: str, subject: str) -> Prepared | None:
        """The newest version, and whatever else `replace` needs; None if there is none.

        Raises:
            SealError: It does not open, or no key can be had for the next version.
        """
        found = await self.get(organization_id, subject)
        if found is None:
            return None
        envelope = await self._vault.envelope(_context(organization_id, subject, found.version + 1))
        return Prepared(organization_id, subject, found, envelope)

    async def replace(self, prepared: Prepared, value: Mapping[str, Any]) -> int:
        """Seals a value as the version after a prepared one, in one statement; durable when it returns.

        It is for what would be lost if the process died before: all that can be done beforehand is done by `prepare`.

        Args:
            prepared: From `prepare`; it is good for once.
            value: JSON values, or `SecretStr`.

        Returns:
            The new version.

        Raises:
            ConflictError: The secret was changed meanwhile, or is gone.
        """
        version, sealed = prepared.secret.version, prepared.envelope.seal(_text(value))
        mine = (*_is(prepared.organization_id, prepared.subject), secrets.c.version == version)
        if not await self._database.change(update(secrets).where(*mine).values(version=version + 1, **_sealed(sealed))):
            raise ConflictError("The secret was changed by somebody else.", retryable=True)
        return version + 1

    async def get(self, organization_id: str, subject: str) -> Secret | None:
        """The newest version; None if there is none.

        Raises:
            SealError: It does not open.
        """
        row = await self._database.first(select(secrets).where(*_is(organization_id, subject)))
        return None if row is None else await self.open(row)

    async def open(self, row: Row[Any]) -> Secret:
        """The secret of a row of the table.

        Raises:
            SealError: It does not open.
        """
        sealed = Sealed(Wrapped(row.key_id, row.wrapped_key), row.ciphertext)
        context = _context(row.organization_id, row.subject, row.version)
        return Secret(row.version, json.loads(await self._vault.open(sealed, context)))

    async def delete(self, organization_id: str, subject: str) -> bool:
        """Removes a secret; returns whether it was there."""
        return bool(await self._database.change(delete(secrets).where(*_is(organization_id, subject))))

    async def stale(self) -> int:
        """How many data keys are wrapped by another than the newest key-encryption key."""
        newest = await self._vault.newest()
        row = await self._database.first(select(func.count()).where(secrets.c.key_id != newest))
        return 0 if row is None else int(row[0])

    async def rewrap(self, limit: int = 100) -> int:
        """Wraps data keys anew under the newest key-encryption key, while others read and write.

        Args:
            limit: Most to do; call again until it returns 0.

        Returns:
            How many were done.

        Raises:
            SealError: One does not open; those before it are done.
        """
        newest = await self._vault.newest()
        columns = (secrets.c.organization_id, secrets.c.subject, secrets.c.version, secrets.c.key_id)
        query = select(*columns, secrets.c.wrapped_key).where(secrets.c.key_id != newest).limit(limit)
        done = 0
        for row in await self._database.all(query):
            context = _context(row.organization_id, row.subject, row.version)
            key = await self._vault.rewrap(Wrapped(row.key_id, row.wrapped_key), context)
            # One that was put meanwhile has the newest key already.
            same = (secrets.c.version == row.version, secrets.c.wrapped_key == row.wrapped_key)
            change = update(secrets).where(*_is(row.organization_id, row.subject), *same)
            async with self._database.begin() as connection:
                result = await connection.execute(change.values(key_id=key.key_id, wrapped_key=key.blob))
            done += result.rowcount
        return done

    async def check_keys(self) -> None:
        """Makes sure that the keys open what is stored; call it at the start.

        Raises:
            ConfigurationError: A key is missing, or is another than the one that sealed.
        """
        organization_id, subject = _CHECK
        plaintext = b'{"check":true}'
        async with self._database.begin() as connection:
            sealed = await self._vault.seal(plaintext, _context(organization_id, subject, 1))
            await connection.execute(_insert(connection, organization_id, subject, sealed))
        newest_of_each = select(secrets.c.key_id, func.max(secrets.c.subject).label("subject")).group_by(
            secrets.c.key_id
        )
        sample = newest_of_each.subquery()
        query = select(secrets).join(
            sample, (sample.c.key_id == secrets.c.key_id) & (sample.c.subject == secrets.c.subject)
        )
        for row in await self._database.all(query):
            try:
                await self.open(row)
            except SealError as error:
                raise ConfigurationError(
                    f"The master key {row.key_id!r}, which sealed secrets of this database, is missing or another one.",
                    hint="Give the keys that the database was used with, and the newest first.",
                ) from error

    @staticmethod
    async def is_empty(database: Database) -> bool:
        """Whether nothing was ever sealed in a database."""
        return await database.first(select(secrets.c.version).limit(1)) is None


async def _write(connection: AsyncConnection, organization_id: str, subject: str, version: int, sealed: Sealed) -> bool:
    """Whether the row still had this version, and has the next now."""
    if version == 0:
        try:
            result = await connection.execute(_insert(connection, organization_id, subject, sealed))
        except IntegrityError:
            raise NotFoundError("The secret belongs to nothing that is there.") from None
        return bool(result.rowcount)
    change = update(secrets).where(*_is(organization_id, subject), secrets.c.version == version)
    return bool((await connection.execute(change.values(version=version + 1, **_sealed(sealed)))).rowcount)


def _insert(connection: AsyncConnection, organization_id: str, subject: str, sealed: Sealed) -> Any:
    kind, _, identifier = subject.partition("/")
    owner = {_OWNERS[kind]: identifier} if identifier and kind in _OWNERS else {}
    if not owner and (organization_id, subject) != _CHECK:
        raise ValueError(f"A secret's subject begins with one of {sorted(_OWNERS)}, a slash, and an id.")
    row = {"organization_id": organization_id, "subject": subject, "version": 1, **owner, **_sealed(sealed)}
    return insert_or(connection, secrets).values(**row).on_conflict_do_nothing()


def _sealed(sealed: Sealed) -> dict[str, Any]:
    key = {"key_id": sealed.key.key_id, "wrapped_key": sealed.key.blob}
    return {**key, "ciphertext": sealed.ciphertext, "updated_at": now()}


def _is(organization_id: str, subject: str) -> tuple[Any, ...]:
    return secrets.c.organization_id == organization_id, secrets.c.subject == subject


def _context(organization_id: str, subject: str, version: int) -> str:
    return f"vault/v1|{organization_id}|{subject}|{version}"


def _text(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"A secret holds JSON values, not {type(value).__name__}.")
