"""The headers for browsers and caches."""

from __future__ import annotations

from tests.server.demo import ENDPOINTS
from tests.server.serving import serving


async def test_always():
    """Every answer, failures too, forbids sniffing, framing and telling where one came from; the API's is not stored."""
    async with serving(endpoints=ENDPOINTS) as running:
        for path in ("/openapi.json", "/api/v1/nowhere"):
            headers = (await running.http.get(path)).headers
            assert ("nosniff", "no-referrer") == (headers["x-content-type-options"], headers["referrer-policy"])
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert path.startswith("/api/") == (headers.get("cache-control") == "no-store")
            assert "strict-transport-security" not in headers


async def test_https():
    """Where clients come by https, browsers are told to come by nothing else."""
    async with serving(endpoints=ENDPOINTS, public_url="https://plugbay.example") as running:
        headers = (await running.http.get("/openapi.json")).headers

    assert "max-age=63072000; includeSubDomains" == headers["strict-transport-security"]


async def test_own():
    """What an answer says itself, as a page does, is not said twice."""
    async with serving() as running:
        headers = (await running.http.get("/sign-in", headers={"accept": "text/html"})).headers

    assert 1 == len(headers.get_list("content-security-policy"))
    assert "default-src 'none'" in headers["content-security-policy"]
