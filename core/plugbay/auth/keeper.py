"""The store's side of a renewal: what is new in it, saving, and saving again."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from plugbay.auth.tokens import Tokens, TokenStore
from plugbay.errors import ConfigurationError, PlugbayError

__all__ = ["Keeper"]

logger = logging.getLogger("plugbay.auth")


class Keeper:
    """Hands pairs to the user's store and callback, and looks in the store for those of others.

    Args:
        store: Where pairs are kept.
        notify: Called with each new pair, and awaited if it returns an awaitable.
    """

    __slots__ = ("_lock", "_notify", "_seen", "_store", "unsaved")

    def __init__(self, store: TokenStore | None, notify: Callable[[Tokens], Awaitable[None] | None] | None) -> None:
        self._store = store
        self._notify = notify
        self._seen: Tokens | None = None
        self._lock: Callable[[], AbstractAsyncContextManager[Any]] | None = getattr(store, "lock", None)
        self.unsaved: Tokens | None = None

    @property
    def has_store(self) -> bool:
        """Whether there is somewhere to look for news."""
        return self._store is not None

    @property
    def has_lock(self) -> bool:
        """Whether the store has a lock, so that looking into it first may save the wait for that."""
        return self._lock is not None

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        """Holds the store's lock inside the block, if it has one.

        Raises:
            PlugbayError: It could not be had.
        """
        if self._lock is None:
            yield
            return
        try:
            guard = self._lock()
            await guard.__aenter__()
        except PlugbayError:
            raise
        except Exception as error:
            raise ConfigurationError(f"The token store could not be locked: {type(error).__name__}.") from error
        try:
            yield
        except BaseException as error:
            await _leave(guard, error)
            raise
        await _leave(guard, None)

    async def news(self) -> Tokens | None:
        """What somebody else has put into the store since we last looked; it replaces what we could not save.

        What we saw before is no news: if our own pair could not be saved, the store holds an older one.

        Raises:
            ConfigurationError: The store cannot be read.
        """
        if self._store is None:
            return None
        try:
            stored = await self._store.load()
        except PlugbayError:
            raise
        except Exception as error:
            raise ConfigurationError(f"The token store failed to load: {type(error).__name__}.") from error
        is_news = stored is not None and not _same_pair(stored, self._seen)
        self._seen = stored
        if not is_news:
            return None
        self.unsaved = None
        return stored

    async def keep(self, tokens: Tokens) -> None:
        """Save a new pair; if that fails, it is kept for another try.

        Raises:
            ConfigurationError: It is not saved.
        """
        saved = False
        try:
            await self._save(tokens)
            saved = True
        except Exception as error:
            reason = f": {error.message}" if isinstance(error, PlugbayError) else f": {type(error).__name__}."
            raise ConfigurationError(
                f"The new token pair could not be saved{reason}",
                hint="The pair is in use in this process only; the old one no longer works.",
            ) from error
        finally:
            self.unsaved = None if saved else tokens

    async def keep_again(self) -> None:
        """Another try to save what could not be saved; what fails now is only logged."""
        if self.unsaved is None:
            return
        try:
            await self.keep(self.unsaved)
        except ConfigurationError:
            logger.warning("The new token pair is still not saved")

    async def _save(self, tokens: Tokens) -> None:
        if self._store is not None:
            await self._store.save(tokens)
            self._seen = tokens
        if self._notify is not None and inspect.isawaitable(waiting := self._notify(tokens)):
            await waiting


def _same_pair(tokens: Tokens, others: Tokens | None) -> bool:
    """Whether the tokens are the same; a user's store may not keep all that is said of them."""
    return others is not None and (tokens.access_token, tokens.refresh_token) == (
        others.access_token,
        others.refresh_token,
    )


async def _leave(guard: AbstractAsyncContextManager[Any], failure: BaseException | None) -> None:
    """Lets go of a lock; if there is a new pair it is saved by now, so the call need not fail if this does."""
    try:
        if failure is None:
            await guard.__aexit__(None, None, None)
        else:
            await guard.__aexit__(type(failure), failure, failure.__traceback__)
    except Exception as error:  # noqa: BLE001 - any store, any error
        logger.warning("The token store's lock could not be let go of: %s", type(error).__name__)
