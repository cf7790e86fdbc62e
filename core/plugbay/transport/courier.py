"""Sending a call, and sending it again where that is safe and worth it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import httpx

from plugbay.errors import PlugbayError, RateLimitedError
from plugbay.trace import current_trace
from plugbay.transport.body import CutShortError, read_error_body
from plugbay.transport.call import Call
from plugbay.transport.clients import Client, Clients
from plugbay.transport.failure import Failure, cut_short, no_answer
from plugbay.transport.limiter import Budget, BudgetReader, Hold
from plugbay.transport.message import Response
from plugbay.transport.quiet_log import OURS
from plugbay.transport.retry import THROTTLED, RetryPolicy
from plugbay.transport.strike import strike_out, strike_text
from plugbay.transport.tenancy import Tenant

__all__ = ["Courier"]

logger = logging.getLogger("plugbay.transport")

FIRST_FAILURE = 300
"""From here on, redirects included, nobody wants more than the beginning of the body."""

SHOWN_HEADERS = ("x-request-id", "content-type")
USUAL_TYPES = frozenset({"application/json", "application/json; charset=utf-8"})
SERVER_ERRORS = range(500, 600)
REQUEST_TIMEOUT = 408
CONFLICT = 409


class Courier:
    """Brings back an answer of any status; knows nothing of credentials.

    Args:
        clients: What sends.
        policy: When to send again.
        max_attempts: The most tries.
        tenant: What is known of the tenant's budgets, and what its retries may cost.
        read_budgets: Reads what an answer's headers say of budgets.
        collides: Whether an answer of 409 says that trying again would help.
        settles: Whether an answer that is no success says itself what became of a write.
    """

    __slots__ = (
        "_clients",
        "_collides",
        "_max_attempts",
        "_policy",
        "_read_budgets",
        "_settles",
        "_tenant",
        "_timeouts",
    )

    def __init__(  # noqa: PLR0917 - one caller
        self,
        clients: Clients,
        policy: RetryPolicy,
        max_attempts: int,
        tenant: Tenant,
        read_budgets: BudgetReader,
        collides: Callable[[Response], bool] | None,
        settles: Callable[[Response], bool],
    ) -> None:
        self._clients = clients
        self._policy = policy
        self._max_attempts = max_attempts
        self._tenant = tenant
        self._read_budgets = read_budgets
        self._collides = collides
        self._settles = settles
        self._timeouts = clients.timeouts

    async def deliver(self, call: Call, credentials: Mapping[str, str]) -> Response:
        """The last answer, whatever its status.

        Raises:
            PlugbayError: The last try brought no answer, or one that cannot be used; or the service's budget is
                used up for longer than the call has.
        """
        taken = 0
        outcome = await self._attempt(call, credentials)
        while (planned := self._wait(call, outcome)) is not None:
            wait, is_asked = planned
            throttled = _is(outcome, THROTTLED)
            cost = self._tenant.quota.take(call.url.host, throttled=throttled)
            if cost is None:
                logger.warning("%s %s: too much fails at %s to try again", call.request.method, call.url, call.url.host)
                break
            taken = cost
            await self._pause(call, wait, "throttled" if throttled or is_asked else "retry", _reason(outcome))
            call.retried += 1
            outcome = await self._attempt(call, credentials)
        if isinstance(outcome, Failure):
            raise call.with_fate(outcome.error)
        if outcome.status < FIRST_FAILURE:
            self._tenant.quota.succeeded(call.url.host, taken)
        return _without_echo(outcome, credentials)

    async def _attempt(self, call: Call, credentials: Mapping[str, str]) -> Response | Failure:
        client = await self._admitted(call)
        try:
            return await self._sent(client, call, credentials)
        finally:
            client.room.release()

    async def _sent(self, client: Client, call: Call, credentials: Mapping[str, str]) -> Response | Failure:
        request = self._request(call, credentials)
        call.attempts += 1
        call.in_flight = True
        started = self._policy.monotonic()
        ours = OURS.set(True)
        try:
            outcome = await _try(client, request, call)
        except BaseException:
            self._tell(call, None, self._policy.monotonic() - started)
            raise
        else:
            _unquote_headers(outcome, credentials)
        finally:
            # Whoever closes a coroutine that nobody awaits does it from a context of his own.
            with suppress(ValueError):
                OURS.reset(ours)
        self._tell(call, outcome, self._policy.monotonic() - started)
        call.in_flight = False
        call.unsure = call.unsure or self._is_unsure(outcome)
        return outcome

    async def _admitted(self, call: Call) -> Client:
        """A client with room for one more request, once the tenant's budgets, as far as they are known, have one left."""
        request, limiter = call.request, self._tenant.limiter
        while True:
            client = await self._clients.current()
            await client.room.acquire()
            if not client.is_usable:  # it was closed, or retired, while this waited
                client.room.release()
                continue
            hold = None
            if call.limited:
                hold = limiter.ask(call.group, request.path, self._now(call), yields=request.yields)
            if hold is None:
                return client
            client.room.release()
            if not call.deadline.has(hold.seconds, told=True):
                raise call.with_fate(_used_up(hold))
            await self._pause(call, hold.seconds, "limit", f"{hold.bucket} is used up", hold.bucket)

    async def _pause(
        self,
        call: Call,
        wait: float,
        reason: Literal["retry", "throttled", "limit"],
        why: str,
        bucket: str | None = None,
    ) -> None:
        logger.info("%s %s: %s, next try in %.2f s", call.request.method, call.url, why, wait)
        trace = current_trace()
        trace.tell("wait", seconds=wait, reason=reason, bucket=bucket)
        if reason != "retry":
            call.deadline.lend(wait)
        call.awake = self._now(call) + wait
        await self._policy.sleep(wait)
        trace.waited += wait

    def _now(self, call: Call) -> float:
        """The time; never before the end of a wait that is over, however `sleep` and the clock were replaced."""
        return max(self._policy.monotonic(), call.awake)

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

    def _tell(self, call: Call, outcome: Response | Failure | None, seconds: float) -> None:
        """Tells those who listen of a try, and the limiter of what the answer says of budgets.

        Without an outcome the try was broken off, by the caller or by the deadline.
        """
        trace = current_trace()
        trace.attempts += 1
        trace.cut_off = trace.cut_off or (outcome is None and call.writes)
        answer = outcome if isinstance(outcome, Response) else None
        if trace.listeners:
            trace.tell(
                "attempt",
                number=trace.attempts,
                method=call.request.method,
                host=call.url.host,
                port=call.url.port or (443 if call.url.scheme == "https" else 80),
                resent=call.attempts - 1,
                status=answer and answer.status,
                error=outcome.error.code if isinstance(outcome, Failure) else "cancelled" if outcome is None else None,
                seconds=seconds,
                request_id=answer and answer.headers.get("x-request-id"),
            )
        if not call.limited or answer is None:
            return
        now, path = self._policy.monotonic(), call.request.path
        budgets = self._read_budgets(answer.headers)
        self._tenant.limiter.told(call.group, path, budgets, now)
        if answer.status == THROTTLED and (asked := self._asked(answer, budgets)):
            self._tenant.limiter.throttled(call.group, path, asked, budgets, now)

    def _wait(self, call: Call, outcome: Response | Failure) -> tuple[float, bool] | None:
        """The seconds until the next try, and whether the service asked for them; None if this was the last try."""
        attempt = 1 + call.retried
        if attempt >= self._max_attempts or not self._may_repeat(call, outcome):
            return None
        throttled = _is(outcome, THROTTLED)
        asked = None if isinstance(outcome, Failure) else self.asked(outcome)
        wait = self._policy.wait(attempt, throttled=throttled, asked=asked)
        # Waiting past the deadline would only make a slow failure out of a quick and telling one.
        return (wait, asked is not None) if call.deadline.has(wait, told=asked is not None) else None

    def asked(self, response: Response) -> float | None:
        """The seconds that an answer asks to wait; None if it does not say."""
        return self._asked(response, self._read_budgets(response.headers))

    def _asked(self, response: Response, budgets: Sequence[Budget]) -> float | None:
        asked = self._policy.asked(response.status, response.headers)
        if response.status != THROTTLED:
            return asked
        resets = [budget.resets for budget in budgets if budget.remaining <= 0]
        return max([*resets, asked or 0.0]) if resets else asked

    def _may_repeat(self, call: Call, outcome: Response | Failure) -> bool:
        repeatable = call.request.repeatable
        if isinstance(outcome, Failure):
            return not outcome.final and (outcome.unsent or repeatable)
        # Whoever has more time than the service waits out a limit all the same.
        if self._policy.forbidden(outcome.headers) and not (_is(outcome, THROTTLED) and call.deadline.is_patient):
            return False
        if outcome.status == CONFLICT and self._collides is not None:
            return repeatable and self._collides(outcome)
        return self._policy.repeats(outcome.status, repeatable=repeatable)

    def _is_unsure(self, outcome: Response | Failure) -> bool:
        """Whether the request may have been carried out although nothing says so."""
        if isinstance(outcome, Failure):
            return not outcome.unsent
        doubtful = outcome.status in SERVER_ERRORS or outcome.status == REQUEST_TIMEOUT
        return doubtful and not self._settles(outcome)


