"""Connectors made, checked and removed, for the API, the OAuth flow and the web page alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from plugbay.auth.tokens import MemoryTokenStore
from plugbay.connectors.zendesk.auth import OAuthConfig
from plugbay.errors import AuthenticationError, ConfigurationError, PlugbayError
from plugbay.server.auditing import tell_audit
from plugbay.server.caller import not_found
from plugbay.server.credentials import AuthKind, kind_of, sealed
from plugbay.server.execution import check_active, check_running, definition_of_record, no_connector, note_status
from plugbay.server.failures import ApiError
from plugbay.server.token_store import with_tokens

if TYPE_CHECKING:
    from plugbay.auth.tokens import TokenStore
    from plugbay.connectors.zendesk.auth import ApiTokenConfig
    from plugbay.connectors.zendesk.connector import ZendeskConnector
    from plugbay.server.caller import Caller
    from plugbay.server.catalog import Definition
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = [
    "CheckResult",
    "NewConnector",
    "change_settings",
    "check_connector",
    "check_credentials",
    "check_workspace",
    "create_connector",
    "keep_connector",
    "keep_credentials",
    "remove_connector",
    "replace_credentials",
    "workspace_for",
]

_REFUSED = 400

_DEFINITE = frozenset({"authentication", "permission_denied", "configuration", "not_found"})
"""Failures that say that the credentials, or the account they are for, are not good."""

_NOTHING_TO_ASK_WITH = (
    "There is no access_token to ask with, and a refresh token, which is good for one use, is not spent for a check."
)


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
    def code(self) -> str:
        """How it came out, as the audit log has it."""
        return "ok" if self.error is None else str(self.error["code"])

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
    """

    workspace_name: str
    definition: Definition
    name: str
    subdomain: str
    replication_config: Mapping[str, Any]


async def create_connector(
    server: Server, caller: Caller, new: NewConnector, config: OAuthConfig | ApiTokenConfig
) -> tuple[ConnectorRecord, CheckResult]:
    """Makes a connector of credentials that somebody gave us, after asking Zendesk whether it accepts them.

    Raises:
        ApiError: 400, Zendesk refuses them, and nothing is kept; 403, the workspace is switched off; 404, the caller
            may not see it.
    """
    await check_workspace(server, caller, new.workspace_name)
    check = await check_credentials(server, new.definition, config, new.subdomain)
    may_be_renewed = isinstance(config, OAuthConfig) and config.refresh_token is not None
    if check.status == "failed" and not may_be_renewed:
        await tell_audit(server, caller, "connector.created", subject=new.definition.slug, outcome=check.code)
        raise _not_accepted(check)
    record = await keep_connector(server, caller, new, secret=sealed(config), kind=kind_of(config), check=check)
    if check.status == "failed":
        # A refresh token is good once: it is spent only when the new pair has a place where it outlives this process.
        check = await check_connector(server, caller, record)
        if check.status == "failed":
            await remove_connector(server, caller, record)
            raise _not_accepted(check)
    return record, check


async def keep_connector(
    server: Server, caller: Caller, new: NewConnector, *, secret: Mapping[str, Any], kind: AuthKind, check: CheckResult
) -> ConnectorRecord:
    """Keeps a connector with its sealed credentials; it is there with its note in the audit log, or not at all.

    Args:
        server: The server.
        caller: Who makes it.
        new: The connector.
        secret: What is sealed, from `plugbay.server.credentials`.
        kind: What kind of credentials it has.
        check: What Zendesk said of them.
    """
    workspace_id = await workspace_for(server, caller, new.workspace_name)
    async with server.database.begin() as connection:
        record = await server.connectors.create(
            caller.organization_id,
            workspace_id,
            connector_type=new.definition.slug,
            name=new.name,
            subdomain=new.subdomain,
            replication_config=new.replication_config,
            auth_kind=kind,
            secret=secret,
            check_status=check.status,
            connection=connection,
        )
        await tell_audit(server, caller, "connector.created", record, connection=connection)
    return record


async def workspace_for(server: Server, caller: Caller, name: str) -> str:
    """The id of the workspace that a caller means by a name; it is made if it is not there yet.

    Whoever has one workspace means that one, even if another has taken its name since.
    """
    if caller.workspace_id is not None:
        return caller.workspace_id
    return (await server.workspaces.ensure(caller.organization_id, name)).id


async def change_settings(
    server: Server,
    caller: Caller,
    record: ConnectorRecord,
    settings: Mapping[str, Any],
    *,
    event: str = "connector.changed",
) -> ConnectorRecord:
    """Changes a connector's settings, with the note of it in the audit log or not at all; what stays needs no note.

    Args:
        server: The server.
        caller: Who changes it.
        record: The connector.
        settings: The new ones, by name: `name`, `replication_config`, `entities`.
        event: What the change is called in the log.

    Raises:
        NotFoundError: It was removed meanwhile.
    """
    settings = {name: value for name, value in settings.items() if getattr(record, name) != value}
    if not settings:
        return record
    async with server.database.begin() as connection:
        changed = await server.connectors.update(record.organization_id, record.id, **settings, connection=connection)
        await tell_audit(server, caller, event, record, content=settings, connection=connection)
    return changed


