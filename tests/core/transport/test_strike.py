"""Credentials that a service echoes go no further."""

from __future__ import annotations

import html
import json
import string
from base64 import b64encode
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.errors import PlugbayError
from plugbay.transport.strike import strike_out, strike_text

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


SECRET = "ab/cd=ef&gh'1%20"
SENT = {"authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "written",
    [
        SECRET.replace("=", "\\u003d"),
        SECRET.replace("=", "\\u003D").replace("c", "\\u0063"),
        SECRET.replace("/", "\\/"),
        SECRET.replace("/", "\\\\\\/").replace("=", "\\\\u003d"),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
        SECRET.replace("=", "%253D"),
        SECRET.replace("=", "&#61;"),
        SECRET.replace("=", "&#x3d;"),
        SECRET.replace("=", "&#X003D;").replace("c", "&#099"),
        html.escape(SECRET),
        html.escape(html.escape(SECRET)),
        SECRET.replace("&", "&amp;"),
    ],
)
def test_escaped_credentials_are_struck_out(written):
    """Credentials quoted with the escapes of JSON, a URL or HTML are struck out, and all around them stays as it was."""
    body = f'{{"\\u00e9": "&lt;%20 \\\\ Bearer {written}\\n%41", "again": "{written}"}}'.encode()
    assert b'{"\\u00e9": "&lt;%20 \\\\ [credentials]\\n%41", "again": "[credentials]"}' == strike_out(body, SENT)


@given(
    st.text(string.ascii_letters + string.digits + "-._~+/=:@!&<>'\"", min_size=6, max_size=40).map("Z".__add__),
    st.data(),
)
def test_whichever_letters_are_escaped_the_secret_is_found(secret, data):
    """A JSON writer may escape every character or any of them; what is read from its text is without the secret."""
    plain = {character: json.dumps(character)[1:-1] for character in secret}
    escape = data.draw(st.lists(st.booleans(), min_size=len(secret), max_size=len(secret)))
    written = "".join(
        f"\\u{ord(character):04x}" if escaped else plain[character]
        for character, escaped in zip(secret, escape, strict=True)
    )
    assert secret == json.loads(f'"{written}"')

    struck = strike_out(f'["begin {written} end"]'.encode(), {"authorization": f"Bearer {secret}"})
    assert ["begin [credentials] end"] == json.loads(struck)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_credentials_in_a_wide_encoding_are_struck_out(encoding):
    """An answer in UTF-16 or UTF-32 loses the credentials, too, and can still be decoded."""
    body = f"<p>Bearer {SECRET}, {SECRET}".encode(encoding)
    assert "<p>[credentials], [credentials]" == strike_out(body, SENT).decode(encoding)


@pytest.mark.parametrize(
    "echo", ["YTo+Pj4/Pz8/eHl6MQ==", "YTo+Pj4/Pz8/eHl6MQ", "YTo-Pj4_Pz8_eHl6MQ", "YTo%2bPj4%2FPz8%2FeHl6MQ%3D%3d"]
)
def test_base64_is_known_without_padding_and_in_both_alphabets(echo):
    """A Basic token is struck out without its padding, in the alphabet for URLs, and percent-encoded."""
    token = b64encode(b"a:>>>????xyz1").decode()
    assert b"<[credentials]>" == strike_out(f"<{echo}>".encode(), {"authorization": f"Basic {token}"})


def test_a_basic_token_that_is_no_base64_is_struck_out():
    """Credentials of somebody's own making break nothing."""
    assert b"[credentials]" == strike_out(b"Basic abcde", {"authorization": "Basic abcde"})


@given(st.binary(max_size=80) | st.text('\\u0&#%x;3dD1/"', max_size=80).map(str.encode))
def test_an_answer_without_credentials_is_left_alone(body):
    """Whatever escapes, whole or broken, an answer has: without the credentials in it, it is the same object."""
    assert strike_out(body, SENT) is body


def test_other_escapes_are_left_alone():
    """Escapes that stand for characters of the credentials, but not for all of them, are left as they are."""
    body = b"a%3Db \\u003d &#61; &#9999999; \\ud83d\\u0065 ab%2Fcd%3Def \\/ &amp; %"
    assert strike_out(body, SENT) is body


def test_a_header_that_quotes_credentials_is_struck_out():
    """A text, such as a header's value, is struck like a body."""
    assert "é req-[credentials]" == strike_text(f"é req-{quote(SECRET, safe='')}", SENT)
    assert "req-1" == strike_text("req-1", SENT)


@pytest.mark.parametrize("run", [b"\\", b"%25", b"&amp;", b"&", b"%", b"amp;"])
def test_long_runs_of_escapes_are_read_in_one_go(run):
    """An answer that is made of one escape over and over is read in time that grows with its length, not faster."""
    body = b"%63 \\u0063 &" + run * 400_000 + b" Bearer &#97" + SECRET[1:].encode()
    assert strike_out(body, SENT).endswith(run + b" [credentials]")


async def test_no_header_that_is_shown_holds_echoed_credentials():
    """A request id or a content type that quotes the credentials loses them, in errors and in events."""
    told = []

    def answer(request: httpx.Request) -> httpx.Response:
        quoted = request.headers["authorization"]
        return httpx.Response(500, headers={"x-request-id": quoted, "content-type": f"text/{quoted}"}, text="no")

    connector = ZendeskSupportConnector(
        OAUTH, subdomain="acme", http=httpx.MockTransport(answer), max_attempts=1, on_event=told.append
    )
    with pytest.raises(PlugbayError) as caught:
        await connector.tickets.get(1)
    shown = f"{vars(caught.value)} {[event.as_dict() for event in told]}"
    assert "[credentials]" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("status", [200, 206, 403, 500])
async def test_no_window_of_a_file_holds_echoed_credentials(transport, status):
    """What is read under credentials in the place of a file, or of its error, is without them as well."""

    def echo(request):
        return httpx.Response(
            status, text=f"sent {request.headers['authorization']}", headers={"content-range": "bytes 0-99/100"}
        )

    try:
        shown = (await transport(echo, max_attempts=1).download("/file", allowed_hosts=(), max_bytes=500)).data.decode()
    except PlugbayError as error:
        shown = f"{error} {error.payload()}"
    assert "bWVAZXhhbXBsZS5jb20vdG9rZW46czNjcmV0LXRva2Vu" not in shown
