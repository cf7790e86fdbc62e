"""An OAuth token pair, and where it is kept between processes."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from plugbay.auth.credentials import Unpicklable
from plugbay.auth.waiting import LOCK_SECONDS, poll

if TYPE_CHECKING:
    import asyncio

__all__ = ["LockingTokenStore", "MemoryTokenStore", "TokenStore", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave.

    Args:
        access_token: Sent with each request.
        refresh_token: Buys the next pair; services that rotate accept it once.
        expires_at: When the access token ends, in seconds since the epoch; None if not known.
        scope: What was granted, as the service wrote it.
    """

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: float | None = None
    scope: str | None = None


class TokenStore(Protocol):
    """Keeps the newest pair; several processes that share one share each other's refreshes.

    One that several processes use should be a `LockingTokenStore` too.
    """

    async def load(self) -> Tokens | None:
        """The pair saved last, or None if there is none."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair; when this returns it must survive a crash."""
        ...


class LockingTokenStore(TokenStore, Protocol):
    """A store with a lock, which makes one exchange of a renewal that several processes begin at once."""

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Holds the lock inside the block, in which the pair is loaded again, exchanged and saved.

        It must be the same lock for everybody who uses the same pair, must not block the event loop while it
        waits, and must end with the process that holds it.
        """
        ...


class MemoryTokenStore(Unpicklable, LockingTokenStore):
    """Keeps the pair as long as the process lives; for any number of connectors, threads and event loops.

    Args:
        tokens: What it holds at first.
    """

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        # Reentrant, as the garbage collector may end a coroutine that has the lock at any moment.
        self._mutex = threading.RLock()
        self._holder: asyncio.AbstractEventLoop | None = None

    async def load(self) -> Tokens | None:
        """The pair saved last."""
        return self._tokens

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair."""
        self._tokens = tokens

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Holds the lock inside the block.

        Raises:
            DeadlineExceededError: Others held it for a minute.
        """
        loop = await poll(self._take, timeout=LOCK_SECONDS, what="The lock of a MemoryTokenStore")
        try:
            yield
        finally:
            with self._mutex:
                if self._holder is loop:
                    self._holder = None

    async def _take(self) -> asyncio.AbstractEventLoop | None:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        with self._mutex:
            # A loop that just stopped will never let go.
            if self._holder is not None and self._holder.is_running():
                return None
            self._holder = asyncio.get_running_loop()
            return self._holder