async def replace_credentials(
    server: Server,
    caller: Caller,
    record: ConnectorRecord,
    config: OAuthConfig | ApiTokenConfig,
    *,
    settings: Mapping[str, Any] | None = None,
) -> tuple[ConnectorRecord, CheckResult]:
    """Gives a connector credentials that somebody gave us, after asking Zendesk whether it accepts them.

    Args:
        server: The server.
        caller: Who gives them.
        record: The connector.
        config: The credentials.
        settings: Settings that are changed with them, by name.

    Raises:
        ApiError: 400, Zendesk refuses them, and the old ones stay; 403, the connector's workspace is switched off.
    """
    check_running(record)
    # The old ones work until the new ones are known to, so a pair that is renewed has no place but here meanwhile.
    kept = MemoryTokenStore()
    definition = definition_of_record(record)
    check = await check_credentials(server, definition, config, record.subdomain, token_store=kept)
    if check.status == "failed":
        await tell_audit(server, caller, "credentials.set", record, outcome=check.code)
        raise _not_accepted(check, "the old ones stay")
    secret, tokens = sealed(config), await kept.load()
    if tokens is not None:
        secret = with_tokens(secret, tokens)
    changed = await keep_credentials(
        server, caller, record, secret=secret, kind=kind_of(config), check=check, settings=settings
    )
    return changed, check


async def keep_credentials(
    server: Server,
    caller: Caller,
    record: ConnectorRecord,
    *,
    secret: Mapping[str, Any],
    kind: AuthKind,
    check: CheckResult,
    settings: Mapping[str, Any] | None = None,
) -> ConnectorRecord:
    """Gives a connector other sealed credentials; from then on nothing is done with the old ones.

    Args:
        server: The server.
        caller: Who does it.
        record: The connector.
        secret: What is sealed, from `plugbay.server.credentials`.
        kind: What kind of credentials it has from now on.
        check: What Zendesk said of them.
        settings: Settings that are changed with them, by name.

    Raises:
        NotFoundError: It was removed meanwhile.
    """
    async with server.database.begin() as connection:
        changed = await server.connectors.replace_secret(
            record.organization_id,
            record.id,
            secret,
            auth_kind=kind,
            check_status=check.status,
            connection=connection,
        )
        await tell_audit(server, caller, "credentials.set", record, connection=connection)
        if settings:
            changed = await server.connectors.update(
                record.organization_id, record.id, **settings, connection=connection
            )
            await tell_audit(server, caller, "connector.changed", record, content=settings, connection=connection)
    return changed


async def check_workspace(server: Server, caller: Caller, name: str) -> None:
    """Lets a caller connect an account for a workspace: a token of one workspace may for that one alone.

    Raises:
        ApiError: 403, it is switched off; 404, the caller may not see it, or may not make it.
    """
    known = await server.workspaces.by_name(caller.organization_id, name)
    if known is not None and caller.sees(known.id):
        check_active(known.status)
    elif caller.workspace_id is not None:
        raise not_found("workspace")


async def check_credentials(
    server: Server,
    definition: Definition,
    config: OAuthConfig | ApiTokenConfig,
    subdomain: str,
    *,
    token_store: TokenStore | None = None,
) -> CheckResult:
    """Asks Zendesk whose credentials these are, before they are kept.

    Args:
        server: The server.
        definition: The kind of connector.
        config: The credentials.
        subdomain: The Zendesk account.
        token_store: Where a pair is kept that is renewed for the question. Without it no refresh token is spent: what
            it was spent for would be lost.

    Raises:
        ApiError: 400, they cannot be sent at all.
    """
    if token_store is None and isinstance(config, OAuthConfig) and config.access_token is not None:
        config = OAuthConfig(access_token=config.access_token)
    elif token_store is None and isinstance(config, OAuthConfig) and config.refresh_token is not None:
        return _failed(AuthenticationError(_NOTHING_TO_ASK_WITH))
    try:
        connector = server.engines.live(definition, config, subdomain, token_store=token_store)
    except ConfigurationError as error:
        failed = _failed(error)
    else:
        async with connector:
            return await _asked(connector)
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
    """Removes a connector and its credentials; gives the id of the note of it in the audit log.

    Raises:
        ApiError: 404, it was removed meanwhile.
    """
    async with server.database.begin() as connection:
        if not await server.connectors.delete(record.organization_id, record.id, connection=connection):
            raise no_connector(record.id)
        return await tell_audit(server, caller, "connector.deleted", record, connection=connection)


async def _asked(connector: ZendeskConnector) -> CheckResult:
    answer = dict(await connector.check())
    if answer.pop("status") == "healthy":
        return CheckResult("succeeded", identity=answer)
    error = answer["error"]
    return CheckResult("failed" if error["code"] in _DEFINITE else "inconclusive", error=error)


def _failed(error: PlugbayError) -> CheckResult:
    return CheckResult("failed", error=dict(error.payload()))


def _not_accepted(result: CheckResult, outcome: str = "nothing was kept") -> ApiError:
    details = {"check": {"status": result.status, "error": result.error}}
    return ApiError(
        _REFUSED,
        f"The credentials were not accepted, and {outcome}. {result.message}",
        error_code="credentials_refused",
        field="credentials",
        details=details,
    )
