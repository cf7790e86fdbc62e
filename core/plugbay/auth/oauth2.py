"""OAuth 2.0 bearer tokens that renew themselves."""

from __future__ import annotations

import inspect
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from plugbay.auth.credentials import Credentials, Exchange, SecretMap, Unpicklable, header_text
from plugbay.auth.flight import SingleFlight
from plugbay.auth.grant import Client, read_tokens, refusal
from plugbay.auth.tokens import Tokens, TokenStore
from plugbay.errors import ConfigurationError, PlugbayError

__all__ = ["OAuth2"]

logger = logging.getLogger("plugbay.auth")

REFRESH_AT = 0.8
"""The part of a token's known life after which it is renewed."""

POSTPONE_SECONDS = 30.0
"""How long a token that still works is used on after an early renewal failed."""

_NO_CLIENT = "Give client_id (and client_secret for a confidential client) so that the refresh token can be used."
_NO_GRANT = (
    "Give refresh_token and client_id (and client_secret for a confidential client), "
    "or client_id and client_secret alone, so that the access token can be renewed."
)


@dataclass(frozen=True, slots=True)
class _Held:
    """A pair in use.

    Args:
        tokens: The pair.
        headers: What is sent.
        due: When to renew, in seconds since the epoch; infinity for not before a 401.
    """

    tokens: Tokens
    headers: SecretMap[str]
    due: float

    def sent_in(self, headers: Mapping[str, str]) -> bool:
        """Whether `headers` carry this token."""
        return self.headers["authorization"] in headers.values()


