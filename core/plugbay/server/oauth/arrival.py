"""From a code to a connector: the code is redeemed, its owner is asked for, and what came of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plugbay.auth.authorization import read_callback
from plugbay.connectors.zendesk.auth import OAuthConfig
from plugbay.errors import NotFoundError, PlugbayError
from plugbay.server.caller import Caller
from plugbay.server.catalog import Definition, by_type
from plugbay.server.connecting import (
    CheckResult,
    NewConnector,
    check_credentials,
    keep_connector,
    keep_credentials,
)
from plugbay.server.credentials import sealed_tokens
from plugbay.server.failures import ApiError
from plugbay.server.oauth.apps import app_of, authorization
from plugbay.server.oauth.problems import Problem, problem_of
from plugbay.server.oauth.standing import check_standing

if TYPE_CHECKING:
    from plugbay.auth.tokens import Tokens
    from plugbay.server.state import Server
    from plugbay.server.store import Flow, Workspace

__all__ = ["arrive"]


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a person has granted.

    Attributes:
        secret: What is sealed.
        check: What Zendesk said of it.
    """

    secret: Mapping[str, Any] = field(repr=False)
    check: CheckResult


async def arrive(server: Server, flow: Flow, query: Mapping[str, str], state: str) -> str:
    """The connector that a person's answer makes, or renews.

    Args:
        server: The server.
        flow: What was asked for; it is spent.
        query: The parameters that Zendesk sent.
        state: The state under which they came.

    Returns:
        The connector's id.

    Raises:
        Problem: What it is for is not what it was, the answer does not fit, Zendesk could not be asked, or it does not
            let the connector in.
        NotFoundError: What it is for was removed in the last moment.
    """
    await check_standing(server, flow)
    app, definition = await app_of(server, flow), by_type(flow.connector_type)
    if definition is None:
        raise Problem("oauth_app_changed")
    zendesk = authorization(server.settings, app, flow.subdomain)
    try:
        code = read_callback(query, state=state, issuer=zendesk.issuer)
        tokens = await zendesk.redeem(code, flow.verifier)
    except PlugbayError as error:
        raise problem_of(error) from None
    try:
        check = await _checked(server, definition, flow, tokens)
        granted = _Granted(sealed_tokens(tokens, app.client_id), check)
        workspace = await check_standing(server, flow)  # once more, since Zendesk took its time
        if flow.connector_id is None:
            return await _made(server, flow, workspace, definition, granted)
        return await _renewed(server, flow, flow.connector_id, granted)
    except (Problem, NotFoundError):
        with suppress(PlugbayError):  # tokens that nobody keeps should not live on
            await zendesk.revoke(tokens)
        raise


async def _checked(server: Server, definition: Definition, flow: Flow, tokens: Tokens) -> CheckResult:
    """What Zendesk says of new tokens; it has given them, so no answer is no reason to throw them away."""
    config = OAuthConfig(access_token=tokens.access_token)
    try:
        result = await check_credentials(server, definition, config, flow.subdomain)
    except ApiError:
        raise Problem("account_refused") from None
    if result.status == "failed":
        raise Problem("account_refused")
    return result


async def _made(server: Server, flow: Flow, workspace: Workspace, definition: Definition, granted: _Granted) -> str:
    new = NewConnector(
        workspace_name=workspace.name,
        definition=definition,
        name=flow.name,
        subdomain=flow.subdomain,
        replication_config=flow.replication_config,
    )
    record = await keep_connector(server, _person(flow), new, secret=granted.secret, kind="oauth", check=granted.check)
    return record.id


async def _renewed(server: Server, flow: Flow, connector_id: str, granted: _Granted) -> str:
    record = await server.connectors.get(flow.organization_id, connector_id)
    # Nothing changes a connector's account or kind; if it did, one account's data would go under another's name.
    if record is None or (record.subdomain, record.connector_type) != (flow.subdomain, flow.connector_type):
        raise Problem("connector_not_found")
    await keep_credentials(server, _person(flow), record, secret=granted.secret, kind="oauth", check=granted.check)
    return record.id


def _person(flow: Flow) -> Caller:
    """In whose name it is done: the client that began it, by way of a browser, in that one workspace."""
    return Caller(flow.organization_id, flow.client_id, flow.workspace_id, via="web")
