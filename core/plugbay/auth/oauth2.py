"""OAuth 2.0 bearer tokens that renew themselves."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from plugbay.auth.credentials import Credentials, Exchange, SecretMap, Unpicklable, header_text
from plugbay.auth.flight import SingleFlight
from plugbay.auth.grant import Client, is_spent, read_tokens, refusal
from plugbay.auth.keeper import Keeper
from plugbay.auth.tokens import Tokens, TokenStore
from plugbay.errors import AuthenticationError, ConfigurationError, PlugbayError
from plugbay.trace import current_trace

__all__ = ["OAuth2"]

logger = logging.getLogger("plugbay.auth")

REFRESH_AT = 0.8
"""The part of a token's known life after which it is renewed."""

POSTPONE_SECONDS = 30.0
"""How long a token that still works is used on after an early renewal failed."""

EARLY_SECONDS = 10.0
"""How long a call waits for the renewal of a token that still works."""

MOST_EXCHANGES = 3
"""Refresh tokens one renewal tries at most: ours, one that came into the store meanwhile, and the one given at first."""

SUCCESS = range(200, 300)

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
        is_new: Whether the token endpoint gave it to us, rather than somebody to the store some time ago.
    """

    tokens: Tokens
    headers: SecretMap[str]
    due: float
    is_new: bool = False

    def sent_in(self, headers: Mapping[str, str]) -> bool:
        """Whether `headers` carry this token."""
        return self.headers["authorization"] in headers.values()

    def expired(self, now: float) -> bool:
        """Whether the service said that the token ends before `now`."""
        return self.due < math.inf and self.tokens.expires_at is not None and self.tokens.expires_at <= now

    def same(self, other: _Held | None) -> bool:
        """Whether the other carries this token too."""
        return other is not None and self.headers == other.headers


class OAuth2(Unpicklable, Credentials):
    """A bearer token (RFC 6750), renewed by a refresh token or by client credentials (RFC 6749).

    It is renewed after 80 % of its known life or when the service answers 401, once for all calls
    that wait for it, and with a `LockingTokenStore` once for all processes. A new pair is saved before it is used.

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
        token_store: Where pairs are kept; what it holds comes before `access_token` and `refresh_token`, until it
            is no longer good: then those are tried once.
        early_wait: Seconds that a call waits for a renewal while its token still works.
        clock: Seconds since the epoch.

    Raises:
        ConfigurationError: A part cannot stand in a header, or there is no way to any token.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_early_wait",
        "_flight",
        "_given",
        "_held",
        "_keeper",
        "_path",
        "_postponed",
        "_refresh",
        "_spare",
    )

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
        early_wait: float = EARLY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = token_path
        self._early_wait = early_wait
        self._keeper = Keeper(token_store, on_token_refresh)
        self._clock = clock
        self._client = Client(_part(client_id, "client_id"), _part(client_secret, "client_secret"), scope)
        self._refresh = _part(refresh_token, "refresh token")
        self._spare = self._refresh
        self._postponed = -math.inf
        self._flight = SingleFlight[_Held]()
        if expires_at is None and expires_in is not None:
            expires_at = clock() + expires_in
        access = _part(access_token, "access token")
        self._given = None if access is None else Tokens(access, self._refresh, expires_at, scope)
        self._held: _Held | None = None
        if token_store is not None:
            return  # nothing is held until it has been read
        if self._given is not None:
            self._adopt(self._given)
        elif self._client.grant(self._refresh) is None:
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
        held, now = self._held, self._clock()
        if held is None or held.expired(now):
            return (await self._renewed(held, exchange)).headers
        is_due = now >= max(held.due, self._postponed)
        if is_due or self._keeper.unsaved is not None:
            return await self._renewed_early(held, exchange, is_due=is_due)
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
        if not self._keeper.has_store and self._client.grant(self._refresh) is None:
            return None
        renewed = await self._renewed(held, exchange)
        return None if renewed.sent_in(failed) else renewed.headers

    def is_final(self, renewed: Mapping[str, str]) -> bool:
        """Whether a 401 to these headers is the service's last word: their token is fresh from its own endpoint."""
        held = self._held
        # If another pair is held by now, these headers have been replaced meanwhile.
        return held is not None and held.is_new and held.sent_in(renewed)

    async def _renewed_early(self, held: _Held, exchange: Exchange, *, is_due: bool) -> Mapping[str, str]:
        """What replaces a token that still works, so that the call need neither fail nor wait for long.

        If the token is not due, there is only an older pair to be saved.
        """
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        # Said before, as the call's own time may end while it waits; whoever comes meanwhile goes on with the old token.
        self._postponed = self._clock() + POSTPONE_SECONDS
        try:
            async with asyncio.timeout(self._early_wait):
                renewed = await self._renewed(held if is_due else None, exchange)
        except PlugbayError as error:
            if is_due and isinstance(error, ConfigurationError):
                raise
            reason = error.code
        except TimeoutError:
            reason = "it takes too long"
        else:
            self._postponed = -math.inf
            return renewed.headers
        logger.warning("The access token could not be renewed early: %s", reason)
        return held.headers

    async def _renewed(self, stale: _Held | None, exchange: Exchange) -> _Held:
        """What replaces `stale`: already here, or got once for all who wait."""

        def ready() -> _Held | None:
            held = self._held
            if held is None or self._keeper.unsaved is not None or held.same(stale):
                return None
            return held

        return await self._flight.run(ready, lambda: self._renew_now(stale, exchange))

    async def _renew_now(self, stale: _Held | None, exchange: Exchange) -> _Held:
        """One run of a renewal, and the telling of it."""
        started = time.monotonic()

        def tell(outcome: str) -> None:
            current_trace().tell("refresh", outcome=outcome, seconds=time.monotonic() - started)

        try:
            held, outcome = await self._replacement(stale, exchange)
        except AuthenticationError:
            tell("refused")
            raise
        except Exception:
            tell("failed")
            raise
        # What a process finds at its start was not needed anew.
        if outcome is not None and not (outcome == "found" and stale is None):
            tell(outcome)
        return held

    async def _replacement(self, stale: _Held | None, exchange: Exchange) -> tuple[_Held, str | None]:
        """What replaces `stale`, and where it is from."""
        keeper = self._keeper
        if keeper.has_lock and keeper.unsaved is None and (found := await self._found(stale)) is not None:
            return found, "found"
        async with keeper.locked():
            if (found := await self._found(stale)) is not None:
                return found, "found"
            return await self._exchanged(stale, exchange)

    async def _found(self, stale: _Held | None) -> _Held | None:
        """A token that works and needs no exchange: from the store, or the one given at first."""
        news = await self._keeper.news()
        if news is None:
            await self._keeper.keep_again()
            if self._held is None:
                news = self._given
        held = self._held if news is None else self._adopt(news)
        if held is None or held.same(stale):
            return None
        return held if self._clock() < held.due else None

    async def _exchanged(self, stale: _Held | None, exchange: Exchange) -> tuple[_Held, str | None]:
        """What the token endpoint gives; if that cannot be had, what was given at first and never used."""
        refused = None
        for _ in range(MOST_EXCHANGES):
            spent = self._refresh
            if (body := self._client.grant(spent)) is None:
                break
            answer = await exchange(self._path, body)
            if answer.status in SUCCESS:
                self._used(spent)
                return await self._keep(read_tokens(answer, now=self._clock(), refresh_token=spent)), "renewed"
            # Another process may have spent the refresh token while ours was on its way.
            if (found := await self._found(stale)) is not None:
                return found, "found"
            refused = refusal(answer)
            if not is_spent(refused):
                raise refused
            self._used(spent)
            if self._refresh == spent and self._spare is not None:
                self._refresh = self._spare
            if self._refresh == spent:
                break
        return self._last_resort(stale, refused), None

    def _used(self, spent: SecretStr | None) -> None:
        """Notes that the token endpoint has seen a refresh token: with its use its access token ends too."""
        if spent == self._spare:
            self._spare = self._given = None

    def _last_resort(self, stale: _Held | None, refused: AuthenticationError | None) -> _Held:
        given = self._given
        if given is not None and not (stale is not None and given.access_token == stale.tokens.access_token):
            return self._adopt(given)
        if refused is not None:
            raise refused
        if stale is not None:
            return stale
        raise ConfigurationError("The token store is empty and there is no access token.", hint=self.advice())

    async def _keep(self, tokens: Tokens) -> _Held:
        """Save a new pair, and only then use it; if saving fails it is used all the same, as the old one is spent."""
        try:
            await self._keeper.keep(tokens)
        finally:
            held = self._adopt(tokens, is_new=True)
        return held

    def _adopt(self, tokens: Tokens, *, is_new: bool = False) -> _Held:
        if tokens is self._given:
            self._given = None
        if self._spare is not None and tokens.refresh_token == self._spare:
            # The store has the very pair that was given: what replaces it there spends it, and nothing is left to try.
            self._spare = self._given = None
        self._refresh = tokens.refresh_token or self._refresh
        held = self._held = self._hold(tokens, is_new=is_new)
        return held

    def _hold(self, tokens: Tokens, *, is_new: bool) -> _Held:
        now = self._clock()
        due = math.inf
        if tokens.expires_at is not None and self._client.grant(self._refresh) is not None:
            due = now + REFRESH_AT * (tokens.expires_at - now)
        headers = SecretMap(authorization=f"Bearer {header_text(tokens.access_token, 'access token')}")
        return _Held(tokens, headers, due, is_new)


def _part(value: SecretStr | str | None, name: str) -> SecretStr | None:
    return None if value is None else SecretStr(header_text(value, name))
