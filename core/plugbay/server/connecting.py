"""Connectors made, checked and removed, for the API, the OAuth flow and the web page alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from plugbay.auth.tokens import MemoryTokenStore
from plugbay.connectors.zendesk.auth import OAuthConfig
from plugbay.errors import AuthenticationError, ConfigurationError, PlugbayError
from plugbay.server.caller import not_found
from plugbay.server.credentials import AuthKind, kind_of, sealed
from plugbay.server.execution import check_running, note_status
from plugbay.server.failures import ApiError
from plugbay.server.store import AuditEntry

if TYPE_CHECKING:
    from plugbay.auth.tokens import Tokens
    from plugbay.connectors.zendesk.auth import ApiTokenConfig
    from plugbay.connectors.zendesk.connector import ZendeskConnector
    from plugbay.server.caller import Caller
    from plugbay.server.catalog import Definition
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = [
    "CheckResult",
    "NewConnector",
    "check_connector",
    "check_credentials",
    "create_connector",
    "keep_connector",
    "remove_connector",
    "replace_credentials",
    "tell_audit",
]

_REFUSED = 400

_DEFINITE = frozenset({"authentication", "permission_denied", "configuration", "not_found"})
"""Failures that say that the credentials, or the account they are for, are not good."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of asking Zendesk who somebody is.

    Attributes:
        status: "succeeded", "failed" if Zendesk does not accept the credentials, "inconclusive" if it did not say.
        identity: Whose they are, as `{"user": {...}}`.
        error: Why they were not accepted, or why nothing is known, as `PlugbayError.payload()`.
    """

    status: Literal["succeeded", "failed", "inconclusive"]
    identity: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    @property
    def message(self) -> str | None:
        """The error in words."""
        if self.error is None:
            return None
        return " ".join(filter(None, (self.error["message"], self.error["hint"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnector:
    """A connector to be made.

    Attributes:
        workspace_name: Where; a workspace that is not there yet is made.
        definition: Its kind.
        name: Its name.
        subdomain: The Zendesk account.
        replication_config: Kept for replication.
        environment: Kept as it was sent.
    """

    workspace_name: str
    definition: Definition
    name: str
    subdomain: str
    replication_config: Mapping[str, Any]
    environment: Mapping[str, Any]


async def create_connector(
    server: Server, caller: Caller, new: NewConnector, config: OAuthConfig | ApiTokenConfig
) -> tuple[ConnectorRecord, CheckResult]:
    """Makes a connector of credentials that somebody gave us, after asking Zendesk whether it accepts them.

    Raises:
        ApiError: 400, Zendesk refuses them, and nothing is kept; 404, the caller may not see the workspace.
    """
    workspace_id = await _workspace_id(server, caller, new.workspace_name)
    check = (await check_credentials(server, new.definition, config, new.subdomain, may_renew=False)).result
    may_be_renewed = isinstance(config, OAuthConfig) and config.refresh_token is not None
    if check.status == "failed" and not may_be_renewed:
        raise _not_accepted(check)
    record = await keep_connector(
        server, caller, workspace_id, new, kind=kind_of(config), secret=sealed(config), check=check
    )
    if check.status == "failed":
        # A refresh token is good once: it is spent only when the new pair has a place where it outlives this process.
        check = await check_connector(server, caller, record)
        if check.status == "failed":
            await remove_connector(server, caller, record)
            raise _not_accepted(check)
    return record, check


async def keep_connector(
    server: Server,
    caller: Caller,
    workspace_id: str | None,
    new: NewConnector,
    *,
    kind: AuthKind,
    secret: Mapping[str, Any],
    check: CheckResult,
    oauth_app_id: str | None = None,
) -> ConnectorRecord:
    """Keeps a connector with its sealed credentials.

    Args:
        server: The server.
        caller: Who makes it.
        workspace_id: Where; None for the workspace of that name, which is made if need be.
        new: The connector.
        kind: What kind of credentials it has.
        secret: What is sealed, from `plugbay.server.credentials`.
        check: What Zendesk said of them.
        oauth_app_id: The organization's OAuth app that they were granted to.
    """
    organization_id = caller.organization_id
    if workspace_id is None:
        workspace_id = (await server.workspaces.ensure(organization_id, new.workspace_name)).id
    record = await server.connectors.create(
        organization_id,
        workspace_id,
        connector_type=new.definition.slug,
        name=new.name,
        subdomain=new.subdomain,
        replication_config=dict(new.replication_config),
        environment={"subdomain": new.subdomain},
        auth_kind=kind,
        oauth_app_id=oauth_app_id,
        secret=secret,
    )
    await server.connectors.note_check(organization_id, record.id, check.status)
    await tell_audit(server, caller, "connector.created", record)
    return record


async def replace_credentials(
    server: Server,
    caller: Caller,
    record: ConnectorRecord,
    *,
    secret: Mapping[str, Any],
    kind: AuthKind,
    check: CheckResult,
    oauth_app_id: str | None = None,
) -> None:
    """Gives a connector other credentials; from then on nothing is done with the old ones."""
    await server.connectors.replace_secret(
        record.organization_id, record.id, secret, auth_kind=kind, oauth_app_id=oauth_app_id
    )
    await server.connectors.note_check(record.organization_id, record.id, check.status)
    await tell_audit(server, caller, "credentials.set", record)


@dataclass(frozen=True, slots=True)
class Checked:
    """Credentials that Zendesk was asked about.

    Attributes:
        result: What it said.
        config: The credentials as they are now: a pair may have been renewed for the question.
    """

    result: CheckResult
    config: OAuthConfig | ApiTokenConfig


async def check_credentials(
    server: Server,
    definition: Definition,
    config: OAuthConfig | ApiTokenConfig,
    subdomain: str,
    *,
    may_renew: bool = True,
) -> Checked:
    """Asks Zendesk whose credentials these are, before they are kept.

    Args:
        server: The server.
        definition: The kind of connector.
        config: The credentials.
        subdomain: The Zendesk account.
        may_renew: Whether a refresh token may be spent for it; whoever says so keeps what it was spent for.

    Raises:
        ApiError: 400, they cannot be sent at all.
    """
    kept = MemoryTokenStore()
    asking = config
    if isinstance(config, OAuthConfig) and config.access_token is not None and not may_renew:
        asking = OAuthConfig(access_token=config.access_token)
    try:
        connector = server.engines.live(definition, asking, subdomain, token_store=kept)
    except ConfigurationError as error:
        failed = _failed(error)
    else:
        async with connector:
            result = await _asked(connector)
        tokens = await kept.load()
        is_pair = tokens is not None and tokens.refresh_token is not None
        return Checked(result, _renewed(config, tokens) if is_pair else config)
    raise _not_accepted(failed)


async def check_connector(server: Server, caller: Caller, record: ConnectorRecord) -> CheckResult:
    """Asks Zendesk whose a connector's credentials are, and notes what that says of the connector.

    Raises:
        ApiError: 403, its workspace is switched off.
    """
    check_running(record)
    try:
        async with server.engines.use(record) as connector:
            result = await _asked(connector)
    except AuthenticationError as error:
        result = _failed(error)
    await server.connectors.note_check(record.organization_id, record.id, result.status)
    if result.status == "failed":
        await note_status(server, record, "needs_reauth", result.message)
    elif result.status == "succeeded" and record.status != "active":
        await note_status(server, record, "active")
    await tell_audit(server, caller, "connector.checked", record, outcome=result.status)
    return result


async def remove_connector(server: Server, caller: Caller, record: ConnectorRecord) -> str:
    """Removes a connector and its credentials; gives the id of the note of it in the audit log."""
    await server.connectors.delete(record.organization_id, record.id)
    return await tell_audit(server, caller, "connector.deleted", record)


async def tell_audit(
    server: Server, caller: Caller, event: str, record: ConnectorRecord | None = None, *, outcome: str = "ok"
) -> str:
    """Notes in the audit log what was done beside calls of connectors; gives the note's id."""
    entry = AuditEntry(
        organization_id=caller.organization_id,
        workspace_id=record.workspace_id if record else caller.workspace_id,
        connector_id=record.id if record else None,
        client_id=caller.client_id,
        via=caller.via,
        event=event,
        outcome=outcome,
    )
    return str(await server.audit.record(entry))


