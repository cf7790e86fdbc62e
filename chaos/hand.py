"""How a worker makes one call, and what is noted of it, whatever comes of it."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from chaos.books import Books
from chaos.check import Said
from chaos.fast import SCALE
from chaos.field import PAIRS, Field, Heard, hear
from chaos.plan import Job
from chaos.watch import Lag
from plugbay.errors import PlugbayError
from plugbay.result import Page, Result
from plugbay.tools.spec import ToolSpec

__all__ = ["Answer", "Hand", "without_loop"]

T = TypeVar("T")

GRACE = 2.0
"""Real seconds that a call may end after its deadline, beside what the machine is late."""

NAMES = frozenset(kind.code for kind in PlugbayError.__subclasses__())
"""The codes of all errors that have a name."""
AUTHENTICATION = "authentication"
RATE_LIMITED = "rate_limited"
LONGEST_PAUSE = 30.0
DEADLINE = "deadline_exceeded"
CLOSED = "was closed during the call"


MOST_ENDED = 3
"""Answers of 401 after which a call need not be given another token."""


class Answer(NamedTuple):
    """What a call gave: a record or records, and what is known beside them."""

    data: Any
    meta: Mapping[str, Any]


class _ToldError(Exception):
    """A failure that a tool handed to its model."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__(payload["code"])
        self.payload = payload


