"""Zendesk's answer: the browser comes back, once, and the code it brings becomes a connector."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from plugbay.errors import NotFoundError
from plugbay.server.failures import stack_of
from plugbay.server.oauth import browser
from plugbay.server.oauth.arrival import arrive
from plugbay.server.oauth.consent import LONGEST_STATE, back, ended
from plugbay.server.oauth.problems import Problem

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Flow

__all__ = ["callback"]

logger = logging.getLogger("plugbay.server")


async def callback(request: Request) -> Response:
    """GET: makes the connector, and leads the browser back with its id.

    Without a state that is good, and of this browser, the browser is led nowhere, and nothing is spent. With it, the
    state is spent, whatever comes of the answer.
    """
    if request.method != "GET":  # what looks at a link without following it must not spend it
        return Response(None, 405, {"Allow": "GET"})
    server: Server = request.app.state.server
    states = request.query_params.getlist("state")
    if len(states) != 1 or not 0 < len(states[0]) <= LONGEST_STATE:
        return ended(request, 400)
    known = await server.flows.peek(states[0])
    if known is None or known.stage != "sent":
        return ended(request)
    if not browser.owns(browser.key_of(request, server.settings), known.browser):
        return ended(request, 403)
    flow = await server.flows.take(states[0])
    if flow is None:
        return ended(request)
    return back(flow, await _answer(server, flow, request, states[0]))


async def _answer(server: Server, flow: Flow, request: Request, state: str) -> dict[str, str]:
    """The parameters that the browser takes back, whatever happens."""
    try:
        return {"connector_id": await arrive(server, flow, _query(request), state)}
    except Problem as problem:
        return problem.answer()
    except NotFoundError:  # removed in the last moment
        return Problem("connector_not_found" if flow.connector_id else "workspace_not_found").answer()
    except Exception as error:  # noqa: BLE001 - the person must not be left on an empty page
        facts = {"error": type(error).__name__, "stack": stack_of(error)}
        logger.error("an authorization failed unexpectedly", extra=facts)  # noqa: TRY400 - messages may hold anything
        return Problem("server_error").answer()


def _query(request: Request) -> dict[str, str]:
    """The parameters of the answer; each may be there once (RFC 6749 section 3.1)."""
    given = request.query_params
    if any(len(given.getlist(name)) > 1 for name in ("code", "error", "iss")):
        raise Problem("invalid_request")
    return dict(given)