async def _asked(connector: ZendeskConnector) -> CheckResult:
    answer = dict(await connector.check())
    if answer.pop("status") == "healthy":
        return CheckResult("succeeded", identity=answer)
    error = answer["error"]
    return CheckResult("failed" if error["code"] in _DEFINITE else "inconclusive", error=error)


def _failed(error: PlugbayError) -> CheckResult:
    return CheckResult("failed", error=dict(error.payload()))


def _renewed(config: OAuthConfig | ApiTokenConfig, tokens: Tokens | None) -> OAuthConfig | ApiTokenConfig:
    """The credentials with the pair that took the place of theirs."""
    if tokens is None or not isinstance(config, OAuthConfig):
        return config
    left = None if tokens.expires_at is None else tokens.expires_at - time.time()
    pair = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token, "expires_in": left}
    return config.model_copy(update=pair)


async def _workspace_id(server: Server, caller: Caller, name: str) -> str | None:
    """The workspace of a name; None if there is none yet.

    Raises:
        ApiError: 404, the caller may not see it, or may not make one.
    """
    known = await server.workspaces.by_name(caller.organization_id, name)
    if caller.workspace_id is not None and (known is None or known.id != caller.workspace_id):
        raise not_found("workspace")
    return None if known is None else known.id


def _not_accepted(result: CheckResult) -> ApiError:
    details = {"check": {"status": result.status, "error": result.error}}
    return ApiError(
        _REFUSED,
        f"The credentials were not accepted, and nothing was kept. {result.message}",
        error_code="credentials_refused",
        field="credentials",
        details=details,
    )
