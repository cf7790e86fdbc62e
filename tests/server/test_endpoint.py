"""What every endpoint keeps: paths, queries, bodies, tokens, methods and answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from tests.server.demo import ENDPOINTS, TOKEN, make
from tests.server.serving import serving

from plugbay.server.endpoint import LARGEST_GUARDED, routes
from plugbay.server.failures import MAX_FIELD_ERRORS

NEEDS_IPV6 = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="This machine has no IPv6.")
ADMIN = "an-admin-token-of-some-length-for-tests"
THING = {"name": "A thing"}


@pytest.fixture
async def running():
    async with serving(endpoints=[*ENDPOINTS, TOKEN], admin_token=SecretStr(ADMIN)) as running:
        running.http.headers["authorization"] = f"Bearer {await running.bearer()}"
        yield running


async def refusal(running, content, **headers):
    """The status, the field and the code with which a body is refused."""
    answer = await running.http.post(
        "/api/v1/things", content=content, headers={"content-type": "application/json", **headers}
    )
    told = answer.json()["errors"][0]
    return answer.status_code, told["field"], told["error_code"]


class TestBodies:
    """JSON bodies."""

    async def test_answer(self, running):
        """A body that fits reaches the handler, whose model is the answer with the declared status."""
        answer = await running.http.post("/api/v1/things", json={**THING, "count": 3, "unknown": 1})

        assert (201, {"id": "t-1", "name": "A thing", "count": 3, "more": {}}) == (answer.status_code, answer.json())
        assert "application/json" == answer.headers["content-type"]
        assert "no-store" == answer.headers["cache-control"]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", (400, None, "malformed_json")),
            (b'{"name":', (400, None, "malformed_json")),
            (b'{"name": "a", "count": NaN}', (400, None, "malformed_json")),
            (b'{"name": "a", "more": {"x": Infinity}}', (400, None, "malformed_json")),
            (b'{"name": "\xff"}', (400, None, "malformed_json")),
            (b'{"name": "\\ud800"}', (400, None, "malformed_json")),
            (b"[" * 1000 + b"]" * 1000, (400, None, "malformed_json")),
            (b"[]", (422, None, "model_type")),
            (b"{}", (422, "name", "missing")),
            (b'{"name": ""}', (422, "name", "string_too_short")),
            (b'{"name": 1}', (422, "name", "string_type")),
            (b'{"name": "a", "count": "1"}', (422, "count", "int_type")),
            (b'{"name": "a", "count": 9223372036854775808}', (422, "count", "int_64")),
            (b'{"name": "a", "more": {"x": [-9223372036854775809]}}', (422, "more.x.0", "int_64")),
            (b'{"name": "a", "more": {"x": 1e999}}', (422, "more.x", "int_64")),
            (b'{"name": "a\\u0000"}', (422, "name", "nul_character")),
            (b'{"name": "a", "secret": "a\\u0000"}', (422, "secret", "nul_character")),
            (b'{"name": "a", "more": {"x\\u0000": 1}}', (422, "more", "nul_character")),
            (b'{"name": "a", "parts": [{"weight": 2}]}', (422, "parts.0.name", "missing")),
        ],
    )
    async def test_refused(self, running, content, expected):
        """A body that is no JSON is 400, one that does not fit 422 with the place; no limit of a database is met later."""
        assert expected == await refusal(running, content)

    async def test_largest_integer(self, running):
        """The largest integer of 64 bits passes, and a text that only looks like an escaped NUL does too."""
        answer = await running.http.post("/api/v1/things", json={"name": "\\u0000", "count": 2**63 - 1})

        assert (201, "\\u0000", 2**63 - 1) == (answer.status_code, answer.json()["name"], answer.json()["count"])

    @pytest.mark.parametrize(
        "given", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""]
    )
    async def test_media_type(self, running, given):
        """A body that is not said to be JSON in UTF-8 is 415."""
        assert (415, None, "unsupported_media_type") == await refusal(running, b"{}", **{"content-type": given})

    async def test_optional(self, running):
        """A body that may be left out is None to the handler when it is, and is checked when it is not."""
        left_out = await running.http.post("/api/v1/things/echo")
        wrong = await running.http.post("/api/v1/things/echo", json={})

        assert (200, "nothing") == (left_out.status_code, left_out.json()["name"])
        assert 422 == wrong.status_code

    async def test_many_parts(self, running):
        """A body of very many parts under a very long name is looked at in one go, and only so many faults are told."""
        long = b'{"name": "a", "more": {"%s": [%s1]}, "count": 9e19}' % (b"k" * 400_000, b"1," * 250_000)
        wrong = b'{"name": "a", "more": {"x": [%s9e19]}}' % (b"9e19," * 100_000)
        headers = {"content-type": "application/json"}
        answer = await running.http.post("/api/v1/things", content=wrong, headers=headers)

        assert (422, "count", "int_64") == await refusal(running, long)
        assert [f"more.x.{index}" for index in range(MAX_FIELD_ERRORS)] == [
            each["field"] for each in answer.json()["errors"]
        ]

    async def test_input_is_not_repeated(self, running):
        """A refusal holds nothing of what was sent."""
        answer = await running.http.post("/api/v1/things", json={"count": "hunter2", "secret": {"password": "hunter2"}})

        assert 422 == answer.status_code
        assert "hunter2" not in answer.text


class TestQueries:
    """Queries."""

    async def test_values(self, running):
        """Parameters are read as their types, a list from several, and unknown ones are ignored."""
        answer = await running.http.get("/api/v1/things?limit=5&tags=a&tags=b&unknown=1&unknown=2")

        expected = {"name_contains": None, "limit": 5, "tags": ["a", "b"], "caller": running.client_id}
        assert (200, expected) == (answer.status_code, answer.json())

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ("limit=0", "limit", "greater_than_equal"),
            ("limit=five", "limit", "int_parsing"),
            ("limit=5&limit=6", "limit", "repeated"),
            ("name_contains=%00", "name_contains", "nul_character"),
            ("tags=a&tags=%00", "tags.1", "nul_character"),
            ("limit=99999999999999999999", "limit", "less_than_equal"),
        ],
    )
    async def test_refused(self, running, query, field, code):
        """A parameter that does not fit is 422 with its name."""
        answer = await running.http.get(f"/api/v1/things?{query}")

        told = answer.json()["errors"][0]
        assert (422, field, code) == (answer.status_code, told["field"], told["error_code"])


class TestPaths:
    """Paths and methods."""

    @pytest.mark.parametrize("segment", ["%00", "..%2f", "a%0ab", "a%20b", "%ff", "a" * 300, "%E2%80%AE"])
    async def test_no_name(self, running, segment):
        """What can be no id leads nowhere."""
        assert 404 == (await running.http.get(f"/api/v1/things/{segment}")).status_code

    async def test_plain_path_first(self, running):
        """A path without parameters is not swallowed by one with them."""
        answer = await running.http.get("/api/v1/things/echo")

        assert (405, "OPTIONS, POST") == (answer.status_code, answer.headers["allow"])

    async def test_methods(self, running):
        """Another method is 405 with those that there are, over all endpoints of the path; OPTIONS says the same."""
        refused = await running.http.patch("/api/v1/things/t-1")
        asked = await running.http.options("/api/v1/things/t-1")

        assert (405, "DELETE, GET, HEAD, OPTIONS") == (refused.status_code, refused.headers["allow"])
        assert "method_not_allowed" == refused.json()["errors"][0]["error_code"]
        assert (204, "DELETE, GET, HEAD, OPTIONS") == (asked.status_code, asked.headers["allow"])

    async def test_head(self, running):
        """HEAD is GET without the body."""
        there, here = await running.http.head("/api/v1/things/t-1"), await running.http.get("/api/v1/things/t-1")

        assert (200, b"") == (there.status_code, there.content)
        assert here.headers["content-length"] == there.headers["content-length"]

    @pytest.mark.parametrize("path", ["/nowhere", "/api/v1/things/", "/api/v1"])
    async def test_nowhere(self, running, path):
        """An unknown path is 404 in the one form of failures, without a redirect."""
        answer = await running.http.get(path)

        assert (404, "not_found") == (answer.status_code, answer.json()["error"]["code"])

    async def test_declared_twice(self, running):
        """Two endpoints of one method and path are a mistake that no server starts with."""
        with pytest.raises(ValueError, match="POST /api/v1/things is declared twice"):
            routes(running.server, [make, make], None)


class TestTokens:
    """Who may call."""

    @pytest.mark.parametrize("given", [None, "Bearer nonsense", "Basic YTpi", "Bearer", "Bearer \xe4"])
    async def test_no_token(self, running, given):
        """Without a good token the answer is 401 with the challenge, before the body is looked at."""
        del running.http.headers["authorization"]
        headers = {} if given is None else {"authorization": given.encode("latin-1")}

        answer = await running.http.post("/api/v1/things", content=b"{", headers=headers)

        assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])
        assert "authentication" == answer.json()["error"]["code"]

    async def test_scoped(self, running):
        """A token of one workspace is 403 where an application's own is needed, and good elsewhere."""
        headers = await running.bound("acme")

        refused = await running.http.get("/api/v1/things/t-1", headers=headers)
        given = await running.http.get("/api/v1/things", headers=headers)

        assert (403, 200) == (refused.status_code, given.status_code)

    async def test_admin(self, running):
        """What is the operator's is 403 for a client, and open to the operator."""
        refused = await running.http.delete("/api/v1/things/t-1")
        done = await running.http.delete("/api/v1/things/t-1", headers={"authorization": f"Bearer {ADMIN}"})

        assert (403, "admin_only") == (refused.status_code, refused.json()["errors"][0]["error_code"])
        assert (204, b"") == (done.status_code, done.content)


