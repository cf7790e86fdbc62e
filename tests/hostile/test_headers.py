"""What goes into a header is refused unless it is plain text, and never shown."""

from __future__ import annotations

import asyncio
import base64
import json
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import CONTROLS, Service, called, connect, hostile_texts

from plugbay import ConfigurationError, PlugbayError, Policy
from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.tools import execute_specs

ME = {"user": {"id": 1, "name": "Ann"}}
MARK = "top5ecret"

broken = st.tuples(st.text(max_size=5), st.sampled_from([*CONTROLS, "é", "日", "\ud800"]), st.text(max_size=5)).map(
    "".join
)


@pytest.mark.filterwarnings("ignore:Zendesk ends API tokens:FutureWarning")
@pytest.mark.parametrize(
    "config",
    [
        lambda text: ZendeskSupportOauth20AuthConfig(access_token=text),
        lambda text: ZendeskSupportApiTokenAuthConfig(email="ann@example.com", api_token=text),
        lambda text: ZendeskSupportApiTokenAuthConfig(email=text, api_token="t"),
    ],
)
@given(text=broken.map(lambda text: f"{MARK}{text}{MARK}"))
@settings(max_examples=40)
def test_credentials_that_cannot_be_sent_are_refused(config, text):
    """A secret with a line break, a control character or a letter beyond ASCII is refused unsent and unshown."""
    service = Service(ME)

    outcome = called(service, lambda connector: connector.users.me(), auth_config=config(text))

    assert isinstance(outcome, ConfigurationError)
    assert MARK not in "".join(traceback.format_exception(outcome))
    assert MARK not in json.dumps(outcome.payload())
    assert [] == service.requests


@pytest.mark.filterwarnings("ignore:Zendesk ends API tokens:FutureWarning")
@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1), st.sampled_from(["email", "token"])
)
@settings(max_examples=60)
def test_printable_credentials_are_sent_as_they_are(text, where):
    """Credentials of printable characters arrive whole in the one header that is theirs, or are refused at once."""
    service = Service(ME)
    email, token = (text, "t") if where == "email" else ("ann@example.com", text)
    config = ZendeskSupportApiTokenAuthConfig(email=email, api_token=token)

    outcome = called(service, lambda connector: connector.users.me(), auth_config=config)

    if isinstance(outcome, PlugbayError):
        assert isinstance(outcome, ConfigurationError)
        assert text != text.strip() or ":" in text
        assert [] == service.requests
        return
    (request,) = service.requests
    (header,) = request.headers.get_list("authorization")
    assert f"{email}/token:{token}" == base64.b64decode(header.removeprefix("Basic ")).decode()


@given(st.text() | hostile_texts)
@settings(max_examples=80)
def test_ids_of_tool_calls_become_plain_keys(call_id):
    """A framework's id of a call, whatever characters it has, makes an idempotency key that is plain and short."""
    service = Service({"ticket": {"id": 1}})

    async def run():
        async with connect(service, policy=Policy(allow=["*"])) as connector:
            (tool,) = execute_specs([connector])
            arguments = {"entity": "tickets", "action": "create", "params": {"comment": {"body": "b"}}}
            return await tool.call(arguments, call_id=f"{call_id}0123456789abcdef")

    envelope = asyncio.run(run())

    assert {"id": 1} == envelope["data"]
    (request,) = service.requests
    (key,) = request.headers.get_list("idempotency-key")
    assert key.isalnum()
    assert key.isascii()
    assert len(key) <= 255


@given(broken)
@settings(max_examples=40)
def test_no_name_of_a_connector_shows_its_secret(text):
    """Neither a connector nor its configuration shows a secret, whatever is in it."""
    config = ZendeskSupportOauth20AuthConfig(access_token=f"{MARK}{text}")

    assert MARK not in repr(config) + str(config) + repr(ZendeskSupportConnector)
