"""No line of a log is forged, and none shows a query or a secret."""

from __future__ import annotations

import logging
from contextlib import contextmanager

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import OPERATIONS, SECRET, Service, arguments_of, called, hostile_texts, patient

from plugbay import PlugbayError

LOGGERS = ("plugbay", "httpx", "httpcore")
MARK = "querymark"

answers = st.sampled_from([200, 302, 404, 429, 500, 503]) | st.just(None)


class Lines(logging.Handler):
    """Keeps each record as the line that a log file has of it."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))


@contextmanager
def logged():
    """The lines that the library, and the HTTP library under it, write inside the block."""
    handler = Lines()
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(before[name])


def check(lines):
    """The lines are lines, and hold nothing of a query."""
    assert lines
    for line in lines:
        assert len(line.splitlines()) == 1, line
        assert "\x1b" not in line
        assert MARK not in line
        assert SECRET not in line


@given(st.sampled_from(OPERATIONS), st.lists(answers, min_size=1, max_size=4), hostile_texts, hostile_texts)
@settings(max_examples=120)
def test_whatever_is_answered(where, statuses, words, reason):
    """Answers, their reason phrases, and connections that break, are each told of in one line."""
    kind, operation = where
    outcomes = iter([*statuses, *[200] * 9])

    def answer(request):
        status = next(outcomes)
        if status is None:
            raise httpx.ConnectError(f"failed {words}")
        phrase = reason.encode("ascii", "ignore").replace(b"\r", b"").replace(b"\n", b"")
        phrase = bytes(byte for byte in phrase if byte >= 0x20 and byte != 0x7F)  # as the wire allows it (RFC 9112)
        made = httpx.Response(status, headers=[(b"location", b"/x?a=" + MARK.encode())], text=words)
        made.extensions["reason_phrase"] = phrase
        return made

    service = Service(answer)
    with logged() as lines:
        outcome = called(
            service,
            lambda connector: connector.execute(operation.entity, operation.action, arguments_of(operation)),
            kind,
            max_attempts=3,
            retry=patient(),
        )

    assert isinstance(outcome, PlugbayError)
    if any(status is not None for status in statuses[:3]):
        check(lines)
    assert len(str(outcome).splitlines()) <= 1


@given(hostile_texts)
@settings(max_examples=80)
def test_whatever_is_asked(text):
    """The values of a query are in no line, nor can they make one; one with a NUL is not even sent."""
    service = Service(httpx.Response(503, text="sorry"))

    with logged() as lines:
        called(
            service,
            lambda connector: connector.execute("users", "search", {"query": f"{MARK}{text}"}),
            max_attempts=2,
            retry=patient(),
        )

    assert (0 if "\0" in text else 2) == len(service.requests)
    if service.requests:
        check(lines)


def test_address_of_a_file_is_not_logged():
    """The path of a file's address, which may be all that is needed to read it, is in no line."""

    def answer(request):
        if request.url.path == "/api/v2/attachments/1":
            return {"attachment": {"id": 1, "content_url": f"https://acme.zendesk.com/{MARK}?name={MARK}"}}
        if request.url.host == "acme.zendesk.com":
            return httpx.Response(302, headers={"location": f"https://p1.zdusercontent.com/{MARK}?token={MARK}"})
        return httpx.Response(200, content=b"data")

    service = Service(answer)
    with logged() as lines:
        called(service, lambda connector: connector.attachments.download(1))

    assert 3 == len(service.requests)
    check(lines)
