"""The part of a connector that is the same for everything on a Zendesk tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from plugbay.auth import Tokens, TokenStore
from plugbay.connector import Connector
from plugbay.connectors.zendesk.auth import config_from_environment, credentials_of
from plugbay.connectors.zendesk.budgets import read_budgets
from plugbay.connectors.zendesk.errors import collides, read_error
from plugbay.connectors.zendesk.hosts import VARIABLE, tenant_url
from plugbay.download import Streamed
from plugbay.errors import AuthenticationError, ConfigurationError, ResponseIntegrityError
from plugbay.executor import Executor, LocalExecutor, Probe
from plugbay.json_safe import is_object
from plugbay.operation import Operation
from plugbay.outcome import Outcome
from plugbay.policy import Policy
from plugbay.sink import Sink, Tell
from plugbay.transport import Bounds, Request, RetryPolicy, Transport
from plugbay.types import AirbyteAuthConfig

if TYPE_CHECKING:
    from typing import Self

    from plugbay.events import Listener

__all__ = ["ZendeskConnector"]

OnTokenRefresh = Callable[[Tokens], Awaitable[None] | None]


class ZendeskConnector(Connector):
    """A connector to one Zendesk tenant.

    Args:
        auth_config: The credentials, from the connector's `models` module; or `plugbay.types.AirbyteAuthConfig` for a
            hosted connector, whose tenant, and all that has to do with it, is the hosted service's.
        config: `{"subdomain": ...}`, another way to name the tenant.
        subdomain: The tenant: `acme` of `https://acme.zendesk.com`, or that URL. Without it the environment's
            `ZENDESK_SUBDOMAIN`; without that too, the first call fails with `ConfigurationError`.
        base_url: Another root for the sandbox and proxies: https, or http on loopback.
        policy: What may be done with this connector, by anybody.
        on_token_refresh: Called with the new `Tokens` before they are used; store them, the old ones are void.
        token_store: Keeps the tokens, as `plugbay.auth.FileTokenStore`; asked before a renewal and told of it.
        timeout: Seconds that one call may take in all, its retries and waits included.
        max_attempts: Times one call is tried in all.
        max_bytes: The largest answer that is read, in bytes, unpacked.
        retry: When a call is tried again, and after how long; its clock, sleep and randomness can be replaced.
        http: An `httpx.AsyncBaseTransport` to send through, for proxies and tests.
        on_event: Is told what happens within calls, as for an audit file; see `plugbay.events`.
        record_content: Whether events and spans hold arguments and results.

    Raises:
        ConfigurationError: The credentials, the subdomain or the URL cannot be used.
    """

    def __init__(
        self,
        auth_config: Any,
        *,
        config: Mapping[str, Any] | None = None,
        subdomain: str | None = None,
        base_url: str | None = None,
        policy: Policy | None = None,
        on_token_refresh: OnTokenRefresh | None = None,
        token_store: TokenStore | None = None,
        timeout: float = 60.0,
        max_attempts: int = 3,
        max_bytes: int = 32 * 2**20,
        retry: RetryPolicy | None = None,
        http: Any = None,
        on_event: Listener | None = None,
        record_content: bool = False,
    ) -> None:
        bounds = Bounds(timeout=timeout, max_attempts=max_attempts, max_bytes=max_bytes, retry=retry, http=http)
        executor: Executor = _NoTenant()
        if isinstance(auth_config, AirbyteAuthConfig):
            tenants = (config, subdomain, base_url, on_token_refresh, token_store)
            executor = self._hosted(auth_config, bounds, has_tenant=any(given is not None for given in tenants))
        else:
            credentials = credentials_of(auth_config, on_token_refresh=on_token_refresh, token_store=token_store)
            root = tenant_url(subdomain, config, base_url)
            if root is not None:
                reading: Any = {"read_error": read_error, "read_budgets": read_budgets, "collides": collides}
                executor = LocalExecutor(Transport(root, credentials, **reading, **bounds))
        super().__init__(executor, policy=policy, on_event=on_event, record_content=record_content)

    @classmethod
    def _hosted(cls, auth_config: AirbyteAuthConfig, bounds: Bounds, *, has_tenant: bool) -> Executor:
        if has_tenant:
            raise ConfigurationError(
                "A hosted connector takes no config, subdomain, base_url, on_token_refresh or token_store.",
                hint="The hosted service knows the tenant and keeps its tokens; its own address is api_url.",
            )
        from plugbay.hosted.executor import HostedExecutor  # noqa: PLC0415 - programs of local connectors do without

        return HostedExecutor(auth_config, cls.slug, cls.definition_id, bounds)

    @classmethod
    def from_environment(cls, **settings: Any) -> Self:
        """A connector with its credentials from the environment.

        Read are `ZENDESK_SUBDOMAIN`, and the first of these that is there: `ZENDESK_ACCESS_TOKEN`,
        `ZENDESK_CLIENT_ID` with `ZENDESK_CLIENT_SECRET`, `ZENDESK_EMAIL` with `ZENDESK_API_TOKEN`.

        Args:
            settings: Any of the constructor's, but `auth_config`.

        Raises:
            ConfigurationError: The environment holds no credentials.
        """
        return cls(config_from_environment(), **settings)

    async def _identity(self) -> Mapping[str, Any]:
        return await self._executor.identify(_WHO_AM_I)


_ANONYMOUS = "Anonymous user"


def signed_in(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user of an answer to `users/me`.

    Raises:
        AuthenticationError: Zendesk answers an unknown caller with 200 and "Anonymous user", whose id is null.
        ResponseIntegrityError: The answer is not about a user.
    """
    user = payload.get("user") if is_object(payload) else None
    if not is_object(user) or not user:
        raise ResponseIntegrityError("Zendesk was asked who the caller is, and did not say.")
    # An answer that was cut down to the name is a user's all the same.
    nobody = user["id"] is None if "id" in user else user.get("name") in (None, _ANONYMOUS)
    if nobody:
        raise AuthenticationError(
            "Zendesk does not know the caller: it answered as to an anonymous user.",
            hint="Check the credentials and the subdomain.",
        )
    return user


def _identity_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    user = signed_in(payload)
    return {"user": {name: user.get(name) for name in ("id", "name", "email", "role")}}


_WHO_AM_I = Probe(Request("GET", "/api/v2/users/me", repeatable=True), _identity_of)


class _NoTenant:
    """Stands where the executor would: without a tenant there is nowhere to send to."""

    async def run(self, operation: Operation, arguments: Mapping[str, Any], *, patient: bool = False) -> Outcome:  # noqa: ARG002 - the protocol's
        raise self._error()

    async def identify(self, probe: Probe) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's
        raise self._error()

    async def stream(
        self,
        operation: Operation,  # noqa: ARG002 - the protocol's
        arguments: Mapping[str, Any],  # noqa: ARG002 - the protocol's
        sink: Sink,  # noqa: ARG002 - the protocol's
        *,
        max_bytes: int,  # noqa: ARG002 - the protocol's
        timeout: float | None,  # noqa: ARG002, ASYNC109 - the protocol's
        tell: Tell | None,  # noqa: ARG002 - the protocol's
    ) -> Streamed:
        raise self._error()

    async def aclose(self) -> None:
        return

    def _error(self) -> ConfigurationError:
        return ConfigurationError(
            "No Zendesk subdomain is set, so there is no tenant to call.",
            hint=f'Pass subdomain="acme" for https://acme.zendesk.com, or set {VARIABLE}.',
        )
