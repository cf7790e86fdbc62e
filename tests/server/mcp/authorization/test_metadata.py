"""What a client can read before it asks for anything."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["", "/mcp"])
async def test_the_resource_names_its_authorization_server(running, path):
    """The metadata of RFC 9728 is at both places where clients look, and names us."""
    answer = await running.http.get(f"/.well-known/oauth-protected-resource{path}")
    url = running.server.settings.public_url

    assert 200 == answer.status_code
    assert f"{url}/mcp" == answer.json()["resource"]
    assert [url] == answer.json()["authorization_servers"]
    assert "*" == answer.headers["access-control-allow-origin"]


async def test_the_authorization_server_says_what_it_can(running):
    """The metadata of RFC 8414 has our issuer, endpoints that exist, S256 only, public clients only, and `iss`."""
    document = (await running.http.get("/.well-known/oauth-authorization-server")).json()
    url = running.server.settings.public_url
    endpoints = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    statuses = {name: (await running.http.get(value)).status_code for name, value in endpoints.items()}

    assert url == document["issuer"]
    assert ["S256"] == document["code_challenge_methods_supported"]
    assert ["none"] == document["token_endpoint_auth_methods_supported"]
    assert ["authorization_code", "refresh_token"] == document["grant_types_supported"]
    assert document["client_id_metadata_document_supported"] is True
    assert document["authorization_response_iss_parameter_supported"] is True
    assert {
        "authorization_endpoint": 303,
        "token_endpoint": 405,
        "registration_endpoint": 405,
        "revocation_endpoint": 405,
    } == statuses


async def test_pages_elsewhere_may_ask(running):
    """A client in a browser may call the endpoints that know nobody by a cookie, after asking first."""
    for path in ("/oauth/token", "/oauth/register", "/oauth/revoke"):
        answer = await running.http.options(path, headers={"origin": "https://inspector.example"})

        assert 204 == answer.status_code
        assert "*" == answer.headers["access-control-allow-origin"]
        assert "access-control-allow-credentials" not in answer.headers
