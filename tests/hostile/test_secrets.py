"""No secret is in anything that a program prints, logs, keeps or sends on, after hundreds of random failures."""

from __future__ import annotations

import asyncio
import base64
import logging
import pickle
import random
import traceback

import pytest

from plugbay import Policy
from plugbay.auth import MemoryTokenStore
from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.sandbox import Failure, Sandbox
from plugbay.tools import execute_specs
from plugbay.transport import RetryPolicy

OPERATIONS = 300

CALLS = [
    ("tickets", "get", {"ticket_id": 5}),
    ("tickets", "get", {"ticket_id": 10**9}),
    ("tickets", "list", {"limit": 5}),
    ("tickets", "search", {"query": "bag"}),
    ("tickets", "create", {"subject": "S", "comment": {"body": "C"}}),
    ("tickets", "update", {"ticket_id": 5, "status": "closed"}),
    ("ticket_comments", "create", {"ticket_id": 7, "body": "x"}),
    ("users", "list", {"limit": 3}),
    ("tickets", "update", {"ticket_id": "..", "status": "open"}),
    ("tickets", "no_such_action", {}),
]


def echo(request):
    """An error page that quotes the request, as some proxies do."""
    said = {"headers": request.headers, "body": request.body.decode(errors="replace")}
    return Failure(status=random.Random(request.path).choice([400, 403, 422, 500]), body={"error": str(said)})


def faults(rng):
    """A chooser of failures, some of which echo the credentials."""
    kinds = [
        lambda request: Failure(status=401),
        echo,
        lambda request: Failure(status=429, headers={"retry-after": "0"}),
        lambda request: Failure(status=503),
        lambda request: Failure(reset=True),
        lambda request: Failure(close=True, when="after"),
        lambda request: Failure(truncate=3),
        lambda request: Failure(shape="html"),
        lambda request: Failure(shape="no_record"),
        lambda request: Failure(redirect="https://elsewhere.example.com/x"),
        lambda request: Failure(status=200, body=str(request.headers)),
    ]
    return lambda request: rng.choice(kinds)(request) if rng.random() < 0.5 else None


def secrets_of(sandbox):
    """Everything that is a secret at the sandbox by now, and the forms in which it travels."""
    account = sandbox.account
    plain = {sandbox.access_token, sandbox.refresh_token, sandbox.client_secret, sandbox.api_token}
    for token in account.tokens.values():
        plain |= {token.access, token.refresh}
    plain.discard(None)
    basic = base64.b64encode(f"{sandbox.email}/token:{sandbox.api_token}".encode()).decode()
    return {*plain, basic}


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
    with_locals = traceback.TracebackException(type(error), error, below, capture_locals=True)
    return [*shown, *with_locals.format()]


def inside(value, levels=7, seen=None):
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


def connectors(sandbox, told):
    """A connector for each kind of credentials."""
    settings = {
        "base_url": sandbox.base_url,
        "policy": Policy(allow=["*.*"]),
        "retry": RetryPolicy(base=0.0001, throttled_base=0.0001, cap=0.001),
        "timeout": 5,
        "on_event": told.append,
        "record_content": True,
    }
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    return [
        ZendeskSupportConnector(
            ZendeskSupportOauth20AuthConfig(
                access_token=sandbox.token(expires_in=1), refresh_token=sandbox.refresh_token, **client
            ),
            token_store=MemoryTokenStore(),
            **settings,
        ),
        ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(**client), **settings),
        ZendeskSupportConnector(
            ZendeskSupportApiTokenAuthConfig(email=sandbox.email, api_token=sandbox.api_token), **settings
        ),
    ]


@pytest.mark.filterwarnings("ignore:Zendesk ends API tokens")
@pytest.mark.parametrize("seed", [1, 2])
async def test_no_secret_is_anywhere(seed, log):
    """Errors, their tracebacks with locals and pickles, logs, events, envelopes and the objects themselves show none."""
    rng, told, shown = random.Random(seed), [], []
    with Sandbox(tickets=20, seed=seed, plan=None) as sandbox:
        sandbox.fail_with(faults(rng))
        made = connectors(sandbox, told)
        specs = [execute_specs([connector])[0] for connector in made]

        async def one(number):
            entity, action, params = rng.choice(CALLS)
            place = rng.randrange(len(made))
            if rng.random() < 0.3:
                call = {"entity": entity, "action": action, "params": params}
                shown.append(str(await specs[place].call(call, call_id=f"call_{number:024}")))
                return
            try:
                result = await made[place].execute(entity, action, params)
            except Exception as error:
                shown.extend(told_by(error))
                raise
            shown.append(repr(result))

        failed = 0
        for start in range(0, OPERATIONS, 10):
            outcomes = await asyncio.gather(*map(one, range(start, start + 10)), return_exceptions=True)
            failed += sum(isinstance(outcome, Exception) for outcome in outcomes)
        for connector in made:
            shown += inside(connector)
            shown += [repr(await connector.check())]
            await connector.close()
        secrets = secrets_of(sandbox)
    shown += [f"{event!r} {event.as_dict()}" for event in told]

    assert failed > OPERATIONS / 10
    assert len(log.lines) > OPERATIONS
    leaks = {secret[:4] + "...": text[:300] for text in [*shown, *log.lines] for secret in secrets if secret in text}
    assert {} == leaks
