"""What the server answers for this: endpoints for programs, and pages that a person's browser goes through."""

from __future__ import annotations

from starlette.routing import Route

from plugbay.server.oauth.apps import CALLBACK_PATH
from plugbay.server.oauth.beginning import CONSENT_PATH
from plugbay.server.oauth.callback import callback
from plugbay.server.oauth.consent import consent, decide
from plugbay.server.oauth.initiate import initiate
from plugbay.server.oauth.own_apps import delete_app, put_app

__all__ = ["ENDPOINTS", "ROUTES"]

ENDPOINTS = [initiate, put_app, delete_app]

ROUTES = [
    Route(CONSENT_PATH, consent, methods=["GET"], name="oauth consent"),
    Route(CONSENT_PATH, decide, methods=["POST"], name="oauth decision"),
    Route(CALLBACK_PATH, callback, methods=["GET"], name="oauth callback"),
]
"""They need no token: each is for whoever has the ticket or the state, and the browser that belongs to it."""
