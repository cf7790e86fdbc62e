"""No secret of a hosted connector is in anything that a program prints, logs, keeps or sends on."""

from __future__ import annotations

import asyncio
import logging
import pickle
import random
import traceback

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response
from tests.hosted.service import TOKEN, Service

from plugbay import PlugbayError, Policy
from plugbay.connectors.zendesk_support import ZendeskSupportOauth20AuthConfig
from plugbay.hosted import Workspace
from plugbay.tools import execute_specs
from plugbay.transport import RetryPolicy

OPERATIONS = 200
QUICK = RetryPolicy(base=0.0001, throttled_base=0.0001, cap=0.001)
CALLS = [
    ("tickets", "get", {"ticket_id": 5}),
    ("tickets", "list", {"limit": 5}),
    ("tickets", "create", {"subject": "S", "comment": {"body": "C"}}),
    ("tickets", "update", {"ticket_id": 5, "status": "closed"}),
    ("attachments", "download", {"attachment_id": 1}),
    ("tickets", "no_such_action", {}),
]


def echo(request):
    """A page that quotes the request, as some proxies do."""
    status = random.Random(request.url.path).choice([200, 400, 403, 422, 500])
    return Response(str(dict(request.headers)), status)


ANSWERS = [
    echo,
    echo,
    lambda request: JSONResponse({"message": f"No: {request.headers.get('authorization')}"}, 401),
    lambda request: JSONResponse({"detail": f"No: {request.headers.get('authorization')}"}, 422),
    lambda request: Response(status_code=429, headers={"retry-after": "0"}),
    lambda request: Response(status_code=503),
    lambda request: Response("<html>", media_type="text/html"),
    lambda request: Response(b"", headers={"content-length": "9"}),
    lambda request: RedirectResponse("https://elsewhere.example.com/x"),
    lambda request: JSONResponse({"status": "failed", "message": str(dict(request.headers))}),
]


class Everything(logging.Handler):
    """Keeps what every log record of the process says, at any level."""

    def __init__(self):
        super().__init__(1)
        self.lines = []
        self.setFormatter(logging.Formatter())

    def emit(self, record):
        self.lines.append(f"{self.format(record)} {vars(record)}")


@pytest.fixture
def log():
    """The log of everything, the HTTP library's own too."""
    handler, root = Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def told_by(error):
    """What an exception shows in any of the ways to look at one."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(pickle.dumps(error))]
    # The test's own frame holds all that was shown before.
    below = error.__traceback__.tb_next if error.__traceback__ else None
    return [*shown, *traceback.TracebackException(type(error), error, below, capture_locals=True).format()]


def inside(value, levels=8, seen=None):
    """What an object and all it holds show by `repr`, attribute by attribute."""
    seen = set() if seen is None else seen
    if levels == 0 or id(value) in seen or isinstance(value, str | int | float | bytes | type(None)):
        return
    seen.add(id(value))
    yield repr(value)
    held = [*getattr(value, "__dict__", {}).values()]
    held += [getattr(value, name, None) for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    if type(value).__module__.startswith("plugbay"):
        yield repr(getattr(value, "__dict__", None))
        for each in held:
            yield from inside(each, levels - 1, seen)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_secret_is_anywhere(seed, library, vendor, hosted, log):
    """Errors, their tracebacks with locals and pickles, logs, events, envelopes and the objects themselves show none."""
    rng, told, shown = random.Random(seed), [], []
    secrets = {"at-secret-4711"}
    with Service(library, vendor=vendor, settings={"retry": QUICK}) as service:
        service.add()
        settings = {
            "policy": Policy(allow=["*.*"]),
            "retry": QUICK,
            "timeout": 5,
            "on_event": told.append,
            "record_content": True,
        }
        connector = hosted(service, **settings)
        spec = execute_specs([connector])[0]
        named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
        workspace = Workspace(retry=QUICK, **named)

        async def one(number):
            entity, action, params = rng.choice(CALLS)
            if rng.random() < 0.5:
                service.next(rng.choice(["/execute", "/execute", "/connectors", TOKEN]), rng.choice(ANSWERS))
            if rng.random() < 0.1:
                service.tokens.clear()
            try:
                if rng.random() < 0.3:
                    shown.append(str(await spec.call({"entity": entity, "action": action, "params": params})))
                elif rng.random() < 0.2:
                    config = ZendeskSupportOauth20AuthConfig(access_token="at-secret-4711")
                    await workspace.create_connector("zendesk-support", config, subdomain="acme")
                else:
                    shown.append(repr(await connector.execute(entity, action, params)))
            except Exception as error:
                shown.extend(told_by(error))
                raise
            finally:
                secrets.update(service.tokens)

        failed = 0
        for start in range(0, OPERATIONS, 10):
            outcomes = await asyncio.gather(*map(one, range(start, start + 10)), return_exceptions=True)
            failed += sum(isinstance(outcome, Exception) for outcome in outcomes)
        shown += [*inside(connector), *inside(workspace), repr(await connector.check())]
        await workspace.close()
        secrets |= {service.client_secret, *service.tokens}
    shown += [f"{event!r} {event.as_dict()}" for event in told]

    assert failed > OPERATIONS / 10
    assert len(log.lines) > OPERATIONS
    leaks = {secret[:4] + "...": text[:300] for text in [*shown, *log.lines] for secret in secrets if secret in text}
    assert {} == leaks


async def test_a_secret_that_the_service_quotes(library, vendor, hosted):
    """The client's secret, which is sent for the token alone, is in no error that quotes it later."""
    with Service(library, vendor=vendor, settings={"retry": QUICK}) as service:
        service.add()
        said = f"No {service.client_secret}"
        body = {"code": "authentication", "message": said, "hint": said, "details": {"said": [said]}}
        service.next("/execute", JSONResponse({"message": said, "error": body}, 409))
        with pytest.raises(PlugbayError) as caught:
            await hosted(service).tickets.list(limit=1)

    assert service.client_secret not in "".join(told_by(caught.value))
    assert "[credentials]" in caught.value.message
