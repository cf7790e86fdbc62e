"""Looking after the connectors of a workspace: made, listed, found, deleted, authorized."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from pydantic import SecretStr
from typing_extensions import Unpack

from plugbay.connector import Connector
from plugbay.errors import (
    AmbiguousConnectorError,
    ConfigurationError,
    ConnectorNotFoundError,
    InvalidParameterError,
    PlugbayError,
    ResponseIntegrityError,
)
from plugbay.hosted.api import CONNECTORS, HostedApi
from plugbay.hosted.factory import DEFAULT_WORKSPACE, Settings, config_of
from plugbay.hosted.info import ConnectorInfo
from plugbay.hosted.segments import checked_id
from plugbay.hosted.sending import posted, without
from plugbay.json_safe import is_object
from plugbay.registry import find_connector, list_connectors
from plugbay.transport import Bounds, Request
from plugbay.transport.address import is_loopback
from plugbay.types import AirbyteAuthConfig, SecretModel

if TYPE_CHECKING:
    from typing import Self

    from plugbay.connectors.zendesk_support import ZendeskSupportConnector
    from plugbay.connectors.zendesk_talk import ZendeskTalkConnector

__all__ = ["SyncWorkspace", "Workspace"]

_BOUNDS = Bounds(timeout=60.0, max_attempts=3, max_bytes=32 * 2**20, retry=None, http=None)


class Workspace:
    """The connectors of one workspace of a hosted service. Building one opens nothing and sends nothing.

    What is not given comes from the environment when it is first needed: `AIRBYTE_CLIENT_ID`, `AIRBYTE_CLIENT_SECRET`,
    `AIRBYTE_ORGANIZATION_ID` and `AIRBYTE_API_URL`.

    Args:
        workspace_name: The workspace.
        organization_id: Chooses among the organizations that the client can reach.
        client_id: The client's public identifier.
        client_secret: The client's secret.
        auth_config: All of this in one object, in place of the arguments before.
        api_url: The root of the service; `https://api.airbyte.ai` if nothing names another.
        settings: As for `plugbay.connect`; all connectors that come from here have them.

    Raises:
        ConfigurationError: Settings contradict each other, or make no sense.
    """

    def __init__(
        self,
        workspace_name: str = DEFAULT_WORKSPACE,
        *,
        organization_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        auth_config: AirbyteAuthConfig | None = None,
        api_url: str | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._config = config_of(
            auth_config,
            workspace_name=workspace_name if workspace_name != DEFAULT_WORKSPACE else None,
            organization_id=organization_id,
            airbyte_client_id=client_id,
            airbyte_client_secret=client_secret,
            api_url=api_url,
        )
        self._settings = settings
        bounds: Any = {**_BOUNDS, **{name: value for name, value in settings.items() if name in _BOUNDS}}
        self._api = HostedApi(self._config, bounds)

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._config.workspace

    @property
    def sync(self) -> SyncWorkspace:
        """The same workspace for synchronous code: `workspace.sync.list_connectors()`."""
        return SyncWorkspace(self)

    def __repr__(self) -> str:
        return f"Workspace({self.name!r})"

    def __reduce__(self) -> Any:
        raise TypeError("Workspace holds credentials and is not pickled; build it where it is used.")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets go of all connections; those of its connectors are their own. Harmless when called twice."""
        await self._api.aclose()

    async def list_connectors(self) -> list[ConnectorInfo]:
        """All connectors of the workspace.

        Raises:
            PlugbayError: The service could not be asked, or refused.
        """
        query = {"workspace_name": self.name}
        return [ConnectorInfo.read(item) async for item in self._api.items(CONNECTORS, query)]

    async def create_connector(
        self,
        slug: str,
        credentials: SecretModel | Mapping[str, Any],
        *,
        name: str | None = None,
        subdomain: str | None = None,
        replication_config: Mapping[str, Any] | None = None,
    ) -> ConnectorInfo:
        """Hands credentials to the service, which makes a connector of them and keeps them.

        Args:
            slug: The kind of connector, as `zendesk-support`.
            credentials: The kind's own auth config, or its fields by name.
            name: The connector's name, for people.
            subdomain: The Zendesk account, as `acme`.
            replication_config: Settings of the service's replication; `zendesk-talk` needs `start_date` there, as
                `2026-01-31T00:00:00Z`.

        Raises:
            ConnectorNotFoundError: There is no such kind of connector.
            InvalidParameterError, ValidationFailedError: The service refused the content, or Zendesk the credentials.
            PlugbayError: Any other failure. `details["fate"]` is "unknown" if it may have been made all the same.
        """
        # What was given may show its secrets in a traceback's locals; this does not.
        credentials = secret = posted(credentials)
        body = {**self._kind(slug), "name": name, "replication_config": replication_config, "credentials": credentials}
        if subdomain is not None:
            body["environment"] = {"subdomain": subdomain}
        try:
            return ConnectorInfo.read(await self._post(CONNECTORS, body))
        except PlugbayError as error:
            raise without(secret, error) from None

    async def get_connector(self, *, connector_id: str | None = None, name: str | None = None) -> Connector:
        """A live connector of this workspace, of the class that its kind has.

        Args:
            connector_id: Its id.
            name: Its name instead; one connector only may have it.

        Raises:
            InvalidParameterError: Neither or both were given, or the id cannot be one.
            ConnectorNotFoundError: There is none, or none of a kind that is installed.
            AmbiguousConnectorError: Several have that name.
        """
        if (connector_id is None) == (name is None):
            raise InvalidParameterError("Name the connector by one of connector_id and name.")
        if connector_id is not None:
            path = f"{CONNECTORS}/{checked_id(connector_id, 'connector', InvalidParameterError)}"
            info = ConnectorInfo.read(await self._api.fetch(Request("GET", path, repeatable=True)))
        else:
            info = self._named(str(name), await self.list_connectors())
        connector: Connector = _kind_of(info)(
            self._config.model_copy(update={"connector_id": info.id}), **self._settings
        )
        return connector

    async def delete_connector(self, connector_id: str) -> None:
        """Deletes a connector and its credentials for good.

        Args:
            connector_id: Its id.

        Raises:
            InvalidParameterError: The id cannot be one.
            ConnectorNotFoundError: There is no such connector.
            PlugbayError: Any other failure. `details["fate"]` is "unknown" if it may have been deleted all the same.
        """
        number = checked_id(connector_id, "connector", InvalidParameterError)
        await self._api.fetch(Request("DELETE", f"{CONNECTORS}/{number}", group="DELETE connector"))

    async def initiate_oauth(
        self,
        slug: str,
        redirect_url: str,
        *,
        subdomain: str | None = None,
        name: str | None = None,
        connector_id: str | None = None,
    ) -> str:
        """Where to send a person who agrees that a connector is made for their account, or authorized anew.

        After that the browser comes to `redirect_url` with `connector_id`, or with `error`, as a parameter.

        Args:
            slug: The kind of connector, as `zendesk-support`.
            redirect_url: A page of one's own: https, or http on loopback.
            subdomain: The Zendesk account, as `acme`.
            name: The connector's name, for people.
            connector_id: A connector that says `needs_reauth`, and keeps its id; `plugbay serve` alone knows how.

        Returns:
            The address of the consent page, which is https, or http on loopback.

        Raises:
            ConnectorNotFoundError: There is no such kind of connector.
            InvalidParameterError: The redirect URL or the id is not one.
            ConfigurationError: The vendor's service cannot authorize a connector anew.
            ResponseIntegrityError: The service gave no address, or one that no browser should be sent to.
            PlugbayError: Any other failure.
        """
        if not _is_web_address(redirect_url):
            raise InvalidParameterError("redirect_url must be an https URL, or http on loopback.")
        body = {**self._kind(slug), "redirect_url": redirect_url, "name": name}
        if subdomain is not None:
            body["environment"] = {"subdomain": subdomain}
        if connector_id is not None:
            body["connector_id"] = checked_id(connector_id, "connector", InvalidParameterError)
            await self._check_renews()
        answer = await self._post(f"{CONNECTORS}/oauth/initiate", body)
        url = answer.get("consent_url") if is_object(answer) else None
        if not isinstance(url, str) or not _is_web_address(url):
            raise ResponseIntegrityError("The hosted service gave no consent URL that a browser may be sent to.")
        return url

    @overload
    def connect(self, slug: Literal["zendesk-support"]) -> ZendeskSupportConnector: ...
    @overload
    def connect(self, slug: Literal["zendesk-talk"]) -> ZendeskTalkConnector: ...
    @overload
    def connect(self, slug: str) -> Connector: ...
    def connect(self, slug: str) -> Connector:
        """The workspace's only connector of a kind; nothing is sent before its first call.

        Args:
            slug: The kind of connector, as `zendesk-support`.

        Raises:
            ConnectorNotFoundError: There is no such kind of connector.
        """
        connector: Connector = find_connector(slug)(self._config, **self._settings)
        return connector

    def _kind(self, slug: str) -> dict[str, Any]:
        # Asked for by its id, as the name of a kind is written in several ways.
        kind: type[Connector] = find_connector(slug)
        return {"workspace_name": self.name, "definition_id": kind.definition_id}

    async def _check_renews(self) -> None:
        await self._api.sign_in(self._api.transport.deadline())
        if not self._api.is_ours:
            # It does not know the parameter, and would make a second connector.
            raise ConfigurationError("The vendor's service cannot authorize a connector anew; make another one.")

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        given = {name: value for name, value in body.items() if value is not None}
        return await self._api.fetch(Request("POST", path, json=given))

    def _named(self, name: str, known: list[ConnectorInfo]) -> ConnectorInfo:
        found = [each for each in known if each.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise AmbiguousConnectorError(
                f"{len(found)} connectors of the workspace {self.name!r} have the name {name[:100]!r}.",
                hint="Choose one by its connector_id.",
                details={"connectors": [{"id": each.id, "name": each.name} for each in found]},
            )
        raise ConnectorNotFoundError(
            f"There is no connector named {name[:100]!r} in the workspace {self.name!r}.",
            hint=f"It has {', '.join(repr(each.name) for each in known[:20]) or 'none'}.",
            details={"connectors": [{"id": each.id, "name": each.name} for each in known[:20]]},
        )


class SyncWorkspace:
    """The synchronous face of a workspace: the same methods, called without `await`.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _ASYNCHRONOUS:
            raise AttributeError(f"SyncWorkspace has no {name!r}")
        return partial(_called, getattr(self._workspace, name))


_ASYNCHRONOUS = {
    "close", "create_connector", "delete_connector", "get_connector", "initiate_oauth", "list_connectors",
}  # fmt: skip


def _called(method: Callable[..., Any], *values: Any, **named: Any) -> Any:
    from plugbay.sync import run  # noqa: PLC0415 - asynchronous users do not pay for its thread

    work = method(*values, **named)
    # Credentials may be among them, and a traceback may show a frame's locals.
    del values, named
    return run(work)


def _kind_of(info: ConnectorInfo) -> Any:
    """The class of the connector's kind."""
    for slug in list_connectors():
        kind = find_connector(slug)
        if kind.definition_id and kind.definition_id == info.definition_id:
            return kind
    raise ConnectorNotFoundError(
        f"The connector {info.id} is of a kind that is not installed here: {info.kind or info.definition_id}.",
        hint=f"Installed: {', '.join(list_connectors())}.",
    )


def _is_web_address(url: str) -> bool:
    """Whether a browser may be sent there: https, or http on loopback, and no user name in it."""
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' \\"<>'):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