class Hand:
    """One worker's way to the connectors.

    Args:
        field: The connectors.
        books: Where to note what happens.
        lag: How late the machine is.
        has_loop: Whether it is in an event loop; without one it uses the sync face.
    """

    def __init__(self, field: Field, books: Books, lag: Lag, *, has_loop: bool) -> None:
        self.field = field
        self.books = books
        self.has_loop = has_loop
        self._lag = lag

    async def call(self, job: Job, entity: str, action: str, call_id: str | None = None, **params: Any) -> Said:
        """What a call of an action by the job's connector and way reported."""
        said, _ = await self.ask(job, entity, action, call_id, **params)
        return said

    async def ask(
        self, job: Job, entity: str, action: str, call_id: str | None = None, **params: Any
    ) -> tuple[Said, Answer]:
        """What a call reported, and what it gave."""
        answers: list[Answer] = []

        async def work() -> Any:
            answers.append(await self._call(job, entity, action, call_id, params))
            return answers[-1].data

        said = await self.watched(job, work)
        return said, answers[-1] if answers else Answer(None, {})

    async def watched(self, job: Job, work: Callable[[], Awaitable[Any]], *, bounded: bool = True) -> Said:
        """What came of some work.

        Args:
            job: What it is part of; it is cancelled when the job says so.
            work: Gives a record.
            bounded: Whether it must end within the connectors' timeout.
        """
        heard = Heard()
        token = hear.set(heard)
        started, lag = time.monotonic(), self._lag.total
        try:
            said = Said("ok", record=await self._cancelled(job, work), whole=job.way != "tool" or not self.has_loop)
        except PlugbayError as error:
            said = self._failed(job, error.payload(), error)
        except _ToldError as told:
            said = self._failed(job, told.payload)
        except asyncio.CancelledError:
            said = Said("cancelled")
            if job.cancel_after is None:
                self.books.violation("a call that nobody cancelled ended with CancelledError", job.number)
        except BaseException as error:  # noqa: BLE001 - it is what is looked for
            said = Said("unnamed", unknown=True)
            self.books.violation(f"an unnamed exception: {''.join(traceback.format_exception(error))}", job.number)
        finally:
            hear.reset(token)
        self._end(job, said, heard, started, lag, bounded=bounded)
        if said.outcome == AUTHENTICATION:
            await self._judge(job, said, heard, started)
        if said.outcome == RATE_LIMITED:
            await self._heed(said)
        return said

    async def _heed(self, said: Said) -> None:
        """Waits as a limit asks for, as a program would that wants to get on."""
        wait = min(said.retry_after, LONGEST_PAUSE)
        if self.has_loop:
            await asyncio.sleep(wait)
        else:
            time.sleep(wait / SCALE)  # noqa: ASYNC251 - there is no event loop here

    async def _cancelled(self, job: Job, work: Callable[[], Awaitable[T]]) -> T:
        """The work's result, or its end by cancelling it."""
        if job.cancel_after is None or not self.has_loop:
            return await work()
        task = asyncio.ensure_future(work())
        await asyncio.wait({task}, timeout=job.cancel_after)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=SCALE * GRACE * 2)
            if not task.done():
                self.books.violation("a call that was cancelled did not end", job.number)
        return await task

    async def _call(self, job: Job, entity: str, action: str, call_id: str | None, params: Mapping[str, Any]) -> Answer:
        connector = self.field.connectors[job.connector]
        face = connector if self.has_loop else connector.sync
        if job.way == "typed":
            value = getattr(getattr(face, entity), action)(**params)
            value = await value if self.has_loop else value
            return Answer(value.data, value.meta) if isinstance(value, Page) else Answer(value, {})  # pyright: ignore[reportUnknownMemberType]
        if job.way == "execute" or not self.has_loop:
            value = face.execute(entity, action, params)
            result = cast("Result", await value if self.has_loop else value)
            return Answer(result.data, result.meta)
        return await self.told(self.field.tools[job.connector], entity, action, params, call_id)

    async def told(
        self, tool: ToolSpec, entity: str, action: str, params: Mapping[str, Any], call_id: str | None = None
    ) -> Answer:
        """What a model's call of a tool gave; a failure that it was handed is raised."""
        envelope = await tool.call({"entity": entity, "action": action, "params": dict(params)}, call_id=call_id)
        if "error" in envelope:
            raise _ToldError(envelope["error"])
        return Answer(envelope["data"], envelope["meta"])

    def _failed(self, job: Job, payload: Mapping[str, Any], error: PlugbayError | None = None) -> Said:
        code = str(payload["code"])
        text = json.dumps(payload)
        if error is not None:
            text += "".join(traceback.format_exception(error)) + repr(error)
        if shown := self.field.secrets.shown_by(text):
            self.books.violation(f"the error {code} shows a secret: {shown}", job.number)
        if code not in NAMES:
            self.books.violation(f"an error without a name: {text}", job.number)
        details: dict[str, Any] = payload.get("details") or {}
        unknown = details.get("fate") == "unknown"
        message = str(payload["message"])
        broken_off = code == DEADLINE or CLOSED in message
        retry_after = float(payload.get("retry_after") or 0.0)
        return Said(code, unknown=unknown, broken_off=broken_off, message=message, retry_after=retry_after)

    def _end(self, job: Job, said: Said, heard: Heard, started: float, lag: float, *, bounded: bool) -> None:
        late = time.monotonic() - started - self.field.timeout / SCALE if bounded else 0.0
        allowed = GRACE + 2 * (self._lag.total - lag)
        if late > allowed:
            self.books.violation(
                f"a call ({said.outcome}) ended {late:.2f} real seconds after its deadline; {allowed:.2f} are allowed",
                job.number,
            )
        waited = sum(call.waited or 0.0 for call in heard.calls)
        self.books.ended(job.kind, said.outcome, waited=waited, overrun=late)
        self.books.count("calls", len(heard.calls))
        if heard.begun != len(heard.calls):
            self.books.violation(f"{heard.begun} calls were told to begin, {len(heard.calls)} to end", job.number)
        told = [call.outcome for call in heard.calls]
        if len(told) == 1 and told != [said.outcome] and job.kind != "check":
            self.books.violation(f"a call that ended with {said.outcome} was told to end with {told[0]}", job.number)

    async def _judge(self, job: Job, said: Said, heard: Heard, started: float) -> None:
        """Whether credentials were really not accepted; a grant that was lost is replaced."""
        if job.connector in PAIRS:
            field = self.field
            answer = field.reauthorize()
            lost = await asyncio.wrap_future(answer) if self.has_loop else answer.result()
            # A token that was ended since the call began may have been the new one.
            if lost or self.books.authorized_since(started) or field.expired_since(started):
                return
        # A call that was given two other tokens, each of which had ended by then, may give up.
        ended = sum(each.startswith("401 ") for each in heard.tries)
        if not heard.lies and ended < MOST_ENDED:
            self.books.violation(
                f"good credentials ({job.connector}) were reported as not accepted: {said.message}; {heard.tries}",
                job.number,
            )


def without_loop(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never waits for an event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise RuntimeError("it waits for an event loop")
