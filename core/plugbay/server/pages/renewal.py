"""Other credentials for a connector that is there: its id stays, and agents go on where they were."""

from __future__ import annotations

from starlette.responses import Response

from plugbay.server.connecting import replace_credentials
from plugbay.server.execution import find_connector
from plugbay.server.failures import ApiError
from plugbay.server.pages.forms import Form
from plugbay.server.pages.typed_credentials import SECRETS, WAYS, blame, typed_credentials
from plugbay.server.pages.visits import Visit, go, screen

__all__ = ["ROUTES"]

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
    if config is None:
        return visit.page("credentials.html", _UNPROCESSABLE, connector=record, form=form)
    try:
        await replace_credentials(visit.server, visit.caller, record, config)
    except ApiError as error:
        if error.status >= _SERVER_ERRORS:
            raise
        blame(form, error, way)
        return visit.page("credentials.html", error.status, connector=record, form=form)
    return go(f"/connectors/{record.id}", "credentials")


ROUTES = [show, replace]
