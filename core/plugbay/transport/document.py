"""Reading a small public document that a stranger named: one request, no redirect, nothing of this machine or its neighbours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx

from plugbay.errors import DeadlineExceededError, InvalidParameterError, PlugbayError, ResponseIntegrityError
from plugbay.transport.address import is_loopback, is_public
from plugbay.transport.body import BodyReader, CutShortError, Whole
from plugbay.transport.failure import cut_short, no_answer
from plugbay.transport.origin import AMBIGUOUS, QuietURL, is_plain, quiet
from plugbay.transport.outside import FromOutside, is_proxied, look_up

__all__ = ["Document", "read_document"]

OK = 200

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_UNKEPT = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,=])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """What was read.

    Attributes:
        body: Its bytes, decoded.
        content_type: Its media type without parameters, in lower case.
        max_age: Seconds for which its author lets it be kept, if that is said.
    """

    body: bytes
    content_type: str
    max_age: float | None


async def read_document(
    url: str,
    *,
    max_bytes: int,
    timeout: float,  # noqa: ASYNC109 - the whole reading is bounded, whoever calls
    loopback: bool = False,
) -> Document:
    """A document, if it is answered with 200 at that very address.

    The name is looked up before it is connected to, and the address of the connection that was made is looked at
    before anything is taken from it. A proxy named by the environment does both itself.

    Args:
        url: `https`, of a public host.
        max_bytes: The most it may have.
        timeout: The most that all of it may take, in seconds.
        loopback: Whether it may be of this machine, and by `http` then: for tests and the sandbox.

    Raises:
        InvalidParameterError: The URL is not one that may be read.
        ResponseIntegrityError: Its host is not public, or the answer is too large, or anything but 200.
        NetworkError: The host could not be reached.
        DeadlineExceededError: It took too long.
    """
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    target = _target(url, loopback=loopback)
    failure: PlugbayError
    try:
        async with asyncio.timeout(timeout):
            return await _read(target, max_bytes)
    except TimeoutError:
        failure = DeadlineExceededError(f"{target.host} did not give the document within {timeout:g} seconds.")
    except CutShortError:
        failure = cut_short(OK).error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        failure = no_answer(error, target.host).error
    raise failure


def _target(url: str, *, loopback: bool) -> QuietURL:
    try:
        parsed = None if AMBIGUOUS.search(url) else httpx.URL(url)
        if parsed is not None and is_plain(parsed) and _may_be_read(parsed, loopback=loopback):
            return quiet(parsed)
    except (httpx.InvalidURL, UnicodeError):
        pass
    raise InvalidParameterError("The document's URL must be a plain https URL of a public host.")


def _may_be_read(url: httpx.URL, *, loopback: bool) -> bool:
    if is_loopback(url.host):
        return loopback
    return url.scheme == "https" and is_public(url.host)


async def _read(url: QuietURL, max_bytes: int) -> Document:
    reader: BodyReader = Whole(max_bytes)
    at_home = is_loopback(url.host)
    if not at_home and not is_proxied(url):
        await look_up(url)
        reader = FromOutside(reader, url.host)
    headers = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": "plugbay"}
    async with httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=not at_home) as client:  # noqa: S113 - the caller's deadline is around it
        request = client.build_request("GET", url, headers=headers)
        answer = await client.send(request, stream=True)
        try:
            body = await reader.read(answer)
        finally:
            await answer.aclose()
    if answer.status_code != OK:
        raise ResponseIntegrityError(
            f"{url.host} answered {answer.status_code} where a document should be; a redirect is not followed.",
            details={"status": answer.status_code},
        )
    return Document(body, _media_type(answer), _max_age(answer))


def _media_type(answer: Any) -> str:
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _max_age(answer: Any) -> float | None:
    """How long it may be kept (RFC 9111 section 5.2.2)."""
    said = str(answer.headers.get("cache-control", ""))
    if _UNKEPT.search(said):
        return 0.0
    match = _MAX_AGE.search(said)
    return float(match[1]) if match else None
