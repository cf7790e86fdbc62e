"""The one way to the service: authenticated, bounded in time and size, and safe to repeat."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import httpx

from plugbay.auth.credentials import Credentials, TokenAnswer
from plugbay.errors import (
    DeadlineExceededError,
    InvalidParameterError,
    NetworkError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.sink import Arrived, Held, Sink, Tell
from plugbay.transport.address import is_loopback
from plugbay.transport.body import BodyReader, Whole, Window
from plugbay.transport.bounds import check_bounds
from plugbay.transport.call import Call
from plugbay.transport.clients import Clients, Limits
from plugbay.transport.courier import Courier
from plugbay.transport.deadline import Deadline
from plugbay.transport.fetch import NOT_IN_RANGE, REDIRECTS, AllowedHosts, file_of, may_fetch, next_hop
from plugbay.transport.limiter import BudgetReader, read_standard_budgets
from plugbay.transport.message import Download, Request, Response
from plugbay.transport.origin import Origin, QuietURL
from plugbay.transport.outside import FromOutside, is_proxied, look_up
from plugbay.transport.retry import THROTTLED, RetryPolicy
from plugbay.transport.stream import Flow, StreamDeadline, carry
from plugbay.transport.tenancy import tenant

__all__ = ["Transport"]

T = TypeVar("T")

SUCCESS = range(200, 300)
UNAUTHORIZED = 401
READS = frozenset({"GET", "HEAD", "OPTIONS"})
FIRST_SERVER_ERROR = 500
MAX_REDIRECTS = 5
MOST_RENEWALS = 2
"""One that finds what another process has put into the store, and one that asks the service."""

OFTEN = frozenset({"client_id", "client_secret", "grant_type", "scope"})
"""What may be posted for a token as often as one likes; a refresh token or a code works once."""


def _never(response: Response) -> bool:
    del response
    return False


class Transport:
    """Sends requests to one service for one set of credentials; from any number of tasks, threads and event loops.

    Args:
        base_url: `https`, or `http` on loopback.
        credentials: What makes the requests somebody's; they never leave the origin.
        read_error: Makes the error of an answer that is not a success.
        timeout: The most one call may take, in seconds: all tries, waits, and renewing the token.
        max_attempts: The most times a request is sent.
        max_bytes: The largest answer that is read, in decoded bytes.
        http: An `httpx.AsyncBaseTransport` to send through instead of the network.
        user_agent: How the library introduces itself.
        retry: When to send again, and after how long.
        limits: What the connections of one event loop may take.
        read_budgets: Reads what an answer's headers say of the service's budgets of requests.
        collides: Whether an answer of 409 says that trying again would help.
        settles: Whether an answer that is no success comes from one who has seen the call through to its end: then
            it says all there is to say, also of what became of a write.

    Raises:
        ConfigurationError: One of them makes no sense. Nothing is sent here.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        read_error: Callable[[Request, Response], PlugbayError],
        timeout: float = 60.0,
        max_attempts: int = 3,
        max_bytes: int = 32 * 2**20,
        http: Any = None,
        user_agent: str = "plugbay",
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        read_budgets: BudgetReader = read_standard_budgets,
        collides: Callable[[Response], bool] | None = None,
        settles: Callable[[Response], bool] = _never,
    ) -> None:
        check_bounds(timeout, max_attempts, max_bytes)
        self._origin = Origin(base_url)
        self._credentials = credentials
        self._read_error = read_error
        self._timeout = timeout
        self._policy = retry or RetryPolicy()
        self._whole = Whole(max_bytes)
        self._max_attempts = max_attempts
        self._clients = Clients(limits or Limits(), http, direct=self._origin.is_loopback)
        self._looks_up = http is None
        # Kept here: it is shared, and lives as long as somebody has it.
        self._tenant = tenant(self._origin.base, http, self._policy.monotonic)
        self._settles = settles
        self._courier = Courier(
            self._clients, self._policy, max_attempts, self._tenant, read_budgets, collides, settles
        )
        self._agent = _checked({"user-agent": user_agent})

    def __repr__(self) -> str:
        return f"Transport({self._origin.base!r})"

    @property
    def base_url(self) -> str:
        """The root of the service."""
        return self._origin.base

    @property
    def timeout(self) -> float:
        """The most one call may take, in seconds."""
        return self._timeout

    def deadline(self, *, patient: bool = False) -> Deadline:
        """The deadline of a call that begins now.

        Args:
            patient: Whether waits that the service asked for do not count.
        """
        return Deadline(self._timeout, self._policy.monotonic, patient=patient)

    async def sign_in(self, deadline: Deadline) -> None:
        """Sees to it that there are credentials to send, by asking for them if need be.

        Args:
            deadline: When the call that it is part of must be done.

        Raises:
            PlugbayError: There are none, and none could be got.
        """
        await self.within(deadline, lambda: self._credentials.headers(self.exchange))

    async def within(self, deadline: Deadline, work: Callable[[], Awaitable[T]]) -> T:
        """What some work gives that is part of a call, if it ends in time and while the transport is open.

        Args:
            deadline: When the call must be done.
            work: Sends requests of its own, say for several calls at once.

        Raises:
            PlugbayError: It did not end in time, or the transport was closed.
        """
        nothing = Request("GET", "/", repeatable=True)
        return await self._bounded(self._call(nothing, self._origin.url("/"), None, deadline), work)

    async def send(self, request: Request, *, deadline: Deadline | None = None) -> Response:
        """The answer to a request, if it is a success (2xx).

        Args:
            request: What to ask for.
            deadline: When the call that it is part of must be done; without one it is a call of its own.

        Raises:
            PlugbayError: Anything else; `details["fate"]` is "unknown" if a write may have been done all the same.
        """
        url = self._origin.url(request.path, request.query)
        call = self._call(request, url, _encoded(request.json), deadline)
        return await self._bounded(call, lambda: self._success(call))

    async def download(
        self,
        source: str | Request,
        *,
        allowed_hosts: AllowedHosts,
        offset: int = 0,
        max_bytes: int,
        deadline: Deadline | None = None,
    ) -> Download:
        """A window of a file, read in constant memory, and of a public host's as `stream` explains.

        Args:
            source: A path of the service's own origin, a full URL, or a request to the service that changes nothing.
            allowed_hosts: The other hosts it may come from; they are asked over https and without credentials.
            offset: Where the window begins, in bytes.
            max_bytes: The most to read.
            deadline: When the call that it is part of must be done; without one it is a call of its own.

        Raises:
            InvalidParameterError: The link leads where files may not come from.
            ResponseIntegrityError: A redirect leads there, or there are too many, or the file is not what was promised.
            PlugbayError: Any other failure.
        """
        if offset < 0 or max_bytes < 1:
            raise InvalidParameterError("offset must not be negative, and max_bytes must be positive.")
        call = self._file_call(source, deadline)
        if call.request.method == "GET":  # the only method that has ranges (RFC 9110 section 14.2)
            call.headers["range"] = f"bytes={offset}-{offset + max_bytes - 1}"
        window = Window(offset, max_bytes)
        return file_of(await self._bounded(call, lambda: self._follow(call, window, allowed_hosts)), offset)

    async def stream(
        self,
        source: str | Request,
        sink: Sink,
        *,
        allowed_hosts: AllowedHosts,
        max_bytes: int,
        size: int | None = None,
        held: Held | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - what its own timer must not count is not told to others
        tell: Tell | None = None,
    ) -> Arrived:
        """A whole file, in constant memory, gone on with where a connection broke.

        A host that is not the service's own must be a public address, whatever its name leads to. With an `http` of
        the caller's, or a proxy named by the environment, that is for those to see to, as they make the connections.

        Args:
            source: A path of the service's own origin, a full URL, or a request to the service that changes nothing.
            sink: Where the bytes go; the time that it takes does not count.
            allowed_hosts: The other hosts it may come from; they are asked over https and without credentials.
            max_bytes: The most it may have.
            size: What it must have, in bytes, if that is known.
            held: The beginning of it that the sink has already.
            timeout: The most all of it may take, in seconds; each MiB has the time of one call beside that.
            tell: Is told how far it is, after each MiB and at the end.

        Raises:
            InvalidParameterError: The link leads where files may not come from.
            ResponseIntegrityError: It is too large, not of the size that was promised, or two files; or as for `download`.
            PlugbayError: Any other failure. What the sink raises is raised as it is.
        """
        deadline = StreamDeadline(self._timeout, self._policy.monotonic, whole=timeout)
        call = self._file_call(source, deadline)
        flow = Flow(
            sink,
            call.headers,
            deadline,
            max_bytes=max_bytes,
            size=size,
            held=held,
            max_restarts=self._max_attempts,
            tell=tell,
        )
        follow = partial(self._follow, call, flow, allowed_hosts)
        return await self._bounded(call, lambda: carry(flow, call, follow, self._policy))

    async def exchange(self, path: str, body: Mapping[str, str]) -> TokenAnswer:
        """What the token endpoint answers: success and refusal (4xx) alike. It is asked without credentials.

        Args:
            path: A path of the service's own origin.
            body: Posted as a JSON object. It is secret, so it stands in no request that others see.

        Raises:
            PlugbayError: Any other answer, a redirect among them, or none.
        """
        repeatable = body.keys() <= OFTEN
        call = self._call(Request("POST", path, repeatable=repeatable), self._origin.url(path), _encoded(dict(body)))
        call.writes = False  # whoever called wants a ticket, say, and has not asked for a new token
        call.limited = False
        try:
            return self._token_answer(call, await self._bounded(call, lambda: self._courier.deliver(call, {})))
        except PlugbayError as error:
            error.details = {**(error.details or {}), "step": "token"}
            raise

    async def aclose(self) -> None:
        """Close the connections of every event loop, as far as can be; a later call opens new ones."""
        await self._clients.aclose()

    def _file_call(self, source: str | Request, deadline: Deadline | None) -> Call:
        if isinstance(source, str):
            # The path of a link to a file may be the key to it, so no error may show it.
            call = self._call(Request("GET", "/...", repeatable=True), self._origin.link(source), None, deadline)
        else:
            url = self._origin.url(source.path, source.query)
            call = self._call(source, url, _encoded(source.json), deadline)
        # A range of an encoded file could not be decoded.
        call.headers |= {"accept": "*/*", "accept-encoding": "identity"}
        return call

    def _call(self, request: Request, url: QuietURL, content: bytes | None, deadline: Deadline | None = None) -> Call:
        headers = {**self._agent, "accept": "application/json", "accept-encoding": "gzip"}
        if content is not None:
            headers["content-type"] = "application/json"
        if request.headers:
            headers |= _checked(request.headers)
        writes = request.method not in READS and not request.reads
        return Call(request, url, self._whole, deadline or self.deadline(), headers, content, writes=writes)

    async def _bounded(self, call: Call, work: Callable[[], Awaitable[T]]) -> T:
        """What the work gives, within the call's deadline and as long as the transport is open."""
        if call.deadline.left() <= 0:  # a timer fires only where something waits, and a stub may never wait
            raise call.with_fate(_too_late(call))
        client = await self._clients.current()
        scope = call.deadline.scope()
        try:
            async with scope:
                with client.watched(scope):
                    return await work()
        except TimeoutError:
            if not scope.expired():
                raise
        if client.is_finished:
            raise call.with_fate(NetworkError("The connector was closed during the call.", retryable=False))
        raise call.with_fate(_too_late(call))

    async def _success(self, call: Call) -> Response:
        response = await self._authorized(call)
        if response.status in SUCCESS:
            return response
        raise self._error(call, response)

    async def _authorized(self, call: Call) -> Response:
        """The answer under our credentials; if it is 401 they are renewed once, and the request is sent once more.

        Credentials that were found, and not got from the service for this, may have ended as well: then once again.
        """
        credentials = await self._token_step(call, self._credentials.headers(self.exchange))
        response = await self._courier.deliver(call, credentials)
        for _ in range(MOST_RENEWALS):
            if response.status != UNAUTHORIZED:
                break
            renewed = await self._token_step(call, self._credentials.renew(credentials, self.exchange))
            if renewed is None:
                break
            credentials = renewed
            response = await self._courier.deliver(call, credentials)
            if self._is_final(credentials):
                break
        return response

    def _is_final(self, renewed: Mapping[str, str]) -> bool:
        said: Callable[[Mapping[str, str]], bool] | None = getattr(self._credentials, "is_final", None)
        return said is None or said(renewed)

    async def _token_step(self, call: Call, work: Awaitable[T]) -> T:
        """What the credentials give; their failure says of a write only what its own tries left open."""
        try:
            return await work
        except PlugbayError as error:
            if isinstance(error, ResponseIntegrityError):  # of a pair that cannot be used, not of the call's answer
                error.details = {**(error.details or {}), "step": "token"}
            call.with_fate(error)
            raise

    async def _follow(self, call: Call, body: BodyReader, allowed_hosts: AllowedHosts) -> Response:
        if not may_fetch(self._origin, call.url, allowed_hosts):
            raise InvalidParameterError(
                f"{call.url.host} is not a host that files may come from.", details={"host": call.url.host}
            )
        call.retried = 0
        # Credentials are not taken up again once the way has left the origin.
        at_home, hops = True, 0
        while True:
            at_home = at_home and self._origin.owns(call.url)
            call.limited = at_home
            call.body = body
            if self._is_elsewhere(call.url):
                await look_up(call.url)
                call.body = FromOutside(body, call.url.host)
            response = await (self._authorized(call) if at_home else self._courier.deliver(call, {}))
            if response.status in SUCCESS or response.status == NOT_IN_RANGE:
                return response
            if response.status not in REDIRECTS:
                raise self._error(call, response) if at_home else _refused(call.url.host, response.status)
            call.url = next_hop(call.url, response)
            hops += 1
            # What is posted is for the service alone.
            posted = call.request.method != "GET"
            if posted or hops > MAX_REDIRECTS or not may_fetch(self._origin, call.url, allowed_hosts):
                raise _redirected(call.url.host, response.status)

    def _is_elsewhere(self, url: QuietURL) -> bool:
        """Whether we ourselves connect to a host that somebody else named."""
        if not self._looks_up or self._origin.owns(url):
            return False
        if self._origin.is_loopback:
            return not is_loopback(url.host)  # no proxies are used from there
        return not is_proxied(url)

    def _token_answer(self, call: Call, response: Response) -> TokenAnswer:
        if response.status in REDIRECTS or response.status == THROTTLED or response.status >= FIRST_SERVER_ERROR:
            raise self._error(call, replace(response, body=b""))
        try:
            return TokenAnswer(response.status, response.json(), response.headers.get("x-request-id"))
        except ResponseIntegrityError:  # it shows the body, in which there may be a token
            return TokenAnswer(response.status, None, response.headers.get("x-request-id"))

    def _error(self, call: Call, response: Response) -> PlugbayError:
        if response.status in REDIRECTS:
            call.unsure = True
            return call.with_fate(_redirected(_host_of(call.url, response), response.status))
        error = self._read_error(call.request, response)
        if not self._settles(response):
            error.details = {"status": response.status, **(error.details or {})}
        if error.retry_after is None and isinstance(error, RateLimitedError | ServiceError):
            error.retry_after = self._courier.asked(response)
        if response.status == UNAUTHORIZED and (advice := self._advice()):
            error.hint = f"{error.hint} {advice}" if error.hint else advice
        return call.with_fate(error)

    def _advice(self) -> str | None:
        advice: Callable[[], str | None] | None = getattr(self._credentials, "advice", None)
        return None if advice is None else advice()


