"""The way to the hosted service: signed in, for one organization, and built when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from plugbay.errors import ConfigurationError, PlugbayError, ResponseIntegrityError
from plugbay.hosted.errors import is_settled, read_error
from plugbay.hosted.sending import posted, without
from plugbay.hosted.settings import access_of
from plugbay.hosted.token import OUR_DIALECT, ClientToken, token_of
from plugbay.json_safe import is_list, is_object
from plugbay.transport import Bounds, Deadline, Request, Response, Transport
from plugbay.transport.bounds import check_bounds
from plugbay.transport.origin import Origin
from plugbay.types import AirbyteAuthConfig

__all__ = ["CONNECTORS", "HostedApi"]

CONNECTORS = "/api/v1/integrations/connectors"

MOST_PAGES = 1_000
"""Pages of a list that are followed; one without an end must not be read for ever."""

_NO_CONTENT = 204


class HostedApi:
    """Sends requests to the hosted service; from any number of tasks, threads and event loops.

    Args:
        config: The service and the client, as far as they are given.
        bounds: What a call may take.
        meant: Headers by which `plugbay serve` refuses to use another connector than the one that is meant.

    Raises:
        ConfigurationError: The bounds make no sense. Nothing is sent here, and no environment read.
    """

    def __init__(self, config: AirbyteAuthConfig, bounds: Bounds, meant: Mapping[str, str] | None = None) -> None:
        check_bounds(bounds["timeout"], bounds["max_attempts"], bounds["max_bytes"])
        if config.api_url is not None:
            _check_url(config.api_url)
        self._config = config
        self._bounds = bounds
        self._meant = dict(meant or {})
        self._lock = threading.Lock()
        self._way: _Way | None = None

    @property
    def transport(self) -> Transport:
        """The transport.

        Raises:
            ConfigurationError: Neither configuration nor environment name a client, or `api_url` is none.
        """
        return self._open().transport

    @property
    def is_ours(self) -> bool:
        """Whether the service is `plugbay serve`; known after `sign_in`."""
        return self._open().token.dialect == OUR_DIALECT

    async def sign_in(self, deadline: Deadline) -> None:
        """Gets a token if there is none.

        Args:
            deadline: When the call that it is part of must be done.
        """
        await self.transport.sign_in(deadline)

    def addressed(self, request: Request) -> Request:
        """The request for the organization that was chosen, and for the connector that is meant."""
        meant = self._meant if self.is_ours else {}
        return replace(request, headers={**request.headers, **self._open().headers, **meant})

    async def fetch(self, request: Request, deadline: Deadline | None = None) -> Any:
        """The JSON of one answer; None for an answer without a body. Every failure is a `PlugbayError`.

        Args:
            request: What to ask for.
            deadline: When the call that it is part of must be done.
        """
        response = await self.transport.send(self.addressed(request), deadline=deadline)
        return None if response.status == _NO_CONTENT or not response.body else response.json()

    async def items(
        self, path: str, query: Mapping[str, str], deadline: Deadline | None = None
    ) -> AsyncGenerator[Mapping[str, Any]]:
        """The items of a list, over all its pages.

        Args:
            path: Of the list.
            query: Its filters.
            deadline: When the call that it is part of must be done.

        Raises:
            ResponseIntegrityError: An answer is no such list, or the list does not end.
        """
        cursor: str | None = None
        seen: set[str | None] = {cursor}
        for _ in range(MOST_PAGES):
            place = {} if cursor is None else {"cursor": cursor}
            body = await self.fetch(Request("GET", path, tuple({**query, **place}.items()), repeatable=True), deadline)
            found = body.get("data") if is_object(body) else None
            if not is_list(found) or not all(is_object(item) for item in found):
                raise ResponseIntegrityError(f"GET {path}: the answer has not `data`, a list, that was promised.")
            for item in found:
                yield item
            cursor = self._next(path, body.get("next"))
            if cursor is None:
                return
            if cursor in seen:
                break
            seen.add(cursor)
        raise ResponseIntegrityError(f"GET {path}: the list does not end.")

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        if self._way is not None:
            await self._way.transport.aclose()

    def _next(self, path: str, told: Any) -> str | None:
        """The cursor of the next page, be it told as it is or within a URL of the same origin."""
        if told is None or told == "":
            return None
        if isinstance(told, str) and "/" not in told and "?" not in told:
            return told
        url = urlsplit(told if isinstance(told, str) else "//")
        home = urlsplit(self.transport.base_url)
        cursor = dict(parse_qsl(url.query)).get("cursor")
        if (url.scheme, url.netloc) in (("", ""), (home.scheme, home.netloc)) and cursor:
            return cursor
        raise ResponseIntegrityError(f"GET {path}: `next` is neither a cursor nor a link to the next page.")

    def _open(self) -> _Way:
        with self._lock:
            if self._way is None:
                self._way = _Way(self._config, self._bounds)
            return self._way


def _check_url(api_url: str) -> None:
    try:
        Origin(api_url)
    except ConfigurationError as error:
        message = error.message.replace("base_url", "api_url")
    else:
        return
    raise ConfigurationError(message)


def _reader(client_secret: SecretStr) -> Callable[[Request, Response], PlugbayError]:
    """What reads errors: the transport strikes out the token that it sent, and knows nothing of the secret."""
    secret = posted({"client_secret": client_secret})
    return lambda request, response: without(secret, read_error(request, response))


class _Way:
    """What `HostedApi` is once it knows where to and as whom."""

    def __init__(self, config: AirbyteAuthConfig, bounds: Bounds) -> None:
        access = access_of(config)
        _check_url(access.api_url)
        organization = access.organization_id
        self.headers = {} if organization is None else {"X-Organization-Id": organization}
        self.token: ClientToken = token_of(access, bounds)
        # Of the service's answers none tells of a budget that all connectors share.
        self.transport = Transport(
            access.api_url,
            self.token,
            read_error=_reader(access.client_secret),
            read_budgets=lambda _: (),
            settles=is_settled,
            **bounds,
        )
