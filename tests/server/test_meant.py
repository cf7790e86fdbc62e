"""A connector that is named by its id is what its caller means, or none."""

from __future__ import annotations

from urllib.parse import quote

import pytest

pytest.importorskip("sqlalchemy")

from plugbay import ConnectorNotFoundError, connect
from plugbay.sandbox import Sandbox
from plugbay.server.app import ENDPOINTS
from plugbay.server.meant import TYPE_HEADER, WORKSPACE_HEADER

from .api.conftest import CONNECTORS, Api
from .serving import serving

CALL = {"entity": "tickets", "action": "list", "params": {"limit": 1}}
FILE = {"entity": "attachments", "params": '{"attachment_id": 1}'}
WAYS = [
    ("GET", "", {}),
    ("PUT", "", {"body": {"name": "Mine now"}}),
    ("DELETE", "", {}),
    ("POST", "/check", {}),
    ("GET", "/inspect", {}),
    ("POST", "/execute", {"body": CALL}),
    ("POST", "/execute", {"body": {"entity": "attachments", "action": "download", "params": {"attachment_id": 1}}}),
    ("GET", "/download", {"params": FILE}),
]
"""Every way to a connector by its id."""


@pytest.fixture
async def running():
    """A server with a sandbox of its own."""
    with Sandbox(seed=3, tickets=3, calls=1, plan=None) as sandbox:
        async with serving(sandbox) as running:
            yield running


@pytest.fixture
async def api(running):
    """A client of its API."""
    return Api(running, await running.signed_in())


def headers_of(kind=None, workspace=None):
    """The headers that say what is meant."""
    return {name: text for name, text in ((TYPE_HEADER, kind), (WORKSPACE_HEADER, workspace)) if text is not None}


@pytest.mark.parametrize(("method", "path", "more"), WAYS)
async def test_another_is_refused_on_every_way(api, method, path, more):
    """Whatever is wanted of a connector of another kind or workspace is 404, and nothing is done with it."""
    connector_id = await api.create("Zoë & Co")
    known = await api.ok("GET", f"{CONNECTORS}/{connector_id}")
    api.running.sandbox.requests.clear()
    body = more.get("body")
    rest = {name: value for name, value in more.items() if name != "body"}
    said = [
        (
            headers_of("zendesk-talk"),
            f"The connector {connector_id} is a zendesk-support connector, not a zendesk-talk one.",
        ),
        (
            headers_of("Zendesk-Support", "other"),
            f"The connector {connector_id} is in the workspace 'Zoë & Co', not in 'other'.",
        ),
    ]
    for headers, message in said:
        refusal = await api.refused(404, method, f"{CONNECTORS}/{connector_id}{path}", body, headers=headers, **rest)
        assert (message, "connector_not_found") == (refusal["message"], refusal["error"]["code"])
        assert "say neither its kind nor its workspace" in refusal["error"]["hint"]
    assert (known, []) == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"), api.running.sandbox.requests)


@pytest.mark.parametrize(
    ("kind", "workspace"),
    [
        ("zendesk-support", None),
        ("ZENDESK_Support", quote("Zoë & Co")),
        (None, quote("  Zoë & Co ")),
        ("", ""),
        ("", "%20"),
    ],
)
async def test_what_is_meant_is_taken(api, kind, workspace):
    """The kind counts in any case and the workspace's name without what is around it; what is empty says nothing."""
    connector_id = await api.create("Zoë & Co")
    found = await api.ok("GET", f"{CONNECTORS}/{connector_id}", headers=headers_of(kind, workspace))
    assert connector_id == found["id"]


@pytest.mark.parametrize("workspace", ["%ff%fe", "%E4", "Zo\xeb".encode("latin-1"), "Zo\xeb".encode()])
async def test_a_name_that_is_not_encoded_is_told(api, workspace):
    """A workspace's name that is no percent-encoded UTF-8 is 422 at its header."""
    connector_id = await api.create()
    refusal = await api.refused(422, "GET", f"{CONNECTORS}/{connector_id}", headers={WORKSPACE_HEADER: workspace})
    assert WORKSPACE_HEADER == refusal["errors"][0]["field"]


async def test_a_text_that_is_no_kind_is_told_without_what_nobody_sees(api):
    """A kind that is none is another one; what is told of it is one line that can be seen, and not endless."""
    connector_id = await api.create()
    headers = headers_of("a" * 150, None)
    refusal = await api.refused(404, "GET", f"{CONNECTORS}/{connector_id}", headers=headers)
    assert f"not a {'a' * 100} one." == refusal["message"].partition("connector, ")[2]


async def test_nothing_is_said_of_a_connector_that_may_not_be_seen(api):
    """A connector of another workspace than a scoped token's is not there, whatever is said of it."""
    connector_id = await api.create("other")
    scoped = await api.scoped("mine")
    path = f"{CONNECTORS}/{connector_id}"
    plain, meant = [await scoped.refused(404, "GET", path, headers=each) for each in ({}, headers_of("zendesk-talk"))]
    assert plain == meant


def test_every_way_declares_it():
    """Each endpoint that takes a connector's id has both headers in the API's description."""
    declared = {(each.method, each.path): each.headers for each in ENDPOINTS if "{connector_id}" in each.path}
    assert 7 == len(declared)
    assert [] == [way for way, headers in declared.items() if not {TYPE_HEADER, WORKSPACE_HEADER} <= headers.keys()]


class TestOurClient:
    """The same, through the library's own client."""

    @pytest.fixture
    def named(self, running, monkeypatch):
        """Makes connectors to the server."""
        for name in ("API_URL", "ORGANIZATION_ID", "CLIENT_ID", "CLIENT_SECRET"):
            monkeypatch.delenv(f"AIRBYTE_{name}", raising=False)
        access = {"client_id": running.client_id, "client_secret": running.client_secret, "api_url": running.url}
        return lambda slug, **more: connect(slug, **access, **more)

    async def test_the_one_that_is_meant(self, api, named):
        """A connector of the kind and the workspace that are said is called."""
        connector_id = await api.create("Zoë & Co")
        async with named("zendesk-support", connector_id=connector_id, workspace_name="Zoë & Co") as connector:
            assert 1 == len(await connector.tickets.list(limit=1))
        async with named("zendesk-support", connector_id=connector_id.upper()) as connector:
            assert 1 == len(await connector.tickets.list(limit=1))

    @pytest.mark.parametrize(
        ("slug", "call", "more", "said"),
        [
            (
                "zendesk-talk",
                ("calls", "list", {"start_time": 0}),
                {},
                "is a zendesk-support connector, not a zendesk-talk one",
            ),
            (
                "zendesk-support",
                ("tickets", "list"),
                {"workspace_name": "Zoé"},
                "is in the workspace 'Zoë & Co', not in 'Zoé'",
            ),
        ],
    )
    async def test_another(self, api, named, slug, call, more, said):
        """One of another kind or workspace is no connector that was found, and the error says what it is."""
        connector_id = await api.create("Zoë & Co")
        async with named(slug, connector_id=connector_id, **more) as connector:
            with pytest.raises(ConnectorNotFoundError, match=said):
                await connector.execute(*call)