def _too_late(call: Call) -> DeadlineExceededError:
    if isinstance(call.deadline, StreamDeadline):
        return call.deadline.exceeded(call.attempts)
    allowed = call.deadline.allowed
    return DeadlineExceededError(
        f"The call did not end within {allowed:g} seconds.", details={"timeout": allowed, "attempts": call.attempts}
    )


def _encoded(body: Any) -> bytes | None:
    if body is None:
        return None
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = type(error).__name__
    raise InvalidParameterError(f"The request's body is not JSON ({reason}).")


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not (is_name and value.isascii() and value.isprintable()):
            raise InvalidParameterError(f"The header {name!a} has characters that cannot be sent.")
    return {name.lower(): value for name, value in headers.items()}


def _refused(host: str, status: int) -> ServiceError:
    return ServiceError(
        f"{host}, where the file is, answered HTTP {status}.",
        hint="Such links expire: get the record again for a new one.",
        details={"status": status, "host": host},
    )


def _redirected(host: str | None, status: int) -> ResponseIntegrityError:
    return ResponseIntegrityError(
        f"The service redirected the request to {host or 'nowhere'}, which is not followed.",
        details={"status": status, "host": host},
    )


def _host_of(url: httpx.URL, response: Response) -> str | None:
    try:
        return next_hop(url, response).host
    except ResponseIntegrityError:
        return None
