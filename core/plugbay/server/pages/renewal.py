"""Other credentials for a connector that is there: its id stays, and agents go on where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from plugbay.server.caller import not_found
from plugbay.server.catalog import by_type
from plugbay.server.connecting import check_credentials, replace_credentials
from plugbay.server.credentials import kind_of, sealed
from plugbay.server.execution import find_connector
from plugbay.server.failures import ApiError
from plugbay.server.pages.forms import Form
from plugbay.server.pages.typed_credentials import BLAMED, SECRETS, WAYS, blame, typed_credentials
from plugbay.server.pages.visits import Visit, go, screen

if TYPE_CHECKING:
    from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
    from plugbay.server.connecting import Checked
    from plugbay.server.store import ConnectorRecord

__all__ = ["ROUTES"]

_REFUSED = 400
_SERVER_ERRORS = 500
_UNPROCESSABLE = 422
_TYPED = [way for way, fields in WAYS.items() if fields]


@screen("GET", "/connectors/{connector_id}/credentials")
async def show(visit: Visit) -> Response:
    """The form."""
    record = await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])
    return visit.page("credentials.html", connector=record, form=Form({"way": _TYPED[0]}))


@screen("POST", "/connectors/{connector_id}/credentials")
async def replace(visit: Visit) -> Response:
    """Puts the new credentials in the place of the old ones, if Zendesk accepts them."""
    record = await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])
    form = Form(visit.form, secrets=SECRETS)
    way = form.choice("way", "What you have", _TYPED)
    config = typed_credentials(form, way)
    checked = None if config is None else await _checked(visit, record, form, way, config)
    if config is None or checked is None:
        status = _UNPROCESSABLE if config is None else _REFUSED
        return visit.page("credentials.html", status, connector=record, form=form)
    secret = sealed(checked.config)
    await replace_credentials(
        visit.server, visit.caller, record, secret=secret, kind=kind_of(config), check=checked.result
    )
    return go(f"/connectors/{record.id}", "credentials")


async def _checked(
    visit: Visit, record: ConnectorRecord, form: Form, way: str, config: OAuthConfig | ApiTokenConfig
) -> Checked | None:
    """What Zendesk says of credentials; None if it refuses them, which the form then says."""
    definition = by_type(record.connector_type)
    if definition is None:
        raise not_found("connector")
    try:
        checked = await check_credentials(visit.server, definition, config, record.subdomain)
    except ApiError as error:
        if error.status >= _SERVER_ERRORS:
            raise
        blame(form, error, way)
        return None
    if checked.result.status == "failed":
        form.refuse(BLAMED[way], f"Zendesk does not accept them, and the old ones stay. {checked.result.message or ''}")
        return None
    return checked


ROUTES = [show, replace]
