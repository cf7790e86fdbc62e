"""The OpenAPI document, and whether the server does what it says."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.server.demo import ENDPOINTS, TOKEN
from tests.server.serving import serving

from plugbay.sandbox import Sandbox
from plugbay.server import app
from plugbay.server.openapi import document

UNLIMITED = {"rate_per_minute": 10**6, "sign_in_per_minute": 10**6}

CONFIG = Path(__file__).with_name("schemathesis.toml")

DEMO = document([*ENDPOINTS, TOKEN], "https://plugbay.example")


async def schemathesis(running, folder, *options):
    """What schemathesis says of a server, with all its default checks; empty if it finds nothing."""
    pytest.importorskip("schemathesis")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", f"{running.url}/openapi.json",
        "--header", f"Authorization: Bearer {await running.bearer()}", "--seed", "1", "--no-color", *options,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return "" if process.returncode == 0 else said.decode()


def endless(schema, place=""):
    """The places of a schema where an array may have any number of items."""
    if isinstance(schema, list):
        return [found for each in schema for found in endless(each, place)]
    if not isinstance(schema, dict):
        return []
    own = [place] if schema.get("type") == "array" and "maxItems" not in schema else []
    return own + [found for name, each in schema.items() for found in endless(each, f"{place}/{name}")]


class TestConformance:
    """The server, held against its document."""

    async def test_frame(self, tmp_path):
        """Whatever fits the document is taken, whatever does not is refused, and every answer is described."""
        async with serving(endpoints=[*ENDPOINTS, TOKEN], **UNLIMITED) as running:
            assert "" == await schemathesis(running, tmp_path, "--max-examples", "50", "--exclude-path", TOKEN.path)

    async def test_api(self, tmp_path):
        """No request at all makes the API fail, answer as it does not say, take what it refuses, or forget the token."""
        async with Sandbox(tickets=20, calls=5) as sandbox, serving(sandbox, **UNLIMITED) as running:
            assert "" == await schemathesis(running, tmp_path, "--max-examples", "10")


class TestDocument:
    """The document itself."""

    def test_references(self):
        """Each reference leads somewhere, and each schema is one."""
        whole = document(app.ENDPOINTS, "https://plugbay.example")
        references = [part for part in json.dumps(whole).split('"') if part.startswith("#/")]
        for reference in references:
            found = whole
            for name in reference.split("/")[1:]:
                found = found[name]
        for schema in whole["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)
        assert 100 < len(references)

    def test_operation(self):
        """An operation has its parameters, its body, its success and every failure it can have."""
        listing = DEMO["paths"]["/api/v1/things"]["get"]
        making = DEMO["paths"]["/api/v1/things"]["post"]

        assert ["name_contains", "limit", "tags"] == [each["name"] for each in listing["parameters"] if "name" in each]
        assert {"$ref": "#/components/schemas/NewThing"} == making["requestBody"]["content"]["application/json"][
            "schema"
        ]
        expected = {"201", "400", "401", "403", "405", "408", "413", "415", "422", "429", "500", "503", "504"}
        assert expected == making["responses"].keys()
        assert [{"bearer": []}] == making["security"]

    def test_lists_end(self):
        """Every list that a client may send has an end: what is wrong with one is told for each of its items."""
        bodies = {each.body for each in app.ENDPOINTS if each.body is not None}
        assert {} == {body.__name__: found for body in bodies if (found := endless(body.model_json_schema()))}
        assert 5 < len(bodies)

    def test_without_token(self):
        """What needs no token says so, and cannot be refused for one."""
        getting = DEMO["paths"]["/api/v1/account/applications/token"]["post"]

        assert [] == getting["security"]
        assert "401" not in getting["responses"]
        assert "429" in getting["responses"]

    def test_query_without_null(self):
        """What may be left out of a query is no null there."""
        name = DEMO["paths"]["/api/v1/things"]["get"]["parameters"][0]

        assert {"type": "string", "maxLength": 50, "pattern": "^[^\\u0000]*$"} == name["schema"]
        assert not name["required"]

    def test_bounds(self):
        """What is checked of every request is in its schemas, at every level."""
        schemas = DEMO["components"]["schemas"]
        thing, part = schemas["NewThing"]["properties"], schemas["Part"]["properties"]

        assert (-(2**63), 2**63 - 1) == (thing["count"]["minimum"], thing["count"]["maximum"])
        assert "^[^\\u0000]*$" == part["name"]["pattern"]
        assert {"$ref": "#/components/schemas/Json"} == thing["more"]["additionalProperties"]

    def test_bytes(self):
        """A file may be of any type."""
        assert {"*/*": {}} == DEMO["paths"]["/api/v1/file"]["get"]["responses"]["200"]["content"]

    async def test_served(self):
        """The document is at /openapi.json, describes itself and has the address that clients use."""
        async with serving(public_url="https://plugbay.example") as running:
            served = (await running.http.get("/openapi.json")).json()

        assert [{"url": "https://plugbay.example"}] == served["servers"]
        assert {"/openapi.json", "/health", "/ready", "/api/v1/workspaces"} <= served["paths"].keys()