class TestRates:
    """Limits of how often."""

    async def test_client(self):
        """A client that asks more often than it may in a minute is told when to come again."""
        async with serving(endpoints=[*ENDPOINTS, TOKEN], rate_per_minute=3) as running:
            headers = await running.signed_in()
            answers = [await running.http.get("/api/v1/things", headers=headers) for _ in range(7)]

        # The minute may end while the test runs, and begin once more.
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {200, 429} == {answer.status_code for answer in answers}
        assert "rate_limited" == refused[0].json()["error"]["code"]
        assert 1 <= int(refused[0].headers["retry-after"]) <= 60

    async def test_workspace(self):
        """A token of one workspace has a quarter of its client's requests; then other workspaces and the client go on."""
        async with serving(endpoints=[*ENDPOINTS, TOKEN], rate_per_minute=40) as running:
            bound = [await running.bound(name) for name in ("acme", "zenith")]
            greedy = [await running.http.get("/api/v1/things", headers=bound[0]) for _ in range(21)]
            others = [
                await running.http.get("/api/v1/things", headers=headers)
                for headers in (bound[1], await running.signed_in())
            ]

        assert {200, 429} == {answer.status_code for answer in greedy}
        assert [200, 200] == [answer.status_code for answer in others]

    async def test_workspaces_together(self):
        """All workspaces together have no more than their client."""
        async with serving(endpoints=[*ENDPOINTS, TOKEN], rate_per_minute=8) as running:
            bound = [await running.bound(f"workspace {number}") for number in range(9)]
            answers = [await running.http.get("/api/v1/things", headers=headers) for headers in bound * 2]

        assert {200, 429} == {answer.status_code for answer in answers}

    async def test_guesses(self):
        """Tries to guess a secret are limited, right ones and wrong ones alike, before the secret is looked at."""
        async with serving(endpoints=[TOKEN], sign_in_per_minute=3) as running:
            given = {"client_id": running.client_id, "client_secret": "wrong"}
            answers = [await running.http.post(TOKEN.path, json=given) for _ in range(7)]

        assert {400, 429} == {answer.status_code for answer in answers}

    async def test_tries_that_cannot_be_read(self):
        """Whoever tries too often has nothing of his read, and what a stranger sends may be only as long as credentials."""
        async with serving(endpoints=[TOKEN], sign_in_per_minute=3) as running:
            headers = {"content-type": "application/json"}
            sizes = [LARGEST_GUARDED, LARGEST_GUARDED + 1]
            first = [await running.http.post(TOKEN.path, content=b"{".ljust(size), headers=headers) for size in sizes]
            later = [await running.http.post(TOKEN.path, content=b"{", headers=headers) for _ in range(5)]

        assert ["malformed_json", "body_too_large"] == [answer.json()["errors"][0]["error_code"] for answer in first]
        assert 429 in {answer.status_code for answer in later}

    @pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::", marks=NEEDS_IPV6)])
    @pytest.mark.parametrize(
        ("trusted", "expected"), [((), {400, 429}), (("127.0.0.1",), {400}), (("127.0.0.0/8",), {400})]
    )
    async def test_proxies(self, address, trusted, expected):
        """Addresses that a proxy tells count only if the proxy is trusted; else anybody would be whom he likes.

        A server that listens for IPv6 sees an IPv4 proxy at an address that is mapped into it.
        """
        limits = {"sign_in_per_minute": 3, "trusted_proxies": trusted}
        async with serving(endpoints=[TOKEN], address=address, **limits) as running:
            answers = [
                await running.http.post(
                    TOKEN.path,
                    json={"client_id": f"client {number}", "client_secret": "wrong"},
                    headers={"x-forwarded-for": f"10.0.0.{number}"},
                )
                for number in range(7)
            ]

        assert expected == {answer.status_code for answer in answers}

    async def test_lock_out(self):
        """A stranger who knows a client's id cannot spend its tries: another address has its own."""
        async with serving(endpoints=[TOKEN], sign_in_per_minute=3) as running:
            given = {"client_id": running.client_id, "client_secret": "wrong"}
            stranger = [(await running.http.post(TOKEN.path, json=given)).status_code for _ in range(7)]
            elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
            async with httpx.AsyncClient(
                base_url=running.url, transport=elsewhere, timeout=20, trust_env=False
            ) as owner:
                answer = await owner.post(TOKEN.path, json={**given, "client_secret": running.client_secret})

        assert 429 in stranger
        assert 200 == answer.status_code
