"""The token of a client of the hosted service: asked for once, for all connectors that the client has in the process."""

from __future__ import annotations

import hashlib
import secrets
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from plugbay.auth import Credentials, Exchange, OAuth2, SecretMap, TokenAnswer
from plugbay.auth.credentials import Unpicklable
from plugbay.errors import AuthenticationError, ConfigurationError, PlugbayError
from plugbay.hosted.settings import ID, SECRET, Access
from plugbay.json_safe import is_object
from plugbay.transport import Bounds, RetryPolicy

__all__ = ["OUR_DIALECT", "ClientToken", "token_of"]

T = TypeVar("T")

TOKEN_PATH = "/api/v1/account/applications/token"  # noqa: S105 - a path

OUR_DIALECT = "plugbay-1"
"""What `plugbay serve` calls its way to speak, beyond what the vendor's service can."""

EARLY_SECONDS = 1.0
"""How long a call waits for the renewal of a token that still works; the renewal itself goes on after that."""

_NO_SUCH_PLACE = frozenset({404, 405})


class ClientToken(Unpicklable, Credentials):
    """A bearer token that the service gives for a client's id and secret.

    It is renewed as every token is, after 80 % of its life or a 401; see `plugbay.auth.OAuth2`. Only what is posted for
    it differs: the id and the secret, and nothing of OAuth.

    Args:
        access: The client.
        clock: Seconds since the epoch.

    Attributes:
        dialect: How the service speaks, as it said with its last token; None for the vendor's way, or before that.
    """

    __slots__ = ("__weakref__", "_oauth", "dialect")

    def __init__(self, access: Access, clock: Callable[[], float]) -> None:
        self._oauth = OAuth2(
            client_id=access.client_id,
            client_secret=access.client_secret,
            token_path=TOKEN_PATH,
            early_wait=EARLY_SECONDS,
            clock=clock,
        )
        self.dialect: str | None = None

    def __repr__(self) -> str:
        return "ClientToken(**********)"

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        """The bearer header; asks for a token if there is none, or if it is about to expire.

        Raises:
            AuthenticationError: The service does not accept the client.
            PlugbayError: It could not be asked.
        """
        return await self._shared(self._oauth.headers, exchange)

    async def renew(self, failed: Mapping[str, str], exchange: Exchange) -> Mapping[str, str] | None:
        """The headers that replace `failed`.

        Raises:
            AuthenticationError: The service does not accept the client.
            PlugbayError: It could not be asked.
        """

        async def renewed(ask: Exchange) -> Mapping[str, str] | None:
            return await self._oauth.renew(failed, ask)

        return await self._shared(renewed, exchange)

    def is_final(self, renewed: Mapping[str, str]) -> bool:
        """Whether a 401 to these headers is the service's last word."""
        return self._oauth.is_final(renewed)

    async def _shared(self, work: Callable[[Exchange], Awaitable[T]], exchange: Exchange) -> T:
        """What the work gives; it may wait for a request that another connector sends."""
        asked = False

        async def ask(path: str, body: Mapping[str, str]) -> TokenAnswer:
            nonlocal asked
            asked = True
            return self._read(await exchange(path, SecretMap({name: body[name] for name in _POSTED})))

        try:
            return await work(ask)
        except AuthenticationError:
            raise
        except PlugbayError:
            if asked:
                raise
        # The other's time, or its connection, ended; that says nothing of ours.
        return await work(ask)

    def _read(self, answer: TokenAnswer) -> TokenAnswer:
        if answer.json is None and answer.status not in _NO_SUCH_PLACE:
            raise ConfigurationError(
                "What answers at api_url is not a hosted service: it does not speak JSON.",
                hint="Check api_url, and whether a proxy or a sign-in page is on the way to it.",
                details={"status": answer.status},
                request_id=answer.request_id,
            )
        if answer.status in range(200, 300):
            said: Any = answer.json.get("dialect") if is_object(answer.json) else None
            self.dialect = said if isinstance(said, str) else None
            return answer
        if answer.status in _NO_SUCH_PLACE:
            raise ConfigurationError(
                "There is no hosted service at api_url: it gives no tokens.",
                hint="api_url is the service's address alone, without /api/v1 and without /mcp.",
                details={"status": answer.status},
                request_id=answer.request_id,
            )
        raise AuthenticationError(
            "The hosted service does not accept the client's id and secret.",
            hint=f"Check {ID} and {SECRET} (airbyte_client_id and airbyte_client_secret), and api_url.",
            details={"status": answer.status},
            request_id=answer.request_id,
        )


_POSTED = ("client_id", "client_secret")

_lock = threading.Lock()
_salt = secrets.token_bytes(32)
_Key = tuple[str, int, Callable[[], float], bytes]
_known: weakref.WeakValueDictionary[_Key, ClientToken] = weakref.WeakValueDictionary()


def token_of(access: Access, bounds: Bounds) -> ClientToken:
    """The token of a client; all that ask for the same while one of them has it get the same.

    Args:
        access: The client and the service.
        bounds: With what requests go through instead of the network, which leads to another service, and the clock.
    """
    clock = (bounds["retry"] or RetryPolicy()).clock
    key = (access.api_url.rstrip("/"), id(bounds["http"]), clock, _digest(access))
    with _lock:
        found = _known.get(key)
        if found is None:
            found = _known[key] = ClientToken(access, clock)
        return found


def _digest(access: Access) -> bytes:
    """What tells clients apart, and tells nobody their secrets."""
    text = f"{access.client_id}\n{access.client_secret.get_secret_value()}"
    return hashlib.blake2b(text.encode(), key=_salt, digest_size=32).digest()
