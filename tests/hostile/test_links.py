"""A link in an answer takes no credentials anywhere, and nobody to a place where files do not come from."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import HOST, OPERATIONS, SECRET, Service, arguments_of, called, hostile_texts

from plugbay import NetworkError, PlugbayError, ResponseIntegrityError

schemes = st.sampled_from(["https", "http", "ftp", "file", "javascript", "HTTPS", ""])
hosts = st.sampled_from(
    [
        "evil.com", "acme.zendesk.com", "ACME.zendesk.com", "acme.zendesk.com.", "other.zendesk.com", "zendesk.com", "acme.zendesk.com.evil.com",
        "evilzendesk.com", "p1.zdusercontent.com", "evil-zdusercontent.com", "127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1",
        "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0", "", "acme.zendesk.com%00.evil.com", "аcme.zendesk.com", "acme。zendesk.com",
        "acme.zendesk.com\\@evil.com", "evil.com#@acme.zendesk.com", "evil.com?@acme.zendesk.com",
    ]
)  # fmt: skip
users = st.sampled_from(["", "u@", "u:p@", "acme.zendesk.com@", "acme.zendesk.com:443@"])
ports = st.sampled_from(["", ":443", ":80", ":8443", ":99999", ":", ":0"])
paths = st.sampled_from(["/f", "", "/../f", "//evil.com/f", "/f?a=b", "/f#x", "/%2e%2e/f", "/f\r\nx: y", "\\f"])
urls = (
    st.builds(lambda scheme, user, host, port, path: f"{scheme}://{user}{host}{port}{path}", schemes, users, hosts, ports, paths)
    | st.builds(lambda user, host, path: f"//{user}{host}{path}", users, hosts, paths)
    | paths
    | st.text()
    | hostile_texts
)  # fmt: skip

ALLOWED = (".zdusercontent.com", ".zendesk.com")


def check(requests):
    """Credentials went to the tenant's own https origin alone, and every other request to a host of files."""
    for request in requests:
        at_home = (request.url.scheme, request.url.host, request.url.port) == ("https", HOST, None)
        assert at_home or "authorization" not in request.headers
        assert at_home or SECRET not in str(request.headers.raw)
        assert "https" == request.url.scheme
        assert request.url.host.removesuffix(".").endswith(ALLOWED), request.url.host
        assert not request.url.userinfo


@given(url=urls)
@settings(max_examples=200)
def test_address_of_a_file(url):
    """A file is fetched from the tenant, or without credentials from the hosts of files, or not at all."""

    def answer(request):
        if request.url.path == "/api/v2/attachments/1":
            return {"attachment": {"id": 1, "content_url": url}}
        return httpx.Response(200, content=b"data")

    service = Service(answer)

    outcome = called(service, lambda connector: connector.attachments.download(1))

    check(service.requests)
    assert isinstance(outcome, PlugbayError) == (len(service.requests) == 1)
    assert isinstance(outcome, PlugbayError) or "data" == outcome["content"]


@given(first=urls, second=urls, status=st.sampled_from([301, 302, 303, 307, 308]))
@settings(max_examples=200)
def test_redirects_of_a_file(first, second, status):
    """No redirect, nor one behind another, takes credentials or the request where an address may not lead."""

    def answer(request):
        if request.url.path == "/api/v2/attachments/1":
            return {"attachment": {"id": 1, "content_url": "https://acme.zendesk.com/attachments/token/x"}}
        url = first if request.url.path == "/attachments/token/x" and len(service.requests) == 2 else second
        return httpx.Response(status, headers=[(b"location", url.encode())]) if len(service.requests) < 4 else "data"

    service = Service(answer)

    outcome = called(service, lambda connector: connector.attachments.download(1))

    check(service.requests)
    assert isinstance(outcome, PlugbayError) or len(service.requests) == 4


def test_credentials_do_not_come_back():
    """Once a redirect has left the tenant no later one has the credentials, even if it leads back."""
    way = iter(["https://p1.zdusercontent.com/f", "https://acme.zendesk.com/g"])

    def answer(request):
        if request.url.path == "/api/v2/attachments/1":
            return {"attachment": {"id": 1, "content_url": "/attachments/token/x"}}
        url = next(way, None)
        return httpx.Response(302, headers={"location": url}) if url else httpx.Response(200, content=b"data")

    service = Service(answer)

    outcome = called(service, lambda connector: connector.attachments.download(1))

    assert "data" == outcome["content"]
    assert [True, True, False, False] == ["authorization" in request.headers for request in service.requests]


@pytest.mark.parametrize(("kind", "operation"), OPERATIONS, ids=lambda value: getattr(value, "name", ""))
@given(url=urls, status=st.sampled_from([300, 301, 302, 303, 304, 307, 308]))
@settings(max_examples=15)
def test_no_other_redirect_is_followed(kind, operation, url, status):
    """A redirect of any other call is an error, and nothing is sent a second time."""
    service = Service(httpx.Response(status, headers=[(b"location", url.encode())], content=b"moved"))

    outcome = called(
        service, lambda connector: connector.execute(operation.entity, operation.action, arguments_of(operation)), kind
    )

    # Where the link is no URL at all, the HTTP library takes the whole answer for broken.
    assert isinstance(outcome, ResponseIntegrityError | NetworkError)
    assert 1 == len(service.requests)
    check(service.requests)


@given(link=urls)
@settings(max_examples=100)
def test_links_between_pages(link):
    """Links of a list, wherever they point, are read for their place in the list, and asked of the tenant."""
    body = {"tickets": [{"id": 1}], "next_page": link, "links": {"next": link}, "after_url": link}
    service = Service(body)

    async def act(connector):
        return [ticket async for ticket in connector.tickets.list(limit=3)]

    called(service, act)

    check(service.requests)
    assert {HOST} == {request.url.host for request in service.requests}
    assert {"/api/v2/tickets"} == {request.url.path for request in service.requests}
