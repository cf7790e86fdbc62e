"""The page of one connector: how it is, what it did, how to call it, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from plugbay.server.api.naming import connector_name
from plugbay.server.catalog import by_type
from plugbay.server.connecting import CheckResult, change_settings, check_connector, remove_connector
from plugbay.server.execution import find_connector
from plugbay.server.failures import ApiError
from plugbay.server.oauth.redirects import origin_of
from plugbay.server.pages.forms import Form
from plugbay.server.pages.home import type_name
from plugbay.server.pages.trying import first_choice
from plugbay.server.pages.visits import Visit, go, screen

if TYPE_CHECKING:
    from plugbay.server.store import ConnectorRecord

__all__ = ["ROUTES"]

LAST_CALLS = 10

KINDS = {
    "oauth": "OAuth, on behalf of a person",
    "token": "API token",
    "client_credentials": "OAuth client credentials",
}


@screen("GET", "/connectors/{connector_id}")
async def show(visit: Visit) -> Response:
    """The connector."""
    return await _page(visit, await _found(visit))


@screen("GET", "/connectors/{connector_id}/check")
async def checked(visit: Visit) -> Response:
    """What a reload of the page after a check comes to."""
    return go(f"/connectors/{(await _found(visit)).id}")


@screen("POST", "/connectors/{connector_id}/check")
async def check(visit: Visit) -> Response:
    """Asks Zendesk whose the credentials are."""
    result = await check_connector(visit.server, visit.caller, await _found(visit))
    return await _page(visit, await _found(visit), result=result)


@screen("POST", "/connectors/{connector_id}/rename")
async def rename(visit: Visit) -> Response:
    """Gives the connector another name."""
    record = await _found(visit)
    form = Form(visit.form)
    name = form.text("name", "Name")
    definition = by_type(record.connector_type)
    if not form.errors and definition is not None:
        try:
            name = connector_name(name, definition)
        except ApiError as error:
            form.refuse("name", error.error.message)
    if form.errors:
        return await _page(visit, record, 422, form=form)
    await change_settings(visit.server, visit.caller, record, {"name": name}, event="connector.renamed")
    return go(f"/connectors/{record.id}", "renamed")


@screen("GET", "/connectors/{connector_id}/disconnect")
async def ask(visit: Visit) -> Response:
    """Asks whether it is really meant."""
    return visit.page("disconnect.html", connector=await _found(visit))


@screen("POST", "/connectors/{connector_id}/disconnect")
async def disconnect(visit: Visit) -> Response:
    """Removes the connector and its credentials."""
    await remove_connector(visit.server, visit.caller, await _found(visit))
    return go("/", "disconnected")


async def _found(visit: Visit) -> ConnectorRecord:
    return await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])


async def _page(
    visit: Visit,
    record: ConnectorRecord,
    status: int = 200,
    *,
    result: CheckResult | None = None,
    form: Form | None = None,
) -> Response:
    calls = await visit.server.audit.query(visit.organization_id, connector_id=record.id, limit=LAST_CALLS)
    clients = {each.id: each.name for each in await visit.server.clients.list(visit.organization_id)}
    return visit.page(
        "connector.html",
        status,
        form_targets=(origin_of(visit.server.settings.public_url),),
        connector=record,
        kind=type_name(record.connector_type),
        auth=KINDS.get(record.auth_kind, record.auth_kind),
        result=result,
        user=_user(result),
        form=form or Form({"name": record.name}),
        calls=calls.items,
        clients=clients,
        public_url=visit.server.settings.public_url,
        sample=first_choice(record),
        python=_python(visit, record),
    )


def _user(result: CheckResult | None) -> dict[str, Any]:
    found = result.identity.get("user") if result is not None and result.identity else None
    return dict(found) if found else {}


def _python(visit: Visit, record: ConnectorRecord) -> str:
    """A program that calls the connector; who it is, it finds in its environment."""
    definition = by_type(record.connector_type)
    if definition is None:
        return ""
    kind, sample = definition.connector, first_choice(record)
    module = kind.__module__.rpartition(".")[0]
    return f"""import asyncio

from {module} import AirbyteAuthConfig, {kind.__name__}

hosted = AirbyteAuthConfig(
    api_url="{visit.server.settings.public_url}",
    organization_id="{record.organization_id}",
    connector_id="{record.id}",
)


async def main() -> None:
    async with {kind.__name__}(hosted) as zendesk:
        result = await zendesk.execute("{sample.entity}", "{sample.action}", {{"limit": 5}})
        print(result.data)


asyncio.run(main())
"""


ROUTES = [show, checked, check, rename, ask, disconnect]
