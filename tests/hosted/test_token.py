"""The client's token: asked for once, kept as long as it is good, shared, and never sent elsewhere."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response
from tests.hosted.conftest import RETRY, no_wait
from tests.hosted.service import ROOT, TOKEN, Service

from plugbay import (
    AuthenticationError,
    ConfigurationError,
    DeadlineExceededError,
    NetworkError,
    PlugbayError,
    ServiceError,
)
from plugbay.hosted import token as module
from plugbay.transport import RetryPolicy


@pytest.fixture
def library_service(library):
    """A service whose calls succeed."""
    with Service(library, settings={"retry": RETRY}) as running:
        running.add()
        yield running


async def test_first_calls_at_once(library_service, hosted):
    """Twenty first calls ask for one token and look the connector up once."""
    connector = hosted(library_service)
    await asyncio.gather(*(connector.users.list(limit=1) for _ in range(20)))
    assert 1 == len(library_service.came(TOKEN))
    assert 1 == len(library_service.came(ROOT))
    assert 20 == len(library_service.came("/execute"))


async def test_what_is_posted(library_service, hosted):
    """The id and the secret are posted, as JSON, and no authorization with them; everything else has the token."""
    await hosted(library_service).users.list(limit=1)
    asked, *others = library_service.requests
    assert {"client_id": library_service.client_id, "client_secret": library_service.client_secret} == asked.body
    assert "authorization" not in asked.headers
    assert {f"Bearer {token}" for token in library_service.tokens} == {each.headers["authorization"] for each in others}


@pytest.mark.parametrize("status", [200, 400, 404])
async def test_a_refused_token_names_its_request(library_service, hosted, status):
    """The error of a token that is not given has the service's name for the request."""
    library_service.next(TOKEN, Response("no token", status, {"x-request-id": "req-1"}))
    with pytest.raises(PlugbayError) as caught:
        await hosted(library_service).users.list(limit=1)
    assert "req-1" == caught.value.request_id


async def test_connectors_of_one_client_share_it(library_service, hosted):
    """Two connectors of one client and one service need one token; another client has its own."""
    await hosted(library_service).users.list(limit=1)
    await hosted(library_service, api_url=library_service.url + "/").users.list(limit=1)
    assert 1 == len(library_service.came(TOKEN))
    with pytest.raises(AuthenticationError):
        await hosted(library_service, client_secret="another-secret").users.list(limit=1)
    assert 2 == len(library_service.came(TOKEN))


async def test_nothing_is_kept_of_a_client_that_is_gone(library_service, hosted):
    """The shared token ends with the last connector that has it, and is known by no secret."""
    connector = hosted(library_service, client_secret=library_service.client_secret)
    await connector.users.list(limit=1)
    assert library_service.client_secret not in str([*module._known.keys()])
    gc.collect()
    held = len(module._known)
    from plugbay import connect

    other = connect("zendesk-support", client_id="x", client_secret="y-secret", api_url=library_service.url)
    with pytest.raises(AuthenticationError) as caught:
        await other.users.list()
    assert held + 1 == len(module._known)
    await other.close()
    del other, caught
    gc.collect()
    assert held == len(module._known)