class OAuth2(Unpicklable, Credentials):
    """A bearer token (RFC 6750), renewed by a refresh token or by client credentials (RFC 6749).

    It is renewed after 80 % of its known life or when the service answers 401, once for all calls
    that wait for it. A new pair is saved before it is used.

    Args:
        access_token: The token to begin with.
        refresh_token: Buys the next pair; needs `client_id`.
        client_id: The OAuth client. With `client_secret` and no refresh token, tokens come from the client credentials grant.
        client_secret: The client's secret; a public client has none.
        scope: Scopes to ask for, space separated.
        expires_in: Seconds the access token still lives.
        expires_at: The same as seconds since the epoch.
        token_path: The token endpoint, a path of the service's own origin.
        on_token_refresh: Called with each new pair, and awaited if it returns an awaitable.
        token_store: Where pairs are kept; what it holds comes before `access_token` and `refresh_token`.
        clock: Seconds since the epoch.

    Raises:
        ConfigurationError: A part cannot stand in a header, or there is no way to any token.
    """

    __slots__ = (
        "_client", "_clock", "_flight", "_given", "_held", "_notify",
        "_path", "_refresh", "_seen", "_store", "_unsaved",
    )  # fmt: skip

    def __init__(
        self,
        *,
        access_token: SecretStr | str | None = None,
        refresh_token: SecretStr | str | None = None,
        client_id: SecretStr | str | None = None,
        client_secret: SecretStr | str | None = None,
        scope: str | None = None,
        expires_in: float | None = None,
        expires_at: float | None = None,
        token_path: str = "/oauth/tokens",  # noqa: S107 - a path
        on_token_refresh: Callable[[Tokens], Awaitable[None] | None] | None = None,
        token_store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = token_path
        self._notify = on_token_refresh
        self._store = token_store
        self._clock = clock
        self._client = Client(_part(client_id, "client_id"), _part(client_secret, "client_secret"), scope)
        self._refresh = _part(refresh_token, "refresh token")
        self._flight = SingleFlight[_Held]()
        self._seen: Tokens | None = None
        self._unsaved: Tokens | None = None
        if expires_at is None and expires_in is not None:
            expires_at = clock() + expires_in
        access = _part(access_token, "access token")
        self._given = None if access is None else Tokens(access, self._refresh, expires_at, scope)
        # With a store, nothing is held until it has been read.
        self._held = self._hold(self._given) if self._given is not None and token_store is None else None
        if self._given is None and token_store is None and self._client.grant(self._refresh) is None:
            raise ConfigurationError("There is no way to an access token.", hint=self.advice())

    def __repr__(self) -> str:
        return "OAuth2(**********)"

    def advice(self) -> str | None:
        """What is missing to renew the token; None if nothing is."""
        if self._client.grant(self._refresh) is not None:
            return None
        return _NO_GRANT if self._refresh is None else _NO_CLIENT

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        """The bearer header; fetches a token if there is none, renews one that is about to expire.

        Raises:
            PlugbayError: There is no token that still works, and none could be got.
        """
        if self._unsaved is not None:
            await self._save_again(self._unsaved)
        held = self._held
        if held is not None and self._clock() < held.due:
            return held.headers
        try:
            return (await self._renewed(held, exchange)).headers
        except ConfigurationError:
            raise
        except PlugbayError as error:
            if held is None or self._expired(held):
                raise
            logger.warning("The access token could not be renewed early: %s", error.code)
        # The token still works, so the call need not fail; the next early try comes later.
        if self._held is held:
            self._held = replace(held, due=self._clock() + POSTPONE_SECONDS)
        return held.headers

    async def renew(self, failed: Mapping[str, str], exchange: Exchange) -> Mapping[str, str] | None:
        """The headers that replace `failed`; None if there is nothing to renew them with.

        Raises:
            AuthenticationError: The service refused the refresh token or the client.
            PlugbayError: The token endpoint could not be asked, or the new pair not be saved.
        """
        held = self._held
        if held is not None and not held.sent_in(failed):
            return held.headers
        if self._store is None and self._client.grant(self._refresh) is None:
            return None
        renewed = await self._renewed(held, exchange)
        return None if renewed.sent_in(failed) else renewed.headers

    async def _renewed(self, stale: _Held | None, exchange: Exchange) -> _Held:
        """What replaces `stale`: already here, or got once for all who wait."""

        def ready() -> _Held | None:
            held = self._held
            return None if held is None or (stale is not None and held.headers == stale.headers) else held

        return await self._flight.run(ready, lambda: self._renew_now(stale, exchange))

    async def _renew_now(self, stale: _Held | None, exchange: Exchange) -> _Held:
        if (found := await self._found(stale)) is not None:
            return found
        body = self._client.grant(self._refresh)
        if body is None:
            if stale is not None:
                return stale
            raise ConfigurationError("The token store is empty and there is no access token.", hint=self.advice())
        answer = await exchange(self._path, body)
        if answer.status not in range(200, 300):
            # Another process may have spent the refresh token while ours was on its way.
            if (found := await self._found(stale)) is not None:
                return found
            raise refusal(answer)
        return await self._keep(read_tokens(answer, now=self._clock(), refresh_token=self._refresh))

    async def _found(self, stale: _Held | None) -> _Held | None:
        """A token that works and needs no exchange: from the store, or the one given at first."""
        tokens = await self._news()
        if tokens is None and self._held is None:
            tokens = self._given
        if tokens is None:
            return None
        held = self._adopt(tokens)
        is_new = stale is None or held.headers != stale.headers
        return held if is_new and self._clock() < held.due else None

    async def _news(self) -> Tokens | None:
        """What somebody else has put into the store since we last looked.

        What we saw before is no news: if our own pair could not be saved, the store holds an older one.
        """
        if self._store is None:
            return None
        try:
            stored = await self._store.load()
        except Exception as error:
            raise ConfigurationError(f"The token store failed to load: {type(error).__name__}.") from error
        news, self._seen = (stored if stored != self._seen else None), stored
        return news

    async def _keep(self, tokens: Tokens) -> _Held:
        """Save a new pair, and only then use it; if saving fails it is kept, as the old one is spent."""
        try:
            await self._save(tokens)
        except BaseException:
            self._unsaved = tokens
            raise
        finally:
            held = self._adopt(tokens)
        return held

    async def _save(self, tokens: Tokens) -> None:
        try:
            if self._store is not None:
                await self._store.save(tokens)
                self._seen = tokens
            if self._notify is not None and inspect.isawaitable(waiting := self._notify(tokens)):
                await waiting
        except Exception as error:
            raise ConfigurationError(
                f"The new token pair could not be saved: {type(error).__name__}.",
                hint="The pair is in use in this process only; the old one no longer works.",
            ) from error

    async def _save_again(self, tokens: Tokens) -> None:
        self._unsaved = None
        try:
            await self._save(tokens)
        except ConfigurationError:
            logger.warning("The new token pair is still not saved")
            if self._held is not None and self._held.tokens is tokens:
                self._unsaved = tokens

    def _adopt(self, tokens: Tokens) -> _Held:
        self._refresh = tokens.refresh_token or self._refresh
        held = self._held = self._hold(tokens)
        return held

    def _hold(self, tokens: Tokens) -> _Held:
        now = self._clock()
        due = math.inf
        if tokens.expires_at is not None and self._client.grant(self._refresh) is not None:
            due = now + REFRESH_AT * (tokens.expires_at - now)
        headers = SecretMap(authorization=f"Bearer {header_text(tokens.access_token, 'access token')}")
        return _Held(tokens, headers, due)

    def _expired(self, held: _Held) -> bool:
        return held.tokens.expires_at is not None and held.tokens.expires_at <= self._clock()


def _part(value: SecretStr | str | None, name: str) -> SecretStr | None:
    return None if value is None else SecretStr(header_text(value, name))
