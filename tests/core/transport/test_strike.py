"""Credentials that a service echoes go no further."""

from __future__ import annotations

import json
from base64 import b64encode

import httpx
import pytest

from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.errors import PlugbayError
from plugbay.transport.strike import strike_out

OAUTH = ZendeskSupportOauth20AuthConfig(access_token="secret/token-value")
BASIC = pytest.param("basic", marks=pytest.mark.filterwarnings("ignore:Zendesk ends API tokens:FutureWarning"))


def echoing(status, kind):
    """A service that quotes the request's credentials in its answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"]
        text = f"bad {sent} {sent.partition(' ')[2]}"
        if kind == "json":
            return httpx.Response(status, json={"error": "Echo", "description": text})
        return httpx.Response(status, text=f"debug proxy: {text}")

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("auth", ["bearer", BASIC])
@pytest.mark.parametrize("kind", ["json", "text"])
@pytest.mark.parametrize("status", [200, 403, 404, 409, 422, 429, 500])
async def test_no_error_shows_echoed_credentials(auth, kind, status):
    """Whatever the service answers, what is raised holds neither the header nor the token in it."""
    config = (
        OAUTH if auth == "bearer" else ZendeskSupportApiTokenAuthConfig(email="a@example.com", api_token="secret-api")
    )
    connector = ZendeskSupportConnector(config, subdomain="acme", max_attempts=1, http=echoing(status, kind))
    with pytest.raises(PlugbayError) as caught:
        await connector.tickets.get(1)

    told = json.dumps(caught.value.payload()) + str(vars(caught.value))
    assert "secret" not in told
    assert b64encode(b"a@example.com/token:secret-api").decode() not in told


async def test_no_record_holds_echoed_credentials():
    """A success that quotes the request, as a debugging proxy's does, gives a record without the credentials."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ticket": {"id": 1, "headers": dict(request.headers)}})

    connector = ZendeskSupportConnector(OAUTH, subdomain="acme", http=httpx.MockTransport(answer))
    assert "secret" not in json.dumps(await connector.tickets.get(1))


@pytest.mark.parametrize("body", [b"{'authorization': 'Bearer secret/token-value'", b'["Bearer secret\\/token-value"'])
async def test_what_only_looks_like_json_shows_nothing(body):
    """An answer that begins as JSON does and is none is shown without the credentials."""
    http = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    with pytest.raises(PlugbayError) as caught:
        await ZendeskSupportConnector(OAUTH, subdomain="acme", http=http).tickets.get(1)
    assert "secret" not in json.dumps(caught.value.payload())


def test_a_basic_token_is_known_in_all_its_forms():
    """The header, its base64, the pair in it and the password alone are struck out, escaped slashes too."""
    sent = {"authorization": "Basic YTpzZWNyZXQvYXBp"}  # a:secret/api
    body = b"Basic YTpzZWNyZXQvYXBp YTpzZWNyZXQvYXBp a:secret/api secret/api secret\\/api a"

    assert b"secret" not in strike_out(body, sent)
    assert b"YTpz" not in strike_out(body, sent)
    assert strike_out(body, sent).endswith(b" a")


def test_short_words_are_left():
    """A token so short that it is a word by chance does not tear answers apart."""
    assert b"an abc" == strike_out(b"an abc", {"authorization": "abc"})
