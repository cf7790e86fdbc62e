"""A trusted name that leads to this machine or its neighbours is not a place that files come from."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from plugbay.errors import NetworkError, PlugbayError, ResponseIntegrityError
from plugbay.transport.address import is_public
from plugbay.transport.outside import is_proxied

CDN = "p1.cdn.example.net"
PUBLIC = "93.184.215.14"

CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNGdu3+uyHu5qqErV
WoY1c7EI0owJSCNlnrU3I3ipvv+hRANCAASj0R/rK9/CsDphfSUJq76+v/X5ikvh
cT0dmdigRkSZtEgPCq2PDCdHIqgSWi2jIWRQhQaMjy4oq/z0fEfIhpBc
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnTCCAUOgAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJwMS5jZG4u
ZXhhbXBsZS5uZXQwIBcNMDAwMTAxMDAwMDAwWhgPMjIwMDAxMDEwMDAwMDBaMB0x
GzAZBgNVBAMMEnAxLmNkbi5leGFtcGxlLm5ldDBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABKPRH+sr38KwOmF9JQmrvr6/9fmKS+FxPR2Z2KBGRJm0SA8KrY8MJ0ci
qBJaLaMhZFCFBoyPLiir/PR8R8iGkFyjcjBwMB0GA1UdEQQWMBSCEnAxLmNkbi5l
eGFtcGxlLm5ldDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTGWG8QWsIZ9QvN
juMyrMl0BJeoGDAfBgNVHSMEGDAWgBTGWG8QWsIZ9QvNjuMyrMl0BJeoGDAKBggq
hkjOPQQDAgNIADBFAiEAifwwb2Ku2N/z0RoB0fkVQviJfHREKOXzEQinccfWdZAC
IDIUKP9cEgLLuCNJPSJYR0pQbzgh16vu7NBLRIQ5PdrT
-----END CERTIFICATE-----
"""
"""Of CDN, until the year 2200; the key is only good for these tests."""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "100::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::a9fe:a9fe",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "4000::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    """Loopback, private, link-local, multicast and reserved addresses are not public, however they are wrapped."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "2002:5db8:d70e::1", "64:ff9b::5db8:d70e"]
)
def test_addresses_that_are_public(address):
    """What is a part of the internet is public, in any of its forms."""
    assert is_public(address)


@pytest.fixture
async def resolve(monkeypatch):
    """Sets what the resolver says of CDN, look-up by look-up; the last answer is given for ever."""
    loop, said = asyncio.get_running_loop(), []
    ask = loop.getaddrinfo

    async def getaddrinfo(host, port, **hints):
        name = host.decode() if isinstance(host, bytes) else host
        if name != CDN:
            return await ask(host, port, **hints)
        addresses = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(addresses, Exception):
            raise addresses
        family = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for kind, address in zip(family, addresses, strict=True)
        ]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return said.extend


@pytest.fixture
async def cdn(tmp_path, monkeypatch):
    """A server of files on loopback that can prove that it is CDN; gives its port and the requests it got."""
    pem, requests = tmp_path / "cdn.pem", []
    pem.write_text(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def answer(reader, writer):
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], requests


@pytest.fixture
def download(transport, serve, cdn):
    """Downloads a file to which a service redirects, from CDN."""
    port, _ = cdn

    async def go(**settings):
        async def talk(connection):
            while await connection.request():
                await connection.send(f"HTTP/1.1 302 Found\nlocation: https://{CDN}:{port}/f\ncontent-length: 0\n\n")

        client = transport(base_url=await serve(talk), max_attempts=1, **settings)
        return (await client.download("/f", allowed_hosts=[CDN], max_bytes=9)).data

    return go


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"], ["64:ff9b::7f00:1"]])
async def test_a_name_that_leads_inside(download, resolve, cdn, addresses):
    """If one of a host's addresses is not public, nothing is sent there."""
    resolve([addresses])
    with pytest.raises(ResponseIntegrityError, match="not public") as caught:
        await download()
    assert {"host": CDN} == caught.value.details
    assert [] == cdn[1]


async def test_a_name_that_leads_elsewhere_a_moment_later(download, resolve, cdn):
    """A name that was public when it was looked up, and leads inside when it is connected to, gives no file."""
    resolve([[PUBLIC], ["127.0.0.1"]])
    with pytest.raises(ResponseIntegrityError, match="not public"):
        await download()
    assert 1 == len(cdn[1])
    assert b"authorization" not in cdn[1][0].lower()


async def test_a_name_that_leads_nowhere(download, resolve):
    """A name that cannot be looked up is a network error, as always."""
    resolve([socket.gaierror(socket.EAI_NONAME, "unknown")])
    with pytest.raises(NetworkError, match="Could not connect"):
        await download()


async def test_a_transport_of_the_callers(transport):
    """What a caller's own transport connects to is for that to say; the name is not looked up."""

    def handler(request):
        home = request.url.host == "acme.example.com"
        return httpx.Response(302, headers={"location": f"https://{CDN}/"}) if home else httpx.Response(200, text="f")

    file = await transport(handler).download("/f", allowed_hosts=[CDN], max_bytes=9)
    assert b"f" == file.data


async def test_a_proxy_of_the_environment(transport, serve, resolve, monkeypatch):
    """A proxy looks the name up itself, and we are connected to the proxy."""
    asked = []

    async def talk(connection):
        asked.append((await connection.request()).partition("\r\n")[0])
        await connection.send("HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n")

    resolve([AssertionError("looked up")])
    monkeypatch.setenv("https_proxy", await serve(talk))
    client = transport(base_url="https://acme.example.com", max_attempts=1)
    with pytest.raises(PlugbayError):
        await client.download(f"https://{CDN}/f", allowed_hosts=[CDN], max_bytes=9)
    assert [f"CONNECT {CDN}:443 HTTP/1.1"] == asked


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"https_proxy": "http://proxy:1"}, True),
        ({"ALL_PROXY": "http://proxy:1"}, True),
        ({"http_proxy": "http://proxy:1"}, False),
        ({"https_proxy": "http://proxy:1", "no_proxy": "example.net"}, False),
        ({"https_proxy": "http://proxy:1", "no_proxy": "*"}, False),
        ({"https_proxy": "http://proxy:1", "no_proxy": "example.org"}, True),
    ],
)
def test_is_proxied(monkeypatch, environment, expected):
    """Whether a proxy is in between is what the environment says of the host."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert expected == is_proxied(httpx.URL(f"https://{CDN}/f"))