def _used_up(hold: Hold) -> RateLimitedError:
    return RateLimitedError(
        f"The service's budget of requests ({hold.bucket}) is used up for another {hold.seconds:.0f} seconds, "
        "longer than the call has; it was not sent.",
        retry_after=hold.seconds,
        details={"bucket": hold.bucket},
    )


def _unquote_headers(outcome: Response | Failure, credentials: Mapping[str, str]) -> None:
    """Takes quoted credentials out of the headers that errors and events show."""
    if isinstance(outcome, Response) and credentials:
        for name in SHOWN_HEADERS:
            if (text := outcome.headers.get(name)) is not None and text not in USUAL_TYPES:
                outcome.headers[name] = strike_text(text, credentials)


def _without_echo(response: Response, credentials: Mapping[str, str]) -> Response:
    """The answer without the credentials, which a service, or a proxy before it, may quote."""
    if not response.body or not credentials:
        return response
    body = strike_out(response.body, credentials)
    return response if body is response.body else replace(response, body=body)


async def _try(client: Client, request: httpx.Request, call: Call) -> Response | Failure:
    host = call.url.host
    try:
        answer = await client.send(request, stream=True)
    except (httpx.HTTPError, OSError, UnicodeError) as error:  # a redirect's host may be no punycode
        return no_answer(error, host)
    except RuntimeError as error:
        if client.is_closed:  # somebody closed the transport under the call
            return no_answer(error, host)
        raise
    except BaseException:
        client.was_interrupted()
        raise
    try:
        return await _read(answer, call)
    except (CutShortError, httpx.HTTPError, OSError):
        return cut_short(answer.status_code)
    except PlugbayError as error:
        return Failure(error, final=True)
    finally:
        await client.give_back(answer)


async def _read(answer: httpx.Response, call: Call) -> Response:
    status = answer.status_code
    body = await (call.body.read(answer) if status < FIRST_FAILURE else read_error_body(answer))
    return Response(status, _headers(answer), body, call.attempts)


def _headers(answer: httpx.Response) -> dict[str, str]:
    """The headers by lower-case name; the HTTP library's own mapping goes through all of them at each look."""
    headers: dict[str, str] = {}
    for raw_name, raw in answer.headers.raw:
        name = raw_name.decode("latin-1").lower()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _is(outcome: Response | Failure, status: int) -> bool:
    return isinstance(outcome, Response) and outcome.status == status


def _reason(outcome: Response | Failure) -> str:
    return outcome.error.message if isinstance(outcome, Failure) else f"HTTP {outcome.status}"
