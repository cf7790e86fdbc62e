"""Requests that a web page had a browser make."""

from __future__ import annotations

import pytest

from ..serving import serving
from .office import Office


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "169.254.1.1"]
)
async def test_another_host(office, host):
    """A request that names another host is refused, whatever its token."""
    answer = await office.call(await office.scoped(), host=host)

    assert answer.status_code in (400, 421)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("null", 403),
        ("http://localhost:6274", 200),
        ("http://[::1]:6274", 200),
    ],
)
async def test_pages_of_other_origins(office, origin, status):
    """A page of another origin calls no tools; one of this machine may, where the server is only on this machine."""
    answer = await office.call(await office.scoped(), origin=origin)

    assert status == answer.status_code


async def test_a_public_server(sandbox):
    """A server with a public name is asked by that name, and by pages of its own origin only."""
    async with serving(sandbox, public_url="https://plugbay.example", host="0.0.0.0") as running:
        office = Office(running, await running.signed_in())
        token = await office.scoped()
        given = [
            ({"host": "plugbay.example"}, 200),
            ({"host": "plugbay.example:443"}, 200),
            ({"host": "plugbay.example", "origin": "https://plugbay.example"}, 200),
            ({"host": "plugbay.example", "origin": "https://evil.example"}, 403),
            ({"host": "plugbay.example", "origin": "http://localhost:6274"}, 403),
            ({"host": "localhost"}, 421),
            ({"host": "0.0.0.0"}, 421),
        ]
        statuses = [(await office.call(token, **headers)).status_code for headers, _ in given]

    assert [status for _, status in given] == statuses
