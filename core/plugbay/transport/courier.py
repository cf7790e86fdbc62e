"""Sending a call, and sending it again where that is safe and worth it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import httpx

from plugbay.errors import PlugbayError
from plugbay.transport.body import CutShortError, Whole, read_error_body
from plugbay.transport.call import Call
from plugbay.transport.clients import Clients
from plugbay.transport.failure import Failure, cut_short, no_answer
from plugbay.transport.message import Response
from plugbay.transport.retry import THROTTLED, RetryPolicy
from plugbay.transport.strike import strike_out

__all__ = ["Courier"]

logger = logging.getLogger("plugbay.transport")

FIRST_FAILURE = 300
"""From here on, redirects included, nobody wants more than the beginning of the body."""

JSON_STARTS = (b"{", b"[")
SERVER_ERRORS = range(500, 600)
REQUEST_TIMEOUT = 408


class Courier:
    """Brings back an answer of any status; knows nothing of credentials.

    Args:
        clients: What sends.
        policy: When to send again.
        max_attempts: The most tries.
    """

    __slots__ = ("_clients", "_max_attempts", "_policy", "_timeouts")

    def __init__(self, clients: Clients, policy: RetryPolicy, max_attempts: int) -> None:
        self._clients = clients
        self._policy = policy
        self._max_attempts = max_attempts
        self._timeouts = clients.timeouts

    async def deliver(self, call: Call, credentials: Mapping[str, str]) -> Response:
        """The last answer, whatever its status.

        Raises:
            PlugbayError: The last try brought no answer, or one that cannot be used.
        """
        attempt = 1
        outcome = await self._attempt(call, credentials)
        while (wait := self._wait(call, outcome, attempt)) is not None:
            logger.info("%s %s: %s, next try in %.2f s", call.request.method, call.url, _reason(outcome), wait)
            await self._policy.sleep(wait)
            attempt += 1
            outcome = await self._attempt(call, credentials)
        if isinstance(outcome, Failure):
            raise call.with_fate(outcome.error)
        return _without_echo(outcome, call, credentials)

    async def _attempt(self, call: Call, credentials: Mapping[str, str]) -> Response | Failure:
        client = await self._clients.current()
        request = self._request(call, credentials)
        call.attempts += 1
        call.in_flight = True
        outcome = await _try(client, request, call)
        call.in_flight = False
        call.unsure = call.unsure or _is_unsure(outcome)
        return outcome

    def _request(self, call: Call, credentials: Mapping[str, str]) -> httpx.Request:
        # Made here and returned, so that no frame of a traceback has the plain headers among its locals.
        request = httpx.Request(
            call.request.method,
            call.url,
            headers={**call.headers, **credentials},
            content=call.content,
            extensions=self._timeouts,
        )
        request.url = call.url  # httpx made a plain copy, which its log would show
        return request

    def _wait(self, call: Call, outcome: Response | Failure, attempt: int) -> float | None:
        """The seconds until the next try; None if this was the last."""
        if attempt >= self._max_attempts or not self._may_repeat(call, outcome):
            return None
        if isinstance(outcome, Failure):
            wait = self._policy.wait(attempt)
        else:
            asked = self._policy.asked(outcome.status, outcome.headers)
            wait = self._policy.wait(attempt, throttled=outcome.status == THROTTLED, asked=asked)
        # Waiting past the deadline would only make a slow failure out of a quick and telling one.
        return wait if self._policy.monotonic() + wait < call.until else None

    def _may_repeat(self, call: Call, outcome: Response | Failure) -> bool:
        if isinstance(outcome, Response):
            return self._policy.repeats(outcome.status, repeatable=call.request.repeatable)
        return not outcome.final and (outcome.unsent or call.request.repeatable)


def _without_echo(response: Response, call: Call, credentials: Mapping[str, str]) -> Response:
    """The answer with no credentials in what an error may show of it: a refusal, or something else than JSON."""
    shown = response.status >= FIRST_FAILURE or response.body[:1] not in JSON_STARTS
    if not shown or not response.body or not isinstance(call.body, Whole):
        return response
    return replace(response, body=strike_out(response.body, credentials))


async def _try(client: httpx.AsyncClient, request: httpx.Request, call: Call) -> Response | Failure:
    host = call.url.host
    try:
        answer = await client.send(request, stream=True)
    except (httpx.HTTPError, OSError) as error:
        return no_answer(error, host)
    except RuntimeError as error:
        if client.is_closed:  # somebody closed the transport under the call
            return no_answer(error, host)
        raise
    try:
        return await _read(answer, call)
    except (CutShortError, httpx.HTTPError, OSError):
        return cut_short(answer.status_code)
    except PlugbayError as error:
        return Failure(error, final=True)
    finally:
        await answer.aclose()


async def _read(answer: httpx.Response, call: Call) -> Response:
    status = answer.status_code
    body = await (call.body.read(answer) if status < FIRST_FAILURE else read_error_body(answer))
    return Response(status, answer.headers, body, call.attempts)


def _is_unsure(outcome: Response | Failure) -> bool:
    """Whether the request may have been carried out although nothing says so."""
    if isinstance(outcome, Failure):
        return not outcome.unsent
    return outcome.status in SERVER_ERRORS or outcome.status == REQUEST_TIMEOUT


def _reason(outcome: Response | Failure) -> str:
    return outcome.error.message if isinstance(outcome, Failure) else f"HTTP {outcome.status}"