def test_two_event_loops(library_service):
    """Calls in one loop after another, and in threads at once, share the token and the look-up."""
    from plugbay import connect

    service = library_service
    connector = connect(
        "zendesk-support", client_id=service.client_id, client_secret=service.client_secret, api_url=service.url
    )
    asyncio.run(_one(connector))
    asyncio.run(_one(connector))
    threads = [threading.Thread(target=asyncio.run, args=[_one(connector)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (1, 1, 7) == tuple(len(service.came(end)) for end in (TOKEN, ROOT, "/execute"))


def test_first_calls_of_many_threads(library_service):
    """First calls in five threads at once ask for one token and look up once."""
    from plugbay import connect

    service = library_service
    connector = connect(
        "zendesk-support", client_id=service.client_id, client_secret=service.client_secret, api_url=service.url
    )
    start = threading.Barrier(5)

    def first():
        start.wait()
        asyncio.run(_one(connector))

    threads = [threading.Thread(target=first) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (1, 1, 5) == tuple(len(service.came(end)) for end in (TOKEN, ROOT, "/execute"))


async def _one(connector):
    await connector.users.list(limit=1)


async def test_renewed_after_a_401(library_service, hosted):
    """Calls whose token the service has forgotten renew it once, and are sent again."""
    connector = hosted(library_service)
    await connector.users.list(limit=1)
    library_service.tokens.clear()
    await asyncio.gather(*(connector.users.list(limit=1) for _ in range(10)))
    assert 2 == len(library_service.came(TOKEN))


async def test_a_401_for_good(library_service, hosted):
    """A service that does not accept its own new token is an authentication error, after one renewal."""
    connector = hosted(library_service)
    library_service.next("/execute", *(JSONResponse({"message": "no"}, 401) for _ in range(5)))
    with pytest.raises(AuthenticationError, match="401"):
        await connector.users.list(limit=1)
    assert (2, 2) == (len(library_service.came(TOKEN)), len(library_service.came("/execute")))


async def test_kept_for_four_fifths_of_its_life(library_service, hosted):
    """A token is used for 80 % of its life, by the clock that was given, and renewed after that."""
    now = [1_000_000.0]
    connector = hosted(library_service, retry=RetryPolicy(sleep=no_wait, clock=lambda: now[0]))
    for seconds, tokens in ((0, 1), (719, 1), (2, 2), (719, 2), (2, 3)):
        now[0] += seconds
        await connector.users.list(limit=1)
        assert tokens == len(library_service.came(TOKEN))


async def test_a_good_token_outlives_a_failed_renewal(library_service, hosted):
    """While the old token still works a token endpoint that fails fails no call."""
    now = [1_000_000.0]
    connector = hosted(library_service, retry=RetryPolicy(sleep=no_wait, clock=lambda: now[0]))
    await connector.users.list(limit=1)
    now[0] += 800
    library_service.next(TOKEN, *(Response(status_code=500) for _ in range(3)))
    await connector.users.list(limit=1)
    assert 4 == len(library_service.came(TOKEN))
    assert 1 == len(library_service.tokens)


async def test_wrong_credentials(library_service, hosted):
    """A client that the service does not know is told so, with what to check, and asked for once for all that wait."""
    connector = hosted(library_service, client_id="nobody")
    failures = await asyncio.gather(*(connector.users.list(limit=1) for _ in range(5)), return_exceptions=True)
    assert {AuthenticationError} == {type(each) for each in failures}
    assert "AIRBYTE_CLIENT_ID" in failures[0].hint
    assert 1 == len(library_service.came(TOKEN))


async def test_no_service(library_service, hosted):
    """A server that gives no tokens is no hosted service."""
    with pytest.raises(ConfigurationError, match="api_url"):
        await hosted(library_service, api_url=library_service.url + "/elsewhere").users.list()


@pytest.mark.parametrize("status", [200, 401, 403, 407])
async def test_something_else_at_that_address(library_service, hosted, status):
    """A page of a proxy is not taken for the service's opinion of the client, whatever its status."""
    library_service.next(TOKEN, Response("<html>Sign in to the network</html>", status, media_type="text/html"))
    with pytest.raises(ConfigurationError, match="What answers at api_url is not a hosted service") as caught:
        await hosted(library_service).users.list()
    assert {"status": status} == caught.value.details


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_secret_follows_no_redirect(library_service, hosted, status):
    """A token endpoint that redirects, be it to its own host, is given the secret once and nobody else is."""
    with Service() as thief:
        library_service.next(TOKEN, RedirectResponse(f"{thief.url}{TOKEN}", status))
        with pytest.raises(PlugbayError, match="redirected"):
            await hosted(library_service).users.list()
        assert [] == thief.requests
    assert 1 == len(library_service.came(TOKEN))


async def test_the_token_follows_no_redirect(library_service, hosted):
    """Neither a look-up nor an execution is taken elsewhere by a redirect."""
    with Service() as thief:
        for end in (ROOT, "/execute"):
            library_service.next(end, RedirectResponse(f"{thief.url}/x", 307))
            with pytest.raises(PlugbayError, match="redirected"):
                await hosted(library_service).users.list()
        assert [] == thief.requests


async def test_http_is_for_loopback(hosted, service):
    """The secret is not posted in the clear."""
    for url in ("http://api.example.com", "ftp://127.0.0.1", "https://user:word@api.example.com", "nonsense"):
        with pytest.raises(ConfigurationError, match="api_url"):
            hosted(service, api_url=url)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"access_token": 5}', b'{"access_token": "a\\nb"}', b"<html>"])
async def test_answers_without_a_token(library_service, hosted, answer):
    """An answer that has no usable token is an error of the library."""
    library_service.next(TOKEN, Response(answer, media_type="application/json"))
    with pytest.raises(PlugbayError) as caught:
        await hosted(library_service).users.list()
    assert "fate" not in (caught.value.details or {})


async def test_a_write_before_which_no_token_came(service, hosted):
    """A write that was never sent is not said to have been done."""
    service.next(TOKEN, *(Response(status_code=503) for _ in range(3)))
    with pytest.raises(ServiceError) as caught:
        await hosted(service).tickets.create(comment={"body": "x"})
    assert "fate" not in caught.value.details
    assert [] == service.came("/execute")


async def test_the_deadline_covers_it_all(service, hosted):
    """A token that does not come ends with the call's time."""
    gate = asyncio.Event()

    async def never(scope, receive, send):
        await gate.wait()

    class Silent(Response):
        __call__ = staticmethod(never)

    service.next(TOKEN, Silent())
    with pytest.raises(DeadlineExceededError):
        await hosted(service, timeout=0.3).users.list()


async def test_a_closed_connector_takes_nobody_with_it(library_service, hosted):
    """A connector that is closed while it asks for the token that others wait for fails alone."""
    asked, gate = threading.Event(), threading.Event()

    def held(request):
        asked.set()

        async def body():
            await asyncio.to_thread(gate.wait)
            yield b"{}"

        from starlette.responses import StreamingResponse

        return StreamingResponse(body())

    library_service.next(TOKEN, held)
    first, second = hosted(library_service), hosted(library_service)
    one = asyncio.create_task(first.users.me())
    await asyncio.to_thread(asked.wait)
    two = asyncio.create_task(second.users.me())
    await asyncio.sleep(0)
    await first.close()
    gate.set()
    with pytest.raises(NetworkError, match="closed"):
        await one
    assert (await two)["id"]
